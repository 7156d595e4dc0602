"""The log on Kafka passes the contract over a real broker with TLS, and says of each channel why it cannot be used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.channel.kafka import KafkaChannel
from services.channel.port import Channel
from tests.brokers import Bench
from tests.contract.channel_suite import OTHER, SCHOOL, ChannelContract

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture
def bench(broker: Bench) -> Iterator[Bench]:
    """Return the broker with two empty channels; what a test opened is closed after it."""
    broker.make_anew(SCHOOL, OTHER)
    yield broker
    broker.close()


class TestKafkaChannel(ChannelContract):
    @pytest.fixture(autouse=True)
    def _one_log(self, bench: Bench) -> None:
        self.bench = bench

    def open_log(self) -> Channel:
        opened: KafkaChannel = self.bench.open()
        return opened
