"""The embedded log: one SQLite file for all channels, shared by processes of one machine.

Durable on return (write-ahead log, ``synchronous=FULL``). Mailboxes expire after 30 days, in bounded steps, when somebody
appends to them; a position is never given twice, also after the newest record has expired.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from services.channel.disk import disk_trouble
from services.channel.port import RECORD_LIMIT_BYTES, Record, Until
from services.channel.waiting import readable
from services.wire.errors import ChannelUnavailableError, RecordTooLargeError

__all__ = ["MAILBOX_DAYS", "EmbeddedChannel"]

MAILBOX_DAYS: Final = 30

_MAILBOX: Final = ".mailbox"
_EXPIRE_AT_ONCE: Final = 1000
_FOR_EVER: Final = -(2**63)
# Far beyond what a log can hold, and far enough from SQLite's largest number that every next position is one too.
_LAST_POSITION: Final = 2**62
_DAY_MILLISECONDS: Final = 86_400_000
_LOOK_AGAIN_SECONDS: Final = 0.01
_APPLICATION_ID: Final = 0x5341524B
_TABLES: Final = (
    (
        "CREATE TABLE IF NOT EXISTS records"
        " (channel TEXT, position INTEGER, appended_at INTEGER, value BLOB, PRIMARY KEY (channel, position))"
    ),
    "CREATE TABLE IF NOT EXISTS ends (channel TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
)


class EmbeddedChannel:
    """The ``Channel`` port over one SQLite file; a handle may be used by several threads, one at a time inside.

    ``clock`` gives milliseconds since 1970; only the expiry of mailboxes reads it. ``read_only`` is for auditors: the file
    has to be there, the right to read it is enough, and nothing can be appended.
    Raises: ChannelUnavailableError if the file cannot be opened or is no log of this kind.
    """

    def __init__(
        self, path: Path, *, clock: Callable[[], int], busy_timeout_seconds: float = 5.0, read_only: bool = False
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._closed = False
        self._alone: tuple[int, ...] | None = None
        with _mapped(path):
            if read_only:
                self._connection, self._alone = _connect_reading(path, busy_timeout_seconds)
            else:
                self._connection = _connect(path, busy_timeout_seconds)
        try:
            with _mapped(path):
                self._require_ours(path, may_be_new=not read_only)
                if not read_only:
                    self._prepare(busy_timeout_seconds)
        except BaseException:
            self._connection.close()
            raise
        self._path = path
        # Whoever is done with a log may forget it, as long as nothing holds the file open after that.
        weakref.finalize(self, self._connection.close)

    def append(self, channel: str, records: Sequence[bytes]) -> None:
        """Store all of ``records`` in order at the end of ``channel``; see the port."""
        for value in records:
            if len(value) > RECORD_LIMIT_BYTES:
                raise RecordTooLargeError(f"a record is limited to {RECORD_LIMIT_BYTES} bytes, this one has {len(value)}")
        now = self._clock()
        with self._open(), self._writing():
            if channel.endswith(_MAILBOX):
                self._expire(channel)
            first = self._end(channel)
            rows = [(channel, first + place, now, value) for place, value in enumerate(records)]
            self._connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?)", rows)
            self._connection.execute("INSERT OR REPLACE INTO ends VALUES (?, ?)", (channel, first + len(rows)))

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        """Return up to ``limit`` records at or after the given positions; see the port."""
        if limit < len(positions):
            # Otherwise a flood in the first channels would keep the last ones from ever being looked at.
            raise ValueError("a poll asks for at least one record a channel")
        if timeout_seconds <= 0:
            # Who does not wait need not know what has changed meanwhile.
            with self._open():
                return self._find(positions, limit)
        end = time.monotonic() + timeout_seconds
        seen = None
        while True:
            with self._open():
                # What others committed shows in data_version, what this connection wrote (for another thread) in the second.
                state = (self._connection.execute("PRAGMA data_version").fetchone()[0], self._connection.total_changes)
                found = [] if state == seen else self._find(positions, limit)
                seen = state
            left = end - time.monotonic()
            if found or left <= 0 or (until is not None and until()):
                return found
            readable([] if until is None else [until.fileno()], min(_LOOK_AGAIN_SECONDS, left))

    def end(self, channel: str) -> int:
        """Return the position after the last record that was ever stored; see the port."""
        with self._open():
            return self._end(channel)

    def close(self) -> None:
        """Close the file; any further call is a RuntimeError."""
        with self._lock:
            self._closed = True
            self._connection.close()

    def _require_ours(self, path: Path, *, may_be_new: bool) -> None:
        # In this order: a process that makes the file at this moment writes its name before or with its tables, never after.
        tables = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        found = self._connection.execute("PRAGMA application_id").fetchone()[0]
        if found != _APPLICATION_ID and (found or tables or not may_be_new):
            raise ChannelUnavailableError(f"{path.name} is a database of something else, no log of this exchange")
        # A view can be without end, and a reader would follow it.
        kinds = self._connection.execute("SELECT DISTINCT type FROM sqlite_master WHERE name IN ('records', 'ends')").fetchall()
        if kinds and kinds != [("table",)]:
            raise ChannelUnavailableError(f"{path.name} says what it holds by views, as no log of this exchange does")

    def _prepare(self, busy_timeout_seconds: float) -> None:
        self._switch_to_wal(busy_timeout_seconds)
        self._connection.execute("PRAGMA synchronous=FULL")
        with self._writing():
            self._connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
            for table in _TABLES:
                self._connection.execute(table)

    def _switch_to_wal(self, busy_timeout_seconds: float) -> None:
        # SQLite does not wait in this one statement: of two processes that make the log at once, one would fail.
        until = time.monotonic() + busy_timeout_seconds
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() >= until:
                    raise
                time.sleep(_LOOK_AGAIN_SECONDS)
            else:
                return

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise RuntimeError("this log was closed")
            try:
                yield
            except sqlite3.Error as error:
                raise _unavailable(error, self._path) from error
            if self._alone is not None and _trace(self._path) != self._alone:
                raise ChannelUnavailableError(f"the log {self._path.name} is being written to while it is read; read it again")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        # IMMEDIATE: a deferred transaction fails at once, without the busy timeout, when it has to become a writing one.
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _find(self, positions: Mapping[str, int], limit: int) -> list[Record]:
        found: list[Record] = []
        more: dict[str, int] = {}
        # Each channel gets its share first, so that a flood in one does not hold the others.
        share = limit // max(1, len(positions))
        for channel, position in positions.items():
            some = self._some(channel, position, share)
            found += some
            if len(some) == share:
                more[channel] = some[-1].position + 1
        # Then whoever has more gets what the others left: among many channels a share is one record.
        for channel, position in more.items():
            if len(found) < limit:
                found += self._some(channel, position, limit - len(found))
        return found

    def _some(self, channel: str, position: int, limit: int) -> list[Record]:
        # SQLite keeps any type in any column, and whoever can write the file is no friend: what is not bytes is junk for
        # the reader to skip, and a position that is no number is not a place at which anybody goes on.
        rows = self._connection.execute(
            "SELECT channel, position, coalesce(CAST(value AS BLOB), x'') FROM records WHERE channel = ? AND position"
            " BETWEEN ? AND ? AND typeof(position) = 'integer' AND appended_at >= ? ORDER BY position LIMIT ?",
            (channel, position, _LAST_POSITION, self._oldest(channel), limit),
        )
        return list(map(Record._make, rows))

    def _end(self, channel: str) -> int:
        row = self._connection.execute("SELECT position FROM ends WHERE channel = ?", (channel,)).fetchone()
        noted = row[0] if row and isinstance(row[0], int) and 0 <= row[0] <= _LAST_POSITION else 0
        # What somebody wrote past us, there or further on, must not bring later records to where readers have been already.
        last = self._connection.execute(
            "SELECT position FROM records WHERE channel = ? AND position BETWEEN ? AND ? AND typeof(position) = 'integer'"
            " ORDER BY position DESC LIMIT 1",
            (channel, noted, _LAST_POSITION),
        ).fetchone()
        return last[0] + 1 if last else noted

    def _oldest(self, channel: str) -> int:
        # An expired letter is not shown either while it waits to be deleted: an old copy of a mailbox has to open nothing.
        return self._clock() - MAILBOX_DAYS * _DAY_MILLISECONDS if channel.endswith(_MAILBOX) else _FOR_EVER

    def _expire(self, channel: str) -> None:
        self._connection.execute(
            "DELETE FROM records WHERE rowid IN"
            " (SELECT rowid FROM records WHERE channel = ? AND appended_at < ? ORDER BY position LIMIT ?)",
            (channel, self._oldest(channel), _EXPIRE_AT_ONCE),
        )


def _connect(where: Path | str, busy_timeout_seconds: float) -> sqlite3.Connection:
    return sqlite3.connect(
        where, timeout=busy_timeout_seconds, isolation_level=None, check_same_thread=False, uri=isinstance(where, str)
    )


def _connect_reading(path: Path, busy_timeout_seconds: float) -> tuple[sqlite3.Connection, tuple[int, ...] | None]:
    """Return a connection that only reads, and the file's trace if nobody but us looks after it staying as it is.

    SQLite reads a log in WAL mode through ``-wal`` and ``-shm`` beside it, and makes them if they are not there. Who may not
    write to the folder reads the file as it stands, as long as nothing of it is in a ``-wal``.
    """
    connection = _connect(f"{path.absolute().as_uri()}?mode=ro", busy_timeout_seconds)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or not path.is_file():
            raise
        if _wal(path).exists():
            raise ChannelUnavailableError(
                f"the newest records of the log {path.name} are in {_wal(path).name}, which cannot be opened here: "
                "ask for the right to read it too, or for a copy made while nobody writes"
            ) from error
        if os.access(path.absolute().parent, os.W_OK):
            raise
        return _connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", busy_timeout_seconds), _trace(path)
    return connection, None


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _trace(path: Path) -> tuple[int, ...]:
    """Return what changes as soon as anybody begins to write: a ``-wal`` stands beside the file, or the file is another."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns, _wal(path).exists())


@contextmanager
def _mapped(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _unavailable(error, path) from error


def _unavailable(error: sqlite3.Error, path: Path) -> ChannelUnavailableError:
    return ChannelUnavailableError(f"the log {path.name} {disk_trouble(error) or f'does not answer: {error}'}")
