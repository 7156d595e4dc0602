"""Figures: what a report is made of, before anybody gives it a form.

A table has one or more columns that say what is counted, and measures. A row of which a measure is None is hidden: it counts so
few people that they might be known by it, or somebody could compute such a row from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from services.audit.event import Event

__all__ = ["HIDDEN", "Figures", "Fold", "Row", "Scope", "Table", "counted", "month_of"]

HIDDEN: Final = "*"
"""How a hidden figure is shown: the same where it is small and where it is hidden for another's sake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a report is about: a period with both ends, the day as of which it tells, and the day up to which it knows.

    An event is known from the day on which its writer recorded it; what it tells happened on the day that its facts name (see
    ``happening``). What was not known by ``known_at``, or had not happened by ``as_of``, is in no figure.
    """

    since: date
    until: date
    as_of: date
    known_at: date

    def holds(self, day: date) -> bool:
        """Tell whether a day lies in the period."""
        return self.since <= day <= self.until


@dataclass(frozen=True, slots=True)
class Row:
    """What is counted, and how much of it; a measure is None where it is hidden."""

    keys: tuple[str, ...]
    values: tuple[int | None, ...]

    @property
    def is_hidden(self) -> bool:
        """Tell whether this row is hidden."""
        return None in self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table; ``total`` is the sum of the first measure, where the rows are parts of one whole and it is not hidden.

    ``people`` measures, the first ones, count people or cases of theirs: by them it is judged whether a row is small. ``parent``
    is the row, of another table before it, whose cases this table parts further. ``beside`` is how many cases whoever subtracts
    this table from those of other reports or years finds. ``is_internal``: it is never published.
    """

    name: str
    title: str
    keys: tuple[str, ...]
    measures: tuple[str, ...]
    rows: tuple[Row, ...]
    people: int = 1
    is_whole: bool = True
    total: int | None = None
    parent: tuple[str, str] | None = None
    beside: tuple[int, ...] = ()
    is_internal: bool = False


Figures = tuple[Table, ...]


class Fold(Protocol):
    """A projection: it is shown each event that counts and is known, in the one order, and tells what it made of them."""

    def add(self, event: Event) -> None:
        """See one event."""
        ...

    def tables(self) -> Figures:
        """Tell the figures of all events seen."""
        ...


def counted(name: str, title: str, key: str, measure: str, counts: Mapping[str, int], *, is_whole: bool = True) -> Table:
    """Return the table of a count: a row a key that occurs, by its name; ``is_whole`` if each is counted under one key alone."""
    rows = tuple(Row((each,), (count,)) for each, count in sorted(Counter(counts).items()))
    total = sum(counts.values()) if is_whole else None
    return Table(name=name, title=title, keys=(key,), measures=(measure,), rows=rows, is_whole=is_whole, total=total)


def month_of(day: date) -> str:
    """Return the month of a day as YYYY-MM."""
    return f"{day.year:04}-{day.month:02}"
