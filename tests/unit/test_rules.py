"""Dated rule sets and the arithmetic of days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.policy.rules import RULES, add_months, full_years, rules_on


@pytest.mark.parametrize(
    ("day", "later"),
    [
        (date(2026, 8, 18), date(2026, 9, 18)),
        (date(2027, 1, 31), date(2027, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2026, 12, 5), date(2027, 1, 5)),
        (date(2026, 11, 30), date(2026, 12, 30)),
    ],
)
def test_commission_has_one_month_and_the_last_day_where_the_month_is_short(day: date, later: date) -> None:
    """Domain D.4: ``commissionReplyDue`` is one month, dated data."""
    assert rules_on(day).commission_reply_due(day) == later


def test_no_months_later_is_the_same_day() -> None:
    assert add_months(date(2026, 12, 31), 0) == date(2026, 12, 31)


def test_each_day_is_judged_by_the_rules_of_its_day() -> None:
    changed = replace(RULES[0], number=2, valid_from=date(2027, 1, 1), commission_reply_months=2)
    assert rules_on(date(2026, 12, 31), (*RULES, changed)) is RULES[0]
    assert rules_on(date(2027, 1, 1), (*RULES, changed)).commission_reply_due(date(2027, 1, 1)) == date(2027, 3, 1)


def test_before_the_first_rules_there_are_none() -> None:
    assert rules_on(date(2012, 8, 1)).name == "lm-2012-08"
    with pytest.raises(LookupError, match="2012-07-31"):
        rules_on(date(2012, 7, 31))


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2008, 10, 2), date(2026, 10, 1), 17),
        (date(2008, 10, 2), date(2026, 10, 2), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
    ],
)
def test_birthday_counts_on_its_day(born: date, day: date, age: int) -> None:
    """Domain A1, boundary decisions."""
    assert full_years(born, day) == age
