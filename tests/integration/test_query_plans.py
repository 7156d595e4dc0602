"""Work grows with what is asked, not with what is stored: daily work reads through no table that grows with it."""

from __future__ import annotations

import functools
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from services.post.status import look
from services.post.viewing import cases
from services.wire.channels import COMMISSION
from tests.chains import SCHOOL
from tests.exchange import two_sides
from tests.integration.test_two_sides import answered, asked, examined, recommended
from tests.people import another_pupil
from tests.troubles import settled

# What grows with cases, letters and years. Not channels (three a school), nor what waits for a signature.
GROWING = {"entries", "stored_events", "held", "keys", "grants", "parts", "cases", "people", "deadlines"}
MEANT = (
    # A page of the list of cases, newest first: it ends after as many rows as it shows.
    r"FROM cases c WHERE .* ORDER BY case_id DESC LIMIT \?",
    # A school gives a new pupil the next number; it has as many cases as pupils who need an assistant.
    r"SELECT count\(\*\) FROM cases$",
    # The ring file is written whole, once for all that is sent together.
    r"SELECT \* FROM keys ORDER BY key_id$",
)
HOUR = 3_600_000


@pytest.fixture
def read_through(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The statements given to SQLite from now on that read through a growing table, each with what its plan says."""
    found: dict[str, str] = {}

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:  # as the driver's own
            if re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT)", sql) and not any(re.search(each, sql) for each in MEANT):
                for row in super().execute(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall():
                    if _is_long(sql, row[3]):
                        found[sql] = row[3]
            return super().execute(sql, parameters)

    monkeypatch.setattr(sqlite3, "connect", functools.partial(sqlite3.connect, factory=Connection))
    return found


def _is_long(sql: str, plan: str) -> bool:
    """Tell whether a line of a plan reads all of a growing table, or all entries of a channel."""
    scanned = re.match(r"SCAN (\w+)", plan)
    if scanned is not None:
        named = re.search(rf"(?:FROM|JOIN) (\w+) {scanned[1]}\b", sql)
        return (named[1] if named else scanned[1]) in GROWING
    # The highest one of a channel is its last row in the index.
    return bool(re.search(r"\bentries\w* \(channel=\?\)", plan)) and "max(sequence)" not in sql


def test_the_life_of_a_case_and_a_quiet_day_read_through_nothing(tmp_path: Path, read_through: dict[str, str]) -> None:
    exchange = two_sides(tmp_path)
    settled(exchange)
    read_through.clear()
    case_id, theirs = asked(exchange, pupil=another_pupil(3))
    settled(exchange)
    examined(exchange, theirs)
    recommended(exchange, theirs)
    answered(exchange, theirs)
    settled(exchange)
    assert exchange.members[SCHOOL].state(case_id) == "ReadyForDecision"
    for name in (SCHOOL, COMMISSION):
        assert cases(exchange.members[name].office)
    exchange.clock.now += 2 * HOUR
    settled(exchange)
    assert read_through == {}


def test_a_status_reads_through_nothing_also_where_much_is_held(tmp_path: Path, read_through: dict[str, str]) -> None:
    exchange = two_sides(tmp_path)
    asked(exchange, pupil=another_pupil(3))
    settled(exchange)
    read_through.clear()
    for name in (SCHOOL, COMMISSION):
        database = exchange.members[name].office.database
        held = "INSERT INTO held (channel, kind, reason, digest, resolved_at) VALUES ('a.record', ?, '', ?, ?)"
        for number in range(200):
            database.run(held, "refused", bytes([number]), number % 2 or None)
        look(database, name, now=exchange.clock.now, lease=tmp_path / "none")
    assert read_through == {}


def test_a_statement_that_reads_through_a_growing_table_would_be_found(tmp_path: Path, read_through: dict[str, str]) -> None:
    office = two_sides(tmp_path).members[SCHOOL].office
    read_through.clear()
    office.database.all("SELECT digest FROM entries e WHERE own = 1")
    office.database.all("SELECT * FROM held WHERE reason = ?", "anything")
    office.database.all("SELECT * FROM entries WHERE channel = ?", "a channel")
    assert len(read_through) == 3
