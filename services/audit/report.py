"""What a verification says: findings with place, expected and found; notes; and where each channel's unseen tail begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from services.wire.errors import BasisError, OrderError
from services.wire.reading import ReadingState

__all__ = ["NOTES_LIMIT", "OF_WHAT_IS_SAID", "ChannelReport", "Finding", "Report"]

OF_WHAT_IS_SAID: Final = frozenset({BasisError.__name__, OrderError.__name__})
"""The kinds of findings about what an event says, not about what stands at its place."""

NOTES_LIMIT: Final = 100
"""Notes of one channel that are told in words; the others are counted, so that a flood of junk hides nothing."""

_MORE_NOTES: Final = " more notes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it was signed: where, what was expected, what was found (digests in hexadecimal).

    ``error`` names its kind: one of the verification errors of ``services.wire.errors``.
    """

    channel: str
    epoch: int
    sequence: int
    error: str
    what: str
    expected: str
    found: str


@dataclass(slots=True, kw_only=True)
class ChannelReport:
    """What verifying one channel showed.

    ``receipted`` is the last sequence that somebody else says it holds, in a receipt in the channel ``receipted_by``: what
    stands beyond it can vanish unseen, and ``tail`` is how many entries that are. Of a record it is what a receipt in a pair
    channel pins, once that receipt is itself receipted. ``beside`` entries stand beside the chain and prove nothing.
    ``not_read_again`` entries were verified before, and believed now; ``read_again`` says why they were read all the same, for
    what their events rest on.
    """

    channel: str
    entries: int = 0
    head: str = ""
    state: str = ReadingState.READING.value
    receipted: int = 0
    receipted_by: str = ""
    tail: int = 0
    beside: int = 0
    not_read_again: int = 0
    read_again: str = ""
    notes: list[str] = field(default_factory=list)
    notes_untold: int = 0

    def note(self, text: str) -> None:
        """Tell something that is no finding."""
        if len(self.notes) < NOTES_LIMIT:
            self.notes.append(text)
        else:
            self.notes_untold += 1

    def conclude(self, text: str) -> None:
        """Tell something of the channel as a whole, once and first: no flood of other notes hides it."""
        if text not in self.notes:
            self.notes.insert(0, text)

    def tell_untold(self) -> None:
        """Say at the end how many notes there were beyond those that are told; anew, where more came after it was said."""
        if self.notes_untold:
            if self.notes[-1].endswith(_MORE_NOTES):
                self.notes.pop()
            self.notes.append(f"and {self.notes_untold}{_MORE_NOTES}")


@dataclass(kw_only=True)
class Report:
    """What verifying a log showed; ``threads`` is in how many signatures were checked, ``signatures`` which of them."""

    exchange: str
    participants: int = 0
    entries: int = 0
    threads: int = 1
    signatures: str = "each"
    channels: list[ChannelReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Know where something was found: whoever spoils each entry of a log must not make each finding slower than the last."""
        self._places = set(map(_place, self.findings))

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings

    @property
    def counted(self) -> str:
        """How many findings there are, in words."""
        return "1 finding" if len(self.findings) == 1 else f"{len(self.findings)} findings"

    def of(self, channel: str) -> ChannelReport:
        """Return the report of a channel that was verified."""
        return next(each for each in self.channels if each.channel == channel)

    def find(self, finding: Finding) -> None:
        """Add a finding, once a place: what is missing is missing once, however many receipts name it.

        What an event says is found beside anything else: a lie about the place must not hide the lie that stands there.
        """
        place = _place(finding)
        if place not in self._places:
            self._places.add(place)
            self.findings.append(finding)


def _place(finding: Finding) -> tuple[str, int, str, str]:
    # No entry has the place 0: that is a file of which nobody can tell what it held, and each of those is one of its own.
    told = finding.expected if finding.sequence == 0 else ""
    return finding.channel, finding.sequence, finding.error if finding.error in OF_WHAT_IS_SAID else "", told
