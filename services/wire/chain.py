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

_Frame: TypeAlias = tuple[bytes, slice, slice, bytes]
"""What stands before ``previous``, where that ends, where the statement lies, what stands before that when it is hashed."""

_HEADER_BYTES: Final = len(ENTRY_HEADER)
_LENGTH_BYTES: Final = 3
_MORE: Final = 0x80
_NO_FRAME: Final[_Frame] = (b"\xff", slice(0), slice(0), b"")
_PREFIX: Final = b"DSSEv1 %d %b " % (len(STATEMENT_TYPE), STATEMENT_TYPE)


def check_chain_unsigned(records: Iterable[bytes], previous: Digest) -> tuple[int, Digest]:
    """Return how many entries follow one after the other from ``previous``, and the digest of the last.

    An auditor may call this on records whose signatures it has verified before, or will verify: alone it shows only that
    nothing was taken out or changed between the two digests.
    Raises: MalformedError at the first record whose statement does not name the digest before it.
    """
    sha256 = hashlib.sha256
    # Most statements of a channel have one of a few lengths: their framing is read and made once, and tried again first.
    frames: dict[bytes, _Frame] = {}
    lead, beginning, statement, prefix = _NO_FRAME
    count = 0
    for count, record in enumerate(records, start=1):
        if record[beginning] != lead + previous:
            key = record[_HEADER_BYTES : _HEADER_BYTES + _LENGTH_BYTES]
            lead, beginning, statement, prefix = frames.get(key) or frames.setdefault(key, _frame(record))
            if record[beginning] != lead + previous:
                raise MalformedError(
                    f"entry {count} of the run does not follow the one before",
                    Evidence(expected=previous.hex(), found=record[statement][:DIGEST_BYTES].hex(), raw=record),
                )
        previous = sha256(prefix + record[statement]).digest()  # type: ignore[assignment]  # a digest; the name costs a call
    return count, previous


def _frame(record: bytes) -> _Frame:
    value = shift = 0
    for place in range(_HEADER_BYTES, min(_HEADER_BYTES + _LENGTH_BYTES, len(record))):
        value |= (record[place] & 0x7F) << shift
        shift += 7
        if record[place] < _MORE:
            length, start = value >> 1, place + 1
            lead = ENTRY_HEADER + record[_HEADER_BYTES:start]
            return lead, slice(start + DIGEST_BYTES), slice(start, start + length), _PREFIX + b"%d " % length
    raise MalformedError("a record does not begin as an entry", Evidence(raw=record))
