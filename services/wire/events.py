"""The events of the first step, as values: facts classes, and beside each what is personal about it.

A facts class *is* the event: rules, folds and reports need nothing else. The personal part is sealed under another key and
opened only when somebody looks. The closed lists stand in ``vocabulary`` and are named here again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.wire.hashing import Digest
from services.wire.vocabulary import (
    AddressKind,
    Answer,
    Asks,
    Attachment,
    ContactKind,
    Delivery,
    DocumentKind,
    Intake,
    Opinion,
    RefusalGround,
    RejectedCode,
    Requester,
    Source,
    Variant,
)

__all__ = [
    "Address",
    "AddressKind",
    "Answer",
    "Application",
    "ApplicationFiled",
    "ApplicationFiledPersonal",
    "Asks",
    "Attachment",
    "ConfirmationGiven",
    "ConfirmationGivenPersonal",
    "ConsentRecorded",
    "ConsentRecordedPersonal",
    "ContactKind",
    "Delivery",
    "DeliveryAddressChosen",
    "DeliveryAddressChosenPersonal",
    "DocumentKind",
    "DocumentsDispatched",
    "DocumentsDispatchedPersonal",
    "ExpertiseFileExamined",
    "InformationRequested",
    "InformationRequestedPersonal",
    "Intake",
    "IrpIssued",
    "IrpIssuedPersonal",
    "Opinion",
    "Person",
    "RecommendationIssued",
    "RecommendationIssuedPersonal",
    "RecommendationRefused",
    "RecommendationRefusedPersonal",
    "RefusalGround",
    "Rejected",
    "RejectedCode",
    "RequestRegistered",
    "RequestRegisteredPersonal",
    "Requester",
    "Source",
    "Variant",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address as it was declared; personal."""

    text: str
    postal_code: str
    varis_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as the form names them (A2.4, A2.5); personal."""

    given_name: str
    family_name: str
    personal_code: str
    declared_address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The application form as it was filed; personal."""

    pupil: Person
    representative: Person | None
    desired_assistant: str | None
    contact: str
    delivery_address: Address | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationFiled:
    """An application came in at a school; ``pupil`` is the school's own running number."""

    pupil: int
    received_on: date
    intake: Intake
    variant: Variant
    requester: Requester
    exception_declared: bool
    states_opinion: bool
    states_irp: bool
    names_assistant: bool
    contact: ContactKind
    attachments: tuple[Attachment, ...]
    recommendation_until: date | None
    parts: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationFiledPersonal:
    """What is personal about ``ApplicationFiled``."""

    application: Application
    birth_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecorded:
    """The requester agreed that the school asks the commission."""

    received_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecordedPersonal:
    """What is personal about ``ConsentRecorded``."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAddressChosen:
    """The requester chose where the commission sends its letters."""

    address: AddressKind
    address_protected: bool
    confirmed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAddressChosenPersonal:
    """What is personal about ``DeliveryAddressChosen``."""

    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationRequested:
    """A school asks the commission, with a copy of the application and nothing else."""

    variant: Variant
    asks: Asks
    requester: Requester
    consent_given: bool
    states_opinion: bool
    states_irp: bool
    address: AddressKind
    address_protected: bool
    received_on: date
    due_on: date
    parts: tuple[Digest, ...]
    application: Digest
    basis: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationRequestedPersonal:
    """What is personal about ``InformationRequested``."""

    pupil: Person
    representative: Person | None
    address: Address
    application: Application


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationGiven:
    """The commission answers a school; ``wording`` numbers the official sentence."""

    answer: Answer
    wording: int
    basis: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationGivenPersonal:
    """What is personal about ``ConfirmationGiven``."""

    official: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A received event was refused, once and with a closed code."""

    code: RejectedCode


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRegistered:
    """The commission entered a request in its register."""

    source: Source
    asks: Asks
    intake: Intake
    received_on: date
    parts: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRegisteredPersonal:
    """What is personal about ``RequestRegistered``."""

    register_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertiseFileExamined:
    """The commission looked into the pupil's expertise file."""

    file_found: bool
    opinion: Opinion
    opinion_until: date | None
    examined_on: date


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
class IrpIssued:
    """The commission prepared the individual rehabilitation plan (b.2)."""

    issued_on: date
    indicates_need: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IrpIssuedPersonal:
    """What is personal about ``IrpIssued``."""

    number: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsDispatched:
    """The commission sent its letters to the address in the request."""

    kinds: tuple[DocumentKind, ...]
    by: Delivery
    address: AddressKind
    address_from: Digest
    sent_on: date
    notified_on: date
    duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsDispatchedPersonal:
    """What is personal about ``DocumentsDispatched``."""

    number: str
    address: Address
