"""What the machine of one process is like: a quota, a full disk, no right to write, a clock that is wrong. Done in the child."""

from __future__ import annotations

import ctypes
import os
import resource
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

__all__ = ["bound_by_modes", "clock_moved", "full_disk", "set_quota"]

_VERSION_3: Final = 0x20080522
_QUOTA_BYTES: Final = 4096


def set_quota(process: int, *, is_used_up: bool) -> None:
    """Let no file of a process grow beyond a page, or give it back all room. The kernel refuses what would be written beyond."""
    resource.prlimit(
        process, resource.RLIMIT_FSIZE, (_QUOTA_BYTES if is_used_up else resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )


def full_disk(name: str) -> Callable[[], None]:
    """Return what lets the SQLite file of that name grow no more in this process: SQLite then says that the disk is full."""

    def connect(original: Callable[..., sqlite3.Connection], path: Any, *arguments: Any, **keywords: Any) -> sqlite3.Connection:
        connection = original(path, *arguments, **keywords)
        if str(path).endswith(name):
            connection.execute("PRAGMA max_page_count=1")
        return connection

    def before() -> None:
        sqlite3.connect = partial(connect, sqlite3.connect)  # type: ignore[assignment]  # the same call

    return before


def bound_by_modes() -> None:
    """Let the modes of files count also for root, which may do everything otherwise."""
    if os.geteuid() == 0:
        header, nothing = (ctypes.c_uint32 * 2)(_VERSION_3, 0), (ctypes.c_uint32 * 6)()
        if ctypes.CDLL(None, use_errno=True).capset(header, nothing):
            raise OSError(ctypes.get_errno(), "capset")


def clock_moved(milliseconds: int) -> Callable[[], None]:
    """Return what moves this machine's clock by so much in this process."""

    def before() -> None:
        right = time.time_ns
        time.time_ns = lambda: right() + milliseconds * 1_000_000

    return before
