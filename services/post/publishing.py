"""Publishing: what was saved is signed in its order, then sent in that order, exact bytes, until the channel shows it.

Decides what may be signed and sent now; what is said was decided and sealed before. An entry is committed to the letterbook
before it is sent, so a crash at any point leads to the same bytes again.
Source: design.md sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Final

from services.post.cases import open_facts
from services.post.database import Row
from services.post.granting import Grant, grants_for
from services.post.letterbook import Standing
from services.post.office import Office, is_over
from services.post.outward import closed_channels, pieces, put
from services.post.ring_file import Head
from services.post.signing import Draft, is_epoch_ahead, receipt_in, sign_body, sign_open, signer_at
from services.post.store import sealed_body
from services.post.unnoted import Unnoted
from services.wire.avro import decode, load_schema
from services.wire.channels import TRUST_CHANNEL, ChannelKind, channel_kind, mailbox_of, paired_channel
from services.wire.contents import ChannelOpened
from services.wire.entry import Open, Sealed
from services.wire.errors import ChannelSilentError, ReplicasMissingError, RingError, TransportError
from services.wire.hashing import Digest

__all__ = ["AT_ONCE", "receipt_once", "save_ring", "send_once", "sign_once"]

AT_ONCE: Final = 200
"""How many are signed, and how many are sent, in one step at the most."""

_TOOK_LONG: Final = (ReplicasMissingError, ChannelSilentError)
"""What took its time to fail: the next step reads first, and goes on."""

_RECEIPT_AFTER_MILLISECONDS: Final = 1000
_RECEIPT_AFTER_ENTRIES: Final = 500


def sign_once(office: Office) -> int:
    """Sign what waits and may be signed, in the order in which it was saved, and return how much that was. One transaction."""
    if office.database.one("SELECT 1 FROM outgoing") is None:
        # Whoever is about to save something is not to wait for a look that finds nothing.
        return 0
    with office.database.transaction():
        rows = _signable(office)
        for row in rows:
            event_id, facts = row["event_id"], row["facts"]
            sign_body(office, Draft(channel=row["channel"], event_id=event_id, body=_body(row), facts=facts))
            office.database.run("DELETE FROM outgoing WHERE id = ?", row["id"])
        return len(rows)


def _signable(office: Office) -> list[Row]:
    """Return what may be signed now, the oldest first; what comes after an event of its case that may not waits with it."""
    channels = [row["channel"] for row in office.database.all("SELECT DISTINCT channel FROM outgoing")]
    closed = [channel for channel in channels if not _is_signable(office, channel, office.letterbook.standing(channel))]
    openings = [row for channel in closed for row in _opening(office, channel)]
    marks = ", ".join("?" * len(closed))
    # In SQL: however much waits in a channel that stands still must not hide what waits in the others.
    rows = office.database.all(
        f"SELECT * FROM outgoing o WHERE channel NOT IN ({marks}) AND NOT EXISTS (SELECT 1 FROM outgoing b"  # noqa: S608  # marks
        f" WHERE b.case_id = o.case_id AND b.id < o.id AND (b.lost = 1 OR b.channel IN ({marks}))) AND lost = 0"
        " ORDER BY id LIMIT ?",
        *closed,
        *closed,
        AT_ONCE,
    )
    held: dict[Digest, bool] = {}
    lost = {row["id"] for row in rows if row["facts"] is not None and not _opens(office, row, held)}
    for row in rows:
        if row["id"] in lost:
            office.database.run("UPDATE outgoing SET lost = 1 WHERE id = ?", row["id"])
            office.tell(f"{row['channel']}: an event is not signed, its keys are not on the ring: nobody could ever open it")
    # The rest of the cases of what cannot be signed waits for the next look, which leaves it out.
    cases = {row["case_id"] for row in rows if row["id"] in lost}
    return [*openings, *(row for row in rows if row["id"] not in lost and row["case_id"] not in cases)]


def _is_signable(office: Office, channel: str, standing: Standing | None) -> bool:
    if standing is None or standing.state == "stopped" or is_epoch_ahead(office, channel):
        return False
    return signer_at(office, standing) is not None


def _opening(office: Office, channel: str) -> list[Row]:
    """Return the opening of a channel that is not opened yet: nothing else can be signed there before it."""
    if office.letterbook.standing(channel) is not None:
        return []
    rows = office.database.all("SELECT * FROM outgoing WHERE channel = ? AND facts IS NULL ORDER BY id LIMIT 1", channel)
    return [row for row in rows if decode(load_schema("wire/Open.avsc"), row["body"])["type"] == ChannelOpened.__name__]


def receipt_once(office: Office) -> int:
    """Sign a receipt in each channel whose pair holds news that are unreceipted for a second or 500 entries."""
    rows = office.database.all("SELECT channel FROM channels WHERE news_since IS NOT NULL")
    signed = 0
    for row in rows:
        # Looked at before: whoever is about to save something is not to wait for a look that finds nothing due.
        if _receiptable(office, row["channel"]):
            with office.database.transaction():
                signed += _receipt(office, row["channel"])
    return signed


def send_once(office: Office) -> int:
    """Send what the channels do not show yet, with the grants that it needs first, and return how many entries that was.

    A channel that takes nothing now is left for a while, and holds no other.
    Raises: TransportError if the log does not answer; the same entries are sent again by the next call.
    """
    closed = closed_channels(office)
    rows = office.letterbook.unsent(AT_ONCE, without=closed)
    if not rows or office.channel is None:
        return 0
    unnoted = Unnoted(office)
    try:
        if not _prepare(office, rows, closed, unnoted.granted):
            return 0
        return _send_batches(office, rows, unnoted)
    finally:
        # Also of a sending that failed: what went out is not sent with each try.
        unnoted.note()


def _send_batches(office: Office, rows: list[Row], unnoted: Unnoted) -> int:
    """Send entries, and add to ``unnoted`` how far each channel took them; return how many those are."""
    sent, refused = 0, set[str]()
    # The record first: what a request or an answer stands on is there before it, unless that one takes nothing.
    rows.sort(key=lambda row: (channel_kind(row["channel"]) is not ChannelKind.RECORD, row["channel"]))
    for channel, batch in _batches(office, rows):
        if channel in refused:
            continue
        is_taken, records = False, [record for _, record in batch]
        try:
            trouble = put(office, channel, records)
            is_taken = trouble is None
        finally:
            if not is_taken:
                # It is unknown what the log took: the channel is read back before anything else is said about it.
                office.letterbook.note(channel, read_at=0)
                refused.add(channel)
        if is_taken:
            sent += len(batch)
            unnoted.add(channel, batch[-1][0]["sequence"], records)
        elif isinstance(trouble, _TOOK_LONG):
            break
    return sent


def _batches(office: Office, rows: Sequence[Row]) -> Iterator[tuple[str, list[tuple[Row, bytes]]]]:
    """Yield what stands together in one channel with its records."""
    for channel, run in groupby(rows, key=lambda row: str(row["channel"])):
        for piece in pieces(office, ((row, office.letterbook.record_of(row)) for row in run)):
            yield channel, piece


def _prepare(office: Office, rows: Sequence[Row], closed: Collection[str], granted: dict[str, list[Grant]]) -> bool:
    """Do what has to be done before entries go out: their letters, into ``granted`` as they go, and the ring file.

    Returns False if that took its time to fail: the next step reads first, and goes on.
    """
    letters = grants_for(office, rows)
    if letters and not office.is_log_taking:
        # In turn: the ring file must not claim, try by try, what a log that takes nothing never got.
        if not _send_letters(office, letters, closed, granted):
            return False
        letters = {}
    # Theirs alone until they have ended: what is noted must not grow while it is noted.
    own: dict[str, list[Grant]] = {}
    going: Callable[[], bool] | None = None

    def ended() -> bool:
        try:
            return going is None or going()
        finally:
            granted.update(own)

    try:
        if letters:
            # One waits for the log, the other for the disk, and neither for the other.
            going = office.beside(lambda: _send_letters(office, letters, closed, own))
        # Before the batch: whoever restores an older database must not give these places away a second time.
        save_ring(office, rows)
    except Exception:
        # The letters that go out are to be noted all the same.
        with suppress(TransportError):
            ended()
        raise
    return ended()


def _send_letters(
    office: Office, letters: Mapping[str, Sequence[Grant]], closed: Collection[str], granted: dict[str, list[Grant]]
) -> bool:
    for recipient, grants in letters.items():
        # Nobody waits for a grant: who gets none asks for it.
        if mailbox_of(recipient) in closed:
            continue
        for piece in pieces(office, grants):
            trouble = put(office, mailbox_of(recipient), [record for _, record in piece])
            if isinstance(trouble, _TOOK_LONG):
                return False
            if trouble is not None:
                break
            granted.setdefault(recipient, []).extend(piece)
    return True


def save_ring(office: Office, rows: Sequence[Row] = ()) -> None:
    """Write the ring file: all keys, the heads that sending these rows will make, and what the registrar says by them.

    No head ever goes back.
    """
    heads = dict(office.ring_file.heads)
    for row in rows:
        head, known = Head(epoch=row["epoch"], sequence=row["sequence"], digest=row["digest"]), heads.get(row["channel"])
        # What is sent again was sent once: a lower head would let its later places be given away a second time. A channel that
        # the registrar has begun anew counts as further, wherever it goes on.
        if known is None or (head.epoch, head.sequence) > (known.epoch, known.sequence):
            heads[row["channel"]] = head
    # Whoever loses a database with what it had signed is given a new place by the registrar, and nobody gives it one.
    unsent = tuple(office.letterbook.record_of(row) for row in rows if row["channel"] == TRUST_CHANNEL)
    # In a transaction, so that a worker that another one has taken over from does not write an older file over a newer one.
    with office.database.transaction():
        office.ring.save(office.ring_file, heads, unsent)


def _opens(office: Office, row: Row, held: dict[Digest, bool]) -> bool:
    """Tell whether the keys of a sealed body are on the ring: what its own writer cannot open, nobody ever could.

    ``held`` is what was found so far of keys.
    """
    facts_key, personal_key = sealed_body(row["body"]).facts_key, row["personal_key"]
    if not _is_held(office, facts_key, held):
        return False
    if row["case_id"] is not None and personal_key is None:
        facts = open_facts(office, row["channel"], row["event_id"], facts_key, row["facts"])
        personal_key = facts.personal_key if facts is not None else None
    return personal_key is None or _is_held(office, personal_key, held)


def _is_held(office: Office, key: Digest, held: dict[Digest, bool]) -> bool:
    if key not in held:
        try:
            held[key] = office.ring.get(key) is not None
        except RingError:
            held[key] = False
    return held[key]


def _body(row: Row) -> Open | Sealed:
    if row["facts"] is None:
        record = decode(load_schema("wire/Open.avsc"), row["body"])
        return Open(type=record["type"], content=record["content"])
    return sealed_body(row["body"])


def _receiptable(office: Office, paired: str) -> int:
    """Return up to where a receipt of a channel is due now, 0 if none is."""
    mine = paired_channel(paired)
    theirs, own = office.letterbook.standing(paired), office.letterbook.standing(mine) if mine else None
    if mine is None or theirs is None or own is None or theirs.news_since is None:
        return 0
    # What I hold of it is overruled by an epoch that I have read: until a person agrees to that, a receipt of it would be a lie.
    if theirs.state == "off chain" or not _is_signable(office, mine, own):
        return 0
    waited = is_over(office.clock(), theirs.news_since, _RECEIPT_AFTER_MILLISECONDS)
    upto = _whole_to(office, paired, theirs)
    is_due = upto > theirs.told_sequence and (waited or upto - theirs.told_sequence >= _RECEIPT_AFTER_ENTRIES)
    return upto if is_due else 0


def _receipt(office: Office, paired: str) -> int:
    upto, mine = _receiptable(office, paired), paired_channel(paired)
    theirs = office.letterbook.standing(paired)
    if not upto or mine is None or theirs is None:
        return 0
    sign_open(office, mine, receipt_in(office, mine, upto=upto))
    office.letterbook.note(paired, told_sequence=upto, news_since=None if upto == theirs.place.sequence else theirs.news_since)
    return 1


def _whole_to(office: Office, channel: str, standing: Standing) -> int:
    """Return up to where every part that should be here is here: a receipt says no more."""
    row = office.database.one(
        "SELECT min(e.sequence) FROM held h JOIN entries e ON e.digest = h.digest AND e.channel = h.channel"
        " WHERE h.channel = ? AND h.kind = 'missing' AND h.resolved_at IS NULL",
        channel,
    )
    missing = row[0] if row is not None else None
    return standing.place.sequence if missing is None else min(standing.place.sequence, missing - 1)
