"""Foreign schemas: what a published schema must be before an Avro library sees it.

Decides about the file alone: size, shape, names, depth, recursion, number of types, items of no size. A recursive schema crashes
the interpreter inside fastavro, and an array of empty records turns five bytes into five million items.
Source: schemas/README.md, "Schemas".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from services.wire.avro import Schema
from services.wire.errors import Evidence, SchemaError

__all__ = ["check_schema"]

SCHEMA_LIMIT_BYTES: Final = 64 * 1024
# The registrar's channel is folded again and again, and says the same schemas each time; those of a release are fewer.
_SCHEMAS_KEPT: Final = 128
_DEPTH_LIMIT: Final = 8
_TYPES_LIMIT: Final = 2000
_BRANCHES_LIMIT: Final = 8
_JSON_DEPTH_LIMIT: Final = 64
_NAME: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_RESERVED: Final = _PRIMITIVES | {"array", "enum", "error", "fixed", "map", "record", "request", "union"}


@dataclass(frozen=True, slots=True)
class _Size:
    """What a type comes to when every reference is expanded: depth, number of types, whether a part of it may take no byte."""

    depth: int
    types: int
    empty: bool


@lru_cache(_SCHEMAS_KEPT)
def check_schema(file: bytes) -> Schema:
    """Return the schema in ``file``, parsed, once it is known to be safe.

    Raises: SchemaError, and nothing else, whatever the bytes are.
    """
    if len(file) > SCHEMA_LIMIT_BYTES:
        raise SchemaError("a schema is limited to 64 KiB", Evidence(found=str(len(file))))
    source = _json(file)
    if not isinstance(source, dict) or source.get("type") != "record":
        raise SchemaError("a schema is one record")
    try:
        _Checker().measure(source, "")
        return Schema(source)
    except SchemaError:
        raise
    except Exception as error:  # whatever a library makes of a hostile schema
        raise SchemaError("a schema does not parse") from error


def _json(file: bytes) -> Any:
    try:
        # In UTF-8 alone: readers that guess would guess differently.
        source = json.loads(file.decode(), object_pairs_hook=_without_repeats, parse_constant=_no_number)
    except ValueError as error:
        raise SchemaError("a schema is JSON") from error
    except RecursionError as error:
        raise SchemaError("a schema is nested too deeply") from error
    # How deep the parser itself gets depends on where it is called: nobody may take a schema that another one refuses.
    level = _within([source])
    for _ in range(_JSON_DEPTH_LIMIT):
        level = [inner for each in level for inner in _within(each)]
    if level:
        raise SchemaError("a schema is nested too deeply")
    return source


def _within(node: dict[str, Any] | list[Any]) -> list[Any]:
    inner = node.values() if isinstance(node, dict) else node
    return [each for each in inner if isinstance(each, dict | list)]


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    # One reader takes the first, another one the last.
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in an object")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


@dataclass(slots=True)
class _Checker:
    sizes: dict[str, _Size] = field(default_factory=dict)
    open_names: set[str] = field(default_factory=set)

    def measure(self, node: Any, namespace: str) -> _Size:
        """Return the size of a type; each named type is measured once, so expanding costs nothing."""
        size = self._size(node, namespace)
        if size.depth > _DEPTH_LIMIT:
            raise SchemaError("a schema is nested more than 8 deep")
        if size.types > _TYPES_LIMIT:
            raise SchemaError("a schema expands to more than 2,000 types")
        return size

    def _size(self, node: Any, namespace: str) -> _Size:
        if isinstance(node, str):
            return self._named(node, namespace)
        if isinstance(node, list):
            # Which of them a value is, is tried one by one, for each value.
            if len(node) > _BRANCHES_LIMIT:
                raise SchemaError("a union of more than 8 types")
            parts = [self.measure(each, namespace) for each in node]
            return _Size(1 + max((part.depth for part in parts), default=0), 1 + sum(part.types for part in parts), empty=False)
        if not isinstance(node, dict):
            raise SchemaError("a type is a name, a list or an object that says what it is")
        return self._object(node, namespace)

    def _named(self, name: str, namespace: str) -> _Size:
        if name in _PRIMITIVES:
            return _Size(1, 1, empty=name == "null")
        full = name if "." in name or not namespace else f"{namespace}.{name}"
        if full in self.open_names:
            raise SchemaError("a schema refers to itself")
        if full not in self.sizes:
            raise SchemaError("a schema names a type that it does not define before")
        return self.sizes[full]

    def _object(self, node: Mapping[str, Any], namespace: str) -> _Size:
        kind = node.get("type")
        # Others make a value of it that some readers know and some do not.
        if "logicalType" in node and (kind, node["logicalType"]) != ("int", "date"):
            raise SchemaError("a logical type that is not the date of an int")
        if kind in ("array", "map"):
            item = self.measure(node.get("items" if kind == "array" else "values"), namespace)
            # Also a part alone: two thousand of them for each byte that is read.
            if item.empty:
                raise SchemaError("an array or a map whose items, or a part of them, can take no byte")
            return _Size(1 + item.depth, 1 + item.types, empty=False)
        if kind in ("record", "enum", "fixed"):
            return self._definition(node, namespace)
        # {"type": "int"} and the like stand for what they wrap.
        if not isinstance(kind, str) or kind not in _PRIMITIVES:
            raise SchemaError("a type is a name, a list or an object that says what it is")
        return self._named(kind, namespace)

    def _definition(self, node: Mapping[str, Any], namespace: str) -> _Size:
        name = node.get("name")
        if not isinstance(name, str):
            raise SchemaError("a record, an enum and a fixed have a name")
        space = node.get("namespace", namespace)
        if not isinstance(space, str):
            raise SchemaError("a namespace is a text")
        full = name if "." in name or not space else f"{space}.{name}"
        _require_names(full.split("."))
        # One reader would see its own type there, another one text: so a name of a person could stand where none may.
        if full.rpartition(".")[2] in _RESERVED:
            raise SchemaError("a type is named like one of Avro's own")
        if full in self.sizes or full in self.open_names:
            raise SchemaError("a schema defines a name twice")
        self.open_names.add(full)
        size = self._body(node, full.rpartition(".")[0])
        self.open_names.discard(full)
        self.sizes[full] = size
        return size

    def _body(self, node: Mapping[str, Any], namespace: str) -> _Size:
        if node["type"] == "enum":
            symbols = node.get("symbols")
            if not isinstance(symbols, list) or not symbols or not all(isinstance(each, str) for each in symbols):
                raise SchemaError("an enum has a list of symbols")
            return _Size(1, 1, empty=False)
        if node["type"] == "fixed":
            size = node.get("size")
            # True and 32.0 are equal to numbers, and the library takes them for such until a value is read.
            if type(size) is not int or size < 0:
                raise SchemaError("a fixed has a size, a whole number")
            return _Size(1, 1, empty=size == 0)
        fields = node.get("fields")
        if not isinstance(fields, list) or not all(isinstance(each, dict) for each in fields):
            raise SchemaError("a record has a list of fields")
        names = [each.get("name") for each in fields]
        # The library takes anything for a name, and fails on it when a value is decoded; a column that is called so, later.
        _require_names(names)
        # It has one value for both.
        if len(set(names)) < len(names):
            raise SchemaError("a record has two fields of one name")
        parts = [self.measure(each.get("type"), namespace) for each in fields]
        return _Size(
            1 + max((part.depth for part in parts), default=0),
            1 + sum(part.types for part in parts),
            empty=not parts or any(part.empty for part in parts),
        )


def _require_names(names: Sequence[Any]) -> None:
    if not all(isinstance(each, str) and _NAME.fullmatch(each) for each in names):
        raise SchemaError("a type or a field has a name that Avro does not have: letters, digits and _, no digit first")
