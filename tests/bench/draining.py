"""A backlog over a real broker: signed, sent, received and receipted, against what its parts cost bare over the same records.

The parts: of each entry a signature, a row with others in a durable commit, and a place in a batch of a bare producer; of each
key that was granted a sealing, a signature, a check and an opening; of each entry that the commission receives what a bare
consumer costs, and verify, decode, unseal and commit. Both are done one thing after the other in one process, so that no second
processor makes either look cheaper.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519

from infra.kafka.cluster import ADMIN, Cluster
from services.channel.kafka import goodbye
from services.post.database import Database
from services.post.letterbook import Standing
from services.registrar.bootstrap import provisioning
from services.school.application import School
from services.wire.channels import COMMISSION, Role, mailbox_of, record_of, to_commission
from services.wire.entry import decode_entry, statement_digest, to_be_signed
from services.wire.signing import sign, verify_signature
from tests.bench.many_schools import BrokerExchange, participants
from tests.bench.measuring import say, seconds
from tests.bench.receiving import Floor, scratch
from tests.brokers import Bench
from tests.chains import SCHOOL, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Member
from tests.people import another_pupil, application_form

__all__ = ["draining"]

CASES: Final = 5000
AT_ONCE: Final = 100
BATCH: Final = 200
KEY: Final = bytes(80)
TOPIC: Final = "bench.backlog"
SUITE: Final = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def draining(cluster: Cluster, folder: Path) -> None:
    """Print how fast a backlog drains, and what that is of its parts."""
    exchange = _exchange(cluster, folder)
    school, commission = exchange.members[SCHOOL], exchange.members[COMMISSION]
    before = {name: exchange.log.end(name) for name in (record_of(SCHOOL), to_commission(SCHOOL), mailbox_of(COMMISSION))}
    _ask(school)
    began = time.perf_counter()
    _work(school, lambda: _all_sent(school))
    sent, last = time.perf_counter() - began, _standing(school).place.sequence
    _work(commission, lambda: _count(commission, "cases") == CASES)
    # A receipt waits a second for more; these clocks stand still.
    exchange.clock.now += 2000
    commission.worker.step()
    _work(commission, lambda: _all_sent(commission))
    _work(school, lambda: _standing(school).receipted_sequence >= last)
    took = time.perf_counter() - began
    records = {name: _records(exchange, name, position) for name, position in before.items()}
    letters, received = records.pop(mailbox_of(COMMISSION)), records[to_commission(SCHOOL)]
    entries = [record for each in records.values() for record in each]
    ring = commission.office.ring
    floor = Floor({row.key_id: ring.get(row.key_id) for row in ring.rows()}, scratch(folder / "received.sqlite"))
    parts = {
        "signing and storing": seconds(lambda: _sign(entries, scratch(folder / "signed.sqlite"))),
        "granting": seconds(lambda: _grant(len(letters))),
        "sending and fetching": _carry(cluster, [*letters, *entries]),
        "receiving": seconds(lambda: floor.together(received)),
    }
    bare = sum(parts.values())
    detail = f"{took:.1f} s, {sent:.1f} of them until all is sent, against {bare:.1f} s"
    say(
        f"drain of {len(entries):,} entries, {len(received):,} to the commission, against its parts",
        bare / took,
        ">= 0.50",
        detail,
    )
    say("entries a second", len(entries) / took, "-", ", ".join(f"{what} {each:.1f} s" for what, each in parts.items()))
    for member in exchange.members.values():
        if member.office.channel is not None:
            member.office.channel.close()
    exchange.log.close()


def _exchange(cluster: Cluster, folder: Path) -> BrokerExchange:
    files = {"authority": cluster.authority.certificate, "certificate": cluster.certificate(ADMIN)}
    provisioning(participants(1), servers=cluster.servers, **files).provision()
    folder.mkdir()
    exchange: BrokerExchange = type("Exchange", (BrokerExchange,), {"cluster": cluster})(folder)
    exchange.admit(SCHOOL, Role.SCHOOL, seal_of("old"))
    exchange.admit(COMMISSION, Role.COMMISSION, seal_of("commission", organisation=COMMISSION_ORGANISATION))
    for member in exchange.members.values():
        member.worker.start()
    for _ in range(3):
        exchange.settle()
    return exchange


def _ask(school: Member) -> None:
    """Save the backlog; in one commit, for it is not what is measured."""
    desk = School(school.office)
    with school.office.database.transaction():
        for number in range(CASES):
            case_id, _ = desk.file(application_form(pupil=another_pupil(number)))
            desk.request(case_id)


def _work(member: Member, is_done: Callable[[], bool]) -> None:
    done = 1
    while not is_done():
        done = member.worker.step(wait_seconds=0.0 if done else 0.2)


def _all_sent(school: Member) -> bool:
    return school.office.database.one("SELECT 1 FROM outgoing") is None and not school.office.letterbook.unsent(1)


def _count(member: Member, table: str) -> int:
    row = member.office.database.one(f"SELECT count(*) FROM {table}")  # noqa: S608  # names of ours
    return int(row[0]) if row else 0


def _standing(school: Member) -> Standing:
    found = school.office.letterbook.standing(to_commission(SCHOOL))
    if found is None:
        raise RuntimeError("the channel was never opened")
    return found


def _records(exchange: BrokerExchange, channel: str, position: int) -> list[bytes]:
    found: list[bytes] = []
    while records := exchange.log.poll({channel: position}, timeout_seconds=0, limit=1000):
        found += [each.value for each in records]
        position = records[-1].position + 1
    return found


def _sign(records: Sequence[bytes], database: Database) -> None:
    key = seal_of("old").key
    for begin in range(0, len(records), AT_ONCE):
        with database.transaction():
            for record in records[begin : begin + AT_ONCE]:
                entry = decode_entry(record)
                statement = entry.unverified_statement
                database.run(
                    "INSERT INTO entries (channel, epoch, sequence, digest, event_id, own, statement, signature, facts)"
                    " VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?)",
                    entry.channel,
                    statement.epoch,
                    statement.sequence,
                    statement_digest(entry.statement_bytes),
                    statement.event_id,
                    entry.statement_bytes,
                    sign(key, to_be_signed(entry.statement_bytes)),
                    entry.raw_facts,
                )


def _grant(letters: int) -> None:
    seal = seal_of("old")
    pair = hpke.MLKEM768X25519PrivateKey(mlkem.MLKEM768PrivateKey.generate(), x25519.X25519PrivateKey.generate())
    public = pair.public_key()
    for _ in range(letters):
        letter = SUITE.encrypt(KEY, public, info=b"bench")
        verify_signature(seal.certificate.public_key, sign(seal.key, letter), letter)
        SUITE.decrypt(letter, pair, info=b"bench")


def _carry(cluster: Cluster, records: Sequence[bytes]) -> float:
    """Return the seconds that a bare producer and a bare consumer take for these records, one after the other."""
    Bench(cluster).make_anew(TOPIC)
    return asyncio.run(_carried(cluster, records))


async def _carried(cluster: Cluster, records: Sequence[bytes]) -> float:
    settings = cluster.client(ADMIN)
    producer = AIOKafkaProducer(**settings, acks="all", enable_idempotence=False, max_batch_size=1_000_000)
    consumer = AIOKafkaConsumer(**settings, auto_offset_reset="earliest")
    await producer.start()
    await consumer.start()
    consumer.assign([TopicPartition(TOPIC, 0)])
    began = time.perf_counter()
    for begin in range(0, len(records), BATCH):
        batch = producer.create_batch()
        for record in records[begin : begin + BATCH]:
            if batch.append(key=None, value=record, timestamp=None) is None:
                await (await producer.send_batch(batch, TOPIC, partition=0))
                batch = producer.create_batch()
                batch.append(key=None, value=record, timestamp=None)
        await (await producer.send_batch(batch, TOPIC, partition=0))
    left = len(records)
    while left > 0:
        found = await consumer.getmany(timeout_ms=1000)
        left -= sum(len(each) for each in found.values())
    took = time.perf_counter() - began
    await producer.stop()
    await consumer.stop()
    await goodbye()
    return took
