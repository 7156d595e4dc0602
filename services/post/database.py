"""A participant's database: one SQLite file, transactions that everything joins, and numbered migrations.

Decides how rows are kept, not which. PostgreSQL comes behind this same class: nobody else here opens a connection or names
an error of a driver.
Source: design.md section 8.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from services.channel.disk import disk_trouble
from services.wire.errors import ConflictError, DatabaseBusyError, DatabaseError, DiskError, ExchangeError, MigrationError

__all__ = ["Database", "Row", "migrations"]

Row = sqlite3.Row

_APPLICATION_ID: Final = 0x53415250
_BUSY: Final = ("locked", "busy")


def migrations() -> list[tuple[int, str]]:
    """Return the numbered migrations of this release, in order; their files are read once a process."""
    return list(_migrations())


@cache
def _migrations() -> tuple[tuple[int, str], ...]:
    folder = files("services.post").joinpath("migrations")
    found = [(int(each.name[:4]), each.read_text("utf-8")) for each in folder.iterdir() if each.name.endswith(".sql")]
    return tuple(sorted(found))


class Database:
    """One participant's SQLite file; a connection a thread.

    Raises: DatabaseError if the file cannot be opened or is a database of something else.
    """

    def __init__(self, path: Path, *, busy_timeout_seconds: float = 5.0) -> None:
        self.path = path
        self._timeout = busy_timeout_seconds
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        # Whoever is done with a database may forget it: a file is not held open until some collection of garbage.
        weakref.finalize(self, _close_all, self._opened)
        self._guard: Callable[[], None] | None = None
        self._teller: Callable[[], None] | None = None
        self._connection()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run everything inside as one writing transaction; a transaction inside another joins it.

        Raises: ConflictError if a row that must be unique was there first; DatabaseBusyError if another process held the
        database for longer than the busy timeout; DiskError if the disk is full, may not be written or fails; DatabaseError for
        whatever else the file says.
        """
        connection = self._connection()
        try:
            if connection.in_transaction:
                yield connection
                return
            # IMMEDIATE: a deferred transaction fails at once, without waiting, when it becomes a writing one.
            connection.execute("BEGIN IMMEDIATE")
            try:
                if self._guard is not None:
                    self._guard()
                yield connection
                self._commit(connection)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            if self._teller is not None:
                self._teller()
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error

    def guard(self, check: Callable[[], None]) -> None:
        """Let ``check`` be done first in every writing transaction from now on; what it raises ends the transaction."""
        self._guard = check

    def require(self) -> None:
        """Do that check now, without holding anybody: for whoever has nothing to write. Raises: what it raises."""
        if self._guard is not None:
            self._guard()

    def tell(self, teller: Callable[[], None] | None) -> None:
        """Let ``teller`` be called after each writing transaction from now on, which is durable by then; it must not fail."""
        self._teller = teller

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection of this thread, for a library that reads through it."""
        return self._connection()

    def all(self, sql: str, *parameters: Any) -> list[Row]:
        """Return the rows of a query, inside the open transaction if there is one."""
        try:
            return self._connection().execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error

    def one(self, sql: str, *parameters: Any) -> Row | None:
        """Return the first row of a query, None if there is none."""
        try:
            row: Row | None = self._connection().execute(sql, parameters).fetchone()
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error
        return row

    def run(self, sql: str, *parameters: Any) -> int:
        """Run one statement and return how many rows it changed; alone, it is its own transaction."""
        connection = self._connection()
        if not connection.in_transaction:
            with self.transaction():
                return connection.execute(sql, parameters).rowcount
        try:
            return connection.execute(sql, parameters).rowcount
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error

    def has_changed(self) -> bool:
        """Tell whether anybody but this thread has committed since it asked last; looks at one number, and at no row."""
        row = self.one("PRAGMA data_version")
        before, self._local.changes = getattr(self._local, "changes", None), row and row[0]
        return bool(before != self._local.changes)

    def migrate(self) -> list[int]:
        """Bring the database to this release's version and return the migrations that ran. Run by one command, never by a worker.

        Raises: MigrationError if the database is of a newer release.
        """
        ran = []
        for number, script in migrations():
            with self.transaction() as connection:
                if number <= self.version:
                    continue
                for statement in _statements(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number}")
                ran.append(number)
        self.require_current()
        return ran

    def require_current(self) -> None:
        """Return if the database is at this release's version; workers check, and refuse.

        Raises: MigrationError naming the command that helps.
        """
        newest, found = migrations()[-1][0], self.version
        if found < newest:
            raise MigrationError(f"{self.path.name} is at version {found}, this program needs {newest}: run the command migrate")
        if found > newest:
            raise MigrationError(f"{self.path.name} is at version {found}, newer than this program knows ({newest}): update it")

    @property
    def version(self) -> int:
        """The number of the last migration that ran here, 0 for none."""
        row = self.one("PRAGMA user_version")
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            _close_all(self._opened)
            self._local = threading.local()

    def _commit(self, connection: sqlite3.Connection) -> None:
        connection.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            with _mapped(self.path):
                found = self._opened_connection()
            self._local.connection = found
        return found

    def _connected(self, path: Path | str) -> sqlite3.Connection:
        is_uri = isinstance(path, str)
        return sqlite3.connect(path, timeout=self._timeout, isolation_level=None, check_same_thread=False, uri=is_uri)

    def _opened_connection(self) -> sqlite3.Connection:
        connection = self._connected(self.path)
        connection.row_factory = sqlite3.Row
        try:
            self._require_ours(connection)
            # FULL: what was acknowledged survives a power cut. secure_delete: a deleted part leaves no bytes in free pages.
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._opened.append(connection)
        return connection

    def _require_ours(self, connection: sqlite3.Connection) -> None:
        # In this order: a process that makes the file at this moment writes its name before its tables.
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        found = connection.execute("PRAGMA application_id").fetchone()[0]
        if found != _APPLICATION_ID:
            if found or tables:
                raise DatabaseError(f"{self.path.name} is a database of something else")
            connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
        # Also of a file that is ours: a copy made by VACUUM INTO has lost it, and every reader would block the writer.
        connection.execute("PRAGMA journal_mode=WAL")


def _close_all(connections: list[sqlite3.Connection]) -> None:
    for connection in connections:
        connection.close()
    connections.clear()


def _statements(script: str) -> list[str]:
    """Split a migration, whose statements end with their lines."""
    found, statement = [], ""
    for line in script.splitlines():
        if line.lstrip().startswith("--"):
            continue
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            found.append(statement.strip())
            statement = ""
    # The last one may lack its semicolon.
    return [*found, *filter(None, [statement.strip()])]


@contextmanager
def _mapped(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(error, path) from error


def _translated(error: sqlite3.Error, path: Path) -> ExchangeError:
    """Return what a driver's error means here."""
    if isinstance(error, sqlite3.IntegrityError):
        return ConflictError("somebody else changed the same thing first; look again and repeat")
    if isinstance(error, sqlite3.OperationalError) and any(word in str(error) for word in _BUSY):
        return DatabaseBusyError(f"{path.name} is held by another process; try again")
    if (trouble := disk_trouble(error)) is not None:
        return DiskError(f"{path.name} {trouble}. Nothing of what was begun here is saved; repeat it then")
    return DatabaseError(f"{path.name}: {error}")
