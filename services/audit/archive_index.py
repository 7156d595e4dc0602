"""The index of an archive's file: where its blocks begin, what they claim, and the digest that each had when it was written.

A line of the index is written before its block. So whatever a kill leaves behind is known: a block that is not whole, or not what
its line says, is the last one and was never finished. Where blocks begin, and how many records each has, the file itself says; an
index that is gone, makes no sense or lies hides nothing, and a line helps past a block that was damaged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from services.audit.archive_layout import require_plain
from services.audit.containers import header, long_at, sync_marker
from services.wire.entry import decode_statement, split_entry
from services.wire.errors import MalformedError

__all__ = ["Block", "block_line", "blocks_in", "claims_of", "index_of", "marker_of", "name_of"]

_SYNC_BYTES: Final = 16
_NUMBERS_BYTES: Final = 20
_BLOCK_LIMIT_BYTES: Final = 64 * 1024 * 1024
_LINE_LIMIT_BYTES: Final = 1024
_Claims = tuple[tuple[int, int], tuple[int, int]]


class Block(NamedTuple):
    """A block: where it begins in its file and how long it is, the position of its first record, how many it has.

    ``sha256`` is H of its bytes as they were written; empty where no index says it. ``claims`` are the lowest and the highest
    place (epoch, sequence) that an entry in it claims, None where there is none.
    """

    offset: int
    size: int
    first: int
    records: int
    sha256: str = ""
    claims: _Claims | None = None

    @property
    def end(self) -> int:
        """Where it ends in its file."""
        return self.offset + self.size


def name_of(file: Path) -> str:
    """Return the name by which a file's header and marker are made: its channel and its month."""
    return f"{file.parent.name}/{file.stem}"


def marker_of(file: Path) -> bytes:
    """Return the sync marker of a file."""
    return sync_marker(name_of(file))


def index_of(file: Path) -> Path:
    """Return where the index of a file stands."""
    return file.with_suffix(".index")


def block_line(found: Block) -> bytes:
    """Return a block's line in the index."""
    return json.dumps(found._asdict(), separators=(",", ":")).encode() + b"\n"


def claims_of(values: Iterable[bytes]) -> _Claims | None:
    """Return the lowest and the highest place that entries claim; nobody vouches for either."""
    places = [place for place in map(_claim, values) if place is not None]
    return (min(places), max(places)) if places else None


def _claim(record: bytes) -> tuple[int, int] | None:
    try:
        statement = decode_statement(split_entry(record)[0])
    except MalformedError:
        return None
    return statement.epoch, statement.sequence


def blocks_in(file: Path, first: int) -> list[Block]:
    """Return the blocks of a file whose first record has position ``first``, with what the index says of each.

    What is not there whole is no block yet. Raises: OSError if the file cannot be read; ArchiveError if it is no plain file.
    """
    require_plain(file, index_of(file))
    size, marker, at = file.stat().st_size, marker_of(file), len(header(name_of(file)))
    told = {each.offset: each for each in _lines(index_of(file))}
    found: list[Block] = []
    with file.open("rb") as opened:
        while at < size:
            each = _agreed(_block_at(opened, at, first, marker), told.get(at), size)
            if each is None:
                break
            found.append(each._replace(first=first))
            at, first = each.end, first + each.records
    return found


def _agreed(there: Block | None, told: Block | None, size: int) -> Block | None:
    """Return a block as it stands there, and as its line tells of it; where they differ, its digest will not match."""
    if told is not None and (told.end > size or told.records < 1 or told.size <= _SYNC_BYTES):
        told = None
    if there is None or there.end > size:
        return told
    if told is None:
        return there
    # Not by its line, which would hide records, or whole blocks, if somebody changed a number in it.
    return there._replace(sha256=told.sha256, claims=told.claims)


def _lines(path: Path) -> Iterator[Block]:
    """Yield the blocks that an index tells of, up to the first line that is none; a last line may be half written."""
    try:
        with path.open("rb") as index:
            # No line is longer than this; whoever gives an index away may have made it one without end.
            while line := index.readline(_LINE_LIMIT_BYTES):
                told = _told(line)
                if told is None:
                    return
                yield told
    except FileNotFoundError:
        return


def _told(line: bytes) -> Block | None:
    if not line.endswith(b"\n"):
        return None
    try:
        said: dict[str, Any] = json.loads(line)
        offset, size, first, records = (int(said[name]) for name in ("offset", "size", "first", "records"))
        return Block(offset, size, first, records, str(said["sha256"]), _claims(said["claims"]))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _claims(said: Any) -> _Claims | None:
    if said is None:
        return None
    (low_epoch, low), (high_epoch, high) = said
    return (int(low_epoch), int(low)), (int(high_epoch), int(high))


def _block_at(opened: BinaryIO, at: int, first: int, marker: bytes) -> Block | None:
    opened.seek(at)
    beginning = opened.read(_NUMBERS_BYTES)
    try:
        count, after = long_at(beginning, 0)
        size, after = long_at(beginning, after)
    except IndexError:
        return None
    if count < 1 or not 0 < size <= _BLOCK_LIMIT_BYTES:
        return None
    opened.seek(at + after + size)
    if opened.read(_SYNC_BYTES) != marker:
        return None
    return Block(at, after + size + _SYNC_BYTES, first, count)
