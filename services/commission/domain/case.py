"""The commission's case as its history makes it: one school's request of variant a.2 or b.2, up to the answer.

Folding is total: whatever was accepted once stays loadable, in whatever order it stands; every refusal is made before, in
``decisions`` and ``receiving``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from functools import reduce

from services.post.history import Recorded, Standing
from services.wire.events import (
    Answer,
    ConfirmationGiven,
    DocumentsDispatched,
    ExpertiseFileExamined,
    InformationRequested,
    IrpIssued,
    RecommendationIssued,
    RecommendationRefused,
    Rejected,
    RejectedCode,
    RequestRegistered,
)
from services.wire.hashing import Digest

__all__ = ["CommissionCase", "CommissionState", "Outcome", "Request", "evolve", "fold"]


class CommissionState(Enum):
    """Where a case stands, in the words of the procedure."""

    EMPTY = "Empty"
    RECEIVED = "Received"
    REGISTERED = "Registered"
    FILE_CHECKED = "FileChecked"
    PREPARED = "Prepared"
    REFUSED = "Refused"
    ANSWERED = "Answered"
    ANSWER_REJECTED = "AnswerRejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The school's request; ``written_on`` is the day on which the school saved it."""

    body: Digest
    facts: InformationRequested
    written_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The recommendation issued or refused; an answer rests on the event that ``body`` names."""

    body: Digest
    facts: RecommendationIssued | RecommendationRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionCase:
    """The folded case: facts only. ``answer_body`` names the answer given, ``answer_rejected`` why the school refused it."""

    request: Request | None = None
    registered: RequestRegistered | None = None
    examination: ExpertiseFileExamined | None = None
    irp: IrpIssued | None = None
    outcome: Outcome | None = None
    dispatch: DocumentsDispatched | None = None
    answer: Answer | None = None
    answer_body: Digest | None = None
    answer_rejected: RejectedCode | None = None

    @property
    def state(self) -> CommissionState:
        """Return where the case stands; the dispatch is a fact beside it, for the answer does not wait for it."""
        if self.request is None:
            return CommissionState.EMPTY
        if self.answer is not None:
            return CommissionState.ANSWERED if self.answer_rejected is None else CommissionState.ANSWER_REJECTED
        if self.outcome is not None:
            issued = isinstance(self.outcome.facts, RecommendationIssued)
            return CommissionState.PREPARED if issued else CommissionState.REFUSED
        if self.examination is not None:
            return CommissionState.FILE_CHECKED
        return CommissionState.RECEIVED if self.registered is None else CommissionState.REGISTERED


def fold(history: Sequence[Recorded]) -> CommissionCase:
    """Return the case after its accepted events; refused, parked and voided ones count for nothing."""
    return reduce(evolve, (event for event in history if event.standing is Standing.ACCEPTED), CommissionCase())


def evolve(case: CommissionCase, event: Recorded) -> CommissionCase:  # noqa: PLR0911  # one return an event
    """Return the case after one accepted event; an event that means nothing to it leaves it as it is."""
    match event.facts:
        case InformationRequested() as facts:
            return replace(case, request=Request(body=event.body, facts=facts, written_on=event.recorded_on))
        case RequestRegistered() as facts:
            return replace(case, registered=facts)
        case ExpertiseFileExamined() as facts:
            return replace(case, examination=facts)
        case IrpIssued() as facts:
            return replace(case, irp=facts)
        case RecommendationIssued() | RecommendationRefused() as facts:
            return replace(case, outcome=Outcome(body=event.body, facts=facts))
        case DocumentsDispatched() as facts:
            return replace(case, dispatch=facts)
        case ConfirmationGiven() as facts:
            return replace(case, answer=facts.answer, answer_body=event.body)
        case Rejected() as facts if not event.own and event.in_reply_to == case.answer_body:
            return replace(case, answer_rejected=facts.code)
        case _:
            return case
