"""Key grants: a record of a mailbox, whose signer and whose recipient's key the fuzzer has."""

from __future__ import annotations

import json
from dataclasses import asdict
from random import Random
from typing import Any, Final

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519

from services.wire import avro
from services.wire.errors import GrantError, MalformedError, SignatureError
from services.wire.grants import GrantedKey, GrantHeader, KeyUse, UnverifiedGrant, decode_grant, make_grant, open_grant
from services.wire.sealing import key_id
from tests.chains import key_of
from tests.fuzz.avro_mutator import altered, recoded
from tests.fuzz.target import Raw, Target, refused, require
from tests.vectors.faults import GRANT, bad, grant_made
from tests.vectors.make import COMMISSION_SEAL, ENCRYPTION_KEY, grant_header, granted

__all__ = ["GRANTS"]

_SIGNER: Final = key_of(COMMISSION_SEAL[0])
_HEADER: Final = avro.load_schema("wire/GrantHeader.avsc")
_GRANT: Final = avro.load_schema("wire/Grant.avsc")
_LETTER: Final = avro.load_schema("wire/KeyGrant.avsc")
_PLAIN: Final = avro.load_schema("wire/GrantedKey.avsc")
_START: Final = avro.single_object_header(_LETTER)
_INFO: Final = b"sarakste/v0/key-grant\x00"
_SUITE: Final = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_PUBLIC: Final = hpke.MLKEM768X25519PublicKey(
    mlkem.MLKEM768PrivateKey.from_seed_bytes(ENCRYPTION_KEY.seed).public_key(),
    x25519.X25519PrivateKey.from_private_bytes(ENCRYPTION_KEY.scalar).public_key(),
)


def _seeds() -> list[bytes]:
    whole = bytes.fromhex(json.loads(GRANT.read_text("utf-8"))["record"])
    facts_key = GrantedKey(key=granted().key, use=KeyUse.FACTS, case_id=None)
    return [
        whole,
        make_grant(_SIGNER, grant_header(), facts_key, public_key=ENCRYPTION_KEY.public_key),
        *(bytes.fromhex(each) for each in bad()["grants"].values()),
    ]


def _check(data: bytes) -> bool:
    try:
        grant = decode_grant(data)
    except (GrantError, MalformedError) as error:
        return refused(error)
    letter = {"grant": grant.grant_bytes, "signature": grant.signature}
    again = avro.encode(_GRANT, {"header": asdict(grant.header), "sealed": grant.sealed})
    require(again == grant.grant_bytes, "a grant has another encoding")
    require(_START + avro.encode(_LETTER, letter) == data, "a letter has another encoding")
    keys = {grant_header().prekey: ENCRYPTION_KEY}
    try:
        found = open_grant(grant, _SIGNER.public_key(), recipient=grant_header().recipient, keys=keys)
    except (SignatureError, GrantError, MalformedError) as error:
        return refused(error)
    _check_key(grant, found)
    return True


def _check_key(grant: UnverifiedGrant, found: GrantedKey) -> None:
    require(grant.header.recipient == grant_header().recipient, "somebody else's grant is taken")
    require(key_id(found.key) == grant.header.key_id and len(found.key) == 32, "a grant gives another key than it names")
    require((found.case_id is None) == (found.use is KeyUse.FACTS), "a key's use and its case do not fit")


def _mutate(data: bytes, rng: Random, raw: Raw) -> bytes:
    try:
        grant = avro.decode(_GRANT, avro.decode(_LETTER, data[len(_START) :])["grant"])
        header = GrantHeader(**grant["header"])
    except MalformedError:
        return raw(data, len(data) + 64)
    match rng.randint(0, 3):
        case 0:
            return _START + recoded(_LETTER, data[len(_START) :], rng, raw)
        case 1:
            return grant_made(header, raw(grant["sealed"], len(grant["sealed"]) + 64), COMMISSION_SEAL[0])
        case 2:
            return _resealed(altered(_HEADER, grant["header"], rng, raw), _plaintext(grant_header()), data, rng)
        case _:
            plaintext = raw(_plaintext(header), 128) if rng.random() < 0.2 else recoded(_PLAIN, _plaintext(header), rng, raw)
            return _resealed(grant["header"], plaintext, data, rng)


def _plaintext(header: GrantHeader) -> bytes:
    use = KeyUse.FACTS if header.issued_at % 2 else KeyUse.CASE
    return avro.encode(_PLAIN, {"key": granted().key, "use": use.value, "case_id": None if use is KeyUse.FACTS else bytes(16)})


def _resealed(header: dict[str, Any], plaintext: bytes, data: bytes, rng: Random) -> bytes:
    """Return a letter that is sealed and signed rightly around what is altered; mostly its header names the key that it holds."""
    try:
        if rng.random() < 0.7:
            header = header | {"key_id": key_id(avro.decode(_PLAIN, plaintext)["key"])}
        sealed = _SUITE.encrypt(plaintext, _PUBLIC, info=_INFO + avro.encode(_HEADER, header))
        return grant_made(GrantHeader(**header), sealed, COMMISSION_SEAL[0])
    except (MalformedError, ValueError, TypeError, OverflowError):
        return data


GRANTS: Final = Target(
    name="grants", about="a record of a mailbox", seeds=_seeds, check=_check, mutate=_mutate, limit_bytes=17 * 1024
)
