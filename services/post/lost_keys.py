"""Lost keys: own entries whose facts open no more, once a person has said that no better ring key or ring file will come.

Decides which of them may open again. A pair's reader was given the keys and gives them back when asked: until then nothing of
that pair is applied or decided. A record's keys nobody else has: its entries keep their places and never open again.
Source: design.md sections 6 and 7; docs/adr/0015-lost-keys.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from services.post.database import Row
from services.post.office import Office
from services.wire.channels import COMMISSION, paired_channel, school_of
from services.wire.entry import Open, VerifiedEntry

__all__ = ["CLOSED", "KEYS_LOST", "are_lost", "awaited_channels", "close", "give_up", "is_awaited", "is_closed", "reopen"]

KEYS_LOST: Final = "keys lost"
"""Said of a database (table ``said``) by a person: own entries that nothing here opens are no reason to stop a start."""

CLOSED: Final = "closed"
"""The kind of ``held`` for own entries whose facts key is lost."""


def are_lost(office: Office) -> bool:
    """Tell whether a person has said that keys are lost, and the start which that was said for is not over."""
    return office.database.one("SELECT 1 FROM said WHERE name = ?", KEYS_LOST) is not None


def close(office: Office, entry: VerifiedEntry) -> None:
    """Note in the open transaction that an own entry does not open; its facts key is asked for where somebody has it."""
    channel, body = entry.statement.channel, entry.statement.body
    query = "INSERT OR IGNORE INTO held (channel, kind, reason, digest) VALUES (?, ?, ?, ?)"
    office.database.run(query, channel, CLOSED, "its facts key is lost", entry.digest)
    if not isinstance(body, Open) and _may_come(office, channel):
        office.database.run(query, channel, "key", "a facts key of mine is lost", body.facts_key)


def is_closed(office: Office, entry: VerifiedEntry, *, for_good: bool = False) -> bool:
    """Tell whether it is known of an own entry that it does not open; ``for_good``: and nobody waits for it any more.

    Whatever turns up later does not count then: the case has gone on without it, and would get two histories.
    """
    query = "SELECT resolved_at FROM held WHERE channel = ? AND kind = ? AND digest = ?"
    row = office.database.one(query, entry.statement.channel, CLOSED, entry.digest)
    if row is None or not for_good:
        return row is not None
    return row["resolved_at"] is not None or not _may_come(office, entry.statement.channel)


def reopen(office: Office, entry: VerifiedEntry) -> None:
    """Note that an own entry opens again."""
    query = "DELETE FROM held WHERE channel = ? AND kind = ? AND digest = ?"
    office.database.run(query, entry.statement.channel, CLOSED, entry.digest)


def give_up(office: Office, channel: str, rows: Iterable[Row]) -> None:
    """Wait no more in the open transaction for what an epoch put off the chain of a channel of mine: it counts for nothing."""
    for row in rows:
        query = "UPDATE held SET resolved_at = ? WHERE channel = ? AND kind = ? AND digest = ?"
        office.database.run(query, office.clock(), channel, CLOSED, row["digest"])


def is_awaited(office: Office, channel: str | None) -> bool:
    """Tell whether own entries of a channel of mine do not open yet, and may."""
    query = "SELECT 1 FROM held WHERE channel = ? AND kind = ? AND resolved_at IS NULL"
    if channel is None or office.database.one(query, channel, CLOSED) is None:
        return False
    return _may_come(office, channel)


def awaited_channels(office: Office) -> list[str]:
    """Return the channels of mine in which own entries do not open yet, and may."""
    query = "SELECT DISTINCT channel FROM held WHERE kind = ? AND resolved_at IS NULL ORDER BY channel"
    rows = office.database.all(query, CLOSED)
    return [row["channel"] for row in rows if _may_come(office, row["channel"])]


def _may_come(office: Office, channel: str) -> bool:
    """Tell whether somebody is there who was given the keys of a channel of mine."""
    if paired_channel(channel) is None:
        return False
    reader = COMMISSION if office.participant != COMMISSION else school_of(channel)
    found = office.trust.participants.get(reader)
    return found is not None and not found.removed
