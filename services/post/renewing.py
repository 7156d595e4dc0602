"""Renewing and asking: the monthly encryption key, and the keys that a participant lacks.

Decides when; how letters are sealed and taken in is for ``granting``.
Source: design.md section 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.post.applying import KEY_MISSING
from services.post.database import Row
from services.post.letterbook import statement_of
from services.post.office import Office, is_over
from services.post.receiving import Receiver
from services.post.saving import queue_open
from services.wire.avro import decode, load_schema
from services.wire.channels import ChannelKind, Role, channel_kind, paired_channel, record_of, writer_of
from services.wire.contents import EncryptionKeyPublished, decode_open
from services.wire.entry import Open, Sealed
from services.wire.grants import SUITE, prekey_id
from services.wire.hashing import Digest

__all__ = ["ask_again", "ask_once", "renew_once"]

_MINUTE: Final = 60_000
_DAY: Final = 86_400_000
_RENEW_AFTER: Final = 30 * _DAY
_ASK_EVERY: Final = 3_600_000
_MAIL_FIRST: Final = 5_000
_NEED_LIMIT: Final = 1000
_LOOK_AT: Final = 200
_PAIRS: Final = (ChannelKind.TO_COMMISSION, ChannelKind.FROM_COMMISSION)


def renew_once(office: Office) -> int:
    """Make and publish the month's encryption key, and destroy those whose letters have all expired; return what was done."""
    now, done = office.clock(), 0
    made = office.database.all("SELECT created_at, superseded_at FROM keys WHERE key_use = 'ENCRYPTION'")
    current = [row["created_at"] for row in made if row["superseded_at"] is None]
    # Lost with its row or without it: a channel that is open was opened together with a key for letters.
    is_lost = office.ring.current_encryption_key() is None and bool(made or _publishing(office))
    if is_lost or any(is_over(now, created_at, _RENEW_AFTER) for created_at in current):
        with office.database.transaction():
            key = office.ring.renew_encryption_key()
            for channel in _publishing(office):
                queue_open(office, channel, EncryptionKeyPublished(suite=SUITE, public_key=key.public_key))
        done += 1
    return done + _destroy_old(office, now)


def ask_once(office: Office, receiver: Receiver) -> int:
    """Ask for keys that are missing: the mailbox first, then whoever can grant them, hourly; return how many were asked for."""
    _give_up(office)
    if office.role is Role.AUDITOR:
        return _ask_for_audit(office, receiver)
    rows = office.database.all(
        "SELECT DISTINCT h.channel, c.asked_at FROM held h JOIN channels c ON c.channel = h.channel"
        " WHERE h.resolved_at IS NULL AND h.kind IN ('parked', 'key') AND (h.kind = 'key' OR h.reason = ?)",
        KEY_MISSING,
    )
    now, asked = office.clock(), 0
    for row in rows:
        if row["asked_at"] is None:
            receiver.mailbox.read_again()
            office.letterbook.note(row["channel"], asked_at=now - _ASK_EVERY + _MAIL_FIRST)
        elif is_over(now, row["asked_at"], _ASK_EVERY if paired_channel(row["channel"]) else _DAY):
            asked += _ask(office, row["channel"])
            office.letterbook.note(row["channel"], asked_at=now)
    return asked


def _give_up(office: Office) -> None:
    """Wait no more for the keys of records of auditors that have left: removed, with their signing key revoked.

    Nobody else has those keys, and no letter can be expected of who left. One that comes all the same is taken in.
    """
    gone = [each.id for each in office.trust.participants.values() if each.role is Role.AUDITOR and each.removed]
    for record in map(record_of, gone):
        standing = office.letterbook.standing(record)
        certificate = standing.place.certificate if standing else None
        if certificate is not None and certificate.key_digest in office.trust.revoked:
            query = "UPDATE held SET resolved_at = ? WHERE channel = ? AND kind = 'key' AND resolved_at IS NULL"
            office.database.run(query, office.clock(), record)


def ask_again(office: Office) -> int:
    """Let an auditor's worker ask now for what is missing, and return how many keys that is."""
    row = office.database.one("SELECT count(*) FROM held WHERE kind = 'key' AND resolved_at IS NULL")
    office.letterbook.note(record_of(office.participant), asked_at=0)
    return int(row[0]) if row is not None else 0


def _ask_for_audit(office: Office, receiver: Receiver) -> int:
    """Ask in an auditor's record, monthly: whoever lets it in grants by itself what there is, and whoever does not never will.

    So it asks for what may have been lost on the way alone, and its record does not grow by what it is not given.
    """
    record = record_of(office.participant)
    row = office.database.one("SELECT asked_at FROM channels WHERE channel = ?", record)
    if row is None or office.database.one("SELECT 1 FROM held WHERE kind = 'key' AND resolved_at IS NULL") is None:
        return 0
    now = office.clock()
    if row["asked_at"] is None:
        receiver.mailbox.read_again()
        office.letterbook.note(record, asked_at=now - _RENEW_AFTER + _MAIL_FIRST)
        return 0
    key = office.ring.current_encryption_key()
    if key is None or not is_over(now, row["asked_at"], _RENEW_AFTER):
        return 0
    # The newest first: they are asked for with the others until they come.
    query = "SELECT digest FROM held WHERE kind = 'key' AND resolved_at IS NULL ORDER BY id DESC LIMIT ?"
    rows = office.database.all(query, _NEED_LIMIT)
    needed = tuple(sorted(row["digest"] for row in rows))
    with office.database.transaction():
        queue_open(office, record, EncryptionKeyPublished(suite=SUITE, public_key=key.public_key, need=needed))
        office.letterbook.note(record, asked_at=now)
    return len(needed)


def _destroy_old(office: Office, now: int) -> int:
    """Destroy each private half whose successor is in the log for 30 days, and return how many that were."""
    rows = office.database.all(
        "SELECT superseded_at FROM keys WHERE key_use = 'ENCRYPTION' AND wrapped IS NOT NULL AND superseded_at IS NOT NULL"
    )
    if not rows:
        return 0
    unsent, since = office.letterbook.unsent(_LOOK_AT), [row["superseded_at"] for row in rows]
    made_at = _first_unpublished(office, unsent)
    # Others go on sealing to the one before until they can read of the next: its days have not begun. By the minute, for what
    # waits for a person may wait for days, and nothing is to be written at each look.
    if made_at is not None and any(each >= made_at and is_over(now, each, _MINUTE) for each in since):
        query = "UPDATE keys SET superseded_at = ? WHERE key_use = 'ENCRYPTION' AND wrapped IS NOT NULL AND superseded_at >= ?"
        office.database.run(query, now, made_at)
    # Behind so much that waits one more may wait.
    if min(since) > now - _RENEW_AFTER or len(unsent) == _LOOK_AT:
        return 0
    # The row stays and says erased: the ring file must not bring the key back.
    query = "UPDATE keys SET wrapped = NULL, erased_at = ? WHERE key_use = 'ENCRYPTION' AND wrapped IS NOT NULL"
    return office.database.run(f"{query} AND superseded_at <= ?", now, now - _RENEW_AFTER)


def _first_unpublished(office: Office, unsent: Sequence[Row]) -> int | None:
    """Return when the oldest of my encryption keys was made that waits for its way into the log, None if none waits.

    What waits in a channel that is stopped counts for nothing: it may wait for ever, and old letters are to open no more.
    """
    queued = office.database.all(
        "SELECT o.body FROM outgoing o JOIN channels c ON c.channel = o.channel WHERE o.facts IS NULL AND c.state <> 'stopped'"
    )
    bodies = [Open(**decode(load_schema("wire/Open.avsc"), row["body"])) for row in queued]
    bodies += [body for row in unsent if row["facts"] is None and isinstance(body := statement_of(row).body, Open)]
    said = [decode_open(body) for body in bodies]
    # Whoever asks for keys says once more what is published already.
    keys = [each for each in said if isinstance(each, EncryptionKeyPublished) and not each.need]
    query = "SELECT created_at FROM keys WHERE key_id = ?"
    rows = (office.database.one(query, prekey_id(each.suite, each.public_key)) for each in keys)
    return min((row["created_at"] for row in rows if row is not None), default=None)


def _ask(office: Office, channel: str) -> int:
    mine = _asking_in(office, channel)
    key, needed = office.ring.current_encryption_key(), _needed(office, channel)
    if mine is None or channel_kind(mine) not in _PAIRS or key is None or not needed or office.letterbook.standing(mine) is None:
        return 0
    with office.database.transaction():
        queue_open(office, mine, EncryptionKeyPublished(suite=SUITE, public_key=key.public_key, need=needed))
    return len(needed)


def _asking_in(office: Office, channel: str) -> str | None:
    """Return my channel that whoever has the keys of a channel reads: my half of the pair; of an auditor's record any half."""
    if writer_of(channel) == office.participant or paired_channel(channel) is not None:
        # The other side made the key, or (of a channel of mine) was given it.
        return channel if writer_of(channel) == office.participant else paired_channel(channel)
    halves = (each for each in office.own_channels if channel_kind(each) in _PAIRS)
    return next((each for each in halves if office.letterbook.standing(each) is not None), None)


def _needed(office: Office, channel: str) -> tuple[Digest, ...]:
    rows = office.database.all(
        "SELECT e.statement FROM held h JOIN entries e ON e.digest = h.digest AND e.channel = h.channel"
        " WHERE h.channel = ? AND h.kind = 'parked' AND h.reason = ? AND h.resolved_at IS NULL LIMIT ?",
        channel,
        KEY_MISSING,
        _NEED_LIMIT,
    )
    bodies = (statement_of(row).body for row in rows)
    keys = {body.facts_key for body in bodies if isinstance(body, Sealed)}
    lost = office.database.all("SELECT digest FROM held WHERE channel = ? AND kind = 'key' LIMIT ?", channel, _NEED_LIMIT)
    keys |= {row["digest"] for row in lost}
    return tuple(sorted(key for key in keys if not office.ring.is_erased(key)))


def _publishing(office: Office) -> list[str]:
    """Return the channels of mine in which those read my encryption key who grant me keys."""
    is_auditor = office.role is Role.AUDITOR
    open_here = (each for each in office.own_channels if office.letterbook.standing(each) is not None)
    return [each for each in open_here if is_auditor or channel_kind(each) in _PAIRS]
