"""The events of a verified log, decoded in one order: what counts, what was refused, what waits, and what does not open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from services.audit.event import Event, Standing
from services.audit.events import events_of
from services.audit.grounds import grounds_of
from services.audit.keys import Keys
from services.audit.leaving_out import without_personal
from services.audit.opening import Opening
from services.wire.channels import COMMISSION, TRUST_CHANNEL, commission_case, record_of, to_commission
from services.wire.contents import KeyRevoked, Reason, Receipt
from services.wire.errors import ChannelUnavailableError
from services.wire.events import (
    ConfirmationGiven,
    ConsentRecorded,
    ConsentRecordedPersonal,
    RecommendationIssued,
    Rejected,
    RejectedCode,
)
from services.wire.hashing import Digest
from tests.attacks.workshop import MemoryLog
from tests.audited import audited, examined_log, keys_of, mixed_up
from tests.chains import ROOT, SCHOOL, Pen, seal_of
from tests.exchange import Exchange
from tests.integration.test_two_sides import answered, asked, examined, recommended, rogue_answer
from tests.troubles import raw_event, settled
from tests.worlds import COMMISSIONS, FROM, NEW, TO, World

NOTHING = Digest(bytes(32))


@pytest.fixture
def whole(exchange: Exchange) -> Exchange:
    """Let one case be answered."""
    _, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    return exchange


def sealed(events: list[Event]) -> list[Event]:
    return [each for each in events if each.opening is not Opening.OPEN]


def of_type(events: list[Event], name: str) -> list[Event]:
    return [each for each in events if each.type == name]


def test_the_events_of_both_sides_come_in_the_order_in_which_one_led_to_the_next(whole: Exchange) -> None:
    events = sealed(audited(whole.log, keys_of(whole, SCHOOL, COMMISSION)))
    assert [each.type for each in events] == [
        "ApplicationFiled",
        "ConsentRecorded",
        "DeliveryAddressChosen",
        "InformationRequested",
        "RequestRegistered",
        "ExpertiseFileExamined",
        "RecommendationIssued",
        "DocumentsDispatched",
        "ConfirmationGiven",
    ]
    assert all(each.counts for each in events)
    assert len({each.common_case for each in events}) == 1
    assert commission_case(events[0].case_id, to_commission(SCHOOL)) == events[-1].common_case  # type: ignore[arg-type]  # a case


def test_what_facts_say_is_the_value_that_their_writer_meant(whole: Exchange) -> None:
    events = audited(whole.log, keys_of(whole, SCHOOL, COMMISSION))
    (answer,), (basis,) = of_type(events, "ConfirmationGiven"), of_type(events, "RecommendationIssued")
    assert isinstance(answer.facts, ConfirmationGiven)
    assert isinstance(basis.facts, RecommendationIssued)
    assert answer.facts.basis == basis.body
    assert answer.in_reply_to == of_type(events, "InformationRequested")[0].body
    assert answer.recorded_on == whole.members[COMMISSION].office.today


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.shows("I8")
def test_a_log_in_any_order_with_repeats_and_junk_has_the_same_events_on_the_same_grounds(whole: Exchange, seed: int) -> None:
    keys = keys_of(whole, SCHOOL, COMMISSION)
    channels = [each.channel for each in examined_log(whole.log).report.channels]
    other = mixed_up(whole.log, channels, seed)
    assert audited(other, keys) == audited(whole.log, keys)
    assert grounds_of(examined_log(other)).heads == grounds_of(examined_log(whole.log)).heads


def test_an_entry_that_stands_there_first_without_what_is_personal_opens_by_its_whole_copy(whole: Exchange) -> None:
    keys, other = keys_of(whole, SCHOOL, COMMISSION, cases=True), MemoryLog()
    for channel in (each.channel for each in examined_log(whole.log).report.channels):
        records = [each.value for each in whole.log.poll({channel: 0}, timeout_seconds=0, limit=1000)]
        other.append(channel, [*map(without_personal, records), *records])
    for with_personal in (False, True):
        assert audited(other, keys, with_personal=with_personal) == audited(whole.log, keys, with_personal=with_personal)


def test_a_log_that_goes_on_in_another_order_from_some_entry_on_has_the_same_events(whole: Exchange) -> None:
    keys, other = keys_of(whole, SCHOOL, COMMISSION), MemoryLog()
    for channel in (each.channel for each in examined_log(whole.log).report.channels):
        records = [each.value for each in whole.log.poll({channel: 0}, timeout_seconds=0, limit=1000)]
        other.append(channel, [*records[:3], b"junk", *records[:2], *reversed(records[3:])])
    assert audited(other, keys) == audited(whole.log, keys)


def test_without_keys_it_is_seen_that_events_stand_there_and_nothing_of_what_they_say(whole: Exchange) -> None:
    events = sealed(audited(whole.log))
    assert len(events) == 9
    assert {each.opening for each in events} == {Opening.NO_KEY}
    assert {(each.type, each.case_id, each.recorded_on, each.facts, each.personal) for each in events} == {(None,) * 5}
    assert not any(each.counts for each in events)


def test_a_key_that_was_destroyed_is_told_apart_from_one_that_was_never_held(whole: Exchange) -> None:
    held = keys_of(whole, SCHOOL, COMMISSION)
    events = sealed(audited(whole.log, Keys(erased=frozenset(held.facts))))
    assert {each.opening for each in events} == {Opening.ERASED}


def test_open_entries_stand_among_the_events_with_what_they_say(whole: Exchange) -> None:
    receipts = of_type(audited(whole.log), "Receipt")
    assert receipts
    assert all(isinstance(each.facts, Receipt) and each.opening is Opening.OPEN for each in receipts)


def test_what_is_personal_opens_for_who_asks_and_holds_the_keys_of_the_case(whole: Exchange) -> None:
    mine = keys_of(whole, SCHOOL, cases=True)
    (filed,) = of_type(audited(whole.log, mine, with_personal=True), "ApplicationFiled")
    assert filed.personal_opening is Opening.OPENED
    assert filed.personal.application.pupil.family_name
    (unasked,) = of_type(audited(whole.log, mine), "ApplicationFiled")
    assert (unasked.personal_opening, unasked.personal) == (Opening.UNASKED, None)


def test_with_all_facts_keys_and_no_key_of_a_case_as_an_auditor_has_them_nothing_personal_opens(whole: Exchange) -> None:
    events = sealed(audited(whole.log, keys_of(whole, SCHOOL, COMMISSION), with_personal=True))
    assert {each.personal_opening for each in events} == {Opening.NO_KEY, Opening.NOTHING}
    assert {each.personal for each in events} == {None}


def test_a_school_opens_nothing_of_what_the_commission_keeps_for_itself(whole: Exchange) -> None:
    events = sealed(audited(whole.log, keys_of(whole, SCHOOL, cases=True), with_personal=True))
    theirs = [each for each in events if each.channel == record_of(COMMISSION)]
    assert len(theirs) == 4
    assert {each.opening for each in theirs} == {Opening.NO_KEY}


def test_an_answer_that_its_reader_refused_does_not_count_and_says_why(exchange: Exchange) -> None:
    _, theirs = asked(exchange)
    rogue_answer(exchange, theirs, NOTHING)
    settled(exchange)
    (answer,) = of_type(audited(exchange.log, keys_of(exchange, SCHOOL, COMMISSION)), "ConfirmationGiven")
    assert (answer.standing, answer.refused_as) == (Standing.REFUSED, "WrongReply")
    assert not answer.counts


def test_nobody_refuses_what_was_not_written_to_him(whole: Exchange) -> None:
    """A school that calls the commission's own word refused, in its record, refuses nothing."""
    keys = keys_of(whole, SCHOOL, COMMISSION)
    (basis,) = of_type(audited(whole.log, keys), "RecommendationIssued")
    for channel in (record_of(SCHOOL), to_commission(SCHOOL)):
        raw_event(whole, SCHOOL, channel, Rejected(code=RejectedCode.WRONG_STATE), in_reply_to=basis.body)
    settled(whole)
    (still,) = of_type(audited(whole.log, keys), "RecommendationIssued")
    assert still.counts


def test_an_event_in_a_channel_where_its_writer_may_not_write_it_does_not_count(whole: Exchange) -> None:
    raw_event(
        whole,
        SCHOOL,
        to_commission(SCHOOL),
        ConsentRecorded(received_on=whole.members[SCHOOL].office.today),
        ConsentRecordedPersonal(by="nobody"),
        case_id=bytes(16),
    )
    settled(whole)
    events = of_type(audited(whole.log, keys_of(whole, SCHOOL, COMMISSION)), "ConsentRecorded")
    assert [each.standing for each in events] == [Standing.TAKEN, Standing.MISPLACED]


class Again(Pen):
    """A pen that writes under an event id that was there before."""

    identity: bytes = b""

    @property
    def next_event_id(self) -> bytes:
        return self.identity


def test_an_event_id_that_comes_again_counts_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(TO)
    pen = world.pens[TO]
    before = pen.next_event_id
    world.write(TO)

    again = Again(pen.channel, pen.seal, pen.epoch, pen.sequence, pen.previous)
    again.identity = before
    world.records[TO].append(again.sealed())
    events = [each for each in audited(memory(world)) if each.channel == TO]
    assert [each.standing for each in events] == [Standing.TAKEN] * 3 + [Standing.REPEATED]


def memory(world: World) -> MemoryLog:
    return MemoryLog({name: list(records) for name, records in world.records.items()})


def test_what_waits_under_a_revoked_key_is_shown_as_waiting_after_all_that_is_taken(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(FROM, 3)
    world.said(KeyRevoked(key=COMMISSIONS.certificate.key_digest, reason=Reason.SUPERSEDED))
    events = audited(memory(world))
    mine = [each for each in events if each.channel == FROM]
    assert [(each.sequence, each.standing) for each in mine] == [(number, Standing.WAITS) for number in (1, 2, 3, 4)]
    assert all(each.standing is Standing.TAKEN for each in events[: -len([x for x in events if x.standing is Standing.WAITS])])


def test_what_an_epoch_overruled_is_shown_as_voided(tmp_path: Path) -> None:
    world = World(tmp_path)
    epoch = world.epoch_after(TO)
    world.write(TO, 2)
    world.said(epoch)
    pen = replace(world.pens[TO], seal=NEW, epoch=1, sequence=epoch.after_sequence, previous=epoch.after_digest, salt="new")
    world.records[TO] += [pen.opened(), pen.sealed()]
    mine = [each for each in audited(memory(world)) if each.channel == TO]
    assert [(each.epoch, each.sequence, each.standing) for each in mine] == [
        (0, 1, Standing.TAKEN),
        (1, 2, Standing.TAKEN),
        (1, 3, Standing.TAKEN),
        (0, 2, Standing.VOIDED),
        (0, 3, Standing.VOIDED),
    ]


def test_a_forgery_is_shown_nowhere(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(TO)
    forged = replace(world.pens[TO], seal=seal_of("thief"))
    world.records[TO].append(forged.sealed())
    assert [each.sequence for each in audited(memory(world)) if each.channel == TO] == [1, 2]


def test_a_log_whose_registrar_cannot_be_read_has_no_events() -> None:
    log = MemoryLog({TRUST_CHANNEL: [b"junk"]})
    found = examined_log(log)
    assert list(events_of(log, found)) == []
    assert not grounds_of(found).is_clean


def test_an_entry_that_vanishes_while_the_log_is_read_is_told_and_never_replaced(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(TO, 3)
    log = memory(world)
    found = examined_log(log)
    del log.records[TO][2]
    with pytest.raises(ChannelUnavailableError, match=f"entry 3 of {TO} was there and is not any more"):
        list(events_of(log, found))


def test_grounds_say_how_far_each_channel_is_proven_and_change_with_any_entry(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(TO, 2)
    before = grounds_of(examined_log(memory(world)))
    assert before.exchange == ROOT.digest.hex()
    assert {each.channel: each.entries for each in before.channels}[TO] == 3
    world.write(TO)
    after = grounds_of(examined_log(memory(world)))
    assert before.heads != after.heads
    assert f"stands on {after.entries} verified entries of 5 channels" in after.told
    del world.records[TO][1]
    harmed = grounds_of(examined_log(memory(world)))
    assert not harmed.is_clean
    assert "1 finding in this log: only what is proven is shown" in harmed.told
