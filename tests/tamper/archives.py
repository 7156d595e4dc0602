"""An archive is edited: its files, their indexes, what it says of itself, and whole files of it, at random places.

Whoever can write an archive can make all of it consistent in itself: then entries show it, by their signatures, and what no
writer signed shows against what an earlier verification kept elsewhere.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.audit.archive_index import blocks_in, index_of
from services.audit.archive_layout import CHANNELS, CLOSED
from services.audit.containers import long_at
from services.audit.moving import export_archive
from services.audit.remembering import Memory
from services.audit.verify import Report, Signatures
from services.wire.channels import TRUST_CHANNEL
from services.wire.entry import decode_entry
from tests.tamper.harms import Expected, drop, facts_swapped, faults_of, flip, foreign_key, rotated_key
from tests.tamper.keeping import EXCHANGE, MONTHS, Keeping, archive_of, records_of, remade, verified_archive
from tests.tamper.logs import AUDITOR_RECORD, WRITTEN, Log

__all__ = ["ARCHIVE_WAYS", "harmed_archive"]


@dataclass
class Victim:
    """An archive to harm, and the log that it is of; ``report`` gives what a verification says of it then."""

    kept: Keeping
    log: Log
    folder: Path
    dice: random.Random
    report: Callable[[], Report]

    def file(self, *months: str) -> tuple[str, Path]:
        """Return the channel and the path of a random file of records, of one of some months."""
        channel = self.dice.choice([*WRITTEN, TRUST_CHANNEL, AUDITOR_RECORD])
        return channel, self.folder / CHANNELS / channel / f"{self.dice.choice(months or MONTHS)}.avro"

    def remembered(self) -> Report:
        """Verify it by the newest signatures, with what the verification of the whole archive left."""
        state = self.folder.with_name("state")
        state.write_bytes(self.kept.state)
        return verified_archive(self.folder, Signatures.NEWEST, Memory.load(state, EXCHANGE, self.kept.state_digest))


def harmed_archive(kept: Keeping, log: Log, folder: Path, way: Callable[[Victim], Expected], dice: random.Random) -> list[str]:
    """Edit an archive in one way, and return what was said wrongly of it."""
    victim = Victim(kept, log, kept.put(folder / "archive"), dice, lambda: verified_archive(victim.folder))
    expected = way(victim)
    return faults_of(victim.report(), expected, kept.whole)


def byte_changed(victim: Victim) -> Expected:
    """One bit of a file, wherever it lies: of a header, of the numbers around records, or of a record."""
    channel, path = victim.file()
    data = bytearray(path.read_bytes())
    at = victim.dice.randrange(len(data))
    harmed = next((each for each in blocks_in(path, 0) if each.offset <= at < each.end), None)
    if harmed is None or harmed.claims is None:
        # The header: no entry lies there.
        expected = Expected(places=frozenset({(channel, 0)}))
    else:
        (_, low), (_, high) = harmed.claims
        entry = _entry_at(bytes(data[harmed.offset : harmed.end]), at - harmed.offset)
        # What nobody has receipted can be cut off unseen, and so be damaged: then the file alone shows it.
        proven = {entry} if entry is not None and entry <= victim.kept.whole.of(channel).receipted else set()
        places = frozenset((channel, each) for each in {low, *proven})
        expected = Expected(places=places, near=(channel, low, high))
    data[at] ^= 1 << victim.dice.randrange(8)
    path.write_bytes(data)
    return expected


def index_edited(victim: Victim) -> Expected:
    """A digest in the index of a file that grows still: the block is not what its line says."""
    channel, path = victim.file(MONTHS[1])
    blocks, index = blocks_in(path, 0), index_of(path)
    each = victim.dice.choice(blocks)
    first = victim.dice.choice(sorted({*"0123456789abcdef"} - {each.sha256[0]}))
    index.write_bytes(index.read_bytes().replace(each.sha256.encode(), (first + each.sha256[1:]).encode()))
    assert each.claims is not None
    return Expected(places=frozenset({(channel, each.claims[0][1])}))


def index_nonsense(victim: Victim) -> Expected:
    """Any byte of an index, or all of it: it is a hint, and whatever it says hides no entry."""
    channel, path = victim.file()
    if victim.dice.random() < 1 / 3:
        index_of(path).unlink()
        return Expected()
    data = bytearray(index_of(path).read_bytes())
    data[victim.dice.randrange(len(data))] ^= 1 << victim.dice.randrange(8)
    index_of(path).write_bytes(data)
    return Expected(near=(channel, 0, 10**9))


def file_gone(victim: Victim) -> Expected:
    """A whole file of records is taken away: missing is the first of its entries, and a file that was closed."""
    channel, path = victim.file()
    is_told = path.stem == MONTHS[0]
    if channel == AUDITOR_RECORD:
        # Nobody receipts an auditor's record: its end is missed by whoever verified it before.
        victim.report, is_told = victim.remembered, True
    first = decode_entry(records_of(path)[0].value).sequence
    if victim.dice.random() < 1 / 2:
        index_of(path).unlink()
    path.unlink()
    return Expected(places=frozenset({(channel, first), (channel, 0)} if is_told else {(channel, first)}))


def file_replaced(victim: Victim) -> Expected:
    """Files of one channel are exchanged for those of another history, with all digests of the archive as they should be."""
    log = victim.log.copy()
    expected = victim.dice.choice([drop, foreign_key, rotated_key, flip, facts_swapped])(log, victim.dice)
    other = archive_of(log.records, victim.folder.with_name("other"))
    ((channel, _),) = expected.places
    for path in (other / CHANNELS / channel).iterdir():
        (victim.folder / CHANNELS / channel / path.name).write_bytes(path.read_bytes())
    (victim.folder / CLOSED).write_bytes((other / CLOSED).read_bytes())
    return expected


def unsigned_changed(victim: Victim) -> Expected:
    """When a record was taken, or where it stood: no writer signs that, and the archive is consistent in itself."""
    channel, path = victim.file()
    records = records_of(path)
    number = victim.dice.randrange(len(records))
    was = records[number]
    remade(path, number, victim.dice.choice([was._replace(taken_at=was.taken_at + 60_000), was._replace(source=was.source + 1)]))
    victim.report = victim.remembered
    return Expected(places=frozenset({(channel, 0)}))


def export_edited(victim: Victim) -> Expected:
    """A file of an exported folder: what says where blocks begin, or which files are closed, or one that nobody exported."""
    folder = victim.folder.with_name("exported")
    export_archive(victim.folder, folder)
    victim.folder = folder
    channel, path = victim.file()
    what = victim.dice.randrange(3)
    if what == 0:
        index_of(path).write_bytes(index_of(path).read_bytes()[:-1])
        return Expected(places=frozenset({(channel, 0)}))
    if what == 1:
        lines = (folder / CLOSED).read_bytes().splitlines(keepends=True)
        del lines[victim.dice.randrange(len(lines))]
        (folder / CLOSED).write_bytes(b"".join(lines))
    else:
        path.with_suffix(".txt").write_bytes(b"put in")
    return Expected(places=frozenset({(TRUST_CHANNEL, 0)}))


def _entry_at(data: bytes, at: int) -> int | None:
    """Return the sequence of the entry in whose bytes a place of a block lies, None between entries."""
    count, place = long_at(data, 0)
    _, place = long_at(data, place)
    for _ in range(count):
        size, start = long_at(data, place)
        if start <= at < start + size:
            return decode_entry(data[start : start + size]).sequence
        _, place = long_at(data, start + size)
        _, place = long_at(data, place)
    return None


ARCHIVE_WAYS: Final = (byte_changed, index_edited, index_nonsense, file_gone, file_replaced, unsigned_changed, export_edited)
"""Every way."""
