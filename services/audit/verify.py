"""Verification: a whole log, with nothing but the root certificate.

Decides what a stranger can know of a log: who was admitted, what each channel is by the reading rule, every signature,
every part against its digest, every receipt against what stands there. A success does not mean that what was said is true,
nor that nothing was cut off beyond the last receipt: each report says where that tail begins.
Source: design.md section 9, "What verify says".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.channel.embedded import EmbeddedChannel
from services.channel.port import Channel
from services.wire.candidates import Candidate, Junk, candidate_of
from services.wire.certificates import Root
from services.wire.channels import REGISTRAR, TRUST_CHANNEL, Role, channels_of
from services.wire.contents import Held, Receipt
from services.wire.entry import Sealed, UnverifiedEntry, decode_entry
from services.wire.errors import MalformedError
from services.wire.following import Follower
from services.wire.hashing import Digest, digest_of
from services.wire.paths import Pathfinder, Step
from services.wire.reading import ReadingState, said
from services.wire.trust import NO_TRUST, Said, Trust, fold_trust

__all__ = ["ChannelReport", "Finding", "Report", "open_log", "verify_log"]

_READ_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it was signed: where, what was expected, what was found (digests in hexadecimal)."""

    channel: str
    epoch: int
    sequence: int
    what: str
    expected: str
    found: str


@dataclass(slots=True, kw_only=True)
class ChannelReport:
    """What verifying one channel showed. ``receipted`` is the last sequence that somebody else says it holds."""

    channel: str
    entries: int = 0
    head: str = ""
    state: str = ReadingState.READING.value
    receipted: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Report:
    """What verifying a log showed."""

    exchange: str
    participants: int = 0
    entries: int = 0
    channels: list[ChannelReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings


@dataclass(slots=True)
class _Seen:
    """What is kept of a channel while it is read: digests in order, and what did not fit."""

    digests: list[Digest] = field(default_factory=list)
    known: set[Digest] = field(default_factory=set)
    said: list[Said] = field(default_factory=list)
    junk: list[Junk] = field(default_factory=list)
    aside: dict[int, list[Candidate]] = field(default_factory=dict)
    flawed: list[Candidate] = field(default_factory=list)
    receipts: list[tuple[str, Receipt]] = field(default_factory=list)


def open_log(path: Path) -> Channel:
    """Return an embedded log for reading only.

    Raises: ChannelUnavailableError if there is none, or the file is something else.
    """
    return EmbeddedChannel(path, clock=lambda: 0, read_only=True)


def verify_log(log: Channel, root: Root) -> Report:
    """Verify every channel of a log, and return what was found.

    Raises: TransportError if the log cannot be read.
    """
    report = Report(exchange=root.digest.hex())
    seen = {TRUST_CHANNEL: _Seen()}
    _read(log, root, TRUST_CHANNEL, NO_TRUST, seen[TRUST_CHANNEL], report)
    trust = fold_trust(seen[TRUST_CHANNEL].said, root.digest)
    report.channels[0].notes += trust.faults
    report.participants = len(trust.participants)
    for channel in _channels(trust):
        seen[channel] = _Seen()
        _read(log, root, channel, trust, seen[channel], report)
    _compare_receipts(seen, trust, report)
    return report


def _channels(trust: Trust) -> list[str]:
    schools = tuple(each.id for each in trust.participants.values() if each.role is Role.SCHOOL)
    return [
        channel
        for each in trust.participants.values()
        if each.id != REGISTRAR
        for channel in channels_of(each.id, each.role, schools)
    ]


def _records(log: Channel, channel: str) -> Iterator[list[bytes]]:
    position = 0
    while found := log.poll({channel: position}, timeout_seconds=0, limit=_READ_AT_ONCE):
        position = found[-1].position + 1
        yield [record.value for record in found]


def _read(log: Channel, root: Root, channel: str, trust: Trust, seen: _Seen, report: Report) -> None:
    follower, _ = Follower.at(
        Pathfinder(channel=channel, root=root, trust=trust),
        load=lambda: (record for page in _records(log, channel) for record in page if _digest(record, channel) in seen.known),
        holds=seen.known.__contains__,
    )
    for page in _records(log, channel):
        update = follower.offer(page)
        seen.junk += update.junk
        for step in update.new:
            _note(channel, step, seen)
        _note_flaws(page, channel, seen)
    mine = ChannelReport(channel=channel, entries=len(seen.digests), state=follower.state.value)
    mine.head = seen.digests[-1].hex() if seen.digests else ""
    report.channels.append(mine)
    report.entries += len(seen.digests)
    for candidate in follower.remembered:
        seen.aside.setdefault(candidate.sequence, []).append(candidate)
    _find(channel, seen, follower, mine, report)


def _digest(record: bytes, channel: str) -> Digest:
    found = candidate_of(record, channel)
    return Digest(b"") if isinstance(found, Junk) else found.digest


def _note(channel: str, step: Step, seen: _Seen) -> None:
    seen.digests.append(step.entry.digest)
    seen.known.add(step.entry.digest)
    if channel == TRUST_CHANNEL:
        seen.said.append(said(step))
    if isinstance(step.content, Receipt):
        seen.receipts.append((channel, step.content))


def _note_flaws(page: list[bytes], channel: str, seen: _Seen) -> None:
    """Remember records whose personal part does not match: the entry is taken without it, and that is a finding."""
    for record in page:
        found = candidate_of(record, channel)
        if isinstance(found, Candidate) and found.flaw is not None:
            seen.flawed.append(found)


def _find(channel: str, seen: _Seen, follower: Follower, mine: ChannelReport, report: Report) -> None:
    reached = follower.place.sequence
    expected = _expected_after(reached, seen)
    for candidate in seen.flawed:
        body = candidate.unverified_statement.body
        if candidate.digest in seen.known and isinstance(body, Sealed) and candidate.flaw is not None:
            report.findings.append(
                _finding(
                    channel, candidate, "a personal part does not match its digest", body.personal.hex(), candidate.flaw.hex()
                )
            )
    if follower.state is ReadingState.FORKED:
        one, other = (step.entry for step in follower.undecided[:2])
        report.findings.append(
            Finding(
                channel=channel,
                epoch=one.statement.epoch,
                sequence=one.statement.sequence,
                what="the channel contradicts itself: two signed entries stand at one place",
                expected=one.digest.hex(),
                found=other.digest.hex(),
            )
        )
    elif follower.state is ReadingState.WAITING:
        mine.notes.append(f"waits after {reached}: what follows is under a revoked key, or an epoch's last entry is missing")
    elif follower.gap is not None or expected is not None:
        report.findings.append(_missing(channel, follower.place.epoch, reached + 1, seen, expected))
    mine.notes += (f"a record was skipped: {junk.reason}" for junk in seen.junk)


def _expected_after(reached: int, seen: _Seen) -> str | None:
    """Return the digest that the next entry but one says the missing one has."""
    for candidate in seen.aside.get(reached + 2, ()):
        return candidate.unverified_statement.previous.hex()
    return None


def _missing(channel: str, epoch: int, sequence: int, seen: _Seen, expected: str | None) -> Finding:
    what, found = "an entry is missing", "nothing"
    for candidate in seen.aside.get(sequence, ()):
        if expected is not None and candidate.digest.hex() == expected:
            what, expected = "a signature is not by the certificate of this channel", "a valid signature"
            found = candidate.signatures[0].hex()
        else:
            what, found = "an entry is not what was signed", candidate.digest.hex()
    for junk in seen.junk:
        if junk.sequence == sequence:
            what, wanted, found = _damage(junk)
            expected = wanted or expected
        elif junk.sequence is None and found == "nothing":
            what, found = f"an entry cannot be read ({junk.reason})", digest_of(junk.record).hex()
    return Finding(channel=channel, epoch=epoch, sequence=sequence, what=what, expected=expected or "an entry", found=found)


def _damage(junk: Junk) -> tuple[str, str | None, str]:
    entry = _entry(junk)
    body = entry.unverified_statement.body if entry else None
    if entry and isinstance(body, Sealed) and entry.raw_facts is not None:
        return "sealed facts do not match their digest", body.facts.hex(), digest_of(entry.raw_facts).hex()
    return f"a record is no entry ({junk.reason})", None, digest_of(junk.record).hex()


def _entry(junk: Junk) -> UnverifiedEntry | None:
    try:
        return decode_entry(junk.record)
    except MalformedError:
        return None


def _finding(channel: str, candidate: Candidate, what: str, expected: str, found: str) -> Finding:
    statement = candidate.unverified_statement
    return Finding(channel=channel, epoch=statement.epoch, sequence=statement.sequence, what=what, expected=expected, found=found)


def _compare_receipts(seen: dict[str, _Seen], trust: Trust, report: Report) -> None:
    """Compare what participants say they hold with what stands there: also the last entry cannot vanish once receipted."""
    reports = {each.channel: each for each in report.channels}
    found_at = {(each.channel, each.sequence) for each in report.findings}
    for one in seen.values():
        for writer, receipt in one.receipts:
            for line in receipt.held:
                mine = reports.get(line.channel)
                # What a writer says of its own channel proves nothing to anybody else.
                if mine is None or line.channel == writer:
                    continue
                if _is_undone(trust, line):
                    mine.notes.append(f"{line.epoch}/{line.sequence} was receipted, and undone by an epoch of the registrar")
                    continue
                mine.receipted = max(mine.receipted, line.sequence)
                taken = seen[line.channel].digests
                there = taken[line.sequence - 1] if line.sequence <= len(taken) else None
                place = (line.channel, line.sequence if there is not None else len(taken) + 1)
                if there != line.digest and place not in found_at:
                    found_at.add(place)
                    report.findings.append(_against_receipt(line.channel, line.epoch, place[1], line.digest, there, seen))


def _is_undone(trust: Trust, line: Held) -> bool:
    """Tell whether the registrar has begun a later epoch before this place: the receipt was true, and counts no more."""
    return any(each.epoch > line.epoch and each.after_sequence < line.sequence for each in trust.epochs.get(line.channel, ()))


def _against_receipt(  # the parts of one finding
    channel: str, epoch: int, sequence: int, expected: Digest, there: Digest | None, seen: dict[str, _Seen]
) -> Finding:
    if there is None:
        return _missing(channel, epoch, sequence, seen[channel], expected.hex())
    return Finding(
        channel=channel,
        epoch=epoch,
        sequence=sequence,
        what="a receipt names another entry than stands here",
        expected=expected.hex(),
        found=there.hex(),
    )
