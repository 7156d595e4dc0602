"""The decoder by hand accepts what the library reads and encodes to the same bytes again, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from services.wire import avro
from services.wire.errors import MalformedError
from services.wire.strict import entry_fields, statement_fields

ENTRY, STATEMENT = (avro.load_schema(f"wire/{name}.avsc") for name in ("Entry", "Statement"))


def number(value: int, spare: int = 0) -> bytes:
    """Encode a number as Avro does, or in more bytes than it needs; nothing keeps it in 64 bits."""
    zigzag = value << 1 if value >= 0 else (-value << 1) - 1
    groups = [zigzag >> shift & 0x7F for shift in range(0, max(zigzag.bit_length(), 1), 7)] + [0] * spare
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


spares = st.sampled_from([0] * 12 + [1, 2, 9])
sizes = st.sampled_from([0] * 12 + [-1, 1, -(2**40), 2**62])
long_numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(-(2**70), 2**70) | st.integers(-70, 70)
numbers = st.builds(number, long_numbers, spares)
epochs = st.builds(number, st.integers(-(2**31), 2**31 - 1) | st.integers(-(2**34), 2**34), spares)


@st.composite
def blocks(draw: st.DrawFn, content: st.SearchStrategy[bytes]) -> bytes:
    """Draw bytes with their length, which now and then is wrong or over-long."""
    data = draw(content)
    return number(len(data) + draw(sizes), draw(spares)) + data


def branches(index: int) -> st.SearchStrategy[bytes]:
    """Draw the index of a branch: mostly the right one, or its negative, another, an over-long one."""
    return st.sampled_from([number(index)] * 12 + [number(index, 1), number(index - 2), number(2), number(-1)])


texts = blocks(st.text(max_size=6).map(str.encode)) | blocks(st.binary(max_size=3))
parts = branches(0) | st.tuples(branches(1), blocks(st.binary(max_size=6))).map(b"".join)
tails = st.sampled_from([b""] * 12 + [b"\x00", b"tail"])
entries = st.tuples(blocks(st.binary(max_size=6)), blocks(st.binary(max_size=6)), parts, parts, tails).map(b"".join)
opens = st.tuples(branches(0), texts, blocks(st.binary(max_size=6)))
seals = st.tuples(branches(1), st.binary(min_size=96, max_size=96))
bodies = opens.map(b"".join) | seals.map(b"".join)
places = st.tuples(texts, epochs, numbers, numbers).map(b"".join)
statements = st.tuples(st.binary(min_size=64, max_size=64), places, st.binary(min_size=16, max_size=16), bodies, tails).map(
    b"".join
)
WHOLE = bytes(64) + b"\x04ab" + number(1) + number(2**40) + number(1_790_000_000_000) + bytes(16)


def by_library(schema: avro.Schema, data: bytes) -> dict[str, Any] | None:
    try:
        return avro.decode(schema, data)
    except MalformedError:
        return None


def entry_by_hand(data: bytes) -> dict[str, Any] | None:
    try:
        fields = entry_fields(b"start" + data, 5)
    except MalformedError:
        return None
    return dict(zip(("statement", "signature", "facts", "personal"), fields, strict=True))


def statement_by_hand(data: bytes) -> dict[str, Any] | None:
    try:
        *fields, body = statement_fields(data)
    except MalformedError:
        return None
    names = ("previous", "certificate", "channel", "epoch", "sequence", "written_at", "event_id")
    inner = ("type", "content") if len(body) == 2 else ("facts_key", "facts", "personal")
    return dict(zip(names, fields, strict=True)) | {"body": dict(zip(inner, body, strict=True))}


@settings(max_examples=1500, deadline=None)
@given(entries)
@example(b"")
@example(b"\x00\x00\x00\x00")
@example(number(2**63) + b"\x00\x00\x00")
def test_an_entry_by_hand_is_an_entry_by_the_library(data: bytes) -> None:
    found = entry_by_hand(data)
    event(f"taken {found is not None}")
    assert found == by_library(ENTRY, data)


@settings(max_examples=1500, deadline=None)
@given(statements)
@example(WHOLE + number(1) + bytes(96))
@example(WHOLE + number(1) + bytes(97))
@example(WHOLE + number(1) + bytes(95))
@example(WHOLE + number(0) + b"\x02x\x02y")
@example(WHOLE + number(0, 1) + b"\x02x\x02y")
@example(WHOLE + number(-1) + bytes(96))
def test_a_statement_by_hand_is_a_statement_by_the_library(data: bytes) -> None:
    found = statement_by_hand(data)
    event(f"taken {found is not None}")
    assert found == by_library(STATEMENT, data)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([WHOLE + number(1) + bytes(96), WHOLE + number(0) + b"\x02x\x02y"]), st.data())
def test_a_cut_or_changed_statement_is_to_both_the_same(whole: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :]
    for each in (whole[:at], changed):
        assert statement_by_hand(each) == by_library(STATEMENT, each)


def test_a_number_of_eleven_bytes_is_refused() -> None:
    with pytest.raises(MalformedError, match="canonical"):
        entry_fields(b"\x80" * 10 + b"\x01", 0)
