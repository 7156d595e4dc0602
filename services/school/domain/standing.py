"""Where a case stands, and what its application lacks: worked out of the folded case, never kept.

The order of the rules is that of the procedure read backwards: what ended a case, then its service, its decision, its request,
and what the application itself says.
Source: domain.md A.5 (which variant needs what) and D.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from services.school.domain.parts import ASKING, Decision, Request, SchoolState
from services.wire.events import (
    Answer,
    Attachment,
    ClosingCause,
    DecisionGround,
    DecisionOutcome,
    EligibilityOutcome,
    Intake,
    MissingItem,
    Variant,
)

if TYPE_CHECKING:
    from services.school.domain.case import SchoolCase

__all__ = [
    "decision_that_stands",
    "is_answered_yes",
    "is_ineligible",
    "is_signed",
    "items_there",
    "missing_items",
    "not_needed_by",
    "state_of",
]

_COPIES: Final = frozenset({MissingItem.IRP, MissingItem.RECOMMENDATION_COPY})
_FOR_ASKING: Final = frozenset(
    {MissingItem.EXCEPTION_DECLARATION, MissingItem.OPINION_STATEMENT, MissingItem.CONSENT, MissingItem.ADDRESS}
)
_NEEDED: Final = {
    # A.5, step 4 of a.1 and b.1, and direct filing: both copies. A5.4 and step 2 of a.2 and b.2: the statements.
    Variant.A1: _COPIES,
    Variant.B1: _COPIES,
    Variant.DIRECT: _COPIES,
    Variant.A2: _FOR_ASKING | {MissingItem.IRP_STATEMENT, MissingItem.IRP},
    Variant.B2: _FOR_ASKING,
}
_CLOSED: Final = {
    ClosingCause.WITHDRAWN: SchoolState.WITHDRAWN,
    ClosingCause.TRANSFERRED: SchoolState.TRANSFERRED,
    ClosingCause.DUPLICATE: SchoolState.DUPLICATE,
}


def items_there(case: SchoolCase) -> frozenset[MissingItem]:
    """Return what is there: said or attached when the application was filed, or supplied since."""
    filed = case.application
    if filed is None:
        return frozenset()
    said = {
        MissingItem.CONSENT: case.consent_body is not None,
        MissingItem.ADDRESS: case.address is not None,
        MissingItem.EXCEPTION_DECLARATION: case.exception_declared,
        MissingItem.OPINION_STATEMENT: filed.states_opinion,
        MissingItem.IRP_STATEMENT: filed.states_irp,
        MissingItem.IRP: Attachment.IRP in filed.attachments,
        MissingItem.RECOMMENDATION_COPY: Attachment.RECOMMENDATION_COPY in filed.attachments,
    }
    return case.supplied | {item for item, is_there in said.items() if is_there}


def missing_items(case: SchoolCase) -> tuple[MissingItem, ...]:
    """Return what the application lacks for its variant, and what somebody said it lacks, in the order of the list.

    Whoever brings both copies needs nothing that the commission would be asked with (domain.md D.5, 1: switch to a.1 or b.1).
    """
    filed = case.application
    if filed is None:
        return ()
    there = items_there(case)
    has_copies = there >= _COPIES
    needed = _COPIES if has_copies else _NEEDED.get(case.variant or Variant.UNKNOWN, frozenset())
    said = case.lacking - _FOR_ASKING - {MissingItem.IRP_STATEMENT} if has_copies else case.lacking
    # A recommendation that was over before the application came is none (domain.md D.5, 12).
    until = case.copy_until
    if until is not None and until < filed.received_on:
        needed |= {MissingItem.VALID_RECOMMENDATION}
    wanted = said | (needed - there)
    return tuple(item for item in MissingItem if item in wanted)


def is_signed(case: SchoolCase) -> bool:
    """Tell whether an application is signed: by hand, or electronically and validated; paper heals the latter (C2; D.5, 25)."""
    filed = case.application
    is_electronic = filed is not None and filed.intake is Intake.SIGNED_ELECTRONIC
    return not is_electronic or case.signature_is_valid is True or MissingItem.SIGNATURE in case.supplied


def is_ineligible(case: SchoolCase) -> bool:
    """Tell whether the conditions were evaluated last to the result that they are not fulfilled."""
    return bool(case.screenings) and case.screenings[-1].outcome is EligibilityOutcome.INELIGIBLE


def state_of(case: SchoolCase) -> SchoolState:
    """Return where a case stands."""
    rules = (_ended(case), case.service_state, _decided(case), _asked(case))
    return next((state for state in rules if state is not None), None) or _applied(case)


def not_needed_by(variant: Variant) -> frozenset[MissingItem]:
    """Return what a route never asks for, and may have been asked for on another one: statements, or the plan that b.2 brings."""
    if variant is Variant.B2:
        return frozenset({MissingItem.IRP, MissingItem.IRP_STATEMENT, MissingItem.IRP_INDICATION})
    return frozenset() if variant in ASKING else _FOR_ASKING | {MissingItem.IRP_STATEMENT}


def is_answered_yes(case: SchoolCase) -> bool:
    """Tell whether the commission's answer that stands is a yes."""
    return case.request is not None and case.request.answer is Answer.YES


def decision_that_stands(case: SchoolCase) -> Decision | None:
    """Return the newest decision, None if it was set aside, or the answer under a refusal has become a yes."""
    if not case.decisions or case.decisions[-1].is_set_aside or _is_overtaken(case, case.decisions[-1]):
        return None
    return case.decisions[-1]


def _is_overtaken(case: SchoolCase, decision: Decision) -> bool:
    """Tell whether the commission turned its no into a yes after the refusal (E09, variant): the school decides anew.

    A refusal on other grounds alone, as that the pupil goes to another school, never rested on the no: it stands.
    """
    if DecisionGround.NO_RECOMMENDATION not in decision.facts.grounds:
        return False
    request = case.request
    rests_on_older = request is not None and request.is_corrected and request.answer_body != decision.facts.basis
    return decision.is_refusal and rests_on_older and is_answered_yes(case)


def _ended(case: SchoolCase) -> SchoolState | None:
    if case.closed is not None:
        return _CLOSED.get(case.closed, SchoolState.CLOSED)
    if case.withdrawn_on is not None:
        return SchoolState.WITHDRAWN
    if case.left_on is not None:
        return SchoolState.TRANSFERRED if case.service.ended_on is None else SchoolState.ENDED
    return SchoolState.DUPLICATE if case.duplicate_of is not None else None


def _decided(case: SchoolCase) -> SchoolState | None:
    decision = decision_that_stands(case)
    if decision is None:
        # Set aside or overtaken: what stood in the way of a decision then does so no longer. What was asked since is waited for.
        is_waiting = case.request is not None and case.request.is_open
        return SchoolState.READY_FOR_DECISION if case.decisions and not case.lacking and not is_waiting else None
    if decision.facts.outcome is DecisionOutcome.GRANTED:
        return SchoolState.GRANTED
    return SchoolState.CONTESTED if decision.is_under_contest else SchoolState.REFUSED


def _asked(case: SchoolCase) -> SchoolState | None:
    request = case.request
    if request is None:
        return None
    if request.answer is Answer.NO:
        return SchoolState.NEGATIVE_ANSWER
    if request.answer is Answer.YES:
        return SchoolState.INCOMPLETE if case.lacking else SchoolState.READY_FOR_DECISION
    if request.is_open:
        return _awaiting(case, request)
    # Returned, closed or taken back, or on another route since: the case is what the application makes it.
    is_asking = case.variant is None or case.variant in ASKING
    return SchoolState.REQUEST_REJECTED if request.rejected is not None and is_asking else None


def _awaiting(case: SchoolCase, request: Request) -> SchoolState:
    if request.not_matched and MissingItem.IDENTITY in case.lacking:
        return SchoolState.INCOMPLETE
    # On hold and never refused: the pupil is to come to the commission first (domain.md D.5, 3 and 4).
    return SchoolState.ON_HOLD_ATTENDANCE if request.attendance_required else SchoolState.AWAITING_COMMISSION


def _applied(case: SchoolCase) -> SchoolState:
    filed = case.application
    if filed is None:
        return SchoolState.EMPTY
    if case.signature_is_valid is False:
        return SchoolState.SIGNATURE_REJECTED
    if is_ineligible(case):
        return SchoolState.NOT_ELIGIBLE_AT_INTAKE
    missing = missing_items(case)
    if missing:
        # Incomplete once somebody said so; until then it was received, and the clerk sees what is missing.
        return SchoolState.INCOMPLETE if case.lacking.intersection(missing) else SchoolState.RECEIVED
    if case.variant not in ASKING or items_there(case) >= _COPIES:
        return SchoolState.READY_FOR_DECISION if case.variant is not Variant.UNKNOWN else SchoolState.RECEIVED
    return SchoolState.READY_TO_REQUEST
