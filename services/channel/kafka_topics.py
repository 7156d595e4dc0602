"""Which channels a Kafka cluster has for this participant, and which broker leads each: asked once, and again when that fails.

A channel is a topic with one partition. One that is missing or forbidden is looked for again every few seconds, and never holds
the others.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, LeaderNotAvailableError, NodeNotReadyError, NoError, for_code
from aiokafka.protocol.metadata import MetadataRequest

from services.channel.kafka_errors import away, of_channel
from services.wire.errors import TransportError

__all__ = ["Topics"]

_AGAIN_SECONDS: Final = 2.0
_logger = logging.getLogger(__name__)
# The library logs each look for a topic that is not there as an error; what that means is told here, once.
logging.getLogger("aiokafka.cluster").setLevel(logging.CRITICAL)


class Topics:
    """Where channels are, as reading and writing both ask; all on one event loop.

    ``troubles`` are the channels that cannot be used now, as of the last look, and why.
    """

    def __init__(self, settings: Mapping[str, Any], timeout_seconds: float) -> None:
        self._settings = dict(settings, request_timeout_ms=int(timeout_seconds * 1000))
        self._client: AIOKafkaClient | None = None
        self._asking = asyncio.Lock()
        self._asked: dict[str, float] = {}
        self.troubles: dict[str, TransportError] = {}

    async def client(self) -> AIOKafkaClient:
        """Return the client, connected. Raises: ChannelUnavailableError."""
        async with self._asking:
            if self._client is None:
                made = AIOKafkaClient(**self._settings)
                try:
                    await made.bootstrap()
                except (KafkaError, OSError) as error:
                    await made.close()
                    raise away(error) from error
                except BaseException:
                    # Its time is over, and nobody else closes what it has opened.
                    await made.close()
                    raise
                self._client = made
        return self._client

    async def leaders(self, channels: Iterable[str]) -> dict[str, int]:
        """Return the broker that leads each channel; one that cannot be used now is left out. Raises: ChannelUnavailableError."""
        client, wanted, now = await self.client(), list(channels), time.monotonic()
        unknown = [each for each in wanted if _leader(client, each) is None]
        if any(now - self._asked.get(each, -_AGAIN_SECONDS) >= _AGAIN_SECONDS for each in unknown):
            await self._ask(client, unknown)
        found = ((each, _leader(client, each)) for each in wanted)
        return {each: leader for each, leader in found if leader is not None}

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
        node = client.get_random_node()
        try:
            answer = await client.send(node, MetadataRequest(channels))
        except KafkaError as error:
            raise away(error) from error
        kinds = {channel: for_code(code) for code, channel, *_ in answer.topics}
        return {channel: (LeaderNotAvailableError if kind is NoError else kind)(channel) for channel, kind in kinds.items()}


def _leader(client: AIOKafkaClient, channel: str) -> int | None:
    found: int | None = client.cluster.leader_for_partition(TopicPartition(channel, 0))
    return None if found == -1 else found
