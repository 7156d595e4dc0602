"""Key grants: how one key reaches one recipient, as a signed letter in a mailbox.

Decides whether a grant is genuine, meant for me and self-consistent. Whether its signer may grant, and whether its key is
already known or erased, is for the caller, who has trust and the key ring.
Source: schemas/README.md, "Key grants"; RFC 9180 (HPKE, base mode).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any, Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, x25519

from services.wire import avro
from services.wire.channels import channel_kind
from services.wire.entry import YEAR_10000_MILLISECONDS
from services.wire.errors import Evidence, GrantError, MalformedError
from services.wire.hashing import Digest, Id, digest_of, pre_authentication_encoding
from services.wire.sealing import KEY_BYTES, key_id
from services.wire.signing import sign, verify_signature

__all__ = [
    "SUITE",
    "EncryptionKey",
    "GrantHeader",
    "GrantedKey",
    "KeyUse",
    "UnverifiedGrant",
    "decode_grant",
    "encrypt_to",
    "make_grant",
    "open_grant",
    "prekey_id",
    "require_public_key",
]

SUITE: Final = "MLKEM768_X25519-HKDF_SHA256-AES_256_GCM"
GRANT_LIMIT_BYTES: Final = 16 * 1024
_GRANT_TYPE: Final = b"application/vnd.sarakste.key-grant.v0+avro"
_INFO: Final = b"sarakste/v0/key-grant\x00"
_ML_KEM_PUBLIC_BYTES: Final = 1184
_ML_KEM_SEED_BYTES: Final = 64
_X25519_BYTES: Final = 32
_HPKE: Final = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class KeyUse(Enum):
    """For which one use a key was made."""

    FACTS = "FACTS"
    CASE = "CASE"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantHeader:
    """What a grant says in clear. ``issued_at`` is in milliseconds since 1970, UTC."""

    grant_id: Id
    channel: str
    certificate: Digest
    recipient: str
    prekey: Digest
    key_id: Digest
    issued_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedKey:
    """What a grant hides: a key, its use, and for a case key the case (as its channel's writer names it)."""

    key: bytes
    use: KeyUse
    case_id: Id | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedGrant:
    """A well-formed letter that nobody has vouched for: enough to look up whose certificate to check it against."""

    header: GrantHeader
    sealed: bytes
    grant_bytes: bytes
    signature: bytes


@dataclass(frozen=True, kw_only=True)
class EncryptionKey:
    """The private half to which grants are sealed: an ML-KEM-768 seed and an X25519 key, both drawn by the caller.

    What is made of them is kept as long as this is: many letters are opened with one.

    Raises: GrantError if a half has a wrong length or is all zero.
    """

    seed: bytes
    scalar: bytes

    def __post_init__(self) -> None:
        if len(self.seed) != _ML_KEM_SEED_BYTES or len(self.scalar) != _X25519_BYTES:
            raise GrantError("a private encryption key has 64 bytes of seed and 32 of X25519")
        if not any(self.seed) or not any(self.scalar):
            raise GrantError("half of a private encryption key is zero")

    @property
    def public_key(self) -> bytes:
        """The public half: ML-KEM-768 (1,184 bytes), then X25519 (32 bytes)."""
        kem, curve = self._halves
        return kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()

    def decrypt(self, sealed: bytes, info: bytes) -> bytes:
        """Return what was sealed to this key under ``info``.

        Raises: GrantError if it was not, or was damaged.
        """
        try:
            return _HPKE.decrypt(sealed, hpke.MLKEM768X25519PrivateKey(*self._halves), info=info)
        except (InvalidTag, ValueError) as error:
            evidence = Evidence(expected=f"sealed to {digest_of(self.public_key).hex()}", found=digest_of(sealed).hex())
            raise GrantError("a grant does not open with the key that it names", evidence) from error

    @cached_property
    def _halves(self) -> tuple[mlkem.MLKEM768PrivateKey, x25519.X25519PrivateKey]:
        kem = mlkem.MLKEM768PrivateKey.from_seed_bytes(self.seed)
        return kem, x25519.X25519PrivateKey.from_private_bytes(self.scalar)


def prekey_id(suite: str, public_key: bytes) -> Digest:
    """Return the id of a published encryption key: ``H(suite | NUL | public key)``."""
    return digest_of(suite.encode("ascii") + b"\x00" + public_key)


def make_grant(signer: ec.EllipticCurvePrivateKey, header: GrantHeader, granted: GrantedKey, *, public_key: bytes) -> bytes:
    """Return the record of a grant, for the mailbox of ``header.recipient``.

    HPKE draws its own randomness, so two calls give two records.
    Raises: GrantError if ``public_key`` is no encryption key; ValueError if header and key do not belong together.
    """
    if header.key_id != key_id(granted.key) or header.prekey != prekey_id(SUITE, public_key) or not _is_whole(granted):
        raise ValueError("the header of a grant names another key, another recipient's key, or half a case")
    plaintext = avro.encode(avro.load_schema("wire/GrantedKey.avsc"), {**_fields(granted), "use": granted.use.value})
    sealed = encrypt_to(public_key, plaintext, _info(header))
    grant = avro.encode(avro.load_schema("wire/Grant.avsc"), {"header": _fields(header), "sealed": sealed})
    letter = {"grant": grant, "signature": sign(signer, pre_authentication_encoding(_GRANT_TYPE, grant))}
    schema = avro.load_schema("wire/KeyGrant.avsc")
    return avro.single_object_header(schema) + avro.encode(schema, letter)


def decode_grant(record: bytes) -> UnverifiedGrant:
    """Return the grant in a mailbox's record; nothing of it is vouched for yet.

    Raises: GrantError if it is over its limit or not framed as a grant; MalformedError if it is not canonical.
    """
    schema = avro.load_schema("wire/KeyGrant.avsc")
    start = avro.single_object_header(schema)
    if len(record) > GRANT_LIMIT_BYTES:
        evidence = Evidence(expected=f"<= {GRANT_LIMIT_BYTES}", found=str(len(record)), raw=record)
        raise GrantError("a record of a mailbox is over the limit of a grant", evidence)
    if not record.startswith(start):
        raise GrantError("a record of a mailbox is no grant", Evidence(expected=start.hex(), found=record[:10].hex(), raw=record))
    letter = avro.decode(schema, record[len(start) :])
    grant = avro.decode(avro.load_schema("wire/Grant.avsc"), letter["grant"])
    header = GrantHeader(**grant["header"])
    if not 0 <= header.issued_at < YEAR_10000_MILLISECONDS:
        raise MalformedError("issued_at lies outside the years 1970 to 9999")
    return UnverifiedGrant(header=header, sealed=grant["sealed"], grant_bytes=letter["grant"], signature=letter["signature"])


def open_grant(
    grant: UnverifiedGrant, signer: ec.EllipticCurvePublicKey, *, recipient: str, keys: Mapping[Digest, EncryptionKey]
) -> GrantedKey:
    """Return the key in a grant that ``signer`` (of the certificate it names) wrote to ``recipient``.

    ``keys`` are the recipient's private encryption keys by prekey id.
    Raises: SignatureError if it is not by ``signer``; GrantError if it is for somebody else, sealed to a key that is gone,
    or says another key than it holds; MalformedError if its channel is none or its plaintext not canonical.
    """
    header = grant.header
    verify_signature(signer, grant.signature, pre_authentication_encoding(_GRANT_TYPE, grant.grant_bytes))
    channel_kind(header.channel)
    # A letter to somebody else, copied into my mailbox.
    if header.recipient != recipient:
        raise GrantError("a grant is for somebody else", Evidence(expected=recipient, found=header.recipient))
    mine = keys.get(header.prekey)
    if mine is None:
        known = " or ".join(each.hex() for each in keys) or "none: no private encryption key is here"
        raise GrantError(
            "a grant is sealed to a key that is not mine or is gone", Evidence(expected=known, found=header.prekey.hex())
        )
    record = avro.decode(avro.load_schema("wire/GrantedKey.avsc"), mine.decrypt(grant.sealed, _info(header)))
    granted = GrantedKey(key=record["key"], use=KeyUse(record["use"]), case_id=record["case_id"])
    # A key id with another key: what is sealed under the one would be looked for under the other.
    found = key_id(granted.key)
    if found != header.key_id:
        raise GrantError("a grant holds another key than it names", Evidence(expected=header.key_id.hex(), found=found.hex()))
    if not _is_whole(granted):
        found_use = f"{granted.use.value} {'with' if granted.case_id else 'without'} a case, {len(granted.key)} bytes"
        evidence = Evidence(expected="FACTS without a case or CASE with one, 32 bytes", found=found_use)
        raise GrantError("a grant names a case exactly when its key is a case's", evidence)
    return granted


def _is_whole(granted: GrantedKey) -> bool:
    return len(granted.key) == KEY_BYTES and (granted.case_id is None) == (granted.use is KeyUse.FACTS)


def _info(header: GrantHeader) -> bytes:
    return _INFO + avro.encode(avro.load_schema("wire/GrantHeader.avsc"), _fields(header))


def encrypt_to(public_key: bytes, plaintext: bytes, info: bytes) -> bytes:
    """Return a text that the holder of a public encryption key alone can open, bound to ``info``; no two calls give the same.

    Raises: GrantError if nothing can be sealed to the key.
    """
    try:
        return _HPKE.encrypt(plaintext, _public_key(public_key), info=info)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise GrantError("a public encryption key cannot be sealed to") from error


def require_public_key(public_key: bytes) -> None:
    """Return if letters can be sealed to a public encryption key; the only way to know of some is to seal something.

    Raises: GrantError.
    """
    encrypt_to(public_key, b"", b"")


def _fields(value: GrantHeader | GrantedKey) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


@lru_cache(maxsize=64)
def _public_key(public_key: bytes) -> hpke.MLKEM768X25519PublicKey:
    # Kept: taking the halves in costs as much as a signature, and many letters go to one key.
    kem, point = public_key[:_ML_KEM_PUBLIC_BYTES], public_key[_ML_KEM_PUBLIC_BYTES:]
    # The library notices an all-zero point only while it seals; both halves are refused here, as at import.
    if len(point) != _X25519_BYTES or not any(kem) or not any(point):
        raise GrantError("a public encryption key is 1,184 bytes of ML-KEM and 32 of X25519, neither of them zero")
    try:
        halves = mlkem.MLKEM768PublicKey.from_public_bytes(kem), x25519.X25519PublicKey.from_public_bytes(point)
        return hpke.MLKEM768X25519PublicKey(*halves)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise GrantError("a public encryption key cannot be sealed to") from error
