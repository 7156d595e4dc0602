"""What a disk did, in words for who has to mend it: the same for the log and for a participant's database."""

from __future__ import annotations

import sqlite3
from typing import Final

__all__ = ["disk_trouble"]

_PRIMARY: Final = 0xFF
_TROUBLES: Final = {
    sqlite3.SQLITE_FULL: "cannot grow, its disk is full: make room there",
    sqlite3.SQLITE_READONLY: "may not be written: look at the rights of the file and its folder, and how its disk is mounted",
    sqlite3.SQLITE_IOERR: "cannot be written or read: its disk failed, is gone, or a quota is used up",
}


def disk_trouble(error: sqlite3.Error) -> str | None:
    """Return what is wrong with the disk and what to do, to be read after the file's name; None if the error is another one."""
    return _TROUBLES.get(getattr(error, "sqlite_errorcode", 0) & _PRIMARY)
