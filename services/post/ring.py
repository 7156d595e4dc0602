"""The ring key: what opens the key ring.

Decides how keys are wrapped and kept on disk; which keys there are is for ``keys``, their copy outside the database for
``ring_file``. A restore needs any backup of the
database, the newest ring file and the ring key: copies of the first two may lie anywhere, the ring key has one copy, on a
medium of its own.
Source: design.md sections 6 and 7.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.wire.errors import RingError
from services.wire.hashing import Digest

__all__ = ["KeyRow", "RingKeys", "merged", "unwrap", "wrap", "write_durably"]

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_OWNER_ONLY: Final = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key of the ring as it is kept: what it is for in clear, itself wrapped (None: erased).

    ``created_at``, ``superseded_at`` and ``erased_at`` are in milliseconds since 1970. ``year`` is a facts key's.
    """

    key_id: Digest
    key_use: str
    channel: str
    case_id: bytes | None
    year: int | None
    made_here: bool
    created_at: int
    generation: int
    wrapped: bytes | None
    superseded_at: int | None = None
    erased_at: int | None = None


@dataclass(frozen=True, slots=True)
class RingKeys:
    """The ring keys that still exist, by generation; two only while keys are being wrapped anew."""

    by_generation: Mapping[int, bytes]

    @property
    def newest(self) -> int:
        """The generation that new keys are wrapped under."""
        return max(self.by_generation)

    def derived(self, label: bytes) -> Mapping[int, bytes]:
        """Return, by generation, the keys for one use other than wrapping; each use has a label of its own.

        Shape: ``HKDF-SHA-256(ring key, no salt, info = label)``, 32 bytes.
        """
        return {
            generation: HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=label).derive(key)
            for generation, key in self.by_generation.items()
        }

    @classmethod
    def load(cls, path: Path) -> RingKeys:
        """Read the ring key file: a line a generation, ``number hexadecimal``.

        Raises: RingError if it is missing, readable by others, or not of this form.
        """
        try:
            mode, text = path.stat().st_mode, path.read_text("ascii")
        except (OSError, ValueError) as error:
            raise RingError(f"the ring key {path.name} cannot be read; without it nothing here opens") from error
        # Whoever reads this file reads everything; a copy that anybody may read is no key.
        if mode & 0o077:
            raise RingError(f"the ring key {path.name} can be read by others: set its mode to 0600")
        try:
            keys = {int(number): bytes.fromhex(key) for number, key in (line.split() for line in text.splitlines() if line)}
        except ValueError as error:
            raise RingError(f"the ring key {path.name} is damaged: a line is a number and 64 hexadecimal digits") from error
        if not keys or any(len(key) != _KEY_BYTES for key in keys.values()):
            raise RingError(f"the ring key {path.name} is damaged: a line is a number and 64 hexadecimal digits")
        return cls(keys)

    @classmethod
    def create(cls, path: Path, random: Callable[[int], bytes]) -> RingKeys:
        """Make the first ring key; an existing file is never overwritten.

        Raises: RingError if there is one already.
        """
        if path.exists():
            raise RingError(f"there is a ring key {path.name} already; it is never replaced")
        keys = cls({1: random(_KEY_BYTES)})
        write_durably(path, f"1 {keys.by_generation[1].hex()}\n".encode("ascii"))
        return keys


def wrap(ring: RingKeys, key_id: Digest, key: bytes, random: Callable[[int], bytes]) -> bytes:
    """Return ``key`` wrapped under the newest ring key, bound to its id.

    Shape: ``nonce(12) | AES-256-GCM(ring key, nonce, AAD = key id, key)``.
    """
    nonce = random(_NONCE_BYTES)
    return nonce + AESGCM(ring.by_generation[ring.newest]).encrypt(nonce, key, key_id)


def unwrap(ring: RingKeys, row: KeyRow) -> bytes | None:
    """Return a key of the ring, None if it is erased, its ring key exists no more, or the row was damaged or changed."""
    ring_key = ring.by_generation.get(row.generation)
    if row.wrapped is None or ring_key is None:
        return None
    try:
        return AESGCM(ring_key).decrypt(row.wrapped[:_NONCE_BYTES], row.wrapped[_NONCE_BYTES:], row.key_id)
    except (InvalidTag, ValueError):
        return None


def merged(row: KeyRow, other: KeyRow) -> KeyRow:
    """Return ``row`` with whatever another copy of it knows of its end: erased, superseded, no longer a key to seal with.

    Whichever copy is the older one, a key never becomes again what it once ceased to be.
    """
    if row == other:
        return row
    return replace(
        row,
        made_here=row.made_here and other.made_here,
        superseded_at=row.superseded_at if row.superseded_at is not None else other.superseded_at,
        erased_at=row.erased_at if row.erased_at is not None else other.erased_at,
    )


def write_durably(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 so that after a power cut either the old or the new one is there, whole."""
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
