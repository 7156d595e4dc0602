"""`make bench`: ratios that hold on a noisy machine, each of two things measured in turn in one process.

What is printed is the median of the ratios of neighbouring runs (``measuring``), beside its goal. Nothing here fails: a busy
machine must not break a build.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Final

from tests.bench.cases import opening, replay
from tests.bench.measuring import say
from tests.bench.reading import chain_only, full, oracle, written
from tests.bench.receiving import receiving

STARTS: Final = 9


def cpu_seconds(*arguments: str) -> float:
    """Return the CPU time that Python takes for ``arguments``."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def helping() -> None:
    """Compare the CPU time of ``sarakste --help`` with that of a bare start of Python."""
    pairs = [(cpu_seconds("-c", "pass"), cpu_seconds("-m", "services.desk", "--help")) for _ in range(STARTS)]
    bare, whole = (median(times) for times in zip(*pairs, strict=True))
    more = median(ours - theirs for theirs, ours in pairs)
    say("CPU seconds of --help above a bare start of Python", more, "<= 0.30", f"{whole:.2f} s against {bare:.2f} s")


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
