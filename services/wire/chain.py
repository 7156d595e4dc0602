"""The chain-only pass: an auditor's fast mode, which checks that entries follow each other, and nothing else.

It says so: no signature, no certificate, no part is looked at. ``previous`` comes first in a statement and has a fixed size,
so a chain is checked by slicing, without decoding.
Source: schemas/README.md, "Chain".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final, TypeAlias

from services.wire.entry import ENTRY_HEADER, STATEMENT_TYPE
from services.wire.errors import Evidence, MalformedError
from services.wire.hashing import DIGEST_BYTES, Digest

__all__ = ["check_chain_unsigned"]

_Frame: TypeAlias = tuple[bytes, int, int, bytes]

_HEADER_BYTES: Final = len(ENTRY_HEADER)
_LENGTH_BYTES: Final = 3
_MORE: Final = 0x80
_NO_FRAME: Final[_Frame] = (b"\xff", 0, 0, b"")
_PREFIX: Final = b"DSSEv1 %d %b " % (len(STATEMENT_TYPE), STATEMENT_TYPE)


def check_chain_unsigned(records: Iterable[bytes], previous: Digest) -> tuple[int, Digest]:
    """Return how many entries follow one after the other from ``previous``, and the digest of the last.

    An auditor may call this on records whose signatures it has verified before, or will verify: alone it shows only that
    nothing was taken out or changed between the two digests.
    Raises: MalformedError at the first record whose statement does not name the digest before it.
    """
    sha256, begins = hashlib.sha256, bytes.startswith
    # Most statements of a channel have one of a few lengths: their framing is read and made once, and tried again first.
    frames: dict[bytes, _Frame] = {}
    lead, start, end, prefix = _NO_FRAME
    count = 0
    for record in records:
        if not begins(record, lead + previous):
            key = record[_HEADER_BYTES : _HEADER_BYTES + _LENGTH_BYTES]
            lead, start, end, prefix = frames.get(key) or frames.setdefault(key, _frame(record))
            if not begins(record, lead + previous):
                raise MalformedError(
                    f"entry {count + 1} of the run does not follow the one before",
                    Evidence(expected=previous.hex(), found=record[start : start + DIGEST_BYTES].hex(), raw=record),
                )
        previous = sha256(prefix + record[start:end]).digest()  # type: ignore[assignment]  # a digest; the name costs a call
        count += 1
    return count, previous


def _frame(record: bytes) -> _Frame:
    """Return what stands before a record's statement, where that begins and ends, and what stands before it when hashed."""
    value = shift = 0
    for place in range(_HEADER_BYTES, min(_HEADER_BYTES + _LENGTH_BYTES, len(record))):
        value |= (record[place] & 0x7F) << shift
        shift += 7
        if record[place] < _MORE:
            length, start = value >> 1, place + 1
            return ENTRY_HEADER + record[_HEADER_BYTES:start], start, start + length, _PREFIX + b"%d " % length
    raise MalformedError("a record does not begin as an entry", Evidence(raw=record))
