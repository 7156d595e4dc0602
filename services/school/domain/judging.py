"""How a school judges an application: the conditions, by the rules of policy on the facts known, and the documents that came.

The conditions are evaluated as of the day of the application and again as of that of the decision (domain.md A.1); a case is
judged by one rule set for good.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeVar

from services.policy import eligibility as policy
from services.policy.rules import Group, InstitutionKind, Rules
from services.post.history import New, Recorded, Standing
from services.school.domain import refusals_deciding as refusals
from services.school.domain.allowing import require_going_on, require_undecided
from services.school.domain.case import SchoolCase
from services.school.domain.standing import items_there
from services.school.input import EvaluationInput, ScreeningInput
from services.wire.events import (
    ApplicationFiled,
    DisabilityGroup,
    DocumentsEvaluated,
    DocumentsEvaluatedPersonal,
    EligibilityOutcome,
    EligibilityReason,
    EligibilityScreened,
    EligibilityScreenedPersonal,
    Enrolment,
    EvaluatedKind,
    Known,
    MissingItem,
    SchoolDescribed,
    SchoolKind,
    Variant,
)

__all__ = [
    "GUARDS",
    "PLANS",
    "description_on",
    "evaluate_documents",
    "excluded",
    "institution_kind",
    "is_said",
    "screen",
    "screened_again",
    "screened_at_filing",
]

Symbol = TypeVar("Symbol")

PLANS: Final = frozenset({EvaluatedKind.SOCIAL_REHABILITATION_PLAN, EvaluatedKind.DISABILITY_IRP})
"""Both kinds of plan count alike (A4.4)."""

_TRUTHS: Final = {Known.YES: True, Known.NO: False}
_GROUPS: Final = {
    DisabilityGroup.NONE: Group.NONE,
    DisabilityGroup.FIRST: Group.ONE,
    DisabilityGroup.SECOND: Group.TWO,
    DisabilityGroup.THIRD: Group.THREE,
}
_ENROLLED: Final = {
    Enrolment.HERE: policy.Enrolment.YES,
    Enrolment.ELSEWHERE: policy.Enrolment.ELSEWHERE,
    Enrolment.NOWHERE: policy.Enrolment.NO,
}
# A special institution teaches the general programmes; whether it is excluded is asked by itself (A1.6).
_KINDS: Final = {
    SchoolKind.PRESCHOOL: InstitutionKind.PRESCHOOL,
    SchoolKind.GENERAL: InstitutionKind.GENERAL,
    SchoolKind.VOCATIONAL: InstitutionKind.VOCATIONAL,
    SchoolKind.SPECIAL: InstitutionKind.GENERAL,
}


def description_on(history: Sequence[Recorded], day: date) -> SchoolDescribed | None:
    """Return what the school was on a day, by its own stream; None if nobody described it by then."""
    accepted = (event.facts for event in history if event.standing is Standing.ACCEPTED)
    found = [facts for facts in accepted if isinstance(facts, SchoolDescribed) and facts.from_on <= day]
    # Of two with one day the later word counts.
    return max(enumerate(found), key=lambda each: (each[1].from_on, each[0]))[1] if found else None


def institution_kind(described: SchoolDescribed | None) -> InstitutionKind | None:
    """Return what a school teaches, in the words of the rules; None where nobody has described it."""
    return _KINDS.get(described.kind, InstitutionKind.OTHER) if described is not None else None


def screen(
    case: SchoolCase, form: ScreeningInput, *, rules: Rules, birth_date: date, school: SchoolDescribed | None
) -> tuple[New, ...]:
    """Return the event of the conditions evaluated as of the form's day.

    ``birth_date`` is that of the application, ``school`` what the school is on that day.
    Raises: DateOrderError for a day before the application; ScreenedAlreadyError; as ``require_undecided``.
    """
    filed = _may_screen(case)
    if form.as_of < filed.received_on:
        raise refusals.DateOrderError("The application", filed.received_on)
    new = _screened(form, rules, birth_date, school)
    if is_said(case, new.facts):
        raise refusals.ScreenedAlreadyError
    return (new,)


def excluded(on: date, *, rules: Rules, birth_date: date, school: SchoolDescribed | None) -> bool:
    """Tell whether birth date and school alone show on a day that the conditions are not met, whatever else may be found.

    What is asked before a request, also where nobody evaluated the conditions: zero messages to the commission about somebody who
    is not eligible (D.5, 23; E10). What is not known yet excludes nobody.
    """
    known = _of_school(school) | {"born_on": birth_date}
    return policy.evaluate(rules, policy.Facts(**known), on).outcome is policy.Outcome.INELIGIBLE


def screened_again(
    case: SchoolCase, on: date, *, rules: Rules, birth_date: date, school: SchoolDescribed | None
) -> tuple[New, ...]:
    """Return the conditions evaluated as of another day, on what was known last; nothing where nothing is known yet."""
    if not case.screenings:
        return ()
    last = case.screenings[-1]
    form = ScreeningInput.model_construct(
        as_of=on,
        child_with_disability=last.child_with_disability,
        group=last.group,
        benefit=last.benefit,
        opinion=last.opinion,
        enrolled=last.enrolled,
    )
    return (_screened(form, rules, birth_date, school),)


def is_said(case: SchoolCase, facts: EligibilityScreened) -> bool:
    """Tell whether the same was found of the same day last; what was mistaken in between can be corrected back."""
    of_that_day = [each for each in case.screenings if each.as_of == facts.as_of]
    return bool(of_that_day) and of_that_day[-1] == facts


def screened_at_filing(case: SchoolCase) -> EligibilityScreened | None:
    """Return what the conditions said as of the application, None if nobody asked.

    Who was only too young is parked, and the application counts as made on the day on which the age is reached (E11).
    """
    if case.application is None:
        return None
    at_filing = [each for each in case.screenings if each.as_of == case.application.received_on]
    found = next(reversed(at_filing), None)
    if found is None or found.reasons != (EligibilityReason.TOO_YOUNG,):
        return found
    # Of a later day, and no longer too young: that day was reached. Which one it is stands in no fact (docs/adr/0028).
    later = (each for each in reversed(case.screenings) if each.as_of > found.as_of)
    return next((each for each in later if EligibilityReason.TOO_YOUNG not in each.reasons), found)


def evaluate_documents(case: SchoolCase, form: EvaluationInput) -> tuple[New, ...]:
    """Return the event of the documents evaluated; whether they are all there follows from the variant (A3.4, A.5).

    Raises: DocumentMissingError for what did not come; DateOrderError; EvaluatedAlreadyError; as ``require_undecided``.
    """
    filed = require_undecided(case)
    if form.evaluated_on < filed.received_on:
        raise refusals.DateOrderError("The application", filed.received_on)
    kinds = frozenset(form.kinds)
    if absent := [kind for kind in form.kinds if kind not in _kinds_there(case)]:
        raise refusals.DocumentMissingError(absent)
    has_plan = bool(kinds & PLANS)
    is_whole = _needed(case) <= kinds and (has_plan or case.variant is Variant.B2)
    facts = DocumentsEvaluated(
        kinds=form.kinds,
        complete=is_whole and form.irp_indicates_need is not False,
        irp_indicates_need=form.irp_indicates_need,
        # b.2: the plan goes to the family, and its copy to the school may come later (domain.md A.5, gaps).
        irp_outstanding=case.variant is Variant.B2 and not has_plan,
        evaluated_on=form.evaluated_on,
    )
    if case.evaluated == facts:
        raise refusals.EvaluatedAlreadyError
    return (New(facts=facts, personal=DocumentsEvaluatedPersonal(note=form.note)),)


def _screened(form: ScreeningInput, rules: Rules, birth_date: date, school: SchoolDescribed | None) -> New:
    verdict = policy.evaluate(rules, _facts(form, birth_date, school), form.as_of)
    facts = EligibilityScreened(
        rule_set=rules.number,
        rule_set_version=rules.version,
        as_of=form.as_of,
        outcome=EligibilityOutcome(verdict.outcome.value),
        reasons=tuple(EligibilityReason(each.code.value) for each in verdict.reasons),
        age=verdict.age or 0,
        child_with_disability=form.child_with_disability,
        group=form.group,
        benefit=form.benefit,
        opinion=form.opinion,
        enrolled=form.enrolled,
    )
    personal = EligibilityScreenedPersonal(birth_date=birth_date, eligible_on=verdict.eligible_on)
    return New(facts=facts, personal=personal)


def _facts(form: ScreeningInput, birth_date: date, school: SchoolDescribed | None) -> policy.Facts:
    """Return what is known, in the words of policy; what nobody knows, or no symbol of this release says, is None."""
    return policy.Facts(
        born_on=birth_date,
        child_with_disability=_TRUTHS.get(form.child_with_disability),
        group=_GROUPS.get(form.group),
        benefit_awarded=_TRUTHS.get(form.benefit),
        opinion_valid=_TRUTHS.get(form.opinion),
        enrolment=_ENROLLED.get(form.enrolled),
        **_of_school(school),
    )


def _of_school(school: SchoolDescribed | None) -> dict[str, Any]:
    """Return what is known of the school, by the names of policy."""
    if school is None:
        return {}
    return {
        "institution_kind": _KINDS.get(school.kind),
        "special": school.kind is SchoolKind.SPECIAL if school.kind is not SchoolKind.UNKNOWN else None,
        "state_maintained": school.state_maintained,
        "technical_staff_financed": school.technical_staff_financed,
    }


def _needed(case: SchoolCase) -> frozenset[EvaluatedKind]:
    """Return what has to be evaluated beside the plan: the application, and by what the commission's word is known."""
    word = {EvaluatedKind.COMMISSION_ANSWER, EvaluatedKind.RECOMMENDATION_COPY} & _kinds_there(case)
    if case.variant in (Variant.A2, Variant.B2):
        return frozenset({EvaluatedKind.APPLICATION, *(word or {EvaluatedKind.COMMISSION_ANSWER})})
    return frozenset({EvaluatedKind.APPLICATION, EvaluatedKind.RECOMMENDATION_COPY})


def _kinds_there(case: SchoolCase) -> frozenset[EvaluatedKind]:
    there = items_there(case)
    found = {EvaluatedKind.APPLICATION}
    if MissingItem.IRP in there:
        found |= PLANS
    if MissingItem.RECOMMENDATION_COPY in there:
        found.add(EvaluatedKind.RECOMMENDATION_COPY)
    if case.request is not None and case.request.answer is not None:
        found.add(EvaluatedKind.COMMISSION_ANSWER)
    return frozenset(found)


def _may_screen(case: SchoolCase) -> ApplicationFiled:
    # D.5, 21: who came of age is judged again, whatever was decided before.
    return require_going_on(case) if case.changes.needs_screening else require_undecided(case)


GUARDS: Final[Mapping[str, Callable[[SchoolCase, date], object]]] = {
    "screen": lambda case, _: _may_screen(case),
    "evaluate": lambda case, _: require_undecided(case),
}
"""What each act here asks of a case on a day, before anybody fills in a form."""
