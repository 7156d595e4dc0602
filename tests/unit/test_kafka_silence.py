"""What a reader makes of brokers that do not answer while others do, and of a way on which an answer does not arrive in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

import pytest
from aiokafka.errors import RequestTimedOutError, TopicAuthorizationFailedError
from aiokafka.protocol.fetch import FetchRequest

from services.channel.kafka_reading import Reading
from services.channel.port import Record
from services.wire.errors import ChannelUnavailableError, TransportError
from tests.unit.test_kafka_records import batch, record

HERE, THERE = "school-0099900011.record", "school-0099900011.to-commission"
ANSWERING, SILENT = 1, 2
FOUND = [Record(HERE, 7, b"honest")]


class Client:
    """A client of two brokers: one answers, the other does what a test says."""

    def __init__(self, does: Callable[[], Awaitable[None]]) -> None:
        self.does = does
        self.asked: list[int] = []

    async def send(self, node: int, question: FetchRequest) -> Any:
        self.asked.append(node)
        if node == SILENT:
            await self.does()
        ((channel, _),) = question.topics
        data = batch(7, record(0, b"honest")) if node == ANSWERING else b""
        return type("Answer", (), {"topics": [(channel, [(0, 0, 0, 0, [], data)])]})

    def force_metadata_update(self) -> None:
        """Know the same as before."""


class TwoBrokers:
    """Where channels are, for a reader: one on either broker."""

    def __init__(self, client: Client, *, others_answer: bool = True) -> None:
        self.troubles: dict[str, TransportError] = {}
        self.silent: set[int] = set()
        self.silenced: set[str] = set()
        self._client, self._others_answer = client, others_answer

    async def client(self) -> Client:
        return self._client

    async def leaders(self, channels: Iterable[str]) -> dict[str, int]:
        return {each: ANSWERING if each == HERE else SILENT for each in channels}

    def is_silent(self, node: int) -> bool:
        return node in self.silent

    def hear(self, node: int, *, answers: bool) -> None:
        (self.silent.discard if answers else self.silent.add)(node)

    async def are_silent_alone(self, nodes: Collection[int]) -> bool:
        self.silent |= set(nodes) if self._others_answer else set()
        return self._others_answer

    def note(self, channel: str, error: TransportError | None) -> None:
        if error is not None:
            self.troubles[channel] = error

    def silence(self, channels: Iterable[str]) -> None:
        self.silenced |= set(channels)


async def never() -> None:
    await asyncio.Event().wait()


async def fails() -> None:
    raise RequestTimedOutError


def polled(topics: TwoBrokers, *channels: str, wait_seconds: float = 0.0, times: int = 1) -> list[Record]:
    async def poll() -> list[Record]:
        reading = Reading(topics)  # type: ignore[arg-type]  # as above
        try:
            for _ in range(times):
                found = await reading._several(dict.fromkeys(channels, 5), wait_seconds, 10)  # noqa: SLF001  # of several
            return [each for records in found.values() for each in records]
        finally:
            await reading.close()

    return asyncio.run(poll())


def test_who_never_answers_keeps_nobody_from_what_another_broker_holds() -> None:
    assert polled(TwoBrokers(Client(never)), HERE, THERE) == FOUND


def test_a_broker_that_fails_while_another_answers_is_silent_and_its_channels_are_told() -> None:
    topics = TwoBrokers(Client(fails))
    assert polled(topics, HERE, THERE) == FOUND
    assert (topics.silent, topics.silenced) == ({SILENT}, {THERE})


def test_where_all_that_were_asked_fail_and_others_answer_nothing_is_found_and_told_why() -> None:
    topics = TwoBrokers(Client(fails))
    assert polled(topics, THERE) == []
    assert (topics.silent, topics.silenced) == ({SILENT}, {THERE})


def test_where_nobody_answers_the_log_is_unavailable() -> None:
    with pytest.raises(ChannelUnavailableError, match="no broker answers"):
        polled(TwoBrokers(Client(fails), others_answer=False), THERE)


def test_a_silent_broker_is_asked_once_however_often_it_is_polled_and_not_waited_for() -> None:
    topics = TwoBrokers(client := Client(never))
    topics.silent = {SILENT}
    assert polled(topics, HERE, THERE, times=5) == FOUND
    assert (client.asked.count(SILENT), client.asked.count(ANSWERING)) == (1, 5)


def test_an_answer_that_comes_between_two_polls_is_taken_up_by_the_second() -> None:
    asked: list[int] = []

    class Late(Client):
        async def send(self, node: int, question: FetchRequest) -> Any:
            asked.append(node)
            await asyncio.sleep(0.05)
            return await super().send(ANSWERING, question)

    async def poll() -> tuple[Any, Any]:
        topics = TwoBrokers(Late(never))
        topics.silent = {ANSWERING}
        reading = Reading(topics)  # type: ignore[arg-type]
        first = await reading._several({HERE: 5}, 0.0, 10)  # noqa: SLF001
        await asyncio.sleep(0.5)
        second = await reading._several({HERE: 5}, 0.0, 10)  # noqa: SLF001
        await reading.close()
        return first, second

    assert asyncio.run(poll()) == ({}, {HERE: FOUND})
    assert asked == [ANSWERING]


def test_where_what_an_earlier_poll_asked_ends_with_nothing_it_is_asked_again_at_once() -> None:
    """Whatever came during a pause would wait for its end."""
    asked: list[float] = []

    class Waiting(Client):
        async def send(self, _: int, question: FetchRequest) -> Any:
            asked.append(asyncio.get_running_loop().time())
            await asyncio.sleep(0.05)
            answer = await super().send(ANSWERING, question)
            answer.topics = answer.topics if len(asked) > 1 else [(HERE, [(0, 0, 0, 0, [], b"")])]
            return answer

    async def poll() -> tuple[Any, float]:
        reading = Reading(TwoBrokers(Waiting(never)))  # type: ignore[arg-type]
        began = asyncio.get_running_loop().time()
        first = asyncio.ensure_future(reading._several({HERE: 5}, 10.0, 10))  # noqa: SLF001
        await asyncio.sleep(0.02)
        first.cancel()
        found = await reading._several({HERE: 5}, 10.0, 10)  # noqa: SLF001
        await reading.close()
        return found, asked[1] - began

    found, again_after = asyncio.run(poll())
    assert found == {HERE: FOUND}
    assert again_after < 0.09


def test_who_is_silent_beside_one_that_refuses_at_once_keeps_nobody_busy() -> None:
    """What an earlier poll asked has not ended: there is nothing to ask again at once."""

    class Refusing(Client):
        async def send(self, node: int, question: FetchRequest) -> Any:
            answer = await super().send(node, question)
            answer.topics = [(HERE, [(0, TopicAuthorizationFailedError.errno, 0, 0, [], b"")])]
            return answer

    topics = TwoBrokers(client := Refusing(never))
    topics.silent = {SILENT}
    assert polled(topics, HERE, THERE, wait_seconds=0.5, times=2) == []
    assert set(topics.troubles) == {HERE}
    assert client.asked.count(SILENT) == 1
    # One each tenth of a second, and some at the ends.
    assert client.asked.count(ANSWERING) <= 14


def test_what_does_not_arrive_in_time_is_asked_for_in_smaller_pieces() -> None:
    sizes: list[int] = []

    class Narrow(Client):
        async def send(self, node: int, question: FetchRequest) -> Any:
            ((_, ((_, _, most),)),) = question.topics
            sizes.append(most)
            if most > 100_000:
                raise RequestTimedOutError
            return await super().send(node, question)

    topics = TwoBrokers(Narrow(never), others_answer=False)

    async def poll() -> list[Record]:
        reading = Reading(topics)  # type: ignore[arg-type]
        for _ in range(9):
            try:
                return (await reading._several({HERE: 5}, 0.0, 10))[HERE]  # noqa: SLF001
            except ChannelUnavailableError:
                continue
        raise AssertionError("it never arrives")

    assert asyncio.run(poll()) == FOUND
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) > 1
