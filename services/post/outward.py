"""Outward: records go into one channel of the log, in pieces that the way to it takes in the time of a call.

A channel that takes nothing now is left for a while, and holds no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

from services.post.office import LEAST_PIECE_BYTES, Office, is_over
from services.wire.errors import ChannelClosedError, ChannelUnavailableError

__all__ = ["closed_channels", "pieces", "put"]

_CLOSED_FOR: Final = 30_000
_MOST_PIECE_BYTES: Final = 1024 * 1024
_QUICK_MILLISECONDS: Final = 500

_Of = TypeVar("_Of")


def put(office: Office, channel: str, records: Sequence[bytes]) -> ChannelClosedError | None:
    """Append records to a channel; return why, if that one takes nothing now: a person is told, and it is tried again later.

    Raises: TransportError if the log does not answer.
    """
    if office.channel is None:
        raise RuntimeError("only a worker sends")
    began = office.clock()
    office.is_log_taking = False
    try:
        office.channel.append(channel, records)
    except ChannelClosedError as error:
        office.closed[channel] = office.clock()
        office.tell(str(error))
        return error
    except ChannelUnavailableError:
        # Perhaps too much for a slow way; what is begun anew each time never arrives.
        office.piece_bytes = LEAST_PIECE_BYTES
        raise
    office.is_log_taking = True
    office.closed.pop(channel, None)
    if 2 * sum(map(len, records)) > office.piece_bytes and office.clock() - began < _QUICK_MILLISECONDS:
        office.piece_bytes = min(2 * office.piece_bytes, _MOST_PIECE_BYTES)
    return None


def pieces(office: Office, whole: Iterable[tuple[_Of, bytes]]) -> Iterator[list[tuple[_Of, bytes]]]:
    """Yield records, each with what it is of, in pieces that go out in one call; each as large as goes by then."""
    piece: list[tuple[_Of, bytes]] = []
    size = 0
    for each in whole:
        if piece and size + len(each[1]) > office.piece_bytes:
            yield piece
            piece, size = [], 0
        piece.append(each)
        size += len(each[1])
    if piece:
        yield piece


def closed_channels(office: Office) -> set[str]:
    """Return the channels that took nothing a moment ago."""
    now = office.clock()
    return {channel for channel, since in office.closed.items() if not is_over(now, since, _CLOSED_FOR)}
