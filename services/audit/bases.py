"""Bases: whether what an event says it rests on stands in its writer's record, of the kind and of the case that it must be.

Its reader cannot know: a yes names the recommendation that only the commission reads. Whoever verifies and holds facts keys
can; bodies stand in clear in a log, so already the key of the channel with the answers shows a basis that is nowhere. What
the given keys do not open is counted, and convicts nobody.
Source: design.md section 5 (``basis``); events.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.audit.receipts import knew, last_epoch_said
from services.audit.report import Finding, Report
from services.audit.watching import Watch
from services.wire.candidates import Candidate
from services.wire.channels import TRUST_CHANNEL, paired_channel, record_of, writer_of
from services.wire.contents import Facts, decode_facts
from services.wire.entry import Open, Statement, body_digest
from services.wire.errors import BasisError, VerificationError
from services.wire.events import (
    Answer,
    ApplicationFiled,
    ConfirmationGiven,
    ConsentRecorded,
    InformationRequested,
    RecommendationIssued,
    RecommendationRefused,
)
from services.wire.hashing import Digest
from services.wire.records import SchemaBook
from services.wire.sealing import Part, key_id, open_part
from services.wire.trust import Trust

__all__ = ["check_bases"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """An event at a place says that it rests on another, of a type and of its own case."""

    statement: Statement
    what: str
    basis: Digest
    type: str
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
    for record, named in claims.items():
        for candidate in there(record) if record in watches else ():
            _compare(report, look, candidate, named.pop(body_digest(candidate.unverified_statement.body), []))
        if record in watches:
            look.tell(watches[record])
        for claim in (each for left in named.values() for each in left):
            why = f"rests on an event that stands nowhere in {record}"
            if _knew_at(watches, claim) < last_epoch_said(watches, trust, record):
                watch = watches[claim.statement.channel]
                watch.report.note(f"at {claim.statement.sequence}: {claim.what} {why}, of which an epoch overruled a part since")
            else:
                report.find(_finding(claim, why, claim.basis.hex(), "nothing"))


@dataclass(slots=True)
class _Look:
    """Opens facts with what keys there are; ``unopened`` are the entries so far that did not open."""

    keys: Mapping[Digest, bytes]
    book: SchemaBook
    unopened: int = field(default=0)

    def claims(self, candidates: Iterable[Candidate]) -> Iterator[_Claim]:
        for candidate in candidates:
            facts = self.facts(candidate)
            for what, basis, kind in self._bases(facts) if facts is not None else ():
                case = facts.case_id if facts is not None else None
                yield _Claim(statement=candidate.unverified_statement, what=what, basis=basis, type=kind, case=case)

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

    def _bases(self, facts: Facts) -> list[tuple[str, Digest, str]]:
        try:
            said: Any = self.book.facts(facts.type, facts.schema, facts.content)
        except VerificationError:
            # Its reader refuses it, or waits for a newer release.
            self.unopened += 1
            return []
        match said:
            case ConfirmationGiven(answer=Answer.YES):
                return [("a yes", said.basis, RecommendationIssued.__name__)]
            case ConfirmationGiven(answer=Answer.NO):
                return [("a no", said.basis, RecommendationRefused.__name__)]
            case InformationRequested():
                consent = ("a request", said.basis, ConsentRecorded.__name__)
                return [consent, ("a request", said.application, ApplicationFiled.__name__)]
            case _:
                return []


def _knew_at(watches: Mapping[str, Watch], claim: _Claim) -> int:
    """Return how far its writer had read the registrar, by its own receipts, when it made a claim."""
    receipts = watches[claim.statement.channel].receipts
    return max((knew(receipt) for sequence, receipt in receipts if sequence < claim.statement.sequence), default=0)


def _compare(report: Report, look: _Look, candidate: Candidate, claims: Iterable[_Claim]) -> None:
    for claim in claims:
        facts = look.facts(candidate)
        if facts is None:
            continue
        if facts.type != claim.type:
            report.find(_finding(claim, "rests on an event of another kind", claim.type, _known(look, facts)))
        elif facts.case_id != claim.case:
            report.find(_finding(claim, "rests on an event of another case", _hex(claim.case), _hex(facts.case_id)))


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
