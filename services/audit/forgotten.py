"""Forgotten: what an earlier verification saw, and what the log no longer shows.

The end of a channel that nobody has receipted can vanish unseen by whoever looks once. Whoever looked before knows better.
What an epoch overruled may rightly be gone; what waits, or stands beside what another key settled, is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from services.audit.missing import hanging
from services.audit.overruled import epochs_said, last_epoch
from services.audit.remembering import Head, Memory
from services.audit.report import Finding, Report
from services.audit.watching import Watch
from services.wire.errors import MissingError
from services.wire.following import Follower
from services.wire.hashing import Digest
from services.wire.trust import Trust

__all__ = ["look_for_forgotten"]


def look_for_forgotten(
    report: Report, memory: Memory, watches: Mapping[str, Watch], followers: Mapping[str, Follower], trust: Trust
) -> None:
    """Find the heads that were seen before and are not taken any more; a channel that is gone with its admission, too."""
    said = epochs_said(watches, trust)
    for channel, head in memory.heads.items():
        watch = watches.get(channel)
        if watch is None:
            report.find(_finding(channel, 0, head, "nothing"))
            continue
        there = watch.digests[head.sequence - 1].hex() if head.sequence <= len(watch.digests) else "nothing"
        if there == head.digest:
            continue
        if any(digest.hex() == head.digest for digest in hanging(followers[channel])):
            watch.report.note(f"what was seen before at {head.sequence} waits now")
        # What its writer signed, that is: anybody can put back what was seen with another signature, and cut off the rest.
        elif any(each.digest.hex() == head.digest for each in followers[channel].genuine):
            watch.report.note(f"what was seen before at {head.sequence} stands beside the chain now")
        elif last_epoch(said, channel) > memory.trusted:
            watch.report.note(f"what was seen before at {head.sequence} was overruled by an epoch since")
        else:
            gone = _first_gone(watch, memory.seen(channel), head)
            there = watch.digests[gone.sequence - 1].hex() if gone.sequence <= len(watch.digests) else "nothing"
            report.find(_finding(channel, watch.epoch_at(gone.sequence), gone, there))


def _first_gone(watch: Watch, seen: Sequence[Digest], head: Head) -> Head:
    """Return the first entry that was seen and is not there, as far as more than the head is remembered."""
    pairs = enumerate(zip_longest(seen, watch.digests[: len(seen)]), start=1)
    return next((Head(sequence, was.hex()) for sequence, (was, there) in pairs if was is not None and was != there), head)


def _finding(channel: str, epoch: int, head: Head, found: str) -> Finding:
    return Finding(
        channel=channel,
        epoch=epoch,
        sequence=head.sequence,
        error=MissingError.__name__,
        what="an entry that an earlier verification saw is not here",
        expected=head.digest,
        found=found,
    )
