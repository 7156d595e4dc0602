"""Holding: what was not simply applied is kept, with the evidence of why; nothing is ever logged and dropped.

Decides how much of it is kept: whoever floods a channel must not fill the disk of whoever reads it.
Source: design.md section 3, "What can become of a record".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from services.post.office import Office
from services.wire.entry import VerifiedEntry
from services.wire.errors import (
    CertificateError,
    Evidence,
    ForkError,
    MissingError,
    PlaceError,
    RevokedError,
    VerificationError,
)
from services.wire.hashing import Digest, digest_of

__all__ = ["EVIDENCE_LIMIT", "drop_outlived", "hold", "keep_contradiction", "keep_evidence"]

EVIDENCE_LIMIT: Final = 100
"""Records of one channel (or mailbox) and kind of fault that are kept although they are no entries of it, or not yet."""

# What ends when the entry is taken after all: its certificate came, its place is vouched for, what lay before it is here.
_OUTLIVED: Final = tuple(each.__name__ for each in (CertificateError, PlaceError, RevokedError, ForkError, MissingError))
_INSERT: Final = (
    "INSERT OR IGNORE INTO held (channel, kind, reason, case_id, event_id, digest, record, fault, epoch, sequence, expected,"
    " found) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def hold(
    office: Office,
    channel: str,
    kind: str,
    reason: str,
    *,
    case_id: UUID | None = None,
    entry: VerifiedEntry,
    error: VerificationError | Evidence | None = None,
) -> None:
    """Keep an entry that was not simply applied, and why; the same is kept once.

    ``error`` is there where its bytes are at fault, or, where a rule says no, what that expected and found alone.
    """
    case = case_id.hex if case_id else None
    _keep(office, channel, kind, reason, error, (case, entry.statement.event_id, entry.digest, None))


def keep_contradiction(office: Office, channel: str, digest: Digest, error: VerificationError) -> None:
    """Keep that something which an entry says cannot be: it keeps its place, and this of it is without effect."""
    _keep(office, channel, "refused", str(error), error, (None, None, digest, None))


def keep_evidence(office: Office, channel: str, errors: Iterable[tuple[VerificationError, Digest | None]]) -> None:
    """Keep what is no entry of a channel, or not yet, up to a cap; the digest is that of the entry it may be, if of one.

    The cap is one for each kind of fault: a flood of junk must not leave the proof of a fork without a place.
    """
    query = "SELECT fault, count(*) AS number FROM held WHERE channel = ? AND kind = 'skipped' GROUP BY fault"
    kept = Counter({row["fault"]: row["number"] for row in office.database.all(query, channel)})
    for error, digest in errors:
        fault, raw = type(error).__name__, error.evidence.raw or b""
        if kept[fault] < EVIDENCE_LIMIT:
            kept[fault] += _keep(office, channel, "skipped", error.message, error, (None, None, digest or digest_of(raw), raw))


def drop_outlived(office: Office, channel: str) -> bool:
    """Forget what was kept of entries that were set aside and are taken by now; tell whether any are still set aside."""
    set_aside = f"channel = ? AND kind = 'skipped' AND fault IN ({', '.join('?' * len(_OUTLIVED))})"
    office.database.run(
        f"DELETE FROM held WHERE {set_aside}"  # noqa: S608  # own text
        " AND EXISTS (SELECT 1 FROM entries e WHERE e.channel = held.channel AND e.digest = held.digest)",
        channel,
        *_OUTLIVED,
    )
    return office.database.one(f"SELECT 1 FROM held WHERE {set_aside}", channel, *_OUTLIVED) is not None  # noqa: S608


def _keep(
    office: Office,
    channel: str,
    kind: str,
    reason: str,
    error: VerificationError | Evidence | None,
    what: tuple[str | None, bytes | None, Digest, bytes | None],
) -> int:
    said = error.evidence if isinstance(error, VerificationError) else error or Evidence()
    # What an error says of a place in another channel is in its text; the columns are about this one.
    place = (said.epoch, said.sequence) if said.channel in (None, channel) else (None, None)
    name = type(error).__name__ if isinstance(error, VerificationError) else None
    return office.database.run(_INSERT, channel, kind, reason, *what, name, *place, said.expected, said.found)
