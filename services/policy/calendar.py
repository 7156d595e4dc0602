"""Latvian working days, and when a term ends.

Decides which day is a working day and how a term is counted; how long a term is stands in the rules. Only days are counted here:
which day it is in Europe/Riga is for the caller. Public holidays, with the days off that replace 4 May and 18 November at a
weekend, are those of the ``holidays`` library; working days that the Cabinet moves stand in ``moved_days.toml``, so that an
order of next summer does not wait for a release of that library.
Source: the Law on Public Holidays, Commemoration Days and Celebration Days; section 133(4) of the Labour Law; for the end of a
term section 43 of the Administrative Procedure Law, as it is generally known (its text was not at hand).
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from functools import cache
from typing import Annotated, ClassVar, Final

from holidays import HolidayBase, country_holidays
from pydantic import ConfigDict, Field, TypeAdapter

from services.policy.data import STRICT, Text, parse_data, read_text

__all__ = [
    "MovedDay",
    "MovedDays",
    "Term",
    "Unit",
    "add_months",
    "add_working_days",
    "birthday",
    "full_years",
    "is_working_day",
    "moved_days",
    "next_working_day",
    "normal_working_hours",
    "working_day_from",
    "working_days_between",
]

_FILE: Final = "moved_days.toml"
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_HOURS_A_DAY: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedDay:
    """A working day that was moved: ``off`` is not worked, ``worked``, a Saturday, is; ``source`` is the Cabinet's order."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    off: date
    worked: date
    source: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedDays:
    """The orders that are known, in order of time; of years after ``known_through`` none was known when this was written."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    known_through: int
    moved: tuple[MovedDay, ...]


class Unit(Enum):
    """In what a term is counted."""

    DAYS = "days"
    WORKING_DAYS = "working days"
    MONTHS = "months"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A length of time as a law names it. The day from which it is counted is not counted itself."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    count: Annotated[int, Field(ge=0)]
    unit: Unit

    def day_after(self, day: date) -> date:
        """Return the day that lies this term after ``day``, be it worked or not: the 7th day, the 2nd working day."""
        if self.unit is Unit.MONTHS:
            return add_months(day, self.count)
        if self.unit is Unit.WORKING_DAYS:
            return add_working_days(day, self.count)
        return day + self.count * _DAY

    def last_day_after(self, day: date) -> date:
        """Return the last day of this term begun on ``day``: where it would not be a working day, the next working day is."""
        return working_day_from(self.day_after(day))


@cache
def moved_days() -> MovedDays:
    """Return the working days that were moved."""
    return parse_data(_FILE, read_text(_FILE), TypeAdapter(MovedDays))


def is_working_day(day: date, orders: MovedDays | None = None) -> bool:
    """Return whether institutions work on a day. Moved days bind those the state's budget pays, and are advised to the others.

    ``orders`` are those of ``moved_days`` unless others are given, as one that is only proposed yet.
    """
    moved = _moved(orders or moved_days()).get(day)
    return _holidays().is_working_day(day) if moved is None else moved


def working_day_from(day: date) -> date:
    """Return ``day`` if it is a working day, else the next one that is."""
    while not is_working_day(day):
        day += _DAY
    return day


def next_working_day(day: date) -> date:
    """Return the first working day after ``day``."""
    return working_day_from(day + _DAY)


def add_working_days(day: date, count: int) -> date:
    """Return the ``count``-th working day after ``day``; ``day`` itself for none.

    Raises: ValueError if ``count`` is negative.
    """
    if count < 0:
        raise ValueError("working days are counted forward only")
    for _ in range(count):
        day = next_working_day(day)
    return day


def working_days_between(first: date, last: date) -> int:
    """Return how many working days lie after ``first`` up to ``last``; 0 if ``last`` is not later."""
    return sum(is_working_day(first + each * _DAY) for each in range(1, (last - first).days + 1))


def normal_working_hours(year: int, month: int) -> int:
    """Return the normal working hours of a month in a week of five days of eight hours.

    The working day before a public holiday is an hour shorter, and stays so where it is moved.
    Source: sections 131 and 135 of the Labour Law; the hours that are published for each month.
    """
    days = [date(year, month, each + 1) for each in range(calendar.monthrange(year, month)[1])]
    worked = sum(is_working_day(day) for day in days)
    return worked * _HOURS_A_DAY - sum(_is_short(day) for day in days)


def add_months(day: date, months: int) -> date:
    """Return the same day of a later month, or that month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def full_years(born_on: date, day: date) -> int:
    """Return the age in full years; a birthday counts on its day, one of 29 February on 1 March."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def birthday(born_on: date, age: int) -> date:
    """Return the day on which somebody becomes ``age``: 1 March for one born on 29 February, where the year has no such day."""
    year = born_on.year + age
    is_leap_day = (born_on.month, born_on.day) == (2, 29)
    return date(year, 3, 1) if is_leap_day and not calendar.isleap(year) else born_on.replace(year=year)


def _is_short(day: date) -> bool:
    """Return whether this day of an ordinary week is the working day before a holiday; its hour goes with it if it is moved."""
    is_worked = is_working_day(day) or _moved(moved_days()).get(day) is False
    return day.weekday() < _SATURDAY and is_worked and day + _DAY in _holidays()


@cache
def _moved(orders: MovedDays) -> dict[date, bool]:
    """Return whether it is worked on, for each day that an order moves."""
    return {day: worked for each in orders.moved for day, worked in ((each.off, False), (each.worked, True))}


@cache
def _holidays() -> HolidayBase:
    return country_holidays("LV")
