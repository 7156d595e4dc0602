"""The chain-only pass: an auditor's fast mode, which checks that entries follow each other, and nothing else.

It says so: no signature, no certificate, no part is looked at. ``previous`` comes first in a statement and has a fixed size,
so a chain is checked by slicing, without decoding.
Source: schemas/README.md, "Chain".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from services.wire.entry import STATEMENT_TYPE
from services.wire.errors import Evidence, MalformedError
from services.wire.hashing import DIGEST_BYTES, Digest

__all__ = ["check_chain_unsigned"]

_FRAME_BYTES: Final = 10
_MORE: Final = 0x80
_PREFIX: Final = b"DSSEv1 %d %b " % (len(STATEMENT_TYPE), STATEMENT_TYPE)


def check_chain_unsigned(records: Iterable[bytes], previous: Digest) -> tuple[int, Digest]:
    """Return how many entries follow one after the other from ``previous``, and the digest of the last.

    An auditor may call this on records whose signatures it has verified before, or will verify: alone it shows only that
    nothing was taken out or changed between the two digests.
    Raises: MalformedError at the first record whose statement does not name the digest before it.
    """
    sha256 = hashlib.sha256
    # Most statements of a channel have one of a few lengths: their framing is read and made once.
    frames: dict[bytes, tuple[int, int, bytes]] = {}
    count = 0
    for record in records:
        key = record[_FRAME_BYTES : _FRAME_BYTES + 3]
        frame = frames.get(key)
        if frame is None:
            length, start = _length(record)
            frame = frames[key] = (start, start + length, _PREFIX + b"%d " % length)
        start, end, prefix = frame
        statement = record[start:end]
        if not statement.startswith(previous):
            raise MalformedError(
                f"entry {count + 1} of the run does not follow the one before",
                Evidence(expected=previous.hex(), found=statement[:DIGEST_BYTES].hex(), raw=record),
            )
        previous = sha256(prefix + statement).digest()  # type: ignore[assignment]  # a digest; the name costs a call
        count += 1
    return count, previous


def _length(record: bytes) -> tuple[int, int]:
    """Return the length of a statement, of at most three bytes, and where it starts."""
    value = shift = 0
    for place in range(_FRAME_BYTES, min(_FRAME_BYTES + 3, len(record))):
        value |= (record[place] & 0x7F) << shift
        shift += 7
        if record[place] < _MORE:
            return value >> 1, place + 1
    raise MalformedError("a record does not begin as an entry", Evidence(raw=record))
