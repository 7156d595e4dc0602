"""What went out and is not noted yet: one commit for all of a quick step, and about one a second in a slow one.

Without a note in between, a worker that is killed within each long step would send the same again in each of its lives, and
the log would grow with each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from services.post.granting import Grant, note_granted
from services.post.office import Office, is_over

__all__ = ["Unnoted"]

_AFTER_MILLISECONDS: Final = 1000
_AFTER_BYTES: Final = 1024 * 1024


@dataclass(slots=True)
class Unnoted:
    """What an office sent since it was noted last: letters by recipient, and up to where each channel took its entries."""

    office: Office
    granted: dict[str, list[Grant]] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)
    _bytes: int = 0
    _since: int = field(init=False)

    def __post_init__(self) -> None:
        self._since = self.office.clock()

    def add(self, channel: str, sequence: int, records: Sequence[bytes]) -> None:
        """Add what a channel took up to a place; it is noted at once if that took long, or was much, since the last note."""
        self.shown[channel] = sequence
        self._bytes += sum(map(len, records))
        if self._bytes >= _AFTER_BYTES or is_over(self.office.clock(), self._since, _AFTER_MILLISECONDS):
            self.note()

    def note(self) -> None:
        """Note it in one commit: whoever is killed before that sends the same once more."""
        if not self.granted and not self.shown:
            return
        with self.office.database.transaction():
            for recipient, letters in self.granted.items():
                note_granted(self.office, recipient, letters)
            for channel, sequence in self.shown.items():
                self.office.letterbook.note(channel, shown_sequence=sequence)
        self.granted.clear()
        self.shown.clear()
        self._bytes, self._since = 0, self.office.clock()
