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
    completing,
    deciding,
    decisions,
    judging,
    leaving,
    letters,
    reports,
)
from services.school.domain.awaiting import awaited
from services.school.domain.case import SchoolCase
from services.school.domain.judging import screened_at_filing
from services.school.domain.parts import SchoolState
from services.school.domain.words import ITEMS, reasons_in_words
from services.wire.errors import RefusedError
from services.wire.events import EligibilityOutcome, Intake

__all__ = ["outlook_of"]

_GUARDS: Final[Mapping[str, Callable[[SchoolCase, date], object]]] = {
    **decisions.GUARDS,
    **completing.GUARDS,
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


def outlook_of(case: SchoolCase, today: date) -> Outlook:
    """Return what is missing and what may be done today."""
    allowed = (Next(act=name, by=ACTS[name].by) for name in ACTS if name in _GUARDS and _allows(case, name, today))
    return Outlook(missing=tuple(_missing(case, today)), allowed=tuple(allowed))


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


def _parked(case: SchoolCase) -> Iterator[str]:
    """Yield from when on a pupil who is only too young can have the service; a case may be parked until then (E11)."""
    eligible_on = case.screenings[-1].eligible_on if case.screenings else None
    if case.state is SchoolState.NOT_ELIGIBLE_AT_INTAKE and eligible_on is not None:
        yield f"the age is reached on {eligible_on}: the conditions can be evaluated anew as of that day"


def _to_do(case: SchoolCase) -> Iterator[str]:
    """Yield what the school itself has to do before it can grant (domain.md D.2, guards)."""
    filed = case.application
    if filed is None:
        return
    if filed.intake is Intake.SIGNED_ELECTRONIC and not case.signature_is_valid:
        yield "the signature is to be checked"
    at_filing = screened_at_filing(case)
    if at_filing is None:
        yield "the conditions are to be evaluated as of the day of the application"
    elif at_filing.outcome is not EligibilityOutcome.ELIGIBLE:
        yield reasons_in_words(at_filing.reasons)
    is_evaluated = case.evaluated is not None and case.evaluated.complete
    if case.state is SchoolState.READY_FOR_DECISION and not is_evaluated:
        yield "all documents are to be evaluated"
