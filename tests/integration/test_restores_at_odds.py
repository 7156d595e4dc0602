"""Restores that meet a channel that stands still, a lost key, an epoch or a kill: one case or one channel waits, never all."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from services.post.agreeing import agree
from services.post.awaiting import OWN_MISPLACED, start_again_once
from services.post.history import RejectionCode
from services.post.publishing import save_ring
from services.post.rebuilding import rebuild
from services.post.ring_file import RingFile
from services.post.saving import CaseIncompleteError
from services.post.signing import sign_open
from services.wire.channels import COMMISSION, commission_case, record_of, to_commission
from services.wire.contents import EpochOpened, KeyRevoked, Reason, TrustConfirmed
from services.wire.entry import Open, decode_entry
from services.wire.errors import DatabaseBusyError
from services.wire.hashing import Digest
from tests.chains import SCHOOL, Pen, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Exchange
from tests.integration.test_two_sides import answered, asked, backed_up, examined, recommended, restored, rogue_answer, school
from tests.people import application_form
from tests.troubles import (
    asked_unread,
    closed_restart,
    digest_at,
    epoch_after,
    raw_log,
    records,
    said_by_registrar,
    settled,
    types,
)

CHANNEL = to_commission(SCHOOL)
STOLEN = KeyRevoked(key=seal_of("old").certificate.key_digest, reason=Reason.STOLEN)


def hurt(exchange: Exchange, name: str, where: str) -> bytes:
    """Spoil keys in database and ring file alike, and return the whole ring file."""
    office = exchange.members[name].office
    save_ring(office)
    whole = office.ring_file.path.read_bytes()
    lost = {row["key_id"].hex() for row in office.database.all(f"SELECT key_id FROM keys WHERE {where}")}  # noqa: S608  # of a test
    assert lost
    office.database.run(f"UPDATE keys SET wrapped = zeroblob(60) WHERE {where}")  # noqa: S608  # of a test
    file = RingFile.load(office.ring_file.path)
    file.save([replace(key, wrapped=bytes(60)) if key.key_id.hex() in lost else key for key in file.keys], file.heads)
    return whole


def filed(exchange: Exchange) -> UUID:
    case_id, _ = school(exchange).file(application_form())
    settled(exchange)
    return case_id


def places_from_request(exchange: Exchange) -> int:
    """Return how many entries stand in the school's channel from its request on."""
    statements = [decode_entry(record).unverified_statement for record in records(exchange, CHANNEL)]
    first = next(each.sequence for each in statements if not isinstance(each.body, Open))
    return max(each.sequence for each in statements) - first + 1


def test_a_restore_while_a_channel_waits_holds_its_cases_and_is_whole_once_it_goes_on(exchange: Exchange, tmp_path: Path) -> None:
    backup = backed_up(exchange, COMMISSION, tmp_path / "backup.sqlite")
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    settled(exchange)
    said_by_registrar(exchange, STOLEN)
    settled(exchange)
    restored(exchange, COMMISSION, backup)
    member = exchange.members[COMMISSION]
    member.worker.start()
    assert member.held("misplaced") == ["what came before it has not come yet"] * 2
    raw_case = member.office.database.one("SELECT 1 FROM cases WHERE case_id = ?", theirs.hex)
    assert raw_case is None
    standing = exchange.members[SCHOOL].office.letterbook.standing(CHANNEL)
    assert standing is not None
    exchange.members[SCHOOL].signing.seals.append(seal_of("new"))
    epoch_after(exchange, CHANNEL, SCHOOL, seal_of("new"), back=0)
    # Nobody has to start it anew: what came before the own events makes a start by itself.
    settled(exchange)
    assert member.held("misplaced") == []
    assert member.held("parked") == []
    assert member.state(theirs) == "FileChecked"
    recommended(exchange, theirs)


def test_nobody_acts_in_a_case_of_which_a_part_has_not_come_back(exchange: Exchange, tmp_path: Path) -> None:
    _, theirs = asked(exchange)
    backup = backed_up(exchange, COMMISSION, tmp_path / "backup.sqlite")
    examined(exchange, theirs)
    settled(exchange)
    restored(exchange, COMMISSION, backup)
    member = exchange.members[COMMISSION]
    member.worker.start()
    event = member.office.store.stream(theirs).events[-1]
    member.office.database.run(
        "INSERT INTO held (channel, kind, reason, case_id, event_id) VALUES (?, 'misplaced', 'as after a restore', ?, ?)",
        event.channel,
        theirs.hex,
        event.event_id,
    )
    with pytest.raises(CaseIncompleteError):
        recommended(exchange, theirs)


def test_a_received_facts_key_that_is_lost_parks_its_channel_and_is_asked_for(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    hurt(exchange, COMMISSION, "key_use = 'FACTS' AND channel LIKE '%to-commission'")
    raw_log(exchange, "DELETE FROM records WHERE channel = ?", "commission.mailbox")
    member = closed_restart(exchange, COMMISSION)
    member.worker.start()
    assert any("opens neither from the database nor from the ring file" in alarm for alarm in member.alarms)
    theirs, _ = asked_unread(exchange, 3)
    for _ in range(3):
        member.work()
    assert member.held("parked") == ["the facts key is missing"]
    for _ in range(3):
        exchange.clock.now += 3_600_000
        settled(exchange)
    assert member.held("parked") == []
    assert member.state(theirs) == "Received"


@pytest.mark.parametrize("is_noted", [True, False], ids=["its keys are noted", "nobody has looked"])
@pytest.mark.parametrize("use", ["CASE", "FACTS"])
def test_an_event_whose_key_comes_back_with_the_ring_file_is_signed_after_all(
    exchange: Exchange, use: str, *, is_noted: bool
) -> None:
    mine = filed(exchange)
    school(exchange).request(mine)
    if not is_noted:
        # As of an event that an epoch has put off its chain.
        exchange.members[SCHOOL].office.database.run("UPDATE outgoing SET personal_key = NULL")
    whole = hurt(exchange, SCHOOL, f"key_use = '{use}' AND channel LIKE '%to-commission'")
    member = closed_restart(exchange, SCHOOL)
    member.worker.start()
    settled(exchange)
    assert any("is not signed" in alarm for alarm in member.alarms)
    exchange.clock.now += 86_400_000
    member.alarms.clear()
    settled(exchange)
    assert any("1 events are not signed" in alarm for alarm in member.alarms)
    member.office.ring_file.path.write_bytes(whole)
    member = closed_restart(exchange, SCHOOL)
    member.worker.start()
    settled(exchange)
    assert exchange.members[COMMISSION].state(commission_case(mine, CHANNEL)) == "Received"


@pytest.mark.parametrize("where", ["compare_trust", "supersede_for_removed"])
def test_an_interruption_while_the_registrars_word_is_taken_lets_nobody_read_on_under_the_old_one(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    asked(exchange)
    settled(exchange)
    member = exchange.members[COMMISSION]
    said_by_registrar(exchange, STOLEN)

    def busy(*_: object) -> None:
        raise DatabaseBusyError("the database is busy")

    monkeypatch.setattr(f"services.post.receiving.{where}", busy)
    with pytest.raises(DatabaseBusyError):
        member.work()
    monkeypatch.undo()
    theirs, _ = asked_unread(exchange, 4)
    for _ in range(3):
        member.work()
    assert member.state(theirs) == ""
    standing = member.office.letterbook.standing(CHANNEL)
    assert standing is not None
    assert standing.state == "waiting"


@pytest.mark.parametrize("is_killed", [True, False])
def test_own_events_that_an_epoch_cut_off_before_the_start_are_signed_anew(
    exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_killed: bool
) -> None:
    mine = filed(exchange)
    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    school(exchange).request(mine)
    settled(exchange)
    back = places_from_request(exchange)
    restored(exchange, SCHOOL, backup)
    if is_killed:

        def killed(_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("services.post.worker.require_current", killed)
        with pytest.raises(KeyboardInterrupt):
            exchange.members[SCHOOL].worker.start()
        monkeypatch.undo()
        epoch_after(exchange, CHANNEL, SCHOOL, seal_of("old"), back=back)
    else:
        newest = max(decode_entry(record).unverified_statement.sequence for record in records(exchange, CHANNEL))
        said_by_registrar(exchange, epoch_at(exchange, newest - back))
    closed_restart(exchange, SCHOOL).worker.start()
    settled(exchange)
    agree(exchange.members[COMMISSION].office, CHANNEL)
    settled(exchange)
    assert exchange.members[SCHOOL].state(mine) == "AwaitingCommission"
    assert exchange.members[COMMISSION].state(commission_case(mine, CHANNEL)) == "Received"
    assert types(exchange, CHANNEL).count("sealed") == 2


def epoch_at(exchange: Exchange, sequence: int, channel: str = CHANNEL) -> EpochOpened:
    certificate = seal_of("old").certificate.digest
    digest = digest_at(exchange, channel, sequence)
    return EpochOpened(channel=channel, epoch=1, after_sequence=sequence, after_digest=digest, certificate=certificate)


def test_a_request_whose_application_is_lost_to_all_is_back_and_its_answer_is_taken(exchange: Exchange, tmp_path: Path) -> None:
    """A log and a database were put back from older copies; the commission held the request, nobody the school's record."""
    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    mine, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    raw_log(exchange, "DELETE FROM records WHERE channel = ? AND position > 0", record_of(SCHOOL))
    restored(exchange, SCHOOL, backup)
    said_by_registrar(exchange, epoch_at(exchange, 1, record_of(SCHOOL)))
    member = exchange.members[SCHOOL]
    assert member.worker.start()
    settled(exchange)
    assert [event.topic for event in member.office.store.stream(mine).events] == ["InformationRequested", "ConfirmationGiven"]
    assert member.state(mine) == "ReadyForDecision"
    assert member.held("refused") == member.held("misplaced") == []
    assert not any("in this program" in alarm for alarm in member.alarms)
    # No list says of a school's own case who it is that asks.
    assert rebuild(exchange.members[SCHOOL].office)[1] == []


def test_an_answer_that_stands_behind_what_all_have_lost_is_back_before_word_that_it_was_refused(
    exchange: Exchange, tmp_path: Path
) -> None:
    """The commission's record is lost to all, and the school has refused its answer."""
    backup = backed_up(exchange, COMMISSION, tmp_path / "backup.sqlite")
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    rogue_answer(exchange, theirs, Digest(bytes(32)))
    settled(exchange)
    record = record_of(COMMISSION)
    raw_log(exchange, "DELETE FROM records WHERE channel = ? AND position > 0", record)
    restored(exchange, COMMISSION, backup)
    seal = seal_of("commission", organisation=COMMISSION_ORGANISATION).certificate.digest
    said_by_registrar(exchange, replace(epoch_at(exchange, 1, record), certificate=seal))
    member = exchange.members[COMMISSION]
    assert member.worker.start()
    settled(exchange)
    topics = [event.topic for event in member.office.store.stream(theirs).events]
    assert topics == ["InformationRequested", "ConfirmationGiven", "Rejected"]


def test_a_restore_judges_nothing_again_by_rules_that_have_changed_meanwhile(
    exchange: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Own events that followed a request say how it was judged."""
    backup = backed_up(exchange, COMMISSION, tmp_path / "backup.sqlite")
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    topics = [event.topic for event in exchange.members[COMMISSION].office.store.stream(theirs).events]
    restored(exchange, COMMISSION, backup)
    member = exchange.members[COMMISSION]
    monkeypatch.setattr(type(member.office.domain), "judge", lambda *_: RejectionCode.WRONG_STATE)
    assert member.worker.start()
    settled(exchange)
    assert [event.topic for event in member.office.store.stream(theirs).events] == topics
    assert member.held("refused") == []
    assert member.state(theirs) == "Answered"


def test_a_stop_is_taken_while_one_long_channel_is_read_back(exchange: Exchange, tmp_path: Path) -> None:
    backup = backed_up(exchange, SCHOOL, tmp_path / "backup.sqlite")
    office = exchange.members[SCHOOL].office
    with office.database.transaction():
        for _ in range(1200):
            sign_open(office, CHANNEL, TrustConfirmed())
    for _ in range(8):
        exchange.members[SCHOOL].work()
    restored(exchange, SCHOOL, backup)
    member, stop = exchange.members[SCHOOL], threading.Event()
    poll, polls = exchange.log.poll, list[int]()

    def watched(*arguments: object, **more: object) -> object:
        polls.append(1)
        if len(polls) > 2:
            stop.set()
        return poll(*arguments, **more)  # type: ignore[arg-type]  # as it was called

    member.office.channel.poll = watched  # type: ignore[method-assign, union-attr]  # to see how often it is asked
    assert member.worker.start(stop) is False
    assert len(polls) < 8
    del member.office.channel.poll  # type: ignore[union-attr]  # the log's own again
    member = closed_restart(exchange, SCHOOL)
    assert member.worker.start() is True
    standing = member.office.letterbook.standing(CHANNEL)
    assert standing is not None
    assert standing.place.sequence > 1200


def test_a_channel_that_stands_still_is_told_each_day(exchange: Exchange) -> None:
    asked(exchange)
    settled(exchange)
    last = decode_entry(records(exchange, CHANNEL)[-1]).unverified_statement
    exchange.log.append(CHANNEL, [Pen(CHANNEL, seal_of("old"), 0, last.sequence - 1, last.previous, "twice").confirmed()])
    exchange.members.pop(SCHOOL)
    member = exchange.members[COMMISSION]
    settled(exchange)
    for _ in range(2):
        member.alarms.clear()
        exchange.clock.now += 86_400_000
        settled(exchange)
        assert any("stands still after" in alarm and "forked" in alarm for alarm in member.alarms)


def test_what_waits_in_a_case_that_lacks_own_events_makes_a_start_an_hour_and_no_more(exchange: Exchange) -> None:
    """Whoever goes on writing in such a case must not keep everybody else waiting for starts."""
    office = exchange.members[COMMISSION].office

    def asks() -> bool:
        start_again_once(office)
        is_asked = office.database.one("SELECT 1 FROM said WHERE name = 'starting'") is not None
        office.database.run("DELETE FROM said WHERE name = 'starting'")
        return is_asked

    waits = "INSERT INTO held (channel, kind, reason, digest) VALUES (?, 'parked', ?, ?)"
    office.database.run(waits, CHANNEL, OWN_MISPLACED, bytes(32))
    assert not asks()
    office.start_asked_at = exchange.clock.now
    exchange.clock.now += 3_599_000
    assert not asks()
    exchange.clock.now += 2_000
    assert asks()
    assert not asks()
    office.database.run("DELETE FROM held WHERE reason = ?", OWN_MISPLACED)
    exchange.clock.now += 3_601_000
    assert not asks()
    assert office.start_asked_at is None
