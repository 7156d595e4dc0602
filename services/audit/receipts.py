"""Receipts against what stands there: also the last entries of a channel cannot vanish once somebody said it holds them.

A participant's word about another's channel counts; about its own it proves nothing to anybody else, but its record's head
that it names in a pair channel has to stand in its record. What an epoch overruled may rightly be gone.
Source: design.md sections 4 ("Receipt") and 9 ("What verify says").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from services.audit.missing import what_stands_at
from services.audit.report import Finding, Report
from services.audit.watching import Watch
from services.wire.candidates import Candidate
from services.wire.channels import TRUST_CHANNEL, record_of, writer_of
from services.wire.contents import EpochOpened, Held, Receipt
from services.wire.hashing import Digest
from services.wire.trust import Trust

__all__ = ["compare_receipts"]


@dataclass(frozen=True, slots=True)
class _Log:
    watches: Mapping[str, Watch]
    aside: Mapping[str, tuple[Candidate, ...]]
    trust: Trust
    report: Report
    beyond: dict[str, Held] = field(default_factory=dict)


def compare_receipts(
    watches: Mapping[str, Watch], aside: Mapping[str, tuple[Candidate, ...]], trust: Trust, report: Report
) -> None:
    """Find what receipts name and the channels lack, and note how far each channel is receipted."""
    log = _Log(watches, aside, trust, report)
    pins: list[tuple[str, int, str, int]] = []
    for channel, watch in watches.items():
        for sequence, receipt in watch.receipts:
            for line in receipt.held:
                if line.channel != channel and line.channel in watches:
                    _compare_line(log, line)
            record = record_of(writer_of(channel))
            if receipt.record is not None and record in watches:
                place = _compare_record(log, record, receipt)
                pins.append((channel, sequence, record, place))
    for line in log.beyond.values():
        # What is missing begins where the chain ends; only a receipt of that very place says what stood there.
        is_next = line.sequence == len(watches[line.channel].digests) + 1
        report.find(_at_end(log, line.channel, line.digest if is_next else None))
    for channel, sequence, record, place in pins:
        # While nobody else holds the receipt, its writer can take it back together with its record.
        if sequence <= watches[channel].report.receipted:
            _receipted(watches[record], place)
    for watch in watches.values():
        watch.report.tail = watch.report.entries - watch.report.receipted


def _compare_line(log: _Log, line: Held) -> None:
    watch = log.watches[line.channel]
    there = watch.digests[line.sequence - 1] if line.sequence <= len(watch.digests) else None
    if there == line.digest and watch.epoch_at(line.sequence) == line.epoch:
        _receipted(watch, line.sequence)
    elif any(each.epoch > line.epoch and each.after_sequence < line.sequence for each in log.trust.epochs.get(line.channel, ())):
        watch.report.note(f"a receipt names {line.epoch}/{line.sequence}, which a later epoch overruled")
    elif there is None:
        log.beyond[line.channel] = min(log.beyond.get(line.channel, line), line, key=lambda each: each.sequence)
    else:
        is_same = there == line.digest
        log.report.find(
            Finding(
                channel=line.channel,
                epoch=line.epoch,
                sequence=line.sequence,
                what=f"a receipt names another {'epoch' if is_same else 'entry'} than stands here",
                expected=str(line.epoch) if is_same else line.digest.hex(),
                found=str(watch.epoch_at(line.sequence)) if is_same else there.hex(),
            )
        )


def _compare_record(log: _Log, record: str, receipt: Receipt) -> int:
    """Return the place in a record that a receipt pins; 0, and a finding, where its head is not among what is taken."""
    watch, head = log.watches[record], receipt.record
    if head is None or head in watch.places:
        return watch.places[head] if head is not None else 0
    if _knew(receipt) < _last_epoch_said(log, record):
        watch.report.note("a receipt names a head of this record from before its last epoch, which overruled it")
    else:
        log.report.find(_at_end(log, record, head))
    return 0


def _at_end(log: _Log, channel: str, expected: Digest | None) -> Finding:
    watch = log.watches[channel]
    sequence = len(watch.digests) + 1
    return what_stands_at(watch, log.aside[channel], (watch.epoch_at(sequence), sequence), expected)


def _knew(receipt: Receipt) -> int:
    """Return how far the writer of a receipt had read the registrar."""
    return next((line.sequence for line in receipt.held if line.channel == TRUST_CHANNEL), 0)


def _last_epoch_said(log: _Log, channel: str) -> int:
    """Return the place in ``registrar.trust`` of the last epoch of a channel, 0 if it has none."""
    epochs = log.trust.epochs.get(channel, ())
    said: Iterator[int] = (
        each.sequence
        for each in log.watches[TRUST_CHANNEL].said
        if isinstance(each.content, EpochOpened) and each.content in epochs
    )
    return max(said, default=0)


def _receipted(watch: Watch, sequence: int) -> None:
    watch.report.receipted = max(watch.report.receipted, sequence)
