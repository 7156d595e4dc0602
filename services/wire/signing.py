"""ECDSA P-256 over SHA-256, strict and low: the one signature of the wire.

Source: schemas/README.md, "Signature"; RFC 6979 for the deterministic form.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature, encode_dss_signature

from services.wire.errors import Evidence, SignatureError
from services.wire.hashing import Digest, digest_of

__all__ = ["CURVE_ORDER", "require_strict", "sign", "verify_digest", "verify_signature"]

CURVE_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_NUMBER_BYTES: Final = 32
_HALF_ORDER_BYTES: Final = (CURVE_ORDER // 2).to_bytes(_NUMBER_BYTES, "big")
_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_SIGN: Final = 0x80
_FIRST: Final = 4
_STRICT: Final = "two numbers in minimal DER, the second in the lower half"
_HASHED: Final = ec.ECDSA(Prehashed(hashes.SHA256()))


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
    verify_digest(key, signature, digest_of(data))


def verify_digest(key: ec.EllipticCurvePublicKey, signature: bytes, digest: Digest) -> None:
    """Return if ``signature`` is the strict, low signature of the data whose SHA-256 is ``digest``; errors as above.

    ``digest`` MUST have been computed by the caller from the bytes, never read from somewhere: what is signed and what is
    chained is one hash, so an entry need not be hashed twice.
    """
    require_strict(signature)
    try:
        key.verify(signature, digest, _HASHED)
    except InvalidSignature as error:
        expected = f"a signature of {digest.hex()} by this key"
        raise SignatureError("a signature is not by this key over these bytes", _not(expected, signature)) from error


def _not(expected: str, signature: bytes) -> Evidence:
    return Evidence(expected=expected, found=signature.hex() or "nothing", raw=signature)


def require_strict(signature: bytes) -> None:
    """Return if a signature is two positive numbers in minimal DER, the second in the lower half.

    Twins are refused: other DER of the same numbers, and (r, n - s), would verify as well.
    Raises: SignatureError saying which of these it is not; whether it is by some key is for ``verify_digest``.
    """
    try:
        middle = _FIRST + signature[_FIRST - 1]
        second = middle + 2
        framed = (
            signature[0] == _SEQUENCE and signature[1] == len(signature) - 2 and signature[2] == signature[middle] == _INTEGER
        )
        if not framed or second + signature[middle + 1] != len(signature) or not _FIRST < middle <= _FIRST + 1 + _NUMBER_BYTES:
            raise SignatureError("a signature is not in minimal DER", _not(_STRICT, signature))
        for at in (_FIRST, second):
            # No sign, and no zero in front but where it keeps the sign away.
            if signature[at] >= _SIGN or (signature[at] == 0 and signature[at + 1] < _SIGN):
                raise SignatureError("a signature is not in minimal DER", _not(_STRICT, signature))
    except IndexError as error:
        raise SignatureError("a signature is not DER", _not(_STRICT, signature)) from error
    if len(signature) - second > _NUMBER_BYTES or signature[second:].rjust(_NUMBER_BYTES, b"\x00") > _HALF_ORDER_BYTES:
        raise SignatureError("a signature has s in the upper half", _not(_STRICT, signature))
