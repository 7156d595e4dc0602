"""The ring file: the key ring's copy outside the database, with how far my channels go, and the registrar's last words.

Written before each sending, so what is sent costs what is new and not what there is: new keys and heads are put behind what
stands there, and the whole is written anew only when a key changed, as one that is erased, or when it would double.

Shape: two marks of 4,096 bytes, then lines of JSON, each with rows and heads that replace what lines before it say. A mark tells
how many bytes of lines count. Behind an append the older mark is overwritten, so that of a writing that was cut off nothing
counts; and a copy that was cut short lacks what its mark counts, and is damaged, never silently older.
Source: design.md sections 6 and 7; docs/adr/0022-a-ring-file-that-grows.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from services.post.ring import KeyRow, write_durably
from services.wire.errors import DiskError, RingError
from services.wire.hashing import Digest, digest_of

__all__ = ["Head", "RingFile"]

_MARK_BYTES: Final = 4096
"""A block of its own for each: what a disk loses of one when power fails it does not lose of both."""
_BEGIN: Final = 2 * _MARK_BYTES
_NAME: Final = "sarakste ring file"
# As much may be put behind even a small whole; else a young ring would be written anew with each batch.
_ROOM_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How far one of my own channels goes once the batch that is being sent is sent."""

    epoch: int
    sequence: int
    digest: Digest


@dataclass(slots=True)
class RingFile:
    """The ring file: all keys wrapped, by their ids, and the heads of my channels.

    ``unsent`` are the records that the registrar was about to send last: nobody could begin its channel anew without them.
    """

    path: Path
    rows: dict[Digest, KeyRow] = field(default_factory=dict)
    heads: Mapping[str, Head] = field(default_factory=dict)
    unsent: tuple[bytes, ...] = ()
    _bytes: int = 0
    _whole_bytes: int = 0
    # What was read may stand in the machine's memory alone, left there by a writing that was cut off: it is no ground to send on.
    _is_durable: bool = False

    @classmethod
    def load(cls, path: Path) -> RingFile:
        """Read the ring file; one that is not there is empty. Raises: RingError as ``reload``."""
        found = cls(path)
        found.reload()
        return found

    def reload(self) -> None:
        """Read the file again: what was read before the lease was held may be older than what another worker wrote.

        Raises: RingError if it is damaged, or a copy that was cut short.
        """
        lines: list[bytes] = []
        rows: dict[Digest, KeyRow] = {}
        heads: dict[str, Head] = {}
        unsent: tuple[bytes, ...] = ()
        try:
            if self.path.exists():
                lines = _lines(self.path.read_bytes())
            for line in lines:
                found = json.loads(line)
                rows.update((row.key_id, row) for row in map(_row, found["keys"]))
                heads.update((channel, _head(each)) for channel, each in found["heads"].items())
                unsent = tuple(bytes.fromhex(each) for each in found.get("unsent", ())) or unsent
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise RingError(f"the ring file {self.path.name} is damaged: take its newest copy") from error
        self.rows, self.heads, self.unsent = rows, heads, unsent
        self._bytes, self._whole_bytes, self._is_durable = sum(map(len, lines)), len(lines[0]) if lines else 0, False

    @property
    def keys(self) -> tuple[KeyRow, ...]:
        """All rows, in the order of their ids."""
        return tuple(self.rows[each] for each in sorted(self.rows))

    def save(self, keys: Iterable[KeyRow], heads: Mapping[str, Head]) -> None:
        """Let the file hold these keys and heads and nothing else; the file that was there is there until the new one is whole.

        Raises: DiskError.
        """
        rows = {row.key_id: row for row in keys}
        if not self._is_durable or (rows, dict(heads)) != (self.rows, dict(self.heads)):
            self._write(rows, heads, self.unsent)

    def add(self, keys: Iterable[KeyRow], heads: Mapping[str, Head], unsent: tuple[bytes, ...] = ()) -> None:
        """Let the file hold these keys too, and these heads, and what is about to be sent if anything is given.

        What it holds already costs nothing.

        Raises: DiskError.
        """
        fresh = {row.key_id: row for row in keys if self.rows.get(row.key_id) != row}
        further = {channel: head for channel, head in heads.items() if self.heads.get(channel) != head}
        unsent = unsent or self.unsent
        if self._is_durable and not fresh and not further and unsent == self.unsent:
            return
        line = _line(fresh.values(), further, unsent if unsent != self.unsent else ())
        # A key that changed may have been erased: nothing of what it was may stay.
        has_changed = any(each in self.rows for each in fresh)
        has_room = self._bytes + len(line) <= max(2 * self._whole_bytes, self._whole_bytes + _ROOM_BYTES)
        if not self._is_durable or has_changed or not has_room or not self._append(line):
            self._write({**self.rows, **fresh}, {**self.heads, **further}, unsent)
            return
        self.rows.update(fresh)
        self.heads, self.unsent = {**self.heads, **further}, unsent

    def _write(self, rows: Mapping[Digest, KeyRow], heads: Mapping[str, Head], unsent: tuple[bytes, ...]) -> None:
        line = _line((rows[each] for each in sorted(rows)), heads, unsent)
        try:
            write_durably(self.path, _mark(len(line)) + b" " * _MARK_BYTES + line)
        except OSError as error:
            raise self._cannot_be_written(error) from error
        self.rows, self.heads, self.unsent = dict(rows), dict(heads), unsent
        self._bytes = self._whole_bytes = len(line)
        self._is_durable = True

    def _append(self, line: bytes) -> bool:
        """Put a line behind the others; return False if the file is not as this left it, and has to be written whole."""
        try:
            with self.path.open("r+b", buffering=0) as file:
                marks = _marked(file.read(_BEGIN))
                if max(marks) != self._bytes:
                    return False
                # Until both are durable nothing is known of what stands there.
                self._is_durable = False
                _put(file.fileno(), line, _BEGIN + self._bytes)
                # The mark of what is less far: if this writing is cut off too, the other one counts.
                _put(file.fileno(), _mark(self._bytes + len(line)), _MARK_BYTES * marks.index(min(marks)))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._cannot_be_written(error) from error
        self._bytes += len(line)
        self._is_durable = True
        return True

    def _cannot_be_written(self, error: OSError) -> DiskError:
        return DiskError(f"{self.path.name} cannot be written: {error.strerror}. Nothing is sent before it is")


def _put(descriptor: int, content: bytes, place: int) -> None:
    """Write bytes at a place, durable on return."""
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, place)
        view, place = view[written:], place + written
    os.fsync(descriptor)


def _mark(length: int) -> bytes:
    text = f"{_NAME} {length:016d}"
    return f"{text} {digest_of(text.encode('ascii')).hex()}".encode("ascii").ljust(_MARK_BYTES - 1) + b"\n"


def _marked(content: bytes) -> list[int]:
    """Return how many bytes of lines each mark counts; one whose writing was cut off counts none."""
    return [_length(content[place : place + _MARK_BYTES]) for place in (0, _MARK_BYTES)]


def _lines(content: bytes) -> list[bytes]:
    """Return the lines that count. Raises: ValueError if there are less bytes than that, or no mark is whole."""
    counted = max(_marked(content))
    if not counted or len(content) < _BEGIN + counted:
        raise ValueError("this is no ring file, or it was cut short")
    return content[_BEGIN : _BEGIN + counted].splitlines(keepends=True)


def _length(mark: bytes) -> int:
    digits = mark[len(_NAME) + 1 : len(_NAME) + 17]
    return int(digits) if digits.isdigit() and mark == _mark(int(digits)) else 0


def _line(rows: Iterable[KeyRow], heads: Mapping[str, Head], unsent: tuple[bytes, ...]) -> bytes:
    plain = {
        channel: {"epoch": head.epoch, "sequence": head.sequence, "digest": head.digest.hex()}
        for channel, head in sorted(heads.items())
    }
    keys: Sequence[dict[str, Any]] = [{name: _plain(getattr(row, name)) for name in KeyRow.__dataclass_fields__} for row in rows]
    said = {"unsent": [each.hex() for each in unsent]} if unsent else {}
    return json.dumps({"keys": keys, "heads": plain, **said}, separators=(",", ":")).encode("ascii") + b"\n"


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _row(found: Mapping[str, Any]) -> KeyRow:
    values = dict(found)
    for name in ("key_id", "case_id", "wrapped"):
        values[name] = bytes.fromhex(values[name]) if values[name] is not None else None
    return KeyRow(**values)


def _head(found: Mapping[str, Any]) -> Head:
    return Head(epoch=int(found["epoch"]), sequence=int(found["sequence"]), digest=Digest(bytes.fromhex(found["digest"])))
