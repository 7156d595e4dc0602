"""A school and the commission on a real log and real databases: the main job, its refusals, its interruptions."""

from __future__ import annotations

import random
from pathlib import Path
from uuid import UUID

import pytest

from services.commission.application import Commission
from services.commission.domain import refusals as commission_refusals
from services.commission.input import (
    AnswerInput,
    DispatchInput,
    ExaminationInput,
    IrpInput,
    RecommendationInput,
    RefusalInput,
    RegistrationInput,
)
from services.post.cases import Missing, history_of, open_facts, open_personal
from services.post.history import New
from services.post.office import Office
from services.post.publishing import send_once, sign_once
from services.post.saving import act
from services.post.viewing import cases
from services.post.worker import Worker
from services.school.application import School
from services.school.domain.refusals import FiledAlreadyError
from services.wire.channels import COMMISSION, Role, commission_case, from_commission, record_of, to_commission
from services.wire.entry import Sealed, decode_entry
from services.wire.errors import ExchangeError, ForkError, RefusedError, StoreBehindError
from services.wire.events import Answer, ConfirmationGiven, ConfirmationGivenPersonal, Delivery, Opinion, RefusalGround
from services.wire.hashing import Digest
from services.wire.reading import ReadingState, read_channel
from services.wire.wordings import WORDINGS
from tests.chains import ROOT, SCHOOL, Pen, seal_of
from tests.exchange import Exchange, two_sides
from tests.people import another_pupil, application_form
from tests.verifying import verified


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    return two_sides(tmp_path)


def school(exchange: Exchange) -> School:
    return School(exchange.members[SCHOOL].office)


def commission(exchange: Exchange) -> Commission:
    return Commission(exchange.members[COMMISSION].office)


def asked(exchange: Exchange, **form: object) -> tuple[UUID, UUID]:
    """File an application and ask the commission; return the case's two numbers."""
    case_id, _ = school(exchange).file(application_form(**form))
    school(exchange).request(case_id)
    exchange.settle()
    return case_id, commission_case(case_id, to_commission(SCHOOL))


def examined(exchange: Exchange, case_id: UUID) -> None:
    today = exchange.members[COMMISSION].office.today
    clerk = commission(exchange)
    clerk.register(case_id, RegistrationInput(register_number="R-17", received_on=today))
    clerk.examine(case_id, ExaminationInput(file_found=True, opinion=Opinion.VALID, examined_on=today))


def recommended(exchange: Exchange, case_id: UUID) -> None:
    today = exchange.members[COMMISSION].office.today
    clerk = commission(exchange)
    clerk.recommend(case_id, RecommendationInput(number="I-1", text="Ieteikums", issued_on=today, valid_from=today))
    clerk.dispatch(case_id, DispatchInput(number="S-1", by=Delivery.REGISTERED, sent_on=today))


def answered(exchange: Exchange, case_id: UUID) -> None:
    commission(exchange).answer(case_id, AnswerInput(official="Ilze Paraudziņa"))
    exchange.settle()


def test_an_application_by_a2_is_answered_yes(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    assert exchange.members[SCHOOL].state(mine) == "AwaitingCommission"
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"
    request = school(exchange).case(mine).request
    assert request is not None
    assert request.answer is Answer.YES
    last = history_of(school(exchange).office, school(exchange).office.store.stream(mine))[-1]
    assert last.in_reply_to == request.body
    assert WORDINGS[last.facts.wording].text.startswith("Jā, skolēnam ir sniegts ieteikums")


def test_an_application_by_b2_gets_its_plan_first(exchange: Exchange) -> None:
    mine, theirs = asked(exchange, variant="B2", states_irp=False, attachments=[])
    examined(exchange, theirs)
    today = exchange.members[COMMISSION].office.today
    with pytest.raises(commission_refusals.IrpMissingError):
        recommended(exchange, theirs)
    commission(exchange).issue_irp(theirs, IrpInput(number="P-1", text="Plāns", issued_on=today, indicates_need=True))
    recommended(exchange, theirs)
    answered(exchange, theirs)
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"


def test_a_no_tells_the_school_no_reason(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    examined(exchange, theirs)
    today = exchange.members[COMMISSION].office.today
    refusal = RefusalInput(issued_on=today, grounds=(RefusalGround.NEED_NOT_FOUND,), text="Iemesls, kas pieder ģimenei")
    commission(exchange).refuse(theirs, refusal)
    answered(exchange, theirs)
    assert exchange.members[SCHOOL].state(mine) == "NegativeAnswer"
    facts = history_of(school(exchange).office, school(exchange).office.store.stream(mine))[-1].facts
    assert set(facts.__dataclass_fields__) == {"answer", "wording", "basis"}


def test_no_request_goes_out_without_consent_or_address(exchange: Exchange) -> None:
    clerk = school(exchange)
    without_consent, _ = clerk.file(application_form(consent={"given": False}))
    with pytest.raises(RefusedError):
        clerk.request(without_consent)
    without_address, _ = clerk.file(application_form(address=None))
    with pytest.raises(RefusedError):
        clerk.request(without_address)


def test_no_yes_is_given_without_a_recommendation(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    with pytest.raises(commission_refusals.NothingToAnswerError):
        answered(exchange, theirs)


def rogue_answer(exchange: Exchange, case_id: UUID, reply: Digest) -> None:
    """Let the commission's database say what no clerk can: an answer past the rules."""
    facts = ConfirmationGiven(answer=Answer.YES, wording=1, basis=reply)
    new = New(facts=facts, personal=ConfirmationGivenPersonal(official="Ilze Paraudziņa"), in_reply_to=reply)
    act(exchange.members[COMMISSION].office, case_id, lambda _: (new,), school=SCHOOL)
    exchange.settle()


def test_an_answer_in_a_case_that_nobody_knows_stands_in_the_schools_own_stream(exchange: Exchange) -> None:
    asked(exchange)
    rogue_answer(exchange, UUID(int=77), Digest(bytes(32)))
    office = exchange.members[SCHOOL].office
    assert [event.topic for event in office.store.stream(office.own_stream).events] == ["ConfirmationGiven", "Rejected"]
    assert exchange.members[SCHOOL].held("refused") == ["UnknownCase"]


def test_both_sides_receipt_what_they_hold(exchange: Exchange) -> None:
    asked(exchange)
    for _ in range(3):
        exchange.settle()
    standing = exchange.members[SCHOOL].office.letterbook.standing(to_commission(SCHOOL))
    assert standing is not None
    # All but the receipt that the school itself signed last.
    assert standing.receipted_sequence >= 3


def test_receipts_do_not_answer_receipts_for_ever(exchange: Exchange) -> None:
    asked(exchange)
    for _ in range(4):
        exchange.settle()
    ends = {name: exchange.log.end(name) for name in (to_commission(SCHOOL), from_commission(SCHOOL))}
    for _ in range(4):
        exchange.settle()
    assert {name: exchange.log.end(name) for name in ends} == ends


def test_every_channel_of_the_log_reads_as_it_was_written(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    trust = exchange.members[SCHOOL].office.trust
    for name in (to_commission(SCHOOL), from_commission(SCHOOL), record_of(SCHOOL), record_of(COMMISSION)):
        records = [each.value for each in exchange.log.poll({name: 0}, timeout_seconds=0, limit=1000)]
        reading = read_channel(name, records, ROOT, trust)
        assert reading.state is ReadingState.READING
        assert len(reading.taken) == len(records)
        assert all(entry.personal is not None for entry in reading.taken if isinstance(entry.statement.body, Sealed))


def opens(exchange: Exchange, reader: str, channel: str) -> tuple[set[str], set[str]]:
    """Return the types of events of a channel whose facts, and whose personal parts, a reader can open."""
    office = exchange.members[reader].office
    facts_of: set[str] = set()
    personal_of: set[str] = set()
    for record in exchange.log.poll({channel: 0}, timeout_seconds=0, limit=1000):
        entry = decode_entry(record.value)
        body = entry.unverified_statement.body
        if not isinstance(body, Sealed) or entry.raw_facts is None:
            continue
        facts = open_facts(office, channel, entry.unverified_statement.event_id, body.facts_key, entry.raw_facts)
        if facts is None:
            continue
        facts_of.add(facts.type)
        if facts.personal_key is not None and office.ring.get(facts.personal_key) is not None:
            personal_of.add(facts.type)
    return facts_of, personal_of


def test_nobody_opens_more_than_the_audience_table_says(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    filed = {"ApplicationFiled", "ConsentRecorded", "DeliveryAddressChosen"}
    decided = {"RequestRegistered", "ExpertiseFileExamined", "RecommendationIssued", "DocumentsDispatched"}
    request, answer = {"InformationRequested"}, {"ConfirmationGiven"}
    nothing: tuple[set[str], set[str]] = (set(), set())
    table = {
        (SCHOOL, record_of(SCHOOL)): (filed, filed),
        (COMMISSION, record_of(SCHOOL)): nothing,
        (SCHOOL, record_of(COMMISSION)): nothing,
        (COMMISSION, record_of(COMMISSION)): (decided, decided),
        (SCHOOL, to_commission(SCHOOL)): (request, request),
        (COMMISSION, to_commission(SCHOOL)): (request, request),
        (SCHOOL, from_commission(SCHOOL)): (answer, answer),
        (COMMISSION, from_commission(SCHOOL)): (answer, answer),
    }
    assert {place: opens(exchange, *place) for place in table} == table


def test_another_school_opens_nothing_of_the_first(exchange: Exchange) -> None:
    other = "school-0000000002"
    exchange.admit(other, Role.SCHOOL, seal_of("other", organisation="NTRLV-90000000002"))
    asked(exchange)
    for channel in (to_commission(SCHOOL), from_commission(SCHOOL), record_of(SCHOOL), record_of(COMMISSION)):
        assert opens(exchange, other, channel) == (set(), set())


def test_no_name_no_code_and_no_word_of_a_form_stands_in_the_log(exchange: Exchange, tmp_path: Path) -> None:
    asked(exchange)
    exchange.log.close()
    found = b"".join(path.read_bytes() for path in tmp_path.glob("log.sqlite*"))
    assert b"registrar.trust" in found
    for secret in ("Izdomenieks", "03021829015", "Izdomu iela", "Roberts"):
        assert secret.encode() not in found


def test_what_was_received_is_shown_with_what_is_personal_about_it(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    office = exchange.members[COMMISSION].office
    opened = open_personal(office, office.store.stream(theirs).events[0])
    assert not isinstance(opened, Missing)
    assert opened.content.pupil.family_name == "Izdomenieks"


def test_a_request_that_comes_before_its_key_is_parked_and_applied_once_the_key_was_asked_for(exchange: Exchange) -> None:
    member, receiver = exchange.members[SCHOOL], exchange.members[COMMISSION]
    member.office.database.run("DELETE FROM peers")
    mine, theirs = asked(exchange)
    second, _ = asked(exchange, pupil=another_pupil(2))
    assert receiver.held("parked") == ["the facts key is missing", "behind something that is parked"]
    assert receiver.state(theirs) == ""
    for _ in range(5):
        exchange.settle()
    assert receiver.held("parked") == []
    assert receiver.state(theirs) == receiver.state(commission_case(second, to_commission(SCHOOL))) == "Received"
    assert member.state(mine) == "AwaitingCommission"


def test_a_lost_key_is_asked_for_at_most_once_an_hour(exchange: Exchange) -> None:
    member, receiver = exchange.members[SCHOOL], exchange.members[COMMISSION]
    member.office.database.run("DELETE FROM peers")
    asked(exchange)
    # The school has erased its own key, so that nobody can answer; an erased key is never granted.
    member.office.database.run("UPDATE keys SET wrapped = NULL, erased_at = 1 WHERE key_use = 'FACTS'")
    end = exchange.log.end(from_commission(SCHOOL))
    for _ in range(20):
        exchange.settle()
    published = exchange.log.end(from_commission(SCHOOL)) - end
    assert 1 <= published <= 3
    exchange.clock.now += 3_600_000
    for _ in range(3):
        exchange.settle()
    assert exchange.log.end(from_commission(SCHOOL)) > end + published
    assert receiver.held("parked") == ["the facts key is missing"]


@pytest.mark.shows("D5.5")
def test_an_application_that_is_filed_twice_word_for_word_is_one_case(exchange: Exchange) -> None:
    mine, _ = school(exchange).file(application_form())
    with pytest.raises(FiledAlreadyError, match=str(mine)):
        school(exchange).file(application_form())
    other, _ = school(exchange).file(application_form(desired_assistant="Cita Palīdze"))
    assert {line.case for line in cases(exchange.members[SCHOOL].office)} == {str(mine), str(other)}


@pytest.mark.parametrize("seed", range(6))
def test_a_crash_after_any_step_loses_nothing_and_doubles_nothing(tmp_path: Path, seed: int) -> None:
    """Work in random single steps; after each, a process may end and begin again from its files."""
    exchange = two_sides(tmp_path)
    rng = random.Random(seed)  # noqa: S311  # an order, no secret
    case_id, _ = school(exchange).file(application_form())
    school(exchange).request(case_id)
    for _ in range(60):
        name = rng.choice([SCHOOL, COMMISSION])
        member = exchange.members[name]
        step = rng.choice(["receive", "sign", "send", "crash"])
        if step == "receive":
            member.receiver.receive_once()
        elif step == "sign":
            sign_once(member.office)
        elif step == "send":
            send_once(member.office)
        else:
            member.office.database.close()
            seal = seal_of("old") if name == SCHOOL else seal_of("commission", organisation="NTRLV-90000000003")
            exchange.enter(name, member.office.role, seal)
    exchange.settle()
    theirs = commission_case(case_id, to_commission(SCHOOL))
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    assert exchange.members[SCHOOL].state(case_id) == "ReadyForDecision"
    types = [event.topic for event in exchange.members[COMMISSION].office.store.stream(theirs).events]
    assert types.count("InformationRequested") == 1


def restored(exchange: Exchange, name: str, backup: Path) -> None:
    """Put an older copy of a participant's database in place, and begin again from it."""
    member = exchange.members[name]
    member.office.database.close()
    home = exchange.folder / name
    for leftover in home.glob("database.sqlite*"):
        leftover.unlink()
    (home / "database.sqlite").write_bytes(backup.read_bytes())
    seal = seal_of("old") if name == SCHOOL else seal_of("commission", organisation="NTRLV-90000000003")
    exchange.enter(name, member.office.role, seal)


def backed_up(exchange: Exchange, name: str, path: Path) -> Path:
    exchange.members[name].office.database.connection.execute("VACUUM INTO ?", (str(path),))
    return path


def test_an_act_on_a_database_that_is_behind_the_ring_file_is_refused(exchange: Exchange, tmp_path: Path) -> None:
    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    asked(exchange)
    restored(exchange, SCHOOL, backup)
    with pytest.raises(StoreBehindError, match="older than the ring file"):
        school(exchange).file(application_form())


def told(office: Office, case_id: UUID) -> list[tuple[str, Digest, str]]:
    history = history_of(office, office.store.stream(case_id))
    return [(each.type, each.body, each.standing.value) for each in history]


@pytest.mark.parametrize("when", ["before", "asked", "examined"])
@pytest.mark.parametrize("name", [SCHOOL, COMMISSION])
def test_a_restored_database_takes_back_what_it_wrote_and_judges_nothing_twice(
    exchange: Exchange, tmp_path: Path, name: str, when: str
) -> None:
    path = tmp_path / "backup.sqlite"
    if when == "before":
        backed_up(exchange, name, path)
    mine, theirs = asked(exchange)
    if when == "asked":
        backed_up(exchange, name, path)
    rogue_answer(exchange, UUID(int=77), Digest(bytes(32)))
    examined(exchange, theirs)
    exchange.settle()
    if when == "examined":
        backed_up(exchange, name, path)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    rogue_answer(exchange, theirs, Digest(bytes(32)))
    exchange.settle()
    case_id = mine if name == SCHOOL else theirs
    office = exchange.members[name].office
    before = told(office, case_id), told(office, office.own_stream), exchange.members[name].state(case_id)
    restored(exchange, name, path)
    office = exchange.members[name].office
    Worker(office).start()
    after = told(office, case_id), told(office, office.own_stream), exchange.members[name].state(case_id)
    assert after == before
    assert not any("in this program" in alarm for alarm in office.alarms)
    ends = {each: exchange.log.end(each) for each in (record_of(SCHOOL), record_of(COMMISSION))}
    for _ in range(4):
        exchange.settle()
    assert {each: exchange.log.end(each) for each in ends} == ends
    again, _ = asked(exchange, pupil=another_pupil(2))
    assert exchange.members[SCHOOL].state(again) == "AwaitingCommission"
    assert verified(exchange.log, ROOT).findings == []


def test_a_database_whose_last_entries_reached_no_log_goes_on_from_what_the_log_shows(exchange: Exchange) -> None:
    office = exchange.members[SCHOOL].office
    case_id, _ = school(exchange).file(application_form())
    sign_once(office)
    office.database.close()
    exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old"))
    Worker(exchange.members[SCHOOL].office).start()
    school(exchange).request(case_id)
    exchange.settle()
    assert exchange.members[COMMISSION].state(commission_case(case_id, to_commission(SCHOOL))) == "Received"


def test_a_start_finds_somebody_else_with_my_key(exchange: Exchange) -> None:
    office = exchange.members[SCHOOL].office
    standing = office.letterbook.standing(record_of(SCHOOL))
    assert standing is not None
    thief = Pen(record_of(SCHOOL), seal_of("old"), 0, standing.place.sequence, standing.place.digest, "thief")
    school(exchange).file(application_form())
    sign_once(office)
    exchange.log.append(record_of(SCHOOL), [thief.confirmed()])
    with pytest.raises(ForkError, match="contradicts"):
        Worker(office).start()


def test_errors_tell_nothing_personal(exchange: Exchange) -> None:
    clerk = school(exchange)
    case_id, _ = clerk.file(application_form(consent={"given": False}))
    with pytest.raises(ExchangeError) as caught:
        clerk.request(case_id)
    assert "Izdomenieks" not in str(caught.value)
