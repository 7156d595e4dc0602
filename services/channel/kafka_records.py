"""The records in what a broker answers, whoever wrote them.

A broker looks at little of what it stores: whoever may write to a channel chooses offsets, headers and compression of its
batches. So each record is numbered by its place in its batch, whose place the broker gives; and a batch that is compressed, is no
data or does not decode is one piece of junk at its last position. Nothing is unpacked, and nobody's bytes keep a reader from what
comes after them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiokafka.record.memory_records import MemoryRecords

from services.channel.port import Record

__all__ = ["records_in"]


def records_in(channel: str, position: int, data: bytes) -> Iterator[Record]:
    """Yield the records of an answer from a position on; what is cut off at its end is left for the next question.

    Raises: whatever the library does if the frames themselves are damaged, which no writer can bring about.
    """
    batches = MemoryRecords(data)
    while batches.has_next():
        batch = batches.next_batch()
        if batch.next_offset > position:
            yield from _in_batch(channel, position, batch)


def _in_batch(channel: str, position: int, batch: Any) -> list[Record]:
    last = batch.next_offset - 1
    try:
        # Unpacked, a megabyte could be gigabytes.
        if batch.is_control_batch or batch.compression_type:
            raise ValueError("not data as we write it")  # noqa: TRY301  # one way out for all that is junk
        places = zip(range(batch.base_offset, last + 1), batch, strict=False)
        found = [Record(channel, place, bytes(record.value or b"")) for place, record in places if place >= position]
    except Exception:  # whatever the library stumbles over, the writer chose it  # noqa: BLE001
        found = []
    # Something has to stand at the last position at least: a reader goes on behind what it was given.
    return found if found and found[-1].position == last else [*found, Record(channel, last, b"")]
