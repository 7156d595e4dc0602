"""Outward: records go into one channel of the log, and one that takes nothing now is left for a while and holds no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.post.office import Office, is_over
from services.wire.errors import ChannelClosedError

__all__ = ["closed_channels", "put"]

_CLOSED_FOR: Final = 30_000


def put(office: Office, channel: str, records: Sequence[bytes]) -> ChannelClosedError | None:
    """Append records to a channel; return why, if that one takes nothing now: a person is told, and it is tried again later.

    Raises: TransportError if the log does not answer.
    """
    if office.channel is None:
        raise RuntimeError("only a worker sends")
    try:
        office.channel.append(channel, records)
    except ChannelClosedError as error:
        office.closed[channel] = office.clock()
        office.tell(str(error))
        return error
    office.closed.pop(channel, None)
    return None


def closed_channels(office: Office) -> set[str]:
    """Return the channels that took nothing a moment ago."""
    now = office.clock()
    return {channel for channel, since in office.closed.items() if not is_over(now, since, _CLOSED_FOR)}
