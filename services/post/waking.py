"""Waking: whoever saves something lets a worker that waits look at once, through a named pipe beside the database.

Nothing is said by it but that it is worth looking, and nothing depends on it: what is in the pipe is lost with whoever reads
it, and a worker that was not woken looks when its time to wait is over. So each failure here costs time and nothing else.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from services.post.database import Database
from services.wire.errors import ExchangeError

__all__ = ["WAKE", "Wakeups", "wake"]

_logger = logging.getLogger(__name__)

WAKE: Final = "database.wake"
"""The name of the pipe, in a participant's folder; it is there while a worker works."""

_NOBODY: Final = -1
_OWNER_ONLY: Final = 0o600
_MOST_BYTES: Final = 65_536


def wake(pipe: Path) -> None:
    """Wake the worker that reads a pipe; where none does, or something else stands there, do nothing."""
    # Without waiting: a pipe that nobody reads, or that is full, must not hold whoever has saved something.
    with suppress(OSError):
        descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            # Whatever else stands under this name is not ours to write to.
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, b"\0")
        finally:
            os.close(descriptor)


class Wakeups:
    """What ends a worker's waiting for the log: somebody has changed its database. The ``Until`` of the channel port."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pipe = _NOBODY

    def __call__(self) -> bool:
        """Tell whether somebody else has committed since this was asked last; who woke the worker is not told apart."""
        if self._pipe != _NOBODY:
            # Before the look: who writes after this commits before it, or wakes again.
            with suppress(OSError):
                os.read(self._pipe, _MOST_BYTES)
        return self._database.has_changed()

    def fileno(self) -> int:
        """Return what can be read from when it is worth asking, -1 where nobody tells."""
        return self._pipe

    @contextmanager
    def listening(self, pipe: Path) -> Iterator[None]:
        """Let others wake this worker through a pipe, made now; where none can be had, it goes on looking by itself."""
        try:
            self._pipe = _opened(pipe)
        except OSError as error:
            reason = error.strerror or "it is something else"
            _logger.info("%s cannot be used, acts are looked for instead: %s", pipe.name, reason, extra={"event": "no-wake"})
            yield
            return
        self._database.tell(None)
        try:
            yield
        finally:
            descriptor, self._pipe = self._pipe, _NOBODY
            # What another worker reads, who has taken over or made a pipe of its own, is its.
            with suppress(OSError, ExchangeError):
                self._database.require()
                if os.path.samestat(pipe.stat(follow_symlinks=False), os.fstat(descriptor)):
                    pipe.unlink()
            os.close(descriptor)


def _opened(pipe: Path) -> int:
    """Return a pipe to read from, one that a killed worker left if there is one. Raises: OSError if it is anything else."""
    with suppress(FileExistsError):
        os.mkfifo(pipe, _OWNER_ONLY)
    # For writing too: with no writer left, a pipe would look as if there were something to read for ever.
    descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    found = os.fstat(descriptor)
    # In a folder that others may write to, somebody else's pipe could keep a worker awake.
    if not stat.S_ISFIFO(found.st_mode) or found.st_uid != os.geteuid():
        os.close(descriptor)
        raise OSError
    return descriptor
