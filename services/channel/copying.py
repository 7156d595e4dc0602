"""Copying a log: all records of some channels from one log to another, in their order.

For who moves an exchange to other brokers, or wants what they hold as a file. Nothing is judged: what is copied is verified where
it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from services.channel.port import Channel

__all__ = ["copy_channels"]

_AT_ONCE = 500


def copy_channels(source: Channel, target: Channel, channels: Iterable[str]) -> int:
    """Append all records of channels to the same channels of ``target`` that it lacks, and return how many those were.

    So it may be done again, after an interruption or for what came since.
    Raises: TransportError of either log; ChannelClosedError for a channel that cannot be read now.
    """
    copied = 0
    for channel in channels:
        there = {sha256(value).digest() for page in _pages(target, channel) for value in page}
        for page in _pages(source, channel):
            lacking = [value for value in page if sha256(value).digest() not in there]
            if lacking:
                target.append(channel, lacking)
                copied += len(lacking)
    return copied


def _pages(log: Channel, channel: str) -> Iterator[list[bytes]]:
    position = 0
    while records := log.poll({channel: position}, timeout_seconds=0, limit=_AT_ONCE):
        position = records[-1].position + 1
        yield [record.value for record in records]
