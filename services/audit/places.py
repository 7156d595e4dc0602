"""Places: the taken entries of a channel in their order, read again from the log, whatever order the log has them in.

What is taken was decided by a verification, which names it by digest; here the bytes of each digest are found again. A digest
binds statement and parts, so a log that somebody changes meanwhile can lose an entry and never give another one for it.
Kept are positions in the log, eight bytes an entry, and one page of records.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from services.audit.watching import Watch
from services.channel.port import Channel
from services.wire.candidates import Candidate, candidate_of
from services.wire.errors import ChannelUnavailableError

__all__ = ["Places", "candidates_of", "located"]

_AT_ONCE: Final = 200
_NOWHERE: Final = -1


def candidates_of(log: Channel, channel: str) -> Iterator[tuple[int, Candidate]]:
    """Yield the records of a channel that may be entries of it, in the order of the log, with their positions."""
    position = 0
    while page := log.poll({channel: position}, timeout_seconds=0, limit=_AT_ONCE):
        position = page[-1].position + 1
        for record in page:
            found = candidate_of(record.value, channel)
            if isinstance(found, Candidate):
                yield record.position, found


@dataclass(slots=True)
class Places:
    """Where each taken entry of a channel stands in its log; ``at_once`` records are read at a time."""

    log: Channel
    channel: str
    positions: array[int]
    at_once: int = _AT_ONCE
    _page: dict[int, bytes] = field(default_factory=dict)

    def entries(self) -> Iterator[Candidate]:
        """Yield the taken entries of the channel in the order of their sequence.

        Raises: ChannelUnavailableError if one of them is not there any more; TransportError if the log cannot be read.
        """
        for sequence, position in enumerate(self.positions, start=1):
            found = candidate_of(self._record(position), self.channel)
            if not isinstance(found, Candidate) or found.sequence != sequence:
                raise _changed(self.channel, sequence)
            yield found

    def _record(self, position: int) -> bytes:
        if position not in self._page:
            # Nearly always the next ones come next; a log that somebody mixed up costs a read an entry and no memory.
            records = self.log.poll({self.channel: position}, timeout_seconds=0, limit=self.at_once)
            self._page = {each.position: each.value for each in records}
        return self._page.pop(position, b"")


def located(log: Channel, watch: Watch, see: Callable[[Candidate], None], *, at_once: int = _AT_ONCE) -> Places:
    """Return where the taken entries of a channel stand: of several records of one digest, the first that has all its parts.

    ``watch`` is what a verification kept of the channel; ``see`` is shown each record of what is taken on the way.
    Raises: ChannelUnavailableError if one of them is not there any more; TransportError if the log cannot be read.
    """
    channel, count = watch.report.channel, len(watch.digests)
    positions, whole = array("q", [_NOWHERE]) * count, bytearray(count)
    for position, found in candidates_of(log, channel) if count else ():
        index = watch.place_of(found) - 1
        if index < 0:
            continue
        see(found)
        is_whole = found.personal is not None or not found.is_sealed
        if positions[index] == _NOWHERE or (is_whole and not whole[index]):
            positions[index], whole[index] = position, is_whole
    if _NOWHERE in positions:
        raise _changed(channel, positions.index(_NOWHERE) + 1)
    return Places(log, channel, positions, at_once)


def _changed(channel: str, sequence: int) -> ChannelUnavailableError:
    return ChannelUnavailableError(
        f"entry {sequence} of {channel} was there and is not any more: the log was changed; read it again"
    )
