"""Watching: what a verification keeps of one channel while it reads it, so that a finding can say what stood there.

It keeps digests, places and what did not fit, never a part: a log may be larger than the memory. All of it is evidence and
decides nothing; what is taken is for ``following``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from services.audit.report import ChannelReport
from services.wire.candidates import Candidate, Junk
from services.wire.contents import Receipt
from services.wire.entry import Open, Sealed, decode_entry
from services.wire.errors import MalformedError
from services.wire.hashing import Digest, Id, digest_of
from services.wire.paths import Step
from services.wire.reading import said
from services.wire.trust import Said

__all__ = ["Damage", "Watch"]

_EVIDENCE_LIMIT: Final = 10_000


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
    """What is kept of one channel. ``lacking`` are taken entries without their personal part, ``flaws`` what stood there."""

    report: ChannelReport
    keeps_said: bool = False
    digests: list[Digest] = field(default_factory=list)
    places: dict[Digest, int] = field(default_factory=dict)
    begun: list[tuple[int, int]] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    receipts: list[tuple[int, Receipt]] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    lacking: dict[Digest, tuple[int, int]] = field(default_factory=dict)
    flaws: dict[Digest, tuple[Digest, Digest]] = field(default_factory=dict)
    _ids: set[Id] = field(default_factory=set)
    _seen_to: int = 0
    _written_at: int = 0

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
        self.places[entry.digest] = statement.sequence
        if self.keeps_said:
            self.said.append(said(step))
        if step.fault is not None:
            self.report.note(f"at {statement.sequence}: {step.fault.message}")
        if statement.written_at < self._written_at:
            self.report.note(f"at {statement.sequence}: its time lies before that of the entry before")
        self._written_at = max(self._written_at, statement.written_at)
        if statement.event_id in self._ids:
            self.report.note(f"at {statement.sequence}: an event id that stands in this channel already")
        elif isinstance(step.content, Receipt):
            # Under an event id that stood here before it is without effect, as for whoever receives it.
            self.receipts.append((statement.sequence, step.content))
        self._ids.add(statement.event_id)
        if entry.personal is None and not isinstance(statement.body, Open):
            self.lacking[entry.digest] = (statement.epoch, statement.sequence)

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
