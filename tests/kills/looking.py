"""Looking into the databases of an exchange from beside, between two forks: each look opens a file and closes it again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from services.wire.channels import COMMISSION, REGISTRAR, TRUST_CHANNEL, commission_case, from_commission, to_commission

__all__ = ["Sight", "query"]


def query(path: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Return the rows of a query on a database that others write to; none where it has not been made yet."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=30, isolation_level=None)) as connection:
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise


@dataclass(frozen=True, slots=True)
class Sight:
    """What the participants of the exchange in ``folder`` know now."""

    folder: Path

    def database(self, name: str) -> Path:
        return self.folder / name / "database.sqlite"

    def ask(self, name: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return query(self.database(name), sql, *values)

    def cases(self, name: str) -> dict[UUID, str]:
        return {UUID(case_id): state for case_id, state in self.ask(name, "SELECT case_id, state FROM cases")}

    def events(self, name: str, case_id: UUID) -> list[str]:
        sql = "SELECT topic FROM stored_events WHERE originator_id = ? ORDER BY originator_version"
        return [topic for (topic,) in self.ask(name, sql, case_id.hex)]

    def queued(self, name: str) -> int:
        """Return how many open entries and events were ever queued for a signature here."""
        rows = self.ask(name, "SELECT seq FROM sqlite_sequence WHERE name = 'outgoing'")
        return int(rows[0][0]) if rows else 0

    def is_quiet(self, names: list[str]) -> bool:
        """Tell whether everything is signed, sent, read by whoever reads it, and receipted."""
        heads = {name: self._heads(name) for name in names}
        waiting = any(self.ask(name, "SELECT 1 FROM outgoing LIMIT 1") for name in names)
        news = any(
            self.ask(name, "SELECT 1 FROM channels WHERE news_since IS NOT NULL AND channel LIKE '%commission'") for name in names
        )
        is_quiet = not waiting and not news and all(self._is_read(heads, name) for name in names)
        # What was looked at first may have changed while the rest was looked at: a receipt ends what is news and moves a head.
        return is_quiet and heads == {name: self._heads(name) for name in names}

    def _heads(self, name: str) -> dict[str, tuple[int, bool]]:
        rows = self.ask(name, "SELECT channel, sequence, shown_sequence FROM channels")
        return {channel: (sequence, sequence == shown) for channel, sequence, shown in rows}

    def _is_read(self, heads: dict[str, dict[str, tuple[int, bool]]], name: str) -> bool:
        """Tell whether a participant has sent all it wrote, and its readers have read it."""
        if name == REGISTRAR:
            mine = {TRUST_CHANNEL: [each for each in heads if each != REGISTRAR]}
        elif name == COMMISSION:
            mine = {f"{COMMISSION}.record": []} | {from_commission(each): [each] for each in heads if each.startswith("school")}
        else:
            mine = {f"{name}.record": [], to_commission(name): [COMMISSION]}
        for channel, readers in mine.items():
            head, is_sent = heads[name].get(channel, (0, False))
            if not is_sent or any(heads[reader].get(channel, (0, False))[0] != head for reader in readers):
                return False
        return True

    def other_side(self, school: str, case_id: UUID) -> UUID:
        """Return the commission's number of a school's case."""
        return commission_case(case_id, to_commission(school))
