"""The log of a simulated exchange: the real embedded one, behind a network and a disk that do whatever they may do."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.channel.embedded import MAILBOX_DAYS, EmbeddedChannel
from services.channel.port import Record
from services.wire.entry import decode_entry
from services.wire.errors import ChannelUnavailableError, VerificationError
from services.wire.grants import decode_grant
from services.wire.hashing import Digest

__all__ = ["SharedLog"]

_ALL = 10_000
_MAILBOX = ".mailbox"
_LIFE = MAILBOX_DAYS * 86_400_000


@dataclass
class SharedLog:
    """One log for all sites; ``rates`` says how often an append or a poll goes which wrong way.

    ``given`` are the digests of all entries that the product ever handed to ``append``, by place, also those that were lost.
    ``expired`` are, by mailbox, the keys of letters that were not shown any more, or removed, for their age by the clock of
    whoever called.
    """

    path: Path
    rng: random.Random
    clock_of: Callable[[str], int]
    happened: Callable[..., None]
    say: Callable[[str, str], None]
    rates: dict[str, float] = field(default_factory=dict)
    given: dict[tuple[str, int, int], set[Digest]] = field(default_factory=lambda: defaultdict(set))
    expired: dict[str, set[Digest]] = field(default_factory=lambda: defaultdict(set))
    late: list[tuple[str, list[bytes]]] = field(default_factory=list)
    held_back: dict[str, int] = field(default_factory=dict)
    refuses_once: bool = False
    _caller: str = ""

    def __post_init__(self) -> None:
        self.real = EmbeddedChannel(self.path, clock=lambda: self.clock_of(self._caller))

    def appended(self, site: str, channel: str, records: Sequence[bytes]) -> None:
        """Store what a process appends, or not, or later, or in another order; tell it the truth about it, or nothing."""
        self._caller = site
        self._note_given(channel, records)
        if self.refuses_once:
            self.happened("append refused", site, channel)
        if self.refuses_once or self._goes("append refused", site, channel):
            self.say(site, f"appends {len(records)} to {channel}; the log does not take them")
            raise ChannelUnavailableError("the log does not answer")
        if self._goes("append late", site, channel):
            self.say(site, f"appends {len(records)} to {channel}; no answer, and they are still under way")
            self.late.append((channel, list(records)))
            raise ChannelUnavailableError("the log does not answer")
        stored = list(records)
        if len(stored) > 1 and self._goes("records reordered", site, channel):
            self.rng.shuffle(stored)
        if self._goes("records repeated", site, channel):
            stored += self.rng.choices(stored, k=self.rng.randint(1, 3))
        self._note_expired(channel, 0)
        self.real.append(channel, stored)
        if self._goes("answer of an append lost", site, channel):
            self.say(site, f"appends {len(records)} to {channel}; they are stored and the answer is lost")
            raise ChannelUnavailableError("the log does not answer")

    def polled(self, site: str, positions: Mapping[str, int], limit: int) -> list[Record]:
        """Return what a process is shown: all of it, or less, as the port may."""
        self._caller = site
        if self._goes("poll without an answer", site):
            raise ChannelUnavailableError("the log does not answer")
        for channel, position in positions.items():
            self._note_expired(channel, position)
        found = self.real.poll(positions, timeout_seconds=0, limit=limit)
        found = [record for record in found if record.channel not in self.held_back]
        if len(found) > 1 and self._goes("poll cut short", site):
            found = found[: self.rng.randint(1, len(found) - 1)]
        return found

    def ends_at(self, site: str, channel: str) -> int:
        """Return where a channel ends."""
        self._caller = site
        return self.real.end(channel)

    def records(self, channel: str) -> list[bytes]:
        """Return everything that stands in a channel."""
        self._caller = ""
        found: list[bytes] = []
        position = 0
        while page := self.real.poll({channel: position}, timeout_seconds=0, limit=_ALL):
            position = page[-1].position + 1
            found += [record.value for record in page]
        return found

    def put(self, channel: str, records: Sequence[bytes]) -> None:
        """Put records into a channel that no process of the exchange appends now."""
        self._caller = ""
        self._note_expired(channel, 0)
        self.real.append(channel, records)

    def deliver_late(self) -> None:
        """Let one append that was still under way arrive."""
        channel, records = self.late.pop(self.rng.randrange(len(self.late)))
        self.put(channel, records)
        self.say("log", f"{len(records)} records that were under way arrive in {channel}")

    def cut(self, channel: str, position: int, *, gives_positions_again: bool) -> int:
        """Remove everything of a channel from a position on, and return how many records that was."""
        connection = self.real._connection  # noqa: SLF001  # what a broken disk does
        gone = connection.execute("DELETE FROM records WHERE channel = ? AND position >= ?", (channel, position)).rowcount
        if gives_positions_again:
            connection.execute("UPDATE ends SET position = min(position, ?) WHERE channel = ?", (position, channel))
        return gone

    def lose(self, channel: str, position: int) -> None:
        """Remove the one record that stands at a position of a channel."""
        self.real._connection.execute(  # noqa: SLF001  # as above
            "DELETE FROM records WHERE channel = ? AND position = ?", (channel, position)
        )

    @property
    def changes(self) -> int:
        """A number that grows whenever something of the log changes."""
        return self.real._connection.total_changes  # noqa: SLF001  # cheaper than to look at its ends

    def ends(self) -> dict[str, int]:
        """Return where each channel ends, by name."""
        rows = self.real._connection.execute("SELECT channel, position FROM ends ORDER BY channel")  # noqa: SLF001  # as above
        return dict(rows.fetchall())

    def _goes(self, way: str, *places: str) -> bool:
        rate = self.rates.get(way, 0.0)
        if rate and self.rng.random() < rate:
            self.happened(way, *places)
            return True
        return False

    def _note_expired(self, channel: str, position: int) -> None:
        if not channel.endswith(_MAILBOX):
            return
        letters = self.real._connection.execute(  # noqa: SLF001  # what is there and not shown
            "SELECT value FROM records WHERE channel = ? AND position >= ? AND appended_at < ?",
            (channel, position, self.clock_of(self._caller) - _LIFE),
        )
        for (letter,) in letters:
            try:
                self.expired[channel].add(decode_grant(letter).header.key_id)
            except VerificationError:
                # Junk, which gives nobody a key.
                continue

    def _note_given(self, channel: str, records: Sequence[bytes]) -> None:
        if channel.endswith(_MAILBOX):
            return
        for record in records:
            entry = decode_entry(record)
            statement = entry.unverified_statement
            self.given[statement.channel, statement.epoch, statement.sequence].add(entry.digest)
