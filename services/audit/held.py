"""Held: since which day somebody says, in receipts, that it holds a channel, and up to which place of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import date

__all__ = ["HeldSince"]


@dataclass(slots=True)
class HeldSince:
    """The lines of one writer's receipts about one channel, as far as they say since when it holds something.

    A line that says no more and no earlier than another one is not kept. So places and days rise together, there is one of them a
    day, and whoever writes receipts by the thousand makes no look at them slower.
    """

    _upto: list[tuple[int, int]] = field(default_factory=list)
    _days: list[date] = field(default_factory=list)

    def add(self, upto: tuple[int, int], day: date) -> None:
        """Add that the channel was held up to an epoch and sequence on a day."""
        at = bisect_left(self._upto, upto)
        if at < len(self._upto) and self._days[at] <= day:
            return
        no_better = slice(bisect_left(self._days, day), bisect_right(self._upto, upto))
        self._upto[no_better], self._days[no_better] = [upto], [day]

    def since(self, place: tuple[int, int]) -> date | None:
        """Return the first day on which what stands at an epoch and sequence is said to be held, None if it never is.

        Whoever held that sequence in an earlier epoch held what the later one overruled.
        """
        at = bisect_left(self._upto, place)
        return self._days[at] if at < len(self._upto) else None
