"""What a school records of persons that change, leave or step back, and of letters that it hands over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.wire.events.shapes import Particulars, Person
from services.wire.hashing import Digest
from services.wire.vocabulary import Authority, ClosingCause, CorrectedField, LeavingCause

__all__ = [
    "ApplicationWithdrawn",
    "ApplicationWithdrawnPersonal",
    "CaseClosed",
    "OpposingStatementRecorded",
    "OpposingStatementRecordedPersonal",
    "PersonDataCorrected",
    "PersonDataCorrectedPersonal",
    "PupilCameOfAge",
    "PupilCameOfAgePersonal",
    "PupilLeftSchool",
    "RepresentativeChanged",
    "RepresentativeChangedPersonal",
    "SealedItemHandedOver",
    "SealedItemHandedOverPersonal",
    "SealedItemReceived",
    "SealedItemReceivedPersonal",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDataCorrected:
    """Particulars were corrected; both values are kept."""

    changed: tuple[CorrectedField, ...]
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDataCorrectedPersonal:
    """What is personal about ``PersonDataCorrected``; the birth date, from the school's own register, goes no further."""

    old: Particulars
    new: Particulars
    old_birth_date: date | None
    new_birth_date: date | None
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepresentativeChanged:
    """Another person represents the pupil, and is the requester from then on."""

    authority: Authority
    from_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RepresentativeChangedPersonal:
    """What is personal about ``RepresentativeChanged``."""

    person: Person
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilCameOfAge:
    """The pupil is of age and the requester from then on; the day is a birthday, and so personal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilCameOfAgePersonal:
    """What is personal about ``PupilCameOfAge``."""

    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilLeftSchool:
    """The pupil is no longer at this school."""

    on: date
    cause: LeavingCause


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationWithdrawn:
    """The requester withdrew the application."""

    received_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationWithdrawnPersonal:
    """What is personal about ``ApplicationWithdrawn``."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpposingStatementRecorded:
    """The other parent opposes; a school or a court decides, no statement is a veto (domain.md D.5, 20)."""

    received_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class OpposingStatementRecordedPersonal:
    """What is personal about ``OpposingStatementRecorded``."""

    by: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClosed:
    """A case was closed without a decision."""

    on: date
    cause: ClosingCause


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedItemReceived:
    """A letter of the commission for the requester came to the school, closed."""

    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedItemReceivedPersonal:
    """What is personal about ``SealedItemReceived``."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedItemHandedOver:
    """A closed letter was handed over unopened; ``of`` is the body of its ``SealedItemReceived``."""

    on: date
    of: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedItemHandedOverPersonal:
    """What is personal about ``SealedItemHandedOver``."""

    to_whom: str
