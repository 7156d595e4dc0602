"""Firing: deadlines whose day is over, each once, by the same way as a clerk's act.

What a deadline means is for the domain; one that makes no event is marked, so that people see that it has passed.
Source: design.md section 3.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from services.post.cases import history_of
from services.post.office import Office
from services.post.saving import save

__all__ = ["fire_due_once"]

_AT_ONCE: Final = 100


def fire_due_once(office: Office) -> int:
    """Fire the deadlines that are due, the oldest first, and return how many those were; each in a transaction of its own."""
    rows = office.database.all(
        "SELECT case_id, name FROM deadlines WHERE fired_at IS NULL AND due_on < ? ORDER BY due_on LIMIT ?",
        office.today.isoformat(),
        _AT_ONCE,
    )
    return sum(_fire(office, row["case_id"], row["name"]) for row in rows)


def _fire(office: Office, case_hex: str, name: str) -> int:
    with office.database.transaction():
        row = office.database.one(
            "SELECT c.school FROM deadlines d JOIN cases c ON c.case_id = d.case_id"
            " WHERE d.case_id = ? AND d.name = ? AND d.fired_at IS NULL AND d.due_on < ?",
            case_hex,
            name,
            office.today.isoformat(),
        )
        # Somebody acted since the list was read, and nothing is due any more.
        if row is None:
            return 0
        office.database.run("UPDATE deadlines SET fired_at = ? WHERE case_id = ? AND name = ?", office.clock(), case_hex, name)
        stream = office.store.stream(UUID(case_hex))
        save(office, stream.id, office.domain.fire(history_of(office, stream), name), school=row["school"])
        return 1
