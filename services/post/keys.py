"""The key ring: which keys a participant holds, as rows that commit with the first event sealed under them.

Decides which key seals what, and whether a key may be taken in. Nobody seals under a key it received; nothing that was
erased comes back.
Source: design.md sections 5 and 7.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Final
from uuid import UUID

from services.post.database import Database, Row
from services.post.ring import KeyRow, RingKeys, merged, unwrap, wrap
from services.post.ring_file import Head, RingFile
from services.wire.errors import Evidence, GrantError, RingError
from services.wire.grants import SUITE, EncryptionKey, GrantedKey, KeyUse, prekey_id
from services.wire.hashing import Digest
from services.wire.sealing import KEY_BYTES, key_id

__all__ = ["KeyRing", "OwnKey", "use_of"]

# A use stands in the text of a query, never bound: SQLite would prepare the query anew each time, to see whether an index of
# some uses alone fits.
_ENCRYPTION: Final = "ENCRYPTION"
_SEED_BYTES: Final = 64
# What may change of a row; the rest is what the key is for, for ever.
_CHANGING: Final = ("made_here", "generation", "wrapped", "superseded_at", "erased_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKey:
    """A key of mine to seal with, or one that I hold."""

    key_id: Digest
    key: bytes
    key_use: str
    channel: str
    case_id: bytes | None


@dataclass(slots=True)
class KeyRing:
    """The keys of one participant; ``clock`` gives milliseconds since 1970, ``random`` bytes that nobody can guess."""

    database: Database
    ring: RingKeys
    clock: Callable[[], int]
    random: Callable[[int], bytes]
    _open: dict[Digest, OwnKey] = field(default_factory=dict)
    _saved: int = 0

    def facts_key(self, channel: str, year: int) -> OwnKey:
        """Return the current facts key of a channel of mine for a year, made now if there is none.

        Raises: ConflictError if another process made one at the same moment; reload and there it is.
        """
        row = self.database.one(
            "SELECT * FROM keys WHERE channel = ? AND year = ? AND key_use = 'FACTS' AND made_here = 1 AND superseded_at IS NULL",
            channel,
            year,
        )
        return self._opened(row) if row else self._make(KeyUse.FACTS, channel, year=year)

    def case_key(self, channel: str, case_id: UUID) -> OwnKey:
        """Return the key of a case in a channel of mine, made now if there is none."""
        row = self._current_case_key(channel, case_id.bytes)
        return self._opened(row) if row else self._make(KeyUse.CASE, channel, case_id=case_id.bytes)

    def get(self, identity: Digest) -> OwnKey | None:
        """Return a key by its id, None if it is not on the ring or erased, or opens no more and opens personal parts alone.

        Raises: RingError if a facts key that was here opens no more.
        """
        row = self.database.one("SELECT * FROM keys WHERE key_id = ?", identity)
        # Asked of the database each time: another process may have erased it.
        if row is None or row["wrapped"] is None:
            self._open.pop(identity, None)
            return None
        # A history without facts that it had would be decided upon as if they had never been.
        return self._opened(row) if row["key_use"] == KeyUse.FACTS.value else self._opened_if_whole(row)

    def is_erased(self, identity: Digest) -> bool:
        """Tell whether a key was here and was erased."""
        row = self.database.one("SELECT erased_at FROM keys WHERE key_id = ?", identity)
        return row is not None and row["erased_at"] is not None

    def take(self, channel: str, granted: GrantedKey, *, made_here: bool = False) -> bool:
        """Put a granted key on the ring and return whether it is new, or mends one that opened no more.

        ``made_here`` is for one of mine that came back.

        Raises: GrantError if it was erased here, or is known with another use, channel or case.
        """
        identity = key_id(granted.key)
        row = self.database.one("SELECT * FROM keys WHERE key_id = ?", identity)
        if row is None:
            # One of mine that came back opens what it sealed; where another was made since, that one seals what is new.
            mine = made_here and (granted.use is KeyUse.FACTS or self._current_case_key(channel, granted.case_id) is None)
            new = self._row(identity, granted.key, granted.use.value, channel, case_id=granted.case_id, made_here=mine)
            self._put(replace(new, superseded_at=self.clock()) if mine and granted.use is KeyUse.FACTS else new)
            return True
        # A letter that is still in the mailbox must not undo an erasure.
        if row["erased_at"] is not None:
            raise GrantError("a granted key was erased here")
        known, said = (row["key_use"], row["channel"], row["case_id"]), (granted.use.value, channel, granted.case_id)
        if known != said:
            evidence = Evidence(channel=channel, expected=use_of(*known), found=use_of(*said))
            raise GrantError("a granted key is known here for another use", evidence)
        if self._opened_if_whole(row) is not None:
            return False
        self._put(self._wrapped(_key_row(row), granted.key))
        return True

    def supersede_facts_keys(self, recipient: str) -> int:
        """Let the current facts keys that somebody was given be the last of their kind, and return how many those are."""
        return self.database.run(
            "UPDATE keys SET superseded_at = ? WHERE key_use = 'FACTS' AND made_here = 1 AND superseded_at IS NULL"
            " AND key_id IN (SELECT key_id FROM grants WHERE recipient = ?)",
            self.clock(),
            recipient,
        )

    def supersede_all_facts_keys(self) -> int:
        """Let all current facts keys of mine be the last of their kind, and return how many those are."""
        query = "UPDATE keys SET superseded_at = ? WHERE key_use = 'FACTS' AND made_here = 1 AND superseded_at IS NULL"
        return self.database.run(query, self.clock())

    def local_key(self, use: str) -> bytes:
        """Return the key for something that never leaves this participant (LOOKUP, DRAFTS), made now if there is none."""
        row = self.database.one(f"SELECT * FROM keys WHERE key_use = '{use}' AND superseded_at IS NULL")  # noqa: S608  # own names
        if row is not None:
            return self._opened(row).key
        made = self.random(KEY_BYTES)
        self._put(self._row(key_id(made), made, use, "", made_here=True))
        return made

    def facts_keys(self) -> tuple[bytes, ...]:
        """Return all facts keys that I hold, my own and those I was given, as far as they open."""
        rows = self.database.all("SELECT * FROM keys WHERE key_use = 'FACTS' AND wrapped IS NOT NULL ORDER BY key_id")
        return tuple(opened.key for row in rows if (opened := self._opened_if_whole(row)) is not None)

    def held_facts_keys(self, channel: str) -> int:
        """Return how many facts keys of a channel are here."""
        row = self.database.one(
            "SELECT count(*) FROM keys WHERE key_use = 'FACTS' AND channel = ? AND wrapped IS NOT NULL", channel
        )
        return row[0] if row is not None else 0

    def case_keys(self) -> tuple[bytes, ...]:
        """Return all keys of cases that I hold, my own and those I was given, as far as they open."""
        rows = self.database.all("SELECT * FROM keys WHERE key_use = 'CASE' AND wrapped IS NOT NULL ORDER BY key_id")
        return tuple(opened.key for row in rows if (opened := self._opened_if_whole(row)) is not None)

    def erased(self) -> tuple[Digest, ...]:
        """Return the ids of the keys that were here and were erased."""
        rows = self.database.all("SELECT key_id FROM keys WHERE erased_at IS NOT NULL ORDER BY key_id")
        return tuple(Digest(row["key_id"]) for row in rows)

    def encryption_keys(self) -> dict[Digest, EncryptionKey]:
        """Return my private encryption keys by prekey id, as far as they open."""
        rows = self.database.all(f"SELECT * FROM keys WHERE key_use = '{_ENCRYPTION}' AND wrapped IS NOT NULL")  # noqa: S608  # as above
        opened = (self._opened_if_whole(row) for row in rows)
        return {each.key_id: _encryption_key(each.key) for each in opened if each is not None}

    def current_encryption_key(self) -> EncryptionKey | None:
        """Return the newest of my encryption keys, None if none was made."""
        row = self.database.one(
            f"SELECT * FROM keys WHERE key_use = '{_ENCRYPTION}' AND superseded_at IS NULL AND wrapped IS NOT NULL"  # noqa: S608  # as above
        )
        return _encryption_key(self._opened(row).key) if row else None

    def renew_encryption_key(self) -> EncryptionKey:
        """Make the next encryption key current and return it; older ones still open what is under way."""
        made = self.random(_SEED_BYTES + KEY_BYTES)
        fresh = _encryption_key(made)
        row = self._row(prekey_id(SUITE, fresh.public_key), made, _ENCRYPTION, "", made_here=True)
        with self.database.transaction():
            # At the same moment: by that each is known as the one before the other.
            query = "UPDATE keys SET superseded_at = ? WHERE key_use = ? AND superseded_at IS NULL"
            self.database.run(query, row.created_at, _ENCRYPTION)
            self._put(row)
        return fresh

    def rows(self) -> tuple[KeyRow, ...]:
        """Return all rows as the ring file keeps them, in the order of their ids."""
        return tuple(_key_row(row) for row in self.database.all("SELECT * FROM keys ORDER BY key_id"))

    def save(self, file: RingFile, heads: Mapping[str, Head], unsent: tuple[bytes, ...] = ()) -> None:
        """Let the ring file hold what changed since this was done last, in the open transaction, these heads, and what is unsent.

        Raises: DiskError.
        """
        found = self.database.all("SELECT * FROM keys WHERE changed > ? ORDER BY changed", self._saved)
        file.add((_key_row(row) for row in found), heads, unsent)
        self._saved = found[-1]["changed"] if found else self._saved

    def start(self, file: RingFile) -> tuple[str, ...]:
        """Take every key that opens from database or ring file, less the erased, into both; return what opens from neither.

        Both say afterwards what either knew: erased wins over all, superseded over current, and of two keys that would seal
        the same the database's stays. What opens nowhere keeps its row, for a better copy to come, and seals nothing.
        Raises: RingError if there are keys and none of them opens, or the ring file is damaged.
        """
        self._saved = 0
        # Also the file: what another worker wrote there since it was read would be written over.
        with self.database.transaction():
            file.reload()
            here = {row.key_id: row for row in self.rows()}
            there = {row.key_id: row for row in file.keys}
            found = [self._found(*(rows[each] for rows in (here, there) if each in rows)) for each in sorted({*here, *there})]
            lost = [row for row, is_whole in found if not is_whole]
            if lost and not any(is_whole and row.wrapped is not None for row, is_whole in found):
                raise RingError(
                    "no key of the ring opens under the ring key that is here: it is another participant's or an old one"
                )
            wanted = _one_a_seat([row for row, is_whole in found if is_whole], set(here), self.clock())
            wanted += [_unseated(row, self.clock()) for row in lost]
            # Those that seal nothing any more first: their place must be free for whichever seals now.
            for row in sorted(wanted, key=lambda row: _seat(row) is not None):
                if row != here.get(row.key_id):
                    self._put(row)
            file.save(self.rows(), file.heads)
        return tuple(_lost(row) for row in lost)

    def _found(self, *copies: KeyRow) -> tuple[KeyRow, bool]:
        """Return what the copies of a row say together, wrapped under the newest ring key, and whether it is whole."""
        row = reduce(merged, copies)
        if row.erased_at is not None:
            # Nothing that is erased is current, whatever index asks.
            ended = row.superseded_at if row.superseded_at is not None else row.erased_at
            return replace(row, wrapped=None, superseded_at=ended), True
        for copy in copies:
            if (key := unwrap(self.ring, copy)) is not None:
                kept = replace(row, generation=copy.generation, wrapped=copy.wrapped)
                return kept if copy.generation == self.ring.newest else self._wrapped(row, key), True
        return row, False

    def _current_case_key(self, channel: str, case_id: bytes | None) -> Row | None:
        return self.database.one(
            "SELECT * FROM keys WHERE channel = ? AND case_id = ? AND key_use = 'CASE' AND made_here = 1 AND erased_at IS NULL",
            channel,
            case_id,
        )

    def _make(self, use: KeyUse, channel: str, *, year: int | None = None, case_id: bytes | None = None) -> OwnKey:
        key = self.random(KEY_BYTES)
        row = self._row(key_id(key), key, use.value, channel, case_id=case_id, year=year, made_here=True)
        self._put(row)
        # Not remembered yet: if the transaction around this is rolled back, the key never was.
        return OwnKey(key_id=row.key_id, key=key, key_use=use.value, channel=channel, case_id=case_id)

    def _row(self, identity: Digest, key: bytes, use: str, channel: str, **more: Any) -> KeyRow:
        return KeyRow(
            key_id=identity,
            key_use=use,
            channel=channel,
            case_id=more.get("case_id"),
            year=more.get("year"),
            made_here=more["made_here"],
            created_at=self.clock(),
            generation=self.ring.newest,
            wrapped=wrap(self.ring, identity, key, self.random),
        )

    def _wrapped(self, row: KeyRow, key: bytes) -> KeyRow:
        return replace(row, generation=self.ring.newest, wrapped=wrap(self.ring, row.key_id, key, self.random))

    def _put(self, row: KeyRow) -> None:
        """Write a row, new or in its place.

        Raises: ConflictError if another key seals the same.
        """
        names = list(KeyRow.__dataclass_fields__)
        marks = ", ".join("?" * len(names))
        changed = ", ".join(f"{name} = excluded.{name}" for name in _CHANGING)
        with self.database.transaction():
            # Whoever inserts a key holds the generation's row, so that no key slips past a ring that is made anew.
            self.database.run("INSERT INTO ring VALUES (?) ON CONFLICT DO UPDATE SET generation = generation", row.generation)
            self.database.run(
                f"INSERT INTO keys ({', '.join(names)}, changed)"  # noqa: S608  # names of a class of ours
                f" VALUES ({marks}, (SELECT coalesce(max(changed), 0) + 1 FROM keys))"
                f" ON CONFLICT (key_id) DO UPDATE SET {changed}",
                *(getattr(row, name) for name in names),
            )

    def _opened(self, row: Row) -> OwnKey:
        opened = self._opened_if_whole(row)
        if opened is None:
            raise RingError(f"the key {row['key_id'].hex()[:16]} opens under no ring key that is here: a start says what is lost")
        return opened

    def _opened_if_whole(self, row: Row) -> OwnKey | None:
        if row["key_id"] in self._open:
            return self._open[row["key_id"]]
        found = _key_row(row)
        key = unwrap(self.ring, found)
        if key is None:
            return None
        opened = OwnKey(key_id=found.key_id, key=key, key_use=found.key_use, channel=found.channel, case_id=found.case_id)
        self._open[found.key_id] = opened
        return opened


def _seat(row: KeyRow) -> tuple[Any, ...] | None:
    """Return what a row is the one key to seal with, or to publish, for; None if it is for nothing any more."""
    if row.erased_at is not None or not row.made_here:
        return None
    if row.key_use != KeyUse.CASE.value and row.superseded_at is not None:
        return None
    return row.key_use, row.channel, row.case_id, row.year


def _unseated(row: KeyRow, now: int) -> KeyRow:
    """Return a row that opens what it sealed and seals nothing more."""
    if _seat(row) is None:
        return row
    return replace(row, made_here=False) if row.key_use == KeyUse.CASE.value else replace(row, superseded_at=now)


def _one_a_seat(rows: Iterable[KeyRow], here: Container[Digest], now: int) -> list[KeyRow]:
    """Let one row stay for each seat: the database's, which has sealed or published what is there; else the newest."""
    ranked = sorted(rows, key=lambda row: (row.key_id in here, row.created_at, row.key_id))
    last = {_seat(row): row.key_id for row in ranked}
    return [row if last[_seat(row)] == row.key_id else _unseated(row, now) for row in ranked]


def _lost(row: KeyRow) -> str:
    what = f"the key {row.key_id.hex()[:16]} ({row.key_use} {row.channel})".replace(" )", ")")
    return f"{what} opens neither from the database nor from the ring file: start again with a copy of it that is whole"


def use_of(use: str, channel: str, case_id: bytes | None) -> str:
    """Return in words what a key is for, as evidence says it."""
    return f"{use} of {channel}" + (f", case {case_id.hex()}" if case_id else "")


def _key_row(row: Row) -> KeyRow:
    values = {name: row[name] for name in KeyRow.__dataclass_fields__}
    return KeyRow(**{**values, "made_here": bool(row["made_here"])})


def _encryption_key(made: bytes) -> EncryptionKey:
    return EncryptionKey(seed=made[:_SEED_BYTES], scalar=made[_SEED_BYTES:])
