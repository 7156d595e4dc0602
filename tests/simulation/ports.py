"""The ports of a simulated process: each call of one is a moment at which the process may be killed, or the world may move."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeVar

from services.channel.port import Record, Until
from services.post.database import Database
from services.post.office import Signers
from services.post.ring import KeyRow
from services.post.ring_file import Head, RingFile
from services.wire.hashing import Digest
from tests.exchange import FixedSigning

__all__ = [
    "DESTRUCTION",
    "END_ASKED_FOR",
    "MOMENTS",
    "RARE",
    "Crash",
    "Disk",
    "Fuse",
    "PortOfLog",
    "RingOnDisk",
    "SigningPort",
    "WatchedDatabase",
    "put_off",
]

_Of = TypeVar("_Of")


DESTRUCTION: Final = ("before a signing key is destroyed", "after a signing key is destroyed")
END_ASKED_FOR: Final = "the end of a channel is asked for"
RARE: Final = (*DESTRUCTION, END_ASKED_FOR)
"""Calls of ports that few processes ever make: a site is doomed to one, and its next process that makes it is killed."""

MOMENTS: Final = (
    "a poll",
    "a signing key is asked for",
    "after a commit",
    "after an append",
    "after the ring file is written",
    "before a commit",
    "before an append",
    "before the ring file is written",
    "randomness is asked for",
    "the time is asked for",
)
"""The other calls of ports at which a process may be killed."""


class Crash(BaseException):  # no Exception: a killed process handles nothing
    """The process ends here, in the middle of whatever it did."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


@dataclass(slots=True)
class Fuse:
    """Counts a process's port calls down to the one at which it is killed; None is never. ``only`` counts one kind of them.

    Whatever a killed process calls while it is unwound fails in the same way: nothing of it may reach anything.
    """

    left: int | None = None
    only: str | None = None
    burnt: Callable[[str], None] = lambda _: None
    is_doomed: Callable[[str], bool] = lambda _: False
    _burnt_at: str | None = None

    def call(self, where: str) -> None:
        if self._burnt_at is not None:
            raise Crash(self._burnt_at)
        if where in RARE and self.is_doomed(where):
            self._burn(where)
        if self.left is None or self.only not in (None, where):
            return
        self.left -= 1
        if self.left <= 0:
            self.left = None
            self._burn(where)

    def _burn(self, where: str) -> None:
        self._burnt_at = where
        self.burnt(where)
        raise Crash(where)


@dataclass(slots=True)
class Disk:
    """A machine's disk; ``full_commits`` is how many of the next commits find no room on it.

    ``left`` are connections to the database there that ended processes have left; whoever changes its files closes them first.
    """

    full_commits: int = 0
    happened: Callable[[], None] = lambda: None
    left: list[sqlite3.Connection] = field(default_factory=list)

    def let_go(self) -> None:
        """Close what ended processes have left."""
        while self.left:
            self.left.pop().close()

    def commit(self) -> None:
        if self.full_commits > 0:
            self.full_commits -= 1
            self.happened()
            raise sqlite3.OperationalError("database or disk is full")


class WatchedDatabase(Database):
    """The real database, whose commits may be the last thing that a process does, or find the disk full.

    A process that ends leaves its connection to the next one over the same file, as it would find the file: what was not
    committed is gone. To open one, and to have it understand the same statements again, is a third of what a start costs.
    """

    def __init__(self, path: Path, fuse: Fuse, disk: Disk) -> None:
        self._fuse, self._disk = fuse, disk
        # Nobody waits in a simulation: whoever holds the database does so in this very thread.
        super().__init__(path, busy_timeout_seconds=0.0)

    def close(self) -> None:
        """Undo what is not committed, and leave the connections."""
        for connection in self._opened:
            connection.rollback()
        self._disk.left += self._opened
        self._opened.clear()
        super().close()

    def _connected(self, path: Path | str) -> sqlite3.Connection:
        if self._disk.left:
            return self._disk.left.pop()
        # All processes of a simulation are one: SQLite need not ask the system for locks on the file.
        return super()._connected(f"{Path(path).as_uri()}?vfs=unix-excl")

    def _commit(self, connection: sqlite3.Connection) -> None:
        self._fuse.call("before a commit")
        self._disk.commit()
        super()._commit(connection)
        self._fuse.call("after a commit")


class RingOnDisk(RingFile):
    """The real ring file, before and after each of whose writings a process may be killed."""

    fuse: Fuse

    @classmethod
    def of(cls, path: Path, fuse: Fuse) -> RingOnDisk:
        made = cls(path)
        made.reload()
        made.fuse = fuse
        return made

    def save(self, keys: Iterable[KeyRow], heads: Mapping[str, Head]) -> None:
        self.fuse.call("before the ring file is written")
        super().save(keys, heads)
        self.fuse.call("after the ring file is written")

    def add(self, keys: Iterable[KeyRow], heads: Mapping[str, Head], unsent: tuple[bytes, ...] = ()) -> None:
        self.fuse.call("before the ring file is written")
        super().add(keys, heads, unsent)
        self.fuse.call("after the ring file is written")


def put_off(work: Callable[[], _Of], /) -> Callable[[], _Of]:
    """The ``Beside`` port: do it when its end is waited for, and not before."""
    return work


@dataclass(slots=True)
class SigningPort:
    """The signing keys of a site, asked for by one process of it."""

    keys: FixedSigning
    fuse: Fuse

    def __call__(self) -> Signers:
        self.fuse.call("a signing key is asked for")
        return self.keys()

    def destroy(self, certificate: Digest) -> None:
        self.fuse.call("before a signing key is destroyed")
        self.keys.destroy(certificate)
        self.fuse.call("after a signing key is destroyed")


class LogOfAll(Protocol):
    """What a process reaches through its port to the log."""

    def appended(self, site: str, channel: str, records: Sequence[bytes]) -> None: ...

    def polled(self, site: str, positions: Mapping[str, int], limit: int) -> list[Record]: ...

    def ends_at(self, site: str, channel: str) -> int: ...


@dataclass(slots=True)
class PortOfLog:
    """One process's port to the log; ``between`` lets the rest of the world go on while the process waits for its answer."""

    log: LogOfAll
    site: str
    fuse: Fuse
    between: Callable[[], None]

    def append(self, channel: str, records: Sequence[bytes]) -> None:
        self.fuse.call("before an append")
        self.log.appended(self.site, channel, records)
        self.between()
        self.fuse.call("after an append")

    def poll(
        self,
        positions: Mapping[str, int],
        *,
        timeout_seconds: float,  # noqa: ARG002  # as the port
        limit: int,
        until: Until | None = None,  # noqa: ARG002  # as the port
    ) -> list[Record]:
        self.fuse.call("a poll")
        found = self.log.polled(self.site, positions, limit)
        self.between()
        return found

    def end(self, channel: str) -> int:
        self.fuse.call(END_ASKED_FOR)
        return self.log.ends_at(self.site, channel)

    def close(self) -> None:
        """Close nothing: the log is everybody's."""
