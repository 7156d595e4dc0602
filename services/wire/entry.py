"""Entry and statement: the bytes that stand in a channel, and the one way to read them.

Decides whether a record *is* an entry: framing, canonical form, limits, ranges. Whether it stands at its place is left to
``reading``, whether its certificate may sign to ``trust``. An ``UnverifiedEntry`` shows only where it claims to stand; its
parts are reached through ``VerifiedEntry`` alone, which only a verification makes.
The values that are made for every entry of a log are named tuples: as immutable as frozen dataclasses, at a third of the cost.
Source: schemas/README.md, "Entry" and "Statement".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from services.wire import avro
from services.wire.errors import Evidence, MalformedError
from services.wire.hashing import Digest, Id, digest_of, pre_authentication_encoding
from services.wire.strict import BodyFields, EntryFields, entry_fields, statement_fields

__all__ = [
    "ENTRY_HEADER",
    "FACTS_LIMIT_BYTES",
    "OPEN_STATEMENT_LIMIT_BYTES",
    "PERSONAL_LIMIT_BYTES",
    "RECORD_LIMIT_BYTES",
    "SEALING_OVERHEAD_BYTES",
    "STATEMENT_LIMIT_BYTES",
    "STATEMENT_TYPE",
    "YEAR_10000_MILLISECONDS",
    "Open",
    "Sealed",
    "Statement",
    "UnverifiedEntry",
    "VerifiedEntry",
    "body_digest",
    "decode_entry",
    "decode_statement",
    "encode_body",
    "encode_entry",
    "encode_statement",
    "split_entry",
    "statement_digest",
    "to_be_signed",
]

STATEMENT_TYPE: Final = b"application/vnd.sarakste.statement.v0+avro"
STATEMENT_LIMIT_BYTES: Final = 16 * 1024
OPEN_STATEMENT_LIMIT_BYTES: Final = 256 * 1024
FACTS_LIMIT_BYTES: Final = 8 * 1024
PERSONAL_LIMIT_BYTES: Final = 512 * 1024
SEALING_OVERHEAD_BYTES: Final = 80
RECORD_LIMIT_BYTES: Final = 640 * 1024

YEAR_10000_MILLISECONDS: Final = 253_402_300_800_000
_OPEN: Final = "lv.sarakste.v0.Open"
_SEALED: Final = "lv.sarakste.v0.Sealed"

_ENTRY: Final = avro.load_schema("wire/Entry.avsc")
_STATEMENT: Final = avro.load_schema("wire/Statement.avsc")
ENTRY_HEADER: Final = avro.single_object_header(_ENTRY)


class Open(NamedTuple):
    """The body of an open entry: a type and its Avro content, readable by all who read the channel."""

    type: str
    content: bytes


class Sealed(NamedTuple):
    """The body of a sealed entry: the id of its facts key, and H of each sealed part."""

    facts_key: Digest
    facts: Digest
    personal: Digest


class Statement(NamedTuple):
    """Say that an event stands at this place of this channel, after that one.

    ``written_at`` is in milliseconds since 1970, UTC.
    """

    previous: Digest
    certificate: Digest
    channel: str
    epoch: int
    sequence: int
    written_at: int
    event_id: Id
    body: Open | Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedEntry:
    """A well-formed entry that nobody has vouched for: its claimed place, its certificate, its exact bytes.

    ``raw_facts`` and ``raw_personal`` are ciphertext that still has to match the statement; only ``VerifiedEntry`` hands
    out parts.
    """

    digest: Digest
    statement_bytes: bytes
    signature: bytes
    unverified_statement: Statement
    raw_facts: bytes | None
    raw_personal: bytes | None

    @property
    def channel(self) -> str:
        """The channel it claims."""
        return self.unverified_statement.channel

    @property
    def epoch(self) -> int:
        """The epoch it claims."""
        return self.unverified_statement.epoch

    @property
    def sequence(self) -> int:
        """The place it claims."""
        return self.unverified_statement.sequence

    @property
    def certificate(self) -> Digest:
        """H of the certificate it claims to be signed with."""
        return self.unverified_statement.certificate


class VerifiedEntry(NamedTuple):
    """An entry whose signature, place and parts a reader has verified. Made by ``reading`` and ``following`` alone.

    ``personal`` is None where the part has not come, was erased, or did not match.
    """

    digest: Digest
    statement: Statement
    statement_bytes: bytes
    signature: bytes
    facts: bytes | None
    personal: bytes | None

    @property
    def body_digest(self) -> Digest:
        """H of the body: made when it is asked for, since whoever only verifies never asks."""
        return body_digest(self.statement.body)


def encode_body(body: Open | Sealed) -> bytes:
    """Return the canonical Avro of a body record (not of the union)."""
    if isinstance(body, Open):
        return avro.encode(avro.load_schema("wire/Open.avsc"), {"type": body.type, "content": body.content})
    # A record of three digests is their 96 bytes, one after the other.
    return body.facts_key + body.facts + body.personal


def body_digest(body: Open | Sealed) -> Digest:
    """Return H of the body: what all links between events use, fixed when the event is saved."""
    return digest_of(encode_body(body))


def to_be_signed(statement_bytes: bytes) -> bytes:
    """Return the PAE of a statement: what is signed and what is hashed."""
    return pre_authentication_encoding(STATEMENT_TYPE, statement_bytes)


def statement_digest(statement_bytes: bytes) -> Digest:
    """Return the digest of an entry: H of what its writer signed. Parts and signature do not change it."""
    return digest_of(to_be_signed(statement_bytes))


def encode_statement(statement: Statement) -> bytes:
    """Return the canonical bytes of a statement.

    Raises: ValueError if it is out of range or over the limit (our own bug).
    """
    body = statement.body
    if isinstance(body, Open):
        branch = (_OPEN, {"type": body.type, "content": body.content})
    else:
        branch = (_SEALED, {"facts_key": body.facts_key, "facts": body.facts, "personal": body.personal})
    data = avro.encode(
        _STATEMENT,
        {
            "previous": statement.previous,
            "certificate": statement.certificate,
            "channel": statement.channel,
            "epoch": statement.epoch,
            "sequence": statement.sequence,
            "written_at": statement.written_at,
            "event_id": statement.event_id,
            "body": branch,
        },
    )
    fault = _range_fault(statement) or _limit_fault(statement, data)
    if fault:
        raise ValueError(fault)
    return data


def decode_statement(data: bytes) -> Statement:
    """Return the statement that ``data`` is the canonical encoding of.

    Raises: MalformedError if the bytes are not canonical, a number is out of range, or the statement is over its limit.
    """
    if len(data) > OPEN_STATEMENT_LIMIT_BYTES:
        raise MalformedError(
            "a statement is over its limit", Evidence(expected=f"<= {OPEN_STATEMENT_LIMIT_BYTES}", found=str(len(data)))
        )
    previous, certificate, channel, epoch, sequence, written_at, event_id, body = statement_fields(data)
    # As ``Statement(…)``, without the call that a named tuple's own way takes more: this is done for each entry of a log.
    statement = tuple.__new__(Statement, (previous, certificate, channel, epoch, sequence, written_at, event_id, _body(body)))
    if epoch < 0 or sequence < 1 or not 0 <= written_at < YEAR_10000_MILLISECONDS or len(data) > STATEMENT_LIMIT_BYTES:
        fault = _range_fault(statement) or _limit_fault(statement, data)
        if fault:
            raise MalformedError(fault, Evidence(raw=data))
    return statement


def encode_entry(statement: bytes, signature: bytes, facts: bytes | None, personal: bytes | None) -> bytes:
    """Return the value of a record: Avro single-object encoding of the entry.

    Raises: ValueError if it is over the limit of a record.
    """
    data = ENTRY_HEADER + avro.encode(
        _ENTRY, {"statement": statement, "signature": signature, "facts": facts, "personal": personal}
    )
    if len(data) > RECORD_LIMIT_BYTES:
        raise ValueError(f"a record is limited to {RECORD_LIMIT_BYTES} bytes, this one has {len(data)}")
    return data


def decode_entry(data: bytes) -> UnverifiedEntry:
    """Return the entry in a record's value; nothing of it is vouched for yet.

    Raises: MalformedError if the framing, the canonical form, a range or a limit is wrong.
    """
    statement, signature, facts, personal = split_entry(data)
    return UnverifiedEntry(
        digest=statement_digest(statement),
        statement_bytes=statement,
        signature=signature,
        unverified_statement=decode_statement(statement),
        raw_facts=facts,
        raw_personal=personal,
    )


def split_entry(data: bytes) -> EntryFields:
    """Return statement, signature and both parts of a record's value, all as bytes.

    Raises: MalformedError if the framing, the canonical form or the limit of the record is wrong.
    """
    if len(data) > RECORD_LIMIT_BYTES:
        raise MalformedError("a record is over its limit", Evidence(expected=f"<= {RECORD_LIMIT_BYTES}", found=str(len(data))))
    if not data.startswith(ENTRY_HEADER):
        raise MalformedError(
            "a record does not begin as an entry",
            Evidence(expected=ENTRY_HEADER.hex(), found=data[: len(ENTRY_HEADER)].hex(), raw=data),
        )
    return entry_fields(data, len(ENTRY_HEADER))


def _body(fields: BodyFields) -> Open | Sealed:
    if len(fields) == 2:  # noqa: PLR2004  # type and content
        return Open(fields[0], fields[1])
    return tuple.__new__(Sealed, fields)


def _range_fault(statement: Statement) -> str | None:
    # Encoding again does not notice numbers beyond what the schema's type holds.
    if not 0 <= statement.epoch < 2**31:
        return "an epoch is from 0 to 2^31 - 1"
    if statement.sequence < 1:
        return "a sequence begins at 1"
    if not 0 <= statement.written_at < YEAR_10000_MILLISECONDS:
        return "a time lies in the years 1970 to 9999"
    return None


def _limit_fault(statement: Statement, data: bytes) -> str | None:
    limit = OPEN_STATEMENT_LIMIT_BYTES if isinstance(statement.body, Open) else STATEMENT_LIMIT_BYTES
    return f"a statement of this kind is limited to {limit} bytes" if len(data) > limit else None
