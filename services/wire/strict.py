"""The strict decoder of the two records that every entry is made of: ``Entry`` and ``Statement``, by hand.

Decides whether bytes are *the* canonical encoding of one of the two; ranges and limits beyond Avro's own are left to
``entry``. It exists because decoding, encoding again and comparing through a library costs as much as half a signature, for
each entry of a log. It accepts exactly what that comparison accepts: there is one way through it for each byte, so nothing
has to be encoded again, and a test holds it against the library over every kind of twin.
Source: schemas/README.md, "Entry" and "Statement".
"""

from __future__ import annotations

from typing import Final, NoReturn, TypeAlias

from services.wire.errors import Evidence, MalformedError
from services.wire.hashing import Digest, Id

__all__ = ["BodyFields", "EntryFields", "StatementFields", "entry_fields", "statement_fields"]

EntryFields: TypeAlias = tuple[bytes, bytes, bytes | None, bytes | None]
"""Statement, signature, facts, personal."""

BodyFields: TypeAlias = tuple[str, bytes] | tuple[Digest, Digest, Digest]
StatementFields: TypeAlias = tuple[Digest, Digest, str, int, int, int, Id, BodyFields]
"""Previous, certificate, channel, epoch, sequence, written_at, event id; then type and content, or the three digests."""

_DIGEST_BYTES: Final = 32
_ID_BYTES: Final = 16
_MORE: Final = 0x80
_LAST_SHIFT: Final = 63
_NUMBERS: Final = 2**64
_INT_NUMBERS: Final = 2**32
_FIRST_BRANCH: Final = 0
_SECOND_BRANCH: Final = 2


def entry_fields(data: bytes, start: int) -> EntryFields:
    """Return the fields of the ``Entry`` that ``data`` holds from ``start`` to its end.

    Raises: MalformedError if these are not exactly the canonical bytes of one.
    """
    try:
        start, end = _end(data, start)
        statement = data[start:end]
        start, end = _end(data, end)
        signature = data[start:end]
        facts, at = _nullable(data, end)
        personal, at = _nullable(data, at)
    except IndexError as error:
        raise MalformedError("Entry does not decode: it is cut off", Evidence(raw=data)) from error
    if at != len(data):
        _refuse("Entry", data)
    return statement, signature, facts, personal


def statement_fields(data: bytes) -> StatementFields:
    """Return the fields of the ``Statement`` that ``data`` is.

    Raises: MalformedError if these are not exactly the canonical bytes of one.
    """
    try:
        start, end = _end(data, 2 * _DIGEST_BYTES)
        channel = data[start:end].decode()
        epoch, at = _number(data, end)
        sequence, at = _number(data, at)
        written_at, at = _number(data, at)
        body = _body(data, at + _ID_BYTES)
    except IndexError as error:
        raise MalformedError("Statement does not decode: it is cut off", Evidence(raw=data)) from error
    except UnicodeDecodeError as error:
        raise MalformedError("Statement does not decode: a text is not UTF-8", Evidence(raw=data)) from error
    # An ``int`` has 32 bits, and Avro's own libraries read more without a word.
    if epoch >= _INT_NUMBERS:
        raise MalformedError("Statement holds a value out of range", Evidence(expected="32 bits", raw=data))
    return (  # type: ignore[return-value]  # slices of 32 and 16 bytes; to name each a digest costs a call
        data[:_DIGEST_BYTES],
        data[_DIGEST_BYTES : 2 * _DIGEST_BYTES],
        channel,
        (epoch >> 1) ^ -(epoch & 1),
        (sequence >> 1) ^ -(sequence & 1),
        (written_at >> 1) ^ -(written_at & 1),
        data[at : at + _ID_BYTES],
        body,
    )


def _body(data: bytes, at: int) -> BodyFields:
    branch = data[at]
    at += 1
    if branch == _SECOND_BRANCH:
        if len(data) != at + 3 * _DIGEST_BYTES:
            _refuse("Statement", data)
        middle, last = at + _DIGEST_BYTES, at + 2 * _DIGEST_BYTES
        return data[at:middle], data[middle:last], data[last:]  # type: ignore[return-value]  # as above
    if branch != _FIRST_BRANCH:
        # Another index, a negative one, or a right one in more bytes than it needs.
        _refuse("Statement", data)
    start, end = _end(data, at)
    kind = data[start:end].decode()
    start, end = _end(data, end)
    if end != len(data):
        _refuse("Statement", data)
    return kind, data[start:end]


def _nullable(data: bytes, at: int) -> tuple[bytes | None, int]:
    branch = data[at]
    if branch == _FIRST_BRANCH:
        return None, at + 1
    if branch != _SECOND_BRANCH:
        _refuse("Entry", data)
    start, end = _end(data, at + 1)
    return data[start:end], end


def _end(data: bytes, at: int) -> tuple[int, int]:
    """Return where a text or bytes begin and end. Raises: IndexError if that lies behind the end of the data."""
    size, start = data[at], at + 1
    if size >= _MORE:
        # Nearly all lengths take one byte or two: a call for each of them would cost as much as all the rest of an entry.
        byte = data[start]
        if 0 < byte < _MORE:
            size, start = size & 0x7F | byte << 7, start + 1
        else:
            size, start = _number(data, at)
    # A negative length reads as none in some libraries.
    if size & 1:
        _refuse("a length", data)
    end = start + (size >> 1)
    if end > len(data):
        raise IndexError(end)
    return start, end


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of at most 64 bits before its zigzag is undone, and where it ends."""
    byte = data[at]
    if byte < _MORE:
        return byte, at + 1
    value = byte & 0x7F
    at += 1
    byte = data[at]
    shift = 7
    while byte >= _MORE and shift < _LAST_SHIFT:
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        byte = data[at]
    value |= byte << shift
    # A last byte of zero, bits beyond the 64th, or still more bytes: the same number in another form, or none.
    if byte == 0 or value >= _NUMBERS:
        _refuse("a number", data)
    return value, at + 1


def _refuse(what: str, data: bytes) -> NoReturn:
    raise MalformedError(f"{what} is not in canonical form", Evidence(raw=data))
