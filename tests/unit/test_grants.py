"""A grant opens for the one it is for, and says what it holds."""

from __future__ import annotations

import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from services.wire import avro, grants
from services.wire.errors import GrantError, MalformedError, SignatureError, VerificationError
from services.wire.grants import EncryptionKey, GrantedKey, GrantHeader, KeyUse
from services.wire.hashing import Digest, Id, pre_authentication_encoding
from services.wire.sealing import key_id
from services.wire.signing import sign

SIGNER = ec.derive_private_key(1, ec.SECP256R1())
THIEF = ec.derive_private_key(2, ec.SECP256R1())
MINE = EncryptionKey(seed=b"s" * 64, scalar=b"x" * 32)
PREKEY = grants.prekey_id(grants.SUITE, MINE.public_key)
GRANTED = GrantedKey(key=b"k" * 32, use=KeyUse.CASE, case_id=Id(b"c" * 16))
HEADER = GrantHeader(
    grant_id=Id(b"g" * 16),
    channel="school-0099900011.to-commission",
    certificate=Digest(b"l" * 32),
    recipient="commission",
    prekey=PREKEY,
    key_id=key_id(GRANTED.key),
    issued_at=1_787_000_000_000,
)
RECORD = grants.make_grant(SIGNER, HEADER, GRANTED, public_key=MINE.public_key)


def opened(record: bytes, recipient: str = "commission") -> GrantedKey:
    return grants.open_grant(grants.decode_grant(record), SIGNER.public_key(), recipient=recipient, keys={PREKEY: MINE})


def letter(header: GrantHeader, sealed: bytes, signer: ec.EllipticCurvePrivateKey = SIGNER) -> bytes:
    grant = avro.encode(avro.load_schema("wire/Grant.avsc"), {"header": dataclasses.asdict(header), "sealed": sealed})
    schema = avro.load_schema("wire/KeyGrant.avsc")
    signature = sign(signer, pre_authentication_encoding(b"application/vnd.sarakste.key-grant.v0+avro", grant))
    return avro.single_object_header(schema) + avro.encode(schema, {"grant": grant, "signature": signature})


def test_a_grant_opens_for_its_recipient() -> None:
    assert grants.decode_grant(RECORD).header == HEADER
    assert opened(RECORD) == GRANTED


def test_a_facts_key_is_granted_without_a_case() -> None:
    granted = GrantedKey(key=GRANTED.key, use=KeyUse.FACTS, case_id=None)
    assert opened(grants.make_grant(SIGNER, HEADER, granted, public_key=MINE.public_key)) == granted


def test_a_public_key_is_1184_and_32_bytes() -> None:
    assert len(MINE.public_key) == 1184 + 32


def test_a_grant_for_somebody_else_is_refused() -> None:
    with pytest.raises(GrantError, match="somebody else"):
        opened(RECORD, recipient="school-0099900022")


def test_a_grant_signed_anew_by_a_thief_is_refused() -> None:
    with pytest.raises(SignatureError):
        opened(letter(HEADER, grants.decode_grant(RECORD).sealed, THIEF))


def test_a_sealed_key_under_another_header_does_not_open() -> None:
    moved = dataclasses.replace(HEADER, channel="school-0099900022.to-commission")
    with pytest.raises(GrantError, match="does not open"):
        opened(letter(moved, grants.decode_grant(RECORD).sealed))


def test_a_grant_to_a_key_that_is_gone_is_refused() -> None:
    with pytest.raises(GrantError, match="gone"):
        grants.open_grant(grants.decode_grant(RECORD), SIGNER.public_key(), recipient="commission", keys={})


def test_a_grant_for_a_channel_that_is_none_is_refused() -> None:
    with pytest.raises(MalformedError, match="channel"):
        opened(letter(dataclasses.replace(HEADER, channel="nowhere"), b""))


@pytest.mark.parametrize(
    ("key", "case_id", "message"), [(b"z" * 32, b"c" * 16, "another key"), (b"k" * 32, None, "exactly when")]
)
def test_a_lie_inside_a_grant_is_found(key: bytes, case_id: bytes | None, message: str) -> None:
    plaintext = avro.encode(avro.load_schema("wire/GrantedKey.avsc"), {"key": key, "use": "CASE", "case_id": case_id})
    info = b"sarakste/v0/key-grant\x00" + avro.encode(avro.load_schema("wire/GrantHeader.avsc"), dataclasses.asdict(HEADER))
    with pytest.raises(GrantError, match=message):
        opened(letter(HEADER, grants.encrypt_to(MINE.public_key, plaintext, info)))


@pytest.mark.parametrize("place", range(0, len(RECORD), 97))
def test_no_byte_of_a_grant_can_change(place: int) -> None:
    damaged = bytearray(RECORD)
    damaged[place] ^= 1
    with pytest.raises(VerificationError):
        opened(bytes(damaged))


def test_what_is_no_grant_or_too_large_is_refused() -> None:
    for record, text in ((b"junk", "no grant"), (RECORD + bytes(grants.GRANT_LIMIT_BYTES), "over the limit of a grant")):
        with pytest.raises(GrantError, match=text):
            grants.decode_grant(record)


@pytest.mark.parametrize(
    ("seed", "scalar"), [(b"s", b"x" * 32), (b"s" * 64, b"x"), (bytes(64), b"x" * 32), (b"s" * 64, bytes(32))]
)
def test_a_broken_private_key_is_refused_at_import(seed: bytes, scalar: bytes) -> None:
    with pytest.raises(GrantError, match="private encryption key"):
        EncryptionKey(seed=seed, scalar=scalar)


@pytest.mark.parametrize("public", [b"", bytes(1184) + b"x" * 32, MINE.public_key[:1184] + bytes(32), b"\xff" * 1216])
def test_a_broken_public_key_is_not_sealed_to(public: bytes) -> None:
    header = dataclasses.replace(HEADER, prekey=grants.prekey_id(grants.SUITE, public))
    with pytest.raises(GrantError, match="public encryption key"):
        grants.make_grant(SIGNER, header, GRANTED, public_key=public)


def test_a_header_that_names_another_key_is_our_own_bug() -> None:
    with pytest.raises(ValueError, match="another key"):
        grants.make_grant(SIGNER, dataclasses.replace(HEADER, key_id=Digest(bytes(32))), GRANTED, public_key=MINE.public_key)


@pytest.mark.parametrize("issued_at", [-1, 253_402_300_800_000])
def test_a_grant_of_no_year_is_refused(issued_at: int) -> None:
    header = dataclasses.replace(HEADER, issued_at=issued_at)
    with pytest.raises(MalformedError, match="9999"):
        grants.decode_grant(grants.make_grant(SIGNER, header, GRANTED, public_key=MINE.public_key))
