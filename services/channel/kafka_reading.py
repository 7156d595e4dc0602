"""Reading from Kafka: records are fetched by position, and nothing is kept between two polls.

No consumer of the library stands between: what a broker answers to one request is what a poll returns. So it never waits for a
topic that is not there, holds no more in memory than a broker may answer at once, and never unpacks what somebody compressed.
Source: design.md section 9; docs/adr/0020-kafka-by-position.md.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Final, TypeAlias

from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    LeaderNotAvailableError,
    NoError,
    OffsetOutOfRangeError,
    RequestTimedOutError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest, OffsetResetStrategy

from services.channel.kafka_errors import MOVED, away, of_channel
from services.channel.kafka_records import records_in
from services.channel.kafka_topics import PATIENCE_SECONDS, Topics
from services.channel.port import Record
from services.wire.errors import ChannelUnavailableError

__all__ = ["Reading"]

_ANSWER_BYTES: Final = 8 * 1024 * 1024
_CHANNEL_BYTES: Final = 256 * 1024
_LEAST_BYTES: Final = 64 * 1024
_QUICK_SECONDS: Final = 1.0
_WAIT_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.1
_TRIES: Final = 5
_READ_UNCOMMITTED: Final = 0

_Asked: TypeAlias = dict[str, int]
_Found: TypeAlias = dict[str, list[Record]]


class Reading:
    """Reads channels by position; all on one event loop.

    A broker may still wait when a poll ends, because another one had something or because whoever polls has better to do: what it
    was asked is left to wait, and taken up by the next poll if it asks the same.
    """

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._first: dict[str, int] = {}
        self._mended = 0
        self._taken_up = 0
        self._answer_bytes = _ANSWER_BYTES
        self._waiting: dict[int, tuple[_Asked, asyncio.Task[_Found]]] = {}

    async def poll(self, positions: Mapping[str, int], wait_seconds: float, limit: int) -> list[Record]:
        """Return up to ``limit`` records; see the port. Raises: ChannelUnavailableError if no broker answers."""
        if len(positions) == 1:
            ((channel, position),) = positions.items()
            ask = partial(self._alone, channel, position, wait_seconds, limit)
            return await self._topics.alone(channel, "read", ask, more_seconds=wait_seconds)
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
            began, mended, taken_up = loop.time(), self._mended, self._taken_up
            found = await self._round(positions, left, limit)
            if self._mended != mended and not found and tries:
                # What was asked was asked of the wrong broker, or before the first record that is left: no answer yet.
                tries -= 1
                continue
            if found or loop.time() >= until:
                return found
            # Where nothing that was asked for can be read now, no broker has waited. One that was asked by an earlier poll has,
            # if it answered: it is asked again at once, for what comes during a pause would wait for its end.
            if self._taken_up == taken_up:
                await asyncio.sleep(max(0.0, began + min(left, _PAUSE_SECONDS) - loop.time()))

    async def end(self, channel: str) -> int:
        """Return the position after the last record that was ever stored in a channel; errors say why it cannot be told."""
        ask = partial(self._bound, channel, OffsetResetStrategy.LATEST)
        return await self._topics.alone(channel, "read", ask)

    async def close(self) -> None:
        """Give up what still waits."""
        tasks = [task for _, task in self._waiting.values()]
        self._waiting.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _round(self, positions: Mapping[str, int], wait_seconds: float, limit: int) -> _Found:
        """Ask each broker once, and return what the first of them has; with no time to wait, what all of them have.

        Who is late keeps nobody from what others have answered: it is taken up by a later call.
        """
        asked: dict[int, _Asked] = {}
        for channel, leader in (await self._topics.leaders(positions)).items():
            asked.setdefault(leader, {})[channel] = max(positions[channel], self._first.get(channel, 0))
        earlier = {kept[1] for kept in self._waiting.values()}
        tasks = {self._asking(node, these, wait_seconds, limit): node for node, these in asked.items()}
        now = asyncio.get_running_loop().time
        # For those who have been silent a moment ago nobody waits longer than was asked for.
        until = now() + wait_seconds if all(map(self._topics.is_silent, asked)) else None
        found: _Found = {}
        failed: dict[int, Exception] = {}
        while tasks and not (found and wait_seconds):
            left = None if until is None else max(0.0, until - now())
            done, _ = await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                break
            for task in done:
                node = tasks.pop(task)
                self._taken_up += task in earlier
                self._waiting = {each: kept for each, kept in self._waiting.items() if kept[1] is not task}
                try:
                    found |= task.result()
                except (KafkaError, ChannelUnavailableError) as error:
                    failed[node] = error
                else:
                    self._topics.hear(node, answers=True)
                    until = now() + (0.0 if all(map(self._topics.is_silent, tasks.values())) else PATIENCE_SECONDS)
        await self._note_silence(asked, failed)
        return found

    async def _note_silence(self, asked: Mapping[int, _Asked], failed: Mapping[int, Exception]) -> None:
        """Note which brokers do not answer; raise if there is no other."""
        if len(failed) == len(asked) and failed and not await self._topics.are_silent_alone(failed):
            first = next(iter(failed.values()))
            raise away(first) from first
        for node in failed:
            self._topics.hear(node, answers=False)
            self._topics.silence(asked[node])

    def _asking(self, node: int, asked: _Asked, wait_seconds: float, limit: int) -> asyncio.Task[_Found]:
        before = self._waiting.get(node)
        if before is None or before[0] != asked or _is_spent(before[1]):
            task = asyncio.ensure_future(self._fetch(node, asked, wait_seconds, limit))
            # What nobody waits for any more may fail as it likes.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._waiting[node] = asked, task
        return self._waiting[node][1]

    async def _fetch(self, node: int, asked: _Asked, wait_seconds: float, limit: int) -> _Found:
        client = await self._topics.client()
        # A broker fills its answer in the order of the question: a flood in one channel must not always come first.
        order = random.sample(list(asked), len(asked))
        most = min(_CHANNEL_BYTES, self._answer_bytes)
        topics = [(channel, [(0, asked[channel], most)]) for channel in order]
        question = FetchRequest(int(wait_seconds * 1000), 1, self._answer_bytes, _READ_UNCOMMITTED, topics, "")
        began = time.monotonic()
        try:
            answer = await client.send(node, question)
        except KafkaError as failure:
            if isinstance(failure, RequestTimedOutError):
                # Perhaps too much for a slow way: less of it may come in time.
                self._answer_bytes = max(_LEAST_BYTES, min(self._answer_bytes, len(asked) * _CHANNEL_BYTES) // 4)
            # Not waited for: it may be asked of the one that is silent.
            client.force_metadata_update()
            raise
        size = sum(len(data or b"") for _, ((*_, data),) in answer.topics)
        if size > self._answer_bytes // 2 and time.monotonic() - began < _QUICK_SECONDS:
            self._answer_bytes = min(_ANSWER_BYTES, self._answer_bytes * 2)
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


def _is_spent(task: asyncio.Task[_Found]) -> bool:
    """Tell whether it has ended without anything that a later call could take up."""
    return task.done() and (task.cancelled() or task.exception() is not None or not task.result())


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
