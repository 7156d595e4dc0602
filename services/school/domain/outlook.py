"""What people have to know to go on with a school's case: what is missing, in words, and which acts it allows.

An act is allowed where its own guard does not refuse; no second table says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final

from services.post.history import Next, Outlook
from services.school.acts import ACTS
from services.school.domain import (
    agreements,
    assistants,
    changing,
    choosing,
    completing,
    deciding,
    decisions,
    duplicates,
    judging,
    leaving,
    letters,
    reports,
)
from services.school.domain.awaiting import awaited
from services.school.domain.case import SchoolCase
from services.school.domain.judging import screened_at_filing
from services.school.domain.parts import SchoolState
from services.school.domain.standing import is_signed
from services.school.domain.words import ITEMS, reasons_in_words
from services.wire.errors import RefusedError
from services.wire.events import EligibilityOutcome, EligibilityReason

__all__ = ["outlook_of"]

_GUARDS: Final[Mapping[str, Callable[[SchoolCase, date], object]]] = {
    **decisions.GUARDS,
    **completing.GUARDS,
    **duplicates.GUARDS,
    **choosing.GUARDS,
    **judging.GUARDS,
    **deciding.GUARDS,
    **assistants.GUARDS,
    **agreements.GUARDS,
    **reports.GUARDS,
    **letters.GUARDS,
    **leaving.GUARDS,
    **changing.GUARDS,
}
_FLAGS: Final = {
    "AnswerCorrected": "the commission's yes became a no: look at the grant again",
    "BasisEnded": "the recommendation was revoked or is over: no new agreement, and a running one is to be looked at again",
    "BasisEndsSoon": "the recommendation will be over soon: a new one is needed",
}
_BEFORE_THE_DECISION: Final = (
    SchoolState.RECEIVED,
    SchoolState.INCOMPLETE,
    SchoolState.READY_TO_REQUEST,
    SchoolState.READY_FOR_DECISION,
)


def outlook_of(case: SchoolCase, today: date, *, escalation_contact: str | None = None) -> Outlook:
    """Return what is missing and what may be done today."""
    allowed = (Next(act=name, by=ACTS[name].by) for name in ACTS if name in _GUARDS and _allows(case, name, today))
    missing = (*_missing(case, today), *_overdue(case, today, escalation_contact))
    return Outlook(missing=missing, allowed=tuple(allowed))


def _allows(case: SchoolCase, act: str, today: date) -> bool:
    try:
        _GUARDS[act](case, today)
    except RefusedError:
        return False
    return True


def _missing(case: SchoolCase, today: date) -> Iterator[str]:
    if case.decision is None and case.state not in (SchoolState.CLOSED, SchoolState.WITHDRAWN, SchoolState.TRANSFERRED):
        yield from (ITEMS[item] for item in case.missing)
    if case.state in _BEFORE_THE_DECISION:
        yield from _to_do(case)
    if case.evaluated is not None and case.evaluated.irp_outstanding:
        yield "a copy of the plan that the commission made is outstanding"
    yield from _parked(case)
    yield from awaited(case)
    yield from (_FLAGS[flag] for flag in case.flags)
    if case.copy_until is not None and case.copy_until < today and "BasisEnded" not in case.flags:
        yield _FLAGS["BasisEnded"]


def _overdue(case: SchoolCase, today: date, contact: str | None) -> Iterator[str]:
    """Yield what is left where the term is over: a reminder, and after it another person; never a refusal (D.5, 15)."""
    request = case.request
    if request is None or case.state is not SchoolState.AWAITING_COMMISSION or today <= request.facts.due_on:
        return
    if request.reminded_on is None:
        yield f"the commission owed its answer until {request.facts.due_on}: remind it"
    elif request.reminded_on < today:
        whom = contact or "the commission's head (the setting escalation_contact names nobody)"
        yield f"the commission was reminded on {request.reminded_on} and has not answered: turn to {whom}"


def _parked(case: SchoolCase) -> Iterator[str]:
    """Yield that a pupil who is only too young can have the service later; a case may be parked until then (E11)."""
    is_young = bool(case.screenings) and case.screenings[-1].reasons == (EligibilityReason.TOO_YOUNG,)
    if case.state is SchoolState.NOT_ELIGIBLE_AT_INTAKE and is_young:
        yield "the age is not reached yet: the evaluation says on which day, and as of that day it can be done anew"


def _to_do(case: SchoolCase) -> Iterator[str]:
    """Yield what the school itself has to do before it can grant (domain.md D.2, guards)."""
    filed = case.application
    if filed is None:
        return
    if not is_signed(case):
        yield "the signature is to be checked"
    at_filing = screened_at_filing(case)
    if at_filing is None:
        yield "the conditions are to be evaluated as of the day of the application"
    elif at_filing.outcome is not EligibilityOutcome.ELIGIBLE:
        yield reasons_in_words(at_filing.reasons)
    is_evaluated = case.evaluated is not None and case.evaluated.complete
    if case.state is SchoolState.READY_FOR_DECISION and not is_evaluated:
        yield "all documents are to be evaluated"
