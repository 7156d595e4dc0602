"""The bytes of an entry: what is one, what only looks like one."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import event, given, settings
from hypothesis import strategies as st

from services.wire import avro, entry
from services.wire.entry import Open, Sealed, Statement
from services.wire.errors import Evidence, ExchangeError, MalformedError, SignatureError
from services.wire.hashing import Digest, Id, digest_of, genesis_digest, mac
from services.wire.signing import CURVE_ORDER, sign, verify_signature

KEY = ec.derive_private_key(20260817, ec.SECP256R1())
SEALED = Sealed(facts_key=Digest(b"k" * 32), facts=Digest(b"f" * 32), personal=Digest(b"p" * 32))
OPEN = Open(type="TrustConfirmed", content=b"")
STATEMENT = Statement(
    previous=Digest(b"a" * 32),
    certificate=Digest(b"c" * 32),
    channel="school-0099900011.record",
    epoch=0,
    sequence=1,
    written_at=1_787_000_000_000,
    event_id=Id(b"i" * 16),
    body=SEALED,
)
digests = st.binary(min_size=32, max_size=32).map(Digest)
bodies = st.builds(Sealed, facts_key=digests, facts=digests, personal=digests) | st.builds(
    Open, type=st.text(max_size=9), content=st.binary(max_size=40)
)
statements = st.builds(
    Statement,
    previous=digests,
    certificate=digests,
    channel=st.text(max_size=60),
    epoch=st.integers(0, 2**31 - 1),
    sequence=st.integers(1, 2**63 - 1),
    written_at=st.integers(0, 253_402_300_799_999),
    event_id=st.binary(min_size=16, max_size=16).map(Id),
    body=bodies,
)


def record(statement: Statement = STATEMENT, facts: bytes | None = b"facts", personal: bytes | None = b"personal") -> bytes:
    data = entry.encode_statement(statement)
    return entry.encode_entry(data, sign(KEY, entry.to_be_signed(data)), facts, personal)


@given(statements)
def test_every_statement_reads_back_as_it_was_written(statement: Statement) -> None:
    assert entry.decode_statement(entry.encode_statement(statement)) == statement


def test_an_entry_reads_back_and_shows_only_where_it_claims_to_stand() -> None:
    read = entry.decode_entry(record())
    assert (read.channel, read.epoch, read.sequence, read.certificate) == (STATEMENT.channel, 0, 1, STATEMENT.certificate)
    assert (read.raw_facts, read.raw_personal, read.unverified_statement) == (b"facts", b"personal", STATEMENT)


def test_the_digest_is_the_hash_of_the_pre_authentication_encoding() -> None:
    data = entry.encode_statement(STATEMENT)
    signed = b"DSSEv1 42 application/vnd.sarakste.statement.v0+avro " + str(len(data)).encode() + b" " + data
    assert entry.decode_entry(record()).digest == hashlib.sha256(signed).digest()


def test_neither_parts_nor_signature_change_the_digest() -> None:
    assert entry.decode_entry(record()).digest == entry.decode_entry(record(facts=None, personal=None)).digest


def test_the_previous_digest_is_the_first_thing_in_a_statement() -> None:
    assert entry.encode_statement(STATEMENT)[:32] == STATEMENT.previous


@given(st.integers(0, len(record()) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed_or_changes_digest_signature_or_parts(place: int, change: int) -> None:
    original = record()
    changed = bytearray(original)
    changed[place] ^= change
    try:
        read = entry.decode_entry(bytes(changed))
    except MalformedError:
        return
    before = entry.decode_entry(original)
    assert (read.digest, read.signature, read.raw_facts, read.raw_personal) != (
        before.digest,
        before.signature,
        before.raw_facts,
        before.raw_personal,
    )


@pytest.mark.parametrize("tail", [b"\x00", b"junk"])
def test_trailing_bytes_are_refused(tail: bytes) -> None:
    with pytest.raises(MalformedError, match="canonical"):
        entry.decode_entry(record() + tail)


def test_an_over_long_number_is_refused() -> None:
    data = record()
    # The length of the statement, one byte longer than it needs to be.
    assert data[10] & 0x80
    long = data[:11] + bytes([data[11] | 0x80, 0]) + data[12:]
    with pytest.raises(MalformedError, match="canonical"):
        entry.decode_entry(long)


def test_a_record_that_does_not_begin_as_an_entry_is_refused_with_evidence() -> None:
    with pytest.raises(MalformedError, match="begin as an entry") as caught:
        entry.decode_entry(b"\xc3\x01" + bytes(8) + record()[10:])
    assert caught.value.evidence.expected == record()[:10].hex()


def test_a_truncated_entry_is_refused() -> None:
    with pytest.raises(MalformedError, match="does not decode"):
        entry.decode_entry(record()[:-3])


def test_a_record_over_its_limit_is_neither_written_nor_read() -> None:
    with pytest.raises(ValueError, match="limited to 655360"):
        record(personal=bytes(entry.RECORD_LIMIT_BYTES))
    with pytest.raises(MalformedError, match="over its limit"):
        entry.decode_entry(bytes(entry.RECORD_LIMIT_BYTES + 1))


@pytest.mark.parametrize(
    ("field", "value"),
    [("epoch", -1), ("epoch", 2**31), ("sequence", 0), ("written_at", -1), ("written_at", 253_402_300_800_000)],
)
def test_numbers_out_of_range_are_neither_written_nor_read(field: str, value: int) -> None:
    wrong = STATEMENT._replace(**{field: value})  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ValueError, match=r"epoch|sequence|years"):
        entry.encode_statement(wrong)
    values: dict[str, Any] = wrong._asdict()
    values["body"] = ("lv.sarakste.v0.Open", {"type": "x", "content": b""})
    with pytest.raises(MalformedError, match=r"epoch|sequence|years|out of range"):
        entry.decode_statement(avro.encode(avro.load_schema("wire/Statement.avsc"), values))


def test_a_sealed_statement_has_a_smaller_limit_than_an_open_one() -> None:
    long = "a" * entry.STATEMENT_LIMIT_BYTES
    with pytest.raises(ValueError, match="limited to 16384"):
        entry.encode_statement(STATEMENT._replace(channel=long))
    assert entry.encode_statement(STATEMENT._replace(channel=long, body=OPEN))
    with pytest.raises(MalformedError, match="over its limit"):
        entry.decode_statement(bytes(entry.OPEN_STATEMENT_LIMIT_BYTES + 1))


def test_the_body_digest_is_the_hash_of_the_body_record_alone() -> None:
    assert entry.body_digest(SEALED) == digest_of(b"k" * 32 + b"f" * 32 + b"p" * 32)
    assert entry.body_digest(OPEN) == digest_of(b"\x1cTrustConfirmed\x00")


def test_the_genesis_value_binds_exchange_and_channel() -> None:
    root = Digest(b"r" * 32)
    assert genesis_digest(root, "a.record") == digest_of(b"sarakste/v0/genesis\x00" + root + b"a.record")
    assert (
        len({genesis_digest(root, "a.record"), genesis_digest(root, "b.record"), genesis_digest(Digest(bytes(32)), "a.record")})
        == 3
    )


def test_m_is_hmac_sha_256_of_rfc_4231_case_2() -> None:
    assert (
        mac(b"Jefe", b"what do ya want for nothing?").hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_a_signature_is_deterministic_low_and_verifies() -> None:
    signature = sign(KEY, b"data")
    assert signature == sign(KEY, b"data")
    verify_signature(KEY.public_key(), signature, b"data")


def test_the_high_twin_of_a_signature_is_refused() -> None:
    r, s = decode_dss_signature(sign(KEY, b"data"))
    with pytest.raises(SignatureError, match="upper half"):
        verify_signature(KEY.public_key(), encode_dss_signature(r, CURVE_ORDER - s), b"data")


@pytest.mark.parametrize("signature", [b"", b"\x30\x00", b"not der"])
def test_what_is_not_der_is_refused(signature: bytes) -> None:
    with pytest.raises(SignatureError, match="DER"):
        verify_signature(KEY.public_key(), signature, b"data")


numbers = st.integers(0, 2**256 + 2) | st.sampled_from([0, 1, 127, 128, CURVE_ORDER // 2, CURVE_ORDER // 2 + 1, CURVE_ORDER])


def library_says(signature: bytes) -> bool:
    """Tell whether the library reads a signature and encodes the same bytes again, with s in the lower half."""
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        return False
    return encode_dss_signature(r, s) == signature and 0 < r < 2**263 and 0 < s <= CURVE_ORDER // 2


@settings(max_examples=1500, deadline=None)
@given(st.builds(encode_dss_signature, numbers, numbers), st.data())
def test_a_signature_is_strict_exactly_where_the_library_makes_the_same_bytes_again(
    signature: bytes, data: st.DataObject
) -> None:
    places = st.integers(0, len(signature) - 1)
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(places)
        spare = data.draw(st.sampled_from([b"", b"\x00", signature[at : at + 1]]) | st.binary(min_size=1, max_size=1))
        signature = signature[:at] + spare + signature[at + 1 :]
    event(f"strict {library_says(signature)}")
    with pytest.raises(SignatureError) as caught:
        verify_signature(KEY.public_key(), signature, b"nobody signed this")
    assert ("by this key" in caught.value.message) == library_says(signature)


def test_a_signature_over_other_bytes_is_refused() -> None:
    with pytest.raises(SignatureError, match="over these bytes"):
        verify_signature(KEY.public_key(), sign(KEY, b"data"), b"date")


def test_a_schema_file_that_does_not_exist_is_said() -> None:
    with pytest.raises(FileNotFoundError):
        avro.schema_file("wire/Nothing.avsc")


@pytest.mark.parametrize("data", [b"\x00", b"\x02\x08\x00"])
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError, match="not a record"):
        avro.decode(avro.Schema({"type": "array", "items": "int"}), data)


def test_an_older_record_is_read_into_a_newer_schema() -> None:
    old = avro.Schema({"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]})
    fields = [{"name": "a", "type": "int"}, {"name": "b", "type": "boolean", "default": True}]
    new = avro.Schema({"type": "record", "name": "R", "fields": fields})
    assert avro.decode(old, avro.encode(old, {"a": 1}), reader=new) == {"a": 1, "b": True}


def test_evidence_names_place_expected_and_found_in_that_order() -> None:
    error = MalformedError("wrong", Evidence(channel="a.record", epoch=1, sequence=2, expected="aa", found="bb"))
    assert str(error) == "wrong (a.record at 1/2, expected aa, found bb)"
    assert isinstance(error, ExchangeError)
