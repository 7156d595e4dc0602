"""Logic with three values: True, False, and None for what nobody knows (Kleene).

Decides that an unknown is never taken for a no: what is not known stays unknown, unless the rest decides without it.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Truth", "all_of", "any_of", "negated"]

Truth = bool | None


def all_of(truths: Iterable[Truth]) -> Truth:
    """Return False if one is False, else None if one is unknown, else True."""
    found = list(truths)
    if False in found:
        return False
    return None if None in found else True


def any_of(truths: Iterable[Truth]) -> Truth:
    """Return True if one is True, else None if one is unknown, else False."""
    return negated(all_of(negated(each) for each in truths))


def negated(truth: Truth) -> Truth:
    """Return the opposite; of what is unknown the opposite is unknown."""
    return None if truth is None else not truth
