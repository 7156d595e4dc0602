"""Measuring two things against each other on a machine that others use too.

Both are run in turn, each time in the other order, and what counts is the median of the ratios of neighbours: whatever slows
the machine down for a while slows both sides of a ratio, and a single bad moment is no median.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

__all__ = ["Paired", "in_turn", "of_pairs", "paired", "say", "seconds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """The median of the paired ratios of two runs, and the median seconds of the second one."""

    ratio: float
    seconds: float


def seconds(run: Callable[[], object]) -> float:
    """Return how long one run takes."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def paired(one: Callable[[], object], other: Callable[[], object], *, rounds: int) -> Paired:
    """Return the time of ``one`` against that of ``other``, run in turn."""
    return of_pairs(in_turn(one, other, is_second_first=bool(number % 2)) for number in range(rounds))


def in_turn(one: Callable[[], object], other: Callable[[], object], *, is_second_first: bool) -> tuple[float, float]:
    """Return the seconds of two runs side by side."""
    if is_second_first:
        later = seconds(other)
        return seconds(one), later
    return seconds(one), seconds(other)


def of_pairs(times: Iterable[tuple[float, float]]) -> Paired:
    """Return the same of pairs of seconds that were measured side by side."""
    pairs = list(times)
    return Paired(ratio=median(one / other for one, other in pairs), seconds=median(other for _, other in pairs))


def say(what: str, ratio: float, goal: str, detail: str) -> None:
    """Print one ratio."""
    print(f"{what:<62} {ratio:7.2f}   goal {goal:<7} {detail}", flush=True)  # noqa: T201  # what it is for
