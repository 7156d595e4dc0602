"""What a school records of a service: assistants, agreements, hours and money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.wire.events.shapes import Assistant
from services.wire.hashing import Digest
from services.wire.vocabulary import Background, Duty, Party, ServiceCause

__all__ = [
    "AgreementAmended",
    "AgreementAmendedPersonal",
    "AgreementConcluded",
    "AgreementConcludedPersonal",
    "AssistantCvAnnexed",
    "AssistantCvAnnexedPersonal",
    "AssistantProposed",
    "AssistantProposedPersonal",
    "HoursReported",
    "MoneyReported",
    "ServiceEnded",
    "ServiceEndedPersonal",
    "ServiceResumed",
    "ServiceResumedPersonal",
    "ServiceSuspended",
    "ServiceSuspendedPersonal",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantProposed:
    """A person is proposed as assistant; ``assistant`` is the school's own running number."""

    assistant: int
    background: Background


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantProposedPersonal:
    """What is personal about ``AssistantProposed``."""

    person: Assistant


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantCvAnnexed:
    """An assistant's CV is there; it has to show experience (A3.7)."""

    assistant: int
    work_experience: bool
    contact_experience: bool
    training_hours: int | None
    parts: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantCvAnnexedPersonal:
    """What is personal about ``AssistantCvAnnexed``."""

    cv: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementConcluded:
    """Requester, assistant and school concluded an agreement (A3.5); ``other_duties`` stand in its text."""

    agreement: int
    assistant: int
    hours_per_week: int
    duties: tuple[Duty, ...]
    other_duties: bool
    from_on: date
    until_on: date | None
    signed_by: tuple[Party, ...]
    concluded_on: date
    parts: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementConcludedPersonal:
    """What is personal about ``AgreementConcluded``."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementAmended:
    """An agreement was amended, also by another assistant; it holds as written here from ``from_on``."""

    agreement: int
    assistant: int
    hours_per_week: int
    duties: tuple[Duty, ...]
    other_duties: bool
    from_on: date
    until_on: date | None
    signed_by: tuple[Party, ...]
    concluded_on: date
    parts: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementAmendedPersonal:
    """What is personal about ``AgreementAmended``."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSuspended:
    """A service stands still."""

    on: date
    cause: ServiceCause


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSuspendedPersonal:
    """What is personal about ``ServiceSuspended``."""

    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceResumed:
    """A service goes on."""

    on: date
    cause: ServiceCause


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceResumedPersonal:
    """What is personal about ``ServiceResumed``."""

    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEnded:
    """A service ended."""

    on: date
    cause: ServiceCause


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEndedPersonal:
    """What is personal about ``ServiceEnded``."""

    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursReported:
    """What an assistant worked in a month (its first day), in minutes; the newest of a month counts."""

    month: date
    agreement: int
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyReported:
    """What a school received and used in a month (its first day), in cents; belongs to no case."""

    month: date
    opening_cents: int
    received_cents: int
    used_cents: int
