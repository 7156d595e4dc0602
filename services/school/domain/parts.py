"""What a school's case is put together from: its states, and a request, an address, a decision with what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final

from services.wire.events import (
    AddressKind,
    Answer,
    Asks,
    CorrectedField,
    DecisionNotified,
    DecisionOutcome,
    DeliveryAddressChanged,
    InformationRequested,
    RejectedCode,
    SchoolDecisionMade,
    Variant,
)
from services.wire.hashing import Digest

__all__ = ["ASKING", "ENDED", "MATCHED", "ChosenAddress", "Decision", "Request", "SchoolState"]


ASKING: Final = {Variant.A2: Asks.RECOMMENDATION, Variant.B2: Asks.IRP_AND_RECOMMENDATION}
"""The variants in which the school asks the commission, and for what."""


MATCHED: Final = frozenset({CorrectedField.NAME, CorrectedField.CODE, CorrectedField.NEW_CODE})
"""By what the commission finds a pupil; the birth date is the school's own register's, and goes to nobody (C2)."""


class SchoolState(Enum):
    """Where a case stands, in the words of the procedure (domain.md D.2)."""

    EMPTY = "Empty"
    RECEIVED = "Received"
    INCOMPLETE = "Incomplete"
    SIGNATURE_REJECTED = "SignatureRejected"
    NOT_ELIGIBLE_AT_INTAKE = "NotEligibleAtIntake"
    DUPLICATE = "Duplicate"
    READY_TO_REQUEST = "ReadyToRequest"
    AWAITING_COMMISSION = "AwaitingCommission"
    ON_HOLD_ATTENDANCE = "OnHoldAttendance"
    REQUEST_REJECTED = "RequestRejected"
    READY_FOR_DECISION = "ReadyForDecision"
    NEGATIVE_ANSWER = "NegativeAnswer"
    GRANTED = "Granted"
    REFUSED = "Refused"
    CONTESTED = "Contested"
    AGREEMENT_PENDING = "AgreementPending"
    ACTIVE = "Active"
    SUSPENDED = "Suspended"
    ENDED = "Ended"
    WITHDRAWN = "Withdrawn"
    TRANSFERRED = "Transferred"
    CLOSED = "Closed"


ENDED: Final = frozenset(
    {SchoolState.DUPLICATE, SchoolState.ENDED, SchoolState.WITHDRAWN, SchoolState.TRANSFERRED, SchoolState.CLOSED}
)
"""The states from which no case goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenAddress:
    """The newest choice of address; ``body`` names the event whose personal part holds the address itself."""

    body: Digest
    kind: AddressKind
    protected: bool
    confirmed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to the commission and what became of it.

    ``answer`` is the one that stands, ``answer_body`` the event that says it, ``is_corrected`` whether it corrects another one;
    ``ended_on`` is from when a yes holds no longer. ``address_told`` is what told the commission the address that it knows,
    ``address_changed`` what that says where it is not the request itself, ``corrections`` are the events by which it was told of
    other particulars, ``sought_by`` the newest that says who the pupil is, None while that is the request.
    """

    body: Digest
    facts: InformationRequested
    rejected: RejectedCode | None = None
    answer: Answer | None = None
    answer_body: Digest | None = None
    is_corrected: bool = False
    ended_on: date | None = None
    attendance_required: bool = False
    not_matched: bool = False
    is_returned: bool = False
    is_closed: bool = False
    is_withdrawn: bool = False
    corrections: tuple[Digest, ...] = ()
    sought_by: Digest | None = None
    address_told: Digest | None = None
    address_changed: DeliveryAddressChanged | None = None
    is_on_hold: bool = False
    reminders: int = 0
    reminded_on: date | None = None

    @property
    def awaits_answer(self) -> bool:
        """Tell whether an answer may still come; also after a withdrawal, which it may have crossed (domain.md D.5, 7)."""
        return self.rejected is None and self.answer is None and not self.is_returned and not self.is_closed

    @property
    def is_open(self) -> bool:
        """Tell whether the commission still owes an answer."""
        return self.awaits_answer and not self.is_withdrawn

    @property
    def is_given_up(self) -> bool:
        """Tell whether the school withdrew it and has no answer; one that crossed the withdrawal may still come."""
        return self.is_withdrawn and self.answer is None

    @property
    def counts(self) -> bool:
        """Tell whether the commission holds the request or has answered it."""
        return self.awaits_answer or self.answer is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision of the school, how the requester was notified, and what became of a refusal that was contested."""

    body: Digest
    facts: SchoolDecisionMade
    notified: DecisionNotified | None = None
    contested_on: date | None = None
    is_upheld: bool = False
    is_set_aside: bool = False

    @property
    def is_refusal(self) -> bool:
        """Tell whether the service was refused."""
        return self.facts.outcome is DecisionOutcome.REFUSED

    @property
    def is_under_contest(self) -> bool:
        """Tell whether somebody else has still to say whether the refusal stands."""
        return self.contested_on is not None and not self.is_upheld and not self.is_set_aside
