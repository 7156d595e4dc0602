"""The status of a participant: how its post stands, as its database says; nothing personal and no number of a case.

Decides what is counted and since when; what of it wants a person is for ``attention``. The same for a person, for a program that
asks, and inside a worker. Work grows with channels and with what waits, not with what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cryptography import x509

from services.post.database import Database, Row
from services.post.lease import holder_of
from services.post.letterbook import ON_CHAIN, certificates_of
from services.post.lost_keys import CLOSED
from services.post.saving import MISPLACED, NOT_COME
from services.wire.channels import TRUST_CHANNEL, paired_channel, writer_of
from services.wire.entry import decode_statement

__all__ = ["COUNT_LIMIT", "HELD_KINDS", "ChannelStatus", "Lease", "Status", "look"]

HELD_KINDS: Final = ("parked", "missing", "key", "closed", "voided", "refused", "skipped", "off chain", "misplaced")
COUNT_LIMIT: Final = 1000
"""What is held is counted up to here for each kind: beyond it nobody needs the number, and evidence of all the years is there."""

# The first entry of a channel of mine behind a place, in the index of own entries. A condition follows.
_FIRST_OWN: Final = (
    "SELECT e.statement FROM entries e INDEXED BY entries_own WHERE e.channel = c.channel AND e.own = 1 AND e.sequence > "
)
_CHANNELS: Final = (
    "SELECT c.channel, c.epoch, c.sequence, c.certificates, c.shown_sequence, c.receipted_sequence, c.state, c.reason,"  # noqa: S608  # own text
    f" c.whole_at, ({_FIRST_OWN} c.shown_sequence AND {ON_CHAIN} ORDER BY e.sequence LIMIT 1) AS unsent,"
    f" ({_FIRST_OWN} c.receipted_sequence AND e.facts IS NOT NULL AND {ON_CHAIN} ORDER BY e.sequence LIMIT 1) AS unreceipted,"
    " EXISTS (SELECT 1 FROM held h WHERE h.kind = ? AND h.channel = c.channel AND h.resolved_at IS NULL) AS closed"
    " FROM channels c ORDER BY c.channel"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who works: whether a worker is there, the number of its process where it is known, and since when it works here.

    ``name`` is what the worker is called in the database.
    """

    held: bool
    process: int | None
    since: int | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStatus:
    """How one channel stands; every ``…_since`` is in milliseconds since 1970, None where nothing waits.

    ``head`` is the last place here. Of a channel of mine ``seen`` is how far the log has shown it and ``receipted`` how far its
    reader holds it; ``outgoing`` waits for a signature, ``lost`` of that can never be signed. ``certificate_ends`` is that of
    the one that signs here now. ``verified_at`` is when the log was last compared with it from its start. ``awaits_keys``: own
    entries do not open, and may once the reader has given keys back. ``misplaced`` own events came back after a restore without
    what came before them in their cases, in which nobody acts until that has come.
    """

    channel: str
    own: bool
    state: str
    reason: str | None
    epoch: int
    head: int
    seen: int
    receipted: int
    outgoing: int
    lost: int
    parked: int
    outgoing_since: int | None
    unsent_since: int | None
    unreceipted_since: int | None
    parked_since: int | None
    certificate_ends: int | None
    verified_at: int | None
    awaits_keys: bool
    misplaced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a participant stands at ``at`` (milliseconds since 1970).

    ``held`` is how much is held and not settled, by kind, counted up to ``COUNT_LIMIT``. ``starting_since`` is there while a
    start is not over. ``trust_at`` is when the registrar said its last word, ``tls_ends`` when the client certificate for brokers
    ends, None where there is none.
    """

    participant: str
    at: int
    lease: Lease
    starting_since: int | None
    trust_at: int | None
    tls_ends: int | None
    held: dict[str, int]
    channels: tuple[ChannelStatus, ...]

    @property
    def own(self) -> Iterator[ChannelStatus]:
        """The channels that I write."""
        return (each for each in self.channels if each.own)

    @property
    def outgoing_since(self) -> int | None:
        """Since when the oldest event waits for a signature that can still be signed."""
        return _oldest(each.outgoing_since for each in self.channels)

    @property
    def unsent_since(self) -> int | None:
        """Since when the oldest entry waits that the log has not shown."""
        return _oldest(each.unsent_since for each in self.channels)

    @property
    def unreceipted_since(self) -> int | None:
        """Since when the oldest event waits that its reader has not receipted."""
        return _oldest(each.unreceipted_since for each in self.channels)

    @property
    def verified_at(self) -> int | None:
        """When the channel was last compared with the log from its start for which that is longest ago."""
        return _oldest(each.verified_at for each in self.channels)

    @property
    def certificate_ends(self) -> int | None:
        """When the first of the certificates ends that sign in channels of mine."""
        return _oldest(each.certificate_ends for each in self.own)


def look(database: Database, participant: str, *, now: int, lease: Path, tls: Path | None = None) -> Status:
    """Return how a participant stands; ``lease`` is its lease file, ``tls`` that of its client certificate. Reads alone.

    Raises: DatabaseBusyError, DatabaseError, DiskError.
    """
    said = {row["name"]: row["at"] for row in database.all("SELECT name, at FROM said")}
    return Status(
        participant=participant,
        at=now,
        lease=_lease(lease, said),
        starting_since=said.get("starting"),
        trust_at=_trust_at(database, now),
        tls_ends=_tls_ends(tls) if tls is not None else None,
        held={kind: _held(database, kind) for kind in HELD_KINDS},
        channels=tuple(_channels(database, participant, now)),
    )


def _lease(path: Path, said: dict[str, int]) -> Lease:
    held, process = holder_of(path)
    worker = next((name for name in said if name.startswith("worker ")), None)
    return Lease(held=held, process=process, since=said[worker] if worker and held else None, name=worker)


def _tls_ends(path: Path) -> int | None:
    """Return when the certificate in a file ends; None if there is none: whoever connects is told what is wrong with it."""
    try:
        return int(x509.load_pem_x509_certificates(path.read_bytes())[0].not_valid_after_utc.timestamp() * 1000)
    except (OSError, ValueError):
        return None


def _held(database: Database, kind: str) -> int:
    query = "SELECT count(*) FROM (SELECT 1 FROM held WHERE kind = ? AND resolved_at IS NULL LIMIT ?)"
    row = database.one(query, kind, COUNT_LIMIT)
    return int(row[0]) if row is not None else 0


def _trust_at(database: Database, now: int) -> int | None:
    row = database.one(
        "SELECT e.statement FROM channels c JOIN entries e ON e.channel = c.channel AND e.sequence = c.sequence"
        " AND e.epoch = c.epoch AND e.digest = c.digest WHERE c.channel = ?",
        TRUST_CHANNEL,
    )
    return _written_at(row["statement"], now) if row is not None else None


def _channels(database: Database, participant: str, now: int) -> Iterator[ChannelStatus]:
    outgoing = {row["channel"]: row for row in database.all(_OUTGOING)}
    parked = {row["channel"]: row for row in database.all(_PARKED)}
    misplaced = {row["channel"]: row["number"] for row in database.all(_MISPLACED, MISPLACED, NOT_COME)}
    for row in database.all(_CHANNELS, CLOSED):
        name = row["channel"]
        waits, first = outgoing.pop(name, None), parked.get(name)
        found = _channel(row, own=writer_of(name) == participant, waits=waits, parked=first, now=now)
        yield replace(found, misplaced=misplaced.get(name, 0))
    # What waits for a channel that is not opened yet: its opening, and what was saved meanwhile.
    for name, waits in outgoing.items():
        yield _unopened(name, waits)


_OUTGOING: Final = (
    "SELECT channel, count(*) AS number, sum(lost) AS lost, min(CASE WHEN lost = 0 THEN saved_at END) AS since FROM outgoing"
    " GROUP BY channel"
)
_PARKED: Final = (
    "SELECT p.channel, p.number, e.statement FROM (SELECT channel, count(*) AS number, min(id) AS first FROM held"
    " WHERE kind = 'parked' AND resolved_at IS NULL GROUP BY channel) p JOIN held h ON h.id = p.first"
    " JOIN entries e ON e.digest = h.digest AND e.channel = h.channel"
)
_MISPLACED: Final = (
    "SELECT channel, count(*) AS number FROM held WHERE kind = ? AND reason = ? AND resolved_at IS NULL GROUP BY channel"
)


def _channel(row: Row, *, own: bool, waits: Row | None, parked: Row | None, now: int) -> ChannelStatus:
    certificates = certificates_of(row["certificates"])
    is_paired = own and paired_channel(row["channel"]) is not None
    return ChannelStatus(
        channel=row["channel"],
        own=own,
        state=row["state"],
        reason=row["reason"],
        epoch=row["epoch"],
        head=row["sequence"],
        seen=row["shown_sequence"] if own else row["sequence"],
        receipted=row["receipted_sequence"],
        outgoing=waits["number"] if waits is not None else 0,
        lost=waits["lost"] if waits is not None else 0,
        parked=parked["number"] if parked is not None else 0,
        outgoing_since=_past(waits["since"], now) if waits is not None else None,
        unsent_since=_written_at(row["unsent"], now),
        unreceipted_since=_written_at(row["unreceipted"], now) if is_paired else None,
        parked_since=_written_at(parked["statement"], now) if parked is not None else None,
        certificate_ends=int(certificates[-1].not_after.timestamp() * 1000) if certificates else None,
        verified_at=_past(row["whole_at"] or None, now),
        awaits_keys=is_paired and bool(row["closed"]),
        misplaced=0,
    )


def _unopened(name: str, waits: Row) -> ChannelStatus:
    return ChannelStatus(
        channel=name,
        own=True,
        state="not opened",
        reason=None,
        epoch=0,
        head=0,
        seen=0,
        receipted=0,
        outgoing=waits["number"],
        lost=waits["lost"],
        parked=0,
        outgoing_since=waits["since"],
        unsent_since=None,
        unreceipted_since=None,
        parked_since=None,
        certificate_ends=None,
        verified_at=None,
        awaits_keys=False,
        misplaced=0,
    )


def _written_at(statement: bytes | None, now: int) -> int | None:
    return None if statement is None else _past(decode_statement(statement).written_at, now)


def _past(at: int | None, now: int) -> int | None:
    # Whoever's clock was ahead: nothing waits since the future.
    return None if at is None else min(at, now)


def _oldest(times: Iterator[int | None]) -> int | None:
    return min((each for each in times if each is not None), default=None)
