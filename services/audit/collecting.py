"""Collecting: how often Python looks for cycles among the values that are made of a log.

Nothing there makes any, and looking through the values of a page again and again took a sixth of the time of a replay.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["collect_seldom", "collected_seldom"]

_NEW_OBJECTS: Final = 50_000


def collect_seldom() -> tuple[int, ...]:
    """Look for cycles when there are many new objects only, and return what was so before."""
    before = gc.get_threshold()
    # Where it is switched off it stays so.
    gc.set_threshold(max(before[0], _NEW_OBJECTS) if before[0] else 0, *before[1:])
    return before


@contextmanager
def collected_seldom() -> Iterator[None]:
    """Do the same within a ``with``."""
    before = collect_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*before)
