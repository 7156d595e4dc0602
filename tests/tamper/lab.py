"""One run of the lab, from a seed: a log is harmed in one way and verified, and an honest one is verified."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from services.audit.remembering import Memory
from services.audit.verify import Report, Signatures
from tests.archives import Copy
from tests.tamper.archives import ARCHIVE_WAYS, harmed_archive
from tests.tamper.checkpoints import CHECKPOINT_WAYS, Auditing
from tests.tamper.harms import HARMS, faults_of
from tests.tamper.keeping import EXCHANGE, Keeping, verified_archive
from tests.tamper.logs import Log, honest_log

__all__ = ["HONEST_ENTRIES", "KINDS", "Lab", "harmed_run", "honest_run"]

HONEST_ENTRIES: Final = 1_000
_ARCHIVE: Final = "an archive is edited"
_CHECKPOINT: Final = "a checkpoint is edited"
KINDS: Final = (*HARMS, _ARCHIVE, _CHECKPOINT)
"""The kinds of harm."""
_MONTH: Final = 31 * 86_400_000


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

    @cached_property
    def kept(self) -> Keeping:
        """The archive of the log."""
        with TemporaryDirectory() as folder:
            return Keeping.of(self.log.records, Path(folder))

    @cached_property
    def auditing(self) -> Auditing:
        """What an auditor of the log has."""
        memory = Memory(EXCHANGE)
        with TemporaryDirectory() as folder:
            self.log.verified(Path(folder), memory=memory)
            digest = memory.save(Path(folder, "state"))
            return Auditing(self.log, self.kept, Path(folder, "state").read_bytes(), digest)


def harmed_run(lab: Lab, folder: Path, kind: str, number: int) -> list[str]:
    """Harm a copy of the lab's log in one way at a place that the number says, and return what was said wrongly of it."""
    dice = random.Random(f"{kind} {number}")  # noqa: S311
    if kind in HARMS:
        log = lab.log.copy()
        expected = HARMS[kind](log, dice)
        return faults_of(log.verified(folder), expected, lab.whole)
    # Each way of these in turn, in a folder of its own: they leave archives there.
    with TemporaryDirectory(dir=folder) as own:
        turn = number // len(KINDS)
        if kind == _ARCHIVE:
            way = ARCHIVE_WAYS[turn % len(ARCHIVE_WAYS)]
            return [f"{way.__name__}: {each}" for each in harmed_archive(lab.kept, lab.log, Path(own), way, dice)]
        edit = CHECKPOINT_WAYS[turn % len(CHECKPOINT_WAYS)]
        return [f"{edit.__name__}: {each}" for each in edit(lab.auditing, Path(own), dice)]


def honest_run(folder: Path, number: int) -> list[str]:
    """Verify a log in which much happened and nothing is wrong, and its archive; return what was found."""
    log = honest_log(HONEST_ENTRIES, random.Random(f"honest {number}"), with_life=True)  # noqa: S311
    return [*_told("log", log.verified(folder)), *_honest_archive(log, folder)]


def _honest_archive(log: Log, folder: Path) -> list[str]:
    """Mirror a log, and again when it was restored and has gone on; verify both times with a file that remembers."""
    with TemporaryDirectory(dir=folder) as own:
        copy, state, faults = Copy(Path(own)), Path(own, "state"), list[str]()
        digest = None
        for records in (log.earlier, log.records):
            copy.write(records)
            copy.take()
            memory = Memory.load(state, EXCHANGE, digest) or Memory(EXCHANGE, Signatures.NEWEST.value)
            faults += _told("archive", verified_archive(copy.archive, Signatures.NEWEST, memory))
            digest = memory.save(state)
            _torn(copy)
            copy.now += _MONTH
        return faults


def _torn(copy: Copy) -> None:
    """Leave what a mirror leaves that is killed amid a block: the line of its index, and the first bytes of it."""
    path = max((copy.archive / "channels").rglob("*.avro"))
    with closing(path.open("ab")) as file:
        file.write(b"\x02\x80")


def _told(of: str, report: Report) -> list[str]:
    return [f"{of}, {each.channel} at {each.epoch}/{each.sequence}: {each.what}" for each in report.findings]
