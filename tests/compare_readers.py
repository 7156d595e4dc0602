"""`python -m tests.compare_readers 5000`: both readers over that many harmed logs; a seed on which they differ is told."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich.progress import track

from tests.harms import harmed_world


def main() -> None:
    first, last = (0, int(sys.argv[1])) if len(sys.argv) == 2 else map(int, sys.argv[1:])  # the name, a number
    found: Counter[str] = Counter()
    differing = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in track(range(first, last), description="harmed logs"):
            world = harmed_world(Path(folder), seed)
            try:
                report = world.verified(threads=1, page=1 + seed % 50)
            except AssertionError as error:
                differing.append(seed)
                sys.stdout.write(f"they differ on {seed}: {error}\n")
                continue
            found.update(each.what.partition(" (")[0] for each in report.findings)
            found["logs without a finding"] += report.is_clean
    for what, count in found.most_common():
        sys.stdout.write(f"{count:7} {what}\n")
    sys.stdout.write(f"{last - first} logs, {len(differing)} on which they differ {differing or ''}\n")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
