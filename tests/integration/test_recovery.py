"""What a worker does by itself when a key, a counterpart or this program itself is not as it should be."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from services.post import applying
from services.post.cases import Missing, open_personal
from services.post.history import New
from services.post.office import day_of
from services.post.publishing import send_once, sign_once
from services.post.saving import act
from services.post.viewing import cases
from services.post.worker import Worker
from services.school.application import School
from services.school.domain.refusals import PupilAskedAboutError
from services.wire.channels import COMMISSION, Role, commission_case, record_of, to_commission
from services.wire.contents import ParticipantRemoved, TrustConfirmed
from services.wire.errors import ConflictError, OrderError
from services.wire.events import Answer, ConfirmationGiven, ConfirmationGivenPersonal
from services.wire.hashing import Digest, digest_of
from tests.chains import SCHOOL, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Exchange, FixedSigning
from tests.integration.test_two_sides import answered, asked, backed_up, examined, recommended, restored
from tests.people import another_pupil, application_form
from tests.troubles import (
    asked_unread,
    clean,
    raw_log,
    said_by_registrar,
    settled,
    types,
)

_DAY = 86_400_000


@pytest.mark.parametrize("bug", [KeyError("a bug"), ConflictError("somebody was first, five times over")])
def test_an_error_of_ours_parks_one_case_and_the_channel_goes_on(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, bug: Exception
) -> None:
    reader = exchange.members[COMMISSION]
    judge = reader.office.domain.judge
    failing: list[Digest] = []

    def broken(history: object, incoming: object) -> object:
        failing.append(incoming.body)  # type: ignore[attr-defined]  # a Recorded
        if incoming.body == failing[0]:  # type: ignore[attr-defined]
            raise bug
        return judge(history, incoming)  # type: ignore[arg-type]

    monkeypatch.setattr(reader.office.domain, "judge", broken)
    _, theirs = asked(exchange)
    second, _ = asked(exchange, pupil=another_pupil(2))
    assert reader.held("parked") == ["internal-error"]
    assert reader.state(theirs) == ""
    assert reader.state(commission_case(second, to_commission(SCHOOL))) == "Received"
    assert any(f"{type(bug).__name__} in this program" in alarm for alarm in reader.alarms)
    monkeypatch.undo()
    assert applying.redrive_channel(reader.office, to_commission(SCHOOL)) == 1
    assert reader.state(theirs) == "Received"


def test_a_deadline_fires_once_after_its_day_and_the_case_waits_on(exchange: Exchange) -> None:
    mine, theirs = asked(exchange)
    office = exchange.members[SCHOOL].office
    (due,) = office.database.all("SELECT due_on, fired_at FROM deadlines")
    assert due["fired_at"] is None
    while day_of(exchange.clock.now).isoformat() <= due["due_on"]:
        assert office.database.one("SELECT 1 FROM deadlines WHERE fired_at IS NOT NULL") is None
        exchange.clock.now += _DAY
        exchange.settle()
    (fired,) = office.database.all("SELECT fired_at FROM deadlines")
    assert fired["fired_at"] is not None
    assert [line.overdue for line in cases(office)] == [True]
    assert exchange.members[SCHOOL].state(mine) == "AwaitingCommission"
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    # A late yes is fully valid, and it is the school's turn.
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"
    assert [row["name"] for row in office.database.all("SELECT name FROM deadlines")] == ["SchoolDecision"]


def test_the_same_pupil_is_asked_about_once_at_a_time_and_keeps_its_number(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    clerk = School(exchange.members[SCHOOL].office)
    other, _ = clerk.file(application_form(pupil=another_pupil(7)))
    again, _ = clerk.file(application_form(desired_assistant="Cita Palīdze"))
    with pytest.raises(PupilAskedAboutError):
        clerk.request(again)
    numbers = [clerk.case(case_id).application.pupil for case_id in (other, again)]  # type: ignore[union-attr]  # both are filed
    assert numbers == [2, 1]
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    clerk.request(again)


def test_a_case_key_that_never_came_is_asked_for_and_parks_nothing(exchange: Exchange) -> None:
    reader = exchange.members[COMMISSION].office
    _, theirs = asked(exchange)
    reader.database.run("DELETE FROM keys WHERE key_use = 'CASE' AND made_here = 0")
    reader.database.run("DELETE FROM stored_events WHERE originator_id = ?", theirs.hex)
    for table in ("cases", "held", "deadlines"):
        reader.database.run(f"DELETE FROM {table}")  # noqa: S608  # names of ours
    channel = to_commission(SCHOOL)
    reader.database.run("DELETE FROM entries WHERE channel = ?", channel)
    reader.database.run("DELETE FROM channels WHERE channel = ?", channel)
    reader.database.run("DELETE FROM tracking")
    # The letters are gone too.
    raw_log(exchange, "DELETE FROM records WHERE channel = ?", "commission.mailbox")
    exchange.enter(COMMISSION, Role.COMMISSION, seal_of("commission", organisation=COMMISSION_ORGANISATION))
    member = exchange.members[COMMISSION]
    exchange.settle()
    assert member.state(theirs) == "Received"
    assert open_personal(member.office, member.office.store.stream(theirs).events[0]) is Missing.NOT_YET
    settled(exchange, 6)
    # What was granted a moment ago is not granted again at once: its letter should be there still.
    exchange.clock.now += 3_600_000
    settled(exchange)
    opened = open_personal(member.office, member.office.store.stream(theirs).events[0])
    assert not isinstance(opened, Missing)
    assert member.held("key") == []


def test_a_key_of_mine_that_i_lost_is_given_back_by_whoever_holds_it(exchange: Exchange, tmp_path: Path) -> None:
    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    mine, _ = asked(exchange)
    member = exchange.members[SCHOOL]
    lost = member.office.database.one("SELECT key_id FROM keys WHERE key_use = 'CASE' AND channel = ?", to_commission(SCHOOL))
    assert lost is not None
    keys = tuple(row for row in member.office.ring.rows() if row.key_id != lost["key_id"])
    member.office.ring_file.save(keys, member.office.ring_file.heads)
    restored(exchange, SCHOOL, backup)
    member = exchange.members[SCHOOL]
    member.worker.start()
    assert any("without its case key" in alarm for alarm in member.alarms)
    request = next(each for each in member.office.store.stream(mine).events if each.topic == "InformationRequested")
    assert open_personal(member.office, request) is Missing.NOT_YET
    settled(exchange, 6)
    assert not isinstance(open_personal(member.office, request), Missing)
    assert member.held("key") == []


def test_after_somebody_left_new_facts_are_sealed_under_a_new_key(exchange: Exchange) -> None:
    other = "school-0000000002"
    exchange.admit(other, Role.SCHOOL, seal_of("other", organisation="NTRLV-90000000002"))
    settled(exchange)
    asked(exchange)
    office = exchange.members[COMMISSION].office
    office.database.run("INSERT OR IGNORE INTO grants SELECT key_id, ?, ?, 0 FROM keys WHERE key_use = 'FACTS'", other, bytes(32))
    said_by_registrar(exchange, ParticipantRemoved(id=other))
    settled(exchange)
    rows = office.database.all("SELECT superseded_at FROM keys WHERE key_use = 'FACTS' AND made_here = 1")
    assert all(row["superseded_at"] is not None for row in rows)


def test_two_own_events_after_the_same_one_end_a_start(exchange: Exchange, tmp_path: Path) -> None:
    """Two copies of one database wrote: the same case goes on twice, in two channels."""
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    exchange.settle()
    backup = backed_up(exchange, COMMISSION, tmp_path / "before.sqlite")
    heads = dict(exchange.members[COMMISSION].office.ring_file.heads)
    recommended(exchange, theirs)
    exchange.settle()
    # As if nobody had noticed that the database is an older one: it answers, in another channel than the first copy did.
    restored(exchange, COMMISSION, backup)
    office = exchange.members[COMMISSION].office
    office.ring_file.save(office.ring_file.keys, heads)
    office.ring.start(office.ring_file)
    request = digest_of(office.store.stream(theirs).events[0].body)
    answer = ConfirmationGiven(answer=Answer.NO, wording=2, basis=request)
    new = New(facts=answer, personal=ConfirmationGivenPersonal(official="Ilze Paraudziņa"), in_reply_to=request)
    act(office, theirs, lambda _: (new,), school=SCHOOL)
    sign_once(office)
    send_once(office)
    restored(exchange, COMMISSION, backup)
    with pytest.raises(OrderError, match="follow the same one"):
        Worker(exchange.members[COMMISSION].office).start()


def test_people_are_told_of_silence_and_of_certificates_that_end(exchange: Exchange) -> None:
    exchange.clock.now += 8 * _DAY
    settled(exchange, 1)
    assert any("registrar.trust has said nothing" in alarm for alarm in exchange.members[SCHOOL].alarms)
    ends = seal_of("old").certificate.not_after - timedelta(days=20)
    exchange.clock.now = int(ends.timestamp() * 1000)
    settled(exchange, 1)
    assert any("certificate of school-0099900011 ends on" in alarm for alarm in exchange.members[SCHOOL].alarms)


def test_nobody_receipting_for_two_working_days_is_told(exchange: Exchange) -> None:
    commission = exchange.members.pop(COMMISSION)
    asked_unread(exchange)
    exchange.clock.now += 5 * _DAY
    settled(exchange, 1)
    assert any("nobody has receipted" in alarm for alarm in exchange.members[SCHOOL].alarms)
    assert not any("receipted" in alarm for alarm in commission.alarms)


def test_fixed_signing_is_what_the_port_asks_for() -> None:
    signing = FixedSigning(seal_of("old"), seal_of("new"))
    assert signing().newest.certificate == seal_of("new").certificate
    assert signing().of(seal_of("old").certificate.digest) is not None
    assert signing().of(seal_of("third").certificate.digest) is None


def test_what_is_filed_before_the_channels_are_opened_waits_and_is_signed_after_their_opening(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    exchange.admit(SCHOOL, Role.SCHOOL, seal_of("old"))
    office = exchange.members[SCHOOL].office
    office.database.run("DELETE FROM outgoing")
    School(office).file(application_form())
    exchange.admit(COMMISSION, Role.COMMISSION, seal_of("commission", organisation=COMMISSION_ORGANISATION))
    settled(exchange)
    assert types(exchange, record_of(SCHOOL)) == ["ChannelOpened", "sealed", "sealed", "sealed"]
    clean(exchange)


def test_events_that_are_parked_for_a_day_are_told_until_they_are_applied(exchange: Exchange) -> None:
    school, commission = exchange.members[SCHOOL], exchange.members[COMMISSION]
    school.office.database.run("DELETE FROM peers")
    asked(exchange)
    asked(exchange, pupil=another_pupil(2))
    # Nobody can answer: the key that both were sealed under is gone.
    kept = school.office.database.all(
        "SELECT key_id, wrapped FROM keys WHERE key_use = 'FACTS' AND channel = ?", to_commission(SCHOOL)
    )
    school.office.database.run("UPDATE keys SET wrapped = NULL WHERE key_use = 'FACTS' AND channel = ?", to_commission(SCHOOL))
    told = f"{to_commission(SCHOOL)}: 2 events are parked since {commission.office.today}: the facts key is missing"
    settled(exchange, 1)
    assert not any("parked" in alarm for alarm in commission.alarms)
    exchange.clock.now += _DAY
    settled(exchange, 1)
    assert told in commission.alarms
    for row in kept:
        school.office.database.run("UPDATE keys SET wrapped = ? WHERE key_id = ?", row["wrapped"], row["key_id"])
    exchange.clock.now += 3_600_000
    settled(exchange)
    commission.alarms.clear()
    exchange.clock.now += _DAY
    settled(exchange, 1)
    assert (commission.held("parked"), [each for each in commission.alarms if "parked" in each]) == ([], [])


def test_a_silent_registrar_is_told_of_although_its_clock_was_years_ahead(exchange: Exchange) -> None:
    # What it has said it said, by its clock, ten years from now.
    exchange.clock.now -= 3_650 * _DAY
    settled(exchange, 1)
    member = exchange.members[SCHOOL]
    member.alarms.clear()
    for _ in range(7):
        exchange.clock.now += _DAY
        settled(exchange, 1)
    assert not any("has said nothing" in alarm for alarm in member.alarms)
    exchange.clock.now += _DAY
    settled(exchange, 1)
    assert "registrar.trust has said nothing for 8 days: what it revoked since may be held back" in member.alarms
    said_by_registrar(exchange, TrustConfirmed())
    member.alarms.clear()
    exchange.clock.now += _DAY
    settled(exchange, 1)
    assert not any("has said nothing" in alarm for alarm in member.alarms)


def test_what_nobody_receipts_is_told_although_the_writers_clock_was_years_ahead(exchange: Exchange) -> None:
    exchange.members.pop(COMMISSION)
    exchange.clock.now += 3_650 * _DAY
    asked_unread(exchange)
    exchange.clock.now -= 3_650 * _DAY
    settled(exchange, 1)
    member = exchange.members[SCHOOL]
    member.alarms.clear()
    exchange.clock.now += 5 * _DAY
    settled(exchange, 1)
    assert any(f"{to_commission(SCHOOL)}: nobody has receipted" in alarm for alarm in member.alarms)
