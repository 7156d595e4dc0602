"""Copying a log: all records of some channels from one log to another, in their order.

For who moves an exchange to other brokers, or wants what they hold as a file. Nothing is judged: what is copied is verified where
it is read.
"""

from __future__ import annotations

from collections.abc import Iterable

from services.channel.port import Channel

__all__ = ["copy_channels"]

_AT_ONCE = 500


def copy_channels(source: Channel, target: Channel, channels: Iterable[str]) -> int:
    """Append all records of channels to the same channels of ``target``, and return how many there were.

    Raises: TransportError of either log; ChannelClosedError for a channel that cannot be read now.
    """
    copied = 0
    for channel in channels:
        position = 0
        while records := source.poll({channel: position}, timeout_seconds=0, limit=_AT_ONCE):
            target.append(channel, [record.value for record in records])
            position = records[-1].position + 1
            copied += len(records)
    return copied
