"""Faults: what to tell a person of a record that is well-formed, and is not taken or not whole; it decides nothing.

The reading rule skips such a record without a word; whoever investigates needs the kind of lie, the bytes, the place, and what
was expected and found. Made for as many as somebody keeps, and only then: none of it costs a signature.
Source: design.md section 3, "What can become of a record"; schemas/README.md, "The reading rule".
"""

from __future__ import annotations

from services.wire.candidates import Candidate, Verdict, candidate_of
from services.wire.contents import CertificateRotated, ChannelOpened, decode_open
from services.wire.entry import (
    PERSONAL_LIMIT_BYTES,
    SEALING_OVERHEAD_BYTES,
    Open,
    Statement,
    VerifiedEntry,
    encode_entry,
    split_entry,
)
from services.wire.errors import (
    CertificateError,
    Evidence,
    ForkError,
    MalformedError,
    MissingError,
    PartError,
    PlaceError,
    RevokedError,
    SignatureError,
    VerificationError,
)
from services.wire.following import Follower
from services.wire.hashing import Digest
from services.wire.paths import Pathfinder, Place, Step
from services.wire.reading import ReadingState
from services.wire.signing import require_strict

__all__ = ["fault_of", "fork_proof", "missing_after"]


def fault_of(follower: Follower, record: bytes) -> tuple[VerificationError, Digest] | None:
    """Return what is wrong with one of ``Update.odd``, and its digest; None if it may only have come before its time.

    A certificate that is not known yet may come, and a place may be given to another entry: such a fault ends when the entry
    is taken.
    """
    candidate = candidate_of(record, follower.pathfinder.channel)
    if not isinstance(candidate, Candidate):
        raise ValueError("a record that is no candidate is junk, and says itself why")  # noqa: TRY004  # the caller's bug
    error = _fault(follower, record, candidate)
    return (error, candidate.digest) if error is not None else None


def missing_after(follower: Follower) -> tuple[MissingError, Digest | None]:
    """Return what is missing where a channel ends although it goes on, and the digest of the entry that shows it."""
    place = follower.place
    later = (each for each in follower.genuine if each.sequence > place.sequence + 1)
    ahead = min(later, key=lambda each: each.sequence, default=None)
    is_next = ahead is not None and ahead.sequence == place.sequence + 2
    evidence = Evidence(
        channel=follower.pathfinder.channel,
        epoch=place.epoch,
        sequence=place.sequence + 1,
        expected=ahead.unverified_statement.previous.hex() if ahead is not None and is_next else "an entry",
        found="nothing",
        raw=ahead.records[0] if ahead is not None else None,
    )
    error = MissingError("an entry is missing; whoever wrote or holds it has to send it again", evidence)
    return error, ahead.digest if ahead is not None else None


def fork_proof(steps: tuple[Step, ...]) -> list[tuple[VerifiedEntry, ForkError]]:
    """Return the entries of a fork, each against another one: two of them are portable proof of it."""
    text, entries = "the channel contradicts itself: two signed entries stand at one place", [step.entry for step in steps]
    pairs = zip(entries, (*entries[1:], *entries[:1]), strict=True)
    return [(one, ForkError(text, _of(one, other.digest.hex(), one.digest.hex()))) for one, other in pairs]


def _fault(follower: Follower, record: bytes, candidate: Candidate) -> VerificationError | None:
    match follower.verdict(candidate.digest):
        case Verdict.FORGED:
            return _signature_fault(record, candidate)
        case Verdict.UNKNOWN:
            return _certificate_fault(follower.pathfinder, record, candidate)
        case Verdict.GENUINE:
            return _genuine_fault(follower, record, candidate)
        case None:
            return _part_fault(record, candidate) if candidate.flaw is not None else None


def _genuine_fault(follower: Follower, record: bytes, candidate: Candidate) -> VerificationError | None:
    place, statement = follower.place, candidate.unverified_statement
    if follower.state is ReadingState.WAITING:
        return _revoked_fault(follower.pathfinder, record, candidate, place)
    if follower.state is not ReadingState.READING or follower.off_chain is not None:
        return None
    if statement.sequence <= place.sequence:
        return _place_fault(record, candidate, follower.taken_at(statement.sequence))
    if statement.previous == place.digest:
        return _superseded_fault(record, candidate, place, follower.only_epoch)
    return None


def _signature_fault(record: bytes, candidate: Candidate) -> SignatureError:
    """Return why the signature of a forged candidate does not count."""
    signature = candidate.signatures[0]
    try:
        require_strict(signature)
        text = "a signature is not by the certificate that the entry names"
    except SignatureError as error:
        text = error.message
    expected = f"a signature by the certificate {candidate.unverified_statement.certificate.hex()}"
    return SignatureError(text, _evidence(record, candidate, expected, signature.hex() or "nothing"))


def _certificate_fault(finder: Pathfinder, record: bytes, candidate: Candidate) -> VerificationError:
    """Return why an entry is not taken that names a certificate which nothing in its channel has shown.

    An opening shows its own: then it is said what is wrong with that.
    """
    statement = candidate.unverified_statement
    text = "an entry under a certificate that nothing in this channel has shown"
    expected, found = f"a certificate of {finder.organisation or 'this exchange'}", statement.certificate.hex()
    try:
        content = decode_open(statement.body) if isinstance(statement.body, Open) else None
        if isinstance(content, ChannelOpened | CertificateRotated):
            finder.require_leaf(content.certificates)
            text = "an entry that names another certificate than it shows"
    except CertificateError as error:
        text = f"an entry under a certificate that may not write here: {error.message}"
        expected, found = error.evidence.expected or expected, error.evidence.found or found
    except MalformedError as error:
        return MalformedError(error.message, _evidence(record, candidate, "canonical content", found))
    return CertificateError(text, _evidence(record, candidate, expected, found))


def _place_fault(record: bytes, candidate: Candidate, taken: Digest | None) -> PlaceError:
    """Return what is wrong with a genuine entry at a place where another one is taken; it convicts nobody."""
    expected = taken.hex() if taken is not None else "the entry that is taken there"
    text = "a signed entry at a place where another one is taken"
    return PlaceError(text, _evidence(record, candidate, expected, candidate.digest.hex()))


def _superseded_fault(record: bytes, candidate: Candidate, place: Place, only_epoch: int | None) -> VerificationError:
    """Return why a genuine entry does not follow although it names the entry that it would come after."""
    statement = candidate.unverified_statement
    epoch = place.epoch if only_epoch is None else only_epoch
    if statement.epoch != epoch or statement.sequence != place.sequence + 1:
        there = f"{epoch}/{place.sequence + 1}"
        found = f"{statement.epoch}/{statement.sequence}"
        return PlaceError("an entry that names another place than it would have", _evidence(record, candidate, there, found))
    current = place.certificate.digest.hex() if place.certificate else "an opening"
    text = "an entry under a certificate that is not current at its place"
    return CertificateError(text, _evidence(record, candidate, current, statement.certificate.hex()))


def _part_fault(record: bytes, candidate: Candidate) -> PartError:
    """Return what is wrong with a personal part that does not match; the entry itself may be taken without it."""
    body, flaw = candidate.unverified_statement.body, candidate.flaw
    if isinstance(body, Open) or flaw is None:
        raise ValueError("this candidate came with no other part than its own")
    if flaw == body.personal:
        limit, (_, _, _, personal) = PERSONAL_LIMIT_BYTES + SEALING_OVERHEAD_BYTES, split_entry(record)
        evidence = _evidence(record, candidate, f"<= {limit}", str(len(personal or b"")))
        return PartError("a personal part over its limit", evidence)
    text = "a personal part that does not match its digest"
    return PartError(text, _evidence(record, candidate, body.personal.hex(), flaw.hex()))


def _revoked_fault(finder: Pathfinder, record: bytes, candidate: Candidate, place: Place) -> RevokedError | None:
    """Return why a genuine entry waits, None if not because of its key."""
    certificate = finder.certificate_of(candidate)
    if certificate is None or certificate.key_digest not in finder.trust.revoked.keys() | place.revoked:
        return None
    expected, found = "an entry under another, unrevoked key after it", f"the key {certificate.key_digest.hex()}"
    return RevokedError("an entry under a revoked key waits", _evidence(record, candidate, expected, found))


def _of(entry: VerifiedEntry, expected: str, found: str) -> Evidence:
    raw = encode_entry(entry.statement_bytes, entry.signature, entry.facts, entry.personal)
    return _at(entry.statement, raw, expected, found)


def _evidence(record: bytes, candidate: Candidate, expected: str, found: str) -> Evidence:
    return _at(candidate.unverified_statement, record, expected, found)


def _at(statement: Statement, raw: bytes, expected: str, found: str) -> Evidence:
    return Evidence(
        channel=statement.channel,
        epoch=statement.epoch,
        sequence=statement.sequence,
        expected=expected,
        found=found,
        raw=raw,
    )
