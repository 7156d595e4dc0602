"""Saving: how a decision becomes sealed events, in one transaction with everything it causes.

Sealing happens here, once, with fresh salts; nothing is ever sealed again for the wire. What is decided is for the domains,
when it is signed and sent for the worker.
Source: design.md sections 3 and 7.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from services.post.cases import history_of
from services.post.history import BEFORE, New, Recorded
from services.post.lost_keys import is_awaited
from services.post.office import Office, day_of, when_of
from services.post.people import note_codes
from services.post.rows import refresh_row
from services.post.store import CaseStream, SealedEvent
from services.wire.audience import channel_for
from services.wire.channels import ChannelKind, Role, channel_kind, from_commission, to_commission
from services.wire.contents import Facts, OpenContent, Personal, encode_facts, encode_open, encode_personal
from services.wire.entry import Sealed, encode_body
from services.wire.errors import ConflictError, Evidence, RefusedError, StoreBehindError
from services.wire.hashing import Digest, Id, digest_of
from services.wire.records import encode_event
from services.wire.sealing import SALT_BYTES, Part, seal

__all__ = [
    "MISPLACED",
    "NOT_COME",
    "CaseIncompleteError",
    "KeysAwaitedError",
    "NotReadyError",
    "Saved",
    "StartingError",
    "act",
    "is_misplaced",
    "misplaced_cases",
    "queue_open",
    "require_current",
    "require_started",
    "require_whole",
    "save",
]

MISPLACED: Final = "misplaced"
"""The kind of ``held`` for own events whose place in their case is not known, after a restore."""

NOT_COME: Final = "what came before it has not come yet"
"""Why an own event is held so, where that may still come."""

_TRIES: Final = 5
_EPOCH: Final = date(1970, 1, 1)


class CaseIncompleteError(RefusedError):
    """After a restore something of a case has not come back yet; acting in it would give it two histories."""

    def __init__(self, case_id: UUID) -> None:
        super().__init__(
            f"Part of the case {case_id} has not come back yet after a restore: a channel stands still (see channels and held)."
        )


class StartingError(RefusedError):
    """Until a start is over nothing is decided: the case may be older than what was written of it."""

    def __init__(self) -> None:
        super().__init__("The worker is starting, or its start ended in the middle: wait a moment, or start it, and repeat this.")


class KeysAwaitedError(RefusedError):
    """Own events of a pair do not open yet, and what is decided may contradict them."""

    def __init__(self, channel: str) -> None:
        super().__init__(
            f"Own events in {channel} wait for keys that its reader was asked for; until they come nothing is decided there."
            " Let both workers run, and repeat this."
        )


class NotReadyError(RefusedError):
    """Something of the exchange has to be there first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """An event that was saved and waits for its signature."""

    type: str
    channel: str
    body: Digest


def act(
    office: Office,
    case_id: UUID | None,
    decide: Callable[[Sequence[Recorded]], Sequence[New]],
    *,
    school: str | None = None,
    also: Callable[[], None] | None = None,
) -> tuple[Saved, ...]:
    """Let ``decide`` decide on a case, and save what it makes, with the case's row; ``school`` is whose case it is.

    None as ``case_id`` is what belongs to no case; its history is that of my own stream. ``also`` is done in the same
    transaction.

    Raises: what ``decide`` raises; ConflictError if others changed the case five times over; NotReadyError; StartingError,
    CaseIncompleteError or KeysAwaitedError while not all is back after a restore;
    StoreBehindError if the database is older than the ring file says.
    """
    require_current(office)
    stream_id = case_id or office.own_stream
    for left in reversed(range(_TRIES)):
        try:
            with office.database.transaction():
                require_started(office)
                require_whole(office, stream_id, school)
                history = history_of(office, office.store.stream(stream_id))
                saved = save(office, case_id, decide(history), school=school, history=history)
                if also is not None:
                    also()
                return saved
        except ConflictError:
            if not left:
                raise
    raise RuntimeError("unreachable: the last try returns or raises")


def save(  # the last two spare work where the caller knows better
    office: Office,
    case_id: UUID | None,
    news: Sequence[New],
    *,
    school: str | None,
    history: Sequence[Recorded] | None = None,
    refresh: bool = True,
) -> tuple[Saved, ...]:
    """Seal and store events at the end of a case (None: of my own stream) in the open transaction.

    ``history`` is the case's till now, where that was read in this transaction; else it is read again. ``refresh`` makes the
    case's row anew; left out where an event changes nothing that people see.
    """
    stream_id = case_id or office.own_stream
    version, after = office.store.version(stream_id), None
    if case_id and version:
        after = office.store.body_at(case_id, version)
    saved: list[Saved] = []
    stored: list[SealedEvent] = []
    for number, new in enumerate(news, start=version + 1):
        event, body = _sealed(office, case_id, _resting(new, saved), after, school)
        stored.append(SealedEvent(stream_id, number, *event))
        office.store.append(stored[-1:])
        after = digest_of(body) if case_id else None
        if case_id:
            note_codes(office, case_id, new.personal)
        saved.append(Saved(type=event[0], channel=event[1], body=digest_of(body)))
    if case_id and news and refresh:
        if history is None:
            history, stored = (), list(office.store.stream(stream_id).events)
        # Opened from what was stored, as any later look does it.
        added = CaseStream(id=stream_id, version=stored[-1].originator_version, events=tuple(stored))
        refresh_row(office, stream_id, (*history, *history_of(office, added)), added.version, school)
    if case_id and news and office.after_saving is not None:
        office.after_saving(office, case_id, news)
    return tuple(saved)


def queue_open(office: Office, channel: str, content: OpenContent) -> Id:
    """Put an open entry into the queue of what waits for a signature, and return the id of its event."""
    body, event_id = encode_body(encode_open(content)), Id(office.random(16))
    query = "INSERT INTO outgoing (channel, event_id, body, saved_at) VALUES (?, ?, ?, ?)"
    office.database.run(query, channel, event_id, body, office.clock())
    return event_id


def _resting(new: New, before: Sequence[Saved]) -> New:
    """Return an event with the body on which it rests, where that was sealed just before it."""
    if getattr(new.facts, "basis", None) != BEFORE:
        return new
    bodies = (each.body for each in reversed(before) if channel_kind(each.channel) is ChannelKind.RECORD)
    return replace(new, facts=replace(new.facts, basis=next(bodies)))


def _sealed(
    office: Office, case_id: UUID | None, new: New, after: Digest | None, school: str | None
) -> tuple[tuple[str, str, Id, bytes, bytes], bytes]:
    encoded = encode_event(new.facts, new.personal)
    if encoded.schema not in office.trust.schemas:
        raise NotReadyError(
            f"the schema of {encoded.type} is not known here: start this participant's worker, so that it reads what the"
            " registrar says; if it runs already, the registrar has not published it yet"
        )
    channel = channel_for(encoded.type, writer=office.participant, school=school)
    now, event_id = office.clock(), Id(office.random(16))
    day = day_of(now)
    facts_key = office.ring.facts_key(channel, day.year)
    personal_key = office.ring.case_key(channel, case_id) if case_id else facts_key
    facts = Facts(
        type=encoded.type,
        schema=encoded.schema,
        case_id=Id(case_id.bytes) if case_id else None,
        after=after,
        in_reply_to=new.in_reply_to,
        recorded_on=(day - _EPOCH).days,
        personal_key=personal_key.key_id if case_id else None,
        content=encoded.facts,
    )
    sealed_facts = seal(
        facts_key.key, Part.FACTS, encode_facts(facts), channel=channel, event_id=event_id, salt=office.random(SALT_BYTES)
    )
    # Who of mine did it is nobody else's business.
    entered_by = office.entered_by if channel_kind(channel) is ChannelKind.RECORD else None
    personal = encode_personal(Personal(recorded_at=now, entered_by=entered_by, content=encoded.personal))
    sealed_personal = seal(
        personal_key.key, Part.PERSONAL, personal, channel=channel, event_id=event_id, salt=office.random(SALT_BYTES)
    )
    part = digest_of(sealed_personal)
    body = encode_body(Sealed(facts_key=facts_key.key_id, facts=digest_of(sealed_facts), personal=part))
    office.letterbook.keep_part(part, sealed_personal)
    office.database.run(
        "INSERT INTO outgoing (channel, event_id, case_id, body, facts, personal_key, saved_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        channel,
        event_id,
        case_id.hex if case_id else None,
        body,
        sealed_facts,
        facts.personal_key,
        now,
    )
    return (encoded.type, channel, event_id, body, sealed_facts), body


def require_started(office: Office) -> None:
    """Return if no start is under way; asked inside the transaction that would decide something.

    Raises: StartingError.
    """
    if office.database.one("SELECT 1 FROM said WHERE name = 'starting'") is not None:
        raise StartingError


def require_whole(office: Office, case_id: UUID, school: str | None) -> None:
    """Return if nothing of a case is still to come back after a restore; asked inside the transaction that would extend it.

    Raises: KeysAwaitedError, CaseIncompleteError.
    """
    mine = to_commission(office.participant) if office.role is Role.SCHOOL else from_commission(school) if school else None
    if mine is not None and is_awaited(office, mine):
        raise KeysAwaitedError(mine)
    if is_misplaced(office, case_id):
        raise CaseIncompleteError(case_id)


def is_misplaced(office: Office, case_id: UUID) -> bool:
    """Tell whether own events of a case came back after a restore that have no place in it yet."""
    query = "SELECT 1 FROM held WHERE kind = ? AND case_id = ? AND resolved_at IS NULL"
    return office.database.one(query, MISPLACED, case_id.hex) is not None


def misplaced_cases(office: Office) -> set[UUID | None]:
    """Return the cases of own events that came back after a restore and have no place yet; None for such as belong to none."""
    rows = office.database.all("SELECT DISTINCT case_id FROM held WHERE kind = ? AND resolved_at IS NULL", MISPLACED)
    return {UUID(row["case_id"]) if row["case_id"] else None for row in rows}


def require_current(office: Office) -> None:
    """Return if this database knows of every entry that the ring file says was sent, or the registrar has begun anew since.

    Raises: StoreBehindError.
    """
    # A restored database, or one that lost its last commits, would give a second entry to a place that is taken.
    for channel, head in office.ring_file.heads.items():
        standing = office.letterbook.standing(channel)
        known = (standing.place.epoch, standing.place.sequence) if standing is not None else (0, 0)
        if known >= (head.epoch, head.sequence):
            continue
        epochs = office.trust.epochs.get(channel, ())
        if not epochs or epochs[-1].epoch <= head.epoch:
            evidence = Evidence(channel=channel, epoch=head.epoch, sequence=head.sequence, expected=head.digest.hex())
            ends = when_of(office.letterbook.ends_at) if office.letterbook.ends_at else "its beginning"
            text = f"this database is older than the ring file and ends at {ends}: a start takes back what the log holds"
            raise StoreBehindError(text, evidence)
