"""What the commission records of its assessments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.wire.events.shapes import Address, Person
from services.wire.hashing import Digest
from services.wire.vocabulary import (
    AddressKind,
    Asks,
    AssessmentCause,
    Delivery,
    DeliveryCause,
    DocumentKind,
    ExtensionCause,
    Intake,
    IrpKind,
    Opinion,
    RefusalGround,
    Requester,
    ReturnGround,
    RevocationReason,
    Source,
)

__all__ = [
    "AssessmentClosed",
    "AssessmentLinked",
    "AttendanceLapsed",
    "AttendanceRequested",
    "AttendanceRequestedPersonal",
    "DeliveryConfirmed",
    "DeliveryFailed",
    "DocumentsDispatched",
    "DocumentsDispatchedPersonal",
    "ExpertiseFileExamined",
    "IrpIssued",
    "IrpIssuedPersonal",
    "OpinionIssued",
    "PupilAttended",
    "RecommendationCorrected",
    "RecommendationCorrectedPersonal",
    "RecommendationExpired",
    "RecommendationIssued",
    "RecommendationIssuedPersonal",
    "RecommendationRefused",
    "RecommendationRefusedPersonal",
    "RecommendationRevoked",
    "RecommendationRevokedPersonal",
    "Redispatched",
    "RedispatchedPersonal",
    "RequestRegistered",
    "RequestRegisteredPersonal",
    "TermExtended",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRegistered:
    """The commission entered a request in its register; ``requester`` and ``address`` are None where a school asks."""

    source: Source
    asks: Asks
    intake: Intake
    received_on: date
    requester: Requester | None = None
    address: AddressKind | None = None
    address_protected: bool = False
    parts: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRegisteredPersonal:
    """What is personal about ``RequestRegistered``; where a school asks all of it but the number stands in its request.

    ``check_digit_note`` says who overruled a code's check digit, and by what.
    """

    register_number: str
    pupil: Person | None = None
    representative: Person | None = None
    contact: str | None = None
    address: Address | None = None
    check_digit_note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertiseFileExamined:
    """The commission looked into the pupil's expertise file."""

    file_found: bool
    opinion: Opinion
    opinion_until: date | None
    examined_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class IrpIssued:
    """The commission prepared the individual rehabilitation plan (b.1, b.2)."""

    kind: IrpKind
    issued_on: date
    indicates_need: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IrpIssuedPersonal:
    """What is personal about ``IrpIssued``."""

    number: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationIssued:
    """The commission recommends an assistant."""

    issued_on: date
    valid_from: date
    valid_until: date | None
    parts: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationIssuedPersonal:
    """What is personal about ``RecommendationIssued``."""

    number: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationRefused:
    """The commission does not recommend an assistant."""

    issued_on: date
    grounds: tuple[RefusalGround, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationRefusedPersonal:
    """What is personal about ``RecommendationRefused``."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsDispatched:
    """The commission sent its letters to the address in the request.

    ``address_confirmed_on`` is the day on which the requester was asked and said where they go, None where nobody had to ask.
    """

    kinds: tuple[DocumentKind, ...]
    by: Delivery
    address: AddressKind
    address_from: Digest
    sent_on: date
    notified_on: date
    duplicate: bool
    address_confirmed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsDispatchedPersonal:
    """What is personal about ``DocumentsDispatched``."""

    number: str
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentLinked:
    """Two cases are of one pupil and have one assessment; ``primary`` is the body of the other's event that names the pupil."""

    primary: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class TermExtended:
    """The commission's term is extended, at most to four months."""

    until: date
    cause: ExtensionCause


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceRequested:
    """The pupil was asked to come."""

    sent_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceRequestedPersonal:
    """What is personal about ``AttendanceRequested``."""

    letter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilAttended:
    """The pupil came."""

    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceLapsed:
    """The pupil did not come."""

    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionIssued:
    """The commission issued an opinion on the need of special care."""

    on: date
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redispatched:
    """Letters were sent again under their own numbers; a duplicate is marked. ``address_confirmed_on`` as when they were sent."""

    kinds: tuple[DocumentKind, ...]
    by: Delivery
    address: AddressKind
    address_from: Digest
    sent_on: date
    notified_on: date
    duplicate: bool
    address_confirmed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedispatchedPersonal:
    """What is personal about ``Redispatched``."""

    number: str
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryConfirmed:
    """A letter came."""

    on: date
    cause: DeliveryCause


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed:
    """A letter did not come."""

    on: date
    cause: DeliveryCause


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationCorrected:
    """A recommendation or its refusal was corrected; ``answer_changed`` tells whether yes and no change."""

    corrects: Digest
    answer_changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationCorrectedPersonal:
    """What is personal about ``RecommendationCorrected``."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationRevoked:
    """A recommendation holds no longer."""

    of: Digest
    effective_on: date
    reason: RevocationReason


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationRevokedPersonal:
    """What is personal about ``RecommendationRevoked``."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationExpired:
    """The term of a recommendation is over; ``on`` is its last day."""

    of: Digest
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentClosed:
    """An assessment is done; ``grounds`` say why it was returned to who applied directly, for no school is told."""

    cause: AssessmentCause
    grounds: tuple[ReturnGround, ...] = ()
