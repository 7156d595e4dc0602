"""A real broker for tests: started once a run where Java and its files are there, with topics that a test asks for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from infra.kafka.cluster import ADMIN, Cluster
from infra.kafka.jars import HOME
from services.channel.kafka import KafkaAccess, KafkaChannel, goodbye

__all__ = ["Bench", "started"]

_PATIENCE_SECONDS = 30


@dataclass
class Bench:
    """A running cluster, and the handles that a test has opened.

    ``ways`` are the ports by which participants reach its brokers, one a broker, where something stands between.
    """

    cluster: Cluster
    ways: Sequence[int] = ()
    handles: list[KafkaChannel] = field(default_factory=list)

    def open(self, client: str = ADMIN, **settings: Any) -> KafkaChannel:
        ways = ",".join(f"127.0.0.1:{port}" for port in self.ways)
        access = KafkaAccess(
            servers=ways if ways and client != ADMIN else self.cluster.servers,
            authority=self.cluster.authority.certificate,
            certificate=self.cluster.certificate(client),
        )
        self.handles.append(KafkaChannel(access, client=client, **settings))
        return self.handles[-1]

    def close(self) -> None:
        for each in self.handles:
            each.close()
        self.handles.clear()

    def make_anew(self, *channels: str, **settings: str) -> None:
        """Let these channels be there, and empty."""
        self.admin(_made_anew(channels, settings))

    def delete(self, *channels: str) -> None:
        async def work(admin: AIOKafkaAdminClient) -> None:
            await admin.delete_topics(list(channels))

        self.admin(work)

    def limit(self, channel: str, size_bytes: int) -> None:
        """Let a channel take no batch over a size, and lose its other settings: whoever provisions gives them back."""

        async def work(admin: AIOKafkaAdminClient) -> None:
            settings = {"max.message.bytes": str(size_bytes)}
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, channel, configs=settings)])

        self.admin(work)

    def forget_before(self, channel: str, position: int) -> None:
        """Let a channel begin at a position, as after records expired."""

        async def work(admin: AIOKafkaAdminClient) -> None:
            await admin.delete_records({TopicPartition(channel, 0): RecordsToDelete(position)})

        self.admin(work)

    def leaders(self, *channels: str) -> dict[str, int]:
        """Return the number of the broker that leads each channel, as of now."""

        async def work(admin: AIOKafkaAdminClient) -> dict[str, int]:
            told = await admin.describe_topics(list(channels))
            return {each["topic"]: each["partitions"][0]["leader"] for each in told if each["partitions"]}

        found: dict[str, int] = {}
        until = time.monotonic() + _PATIENCE_SECONDS
        while len(found) < len(channels) or -1 in found.values():
            assert time.monotonic() < until, f"nobody leads one of {channels}"
            found = self.admin(work)
        return found

    def admin(self, work: Any) -> Any:
        """Let ``work`` be done with an administrator's client, which is closed afterwards."""

        async def done() -> Any:
            client = AIOKafkaAdminClient(**self.cluster.client(ADMIN))
            await client.start()
            try:
                return await work(client)
            finally:
                await client.close()
                await goodbye()

        return asyncio.run(done())


@contextmanager
def started(folder: Path, *, nodes: int = 1, ways: Sequence[int] = ()) -> Iterator[Bench]:
    """Start a cluster in a folder, and end it with all that was opened on it. Raises: BrokerError."""
    cluster = Cluster.make(folder, HOME, nodes=nodes, quick=True, ways=ways)
    bench = Bench(cluster, ways)
    try:
        cluster.start()
        yield bench
    finally:
        bench.close()
        cluster.stop()


def _made_anew(channels: Sequence[str], settings: dict[str, str]) -> Any:
    async def work(admin: AIOKafkaAdminClient) -> None:
        await admin.delete_topics(list(channels))
        until = time.monotonic() + _PATIENCE_SECONDS
        left = list(channels)
        while left:
            assert time.monotonic() < until, f"{left} cannot be made"
            made = await admin.create_topics([NewTopic(each, 1, 1, topic_configs=settings) for each in left])
            left = [topic for topic, code, *_ in made.topic_errors if code]
            if left:
                await asyncio.sleep(0.05)
        while await _unseen(admin, channels):
            assert time.monotonic() < until, "topics are made and not shown"
            await asyncio.sleep(0.05)

    return work


async def _unseen(admin: AIOKafkaAdminClient, channels: Sequence[str]) -> list[str]:
    """Return which topics the broker does not show yet, though it has made them."""
    return [each["topic"] for each in await admin.describe_topics(list(channels)) if each["error_code"]]
