"""Dated rule sets: terms and ages as data, each in force from a day on.

Decides which numbers hold on a day; who is bound by them is for the domains. Terms change, and a case is judged by those of
its day, so nothing here is a constant of the code.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from typing import Final

__all__ = ["RULES", "Rules", "add_months", "full_years", "rules_on"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One rule set: ``number`` names it in events, ``name`` for people; in force from ``valid_from`` until the next one.

    ``commission_reply_months``: how long the commission has to answer a school. ``adult_age`` in full years.
    ``registered_days``, ``ordinary_days``: the day after posting on which a letter counts as notified.
    """

    number: int
    name: str
    valid_from: date
    commission_reply_months: int
    adult_age: int
    registered_days: int
    ordinary_days: int

    def commission_reply_due(self, asked_on: date) -> date:
        """Return the day by which the commission is to have answered a request of ``asked_on``."""
        return add_months(asked_on, self.commission_reply_months)


# Ages: the guidance of August 2012. The commission's term: one month, by analogy with section 64(1) of the Administrative
# Procedure Law, for the guidance names none. Days of notification: section 8(3) of the Notification Law.
RULES: Final = (
    Rules(
        number=1,
        name="lm-2012-08",
        valid_from=date(2012, 8, 1),
        commission_reply_months=1,
        adult_age=18,
        registered_days=7,
        ordinary_days=8,
    ),
)


def rules_on(day: date, rule_sets: tuple[Rules, ...] = RULES) -> Rules:
    """Return the rule set in force on a day; ``rule_sets`` are in the order of ``valid_from``.

    Raises: LookupError for a day before the first one.
    """
    for rules in reversed(rule_sets):
        if rules.valid_from <= day:
            return rules
    raise LookupError(f"no rules were in force on {day.isoformat()}")


def add_months(day: date, months: int) -> date:
    """Return the same day of a later month, or that month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def full_years(born_on: date, day: date) -> int:
    """Return the age in full years; a birthday counts on its day, one of 29 February on 1 March."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))
