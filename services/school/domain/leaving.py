"""How a case ends without a service, or a pupil goes: withdrawal, another school, departure, death (D.5, 7, 8 and 30)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from services.post.history import BEFORE, New
from services.school.domain import refusals_changing as refused
from services.school.domain.allowing import require_application, require_going_on
from services.school.domain.applications import dispatch_held
from services.school.domain.folded import SchoolCase
from services.school.input import LeavingForm, WithdrawalForm
from services.wire.events import (
    Address,
    ApplicationFiled,
    ApplicationWithdrawn,
    ApplicationWithdrawnPersonal,
    CaseClosed,
    ClosingCause,
    LeavingCause,
    PupilLeftSchool,
    RequestWithdrawn,
    ServiceCause,
    ServiceEnded,
    ServiceEndedPersonal,
)

__all__ = ["GUARDS", "leave_school", "withdraw_application"]

_CLOSING: Final = {LeavingCause.DIED: ClosingCause.DIED, LeavingCause.LEFT_COUNTRY: ClosingCause.LEFT_COUNTRY}


def withdraw_application(case: SchoolCase, form: WithdrawalForm) -> tuple[New, ...]:
    """Return the events of a withdrawal: for the record, and for the commission where it was asked.

    What the commission has answered or sent by then stays as it is; what comes afterwards changes nothing (D.5, 7).
    Raises: as ``require_going_on``; WithdrawnBeforeFiledError; RefusedAlreadyError; ServiceRunsError.
    """
    filed = _may_withdraw(case)
    if form.received_on < filed.received_on:
        raise refused.WithdrawnBeforeFiledError(filed.received_on)
    facts = ApplicationWithdrawn(received_on=form.received_on)
    made = New(facts=facts, personal=ApplicationWithdrawnPersonal(by=form.by))
    return (made, *_taken_back(case))


def leave_school(case: SchoolCase, form: LeavingForm, *, address: Address | None = None) -> tuple[New, ...]:
    """Return the events of a pupil who is no longer here: the service ends, or the request is taken back.

    Nothing is forwarded to another school: the requester applies there anew (D.5, 8). Of a death or a departure nothing is
    recorded but that, and no letters follow (D.5, 30): the commission is asked to hold those that it has not sent. ``address`` is
    where it was asked to send them, None if it was not asked.
    Raises: as ``require_going_on``; LeftBeforeFiledError.
    """
    filed = _require_claim(case)
    if form.on < filed.received_on:
        raise refused.LeftBeforeFiledError(filed.received_on)
    left = New(facts=PupilLeftSchool(on=form.on, cause=form.cause))
    # While a service runs the request is long done; but where nobody is to be written to any more, it is taken back all the same.
    is_asked_for = not case.service.agreements or form.cause in _CLOSING
    held = dispatch_held(case, address) if form.cause in _CLOSING else ()
    return (left, *held, *(_taken_back(case) if is_asked_for else ()), *_ended(case, form), *_closed(form))


def _require_claim(case: SchoolCase) -> ApplicationFiled:
    """Return the application that somebody still claims something by; its errors are those of ``require_going_on``."""
    # D.5, 5: also a duplicate that was left alone: nobody else's withdrawal has ended it.
    return require_application(case)[0] if case.left_alone_on is not None else require_going_on(case)


def _may_withdraw(case: SchoolCase) -> ApplicationFiled:
    filed = _require_claim(case)
    # D.2: from Refused only a contest leads on, and what is agreed is ended by another act.
    if case.decision is not None and case.decision.is_refusal:
        raise refused.RefusedAlreadyError
    if case.service.agreements:
        raise refused.ServiceRunsError
    return filed


def _taken_back(case: SchoolCase) -> tuple[New, ...]:
    """Return the word that nothing is asked any more, where the commission still has the request or has answered it."""
    request = case.request
    if request is None or request.is_withdrawn or not request.counts:
        return ()
    return (New(facts=RequestWithdrawn(basis=BEFORE), in_reply_to=request.body),)


def _ended(case: SchoolCase, form: LeavingForm) -> tuple[New, ...]:
    if not case.service.agreements:
        return ()
    cause = ServiceCause.DIED if form.cause is LeavingCause.DIED else ServiceCause.PUPIL_LEFT_SCHOOL
    return (New(facts=ServiceEnded(on=form.on, cause=cause), personal=ServiceEndedPersonal(note=None)),)


def _closed(form: LeavingForm) -> tuple[New, ...]:
    cause = _CLOSING.get(form.cause)
    return (New(facts=CaseClosed(on=form.on, cause=cause)),) if cause is not None else ()


GUARDS: Final[Mapping[str, Callable[[SchoolCase, date], object]]] = {
    "withdraw": lambda case, _: _may_withdraw(case),
    "leave": lambda case, _: _require_claim(case),
}
"""What each act here asks of a case on a day, before anybody fills in a form."""
