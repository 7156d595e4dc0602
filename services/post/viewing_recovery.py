"""Viewing what stands still: channels, what is held, and what a redrive brought; nothing personal."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.post.applying import redrive_channel
from services.post.office import Office
from services.post.saving import misplaced_cases, require_current, require_started
from services.wire.errors import RefusedError

__all__ = ["ChannelLine", "HeldLine", "RedrivenLine", "channel_lines", "held_lines", "redrive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLine:
    """Where a channel stands; ``receipted`` is how far others say they hold one of mine."""

    channel: str
    epoch: int
    sequence: int
    digest: bytes
    receipted: int
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLine:
    """Something that was not simply applied; its place is 0/0 where it is no entry.

    ``fault`` is the kind of error where bytes are not what they claim; what was expected and found is there for refusals too.
    """

    channel: str
    epoch: int
    sequence: int
    kind: str
    reason: str
    case: str | None
    resolved: bool
    fault: str | None
    expected: str | None
    found: str | None
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RedrivenLine:
    """How much of what was parked in a channel was applied, and how much still waits."""

    channel: str
    applied: int
    waiting: int


def channel_lines(office: Office) -> list[ChannelLine]:
    """Return all channels that are known here."""
    return [
        ChannelLine(
            channel=row["channel"],
            epoch=row["epoch"],
            sequence=row["sequence"],
            digest=row["digest"],
            receipted=row["receipted_sequence"],
            state=row["state"],
            reason=row["reason"],
        )
        for row in office.database.all("SELECT * FROM channels ORDER BY channel")
    ]


def held_lines(office: Office, *, kind: str | None = None, limit: int = 100) -> list[HeldLine]:
    """Return what is held, the newest first, of one kind if that is given."""
    rows = office.database.all(
        "SELECT h.*, e.epoch AS at_epoch, e.sequence AS at_sequence FROM held h"
        " LEFT JOIN entries e ON e.channel = h.channel AND e.digest = h.digest"
        " WHERE h.kind = coalesce(?, h.kind) ORDER BY h.id DESC LIMIT ?",
        kind,
        limit,
    )
    return [
        HeldLine(
            channel=row["channel"],
            epoch=row["at_epoch"] or row["epoch"] or 0,
            sequence=row["at_sequence"] or row["sequence"] or 0,
            kind=row["kind"],
            reason=row["reason"],
            case=str(UUID(row["case_id"])) if row["case_id"] else None,
            resolved=row["resolved_at"] is not None,
            fault=row["fault"],
            expected=row["expected"],
            found=row["found"],
            digest=row["digest"],
        )
        for row in rows
    ]


def redrive(office: Office, channel: str | None = None) -> list[RedrivenLine]:
    """Try again to apply what is parked, in one channel or in all."""
    require_started(office)
    require_current(office)
    # What lacks own events of its case is not judged here either.
    office.has_misplaced = bool(misplaced_cases(office))
    if channel is not None and office.letterbook.standing(channel) is None:
        raise RefusedError(f"There is no channel {channel} here. See the list of channels.")
    parked = "SELECT channel, count(*) AS number FROM held WHERE kind = 'parked' AND resolved_at IS NULL GROUP BY channel"
    names = [row["channel"] for row in office.database.all(parked) if channel in (None, row["channel"])]
    applied = {name: redrive_channel(office, name) for name in names}
    left = {row["channel"]: row["number"] for row in office.database.all(parked)}
    return [RedrivenLine(channel=name, applied=applied[name], waiting=left.get(name, 0)) for name in names]
