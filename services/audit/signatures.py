"""Signatures: which of a stretch are verified, and whether they are valid."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from cryptography.hazmat.primitives.asymmetric import ec

from services.audit.stretches import Stretch
from services.wire.errors import SignatureError
from services.wire.hashing import Digest
from services.wire.signing import verify_digest

__all__ = ["Signatures", "are_signed", "is_signed"]


class Signatures(Enum):
    """Which signatures of what plainly goes on are verified: each, or the newest of a stretch."""

    NEWEST = "newest"
    EACH = "each"


def are_signed(key: ec.EllipticCurvePublicKey, stretch: Stretch, signatures: Signatures) -> bool:
    """Tell whether those signatures of a stretch are valid, all in this thread."""
    pairs = list(zip(stretch.digests, stretch.signatures, strict=True))
    return is_signed(key, pairs[-1:] if signatures is Signatures.NEWEST else pairs)


def is_signed(key: ec.EllipticCurvePublicKey, pairs: Iterable[tuple[Digest, bytes]]) -> bool:
    """Tell whether each of some digests has a valid signature beside it."""
    try:
        for digest, signature in pairs:
            verify_digest(key, signature, digest)
    except SignatureError:
        return False
    return True
