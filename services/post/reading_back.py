"""Reading my own channels while I write them: whether the log still shows all that I sent, and nothing else.

A log that lost entries, or parts of them, gets them again from the letterbook; an entry under my key that is not in the
letterbook means that somebody else has the key, or that there are two of me.
Source: design.md section 6; section 3, "Store before send".
"""

from __future__ import annotations

from typing import Final

from services.channel.port import Channel
from services.post.database import Row
from services.post.epochs import is_settled
from services.post.letterbook import NO_HINT, Hint, Standing, statement_of
from services.post.office import Office, is_over
from services.wire.candidates import Candidate, candidate_of
from services.wire.channels import paired_channel
from services.wire.entry import encode_entry, to_be_signed
from services.wire.errors import ChannelClosedError, Evidence, ForkError, SignatureError
from services.wire.hashing import Digest, digest_of
from services.wire.signing import verify_signature

__all__ = ["check_own_once"]

_EVERY: Final = 3_600_000
_UNRECEIPTED: Final = 900_000
_WHOLE_EVERY: Final = 86_400_000
_READ_AT_ONCE: Final = 500
_SEND_AT_ONCE: Final = 200


def check_own_once(office: Office) -> int:
    """Read one channel of mine that is due, send what it does not show, and return how many entries that was.

    Due: after a failed send, hourly, and when nobody has receipted an event of mine for 15 minutes.
    Raises: ForkError if an entry stands there under my current key that I did not write.
    """
    now = office.clock()
    # With each step of a worker, and hardly ever due: one look for all channels, however many schools there are.
    read_at = dict(map(tuple, office.database.all("SELECT channel, read_at FROM channels WHERE state <> 'stopped'")))
    for channel in office.own_channels:
        if channel not in read_at or not is_over(now, read_at[channel], _UNRECEIPTED):
            continue
        standing = office.letterbook.standing(channel)
        if standing is not None and standing.state != "stopped" and _is_due(office, channel, standing, now):
            office.letterbook.note(channel, read_at=now)
            try:
                return _check(office, channel, standing)
            except ChannelClosedError as error:
                # It is looked at again when something was to be sent there, or in an hour; the others go on.
                office.tell(str(error))
    return 0


def _is_due(office: Office, channel: str, standing: Standing, now: int) -> bool:
    if is_over(now, standing.read_at, _EVERY):
        return True
    return is_over(now, standing.read_at, _UNRECEIPTED) and _is_unreceipted(office, channel, standing, now)


def _is_unreceipted(office: Office, channel: str, standing: Standing, now: int) -> bool:
    if paired_channel(channel) is None:
        return False
    row = office.database.one(
        "SELECT * FROM entries WHERE channel = ? AND own = 1 AND sequence > ? AND sequence <= ? AND facts IS NOT NULL"
        " ORDER BY sequence LIMIT 1",
        channel,
        standing.receipted_sequence,
        standing.shown_sequence,
    )
    return row is not None and is_over(now, statement_of(row).written_at, _UNRECEIPTED)


def _check(office: Office, channel: str, standing: Standing) -> int:
    log = office.channel
    if log is None:
        raise RuntimeError("only a worker reads back")
    # First the cheap look, at what came after the last one; a log that was cut or put back is looked at whole, and so is any
    # once a day: one that was put back and written to again may show the same record there, and others before it.
    is_due = is_over(office.clock(), standing.whole_at, _WHOLE_EVERY)
    first = standing.hint if not is_due and _is_as_it_was(log, channel, standing.hint) else NO_HINT
    shown, hint = _shown(office, channel, standing, first)
    missing = _missing(office, channel, standing, standing.read_sequence if first.position else 0, shown)
    if missing and first.position:
        shown, hint = _shown(office, channel, standing, NO_HINT)
        missing = _missing(office, channel, standing, 0, shown)
    if missing:
        office.tell(f"{channel}: the log lacks {len(missing)} entries or parts of mine; they are sent again")
        for start in range(0, len(missing), _SEND_AT_ONCE):
            rows = missing[start : start + _SEND_AT_ONCE]
            log.append(channel, [office.letterbook.record_of(row) for row in rows])
    # What was sent just now is looked for from there on, the next time.
    office.letterbook.note(channel, read_sequence=missing[0]["sequence"] - 1 if missing else standing.shown_sequence)
    office.letterbook.note_hint(channel, hint)
    if is_due:
        office.letterbook.note(channel, whole_at=office.clock())
    return len(missing)


def _is_as_it_was(log: Channel, channel: str, hint: Hint) -> bool:
    """Tell whether the record before a hint stands there still."""
    if hint.position == 0 or hint.record is None:
        return False
    found = log.poll({channel: hint.position - 1}, timeout_seconds=0, limit=1)
    return bool(found) and found[0].position == hint.position - 1 and digest_of(found[0].value) == hint.record


def _shown(office: Office, channel: str, standing: Standing, hint: Hint) -> tuple[dict[Digest, bool], Hint]:
    """Return the digests that the log shows from a hint on, whether with their personal part, and the hint after them."""
    shown: dict[Digest, bool] = {}
    while office.channel and (records := office.channel.poll({channel: hint.position}, timeout_seconds=0, limit=_READ_AT_ONCE)):
        hint = Hint(records[-1].position + 1, digest_of(records[-1].value))
        for record in records:
            found = candidate_of(record.value, channel)
            if not isinstance(found, Candidate):
                continue
            # Looked up after the poll: what this database signed meanwhile is there by now.
            statement = found.unverified_statement
            if not office.letterbook.holds(found.digest) and not is_settled(office, channel, statement.epoch, statement.sequence):
                _require_not_mine(office, found, standing)
            shown[found.digest] = shown.get(found.digest, False) or found.personal is not None
    return shown, hint


def _require_not_mine(office: Office, found: Candidate, standing: Standing) -> None:
    current = standing.place.certificate
    if current is None or found.unverified_statement.certificate != current.digest:
        return
    for signature in found.signatures:
        try:
            verify_signature(current.public_key, signature, to_be_signed(found.statement_bytes))
        except SignatureError:
            continue
        statement = found.unverified_statement
        mine = office.letterbook.digest_at(statement.channel, statement.sequence)
        place = Evidence(
            channel=statement.channel,
            epoch=statement.epoch,
            sequence=statement.sequence,
            expected=mine[1].hex() if mine is not None else "nothing yet",
            found=found.digest.hex(),
            raw=encode_entry(found.statement_bytes, signature, found.facts, found.personal),
        )
        text = "an entry stands in my channel under my key that I did not write"
        office.letterbook.note(statement.channel, state="stopped", reason=text)
        raise ForkError(text, place)


def _missing(office: Office, channel: str, standing: Standing, after: int, shown: dict[Digest, bool]) -> list[Row]:
    rows = office.letterbook.own_after(channel, after)
    return [row for row in rows if row["sequence"] <= standing.shown_sequence and not _is_whole(office, row, shown)]


def _is_whole(office: Office, row: Row, shown: dict[Digest, bool]) -> bool:
    has_part = shown.get(row["digest"])
    if has_part is None:
        return False
    # A part that I have erased is not to come back; one that I hold has to be there.
    return has_part or row["personal"] is None or office.letterbook.part(row["personal"]) is None
