"""The mirror: follows a log into an archive, without a key that opens anything.

Decides which channels there are (the registrar's first; the others follow from whom it admitted, new ones without a restart)
and what of them the archive lacks. Where it goes on follows from the archive alone, so a kill at any moment loses nothing and
doubles nothing. What a log once showed stays: if it is rolled back, emptied or rewritten, that is told, and what it shows now
is kept beside what it showed before.

What one round takes is not of one moment: a receipt may be taken that names an entry which came after its channel was read.
``catch_up`` reads until a round finds nothing new.
Source: docs/adr/0030-archives-are-avro-files.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from services.audit.admitted import channels_under
from services.audit.archive import Archive
from services.audit.archive_reading import ArchiveChannel
from services.audit.leaving_out import without_personal
from services.channel.port import Channel, Record
from services.wire.certificates import Root
from services.wire.channels import TRUST_CHANNEL, channel_kind
from services.wire.errors import ChannelClosedError, MalformedError, TransportError
from services.wire.reading import read_trust

__all__ = ["Mirror"]

_AT_ONCE: Final = 1000
_ROUNDS: Final = 100
_MAILBOX: Final = ".mailbox"


@dataclass(slots=True)
class Mirror:
    """Follows ``source`` into ``archive``.

    ``clock`` gives milliseconds since 1970. ``told`` takes what a person has to know, in a sentence. ``there`` gives the names
    under which the log holds records, where somebody can tell: a channel that nobody was admitted to write is evidence.
    """

    source: Channel
    archive: Archive
    root: Root
    clock: Callable[[], int]
    told: Callable[[str], None]
    there: Callable[[], Iterable[str]] = tuple
    taken: int = 0
    _kept: ArchiveChannel = field(init=False)
    _seen: dict[str, tuple[bytes, int] | None] = field(default_factory=dict)
    _unreadable: dict[str, str] = field(default_factory=dict)
    _trust_end: int = -1
    _said: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._kept = ArchiveChannel(self.archive.folder)
        self._seen[TRUST_CHANNEL] = None

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that are followed."""
        return tuple(self._seen)

    def catch_up(self) -> int:
        """Take what the log holds, until a round finds nothing new, and return how many records those were.

        Raises: TransportError if the log does not answer or the archive cannot be written.
        """
        before = self.taken
        for _ in range(_ROUNDS):
            if not self.round():
                break
        self._close_months()
        return self.taken - before

    def round(self) -> int:
        """Read each channel once to its end, and return how many records that brought; errors as for ``catch_up``."""
        before = self.taken
        self._take_all(TRUST_CHANNEL)
        self._find_channels()
        for channel in list(self._seen):
            self._take_all(channel)
        return self.taken - before

    def wait(self, seconds: float) -> bool:
        """Wait until the log shows something more, for so long at the most, and tell whether it does."""
        readable = {
            channel: seen[1] + 1 if seen else 0 for channel, seen in self._seen.items() if channel not in self._unreadable
        }
        self._close_months()
        return bool(readable and self.source.poll(readable, timeout_seconds=seconds, limit=len(readable)))

    def _find_channels(self) -> None:
        """Follow whom the registrar admitted since, and what else stands in the log."""
        if self._kept.end(TRUST_CHANNEL) != self._trust_end:
            records = (each.value for each in _all(self._kept, TRUST_CHANNEL))
            _, trust = read_trust(records, self.root)
            for channel in channels_under(trust):
                self._seen.setdefault(channel, None)
            self._trust_end = self._kept.end(TRUST_CHANNEL)
        for name in self.there():
            if name.endswith(_MAILBOX):
                continue  # letters are no channel: nobody verifies or keeps them
            if _is_channel(name):
                self._seen.setdefault(name, None)
            else:
                self._say("the log holds records under a name that no channel has; they are not mirrored")

    def _take_all(self, channel: str) -> None:
        try:
            self._take(channel)
        except ChannelClosedError as error:
            # One that gives nothing now holds no other; its own end is not known.
            if self._unreadable.get(channel) != str(error):
                self.told(f"{channel} cannot be read now: {error}")
            self._unreadable[channel] = str(error)
        else:
            if self._unreadable.pop(channel, None) is not None:
                self.told(f"{channel} can be read again")

    def _take(self, channel: str) -> None:
        last = self._seen[channel] or self._kept_last(channel)
        found = self._some(channel, last[1] if last else 0)
        # The record that was seen last is read again each time: whoever rolls a log back may let it grow again unseen.
        if last is not None and (not found or found[0] != last):
            return self._look_again(channel)
        found = found if last is None else found[1:]
        while found:
            self._keep(channel, found)
            self._seen[channel] = found[-1]
            found = self._some(channel, found[-1][1] + 1)
        return None

    def _kept_last(self, channel: str) -> tuple[bytes, int] | None:
        """Return what was taken last of a channel, in an earlier run."""
        last = self.archive.last(channel)
        return (last.value, last.source) if last is not None else None

    def _some(self, channel: str, position: int) -> list[tuple[bytes, int]]:
        found = self.source.poll({channel: position}, timeout_seconds=0, limit=_AT_ONCE)
        return [(without_personal(each.value), each.position) for each in found]

    def _look_again(self, channel: str) -> None:
        """Look at all that the log shows now, and keep what the archive lacks."""
        kept = {sha256(each.value).digest() for each in _all(self._kept, channel)}
        position, added = 0, 0
        self._seen[channel] = None
        while found := self._some(channel, position):
            self._seen[channel] = found[-1]
            position = found[-1][1] + 1
            lacking = [each for each in found if sha256(each[0]).digest() not in kept]
            added += len(lacking)
            self._keep(channel, lacking)
        what = f"{channel}: the log no longer shows what was mirrored last: it was rolled back, emptied or rewritten"
        self._say(f"{what}. All {len(kept)} records that were mirrored stay; {added} that it shows beside them were added")

    def _keep(self, channel: str, records: list[tuple[bytes, int]]) -> None:
        try:
            self.archive.append(channel, records, taken_at=self.clock())
        except TransportError:
            # Some of them may stand there: where to go on is for the archive to say.
            self._seen[channel] = None
            raise
        self.taken += len(records)

    def _close_months(self) -> None:
        for each in self.archive.close_months(self.clock()):
            self.told(f"{each.channel}/{each.month} is closed: {each.records} records, SHA-256 {each.sha256}")

    def _say(self, text: str) -> None:
        # Once: a log that stays as it is is no news.
        if text not in self._said:
            self._said.add(text)
            self.told(text)


def _all(log: Channel, channel: str) -> Iterable[Record]:
    position = 0
    while found := log.poll({channel: position}, timeout_seconds=0, limit=_AT_ONCE):
        position = found[-1].position + 1
        yield from found


def _is_channel(name: str) -> bool:
    try:
        channel_kind(name)
    except MalformedError:
        return False
    return True
