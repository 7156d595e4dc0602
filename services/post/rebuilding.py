"""Rebuilding: read models made anew from events alone, and what was different before.

Rows are found from the events, never from the rows themselves: a row that was lost comes back, one without events goes.
Source: design.md section 8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from services.post.cases import history_of
from services.post.office import Office
from services.post.people import note_case
from services.post.rows import refresh_row
from services.post.store import CaseStream
from services.wire.channels import paired_channel, school_of

__all__ = ["rebuild"]

_TABLES = ("cases", "deadlines", "people")


def rebuild(office: Office, tell: Callable[[int, int], None] = lambda _done, _more: None) -> tuple[int, list[str]]:
    """Make list, deadlines and look-up of all cases anew; return how many there are, and those whose rows were different.

    ``tell`` is told how many cases were done, and how many more were found. When a deadline fired is kept.
    """
    with office.database.transaction():
        before, fired = _rows(office), office.database.all("SELECT * FROM deadlines WHERE fired_at IS NOT NULL")
        for table in _TABLES:
            office.database.run(f"DELETE FROM {table}")  # noqa: S608  # names of ours
        rows = office.database.all(
            "SELECT DISTINCT originator_id FROM stored_events WHERE originator_id <> ?", office.own_stream.hex
        )
        tell(0, len(rows))
        for row in rows:
            _rebuild_one(office, office.store.stream(UUID(row["originator_id"])))
            tell(1, 0)
        for row in fired:
            office.database.run(
                "UPDATE deadlines SET fired_at = ? WHERE case_id = ? AND name = ? AND due_on = ?",
                row["fired_at"],
                row["case_id"],
                row["name"],
                row["due_on"],
            )
        after = _rows(office)
    different = {identity for identity in before.keys() | after.keys() if before.get(identity) != after.get(identity)}
    return len(rows), sorted(str(UUID(identity)) for identity in different)


def _rebuild_one(office: Office, stream: CaseStream) -> None:
    schools = (school_of(event.channel) for event in stream.events if paired_channel(event.channel))
    refresh_row(office, stream.id, history_of(office, stream), stream.version, next(schools, None))
    note_case(office, stream.id)


def _rows(office: Office) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for table in _TABLES:
        for row in office.database.all(f"SELECT * FROM {table} ORDER BY 1, 2"):  # noqa: S608  # names of ours
            found.setdefault(row["case_id"], []).append((table, *row))
    return found
