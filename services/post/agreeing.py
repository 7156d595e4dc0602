"""Agreeing: what a person accepts that the reading rule has undone, and how it is undone.

Each applied entry that is off the chain is marked, keeps its place in its case stream and is not folded; the mark goes when
the same body is taken again.
Source: design.md section 6, rule 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from services.post.cases import history_of
from services.post.database import Row
from services.post.letterbook import ON_CHAIN, statement_of
from services.post.office import Office
from services.post.rows import refresh_row
from services.post.signing import is_epoch_ahead
from services.wire.entry import Sealed, VerifiedEntry
from services.wire.errors import RefusedError
from services.wire.hashing import Digest
from services.wire.paths import Place

__all__ = ["NothingToAgreeError", "Undone", "agree", "fold_again", "is_behind", "undo", "would_undo"]


class NothingToAgreeError(RefusedError):
    """The channel does not stand still for something that a person could agree to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """An applied entry that the reading rule no longer takes; ``event`` is empty for an open entry."""

    channel: str
    epoch: int
    sequence: int
    digest: bytes
    event: str
    case: str | None


def would_undo(office: Office, channel: str) -> list[Undone]:
    """Return what agreeing would undo in a channel; nothing for one of mine that a counterpart knows more of.

    Raises: NothingToAgreeError if the channel is read as usual, only waits, or waits for the registrar.
    """
    standing = office.letterbook.standing(channel)
    if standing is not None and standing.state == "stopped":
        raise NothingToAgreeError(f"{channel} goes on when the registrar opens an epoch for it; nobody else can decide that.")
    if standing is None or standing.state not in ("off chain", "behind"):
        raise NothingToAgreeError(f"{channel} does not stand still for anything that a person could agree to.")
    if standing.state == "behind":
        return []
    after = office.letterbook.agreeable_sequence(channel)
    rows = office.database.all(
        "SELECT e.*, s.topic, s.originator_id FROM entries e"
        " LEFT JOIN stored_events s ON s.channel = e.channel AND s.event_id = e.event_id"
        " WHERE e.channel = ? AND e.sequence > ? AND NOT EXISTS"
        " (SELECT 1 FROM held h WHERE h.channel = e.channel AND h.kind = 'off chain' AND h.digest = e.digest) ORDER BY e.id",
        channel,
        after,
    )
    return [
        Undone(
            channel=channel,
            epoch=row["epoch"],
            sequence=row["sequence"],
            digest=row["digest"],
            event=row["topic"] or "",
            case=str(UUID(row["originator_id"])) if row["originator_id"] not in (None, office.own_stream.hex) else None,
        )
        for row in rows
    ]


def agree(office: Office, channel: str) -> None:
    """Say that a person agrees; the worker undoes it and reads on, or starts with a channel of mine stopped.

    Raises: NothingToAgreeError.
    """
    would_undo(office, channel)
    standing = office.letterbook.standing(channel)
    if standing is not None and standing.state == "behind":
        # What its reader writes meanwhile waits: see ``is_behind``.
        office.letterbook.note(channel, state="stopped", agreed=standing.place.digest)
    else:
        # To this and nothing else: what the registrar says next has to be agreed to anew.
        office.database.run("UPDATE channels SET agreed = agreeable WHERE channel = ?", channel)


def is_behind(office: Office, channel: str | None) -> bool:
    """Tell whether a channel of mine is stopped because its reader holds more of it than I do, as a person agreed.

    Until the registrar says where it goes on, nothing its reader writes is judged: it may rest on what is missing here. A start
    under that word has taken back whatever is not lost for good.
    """
    if channel is None or (office.returning is not None and is_epoch_ahead(office, channel)):
        return False
    query = "SELECT 1 FROM channels WHERE channel = ? AND state = 'stopped' AND agreed IS NOT NULL"
    return office.database.one(query, channel) is not None


def undo(office: Office, channel: str, place: Place) -> int:
    """Take a channel that I read back to a place in the open transaction; return how many entries are off its chain now."""
    rows = office.letterbook.fall_back(channel, place.digest)
    touched = set()
    for row in rows:
        if (stream_id := _void(office, channel, row)) is not None:
            touched.add(stream_id)
        # What was parked or lacked a part there waits for nothing any more; if it is taken again, it is judged again.
        office.database.run(
            "DELETE FROM held WHERE channel = ? AND kind IN ('parked', 'missing') AND digest = ?", channel, row["digest"]
        )
    _wait_for_no_key_of(office, channel, rows)
    office.letterbook.move(channel, place)
    names = office.database.all("SELECT application_name FROM tracking WHERE application_name LIKE ?", f"{channel}#%")
    for name in (row["application_name"] for row in names):
        epoch = int(name.rpartition("#")[2])
        if epoch == place.epoch:
            office.database.run("UPDATE tracking SET notification_id = ? WHERE application_name = ?", place.sequence, name)
        elif epoch > place.epoch:
            office.database.run("DELETE FROM tracking WHERE application_name = ?", name)
    _refresh(office, touched)
    return len(rows)


def fold_again(office: Office, entry: VerifiedEntry) -> None:
    """Let an event count again whose body is taken again, in the open transaction."""
    channel = entry.statement.channel
    office.database.run("DELETE FROM held WHERE channel = ? AND kind = 'off chain' AND digest = ?", channel, entry.digest)
    event_id = entry.statement.event_id
    row = office.database.one(
        "SELECT id, case_id FROM held WHERE channel = ? AND kind = 'voided' AND event_id = ? AND resolved_at IS NULL",
        channel,
        event_id,
    )
    if row is None or office.store.body_of(channel, event_id) != entry.body_digest:
        return
    office.database.run("UPDATE held SET resolved_at = ? WHERE id = ?", office.clock(), row["id"])
    _refresh(office, {UUID(row["case_id"])} if row["case_id"] else set())


def _void(office: Office, channel: str, row: Row) -> UUID | None:
    """Mark what an entry said as not folded, and return its stream; None if it is stored in none."""
    event_id = row["event_id"]
    stream_id = office.store.stream_with(channel, event_id)
    if stream_id is None:
        return None
    office.database.run(
        "INSERT INTO held (channel, kind, reason, case_id, event_id, digest) VALUES (?, 'voided', 'no longer taken', ?, ?, ?)"
        " ON CONFLICT (channel, kind, coalesce(event_id, digest), coalesce(fault, '')) DO UPDATE"
        " SET digest = excluded.digest, resolved_at = NULL",
        channel,
        stream_id.hex,
        event_id,
        row["digest"],
    )
    return stream_id


def _wait_for_no_key_of(office: Office, channel: str, undone: Iterable[Row]) -> None:
    """Wait no more for facts keys that only what is undone was sealed under: a thief's nobody has, and it would be asked for."""
    query = "DELETE FROM held WHERE channel = ? AND kind = 'key' AND digest = ? AND resolved_at IS NULL"
    keys = _facts_keys(undone)
    awaited = office.database.all("SELECT digest FROM held WHERE channel = ? AND kind = 'key' AND resolved_at IS NULL", channel)
    if not keys & {row["digest"] for row in awaited}:
        return
    rows = office.database.all(f"SELECT * FROM entries e WHERE e.channel = ? AND {ON_CHAIN}", channel)  # noqa: S608  # own text
    for key in keys - _facts_keys(rows):
        office.database.run(query, channel, key)


def _facts_keys(rows: Iterable[Row]) -> set[Digest]:
    bodies = (statement_of(row).body for row in rows)
    return {body.facts_key for body in bodies if isinstance(body, Sealed)}


def _refresh(office: Office, cases: set[UUID]) -> None:
    for case_id in sorted(cases):
        stream = office.store.stream(case_id)
        if stream.events and case_id != office.own_stream:
            row = office.database.one("SELECT school FROM cases WHERE case_id = ?", case_id.hex)
            refresh_row(office, case_id, history_of(office, stream), stream.version, row["school"] if row else None)
