"""Bases: whether what an event says it rests on stands in its writer's record, of the kind and of the case that it must be.

Its reader cannot know: a yes names the recommendation that only the commission reads. Whoever verifies and holds facts keys
can; bodies stand in clear in a log, so already the key of the channel with the answers shows a basis that is nowhere. What
the given keys do not open is counted, and convicts nobody. Of two cases of one pupil that the commission linked, the answer of
the later rests on the outcome of the earlier.
Source: design.md section 5 (``basis``); events.md; domain.md D.5, 6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
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
from services.audit.receipts import knew, last_epoch_said
from services.audit.report import Finding, Report
from services.audit.watching import Watch
from services.wire.candidates import Candidate
from services.wire.channels import (
    COMMISSION,
    TRUST_CHANNEL,
    ChannelKind,
    channel_kind,
    commission_case,
    paired_channel,
    record_of,
    writer_of,
)
from services.wire.contents import Facts
from services.wire.entry import Open, body_digest
from services.wire.errors import BasisError, VerificationError
from services.wire.events import AssessmentLinked
from services.wire.hashing import Digest
from services.wire.trust import Trust

__all__ = ["Bases", "Reads"]

_MOVED: Final = "an event does not stand where it stood"
_LINKS: Final = "an event rests on one of another case, and what links the two is looked for"


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


@dataclass(slots=True)
class _First:
    """What is known of an event that a link names: the commission's cases that it is of, and the keys that would tell."""

    cases: set[bytes] = field(default_factory=set)
    lacking: set[Digest] = field(default_factory=set)


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
    look: Look
    before: JudgedBefore = field(default_factory=JudgedBefore)
    keeps: bool = False

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
        judged = self._judged(channel)
        for _, candidate in self.reads.again(channel, judged.sequence, judged.position):
            if candidate.is_sealed:
                yield from self.look.claims(candidate, judged)
        judged.sequence, judged.position = len(self.watches[channel].digests), self.reads.end(channel)

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
            if _knew_at(self.watches, claim) < last_epoch_said(self.watches, self.trust, record):
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
        links, unopened = self._links()
        firsts = self._firsts(set().union(*links.values()))
        for each in elsewhere:
            primaries = _named_by_links(links, each)
            named = [firsts[primary] for primary in primaries if primary in firsts]
            if any(each.case in first.cases for first in named):
                self.before.channels[each.claim.statement.channel].linked = True
                continue
            lacking = set[Digest]().union(*(first.lacking for first in named))
            # A link to a case whose first event does not open for want of a key convicts nobody. One to nowhere, or to what opens
            # and is of no case, excuses nothing: else any entry of the log would excuse any yes.
            if lacking:
                self._leave_open(each.claim, CLOSED_LINK, lacking)
            elif self._may_be_overruled(each, primaries - firsts.keys()):
                self._leave_open(each.claim, OVERRULED_LINK)
            elif unopened and _may_have_link(each):
                # A link of last year is sealed under last year's key.
                self._leave_open(each.claim, MAY_BE_LINKED, unopened.keys())
                told = f"{unopened.total()} events open under none of the given keys: whether one links two cases is not known"
                self.watches[record_of(COMMISSION)].report.conclude(told)
            else:
                self.report.find(
                    _finding(each.claim, "rests on an event of another case", _hex(each.claim.case), _hex(each.case))
                )

    def _may_be_overruled(self, found: _Elsewhere, nowhere: AbstractSet[Digest]) -> bool:
        """Tell whether an epoch may have overruled what links name and is ``nowhere``, or, since a claim was made, its link."""
        record = record_of(COMMISSION)
        # The commission keeps the case of a request that an epoch overruled, and links it although it knows of the epoch.
        first_events = (each for each in self.watches if each == record or channel_kind(each) is ChannelKind.TO_COMMISSION)
        if nowhere and any(self.trust.epochs.get(each) for each in first_events):
            return True
        known = _knew_at(self.watches, found.claim)
        return _may_have_link(found) and known < last_epoch_said(self.watches, self.trust, record)

    def _leave_open(self, claim: Claim, why: str, lacking: Iterable[Digest] = ()) -> None:
        """Convict nobody of a claim, say why, and look at it again the next time, or when a key comes."""
        self.watches[claim.statement.channel].report.note(f"at {claim.statement.sequence}: {claim.what}: {why}")
        self._undecided(claim, why)
        for key in lacking:
            self.before.channels[claim.statement.channel].lacks(key)

    def _links(self) -> tuple[dict[bytes, set[Digest]], Counter[Digest]]:
        """Return the first events of the cases that each linked case is linked to, and how much lacks which key to open."""
        links: dict[bytes, set[Digest]] = {}
        lacking = Counter[Digest]()
        for facts in (self.look.facts(each) for each in self._all(record_of(COMMISSION)) if each.is_sealed):
            if isinstance(facts, Closed):
                lacking.update({facts.key} if facts.key is not None else ())
                continue
            said = self.look.said(facts) if facts.type == AssessmentLinked.__name__ else None
            if said is not None and facts.case_id is not None:
                # One that stood by itself again may be linked anew; what it heard before rests on the case linked to it then.
                links.setdefault(facts.case_id, set()).add(said.primary)
        return links, lacking

    def _firsts(self, bodies: AbstractSet[Digest]) -> dict[Digest, _First]:
        """Return what is known of the events that links name, as far as they stand anywhere.

        A school's own number of a case is not the commission's, which follows from it.
        """
        found: dict[Digest, _First] = {}
        channels = [each for each in self.watches if each != TRUST_CHANNEL]
        for channel, candidate in ((name, each) for name in channels if bodies for each in self._all(name)):
            body = body_digest(candidate.unverified_statement.body)
            if body not in bodies:
                continue
            first = found.setdefault(body, _First())
            facts = self.look.facts(candidate) if candidate.is_sealed else Closed(None)
            if isinstance(facts, Closed):
                if facts.key is not None:
                    first.lacking.add(facts.key)
            elif facts.case_id is not None:
                is_schools = channel_kind(channel) is ChannelKind.TO_COMMISSION
                case = commission_case(UUID(bytes=facts.case_id), channel).bytes if is_schools else facts.case_id
                first.cases.add(case)
        return found

    def _all(self, channel: str) -> Iterator[Candidate]:
        if channel in self.watches:
            self._reads_again(channel, _LINKS)
            yield from (found for _, found in self.reads.again(channel))


def _may_have_link(found: _Elsewhere) -> bool:
    """Tell whether a link may excuse a claim: one of the commission, where both events are of a case."""
    claim = found.claim
    return writer_of(claim.statement.channel) == COMMISSION and claim.case is not None and found.case is not None


def _named_by_links(links: Mapping[bytes, AbstractSet[Digest]], found: _Elsewhere) -> AbstractSet[Digest]:
    """Return what links name as the first event of the case that a claim may rest on."""
    case = found.claim.case if _may_have_link(found) else None
    return links.get(case, set()) if case is not None else set()


def _knew_at(watches: Mapping[str, Watch], claim: Claim) -> int:
    """Return how far its writer had read the registrar, by its own receipts, when it made a claim."""
    receipts = watches[claim.statement.channel].receipts
    return max((knew(receipt) for sequence, receipt in receipts if sequence < claim.statement.sequence), default=0)


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
