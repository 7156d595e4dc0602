"""Reading from Kafka: records are fetched by position, and nothing is kept between two polls.

No consumer of the library stands between: what a broker answers to one request is what a poll returns. So it never waits for a
topic that is not there, holds no more in memory than a broker may answer at once, and never unpacks what somebody compressed.
Source: design.md section 9; docs/adr/0020-kafka-by-position.md.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    LeaderNotAvailableError,
    NoError,
    OffsetOutOfRangeError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest, OffsetResetStrategy

from services.channel.kafka_errors import MOVED, away, of_channel
from services.channel.kafka_records import records_in
from services.channel.kafka_topics import Topics
from services.channel.port import Record

__all__ = ["Reading"]

_ANSWER_BYTES: Final = 8 * 1024 * 1024
_CHANNEL_BYTES: Final = 256 * 1024
_WAIT_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.1
_TRIES: Final = 5
_READ_UNCOMMITTED: Final = 0

_Asked: TypeAlias = dict[str, int]
_Found: TypeAlias = dict[str, list[Record]]


class _Question(NamedTuple):
    """What a broker was asked, and whether it may wait with its answer."""

    asked: _Asked
    waits: bool
    task: asyncio.Task[_Found]


class Reading:
    """Reads channels by position; all on one event loop.

    A broker may still wait when a poll ends, because another one had something or because whoever polls has better to do: what it
    was asked is left to wait, and taken up by the next poll if it asks the same. ``waits`` is whether a poll does nothing else.
    """

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._first: dict[str, int] = {}
        self._mended = 0
        self._waiting: dict[int, _Question] = {}
        self.waits = False

    async def poll(self, positions: Mapping[str, int], wait_seconds: float, limit: int) -> list[Record]:
        """Return up to ``limit`` records; see the port. Raises: ChannelUnavailableError if no broker answers."""
        if len(positions) == 1:
            ((channel, position),) = positions.items()
            return await self._alone(channel, position, wait_seconds, limit)
        return _shared(await self._several(positions, wait_seconds, limit), limit)

    async def _alone(self, channel: str, position: int, wait_seconds: float, limit: int) -> list[Record]:
        """Return what one channel holds: whoever asks for one alone takes silence for its end, so it has to be that."""
        await self._topics.require(channel, "read")
        for _ in range(_TRIES):
            found = await self._several({channel: position}, wait_seconds, limit)
            if (trouble := self._topics.troubles.get(channel)) is not None:
                raise type(trouble)(str(trouble))
            # A broker that has just taken over may know less than was acknowledged, and show it.
            if found or max(position, self._first.get(channel, 0)) >= await self._bound(channel, OffsetResetStrategy.LATEST):
                return _shared(found, limit)
            await asyncio.sleep(_PAUSE_SECONDS)
        raise of_channel(LeaderNotAvailableError(channel), channel, "read")

    async def _several(self, positions: Mapping[str, int], wait_seconds: float, limit: int) -> _Found:
        loop = asyncio.get_running_loop()
        until, tries = loop.time() + wait_seconds, _TRIES
        while True:
            # In pieces: a channel that was missing is looked for between them.
            left = min(_WAIT_SECONDS, max(0.0, until - loop.time()))
            began, mended = loop.time(), self._mended
            found = await self._round(positions, left, limit)
            if self._mended != mended and not found and tries:
                # What was asked was asked of the wrong broker, or before the first record that is left: no answer yet.
                tries -= 1
                continue
            if found or loop.time() >= until:
                return found
            # Where nothing that was asked for can be read now, no broker has waited.
            await asyncio.sleep(max(0.0, began + min(left, _PAUSE_SECONDS) - loop.time()))

    async def end(self, channel: str) -> int:
        """Return the position after the last record that was ever stored in a channel; errors say why it cannot be told."""
        return await self._bound(channel, OffsetResetStrategy.LATEST)

    async def close(self) -> None:
        """Give up what still waits."""
        tasks = [each.task for each in self._waiting.values()]
        self._waiting.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _round(self, positions: Mapping[str, int], wait_seconds: float, limit: int) -> _Found:
        """Ask each broker once, and return what the first of them has; with no time to wait, what all of them have."""
        asked: dict[int, _Asked] = {}
        for channel, leader in (await self._topics.leaders(positions)).items():
            asked.setdefault(leader, {})[channel] = max(positions[channel], self._first.get(channel, 0))
        tasks = [task for node, these in asked.items() if (task := self._asking(node, these, wait_seconds, limit)) is not None]
        found: _Found = {}
        failed = 0
        while tasks and not (found and wait_seconds):
            self.waits = wait_seconds > 0
            try:
                done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self.waits = False
            tasks = list(pending)
            for task in done:
                self._waiting = {node: each for node, each in self._waiting.items() if each.task is not task}
                try:
                    found |= task.result()
                except KafkaError as error:
                    failed += 1
                    if failed == len(asked):
                        raise away(error) from error
        return found

    def _asking(self, node: int, asked: _Asked, wait_seconds: float, limit: int) -> asyncio.Task[_Found] | None:
        """Return what gives a broker's answer; None where it waits with one, so that who has no time to wait gets none."""
        before = self._waiting.get(node)
        if before is not None and before.asked == asked:
            if not before.task.done():
                return before.task if wait_seconds or not before.waits else None
            if _has_some(before.task):
                return before.task
        task = asyncio.ensure_future(self._fetch(node, asked, wait_seconds, limit))
        # What nobody waits for any more may fail as it likes.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._waiting[node] = _Question(asked, wait_seconds > 0, task)
        return task

    async def _fetch(self, node: int, asked: _Asked, wait_seconds: float, limit: int) -> _Found:
        client = await self._topics.client()
        # A broker fills its answer in the order of the question: a flood in one channel must not always come first.
        order = random.sample(list(asked), len(asked))
        topics = [(channel, [(0, asked[channel], _CHANNEL_BYTES)]) for channel in order]
        question = FetchRequest(int(wait_seconds * 1000), 1, _ANSWER_BYTES, _READ_UNCOMMITTED, topics, "")
        try:
            answer = await client.send(node, question)
        except KafkaError:
            await self._topics.ask_again()
            raise
        found: _Found = {}
        troubles: dict[str, KafkaError] = {}
        for channel, ((_, code, *_, data),) in answer.topics:
            error = for_code(code)
            if error is not NoError:
                troubles[channel] = error(channel)
                continue
            try:
                records = list(islice(records_in(channel, asked[channel], bytes(data or b"")), limit))
            except Exception:  # the frames themselves are damaged: no other channel is to suffer from that  # noqa: BLE001
                troubles[channel] = CorruptRecordException(channel)
                continue
            if channel in self._topics.troubles:
                self._topics.note(channel, None)
            if records:
                found[channel] = records
        for channel, trouble in troubles.items():
            await self._mend(channel, trouble)
        return found

    async def _mend(self, channel: str, error: KafkaError) -> None:
        """Do what lets the next poll read on in a channel, or note why nothing does."""
        if isinstance(error, OffsetOutOfRangeError):
            # Before the first record that is left, a poll begins there; beyond the last there is nothing yet.
            self._first[channel] = await self._bound(channel, OffsetResetStrategy.EARLIEST)
            self._mended += 1
        elif isinstance(error, MOVED):
            await self._topics.ask_again()
            self._mended += 1
        else:
            self._topics.note(channel, of_channel(error, channel, "read"))

    async def _bound(self, channel: str, which: int) -> int:
        for again in (True, False):
            leader = await self._topics.require(channel, "read")
            question = OffsetRequest(-1, _READ_UNCOMMITTED, [(channel, [(0, which)])])
            try:
                answer = await (await self._topics.client()).send(leader, question)
                ((_, ((_, code, _, offset),)),) = answer.topics
                if (error := for_code(code)) is not NoError:
                    raise error(channel)
            except KafkaError as error:
                if not again:
                    raise of_channel(error, channel, "read") from error
                await self._topics.ask_again()
            else:
                return int(offset)
        raise RuntimeError("unreachable: the second time returns or raises")


def _has_some(task: asyncio.Task[_Found]) -> bool:
    """Tell whether an answer came with records while nobody waited for it; nothing changes where they stand, so they count."""
    return not task.cancelled() and task.exception() is None and bool(task.result())


def _shared(found: _Found, limit: int) -> list[Record]:
    """Return up to ``limit`` records: of each channel its share first, then more of those that have more."""
    share = limit // max(1, len(found))
    taken = {channel: records[:share] for channel, records in found.items()}
    left = limit - sum(map(len, taken.values()))
    for channel, records in found.items():
        more = records[share : share + left]
        taken[channel] += more
        left -= len(more)
    return list(_chained(taken.values()))


def _chained(lists: Iterable[list[Record]]) -> Iterator[Record]:
    for each in lists:
        yield from each
