"""What a reader makes of answers that a healthy broker rarely gives: it moved, it forgot, it knows less than was acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from typing import Any

import pytest
from aiokafka.protocol.fetch import FetchRequest

from services.channel.kafka_reading import Reading
from services.channel.port import Record
from services.wire.errors import ChannelDamagedError, ReplicasMissingError, TransportError
from tests.unit.test_kafka_records import batch, record

HERE = "school-0099900011.record"
MOVED, OUT_OF_RANGE = 6, 1
HONEST = batch(7, record(0, b"honest"))


class Answers:
    """A client that gives answers in their order: to a fetch a code and data, to a question for an end a position."""

    def __init__(self, fetched: Iterable[tuple[int, bytes]], bounds: Iterable[int]) -> None:
        self.fetched, self.bounds = list(fetched), list(bounds)

    async def send(self, _: int, question: Any) -> Any:
        if isinstance(question, FetchRequest):
            code, data = self.fetched.pop(0) if len(self.fetched) > 1 else self.fetched[0]
            return type("Answer", (), {"topics": [(HERE, [(0, code, 0, 0, [], data)])]})
        place = self.bounds.pop(0) if len(self.bounds) > 1 else self.bounds[0]
        return type("Answer", (), {"topics": [(HERE, [(0, 0, -1, place)])]})


class OneBroker:
    """Where channels are, for a reader: all on one broker."""

    def __init__(self, client: Answers) -> None:
        self.troubles: dict[str, TransportError] = {}
        self._client = client

    async def client(self) -> Answers:
        return self._client

    async def require(self, channel: str, doing: str) -> int:
        del channel, doing
        return 1

    async def leaders(self, channels: Iterable[str]) -> dict[str, int]:
        return dict.fromkeys(channels, 1)

    async def alone(self, channel: str, doing: str, work: Callable[[], Awaitable[Any]], **_: float) -> Any:
        del channel, doing
        return await work()

    def is_silent(self, _: int) -> bool:
        return False

    def hear(self, node: int, *, answers: bool) -> None:
        """Hear the one there is."""

    async def are_silent_alone(self, _: Collection[int]) -> bool:
        return False

    async def ask_again(self) -> None:
        """Know the same as before."""

    def note(self, channel: str, error: TransportError | None) -> None:
        self.troubles.pop(channel, None)
        if error is not None:
            self.troubles[channel] = error


def polled(fetched: Iterable[tuple[int, bytes]], bounds: Iterable[int] = (8,), position: int = 5) -> list[Record]:
    async def poll() -> list[Record]:
        return await Reading(OneBroker(Answers(fetched, bounds))).poll({HERE: position}, 0.0, 10)  # type: ignore[arg-type]  # as above

    return asyncio.run(poll())


def test_a_broker_that_does_not_lead_any_more_is_no_end_of_a_channel() -> None:
    assert polled([(MOVED, b""), (0, HONEST)]) == [Record(HERE, 7, b"honest")]


def test_records_that_expired_before_the_first_that_is_left_are_no_end_of_a_channel() -> None:
    assert polled([(OUT_OF_RANGE, b""), (0, HONEST)], bounds=[7], position=0) == [Record(HERE, 7, b"honest")]


def test_a_new_leader_that_shows_less_than_was_acknowledged_is_asked_again() -> None:
    assert polled([(0, b""), (0, HONEST)]) == [Record(HERE, 7, b"honest")]


def test_who_never_shows_what_it_says_is_there_is_no_end_either() -> None:
    with pytest.raises(ReplicasMissingError):
        polled([(0, b"")])


def test_an_empty_answer_at_the_end_is_the_end() -> None:
    assert polled([(0, b"")], position=8) == []


def test_frames_that_are_damaged_are_told_of_that_channel() -> None:
    with pytest.raises(ChannelDamagedError, match="damaged"):
        polled([(0, HONEST[:8] + bytes([0, 0, 0, 3]) + b"abc" + HONEST)])


class Slow(Answers):
    """A client whose answers take a moment."""

    async def send(self, node: int, question: Any) -> Any:
        await asyncio.sleep(0.05)
        return await super().send(node, question)


def test_who_left_while_an_answer_was_under_way_gets_it_with_the_next_poll_even_without_time_to_wait() -> None:
    async def poll() -> list[Record]:
        reading = Reading(OneBroker(Slow([(0, HONEST)], [8])))  # type: ignore[arg-type]  # as above
        first = asyncio.ensure_future(reading.poll({HERE: 5}, 0.2, 10))
        await asyncio.sleep(0.01)
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        return await reading.poll({HERE: 5}, 0.0, 10)

    assert asyncio.run(poll()) == [Record(HERE, 7, b"honest")]
