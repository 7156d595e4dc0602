"""The three functions everything on the wire is bound with: ``H``, ``M`` and DSSE's ``PAE``.

Source: schemas/README.md, "Notation".
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final, NewType

__all__ = [
    "DIGEST_BYTES",
    "Digest",
    "Id",
    "digest_of",
    "genesis_digest",
    "mac",
    "pre_authentication_encoding",
]

Digest = NewType("Digest", bytes)
"""32 bytes of SHA-256 (or of HMAC-SHA-256 for key ids)."""

Id = NewType("Id", bytes)
"""16 bytes: an event id or a case id (the bytes of a UUID)."""

DIGEST_BYTES: Final = 32


def digest_of(data: bytes) -> Digest:
    """Return ``H(data)``, the SHA-256."""
    return hashlib.sha256(data).digest()  # type: ignore[return-value]  # a digest; the name costs a call


def mac(key: bytes, data: bytes) -> bytes:
    """Return ``M(key, data)``, the HMAC-SHA-256."""
    return hmac.digest(key, data, "sha256")


def pre_authentication_encoding(payload_type: bytes, payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding, the bytes that are signed and hashed.

    Shape: ``DSSEv1 SP len(type) SP type SP len(payload) SP payload``, lengths in ASCII decimals.
    Source: DSSE protocol v1, "Signature Definition".
    """
    return b"DSSEv1 %d %b %d %b" % (len(payload_type), payload_type, len(payload), payload)


def genesis_digest(root_digest: Digest, channel: str) -> Digest:
    """Return the ``previous`` of a channel's first entry; it binds the chain to one exchange and one channel."""
    return digest_of(b"sarakste/v0/genesis\x00" + root_digest + channel.encode("ascii"))
