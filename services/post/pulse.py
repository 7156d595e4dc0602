"""The pulse of a worker: what it shows of itself to threads that look while it works.

Written by the worker's thread alone, one value at a time; who reads waits for nothing. By the machine's running clock, so that
neither a clock that is set nor one that is wrong makes a worker look dead, or alive.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from services.post.status import Lease
from services.wire.errors import DatabaseBusyError, DiskError, TransportError

__all__ = ["Pulse", "WaitsFor"]


class WaitsFor(Enum):
    """What a worker waits for that will pass by itself."""

    LOG = "log"
    DATABASE = "database"
    DISK = "disk"


@dataclass(slots=True)
class Pulse:
    """What is seen of a worker.

    ``name`` is what it is called in the database, None until it has taken over; ``closed`` is how many channels took nothing a
    moment ago.
    """

    monotonic: Callable[[], float] = time.monotonic
    name: str | None = None
    is_started: bool = False
    waits_for: WaitsFor | None = None
    closed: int = 0
    _beat: float = field(init=False)

    def __post_init__(self) -> None:
        self.beat()

    def beat(self) -> None:
        """Note that a step begins, or another piece of a start."""
        self._beat = self.monotonic()

    def wait(self, error: TransportError) -> None:
        """Note what is waited for."""
        if isinstance(error, DatabaseBusyError):
            self.waits_for = WaitsFor.DATABASE
        else:
            self.waits_for = WaitsFor.DISK if isinstance(error, DiskError) else WaitsFor.LOG
        self.beat()

    def is_of(self, lease: Lease) -> bool:
        """Tell whether this worker is the one that works here."""
        return lease.held and self.name is not None and lease.name == self.name

    @property
    def silent_seconds(self) -> float:
        """For how long no step has begun."""
        return self.monotonic() - self._beat
