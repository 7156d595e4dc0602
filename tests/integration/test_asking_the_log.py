"""What a receiver asks of the log: which channels, from where, how much at once and how long it waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from services.channel.port import Channel, Record, Until
from services.post.worker import Worker
from services.wire.channels import (
    COMMISSION,
    REGISTRAR,
    TRUST_CHANNEL,
    Role,
    from_commission,
    mailbox_of,
    record_of,
    to_commission,
)
from tests.chains import SCHOOL, registrar_seal
from tests.exchange import Exchange, Member
from tests.integration.test_two_sides import asked, school
from tests.people import application_form
from tests.troubles import asked_unread, closed_restart, settled

_HOUR = 3_600_000


class Question(NamedTuple):
    """One poll."""

    positions: dict[str, int]
    timeout_seconds: float
    limit: int


@dataclass
class Listened:
    """A log that remembers what it was asked; to so many polls it shows nothing, though it has something."""

    log: Channel
    asked: list[Question] = field(default_factory=list)
    silent: int = 0

    def append(self, channel: str, records: Sequence[bytes]) -> None:
        self.log.append(channel, records)

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        self.asked.append(Question(dict(positions), timeout_seconds, limit))
        if self.silent:
            self.silent -= 1
            return []
        return self.log.poll(positions, timeout_seconds=0, limit=limit, until=until)

    def end(self, channel: str) -> int:
        return self.log.end(channel)

    def close(self) -> None:
        self.log.close()


def listened(member: Member) -> Listened:
    assert member.office.channel is not None
    member.office.channel = log = Listened(member.office.channel)
    return log


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        (SCHOOL, [TRUST_CHANNEL, from_commission(SCHOOL), mailbox_of(SCHOOL)]),
        (COMMISSION, [TRUST_CHANNEL, to_commission(SCHOOL), mailbox_of(COMMISSION)]),
    ],
)
def test_who_has_read_all_asks_for_what_comes_next_in_each_channel_it_may_read(
    exchange: Exchange, name: str, channels: list[str]
) -> None:
    asked(exchange)
    settled(exchange)
    log = listened(exchange.members[name])
    assert exchange.members[name].receiver.receive_once() == 0
    assert log.asked == [Question({channel: exchange.log.end(channel) for channel in channels}, 0.0, 500)]


def test_a_receiver_waits_for_what_comes_next_as_long_as_it_was_told(exchange: Exchange) -> None:
    log = listened(exchange.members[SCHOOL])
    exchange.members[SCHOOL].receiver.receive_once(timeout_seconds=7.5)
    assert log.asked[-1].timeout_seconds == 7.5


def test_a_start_waits_for_nothing(exchange: Exchange) -> None:
    asked(exchange)
    log = listened(exchange.members[SCHOOL])
    assert Worker(exchange.members[SCHOOL].office).start()
    assert {question.timeout_seconds for question in log.asked} == {0}


def test_each_channel_is_asked_for_a_record_however_many_there_are(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.post.receiving._POLL_LIMIT", 1)
    log = listened(exchange.members[SCHOOL])
    exchange.members[SCHOOL].receiver.receive_once()
    assert log.asked[-1].limit == 3


def test_once_an_hour_the_last_record_of_each_channel_is_looked_at(exchange: Exchange) -> None:
    member = exchange.members[SCHOOL]
    log = listened(member)
    numbers = []
    for pause in (_HOUR, _HOUR - 1, 1):
        exchange.clock.now += pause
        log.asked.clear()
        member.receiver.receive_once()
        numbers.append(len(log.asked))
    assert numbers == [2, 1, 2]
    channels = (TRUST_CHANNEL, from_commission(SCHOOL))
    assert log.asked[0] == Question({channel: exchange.log.end(channel) - 1 for channel in channels}, 0, 2)


def test_once_a_day_all_channels_are_read_again_from_their_starts(exchange: Exchange) -> None:
    member = exchange.members[SCHOOL]
    log = listened(member)
    exchange.clock.now += 24 * _HOUR
    member.receiver.receive_once()
    channels = (TRUST_CHANNEL, from_commission(SCHOOL))
    assert [log.asked[-1].positions[channel] for channel in channels] == [0, 0]
    for channel in channels:
        standing = member.office.letterbook.standing(channel)
        assert standing is not None
        assert standing.whole_at == exchange.clock.now
    exchange.clock.now += 24 * _HOUR - 1
    member.receiver.receive_once()
    assert [log.asked[-1].positions[channel] for channel in channels] == [exchange.log.end(channel) for channel in channels]


def test_who_has_read_nothing_yet_looks_back_at_nothing(exchange: Exchange) -> None:
    member = exchange.enter(REGISTRAR, Role.REGISTRAR, registrar_seal("registrar"))
    log = listened(member)
    member.receiver.receive_once()
    # The registrar's own channel is no news to it.
    assert log.asked == [Question({}, 0.0, 500)]


def test_a_process_that_begins_anew_reads_on_where_the_last_one_ended_and_judges_nothing_again(exchange: Exchange) -> None:
    asked(exchange)
    exchange.clock.now += 24 * _HOUR
    settled(exchange)
    theirs, _ = asked_unread(exchange)
    channel = to_commission(SCHOOL)
    member = closed_restart(exchange, COMMISSION)
    log, statements = listened(member), list[str]()
    member.office.database.connection.set_trace_callback(statements.append)
    member.receiver.receive_once()
    member.office.database.connection.set_trace_callback(None)
    assert member.state(theirs) == "Received"
    assert log.asked[-1].positions[channel] == exchange.log.end(channel) - 1
    assert not [each for each in statements if f"FROM entries WHERE channel = '{channel}' ORDER BY id" in each]


def test_who_does_not_know_what_stood_before_reads_from_the_start_and_accuses_nobody(exchange: Exchange) -> None:
    member = closed_restart(exchange, COMMISSION)
    channel = to_commission(SCHOOL)
    member.office.letterbook.note(channel, hint_record=None)
    log = listened(member)
    member.receiver.receive_once()
    assert log.asked[-1].positions[channel] == 0
    assert not any("does not show any more" in alarm for alarm in member.alarms)


def test_a_log_that_shows_less_than_it_has_is_read_from_the_start_and_not_accused(exchange: Exchange) -> None:
    member = exchange.members[COMMISSION]
    log = listened(member)
    log.silent = 1
    exchange.clock.now += _HOUR
    member.receiver.receive_once()
    assert log.asked[-1].positions[to_commission(SCHOOL)] == 0
    assert not any("does not show any more" in alarm for alarm in member.alarms)


def test_where_to_look_on_is_stored_with_the_last_entry_of_a_batch(exchange: Exchange) -> None:
    """Otherwise each process would read again what the ones before it have read."""
    asked_unread(exchange)
    member, channel = exchange.members[COMMISSION], to_commission(SCHOOL)
    member.receiver.receive_once()
    standing = member.office.letterbook.standing(channel)
    assert standing is not None
    assert standing.hint.position == exchange.log.end(channel)


class Generous(Listened):
    """A log that gives more than it was asked for, as one does whose other channels have less."""

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        return super().poll(positions, timeout_seconds=timeout_seconds, limit=10 * limit, until=until)


def test_a_poll_that_gives_a_channel_more_is_no_sign_of_a_log_that_was_cut(exchange: Exchange) -> None:
    """Each hour the record before the place where a reader stands is compared; what stands behind it says nothing."""
    member = exchange.members[COMMISSION]
    asked_unread(exchange)
    assert member.office.channel is not None
    member.office.channel = Generous(member.office.channel)
    exchange.clock.now += _HOUR
    settled(exchange)
    assert not [alarm for alarm in member.alarms if "does not show any more" in alarm]


class Meagre(Listened):
    """A log that answers with one record at a time, as a broker does whose answer has no room for more."""

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        return super().poll(positions, timeout_seconds=timeout_seconds, limit=limit, until=until)[:1]


def test_whom_an_answer_had_no_room_for_is_asked_for_again_and_not_read_from_its_start(exchange: Exchange) -> None:
    asked_unread(exchange)
    settled(exchange)
    member = exchange.members[COMMISSION]
    # The look at everything that comes once a day is over.
    exchange.clock.now += _HOUR
    while member.receiver.receive_once():
        pass
    assert member.office.channel is not None
    member.office.channel = log = Meagre(member.office.channel)
    exchange.clock.now += _HOUR
    member.receiver.receive_once()
    assert {TRUST_CHANNEL, to_commission(SCHOOL)} <= log.asked[-1].positions.keys()
    assert 0 not in log.asked[-1].positions.values()


def test_a_worker_that_waits_for_records_is_woken_by_an_act(exchange: Exchange) -> None:
    member = exchange.members[SCHOOL]
    settled(exchange)
    before = exchange.log.end(record_of(SCHOOL))

    def work() -> None:
        # What others did before it asked for the first time it cannot know.
        while exchange.log.end(record_of(SCHOOL)) == before:
            member.worker.step(wait_seconds=600)

    working = threading.Thread(target=work, daemon=True)
    working.start()
    time.sleep(0.5)
    # In another thread, so by another connection, as a clerk's command does it.
    school(exchange).file(application_form())
    working.join(timeout=60)
    assert exchange.log.end(record_of(SCHOOL)) > before


def test_what_a_worker_itself_commits_wakes_it_not(exchange: Exchange) -> None:
    member = exchange.members[SCHOOL]
    database = member.office.database
    asked(exchange)
    database.has_changed()
    settled(exchange)
    assert not database.has_changed()
