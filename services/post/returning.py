"""Returning: own entries that the log holds and this database lost, taken back by a start and by nothing else.

After a restore the log knows more of me than I do. Own events come back into their cases in the order in which they were
written: each names the one before it (``after``), so received ones are put between them as they were. What was decided then
is not decided again: a received event is refused if an own ``Rejected`` names it, accepted if own events follow it.
Source: design.md section 6, "A start".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.post.applying import hold
from services.post.cases import history_of, open_facts, refresh_row
from services.post.epochs import fall_back, is_epoch_ahead
from services.post.office import Office
from services.post.people import note_people
from services.post.store import SealedEvent
from services.wire.channels import TRUST_CHANNEL, paired_channel, school_of
from services.wire.contents import Facts
from services.wire.entry import Open, VerifiedEntry, encode_body
from services.wire.errors import Evidence, ForkError, OrderError, RingError
from services.wire.events import Rejected
from services.wire.following import Follower
from services.wire.hashing import Digest, digest_of
from services.wire.paths import Pathfinder, Step
from services.wire.trust import NO_TRUST

__all__ = ["Returning", "read_back"]

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
            entry, facts = found
            stream = office.store.stream(case_id or office.own_stream)
            statement = entry.statement
            body = encode_body(statement.body)
            event = SealedEvent(
                stream.id, stream.version + 1, facts.type, statement.channel, statement.event_id, body, entry.facts
            )
            office.store.append([event])
            if case_id is not None:
                grown = office.store.stream(case_id)
                school = school_of(statement.channel) if paired_channel(statement.channel) else None
                refresh_row(office, case_id, history_of(office, grown), grown.version, school)
                note_people(office, event)

    def require_empty(self, office: Office, alarms: list[str]) -> None:
        """Return if everything found its place.

        Where the registrar has begun a channel of mine anew, all may have lost what came before: then such events are held
        and told, and the rest goes on.
        Raises: OrderError if an own event names one before it that is nowhere, and no epoch explains it.
        """
        is_begun_anew = any(office.trust.epochs.get(channel) for channel in office.own_channels)
        for case_id, events in self.waiting.items():
            for entry, _ in events:
                channel = entry.statement.channel
                if not is_begun_anew:
                    raise OrderError(f"an own event of the case {case_id} has no place in it", _place_of(entry))
                hold(office, channel, "misplaced", "the event before it is lost", entry=entry)
                alarms.append(f"{channel} at {entry.statement.sequence}: what came before it in its case is lost to all")
        self.waiting.clear()

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


def read_back(office: Office, channel: str, returning: Returning, alarms: list[str]) -> int:
    """Read an own channel to its end and take back what this database lacks; return how many entries that was.

    Raises: ForkError if the log contradicts what this database signed, and no epoch of the registrar's says so: somebody
    else has my key, or there are two of me; RingError if facts of my own do not open with my ring.
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
        if follower.off_chain is not None or follower.undecided:
            raise ForkError(f"{channel} contradicts what this database signed", Evidence(channel=channel))
        taken += _take_all_back(office, channel, update.new, returning, alarms)
        records = office.channel.poll({channel: position}, timeout_seconds=0, limit=_READ_AT_ONCE)
        if not records:
            return taken
        update = follower.offer(record.value for record in records)
        position = records[-1].position + 1


def _take_all_back(office: Office, channel: str, steps: Sequence[Step], returning: Returning, alarms: list[str]) -> int:
    for start in range(0, len(steps), _READ_AT_ONCE):
        with office.database.transaction():
            for step in steps[start : start + _READ_AT_ONCE]:
                _take_back(office, channel, step, returning, alarms)
    return len(steps)


def _take_back(office: Office, channel: str, step: Step, returning: Returning, alarms: list[str]) -> None:
    entry, statement = step.entry, step.entry.statement
    facts = None
    if not isinstance(statement.body, Open):
        facts = open_facts(office, channel, statement.event_id, statement.body.facts_key, entry.facts or b"")
        if facts is None:
            raise RingError(f"an own entry, {channel} at {statement.sequence}, does not open: its key is in no ring file here")
        _note_what_is_missing(office, entry, facts, alarms)
    case_id = UUID(bytes=facts.case_id) if facts and facts.case_id else None
    office.letterbook.enter(entry, own=True, case_id=case_id)
    office.letterbook.move(channel, step.place, written_at=statement.written_at)
    office.letterbook.note(channel, shown_sequence=statement.sequence)
    office.database.run("DELETE FROM outgoing WHERE channel = ? AND event_id = ?", channel, statement.event_id)
    if facts is not None and office.store.body_of(channel, statement.event_id) is None:
        returning.add(entry, facts)


def _note_what_is_missing(office: Office, entry: VerifiedEntry, facts: Facts, alarms: list[str]) -> None:
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
        alarms.append(f"{statement.channel} at {statement.sequence}: taken back without its {' and '.join(what)}")


def _place_of(entry: VerifiedEntry) -> Evidence:
    statement = entry.statement
    return Evidence(channel=statement.channel, epoch=statement.epoch, sequence=statement.sequence)
