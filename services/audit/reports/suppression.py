"""Suppression: what of a table may be published, so that nobody is known by a small number and none can be computed.

A row of 1 to 4 people is hidden (a row of none says nothing of anybody). The sum of the rows may be known, from this report or
another, and one hidden row would be the sum less the others. So further rows are hidden until there are two at least, and
together they have more than they could if all of them were small. They are taken by their place, never by their size: if the
smallest were hidden next, whoever knows that would know that no hidden row is larger than any that is shown, and could tell a 4
from that (5, 4, 4, of which 13 and the 5 are shown). By this rule whoever knows the sum and the rule finds at least four values
for each small row; a test tries all tables of up to four rows. Where nothing more can be hidden and that is still not so (five
rows of one each), no row is shown, not even by its name. A sum of fewer than 5 is hidden itself. What is hidden shows one mark,
whatever it was hidden for. A table that parts the cases of a hidden row is not shown: its sum is that row. Of one whose rows have
cases in common, a row is hidden too if 1 to 4 of the cases that the table parts are not in it. A table that is 1 to 4 cases away
from what other reports and years tell is not shown.
Source: domain.md, "Aggregates only for the ministry (suppress cells < 5)".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from services.audit.reports.figures import Figures, Row, Table

__all__ = ["LEAST_SHOWN", "published", "suppressed"]

LEAST_SHOWN: Final = 5
_LEAST_HIDDEN_ROWS: Final = 2


def published(tables: Iterable[Table]) -> Figures:
    """Return tables as they may be published; those that part a row stand behind the table that it is in."""
    made: dict[str, Table] = {}
    for table in tables:
        if table.is_internal:
            continue
        parent = made.get(table.parent[0]) if table.parent is not None else None
        of = next((row.values[0] for row in parent.rows if table.parent == (parent.name, *row.keys)), None) if parent else None
        made[table.name] = suppressed(table, of) if parent is None or of is not None else replace(table, rows=(), total=None)
    return tuple(made.values())


def suppressed(table: Table, of: int | None = None) -> Table:
    """Return a table of which every small row is hidden, and what would give it away; it parts a row of so many, if of any."""
    if any(0 < each < LEAST_SHOWN for each in table.beside):
        return replace(table, rows=(), total=None)
    hidden = {place for place, row in enumerate(table.rows) if _is_small(table, row) or _leaves_few(table, row, of)}
    left = [place for place, row in enumerate(table.rows) if place not in hidden and _count(row)]
    while hidden and not _is_safe(table, hidden) and left:
        hidden.add(left.pop(0))
    total = None if table.total is not None and 0 < table.total < LEAST_SHOWN else table.total
    if hidden and not _is_safe(table, hidden):
        return replace(table, rows=(), total=total)
    rows = (_hidden(row) if place in hidden else row for place, row in enumerate(table.rows))
    return replace(table, rows=tuple(rows), total=total)


def _is_small(table: Table, row: Row) -> bool:
    return any(value is not None and 0 < value < LEAST_SHOWN for value in row.values[: table.people])


def _leaves_few(table: Table, row: Row, of: int | None) -> bool:
    # Where one case may be in several rows or in none, each row says how many are not in it.
    return of is not None and not table.is_whole and 0 < of - _count(row) < LEAST_SHOWN


def _is_safe(table: Table, hidden: set[int]) -> bool:
    together = sum(_count(table.rows[place]) for place in hidden)
    return len(hidden) >= _LEAST_HIDDEN_ROWS and together > (LEAST_SHOWN - 1) * len(hidden)


def _count(row: Row) -> int:
    return row.values[0] or 0


def _hidden(row: Row) -> Row:
    return Row(row.keys, (None,) * len(row.values))
