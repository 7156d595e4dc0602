"""Bounds: how much memory and how much time a question may take, whatever it is.

DuckDB's own limit counts what it keeps, and not what one step of a query makes on the way (a text repeated a million times, a
thousand rows at once), nor what an answer is in this process. So the process itself is held to a limit while a question is asked.
"""

from __future__ import annotations

import re
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Final

from services.wire.errors import RefusedError

__all__ = ["MemoryLimitError", "TimeLimit", "TimeLimitError", "held_to", "size_of"]

_SIZE: Final = re.compile("([1-9][0-9]{0,5})(MB|GB)")
_UNITS: Final = {"MB": 10**6, "GB": 10**9}
_BESIDES_BYTES: Final = 256 * 10**6
"""What threads, buffers and the writer of a form take, however small an answer is."""


class MemoryLimitError(RefusedError):
    """The events, or what a query makes of them, are more than the memory it may have."""

    def __init__(self) -> None:
        super().__init__("This needs more memory than it may have: ask for less, or give more with --memory.")


class TimeLimitError(RefusedError):
    """A query was not answered in the time that it may take."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"This was not answered within {seconds:g} seconds: ask for less, or give more with --seconds.")


def size_of(memory: str) -> int:
    """Return a size of memory in bytes. Raises: RefusedError if it is none."""
    # DuckDB takes more for a size than this, a negative one for no limit at all.
    size = _SIZE.fullmatch(memory)
    if size is None:
        raise RefusedError(f"{memory[:40]} is no size of memory; 500MB or 2GB is.")
    return int(size[1]) * _UNITS[size[2]]


@contextmanager
def held_to(memory: str) -> Iterator[None]:
    """Hold this process to twice so much memory more than it has now: once for the database, once for the answer.

    Where the system does not count memory (not Linux) the database's own limit is all there is.
    Raises: MemoryLimitError where it was not enough; RefusedError if it is no size.
    """
    size, has = size_of(memory), _data_bytes()
    if not has:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = has + 2 * size + _BESIDES_BYTES
    for known in (soft, hard):
        wanted = wanted if known == resource.RLIM_INFINITY else min(wanted, known)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    except MemoryError:
        raise MemoryLimitError from None
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


@dataclass(slots=True)
class TimeLimit:
    """So many seconds for a question, None for no limit; then ``interrupt`` ends it. Time between its steps does not count."""

    seconds: float | None
    interrupt: Callable[[], None]
    _spent: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let a step of it run, and interrupt it when the time is over."""
        if self.seconds is None:
            yield
            return
        timer, began = Timer(max(0.0, self.seconds - self._spent), self.interrupt), monotonic()
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._spent += monotonic() - began


def _data_bytes() -> int:
    """Return how much memory of its own this process has, as the limit counts it; 0 where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:")), 0)
