"""Batches that no honest writer makes: whoever may write to a topic chooses nearly all of their bytes."""

from __future__ import annotations

import struct
from typing import Final

import pytest
from aiokafka.record.util import calc_crc32c

from services.channel.kafka_records import records_in

BASE: Final = 100


def varint(number: int) -> bytes:
    """Return a number in zigzag form, as records hold it."""
    number, found = (number << 1) ^ (number >> 63), bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def record(delta: int, value: bytes = b"x", *, headers: bytes = b"\x00", attributes: bytes = b"\x00") -> bytes:
    body = attributes + varint(0) + varint(delta) + varint(-1) + varint(len(value)) + value + headers
    return varint(len(body)) + body


def batch(base: int, *records: bytes, last: int | None = None, attributes: int = 0) -> bytes:
    counts = (len(records) - 1 if last is None else last, 0, 0, -1, -1, -1, len(records))
    tail = struct.pack(">hiqqqhii", attributes, *counts) + b"".join(records)
    rest = struct.pack(">ibI", 0, 2, calc_crc32c(tail)) + tail
    return struct.pack(">qi", base, len(rest)) + rest


HONEST: Final = batch(BASE + 1, record(0, b"honest"))


def found(data: bytes, position: int = BASE) -> list[tuple[int, bytes]]:
    return [(each.position, each.value) for each in records_in("channel", position, data)]


def test_honest_batches_give_their_records_from_a_position_on() -> None:
    data = batch(BASE, record(0, b"a"), record(1, b"b"), record(2, b"c")) + batch(BASE + 3, record(0, b"d"))
    assert found(data) == [(100, b"a"), (101, b"b"), (102, b"c"), (103, b"d")]
    assert found(data, BASE + 2) == [(102, b"c"), (103, b"d")]
    assert found(data, BASE + 4) == []


@pytest.mark.parametrize(
    "hostile",
    [
        batch(BASE, record(0, headers=varint(1) + varint(1) + b"\xff" + varint(-1))),
        batch(BASE, record(0, headers=varint(1) + varint(-1))),
        batch(BASE, record(0, attributes=b"\x80")),
        batch(BASE, record(0), attributes=0x20),
        batch(BASE, record(0), attributes=0x01),
        batch(BASE, record(0), attributes=0x05),
        batch(BASE, b""),
    ],
    ids=["header that is no text", "header of a negative length", "long attributes", "control", "gzip", "no codec", "empty"],
)
def test_a_batch_that_is_not_as_ours_is_one_piece_of_junk_and_what_follows_is_read(hostile: bytes) -> None:
    assert found(hostile + HONEST) == [(BASE, b""), (BASE + 1, b"honest")]


@pytest.mark.parametrize("delta", [-50, 7, 2**31 - 1])
def test_a_writer_cannot_choose_the_position_of_its_record(delta: int) -> None:
    """Behind where a reader is it would never be passed; far beyond, the reader would go there and find nothing more."""
    assert found(batch(BASE, record(delta, b"mine")) + HONEST) == [(BASE, b"mine"), (BASE + 1, b"honest")]


def test_a_batch_with_fewer_or_more_records_than_it_says_ends_where_the_broker_says() -> None:
    assert found(batch(BASE, record(0, b"a"), last=4)) == [(100, b"a"), (104, b"")]
    assert found(batch(BASE, record(0, b"a"), record(1, b"b"), last=0) + HONEST) == [(100, b"a"), (101, b"honest")]


def test_a_batch_that_is_cut_off_is_left_for_the_next_question() -> None:
    assert found(HONEST + batch(BASE + 2, record(0))[:-5]) == [(BASE + 1, b"honest")]
