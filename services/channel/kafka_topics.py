"""Which channels a Kafka cluster has for this participant, and which broker leads each: asked once, and again when that fails.

A channel is a topic with one partition. One that is missing or forbidden is looked for again every few seconds, and never holds
the others; nor does a broker that is silent while others answer.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, LeaderNotAvailableError, NodeNotReadyError, NoError, for_code
from aiokafka.protocol.metadata import MetadataRequest

from services.channel.kafka_errors import away, of_channel
from services.wire.errors import ChannelClosedError, ChannelSilentError, ChannelUnavailableError, TransportError

__all__ = ["PATIENCE_SECONDS", "Topics", "retrieved"]

PATIENCE_SECONDS: Final = 1.0
"""For so long who answers late is waited for, where others have answered."""

_AGAIN_SECONDS: Final = 2.0
_SILENT_SECONDS: Final = 30.0
# Of the time for a call: the rest of it is for asking who answers.
_ALONE: Final = 1.5
_WHO: Final = 0.25
_Result = TypeVar("_Result")
_logger = logging.getLogger(__name__)
# The library logs each look for a topic that is not there as an error; what that means is told here, once.
logging.getLogger("aiokafka.cluster").setLevel(logging.CRITICAL)


class Topics:
    """Where channels are, as reading and writing both ask; all on one event loop.

    ``troubles`` are the channels that cannot be used now, as of the last look, and why.
    """

    def __init__(self, settings: Mapping[str, Any], timeout_seconds: float) -> None:
        self._settings = dict(settings, request_timeout_ms=int(timeout_seconds * 1000))
        self._timeout = timeout_seconds
        self._client: AIOKafkaClient | None = None
        self._beginning: asyncio.Task[AIOKafkaClient] | None = None
        self._asked: dict[str, float] = {}
        self._looking: asyncio.Task[None] | None = None
        self._silent: dict[int, float] = {}
        self._calling: asyncio.Task[Any] | None = None
        self.troubles: dict[str, TransportError] = {}

    async def client(self) -> AIOKafkaClient:
        """Return the client, connected. Raises: ChannelUnavailableError."""
        if self._client is None:
            # Whoever gives up waiting for it leaves it to the next one: over a slow way it takes more than one call.
            if self._beginning is None or self._beginning.done():
                self._beginning = asyncio.ensure_future(self._begin())
                self._beginning.add_done_callback(retrieved)
            return await asyncio.shield(self._beginning)
        return self._client

    async def leaders(self, channels: Iterable[str]) -> dict[str, int]:
        """Return the broker that leads each channel; one that cannot be used now is left out. Raises: ChannelUnavailableError."""
        client, wanted, now = await self.client(), list(channels), time.monotonic()
        unknown = [each for each in wanted if _leader(client, each) is None]
        if any(now - self._asked.get(each, -_AGAIN_SECONDS) >= _AGAIN_SECONDS for each in unknown):
            await self._look_for(client, unknown, holds_others=len(unknown) < len(wanted))
        found = ((each, _leader(client, each)) for each in wanted)
        return {each: leader for each, leader in found if leader is not None}

    async def alone(
        self, channel: str, doing: str, work: Callable[[], Awaitable[_Result]], *, more_seconds: float = 0.0
    ) -> _Result:
        """Do something in one channel; where its broker is silent and others answer, that is told of this channel alone.

        Raises: whatever ``work`` raises; ChannelSilentError; ChannelUnavailableError if no broker answers in time.
        """
        client = self._client
        leader = None if client is None else _leader(client, channel)
        if client is not None and leader is not None and self.is_silent(leader):
            self._call(client, leader)
            raise _silent(channel, doing)
        try:
            async with asyncio.timeout(_ALONE * self._timeout + more_seconds):
                return await work()
        except ChannelClosedError:
            raise
        except (TimeoutError, ChannelUnavailableError) as error:
            if await self._is_silent_alone(channel):
                raise _silent(channel, doing) from error
            if isinstance(error, ChannelUnavailableError):
                raise
            raise ChannelUnavailableError(
                f"no broker answered within {_ALONE * self._timeout + more_seconds:.0f} seconds"
            ) from error

    def is_silent(self, node: int) -> bool:
        """Tell whether a broker has not answered a moment ago, while others did."""
        return time.monotonic() < self._silent.get(node, 0.0)

    def hear(self, node: int, *, answers: bool) -> None:
        """Remember that a broker answers, or that it does not while others do."""
        if answers:
            self._silent.pop(node, None)
        else:
            self._silent[node] = time.monotonic() + _SILENT_SECONDS

    async def are_silent_alone(self, nodes: Collection[int]) -> bool:
        """Ask all brokers at once: whether none of these says anything, and another one answers; then they are silent."""
        client = await self.client()
        if set(_nodes(client)) <= set(nodes):
            return False
        asked = {asyncio.ensure_future(client.send(node, MetadataRequest([]))): node for node in _nodes(client)}
        for each in asked:
            each.add_done_callback(retrieved)
        done, pending = await asyncio.wait(asked, timeout=_WHO * self._timeout)
        for each in pending:
            each.cancel()
        answering = {asked[each] for each in done if each.exception() is None}
        if not answering or not answering.isdisjoint(nodes):
            return False
        for node in nodes:
            self.hear(node, answers=False)
        return True

    def silence(self, channels: Iterable[str]) -> None:
        """Note that the broker of these channels is silent."""
        for each in channels:
            self.note(each, _silent(each, "read"))

    async def require(self, channel: str, doing: str) -> int:
        """Return the broker that leads a channel, asked now if that is not known.

        Raises: ChannelMissingError, ChannelForbiddenError, ReplicasMissingError, ChannelUnavailableError.
        """
        client = await self.client()
        if (leader := _leader(client, channel)) is None:
            await self._ask(client, [channel])
            leader = _leader(client, channel)
        if leader is None:
            errors = await self._errors(client, [channel])
            raise of_channel(errors.get(channel, LeaderNotAvailableError(channel)), channel, doing)
        return leader

    async def ask_again(self) -> None:
        """Ask where the channels are: what was known of one turned out wrong. Raises: ChannelUnavailableError."""
        await self._ask(await self.client(), [])

    def note(self, channel: str, error: TransportError | None) -> None:
        """Remember what is wrong with a channel, or that nothing is, and tell it when that changes."""
        before = self.troubles.pop(channel, None)
        if error is not None:
            self.troubles[channel] = error
        if str(before or "") != str(error or ""):
            text = error or f"{channel} can be used again"
            _logger.warning("%s", text, extra={"event": "channel", "channel": channel})

    async def close(self) -> None:
        """Close the client's connections."""
        if self._client is not None:
            await self._client.close()

    async def _begin(self) -> AIOKafkaClient:
        made = AIOKafkaClient(**self._settings)
        try:
            await made.bootstrap()
        except BaseException as error:
            await made.close()
            if isinstance(error, KafkaError | OSError):
                raise away(error) from error
            raise
        # Here, and not where it is waited for: whoever comes next must not begin another one.
        self._client = made
        return made

    async def _look_for(self, client: AIOKafkaClient, channels: list[str], *, holds_others: bool) -> None:
        """Ask where channels are; if others are known, those do not wait for an answer that is late."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._ask(client, channels))
            self._looking.add_done_callback(retrieved)
        if holds_others:
            await asyncio.wait([self._looking], timeout=PATIENCE_SECONDS)
        else:
            await asyncio.shield(self._looking)

    def _call(self, client: AIOKafkaClient, node: int) -> None:
        """Let a silent broker be asked whether it answers again; nobody waits for it."""
        if self._calling is None or self._calling.done():
            self._calling = asyncio.ensure_future(client.send(node, MetadataRequest([])))
            self._calling.add_done_callback(partial(self._heard, node))

    def _heard(self, node: int, done: asyncio.Future[Any]) -> None:
        if not done.cancelled() and done.exception() is None:
            self.hear(node, answers=True)

    async def _is_silent_alone(self, channel: str) -> bool:
        leader = None if self._client is None else _leader(self._client, channel)
        return leader is not None and await self.are_silent_alone({leader})

    async def _ask(self, client: AIOKafkaClient, channels: list[str]) -> None:
        # Of all topics at once, for a client that names none: one answer, however many channels are looked for one by one.
        if not await client.force_metadata_update():
            raise away(NodeNotReadyError())
        lost = [each for each in channels if _leader(client, each) is None]
        errors = await self._errors(client, lost) if lost else {}
        for each in channels:
            self._asked[each] = time.monotonic()
            self.note(each, of_channel(errors[each], each, "used") if each in errors else None)

    async def _errors(self, client: AIOKafkaClient, channels: list[str]) -> dict[str, KafkaError]:
        """Return why channels have no leader; one that is forbidden is not among all topics, as one that is missing."""
        failed: KafkaError = NodeNotReadyError()
        for node in sorted(_nodes(client), key=self.is_silent):
            try:
                answer = await client.send(node, MetadataRequest(channels))
                break
            except KafkaError as error:
                failed = error
        else:
            raise away(failed) from failed
        kinds = {channel: for_code(code) for code, channel, *_ in answer.topics}
        return {channel: (LeaderNotAvailableError if kind is NoError else kind)(channel) for channel, kind in kinds.items()}


def _leader(client: AIOKafkaClient, channel: str) -> int | None:
    found: int | None = client.cluster.leader_for_partition(TopicPartition(channel, 0))
    return None if found == -1 else found


def _nodes(client: AIOKafkaClient) -> list[int]:
    """Return all brokers, in any order."""
    nodes = [each.nodeId for each in client.cluster.brokers()]
    return random.sample(nodes, len(nodes))


def _silent(channel: str, doing: str) -> ChannelSilentError:
    return ChannelSilentError(
        f"{channel} cannot be {doing} now: the broker that has it does not answer, though others do; look at the way to it"
    )


def retrieved(done: asyncio.Future[Any]) -> None:
    """Let nobody miss how something ended that nobody waits for any more."""
    if not done.cancelled():
        done.exception()
