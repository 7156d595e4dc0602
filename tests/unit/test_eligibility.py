"""Who is eligible, by each rule set, at every edge, and with anything unknown."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.policy.eligibility import Enrolment, Facts, Outcome, ReasonCode, Verdict, evaluate
from services.policy.rules import RULES, Cited, Group, InstitutionKind, Rules, rules_named

LM: Final = rules_named("lm-2012-08")
MK: Final = rules_named("mk695-2012-10")
AS_OF: Final = date(2026, 8, 24)

E01: Final = Facts(
    born_on=date(2017, 9, 14),
    child_with_disability=True,
    benefit_awarded=True,
    opinion_valid=True,
    enrolment=Enrolment.YES,
    institution_kind=InstitutionKind.GENERAL,
    special=False,
    state_maintained=False,
)
"""P01 at SC1."""

E06: Final = replace(
    E01,
    born_on=date(2006, 5, 12),
    child_with_disability=None,
    group=Group.TWO,
    institution_kind=InstitutionKind.VOCATIONAL,
    state_maintained=True,
)
"""P06, twenty years old, at SC3, a vocational school of the state."""

E10: Final = replace(E01, born_on=date(2017, 11, 28), special=True, state_maintained=True, technical_staff_financed=True)
"""P10 at SC4."""

E11: Final = replace(E01, born_on=date(2019, 9, 30))
"""P11, six until 30.09.2026."""


def said(verdict: Verdict) -> tuple[str, ...]:
    return (verdict.outcome.value, *(each.code.value for each in verdict.reasons))


def judged(facts: Facts, as_of: date = AS_OF, rules: Rules = LM) -> tuple[str, ...]:
    return said(evaluate(rules, facts, as_of))


@pytest.mark.parametrize(
    ("case", "facts", "rules", "answer"),
    [
        ("E01", E01, LM, ("Eligible",)),
        ("E06", E06, LM, ("Eligible",)),
        ("E06, of group III", replace(E06, group=Group.THREE), LM, ("Ineligible", "GroupNotIOrII")),
        ("E06, of no group", replace(E06, group=Group.NONE), LM, ("Ineligible", "GroupNotIOrII")),
        ("E10", E10, LM, ("Ineligible", "StateFundedSpecialInstitution")),
        ("E10, not maintained by the state", replace(E10, state_maintained=False), LM, ("Eligible",)),
        ("E10, not special", replace(E10, special=False), LM, ("Eligible",)),
        ("E11", E11, LM, ("Ineligible", "TooYoung")),
        ("E11 by the regulation", E11, MK, ("Eligible",)),
        ("E11 by the regulation of today", E11, rules_named("mk695-2024-01"), ("Eligible",)),
        ("no disability", replace(E01, child_with_disability=False), LM, ("Ineligible", "NotADisabledChild")),
        ("no benefit", replace(E01, benefit_awarded=False), LM, ("Ineligible", "BenefitNotAwarded")),
        ("no benefit, by the regulation", replace(E01, benefit_awarded=False), MK, ("Eligible",)),
        ("no opinion", replace(E01, opinion_valid=False), LM, ("Eligible",)),
        ("no opinion, by the regulation", replace(E01, opinion_valid=False), MK, ("Ineligible", "OpinionMissing")),
        ("not enrolled", replace(E01, enrolment=Enrolment.NO), LM, ("Ineligible", "NotEnrolled")),
        ("E13, at the other school", replace(E01, enrolment=Enrolment.ELSEWHERE), LM, ("Ineligible", "EnrolledElsewhere")),
        ("pre-school", replace(E01, institution_kind=InstitutionKind.PRESCHOOL), LM, ("Ineligible", "KindNotCovered")),
        ("pre-school by the regulation", replace(E11, institution_kind=InstitutionKind.PRESCHOOL), MK, ("Eligible",)),
        ("a music school", replace(E01, institution_kind=InstitutionKind.OTHER), MK, ("Ineligible", "KindNotCovered")),
    ],
)
def test_case_is_judged_by_each_rule_set(case: str, facts: Facts, rules: Rules, answer: tuple[str, ...]) -> None:
    """Domain E: acceptance cases and their twins."""
    assert judged(facts, rules=rules) == answer, case


def test_whoever_is_too_young_is_told_from_when() -> None:
    """E11: not eligible until 30.09.2026; an application of that day proceeds."""
    verdict = evaluate(LM, E11, AS_OF)
    assert (verdict.eligible_on, verdict.age, verdict.rule_set, verdict.as_of) == (date(2026, 9, 30), 6, 1, AS_OF)
    assert judged(E11, date(2026, 9, 29)) == ("Ineligible", "TooYoung")
    assert judged(E11, date(2026, 9, 30)) == ("Eligible",)
    assert evaluate(LM, E11, date(2026, 9, 30)).eligible_on is None


def test_no_day_is_named_where_age_alone_would_not_help_or_is_not_known_by_the_day() -> None:
    assert evaluate(LM, replace(E11, benefit_awarded=False), AS_OF).eligible_on is None
    assert evaluate(LM, replace(E11, born_on=None, age=6), AS_OF).eligible_on is None


@pytest.mark.parametrize(
    ("born", "seventh", "eighteenth"),
    [
        (date(2017, 9, 14), date(2024, 9, 14), date(2035, 9, 14)),
        (date(2016, 2, 29), date(2023, 3, 1), date(2034, 3, 1)),
        (date(2020, 2, 29), date(2027, 3, 1), date(2038, 3, 1)),
        (date(2017, 12, 31), date(2024, 12, 31), date(2035, 12, 31)),
        (date(2018, 1, 1), date(2025, 1, 1), date(2036, 1, 1)),
    ],
)
def test_birthdays_count_on_their_day(born: date, seventh: date, eighteenth: date) -> None:
    """Domain A1: seven is reached on the day; from the eighteenth birthday a group is needed. 29 February counts on 1 March."""
    child, day = replace(E01, born_on=born), timedelta(days=1)
    assert judged(child, seventh - day) == ("Ineligible", "TooYoung")
    assert evaluate(LM, child, seventh - day).eligible_on == seventh
    assert judged(child, seventh) == ("Eligible",)
    assert judged(child, eighteenth - day) == ("Eligible",)
    assert judged(child, eighteenth) == ("Undetermined", "MissingGroup")
    assert judged(replace(child, group=Group.ONE), eighteenth) == ("Eligible",)


def test_who_turns_eighteen_in_the_middle_of_a_case_needs_a_group_from_that_day() -> None:
    """Domain D.5, 21: P21, born 02.10.2008."""
    pupil = replace(E01, born_on=date(2008, 10, 2), group=Group.NONE)
    assert judged(pupil, date(2026, 10, 1)) == ("Eligible",)
    assert judged(pupil, date(2026, 10, 2)) == ("Ineligible", "GroupNotIOrII")


@pytest.mark.parametrize(
    ("unknown", "code"),
    [
        ("born_on", "MissingBirthDate"),
        ("child_with_disability", "MissingDisability"),
        ("benefit_awarded", "MissingBenefit"),
        ("enrolment", "MissingEnrolment"),
        ("institution_kind", "MissingInstitution"),
    ],
)
def test_what_is_not_known_is_no_no(unknown: str, code: str) -> None:
    facts = replace(E01, **{unknown: None})
    assert judged(facts) == ("Undetermined", code)
    assert evaluate(LM, facts, AS_OF).missing == (ReasonCode(code),)


def test_opinion_is_missing_where_it_counts() -> None:
    assert judged(replace(E01, opinion_valid=None), rules=MK) == ("Undetermined", "MissingOpinion")
    assert judged(replace(E01, opinion_valid=None), rules=LM) == ("Eligible",)


def test_nothing_known_asks_for_everything_once_and_of_age_first() -> None:
    """Neither a group nor a disability is asked for before it is known which of them counts."""
    codes = ("MissingBirthDate", "MissingBenefit", "MissingEnrolment", "MissingInstitution")
    verdict = evaluate(LM, Facts(), AS_OF)
    assert tuple(each.value for each in verdict.missing) == codes
    assert verdict.outcome is Outcome.UNDETERMINED


def test_rule_that_decides_needs_no_other_fact() -> None:
    verdict = evaluate(LM, Facts(special=True, state_maintained=True), AS_OF)
    assert said(verdict) == ("Ineligible", "StateFundedSpecialInstitution")
    assert ReasonCode.MISSING_BIRTH_DATE in verdict.missing


def test_school_that_is_not_special_needs_no_answer_about_its_money() -> None:
    assert judged(replace(E01, state_maintained=None)) == ("Eligible",)
    assert judged(replace(E01, special=None)) == ("Eligible",)
    assert judged(replace(E10, special=None)) == ("Undetermined", "MissingInstitution")


def test_neither_a_child_with_disability_nor_of_a_group_is_not_eligible_at_any_age() -> None:
    facts = replace(E01, born_on=None, child_with_disability=False, group=Group.THREE)
    assert judged(facts) == ("Ineligible", "NotADisabledChild", "GroupNotIOrII")
    assert judged(replace(facts, group=None)) == ("Undetermined", "MissingBirthDate")


def test_all_that_stands_against_somebody_is_told_in_one_order() -> None:
    facts = replace(E10, born_on=date(2020, 1, 1), child_with_disability=False, benefit_awarded=False, enrolment=Enrolment.NO)
    against = ("TooYoung", "NotADisabledChild", "BenefitNotAwarded", "NotEnrolled", "StateFundedSpecialInstitution")
    assert judged(facts) == ("Ineligible", *against)


def test_each_answer_cites_its_rules() -> None:
    """E11: both answers with citations, the guidance's section 1 and the Disability Law's section 12(2.1)."""
    too_young = evaluate(LM, E11, AS_OF).reasons[0].citation
    assert (too_young.rule, "section 1" in too_young.source) == ("A1.1", True)
    unknown = evaluate(LM, replace(E11, born_on=None), AS_OF).reasons[0]
    assert (unknown.code, unknown.citation) == (ReasonCode.MISSING_BIRTH_DATE, too_young)
    eligible = evaluate(MK, E11, AS_OF)
    assert eligible.reasons == ()
    assert any("Disability Law, section 12(2.1)" in each.source for each in eligible.met)


def test_age_in_full_years_serves_where_the_birth_date_is_not_known() -> None:
    assert judged(replace(E01, born_on=None, age=7)) == ("Eligible",)
    assert judged(replace(E01, born_on=None, age=6)) == ("Ineligible", "TooYoung")
    with pytest.raises(ValueError, match=r"^a birth date or an age, not both$"):
        replace(E01, age=7)


def test_rule_set_that_asks_for_no_enrolment_and_excludes_nobody_is_followed() -> None:
    def off(parameter: Cited[bool]) -> Cited[bool]:
        return replace(parameter, value=False)

    asked = LM.parameters
    parameters = replace(
        asked,
        enrolment_required=off(asked.enrolment_required),
        state_funded_special_excluded=off(asked.state_funded_special_excluded),
    )
    assert judged(replace(E10, enrolment=None), rules=replace(LM, parameters=parameters)) == ("Eligible",)


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


VALUES: Final[dict[str, tuple[Any, ...]]] = {
    "born_on": tuple(date(2026 - age, 8, day) for age in (4, 5, 7, 18) for day in (24, 25)),
    "child_with_disability": (True, False),
    "group": tuple(Group),
    "benefit_awarded": (True, False),
    "opinion_valid": (True, False),
    "enrolment": tuple(Enrolment),
    "institution_kind": tuple(InstitutionKind),
    "special": (True, False),
    "state_maintained": (True, False),
}
RULE_SETS: Final = st.sampled_from(RULES)
PARTLY_KNOWN: Final = st.builds(Facts, **{name: some(st.sampled_from(values)) for name, values in VALUES.items()})
KNOWN: Final = st.builds(Facts, **{name: st.sampled_from(values) for name, values in VALUES.items()})


def known_and_some_forgotten(facts: Facts, forgotten: set[str]) -> Facts:
    return replace(facts, **dict.fromkeys(forgotten, None))


@settings(max_examples=500)
@given(RULE_SETS, KNOWN, st.sets(st.sampled_from(sorted(VALUES))), st.sets(st.sampled_from(sorted(VALUES))))
def test_fact_that_is_added_never_turns_an_answer_around(rules: Rules, facts: Facts, left: set[str], right: set[str]) -> None:
    """Monotone: with more facts an undetermined answer may be settled, and a settled one stays."""
    less = evaluate(rules, known_and_some_forgotten(facts, left | right), AS_OF)
    more = evaluate(rules, known_and_some_forgotten(facts, left), AS_OF)
    assert less.outcome in (Outcome.UNDETERMINED, more.outcome)


@given(RULE_SETS, KNOWN)
def test_who_is_known_in_all_is_judged(rules: Rules, facts: Facts) -> None:
    verdict = evaluate(rules, facts, AS_OF)
    assert verdict.missing == ()
    assert (verdict.outcome is Outcome.ELIGIBLE) == (verdict.reasons == ())
    assert verdict.outcome is not Outcome.UNDETERMINED


@settings(max_examples=60, deadline=None)
@given(RULE_SETS, PARTLY_KNOWN)
def test_answer_is_undetermined_exactly_where_facts_could_settle_it_either_way(rules: Rules, facts: Facts) -> None:
    open_names = [name for name in VALUES if getattr(facts, name) is None]
    completions = (
        replace(facts, **dict(zip(open_names, values, strict=True))) for values in product(*(VALUES[name] for name in open_names))
    )
    found: set[Outcome] = set()
    for each in completions:
        found.add(evaluate(rules, each, AS_OF).outcome)
        if len(found) == 2:
            break
    outcome = evaluate(rules, facts, AS_OF).outcome
    assert found == ({Outcome.ELIGIBLE, Outcome.INELIGIBLE} if outcome is Outcome.UNDETERMINED else {outcome})


@given(RULE_SETS, PARTLY_KNOWN, st.none() | st.booleans())
def test_money_for_technical_staff_is_recorded_and_decides_nothing(rules: Rules, facts: Facts, financed: bool | None) -> None:  # noqa: FBT001
    assert evaluate(rules, facts, AS_OF) == evaluate(rules, replace(facts, technical_staff_financed=financed), AS_OF)


def test_the_facts_that_are_varied_are_all_that_decide() -> None:
    assert {each.name for each in fields(Facts)} - set(VALUES) == {"age", "technical_staff_financed"}
