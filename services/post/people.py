"""People: which cases a person has, found by the personal code without keeping it, or by another word that is personal.

A row holds the HMAC of a word under a key of the ring, so the table shows nobody, and is made anew from the cases when that
key changes. By which words an event is found is for the domain.
Source: design.md section 8, table ``people``; docs/adr/0026.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.post.cases import Missing, open_personal
from services.post.office import Office
from services.post.store import SealedEvent
from services.wire.contents import Facts
from services.wire.errors import RingError, VerificationError
from services.wire.sealing import key_id

__all__ = ["cases_of", "has_cases", "note_case", "note_codes", "note_people", "renew_look_up"]


_AT_ONCE: Final = 100
_LOOK_UP: Final = "look-up under"


def note_people(office: Office, event: SealedEvent, facts: Facts | None = None) -> None:
    """Note in the open transaction whom an event of a case is about, as far as it can be opened; ``facts`` are what it says."""
    if event.topic not in office.domain.naming:
        return
    try:
        opened = open_personal(office, event, facts)
    except (VerificationError, RingError):
        # A damaged part, or key, hides whom it is about and nothing else; whoever looks at the case is told.
        return
    if not isinstance(opened, Missing):
        note_codes(office, event.originator_id, opened.content)


def note_case(office: Office, case_id: UUID) -> None:
    """Note in the open transaction whom a case is about, now that more of it opens; what was refused says nothing of anybody."""
    naming = [event for event in office.store.stream(case_id).events if event.topic in office.domain.naming]
    if not naming:
        return
    query = "SELECT channel, event_id FROM held WHERE case_id = ? AND kind = 'refused' AND event_id IS NOT NULL"
    refused = {(row["channel"], row["event_id"]) for row in office.database.all(query, case_id.hex)}
    for event in naming:
        if (event.channel, event.event_id) not in refused:
            note_people(office, event)


def renew_look_up(office: Office) -> None:
    """Note all cases anew, in a start, where the key of the look-up is another now, or a release before this one noted less."""
    naming = tuple(office.domain.naming)
    if not naming:
        return
    query = f"SELECT DISTINCT originator_id FROM stored_events WHERE topic IN ({', '.join('?' * len(naming))})"  # noqa: S608  # marks
    with office.database.transaction():
        noted = f"{_LOOK_UP} {key_id(office.ring.local_key('LOOKUP')).hex()}"
        if office.database.one("SELECT 1 FROM said WHERE name = ?", noted) is not None:
            return
        office.database.run("DELETE FROM people")
        for row in office.database.all(query, *naming):
            if UUID(row["originator_id"]) != office.own_stream:
                note_case(office, UUID(row["originator_id"]))
        office.database.run("DELETE FROM said WHERE substr(name, 1, length(?)) = ?", _LOOK_UP, _LOOK_UP)
        office.database.run("INSERT INTO said VALUES (?, ?)", noted, office.clock())


def note_codes(office: Office, case_id: UUID, personal: object) -> None:
    """Note in the open transaction whom a personal part of a case is about."""
    for code in office.domain.codes_of(personal):
        office.database.run("INSERT OR IGNORE INTO people VALUES (?, ?)", _hidden(office, code), case_id.hex)


def cases_of(office: Office, code: str) -> list[UUID]:
    """Return the cases of the person with a personal code, the oldest first."""
    rows = office.database.all("SELECT case_id FROM people WHERE code = ? ORDER BY case_id", _hidden(office, code))
    return [UUID(row["case_id"]) for row in rows]


def has_cases(office: Office, codes: Sequence[str]) -> bool:
    """Tell whether there is a case under any of these words, of which there is at least one."""
    key = office.ring.local_key("LOOKUP")
    for start in range(0, len(codes), _AT_ONCE):
        hidden = [_hmac(key, code) for code in codes[start : start + _AT_ONCE]]
        query = f"SELECT 1 FROM people WHERE code IN ({', '.join('?' * len(hidden))}) LIMIT 1"  # noqa: S608  # marks
        if office.database.one(query, *hidden) is not None:
            return True
    return False


def _hidden(office: Office, code: str) -> bytes:
    return _hmac(office.ring.local_key("LOOKUP"), code)


def _hmac(key: bytes, code: str) -> bytes:
    return hmac.digest(key, code.encode(), "sha256")
