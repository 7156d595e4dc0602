"""Changes one value somewhere in DER, and makes all lengths around it right again."""

from __future__ import annotations

from random import Random
from typing import Final

from tests.fuzz.target import Raw

__all__ = ["changed_der", "children", "tlv"]

_CONSTRUCTED: Final = 0x20
_LONG: Final = 0x80
_SEQUENCE: Final = 0x30


def tlv(tag: int, content: bytes) -> bytes:
    """Return tag, length and content."""
    if len(content) < _LONG:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG | len(length)]) + length + content


def children(data: bytes) -> list[tuple[int, bytes]]:
    """Return tag and content of each value that stands in ``data``, one after the other.

    Raises: ValueError if it is no DER of single-byte tags.
    """
    found, at = [], 0
    while at < len(data):
        if at + 2 > len(data):
            raise ValueError(at)
        tag, size, at = data[at], data[at + 1], at + 2
        if size >= _LONG:
            width = size & 0x7F
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        if at + size > len(data):
            raise ValueError(at)
        found.append((tag, data[at : at + size]))
        at += size
    return found


def changed_der(content: bytes, rng: Random, raw: Raw) -> bytes:
    """Return the content of a constructed value in which something is other than it was."""
    try:
        found = children(content)
    except ValueError:
        found = []
    if not found:
        return raw(content, len(content) + 32)
    at = rng.randrange(len(found))
    tag, inner = found[at]
    # Constructed values, and the extensions' values that stand inside octet strings.
    if tag & _CONSTRUCTED or (inner[:1] == bytes([_SEQUENCE]) and rng.random() < 0.8):  # mostly further inside
        if rng.random() < 0.85:  # mostly further inside
            found[at] = (tag, changed_der(inner, rng, raw))
            return b"".join(tlv(*each) for each in found)
    elif rng.random() < 0.6:  # mostly the value, not its place
        found[at] = (tag, raw(inner, len(inner) + 8))
        return b"".join(tlv(*each) for each in found)
    match rng.randint(0, 3):
        case 0:
            del found[at]
        case 1:
            found.insert(rng.randint(0, len(found)), found[at])
        case 2:
            found[at] = (rng.choice([0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x13, 0x17, 0x18, 0x30, 0x31, 0xA0, 0xA3]), inner)
        case _:
            rng.shuffle(found)
    return b"".join(tlv(*each) for each in found)
