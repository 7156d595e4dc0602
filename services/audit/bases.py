"""Bases: whether what an event says it rests on stands in its writer's record, of the kind and of the case that it must be.

Its reader cannot know: a yes names the recommendation that only the commission reads. Whoever verifies and holds facts keys
can; bodies stand in clear in a log, so already the key of the channel with the answers shows a basis that is nowhere. What
the given keys do not open is counted, and convicts nobody. Of two cases of one pupil that the commission linked, the answer of
the later rests on the outcome of the earlier.
Source: design.md section 5 (``basis``); events.md; domain.md D.5, 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

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
from services.wire.contents import Facts, decode_facts
from services.wire.entry import Open, Statement, body_digest
from services.wire.errors import BasisError, VerificationError
from services.wire.events import (
    Answer,
    ApplicationFiled,
    ApplicationWithdrawn,
    AssessmentClosed,
    AssessmentLinked,
    AttendanceRequested,
    AttendanceRequired,
    CaseClosed,
    ConfirmationCorrected,
    ConfirmationEnded,
    ConfirmationGiven,
    ConsentRecorded,
    DeliveryAddressChanged,
    DeliveryAddressChosen,
    IdentityNotMatched,
    InformationRequested,
    PersonDataCorrected,
    PupilCameOfAge,
    PupilLeftSchool,
    RecommendationCorrected,
    RecommendationExpired,
    RecommendationIssued,
    RecommendationRefused,
    RecommendationRevoked,
    RepresentativeChanged,
    RequestClosed,
    RequestCorrected,
    RequestRegistered,
    RequestReturned,
    RequestWithdrawn,
    SchoolDecisionMade,
)
from services.wire.hashing import Digest
from services.wire.records import SchemaBook
from services.wire.sealing import Part, key_id, open_part
from services.wire.trust import Trust

__all__ = ["check_bases", "rests_on"]

# What each event may rest on, and what people call it; a yes and a no are told apart below.
_RESTS_ON: Final[Mapping[type, tuple[str, tuple[type, ...]]]] = {
    ConfirmationEnded: ("the end of a yes", (RecommendationRevoked, RecommendationExpired)),
    AttendanceRequired: ("a word of attendance", (AttendanceRequested,)),
    IdentityNotMatched: ("a word that nobody was found", (RequestRegistered,)),
    RequestReturned: ("a return", (RequestRegistered,)),
    RequestClosed: ("a closing", (AssessmentClosed,)),
    InformationRequested: ("a request", (ConsentRecorded,)),
    # Also where the school refused, or closed what was not completed, while the commission owed its answer (D.5, 7).
    RequestWithdrawn: ("a withdrawal", (ApplicationWithdrawn, PupilLeftSchool, SchoolDecisionMade, CaseClosed)),
    RequestCorrected: ("a correction", (PersonDataCorrected, RepresentativeChanged, PupilCameOfAge)),
    # Of a pupil who died or left the country nothing is sent any more (D.5, 30).
    DeliveryAddressChanged: (
        "a change of address",
        (DeliveryAddressChosen, RepresentativeChanged, PupilCameOfAge, PupilLeftSchool),
    ),
}
# A no may have been a yes that was corrected; a yes has always a recommendation before it.
_YES: Final = (RecommendationIssued,)
_NO: Final = (RecommendationRefused, RecommendationCorrected)
_CLOSED: Final = b""
"""No case: what stands there and does not open under the given keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """An event at a place says that it rests on another, of one of some types and of its own case."""

    statement: Statement
    what: str
    basis: Digest
    types: tuple[str, ...]
    case: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Elsewhere:
    """A claim on an event of the right kind that stands in another case."""

    claim: _Claim
    case: bytes | None


def check_bases(
    report: Report,
    watches: Mapping[str, Watch],
    there: Callable[[str], Iterable[Candidate]],
    *,
    trust: Trust,
    facts_keys: Iterable[bytes],
) -> None:
    """Find what rests on an event that is not there, or is of another kind or case; ``there`` gives what stands in a channel.

    The entries of pair channels and records are read once more; nothing is kept but what claims something.
    """
    look = _Look({key_id(key): key for key in facts_keys}, SchemaBook(trust.schemas))
    claims: dict[str, dict[Digest, list[_Claim]]] = {}
    for channel in watches:
        if channel == TRUST_CHANNEL or paired_channel(channel) is None:
            continue
        for claim in look.claims(there(channel)):
            claims.setdefault(record_of(writer_of(channel)), {}).setdefault(claim.basis, []).append(claim)
        look.tell(watches[channel])
    elsewhere: list[_Elsewhere] = []
    for record, named in claims.items():
        for candidate in there(record) if record in watches else ():
            elsewhere += _compare(report, look, candidate, named.pop(body_digest(candidate.unverified_statement.body), []))
        if record in watches:
            look.tell(watches[record])
        for claim in (each for left in named.values() for each in left):
            why = f"rests on an event that stands nowhere in {record}"
            if _knew_at(watches, claim) < last_epoch_said(watches, trust, record):
                watch = watches[claim.statement.channel]
                watch.report.note(f"at {claim.statement.sequence}: {claim.what} {why}, of which an epoch overruled a part since")
            else:
                report.find(_finding(claim, why, claim.basis.hex(), "nothing"))
    if elsewhere:
        # Rare: only then is anything read another time.
        _follow_links(report, look, watches, there, elsewhere)


@dataclass(slots=True)
class _Look:
    """Opens facts with what keys there are; ``unopened`` are the entries so far that did not open."""

    keys: Mapping[Digest, bytes]
    book: SchemaBook
    unopened: int = field(default=0)

    def claims(self, candidates: Iterable[Candidate]) -> Iterator[_Claim]:
        for candidate in candidates:
            facts = self.facts(candidate)
            for what, basis, kinds in rests_on(self.said(facts)) if facts is not None else ():
                case = facts.case_id if facts is not None else None
                types = tuple(kind.__name__ for kind in kinds)
                yield _Claim(statement=candidate.unverified_statement, what=what, basis=basis, types=types, case=case)

    def facts(self, candidate: Candidate) -> Facts | None:
        statement = candidate.unverified_statement
        body = statement.body
        if isinstance(body, Open):
            return None
        key, channel = self.keys.get(body.facts_key), statement.channel
        try:
            if key is not None and candidate.facts is not None:
                return decode_facts(open_part(key, Part.FACTS, candidate.facts, channel=channel, event_id=statement.event_id))
        except VerificationError:
            # Its reader refuses it as unreadable; here it shows nothing of what it rests on.
            self.unopened += 1
            return None
        self.unopened += 1
        return None

    def tell(self, watch: Watch) -> None:
        if self.unopened:
            watch.report.conclude(f"{self.unopened} events open under none of the given keys: on what they rest is not known")
        self.unopened = 0

    def said(self, facts: Facts) -> Any:
        """Return what facts say, None if this release cannot read them: their reader refuses them, or waits for a newer one."""
        try:
            return self.book.facts(facts.type, facts.schema, facts.content)
        except VerificationError:
            self.unopened += 1
            return None


def rests_on(said: Any) -> list[tuple[str, Digest, tuple[type, ...]]]:
    """Return what an event says that it rests on: what people call it, the body named, and the types that it may be of."""
    if isinstance(said, ConfirmationGiven | ConfirmationCorrected):
        word = "a corrected" if isinstance(said, ConfirmationCorrected) else "a"
        kinds = {Answer.YES: _YES, Answer.NO: _NO}.get(said.answer)
        return [(f"{word} {said.answer.value.lower()}", said.basis, kinds)] if kinds else []
    what, types = _RESTS_ON.get(type(said), ("", ()))
    found = [(what, said.basis, types)] if types else []
    if isinstance(said, InformationRequested):
        found.append((what, said.application, (ApplicationFiled,)))
    return found


def _knew_at(watches: Mapping[str, Watch], claim: _Claim) -> int:
    """Return how far its writer had read the registrar, by its own receipts, when it made a claim."""
    receipts = watches[claim.statement.channel].receipts
    return max((knew(receipt) for sequence, receipt in receipts if sequence < claim.statement.sequence), default=0)


def _compare(report: Report, look: _Look, candidate: Candidate, claims: Iterable[_Claim]) -> Iterator[_Elsewhere]:
    """Find claims on an event of another kind, and yield those on one of another case."""
    for claim in claims:
        if not candidate.is_sealed:
            # Its type stands in clear, so nobody needs a key to see that it is no event of a case.
            expected = " or ".join(claim.types)
            report.find(_finding(claim, "rests on an event of another kind", expected, "an open entry"))
            continue
        facts = look.facts(candidate)
        if facts is None:
            continue
        if facts.type not in claim.types:
            expected = " or ".join(claim.types)
            report.find(_finding(claim, "rests on an event of another kind", expected, _known(look, facts)))
        elif facts.case_id != claim.case:
            yield _Elsewhere(claim=claim, case=facts.case_id)


def _follow_links(
    report: Report,
    look: _Look,
    watches: Mapping[str, Watch],
    there: Callable[[str], Iterable[Candidate]],
    elsewhere: Iterable[_Elsewhere],
) -> None:
    """Find claims on an event of another case, but where the commission linked the one to the other, as far as the keys show."""
    channels = [channel for channel in watches if channel != TRUST_CHANNEL]
    links: dict[bytes, set[Digest]] = {}
    for case, primary in _links(look, there(record_of(COMMISSION)) if record_of(COMMISSION) in watches else ()):
        # One that stood by itself again may be linked anew; what it heard before rests on the case that it was linked to then.
        links.setdefault(case, set()).add(primary)
    firsts = _cases_of(look, channels, there, set().union(*links.values()))
    for each in elsewhere:
        primaries = links.get(each.claim.case, set()) if each.claim.case is not None else set()
        # A link to a case whose first event does not open here convicts nobody; one to nowhere excuses nothing.
        if not {each.case, _CLOSED}.intersection(firsts[primary] for primary in primaries if primary in firsts):
            report.find(_finding(each.claim, "rests on an event of another case", _hex(each.claim.case), _hex(each.case)))


def _links(look: _Look, candidates: Iterable[Candidate]) -> Iterator[tuple[bytes, Digest]]:
    """Yield the linked cases of the commission, and the first event of the case that each is linked to."""
    for candidate in candidates:
        facts = look.facts(candidate)
        if facts is not None and facts.type == AssessmentLinked.__name__ and facts.case_id is not None:
            said = look.said(facts)
            if said is not None:
                yield facts.case_id, said.primary


def _cases_of(
    look: _Look, channels: Iterable[str], there: Callable[[str], Iterable[Candidate]], bodies: AbstractSet[Digest]
) -> dict[Digest, bytes]:
    """Return the commission's cases in which events stand, ``_CLOSED`` for those that do not open.

    A school's own number of a case is not the commission's, which follows from it.
    """
    found: dict[Digest, bytes] = {}
    for channel in channels if bodies else ():
        for candidate in there(channel):
            body = body_digest(candidate.unverified_statement.body)
            if body not in bodies:
                continue
            facts = look.facts(candidate)
            if facts is None or facts.case_id is None:
                found.setdefault(body, _CLOSED)
                continue
            is_schools = channel_kind(channel) is ChannelKind.TO_COMMISSION
            found[body] = commission_case(UUID(bytes=facts.case_id), channel).bytes if is_schools else facts.case_id
    return found


def _known(look: _Look, facts: Facts) -> str:
    try:
        look.book.facts(facts.type, facts.schema, facts.content)
    except VerificationError:
        # Whoever wrote it chose the name.
        return "an event of no known type"
    return facts.type


def _hex(case: bytes | None) -> str:
    return case.hex() if case is not None else "no case"


def _finding(claim: _Claim, why: str, expected: str, found: str) -> Finding:
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
