"""Columns: how the parts of an event become typed columns, as their Avro schemas have them.

An enum is text, a date a date, a digest hexadecimal text (as every command shows it), an array a list, a record a struct; what
may be null may be null. Names are those of the schema.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from enum import Enum
from functools import cache
from typing import Any, Final

import pyarrow as pa

from services.wire.avro import Schema
from services.wire.records import event_type

__all__ = ["as_json", "facts_columns", "personal_column", "plain", "unknown_columns"]

_PRIMITIVES: Final = {
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "string": pa.string(),
    "bytes": pa.string(),
    "null": pa.null(),
}
_SHOWN_BYTES: Final = 32


def facts_columns(schema: Schema) -> tuple[tuple[str, pa.DataType], ...]:
    """Return the columns of an event's facts, by their schema."""
    fields: Any = schema.resolve(schema.parsed)
    return tuple((each["name"], _type(schema, each["type"])) for each in fields["fields"])


def unknown_columns(schema: Schema) -> tuple[tuple[str, pa.DataType], ...] | None:
    """Return the same of a type that this release does not know; None where its facts are nothing that columns can hold."""
    parsed: Any = schema.resolve(schema.parsed)
    # Facts may be published that are no record: under such a schema nobody reads anything.
    fields = parsed.get("fields")
    return facts_columns(schema) if fields and all(_is_one(schema, each["type"]) for each in fields) else None


@cache
def personal_column(name: str) -> pa.DataType | None:
    """Return the one column, a struct, of what is personal about an event; None where nothing is."""
    kind = event_type(name)
    return _type(kind.personal, kind.personal.parsed) if kind.personal_class is not None else None


def plain(value: Any) -> Any:
    """Return a value of an event as plain values: codes as their words, bytes as hexadecimal, days as they are."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if dataclasses.is_dataclass(value):
        return {name: plain(getattr(value, name)) for name in _fields(value)}
    return value


def as_json(value: Any) -> str | None:
    """Return a value of an event as JSON, None where there is none; a certificate or a file in an open entry as its size."""
    if value is None:
        return None
    return json.dumps(value, default=_in_json, ensure_ascii=False, separators=(",", ":"))


def _fields(value: Any) -> tuple[str, ...]:
    kind: Any = type(value)
    return _names(kind)


# Asked for each value of a log.
@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(kind))


def _in_json(value: Any) -> Any:
    if isinstance(value, bytes) and len(value) > _SHOWN_BYTES:
        return f"{len(value)} bytes"
    if dataclasses.is_dataclass(value):
        # One level at a time, so that what stands deeper comes here too.
        return {name: getattr(value, name) for name in _fields(value)}
    return value.isoformat() if isinstance(value, date) else plain(value)


def _is_one(schema: Schema, node: Any) -> bool:
    """Tell whether values of a type are all of one kind, or null: own schemas have no other unions, a stranger's may."""
    node = schema.resolve(node)
    if isinstance(node, list):
        rest = [each for each in node if each != "null"]
        return len(rest) == 1 and _is_one(schema, rest[0])
    kind = node["type"] if isinstance(node, dict) else node
    if kind == "record":
        # A record without fields is a struct of nothing, which no table holds.
        return bool(node["fields"]) and all(_is_one(schema, each["type"]) for each in node["fields"])
    return _is_one(schema, node["items"]) if kind == "array" else True


def _type(schema: Schema, node: Any) -> pa.DataType:
    node = schema.resolve(node)
    if isinstance(node, list):
        # A union here is null and one more: a test holds every schema to that.
        return _type(schema, next(each for each in node if each != "null"))
    kind = node["type"] if isinstance(node, dict) else node
    if isinstance(node, dict) and node.get("logicalType") == "date":
        return pa.date32()
    if kind == "record":
        return pa.struct([(each["name"], _type(schema, each["type"])) for each in node["fields"]])
    if kind == "array":
        return pa.list_(_type(schema, node["items"]))
    return pa.string() if kind in ("enum", "fixed") else _PRIMITIVES[kind]
