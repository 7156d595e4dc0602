"""Decoders of plain types take what the library reads and encodes to the same bytes again, as the same value; nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from services.wire import avro
from services.wire.canonical import OtherFormError, decoder_of
from services.wire.errors import MalformedError
from tests.unit.test_schemas import FILES, FOLDER, values
from tests.unit.test_strict import blocks, branches, number, numbers, spares, texts

days = st.builds(number, st.integers(-800_000, 3_000_000) | st.integers(-(2**34), 2**34), spares)
symbols = st.builds(number, st.integers(-4, 4), spares)
booleans = st.sampled_from([b"\x00", b"\x01"] * 6 + [b"\x02", b"\xff"])
digests = st.binary(min_size=2, max_size=2)
inner = st.tuples(symbols, booleans).map(b"".join)


@st.composite
def blocks_of_items(draw: st.DrawFn, items: st.SearchStrategy[bytes]) -> bytes:
    """Draw an array: mostly one block, now and then split, with a size, a wrong count or no end."""
    drawn = draw(st.lists(items, max_size=3))
    split = draw(st.sampled_from([len(drawn)] * 8 + [0, 1]))
    parts = [each for each in (drawn[:split], drawn[split:]) if each]
    counts = [len(each) + draw(st.sampled_from([0] * 12 + [-1, 1, 2**40, -4])) for each in parts]
    end = draw(st.sampled_from([b"\x00"] * 12 + [b"", b"\x80\x00", b"\x02"]))
    return b"".join(number(count, draw(spares)) + b"".join(part) for count, part in zip(counts, parts, strict=True)) + end


RECORD: dict[str, Any] = {
    "type": "record",
    "name": "Plain",
    "fields": [
        {"name": "text", "type": "string"},
        {"name": "number", "type": "int"},
        {"name": "long", "type": ["null", "long"]},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "digest", "type": [{"type": "fixed", "name": "Pair", "size": 2}, "null"]},
        {"name": "again", "type": "Pair"},
        {
            "name": "items",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Item",
                    "fields": [
                        {"name": "symbol", "type": {"type": "enum", "name": "Symbol", "symbols": ["A", "B", "C"]}},
                        {"name": "flag", "type": "boolean"},
                    ],
                },
            },
        },
        {"name": "content", "type": "bytes"},
    ],
}
SCHEMA = avro.Schema(RECORD, is_own=True)
records = st.tuples(
    texts,
    numbers,
    branches(0) | st.tuples(branches(1), numbers).map(b"".join),
    days,
    branches(1) | st.tuples(branches(0), digests).map(b"".join),
    digests,
    blocks_of_items(inner),
    blocks(st.binary(max_size=3)),
    st.sampled_from([b""] * 12 + [b"\x00", b"tail"]),
).map(b"".join)


def plainly(schema: avro.Schema, data: bytes) -> dict[str, Any] | None:
    assert schema.plain is not None
    try:
        record, end = schema.plain(data, 0)
    except (OtherFormError, IndexError):
        return None
    return record if end == len(data) else None


def by_library(schema: avro.Schema, data: bytes) -> dict[str, Any] | None:
    """Decode by the library alone, encode again and compare."""
    plain, schema.plain = schema.plain, None
    try:
        return avro.decode(schema, data)
    except MalformedError:
        return None
    finally:
        schema.plain = plain


@settings(max_examples=3000, deadline=None)
@given(records)
@example(b"")
@example(b"\x00\x00\x00\x00\x02xyzz\x00\x00")
def test_what_is_taken_plainly_is_what_the_library_takes(data: bytes) -> None:
    found = plainly(SCHEMA, data)
    event(f"taken {found is not None}")
    assert found == by_library(SCHEMA, data)


@pytest.mark.parametrize("file", FILES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_of_every_own_schema_whole_and_changed_bytes_are_to_both_the_same(file: str, data: st.DataObject) -> None:
    schema = avro.load_schema(file)
    if schema.plain is None:
        assert file == "wire/Statement.avsc"  # whose body is one of two records
        return
    ours, _ = data.draw(values(json.loads((FOLDER / file).read_text("utf-8")), {}))
    encoded = avro.encode(schema, ours)
    at = data.draw(st.integers(0, len(encoded)))
    changed = encoded[:at] + data.draw(st.binary(max_size=2)) + encoded[at + data.draw(st.integers(0, 2)) :]
    assert plainly(schema, encoded) is not None
    for each in (encoded, changed, encoded[:at]):
        assert plainly(schema, each) == by_library(schema, each)


@pytest.mark.parametrize(
    "field",
    [
        ["int", "long"],
        ["null", "int", "string"],
        "double",
        {"type": "map", "values": "int"},
        {"type": "long", "logicalType": "timestamp-millis"},
        {"type": "array", "items": {"type": "bytes", "logicalType": "decimal", "precision": 4}},
    ],
)
def test_what_is_not_plain_is_left_to_the_library(field: Any) -> None:
    assert avro.Schema({"type": "record", "name": "R", "fields": [{"name": "value", "type": field}]}, is_own=True).plain is None


def test_a_number_that_is_a_type_of_its_own_is_plain_all_the_same() -> None:
    wrapped = avro.Schema({"type": "record", "name": "R", "fields": [{"name": "value", "type": {"type": "int"}}]}, is_own=True)
    assert plainly(wrapped, number(7)) == {"value": 7}
    assert plainly(wrapped, number(2**31)) is None


def test_two_fields_of_one_name_are_left_to_the_library_which_encodes_the_second_twice() -> None:
    fields = [{"name": "value", "type": "int"}, {"name": "value", "type": "int"}]
    assert avro.Schema({"type": "record", "name": "R", "fields": fields}, is_own=True).plain is None


def test_two_symbols_of_one_name_are_left_to_the_library() -> None:
    assert decoder_of({"type": "enum", "name": "E", "symbols": ["A", "A"]}, lambda node: node) is None
