"""The school's decision, its notification, and what becomes of a refusal that is contested.

The school decides, not the commission: a yes is one of the conditions, and after a no too somebody has to decide, and say why
(A3.4 to A3.6; domain.md D.5, 14). Nothing here is decided by a term that passed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.policy.rules import Rules
from services.policy.terms import TermName, Way, deemed_notified, last_day
from services.post.history import BEFORE, New
from services.school.domain import refusals_deciding as no
from services.school.domain.allowing import require_application, require_going_on, require_undecided
from services.school.domain.applications import place_of
from services.school.domain.case import SchoolCase
from services.school.domain.judging import is_said, screened_again, screened_at_filing
from services.school.domain.parts import Decision, SchoolState
from services.school.domain.refusals import SignatureNotValidatedError
from services.school.domain.standing import is_answered_yes, is_ineligible, is_signed, items_there
from services.school.input import ContestInput, DecisionInput, NotificationInput, RulingInput
from services.wire.events import (
    Answer,
    ApplicationFiled,
    ClosingCause,
    DecisionGround,
    DecisionNotified,
    DecisionNotifiedPersonal,
    DecisionOutcome,
    Delivery,
    EligibilityOutcome,
    EligibilityScreened,
    MissingItem,
    RefusalContested,
    RefusalContestedPersonal,
    RefusalSetAside,
    RefusalSetAsidePersonal,
    RefusalUpheld,
    RefusalUpheldPersonal,
    RequestWithdrawn,
    SchoolDecisionMade,
    SchoolDecisionMadePersonal,
    SchoolDescribed,
)

__all__ = ["GUARDS", "Bench", "contest", "decide", "notify", "set_aside", "uphold"]

_UNREACHABLE: Final = (ClosingCause.DIED, ClosingCause.LEFT_COUNTRY)
_ASKED: Final = (SchoolState.AWAITING_COMMISSION, SchoolState.ON_HOLD_ATTENDANCE)
_TO_DECIDE: Final = (SchoolState.READY_FOR_DECISION, SchoolState.NEGATIVE_ANSWER, SchoolState.NOT_ELIGIBLE_AT_INTAKE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """By what a decision is taken: the rules of the case, the birth date of the application, and what the school is that day.

    ``instruction`` is the school's standing sentence on how to contest, None if it has none; ``irp_copy_required`` its setting
    for b.2 (domain.md A.5, gaps).
    """

    rules: Rules
    birth_date: date
    school: SchoolDescribed | None
    instruction: str | None = None
    irp_copy_required: bool = False


def decide(case: SchoolCase, form: DecisionInput, bench: Bench) -> tuple[New, ...]:
    """Return the events of a decision: the conditions as of its day, where they are known, and the decision.

    Raises: NotReadyToDecideError; DateOrderError; for a grant the first thing that does not hold, for a refusal
    GroundNotFoundError or InstructionMissingError; as ``require_undecided``.
    """
    filed = _may_decide(case, form.decided_on)
    if form.decided_on < filed.received_on:
        raise no.DateOrderError("The application", filed.received_on)
    again = screened_again(case, form.decided_on, rules=bench.rules, birth_date=bench.birth_date, school=bench.school)
    if form.outcome is DecisionOutcome.GRANTED:
        _check_grant(case, again[-1].facts if again else None, form.decided_on, bench)
    else:
        _check_refusal(case, form, again, bench)
    request = case.request
    facts = SchoolDecisionMade(
        outcome=form.outcome,
        grounds=form.grounds,
        rule_set=bench.rules.number,
        rule_set_version=bench.rules.version,
        decided_on=form.decided_on,
        basis=request.answer_body if request is not None else None,
    )
    instruction = form.instruction or (bench.instruction if form.outcome is DecisionOutcome.REFUSED else None)
    personal = SchoolDecisionMadePersonal(number=form.number, reasons=form.reasons, instruction=instruction)
    # The same evaluation is not said twice.
    new = tuple(each for each in again if not is_said(case, each.facts))
    return (*new, New(facts=facts, personal=personal), *_asked_no_longer(case))


def _asked_no_longer(case: SchoolCase) -> tuple[New, ...]:
    """Return the word that nothing is asked any more, where the commission owes an answer still; it says no cause (D.5, 7)."""
    request = case.request
    if request is None or not request.is_open:
        return ()
    return (New(facts=RequestWithdrawn(basis=BEFORE), in_reply_to=request.body),)


def notify(case: SchoolCase, form: NotificationInput) -> tuple[New, ...]:
    """Return the event of a decision sent, with the day on which it counts as notified, and until when a refusal is contested.

    Raises: NoDecisionError; NotifiedAlreadyError; NobodyToNotifyError; DateOrderError; ProtectedAddressError.
    """
    decision = _may_notify(case)
    if form.sent_on < decision.facts.decided_on:
        raise no.DateOrderError("The decision", decision.facts.decided_on)
    # domain.md C3, special risk (D.5, 19): an ordinary letter is put into a box that others open too, and nobody signs for it.
    # The same holds of what the commission sends; it is told with the address that this one is protected.
    if form.by is Delivery.ORDINARY and case.address_protected:
        raise no.ProtectedAddressError
    notified_on = deemed_notified(Way(form.by.value), form.sent_on)
    facts = DecisionNotified(
        by=form.by,
        sent_on=form.sent_on,
        notified_on=notified_on,
        contest_due_on=last_day(TermName.CONTEST, notified_on) if decision.is_refusal else None,
    )
    address = place_of(form.address) if form.address else None
    return (New(facts=facts, personal=DecisionNotifiedPersonal(address=address)),)


def contest(case: SchoolCase, form: ContestInput) -> tuple[New, ...]:
    """Return the event of a refusal contested.

    Raises: NotRefusedError; ContestedAlreadyError; ContestLateError; DateOrderError.
    """
    decision = _may_contest(case)
    if form.on < decision.facts.decided_on:
        raise no.DateOrderError("The decision", decision.facts.decided_on)
    due_on = decision.notified.contest_due_on if decision.notified else None
    # The term runs from notification; one that was missed is restored on reasons by whoever decides about the contest [L-8].
    if due_on is not None and form.on > due_on and not form.term_restored:
        raise no.ContestLateError(due_on)
    return (New(facts=RefusalContested(on=form.on), personal=RefusalContestedPersonal(text=form.text)),)


def uphold(case: SchoolCase, form: RulingInput) -> tuple[New, ...]:
    """Return the event of a contested refusal that stands. Raises: NotContestedError; DateOrderError."""
    _check_ruling(case, form)
    return (New(facts=RefusalUpheld(on=form.on), personal=RefusalUpheldPersonal(text=form.text)),)


def set_aside(case: SchoolCase, form: RulingInput) -> tuple[New, ...]:
    """Return the event of a contested refusal set aside: the school decides anew. Raises: NotContestedError; DateOrderError."""
    _check_ruling(case, form)
    return (New(facts=RefusalSetAside(on=form.on), personal=RefusalSetAsidePersonal(text=form.text)),)


def _may_decide(case: SchoolCase, on: date) -> ApplicationFiled:
    # D.5, 12 and 13: what was granted and not agreed on is decided anew once its basis holds no longer; else there is no way on.
    if _is_unfounded(case, on):
        return require_going_on(case)
    filed = require_undecided(case)
    # A3.4: after all documents are received; A3.6 and D.5, 14: after a no, or conditions that are not fulfilled, a refusal.
    # E13: who is found to be enrolled elsewhere is refused here, also where the commission was asked and has not answered.
    if case.state not in _TO_DECIDE and not (case.state in _ASKED and is_ineligible(case)):
        raise no.NotReadyToDecideError(case.state.value, case.missing)
    return filed


def _is_unfounded(case: SchoolCase, on: date) -> bool:
    """Tell whether a grant stands on which no agreement rests or can rest: its recommendation is over, or its yes was a no."""
    if case.decision is None or case.decision.is_refusal or case.service.agreements:
        return False
    return not case.basis_holds(on) or (case.request is not None and case.request.answer is Answer.NO)


def _check_grant(case: SchoolCase, now: EligibilityScreened | None, on: date, bench: Bench) -> None:
    """Check the guards of a grant (domain.md D.2), in the order in which a clerk would mend them."""
    # C2: an electronic document is signed once its signature was validated.
    if not is_signed(case):
        raise SignatureNotValidatedError
    # A2.9 and A4.5: the recommendation, by its copy or by the commission's yes.
    if not is_answered_yes(case) and MissingItem.RECOMMENDATION_COPY not in items_there(case):
        raise no.RecommendationMissingError
    if not case.basis_holds(on):
        raise no.BasisEndedError
    # A3.4: received and evaluated.
    if case.evaluated is None or not case.evaluated.complete:
        raise no.NotEvaluatedError
    if case.evaluated.irp_outstanding and bench.irp_copy_required:
        raise no.IrpCopyOutstandingError
    # A.1: eligible on the day of the application and again on that of the decision.
    at_filing = screened_at_filing(case)
    if at_filing is None or now is None:
        raise no.NotScreenedError
    for each in (at_filing, now):
        if each.outcome is not EligibilityOutcome.ELIGIBLE:
            raise no.NotEligibleError(each.as_of, each.reasons)


def _check_refusal(case: SchoolCase, form: DecisionInput, again: tuple[New, ...], bench: Bench) -> None:
    # A3.6: conditions that are not fulfilled are the only ground; never a medical reason, of which the school knows none.
    shown = _grounds_shown(case, again, form.decided_on)
    for ground in form.grounds:
        if ground not in shown:
            raise no.GroundNotFoundError(ground.value)
    if form.instruction is None and bench.instruction is None:
        raise no.InstructionMissingError


def _grounds_shown(case: SchoolCase, again: tuple[New, ...], on: date) -> frozenset[DecisionGround]:
    judged = [*(new.facts for new in again), *filter(None, [screened_at_filing(case)])]
    reasons = {reason.value for each in judged if each.outcome is EligibilityOutcome.INELIGIBLE for reason in each.reasons}
    request = case.request
    # D.5, 14: after the commission's no; and where its yes was taken back since, or the recommendation of the copy is over.
    ended = request is not None and (request.answer is Answer.NO or case.answer_ended_on is not None)
    if ended or not case.basis_holds(on):
        reasons.add(DecisionGround.NO_RECOMMENDATION.value)
    return frozenset(ground for ground in DecisionGround if ground.value in reasons)


def _may_notify(case: SchoolCase) -> Decision:
    require_application(case)
    if case.decision is None:
        raise no.NoDecisionError
    if case.decision.notified is not None:
        raise no.NotifiedAlreadyError
    if case.closed in _UNREACHABLE:
        raise no.NobodyToNotifyError
    return case.decision


def _may_contest(case: SchoolCase) -> Decision:
    require_application(case)
    if case.decision is None or not case.decision.is_refusal:
        raise no.NotRefusedError
    if case.decision.contested_on is not None:
        raise no.ContestedAlreadyError
    return case.decision


def _may_rule(case: SchoolCase) -> date:
    require_application(case)
    decision = case.decision
    if decision is None or decision.contested_on is None or not decision.is_under_contest:
        raise no.NotContestedError
    return decision.contested_on


def _check_ruling(case: SchoolCase, form: RulingInput) -> None:
    contested_on = _may_rule(case)
    if form.on < contested_on:
        raise no.DateOrderError("The contest", contested_on)


GUARDS: Final[Mapping[str, Callable[[SchoolCase, date], object]]] = {
    "decide": _may_decide,
    "notify": lambda case, _: _may_notify(case),
    "contest": lambda case, _: _may_contest(case),
    "uphold": lambda case, _: _may_rule(case),
    "set-aside": lambda case, _: _may_rule(case),
}
"""What each act here asks of a case on a day, before anybody fills in a form."""
