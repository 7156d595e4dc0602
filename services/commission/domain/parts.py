"""What a commission's case is made of: the request and what was said of it, what was decided, what was sent, and where it stands.

Values alone. Source: domain.md D.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from services.wire.events import (
    Answer,
    DeliveryAddressChanged,
    DocumentsDispatched,
    InformationRequested,
    RecommendationIssued,
    RecommendationRefused,
    Redispatched,
    RequestCorrected,
)
from services.wire.hashing import Digest

__all__ = [
    "AddressChange",
    "Attendance",
    "CommissionState",
    "Contest",
    "Correction",
    "Ending",
    "Outcome",
    "Request",
    "Sent",
]


class CommissionState(Enum):
    """Where a case stands, in the words of the procedure."""

    EMPTY = "Empty"
    RECEIVED = "Received"
    REGISTERED = "Registered"
    RETURNED = "Returned"
    IDENTITY_NOT_MATCHED = "IdentityNotMatched"
    LINKED = "Linked"
    FILE_CHECKED = "FileChecked"
    ATTENDANCE_REQUIRED = "AttendanceRequired"
    PREPARED = "Prepared"
    DISPATCHED = "Dispatched"
    REFUSED = "Refused"
    CONTESTED = "Contested"
    SET_ASIDE = "SetAside"
    WITHDRAWN = "Withdrawn"
    ANSWERED = "Answered"
    ANSWER_REJECTED = "AnswerRejected"
    CORRECTED = "Corrected"
    REVOKED = "Revoked"
    EXPIRED = "Expired"
    CLOSED = "Closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The school's request; ``written_on`` is the day on which the school saved it."""

    body: Digest
    facts: InformationRequested
    written_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A school's correction of what its request says of persons."""

    body: Digest
    facts: RequestCorrected


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressChange:
    """Another address for the letters, or word that nothing is to be sent for now; ``written_on`` is the day of the school's."""

    body: Digest
    facts: DeliveryAddressChanged
    written_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """The pupil was asked to come, by the event that ``body`` names, and came or did not."""

    body: Digest
    sent_on: date
    attended: bool = False
    lapsed: bool = False

    @property
    def is_awaited(self) -> bool:
        """Tell whether the pupil may still come."""
        return not self.attended and not self.lapsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The recommendation issued or refused; an answer rests on the event that ``basis`` names.

    ``body`` names the event itself; a correction that makes a no out of a yes changes ``is_yes`` and ``basis``.
    """

    body: Digest
    facts: RecommendationIssued | RecommendationRefused
    basis: Digest
    is_yes: bool

    @property
    def answer(self) -> Answer:
        """What a school is told of it."""
        return Answer.YES if self.is_yes else Answer.NO


class Contest(Enum):
    """What became of a refusal that was contested."""

    NONE = "None"
    OPEN = "Open"
    UPHELD = "Upheld"
    SET_ASIDE = "SetAside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A recommendation that holds no longer: from which day, and whether it was revoked or has expired."""

    body: Digest
    on: date
    is_revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was sent last: its event, and what is known of its arrival; ``first`` names the event that has its number.

    ``instead_of`` names the word of the own school that stood then, where the letter went to an address that another case told.
    """

    body: Digest
    first: Digest
    facts: DocumentsDispatched | Redispatched
    instead_of: Digest | None = None
    delivered: bool = False
    failed: bool = False
