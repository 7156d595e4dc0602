"""What a receiver asks of the log: which channels, from where, how much at once and how long it waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from services.channel.port import Channel, Record
from services.post.worker import Worker
from services.wire.channels import COMMISSION, TRUST_CHANNEL, from_commission, mailbox_of, to_commission
from tests.chains import SCHOOL
from tests.exchange import Exchange, Member
from tests.integration.test_two_sides import asked
from tests.troubles import settled

_HOUR = 3_600_000


class Question(NamedTuple):
    """One poll."""

    positions: dict[str, int]
    timeout_seconds: float
    limit: int


@dataclass
class Listened:
    """A log that remembers what it was asked."""

    log: Channel
    asked: list[Question] = field(default_factory=list)

    def append(self, channel: str, records: Sequence[bytes]) -> None:
        self.log.append(channel, records)

    def poll(self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int) -> list[Record]:
        self.asked.append(Question(dict(positions), timeout_seconds, limit))
        return self.log.poll(positions, timeout_seconds=0, limit=limit)

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
