"""Cases: the history of a case with its facts opened, and its personal parts when somebody looks.

Decides what became of each stored event (``held`` says so); what a history means is for the domains.
Source: design.md sections 3 and 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import Any, Final

from services.post.history import Recorded, Standing
from services.post.keys import OwnKey, use_of
from services.post.office import Office
from services.post.store import CaseStream, SealedEvent
from services.wire.channels import writer_of
from services.wire.contents import Facts, decode_facts, decode_personal
from services.wire.errors import Evidence, SchemaError, SealError
from services.wire.hashing import Digest, Id, digest_of
from services.wire.records import SchemaBook
from services.wire.sealing import Part, open_part

__all__ = ["Missing", "Opened", "history_of", "open_facts", "open_personal"]

_EPOCH: Final = date(1970, 1, 1)


class Missing(Enum):
    """Why a personal part is not shown: its key or itself has not come yet, or it was erased."""

    NOT_YET = "not yet"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What is personal about an event; ``recorded_at`` is in milliseconds since 1970, ``entered_by`` who entered it."""

    recorded_at: int
    entered_by: str | None
    content: Any


def open_facts(office: Office, channel: str, event_id: Id, facts_key: Digest, sealed: bytes) -> Facts | None:
    """Return what a sealed facts part says, None if its key is not on the ring.

    Raises: SealError if it does not open under the key that it names, or that key is not of this channel; MalformedError.
    """
    return _facts_under(office.ring.get(facts_key), channel, event_id, sealed)


def _facts_under(key: OwnKey | None, channel: str, event_id: Id, sealed: bytes) -> Facts | None:
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
    # Once a history, not once an event: most of its events are sealed under the same two keys.
    keys: dict[Digest, OwnKey | None] = {}
    book = office.book
    return tuple(_recorded(office, event, standings, keys, book) for event in stream.events)


def open_personal(office: Office, event: SealedEvent, facts: Facts | None = None) -> Opened | Missing:
    """Return what is personal about an event, or why it cannot be shown; ``facts`` is its facts part where that was opened."""
    if event.facts is None:
        return Missing.NOT_YET
    body = event.sealed
    facts = facts or open_facts(office, event.channel, event.event_id, body.facts_key, event.facts)
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
    return Opened(recorded_at=opened.recorded_at, entered_by=opened.entered_by, content=content)


def _recorded(
    office: Office,
    event: SealedEvent,
    standings: dict[tuple[str, bytes], Standing],
    keys: dict[Digest, OwnKey | None],
    book: SchemaBook,
) -> Recorded:
    standing = standings.get((event.channel, event.event_id), Standing.ACCEPTED)
    facts, content = None, None
    if event.facts is not None:
        facts_key = event.sealed.facts_key
        if facts_key not in keys:
            keys[facts_key] = office.ring.get(facts_key)
        facts = _facts_under(keys[facts_key], event.channel, event.event_id, event.facts)
    if facts is not None and standing is not Standing.REFUSED:
        content = _content(book, facts, standing)
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


def _content(book: SchemaBook, facts: Facts, standing: Standing) -> Any:
    try:
        return book.facts(facts.type, facts.schema, facts.content)
    except SchemaError:
        # Parked for exactly this reason; an accepted event was readable when it was accepted.
        if standing is Standing.ACCEPTED:
            raise
        return None
