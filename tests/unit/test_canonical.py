"""Decoders of plain types take what the library reads and encodes to the same bytes again, as the same value; nothing else."""

from __future__ import annotations

import json
from datetime import date
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


DAY = {"type": "int", "logicalType": "date"}
PAIR = {"type": "fixed", "name": "Pair", "size": 2}
SYMBOL = {"type": "enum", "name": "Symbol", "symbols": ["A", "B", "C"]}
ARRAY = {"type": "array", "items": "boolean"}
RECORD: dict[str, Any] = {
    "type": "record",
    "name": "Plain",
    "fields": [
        {"name": "text", "type": "string"},
        {"name": "number", "type": "int"},
        {"name": "long", "type": ["null", "long"]},
        {"name": "day", "type": DAY},
        {"name": "digest", "type": [PAIR, "null"]},
        {"name": "again", "type": "Pair"},
        {
            "name": "items",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Item",
                    "fields": [
                        {"name": "symbol", "type": SYMBOL},
                        {"name": "flag", "type": "boolean"},
                    ],
                },
            },
        },
        {"name": "content", "type": "bytes"},
    ],
}
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


@pytest.fixture(scope="module")
def schema() -> avro.Schema:
    """Make the decoder in the test: a change of how it is made is not noticed in one that was made before."""
    return avro.Schema(RECORD, is_own=True)


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


@settings(max_examples=1000, deadline=None)
@given(data=records)
@example(data=b"")
@example(data=b"\x00\x00\x00\x00\x02xyzz\x00\x00")
def test_what_is_taken_plainly_is_what_the_library_takes(schema: avro.Schema, data: bytes) -> None:
    found = plainly(schema, data)
    event(f"taken {found is not None}")
    assert found == by_library(schema, data)


@pytest.fixture(scope="module", params=FILES)
def own(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any], avro.Schema]:
    """Make an own schema in the test, as above."""
    source = json.loads((FOLDER / request.param).read_text("utf-8"))
    return request.param, source, avro.Schema(source, is_own=True)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_of_every_own_schema_whole_and_changed_bytes_are_to_both_the_same(
    own: tuple[str, dict[str, Any], avro.Schema], data: st.DataObject
) -> None:
    file, source, schema = own
    if schema.plain is None:
        assert file == "wire/Statement.avsc"  # whose body is one of two records
        return
    ours, _ = data.draw(values(source, {}))
    encoded = avro.encode(schema, ours)
    at = data.draw(st.integers(0, len(encoded)))
    changed = encoded[:at] + data.draw(st.binary(max_size=2)) + encoded[at + data.draw(st.integers(0, 2)) :]
    assert plainly(schema, encoded) is not None
    for each in (encoded, changed, encoded[:at]):
        assert plainly(schema, each) == by_library(schema, each)


NUMBERS = (0, -1, 1, 63, -64, 64, -65, 8191, -8192, 8192, 2**20, -(2**27), 2**31 - 1, -(2**31))
TAKEN: list[tuple[Any, bytes, Any]] = [
    *(("int", number(each), each) for each in NUMBERS),
    *(("long", number(each), each) for each in (*NUMBERS, 2**31, 2**55, -(2**62), 2**63 - 1, -(2**63))),
    *((DAY, number((each - date(1970, 1, 1)).days), each) for each in (date.min, date(1969, 12, 31), date(2026, 9, 1), date.max)),
    ("string", b"\x06\xc4\x81b", "āb"),
    ("string", b"\x00", ""),
    ("bytes", b"\x04\x00\xff", b"\x00\xff"),
    ("boolean", b"\x00", False),
    ("boolean", b"\x01", True),
    ("null", b"", None),
    (PAIR, b"ab", b"ab"),
    (SYMBOL, b"\x00", "A"),
    (SYMBOL, b"\x04", "C"),
    (["null", "long"], b"\x00", None),
    (["null", "long"], b"\x02\x0e", 7),
    (["long", "null"], b"\x02", None),
    (["long", "null"], b"\x00\x0e", 7),
    (ARRAY, b"\x00", []),
    (ARRAY, b"\x04\x01\x00\x00", [True, False]),
]
REFUSED: list[tuple[Any, bytes]] = [
    *((kind, number(each, spare)) for kind in ("int", "long", DAY) for each in (0, 64, 2**20) for spare in (1, 9)),
    *((kind, number(each)) for kind in ("int", DAY) for each in (2**31, -(2**31) - 1, 2**40)),
    *((kind, number(each)) for kind in ("int", "long", DAY) for each in (2**63, -(2**63) - 1, 2**70)),
    *((kind, b"\xff" * 11) for kind in ("int", "long", DAY)),
    *((DAY, number((each - date(1970, 1, 1)).days + by)) for each, by in ((date.min, -1), (date.max, 1))),
    *((kind, data) for kind in ("string", "bytes") for data in (b"\x04a", b"\x01a", b"\x82\x00a", b"\x03aa")),
    ("string", b"\x02\xff"),
    *(("boolean", each) for each in (b"\x02", b"\xff")),
    (PAIR, b"a"),
    *((SYMBOL, each) for each in (b"\x01", b"\x05", b"\x06", b"\x80\x00")),
    *((["null", "long"], each) for each in (b"\x04", b"\x01", b"\x03\x0e", b"\x80\x00")),
    *(
        (ARRAY, each)
        for each in (b"\x02\x01\x02\x00\x00", b"\x03\x02\x01\x00\x00", b"\x08\x01\x00\x00", b"\x02\x01\x02", b"\x80\x00")
    ),
]


def decoded(node: Any, data: bytes, *, at: int = 0) -> tuple[Any, int]:
    decode = decoder_of(node, lambda each: each)
    assert decode is not None
    return decode(data, at)


@pytest.mark.parametrize(("node", "data", "value"), TAKEN)
def test_a_plain_value_is_taken_wherever_it_begins_and_not_left_to_the_library(node: Any, data: bytes, value: Any) -> None:
    for before, behind in ((b"", b""), (b"\x00", b"\x00"), (b"\xff" * 3, b"\xff")):
        found, end = decoded(node, before + data + behind, at=len(before))
        assert (found, type(found), end) == (value, type(value), len(before) + len(data))


@pytest.mark.parametrize(("node", "data"), REFUSED)
def test_another_form_of_a_plain_value_is_left_to_the_library(node: Any, data: bytes) -> None:
    for before in (b"", b"\x00"):
        with pytest.raises((OtherFormError, IndexError)):
            decoded(node, before + data, at=len(before))


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
