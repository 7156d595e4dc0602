"""Decoders that know canonical bytes alone, made once a schema: for the plain types that nearly everything here is made of.

For own schemas alone, whose names and numbers are what they seem. They decide nothing by refusing: what one of them does not take
is left to ``avro``, which encodes again and compares. What one takes is exactly what that comparison would, with the same value,
since there is one way through it for each byte. It exists because encoding again costs more than decoding, for each event that is
read; a test holds it against the library over all own schemas and every kind of twin.
Source: schemas/README.md, the paragraph on canonical Avro.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final, TypeAlias

__all__ = ["Decoder", "OtherFormError", "decoder_of"]

Decoder: TypeAlias = Callable[[bytes, int], tuple[Any, int]]
"""Returns the value that begins at a place of some bytes, and where it ends.

Raises: OtherFormError if it is in another form, or of other bytes; IndexError if they are cut off.
"""

_Resolve: TypeAlias = Callable[[Any], Any]
_MORE: Final = 0x80
_LAST_SHIFT: Final = 63
_LONG_NUMBERS: Final = 2**64
_INT_NUMBERS: Final = 2**32
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()
_LAST_DAY: Final = date.max.toordinal() - _FIRST_DAY
_BOOLEANS: Final = {0: False, 1: True}


class OtherFormError(ValueError):
    """Bytes are not the canonical ones of a plain value; whether they are anything is for the library to say."""


def decoder_of(node: Any, resolve: _Resolve) -> Decoder | None:
    """Return the decoder of a type of a parsed schema, None if it is none of the plain types, or has one among its parts.

    ``resolve`` gives the definition that a name stands for.
    """
    node = resolve(node)
    if isinstance(node, list):
        return _nullable(node, resolve)
    if not isinstance(node, dict):
        return _PRIMITIVES.get(node)
    kind = node["type"]
    if "logicalType" in node:
        return _day if (kind, node["logicalType"]) == ("int", "date") else None
    make = _COMPOUND.get(kind)
    # {"type": "int"} and the like stand for what they wrap.
    return make(node, resolve) if make is not None else decoder_of(kind, resolve)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number before its zigzag is undone, and where it ends."""
    value = data[at]
    if value < _MORE:
        return value, at + 1
    byte = data[at + 1]
    # Most numbers take one byte or two.
    if 0 < byte < _MORE:
        return value & 0x7F | byte << 7, at + 2
    value, shift, at = value & 0x7F, 7, at + 2
    while byte >= _MORE and shift < _LAST_SHIFT:
        value |= (byte & 0x7F) << shift
        shift += 7
        byte = data[at]
        at += 1
    value |= byte << shift
    # A last byte of zero, bits beyond the 64th, or still more bytes: the same number in another form, or none.
    if byte == 0 or value >= _LONG_NUMBERS:
        raise OtherFormError
    return value, at


def _long(data: bytes, at: int) -> tuple[int, int]:
    value, at = _number(data, at)
    return (value >> 1) ^ -(value & 1), at


def _int(data: bytes, at: int) -> tuple[int, int]:
    value = data[at]
    if value < _MORE:
        # One byte, as most numbers: a call less for each.
        return (value >> 1) ^ -(value & 1), at + 1
    value, at = _number(data, at)
    # An ``int`` has 32 bits, and the library reads more without a word.
    if value >= _INT_NUMBERS:
        raise OtherFormError
    return (value >> 1) ^ -(value & 1), at


def _day(data: bytes, at: int) -> tuple[date, int]:
    value, at = _number(data, at)
    days = (value >> 1) ^ -(value & 1)
    # What is no day, be it in 32 bits or beyond.
    if not -_FIRST_DAY < days <= _LAST_DAY:
        raise OtherFormError
    return date.fromordinal(_FIRST_DAY + days), at


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    size, start = _number(data, at)
    end = start + (size >> 1)
    # A negative length reads as none in some libraries.
    if size & 1 or end > len(data):
        raise OtherFormError
    return data[start:end], end


def _string(data: bytes, at: int) -> tuple[str, int]:
    found, at = _bytes(data, at)
    try:
        return found.decode(), at
    except UnicodeDecodeError:
        raise OtherFormError from None


def _boolean(data: bytes, at: int) -> tuple[bool, int]:
    # Some libraries read any other byte as true.
    value = _BOOLEANS.get(data[at])
    if value is None:
        raise OtherFormError
    return value, at + 1


def _null(_: bytes, at: int) -> tuple[None, int]:
    return None, at


_PRIMITIVES: Final[dict[Any, Decoder]] = {
    "null": _null,
    "boolean": _boolean,
    "int": _int,
    "long": _long,
    "string": _string,
    "bytes": _bytes,
}


def _fixed(node: Any, _: _Resolve) -> Decoder:
    size: int = node["size"]

    def decode(data: bytes, at: int) -> tuple[bytes, int]:
        end = at + size
        if end > len(data):
            raise OtherFormError
        return data[at:end], end

    return decode


def _enum(node: Any, _: _Resolve) -> Decoder | None:
    symbols: list[str] = node["symbols"]
    if len(set(symbols)) < len(symbols):
        # Two indexes of one symbol: which of them is the canonical one is for the library to say.
        return None

    def decode(data: bytes, at: int) -> tuple[str, int]:
        index, at = _number(data, at)
        # A negative index reads as one from the end.
        if index & 1:
            raise OtherFormError
        return symbols[index >> 1], at

    return decode


def _nullable(branches: list[Any], resolve: _Resolve) -> Decoder | None:
    """Return the decoder of null and one more; which of several others a value belongs to is for the library to say."""
    others = [each for each in branches if each != "null"]
    inner = decoder_of(others[0], resolve) if len(others) == 1 and len(branches) == 2 else None  # noqa: PLR2004
    if inner is None:
        return None
    # Each index in its one byte.
    of_null, of_other = branches.index("null") << 1, branches.index(others[0]) << 1

    def decode(data: bytes, at: int) -> tuple[Any, int]:
        branch = data[at]
        if branch == of_null:
            return None, at + 1
        if branch != of_other:
            raise OtherFormError
        return inner(data, at + 1)

    return decode


def _record(node: Any, resolve: _Resolve) -> Decoder | None:
    found = [(each["name"], decoder_of(each["type"], resolve)) for each in node["fields"]]
    parts = [(name, part) for name, part in found if part is not None]
    # Of two fields of one name the library encodes the second twice.
    if len(parts) < len(found) or len(dict(parts)) < len(parts):
        return None

    def decode(data: bytes, at: int) -> tuple[dict[str, Any], int]:
        record = {}
        for name, part in parts:
            record[name], at = part(data, at)
        return record, at

    return decode


def _array(node: Any, resolve: _Resolve) -> Decoder | None:
    inner = decoder_of(node["items"], resolve)
    if inner is None:
        return None

    def decode(data: bytes, at: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        count, at = _number(data, at)
        # Items are one block, and one that is empty is none. Each takes a byte, or no schema that is read has them: whoever
        # counts more than there are comes to the end of the bytes.
        if count & 1:
            raise OtherFormError
        for _ in range(count >> 1):
            each, at = inner(data, at)
            found.append(each)
        if count:
            if data[at] != 0:
                raise OtherFormError
            at += 1
        return found, at

    return decode


_COMPOUND: Final[dict[str, Callable[[Any, _Resolve], Decoder | None]]] = {
    "record": _record,
    "array": _array,
    "enum": _enum,
    "fixed": _fixed,
}
