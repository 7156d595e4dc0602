"""Writing to Kafka: one producer a process, one batch a channel in flight, durable when it returns.

Without idempotence and transactions: a repeat is harmless here, and a producer that numbers its batches is of no use any more
after one that was refused.
Source: design.md section 9.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, LeaderNotAvailableError
from aiokafka.producer.message_accumulator import BatchBuilder

from services.channel.kafka_errors import away, of_channel
from services.channel.kafka_topics import Topics, retrieved
from services.channel.port import RECORD_LIMIT_BYTES
from services.wire.errors import RecordTooLargeError

__all__ = ["ENTRY_TYPE", "Writing"]

ENTRY_TYPE: Final = "application/vnd.sarakste.entry+avro"
"""The header ``content-type`` of what is written into a channel, for tools that look; nothing of ours reads or trusts it."""

_MAILBOX: Final = ".mailbox"
_HEADERS: Final = [("content-type", ENTRY_TYPE.encode("ascii"))]
_BATCH_BYTES: Final = 1_000_000
"""Below the limit of a topic (1 MiB) with all that a batch has around its records, and above the largest record."""
_ENOUGH_BYTES: Final = 256 * 1024
"""From here on a batch takes no more: it is sent and read whole, and over a slow way each has to arrive in time."""


class Writing:
    """Appends to channels over one producer, which is made when it is needed first; all on one event loop."""

    def __init__(self, settings: Mapping[str, Any], topics: Topics, timeout_seconds: float) -> None:
        self._settings = settings
        self._topics = topics
        self._timeout = timeout_seconds
        self._producer: AIOKafkaProducer | None = None
        self._beginning: asyncio.Task[AIOKafkaProducer] | None = None
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def append(self, channel: str, records: Sequence[bytes]) -> None:
        """Store records in order at the end of a channel; errors as the port says, and why a channel takes nothing."""
        for value in records:
            if len(value) > RECORD_LIMIT_BYTES:
                raise RecordTooLargeError(f"a record is limited to {RECORD_LIMIT_BYTES} bytes, this one has {len(value)}")
        # In turns: a batch that is tried again must not come behind one that was begun later.
        async with self._turns[channel]:
            await self._topics.alone(channel, "written", partial(self._put, channel, records))

    async def close(self) -> None:
        """End the producer."""
        if self._producer is not None:
            await self._producer.stop()

    async def _put(self, channel: str, records: Sequence[bytes]) -> None:
        producer = await self._begun()
        # Asked before: a producer looks for a topic that is not there until its time is over.
        await self._topics.require(channel, "written")
        await self._know(producer, channel)
        try:
            for batch in _batches(producer, records, [] if channel.endswith(_MAILBOX) else _HEADERS):
                sent = await producer.send_batch(batch, channel, partition=0)
                sent.add_done_callback(retrieved)
                await asyncio.shield(sent)
        except KafkaError as error:
            raise of_channel(error, channel, "written") from error

    async def _know(self, producer: AIOKafkaProducer, channel: str) -> None:
        """Let the producer know a channel, all others with it: told of one by one, it would ask for all of them each time."""
        until = time.monotonic() + self._timeout
        while producer.client.cluster.partitions_for_topic(channel) is None:
            if time.monotonic() > until or not await producer.client.force_metadata_update():
                raise away(LeaderNotAvailableError())

    async def _begun(self) -> AIOKafkaProducer:
        if self._producer is None:
            # As with the client that asks where channels are: a later call takes up what an earlier one gave up waiting for.
            if self._beginning is None or self._beginning.done():
                self._beginning = asyncio.ensure_future(self._begin())
                self._beginning.add_done_callback(retrieved)
            return await asyncio.shield(self._beginning)
        return self._producer

    async def _begin(self) -> AIOKafkaProducer:
        made = AIOKafkaProducer(
            **self._settings,
            acks="all",
            enable_idempotence=False,
            max_batch_size=_BATCH_BYTES,
            max_request_size=_BATCH_BYTES,
            request_timeout_ms=int(self._timeout * 1000),
        )
        try:
            await made.start()
        except BaseException as error:
            await made.stop()
            if isinstance(error, KafkaError | OSError):
                raise away(error) from error
            raise
        self._producer = made
        return made


def _batches(producer: AIOKafkaProducer, records: Sequence[bytes], headers: list[tuple[str, bytes]]) -> list[BatchBuilder]:
    """Return records in batches, each of as many as make it large enough."""
    batches: list[BatchBuilder] = []
    for value in records:
        is_full = not batches or batches[-1].size() >= _ENOUGH_BYTES
        if is_full or batches[-1].append(key=None, value=value, timestamp=None, headers=headers) is None:
            batches.append(producer.create_batch())
            batches[-1].append(key=None, value=value, timestamp=None, headers=headers)
    for batch in batches:
        batch.close()
    return batches
