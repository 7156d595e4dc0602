"""Returning: own entries that the log holds and this database lost, taken back by a start and by nothing else.

After a restore the log knows more of me than I do. Own events come back into their cases in the order in which they were
written: each names the one before it (``after``), so received ones are put between them as they were. What was decided then
is not decided again: a received event is refused if an own ``Rejected`` names it, accepted if own events follow it.
Source: design.md section 6, "A start".
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from services.post.applying import entry_of
from services.post.cases import open_facts
from services.post.epochs import fall_back, is_overruled
from services.post.lost_keys import CLOSED, KEYS_LOST, are_lost, close, is_closed, reopen
from services.post.office import Office, when_of
from services.post.outward import pieces
from services.post.placing import Returning
from services.post.saving import MISPLACED, misplaced_cases
from services.post.signing import is_epoch_ahead
from services.wire.candidates import Candidate, candidate_of
from services.wire.channels import TRUST_CHANNEL
from services.wire.contents import ChannelOpened, Facts
from services.wire.entry import Open, VerifiedEntry
from services.wire.errors import Evidence, ForkError, RingError, VerificationError
from services.wire.following import Follower
from services.wire.hashing import Digest, Id, genesis_digest
from services.wire.paths import Pathfinder, Step
from services.wire.reading import ReadingState
from services.wire.trust import NO_TRUST

__all__ = [
    "StoppedError",
    "begin_start",
    "end_start",
    "forget_taken_back",
    "has_begun",
    "read_back",
    "show_again",
    "tell_taken_back",
]

_READ_AT_ONCE = 500
_TAKEN_BACK = "taken back"
_NUMBER = "taken back, number"
_STOLEN = "if that file is the newest, somebody else has the signing key: ask for an epoch"


def begin_start(office: Office, *, gives_up: bool = False) -> Returning:
    """Say that nothing is decided until a start is over, and return what an earlier one had not placed."""
    returning = Returning(gives_up=gives_up)
    with office.database.transaction():
        was_interrupted = has_begun(office)
        office.database.run("INSERT OR IGNORE INTO said VALUES ('starting', ?)", office.clock())
        misplaced = office.database.run("DELETE FROM held WHERE kind = ?", MISPLACED)
        # What could not be opened then may open now: its keys may have come back with the ring file.
        office.database.run("UPDATE outgoing SET lost = 0 WHERE lost = 1")
        has_closed = office.database.one("SELECT 1 FROM held WHERE kind = ?", CLOSED) is not None
        if was_interrupted or misplaced or has_closed:
            _add_not_placed(office, returning)
    return returning


def has_begun(office: Office) -> bool:
    """Tell whether a start has to be made or ended before anything is decided."""
    return office.database.one("SELECT 1 FROM said WHERE name = 'starting'") is not None


def end_start(office: Office) -> None:
    """Say that a start is over."""
    office.database.run("DELETE FROM said WHERE name IN ('starting', ?)", KEYS_LOST)
    office.returning = None
    # Only a start leaves any: whoever receives has not to look for them with each event.
    office.has_misplaced = bool(misplaced_cases(office))


def tell_taken_back(office: Office) -> None:
    """Tell that own entries came back and what that means, also of a start that ended before it could say so."""
    rows = office.database.all("SELECT name, at FROM said WHERE name IN (?, ?)", _TAKEN_BACK, _NUMBER)
    said = {row["name"]: row["at"] for row in rows}
    if _TAKEN_BACK in said:
        since = when_of(said[_TAKEN_BACK]) if said[_TAKEN_BACK] else "its beginning"
        office.tell(
            f"{said.get(_NUMBER, 0)} own entries were taken back from the log: this database ended at {since};"
            " what was saved after that and had reached no log is lost"
        )


def forget_taken_back(office: Office) -> None:
    """Say no more that own entries came back: people were told."""
    if office.database.one("SELECT 1 FROM said WHERE name = ?", _TAKEN_BACK) is not None:
        office.database.run("DELETE FROM said WHERE name IN (?, ?)", _TAKEN_BACK, _NUMBER)


def _note_taken_back(office: Office, number: int) -> None:
    """Note in the open transaction, before they are entered, how many own entries come back, and where this database ended."""
    office.database.run("INSERT OR IGNORE INTO said VALUES (?, ?)", _TAKEN_BACK, office.letterbook.ends_at)
    query = "INSERT INTO said VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = at + excluded.at"
    office.database.run(query, _NUMBER, number)


def _add_not_placed(office: Office, returning: Returning) -> None:
    """Add own events that stand in the letterbook and in no stream: taken back, and then the process ended or a key was lost."""
    rows = office.database.all(
        "SELECT * FROM entries e WHERE e.own = 1 AND e.facts IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM stored_events s WHERE s.channel = e.channel AND s.event_id = e.event_id)"
        " GROUP BY e.channel, e.event_id ORDER BY min(e.id)"
    )
    for row in rows:
        entry = entry_of(row)
        facts = _facts_or_closed(office, entry, returning)
        if facts is not None:
            _note_what_is_missing(office, entry, facts)
            returning.add(entry, facts)


def _facts_or_closed(office: Office, entry: VerifiedEntry, returning: Returning) -> Facts | None:
    """Return the facts of an own sealed entry, None for one that a person knows not to open here, or not yet.

    Raises: RingError if nobody has said so.
    """
    statement, body = entry.statement, entry.statement.body
    if isinstance(body, Open):
        return None
    facts = None
    try:
        if not is_closed(office, entry, for_good=True):
            facts = open_facts(office, statement.channel, statement.event_id, body.facts_key, entry.facts or b"")
    except (RingError, VerificationError):
        pass  # its row is here and opens under no ring key, or not what it is named for: as good as missing
    if facts is not None:
        reopen(office, entry)
        return facts
    if not (are_lost(office) or is_closed(office, entry)):
        raise RingError(
            f"an own entry, {statement.channel} at {statement.sequence}, does not open: its key is in no ring file here. Bring"
            " the newest copy of the ring file; if there is none, restore with --keys-lost"
        )
    close(office, entry)
    returning.lost.add(entry.body_digest)
    return None


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
            if returning.gives_up:
                _take_all_back(office, channel, update.new, returning)
            text = f"{channel} contradicts what this database signed"
            office.letterbook.note(channel, state="stopped", reason=text)
            raise ForkError(text, Evidence(channel=channel, sequence=follower.off_chain))
        taken += _take_all_back(office, channel, update.new, returning)
        if stop is not None and stop.is_set():
            raise StoppedError
        records = office.channel.poll({channel: position}, timeout_seconds=0, limit=_READ_AT_ONCE)
        if not records:
            _tell_unknown(office, channel, taken)
            returning.may_come |= follower.state is not ReadingState.READING
            return taken + _take_undone_back(office, follower, returning)
        update = follower.offer(record.value for record in records)
        position = records[-1].position + 1


def show_again(office: Office, channel: str) -> bool:
    """Give the log what the ring file says was about to be sent in an own channel, where this database and the log lack it.

    Of the registrar's alone: any other participant's channel goes on where the registrar says, and nobody says it of its own.
    Returns whether there was anything; then the channel is read back again. Raises: TransportError.
    """
    if office.channel is None or channel != TRUST_CHANNEL:
        return False
    records = _going_on(office, channel)
    if records:
        office.tell(f"{channel}: the log lacks what was signed last; it is sent as the ring file has it")
    for piece in pieces(office, ((record, record) for record in records)):
        office.channel.append(channel, [record for _, record in piece])
    return bool(records)


def _going_on(office: Office, channel: str) -> list[bytes]:
    """Return the records of the ring file that go on where this database ends, up to the ring file's head; none if they do not.

    What was signed on another branch, or leaves a hole, is not said: a second statement at a taken place is a fork for everybody.
    """
    head, standing = office.ring_file.heads.get(channel), office.letterbook.standing(channel)
    root = office.root.digest
    sequence, digest = (standing.place.sequence, standing.place.digest) if standing else (0, genesis_digest(root, channel))
    found: list[bytes] = []
    for record in office.ring_file.unsent:
        candidate = candidate_of(record, channel)
        if not isinstance(candidate, Candidate) or candidate.sequence <= sequence:
            continue
        statement = candidate.unverified_statement
        if (statement.sequence, statement.previous) != (sequence + 1, digest):
            return []
        sequence, digest = statement.sequence, candidate.digest
        found.append(record)
    return found if head is not None and digest == head.digest else []


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
            _note_taken_back(office, 1)
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
        batch = steps[start : start + _READ_AT_ONCE]
        with office.database.transaction():
            _note_taken_back(office, len(batch))
            for step in batch:
                _take_back(office, channel, step, returning)
    return len(steps)


def _tell_unknown(office: Office, channel: str, taken: int) -> None:
    """Tell of own entries that the log shows behind the ring file's head, which is written before each sending.

    In each start, until something is sent there: the one that took them back may have ended before it could say so.
    """
    heads, standing = office.ring_file.heads, office.letterbook.standing(channel)
    head = heads.get(channel)
    # A ring file that was made anew with the ring knows no head at all, and says nothing of anybody; where it knows none of this
    # channel, only what came just now is news.
    if not heads or standing is None or not (head or taken):
        return
    first, number = office.letterbook.shown_behind(channel, head.epoch if head else 0, head.sequence if head else 0)
    if number:
        office.tell(f"{channel} from {first} on: {number} entries are taken back of which the ring file knows nothing; {_STOLEN}")


def _take_back(office: Office, channel: str, step: Step, returning: Returning) -> None:
    entry, statement = step.entry, step.entry.statement
    facts = _facts_or_closed(office, entry, returning)
    if facts is not None:
        _note_what_is_missing(office, entry, facts)
    office.letterbook.enter(entry, own=True)
    office.letterbook.move(channel, step.place, written_at=statement.written_at)
    office.letterbook.note(channel, shown_sequence=statement.sequence)
    if isinstance(step.content, ChannelOpened):
        # Whatever this database stood still for was over when I opened a later epoch.
        office.letterbook.note(channel, state="reading", reason=None, agreed=None)
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
        query = "INSERT OR IGNORE INTO held (channel, kind, reason, case_id, digest) VALUES (?, 'key', ?, ?, ?)"
        case_id = facts.case_id.hex() if facts.case_id else None
        office.database.run(query, statement.channel, "a case key of mine is lost", case_id, key)
    if entry.personal is None and office.letterbook.part(statement.body.personal) is None:
        what.append("personal part")
    if what:
        office.tell(f"{statement.channel} at {statement.sequence}: taken back without its {' and '.join(what)}")
