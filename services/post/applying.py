"""Applying: what becomes of one sealed entry that was entered: accepted, refused and answered, or parked.

Decides nothing of a procedure: the domain judges. What is parked keeps its place, and whatever comes after it in the same
case, or in the same channel where not even the case is known, queues behind it until ``redrive``.
Source: design.md section 3, "What can become of a record".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from services.post.awaiting import case_to_come, case_waits, pair_waits
from services.post.cases import history_of, open_facts
from services.post.database import Row
from services.post.history import New, Recorded, RejectionCode, Standing
from services.post.holding import hold, keep_contradiction
from services.post.letterbook import statement_of
from services.post.office import Office
from services.post.people import note_people
from services.post.rows import refresh_row
from services.post.saving import save
from services.post.store import SealedEvent
from services.wire.audience import may_write
from services.wire.channels import ChannelKind, channel_kind, paired_channel, school_of, writer_of
from services.wire.contents import Facts
from services.wire.entry import Open, Sealed, VerifiedEntry, encode_body
from services.wire.errors import (
    Evidence,
    FactsRuleError,
    LeaseError,
    MalformedError,
    RepeatError,
    SchemaError,
    SealError,
    TransportError,
    VerificationError,
)
from services.wire.events import Rejected, RejectedCode

__all__ = [
    "KEY_MISSING",
    "apply_sealed",
    "entry_of",
    "held_kinds",
    "redrive_channel",
    "redrive_parked",
]

_EPOCH: Final = date(1970, 1, 1)
KEY_MISSING: Final = "the facts key is missing"
BEHIND_PARKED: Final = "behind something that is parked"
_REJECTED: Final = Rejected.__name__
Blocked = Callable[[UUID | None], bool]
_EVENTS_A_CASE: Final = 1000


def held_kinds(office: Office, channel: str) -> set[str]:
    """Return which kinds of what is not settled are held of a channel and may touch an entry that comes: mostly none."""
    rows = office.database.all(
        "SELECT DISTINCT kind FROM held WHERE channel = ? AND kind IN ('off chain', 'parked') AND resolved_at IS NULL",
        channel,
    )
    return {row["kind"] for row in rows}


def apply_sealed(office: Office, entry: VerifiedEntry, *, park: str | None = None, is_blocked: Blocked | None = None) -> None:
    """Apply one sealed entry in the open transaction; ``park`` is why it is parked where that failed.

    ``is_blocked`` tells whether something before it is parked: of its case, or (None) of who knows which; the database is asked
    where the caller knows no better.
    """
    channel = entry.statement.channel
    body = entry.statement.body
    if isinstance(body, Open):
        raise RuntimeError("an open entry has no facts")  # noqa: TRY004  # the caller's order is wrong, not a type
    known = office.store.body_of(channel, entry.statement.event_id)
    if known is not None:
        # A repeated event is entered and nothing more; with another body it has no effect either, and a person is told.
        if known != entry.body_digest:
            error = RepeatError(
                "an event id stands there again with another body, without effect",
                Evidence(expected=known.hex(), found=entry.body_digest.hex()),
            )
            keep_contradiction(office, channel, entry.digest, error)
            office.tell(f"{channel}: {error.message}")
        return
    if park is not None:
        hold(office, channel, "parked", park, case_id=_case_if_known(office, entry, body), entry=entry)
        return
    is_blocked = is_blocked or partial(_blocked, office, entry)
    if is_blocked(None):
        hold(office, channel, "parked", BEHIND_PARKED, entry=entry)
        return
    try:
        facts = _opened(office, entry, body)
    except (SealError, MalformedError) as error:
        _refuse(office, entry, None, None, RejectionCode.UNREADABLE, error)
        return
    if facts is None:
        hold(office, channel, "parked", KEY_MISSING, entry=entry)
        return
    if (reason := pair_waits(office, channel)) is not None:
        # Judged without what I wrote myself, it would be refused, and that would stand in the log for ever.
        hold(office, channel, "parked", reason, entry=entry)
        return
    _apply_facts(office, entry, facts, is_blocked)


def redrive_channel(office: Office, channel: str) -> int:
    """Apply what is parked in a channel, in its order, as far as it goes; return how much was applied."""
    rows = office.database.all(
        "SELECT h.id AS held_id, e.* FROM held h JOIN entries e ON e.digest = h.digest AND e.channel = h.channel"
        " WHERE h.channel = ? AND h.kind = 'parked' AND h.resolved_at IS NULL ORDER BY e.id",
        channel,
    )
    applied = 0
    if office.returning is not None:
        office.returning.ahead = {entry_of(row).body_digest for row in rows}
    # All that is parked of a channel comes by here in its order, so that nobody has to be asked what is before an entry.
    parked: set[str | None] = set()

    def is_blocked(case_id: UUID | None) -> bool:
        return (case_id.hex if case_id else None) in parked

    for row in rows:
        try:
            with office.database.transaction():
                office.database.run("DELETE FROM held WHERE id = ?", row["held_id"])
                apply_sealed(office, entry_of(row), is_blocked=is_blocked)
        except (TransportError, LeaseError):
            raise
        except Exception as error:  # still an error of ours: it stays parked, and so does what is behind it  # noqa: BLE001
            office.tell(f"{channel} at {row['sequence']} stays parked: {type(error).__name__} in this program")
        left = _parked(office, channel, row)
        applied += left is None
        if left is not None:
            parked.add(left["case_id"])
    return applied


def redrive_parked(office: Office, reason: str | None = None) -> None:
    """Apply what is parked in all channels, in the order of each, as far as it goes; where anything is parked for ``reason``."""
    query = "SELECT DISTINCT channel FROM held WHERE kind = 'parked' AND reason = coalesce(?, reason) AND resolved_at IS NULL"
    for row in office.database.all(query, reason):
        redrive_channel(office, row["channel"])


def entry_of(row: Row) -> VerifiedEntry:
    """Return what was verified when it was entered; its personal part stands in ``parts``."""
    statement = statement_of(row)
    return VerifiedEntry(
        digest=row["digest"],
        statement=statement,
        statement_bytes=row["statement"],
        signature=row["signature"],
        facts=row["facts"],
        personal=None,
    )


def _apply_facts(office: Office, entry: VerifiedEntry, facts: Facts, is_blocked: Blocked) -> None:
    channel = entry.statement.channel
    case_id = _case_of(office, facts, channel)
    waits = None
    if case_id is not None:
        waits = BEHIND_PARKED if is_blocked(case_id) else case_waits(office, entry, facts, case_id)
    if waits is not None:
        hold(office, channel, "parked", waits, case_id=case_id, entry=entry)
        return
    try:
        content = office.book.facts(facts.type, facts.schema, facts.content)
    except (FactsRuleError, MalformedError) as error:
        _refuse(office, entry, facts, case_id, RejectionCode.UNREADABLE, error)
        return
    except SchemaError as error:
        hold(office, channel, "parked", error.message, case_id=case_id, entry=entry, error=error)
        return
    version = office.store.version(case_id) if case_id is not None else 0
    if version >= _EVENTS_A_CASE:
        # Each event of a case is opened again for the next one: whoever writes without end must not cost ever more.
        _refuse(office, entry, facts, case_id, RejectionCode.TOO_MANY)
        return
    if office.domain.must_park(content):
        hold(office, channel, "parked", "a symbol of a newer release", case_id=case_id, entry=entry)
        return
    if not may_write(facts.type, channel):
        _refuse(office, entry, facts, case_id, RejectionCode.NOT_YOURS)
        return
    # What opens a case is the most frequent of all that comes: there is no stream to read.
    history = history_of(office, office.store.stream(case_id)) if case_id is not None and version else ()
    _judge(office, entry, facts, case_id, content, history)


def _judge(
    office: Office, entry: VerifiedEntry, facts: Facts, case_id: UUID | None, content: Any, history: Sequence[Recorded]
) -> None:
    channel = entry.statement.channel
    incoming = Recorded(
        facts=content,
        type=facts.type,
        body=entry.body_digest,
        channel=channel,
        writer=writer_of(channel),
        own=False,
        after=facts.after,
        in_reply_to=facts.in_reply_to,
        recorded_on=_EPOCH + timedelta(days=facts.recorded_on),
        standing=Standing.ACCEPTED,
    )
    back = office.returning
    if back is not None and case_id is not None and back.was_judged(office, case_id, entry):
        code = RejectionCode.WRONG_STATE if entry.body_digest in back.answered else None
    else:
        code = office.domain.judge(history, incoming)
    if code is not None or case_id is None:
        _refuse(office, entry, facts, case_id, code or RejectionCode.UNKNOWN_CASE)
        return
    event = _append(office, entry, case_id, facts.type, len(history))
    _note_missing_key(office, entry, facts)
    refresh_row(office, case_id, (*history, incoming), event.originator_version, school_of(channel))
    note_people(office, event, facts)
    if back is not None:
        back.place(office, case_id)


def _refuse(
    office: Office,
    entry: VerifiedEntry,
    facts: Facts | None,
    case_id: UUID | None,
    code: RejectionCode,
    error: VerificationError | None = None,
) -> None:
    """Store a refused event, and answer it once: in its case, or, if it belongs to no case of mine, in my own stream.

    ``error`` says what is wrong with its bytes, where a lie rather than the state of its case keeps it out: a person is told.
    """
    channel, kind = entry.statement.channel, facts.type if facts else ""
    known = case_id if case_id is not None and office.store.version(case_id) else None
    stream_id = known or office.own_stream
    _append(office, entry, stream_id, kind, office.store.version(stream_id))
    said = error or _expected(entry, facts, code)
    hold(office, channel, "refused", code.value, case_id=stream_id, entry=entry, error=said)
    if error is not None:
        # Without the place, which is held: whoever writes many must not hide what else there is to tell.
        office.tell(f"{channel}: an event is refused: {error.message}")
    if office.returning is not None:
        office.returning.place(office, known)
    if office.returning is not None and entry.body_digest in office.returning.answered:
        return
    # Two sides that refuse each other's refusals would never stop.
    if kind == _REJECTED or channel_kind(channel) not in (ChannelKind.TO_COMMISSION, ChannelKind.FROM_COMMISSION):
        return
    answer = New(facts=Rejected(code=RejectedCode(code.value)), in_reply_to=entry.body_digest)
    save(office, known, (answer,), school=school_of(channel), refresh=code is not RejectionCode.TOO_MANY)


def _expected(entry: VerifiedEntry, facts: Facts | None, code: RejectionCode) -> Evidence | None:
    """Return what an event would have had to be, and what it is; its type is a known one by now."""
    if facts is None:
        return None
    case = facts.case_id.hex() if facts.case_id is not None else "no case"
    reply = facts.in_reply_to.hex() if facts.in_reply_to is not None else "nothing"
    match code:
        case RejectionCode.UNKNOWN_CASE:
            return Evidence(expected="a case that is known here", found=case)
        case RejectionCode.NOT_YOURS:
            return Evidence(expected=f"an event that {writer_of(entry.statement.channel)} writes here", found=facts.type)
        case RejectionCode.WRONG_REPLY:
            return Evidence(expected="an answer to what was said in this case", found=f"one to {reply}")
        case RejectionCode.TOO_MANY:
            return Evidence(expected=f"<= {_EVENTS_A_CASE} events of a case", found=f"one more of {case}")
        case _:
            return Evidence(expected="an event that may come in the state of its case", found=facts.type)


def _append(office: Office, entry: VerifiedEntry, stream_id: UUID, kind: str, last: int) -> SealedEvent:
    """Store an event after the ``last`` one of its stream and return it."""
    statement = entry.statement
    body = encode_body(statement.body)
    event = SealedEvent(stream_id, last + 1, kind, statement.channel, statement.event_id, body, entry.facts)
    office.store.append([event])
    return event


def _opened(office: Office, entry: VerifiedEntry, body: Sealed) -> Facts | None:
    statement = entry.statement
    return open_facts(office, statement.channel, statement.event_id, body.facts_key, entry.facts or b"")


def _case_if_known(office: Office, entry: VerifiedEntry, body: Sealed) -> UUID | None:
    """Return the case of an entry on which this program fails, so that only this case waits; None if even that fails."""
    try:
        facts = _opened(office, entry, body)
        return _case_of(office, facts, entry.statement.channel) if facts is not None else None
    except Exception:  # the error that parks it may be in here  # noqa: BLE001
        return None


def _case_of(office: Office, facts: Facts, channel: str) -> UUID | None:
    if facts.case_id is not None:
        found = office.domain.case_of(UUID(bytes=facts.case_id), channel=channel)
        # The stream of what belongs to no case has a number that anybody can compute; it is nobody's case.
        return None if found == office.own_stream else case_to_come(office, found, channel)
    # Word that an event of mine was refused where no case was known: it is found by what it answers, and that stands in my
    # half of this pair. Digests of bodies stand in clear in the log, so anybody could name any case by one.
    paired = paired_channel(channel)
    if facts.type != _REJECTED or facts.in_reply_to is None or paired is None:
        return None
    return office.store.case_with(facts.in_reply_to, channel=paired)


def _blocked(office: Office, entry: VerifiedEntry, case_id: UUID | None) -> bool:
    """Tell whether something earlier of this channel is parked: of this case, or (None) of who knows which."""
    query = (
        "SELECT 1 FROM held h JOIN entries e ON e.digest = h.digest AND e.channel = h.channel"
        " WHERE h.channel = ? AND h.kind = 'parked' AND h.resolved_at IS NULL AND h.case_id IS ?"
        " AND e.id < (SELECT id FROM entries WHERE digest = ? AND channel = h.channel)"
    )
    return office.database.one(query, entry.statement.channel, case_id.hex if case_id else None, entry.digest) is not None


def _parked(office: Office, channel: str, row: Row) -> Row | None:
    query = (
        "SELECT case_id FROM held WHERE channel = ? AND kind = 'parked' AND coalesce(event_id, digest) = ? AND digest = ?"
        " AND resolved_at IS NULL"
    )
    return office.database.one(query, channel, row["event_id"], row["digest"])


def _note_missing_key(office: Office, entry: VerifiedEntry, facts: Facts) -> None:
    """Note that what is personal cannot be opened yet: nothing waits for that key, but it is asked for."""
    identity = facts.personal_key
    if identity is not None and office.ring.get(identity) is None and not office.ring.is_erased(identity):
        office.database.run(
            "INSERT OR IGNORE INTO held (channel, kind, reason, digest) VALUES (?, 'key', 'a case key is missing', ?)",
            entry.statement.channel,
            identity,
        )
