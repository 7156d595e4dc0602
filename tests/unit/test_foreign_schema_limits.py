"""What a published schema may be, to the last step: each limit holds exactly where it is said to, and says why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from services.wire.errors import SchemaError
from services.wire.foreign_schema import check_schema

SELF = "a schema refers to itself"
UNDEFINED = "a schema names a type that it does not define before"
DEEP = "a schema is nested more than 8 deep"
MANY = "a schema expands to more than 2,000 types"
TWICE = "a schema defines a name twice"
NOTHING = "an array or a map whose items, or a part of them, can take no byte"
NAMELESS = "a record, an enum and a fixed have a name"
RESERVED = "a type is named like one of Avro's own"
BAD_NAME = "a type or a field has a name that Avro does not have: letters, digits and _, no digit first"
FIELD_TWICE = "a record has two fields of one name"
MANY_BRANCHES = "a union of more than 8 types"
LOGICAL = "a logical type that is not the date of an int"
NO_FIELDS = "a record has a list of fields"
NO_SYMBOLS = "an enum has a list of symbols"
NO_SIZE = "a fixed has a size, a whole number"
NO_TYPE = "a type is a name, a list or an object that says what it is"
NO_NAMESPACE = "a namespace is a text"

ENUM = {"type": "enum", "name": "E", "symbols": ["Unknown", "A"]}
FIXED = {"type": "fixed", "name": "F", "size": 3}
VOID = {"type": "fixed", "name": "V", "size": 0}
EMPTY = {"type": "record", "name": "Empty", "fields": []}
KINDS: dict[str, tuple[Any, int, int]] = {
    # A type, how deep it is, and how many types it counts for.
    "int": ("int", 1, 1),
    "null": ("null", 1, 1),
    "a wrapped int": ({"type": "int"}, 1, 1),
    "an enum": (ENUM, 1, 1),
    "a fixed": (FIXED, 1, 1),
    "an empty record": (EMPTY, 1, 1),
    "an array": ({"type": "array", "items": "int"}, 2, 2),
    "a map": ({"type": "map", "values": "int"}, 2, 2),
    "a union of nothing": ([], 1, 1),
    "a union": (["null", "int"], 2, 3),
    "a union of unlike depth": (["null", {"type": "array", "items": "int"}, "int"], 3, 5),
    "a record": ({"type": "record", "name": "I", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "int"}]}, 2, 3),
    "a record of unlike depth": (
        {"type": "record", "name": "I", "fields": [{"name": "a", "type": ["null", "int"]}, {"name": "b", "type": "int"}]},
        3,
        5,
    ),
}


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    """Keep nothing from one test to the next: what was checked once is not checked again."""
    check_schema.cache_clear()
    yield
    check_schema.cache_clear()


def record(*types: Any, **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": [{"name": f"f{n}", "type": each} for n, each in enumerate(types)], **more}


def said(schema: Any) -> str:
    """Return why a schema is refused, nothing if it is not."""
    file = json.dumps(schema, separators=(",", ":")).encode()
    try:
        assert check_schema(file).name == schema["name"]
    except SchemaError as error:
        return error.message
    return ""


def under(node: Any, levels: int, wrap: str) -> Any:
    """Return a type under so many levels of one kind."""
    for level in range(levels):
        match wrap:
            case "record":
                node = {"type": "record", "name": f"L{level}", "fields": [{"name": "f", "type": node}]}
            case "array":
                node = {"type": "array", "items": ["null", node]}
            case "map":
                node = {"type": "map", "values": ["null", node]}
    return node


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_eight_deep_whatever_stands_at_its_ground(kind: str) -> None:
    node, depth, _ = KINDS[kind]
    assert said(record(under(node, 7 - depth, "record"))) == ""
    assert said(record(under(node, 8 - depth, "record"))) == DEEP


@pytest.mark.parametrize("wrap", ["array", "map"])
def test_an_array_a_map_and_a_union_are_a_level_each(wrap: str) -> None:
    assert said(record("int", {"type": "enum", "name": "E", "symbols": ["A"]}, under("int", 3, wrap))) == ""
    assert said(record(under(["int"], 3, wrap))) == DEEP


def test_a_name_is_as_deep_as_what_it_stands_for() -> None:
    deep = under("int", 4, "record")  # its name is L3, and it is 5 deep
    assert said(record(deep, {"type": "record", "name": "A", "fields": [{"name": "f", "type": ["null", "L3"]}]})) == ""
    assert said(record(deep, {"type": "record", "name": "A", "fields": [{"name": "f", "type": ["null", ["L3"]]}]})) == DEEP


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_expands_to_two_thousand_types_and_no_more(kind: str) -> None:
    node, _, types = KINDS[kind]
    most = record(node, *["int"] * (1999 - types))
    assert said(most) == ""
    assert said(record(node, *["int"] * (2000 - types))) == MANY


def test_a_name_counts_for_all_that_it_stands_for() -> None:
    ten = {"type": "record", "name": "Ten", "fields": [{"name": f"f{n}", "type": "int"} for n in range(9)]}
    assert said(record(ten, *["Ten"] * 198, *["int"] * 9)) == ""
    assert said(record(ten, *["Ten"] * 198, *["int"] * 10)) == MANY


@pytest.mark.parametrize("kind", ["array", "map"])
def test_items_take_a_byte_at_least(kind: str) -> None:
    def of(items: Any, *others: Any) -> dict[str, Any]:
        return record(*others, {"type": kind, "items" if kind == "array" else "values": items})

    holds_something = {"type": "record", "name": "S", "fields": [{"name": "a", "type": ["null"]}, {"name": "b", "type": "int"}]}
    holds_nothing_too = {"type": "record", "name": "N", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "null"}]}
    inside = {"type": "record", "name": "I", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "N"}]}
    one = {"type": "fixed", "name": "F", "size": 1}
    for items in (
        "int",
        ["null"],
        ENUM,
        one,
        {"type": "array", "items": "int"},
        {"type": "map", "values": "int"},
        holds_something,
    ):
        assert said(of(items)) == ""
    nothings: list[Any] = ["null", {"type": "null"}, VOID, EMPTY, holds_nothing_too]
    for items in nothings:
        assert said(of(items)) == NOTHING
    for name, node in (("V", VOID), ("Empty", EMPTY), ("N", holds_nothing_too)):
        assert said(of(name, node)) == NOTHING
    assert said(of(inside, holds_nothing_too)) == NOTHING
    # Of a union only the branch is read that the byte before it names.
    assert said(of(["N", "null"], holds_nothing_too)) == ""
    assert said(of("S", holds_something)) == ""


def test_a_record_a_fixed_and_a_field_of_no_byte_are_no_harm_by_themselves() -> None:
    assert said(record(VOID, EMPTY, "null")) == ""
    assert said(record()) == ""


REFUSED: list[tuple[str, Any]] = [
    (NO_TYPE, record(5)),
    (NO_TYPE, record(None)),
    (NO_TYPE, record({"type": "array"})),
    (NO_TYPE, record({"type": "map", "items": "int"})),
    (NO_TYPE, record({})),
    (NO_TYPE, {"type": "record", "name": "R", "fields": [{"name": "a"}]}),
    (UNDEFINED, record("Somebody")),
    (UNDEFINED, record("E", ENUM)),
    (UNDEFINED, record(ENUM, "a.E")),
    (UNDEFINED, record({**ENUM, "namespace": "a"}, "E")),
    (UNDEFINED, record({**ENUM, "namespace": "a"}, "b.E")),
    (UNDEFINED, record({**ENUM, "namespace": ""}, "E", namespace="a")),
    (SELF, record("R")),
    (SELF, record({"type": "array", "items": "R"})),
    (SELF, record("R", namespace="a")),
    (SELF, record("a.R", namespace="a")),
    (SELF, record(["null", {"type": "map", "values": ["a.R"]}], namespace="a")),
    (TWICE, record(EMPTY, EMPTY)),
    (TWICE, record(ENUM, {**FIXED, "name": "E"})),
    (TWICE, record(ENUM, {**ENUM, "name": "a.E"}, namespace="a")),
    (TWICE, record({"type": "record", "name": "R", "fields": []})),
    (NAMELESS, record({"type": "record", "fields": []})),
    (NAMELESS, record({"type": "enum", "name": 5, "symbols": ["A"]})),
    (NAMELESS, record({"type": "fixed", "name": None, "size": 1})),
    (NO_NAMESPACE, record("int", namespace=5)),
    (NO_NAMESPACE, record({**ENUM, "namespace": None})),
    *(
        (RESERVED, record({**ENUM, "name": name}))
        for name in ("null", "long", "string", "bytes", "array", "map", "union", "error")
    ),
    *((RESERVED, record({**FIXED, "name": name})) for name in ("a.record", "a.b.request", "enum", "fixed", "double")),
    (RESERVED, record({**FIXED, "name": "int", "namespace": "a"})),
    *((NO_SYMBOLS, record({**ENUM, "symbols": each})) for each in ([], None, "AB", {"A": 1}, ["A", 5], [None])),
    (NO_SYMBOLS, record({"type": "enum", "name": "E"})),
    *((NO_SIZE, record({**FIXED, "size": each})) for each in (None, "3", 3.0, True, -1, [3])),
    (NO_SIZE, record({"type": "fixed", "name": "F"})),
    *(
        (NO_FIELDS, {"type": "record", "name": "R", "fields": each})
        for each in (None, "none", {"a": 1}, ["a"], [{"name": "a", "type": "int"}, 5])
    ),
    (NO_FIELDS, {"type": "record", "name": "R"}),
    (BAD_NAME, {"type": "record", "name": "R", "fields": [{"type": "int"}]}),
    (BAD_NAME, {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}, {"name": 5, "type": "int"}]}),
    ("a schema does not parse", record({**ENUM, "symbols": ["a b"]})),
    *(
        (NO_TYPE, record({"type": each}))
        for each in ("E", {"type": "int"}, ["null", "int"], {"type": "array", "items": "int"}, 5)
    ),
    *((BAD_NAME, record("int", name=each)) for each in ("", "5a", "a-b", "Jānis", "a..R", ".R", "R.", "R\n", "a b.R")),
    *((BAD_NAME, record({**ENUM, "namespace": each})) for each in ("5", "a.", "a-b.c")),
    *(
        (BAD_NAME, {"type": "record", "name": "R", "fields": [{"name": "ok", "type": "int"}, {"name": each, "type": "int"}]})
        for each in ("", "5a", "a.b", "\ud800", "ā", "a\n")
    ),
    (FIELD_TWICE, {"type": "record", "name": "R", "fields": [{"name": "f", "type": "int"}, {"name": "f", "type": "int"}]}),
    (MANY_BRANCHES, record([{**FIXED, "name": f"F{n}"} for n in range(9)])),
    *((LOGICAL, record({"type": kind, "logicalType": "date"})) for kind in ("long", "boolean", "string")),
    *((LOGICAL, record({"type": "int", "logicalType": each})) for each in ("time-millis", "DATE", None, 5)),
    (LOGICAL, record({**FIXED, "logicalType": "decimal", "precision": 4})),
    (LOGICAL, record({**ENUM, "logicalType": "date"})),
    (LOGICAL, record(logicalType="date")),
]


@pytest.mark.parametrize(("why", "schema"), REFUSED)
def test_what_is_refused_says_why(why: str, schema: Any) -> None:
    assert said(schema) == why


@pytest.mark.parametrize(
    "schema",
    [
        record(ENUM, "E"),
        record(ENUM, "E", namespace="a"),
        record(ENUM, "a.E", namespace="a"),
        record({**ENUM, "namespace": "b"}, "b.E", namespace="a"),
        record({**ENUM, "namespace": "b"}, ENUM, "b.E", "E", "a.E", namespace="a"),
        record({**ENUM, "name": "b.c.E"}, "b.c.E", namespace="a"),
        record({"type": "record", "name": "b.c.I", "fields": [{"name": "e", "type": ENUM}]}, "b.c.E", "b.c.I", namespace="a"),
        record(
            {"type": "record", "name": "I", "fields": [{"name": "e", "type": [ENUM]}, {"name": "f", "type": "E"}]}, namespace="a"
        ),
        record({"type": "array", "items": ENUM}, {"type": "map", "values": "a.E"}, namespace="a"),
        record({"type": "int", "logicalType": "date"}, name="_9Z_a.z_0"),
        record([{**FIXED, "name": f"F{n}"} for n in range(8)], "F7"),
    ],
)
def test_names_are_found_where_avro_finds_them(schema: dict[str, Any]) -> None:
    assert said(schema) == ""


@pytest.mark.parametrize(
    "file", [b"int", b'"int"', b"[]", b"5", b'{"type":"enum","name":"E","symbols":["A"]}', b'{"name":"R","fields":[]}']
)
def test_a_schema_is_a_record_in_json(file: bytes) -> None:
    with pytest.raises(SchemaError) as caught:
        check_schema(file)
    assert caught.value.message == ("a schema is JSON" if file == b"int" else "a schema is one record")


def test_a_file_of_64_kib_is_read_and_one_byte_more_is_not() -> None:
    file = json.dumps(record("int")).encode()
    assert check_schema(file.ljust(64 * 1024)).name == "R"
    with pytest.raises(SchemaError) as caught:
        check_schema(file.ljust(64 * 1024 + 1))
    assert (caught.value.message, caught.value.evidence.found) == ("a schema is limited to 64 KiB", "65537")


@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_brackets_are_64_deep_at_most_before_anything_is_parsed(brackets: str) -> None:
    def file(depth: int) -> bytes:
        opening = "[" if brackets == "[]" else '{"a":'
        inner = opening * (depth - 1) + "1" + brackets[1] * (depth - 1)
        return json.dumps(record()).encode()[:-1] + b',"doc2":' + inner.encode() + b"}"

    assert check_schema(file(64)).name == "R"
    with pytest.raises(SchemaError) as caught:
        check_schema(file(65))
    assert caught.value.message == "a schema is nested too deeply"


@pytest.mark.parametrize(
    "file",
    [
        b'{"type":"record","name":"R","fields":[],"a":NaN}',
        b'{"type":"record","name":"R","fields":[],"a":-Infinity}',
        b'{"type":"record","name":"R","fields":[],"name":"R"}',
        b'{"type":"record","name":"R","fields":[],"a":{"b":1,"c":{"d":1,"d":1}}}',
        json.dumps(record()).encode("utf-16"),
        json.dumps(record()).encode("utf-8-sig"),
        b"",
    ],
)
def test_a_file_is_json_that_all_readers_read_alike(file: bytes) -> None:
    with pytest.raises(SchemaError) as caught:
        check_schema(file)
    assert caught.value.message == "a schema is JSON"


def test_what_was_open_before_is_closed_again_and_may_be_named() -> None:
    inner = {"type": "record", "name": "I", "fields": [{"name": "a", "type": "int"}]}
    assert said(record(inner, "I", ["null", "I"])) == ""
