"""Sealing: how a part of an event is hidden, and bound to its one place.

Decides whether a part opens *here*, under *this* key. The context (part, channel, event, salt) goes into the key that
encrypts, so a part cannot be moved between events or channels; that key is used once, so there is no nonce to manage; it is
committed to, so one ciphertext cannot open two ways under two keys; and handing it to somebody discloses one part and
nothing else.
Source: schemas/README.md, "Sealed parts".
"""

from __future__ import annotations

import hmac
from enum import Enum
from typing import Final, NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.wire.entry import FACTS_LIMIT_BYTES, PERSONAL_LIMIT_BYTES, SEALING_OVERHEAD_BYTES
from services.wire.errors import Evidence, SealError
from services.wire.hashing import Digest, Id, digest_of, mac

__all__ = ["KEY_BYTES", "SALT_BYTES", "Part", "PartKey", "key_id", "open_part", "open_with_part_key", "part_key", "seal"]

KEY_BYTES: Final = 32
SALT_BYTES: Final = 32
_COMMITMENT_BYTES: Final = 32
_NONCE: Final = bytes(12)
_END_OF_TEXT: Final = b"\x80"

PartKey = NewType("PartKey", bytes)
"""32 bytes that open one part of one event and nothing else (``mk``)."""


class Part(Enum):
    """The two parts of an event; each is padded to steps of its own."""

    FACTS = "facts"
    PERSONAL = "personal"

    # Its sizes are looked up for every part that is opened, and an enum's own hash is a call in Python.
    __hash__ = object.__hash__


_STEP_BYTES: Final = {Part.FACTS: 512, Part.PERSONAL: 1024}
_LIMIT_BYTES: Final = {Part.FACTS: FACTS_LIMIT_BYTES, Part.PERSONAL: PERSONAL_LIMIT_BYTES}


def key_id(key: bytes) -> Digest:
    """Return the id of a key; two people who hold one id hold one key."""
    return Digest(mac(key, b"sarakste/v0/key-id"))


def part_key(key: bytes, part: Part, *, channel: str, event_id: Id, salt: bytes) -> PartKey:
    """Return the key of one part of one event.

    Shape: ``M(key, "sarakste/v0/" | part | NUL | channel | NUL | event_id | salt)``.
    Raises: ValueError if a key, an event id or a salt has a wrong length: a shorter one would let contexts run together.
    """
    if len(key) != KEY_BYTES or len(event_id) != 16 or len(salt) != SALT_BYTES:  # noqa: PLR2004  # the size of an Id
        raise ValueError("a key has 32 bytes, an event id 16, a salt 32")
    context = b"sarakste/v0/%b\x00%b\x00%b%b" % (part.value.encode("ascii"), channel.encode("ascii"), event_id, salt)
    return PartKey(mac(key, context))


def seal(key: bytes, part: Part, plaintext: bytes, *, channel: str, event_id: Id, salt: bytes) -> bytes:
    """Return the sealed part.

    Shape: ``salt(32) | commitment(32) | AES-256-GCM(part key, nonce 0, no AAD, padded plaintext)``.
    ``salt`` MUST be fresh randomness: the part key, and with it the nonce, is used once because the salt is.
    Raises: ValueError if the padded plaintext is over the limit of its part; the caller tells the person before this.
    """
    padded = _pad(part, plaintext)
    opener = part_key(key, part, channel=channel, event_id=event_id, salt=salt)
    return salt + _commitment(opener) + AESGCM(opener).encrypt(_NONCE, padded, None)


def open_part(key: bytes, part: Part, sealed: bytes, *, channel: str, event_id: Id) -> bytes:
    """Return the plaintext of a part that was sealed under ``key`` for exactly this place.

    Raises: SealError if it was not, if it was damaged, or if its padding is not the strict one.
    """
    return _opened(part_key(key, part, channel=channel, event_id=event_id, salt=_salt(part, sealed)), part, sealed)


def open_with_part_key(opener: PartKey, part: Part, sealed: bytes) -> bytes:
    """Return the plaintext of a part whose own key was disclosed.

    Raises: SealError if the key is not this part's, or the part is damaged or badly padded.
    """
    _salt(part, sealed)
    return _opened(opener, part, sealed)


def _opened(opener: PartKey, part: Part, sealed: bytes) -> bytes:
    found = sealed[SALT_BYTES : SALT_BYTES + _COMMITMENT_BYTES]
    expected = _commitment(opener)
    # Before decrypting: AES-GCM alone commits to no key, so one ciphertext could open two ways under two keys.
    if not hmac.compare_digest(found, expected):
        raise SealError(
            "a part is not sealed for this place under this key",
            Evidence(expected=expected.hex(), found=found.hex(), raw=sealed),
        )
    try:
        padded = AESGCM(opener).decrypt(_NONCE, sealed[SALT_BYTES + _COMMITMENT_BYTES :], None)
    except InvalidTag as error:
        evidence = Evidence(expected="what was sealed under this key", found=digest_of(sealed).hex(), raw=sealed)
        raise SealError("a sealed part is damaged", evidence) from error
    plaintext = _unpadded(part, padded)
    if plaintext is None:
        # The sealed bytes: what was opened is nothing for an error.
        evidence = Evidence(expected="the one padding of its text", found=digest_of(sealed).hex(), raw=sealed)
        raise SealError("a part is not padded strictly", evidence)
    return plaintext


def _salt(part: Part, sealed: bytes) -> bytes:
    size = len(sealed) - SEALING_OVERHEAD_BYTES
    if not _is_step(part, size):
        steps = f"{SEALING_OVERHEAD_BYTES} bytes more than {_STEP_BYTES[part]} times a power of two"
        evidence = Evidence(expected=steps, found=str(len(sealed)), raw=sealed)
        raise SealError("a sealed part has no size that a sealed part can have", evidence)
    return sealed[:SALT_BYTES]


def _commitment(opener: PartKey) -> bytes:
    return digest_of(b"sarakste/v0/commitment\x00" + opener)


def _padded_size(part: Part, length: int) -> int:
    size = _STEP_BYTES[part]
    while size < length + 1:
        size *= 2
    return size


def _is_step(part: Part, size: int) -> bool:
    return size <= _LIMIT_BYTES[part] and size == _padded_size(part, size - 1)


def _pad(part: Part, plaintext: bytes) -> bytes:
    size = _padded_size(part, len(plaintext))
    if size > _LIMIT_BYTES[part]:
        raise ValueError(f"a {part.value} part is limited to {_LIMIT_BYTES[part] - 1} bytes, this one has {len(plaintext)}")
    return (plaintext + _END_OF_TEXT).ljust(size, b"\x00")


def _unpadded(part: Part, padded: bytes) -> bytes | None:
    plaintext, mark, _ = padded.rpartition(_END_OF_TEXT)
    # The strict form: one padding a plaintext, so that a size step says nothing that the writer chose.
    return plaintext if mark and _pad(part, plaintext) == padded else None
