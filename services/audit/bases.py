"""Bases: whether what an event says it rests on stands in its writer's record, of the kind and of the case that it must be.

Its reader cannot know: a yes names the recommendation that only the commission reads. Whoever verifies and holds facts keys
can; bodies stand in clear in a log, so already the key of the channel with the answers shows a basis that is nowhere. What
the given keys do not open is counted, and convicts nobody. Of two cases of one pupil that the commission linked, the answer of
the later rests on the outcome of the earlier.
Source: design.md section 5 (``basis``); events.md; domain.md D.5, 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from services.audit.claims import Claim, Closed, Look
from services.audit.judged import (
    CLOSED_LINK,
    MAY_BE_LINKED,
    NEVER,
    NOTHING_BEFORE,
    OVERRULED,
    OVERRULED_LINK,
    Bodies,
    Judged,
    JudgedBefore,
)
from services.audit.links import First, Links, began_in
from services.audit.overruled import Overruled
from services.audit.report import Finding, Report
from services.audit.watching import Watch
from services.wire.candidates import Candidate
from services.wire.channels import (
    COMMISSION,
    TRUST_CHANNEL,
    paired_channel,
    record_of,
    writer_of,
)
from services.wire.contents import Facts
from services.wire.entry import Open, body_digest
from services.wire.errors import BasisError, VerificationError
from services.wire.hashing import Digest
from services.wire.trust import Trust

__all__ = ["Bases", "Reads"]

_MOVED: Final = "an event does not stand where it stood"
_LINKS: Final = "an event rests on one of another case, and what links the two is looked for"

_OWN_CASE: Final = 7
"""The version of the UUID that the commission gives a case which no school began."""


class Reads(Protocol):
    """Gives again what a verification has just read, by positions in the log."""

    def again(self, channel: str, sequence: int = 0, position: int = 0) -> Iterable[tuple[int, Candidate]]:
        """Give what is taken behind a sequence, or waits, from a position on, each entry once and where it stands."""
        ...

    def at(self, channel: str, position: int) -> Candidate | None:
        """Give the entry at a position, None if nothing that is taken stands there."""
        ...

    def end(self, channel: str) -> int:
        """Return the position up to which a channel was read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Elsewhere:
    """A claim on an event of the right kind that stands in another case."""

    claim: Claim
    case: bytes | None


@dataclass(slots=True, kw_only=True)
class Bases:
    """A look at what events rest on: finds what is not there, or is of another kind or case.

    Pair channels are read behind what was judged ``before``, records behind what is known of them, and of that only the events
    that something new rests on. Where that cannot be right, all of a channel is read, and its report says why. Where the events
    of records stand is kept only if somebody goes on from there (``keeps``).
    """

    report: Report
    watches: Mapping[str, Watch]
    reads: Reads
    trust: Trust
    overruled: Overruled
    look: Look
    before: JudgedBefore = field(default_factory=JudgedBefore)
    keeps: bool = False
    _began: dict[bytes, str] | None = None

    def check(self) -> None:
        """Find it, and leave in ``before`` what the next look goes on from."""
        claims: dict[str, dict[Digest, list[Claim]]] = {}
        for channel in self._pairs():
            for claim in self._claims(channel):
                claims.setdefault(record_of(writer_of(channel)), {}).setdefault(claim.basis, []).append(claim)
        elsewhere = [found for record, named in claims.items() for found in self._compare_all(record, named)]
        if elsewhere:
            # Rare: only then is anything read another time.
            self._follow_links(elsewhere)
        self._tell()

    def _pairs(self) -> list[str]:
        return [each for each in self.watches if each != TRUST_CHANNEL and paired_channel(each) is not None]

    def _claims(self, channel: str) -> Iterator[Claim]:
        judged, watch = self._judged(channel), self.watches[channel]
        for _, candidate in self.reads.again(channel, judged.sequence, judged.position):
            if candidate.is_sealed and watch.is_settled(candidate.sequence):
                yield from self.look.claims(candidate, judged)
        if watch.settled is None:
            judged.sequence, judged.position = len(watch.digests), self.reads.end(channel)
        else:
            # The others are read again from where this began, when all that they name is there.
            judged.sequence = max(judged.sequence, watch.settled)

    def _judged(self, channel: str) -> Judged:
        """Return what was judged of a channel before, nothing where all of it has to be looked at."""
        known = self.before.channels.get(channel)
        why = known.why_again(self.look.keys) if known is not None else NEVER
        if known is None or why:
            self._reads_again(channel, why)
            known = self.before.channels[channel] = Judged()
        return known

    def _reads_again(self, channel: str, why: str) -> None:
        mine = self.watches[channel].report
        if mine.not_read_again and not mine.read_again:
            mine.read_again = why

    def _compare_all(self, record: str, named: dict[Digest, list[Claim]]) -> Iterator[_Elsewhere]:
        for candidate in self._named(record, named) if record in self.watches else ():
            yield from self._compare(candidate, named.pop(body_digest(candidate.unverified_statement.body), []))
        for claim in (each for left in named.values() for each in left):
            why = f"rests on an event that stands nowhere in {record}"
            if self.overruled.may_be(claim.statement):
                mine = self.watches[claim.statement.channel].report
                mine.note(f"at {claim.statement.sequence}: {claim.what} {why}, of which an epoch overruled a part since")
                self._undecided(claim, OVERRULED)
            else:
                self.report.find(_finding(claim, why, claim.basis.hex(), "nothing"))

    def _named(self, record: str, named: Mapping[Digest, object]) -> Iterator[Candidate]:
        """Yield the events of a record that something rests on, and keep where all of them stand."""
        known = self.before.records.get(record)
        found = [] if known is None else [self.reads.at(record, position) for _, position in known.of(named.keys())]
        there = [each for each in found if each is not None and body_digest(each.unverified_statement.body) in named]
        if known is None or len(there) < len(found):
            self._reads_again(record, NOTHING_BEFORE if known is None else _MOVED)
            known, there = self.before.records.setdefault(record, Bodies()), []
            known.clear()
        yield from there
        for position, candidate in self.reads.again(record, known.sequence, known.position):
            body = body_digest(candidate.unverified_statement.body)
            if self.keeps:
                known.add(body, position)
            if body in named:
                yield candidate
        known.position = self.reads.end(record) if self.keeps else 0

    def _compare(self, candidate: Candidate, claims: Iterable[Claim]) -> Iterator[_Elsewhere]:
        """Find claims on an event of another kind, and yield those on one of another case."""
        body = candidate.unverified_statement.body
        for claim in claims:
            expected = " or ".join(claim.types)
            if isinstance(body, Open):
                # Its type stands in clear, so nobody needs a key to see that it is no event of a case.
                self.report.find(_finding(claim, "rests on an event of another kind", expected, "an open entry"))
                continue
            facts = self.look.facts(candidate)
            if isinstance(facts, Closed):
                judged = self.before.channels[claim.statement.channel]
                judged.closed += 1
                judged.lacks(facts.key)
            elif facts.type not in claim.types:
                self.report.find(_finding(claim, "rests on an event of another kind", expected, _known(self.look, facts)))
            elif facts.case_id != claim.case:
                yield _Elsewhere(claim=claim, case=facts.case_id)
            elif (place := self._later(claim, candidate)) is not None:
                # Its body can be named before it is written: first the yes, and a recommendation when somebody asks for it.
                written = self.overruled.written_to(claim.statement)
                self.report.find(
                    _finding(claim, "rests on an event that was written after it", f"up to {written}", f"at {place}")
                )

    def _later(self, claim: Claim, candidate: Candidate) -> int | None:
        """Return the place of an event in its record if that had not been written so far when the claim was made."""
        written, statement = self.overruled.written_to(claim.statement), candidate.unverified_statement
        is_taken = self.watches[statement.channel].place_of(candidate)
        return statement.sequence if is_taken and written is not None and statement.sequence > written else None

    def _undecided(self, claim: Claim, why: str) -> None:
        self.before.channels[claim.statement.channel].undecided = why

    def _tell(self) -> None:
        """Say on each channel how much of it does not open."""
        closed: dict[str, int] = {}
        for channel in self._pairs():
            judged, record = self.before.channels[channel], record_of(writer_of(channel))
            closed[channel] = judged.unopened
            closed[record] = closed.get(record, 0) + judged.closed
        for channel, count in closed.items():
            if count and channel in self.watches:
                told = f"{count} events open under none of the given keys: on what they rest is not known"
                self.watches[channel].report.conclude(told)

    def _follow_links(self, elsewhere: Iterable[_Elsewhere]) -> None:
        """Find claims on an event of another case, but where the commission linked the one to the other, as far as keys show."""
        links = Links.of(self.look, [each for each in self.watches if each != TRUST_CHANNEL], self._all)
        for each in elsewhere:
            claim, case = each.claim, each.claim.case
            # A link is the commission's, and excuses no claim of a school.
            may_be_linked = writer_of(claim.statement.channel) == COMMISSION and case is not None and each.case is not None
            first = links.linked(case) if may_be_linked and case is not None else First()
            if each.case in first.cases:
                self.before.channels[claim.statement.channel].linked = True
            # A link to a case whose first event does not open for want of a key convicts nobody. One to nowhere, or to what opens
            # and is of no case, excuses nothing: else any entry of the log would excuse any yes.
            elif first.lacking:
                self._leave_open(claim, CLOSED_LINK, first.lacking)
            elif may_be_linked and self._may_be_overruled(claim, each.case if first.is_nowhere else None):
                self._leave_open(claim, OVERRULED_LINK)
            elif may_be_linked and links.unopened:
                # A link of last year is sealed under last year's key.
                self._leave_open(claim, MAY_BE_LINKED, links.unopened.keys())
                count = links.unopened.total()
                told = f"{count} events open under none of the given keys: whether one links two cases is not known"
                self.watches[record_of(COMMISSION)].report.conclude(told)
            else:
                self.report.find(_finding(claim, "rests on an event of another case", _hex(case), _hex(each.case)))

    def _may_be_overruled(self, claim: Claim, nowhere: bytes | None) -> bool:
        """Tell whether an epoch may have overruled a link since a claim was made, or what one to a case names ``nowhere``."""
        # The commission keeps the case of a request that an epoch overruled, and links it although it knows of the epoch.
        if nowhere is not None and any(self.trust.epochs.get(each) for each in self._may_begin_in(nowhere)):
            return True
        return self.overruled.may_be(claim.statement)

    def _may_begin_in(self, case: bytes) -> list[str]:
        """Return the channels in which what a link to a case of the commission names may have stood.

        A school's case is named by what that school wrote, one of the commission's own (a UUIDv7) by what stands in its record.
        So an epoch of somebody else's channel excuses no link that was made up.
        """
        schools = [each for each in self._pairs() if writer_of(each) != COMMISSION]
        if self._began is None:
            self._began = began_in(self.look, schools, self._all)
        if case in self._began:
            return [self._began[case]]
        is_own = UUID(bytes=case).version == _OWN_CASE
        return [record_of(COMMISSION), *(() if is_own else schools)]

    def _leave_open(self, claim: Claim, why: str, lacking: Iterable[Digest] = ()) -> None:
        """Convict nobody of a claim, say why, and look at it again the next time, or when a key comes."""
        self.watches[claim.statement.channel].report.note(f"at {claim.statement.sequence}: {claim.what}: {why}")
        self._undecided(claim, why)
        self.before.channels[claim.statement.channel].lacking.update(lacking)

    def _all(self, channel: str) -> Iterator[Candidate]:
        if channel in self.watches:
            self._reads_again(channel, _LINKS)
            yield from (found for _, found in self.reads.again(channel))


def _known(look: Look, facts: Facts) -> str:
    try:
        look.book.facts(facts.type, facts.schema, facts.content)
    except VerificationError:
        # Whoever wrote it chose the name.
        return "an event of no known type"
    return facts.type


def _hex(case: bytes | None) -> str:
    return case.hex() if case is not None else "no case"


def _finding(claim: Claim, why: str, expected: str, found: str) -> Finding:
    statement = claim.statement
    return Finding(
        channel=statement.channel,
        epoch=statement.epoch,
        sequence=statement.sequence,
        error=BasisError.__name__,
        what=f"{claim.what} {why}",
        expected=expected,
        found=found,
    )
