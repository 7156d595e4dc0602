"""Two things at once: one that waits for the log is done beside one that waits for the disk.

A port, so that a simulation does them one after the other, in either order.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

__all__ = ["Beside", "InThread", "in_turn"]

_Of = TypeVar("_Of")


class Beside(Protocol):
    """Does something while the caller goes on."""

    def __call__(self, work: Callable[[], _Of], /) -> Callable[[], _Of]:
        """Begin ``work``; what is returned waits for its end, and returns or raises what it did."""
        ...


def in_turn(work: Callable[[], _Of], /) -> Callable[[], _Of]:
    """Do it at once, before the caller goes on."""
    done = work()
    return lambda: done


class InThread:
    """Does it in a thread of its own, which begins when it is needed first; ``work`` must not touch the database."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="beside")

    def __call__(self, work: Callable[[], _Of], /) -> Callable[[], _Of]:
        """Begin it in the thread."""
        return self._pool.submit(work).result
