"""What a school records of an application, up to its decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.wire.events.shapes import Address, Application
from services.wire.hashing import Digest
from services.wire.vocabulary import (
    AddressKind,
    Attachment,
    ContactKind,
    Container,
    DecisionGround,
    DecisionOutcome,
    Delivery,
    DisabilityGroup,
    DuplicateCause,
    EligibilityOutcome,
    EligibilityReason,
    Enrolment,
    EvaluatedKind,
    Founder,
    Intake,
    Known,
    MissingItem,
    Requester,
    SchoolKind,
    SignatureFault,
    SignatureLevel,
    Variant,
)

__all__ = [
    "ApplicationFiled",
    "ApplicationFiledPersonal",
    "ApplicationFoundIncomplete",
    "ApplicationFoundIncompletePersonal",
    "ApplicationSupplemented",
    "ApplicationSupplementedPersonal",
    "ConsentRecorded",
    "ConsentRecordedPersonal",
    "ConsentWithdrawn",
    "ConsentWithdrawnPersonal",
    "DecisionNotified",
    "DecisionNotifiedPersonal",
    "DeliveryAddressChosen",
    "DeliveryAddressChosenPersonal",
    "DocumentsEvaluated",
    "DocumentsEvaluatedPersonal",
    "DuplicateLinked",
    "DuplicateReopened",
    "DuplicateReopenedPersonal",
    "EligibilityScreened",
    "EligibilityScreenedPersonal",
    "SchoolDecisionMade",
    "SchoolDecisionMadePersonal",
    "SchoolDescribed",
    "SignatureRejected",
    "SignatureRejectedPersonal",
    "SignatureValidated",
    "SignatureValidatedPersonal",
    "VariantChosen",
    "VariantChosenPersonal",
]


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
    """What is personal about ``ApplicationFiled``; ``check_digit_note`` says who overruled a code's check digit, and by what."""

    application: Application
    birth_date: date
    check_digit_note: str | None = None


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
class SchoolDescribed:
    """What a school is, from a day on; belongs to no case."""

    founder: Founder
    kind: SchoolKind
    state_maintained: bool
    technical_staff_financed: bool
    from_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureValidated:
    """A signed document was validated when it came in; certificates expire, so what was found is kept."""

    level: SignatureLevel
    container: Container
    signer_matches: bool
    time_stamped: bool
    signed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureValidatedPersonal:
    """What is personal about ``SignatureValidated``."""

    report: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRejected:
    """A document counts as not signed."""

    reason: SignatureFault


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRejectedPersonal:
    """What is personal about ``SignatureRejected``."""

    report: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationFoundIncomplete:
    """An application lacks something; the requester is told what, and until when it can be supplied."""

    missing: tuple[MissingItem, ...]
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationFoundIncompletePersonal:
    """What is personal about ``ApplicationFoundIncomplete``."""

    letter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSupplemented:
    """What an application lacked was supplied; with a recommendation its last day, None where it has none."""

    supplied: tuple[MissingItem, ...]
    received_on: date
    recommendation_until: date | None
    parts: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSupplementedPersonal:
    """What is personal about ``ApplicationSupplemented``."""

    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantChosen:
    """The requester chose another route after filing; it says itself whether applying to the commission is too hard."""

    variant: Variant
    exception_declared: bool
    received_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantChosenPersonal:
    """What is personal about ``VariantChosen``."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWithdrawn:
    """The requester no longer agrees that the school asks the commission; what was done stays lawful."""

    received_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWithdrawnPersonal:
    """What is personal about ``ConsentWithdrawn``."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityScreened:
    """The conditions were evaluated as of a day, under a rule set in a version, on the facts that stand here."""

    rule_set: int
    rule_set_version: int
    as_of: date
    outcome: EligibilityOutcome
    reasons: tuple[EligibilityReason, ...]
    age: int
    child_with_disability: Known
    group: DisabilityGroup
    benefit: Known
    opinion: Known
    enrolled: Enrolment


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityScreenedPersonal:
    """What is personal about ``EligibilityScreened``; the day on which the least age is reached is a birthday (docs/adr/0028)."""

    birth_date: date
    eligible_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateLinked:
    """An application is a duplicate of another case's; ``primary`` is the body of that one's ``ApplicationFiled``."""

    primary: Digest
    cause: DuplicateCause


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateReopened:
    """A duplicate goes on: what it was linked to came to nothing, and its requester says that it stands."""

    received_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateReopenedPersonal:
    """What is personal about ``DuplicateReopened``."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsEvaluated:
    """The documents that came were evaluated; without that nothing is granted (A3.4)."""

    kinds: tuple[EvaluatedKind, ...]
    complete: bool
    irp_indicates_need: bool | None
    irp_outstanding: bool
    evaluated_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsEvaluatedPersonal:
    """What is personal about ``DocumentsEvaluated``."""

    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolDecisionMade:
    """A school granted or refused the service; ``basis`` is the commission's answer, if it was asked."""

    outcome: DecisionOutcome
    grounds: tuple[DecisionGround, ...]
    rule_set: int
    rule_set_version: int
    decided_on: date
    basis: Digest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolDecisionMadePersonal:
    """What is personal about ``SchoolDecisionMade``."""

    number: str
    reasons: str
    instruction: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionNotified:
    """A decision was sent; from the day of notification its term of contest runs."""

    by: Delivery
    sent_on: date
    notified_on: date
    contest_due_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionNotifiedPersonal:
    """What is personal about ``DecisionNotified``."""

    address: Address | None
