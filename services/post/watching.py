"""Watching: what a person has to be told although nothing is wrong with any byte: silence, age, expiry.

Alarms only; nothing here stops anything. Said once a day while it lasts.
Source: design.md sections 4 and 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.post.database import Row
from services.post.letterbook import statement_of
from services.post.lost_keys import awaited_channels
from services.post.office import Office, day_of, is_over
from services.post.saving import MISPLACED, NOT_COME
from services.wire.channels import TRUST_CHANNEL, paired_channel

__all__ = ["Watch", "working_days_between"]

_DAY: Final = 86_400_000
_TRUST_SILENT: Final = 8 * _DAY
_EXPIRY_WARNING: Final = 30 * _DAY
_UNRECEIPTED_WORKING_DAYS: Final = 2
_SATURDAY: Final = 5


@dataclass(slots=True)
class Watch:
    """Looks once a day, and when it is new."""

    office: Office
    _looked_at: int | None = None

    def look_once(self) -> list[str]:
        """Return what a person has to be told now; nothing if that was said within a day."""
        now = self.office.clock()
        if self._looked_at is not None and not is_over(now, self._looked_at, _DAY):
            return []
        self._looked_at = now
        office = self.office
        return [
            *_trust_is_silent(office, now),
            *_certificate_ends(office, now),
            *_certificates_ended(office, now),
            *_unreceipted(office, now),
            *_standing_still(office),
            *_never_signed(office),
            *_parked(office, now),
            *_awaited(office),
            *_misplaced(office),
        ]


def working_days_between(first: date, last: date) -> int:
    """Return how many working days (Monday to Friday) lie after ``first`` up to ``last``; public holidays are not known here."""
    return sum((first + timedelta(days=each)).weekday() < _SATURDAY for each in range(1, (last - first).days + 1))


def _trust_is_silent(office: Office, now: int) -> Iterator[str]:
    row = office.database.one("SELECT * FROM entries WHERE channel = ? ORDER BY id DESC LIMIT 1", TRUST_CHANNEL)
    if row is not None and now - _began(office, "registrar heard to", row, now) >= _TRUST_SILENT:
        yield f"{TRUST_CHANNEL} has said nothing for 8 days: what it revoked since may be held back"


def _began(office: Office, trouble: str, row: Row, now: int) -> int:
    """Return since when a trouble lasts that an entry (a row of ``entries``) began: the earlier of its time and the first look.

    Not by its time alone: whose clock was years ahead when it was signed could keep people from hearing of it for years.
    """
    name = f"{trouble} {row['sequence']}"
    noted = office.database.one("SELECT at FROM said WHERE name = ?", name)
    # A clock that was ahead here when it was noted says as little.
    if noted is None or noted["at"] > now:
        with office.database.transaction():
            office.database.run("DELETE FROM said WHERE name LIKE ?", f"{trouble} %")
            office.database.run("INSERT INTO said VALUES (?, ?)", name, now)
    return min(statement_of(row).written_at, noted["at"] if noted is not None else now, now)


def _certificate_ends(office: Office, now: int) -> Iterator[str]:
    ends = int(office.signers.newest.certificate.not_after.timestamp() * 1000)
    if ends - now < _EXPIRY_WARNING:
        day = day_of(ends).isoformat()
        yield f"the certificate of {office.participant} ends on {day}: ask for the next one with the command rotate"


def _certificates_ended(office: Office, now: int) -> Iterator[str]:
    """Tell whose certificate has ended: that stops nothing, since no time decides who is trusted, and people should know."""
    mine = set(office.own_channels)
    for row in office.database.all("SELECT channel FROM channels"):
        standing = None if row["channel"] in mine else office.letterbook.standing(row["channel"])
        current = standing.place.certificate if standing else None
        if current is not None and (ended := int(current.not_after.timestamp() * 1000)) < now:
            yield f"{row['channel']} is signed with a certificate that ended on {day_of(ended).isoformat()}"


def _standing_still(office: Office) -> Iterator[str]:
    for row in office.database.all("SELECT channel, sequence, state, reason FROM channels WHERE state <> 'reading'"):
        why = f" ({row['reason']})" if row["reason"] else ""
        yield f"{row['channel']} stands still after {row['sequence']}: {row['state']}{why}"


def _never_signed(office: Office) -> Iterator[str]:
    for row in office.database.all("SELECT channel, count(*) AS number FROM outgoing WHERE lost = 1 GROUP BY channel"):
        yield f"{row['channel']}: {row['number']} events are not signed, their keys are not on the ring"


def _parked(office: Office, now: int) -> Iterator[str]:
    """Tell what could not be used for a day: whoever waits for its case sees nothing of it."""
    query = (
        "SELECT h.channel, h.reason, e.sequence, e.statement FROM held h JOIN entries e ON e.channel = h.channel"
        " AND e.digest = h.digest WHERE h.kind = 'parked' AND h.resolved_at IS NULL ORDER BY e.id"
    )
    parked: dict[str, list[Row]] = {}
    for row in office.database.all(query):
        parked.setdefault(row["channel"], []).append(row)
    for channel, rows in parked.items():
        began = _began(office, f"parked in {channel} from", rows[0], now)
        if now - began >= _DAY:
            yield f"{channel}: {len(rows)} events are parked since {day_of(began).isoformat()}: {rows[0]['reason']}"


def _awaited(office: Office) -> Iterator[str]:
    for channel in awaited_channels(office):
        yield f"{channel}: own events wait for keys that its reader was asked for; nothing is decided there until they come"


def _misplaced(office: Office) -> Iterator[str]:
    query = "SELECT DISTINCT channel FROM held WHERE kind = ? AND reason = ? AND resolved_at IS NULL ORDER BY channel"
    for row in office.database.all(query, MISPLACED, NOT_COME):
        yield f"{row['channel']}: own events wait for what came before them in their cases; nobody acts there until it comes"


def _unreceipted(office: Office, now: int) -> Iterator[str]:
    for channel in office.own_channels:
        standing = office.letterbook.standing(channel)
        if standing is None or paired_channel(channel) is None:
            continue
        row = office.database.one(
            "SELECT * FROM entries WHERE channel = ? AND own = 1 AND sequence > ? AND facts IS NOT NULL"
            " ORDER BY sequence LIMIT 1",
            channel,
            standing.receipted_sequence,
        )
        if row is None:
            continue
        since = day_of(_began(office, f"unreceipted in {channel} from", row, now))
        if working_days_between(since, day_of(now)) >= _UNRECEIPTED_WORKING_DAYS:
            yield f"{channel}: nobody has receipted {row['sequence']} and what follows since {since.isoformat()}"
