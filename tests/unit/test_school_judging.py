"""How a school judges: the conditions by the rules on what is known, and the documents that came."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import pytest

from services.policy.eligibility import Outcome, ReasonCode
from services.policy.rules import rules_named
from services.post.history import New
from services.school.domain import refusals, refusals_deciding
from services.school.domain.case import SchoolState, fold
from services.school.domain.decisions import request_information
from services.school.domain.judging import description_on, evaluate_documents, excluded, screen, screened_at_filing
from services.school.domain.words import ITEMS, reasons_in_words
from services.wire.events import (
    DecisionGround,
    DisabilityGroup,
    DocumentsEvaluatedPersonal,
    EligibilityOutcome,
    EligibilityReason,
    EligibilityScreened,
    EligibilityScreenedPersonal,
    Enrolment,
    EvaluatedKind,
    Known,
    MissingItem,
    SchoolKind,
)
from tests.given_when_then import given, received
from tests.judged import (
    BIRTH_DATE,
    EVALUATED,
    FILED_A1,
    GENERAL_SCHOOL,
    GRANTED,
    LM,
    SCREENED,
    SPECIAL_SCHOOL,
    YES,
    evaluation_form,
    screening_form,
)
from tests.people import ADDRESS_CHOSEN, ADDRESS_CHOSEN_PERSONAL, CONSENT, FILED_A2, FILED_B2, FILED_PERSONAL, REQUESTED_B2

_BENCH: Any = {"rules": LM, "birth_date": BIRTH_DATE, "school": GENERAL_SCHOOL}
_WHOLE = (FILED_A2, CONSENT, ADDRESS_CHOSEN)
_APPLICATION, _PLAN = EvaluatedKind.APPLICATION, EvaluatedKind.DISABILITY_IRP
_SOCIAL_PLAN, _COPY = EvaluatedKind.SOCIAL_REHABILITATION_PLAN, EvaluatedKind.RECOMMENDATION_COPY
_ANSWER = EvaluatedKind.COMMISSION_ANSWER


def screened(*events: object, bench: Any = None, **changes: Any) -> EligibilityScreened:
    (new,) = screen(given(fold, *events).case, screening_form(**changes), **(_BENCH | (bench or {})))
    found: EligibilityScreened = new.facts
    return found


def state(*events: object) -> SchoolState:
    return given(fold, *events).case.state


@pytest.mark.shows("A1.1", "A1.3", "A1.4", "A1.5")
def test_child_with_disability_and_benefit_who_learns_here_is_eligible_as_of_the_application() -> None:
    new = New(facts=SCREENED, personal=EligibilityScreenedPersonal(birth_date=BIRTH_DATE, eligible_on=None))
    given(fold, *_WHOLE).when(screen, screening_form(), **_BENCH).then(new)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param(
            {"child_with_disability": Known.NO}, EligibilityReason.NOT_A_DISABLED_CHILD, marks=pytest.mark.shows("A1.1")
        ),
        pytest.param({"benefit": Known.NO}, EligibilityReason.BENEFIT_NOT_AWARDED, marks=pytest.mark.shows("A1.4")),
        pytest.param({"enrolled": Enrolment.NOWHERE}, EligibilityReason.NOT_ENROLLED, marks=pytest.mark.shows("A1.5")),
        pytest.param({"enrolled": Enrolment.ELSEWHERE}, EligibilityReason.ENROLLED_ELSEWHERE, marks=pytest.mark.shows("D5.6")),
    ],
)
def test_condition_that_is_not_fulfilled_is_named_and_nobody_is_asked(changes: Any, reason: EligibilityReason) -> None:
    found = screened(*_WHOLE, **changes)
    assert (found.outcome, found.reasons) == (EligibilityOutcome.INELIGIBLE, (reason,))
    assert state(*_WHOLE, found) is SchoolState.NOT_ELIGIBLE_AT_INTAKE
    opened: Any = {"application": FILED_PERSONAL, "address": ADDRESS_CHOSEN_PERSONAL}
    asked = given(fold, *_WHOLE, found).when(request_information, date(2026, 8, 18), LM, **opened)
    asked.refused(refusals.NotEligibleToAskError)


@pytest.mark.shows("A1.2")
@pytest.mark.parametrize(
    ("group", "outcome"),
    [
        (DisabilityGroup.FIRST, EligibilityOutcome.ELIGIBLE),
        (DisabilityGroup.SECOND, EligibilityOutcome.ELIGIBLE),
        (DisabilityGroup.THIRD, EligibilityOutcome.INELIGIBLE),
        (DisabilityGroup.NONE, EligibilityOutcome.INELIGIBLE),
        (DisabilityGroup.NOT_KNOWN, EligibilityOutcome.UNDETERMINED),
    ],
)
def test_adult_needs_group_one_or_two(group: DisabilityGroup, outcome: EligibilityOutcome) -> None:
    """E06 and its twin; the birth date is from the school's records."""
    found = screened(FILED_A1, bench={"birth_date": date(2006, 5, 12)}, group=group, child_with_disability=Known.NO)
    assert (found.outcome, found.age) == (outcome, 20)


@pytest.mark.shows("A1.6", "D5.23")
def test_special_institution_of_the_state_is_excluded_and_another_special_one_is_not() -> None:
    """E10 and its twin; that technical staff is financed is kept and decides nothing."""
    found = screened(*_WHOLE, bench={"school": SPECIAL_SCHOOL})
    assert found.reasons == (EligibilityReason.STATE_FUNDED_SPECIAL_INSTITUTION,)
    for financed in (True, False):
        twin = replace(SPECIAL_SCHOOL, state_maintained=False, technical_staff_financed=financed)
        assert screened(*_WHOLE, bench={"school": twin}).outcome is EligibilityOutcome.ELIGIBLE


@pytest.mark.shows("A1.5")
def test_kind_of_school_decides_and_one_that_nobody_described_leaves_it_open() -> None:
    kinds = {kind: screened(*_WHOLE, bench={"school": replace(GENERAL_SCHOOL, kind=kind)}).outcome for kind in SchoolKind}
    assert kinds == {
        SchoolKind.UNKNOWN: EligibilityOutcome.UNDETERMINED,
        SchoolKind.PRESCHOOL: EligibilityOutcome.INELIGIBLE,
        SchoolKind.GENERAL: EligibilityOutcome.ELIGIBLE,
        SchoolKind.VOCATIONAL: EligibilityOutcome.ELIGIBLE,
        SchoolKind.SPECIAL: EligibilityOutcome.ELIGIBLE,
    }
    assert screened(*_WHOLE, bench={"school": None}).reasons == (
        EligibilityReason.MISSING_INSTITUTION,
        EligibilityReason.MISSING_INSTITUTION,
    )


def test_what_nobody_knows_is_never_a_no() -> None:
    unknown = {"child_with_disability": Known.NOT_KNOWN, "benefit": Known.NOT_KNOWN, "enrolled": Enrolment.NOT_KNOWN}
    found = screened(*_WHOLE, **unknown)
    assert found.outcome is EligibilityOutcome.UNDETERMINED
    assert state(*_WHOLE, found) is SchoolState.READY_TO_REQUEST


@pytest.mark.shows("D5.22")
def test_child_who_is_too_young_is_parked_until_its_birthday_and_goes_on_then() -> None:
    """E11: six until 30.09.2026 under the guidance; under the rules of October 2012 eligible at once."""
    born = {"birth_date": date(2019, 9, 30)}
    young = screened(*_WHOLE, bench=born)
    assert young.reasons == (EligibilityReason.TOO_YOUNG,)
    assert state(*_WHOLE, young) is SchoolState.NOT_ELIGIBLE_AT_INTAKE
    grown = screened(*_WHOLE, young, bench=born, as_of=date(2026, 9, 30))
    assert grown.outcome is EligibilityOutcome.ELIGIBLE
    assert state(*_WHOLE, young, grown) is SchoolState.READY_TO_REQUEST
    assert screened_at_filing(given(fold, *_WHOLE, young).case) == young
    assert screened_at_filing(given(fold, *_WHOLE, young, grown).case) == grown
    later = screened(*_WHOLE, bench=born | {"rules": rules_named("mk695-2012-10")})
    assert (later.outcome, later.rule_set) == (EligibilityOutcome.ELIGIBLE, 2)


def test_case_keeps_the_rules_by_which_it_was_judged_first() -> None:
    other = replace(SCREENED, rule_set=2, as_of=date(2026, 9, 1))
    assert given(fold, *_WHOLE, SCREENED, other).case.rule_set == 1
    assert given(fold, FILED_A2, replace(GRANTED, rule_set=3)).case.rule_set == 3
    assert given(fold, FILED_A2).case.rule_set is None


def test_newest_word_about_the_day_of_the_application_counts() -> None:
    undetermined = replace(SCREENED, outcome=EligibilityOutcome.UNDETERMINED, reasons=(EligibilityReason.MISSING_BENEFIT,))
    later = replace(SCREENED, as_of=date(2026, 9, 1))
    assert screened_at_filing(given(fold, FILED_A2, undetermined, SCREENED, later).case) == SCREENED
    assert screened_at_filing(given(fold, FILED_A2, later).case) is None
    assert screened_at_filing(given(fold).case) is None


def test_conditions_are_evaluated_from_the_application_on_and_once_on_the_same_facts() -> None:
    before = given(fold, FILED_A2).when(screen, screening_form(as_of=date(2026, 8, 16)), **_BENCH)
    before.refused(refusals_deciding.DateOrderError, "2026-08-17")
    again = given(fold, FILED_A2, SCREENED).when(screen, screening_form(), **_BENCH)
    again.refused(refusals_deciding.ScreenedAlreadyError)
    given(fold).when(screen, screening_form(), **_BENCH).refused(refusals.NoApplicationError)
    given(fold, FILED_A2, GRANTED).when(screen, screening_form(), **_BENCH).refused(refusals.DecidedAlreadyError)


def test_what_the_school_is_follows_its_own_word_of_that_day() -> None:
    changed = replace(GENERAL_SCHOOL, kind=SchoolKind.VOCATIONAL, from_on=date(2026, 9, 1))
    corrected = replace(changed, state_maintained=True)
    own = given(fold, GENERAL_SCHOOL, changed, corrected, CONSENT).history
    assert description_on(own, date(2020, 8, 31)) is None
    assert description_on(own, date(2026, 8, 31)) == GENERAL_SCHOOL
    assert description_on(own, date(2026, 9, 1)) == corrected


@pytest.mark.shows("A4.1", "A4.2", "A4.3", "A4.4", "A4.5", "A2.8")
@pytest.mark.parametrize("plan", [_PLAN, _SOCIAL_PLAN])
def test_both_kinds_of_plan_count_and_both_need_the_indication(plan: EvaluatedKind) -> None:
    evaluated = replace(EVALUATED, kinds=(_APPLICATION, plan, _COPY))
    form = evaluation_form(_APPLICATION, plan, _COPY, irp_indicates_need=True)
    given(fold, FILED_A1).when(evaluate_documents, form).then(
        New(facts=evaluated, personal=DocumentsEvaluatedPersonal(note=None))
    )
    silent = evaluation_form(_APPLICATION, plan, _COPY, irp_indicates_need=False)
    (new,) = evaluate_documents(given(fold, FILED_A1).case, silent)
    assert not new.facts.complete


@pytest.mark.shows("D5.24")
def test_plan_without_the_indication_leaves_the_application_incomplete_until_another_comes() -> None:
    silent = replace(EVALUATED, complete=False, irp_indicates_need=False)
    assert state(FILED_A1, silent) is SchoolState.INCOMPLETE
    assert given(fold, FILED_A1, silent).case.missing == (MissingItem.IRP_INDICATION,)
    assert state(FILED_A1, silent, EVALUATED) is SchoolState.READY_FOR_DECISION


@pytest.mark.shows("A3.4", "A5.a2", "A5.b2")
def test_documents_are_all_there_when_the_variant_says_so() -> None:
    """A.5: the commission's yes stands for the recommendation; in b.2 the plan's copy may come later."""
    whole: dict[str, tuple[object, ...]] = {
        "a2": (*_WHOLE, replace(REQUESTED_B2), received(YES, answers=4)),
        "b2": (FILED_B2, CONSENT, ADDRESS_CHOSEN, REQUESTED_B2, received(YES, answers=4)),
        "a1": (FILED_A1,),
    }
    needed = {"a2": {_APPLICATION, _PLAN, _ANSWER}, "b2": {_APPLICATION, _ANSWER}, "a1": {_APPLICATION, _PLAN, _COPY}}
    for name, events in whole.items():
        there = sorted(needed[name], key=lambda kind: kind.value)
        for chosen in product((True, False), repeat=len(there)):
            kinds = [kind for kind, is_chosen in zip(there, chosen, strict=True) if is_chosen]
            indication = True if _PLAN in kinds else None
            if not kinds:
                continue
            (new,) = evaluate_documents(given(fold, *events).case, evaluation_form(*kinds, irp_indicates_need=indication))
            assert new.facts.complete is all(chosen), (name, kinds)
            assert new.facts.irp_outstanding is (name == "b2")


def test_only_documents_that_came_are_evaluated() -> None:
    asked = given(fold, *_WHOLE).when(evaluate_documents, evaluation_form(_APPLICATION, _ANSWER, _COPY))
    asked.refused(refusals_deciding.DocumentMissingError, "CommissionAnswer, RecommendationCopy")
    none = given(fold, FILED_B2).when(evaluate_documents, evaluation_form(_PLAN, irp_indicates_need=True))
    none.refused(refusals_deciding.DocumentMissingError, "DisabilityIrp")


def test_same_evaluation_is_made_once_and_not_before_the_application() -> None:
    form = evaluation_form(*EVALUATED.kinds, irp_indicates_need=True)
    given(fold, FILED_A1, EVALUATED).when(evaluate_documents, form).refused(refusals_deciding.EvaluatedAlreadyError)
    early = evaluation_form(_APPLICATION, evaluated_on=date(2026, 8, 16))
    given(fold, FILED_A1).when(evaluate_documents, early).refused(refusals_deciding.DateOrderError)


def test_words_of_policy_and_of_the_events_are_the_same() -> None:
    """What policy says goes into events by its value; a reason that the events lack would be lost."""
    assert {code.value for code in ReasonCode} == {reason.value for reason in EligibilityReason} - {"Unknown"}
    assert {outcome.value for outcome in Outcome} == {outcome.value for outcome in EligibilityOutcome} - {"Unknown"}
    assert {ground.value for ground in DecisionGround} - {"NoRecommendation"} <= {reason.value for reason in EligibilityReason}
    assert set(ITEMS) == set(MissingItem)
    assert reasons_in_words(EligibilityReason)


def test_a_mistaken_evaluation_is_corrected_and_corrected_back() -> None:
    """What was found first counts again when it is said again, and the grant is not lost for good."""
    mistaken = screened(FILED_A2, enrolled=Enrolment.NOWHERE)
    again = given(fold, FILED_A2, SCREENED, mistaken).when(screen, screening_form(), **_BENCH)
    again.then(New(facts=SCREENED, personal=EligibilityScreenedPersonal(birth_date=BIRTH_DATE, eligible_on=None)))
    case = given(fold, FILED_A2, SCREENED, mistaken, SCREENED)
    assert screened_at_filing(case.case) == SCREENED
    case.when(screen, screening_form(), **_BENCH).refused(refusals_deciding.ScreenedAlreadyError)


@pytest.mark.shows("D5.23")
def test_birth_date_and_school_exclude_by_themselves_and_what_is_unknown_excludes_nobody() -> None:
    """E10: what the guard of a request asks although nobody evaluated the conditions."""
    day, infant = date(2026, 8, 18), date(2024, 8, 18)
    assert excluded(day, rules=LM, birth_date=infant, school=None)
    assert excluded(day, rules=LM, birth_date=BIRTH_DATE, school=SPECIAL_SCHOOL)
    assert not excluded(day, rules=LM, birth_date=BIRTH_DATE, school=GENERAL_SCHOOL)
    assert not excluded(day, rules=LM, birth_date=BIRTH_DATE, school=None)
    opened: Any = {"application": FILED_PERSONAL, "address": ADDRESS_CHOSEN_PERSONAL, "is_excluded": True}
    given(fold, *_WHOLE).when(request_information, day, LM, **opened).refused(refusals.NotEligibleToAskError)
