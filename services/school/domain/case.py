"""A school's case as its history makes it: variants a.2 and b.2, from the application to the commission's recorded answer.

Folding is total: whatever was accepted once stays loadable, in whatever order it stands; every refusal is made before, in
``decisions`` and ``receiving``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import reduce
from typing import Final

from services.post.history import Recorded, Standing
from services.wire.events import (
    AddressKind,
    Answer,
    ApplicationFiled,
    Asks,
    Attachment,
    ConfirmationGiven,
    ConsentRecorded,
    DeliveryAddressChosen,
    InformationRequested,
    Rejected,
    RejectedCode,
    Variant,
)
from services.wire.hashing import Digest

__all__ = ["ASKING", "ChosenAddress", "Request", "SchoolCase", "SchoolState", "evolve", "fold"]


ASKING: Final = {Variant.A2: Asks.RECOMMENDATION, Variant.B2: Asks.IRP_AND_RECOMMENDATION}
"""The variants in which the school asks the commission, and for what."""


class SchoolState(Enum):
    """Where a case stands, in the words of the procedure."""

    EMPTY = "Empty"
    RECEIVED = "Received"
    INCOMPLETE = "Incomplete"
    READY_TO_REQUEST = "ReadyToRequest"
    AWAITING_COMMISSION = "AwaitingCommission"
    REQUEST_REJECTED = "RequestRejected"
    READY_FOR_DECISION = "ReadyForDecision"
    NEGATIVE_ANSWER = "NegativeAnswer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenAddress:
    """The newest choice of address; ``body`` names the event whose personal part holds the address itself."""

    body: Digest
    kind: AddressKind
    protected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to the commission and what became of it: ``rejected`` with a code, answered, or neither yet."""

    body: Digest
    facts: InformationRequested
    rejected: RejectedCode | None = None
    answer: Answer | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether the commission still owes an answer."""
        return self.rejected is None and self.answer is None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolCase:
    """The folded case: facts only. ``application_body`` and ``consent_body`` name the events that a request rests on."""

    application: ApplicationFiled | None = None
    application_body: Digest | None = None
    consent_body: Digest | None = None
    address: ChosenAddress | None = None
    requests: tuple[Request, ...] = ()

    @property
    def request(self) -> Request | None:
        """Return the request by which the case stands: the newest that the commission has not refused, if there is one.

        A second one beside it, which the commission has to refuse, must not make the first look as if it were none.
        """
        standing = [each for each in self.requests if each.rejected is None or each.answer is not None]
        return next(reversed(standing or self.requests), None)

    @property
    def is_asked(self) -> bool:
        """Tell whether the commission holds a request or has answered one; those that it refused count for nothing."""
        return self.request is not None and (self.request.rejected is None or self.request.answer is not None)

    @property
    def missing_statements(self) -> tuple[str, ...]:
        """Return the fields of the application that do not say what its variant needs before the commission is asked.

        The exception (guidance, section 5: the way through the school is for who cannot well go to the commission), the
        opinion, and for a.2 the plan, stated and with its copy.
        """
        filed = self.application
        if filed is None or filed.variant not in ASKING:
            return ()
        needs_plan = filed.variant is Variant.A2
        said = {
            "exception_declared": filed.exception_declared,
            "states_opinion": filed.states_opinion,
            "states_irp": filed.states_irp or not needs_plan,
            "attachments": Attachment.IRP in filed.attachments or not needs_plan,
        }
        return tuple(name for name, is_said in said.items() if not is_said)

    @property
    def state(self) -> SchoolState:
        """Return where the case stands."""
        # A request stands without its application where the keys of the record are lost.
        if self.request is not None:
            return _state_of(self.request)
        if self.application is None:
            return SchoolState.EMPTY
        if self.missing_statements:
            return SchoolState.INCOMPLETE
        if self.application.variant not in ASKING or self.consent_body is None or self.address is None:
            return SchoolState.RECEIVED
        return SchoolState.READY_TO_REQUEST


def _state_of(request: Request) -> SchoolState:
    if request.answer is Answer.YES:
        return SchoolState.READY_FOR_DECISION
    if request.answer is Answer.NO:
        return SchoolState.NEGATIVE_ANSWER
    return SchoolState.AWAITING_COMMISSION if request.rejected is None else SchoolState.REQUEST_REJECTED


def fold(history: Sequence[Recorded]) -> SchoolCase:
    """Return the case after its accepted events; refused, parked and voided ones count for nothing."""
    return reduce(evolve, (event for event in history if event.standing is Standing.ACCEPTED), SchoolCase())


def evolve(case: SchoolCase, event: Recorded) -> SchoolCase:  # noqa: PLR0911  # one return an event
    """Return the case after one accepted event; an event that means nothing to it leaves it as it is."""
    match event.facts:
        case ApplicationFiled() as facts:
            return replace(case, application=facts, application_body=event.body)
        case ConsentRecorded():
            return replace(case, consent_body=event.body)
        case DeliveryAddressChosen() as facts:
            chosen = ChosenAddress(body=event.body, kind=facts.address, protected=facts.address_protected)
            return replace(case, address=chosen)
        case InformationRequested() as facts:
            return replace(case, requests=(*case.requests, Request(body=event.body, facts=facts)))
        case ConfirmationGiven() as facts:
            return _amend(case, event.in_reply_to, answer=facts.answer)
        case Rejected() as facts if not event.own:
            return _amend(case, event.in_reply_to, rejected=facts.code)
        case _:
            return case


def _amend(
    case: SchoolCase, body: Digest | None, *, answer: Answer | None = None, rejected: RejectedCode | None = None
) -> SchoolCase:
    """Return the case with what became of the request that ``body`` names."""
    requests = (
        replace(each, answer=answer or each.answer, rejected=rejected or each.rejected) if each.body == body else each
        for each in case.requests
    )
    return replace(case, requests=tuple(requests))
