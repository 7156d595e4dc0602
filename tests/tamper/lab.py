"""One run of the lab, from a seed: a log is harmed in one way and verified, and an honest one is verified."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.audit.verify import Report
from tests.tamper.harms import HARMS, faults_of
from tests.tamper.logs import Log, honest_log

__all__ = ["HONEST_ENTRIES", "KINDS", "Lab", "harmed_run", "honest_run"]

HONEST_ENTRIES: Final = 1_000
KINDS: Final = tuple(HARMS)
"""The kinds of harm."""


@dataclass
class Lab:
    """A log to harm, written once, with what a verification says of it whole."""

    folder: Path
    entries: int
    log: Log = field(init=False)
    whole: Report = field(init=False)

    def __post_init__(self) -> None:
        self.log = honest_log(self.entries, random.Random("the lab"), with_life=False)  # noqa: S311  # an order of things
        self.whole = self.log.verified(self.folder)
        assert self.whole.is_clean, self.whole.findings


def harmed_run(lab: Lab, folder: Path, kind: str, number: int) -> list[str]:
    """Harm a copy of the lab's log in one way at a place that the number says, and return what was said wrongly of it."""
    log = lab.log.copy()
    expected = HARMS[kind](log, random.Random(f"{kind} {number}"))  # noqa: S311
    return faults_of(log.verified(folder), expected, lab.whole)


def honest_run(folder: Path, number: int) -> list[str]:
    """Verify a log in which much happened and nothing is wrong; return what was found."""
    log = honest_log(HONEST_ENTRIES, random.Random(f"honest {number}"), with_life=True)  # noqa: S311
    return [f"{each.channel} at {each.epoch}/{each.sequence}: {each.what}" for each in log.verified(folder).findings]
