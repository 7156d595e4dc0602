"""`python -m tests.tamper --runs 1000`: so many harmed logs, of each kind in turn, and as many honest ones; both cores."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path

from rich.progress import track

from tests.tamper.lab import HONEST_ENTRIES, KINDS, Lab, harmed_run, honest_run

_lab: dict[int, Lab] = {}


def main() -> None:
    """Run the lab, and print by kind how many were found where they are; a run that went wrong is told and can be repeated.

    Told to stop (SIGTERM), it tells what ran until then, and ends as if something were wrong.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100, help="how many harmed logs, and how many honest ones")
    parser.add_argument("--entries", type=int, default=10_000, help="about how many entries the log that is harmed has")
    parser.add_argument("--first", type=int, default=0, help="the first run")
    asked = parser.parse_args()
    began, ran, right, wrong = time.monotonic(), Counter[str](), Counter[str](), list[str]()
    runs = [(kind, number, asked.entries) for number in range(asked.first, asked.first + asked.runs) for kind in _kinds(number)]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ProcessPoolExecutor(os.cpu_count(), initializer=_ends_with_it) as pool, suppress(KeyboardInterrupt):
        try:
            for kind, number, faults in track(pool.map(_run, runs), total=len(runs), description="tampering"):
                ran[kind] += 1
                right[kind] += not faults
                wrong += [f"{kind}, run {number}: {fault}" for fault in faults]
        finally:
            pool.shutdown(cancel_futures=True)
    told = [f"{right[kind]:6} of {ran[kind]:6} {kind}" for kind in (*KINDS, "honest")]
    told.append(
        f"{ran.total() - ran['honest']} harmed logs of {asked.entries:,} entries and {ran['honest']} honest ones of"
        f" {HONEST_ENTRIES:,}, {len(wrong)} faults, {time.monotonic() - began:.0f} s"
    )
    sys.stdout.write("\n".join([*told, *wrong]) + "\n")
    sys.exit(1 if wrong or ran.total() < len(runs) else 0)


def _ends_with_it() -> None:
    # A worker does what it was given last, and is told by its pool that nothing more comes.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _kinds(number: int) -> tuple[str, str]:
    return KINDS[number % len(KINDS)], "honest"


def _run(asked: tuple[str, int, int]) -> tuple[str, int, list[str]]:
    kind, number, entries = asked
    # On a RAM disk where there is one: it is about what is found, not about disks.
    fast = Path("/dev/shm")  # noqa: S108  # a folder of its own there
    with tempfile.TemporaryDirectory(dir=fast if fast.is_dir() else None) as folder:
        if kind == "honest":
            return kind, number, honest_run(Path(folder), number)
        if entries not in _lab:
            _lab[entries] = Lab(Path(folder), entries)
        return kind, number, harmed_run(_lab[entries], Path(folder), kind, number)


if __name__ == "__main__":
    main()
