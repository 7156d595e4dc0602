"""Candidates: which records of a channel may stand in it at all, whatever else there is (the first step of the reading rule).

Decides about one record alone, without trust: canonical, within limits, of this channel, whole. Records of one digest are
one candidate, with every signature and any matching personal part among them.
Source: schemas/README.md, "The reading rule", step 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypeAlias

from services.wire.channels import channel_kind
from services.wire.entry import (
    FACTS_LIMIT_BYTES,
    PERSONAL_LIMIT_BYTES,
    SEALING_OVERHEAD_BYTES,
    Open,
    Sealed,
    Statement,
    VerifiedEntry,
    decode_statement,
    encode_entry,
    split_entry,
    statement_digest,
)
from services.wire.errors import Evidence, MalformedError, PartError, PlaceError, VerificationError
from services.wire.hashing import Digest, digest_of

__all__ = ["Candidate", "Junk", "Verdict", "candidate_of", "gather", "gather_found", "merged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Junk:
    """A record that is no entry of this channel, and why: kept as evidence, never acted on.

    ``error`` carries the record, what was expected and found, and the place that it claims where that can be read.
    """

    record: bytes
    error: VerificationError

    @property
    def reason(self) -> str:
        """Why it is none, in a sentence."""
        return self.error.message

    @property
    def epoch(self) -> int | None:
        """The epoch it claims."""
        return self.error.evidence.epoch

    @property
    def sequence(self) -> int | None:
        """The place it claims."""
        return self.error.evidence.sequence


class Candidate(NamedTuple):
    """A record that may stand in the channel: its claim, the signatures seen with it, its parts that match.

    ``flaw`` is H of a personal part that a record of it carried and that did not match, None if there was none.
    """

    digest: Digest
    unverified_statement: Statement
    statement_bytes: bytes
    signatures: tuple[bytes, ...]
    facts: bytes | None
    personal: bytes | None
    flaw: Digest | None = None

    @property
    def sequence(self) -> int:
        """The place it claims."""
        return self.unverified_statement.sequence

    @property
    def is_sealed(self) -> bool:
        """Tell whether it has parts at all."""
        return not isinstance(self.unverified_statement.body, Open)

    @property
    def records(self) -> list[bytes]:
        """Return records that make this candidate again, one a signature."""
        return [encode_entry(self.statement_bytes, each, self.facts, self.personal) for each in self.signatures]

    def without_parts(self) -> Candidate:
        """Return it without the bytes of its parts, for who only verifies: parts that matched are empty, not None."""
        return self._replace(facts=self.facts and b"", personal=None if self.personal is None else b"")

    def verified(self, signature: bytes) -> VerifiedEntry:
        """Return the entry as ``reading`` and ``following`` hand it out; only they call this, after every check."""
        digest, statement, data, _, facts, personal, _ = self
        # As ``VerifiedEntry(…)``, without the call that a named tuple's own way takes more; below, too.
        return tuple.__new__(VerifiedEntry, (digest, statement, data, signature, facts, personal))


class Verdict(Enum):
    """What is known of who signed a candidate.

    ``GENUINE``: a certificate of this channel's writer. ``UNKNOWN``: it names a certificate that nothing here has shown yet.
    ``FORGED``: none of its signatures is by the certificate that it names; only another signature could change that.
    """

    GENUINE = "genuine"
    UNKNOWN = "unknown"
    FORGED = "forged"


def candidate_of(record: bytes, channel: str) -> Candidate | Junk:
    """Return the candidate that a record of ``channel`` is, or why it is none."""
    try:
        statement_bytes, signature, facts, personal = split_entry(record)
        statement = decode_statement(statement_bytes)
    except MalformedError as error:
        return Junk(record=record, error=_unreadable(error, record, channel))
    fault = _fault(statement, channel, facts, personal)
    if fault is not None:
        kind, text, expected, found = fault
        evidence = Evidence(
            channel=channel, epoch=statement.epoch, sequence=statement.sequence, expected=expected, found=found, raw=record
        )
        return Junk(record=record, error=kind(text, evidence))
    flaw = _flaw(statement.body, personal)
    # Absent, not junk: whoever damages or cuts out a part must not be able to stop the channel.
    whole = personal if flaw is None else None
    fields = statement_digest(statement_bytes), statement, statement_bytes, (signature,), facts, whole, flaw
    return tuple.__new__(Candidate, fields)


def merged(one: Candidate, other: Candidate) -> Candidate:
    """Return two candidates of one digest as one."""
    new = tuple(each for each in other.signatures if each not in one.signatures)
    personal = one.personal if one.personal is not None else other.personal
    flaw = one.flaw or other.flaw
    if not new and personal is one.personal and flaw == one.flaw:
        return one
    return one._replace(signatures=one.signatures + new, personal=personal, flaw=flaw)


def gather(records: Iterable[bytes], channel: str) -> tuple[dict[Digest, Candidate], list[Junk]]:
    """Return the candidates among ``records`` by digest, and the junk, in the order of arrival."""
    return gather_found(candidate_of(record, channel) for record in records)


def gather_found(looked_at: Iterable[Candidate | Junk]) -> tuple[dict[Digest, Candidate], list[Junk]]:
    """Return the same as ``gather`` where the records were looked at already."""
    candidates: dict[Digest, Candidate] = {}
    junk: list[Junk] = []
    for found in looked_at:
        if isinstance(found, Junk):
            junk.append(found)
            continue
        known = candidates.get(found.digest)
        candidates[found.digest] = merged(known, found) if known else found
    return candidates, junk


_Fault: TypeAlias = tuple[type[VerificationError], str, str, str]
"""What kind of error, in words, what was expected, what was found."""


def _unreadable(error: MalformedError, record: bytes, channel: str) -> MalformedError:
    said = error.evidence
    evidence = Evidence(
        channel=channel,
        expected=said.expected or "the canonical bytes of an entry",
        found=said.found or digest_of(record).hex(),
        raw=record,
    )
    return MalformedError(error.message, evidence)


def _fault(statement: Statement, channel: str, facts: bytes | None, personal: bytes | None) -> _Fault | None:
    # Somebody copied a genuine entry of another channel here.
    if statement.channel != channel:
        return PlaceError, "an entry of another channel", channel, _shown(statement.channel)
    body = statement.body
    if isinstance(body, Open):
        # Nothing signed vouches for such a part: it could be anything.
        if facts is None and personal is None:
            return None
        return PartError, "an open entry that carries a part", "nothing", digest_of((facts or b"") + (personal or b"")).hex()
    return _facts_fault(body, facts)


def _facts_fault(body: Sealed, facts: bytes | None) -> _Fault | None:
    if facts is None:
        return PartError, "a sealed entry without its facts", body.facts.hex(), "nothing"
    if len(facts) > FACTS_LIMIT_BYTES + SEALING_OVERHEAD_BYTES:
        return PartError, "sealed facts over their limit", f"<= {FACTS_LIMIT_BYTES + SEALING_OVERHEAD_BYTES}", str(len(facts))
    # Facts decide; an entry whose facts were swapped or damaged is not what was signed.
    found = digest_of(facts)
    if found != body.facts:
        return PartError, "sealed facts that do not match their digest", body.facts.hex(), found.hex()
    return None


def _shown(channel: str) -> str:
    try:
        channel_kind(channel)
    except MalformedError:
        # Whoever wrote it chose it, for a terminal perhaps.
        return f"a name that no channel has, {digest_of(channel.encode()).hex()}"
    return channel


def _flaw(body: Open | Sealed, personal: bytes | None) -> Digest | None:
    if personal is None or isinstance(body, Open):
        return None
    found = digest_of(personal)
    return found if len(personal) > PERSONAL_LIMIT_BYTES + SEALING_OVERHEAD_BYTES or found != body.personal else None
