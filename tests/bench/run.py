"""`make bench`: ratios that hold on a noisy machine, each of two things measured in turn in one process.

Every pair is timed several times, alternating, and the ratio of the best times is printed beside its goal. Nothing here
fails: a busy machine must not break a build.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import fastavro
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from services.post.cases import history_of
from services.post.database import Database
from services.post.keys import OwnKey
from services.post.office import Office
from services.post.receiving import Receiver
from services.post.store import CaseStore, SealedEvent
from services.school.application import School
from services.school.domain.case import fold
from services.wire.candidates import gather
from services.wire.chain import check_chain_unsigned
from services.wire.channels import record_of, to_commission
from services.wire.entry import decode_entry, to_be_signed
from services.wire.following import Follower
from services.wire.hashing import Digest, Id, genesis_digest
from services.wire.paths import Pathfinder
from services.wire.reading import judge
from services.wire.records import event_type
from services.wire.sealing import Part, open_part
from services.wire.signing import verify_signature
from tests.chains import CHANNEL, ROOT, SCHOOL, Pen, seal_of, trust
from tests.exchange import two_sides
from tests.people import another_pupil, application_form

ENTRIES: Final = 3000
ROUNDS: Final = 7
BATCH: Final = 500


def best(*runs: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Return the best time of each run in seconds, measured in turn."""
    times = [float("inf")] * len(runs)
    for _ in range(rounds):
        for place, run in enumerate(runs):
            began = time.perf_counter()
            run()
            times[place] = min(times[place], time.perf_counter() - began)
    return times


def say(what: str, ratio: float, goal: str, detail: str) -> None:
    """Print one ratio."""
    print(f"{what:<62} {ratio:7.2f}   goal {goal:<7} {detail}", flush=True)  # noqa: T201  # what it is for


def written() -> list[bytes]:
    """Return a chain of sealed entries."""
    pen = Pen(CHANNEL, seal_of("old"))
    return [pen.opened(), *(pen.sealed() for _ in range(ENTRIES))]


def chain_only(records: list[bytes]) -> None:
    """Compare the chain-only pass with hashing the same bytes."""
    signed = [to_be_signed(decode_entry(record).statement_bytes) for record in records]

    def bare() -> None:
        sha256 = hashlib.sha256
        for each in signed:
            sha256(each).digest()

    start = genesis_digest(ROOT.digest, CHANNEL)
    hashing, checking = best(bare, lambda: check_chain_unsigned(records, start))
    say("chain-only pass against bare SHA-256", hashing / checking, ">= 0.60", f"{len(records) / checking:,.0f} entries/s")


def full(records: list[bytes]) -> None:
    """Compare following a channel in batches, every signature checked, with the library's bare verification; one thread."""
    key, algorithm = seal_of("old").certificate.public_key, ec.ECDSA(SHA256())
    pairs = [(entry.signature, to_be_signed(entry.statement_bytes)) for entry in map(decode_entry, records)]

    def bare() -> None:
        for signature, data in pairs:
            key.verify(signature, data, algorithm)

    def following() -> None:
        finder = Pathfinder(channel=CHANNEL, root=ROOT, trust=trust())
        follower, _ = Follower.at(finder, load=list, holds=lambda _: False)
        batches = (records[begin : begin + BATCH] for begin in range(0, len(records), BATCH))
        assert sum(len(follower.offer(batch).new) for batch in batches) == len(records)

    verifying, reading = best(bare, following)
    say("full verification against bare ECDSA", verifying / reading, ">= 0.80", f"{len(records) / reading:,.0f} entries/s")


def receiving(folder: Path) -> None:
    """Compare receiving requests with the sum of what cannot be avoided: verify, decode, unseal, commit."""
    exchange = two_sides(folder)
    office = exchange.members[SCHOOL].office
    school = School(office)
    for number in range(300):
        case_id, _ = school.file(application_form(pupil=another_pupil(number)))
        school.request(case_id)
    member = exchange.members[SCHOOL]
    for _ in range(40):
        member.work()
    commission = exchange.members["commission"]
    records = [each.value for each in exchange.log.poll({to_commission(SCHOOL): 2}, timeout_seconds=0, limit=500)]
    # The keys first, as they come: what is timed is the receiving of entries.
    while commission.receiver.receive_once():
        pass
    keys = {row.key_id: commission.office.ring.get(row.key_id) for row in commission.office.ring.rows()}
    scratch = Database(folder / "scratch.sqlite")
    scratch.run("CREATE TABLE IF NOT EXISTS rows (value BLOB)")

    def alone() -> None:
        for record in records:
            _verified_and_opened(record, keys)
            scratch.run("INSERT INTO rows VALUES (?)", record)

    def together() -> None:
        for begin in range(0, len(records), 100):
            with scratch.transaction():
                for record in records[begin : begin + 100]:
                    _verified_and_opened(record, keys)
                    scratch.run("INSERT INTO rows VALUES (?)", record)

    received, applied = _received(exchange, commission.office, folder)
    floor, batched = best(alone, together, rounds=3)
    detail = f"{applied} cases, {len(records) / received:,.0f} entries/s"
    say("receive of an entry against verify, decode, unseal, commit", floor / received, ">= 0.50", detail)
    say("the same, both committing a hundred at a time", batched / received, "-", "")


def _received(exchange: Any, office: Office, folder: Path) -> tuple[float, int]:
    """Return the best time in seconds to receive all that the school wrote, and how many cases that made."""
    times, applied = [], 0
    for number in range(3):
        reader = _another_commission(exchange, office, folder / f"again{number}")
        began = time.perf_counter()
        while reader.receive_once():
            pass
        times.append(time.perf_counter() - began)
        applied = len(reader.office.database.all("SELECT 1 FROM cases"))
    return min(times), applied


def _verified_and_opened(record: bytes, keys: Mapping[Digest, OwnKey | None]) -> None:
    entry = decode_entry(record)
    verify_signature(seal_of("old").certificate.public_key, entry.signature, to_be_signed(entry.statement_bytes))
    body: Any = entry.unverified_statement.body
    opener = keys.get(getattr(body, "facts_key", Digest(b"")))
    if opener is not None and entry.raw_facts is not None:
        event_id = entry.unverified_statement.event_id
        open_part(opener.key, Part.FACTS, entry.raw_facts, channel=entry.channel, event_id=event_id)


def _another_commission(exchange: Any, office: Office, folder: Path) -> Receiver:
    """Return a receiver of the commission whose database knows the keys and the registrar, and nothing of the school."""
    folder.mkdir()
    copy = folder / "database.sqlite"
    office.database.connection.execute("VACUUM INTO ?", (str(copy),))
    database = Database(copy)
    channel = to_commission(SCHOOL)
    for table in ("entries", "channels", "held"):
        database.run(f"DELETE FROM {table} WHERE channel = ?", channel)  # noqa: S608  # names of ours
    for table in ("stored_events", "parts", "cases", "tracking", "outgoing"):
        database.run(f"DELETE FROM {table}")  # noqa: S608  # names of ours
    ring = type(office.ring)(database, office.ring.ring, exchange.clock, os.urandom)
    again = Office(
        participant=office.participant,
        role=office.role,
        root=office.root,
        database=database,
        store=CaseStore(database),
        ring=ring,
        ring_file=office.ring_file,
        domain=office.domain,
        clock=office.clock,
        random=os.urandom,
        signing=office.signing,
        channel=office.channel,
    )
    receiver = Receiver(again)
    # Letters with keys are not what is timed; they have been taken in.
    receiver._mail = exchange.log.end(f"{office.participant}.mailbox")  # noqa: SLF001  # set as a running worker has it
    return receiver


def opening(folder: Path) -> None:
    """Compare opening a case of 20 events among 1,000 cases with opening it among 100,000."""
    stores = {}
    for size in (1_000, 100_000):
        database = Database(folder / f"{size}.sqlite")
        database.migrate()
        store = CaseStore(database)
        for begin in range(0, size, 1000):
            with database.transaction():
                store.append([_event(case, 1) for case in range(begin, begin + 1000)])
        with database.transaction():
            store.append([_event(size + 7, number) for number in range(1, 21)])
        stores[size] = (store, UUID(int=size + 7))
    runs = [lambda store=store, case=case: [store.stream(case) for _ in range(50)] for store, case in stores.values()]
    small, large = best(*runs)
    say("opening a case of 20 events at 100,000 against 1,000 cases", large / small, "<= 1.20", f"{large / 50 * 1e6:,.0f} µs")


def _event(case: int, number: int) -> SealedEvent:
    event_id = Id(hashlib.sha256(f"{case}/{number}".encode()).digest()[:16])
    return SealedEvent(UUID(int=case), number, "ApplicationFiled", record_of(SCHOOL), event_id, bytes(97), bytes(592))


def replay(folder: Path) -> None:
    """Compare replaying cases from their sealed events with bare fastavro decoding of their facts."""
    exchange = two_sides(folder)
    office = exchange.members[SCHOOL].office
    school = School(office)
    cases = []
    for number in range(100):
        case_id, _ = school.file(application_form(pupil=another_pupil(number)))
        school.request(case_id)
        cases.append(case_id)
    streams = [office.store.stream(case_id) for case_id in cases]
    kind = event_type("ApplicationFiled")
    content = _content(office, streams[0].events[0])
    events = sum(len(stream.events) for stream in streams)

    def bare() -> None:
        for _ in range(events):
            fastavro.schemaless_reader(io.BytesIO(content), kind.facts.parsed, None)

    def replayed() -> None:
        for stream in streams:
            fold(history_of(office, stream))

    decoding, folding = best(bare, replayed)
    say("bare fastavro decoding against replay into states", decoding / folding, "-", f"{events / folding:,.0f} events/s")


def _content(office: Office, event: SealedEvent) -> bytes:
    from services.post.cases import open_facts  # noqa: PLC0415
    from services.wire.avro import decode, load_schema  # noqa: PLC0415

    body = decode(load_schema("wire/Sealed.avsc"), event.body)
    facts = open_facts(office, event.channel, event.event_id, body["facts_key"], event.facts or b"")
    if facts is None:
        raise RuntimeError("the school lacks its own key")
    return facts.content


def oracle(records: list[bytes]) -> None:
    """Compare the incremental form with the oracle over the same records."""

    def whole() -> None:
        candidates, _ = gather(records, CHANNEL)
        judge(Pathfinder(channel=CHANNEL, root=ROOT, trust=trust()), candidates)

    (seconds,) = best(whole, rounds=2)
    say("the whole rule over a chain, as a start judges it", 1.0, "-", f"{len(records) / seconds:,.0f} entries/s")


def cpu_seconds(*arguments: str) -> float:
    """Return the least CPU time that Python takes for ``arguments``, of several starts."""
    times = []
    for _ in range(ROUNDS):
        before = os.times()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(times)


def helping() -> None:
    """Compare the CPU time of ``sarakste --help`` with that of a bare start of Python."""
    bare, whole = cpu_seconds("-c", "pass"), cpu_seconds("-m", "services.desk", "--help")
    say("CPU seconds of --help above a bare start of Python", whole - bare, "<= 0.30", f"{whole:.2f} s against {bare:.2f} s")


def main() -> None:
    """Measure everything."""
    helping()
    records = written()
    chain_only(records)
    full(records)
    oracle(records)
    with tempfile.TemporaryDirectory() as folder:
        for name, run in (("receive", receiving), ("open", opening), ("replay", replay)):
            place = Path(folder) / name
            place.mkdir()
            run(place)


if __name__ == "__main__":
    main()
