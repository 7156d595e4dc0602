"""Rows: what people see of a case, and which acts it allows; of one that rests on another, with that one.

What a history means is for the domains. A case that rests on another is looked at with both histories (docs/adr/0027).
Source: design.md section 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from uuid import UUID

from services.post.cases import history_of
from services.post.history import CaseRow, Outlook, Recorded, Resting, Sharing
from services.post.office import Office
from services.post.same_person import others_of
from services.post.store import CaseStream
from services.wire.channels import Role, commission_case, to_commission
from services.wire.errors import VerificationError

__all__ = ["outlook_of", "refresh_row", "rests_in", "row_of"]


def row_of(office: Office, history: Sequence[Recorded]) -> CaseRow:
    """Return the row that people see of a case; where the one on which it rests was damaged on the disk, by its own history."""
    domain = office.domain
    other: Sequence[Recorded] = ()
    with suppress(VerificationError):
        # Nothing that comes in this case waits for it; who looks at either, or decides by it, is told.
        other = _other(office, history)
    return domain.row_with(history, other) if isinstance(domain, Resting) and other else domain.row(history)


def outlook_of(office: Office, case_id: UUID, history: Sequence[Recorded], today: date) -> Outlook:
    """Return what is missing in a case and which acts it allows on a day, as it stands with others.

    Those are the one on which it rests; or those that rest on it, and the other ones of the person.
    """
    domain, other = office.domain, _other(office, history)
    if isinstance(domain, Resting) and other:
        return domain.outlook_with(history, other, today)
    if not isinstance(domain, Sharing):
        return domain.outlook(history, today)
    resting = {stream.id: found for stream, found in _resting_on(office, domain, case_id)}
    beside = {each: history_of(office, office.store.stream(each)) for each in others_of(office, case_id, resting)}
    return domain.outlook_among(history, resting, beside, today)


def refresh_row(office: Office, stream: UUID, history: Sequence[Recorded], version: int, school: str | None) -> None:
    """Write the row that people see of a case, and its deadlines, in the open transaction.

    ``school`` is who asks, where the commission is asked; of a school's own case nobody says it.
    """
    row = row_of(office, history)
    counterpart = None
    if office.role is Role.SCHOOL:
        counterpart, school = commission_case(stream, to_commission(office.participant)).hex, None
    office.database.run(
        "INSERT INTO cases VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (case_id) DO UPDATE SET state = excluded.state,"
        " variant = excluded.variant, opened_on = excluded.opened_on, due_on = excluded.due_on, version = excluded.version",
        stream.hex,
        counterpart,
        school,
        row.state,
        row.variant,
        row.opened_on.isoformat() if row.opened_on else None,
        row.due_on.isoformat() if row.due_on else None,
        version,
    )
    for kept in office.database.all("SELECT name FROM deadlines WHERE case_id = ?", stream.hex):
        # Whatever the case does not wait for any more is due no more.
        if kept["name"] not in {deadline.name for deadline in row.deadlines}:
            office.database.run("DELETE FROM deadlines WHERE case_id = ? AND name = ?", stream.hex, kept["name"])
    for deadline in row.deadlines:
        office.database.run(
            "INSERT INTO deadlines VALUES (?, ?, ?, NULL) ON CONFLICT (case_id, name) DO UPDATE SET due_on = excluded.due_on,"
            " fired_at = CASE WHEN deadlines.due_on = excluded.due_on THEN deadlines.fired_at END",
            stream.hex,
            deadline.name,
            deadline.due_on.isoformat(),
        )
    _refresh_resting(office, stream, history)


def _other(office: Office, history: Sequence[Recorded]) -> Sequence[Recorded]:
    """Return the history of the case on which one rests; none where it rests on none, or that one is not here (yet)."""
    found = rests_in(office, history)
    return history_of(office, office.store.stream(found)) if found is not None else ()


def rests_in(office: Office, history: Sequence[Recorded]) -> UUID | None:
    """Return the case on which one rests; None where it rests on none, or that one is not here (yet)."""
    rests_on = office.domain.rests_on(history) if isinstance(office.domain, Resting) else None
    return office.store.case_with(rests_on) if rests_on is not None else None


def _refresh_resting(office: Office, case_id: UUID, history: Sequence[Recorded]) -> None:
    """Make the rows of those anew that rest on a case in which something happened that moves them; resting is rare."""
    domain = office.domain
    if not isinstance(domain, Resting) or not domain.moves_others(history):
        return
    for stream, resting in _resting_on(office, domain, case_id):
        kept = office.database.one("SELECT school FROM cases WHERE case_id = ?", stream.id.hex)
        # None where it comes back later in the same start: then it is made with this one.
        if kept is not None:
            refresh_row(office, stream.id, resting, stream.version, kept["school"])


def _resting_on(office: Office, domain: Resting, case_id: UUID) -> Iterator[tuple[CaseStream, Sequence[Recorded]]]:
    """Yield the cases that rest on one, and their histories."""
    query = "SELECT DISTINCT originator_id FROM stored_events WHERE topic = ? ORDER BY originator_id"
    for row in office.database.all(query, domain.rests_by):
        stream = office.store.stream(UUID(row["originator_id"]))
        try:
            resting = history_of(office, stream)
        except VerificationError:
            # One that was damaged on the disk keeps no other from being saved or shown; who looks at it is told.
            continue
        rests_on = domain.rests_on(resting)
        if stream.id != case_id and rests_on is not None and office.store.case_with(rests_on) == case_id:
            yield stream, resting
