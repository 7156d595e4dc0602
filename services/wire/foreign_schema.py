"""Foreign schemas: what a published schema must be before an Avro library sees it.

Decides about the file alone: size, shape, depth, recursion, number of types, items of no size. A recursive schema crashes
the interpreter inside fastavro, and an array of empty records turns five bytes into five million items.
Source: schemas/README.md, "Schemas".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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
_JSON_DEPTH_LIMIT: Final = 64
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_RESERVED: Final = _PRIMITIVES | {"array", "enum", "error", "fixed", "map", "record", "request", "union"}


@dataclass(frozen=True, slots=True)
class _Size:
    """What a type comes to when every reference is expanded: depth, number of types, whether a value may take no byte."""

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
        _Checker().measure(source, "", 1)
        return Schema(source)
    except SchemaError:
        raise
    except Exception as error:  # whatever a library makes of a hostile schema
        raise SchemaError("a schema does not parse") from error


def _json(file: bytes) -> Any:
    # Brackets are counted before the parser recurses into them.
    depth = deepest = 0
    for byte in file.translate(None, _NO_BRACKETS):
        depth += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, depth)
    if deepest > _JSON_DEPTH_LIMIT:
        raise SchemaError("a schema is nested too deeply")
    try:
        return json.loads(file)
    except (ValueError, RecursionError) as error:
        raise SchemaError("a schema is JSON") from error


@dataclass(slots=True)
class _Checker:
    sizes: dict[str, _Size] = field(default_factory=dict)
    open_names: set[str] = field(default_factory=set)

    def measure(self, node: Any, namespace: str, depth: int) -> _Size:
        """Return the size of a type; each named type is measured once, so expanding costs nothing."""
        size = self._size(node, namespace, depth)
        if depth + size.depth - 1 > _DEPTH_LIMIT:
            raise SchemaError("a schema is nested more than 8 deep")
        if size.types > _TYPES_LIMIT:
            raise SchemaError("a schema expands to more than 2,000 types")
        return size

    def _size(self, node: Any, namespace: str, depth: int) -> _Size:
        if isinstance(node, str):
            return self._named(node, namespace)
        if isinstance(node, list):
            parts = [self.measure(each, namespace, depth + 1) for each in node]
            return _Size(1 + max((part.depth for part in parts), default=0), 1 + sum(part.types for part in parts), empty=False)
        if not isinstance(node, dict):
            raise SchemaError("a type is a name, a list or an object")
        return self._object(node, namespace, depth)

    def _named(self, name: str, namespace: str) -> _Size:
        if name in _PRIMITIVES:
            return _Size(1, 1, empty=name == "null")
        full = name if "." in name or not namespace else f"{namespace}.{name}"
        if full in self.open_names:
            raise SchemaError("a schema refers to itself")
        if full not in self.sizes:
            raise SchemaError("a schema names a type that it does not define before")
        return self.sizes[full]

    def _object(self, node: Mapping[str, Any], namespace: str, depth: int) -> _Size:
        kind = node.get("type")
        if kind in ("array", "map"):
            item = self.measure(node.get("items" if kind == "array" else "values"), namespace, depth + 1)
            if item.empty:
                raise SchemaError("an array or a map whose items can take no byte")
            return _Size(1 + item.depth, 1 + item.types, empty=False)
        if kind in ("record", "enum", "fixed"):
            return self._definition(node, namespace, depth)
        # {"type": "int", "logicalType": …} and the like stand for what they wrap.
        return self.measure(kind, namespace, depth)

    def _definition(self, node: Mapping[str, Any], namespace: str, depth: int) -> _Size:
        name = node.get("name")
        if not isinstance(name, str):
            raise SchemaError("a record, an enum and a fixed have a name")
        space = node.get("namespace", namespace)
        if not isinstance(space, str):
            raise SchemaError("a namespace is a text")
        full = name if "." in name or not space else f"{space}.{name}"
        # One reader would see its own type there, another one text: so a name of a person could stand where none may.
        if full.rpartition(".")[2] in _RESERVED:
            raise SchemaError("a type is named like one of Avro's own")
        if full in self.sizes or full in self.open_names:
            raise SchemaError("a schema defines a name twice")
        self.open_names.add(full)
        size = self._body(node, full.rpartition(".")[0], depth)
        self.open_names.discard(full)
        self.sizes[full] = size
        return size

    def _body(self, node: Mapping[str, Any], namespace: str, depth: int) -> _Size:
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
        # The library takes anything for a name, and fails on it when a value is decoded.
        if not all(isinstance(each.get("name"), str) for each in fields):
            raise SchemaError("a field has a name")
        parts = [self.measure(each.get("type"), namespace, depth + 1) for each in fields]
        return _Size(
            1 + max((part.depth for part in parts), default=0),
            1 + sum(part.types for part in parts),
            empty=all(part.empty for part in parts),
        )
