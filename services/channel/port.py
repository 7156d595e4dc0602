"""The port: four methods and no logic.

A channel is a log of byte strings at growing positions. Nobody trusts what comes out of it: order, origin and wholeness are
judged by ``services.wire`` alone, so an adapter may repeat or mix up what it likes, and must never lose what it took.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

__all__ = ["RECORD_LIMIT_BYTES", "Channel", "Record", "Until"]

RECORD_LIMIT_BYTES: Final = 640 * 1024


class Until(Protocol):
    """What ends a wait early: something better to do. Asked by the thread that waits."""

    def __call__(self) -> bool:
        """Tell whether there is something better to do; takes out of the descriptor what is in it."""
        ...

    def fileno(self) -> int:
        """Return a descriptor that can be read from when it is worth asking; -1 to be asked every few milliseconds."""
        ...


class Record(NamedTuple):
    """What stands at one position of one channel."""

    channel: str
    position: int
    value: bytes


class Channel(Protocol):
    """An append-only log of many channels. Every call may raise a ``TransportError``."""

    def append(self, channel: str, records: Sequence[bytes]) -> None:
        """Store all of ``records`` in order at the end of ``channel``; durable on return.

        Raises: RecordTooLargeError before anything is stored; ChannelUnavailableError where it is unknown whether the
        records were stored (a repeat does no harm).
        """
        ...

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        """Return up to ``limit`` records at or after the given positions, in the order of each channel.

        Returns as soon as there are any, and an empty list when the time is over, or where ``until`` says so. Positions have
        gaps; one before the first record begins at the first, one beyond the end finds nothing. A channel that nobody wrote to
        is empty. One that cannot be read now holds no other; asked for alone it raises ChannelClosedError, lest its silence be
        taken for its end.
        Raises: ValueError if ``limit`` is less than the number of channels asked for (the caller's bug).
        """
        ...

    def end(self, channel: str) -> int:
        """Return the position after the last record that was ever stored; 0 where there was none."""
        ...

    def close(self) -> None:
        """Give back what the log holds; any further call is a RuntimeError."""
        ...
