"""The database and the case store: what commits together, what conflicts, what a second process sees."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from services.channel.embedded import EmbeddedChannel
from services.post.database import Database, migrations
from services.post.store import CaseStore, SealedEvent
from services.wire.errors import ConflictError, DatabaseBusyError, DatabaseError, MigrationError
from services.wire.hashing import Id

CASE = UUID("01900000-0000-7000-8000-000000000001")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "database.sqlite", busy_timeout_seconds=0.05)
    made.migrate()
    yield made
    made.close()


def received(database: Database, name: str) -> int:
    row = database.one("SELECT notification_id FROM tracking WHERE application_name = ?", name)
    return row[0] if row else 0


def event(version: int, *, number: int | None = None) -> SealedEvent:
    return SealedEvent(
        CASE, version, "ApplicationFiled", "school-1.record", Id(bytes([number or version]) * 16), b"body", b"facts"
    )


def test_a_database_and_a_log_that_are_forgotten_hold_no_file_open(tmp_path: Path) -> None:
    database = Database(tmp_path / "forgotten.sqlite")
    connection = database.connection
    del database
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
    log = EmbeddedChannel(tmp_path / "log.sqlite", clock=lambda: 0)
    log.append("school-1.record", [b"record"])
    descriptors = len(list(Path("/dev/fd").iterdir()))
    del log
    gc.collect()
    assert len(list(Path("/dev/fd").iterdir())) < descriptors


def test_a_stream_comes_back_byte_for_byte_in_its_order(database: Database) -> None:
    store = CaseStore(database)
    store.append([event(1), event(2)])
    store.append([event(3)])
    stream = CaseStore(database).stream(CASE)
    assert stream.events == (event(1), event(2), event(3))
    assert stream.version == 3
    assert store.stream(UUID(int=5)).events == ()


def test_whoever_extends_a_stream_second_has_to_look_again(database: Database) -> None:
    store = CaseStore(database)
    store.append([event(1)])
    with pytest.raises(ConflictError):
        store.append([event(1, number=9)])


def test_one_event_is_stored_once_whatever_the_case(database: Database) -> None:
    store = CaseStore(database)
    store.append([event(1)])
    with pytest.raises(ConflictError):
        store.append([event(2, number=1)])


def test_a_channel_is_never_received_backwards_and_nothing_of_the_attempt_stays(database: Database) -> None:
    store = CaseStore(database)
    store.append([event(1)])
    assert store.track("school-1.record#0", 7)
    for sequence in (7, 3):
        assert not store.track("school-1.record#0", sequence)
    assert store.stream(CASE).version == 1
    assert received(database, "school-1.record#0") == 7
    assert received(database, "school-1.record#1") == 0


def test_what_fails_in_the_middle_leaves_nothing(database: Database) -> None:
    store = CaseStore(database)
    with pytest.raises(ConflictError), database.transaction():  # noqa: PT012  # one transaction
        database.run("INSERT INTO parts VALUES (?, ?)", b"digest", b"sealed")
        store.append([event(1)])
        assert store.track("school-1.record#0", 1)
        store.append([event(1)])
    assert database.all("SELECT * FROM parts") == []
    assert store.stream(CASE).version == 0
    assert received(database, "school-1.record#0") == 0


def test_a_second_writer_waits_and_is_told_so_in_the_end(database: Database) -> None:
    other = Database(database.path, busy_timeout_seconds=0.05)
    with database.transaction(), pytest.raises(DatabaseBusyError, match="try again"):
        other.run("DELETE FROM parts")
    other.close()


def test_a_worker_refuses_a_database_that_is_not_migrated(tmp_path: Path) -> None:
    fresh = Database(tmp_path / "fresh.sqlite")
    with pytest.raises(MigrationError, match="run the command migrate"):
        fresh.require_current()
    assert fresh.migrate() == [number for number, _ in migrations()]
    assert fresh.migrate() == []
    fresh.run("PRAGMA user_version=99")
    with pytest.raises(MigrationError, match="newer"):
        fresh.require_current()
    fresh.close()


def test_a_file_of_something_else_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    with pytest.raises(DatabaseError, match="something else"):
        Database(path)
    (tmp_path / "text").write_bytes(b"not a database, certainly not one of ours" * 50)
    with pytest.raises(DatabaseError):
        Database(tmp_path / "text")


def test_a_copy_that_lost_its_write_ahead_log_gets_it_back(database: Database, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    database.connection.execute("VACUUM INTO ?", (str(copy),))
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
    opened = Database(copy)
    assert opened.connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    opened.close()
