"""Avro object container files by hand: the blocks of an archive, as bytes that are exact and quick to take apart.

Decides how records stand in a file, and nothing about what they mean. Any Avro library reads these files (a test does so with
fastavro); they are written and read here without one, since a verification wants the raw values and nothing else, and since a
writer that may be killed has to know each byte it writes.
Shape: the header of the Avro specification 1.11 ("Object Container Files"), codec ``null``, then blocks of a count, a size, the
records and the file's sync marker. The marker is made from the file's name, so that the same records make the same file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

__all__ = ["Kept", "block", "header", "kept_in", "long_at", "records_in", "sync_marker"]

_MAGIC: Final = b"Obj\x01"
_SCHEMA: Final = json.dumps(
    {
        "type": "record",
        "name": "Kept",
        "namespace": "lv.sarakste.archive.v0",
        "fields": [
            {"name": "value", "type": "bytes"},
            {"name": "source", "type": "long"},
            {"name": "taken_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        ],
    },
    separators=(",", ":"),
).encode()
_SYNC_BYTES: Final = 16
_MORE: Final = 0x80
_LAST_SHIFT: Final = 63
_TIMES_END: Final = 253_402_300_800_000
_TWO_LONGS: Final = re.compile(rb"(?:[\x80-\xff]{0,9}[\x00-\x7f]){2}", re.DOTALL)


class Kept(NamedTuple):
    """One record of an archive: the exact value, where it stood in the log, and when it was taken (milliseconds since 1970)."""

    value: bytes
    source: int
    taken_at: int


def sync_marker(name: str) -> bytes:
    """Return the sync marker of the file of that name."""
    return sha256(b"sarakste/archive/v0\0" + name.encode()).digest()[:_SYNC_BYTES]


def header(name: str) -> bytes:
    """Return what stands before the first block of the file of that name."""
    entries = [(b"avro.codec", b"null"), (b"avro.schema", _SCHEMA)]
    written = b"".join(_bytes(key) + _bytes(value) for key, value in entries)
    return _MAGIC + _long(len(entries)) + written + b"\x00" + sync_marker(name)


def block(records: Sequence[Kept], marker: bytes) -> bytes:
    """Return the block of these records."""
    body = b"".join(_bytes(each.value) + _long(each.source) + _long(each.taken_at) for each in records)
    return _long(len(records)) + _long(len(body)) + body + marker


def records_in(data: bytes) -> list[bytes]:
    """Return the values of the records of one block; what is damaged comes out as a last value that is whatever is left.

    Nothing of a block that somebody changed may stop a reader: what it is worth is judged where values are verified.
    """
    found: list[bytes] = []
    start, end = 0, max(0, len(data) - _SYNC_BYTES)
    add, skip = found.append, _TWO_LONGS.match
    try:
        count, at = long_at(data, 0)
        _, at = long_at(data, at)
        for _ in range(count):
            start, low, high = at, data[at], data[at + 1]
            # Nearly all lengths take two bytes: a call for each would cost as much as all the rest of a record.
            if low >= _MORE > high and not low & 1:
                size, at = (low & 0x7F | high << 7) >> 1, at + 2
            else:
                size, at = long_at(data, at)
            passed = skip(data, at + size)
            if size < 0 or at + size > end or passed is None:
                break
            add(data[at : at + size])
            at = passed.end()
        else:
            return found
    except IndexError:
        pass
    return [*found, data[start:end]]


def kept_in(data: bytes) -> list[Kept]:
    """Return the records of one block, with all that is kept of each.

    Raises: IndexError if the block is not whole, or a number in it is none that was ever written.
    """
    count, at = long_at(data, 0)
    _, at = long_at(data, at)
    found = []
    for _ in range(count):
        size, start = long_at(data, at)
        if size < 0:
            # It would lead back, and round and round.
            raise IndexError(at)
        source, at = long_at(data, start + size)
        taken_at, at = long_at(data, at)
        if not 0 <= taken_at < _TIMES_END:
            raise IndexError(at)
        found.append(Kept(data[start : start + size], source, taken_at))
    return found


def long_at(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that stands at a place, and where it ends. Raises: IndexError if that lies behind the end."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < _MORE:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
        if shift > _LAST_SHIFT:
            raise IndexError(at)


def _bytes(value: bytes) -> bytes:
    return _long(len(value)) + value


def _long(value: int) -> bytes:
    left = value << 1 if value >= 0 else (~value << 1) | 1
    out = bytearray()
    while left >= _MORE:
        out.append(left & 0x7F | _MORE)
        left >>= 7
    out.append(left)
    return bytes(out)
