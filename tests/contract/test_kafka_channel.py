"""The log on Kafka passes the contract over a real broker with TLS, and says of each channel why it cannot be used."""

from __future__ import annotations

import asyncio
import gzip
import logging
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.channel.kafka import KafkaAccess, KafkaChannel
from services.channel.kafka_certificates import Authority
from services.channel.port import RECORD_LIMIT_BYTES, Channel
from services.wire.errors import (
    ChannelForbiddenError,
    ChannelLimitError,
    ChannelMissingError,
    ChannelUnavailableError,
    SettingsError,
)
from tests.brokers import Bench
from tests.contract.channel_suite import OTHER, SCHOOL, ChannelContract, read, values

MISSING = "school-0099900033.record"
QUICK = 2.0

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


def test_a_channel_that_is_missing_says_so_at_once_and_holds_no_other(bench: Bench) -> None:
    log = bench.open()
    log.append(SCHOOL, [b"one"])
    began = time.monotonic()
    with pytest.raises(ChannelMissingError, match=f"no channel {MISSING}"):
        log.append(MISSING, [b"lost"])
    with pytest.raises(ChannelMissingError):
        log.end(MISSING)
    assert [record.value for record in read(log, {MISSING: 0, SCHOOL: 0})] == [b"one"]
    assert isinstance(log.troubles[MISSING], ChannelMissingError)
    # The library alone would look for it for all of its time.
    assert time.monotonic() - began < 10


def test_a_channel_that_is_made_later_is_found_without_a_restart(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    log = bench.open()
    with caplog.at_level(logging.WARNING):
        assert read(log, {MISSING: 0, SCHOOL: 0}) == []
        assert read(log, {MISSING: 0, SCHOOL: 0}) == []
        bench.make_anew(MISSING)
        try:
            bench.open().append(MISSING, [b"there"])
            found = log.poll({MISSING: 0, SCHOOL: 0}, timeout_seconds=20, limit=10)
        finally:
            bench.delete(MISSING)
    assert [record.value for record in found] == [b"there"]
    assert log.troubles == {}
    told = [each.getMessage() for each in caplog.records if each.name == "services.channel.kafka_topics"]
    # Once when it was missed and once when it was there, however often it was looked for; the second handle had no trouble.
    assert [line.startswith("the broker has no channel") for line in told] == [True, False]


def test_a_certificate_without_rights_is_told_and_reads_and_writes_nothing(bench: Bench) -> None:
    bench.open().append(SCHOOL, [b"secret"])
    stranger = bench.open("stranger")
    with pytest.raises(ChannelForbiddenError, match="with this certificate"):
        stranger.append(SCHOOL, [b"forged"])
    with pytest.raises(ChannelForbiddenError):
        stranger.end(SCHOOL)
    # Alone, its silence would be taken for its end; beside others it holds none of them.
    with pytest.raises(ChannelForbiddenError):
        read(stranger, {SCHOOL: 0})
    assert read(stranger, {SCHOOL: 0, OTHER: 0}) == []
    assert isinstance(stranger.troubles[SCHOOL], ChannelForbiddenError)
    assert values(bench.open(), SCHOOL) == [b"secret"]


def test_where_no_broker_is_everything_ends_in_time_and_nothing_is_needed_to_begin(bench: Bench) -> None:
    access = KafkaAccess(
        servers="127.0.0.1:1", authority=bench.cluster.authority.certificate, certificate=bench.cluster.certificate("admin")
    )
    with closing(KafkaChannel(access, client="early", timeout_seconds=QUICK)) as log:
        for use in (lambda: log.append(SCHOOL, [b"one"]), lambda: log.end(SCHOOL), lambda: read(log, {SCHOOL: 0})):
            with pytest.raises(ChannelUnavailableError, match="no broker answer"):
                use()


def test_certificates_of_another_authority_meet_no_broker(bench: Bench, tmp_path: Path) -> None:
    foreign = Authority.of(tmp_path / "tls")
    access = KafkaAccess(servers=bench.cluster.servers, authority=foreign.certificate, certificate=foreign.issue("admin"))
    with (
        closing(KafkaChannel(access, client="foreign", timeout_seconds=QUICK)) as log,
        pytest.raises(ChannelUnavailableError, match="certificates of both sides"),
    ):
        log.append(SCHOOL, [b"one"])


def test_a_file_that_is_no_certificate_is_a_setting_that_is_wrong(bench: Bench) -> None:
    wrong = bench.cluster.authority.folder / "server.properties"
    access = KafkaAccess(servers=bench.cluster.servers, authority=bench.cluster.authority.certificate, certificate=wrong)
    with pytest.raises(SettingsError, match=r"server\.properties cannot be used for TLS"):
        KafkaChannel(access, client="wrong")


def test_what_somebody_compressed_is_junk_and_is_never_unpacked(bench: Bench) -> None:
    """A megabyte of zeros becomes a kilobyte: a reader that unpacked it could be made to fill its memory."""

    async def write() -> None:
        settings = bench.cluster.client("admin")
        async with AIOKafkaProducer(**settings, compression_type="gzip", max_batch_size=1_000_000) as producer:
            batch = producer.create_batch()
            for _ in range(3):
                batch.append(key=None, value=bytes(100_000), timestamp=None)
            await (await producer.send_batch(batch, SCHOOL, partition=0))

    log = bench.open()
    log.append(SCHOOL, [b"before"])
    asyncio.run(write())
    log.append(SCHOOL, [b"after"])
    found = read(log, {SCHOOL: 0})
    assert [record.value for record in found] == [b"before", b"", b"after"]
    assert found[1].position == 3
    assert values(log, SCHOOL, position=2) == [b"", b"after"]
    assert len(gzip.compress(bytes(100_000))) < 1000


def test_a_record_over_the_limit_of_a_topic_is_refused_and_the_next_one_goes(bench: Bench) -> None:
    bench.make_anew(OTHER, **{"max.message.bytes": "10000"})
    log = bench.open()
    with pytest.raises(ChannelLimitError, match="of this size"):
        log.append(OTHER, [bytes(20_000)])
    log.append(OTHER, [b"small"])
    assert values(log, OTHER) == [b"small"]


def test_many_large_records_go_in_one_call_and_come_back_piece_by_piece(bench: Bench) -> None:
    log = bench.open()
    sent = [bytes([number]) * RECORD_LIMIT_BYTES for number in range(5)]
    log.append(SCHOOL, sent)
    found: list[bytes] = []
    position = 0
    while records := read(log, {SCHOOL: position}):
        # More than the largest record is not asked for at once in one channel, and never less.
        assert sum(len(each.value) for each in records) <= 2 * RECORD_LIMIT_BYTES
        found += [each.value for each in records]
        position = records[-1].position + 1
    assert found == sent


def test_a_position_before_the_first_that_is_left_begins_there_and_goes_on(bench: Bench) -> None:
    log = bench.open()
    log.append(SCHOOL, [b"old", b"older", b"left"])
    bench.forget_before(SCHOOL, 2)
    assert [record.value for record in log.poll({SCHOOL: 0}, timeout_seconds=10, limit=10)] == [b"left"]
    log.append(SCHOOL, [b"new"])
    assert values(log, SCHOOL, position=3) == [b"new"]


def test_a_channel_that_was_emptied_and_made_again_is_read_from_its_start(bench: Bench) -> None:
    log = bench.open()
    log.append(SCHOOL, [b"one", b"two"])
    assert values(log, SCHOOL) == [b"one", b"two"]
    bench.make_anew(SCHOOL)
    bench.open().append(SCHOOL, [b"again"])
    assert [record.value for record in log.poll({SCHOOL: 0}, timeout_seconds=20, limit=10)] == [b"again"]
    assert values(log, SCHOOL, position=2) == []


def test_a_record_says_in_its_header_what_it_is_and_a_letter_says_nothing(bench: Bench) -> None:
    mailbox = "school-0099900011.mailbox"
    bench.make_anew(mailbox)
    log = bench.open()
    log.append(SCHOOL, [b"entry"])
    log.append(mailbox, [b"letter"])

    async def read_headers() -> list[tuple[tuple[str, bytes], ...]]:
        settings = bench.cluster.client("admin")
        async with AIOKafkaConsumer(SCHOOL, mailbox, **settings, auto_offset_reset="earliest") as consumer:
            found = [await consumer.getone() for _ in range(2)]
        return sorted((tuple(each.headers) for each in found), key=len)

    try:
        assert asyncio.run(read_headers()) == [(), (("content-type", b"application/vnd.sarakste.entry+avro"),)]
    finally:
        bench.delete(mailbox)
