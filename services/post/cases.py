"""Cases: the history of a case with its facts opened, its personal parts when somebody looks, and its row for people.

Decides what became of each stored event (``held`` says so); what a history means is for the domains.
Source: design.md sections 3 and 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import Any, Final
from uuid import UUID

from services.post.history import Recorded, Standing
from services.post.keys import use_of
from services.post.office import Office
from services.post.store import CaseStream, SealedEvent
from services.wire.channels import Role, commission_case, to_commission, writer_of
from services.wire.contents import Facts, decode_facts, decode_personal
from services.wire.errors import Evidence, SchemaError, SealError
from services.wire.hashing import Digest, Id, digest_of
from services.wire.sealing import Part, open_part

__all__ = ["Missing", "Opened", "history_of", "open_facts", "open_personal", "refresh_row"]

_EPOCH: Final = date(1970, 1, 1)


class Missing(Enum):
    """Why a personal part is not shown: its key or itself has not come yet, or it was erased."""

    NOT_YET = "not yet"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What is personal about an event; ``recorded_at`` is in milliseconds since 1970."""

    recorded_at: int
    content: Any


def open_facts(office: Office, channel: str, event_id: Id, facts_key: Digest, sealed: bytes) -> Facts | None:
    """Return what a sealed facts part says, None if its key is not on the ring.

    Raises: SealError if it does not open under the key that it names, or that key is not of this channel; MalformedError.
    """
    key = office.ring.get(facts_key)
    if key is None:
        return None
    # A key is for one use: a case's key or another channel's would open facts for readers who may not know them.
    if key.key_use != "FACTS" or key.channel != channel:
        found = use_of(key.key_use, key.channel, key.case_id)
        evidence = Evidence(expected=use_of("FACTS", channel, None), found=found, raw=sealed)
        raise SealError("facts are sealed under a key that is not for them", evidence)
    return decode_facts(open_part(key.key, Part.FACTS, sealed, channel=channel, event_id=event_id))


def history_of(office: Office, stream: CaseStream) -> tuple[Recorded, ...]:
    """Return the history of a case; an event whose facts cannot be used yet has none and is not folded."""
    if not stream.events:
        return ()
    rows = office.database.all(
        "SELECT channel, event_id, kind FROM held WHERE case_id = ? AND event_id IS NOT NULL AND resolved_at IS NULL"
        " AND kind IN ('parked', 'voided', 'refused') ORDER BY kind = 'refused'",
        stream.id.hex,
    )
    standings = {(row["channel"], row["event_id"]): Standing(row["kind"]) for row in rows}
    return tuple(_recorded(office, event, standings) for event in stream.events)


def open_personal(office: Office, event: SealedEvent) -> Opened | Missing:
    """Return what is personal about an event, or why it cannot be shown."""
    if event.facts is None:
        return Missing.NOT_YET
    body = event.sealed
    facts = open_facts(office, event.channel, event.event_id, body.facts_key, event.facts)
    if facts is None:
        return Missing.NOT_YET
    identity = facts.personal_key or body.facts_key
    if office.ring.is_erased(identity):
        return Missing.ERASED
    key, sealed = office.ring.get(identity), office.letterbook.part(body.personal)
    if key is None or sealed is None:
        return Missing.NOT_YET
    # As with facts: a key is for one use, and a writer names whatever it likes.
    expected = ("CASE", event.channel, facts.case_id) if facts.personal_key else ("FACTS", event.channel, None)
    if (key.key_use, key.channel, key.case_id) != expected:
        found = use_of(key.key_use, key.channel, key.case_id)
        evidence = Evidence(expected=use_of(*expected), found=found, raw=sealed)
        raise SealError("a personal part is sealed under a key that is not for it", evidence)
    opened = decode_personal(open_part(key.key, Part.PERSONAL, sealed, channel=event.channel, event_id=event.event_id))
    content = office.book.personal(facts.type, facts.schema, opened.content)
    return Opened(recorded_at=opened.recorded_at, content=content)


def refresh_row(office: Office, stream: UUID, history: Sequence[Recorded], version: int, school: str | None) -> None:
    """Write the row that people see of a case, and its deadlines, in the open transaction.

    ``school`` is who asks, where the commission is asked; of a school's own case nobody says it.
    """
    row = office.domain.row(history)
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


def _recorded(office: Office, event: SealedEvent, standings: dict[tuple[str, bytes], Standing]) -> Recorded:
    standing = standings.get((event.channel, event.event_id), Standing.ACCEPTED)
    facts, content = None, None
    if event.facts is not None:
        facts = open_facts(office, event.channel, event.event_id, event.sealed.facts_key, event.facts)
    if facts is not None and standing is not Standing.REFUSED:
        content = _content(office, facts, standing)
    writer = writer_of(event.channel)
    return Recorded(
        facts=content,
        type=event.topic,
        body=digest_of(event.body),
        channel=event.channel,
        writer=writer,
        own=writer == office.participant,
        after=facts.after if facts else None,
        in_reply_to=facts.in_reply_to if facts else None,
        recorded_on=_EPOCH + timedelta(days=facts.recorded_on) if facts else _EPOCH,
        standing=standing if content is not None or standing is not Standing.ACCEPTED else Standing.PARKED,
    )


def _content(office: Office, facts: Facts, standing: Standing) -> Any:
    try:
        return office.book.facts(facts.type, facts.schema, facts.content)
    except SchemaError:
        # Parked for exactly this reason; an accepted event was readable when it was accepted.
        if standing is Standing.ACCEPTED:
            raise
        return None
