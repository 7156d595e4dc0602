"""What stands inside bodies and parts: open contents, ``Facts`` and ``Personal``.

Decides whether content is well formed. An open entry of an unknown type is chained and otherwise ignored; one of a known
type whose content is wrong is taken without effect: both are for the caller, who gets None or a MalformedError.
Source: schemas/README.md, "Open entries" and "Sealed entries".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Final, NamedTuple, Protocol

from services.wire import avro
from services.wire.channels import Role
from services.wire.entry import YEAR_10000_MILLISECONDS, Open
from services.wire.errors import MalformedError
from services.wire.hashing import Digest, Id

__all__ = [
    "REFERENCE",
    "CertificateRotated",
    "ChannelClosed",
    "ChannelOpened",
    "Checkpoint",
    "EncryptionKeyPublished",
    "EpochOpened",
    "Facts",
    "Held",
    "KeyRevoked",
    "OpenContent",
    "ParticipantAdmitted",
    "ParticipantRemoved",
    "Personal",
    "Reason",
    "Receipt",
    "SchemaPublished",
    "TrustConfirmed",
    "decode_facts",
    "decode_open",
    "decode_personal",
    "encode_facts",
    "encode_open",
    "encode_personal",
    "is_of_type",
]

_YEAR_10000_DAYS: Final = 2_932_897


class Reason(Enum):
    """Why a key was revoked."""

    UNKNOWN = "Unknown"
    SUPERSEDED = "Superseded"
    LOST = "Lost"
    STOLEN = "Stolen"
    LEFT = "Left"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelOpened:
    """The first entry of every epoch. ``certificates`` are DER, leaf first, the root left out."""

    exchange: Digest
    writer: str
    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRotated:
    """From the next entry on another certificate is current."""

    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionKeyPublished:
    """To which key grants are sealed; ``need`` are the ids of keys that its writer lacks."""

    suite: str
    public_key: bytes
    need: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One line of a receipt: a channel up to a place."""

    channel: str
    epoch: int
    sequence: int
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Verified, parts match, durably stored; not: agreed. ``record`` is the bare head of the writer's record."""

    held: tuple[Held, ...]
    record: Digest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelClosed:
    """Nothing more comes in this channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """An auditor's root over the channels it holds."""

    channels: int
    root: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantAdmitted:
    """An organisation is on the exchange. ``organisation`` is the value of its certificate's organizationIdentifier."""

    id: str
    role: Role
    organisation: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRemoved:
    """An organisation has left; epochs and revocations of its channels and keys follow."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPublished:
    """A schema anybody may write with from here on; its id is H(file)."""

    name: str
    file: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevoked:
    """``key`` is H of the SubjectPublicKeyInfo: a certificate's DER has twins, its key has none."""

    key: Digest
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochOpened:
    """The registrar names the last good entry of a channel and the certificate of its new epoch."""

    channel: str
    epoch: int
    after_sequence: int
    after_digest: Digest
    certificate: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustConfirmed:
    """Nothing new in the trust channel."""


OpenContent = (
    ChannelOpened
    | CertificateRotated
    | EncryptionKeyPublished
    | Receipt
    | ChannelClosed
    | Checkpoint
    | ParticipantAdmitted
    | ParticipantRemoved
    | SchemaPublished
    | KeyRevoked
    | EpochOpened
    | TrustConfirmed
)


class Facts(NamedTuple):
    """What is sealed under a channel's facts key. ``recorded_on`` is in days since 1970-01-01, Europe/Riga.

    A named tuple, as all that is made for every entry of a log.
    """

    type: str
    schema: Digest
    case_id: Id | None
    after: Digest | None
    in_reply_to: Digest | None
    recorded_on: int
    personal_key: Digest | None
    content: bytes


REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)
"""Who entered something: a reference of a participant's own, that only it can resolve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """What is sealed under a case key. ``recorded_at`` is in milliseconds since 1970, UTC; ``entered_by`` is who entered it.

    That is a reference of the writer's own, no name, and None for what happened by itself or goes to somebody else.
    """

    recorded_at: int
    entered_by: str | None = None
    content: bytes


class _Plain(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


_OPEN_TYPES: Final[dict[str, type[OpenContent]]] = {
    each.__name__: each
    for each in (
        ChannelOpened,
        CertificateRotated,
        EncryptionKeyPublished,
        Receipt,
        ChannelClosed,
        Checkpoint,
        ParticipantAdmitted,
        ParticipantRemoved,
        SchemaPublished,
        KeyRevoked,
        EpochOpened,
        TrustConfirmed,
    )
}


def encode_open(content: OpenContent) -> Open:
    """Return the body of an open entry with this content."""
    name = type(content).__name__
    return Open(type=name, content=avro.encode(avro.load_schema(f"open/{name}.avsc"), _to_avro(content)))


def decode_open(body: Open) -> OpenContent | None:
    """Return the content of an open body, or None where its type is of a newer release.

    Raises: MalformedError if the type is known and the content is not canonical or out of range.
    """
    kind = _OPEN_TYPES.get(body.type)
    if kind is None:
        return None
    return _from_avro(kind, avro.decode(avro.load_schema(f"open/{body.type}.avsc"), body.content))


def encode_facts(facts: Facts) -> bytes:
    """Return the plaintext of a facts part, before padding."""
    return avro.encode(avro.load_schema("wire/Facts.avsc"), facts._asdict())


def decode_facts(data: bytes) -> Facts:
    """Return what a facts part says.

    Raises: MalformedError if it is not canonical, ``recorded_on`` is outside the years 1970 to 9999, or a case stands
    without its key (or a key without a case).
    """
    # Its fields are those of the schema, in their order.
    facts = Facts(*avro.decode(avro.load_schema("wire/Facts.avsc"), data).values())
    if not 0 <= facts.recorded_on < _YEAR_10000_DAYS:
        raise MalformedError("recorded_on lies outside the years 1970 to 9999")
    if (facts.case_id is None) != (facts.personal_key is None):
        raise MalformedError("personal_key is null exactly when case_id is")
    return facts


def is_of_type(data: bytes, name: str) -> bool:
    """Tell whether a facts part, if it is one, is of a type, before it is decoded: a canonical one begins with it."""
    return data.startswith(bytes((len(name) << 1,)) + name.encode())


def encode_personal(personal: Personal) -> bytes:
    """Return the plaintext of a personal part, before padding."""
    return avro.encode(avro.load_schema("wire/Personal.avsc"), _to_avro(personal))


def decode_personal(data: bytes) -> Personal:
    """Return what a personal part says.

    Raises: MalformedError if it is not canonical, ``recorded_at`` is outside the years 1970 to 9999, or ``entered_by`` is no
    reference.
    """
    personal = Personal(**avro.decode(avro.load_schema("wire/Personal.avsc"), data))
    if not 0 <= personal.recorded_at < YEAR_10000_MILLISECONDS:
        raise MalformedError("recorded_at lies outside the years 1970 to 9999")
    # It is shown to people and kept beside facts of health: a reference, in which no sentence and no control character fits.
    if personal.entered_by is not None and not REFERENCE.fullmatch(personal.entered_by):
        raise MalformedError("entered_by is no reference of 1 to 32 letters, digits, '.', '_' and '-'")
    return personal


def _to_avro(value: _Plain) -> dict[str, Any]:
    return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_to_avro(each) if isinstance(each, Held) else each for each in value]
    return value


def _from_avro(kind: Callable[..., OpenContent], record: dict[str, Any]) -> OpenContent:
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}
    if kind is Receipt:
        values["held"] = tuple(Held(**line) for line in record["held"])
    if kind is ParticipantAdmitted:
        values["role"] = Role(record["role"])
    if kind is KeyRevoked:
        values["reason"] = Reason(record["reason"])
    _check_places(record)
    return kind(**values)


def _check_places(record: dict[str, Any]) -> None:
    lines = record.get("held", ()) or (record,)
    if any(line.get("epoch", 0) < 0 or line.get("sequence", 1) < 1 or line.get("after_sequence", 0) < 0 for line in lines):
        raise MalformedError("an epoch, a sequence or a place is out of range")
    if record.get("channels", 0) < 0:
        raise MalformedError("a number of channels is out of range")
