"""The lease: one worker of a participant signs, sends and receives.

A lock on a file keeps a second one out. A lock can fail a worker that was stopped for a while (somebody took the file for a
left-over, a disk of a network gave the lock away), so who has taken over stands in the database too, and a worker that it is not
writes nothing there any more.
Source: design.md section 3; docs/adr/0018.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from services.post.office import Office, when_of
from services.wire.errors import LeaseError

__all__ = ["LEASE", "holder_of", "lease", "take_over"]

LEASE: Final = "database.lease"
"""The file of the lease, in a participant's folder."""

_MINE_BYTES: Final = 8
_TRIES: Final = 5
_PAUSE_SECONDS: Final = 0.02


@contextmanager
def lease(path: Path) -> Iterator[None]:
    """Hold the lease of a participant: a lock on a file beside its database, gone with the process.

    Raises: LeaseError if another worker holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if not _locks_soon(descriptor):
        number = _process(descriptor)
        os.close(descriptor)
        process = f" (process {number})" if number is not None else ""
        raise LeaseError(
            f"another worker of this participant is active{process}: one is enough. If that one stands still, end it first"
        )
    try:
        # For who is kept out; a disk that is full is told of where something is lost by it.
        with suppress(OSError):
            os.truncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        yield
    finally:
        os.close(descriptor)


def holder_of(path: Path) -> tuple[bool, int | None]:
    """Tell whether a worker holds the lease, and the number of its process where it is known."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False, None
    try:
        # Closing gives it back at once; who begins to work at this moment tries again.
        return (False, None) if _locks(descriptor, fcntl.LOCK_SH) else (True, _process(descriptor))
    finally:
        os.close(descriptor)


def take_over(office: Office) -> str:
    """Say in the database that this worker is the one that writes there; whoever was before it learns that, and ends.

    Returns what this worker is called there. From now on each writing transaction of this office raises LeaseError as soon as
    another worker has taken over, or the database was put back to a time before this one.
    """
    mine = f"worker {office.random(_MINE_BYTES).hex()}"
    with office.database.transaction():
        office.database.run("DELETE FROM said WHERE name LIKE 'worker %'")
        office.database.run("INSERT INTO said VALUES (?, ?)", mine, office.clock())

    def require_mine() -> None:
        if office.database.one("SELECT 1 FROM said WHERE name = ?", mine) is None:
            rows = office.database.all("SELECT at FROM said WHERE name LIKE 'worker %'")
            since = f"since {when_of(rows[0]['at'])} another worker is at work" if rows else "it was put back meanwhile"
            raise LeaseError(f"this database is no longer this worker's: {since}. This one wrote nothing there since, and ends")

    office.database.guard(require_mine)
    return mine


def _locks_soon(descriptor: int) -> bool:
    # Whoever only looks has the lock for a moment; a worker keeps it.
    for _ in range(_TRIES):
        if _locks(descriptor, fcntl.LOCK_EX):
            return True
        time.sleep(_PAUSE_SECONDS)
    return False


def _locks(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _process(descriptor: int) -> int | None:
    text = os.read(descriptor, 20).decode("ascii", "replace").strip()
    return int(text) if text.isdecimal() else None
