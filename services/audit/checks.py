"""Checks: one entry, and each thing that is checked of it with what came out, in the order in which one rests on the other.

It decides nothing: what is taken is what the verification took, and each check asks the part of ``wire`` whose rule it is. The
first that fails on the way to an entry ends the list, for nothing behind it can be said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from services.audit.columns import plain
from services.audit.event import Event, Standing
from services.audit.events import events_of
from services.audit.keys import Keys
from services.audit.naming import FORMS, entry_named
from services.audit.opening import Opening
from services.audit.verify import Examined
from services.channel.port import Channel
from services.wire.audience import may_write
from services.wire.candidates import Candidate, Junk, candidate_of, merged
from services.wire.channels import writer_of
from services.wire.entry import Sealed
from services.wire.errors import BasisError, RefusedError
from services.wire.hashing import Digest

__all__ = ["Check", "Outcome", "Shown", "show_entry"]

_AT_ONCE: Final = 200


class Outcome(Enum):
    """What came out of a check: it holds, it fails, or it cannot be made here."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: what was asked, what came out, and what that means or what was expected and found."""

    check: str
    outcome: Outcome
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An entry with its checks; ``event`` is None where the record is no entry. ``beside`` other records claim its place."""

    channel: str
    epoch: int | None
    sequence: int | None
    digest: str
    event: Event | None
    checks: tuple[Check, ...]
    beside: int

    @property
    def facts(self) -> Any:
        """What its facts say, as plain values; None where they do not open."""
        return plain(self.event.facts) if self.event is not None else None

    @property
    def personal(self) -> Any:
        """What is personal about it, as plain values; None where that was not asked for, or does not open."""
        return plain(self.event.personal) if self.event is not None else None


def show_entry(log: Channel, examined: Examined, keys: Keys, entry: str, *, with_personal: bool = False) -> Shown:
    """Return an entry with every check of it; ``entry`` is how people name it (``naming``).

    What is personal is opened only ``with_personal``, and where a key of it is held.
    Raises: RefusedError if this is none of them, there is no such entry, or a digest's start is that of several.
    """
    found = _found(log, examined, entry)
    channel, (record, best) = found.channel, found.best
    if isinstance(best, Junk):
        check = Check(check="record", outcome=Outcome.FAILS, said=_fault(best))
        return Shown(
            channel=channel,
            epoch=best.epoch,
            sequence=best.sequence,
            digest="",
            event=None,
            checks=(check,),
            beside=found.beside,
        )
    bodies: set[Digest] = set()
    event = None
    for each in events_of(log, examined, keys, with_personal=with_personal):
        if event is None:
            bodies.add(each.body)
        if each.digest == best.digest:
            event = each
    checks = _Checks(examined, record, best, event, frozenset(bodies))
    return Shown(
        channel=channel,
        epoch=best.unverified_statement.epoch,
        sequence=best.sequence,
        digest=best.digest.hex(),
        event=event,
        checks=tuple(checks.all()),
        beside=found.beside,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    channel: str
    best: tuple[bytes, Candidate | Junk]
    beside: int


def _found(log: Channel, examined: Examined, entry: str) -> _Found:
    place = entry_named(entry)
    if place is None:
        raise RefusedError(f"This names no entry: {FORMS}.")
    if isinstance(place, str):
        return _by_digest(log, examined, place)
    channel, epoch, sequence = place
    if channel not in examined.watches:
        raise RefusedError(f"This log has no verified channel {channel}.")
    there: dict[bytes, tuple[bytes, Candidate | Junk]] = {}
    for record, found in _looked_at(log, channel):
        claims = found.unverified_statement.epoch if isinstance(found, Candidate) else found.epoch
        if found.sequence == sequence and (epoch is None or claims == epoch):
            _put(there, record, found)
    if not there:
        asked = sequence if epoch is None else f"{epoch}/{sequence}"
        raise RefusedError(f"Nothing in {channel} claims the place {asked}.")
    taken = examined.watches[channel].places
    best = min(there.values(), key=lambda each: _rank(each[1], taken))
    return _Found(channel, best, len(there) - 1)


def _put(there: dict[bytes, tuple[bytes, Candidate | Junk]], record: bytes, found: Candidate | Junk) -> None:
    """Put a record to the others; those of one digest are one, with any valid signature and any matching part among them."""
    if isinstance(found, Junk):
        there[record] = record, found
        return
    first, known = there.get(found.digest, (record, found))
    there[found.digest] = first, merged(known, found) if isinstance(known, Candidate) else found


def _by_digest(log: Channel, examined: Examined, start: str) -> _Found:
    there: dict[bytes, tuple[bytes, Candidate | Junk]] = {}
    for channel in sorted(examined.watches):
        for record, found in _looked_at(log, channel):
            if isinstance(found, Candidate) and found.digest.hex().startswith(start):
                _put(there, record, found)
    if len(there) > 1:
        raise RefusedError(f"{len(there)} entries have a digest that begins so; give more of it.")
    for record, found in there.values():
        if isinstance(found, Candidate):
            return _Found(found.unverified_statement.channel, (record, found), 0)
    raise RefusedError("No entry of this log has a digest that begins so.")


def _rank(found: Candidate | Junk, taken: Any) -> tuple[bool, bool, bytes]:
    is_candidate = isinstance(found, Candidate)
    digest = found.digest if isinstance(found, Candidate) else found.record
    return not (is_candidate and digest in taken), not is_candidate, digest


def _looked_at(log: Channel, channel: str) -> Iterator[tuple[bytes, Candidate | Junk]]:
    position = 0
    while page := log.poll({channel: position}, timeout_seconds=0, limit=_AT_ONCE):
        position = page[-1].position + 1
        yield from ((record.value, candidate_of(record.value, channel)) for record in page)


def _fault(junk: Junk) -> str:
    evidence = junk.error.evidence
    return f"{junk.reason}: expected {evidence.expected or 'an entry'}, found {evidence.found or 'something else'}"


@dataclass(frozen=True, slots=True)
class _Checks:
    """The checks of one record that is an entry of its channel; ``event`` is None where nobody of the channel signed it."""

    examined: Examined
    record: bytes
    candidate: Candidate
    event: Event | None
    before: frozenset[Digest]

    def all(self) -> Iterator[Check]:
        statement = self.candidate.unverified_statement
        # What ``candidate_of`` found, which gave this candidate: framing and canonical form come before all else there.
        yield _holds("framing", f"a single-object entry of {len(self.record)} bytes")
        yield _holds("canonical", "statement and entry encode again to the same bytes, within limits and ranges")
        yield _holds("channel", f"the statement names {statement.channel}")
        yield from self._parts()
        signed = self._signed()
        yield from signed
        if any(each.outcome is Outcome.FAILS for each in signed):
            return
        yield self._previous()
        yield self._place()
        yield self._receipt()
        if self.event is not None and self.candidate.is_sealed:
            yield from self._said(self.event)

    def _parts(self) -> Iterator[Check]:
        body = self.candidate.unverified_statement.body
        if not isinstance(body, Sealed):
            yield _holds("parts", "an open entry, which has none")
            return
        yield _holds("facts", f"the sealed facts have the digest that was signed, {body.facts.hex()}")
        if self.candidate.personal is not None:
            yield _holds("personal", f"the sealed personal part has the digest that was signed, {body.personal.hex()}")
        elif self.candidate.flaw is not None:
            yield _fails("personal", f"expected {body.personal.hex()}, found {self.candidate.flaw.hex()}")
        else:
            yield _unknown("personal", f"the personal part {body.personal.hex()} is not in this record")

    def _signed(self) -> list[Check]:
        channel, statement = self.candidate.unverified_statement.channel, self.candidate.unverified_statement
        finder = self.examined.followers[channel].pathfinder
        certificate = finder.certificate_of(self.candidate)
        named = statement.certificate.hex()
        if certificate is None:
            return [_fails("certificate", f"{named} is no certificate that this channel's writer has shown under this root")]
        reason = self.examined.trust.revoked.get(certificate.key_digest)
        ended = f"; its key was revoked since ({reason.value})" if reason is not None else ""
        whose = f"{named} of {certificate.organisation}, with a path to the root, until {certificate.not_after.date()}{ended}"
        if finder.signed_by(self.candidate, certificate) is None:
            return [_holds("certificate", whose), _fails("signature", f"not by the key of {named}")]
        return [_holds("certificate", whose), _holds("signature", "by the key of this certificate, in the strict form")]

    def _previous(self) -> Check:
        statement = self.candidate.unverified_statement
        watch = self.examined.watches[statement.channel]
        finder = self.examined.followers[statement.channel].pathfinder
        at = statement.sequence - 1
        known = finder.genesis.digest if at == 0 else watch.digests[at - 1] if at <= len(watch.digests) else None
        if known is None:
            return _unknown("previous", f"nothing is taken at {at} to hold it against")
        what = "the genesis digest of this channel" if at == 0 else f"the entry taken at {at}"
        if known == statement.previous:
            return _holds("previous", f"{what}, {known.hex()}")
        return _fails("previous", f"expected {what}, {known.hex()}, found {statement.previous.hex()}")

    def _place(self) -> Check:
        if self.event is None:
            return _fails(
                "place", "genuine, and at no place of its channel's chain: out of reach, or forgotten as one of too many"
            )
        standing = self.event.standing
        if standing in (Standing.WAITS, Standing.VOIDED):
            why = {Standing.WAITS: "waits: nothing vouches for it yet", Standing.VOIDED: "voided: beside the chain"}[standing]
            return _fails("place", why)
        refused = f" with {self.event.refused_as}" if self.event.refused_as else ""
        return _holds("place", f"taken at {self.event.epoch}/{self.event.sequence}: {standing.value}{refused}")

    def _receipt(self) -> Check:
        statement = self.candidate.unverified_statement
        report = self.examined.report.of(statement.channel)
        if self.event is None or self.event.standing in (Standing.WAITS, Standing.VOIDED):
            return _unknown("receipt", "it is not taken")
        if statement.sequence <= report.receipted:
            return _holds("receipt", f"somebody else says that it holds the entries up to {report.receipted}")
        return _unknown(
            "receipt", f"it lies behind {report.receipted}, the last that somebody else says it holds: it could vanish"
        )

    def _said(self, event: Event) -> Iterator[Check]:
        if event.opening is Opening.UNKNOWN:
            yield from self._unknown_type(event)
            return
        if event.opening is not Opening.OPENED:
            what = _fails if event.opening is Opening.UNREADABLE else _unknown
            yield what("opening", f"facts: {event.opening.value}")
            return
        yield _holds("opening", "the facts open under a key that is held, for this channel and this event alone")
        yield _holds("schema", f"{event.type} as published by the registrar, {event.schema.hex() if event.schema else ''}")
        is_right = event.type is not None and may_write(event.type, event.channel)
        audience = f"{writer_of(event.channel)} {'writes' if is_right else 'may not write'} {event.type} here"
        yield (_holds if is_right else _fails)("audience", audience)
        yield from self._links(event)
        yield self._basis(event)

    def _unknown_type(self, event: Event) -> Iterator[Check]:
        yield _holds("opening", "the facts open under a key that is held, for this channel and this event alone")
        schema = event.schema.hex() if event.schema else ""
        said = f"{event.type} is unknown to this release; its facts are shown as the registrar published them, {schema}"
        yield _unknown("schema", said)
        yield _unknown("audience", f"who may write {event.type} only a release that knows it can tell")
        yield from self._links(event)

    def _links(self, event: Event) -> Iterator[Check]:
        for name, link in (("after", event.after), ("in reply to", event.in_reply_to)):
            if link is not None:
                stands = link in self.before
                where = "stands before it" if stands else "is not among what is taken before it"
                yield (_holds if stands else _unknown)(name, f"{link.hex()} {where}")

    def _basis(self, event: Event) -> Check:
        findings = self.examined.report.findings
        place = (event.channel, event.epoch, event.sequence)
        there = (each for each in findings if (each.channel, each.epoch, each.sequence) == place)
        wrong = next((each for each in there if each.error == BasisError.__name__), None)
        if wrong is not None:
            return _fails("basis", f"{wrong.what}: expected {wrong.expected}, found {wrong.found}")
        return _holds("basis", "nothing that the keys open contradicts what it says it rests on")


def _holds(check: str, said: str) -> Check:
    return Check(check=check, outcome=Outcome.HOLDS, said=said)


def _fails(check: str, said: str) -> Check:
    return Check(check=check, outcome=Outcome.FAILS, said=said)


def _unknown(check: str, said: str) -> Check:
    return Check(check=check, outcome=Outcome.UNKNOWN, said=said)
