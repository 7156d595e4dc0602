"""Records of a channel: entries and the statements in them."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from services.wire import avro
from services.wire.avro import Schema
from services.wire.candidates import Candidate, candidate_of
from services.wire.chain import check_chain_unsigned
from services.wire.entry import (
    ENTRY_HEADER,
    OPEN_STATEMENT_LIMIT_BYTES,
    Open,
    Sealed,
    UnverifiedEntry,
    decode_entry,
    decode_statement,
    encode_entry,
    encode_statement,
    statement_digest,
    to_be_signed,
)
from services.wire.errors import MalformedError
from services.wire.hashing import digest_of
from services.wire.signing import sign
from tests.fuzz.avro_mutator import altered, recoded
from tests.fuzz.target import Raw, Target, refused, require
from tests.vectors.faults import bad
from tests.vectors.make import Exchange

__all__ = ["ENTRY", "STATEMENT"]

_ENTRY: Final = avro.load_schema("wire/Entry.avsc")
_STATEMENT: Final = avro.load_schema("wire/Statement.avsc")


def _library(schema: Schema, data: bytes) -> dict[str, Any] | None:
    try:
        return avro.decode(schema, data)
    except MalformedError:
        return None


def _records() -> list[bytes]:
    faulty = [bytes.fromhex(each) for each in bad()["records"].values()]
    return [record for records in Exchange().channels.values() for record in records] + [each for each in faulty if each]


def _statements() -> list[bytes]:
    return [decode_entry(record).statement_bytes for records in Exchange().channels.values() for record in records]


def _check_entry(data: bytes) -> bool:
    try:
        entry = decode_entry(data)
    except MalformedError as error:
        found = candidate_of(data, "registrar.trust")
        require(not isinstance(found, Candidate), "what is no entry is a candidate")
        return refused(error)
    parts = (entry.raw_facts, entry.raw_personal)
    require(encode_entry(entry.statement_bytes, entry.signature, *parts) == data, "an entry has another encoding")
    require(_library(_ENTRY, data[len(ENTRY_HEADER) :]) is not None, "the library reads no such entry")
    _check_candidate(entry, data)
    return True


def _check_candidate(entry: UnverifiedEntry, data: bytes) -> None:
    statement = entry.unverified_statement
    require(not isinstance(candidate_of(data, statement.channel + "x"), Candidate), "an entry stands in another channel")
    require(check_chain_unsigned([data], statement.previous) == (1, entry.digest), "the chain-only pass sees another digest")
    found, body = candidate_of(data, statement.channel), statement.body
    if isinstance(body, Open):
        is_whole = entry.raw_facts is None and entry.raw_personal is None
    else:
        is_whole = (
            entry.raw_facts is not None and digest_of(entry.raw_facts) == body.facts and len(entry.raw_facts) <= 8 * 1024 + 80
        )
    require(isinstance(found, Candidate) == is_whole, "a candidate is an entry whose facts match, and nothing else")
    if isinstance(found, Candidate) and isinstance(body, Sealed) and found.personal is not None:
        require(digest_of(found.personal) == body.personal, "a personal part is taken that does not match")
    if isinstance(found, Candidate) and found.flaw is None:
        require(found.records == [data], "a candidate makes another record")


def _check_statement(data: bytes) -> bool:
    # It is shorter in the library's name only: what is over the limit is not decoded at all.
    by_library = _library(_STATEMENT, data) if len(data) <= OPEN_STATEMENT_LIMIT_BYTES else None
    try:
        statement = decode_statement(data)
    except MalformedError as error:
        return refused(error)
    require(encode_statement(statement) == data, "a statement has another encoding")
    require(by_library is not None, "the library reads no such statement")
    require(by_library and by_library["sequence"] == statement.sequence, "the library reads another statement")
    require(statement_digest(data) == digest_of(to_be_signed(data)), "a digest is not of what is signed")
    return True


def _mutate_entry(data: bytes, rng: Random, raw: Raw) -> bytes:
    try:
        fields = avro.decode(_ENTRY, data[len(ENTRY_HEADER) :])
        statement = avro.decode(_STATEMENT, fields["statement"])
    except MalformedError:
        return raw(data, len(data) + 64)
    if rng.random() < 0.3:
        return ENTRY_HEADER + avro.encode(_ENTRY, altered(_ENTRY, fields, rng, raw))
    changed = _bound(altered(_STATEMENT, statement, rng, raw), fields, rng, raw)
    try:
        encoded = avro.encode(_STATEMENT, changed)
    except (ValueError, TypeError, OverflowError):
        return raw(data, len(data) + 64)
    fields |= {"statement": encoded, "signature": sign(_KEY, to_be_signed(encoded))}
    return ENTRY_HEADER + avro.encode(_ENTRY, fields)


def _bound(statement: dict[str, Any], fields: dict[str, Any], rng: Random, raw: Raw) -> dict[str, Any]:
    """Return a statement that names the digests of its parts, one of which may be other than it was."""
    body = statement["body"]
    if not isinstance(body, dict) or "facts" not in body:
        return statement
    part = rng.choice(("facts", "personal"))
    fields[part] = raw(fields[part] or b"part", len(fields[part] or b"part") + 64)
    named = {each: digest_of(fields[each]) for each in ("facts", "personal") if fields[each] is not None}
    return statement | {"body": body | named}


_KEY: Final = Exchange().first.key
ENTRY: Final = Target(
    name="entry",
    about="a record of a channel",
    seeds=_records,
    check=_check_entry,
    mutate=_mutate_entry,
    limit_bytes=18 * 1024,
)
STATEMENT: Final = Target(
    name="statement",
    about="what an entry's writer signed",
    seeds=_statements,
    check=_check_statement,
    mutate=lambda data, rng, raw: recoded(_STATEMENT, data, rng, raw),
    limit_bytes=18 * 1024,
)
