"""Where a process of the exchange stands, seen from outside at any moment: also after a SIGKILL, for what it wrote last.

A forked child notes in a page of shared memory what it begins: a transaction, its commit, a file that is written durably, its
way out. Nothing of ours is replaced for that: the driver's connection class and an audit hook of the interpreter tell it.
"""

from __future__ import annotations

import functools
import mmap
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

__all__ = ["Aim", "Phase", "Spot", "watched"]

_MOMENTS_AT: Final = 8


class Phase(Enum):
    """What a process was doing; the words stand in the table of a run."""

    STARTING = "before its first transaction"
    WITHIN = "in a transaction"
    COMMITTING = "in a commit"
    FILING = "writing a file"
    BETWEEN = "between two"
    LEAVING = "leaving"


_PHASES: Final = list(Phase)
# The outermost of these functions on the stack says which step of a worker it is.
_STEPS: Final = {
    "start": "start",
    "receive_once": "receive",
    "sign_once": "sign",
    "receipt_once": "receipt",
    "send_once": "send",
    "check_own_once": "read back",
    "rotate_once": "rotate",
    "_open_channels": "open channels",
    "migrate": "migrate",
}
_NAMES: Final = ["", *_STEPS.values()]


@dataclass(frozen=True, slots=True)
class Aim:
    """When a process is to be killed: so many seconds after its fork, or after its ``moment``-th beginning of a
    transaction, of a commit or of a durable file.

    ``seconds`` are counted from the fork, or from the moment's beginning; 0 is the moment itself, in every run alike.
    """

    seconds: float
    moment: int | None = None


@dataclass(slots=True)
class Spot:
    """A page that a child writes and its parent reads."""

    page: mmap.mmap = field(default_factory=lambda: mmap.mmap(-1, mmap.PAGESIZE))

    def set(self, phase: Phase, step: str | None = None) -> None:
        self.page[0] = _PHASES.index(phase)
        if step is not None:
            self.page[1] = _NAMES.index(step)

    @property
    def phase(self) -> Phase:
        return _PHASES[self.page[0]]

    @property
    def step(self) -> str:
        return _NAMES[self.page[1]]

    @property
    def moments(self) -> int:
        return int.from_bytes(self.page[_MOMENTS_AT : _MOMENTS_AT + 4], "big")

    def count(self) -> int:
        number = self.moments + 1
        self.page[_MOMENTS_AT : _MOMENTS_AT + 4] = number.to_bytes(4, "big")
        return number


@dataclass(slots=True)
class _Watch:
    """What notes where this process stands, and kills it in the moment it is to be killed in."""

    spot: Spot
    aim: Aim | None

    def sees(self, sql: str) -> None:
        if sql.startswith("BEGIN"):
            self.spot.set(Phase.WITHIN, _step())
            self._moment()
        elif sql == "COMMIT":
            self.spot.set(Phase.COMMITTING)
            self._moment()

    def saw(self, sql: str) -> None:
        if sql in ("COMMIT", "ROLLBACK"):
            self.spot.set(Phase.BETWEEN)

    def hears(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str) and arguments[0].endswith(".new"):
            self.spot.set(Phase.FILING, _step())
            self._moment()

    def _moment(self) -> None:
        number = self.spot.count()
        if self.aim is None or number != self.aim.moment:
            return
        if not self.aim.seconds:
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            # A thread, because the driver and fsync let others run while they write: the kill hits in their middle.
            threading.Thread(target=_die, args=(self.aim.seconds,), daemon=True).start()


def _die(seconds: float) -> None:
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


def _step() -> str:
    frame, found = sys._getframe(2), ""  # noqa: SLF001  # the documented way to look at one's own stack
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("services.post"):
            found = _STEPS.get(frame.f_code.co_name, found)
        frame = frame.f_back  # type: ignore[assignment]  # the last one has none
    return found


@contextmanager
def watched(spot: Spot, aim: Aim | None) -> Iterator[None]:
    """Note in ``spot`` where this process stands while inside, and die as ``aim`` says. For a forked child alone."""
    watch = _Watch(spot, aim)

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            watch.sees(sql)
            done = super().execute(sql, parameters)
            watch.saw(sql)
            return done

    sqlite3.connect = functools.partial(sqlite3.connect, factory=Connection)  # type: ignore[assignment]  # the same call
    sys.addaudithook(watch.hears)
    yield
    spot.set(Phase.LEAVING)
