"""Checkpoints in a log: which heads a checkpoint is over, found again from the entries that stand there.

A checkpoint says how many channels and one root, not how far each channel was read. Whoever has the log tries: everything that
was written before the checkpoint, then a little less and a little more, in the order in which it was written, for clocks differ
and what was on its way was not read. What is found is proved by the root: no other heads have it. Where nothing is found, the
heads have to come from the auditor itself (``sarakste audit heads``).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from services.audit.event import Event, Standing
from services.audit.heads import ChannelHead, head_leaf, ordered
from services.audit.places import candidates_of
from services.audit.tree import Frontier, leaf_hash, root_of
from services.audit.verify import Examined
from services.channel.port import Channel
from services.wire.contents import Checkpoint
from services.wire.hashing import Digest

__all__ = ["Written", "written_in"]

_STEPS: Final = 500
_NOT_TAKEN: Final = (Standing.WAITS, Standing.VOIDED)


@dataclass(frozen=True, slots=True)
class Written:
    """When the taken entries of each channel were written, in their order: milliseconds, never decreasing in a channel."""

    examined: Examined
    times: Mapping[str, array[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, examined: Examined) -> Self:
        """Return this of an examined log, with all times still to be noted."""
        return cls(examined, {name: array("q", bytes(8 * len(each.digests))) for name, each in examined.watches.items()})

    def noting(self, events: Iterable[Event]) -> Iterator[Event]:
        """Hand all events of that log through, and note on the way when each that is taken was written."""
        for event in events:
            if event.standing not in _NOT_TAKEN:
                times, place = self.times[event.channel], event.sequence - 1
                # One that was written back in time was read after the one before it all the same.
                times[place] = max(event.written_at, times[place - 1]) if place else event.written_at
            yield event

    def heads_of(self, checkpoint: Checkpoint, *, record: str, at: int) -> list[ChannelHead] | None:
        """Return the heads that a checkpoint is over, which stands in ``record``, written ``at`` then; None if none are found."""
        upto = {channel: bisect_right(times, at) for channel, times in self.times.items() if channel != record}
        before, after = self._around(upto)
        roots = self._roots(upto, before, after)
        for sizes in _sizes(upto, before, after):
            # The number of channels says at once that it cannot be these.
            if sum(size > 0 for size in sizes.values()) != checkpoint.channels:
                continue
            heads = ordered(
                ChannelHead(
                    channel=channel, epoch=self.examined.watches[channel].epoch_at(size), size=size, root=roots[channel, size]
                )
                for channel, size in sizes.items()
                if size
            )
            if root_of(map(head_leaf, heads)) == checkpoint.root:
                return heads
        return None

    def _around(self, upto: Mapping[str, int]) -> tuple[list[str], list[str]]:
        """Return the channels of the entries just before and just after a cut, the nearest first."""
        before = sorted(
            (-self.times[channel][place], channel)
            for channel, size in upto.items()
            for place in range(max(0, size - _STEPS), size)
        )
        after = sorted(
            (self.times[channel][place], channel)
            for channel, size in upto.items()
            for place in range(size, min(len(self.times[channel]), size + _STEPS))
        )
        return [channel for _, channel in before[:_STEPS]], [channel for _, channel in after[:_STEPS]]

    def _roots(self, upto: Mapping[str, int], before: list[str], after: list[str]) -> dict[tuple[str, int], Digest]:
        """Return the root of each channel's tree at every size that is tried."""
        found: dict[tuple[str, int], Digest] = {}
        for channel, size in upto.items():
            tree, least, most = Frontier(), size - before.count(channel), size + after.count(channel)
            for digest in self.examined.watches[channel].digests[:most]:
                tree.append(leaf_hash(digest))
                if tree.size >= least:
                    found[channel, tree.size] = tree.root
        return found


def written_in(log: Channel, examined: Examined) -> Written:
    """Read when the taken entries of an examined log were written. Raises: TransportError if it cannot be read."""
    found = Written.of(examined)
    for channel, times in found.times.items():
        watch = examined.watches[channel]
        for _, entry in candidates_of(log, channel):
            if place := watch.place_of(entry):
                times[place - 1] = entry.unverified_statement.written_at
        for place in range(1, len(times)):
            times[place] = max(times[place], times[place - 1])
    return found


def _sizes(upto: Mapping[str, int], before: list[str], after: list[str]) -> Iterator[Mapping[str, int]]:
    """Yield the sizes that are tried; each is to be looked at before the next."""
    sizes = dict(upto)
    yield sizes
    for channel in before:
        sizes[channel] -= 1
        yield sizes
    sizes |= upto
    for channel in after:
        sizes[channel] += 1
        yield sizes
