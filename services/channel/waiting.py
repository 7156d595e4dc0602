"""Waiting for descriptors, as both adapters do while there is nothing to read."""

from __future__ import annotations

import math
import select
from collections.abc import Iterable

__all__ = ["readable"]


def readable(descriptors: Iterable[int], seconds: float) -> set[int]:
    """Wait until one of these can be read from, for so long at the most, and return those that can; negative ones never can."""
    # Not ``select``, which knows the first 1,024 descriptors of a process alone.
    polling = select.poll()
    for each in descriptors:
        if each >= 0:
            polling.register(each, select.POLLIN)
    return {descriptor for descriptor, _ in polling.poll(math.ceil(max(0.0, seconds) * 1000))}
