"""Places: the taken entries of a channel in their order, read again from the log, whatever order the log has them in.

What is taken was decided by a verification, which names it by digest; here the bytes of each digest are found again. A digest
binds statement and parts, so a log that somebody changes meanwhile can lose an entry and never give another one for it.
A log nearly always has its entries in their order: then each is given as it is read, and nothing is kept. From the first one on
that is not the next, they are looked for in the rest of the log; then kept are their positions, eight bytes an entry.
"""

from __future__ import annotations

from array import array
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from services.audit.watching import Watch
from services.channel.port import Channel
from services.wire.candidates import Candidate, candidate_of
from services.wire.errors import ChannelUnavailableError

__all__ = ["Places", "candidates_of"]

_AT_ONCE: Final = 200
_NOWHERE: Final = -1


def candidates_of(log: Channel, channel: str) -> Iterator[tuple[int, Candidate]]:
    """Yield the records of a channel that may be entries of it, in the order of the log, with their positions."""
    return chain.from_iterable(_log_pages(log, channel, _AT_ONCE))


def _log_pages(log: Channel, channel: str, at_once: int) -> Iterator[list[tuple[int, Candidate]]]:
    position = 0
    while page := log.poll({channel: position}, timeout_seconds=0, limit=at_once):
        position = page[-1].position + 1
        looked_at = [(each.position, candidate_of(each.value, channel)) for each in page]
        yield [(at, found) for at, found in looked_at if isinstance(found, Candidate)]


@dataclass(slots=True)
class Places:
    """The taken entries of a channel, of which ``watch`` is what a verification kept; ``at_once`` records are read at a time.

    Of several records of one digest any is as good as another, as long as nobody asks for what is personal; with
    ``with_personal`` it is the first that has all its parts.
    """

    log: Channel
    watch: Watch
    with_personal: bool = False
    at_once: int = _AT_ONCE
    _page: dict[int, bytes] = field(default_factory=dict)

    def entries(self) -> Iterator[Candidate]:
        """Yield the taken entries of the channel in the order of their sequence; errors as for ``pages``."""
        return chain.from_iterable(self.pages())

    def pages(self) -> Iterator[list[Candidate]]:
        """Yield the same, a page at a time.

        Raises: ChannelUnavailableError if one of them is not there any more; TransportError if the log cannot be read.
        """
        given = yield from self._in_order()
        if given < len(self.watch.digests):
            yield from self._looked_for(given)

    def _in_order(self) -> Generator[list[Candidate], None, int]:
        """Yield the first entries, as long as the log has them in their order, and return how many these are."""
        watch, given, count = self.watch, 0, len(self.watch.digests)
        for page in _log_pages(self.log, watch.report.channel, self.at_once) if count else ():
            entries, following = list[Candidate](), watch.digests[given : given + len(page)]
            for _, found in page:
                at = len(entries)
                # What somebody put there meanwhile has another digest.
                if at < len(following) and found.digest == following[at] and (not self.with_personal or _is_whole(found)):
                    entries.append(found)
                elif watch.place_of(found) > given + at:
                    yield entries
                    return given + at
            yield entries
            given += len(entries)
            if given == count:
                break
        return given

    def _looked_for(self, given: int) -> Iterator[list[Candidate]]:
        """Yield the entries after so many, wherever they are."""
        channel, positions = self.watch.report.channel, self._positions(given)
        for sequence, position in enumerate(positions, start=given + 1):
            found = candidate_of(self._record(position), channel)
            # As above.
            if not isinstance(found, Candidate) or self.watch.place_of(found) != sequence:
                raise _changed(channel, sequence)
            yield [found]

    def _positions(self, given: int) -> array[int]:
        channel, count = self.watch.report.channel, len(self.watch.digests) - given
        positions, enough = array("q", [_NOWHERE]) * count, bytearray(count)
        for position, found in candidates_of(self.log, channel):
            index = self.watch.place_of(found) - given - 1
            if index < 0 or enough[index]:
                continue
            enough[index] = not self.with_personal or _is_whole(found)
            if positions[index] == _NOWHERE or enough[index]:
                positions[index] = position
        if _NOWHERE in positions:
            raise _changed(channel, given + positions.index(_NOWHERE) + 1)
        return positions

    def _record(self, position: int) -> bytes:
        if position not in self._page:
            # Nearly always the next ones come next; a log that somebody mixed up costs a read an entry and no memory.
            records = self.log.poll({self.watch.report.channel: position}, timeout_seconds=0, limit=self.at_once)
            self._page = {each.position: each.value for each in records}
        return self._page.pop(position, b"")


def _is_whole(found: Candidate) -> bool:
    return found.personal is not None or not found.is_sealed


def _changed(channel: str, sequence: int) -> ChannelUnavailableError:
    return ChannelUnavailableError(
        f"entry {sequence} of {channel} was there and is not any more: the log was changed; read it again"
    )
