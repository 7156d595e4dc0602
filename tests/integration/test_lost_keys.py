"""A participant that has lost its ring: what others were given comes back from them, its own record does not, and it goes on."""

from __future__ import annotations

from uuid import UUID

import pytest

from services.post.agreeing import agree
from services.post.applying import redrive_channel
from services.post.awaiting import OWN_AWAITED
from services.post.cases import Missing, open_personal
from services.post.database import Database
from services.post.lost_keys import KEYS_LOST
from services.post.people import cases_of
from services.post.saving import KeysAwaitedError
from services.post.viewing import events
from services.school.application import School
from services.school.domain.refusals import PupilAskedAboutError
from services.wire.channels import COMMISSION, Role, commission_case, from_commission, record_of, to_commission
from services.wire.contents import EpochOpened, ParticipantRemoved
from services.wire.errors import RingError
from services.wire.grants import GrantedKey, KeyUse
from services.wire.hashing import Digest, genesis_digest
from tests.chains import ROOT, SCHOOL, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Exchange, Member
from tests.integration.test_two_sides import answered, asked, examined, recommended, rogue_answer
from tests.people import another_pupil, application_form
from tests.troubles import clean, closed_restart, raw_log, said_by_registrar, settled

CHANNEL = to_commission(SCHOOL)
HOUR = 3_600_000


def left_with_its_signing_key(exchange: Exchange, name: str, *, is_said: bool = True) -> Member:
    """Take everything from a participant but the key it signs with; ``is_said``: a person knows that no ring will come."""
    exchange.members[name].office.database.close()
    for path in (exchange.folder / name).iterdir():
        path.unlink()
    if is_said:
        database = Database(exchange.folder / name / "database.sqlite")
        database.migrate()
        database.run("INSERT INTO said VALUES (?, 0)", KEYS_LOST)
        database.close()
    seal = seal_of("old") if name == SCHOOL else seal_of("commission", organisation=COMMISSION_ORGANISATION)
    return exchange.enter(name, Role.SCHOOL if name == SCHOOL else Role.COMMISSION, seal)


def hours(exchange: Exchange, count: int = 3) -> None:
    for _ in range(count):
        settled(exchange, 4)
        exchange.clock.now += HOUR
    settled(exchange)


def topics(member: Member, case_id: UUID) -> list[str]:
    return [line.event for line in events(member.office, case_id)]


def test_without_a_persons_word_a_start_stops_where_an_own_entry_does_not_open(exchange: Exchange) -> None:
    asked(exchange)
    member = left_with_its_signing_key(exchange, SCHOOL, is_said=False)
    with pytest.raises(RingError, match="--keys-lost"):
        member.worker.start()


def test_a_school_with_nothing_but_its_signing_key_has_its_requests_and_answers_again(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    open_one, _ = asked(exchange, pupil=another_pupil(2))
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    member = left_with_its_signing_key(exchange, SCHOOL)
    assert member.worker.start()
    assert len(member.held("closed")) == len(member.office.letterbook.own_after(record_of(SCHOOL), 1)) + 2
    with pytest.raises(KeysAwaitedError):
        School(member.office).file(application_form())
    hours(exchange)
    assert member.state(mine) == "ReadyForDecision"
    assert member.state(open_one) == "AwaitingCommission"
    assert topics(member, mine) == ["InformationRequested", "ConfirmationGiven"]
    stream = member.office.store.stream(mine)
    assert not any(isinstance(open_personal(member.office, event), Missing) for event in stream.events)
    assert member.held("parked") == member.held("key") == []
    assert len(member.held("closed")) == len(member.office.letterbook.own_after(record_of(SCHOOL), 1))
    clean(exchange)


def test_a_school_that_lost_its_ring_still_asks_once_about_a_pupil(exchange: Exchange) -> None:
    mine, _ = asked(exchange)
    member = left_with_its_signing_key(exchange, SCHOOL)
    member.worker.start()
    hours(exchange)
    code = application_form().pupil.personal_code
    assert cases_of(member.office, code) == [mine]
    again, _ = School(member.office).file(application_form())
    with pytest.raises(PupilAskedAboutError):
        School(member.office).request(again)


def test_a_school_that_lost_its_ring_goes_on_with_new_keys_and_is_answered(exchange: Exchange) -> None:
    waiting, waiting_there = asked(exchange)
    member = left_with_its_signing_key(exchange, SCHOOL)
    member.worker.start()
    hours(exchange)
    fresh, fresh_there = asked(exchange, pupil=another_pupil(3))
    for case_id in (waiting_there, fresh_there):
        examined(exchange, case_id)
        recommended(exchange, case_id)
        answered(exchange, case_id)
    hours(exchange, 1)
    assert [member.state(each) for each in (waiting, fresh)] == ["ReadyForDecision"] * 2
    assert exchange.members[COMMISSION].held("refused") == member.held("refused") == []
    clean(exchange)


def test_a_commission_with_nothing_but_its_signing_key_knows_what_it_was_asked_and_what_it_answered(exchange: Exchange) -> None:
    done, done_there = asked(exchange)
    _, begun_there = asked(exchange, pupil=another_pupil(2))
    examined(exchange, done_there)
    recommended(exchange, done_there)
    answered(exchange, done_there)
    examined(exchange, begun_there)
    settled(exchange)
    member = left_with_its_signing_key(exchange, COMMISSION)
    member.worker.start()
    hours(exchange)
    assert topics(member, done_there) == ["InformationRequested", "ConfirmationGiven"]
    assert member.state(done_there) == "Answered"
    # What stood in its record alone is to be entered again.
    assert member.state(begun_there) == "Received"
    examined(exchange, begun_there)
    recommended(exchange, begun_there)
    answered(exchange, begun_there)
    assert member.state(begun_there) == "Answered"
    assert exchange.members[SCHOOL].state(done) == "ReadyForDecision"
    assert exchange.members[SCHOOL].held("refused") == member.held("refused") == []


def test_an_answer_of_a_commission_that_lost_its_ring_is_back_before_word_that_it_was_refused(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    rogue_answer(exchange, theirs, Digest(bytes(32)))
    settled(exchange)
    member = left_with_its_signing_key(exchange, COMMISSION)
    member.worker.start()
    hours(exchange)
    assert topics(member, theirs) == ["InformationRequested", "ConfirmationGiven", "Rejected"]


def test_nothing_is_applied_or_refused_while_own_events_of_the_pair_wait_for_their_keys(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    commission = exchange.members.pop(COMMISSION)
    member = left_with_its_signing_key(exchange, SCHOOL)
    member.worker.start()
    # The answer's key is here at once, as if own keys alone had been lost.
    ring = commission.office.ring
    answers = ring.facts_key(from_commission(SCHOOL), commission.office.today.year)
    member.office.ring.take(from_commission(SCHOOL), GrantedKey(key=answers.key, use=KeyUse.FACTS, case_id=None))
    redrive_channel(member.office, from_commission(SCHOOL))
    assert member.held("parked") == [OWN_AWAITED]
    exchange.clock.now += HOUR
    settled(exchange)
    assert member.office.database.all("SELECT 1 FROM cases") == []
    assert member.held("refused") == []
    assert any("wait for keys" in alarm for alarm in member.alarms)
    exchange.members[COMMISSION] = commission
    hours(exchange)
    assert member.state(mine) == "ReadyForDecision"
    assert member.held("refused") == commission.held("refused") == []


def test_a_school_that_is_away_holds_up_its_own_pair_alone_when_the_commission_lost_its_ring(exchange: Exchange) -> None:
    other = "school-0000000002"
    exchange.admit(other, Role.SCHOOL, seal_of("other", organisation="NTRLV-90000000002"))
    settled(exchange)
    mine, theirs = asked(exchange)
    clerk = School(exchange.members[other].office)
    away, _ = clerk.file(application_form(pupil=another_pupil(4)))
    clerk.request(away)
    settled(exchange)
    for case_id in (theirs, commission_case(away, to_commission(other))):
        examined(exchange, case_id)
        recommended(exchange, case_id)
        answered(exchange, case_id)
    settled(exchange)
    gone = exchange.members.pop(other)
    member = left_with_its_signing_key(exchange, COMMISSION)
    member.worker.start()
    hours(exchange)
    assert member.state(theirs) == "Answered"
    assert member.state(commission_case(away, to_commission(other))) == ""
    exchange.members[other] = gone
    hours(exchange)
    assert member.state(commission_case(away, to_commission(other))) == "Answered"
    assert exchange.members[SCHOOL].state(mine) == gone.state(away) == "ReadyForDecision"


def test_for_a_school_that_has_left_nobody_waits(exchange: Exchange) -> None:
    other = "school-0000000002"
    exchange.admit(other, Role.SCHOOL, seal_of("other", organisation="NTRLV-90000000002"))
    settled(exchange)
    clerk = School(exchange.members[other].office)
    gone, _ = clerk.file(application_form(pupil=another_pupil(4)))
    clerk.request(gone)
    settled(exchange)
    examined(exchange, commission_case(gone, to_commission(other)))
    recommended(exchange, commission_case(gone, to_commission(other)))
    answered(exchange, commission_case(gone, to_commission(other)))
    said_by_registrar(exchange, ParticipantRemoved(id=other))
    settled(exchange)
    del exchange.members[other]
    member = left_with_its_signing_key(exchange, COMMISSION)
    member.worker.start()
    hours(exchange, 1)
    assert not any("own events wait for keys" in alarm for alarm in member.alarms)


def test_a_new_process_at_each_step_while_keys_come_back_loses_and_refuses_nothing(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    member = left_with_its_signing_key(exchange, SCHOOL)
    member.worker.start()
    for _ in range(40):
        # A new process at each step, with the start that each makes.
        member.office.database.close()
        member = exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old"))
        member.worker.start()
        member.work()
        exchange.members[COMMISSION].work()
        exchange.clock.now += 600_000
    assert member.state(mine) == "ReadyForDecision"
    assert member.held("refused") == exchange.members[COMMISSION].held("refused") == []


def test_letters_that_expired_are_asked_for_again_by_who_lost_its_ring(exchange: Exchange) -> None:
    mine, _ = asked(exchange)
    settled(exchange)
    raw_log(exchange, "DELETE FROM records WHERE channel LIKE '%.mailbox'")
    member = left_with_its_signing_key(exchange, SCHOOL)
    member.worker.start()
    hours(exchange)
    assert member.state(mine) == "AwaitingCommission"


def test_a_ring_file_that_turns_up_later_gives_no_case_a_second_history(exchange: Exchange) -> None:
    mine, _ = asked(exchange)
    settled(exchange)
    home = exchange.folder / SCHOOL
    ring_key, ring_file = (home / "ring.key").read_bytes(), (home / "ring.file").read_bytes()
    member = left_with_its_signing_key(exchange, SCHOOL)
    # The ring key is the old one, as where only the ring file could not be found.
    member.office.database.close()
    (home / "ring.key").write_bytes(ring_key)
    member = exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old"))
    member.worker.start()
    hours(exchange)
    closed = len(member.held("closed"))
    member.office.database.close()
    (home / "ring.file").write_bytes(ring_file)
    member = exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old"))
    assert member.worker.start()
    hours(exchange, 1)
    assert topics(member, mine) == ["InformationRequested"]
    assert len(member.held("closed")) == closed


def test_where_both_sides_lost_their_rings_an_epoch_ends_the_waiting(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    for name in (SCHOOL, COMMISSION):
        left_with_its_signing_key(exchange, name).worker.start()
    hours(exchange)
    clerk = School(exchange.members[SCHOOL].office)
    with pytest.raises(KeysAwaitedError):
        clerk.file(application_form())
    for channel, seal in ((CHANNEL, "old"), (from_commission(SCHOOL), "commission")):
        organisation = COMMISSION_ORGANISATION if seal == "commission" else "NTRLV-90000000001"
        certificate = seal_of(seal, organisation=organisation).certificate.digest
        genesis = genesis_digest(ROOT.digest, channel)
        said_by_registrar(
            exchange, EpochOpened(channel=channel, epoch=1, after_sequence=0, after_digest=genesis, certificate=certificate)
        )
    settled(exchange)
    agree(exchange.members[SCHOOL].office, from_commission(SCHOOL))
    agree(exchange.members[COMMISSION].office, CHANNEL)
    hours(exchange, 1)
    mine, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"
    # Also a start later on waits for nothing of it.
    for name in (SCHOOL, COMMISSION):
        assert closed_restart(exchange, name).worker.start()
    assert School(exchange.members[SCHOOL].office).file(application_form(pupil=another_pupil(9)))


def test_a_key_given_back_for_another_use_than_it_had_stops_nobody(exchange: Exchange) -> None:
    """One school lies about the commission's facts key; everybody else is served, and the next start works too."""
    other = "school-0000000002"
    exchange.admit(other, Role.SCHOOL, seal_of("other", organisation="NTRLV-90000000002"))
    settled(exchange)
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    liar = exchange.members[SCHOOL].office.database
    query = "UPDATE keys SET key_use = 'CASE', case_id = ?, year = NULL WHERE channel = ? AND key_use = 'FACTS'"
    assert liar.run(query, bytes(16), from_commission(SCHOOL))
    liar.close()
    exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old"))
    member = left_with_its_signing_key(exchange, COMMISSION)
    member.worker.start()
    for _ in range(8):
        settled(exchange)
        exchange.clock.now += HOUR
    assert any("a key is given back for another use" in alarm for alarm in member.alarms)
    clerk = School(exchange.members[other].office)
    case, _ = clerk.file(application_form(pupil=another_pupil(4)))
    clerk.request(case)
    settled(exchange)
    member = closed_restart(exchange, COMMISSION)
    member.worker.start()
    assert member.state(commission_case(case, to_commission(other))) == "Received"
