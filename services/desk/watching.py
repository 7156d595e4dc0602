"""Watching: a channel that tells how much of it was read, for whoever waits for a long reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from services.channel.port import Channel, Record, Until

__all__ = ["Watched"]


@dataclass(slots=True)
class Watched:
    """A channel; ``tell`` is told how many records were read, and how many more there are as each name is first asked for."""

    channel: Channel
    tell: Callable[[int, int], None]
    _known: set[str] = field(default_factory=set)

    def append(self, channel: str, records: Sequence[bytes]) -> None:
        """As the port's."""
        self.channel.append(channel, records)

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        """As the port's; tells of what is read."""
        fresh = positions.keys() - self._known
        self._known |= fresh
        found = self.channel.poll(positions, timeout_seconds=timeout_seconds, limit=limit, until=until)
        self.tell(len(found), sum(self.channel.end(name) for name in fresh))
        return found

    def end(self, channel: str) -> int:
        """As the port's."""
        return self.channel.end(channel)

    def close(self) -> None:
        """As the port's."""
        self.channel.close()
