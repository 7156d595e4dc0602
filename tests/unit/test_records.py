"""Events as Avro: the .avsc files are the master, and facts hold nothing that is personal."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.wire import avro
from services.wire.audience import AUDIENCE, channel_for, may_write
from services.wire.errors import MalformedError, SchemaError
from services.wire.events import Answer, ConfirmationGiven, ConfirmationGivenPersonal, MoneyReported, Rejected, RejectedCode
from services.wire.hashing import Digest, digest_of
from services.wire.records import SchemaBook, check_facts_rule, encode_event, event_type, own_schemas
from tests.chains import SCHOOL

BOOK = SchemaBook(own_schemas())
FOLDER = Path(__file__).resolve().parents[2] / "schemas/events"
YES = ConfirmationGiven(answer=Answer.YES, wording=1, basis=Digest(bytes(32)))


def shape(target: Any) -> Any:
    """Return the shape that a schema has for a Python type."""
    arguments = typing.get_args(target)
    if typing.get_origin(target) in (types.UnionType, typing.Union):
        return ["null", shape(next(each for each in arguments if each is not type(None)))]
    if typing.get_origin(target) is tuple:
        return ("array", shape(arguments[0]))
    if isinstance(target, type) and issubclass(target, Enum):
        return ("enum", [each.value for each in target])
    if dataclasses.is_dataclass(target):
        hints = typing.get_type_hints(target)
        return [(each.name, shape(hints[each.name])) for each in dataclasses.fields(target)]
    return {bool: "boolean", int: "int", str: "string", date: "date", Digest: ("fixed", 32)}[target]


def schema_shape(schema: avro.Schema, node: Any) -> Any:  # noqa: PLR0911  # one return a kind of type
    node = schema.resolve(node)
    if isinstance(node, str):
        return node
    if isinstance(node, list):
        return [schema_shape(schema, each) for each in node]
    match node["type"]:
        case "record":
            return [(each["name"], schema_shape(schema, each["type"])) for each in node["fields"]]
        case "array":
            return ("array", schema_shape(schema, node["items"]))
        case "enum":
            assert node["default"] == "Unknown"
            return ("enum", list(node["symbols"]))
        case "fixed":
            return ("fixed", node["size"])
        case _:
            return node["logicalType"]


def values(target: Any) -> st.SearchStrategy[Any]:
    arguments = typing.get_args(target)
    if typing.get_origin(target) in (types.UnionType, typing.Union):
        return st.none() | values(next(each for each in arguments if each is not type(None)))
    if typing.get_origin(target) is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if isinstance(target, type) and issubclass(target, Enum):
        return st.sampled_from([each for each in target if each.value != "Unknown"])
    if dataclasses.is_dataclass(target):
        hints = typing.get_type_hints(target)
        make: Any = target
        return st.builds(make, **{each.name: values(hints[each.name]) for each in dataclasses.fields(target)})
    simple = {
        bool: st.booleans(),
        int: st.integers(-(2**31), 2**31 - 1),
        str: st.text(),
        date: st.dates(),
        Digest: st.binary(min_size=32, max_size=32),
    }
    return simple[target]


@pytest.mark.parametrize("name", sorted(AUDIENCE))
def test_an_events_dataclasses_are_what_its_schema_says(name: str) -> None:
    kind = event_type(name)
    assert schema_shape(kind.facts, kind.facts.parsed) == shape(kind.facts_class)
    assert schema_shape(kind.personal, kind.personal.parsed) == (shape(kind.personal_class) if kind.personal_class else [])


@pytest.mark.parametrize("name", sorted(AUDIENCE))
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_every_event_comes_back_from_its_bytes(name: str, data: st.DataObject) -> None:
    kind = event_type(name)
    facts = data.draw(values(kind.facts_class))
    personal = data.draw(values(kind.personal_class)) if kind.personal_class else None
    encoded = encode_event(facts, personal)
    assert BOOK.facts(name, encoded.schema, encoded.facts) == facts
    assert BOOK.personal(name, encoded.schema, encoded.personal) == personal


def test_there_is_a_schema_for_each_event_and_no_other() -> None:
    assert {path.stem for path in FOLDER.glob("*.avsc")} == set(AUDIENCE)


@pytest.mark.parametrize("name", sorted(AUDIENCE))
def test_facts_hold_nothing_that_is_personal(name: str) -> None:
    check_facts_rule(event_type(name).file)


@pytest.mark.parametrize(
    "fact",
    [
        "string",
        "bytes",
        "long",
        "double",
        {"type": "fixed", "name": "Short", "size": 16},
        {"type": "int", "logicalType": "time-millis"},
        {"type": "enum", "name": "E", "symbols": ["A", "B"]},
        {"type": "enum", "name": "E", "symbols": ["Unknown"], "default": "Unknown"},
        {"type": "map", "values": "int"},
        {"type": "array", "items": ["null", "string"]},
    ],
)
def test_the_rule_on_facts_notices_what_may_not_stand_there(fact: Any) -> None:
    with pytest.raises(SchemaError):
        check_facts_rule(newer("Rejected", fact))


def newer(name: str, fact: Any, **more: Any) -> bytes:
    """Return an event's schema with one more fact, as a newer release would publish it."""
    source = json.loads(event_type(name).file)
    source["fields"][0]["type"]["fields"].append({"name": "added", "type": fact, **more})
    return json.dumps(source).encode()


def test_what_a_newer_release_adds_is_read_past() -> None:
    file = newer("ConfirmationGiven", "int")
    content = encode_event(YES, ConfirmationGivenPersonal(official="V. Ārste")).facts + b"\x02"
    assert SchemaBook({digest_of(file): file}).facts("ConfirmationGiven", digest_of(file), content) == YES


def test_a_symbol_of_a_newer_release_is_unknown_here() -> None:
    file = event_type("Rejected").file.replace(b'"TooMany"', b'"TooMany", "TooLate"')
    assert file != event_type("Rejected").file
    code = [each.value for each in RejectedCode].index("TooMany") + 1
    read = SchemaBook({digest_of(file): file}).facts("Rejected", digest_of(file), bytes([code * 2]))
    assert read == Rejected(code=RejectedCode.UNKNOWN)


def test_content_that_is_not_canonical_is_refused() -> None:
    encoded = encode_event(Rejected(code=RejectedCode.WRONG_STATE))
    with pytest.raises(MalformedError):
        BOOK.facts("Rejected", encoded.schema, encoded.facts + b"\x00")


def test_an_unpublished_schema_and_an_unknown_type_are_not_guessed_at() -> None:
    encoded = encode_event(Rejected(code=RejectedCode.WRONG_STATE))
    with pytest.raises(SchemaError, match="not published"):
        SchemaBook({}).facts("Rejected", encoded.schema, encoded.facts)
    with pytest.raises(SchemaError, match="does not know"):
        BOOK.facts("NobodyKnows", encoded.schema, encoded.facts)


def test_a_schema_that_does_not_resolve_into_ours_is_no_error_of_this_program() -> None:
    file = event_type("Rejected").file.replace(b'"RejectedFacts"', b'"RefusedFacts"')
    encoded = encode_event(Rejected(code=RejectedCode.WRONG_STATE))
    with pytest.raises(SchemaError, match="does not resolve") as caught:
        SchemaBook({digest_of(file): file}).facts("Rejected", digest_of(file), encoded.facts)
    # The library shows both schemas whole, and an error's text goes into a log.
    assert len(str(caught.value)) < 200


def test_an_event_is_not_read_with_another_events_schema() -> None:
    encoded = encode_event(Rejected(code=RejectedCode.WRONG_STATE))
    with pytest.raises(SchemaError, match="another event's schema"):
        BOOK.facts("ConsentRecorded", encoded.schema, encoded.facts)


def test_nobody_writes_the_symbol_for_symbols_of_newer_releases() -> None:
    with pytest.raises(ValueError, match="nobody writes"):
        encode_event(Rejected(code=RejectedCode.UNKNOWN))


@pytest.mark.parametrize("cents", [2**31, -(2**31) - 1])
def test_what_no_reader_would_take_is_not_written(cents: int) -> None:
    """It would be saved, and its stream never be read again."""
    report = MoneyReported(month=date(2026, 9, 1), opening_cents=cents, received_cents=0, used_cents=0)
    with pytest.raises(ValueError, match="holds a number beyond 32 bits"):
        encode_event(report)


def test_a_part_is_not_forgotten() -> None:
    with pytest.raises(ValueError, match="personal part"):
        encode_event(YES)


def test_each_event_has_one_channel_and_the_other_side_may_not_write_it() -> None:
    to_commission, from_commission = f"{SCHOOL}.to-commission", f"{SCHOOL}.from-commission"
    assert may_write("InformationRequested", to_commission)
    assert not may_write("InformationRequested", from_commission)
    assert not may_write("ConfirmationGiven", to_commission)
    assert not may_write("RecommendationIssued", from_commission)
    assert not may_write("ApplicationFiled", "commission.record")
    assert not may_write("NobodyKnows", from_commission)


def test_the_channel_of_an_event_follows_from_who_writes_it() -> None:
    assert channel_for("ApplicationFiled", writer=SCHOOL) == f"{SCHOOL}.record"
    assert channel_for("Rejected", writer=SCHOOL) == f"{SCHOOL}.to-commission"
    assert channel_for("Rejected", writer="commission", school=SCHOOL) == f"{SCHOOL}.from-commission"
    assert channel_for("RecommendationIssued", writer="commission", school=SCHOOL) == "commission.record"
    for event, writer in (("RecommendationIssued", SCHOOL), ("ConfirmationGiven", "commission")):
        with pytest.raises(ValueError, match="writes no"):
            channel_for(event, writer=writer)


def test_what_resolves_to_no_value_of_the_readers_schema_is_unreadable() -> None:
    day, number = {"type": "int", "logicalType": "date"}, "int"
    schemas = [
        avro.Schema({"type": "record", "name": "R", "fields": [{"name": "value", "type": each}]}) for each in (day, number)
    ]
    for writer, reader in (schemas, reversed(schemas)):
        content = avro.encode(writer, {"value": 3})
        assert avro.decode(writer, content, reader=writer) == avro.decode(writer, content)
        if reader is schemas[1]:
            with pytest.raises(MalformedError, match="the schema that reads it here cannot"):
                avro.decode(writer, content, reader=reader)
        else:
            assert avro.decode(writer, content, reader=reader) == {"value": date(1970, 1, 4)}
