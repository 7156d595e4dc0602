"""How many hours of the service a pupil may have.

Decides about numbers of hours alone; which agreements there are is for the school's domain. Whole hours a week.
Source: the guidance of August 2012, section 6; for other rule sets what their parameters name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from services.policy.calendar import normal_working_hours
from services.policy.kleene import Truth
from services.policy.rules import InstitutionKind, Rules

__all__ = ["Agreed", "month_is_within", "most_hours_per_week", "week_is_within", "weekly_cap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """The hours of one agreement and the days, both inclusive, on which it is in force; without ``valid_until`` for good."""

    hours_per_week: int
    valid_from: date
    valid_until: date | None = None

    def is_in_force(self, day: date) -> bool:
        """Return whether the agreement is in force on a day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


def most_hours_per_week(agreements: Iterable[Agreed]) -> int:
    """Return the most hours a week that agreements of one pupil come to together on any day; 0 for none."""
    found = list(agreements)
    # The sum grows only on a day on which an agreement begins.
    sums = [sum(each.hours_per_week for each in found if each.is_in_force(begun.valid_from)) for begun in found]
    return max(sums, default=0)


def weekly_cap(rules: Rules, kind: InstitutionKind) -> int:
    """Return the most hours a week in an institution of ``kind``."""
    preschool = rules.parameters.hours_per_week_preschool
    cap = preschool if preschool is not None and kind is InstitutionKind.PRESCHOOL else rules.parameters.hours_per_week
    return cap.value


def week_is_within(rules: Rules, agreements: Iterable[Agreed], kind: InstitutionKind | None) -> Truth:
    """Return whether all agreements of a pupil together stay within the cap of a week; the cap itself is allowed.

    None if ``kind`` is unknown and decides.
    """
    hours = most_hours_per_week(agreements)
    held = {hours <= weekly_cap(rules, each) for each in (InstitutionKind if kind is None else (kind,))}
    return held.pop() if len(held) == 1 else None


def month_is_within(rules: Rules, hours: int, year: int, month: int) -> bool:
    """Return whether ``hours`` worked in a month stay within its normal working hours, where the rule set asks that."""
    limit = rules.parameters.within_normal_month
    return limit is None or not limit.value or hours <= normal_working_hours(year, month)
