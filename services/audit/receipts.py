"""Receipts against what stands there: also the last entries of a channel cannot vanish once somebody said it holds them.

A participant's word about another's channel counts; about its own it proves nothing to anybody else, but its record's head
that it names in a pair channel has to stand in its record. What an epoch overruled may rightly be gone. What only waits is
here, and was taken by whoever receipted it before its key was revoked: it is a note.
Source: design.md sections 4 ("Receipt") and 9 ("What verify says").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.audit.missing import ends_of, hanging, what_is_behind
from services.audit.overruled import epochs_said, knew, last_epoch
from services.audit.report import Finding, Report
from services.audit.watching import Watch
from services.wire.candidates import Candidate
from services.wire.channels import TRUST_CHANNEL, record_of, writer_of
from services.wire.contents import Held, Receipt
from services.wire.errors import FacesError, ForkError
from services.wire.following import Follower
from services.wire.hashing import Digest
from services.wire.paths import Place
from services.wire.reading import ReadingState
from services.wire.trust import Trust

__all__ = ["compare_receipts"]


@dataclass(slots=True)
class _End:
    """Where a channel ends, what is ahead of that, and which of it claims the next place; whether that was found missing."""

    place: Place
    last: int
    astray: Sequence[Candidate]
    following: frozenset[Digest]
    is_missed: bool = False


@dataclass(frozen=True, slots=True)
class _Log:
    watches: Mapping[str, Watch]
    followers: Mapping[str, Follower]
    waiting: Mapping[str, Mapping[Digest, Place]]
    trust: Trust
    report: Report
    pinned: Mapping[str, Mapping[Digest, int]]
    epochs_said: Mapping[str, Sequence[int]]
    beyond: dict[str, Held] = field(default_factory=dict)
    ends: dict[str, _End] = field(default_factory=dict)

    def is_waiting(self, line: Held) -> bool:
        """Tell whether what a line names follows in its channel and is only not taken."""
        place = self.waiting[line.channel].get(line.digest)
        return place is not None and (place.epoch, place.sequence) == (line.epoch, line.sequence)

    def end_of(self, channel: str) -> int:
        """Return the sequence up to which something genuine stands in a channel, what only waits included."""
        return self.end(channel).last

    def end(self, channel: str) -> _End:
        """Return where a channel goes on, looked for once: each of many receipts may name something beyond it."""
        if channel not in self.ends:
            follower = self.followers[channel]
            place, astray = ends_of(follower)[0], follower.astray
            last = max((len(self.watches[channel].digests), *(each.sequence for each in self.waiting[channel].values())))
            following = frozenset(each.digest for each in astray if each.sequence == place.sequence + 1)
            self.ends[channel] = _End(place, last, astray, following)
        return self.ends[channel]


def compare_receipts(watches: Mapping[str, Watch], followers: Mapping[str, Follower], trust: Trust, report: Report) -> None:
    """Find what receipts name and the channels lack, and note how far each channel is receipted."""
    waiting = {channel: hanging(each) for channel, each in followers.items()}
    log = _Log(watches, followers, waiting, trust, report, _pinned(watches), epochs_said(watches, trust))
    pins: list[tuple[str, int, str, int]] = []
    for channel, watch in sorted(watches.items()):
        for sequence, receipt in (each for each in watch.receipts if watch.is_settled(each[0])):
            for line in receipt.held:
                if line.channel != channel and line.channel in watches:
                    _compare_line(log, line, knew(receipt), channel)
            record = record_of(writer_of(channel))
            if receipt.record is not None and record in watches:
                place = _compare_record(log, record, receipt)
                pins.append((channel, sequence, record, place))
    for line in log.beyond.values():
        # What is missing begins where the chain ends; what stood there is known as far as the chain leads back to it.
        _find_at_end(log, line.channel, line.sequence, line.digest)
    for channel, sequence, record, place in pins:
        # While nobody else holds the receipt, its writer can take it back together with its record.
        if sequence <= watches[channel].report.receipted:
            _receipted(watches[record], place, channel)
    for watch in watches.values():
        watch.report.tail = watch.report.entries - watch.report.receipted


def _pinned(watches: Mapping[str, Watch]) -> dict[str, dict[Digest, int]]:
    """Return the places of the heads of records that receipts name, by record."""
    heads: dict[str, set[Digest]] = {}
    for channel, watch in watches.items():
        for _, receipt in watch.receipts:
            if receipt.record is not None:
                heads.setdefault(record_of(writer_of(channel)), set()).add(receipt.record)
    return {record: watches[record].places_of(each) for record, each in heads.items() if record in watches}


def _compare_line(log: _Log, line: Held, read: int, by: str) -> None:
    watch = log.watches[line.channel]
    there = watch.digests[line.sequence - 1] if line.sequence <= len(watch.digests) else None
    later = [each for each in log.trust.epochs.get(line.channel, ()) if each.epoch > line.epoch]
    if there == line.digest and watch.epoch_at(line.sequence) == line.epoch:
        _receipted(watch, line.sequence, by)
    elif log.is_waiting(line):
        # Whoever holds what waits holds all that is taken before it.
        _waits(log, line.channel)
        _receipted(watch, len(watch.digests), by)
    elif any(each.after_sequence < line.sequence for each in later):
        watch.report.note(f"a receipt names {line.epoch}/{line.sequence}, which a later epoch overruled")
    elif later and read < last_epoch(log.epochs_said, line.channel):
        watch.report.note(f"a receipt names another {line.epoch}/{line.sequence}: a later epoch decided which of the two counts")
    elif there is None and line.sequence > log.end_of(line.channel):
        log.beyond[line.channel] = min(log.beyond.get(line.channel, line), line, key=lambda each: (each.sequence, each.digest))
    else:
        log.report.find(_another(log, line))


def _another(log: _Log, line: Held) -> Finding:
    watch = log.watches[line.channel]
    if line.sequence <= len(watch.digests):
        epoch, found = watch.epoch_at(line.sequence), watch.digests[line.sequence - 1]
    else:
        # Several may wait there: the one that is named in another epoch, else the first in an order of their own.
        waiting = (each for each in log.waiting[line.channel].values() if each.sequence == line.sequence)
        epoch, found = min(((each.epoch, each.digest) for each in waiting), key=lambda each: (each[1] != line.digest, each[1]))
    is_same = found == line.digest
    return Finding(
        channel=line.channel,
        epoch=line.epoch,
        sequence=line.sequence,
        error=(FacesError if line.channel == TRUST_CHANNEL else ForkError).__name__,
        what=f"a receipt names another {'epoch' if is_same else 'entry'} than stands here",
        expected=str(line.epoch) if is_same else line.digest.hex(),
        found=str(epoch) if is_same else found.hex(),
    )


def _compare_record(log: _Log, record: str, receipt: Receipt) -> int:
    """Return the place in a record that a receipt pins; 0, and a finding, where its head is not among what is taken."""
    watch, head = log.watches[record], receipt.record
    if head is None or head in log.pinned[record]:
        return log.pinned[record][head] if head is not None else 0
    if head in log.waiting[record]:
        _waits(log, record)
        return len(watch.digests)
    if knew(receipt) < last_epoch(log.epochs_said, record):
        watch.report.note("a receipt names a head of this record from before its last epoch, which overruled it")
    else:
        # Where it stood is not said, so it stands for what comes next.
        _find_at_end(log, record, log.end_of(record) + 1, head)
    return 0


def _find_at_end(log: _Log, channel: str, sequence: int, digest: Digest) -> None:
    """Find what a receipt knows of beyond all that is there; nothing more is missing where the end itself is another's place."""
    watch, known = log.watches[channel], log.end(channel)
    end = known.place
    if known.is_missed and digest not in known.following:
        # It would be the same finding: nothing that stands here says more about this digest.
        return
    if any(
        (each.channel, each.sequence, each.found) == (channel, end.sequence, end.digest.hex()) for each in log.report.findings
    ):
        return
    epoch = watch.epoch_at(end.sequence + 1)
    found = what_is_behind(end, watch, known.astray, [(sequence, digest)], epoch=epoch)
    known.is_missed = known.is_missed or found.sequence == end.sequence + 1
    log.report.find(found)


def _waits(log: _Log, channel: str) -> None:
    # The sides of a fork hang there too, and that is a finding already.
    if log.followers[channel].state is ReadingState.WAITING:
        log.watches[channel].report.conclude("a receipt names an entry that waits here: somebody took it before it had to wait")


def _receipted(watch: Watch, sequence: int, by: str) -> None:
    if sequence > watch.report.receipted:
        watch.report.receipted, watch.report.receipted_by = sequence, by
