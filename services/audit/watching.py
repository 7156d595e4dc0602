"""Watching: what a verification keeps of one channel while it reads it, so that a finding can say what stood there.

It keeps digests, places and what did not fit, never a part: a log may be larger than the memory. All of it is evidence and
decides nothing; what is taken is for ``following``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from services.audit.packed import Digests, Ids
from services.audit.report import ChannelReport
from services.audit.stretches import Stretch
from services.wire.candidates import Candidate, Junk
from services.wire.contents import Receipt
from services.wire.entry import Open, Sealed, decode_entry
from services.wire.errors import MalformedError
from services.wire.hashing import Digest, Id, digest_of
from services.wire.paths import Step
from services.wire.reading import said
from services.wire.trust import Said

__all__ = ["Claim", "Damage", "Watch"]

_EVIDENCE_LIMIT: Final = 10_000


class Claim(Protocol):
    """An entry, by its digest and the place that it claims."""

    @property
    def digest(self) -> Digest:
        """H of what its writer signed."""
        ...

    @property
    def sequence(self) -> int:
        """The place."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A record that is no entry: the kind of error and what is wrong, what was expected where that is known, what was found.

    It claims ``sequence``; one that cannot be read is taken for what comes after the entry before it in the log.
    """

    error: str
    what: str
    expected: str | None
    found: str
    sequence: int


@dataclass(slots=True)
class Watch:
    """What is kept of one channel. ``lacking`` are taken entries without their personal part, ``flaws`` what stood there.

    Where parts were left out on purpose (``leaves_out``), those that lack theirs are counted in ``left_out`` alone.
    ``repeated`` are the places of entries under an event id that stood in the channel before. ``settled`` is how many entries
    were there before any other channel was read, None where that is all: what a later one names may have come too late.
    """

    report: ChannelReport
    keeps_said: bool = False
    leaves_out: bool = False
    left_out: int = 0
    notes_read: tuple[tuple[str, ...], int] = ((), 0)
    settled: int | None = None
    digests: Digests = field(default_factory=Digests)
    begun: list[tuple[int, int]] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    receipts: list[tuple[int, Receipt]] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    lacking: dict[Digest, tuple[int, int]] = field(default_factory=dict)
    flaws: dict[Digest, tuple[Digest, Digest]] = field(default_factory=dict)
    _places: dict[Digest, int] = field(default_factory=dict)
    repeated: set[int] = field(default_factory=set)
    _ids: Ids = field(default_factory=Ids)
    _seen_to: int = 0
    _written_at: int = 0

    def is_settled(self, sequence: int) -> bool:
        """Tell whether what an entry names has to be there: it was written before any channel was read to its end."""
        return self.settled is None or sequence <= self.settled

    @property
    def places(self) -> Mapping[Digest, int]:
        """The place of each entry that was taken, by its digest: made when it is asked for, which few channels ever are."""
        known = len(self._places)
        self._places.update(zip(self.digests[known:], range(known + 1, len(self.digests) + 1), strict=True))
        return self._places

    def place_of(self, found: Claim) -> int:
        """Return the place at which an entry is taken, 0 if it is not: whatever is taken stands where it says."""
        place = found.sequence
        return place if 0 < place <= len(self.digests) and self.digests[place - 1] == found.digest else 0

    def places_of(self, wanted: Collection[Digest]) -> dict[Digest, int]:
        """Return the places of those of some digests that are taken, without a place of all the others in memory."""
        return {digest: place for place, digest in enumerate(self.digests, start=1) if digest in wanted} if wanted else {}

    def epoch_at(self, sequence: int) -> int:
        """Return the epoch of the taken entry at a place."""
        return next((epoch for first, epoch in reversed(self.begun) if first <= sequence), 0)

    def see(self, found: Candidate | Junk) -> None:
        """Keep what one record shows by itself, in the order of the log."""
        if isinstance(found, Junk):
            self.report.note(f"a record was skipped: {found.reason}")
            self._damaged(found)
            return
        self._seen_to = found.sequence
        body = found.unverified_statement.body
        if found.flaw is not None and isinstance(body, Sealed) and len(self.flaws) < _EVIDENCE_LIMIT:
            self.flaws.setdefault(found.digest, (body.personal, found.flaw))

    def take(self, step: Step) -> None:
        """Keep what a taken entry says."""
        entry, statement = step.entry, step.entry.statement
        if not self.begun or self.begun[-1][1] != statement.epoch:
            self.begun.append((statement.sequence, statement.epoch))
        self.digests.append(entry.digest)
        if self.keeps_said:
            self.said.append(said(step))
        if step.fault is not None:
            self.report.note(f"at {statement.sequence}: {step.fault.message}")
        if statement.written_at < self._written_at:
            self.report.note(f"at {statement.sequence}: its time lies before that of the entry before")
        self._written_at = max(self._written_at, statement.written_at)
        if self._ids.repeated([statement.event_id]):
            self.repeated.add(statement.sequence)
            self.report.note(f"at {statement.sequence}: an event id that stands in this channel already")
        elif isinstance(step.content, Receipt):
            # Under an event id that stood here before it is without effect, as for whoever receives it.
            self.receipts.append((statement.sequence, step.content))
        if entry.personal is None and not isinstance(statement.body, Open):
            self._lacks(entry.digest, statement.epoch, statement.sequence)

    def end_reading(self) -> None:
        """Keep which notes reading alone made: what is concluded after it is concluded anew each time."""
        self.notes_read = tuple(self.report.notes), self.report.notes_untold

    def forget_ids(self) -> None:
        """Keep the event ids no longer, when all that is to be told of them was told: they take most of what is kept here."""
        self._ids = Ids()

    @property
    def is_plain(self) -> bool:
        """Tell whether every record so far was an entry, and every entry whole."""
        return not (self.damages or self.flaws or self.lacking)

    @property
    def ids(self) -> Iterable[Id]:
        """The event ids that stand here."""
        return self._ids

    def remember(self, digests: Sequence[Digest], ids: Iterable[Id], written_at: int) -> None:
        """Begin with what was taken before."""
        self.digests = Digests(digests)
        self._ids.repeated(list(ids))
        self._written_at, self._seen_to = written_at, len(digests)

    @property
    def written_at(self) -> int:
        """The latest time of an entry that was taken."""
        return self._written_at

    def take_stretch(self, stretch: Stretch, steps: Mapping[int, Step], epoch: int) -> None:
        """Keep what the entries of a stretch say, as ``take`` does; ``steps`` are those of its open ones, by index."""
        first = len(self.digests) + 1
        repeated = self._ids.repeated(stretch.ids)
        for index in sorted({*steps, *stretch.late, *repeated}):
            sequence, step = first + index, steps.get(index)
            if step is not None and step.fault is not None:
                self.report.note(f"at {sequence}: {step.fault.message}")
            if index in stretch.late:
                self.report.note(f"at {sequence}: its time lies before that of the entry before")
            if index in repeated:
                self.repeated.add(sequence)
                self.report.note(f"at {sequence}: an event id that stands in this channel already")
            elif step is not None and isinstance(step.content, Receipt):
                self.receipts.append((sequence, step.content))
        self._written_at = max(self._written_at, stretch.latest)
        if not self.begun or self.begun[-1][1] != epoch:
            self.begun.append((first, epoch))
        self.digests.extend(stretch.digests)
        self._seen_to = len(self.digests)
        if self.leaves_out and not self.flaws:
            self.left_out += len(stretch.lacking)
        else:
            for index in stretch.lacking:
                self._lacks(stretch.digests[index], epoch, first + index)

    def _lacks(self, digest: Digest, epoch: int, sequence: int) -> None:
        if self.leaves_out and digest not in self.flaws:
            self.left_out += 1
        else:
            self.lacking[digest] = (epoch, sequence)

    def _damaged(self, junk: Junk) -> None:
        if len(self.damages) >= _EVIDENCE_LIMIT:
            return
        what, expected, found = _damage(junk, self.report.channel)
        sequence = self._seen_to + 1 if junk.sequence is None else junk.sequence
        error = type(junk.error).__name__
        self.damages.append(Damage(error=error, what=what, expected=expected, found=found, sequence=sequence))


def _damage(junk: Junk, channel: str) -> tuple[str, str | None, str]:
    record = digest_of(junk.record).hex()
    if junk.sequence is None:
        return f"an entry cannot be read ({junk.reason})", None, record
    try:
        entry = decode_entry(junk.record)
    except MalformedError:
        return f"a record is no entry ({junk.reason})", None, record
    body = entry.unverified_statement.body
    if entry.channel == channel and isinstance(body, Sealed) and entry.raw_facts is not None:
        found = digest_of(entry.raw_facts)
        if found != body.facts:
            return "sealed facts do not match their digest", body.facts.hex(), found.hex()
    return f"a record is no entry ({junk.reason})", None, record
