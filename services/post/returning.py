"""Returning: own entries that the log holds and this database lost, taken back by a start and by nothing else.

After a restore the log knows more of me than I do. Own events come back into their cases in the order in which they were
written: each names the one before it (``after``), so received ones are put between them as they were. What was decided then
is not decided again: a received event is refused if an own ``Rejected`` names it, accepted if own events follow it.
Source: design.md section 6, "A start".
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.post.applying import entry_of, hold
from services.post.cases import history_of, open_facts, refresh_row
from services.post.epochs import fall_back, is_epoch_ahead, is_overruled
from services.post.office import Office
from services.post.people import note_people
from services.post.saving import MISPLACED
from services.post.store import SealedEvent
from services.wire.channels import TRUST_CHANNEL, paired_channel, school_of
from services.wire.contents import Facts
from services.wire.entry import Open, VerifiedEntry, encode_body
from services.wire.errors import Evidence, ForkError, OrderError, RingError, VerificationError
from services.wire.events import Rejected
from services.wire.following import Follower
from services.wire.hashing import Digest, Id, digest_of
from services.wire.paths import Pathfinder, Step
from services.wire.reading import ReadingState
from services.wire.trust import NO_TRUST

__all__ = ["Returning", "StoppedError", "begin_start", "end_start", "newest_entry_at", "read_back"]

_READ_AT_ONCE = 500
_REJECTED = Rejected.__name__


@dataclass(slots=True)
class Returning:
    """Own events that have come back and wait for their place, by case (None: my own stream)."""

    waiting: dict[UUID | None, list[tuple[VerifiedEntry, Facts]]] = field(default_factory=dict)
    answered: set[Digest] = field(default_factory=set)

    def add(self, entry: VerifiedEntry, facts: Facts) -> None:
        """Let an own event wait for its place.

        Raises: OrderError if another own event of the case names the same one before it.
        """
        case_id = UUID(bytes=facts.case_id) if facts.case_id else None
        others = self.waiting.setdefault(case_id, [])
        # One of the two was written by somebody else with my key, or by a copy of me.
        if case_id is not None and any(other.after == facts.after for _, other in others):
            raise OrderError(f"two own events of the case {case_id} follow the same one", _place_of(entry))
        others.append((entry, facts))
        if facts.type == _REJECTED and facts.in_reply_to is not None:
            self.answered.add(facts.in_reply_to)

    def place(self, office: Office, case_id: UUID | None) -> None:
        """Store the own events of a case that follow the end of its stream, in the open transaction."""
        while (found := self._next(office, case_id)) is not None:
            self._store(office, case_id, *found)

    def _store(self, office: Office, case_id: UUID | None, entry: VerifiedEntry, facts: Facts) -> None:
        stream_id, statement = case_id or office.own_stream, entry.statement
        version = office.store.version(stream_id) + 1
        body = encode_body(statement.body)
        event = SealedEvent(stream_id, version, facts.type, statement.channel, statement.event_id, body, entry.facts)
        office.store.append([event])
        if case_id is not None:
            grown = office.store.stream(case_id)
            school = school_of(statement.channel) if paired_channel(statement.channel) else None
            refresh_row(office, case_id, history_of(office, grown), grown.version, school)
            note_people(office, event)

    def place_the_rest(self, office: Office) -> None:
        """Place own events that name one before them which is nowhere.

        Where a channel stands still, what came before may come yet: the case is held, nobody acts in it, and the next start
        tries again. Where the registrar has begun a channel anew, it may be undone or lost to all: an own event goes to the
        end of its case then, in the order in which they were written, or is held where nothing of its case is left.
        Raises: OrderError if neither explains it.
        """
        mine = set(office.own_channels)
        channels = mine | {paired for each in mine if (paired := paired_channel(each))}
        standing = [office.letterbook.standing(each) for each in channels]
        still = any(each is not None and each.state != ReadingState.READING.value for each in standing)
        is_begun_anew = any(office.trust.epochs.get(each) for each in channels)
        for case_id, events in self.waiting.items():
            for entry, facts in events:
                if not (still or is_begun_anew):
                    raise OrderError(f"an own event of the case {case_id} has no place in it", _place_of(entry))
                self._place_somehow(office, case_id, entry, facts, may_come=still)
        self.waiting.clear()

    def _place_somehow(self, office: Office, case_id: UUID | None, entry: VerifiedEntry, facts: Facts, *, may_come: bool) -> None:
        channel, place = entry.statement.channel, entry.statement.sequence
        what = "has not come yet" if may_come else "is undone or lost"
        office.tell(f"{channel} at {place}: what came before it in its case {what}")
        with office.database.transaction():
            if case_id is None or (office.store.version(case_id) and not may_come):
                self._store(office, case_id, entry, facts)
            else:
                reason = "what came before it has not come yet" if may_come else "nothing of its case is left"
                hold(office, channel, MISPLACED, reason, case_id=case_id, entry=entry)

    def _next(self, office: Office, case_id: UUID | None) -> tuple[VerifiedEntry, Facts] | None:
        events = self.waiting.get(case_id, [])
        if not events:
            return None
        if case_id is None:
            return self._next_without_case(office, events)
        stream = office.store.stream(case_id)
        end = digest_of(stream.events[-1].body) if stream.events else None
        following = [each for each in events if each[1].after == end]
        if not following:
            return None
        events.remove(following[0])
        return following[0]

    def _next_without_case(self, office: Office, events: list[tuple[VerifiedEntry, Facts]]) -> tuple[VerifiedEntry, Facts] | None:
        # Without a case there is no ``after``; an answer comes back after what it answers.
        for each in events:
            reply = each[1].in_reply_to
            if reply is None or office.store.case_with(reply) is not None:
                events.remove(each)
                return each
        return None


def begin_start(office: Office) -> Returning:
    """Say that nothing is decided until a start is over, and return what an earlier one had not placed."""
    returning = Returning()
    with office.database.transaction():
        was_interrupted = office.database.one("SELECT 1 FROM said WHERE name = 'starting'") is not None
        office.database.run("INSERT OR IGNORE INTO said VALUES ('starting', ?)", office.clock())
        misplaced = office.database.run("DELETE FROM held WHERE kind = ?", MISPLACED)
        # What could not be opened then may open now: its keys may have come back with the ring file.
        office.database.run("UPDATE outgoing SET lost = 0 WHERE lost = 1")
    if was_interrupted or misplaced:
        for entry, facts in _taken_and_not_placed(office):
            returning.add(entry, facts)
    return returning


def end_start(office: Office) -> None:
    """Say that a start is over."""
    office.database.run("DELETE FROM said WHERE name = 'starting'")
    office.returning = None


def newest_entry_at(office: Office) -> int:
    """Return when the newest own entry of this database was signed, in milliseconds since 1970; 0 if there is none."""
    row = office.database.one("SELECT max(written_at) FROM channels")
    return int(row[0] or 0) if row else 0


def _taken_and_not_placed(office: Office) -> list[tuple[VerifiedEntry, Facts]]:
    """Return own events that stand in the letterbook and in no stream: taken back, and then the process ended."""
    rows = office.database.all(
        "SELECT * FROM entries e WHERE e.own = 1 AND e.facts IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM stored_events s WHERE s.channel = e.channel AND s.event_id = e.event_id)"
        " GROUP BY e.channel, e.event_id ORDER BY min(e.id)"
    )
    found = []
    for row in rows:
        entry = entry_of(row)
        if isinstance(entry.statement.body, Open):
            continue
        channel, event_id = row["channel"], entry.statement.event_id
        facts = open_facts(office, channel, event_id, entry.statement.body.facts_key, row["facts"])
        if facts is None:
            raise RingError(f"an own entry, {channel} at {row['sequence']}, does not open: its key is in no ring file here")
        found.append((entry, facts))
    return found


class StoppedError(Exception):
    """Somebody asked this process to stop; never shown to a person."""


def read_back(office: Office, channel: str, returning: Returning, stop: threading.Event | None = None) -> int:
    """Read an own channel to its end and take back what this database lacks; return how many entries that was.

    Raises: ForkError if the log contradicts what this database signed, and no epoch of the registrar's says so: somebody
    else has my key, or there are two of me; RingError if facts of my own do not open with my ring; StoppedError between
    two transactions if ``stop`` was set.
    """
    if office.channel is None:
        raise RuntimeError("only a worker reads back")
    standing = office.letterbook.standing(channel)
    trust = NO_TRUST if channel == TRUST_CHANNEL else office.trust
    follower, update = Follower.at(
        Pathfinder(channel=channel, root=office.root, trust=trust),
        load=lambda: office.letterbook.records(channel),
        holds=office.letterbook.holds,
        place=standing.place if standing else None,
    )
    position = taken = 0
    while True:
        if follower.off_chain is not None and is_epoch_ahead(office, channel):
            with office.database.transaction():
                fall_back(office, channel, follower.agreeable)
            update = follower.agree()
        # A run under a revoked key that waits contradicts nothing: a rotation that is under way ends it.
        if follower.off_chain is not None or follower.state is ReadingState.FORKED:
            text = f"{channel} contradicts what this database signed"
            office.letterbook.note(channel, state="stopped", reason=text)
            raise ForkError(text, Evidence(channel=channel, sequence=follower.off_chain))
        taken += _take_all_back(office, channel, update.new, returning)
        if stop is not None and stop.is_set():
            raise StoppedError
        records = office.channel.poll({channel: position}, timeout_seconds=0, limit=_READ_AT_ONCE)
        if not records:
            return taken + _take_undone_back(office, follower, returning)
        update = follower.offer(record.value for record in records)
        position = records[-1].position + 1


def _take_undone_back(office: Office, follower: Follower, returning: Returning) -> int:
    """Take back own events that an epoch put off the chain and nobody has signed anew: they wait for a signature again."""
    finder, taken = follower.pathfinder, 0
    for candidate in follower.remembered:
        statement = candidate.unverified_statement
        channel, body = statement.channel, statement.body
        if isinstance(body, Open) or not is_overruled(office, channel, statement.epoch, statement.sequence):
            continue
        signature = next(filter(None, (finder.signed_by(candidate, each) for each in follower.place.certificates)), None)
        known = office.letterbook.is_on_chain(channel, statement.event_id) or office.store.body_of(channel, statement.event_id)
        if signature is None or known or candidate.facts is None:
            continue
        # What a thief wrote under my key does not open: it has no facts key of mine.
        facts = _opened_or_none(office, channel, statement.event_id, body.facts_key, candidate.facts)
        if facts is None:
            continue
        entry = candidate.verified(signature)
        with office.database.transaction():
            office.letterbook.enter(entry, own=True)
            office.letterbook.mark_off_chain(channel, entry.digest)
        returning.add(entry, facts)
        taken += 1
    return taken


def _opened_or_none(office: Office, channel: str, event_id: Id, facts_key: Digest, sealed: bytes) -> Facts | None:
    try:
        return open_facts(office, channel, event_id, facts_key, sealed)
    except (RingError, VerificationError):
        return None


def _take_all_back(office: Office, channel: str, steps: Sequence[Step], returning: Returning) -> int:
    for start in range(0, len(steps), _READ_AT_ONCE):
        with office.database.transaction():
            for step in steps[start : start + _READ_AT_ONCE]:
                _take_back(office, channel, step, returning)
    return len(steps)


def _take_back(office: Office, channel: str, step: Step, returning: Returning) -> None:
    entry, statement = step.entry, step.entry.statement
    facts = None
    if not isinstance(statement.body, Open):
        facts = open_facts(office, channel, statement.event_id, statement.body.facts_key, entry.facts or b"")
        if facts is None:
            raise RingError(f"an own entry, {channel} at {statement.sequence}, does not open: its key is in no ring file here")
        _note_what_is_missing(office, entry, facts)
    office.letterbook.enter(entry, own=True)
    office.letterbook.move(channel, step.place, written_at=statement.written_at)
    office.letterbook.note(channel, shown_sequence=statement.sequence)
    office.database.run("DELETE FROM outgoing WHERE channel = ? AND event_id = ?", channel, statement.event_id)
    if facts is not None and office.store.body_of(channel, statement.event_id) is None:
        returning.add(entry, facts)


def _note_what_is_missing(office: Office, entry: VerifiedEntry, facts: Facts) -> None:
    statement, key = entry.statement, facts.personal_key
    if isinstance(statement.body, Open) or (key is not None and office.ring.is_erased(key)):
        return
    what = []
    if key is not None and office.ring.get(key) is None:
        what.append("case key")
        query = "INSERT OR IGNORE INTO held (channel, kind, reason, digest) VALUES (?, 'key', 'a case key of mine is lost', ?)"
        office.database.run(query, statement.channel, key)
    if entry.personal is None and office.letterbook.part(statement.body.personal) is None:
        what.append("personal part")
    if what:
        office.tell(f"{statement.channel} at {statement.sequence}: taken back without its {' and '.join(what)}")


def _place_of(entry: VerifiedEntry) -> Evidence:
    statement = entry.statement
    return Evidence(channel=statement.channel, epoch=statement.epoch, sequence=statement.sequence)
