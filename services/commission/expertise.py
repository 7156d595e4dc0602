"""The port to the expertise files: whether the pupil has one, and until when an opinion on the need of special care holds.

Nothing medical comes through here: what the opinion rests on stays in the file. Which system keeps the files is for an adapter;
a commission without one looks into the files by hand.
Source: domain.md A5.3 and D.5, 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from services.wire.events import Opinion

__all__ = ["ExpertiseFile", "ExpertiseRegister"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertiseFile:
    """A file that is there: the day of its newest opinion, None if it has none, and its last day, None if it has no term."""

    opinion_on: date | None = None
    opinion_until: date | None = None

    def opinion(self, day: date) -> Opinion:
        """Return what the file says of an opinion on a day; one that is issued later is none yet."""
        if self.opinion_on is None or day < self.opinion_on:
            return Opinion.NONE
        ended = self.opinion_until is not None and self.opinion_until < day
        return Opinion.EXPIRED if ended else Opinion.VALID


class ExpertiseRegister(Protocol):
    """Where expertise files are looked up."""

    def look_up(self, personal_code: str) -> ExpertiseFile | None:
        """Return the file of the person with a code of eleven digits, None if there is none.

        Raises: SettingsError if the register cannot be read, or says something that no register can; never with a code.
        """
        ...
