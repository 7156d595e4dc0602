"""The table of a school: every state by every act, ``yes`` or the rule that says no."""

from __future__ import annotations

from collections.abc import Callable

from services.school.domain.case import SchoolCase
from services.wire.errors import RefusedError
from tests.school_stories import ACTS, STORIES, case_of

__all__ = ["table"]


def table() -> str:
    """Return the table as text: a block a state, a line an act."""
    blocks = []
    for name in STORIES:
        lines = [f"  {act:<24}{_said(decide, case_of(name))}" for act, decide in ACTS.items()]
        blocks.append("\n".join((name, *lines)))
    return "\n\n".join(blocks) + "\n"


def _said(decide: Callable[[SchoolCase], object], case: SchoolCase) -> str:
    try:
        decide(case)
    except RefusedError as refusal:
        return type(refusal).__name__.removesuffix("Error")
    return "yes"
