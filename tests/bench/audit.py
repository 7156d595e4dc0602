"""`make bench-audit`: what auditing an archive costs, beside what its parts cost bare, and how much memory it takes.

The archive is made once, of ENTRIES sealed events; SIZE=1000000 in the environment makes it as large as one likes, ARCHIVE names
one that was made before. Each thing is measured in a process of its own, so that its peak is its own, and what it is compared
with before and after it. Ratios are told by the time of all processors that were used, and by the clock, which others of a
busy machine slow down on both sides. Nothing here fails.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.bench.sealed_log import archive_of_events

ENTRIES: Final = 100_000


def _openssl() -> dict[str, float]:
    """Return how many signatures openssl verifies a second: on one processor by its time, and on all of them by the clock."""
    every = ["-multi", str(os.cpu_count() or 1), "-elapsed"]
    rates = []
    for more in ([], every):
        command = ["openssl", "speed", "-seconds", "1", *more, "ecdsap256"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # our own
        rates.append(float(re.findall(r"ecdsa.*\s([\d.]+)\s*$", done.stdout, re.MULTILINE)[-1]))
    return {"cpu": rates[0], "wall": rates[1]}


def _in_another(what: str, archive: Path) -> dict[str, Any]:
    command = [sys.executable, "-c", "from tests.bench.auditing import main; main()", str(archive), what]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # our own
    return dict(json.loads(done.stdout))


_TOLD: Final = {
    "chain": ("chain-only pass against bare SHA-256", ">= 0.60"),
    "default": ("verifying by default against bare SHA-256", ">= 0.60"),
    "each": ("every signature against openssl on all processors", ">= 0.80"),
    "replay": ("replay into a report against bare fastavro decoding", ">= 0.60"),
    "query": ("a query of all facts, as Parquet", "none"),
}


def main() -> None:
    """Measure everything, and tell it."""
    with tempfile.TemporaryDirectory() as folder:
        given = os.environ.get("ARCHIVE")
        archive = Path(given) if given else archive_of_events(Path(folder), int(os.environ.get("SIZE") or ENTRIES))
        for what in _TOLD:
            _tell(archive, what)


def _tell(archive: Path, what: str) -> None:
    name, goal = _TOLD[what]
    if what == "each":
        before, said, after = _openssl(), _in_another(what, archive), _openssl()
        said |= {each: said[each] / ((before[each] + after[each]) / 2) for each in before}
    else:
        said = _in_another(what, archive)
    ratio = f"{said['cpu']:6.2f} by processors {said['wall']:6.2f} by the clock, goal {goal}" if "cpu" in said else ""
    workers = f", {said['workers']} of the largest process beside it" if said["workers"] else ""
    print(f"{name:<52} {ratio}\n    {said['detail']}; peak {said['peak']} MiB{workers}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
