"""ECDSA P-256 over SHA-256, strict and low: the one signature of the wire.

Source: schemas/README.md, "Signature"; RFC 6979 for the deterministic form.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from services.wire.errors import Evidence, SignatureError

__all__ = ["CURVE_ORDER", "sign", "verify_signature"]

CURVE_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HALF_ORDER: Final = CURVE_ORDER // 2
_ALGORITHM: Final = ec.ECDSA(hashes.SHA256())


def sign(key: ec.EllipticCurvePrivateKey, data: bytes, *, deterministic: bool = True) -> bytes:
    """Return the strict DER signature of ``data`` with s in the lower half.

    Deterministic by default (RFC 6979): a signer that has no good randomness does not give its key away.
    """
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=deterministic)))
    return encode_dss_signature(r, min(s, CURVE_ORDER - s))


def verify_signature(key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> None:
    """Return if ``signature`` is the strict, low signature of ``data`` under ``key``.

    Raises: SignatureError if the DER is not minimal, s is in the upper half, or the signature is not of this key and data.
    """
    try:
        r, s = decode_dss_signature(signature)
    except ValueError as error:
        raise SignatureError("a signature is not DER", Evidence(raw=signature)) from error
    # Twins: other DER of the same numbers, and (r, n - s), verify as well; both are refused.
    if encode_dss_signature(r, s) != signature:
        raise SignatureError("a signature is not in minimal DER", Evidence(raw=signature))
    if s > _HALF_ORDER:
        raise SignatureError("a signature has s in the upper half", Evidence(raw=signature))
    try:
        key.verify(signature, data, _ALGORITHM)
    except InvalidSignature as error:
        raise SignatureError("a signature is not by this key over these bytes", Evidence(raw=signature)) from error
