"""The letterbook: exact statements and signatures of all I wrote and accepted, and where each channel stands.

Insert only. The channel is a replica of it, never the only copy: a retry sends these bytes.
Source: design.md sections 3 and 8.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from services.post.database import Database, Row
from services.wire.avro import Schema, decode_own, encode
from services.wire.certificates import Certificate, parse_leaf
from services.wire.entry import Open, Statement, VerifiedEntry, decode_statement, encode_entry
from services.wire.hashing import Digest, Id
from services.wire.paths import Place

__all__ = ["NO_HINT", "ON_CHAIN", "Hint", "Letterbook", "Standing", "certificates_of", "statement_of"]

ON_CHAIN: Final = "NOT EXISTS (SELECT 1 FROM held h WHERE h.channel = e.channel AND h.kind = 'off chain' AND h.digest = e.digest)"
"""A condition on rows ``e`` of ``entries``; what the reading rule took once and takes no more keeps its row without it."""
_CERTIFICATES: Final = Schema(
    {
        "type": "record",
        "name": "Certificates",
        "fields": [{"name": "path", "type": {"type": "array", "items": "bytes"}}],
    },
    is_own=True,
)


class Hint(NamedTuple):
    """Where to look on in the log: a position, and the digest of the record before it (None where there is none, or unknown).

    Whoever seeks there compares that record first: a log that shows another, or none, was cut or put back.
    """

    position: int
    record: Digest | None


NO_HINT: Final = Hint(0, None)


class Standing(NamedTuple):
    """Where a channel stands in my letterbook."""

    place: Place
    hint: Hint
    written_at: int
    receipted_sequence: int
    told_sequence: int
    news_since: int | None
    shown_sequence: int
    read_sequence: int
    read_at: int
    whole_at: int
    state: str
    reason: str | None


# Asked many times in each step: by place, which costs less than by name.
_STANDING: Final = (
    f"SELECT epoch, sequence, digest, certificates, hint, hint_record, {', '.join(Standing._fields[2:])}"  # noqa: S608  # own text
    " FROM channels WHERE channel = ?"
)


@dataclass(frozen=True, slots=True)
class Letterbook:
    """Reads and writes ``entries``, ``parts`` and ``channels`` in the open transaction."""

    database: Database

    @property
    def ends_at(self) -> int:
        """When the newest own entry was signed, in milliseconds since 1970; 0 if there is none."""
        row = self.database.one("SELECT max(written_at) FROM channels")
        return int(row[0] or 0) if row else 0

    def enter(self, entry: VerifiedEntry, *, own: bool) -> None:
        """Enter an entry and keep its personal part; what is entered already stays as it is."""
        statement = entry.statement
        body = statement.body
        self.database.run(
            "INSERT OR IGNORE INTO entries (channel, epoch, sequence, digest, event_id, own, statement, signature,"
            " facts, personal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            statement.channel,
            statement.epoch,
            statement.sequence,
            entry.digest,
            statement.event_id,
            own,
            entry.statement_bytes,
            entry.signature,
            entry.facts,
            None if isinstance(body, Open) else body.personal,
        )
        if entry.personal is not None and not isinstance(body, Open):
            self.keep_part(body.personal, entry.personal)

    def keep_part(self, digest: Digest, sealed: bytes) -> None:
        """Keep a sealed personal part."""
        self.database.run("INSERT OR IGNORE INTO parts VALUES (?, ?)", digest, sealed)

    def part(self, digest: Digest) -> bytes | None:
        """Return a sealed personal part, None if it never came or was erased."""
        row = self.database.one("SELECT sealed FROM parts WHERE digest = ?", digest)
        return row["sealed"] if row else None

    def holds(self, digest: Digest) -> bool:
        """Tell whether an entry is entered."""
        return self.database.one("SELECT 1 FROM entries WHERE digest = ?", digest) is not None

    def records(self, channel: str) -> Iterator[bytes]:
        """Return records that make all I hold of a channel again."""
        for row in self.database.all("SELECT * FROM entries WHERE channel = ? ORDER BY id", channel):
            yield self.record_of(row)

    def record_of(self, row: Row) -> bytes:
        """Return the record of a row of ``entries``, with every part that I still hold."""
        personal = self.part(row["personal"]) if row["personal"] is not None else None
        return encode_entry(row["statement"], row["signature"], row["facts"], personal)

    def held_of(self, channel: str) -> list[Row]:
        """Return the entries of a channel that count, in their order."""
        return self.database.all(
            f"SELECT e.* FROM entries e WHERE e.channel = ? AND {ON_CHAIN} ORDER BY e.sequence",  # noqa: S608  # own text
            channel,
        )

    def unsent(self, limit: int, *, without: Collection[str] = ()) -> list[Row]:
        """Return own entries that the channel has not shown, in the order in which they were signed; none of some channels."""
        marks = ", ".join("?" * len(without))
        return self.database.all(
            "SELECT e.* FROM channels c CROSS JOIN entries e INDEXED BY entries_own ON e.channel = c.channel"  # noqa: S608  # own text
            f" AND e.sequence > c.shown_sequence WHERE e.own = 1 AND c.state <> 'stopped' AND c.channel NOT IN ({marks})"
            f" AND {ON_CHAIN} ORDER BY e.id LIMIT ?",
            *without,
            limit,
        )

    def own_after(self, channel: str, sequence: int, limit: int = -1) -> list[Row]:
        """Return own entries of a channel that count, in their order, after a place; ``limit`` -1 is all of them."""
        return self.database.all(
            f"SELECT e.* FROM entries e WHERE e.channel = ? AND e.own = 1 AND e.sequence > ? AND {ON_CHAIN}"  # noqa: S608  # own text
            " ORDER BY e.sequence LIMIT ?",
            channel,
            sequence,
            limit,
        )

    def shown_behind(self, channel: str, epoch: int, sequence: int) -> tuple[int, int]:
        """Return the first own entry that the channel shows behind a place, and how many there are."""
        row = self.database.one(
            "SELECT min(e.sequence), count(*) FROM channels c JOIN entries e ON e.channel = c.channel AND e.own = 1"  # noqa: S608  # own text
            f" AND e.sequence <= c.shown_sequence WHERE c.channel = ? AND (e.epoch, e.sequence) > (?, ?) AND {ON_CHAIN}",
            channel,
            epoch,
            sequence,
        )
        return (row[0], row[1]) if row is not None and row[1] else (0, 0)

    def fall_back(self, channel: str, digest: Digest) -> list[Row]:
        """Let the chain of a channel end in ``digest``: mark what is off it, unmark what is on it; return what is newly off.

        The rows are in the order in which they were entered. Work grows with the channel; it is done once an epoch.
        """
        on_chain: set[Digest] = set()
        while (row := self.database.one("SELECT * FROM entries WHERE channel = ? AND digest = ?", channel, digest)) is not None:
            on_chain.add(digest)
            digest = statement_of(row).previous
        marked = {
            row["digest"]
            for row in self.database.all("SELECT digest FROM held WHERE channel = ? AND kind = 'off chain'", channel)
        }
        for back in marked & on_chain:
            self.database.run("DELETE FROM held WHERE channel = ? AND kind = 'off chain' AND digest = ?", channel, back)
        rows = self.database.all("SELECT * FROM entries WHERE channel = ? ORDER BY id", channel)
        newly = [row for row in rows if row["digest"] not in on_chain | marked]
        for row in newly:
            self.mark_off_chain(channel, row["digest"])
        return newly

    def mark_off_chain(self, channel: str, digest: Digest) -> None:
        """Mark one entry as no longer taken: it keeps its row and counts for nothing."""
        query = "INSERT OR IGNORE INTO held (channel, kind, reason, digest) VALUES (?, 'off chain', 'no longer taken', ?)"
        self.database.run(query, channel, digest)

    def agreeable_sequence(self, channel: str) -> int:
        """Return up to where a channel would go on if a person agreed."""
        row = self.database.one(
            "SELECT e.sequence FROM channels c JOIN entries e ON e.channel = c.channel AND e.digest = c.agreeable"
            " WHERE c.channel = ?",
            channel,
        )
        return row["sequence"] if row else 0

    def is_on_chain(self, channel: str, event_id: Id) -> bool:
        """Tell whether an entry that counts holds an event."""
        row = self.database.one(
            f"SELECT 1 FROM entries e WHERE e.channel = ? AND e.event_id = ? AND {ON_CHAIN}",  # noqa: S608  # own text
            channel,
            event_id,
        )
        return row is not None

    def begun_at(self, channel: str, epoch: int) -> int:
        """Return the place of the first entry that counts of an epoch of a channel; 1 if I hold none."""
        query = f"SELECT min(e.sequence) FROM entries e WHERE e.channel = ? AND e.epoch = ? AND {ON_CHAIN}"  # noqa: S608  # own text
        row = self.database.one(query, channel, epoch)
        return int(row[0] or 1) if row is not None else 1

    def digest_at(self, channel: str, sequence: int) -> tuple[int, Digest] | None:
        """Return epoch and digest of the entry that counts at a place of a channel, None if I hold none."""
        row = self.database.one(
            f"SELECT e.epoch, e.digest FROM entries e WHERE e.channel = ? AND e.sequence = ? AND {ON_CHAIN}"  # noqa: S608  # own text
            " ORDER BY e.epoch DESC",
            channel,
            sequence,
        )
        return (row["epoch"], row["digest"]) if row else None

    def digests_at(self, channel: str, epoch: int, sequence: int) -> set[Digest]:
        """Return the digests of all I hold for a place of an epoch, whether it still counts or not."""
        rows = self.database.all(
            "SELECT digest FROM entries WHERE channel = ? AND epoch = ? AND sequence = ?", channel, epoch, sequence
        )
        return {row["digest"] for row in rows}

    def standing(self, channel: str) -> Standing | None:
        """Return where a channel stands, None if nothing of it is entered."""
        row = self.database.one(_STANDING, channel)
        if row is None:
            return None
        epoch, sequence, digest, certificates, hint, hint_record, *rest = row
        place = Place(epoch, sequence, digest, certificates_of(certificates))
        return Standing(place, Hint(hint, hint_record), *rest)

    def move(
        self, channel: str, place: Place, *, written_at: int = 0, hint: Hint | None = None, news_since: int | None = None
    ) -> None:
        """Note where a channel stands now; with ``hint`` where to look on in the log, with ``news_since`` that there is news."""
        position, record = hint or (None, None)
        self.database.run(
            "INSERT INTO channels (channel, epoch, sequence, digest, certificates, written_at, hint, hint_record, news_since)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, coalesce(?7, 0), ?8, ?9) ON CONFLICT (channel) DO UPDATE SET"
            " epoch = excluded.epoch, sequence = excluded.sequence, digest = excluded.digest,"
            " certificates = excluded.certificates,"
            " written_at = max(written_at, excluded.written_at), hint = coalesce(?7, hint),"
            " hint_record = CASE WHEN ?7 IS NULL THEN hint_record ELSE ?8 END,"
            " news_since = coalesce(news_since, excluded.news_since),"
            " shown_sequence = min(shown_sequence, excluded.sequence), read_sequence = min(read_sequence, excluded.sequence),"
            " told_sequence = min(told_sequence, excluded.sequence),"
            " receipted_sequence = min(receipted_sequence, excluded.sequence)",
            channel,
            place.epoch,
            place.sequence,
            place.digest,
            _certificate_path(place.certificates),
            written_at,
            position,
            record,
            news_since,
        )

    def note_hint(self, channel: str, hint: Hint) -> None:
        """Note where to look on in the log."""
        self.note(channel, hint=hint.position, hint_record=hint.record)

    def note(self, channel: str, **values: str | int | bytes | None) -> None:
        """Set columns of a channel's row; the names are of this module's callers, never of an input."""
        names = ", ".join(f"{name} = ?" for name in values)
        self.database.run(f"UPDATE channels SET {names} WHERE channel = ?", *values.values(), channel)  # noqa: S608  # own names


@lru_cache(maxsize=4096)
def _certificate_path(certificates: tuple[Certificate, ...]) -> bytes:
    return encode(_CERTIFICATES, {"path": [each.der for each in certificates]})


@lru_cache(maxsize=4096)
def certificates_of(row: bytes) -> tuple[Certificate, ...]:
    """Return the certificates in a row of ``channels``, in the order in which they came; the last one is current."""
    # A channel has few and is looked up at each step; parsing takes longer than the look-up.
    return tuple(parse_leaf(der) for der in decode_own(_CERTIFICATES, row)["path"])


def statement_of(row: Row) -> Statement:
    """Return the statement of a row of ``entries``."""
    return decode_statement(row["statement"])
