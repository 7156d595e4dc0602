"""The key ring: which keys a participant holds, as rows that commit with the first event sealed under them.

Decides which key seals what, and whether a key may be taken in. Nobody seals under a key it received; nothing that was
erased comes back.
Source: design.md sections 5 and 7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from services.post.database import Database, Row
from services.post.ring import KeyRow, RingFile, RingKeys, unwrap, wrap
from services.wire.errors import GrantError, RingError
from services.wire.grants import SUITE, EncryptionKey, GrantedKey, KeyUse, prekey_id
from services.wire.hashing import Digest
from services.wire.sealing import KEY_BYTES, key_id

__all__ = ["KeyRing", "OwnKey"]

_ENCRYPTION: Final = "ENCRYPTION"
_SEED_BYTES: Final = 64


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
        """Return a key by its id, None if it is not on the ring or erased."""
        row = self.database.one("SELECT * FROM keys WHERE key_id = ?", identity)
        # Asked of the database each time: another process may have erased it.
        if row is None or row["wrapped"] is None:
            self._open.pop(identity, None)
            return None
        return self._opened(row)

    def is_erased(self, identity: Digest) -> bool:
        """Tell whether a key was here and was erased."""
        row = self.database.one("SELECT erased_at FROM keys WHERE key_id = ?", identity)
        return row is not None and row["erased_at"] is not None

    def take(self, channel: str, granted: GrantedKey, *, made_here: bool = False) -> bool:
        """Put a granted key on the ring and return whether it is new; ``made_here`` for one of mine that came back.

        Raises: GrantError if it was erased here, or is known with another use, channel or case.
        """
        identity = key_id(granted.key)
        row = self.database.one("SELECT * FROM keys WHERE key_id = ?", identity)
        if row is None:
            # One of mine that came back opens what it sealed; where another was made since, that one seals what is new.
            mine = made_here and (granted.use is KeyUse.FACTS or self._current_case_key(channel, granted.case_id) is None)
            new = self._row(identity, granted.key, granted.use.value, channel, case_id=granted.case_id, made_here=mine)
            self._insert(replace(new, superseded_at=self.clock()) if mine and granted.use is KeyUse.FACTS else new)
            return True
        # A letter that is still in the mailbox must not undo an erasure.
        if row["erased_at"] is not None:
            raise GrantError("a granted key was erased here")
        if (row["key_use"], row["channel"], row["case_id"]) != (granted.use.value, channel, granted.case_id):
            raise GrantError("a granted key is known here for another use")
        return False

    def supersede_facts_keys(self, recipient: str) -> int:
        """Let the current facts keys that somebody was given be the last of their kind, and return how many those are."""
        return self.database.run(
            "UPDATE keys SET superseded_at = ? WHERE key_use = 'FACTS' AND made_here = 1 AND superseded_at IS NULL"
            " AND key_id IN (SELECT key_id FROM grants WHERE recipient = ?)",
            self.clock(),
            recipient,
        )

    def local_key(self, use: str) -> bytes:
        """Return the key for something that never leaves this participant (LOOKUP, DRAFTS), made now if there is none."""
        row = self.database.one("SELECT * FROM keys WHERE key_use = ? AND superseded_at IS NULL", use)
        if row is not None:
            return self._opened(row).key
        made = self.random(KEY_BYTES)
        self._insert(self._row(key_id(made), made, use, "", made_here=True))
        return made

    def encryption_keys(self) -> dict[Digest, EncryptionKey]:
        """Return my private encryption keys by prekey id."""
        rows = self.database.all("SELECT * FROM keys WHERE key_use = ? AND wrapped IS NOT NULL", _ENCRYPTION)
        return {row["key_id"]: _encryption_key(self._opened(row).key) for row in rows}

    def current_encryption_key(self) -> EncryptionKey | None:
        """Return the newest of my encryption keys, None if none was made."""
        row = self.database.one(
            "SELECT * FROM keys WHERE key_use = ? AND superseded_at IS NULL AND wrapped IS NOT NULL", _ENCRYPTION
        )
        return _encryption_key(self._opened(row).key) if row else None

    def renew_encryption_key(self) -> EncryptionKey:
        """Make the next encryption key current and return it; older ones still open what is under way."""
        made = self.random(_SEED_BYTES + KEY_BYTES)
        fresh = _encryption_key(made)
        identity = prekey_id(SUITE, fresh.public_key)
        with self.database.transaction():
            self.database.run(
                "UPDATE keys SET superseded_at = ? WHERE key_use = ? AND superseded_at IS NULL", self.clock(), _ENCRYPTION
            )
            self._insert(self._row(identity, made, _ENCRYPTION, "", made_here=True))
        return fresh

    def rows(self) -> tuple[KeyRow, ...]:
        """Return all rows as the ring file keeps them, in the order of their ids."""
        return tuple(_key_row(row) for row in self.database.all("SELECT * FROM keys ORDER BY key_id"))

    def start(self, file: RingFile) -> None:
        """Take every key that opens under a ring key that still exists, from rows and ring file, less the erased.

        Raises: RingError if there are keys and none of them opens.
        """
        known = {row.key_id: row for row in self.rows()}
        opened = 0
        with self.database.transaction():
            for row in (*known.values(), *file.keys):
                key = unwrap(self.ring, row)
                if key is None:
                    continue
                opened += 1
                here = known.get(row.key_id)
                if here is None:
                    self._insert(replace(row, generation=self.ring.newest, wrapped=wrap(self.ring, row.key_id, key, self.random)))
                    known[row.key_id] = row
        if not opened and any(row.wrapped is not None for row in known.values()):
            raise RingError("no key of the ring opens under the ring key that is here: it is another participant's or an old one")

    def _current_case_key(self, channel: str, case_id: bytes | None) -> Row | None:
        return self.database.one(
            "SELECT * FROM keys WHERE channel = ? AND case_id = ? AND key_use = 'CASE' AND made_here = 1 AND erased_at IS NULL",
            channel,
            case_id,
        )

    def _make(self, use: KeyUse, channel: str, *, year: int | None = None, case_id: bytes | None = None) -> OwnKey:
        key = self.random(KEY_BYTES)
        row = self._row(key_id(key), key, use.value, channel, case_id=case_id, year=year, made_here=True)
        self._insert(row)
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

    def _insert(self, row: KeyRow) -> None:
        names = list(KeyRow.__dataclass_fields__)
        marks = ", ".join("?" * len(names))
        with self.database.transaction():
            # Whoever inserts a key holds the generation's row, so that no key slips past a ring that is made anew.
            self.database.run("INSERT INTO ring VALUES (?) ON CONFLICT DO UPDATE SET generation = generation", row.generation)
            self.database.run(
                f"INSERT INTO keys ({', '.join(names)}) VALUES ({marks})",  # noqa: S608  # names of a class of ours
                *(getattr(row, name) for name in names),
            )

    def _opened(self, row: Row) -> OwnKey:
        found = _key_row(row)
        if found.key_id in self._open:
            return self._open[found.key_id]
        key = unwrap(self.ring, found)
        if key is None:
            raise RingError(f"the key {found.key_id.hex()[:16]} is wrapped under a ring key that is not here")
        opened = OwnKey(key_id=found.key_id, key=key, key_use=found.key_use, channel=found.channel, case_id=found.case_id)
        self._open[found.key_id] = opened
        return opened


def _key_row(row: Row) -> KeyRow:
    values = {name: row[name] for name in KeyRow.__dataclass_fields__}
    return KeyRow(**{**values, "made_here": bool(row["made_here"])})


def _encryption_key(made: bytes) -> EncryptionKey:
    return EncryptionKey(seed=made[:_SEED_BYTES], scalar=made[_SEED_BYTES:])
