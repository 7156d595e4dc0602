"""Naming: how people name an entry: by its place, as findings, lists and proofs tell it, or by how its digest begins."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["FORMS", "EntryPlace", "entry_named"]

FORMS: Final = (
    "an entry is named by its place, as school-0099900011.record:0/5 or school-0099900011.record/5, or by eight or more"
    " hexadecimal digits that its digest begins with"
)
_PLACE: Final = re.compile(r"([a-z][a-z0-9.-]+)[:/](?:([0-9]{1,9})/)?([0-9]{1,18})")
_DIGEST: Final = re.compile("[0-9a-f]{8,64}")


class EntryPlace(NamedTuple):
    """A place: its channel, its epoch where that was said, and its sequence."""

    channel: str
    epoch: int | None
    sequence: int


def entry_named(text: str) -> EntryPlace | str | None:
    """Return the place, or how a digest begins, that a text names; None if it is neither.

    Behind the channel stands a colon or a slash: people write both.
    """
    place = _PLACE.fullmatch(text)
    if place is not None:
        return EntryPlace(place[1], int(place[2]) if place[2] else None, int(place[3]))
    return text if _DIGEST.fullmatch(text) else None
