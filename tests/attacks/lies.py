"""Lies about bytes: what is made of a genuine record by whoever can write to a log, with the writer's key or without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from services.wire import avro
from services.wire.entry import Sealed, Statement, UnverifiedEntry, decode_entry, encode_entry, to_be_signed
from services.wire.signing import CURVE_ORDER, sign
from tests.chains import Seal

__all__ = ["as_avro", "high", "longer_der", "over_long", "reassembled", "said_otherwise", "signed_anew", "with_signature"]

_STATEMENT: Final = avro.load_schema("wire/Statement.avsc")
_SEALED: Final = "lv.sarakste.v0.Sealed"


def with_signature(record: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return a record with another signature and nothing else changed."""
    entry = decode_entry(record)
    return encode_entry(entry.statement_bytes, change(entry.signature), entry.raw_facts, entry.raw_personal)


def high(signature: bytes) -> bytes:
    """Return the twin of a signature with s in the upper half; ECDSA by itself takes both."""
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, CURVE_ORDER - s)


def longer_der(signature: bytes) -> bytes:
    """Return the same two numbers with the length in a longer form."""
    return b"\x30\x81" + signature[1:]


def reassembled(entry: UnverifiedEntry, **changes: bytes | None) -> bytes:
    """Return the record of an entry with other parts."""
    parts = {"facts": entry.raw_facts, "personal": entry.raw_personal} | changes
    return encode_entry(entry.statement_bytes, entry.signature, parts["facts"], parts["personal"])


def signed_anew(record: bytes, seal: Seal, change: Callable[[bytes], bytes]) -> bytes:
    """Return a record whose statement's bytes the writer changed and signed as they are then."""
    entry = decode_entry(record)
    statement = change(entry.statement_bytes)
    return encode_entry(statement, sign(seal.key, to_be_signed(statement)), entry.raw_facts, entry.raw_personal)


def said_otherwise(record: bytes, seal: Seal, **changes: Any) -> bytes:  # any field of a statement
    """Return a record in which the writer signed another value of some fields, in range or not."""
    return signed_anew(
        record,
        seal,
        lambda _: avro.encode(_STATEMENT, as_avro(decode_entry(record).unverified_statement) | changes),
    )


def as_avro(statement: Statement) -> dict[str, Any]:
    """Return a sealed statement as the library of others takes it."""
    body = statement.body
    assert isinstance(body, Sealed)
    return {**statement._asdict(), "body": (_SEALED, body._asdict())}


def over_long(data: bytes, place: int) -> bytes:
    """Return the same number at a place in one byte more than it needs."""
    end = place
    while data[end] & 0x80:
        end += 1
    return data[:end] + bytes([data[end] | 0x80, 0]) + data[end + 1 :]
