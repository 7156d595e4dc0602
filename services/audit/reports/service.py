"""The service: pupils, assistants, hours and money by month and founder, as annex 2 of Regulation No. 695 has them.

A month is that of the hours reported for it; of several reports of one agreement and month the newest counts, as of the money of
a school. An assistant is counted where the agreement, as amended up to the end of the month, names him; a founder is what the
school last said of itself by then.
Source: domain.md, "MK 695 annex 2".
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final
from uuid import UUID

from services.audit.event import Event
from services.audit.reports.figures import Figures, Row, Scope, Table, month_of
from services.wire.channels import writer_of
from services.wire.events import (
    AgreementAmended,
    AgreementConcluded,
    ApplicationFiled,
    HoursReported,
    MoneyReported,
    SchoolDescribed,
)

__all__ = ["Service"]

_MEASURES: Final = ("pupils", "assistants", "minutes", "opening cents", "received cents", "used cents", "closing cents")
_NOT_SAID: Final = "Unknown"


@dataclass(slots=True)
class _Line:
    """What one founder's schools reported for a month."""

    pupils: set[tuple[str, int | None]] = field(default_factory=set)
    assistants: set[tuple[str, int]] = field(default_factory=set)
    minutes: int = 0
    opening: int = 0
    received: int = 0
    used: int = 0

    def values(self) -> tuple[int, ...]:
        closing = self.opening + self.received - self.used
        return len(self.pupils), len(self.assistants), self.minutes, self.opening, self.received, self.used, closing


@dataclass(slots=True)
class Service:
    """Pupils for whom hours were reported, their assistants, the minutes, and the money of the schools."""

    scope: Scope
    pupils: dict[UUID, int] = field(default_factory=dict)
    agreed: dict[tuple[str, int], list[tuple[date, int]]] = field(default_factory=dict)
    hours: dict[tuple[str, int, date], tuple[UUID, int]] = field(default_factory=dict)
    money: dict[tuple[str, date], MoneyReported] = field(default_factory=dict)
    founders: dict[str, list[tuple[date, str]]] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """See one event."""
        school, facts, case = writer_of(event.channel), event.facts, event.common_case
        if isinstance(facts, ApplicationFiled) and case is not None:
            self.pupils[case] = facts.pupil
        elif isinstance(facts, AgreementConcluded | AgreementAmended):
            self.agreed.setdefault((school, facts.agreement), []).append((facts.from_on, facts.assistant))
        elif isinstance(facts, HoursReported) and case is not None and self.scope.holds(facts.month):
            self.hours[school, facts.agreement, facts.month] = case, facts.minutes
        elif isinstance(facts, MoneyReported) and self.scope.holds(facts.month):
            self.money[school, facts.month] = facts
        elif isinstance(facts, SchoolDescribed):
            self.founders.setdefault(school, []).append((facts.from_on, facts.founder.value))

    def tables(self) -> Figures:
        """Tell the figures."""
        lines = dict[tuple[str, str], _Line]()
        of = {each: self._line(lines, *each) for each in {(school, month) for school, _, month in self.hours} | set(self.money)}
        for (school, agreement, month), (case, minutes) in self.hours.items():
            # Nothing worked is no service.
            if minutes:
                line = of[school, month]
                line.minutes += minutes
                line.pupils.add((school, self.pupils.get(case)))
                line.assistants.update((school, each) for each in self._assistants(school, agreement, month))
        for (school, month), money in self.money.items():
            line = of[school, month]
            line.opening += money.opening_cents
            line.received += money.received_cents
            line.used += money.used_cents
        rows = tuple(Row(keys, line.values()) for keys, line in sorted(lines.items()))
        title = "Pupils, assistants, minutes and money by month and founder (Regulation No. 695, annex 2)"
        return (
            Table(
                name="months",
                title=title,
                keys=("month", "founder"),
                measures=_MEASURES,
                rows=rows,
                people=2,
                is_whole=False,
            ),
        )

    def _line(self, lines: dict[tuple[str, str], _Line], school: str, month: date) -> _Line:
        return lines.setdefault((month_of(month), self._founder(school, month)), _Line())

    def _founder(self, school: str, month: date) -> str:
        said = [each for each in self.founders.get(school, ()) if each[0] <= _end_of(month)]
        return _last(said) if said else _NOT_SAID

    def _assistants(self, school: str, agreement: int, month: date) -> Iterator[int]:
        """Yield who worked under an agreement in a month: who stood in it at its beginning or came in it during it."""
        agreed = sorted(self.agreed.get((school, agreement), ()), key=lambda each: each[0])
        for place, (since, assistant) in enumerate(agreed):
            # Whoever was replaced before the month, or on the very day on which he came, worked nothing in it.
            is_over = any(later <= max(since, month) for later, _ in agreed[place + 1 :])
            if since <= _end_of(month) and not is_over:
                yield assistant


def _last(said: list[tuple[date, str]]) -> str:
    # Of two of one day the one said later.
    newest = max(day for day, _ in said)
    return next(founder for day, founder in reversed(said) if day == newest)


# Asked for each agreement of a month.
@lru_cache(maxsize=1024)
def _end_of(month: date) -> date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])
