"""Placing: own events that came back get their places in their cases again, between what was received.

Each names the one before it (``after``), so received ones are put between them as they were. Where that one is lost, undone
or has not come, this decides what is placed all the same, and what is held.
Source: design.md section 6, "A start".
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from services.post.cases import history_of
from services.post.holding import hold
from services.post.letterbook import statement_of
from services.post.lost_keys import awaited_channels
from services.post.office import Office
from services.post.people import note_people
from services.post.rows import refresh_row
from services.post.saving import MISPLACED, NOT_COME
from services.post.store import CaseStream, SealedEvent
from services.wire.channels import Role, from_commission, paired_channel, school_of
from services.wire.contents import Facts, Receipt, decode_open
from services.wire.entry import Open, VerifiedEntry, encode_body
from services.wire.errors import Evidence, ExchangeError, OrderError
from services.wire.events import Rejected
from services.wire.hashing import Digest, digest_of
from services.wire.reading import ReadingState

__all__ = ["Returning"]

Events = list[tuple[VerifiedEntry, Facts]]

_REJECTED = Rejected.__name__


@dataclass(slots=True)
class Returning:
    """Own events that have come back and wait for their place, by case (None: my own stream).

    ``lost`` are the bodies of own events that do not open: nobody knows of which case they are, and others name them as the
    one before. ``ahead`` are bodies of what is about to be applied of a channel. ``may_come``: a channel stands still, and
    what is missing may be in it; known of all channels from ``note_read`` on. ``gives_up``: a channel of mine for which a person
    would be called is named in ``given_up`` instead, with why, and what rests on it waits.
    """

    waiting: dict[UUID | None, Events] = field(default_factory=dict)
    answered: set[Digest] = field(default_factory=set)
    lost: set[Digest] = field(default_factory=set)
    ahead: set[Digest] = field(default_factory=set)
    may_come: bool = False
    gives_up: bool = False
    given_up: dict[str, ExchangeError] = field(default_factory=dict)
    _is_read: bool = False
    _receipts: dict[str, list[tuple[int, tuple[int, int]]]] = field(default_factory=dict)

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

    def give_up(self, channel: str, error: ExchangeError) -> None:
        """Go on without what is missing of a channel of mine."""
        self.given_up.setdefault(channel, error)
        self.may_come = True

    def note_gone(self, office: Office) -> None:
        """Note what no own event of a school's case will ever follow, now that all its channels are read back.

        Its cases begin with an own event. Where that is nowhere and a channel was begun anew, it is undone or lost to all, and
        the case begins with the next one: an answer to it must not meet a case that nobody knows.
        """
        if office.role is not Role.SCHOOL or not _is_begun_anew(office) or _stands_still(office):
            return
        for case_id, events in self.waiting.items():
            before = {facts.after for _, facts in events}
            if case_id is not None and not office.store.version(case_id) and None not in before:
                self.lost |= {each for each in before if each} - {entry.body_digest for entry, _ in events}

    def place(self, office: Office, case_id: UUID | None, named: Collection[Digest | None] = ()) -> None:
        """Store the own events of a case that follow the end of its stream, in the open transaction.

        ``named`` are bodies that have to be in the stream by now: what stands behind a lost one is placed up to them.
        """
        while (found := self._next(office, case_id, named)) is not None:
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

    def note_read(self, office: Office) -> None:
        """Note that all channels are read to their ends: what has not come by now stands in none that is read on."""
        self._is_read, self.may_come = True, self.may_come or _stands_still(office)

    def was_judged(self, office: Office, case_id: UUID, entry: VerifiedEntry) -> bool | None:
        """Tell whether a received event was judged before the database was lost; None as long as nobody can tell.

        It was, if an own event of its case that waits for its place stands behind it: that one, or what comes later in the same
        channel, is named by the own event. Where the one before an own event is lost for good, my own receipts say what I held
        when the last own event was signed; anything else is judged when all own events have their places.
        """
        events = self.waiting.get(case_id)
        if not events:
            return False
        if any(facts.after == entry.body_digest or facts.after in self.ahead for _, facts in events):
            return True
        if not self._is_read or self.may_come or _is_awaited(office, case_id, events):
            return None
        if self._is_receipted(office, entry, max(own.statement.written_at for own, _ in events)):
            return True
        # Own events are placed at the end of a case of which something is left: where nothing is, it begins with this.
        return None if office.store.version(case_id) else False

    def _is_receipted(self, office: Office, entry: VerifiedEntry, at: int) -> bool:
        """Tell whether I had receipted an entry by a time."""
        channel, place = entry.statement.channel, (entry.statement.epoch, entry.statement.sequence)
        if channel not in self._receipts:
            self._receipts[channel] = list(_receipts_of(office, channel))
        number = bisect_right(self._receipts[channel], at, key=lambda each: each[0])
        return number > 0 and self._receipts[channel][number - 1][1] >= place

    def place_the_rest(self, office: Office) -> None:
        """Place own events that name one before them which is nowhere.

        Where a channel stands still, what came before may come yet: the case is held, nobody acts in it, and the next start
        tries again. Where the registrar has begun a channel anew, it may be undone or lost to all: an own event goes to the
        end of its case then, in the order in which they were written, or is held where nothing of its case is left.
        Raises: OrderError if neither explains it.
        """
        is_begun_anew = _is_begun_anew(office)
        for case_id, events in self.waiting.items():
            may_come = self.may_come or _is_awaited(office, case_id, events)
            # Nothing explains it: somebody is told so, by what the log lacks.
            may_come = may_come or (self.gives_up and not (is_begun_anew or self.lost))
            if self.lost and not may_come:
                self._place_behind_lost(office, case_id, events)
            for entry, facts in events:
                if not (may_come or is_begun_anew or self.lost):
                    raise OrderError(f"an own event of the case {case_id} has no place in it", _place_of(entry))
                self._place_somehow(office, case_id, entry, facts, may_come=may_come)
        self.waiting.clear()

    def _place_behind_lost(self, office: Office, case_id: UUID | None, events: Events) -> None:
        """Place what stands behind a lost event in a case of which something is left."""
        if case_id is not None and office.store.version(case_id):
            with office.database.transaction():
                self.place(office, case_id, [entry.body_digest for entry, _ in events])

    def _place_somehow(self, office: Office, case_id: UUID | None, entry: VerifiedEntry, facts: Facts, *, may_come: bool) -> None:
        channel, place = entry.statement.channel, entry.statement.sequence
        what = "has not come yet" if may_come else "is undone or lost"
        office.tell(f"{channel} at {place}: what came before it in its case {what}")
        with office.database.transaction():
            if not may_come and (case_id is None or office.store.version(case_id)):
                self._store(office, case_id, entry, facts)
            else:
                reason = NOT_COME if may_come else "nothing of its case is left"
                hold(office, channel, MISPLACED, reason, case_id=case_id, entry=entry)
                office.has_misplaced = True

    def _next(self, office: Office, case_id: UUID | None, named: Collection[Digest | None]) -> tuple[VerifiedEntry, Facts] | None:
        events = self.waiting.get(case_id, [])
        if not events:
            return None
        if case_id is None:
            return self._next_without_case(office, events)
        stream = office.store.stream(case_id)
        end = digest_of(stream.events[-1].body) if stream.events else None
        following = [each for each in events if each[1].after == end] or self._behind_lost(office, events, stream, named)
        if not following:
            return None
        events.remove(following[0])
        return following[0]

    def _behind_lost(self, office: Office, events: Events, stream: CaseStream, named: Collection[Digest | None]) -> Events:
        """Return what stands behind a lost event, the first written first, if it has to be placed now.

        As late as possible, for what was received meanwhile stands before it: at the beginning of a school's case, which
        nobody else begins, or where it is answered or named.
        """
        begins = office.role is Role.SCHOOL and not stream.events
        is_named = any(entry.body_digest in named for entry, _ in events)
        if not begins and not is_named:
            return []
        lost = self.lost
        if is_named and _is_begun_anew(office):
            # Who names one of mine wrote after it, and what it has received by then is here: what is nowhere now was undone.
            there = {digest_of(each.body) for each in stream.events} | {entry.body_digest for entry, _ in events}
            lost = lost | {facts.after for _, facts in events if facts.after is not None} - there
        behind = [each for each in events if each[1].after in lost and not (begins and each[1].in_reply_to)]
        return sorted(behind, key=lambda each: each[0].statement.written_at)

    def _next_without_case(self, office: Office, events: Events) -> tuple[VerifiedEntry, Facts] | None:
        # Without a case there is no ``after``; an answer comes back after what it answers.
        for each in events:
            reply = each[1].in_reply_to
            if reply is None or office.store.case_with(reply) is not None:
                events.remove(each)
                return each
        return None


def _place_of(entry: VerifiedEntry) -> Evidence:
    statement = entry.statement
    return Evidence(channel=statement.channel, epoch=statement.epoch, sequence=statement.sequence)


def _is_awaited(office: Office, case_id: UUID | None, events: Events) -> bool:
    """Tell whether what is missing of a case may be in a pair whose keys were asked for."""
    awaited = set(awaited_channels(office))
    pairs = {entry.statement.channel for entry, _ in events if paired_channel(entry.statement.channel)}
    row = office.database.one("SELECT school FROM cases WHERE case_id = ?", case_id.hex) if case_id else None
    if row is not None and row["school"]:
        pairs.add(from_commission(row["school"]))
    # Events of a record say nothing of whose case it is, as long as nothing of it was received.
    return bool(awaited & pairs) if pairs else bool(awaited)


def _receipts_of(office: Office, channel: str) -> Iterator[tuple[int, tuple[int, int]]]:
    """Give when I signed each of my receipts of a channel, and up to which place I held it then."""
    query = "SELECT statement FROM entries WHERE channel = ? AND own = 1 AND facts IS NULL ORDER BY sequence"
    for row in office.database.all(query, paired_channel(channel)):
        statement = statement_of(row)
        content = decode_open(statement.body) if isinstance(statement.body, Open) else None
        for line in content.held if isinstance(content, Receipt) else ():
            if line.channel == channel:
                yield statement.written_at, (line.epoch, line.sequence)


def _all_channels(office: Office) -> set[str]:
    mine = set(office.own_channels)
    return mine | {paired for each in mine if (paired := paired_channel(each))}


def _stands_still(office: Office) -> bool:
    standing = (office.letterbook.standing(each) for each in _all_channels(office))
    return any(each is not None and each.state != ReadingState.READING.value for each in standing)


def _is_begun_anew(office: Office) -> bool:
    return any(office.trust.epochs.get(each) for each in _all_channels(office))
