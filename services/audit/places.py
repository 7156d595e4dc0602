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
from typing import Final, NamedTuple, Protocol

from services.audit.opening import Opener, Opening
from services.audit.watching import Watch
from services.channel.port import Channel
from services.wire.candidates import Candidate, candidate_of
from services.wire.entry import Open, body_digest
from services.wire.errors import ChannelUnavailableError
from services.wire.hashing import Digest

__all__ = ["Ahead", "Found", "Places", "candidates_of", "found_of"]

_AT_ONCE: Final = 200
_NOWHERE: Final = -1


def candidates_of(log: Channel, channel: str) -> Iterator[tuple[int, Candidate]]:
    """Yield the records of a channel that may be entries of it, in the order of the log, with their positions."""
    return chain.from_iterable(_log_pages(log, channel, _AT_ONCE))


def _log_pages(log: Channel, channel: str, at_once: int, position: int = 0) -> Iterator[list[tuple[int, Candidate]]]:
    while page := log.poll({channel: position}, timeout_seconds=0, limit=at_once):
        position = page[-1].position + 1
        looked_at = ((each.position, candidate_of(each.value, channel)) for each in page)
        candidates = [(at, found) for at, found in looked_at if isinstance(found, Candidate)]
        # Whoever writes large entries must not have them here twice while somebody works with these.
        page = []
        yield candidates


class Found(NamedTuple):
    """An entry as far as an event is made of it: ``body`` is the digest of its body, ``facts`` that of its sealed facts.

    ``said`` is the body of an open entry, or the facts part of a sealed one, opened, or why it does not open. ``candidate`` is
    the whole entry, None where nobody asks for what is personal, or another process read it.
    """

    digest: Digest
    epoch: int
    sequence: int
    written_at: int
    body: Digest
    facts: Digest | None
    said: Open | bytes | Opening
    candidate: Candidate | None

    @property
    def is_whole(self) -> bool:
        """Tell whether it has all its parts, as far as that is known here."""
        return self.candidate is not None and (self.candidate.personal is not None or not self.candidate.is_sealed)


def found_of(candidate: Candidate, opener: Opener | None) -> Found:
    """Return an entry as far as an event is made of it; nothing of it is opened where there is no ``opener``."""
    statement = candidate.unverified_statement
    _, _, _, epoch, sequence, written_at, _, body = statement
    facts: Digest | None = None
    said: Open | bytes | Opening = Opening.UNASKED
    if isinstance(body, Open):
        said = body
    else:
        facts = body.facts
        said = opener.plain(statement, candidate.facts) if opener is not None else said
    # Entries are large, and a page of them is held at once in each channel.
    whole = candidate if opener is None or opener.with_personal else None
    # As ``Found(…)``, without the call that a named tuple's own way takes more.
    return tuple.__new__(Found, (candidate.digest, epoch, sequence, written_at, body_digest(body), facts, said, whole))


class Ahead(Protocol):
    """Reads and opens what stands in a channel before it is asked for, somewhere else."""

    def pages(self, channel: str) -> Generator[list[Found], None, int]:
        """Yield the entries of a channel in the order of the log, and return the position from which on nobody read them."""
        ...


@dataclass(slots=True)
class Places:
    """The taken entries of a channel, of which ``watch`` is what a verification kept; ``at_once`` records are read at a time.

    They are opened by ``opener``, or not at all, or ``ahead`` by others. Of several records of one digest any is as good as
    another, as long as nobody asks for what is personal; for an opener that does it is the first that has all its parts.
    """

    log: Channel
    watch: Watch
    opener: Opener | None
    at_once: int = _AT_ONCE
    ahead: Ahead | None = None
    _page: dict[int, bytes] = field(default_factory=dict)

    def entries(self) -> Iterator[Found]:
        """Yield the taken entries of the channel in the order of their sequence; errors as for ``pages``."""
        return chain.from_iterable(self.pages())

    def pages(self) -> Iterator[list[Found]]:
        """Yield the same, a page at a time.

        Raises: ChannelUnavailableError if one of them is not there any more; TransportError if the log cannot be read.
        """
        given = yield from self._in_order()
        if given < len(self.watch.digests):
            yield from self._looked_for(given)

    def _in_order(self) -> Generator[list[Found], None, int]:
        """Yield the first entries, as long as the log has them in their order, and return how many these are."""
        watch, given, count = self.watch, 0, len(self.watch.digests)
        for page in self._read() if count else ():
            entries, following = list[Found](), watch.digests[given : given + len(page)]
            for found in page:
                at = len(entries)
                # What somebody put there meanwhile has another digest.
                if at < len(following) and found.digest == following[at] and self._is_enough(found):
                    entries.append(found)
                elif watch.place_of(found) > given + at:
                    yield entries
                    return given + at
            yield entries
            given += len(entries)
            if given == count:
                break
        return given

    def _read(self) -> Iterator[list[Found]]:
        """Yield what stands in the log, in its order."""
        channel = self.watch.report.channel
        position = (yield from self.ahead.pages(channel)) if self.ahead is not None else 0
        for page in _log_pages(self.log, channel, self.at_once, position):
            found = [found_of(each, self.opener) for _, each in page]
            page.clear()
            yield found

    def _looked_for(self, given: int) -> Iterator[list[Found]]:
        """Yield the entries after so many, wherever they are."""
        channel, positions = self.watch.report.channel, self._positions(given)
        for sequence, position in enumerate(positions, start=given + 1):
            found = candidate_of(self._record(position), channel)
            # As above.
            if not isinstance(found, Candidate) or self.watch.place_of(found) != sequence:
                raise _changed(channel, sequence)
            yield [found_of(found, self.opener)]

    def _positions(self, given: int) -> array[int]:
        channel, count = self.watch.report.channel, len(self.watch.digests) - given
        positions, enough = array("q", [_NOWHERE]) * count, bytearray(count)
        for position, found in candidates_of(self.log, channel):
            index = self.watch.place_of(found) - given - 1
            if index < 0 or enough[index]:
                continue
            enough[index] = self._is_enough(found_of(found, None))
            if positions[index] == _NOWHERE or enough[index]:
                positions[index] = position
        if _NOWHERE in positions:
            raise _changed(channel, given + positions.index(_NOWHERE) + 1)
        return positions

    def _is_enough(self, found: Found) -> bool:
        return self.opener is None or not self.opener.with_personal or found.is_whole

    def _record(self, position: int) -> bytes:
        if position not in self._page:
            # Nearly always the next ones come next; a log that somebody mixed up costs a read an entry and no memory.
            records = self.log.poll({self.watch.report.channel: position}, timeout_seconds=0, limit=self.at_once)
            self._page = {each.position: each.value for each in records}
        return self._page.pop(position, b"")


def _changed(channel: str, sequence: int) -> ChannelUnavailableError:
    return ChannelUnavailableError(
        f"entry {sequence} of {channel} was there and is not any more: the log was changed; read it again"
    )
