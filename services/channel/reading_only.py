"""A log that takes nothing, over one that does: for who must not say anything in it, and runs code that would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.channel.port import Channel, Record, Until
from services.wire.errors import ChannelClosedError

__all__ = ["ReadingOnly"]


@dataclass(slots=True)
class ReadingOnly:
    """Gives what ``log`` gives, and takes nothing."""

    log: Channel

    def append(self, channel: str, records: Sequence[bytes]) -> None:
        """Take nothing. Raises: ChannelClosedError."""
        raise ChannelClosedError(f"{channel}: nothing is written here, only read ({len(records)} records)")

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        """Return what the log has."""
        return self.log.poll(positions, timeout_seconds=timeout_seconds, limit=limit, until=until)

    def end(self, channel: str) -> int:
        """Return the log's end of a channel."""
        return self.log.end(channel)

    def close(self) -> None:
        """Give back what the log holds."""
        self.log.close()
