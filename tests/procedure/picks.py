"""Choices out of one number, so that a random history stays small: 0 picks the most ordinary of everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

__all__ = ["PICKS", "Picks"]

Choice = TypeVar("Choice")

PICKS = 2**24
"""One more than the largest number worth drawing."""


class Picks:
    """Each pick takes its share off the number that is left."""

    def __init__(self, number: int = 0) -> None:
        self._left = number

    def of(self, *choices: Choice) -> Choice:
        """Return one of the choices; the first is what mostly happens."""
        return self.among(choices)

    def among(self, choices: Sequence[Choice]) -> Choice:
        """Return one of a sequence that is not empty."""
        self._left, picked = divmod(self._left, len(choices))
        return choices[picked]

    def rarely(self) -> bool:
        """Return True once in a while."""
        return self.among(range(4)) == 3

    def often(self) -> bool:
        """Return True in every second case, but not in the most ordinary one."""
        return self.among(range(2)) == 1

    def some(self, choices: Sequence[Choice]) -> tuple[Choice, ...]:
        """Return some of the choices in their order, all of them mostly, never none of several."""
        picked = tuple(each for each in choices if not self.rarely())
        return picked or tuple(choices)
