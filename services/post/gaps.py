"""Gaps: a place of a channel that is missing, and when it is looked for again: ever less often, never not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.post.office import is_over

__all__ = ["Gap"]

_FIRST: Final = 1_000
_LAST: Final = 3_600_000
_STAYS: Final = 900_000


@dataclass(slots=True)
class Gap:
    """A missing place: since when, and when it was looked for last (milliseconds since 1970)."""

    since: int
    looked_at: int
    pause: int = _FIRST
    said: bool = False

    def has_stayed(self, now: int) -> bool:
        """Tell once that it stays missing, so that a person hears of it."""
        if self.said or not is_over(now, self.since, _STAYS):
            return False
        self.said = True
        return True

    def is_due(self, now: int) -> bool:
        """Tell whether it is to be looked for now, and not again before a longer pause is over."""
        if not is_over(now, self.looked_at, self.pause):
            return False
        self.looked_at, self.pause = now, min(2 * self.pause, _LAST)
        return True
