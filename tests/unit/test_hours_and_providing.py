"""How many hours, and who may assist."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.policy.hours import Agreed, month_is_within, most_hours_per_week, week_is_within, weekly_cap
from services.policy.kleene import Truth, all_of, any_of, negated
from services.policy.providing import Experience, may_assist
from services.policy.rules import RULES, InstitutionKind, Rules, rules_named

LM: Final = rules_named("lm-2012-08")
MK: Final = rules_named("mk695-2021-07")
EMERGENCY: Final = rules_named("emergency-2020-03")
AUTUMN: Final = date(2026, 9, 1)
GENERAL: Final = InstitutionKind.GENERAL
TRUTHS: Final = st.sampled_from([True, False, None])


def agreed(hours: int, since: date = AUTUMN, until: date | None = None) -> Agreed:
    return Agreed(hours_per_week=hours, valid_from=since, valid_until=until)


@pytest.mark.parametrize(("hours", "within"), [(0, True), (30, True), (40, True), (41, False)])
def test_forty_hours_a_week_are_allowed_and_no_more(hours: int, within: bool) -> None:  # noqa: FBT001
    """Domain A6.h: "līdz 40 stundām" is inclusive."""
    assert week_is_within(LM, [agreed(hours)], GENERAL) is within


def test_agreements_of_one_pupil_count_together_while_both_are_in_force() -> None:
    """Domain D.5, 28."""
    assert week_is_within(LM, [agreed(25), agreed(15)], GENERAL) is True
    assert week_is_within(LM, [agreed(25), agreed(16)], GENERAL) is False
    assert most_hours_per_week([]) == 0


def test_agreement_that_follows_another_is_counted_alone() -> None:
    first = agreed(30, until=date(2026, 12, 31))
    assert most_hours_per_week([first, agreed(30, since=date(2027, 1, 1))]) == 30
    assert most_hours_per_week([first, agreed(30, since=date(2026, 12, 31))]) == 60
    assert most_hours_per_week([agreed(30, since=date(2026, 12, 31)), first]) == 60
    assert most_hours_per_week([agreed(10, since=date(2026, 1, 1)), first, agreed(5, since=date(2026, 10, 1))]) == 45


@pytest.mark.parametrize(
    ("hours", "kind", "within"),
    [
        (25, GENERAL, True),
        (26, GENERAL, False),
        (40, InstitutionKind.PRESCHOOL, True),
        (41, InstitutionKind.PRESCHOOL, False),
        (25, None, True),
        (26, None, None),
        (41, None, False),
    ],
)
def test_emergency_has_a_cap_for_each_kind_and_tells_where_the_kind_decides(
    hours: int, kind: InstitutionKind | None, within: Truth
) -> None:
    assert week_is_within(EMERGENCY, [agreed(hours)], kind) is within


def test_kind_decides_nothing_where_there_is_one_cap() -> None:
    assert week_is_within(LM, [agreed(40)], None) is True
    assert {weekly_cap(LM, kind) for kind in InstitutionKind} == {40}


def test_month_has_its_normal_hours_since_july_2021() -> None:
    """MK 695 point 9; 151 hours were published for November 2025."""
    assert month_is_within(MK, 151, 2025, 11)
    assert not month_is_within(MK, 152, 2025, 11)
    assert month_is_within(LM, 152, 2025, 11)
    limit = MK.parameters.within_normal_month
    assert limit is not None
    unlimited = replace(MK, parameters=replace(MK.parameters, within_normal_month=replace(limit, value=False)))
    assert month_is_within(unlimited, 152, 2025, 11)


K2: Final = Experience(work=False, contact=False, qualification=False)
K3: Final = Experience(work=False, contact=True, qualification=False)


def test_grandmother_of_e23_may_assist_and_whoever_has_no_experience_may_not() -> None:
    """E23, A3.7: work or contact experience. K3 has contact experience alone, K2 has none."""
    assert may_assist(LM, K3) is True
    assert may_assist(LM, K2) is False


def test_strict_reading_asks_for_both_kinds_of_experience() -> None:
    """A3.1 as a setting."""
    assert may_assist(LM, K3, strict_experience=True) is False
    assert may_assist(LM, replace(K3, work=True), strict_experience=True) is True
    assert may_assist(LM, replace(K3, work=None), strict_experience=True) is None


def test_profession_suffices_by_the_regulation_and_not_by_the_guidance() -> None:
    nurse = replace(K2, qualification=True)
    assert may_assist(MK, nurse) is True
    assert may_assist(LM, nurse) is False
    assert may_assist(MK, K2) is False


def test_what_is_not_known_of_an_assistant_is_no_no() -> None:
    assert may_assist(LM, Experience()) is None
    assert may_assist(LM, Experience(work=True)) is True
    assert may_assist(MK, replace(K2, qualification=None)) is None


@given(st.sampled_from(RULES), st.builds(Experience, work=TRUTHS, contact=TRUTHS, qualification=TRUTHS), st.booleans())
def test_experience_that_is_added_never_turns_an_answer_around(rules: Rules, experience: Experience, strict: bool) -> None:  # noqa: FBT001
    answer = may_assist(rules, experience, strict_experience=strict)
    for name in ("work", "contact", "qualification"):
        if getattr(experience, name) is None:
            more = [replace(experience, **{name: value}) for value in (True, False)]
            settled = {may_assist(rules, each, strict_experience=strict) for each in more}
            assert answer is None or settled == {answer}


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (True, True, True, True),
        (True, None, None, True),
        (True, False, False, True),
        (None, None, None, None),
        (None, False, False, None),
        (False, False, False, False),
    ],
)
def test_three_values_are_joined_as_kleene_joins_them(left: Truth, right: Truth, both: Truth, either: Truth) -> None:
    assert all_of((left, right)) is all_of((right, left)) is both
    assert any_of((left, right)) is any_of((right, left)) is either


def test_of_nothing_all_hold_and_none_does() -> None:
    assert all_of(()) is True
    assert any_of(()) is False
    assert negated(None) is None
