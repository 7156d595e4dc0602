"""Disclosures: the keys of single parts of one case, as a file for one auditor, under a mandate that stands in the log.

Decides whether a file is well-formed, for me, and opens. It carries keys and no authority: whether its parts are those of the
mandate, and each key that of its part, shows in the log, so nothing is signed here and nobody's word is taken.
Source: schemas/README.md, "Disclosures"; docs/adr/0038-keys-of-single-parts.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from services.wire import avro
from services.wire.channels import ChannelKind, channel_kind
from services.wire.entry import Sealed, Statement
from services.wire.errors import DisclosureError, Evidence, GrantError, MalformedError
from services.wire.grants import SUITE, EncryptionKey, encrypt_to, prekey_id
from services.wire.hashing import Digest, Id
from services.wire.sealing import Part, PartKey

__all__ = [
    "KEYS_LIMIT",
    "SEALED_LIMIT_BYTES",
    "DisclosedKey",
    "DisclosureHeader",
    "UnverifiedDisclosure",
    "decode_disclosure",
    "decode_keys",
    "encode_keys",
    "make_disclosure",
    "open_disclosure",
    "part_digest",
]

KEYS_LIMIT: Final = 200
"""Parts of one mandate at most: its event names each by a digest, within the limit of facts."""

SEALED_LIMIT_BYTES: Final = 960 * 1024
"""All personal parts of one file at most, so that it stays within its own limit."""

_LIMIT_BYTES: Final = 1024 * 1024
_INFO: Final = b"sarakste/v0/disclosure\x00"
_PARTS: Final[Mapping[Part, str]] = {Part.FACTS: "FACTS", Part.PERSONAL: "PERSONAL"}
_PART_OF: Final = {name: part for part, name in _PARTS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedKey:
    """The key of one part of one event (``mk``), with the place that the part is sealed for.

    ``sealed`` is the part itself where it is personal: archives of auditors hold none.
    """

    channel: str
    event_id: Id
    part: Part
    key: PartKey
    sealed: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureHeader:
    """What a disclosure says in clear: H of the mandate's sealed facts, the record in which that stands, and for whom it is."""

    mandate: Digest
    channel: str
    recipient: str
    prekey: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedDisclosure:
    """A well-formed file that nobody has vouched for."""

    header: DisclosureHeader
    sealed: bytes


def make_disclosure(header: DisclosureHeader, keys: Iterable[DisclosedKey], *, public_key: bytes) -> bytes:
    """Return the file; HPKE draws its own randomness, so two calls give two files.

    Raises: GrantError if ``public_key`` is no encryption key; ValueError if the header names another one.
    """
    if header.prekey != prekey_id(SUITE, public_key):
        raise ValueError("the header of a disclosure names another recipient's key")
    schema = avro.load_schema("proofs/Disclosure.avsc")
    sealed = encrypt_to(public_key, encode_keys(keys), _info(header))
    return avro.single_object_header(schema) + avro.encode(schema, {"header": asdict(header), "sealed": sealed})


def decode_disclosure(data: bytes) -> UnverifiedDisclosure:
    """Return the disclosure in a file; nothing of it is vouched for yet.

    Raises: DisclosureError if it is over its limit, or no such file; MalformedError if it is not canonical.
    """
    schema = avro.load_schema("proofs/Disclosure.avsc")
    start = avro.single_object_header(schema)
    if len(data) > _LIMIT_BYTES:
        raise DisclosureError("a file of keys is over its limit", Evidence(expected=f"<= {_LIMIT_BYTES}", found=str(len(data))))
    if not data.startswith(start):
        evidence = Evidence(expected=start.hex(), found=data[: len(start)].hex())
        raise DisclosureError("this is no file of keys that somebody disclosed", evidence)
    record = avro.decode(schema, data[len(start) :])
    return UnverifiedDisclosure(header=DisclosureHeader(**record["header"]), sealed=record["sealed"])


def open_disclosure(
    found: UnverifiedDisclosure, *, recipient: str, keys: Mapping[Digest, EncryptionKey]
) -> tuple[DisclosedKey, ...]:
    """Return the keys in a file; ``keys`` are the recipient's private encryption keys by prekey id.

    Raises: DisclosureError if it is for somebody else, sealed to a key that is not here, or was changed; MalformedError if what
    it holds is not canonical.
    """
    header = found.header
    # Somebody else's file, which came to me by mistake or on purpose.
    if header.recipient != recipient:
        raise DisclosureError("these keys are for somebody else", Evidence(expected=recipient, found=header.recipient))
    if channel_kind(header.channel) is not ChannelKind.RECORD:
        raise DisclosureError("a mandate stands in a record", Evidence(expected="a record", found=header.channel))
    mine = keys.get(header.prekey)
    if mine is None:
        evidence = Evidence(expected="a private encryption key that is here", found=header.prekey.hex())
        raise DisclosureError(
            "these keys are sealed to a key that is not mine or is gone: let their writer make the file anew", evidence
        )
    try:
        # The header is bound in: under another mandate, record or recipient the same bytes open no more.
        plaintext = mine.decrypt(found.sealed, _info(header))
    except GrantError as error:
        raise DisclosureError("these keys do not open: the file was changed or damaged", error.evidence) from error
    return decode_keys(plaintext)


def encode_keys(keys: Iterable[DisclosedKey]) -> bytes:
    """Return keys of parts as they are sealed."""
    records = [{**asdict(each), "part": _PARTS[each.part]} for each in keys]
    return avro.encode(avro.load_schema("proofs/DisclosedKeys.avsc"), {"keys": records})


def decode_keys(data: bytes) -> tuple[DisclosedKey, ...]:
    """Return keys of parts from what was sealed. Raises: MalformedError if that is not canonical, or there are too many."""
    records = avro.decode(avro.load_schema("proofs/DisclosedKeys.avsc"), data)["keys"]
    # The mandate's own facts stand beside its parts.
    if len(records) > KEYS_LIMIT + 1:
        raise MalformedError("a disclosure holds more keys than a mandate can name")
    return tuple(_key(each) for each in records)


def part_digest(statement: Statement, part: Part) -> Digest | None:
    """Return the digest by which a statement names one of its sealed parts; None for an open entry, which has none."""
    body = statement.body
    if not isinstance(body, Sealed):
        return None
    return body.facts if part is Part.FACTS else body.personal


def _key(record: dict[str, Any]) -> DisclosedKey:
    channel_kind(record["channel"])
    return DisclosedKey(**{**record, "part": _PART_OF[record["part"]], "key": PartKey(record["key"])})


def _info(header: DisclosureHeader) -> bytes:
    return _INFO + avro.encode(avro.load_schema("proofs/DisclosureHeader.avsc"), asdict(header))
