"""Every schema of ours, whatever a record holds: it comes back, another Avro library writes the same bytes, no twin reads."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import avro.io as apache_io
import avro.schema as apache_schema
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.wire import avro
from services.wire.errors import MalformedError

FOLDER = Path(__file__).resolve().parents[2] / "schemas"
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.avsc"))

Pair = tuple[Any, Any]
"""A value as our library takes it, and as Apache's takes it: they tell the branches of a union apart in different ways."""


def values(node: Any, named: dict[str, Any]) -> st.SearchStrategy[Pair]:  # noqa: PLR0911  # one return a kind of type
    if isinstance(node, str) and node in named:
        return values(named[node], named)
    if isinstance(node, list):
        return st.one_of([branch(each, named) for each in node])
    kind = node["type"] if isinstance(node, dict) else node
    if isinstance(node, dict) and "name" in node:
        named[node["name"]] = node
    match kind:
        case "record":
            fields = {each["name"]: values(each["type"], named) for each in node["fields"]}
            return st.fixed_dictionaries(fields).map(
                lambda pairs: ({name: pair[0] for name, pair in pairs.items()}, {name: pair[1] for name, pair in pairs.items()})
            )
        case "array":
            return st.lists(values(node["items"], named), max_size=3).map(
                lambda pairs: ([one for one, _ in pairs], [other for _, other in pairs])
            )
        case "enum":
            return twice(st.sampled_from(node["symbols"]))
        case "fixed":
            return twice(st.binary(min_size=node["size"], max_size=node["size"]))
        case "int" if isinstance(node, dict):
            return twice(st.dates())
    simple = {
        "null": st.none(),
        "boolean": st.booleans(),
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": st.integers(-(2**63), 2**63 - 1),
        "string": st.text(max_size=8),
        "bytes": st.binary(max_size=200),
    }
    return twice(simple[kind])


def branch(node: Any, named: dict[str, Any]) -> st.SearchStrategy[Pair]:
    if not isinstance(node, dict) or node["type"] != "record":
        return values(node, named)
    return values(node, named).map(lambda pair: ((f"lv.sarakste.v0.{node['name']}", pair[0]), pair[1]))


def twice(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Pair]:
    return strategy.map(lambda value: (value, value))


def by_apache(source: str, value: Any) -> bytes:
    out = io.BytesIO()
    apache_io.DatumWriter(apache_schema.parse(source)).write(value, apache_io.BinaryEncoder(out))
    return out.getvalue()


@pytest.mark.parametrize("file", FILES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_a_record_holds_comes_back_and_has_one_encoding(file: str, data: st.DataObject) -> None:
    source = (FOLDER / file).read_text("utf-8")
    schema = avro.load_schema(file)
    ours, theirs = data.draw(values(json.loads(source), {}))
    encoded = avro.encode(schema, ours)
    assert encoded == by_apache(source, theirs)
    assert avro.decode(schema, encoded) == theirs
    at = data.draw(st.integers(0, len(encoded)))
    change = data.draw(st.binary(max_size=2))
    changed = encoded[:at] + change + encoded[at + data.draw(st.integers(0, 2)) :]
    assume(changed != encoded)
    try:
        read = avro.decode(schema, changed)
    except MalformedError:
        return
    # Other bytes are another record, never the same one once more.
    assert read != theirs


def test_a_date_is_a_day_and_no_time() -> None:
    schema = avro.Schema(
        {"type": "record", "name": "R", "fields": [{"name": "on", "type": {"type": "int", "logicalType": "date"}}]}
    )
    assert avro.decode(schema, avro.encode(schema, {"on": date(2026, 11, 24)})) == {"on": date(2026, 11, 24)}
