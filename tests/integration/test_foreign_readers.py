"""What tools of others read over real brokers is byte for byte what was written, and anybody can verify it without ours."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from infra.kafka.cluster import ADMIN
from services.channel.kafka import KafkaChannel
from services.channel.kafka_admin import KafkaAdmin
from services.wire.channels import COMMISSION, REGISTRAR, TRUST_CHANNEL, from_commission, record_of, to_commission
from services.wire.entry import split_entry
from tests.brokers import Bench
from tests.chains import SCHOOL
from tests.foreign import READERS, Desk
from tests.integration.test_two_sides import answered, asked, examined, recommended
from tests.over_brokers import access, begun, provision
from tests.troubles import settled

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"]), pytest.mark.timeout(300)]

CHANNELS: Final = (
    TRUST_CHANNEL,
    to_commission(SCHOOL),
    from_commission(SCHOOL),
    record_of(SCHOOL),
    record_of(COMMISSION),
)
HARMED: Final = to_commission(SCHOOL)
LIMIT: Final = 10_000


@pytest.fixture(scope="module")
def bench(broker: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Return a broker over which an application was answered."""
    exchange = begun(broker, tmp_path_factory.mktemp("exchange"))
    mine, theirs = asked(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    assert exchange.members[SCHOOL].state(mine) == "ReadyForDecision"
    broker.close()
    yield broker
    broker.close()
    admin = KafkaAdmin(access=access(broker.cluster))
    left = admin.read()
    admin.withdraw(left.rights or ())
    broker.delete(*(each.name for each in left.topics))


@pytest.fixture(scope="module", params=READERS)
def whole(request: pytest.FixtureRequest, bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Desk]:
    """Return a tool and the desk at which all channels were read with it, by who may read them and holds no key."""
    desk = Desk(tmp_path_factory.mktemp("desk"), bench.cluster)
    desk.prepare(REGISTRAR)
    desk.read(request.param, *CHANNELS)
    return request.param, desk


@pytest.fixture
def log(bench: Bench) -> Iterator[KafkaChannel]:
    yield bench.open(ADMIN)
    bench.close()


def in_file(desk: Desk) -> dict[str, list[tuple[int, bytes]]]:
    with closing(sqlite3.connect(desk.folder / "log.sqlite")) as log:
        rows = log.execute("SELECT channel, position, value FROM records ORDER BY channel, position").fetchall()
    return {channel: [(at, value) for name, at, value in rows if name == channel] for channel, _, _ in rows}


def in_log(log: KafkaChannel, *channels: str) -> dict[str, list[tuple[int, bytes]]]:
    found = {}
    for channel in channels:
        taken: list[tuple[int, bytes]] = []
        while page := log.poll({channel: len(taken)}, timeout_seconds=0, limit=LIMIT):
            taken += [(record.position, record.value) for record in page]
        found[channel] = taken
    return found


def test_each_tool_reads_every_byte_and_both_verifiers_say_the_same(whole: tuple[str, Desk], log: KafkaChannel) -> None:
    _, desk = whole
    assert in_file(desk) == in_log(log, *CHANNELS)
    second, ours = desk.verdicts()
    assert second == ours
    assert (second[0], second[2]) == (0, set())
    assert {channel for channel, *_ in second[1]} == set(CHANNELS)
    assert all(state == "reading" for _, _, state, *_ in second[1])


def test_a_byte_that_a_broker_changed_is_found_in_what_each_tool_reads(
    whole: tuple[str, Desk], log: KafkaChannel, bench: Bench, tmp_path: Path
) -> None:
    reader, before = whole
    there = [value for _, value in in_log(log, HARMED)[HARMED]]
    place = next(at for at, value in enumerate(there) if split_entry(value)[3] is not None)
    harmed = [value[:-1] + bytes([value[-1] ^ 1]) if at == place else value for at, value in enumerate(there)]
    desk = Desk(tmp_path, bench.cluster)
    desk.prepare(REGISTRAR)
    shutil.copy(before.folder / "log.sqlite", tmp_path)
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as file, file:
        file.execute("DELETE FROM records WHERE channel = ?", (HARMED,))
    try:
        refill(bench, HARMED, harmed)
        desk.read(reader, HARMED)
    finally:
        refill(bench, HARMED, there)
    assert [value for _, value in in_file(desk)[HARMED]] == harmed
    second, ours = desk.verdicts()
    assert second == ours
    assert second[0] == 4
    ((channel, _, sequence, what, *_),) = second[2]
    assert (channel, int(sequence)) == (HARMED, place + 1)
    assert what == "a personal part does not match its digest"


@pytest.mark.parametrize("reader", READERS)
def test_no_byte_is_lost_between_a_tool_and_the_file(reader: str, bench: Bench, log: KafkaChannel, tmp_path: Path) -> None:
    channel = "school-0099900033.record"
    odd = [bytes(range(256)), b"\n", b"", b"null", rb"\x41", b"\\", b"Offset:9\tx\n", bytes(600_000), b"\r\n\xff"]
    bench.make_anew(channel)
    log.append(channel, odd)
    desk = Desk(tmp_path, bench.cluster)
    desk.prepare(ADMIN)
    desk.read(reader, channel)
    bench.delete(channel)
    assert in_file(desk) == {channel: list(enumerate(odd))}


@pytest.mark.parametrize(("reader", "told"), list(zip(READERS, ["Unknown partition", "Could not match any"], strict=True)))
def test_who_may_not_read_a_channel_gets_an_error_and_no_empty_log(reader: str, told: str, bench: Bench, tmp_path: Path) -> None:
    desk = Desk(tmp_path, bench.cluster)
    desk.prepare("school-0099900022")
    with pytest.raises(AssertionError, match=told):
        desk.read(reader, HARMED)
    assert not (tmp_path / "log.sqlite").exists() or in_file(desk) == {}


def test_a_consumer_that_leaves_with_0_and_brought_nothing_fills_no_log(bench: Bench, tmp_path: Path) -> None:
    desk = Desk(tmp_path, bench.cluster)
    desk.prepare("school-0099900022")
    with pytest.raises(AssertionError, match=f"{HARMED} ends at 5, and what came at 0"):
        desk.consume(HARMED, 5)
    assert in_file(desk) == {}


def refill(bench: Bench, channel: str, records: list[bytes]) -> None:
    """Let a channel hold these records, with its settings and rights as before."""
    bench.close()
    bench.delete(channel)
    provision(bench.cluster)
    log = bench.open(ADMIN)
    log.append(channel, records)
    bench.close()
