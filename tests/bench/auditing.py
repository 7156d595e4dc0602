"""What `make bench-audit` measures, each thing in a process of its own: for ``audit``, which starts them and tells.

Not in that module: a process that proves things ahead begins by reading the one that was started, and needs nothing of this one.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from multiprocessing import active_children
from pathlib import Path
from typing import Any, Final

import duckdb
import fastavro

from services.audit.archive_reading import ArchiveChannel
from services.audit.events import events_of
from services.audit.grounds import grounds_of
from services.audit.opened_ahead import OpenedAhead
from services.audit.outputs import write_answer
from services.audit.querying import ask
from services.audit.reports.figures import Scope
from services.audit.reports.making import make_report
from services.audit.signatures import Signatures
from services.audit.tables import Tables
from services.audit.verify import Examined, examine_log
from services.audit.verify_archive import examine_archive
from services.wire.avro import load_schema
from services.wire.chain import check_chain_unsigned
from services.wire.contents import decode_facts
from services.wire.entry import ENTRY_HEADER, Sealed, decode_entry
from services.wire.hashing import genesis_digest
from services.wire.records import event_type
from services.wire.sealing import Part, open_part
from tests.bench.sealed_log import KEYS, LARGEST
from tests.chains import ROOT

SAMPLE: Final = 10_000
_AT_ONCE: Final = 1000
_KIB: Final = 1024
_ALL: Final = Scope(since=date(2026, 1, 1), until=date(2027, 12, 31), as_of=date(2027, 12, 31), known_at=date.max)


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock, and of all processors: this process and those that it waited for."""

    wall: float
    cpu: float

    def __add__(self, other: Took) -> Took:
        return Took(self.wall + other.wall, self.cpu + other.cpu)


def took(run: Callable[[], object]) -> Took:
    """Return what one run takes."""
    wall, cpu = time.perf_counter(), _cpu()
    run()
    return Took(time.perf_counter() - wall, _cpu() - cpu)


def examined(archive: Path, signatures: Signatures = Signatures.NEWEST) -> Examined:
    """Verify an archive as `sarakste audit verify` does; one that nobody harmed has to be clean."""
    found = examine_archive(archive, ArchiveChannel(archive), ROOT, signatures=signatures)
    if found.report.findings:
        raise RuntimeError(f"an archive that nobody harmed has findings: {found.report.findings}")
    return found


def chain_alone(archive: Path) -> dict[str, Any]:
    """Compare the chain-only pass over the largest channel with hashing the same values; both read them."""
    start = genesis_digest(ROOT.digest, LARGEST)
    return _beside_hashing(archive, (LARGEST,), lambda: check_chain_unsigned(_values(archive, LARGEST), start))


def by_default(archive: Path) -> dict[str, Any]:
    """Compare the default way of verifying, with all that it checks, of entries and of files, with hashing the same values."""
    channels = tuple(sorted(path.name for path in (archive / "channels").iterdir()))
    told = _beside_hashing(archive, channels, lambda: examined(archive))
    log, newest = ArchiveChannel(archive), Signatures.NEWEST
    alone = _beside_hashing(archive, channels, lambda: examine_log(log, ROOT, signatures=newest, page=_AT_ONCE, leaves_out=True))
    return told | {"detail": f"{told['detail']}; entries alone, in one process: {alone['cpu']:.2f} by processors"}


def thoroughly(archive: Path) -> dict[str, Any]:
    """Tell how many entries a second are verified with every signature; what openssl does is asked by who calls this."""
    entries = 0

    def run() -> None:
        nonlocal entries
        entries = examined(archive, Signatures.EACH).report.entries

    mine = took(run)
    detail = f"{entries / mine.wall:,.0f} entries a second by the clock on {os.cpu_count()} processors"
    return {"cpu": entries / mine.cpu, "wall": entries / mine.wall, "detail": detail, **_peaks()}


def replayed(archive: Path) -> dict[str, Any]:
    """Compare replaying a verified log into a report with decoding its entries by fastavro, bare, and with opening them too."""
    found, log, events, workers = examined(archive), ArchiveChannel(archive), 0, 0

    def run() -> None:
        nonlocal events, workers
        with OpenedAhead(archive, KEYS) as ahead:
            made = make_report("service", events_of(log, found, KEYS, ahead=ahead), _ALL, grounds_of(found))
            workers = _workers()
        events = found.report.entries
        assert made.sealed == 0

    mine = took(run)
    peak = _peaks() | {"workers": workers}
    opening, decoding = _bare(archive)
    each = Took(mine.wall / events, mine.cpu / events)
    whole = opening + decoding
    detail = f"{1 / each.cpu:,.0f} events a second of a processor; {whole.cpu / each.cpu:.2f} against opening and decoding"
    return {"cpu": decoding.cpu / each.cpu, "wall": decoding.wall / each.wall, "detail": detail, **peak}


def queried(archive: Path) -> dict[str, Any]:
    """Tell how long it takes to put all facts into tables, to ask for them all in Parquet, and to ask that file something."""
    found, log = examined(archive), ArchiveChannel(archive)
    with tempfile.TemporaryDirectory() as folder, Tables(os.environ.get("MEMORY", "1GB")) as tables:
        rows, workers, path = 0, 0, Path(folder, "facts.parquet")

        def give() -> None:
            nonlocal rows
            with path.open("wb") as file:
                rows = write_answer(ask(tables.locked(), "SELECT * FROM events"), "parquet", file, grounds={})

        def load() -> None:
            nonlocal workers
            with OpenedAhead(archive, KEYS) as ahead:
                tables.load(events_of(log, found, KEYS, ahead=ahead))
                workers = _workers()

        loading, giving = took(load), took(give)
        peak = _peaks() | {"workers": workers}
        query = f"SELECT type, max(written_at), count(DISTINCT case_id) FROM '{path}' GROUP BY type"  # noqa: S608  # own file
        database = duckdb.connect()
        # Its bar would stand where the figures go.
        database.execute("SET enable_progress_bar = false")
        asking = took(lambda: database.execute(query).fetchall())
        size = path.stat().st_size / _KIB / _KIB
    detail = f"{rows:,} facts: into tables {loading.cpu:.1f} s, as Parquet {giving.cpu:.1f} s ({size:.0f} MiB), a sum over it"
    return {"detail": f"{detail} {asking.cpu:.2f} s of processors, {asking.wall:.2f} s by the clock", **peak}


def _beside_hashing(archive: Path, channels: tuple[str, ...], run: Callable[[], object]) -> dict[str, Any]:
    def bare() -> None:
        for channel in channels:
            for each in _values(archive, channel):
                hashlib.sha256(each).digest()

    before, mine, after = took(bare), took(run), took(bare)
    bare_wall, bare_cpu = (before.wall + after.wall) / 2, (before.cpu + after.cpu) / 2
    detail = f"{mine.cpu:.2f} s of processors, {mine.wall:.2f} s by the clock"
    return {"cpu": bare_cpu / mine.cpu, "wall": bare_wall / mine.wall, "detail": detail, **_peaks()}


def _bare(archive: Path) -> tuple[Took, Took]:
    """Return what a sample of entries takes, each: to be opened, and to be decoded by fastavro in all its layers."""
    sample = list(islice(_values(archive, LARGEST), 1, SAMPLE + 1))
    plain = list[bytes]()

    def opening() -> None:
        plain.extend(_opened(each) for each in sample)

    took_opening = took(opening)
    layers = [load_schema(f"wire/{name}.avsc").parsed for name in ("Entry", "Statement", "Facts")]
    kinds = [event_type(decode_facts(each).type).facts.parsed for each in plain]

    def decoding() -> None:
        for record, facts, kind in zip(sample, plain, kinds, strict=True):
            entry: Any = fastavro.schemaless_reader(io.BytesIO(record[len(ENTRY_HEADER) :]), layers[0], None)
            fastavro.schemaless_reader(io.BytesIO(entry["statement"]), layers[1], None)
            frame: Any = fastavro.schemaless_reader(io.BytesIO(facts), layers[2], None)
            fastavro.schemaless_reader(io.BytesIO(frame["content"]), kind, None)

    count, took_decoding = len(sample), took(decoding)
    opened, decoded = (Took(each.wall / count, each.cpu / count) for each in (took_opening, took_decoding))
    return opened, decoded


def _opened(record: bytes) -> bytes:
    entry = decode_entry(record)
    statement, facts = entry.unverified_statement, entry.raw_facts
    if not isinstance(statement.body, Sealed) or facts is None:
        raise RuntimeError("in the largest channel all but the first entry are sealed")
    return open_part(KEYS.facts[statement.body.facts_key], Part.FACTS, facts, channel=LARGEST, event_id=statement.event_id)


def _values(archive: Path, channel: str) -> Iterator[bytes]:
    log, position = ArchiveChannel(archive), 0
    while found := log.poll({channel: position}, timeout_seconds=0, limit=_AT_ONCE):
        position = found[-1].position + 1
        yield from (each.value for each in found)


def _cpu() -> float:
    both = (resource.getrusage(each) for each in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)


def _peaks() -> dict[str, int]:
    """Return the most memory that this process has had, and the largest of those that it started, in MiB."""
    return {"peak": _peak("self"), "workers": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // _KIB}


def _workers() -> int:
    """Return the largest peak of the processes beside this one, which still run.

    A process counts what its starter had as its own in what the system tells of it when it has ended.
    """
    return max((_peak(each.pid) for each in active_children()), default=0)


def _peak(process: int | str | None) -> int:
    found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{process}/status").read_text("ascii"))
    return int(found[1]) // _KIB if found else 0


MEASURED: Final[dict[str, Callable[[Path], dict[str, Any]]]] = {
    "chain": chain_alone,
    "default": by_default,
    "each": thoroughly,
    "replay": replayed,
    "query": queried,
}


def main() -> None:
    """Measure one thing of an archive, both as arguments, and print what came out as JSON."""
    place, what = sys.argv[1:]
    print(json.dumps(MEASURED[what](Path(place))))  # noqa: T201
