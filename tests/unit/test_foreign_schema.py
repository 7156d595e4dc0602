"""Schemas that somebody else published: what crashes or drowns a library never reaches it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.wire import avro
from services.wire.errors import SchemaError
from services.wire.foreign_schema import check_schema
from services.wire.records import own_schemas


def record(*types: Any, **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": [{"name": f"f{n}", "type": each} for n, each in enumerate(types)], **more}


def nested(depth: int) -> dict[str, Any]:
    node: Any = "int"
    for level in range(depth):
        node = {"type": "record", "name": f"L{level}", "fields": [{"name": "f", "type": node}]}
    return node  # type: ignore[no-any-return]  # a record


def doubled(times: int) -> dict[str, Any]:
    """Return a schema in which each record holds the one before ten times."""
    fields: list[Any] = [{"type": "record", "name": "N0", "fields": [{"name": "f", "type": "int"}]}]
    for n in range(1, times):
        inner = [{"name": f"f{m}", "type": f"N{n - 1}"} for m in range(10)]
        fields.append({"type": "record", "name": f"N{n}", "fields": inner})
    return record(*fields)


EMPTY = {"type": "record", "name": "Empty", "fields": []}
HOSTILE: dict[str, Any] = {
    "no record": "int",
    "refers to itself": record({"type": "array", "items": "R"}),
    "nested more than 8 deep": nested(9),
    "more than 2,000 types": doubled(5),
    "can take no byte": record({"type": "array", "items": EMPTY}),
    "map that": record({"type": "map", "values": "null"}),
    "fixed of nothing": record({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}),
    "not define before": record("Somebody"),
    "defines a name twice": record(EMPTY, EMPTY),
    "a list of fields": {"type": "record", "name": "R", "fields": "none"},
    "a part of them, can take no byte": record({"type": "array", "items": record("boolean", *["null"] * 1900, name="Item")}),
    "that Avro does not have": {"type": "record", "name": "R", "fields": [{"name": {"a": 1}, "type": "int"}]},
    "does not have: letters": {"type": "record", "name": "R", "fields": [{"name": "\ud800", "type": "int"}]},
    "letters, digits": record("int", name="a.Jānis"),
    "two fields of one name": {"type": "record", "name": "R", "fields": [{"name": "f", "type": "int"}] * 2},
    "a union of more than 8": record([record("int", name=f"B{n}") for n in range(9)]),
    "not the date of an int": record({"type": "fixed", "name": "D", "size": 32, "logicalType": "decimal", "precision": 4}),
    "a logical type that": record({"type": "boolean", "logicalType": "date"}),
    "have a name": {"type": "record", "fields": []},
    "a namespace is a text": record("int", namespace=5),
    "a type is a name": record(5),
    "like one of Avro's own": record({"type": "enum", "name": "string", "symbols": ["Unknown", "A"], "default": "Unknown"}),
    "named like one of Avro's": record({"type": "fixed", "name": "a.map", "size": 32}),
    "a fixed has a size": record({"type": "fixed", "name": "F", "size": 32.0}),
    "a size, a whole number": record({"type": "fixed", "name": "F", "size": -1}),
    "a list of symbols": record({"type": "enum", "name": "E", "symbols": {"Unknown": 1, "A": 2}, "default": "Unknown"}),
    "refers through a namespace": record({"type": "array", "items": "a.R"}, namespace="a"),
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_a_hostile_schema_is_refused(fault: str) -> None:
    with pytest.raises(SchemaError):
        check_schema(json.dumps(HOSTILE[fault]).encode())


def test_what_readers_of_json_read_differently_is_refused() -> None:
    plain = json.dumps(record("int"))
    assert check_schema(plain.encode()).name == "R"
    for file in (
        plain.encode("utf-16"),
        plain.encode("utf-8-sig"),
        plain.replace('"int"', '"string", "type": "int"').encode(),
        plain.replace('"int"', '"int", "default": NaN').encode(),
    ):
        with pytest.raises(SchemaError, match="a schema is JSON"):
            check_schema(file)


@pytest.mark.parametrize("depth", [100, 500, 980])
def test_brackets_hidden_behind_a_text_of_brackets_are_counted_alike_wherever_the_schema_is_read(depth: int) -> None:
    inner = "[" * depth + "]" * depth
    file = json.dumps(record("int")).replace("{", f'{{"doc": "{"]" * 2000}", "order": {inner}, ', 1).encode()
    with pytest.raises(SchemaError) as caught:
        check_schema(file)
    assert caught.value.message == "a schema is nested too deeply"


def test_objects_and_lists_stand_64_deep_and_no_deeper() -> None:
    files = [json.dumps(record("int")).replace("{", f'{{"doc": {"[" * depth}{"]" * depth}, ', 1).encode() for depth in (63, 64)]
    assert check_schema(files[0]).name == "R"
    with pytest.raises(SchemaError, match="a schema is nested too deeply"):
        check_schema(files[1])


def test_marks_by_which_the_library_knows_what_it_parsed_itself_say_nothing() -> None:
    # To it "N39" would be a record of two to the 39th numbers, and each name a text that nobody checked.
    enums = [{"type": "enum", "name": f"N{n}", "symbols": ["A"]} for n in range(40)]
    smuggled = {f"N{n}": record(f"N{n - 1}", f"N{n - 1}", name=f"N{n}") for n in range(1, 40)} | {"N0": "string"}
    source = record(*enums, "N39", __fastavro_parsed=True, __named_schemas=smuggled)
    schema = check_schema(json.dumps(source).encode())
    assert schema.resolve("N39")["type"] == "enum"
    assert avro.decode(schema, bytes(41))["f40"] == "A"


def test_what_is_no_json_too_deep_or_too_large_is_refused() -> None:
    for file in (b"", b"\xff", b"[" * 100_000, json.dumps(record("int", doc="x" * 70_000)).encode(), b'{"type":"record"'):
        with pytest.raises(SchemaError):
            check_schema(file)


def test_our_own_schemas_pass() -> None:
    for file in own_schemas().values():
        assert check_schema(file).name


TYPES = st.recursive(
    st.sampled_from(["int", "null", "string", "R", "E", 5, None]) | st.just(EMPTY),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries({"type": st.sampled_from(["array", "map", "int"]), "items": inner, "values": inner})
        | st.lists(inner, max_size=3).map(lambda parts: record(*parts))
    ),
    max_leaves=12,
)


@given(TYPES)
def test_no_schema_raises_anything_but_its_own_error(node: Any) -> None:
    try:
        assert check_schema(json.dumps(record(node)).encode()).name == "R"
    except SchemaError as error:
        assert error.message  # noqa: PT017  # either it passes, or it says why not


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_its_own_error(file: bytes) -> None:
    with pytest.raises(SchemaError):
        check_schema(file)
