"""Run seeds of the simulation: ``python -m tests.simulation --seeds 1000``, or one with its trace: ``--seed 7``."""

from __future__ import annotations

import argparse
import os
import sys

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.simulation.runner import SEEDS_FILE, Outcome, run_seeds
from tests.simulation.story import Told, tell

_SHOWN = 3


def main() -> int:
    """Run what the command line asks for; 1 if something is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one and show its trace")
    parser.add_argument("--seeds", type=int, default=1000, help="how many to run")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="in how many processes")
    asked = parser.parse_args()
    if asked.seed is not None:
        told = tell(asked.seed)
        _show(told)
        return int(told.broken is not None)
    seeds = range(asked.first, asked.first + asked.seeds)
    console = Console(file=sys.stderr)
    with Progress(console=console) as progress:
        task = progress.add_task("seeds", total=len(seeds))
        outcome = run_seeds(seeds, jobs=asked.jobs, tell_more=lambda more: progress.advance(task, more))
    _report(outcome)
    return int(bool(outcome.broken or outcome.never))


def _report(outcome: Outcome) -> None:
    table = Table("what happened", "times", "in a thousand seeds")
    for name, count in sorted(outcome.counts.items()):
        table.add_row(name, f"{count:,}", f"{1000 * count / outcome.seeds:,.0f}")
    table.add_section()
    for name, count in sorted(outcome.lived.items()):
        table.add_row(name, f"{count:,}", f"{1000 * count / outcome.seeds:,.0f}")
    Console().print(table)
    for told in outcome.broken[:_SHOWN]:
        _show(told)
    print(f"{outcome.seeds:,} seeds, {len(outcome.broken)} broken")  # noqa: T201  # a command
    for told in outcome.broken:
        last = (told.broken or "").splitlines()[-1]
        print(f"make simulate SEED={told.seed}  # {last}")  # noqa: T201  # as above
    for name in outcome.never:
        print(f"in so many seeds this has never happened: {name}")  # noqa: T201  # as above
    if outcome.broken:
        print(f"once mended, keep each as a line of {SEEDS_FILE.name}: its number, and what it found")  # noqa: T201  # as above


def _show(told: Told) -> None:
    print("\n".join([f"seed {told.seed}", *told.trace]))  # noqa: T201  # as above
    if told.broken is not None:
        print(told.broken)  # noqa: T201  # as above
        print(f"replay it: make simulate SEED={told.seed}")  # noqa: T201  # as above


if __name__ == "__main__":
    sys.exit(main())
