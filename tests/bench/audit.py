"""`make bench-audit`: what verifying an archive costs, beside what its parts cost bare, and how much memory it takes.

As in ``run``: ratios of neighbouring runs, in medians, but by the time of the processor. The archive is made once, of ENTRIES
entries in one channel; SIZE=1000000 in the environment makes it as large as one likes. Nothing here fails.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from services.audit.archive import Archive
from services.audit.archive_reading import ArchiveChannel
from services.audit.leaving_out import without_personal
from services.audit.verify import Signatures
from services.wire.chain import check_chain_unsigned
from services.wire.hashing import genesis_digest
from tests.bench.measuring import say, seconds
from tests.chains import ROOT
from tests.verifying import verified_by
from tests.worlds import RECORD, World

ENTRIES: Final = 6000
ROUNDS: Final = 9
_AT_ONCE: Final = 1000
_NOVEMBER: Final = 1_795_000_000_000
_MIB: Final = 1024


def made(folder: Path, entries: int) -> Path:
    """Return an archive with a channel of so many entries."""
    world = World(folder)
    with Archive.open(folder / "archive", ROOT.digest, print) as archive:
        for channel, records in world.records.items():
            archive.append(channel, _placed(records), taken_at=_NOVEMBER)
        for begin in range(0, entries, _AT_ONCE):
            records = [without_personal(world.pens[RECORD].sealed()) for _ in range(min(_AT_ONCE, entries - begin))]
            archive.append(RECORD, _placed(records), taken_at=_NOVEMBER)
    return folder / "archive"


def verify(archive: Path, signatures: Signatures) -> int:
    """Verify an archive, and return how many entries that were."""
    report = verified_by(ArchiveChannel(archive), ROOT, signatures=signatures, page=_AT_ONCE, leaves_out=True)
    if report.findings:
        raise RuntimeError(f"an archive that nobody harmed has findings: {report.findings}")
    return report.entries


def chain_alone(archive: Path) -> None:
    """Compare the chain-only pass over what an archive holds with hashing the same values; both read them."""
    start = genesis_digest(ROOT.digest, RECORD)

    def bare() -> None:
        for each in _values(archive):
            hashlib.sha256(each).digest()

    ratio, took = _ratio(bare, lambda: check_chain_unsigned(_values(archive), start))
    say("chain-only pass over an archive against bare SHA-256", ratio, ">= 0.60", f"{took:.3f} s of processor")


def quickly(archive: Path, entries: int) -> None:
    """Compare the quick way, with all that it checks beside the chain, with hashing the same values."""

    def bare() -> None:
        for each in _values(archive):
            hashlib.sha256(each).digest()

    ratio, took = _ratio(bare, lambda: verify(archive, Signatures.NEWEST))
    say("verifying quickly against bare SHA-256", ratio, "none", f"{entries / took:,.0f} entries a second of one core")


def thoroughly(archive: Path, entries: int) -> None:
    """Compare every signature with what openssl says that a core verifies; both by the time of the processor."""
    ratios, rates, cores = [], [], []
    for _ in range(3):
        before, began, wall = _openssl_rate(), time.process_time(), seconds(lambda: verify(archive, Signatures.EACH))
        took = time.process_time() - began
        rates.append(entries / took)
        ratios.append(rates[-1] / ((before + _openssl_rate()) / 2))
        cores.append(took / wall)
    used = f"{median(rates):,.0f} entries a second of a core, {median(cores):.1f} cores used"
    say("verifying every signature against openssl, a core", median(ratios), ">= 0.80", used)


def _ratio(bare: Callable[[], object], ours: Callable[[], object]) -> tuple[float, float]:
    """Return the median ratio of the processor's time of two runs side by side, and the median time of the second.

    By the processor's time: a machine that others use too gives each of two threads less of a clock's.
    """
    pairs = [(_cpu(bare), _cpu(ours)) for _ in range(ROUNDS)]
    return median(one / other for one, other in pairs), median(other for _, other in pairs)


def _cpu(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def memory(archive: Path, signatures: Signatures) -> None:
    """Tell how much memory a process takes at its peak that verifies the archive, and how much of it the program itself."""
    peaks = []
    for what in ("nothing", signatures.value):
        command = [sys.executable, "-m", "tests.bench.audit", str(archive), what]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # our own
        peaks.append(int(done.stdout))
    print(f"peak memory, {signatures.value} signatures: {peaks[1]} MiB, {peaks[0]} MiB of it the program itself", flush=True)  # noqa: T201


def main() -> None:
    """Measure everything, or verify an archive and print the peak of this process."""
    if len(sys.argv) > 1:
        place, what = sys.argv[1:]
        if what != "nothing":
            verify(Path(place), Signatures(what))
        print(_peak())  # noqa: T201
        return
    entries = int(os.environ.get("SIZE") or ENTRIES)
    with tempfile.TemporaryDirectory() as folder:
        archive = made(Path(folder), entries)
        chain_alone(archive)
        quickly(archive, entries)
        thoroughly(archive, entries)
        memory(archive, Signatures.NEWEST)
        memory(archive, Signatures.EACH)


def _peak() -> int:
    """Return the most memory that this process has had, in MiB."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    return int(found[1]) // _MIB if found else 0


def _openssl_rate() -> float:
    """Return how many signatures openssl verifies a second on one core."""
    done = subprocess.run(["openssl", "speed", "-seconds", "1", "ecdsap256"], check=True, capture_output=True, text=True)  # noqa: S607
    found = re.findall(r"ecdsa.*\s([\d.]+)\s*$", done.stdout, re.MULTILINE)
    return float(found[-1])


def _placed(records: Sequence[bytes]) -> list[tuple[bytes, int]]:
    return [(value, place) for place, value in enumerate(records)]


def _values(archive: Path) -> Iterator[bytes]:
    log, position = ArchiveChannel(archive), 0
    while found := log.poll({RECORD: position}, timeout_seconds=0, limit=_AT_ONCE):
        position = found[-1].position + 1
        yield from (each.value for each in found)


if __name__ == "__main__":
    main()
