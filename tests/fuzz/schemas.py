"""Schemas that somebody published, and contents written with them: the file, a NUL, the content."""

from __future__ import annotations

import json
from random import Random
from typing import Any, Final

from services.wire import avro
from services.wire.avro import Schema
from services.wire.errors import MalformedError, SchemaError
from services.wire.foreign_schema import SCHEMA_LIMIT_BYTES, check_schema
from services.wire.hashing import digest_of
from services.wire.records import SchemaBook, encode_event, own_schemas
from tests.fuzz.avro_mutator import recoded
from tests.fuzz.events import samples_by_type
from tests.fuzz.json_mutator import changed_json
from tests.fuzz.target import Raw, Target, refused, require
from tests.unit.test_foreign_schema import HOSTILE

__all__ = ["SCHEMAS"]

_KINDS: Final = (
    "null",
    "boolean",
    "int",
    "long",
    "float",
    "double",
    "bytes",
    "string",
    "record",
    "enum",
    "fixed",
    "array",
    "map",
)
_KEYS: Final = ("type", "name", "namespace", "fields", "items", "values", "symbols", "size", "default", "aliases", "doc", "order")
_LOGICAL: Final = ("date", "time-millis", "time-micros", "timestamp-millis", "timestamp-micros", "local-timestamp-micros")
_TYPES: Final[tuple[dict[str, Any], ...]] = (
    *({"type": "int" if each in _LOGICAL[:2] else "long", "logicalType": each} for each in _LOGICAL),
    {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2},
    {"type": "fixed", "name": "D", "size": 12, "logicalType": "decimal", "precision": 40, "scale": 2},
    {"type": "string", "logicalType": "uuid"},
    {"type": "enum", "name": "E", "symbols": ["A", "Unknown"], "default": "Unknown"},
    {"type": "record", "name": "R", "fields": [{"name": "f", "type": "int"}]},
    {"type": "array", "items": "int"},
    {"type": "map", "values": ["null", "string"]},
)
_WORDS: Final = (*_KINDS, *_KEYS, *_TYPES, "logicalType", "precision", "scale", "facts", "personal", "lv.sarakste.v0")


def _seeds() -> list[bytes]:
    encoded = [encode_event(*event) for event in samples_by_type().values()]
    files = own_schemas()
    whole = [files[each.schema] + b"\x00" + content for each in encoded for content in (each.facts, each.personal)]
    typed = [_record(each) + b"\x00" + bytes(20) for each in _TYPES]
    return whole + typed + [json.dumps(each).encode() + b"\x00" for each in HOSTILE.values()]


def _record(*types: Any) -> bytes:
    return json.dumps(
        {"type": "record", "name": "T", "fields": [{"name": f"f{n}", "type": t} for n, t in enumerate(types)]}
    ).encode()


def _check(data: bytes) -> bool:
    file, _, content = data.partition(b"\x00")
    try:
        schema = check_schema(file)
    except SchemaError as error:
        return refused(error)
    require(len(file) <= SCHEMA_LIMIT_BYTES, "a schema over the limit is taken")
    decoded = _check_decoding(schema, content)
    return _check_book(file, content) or decoded


def _check_decoding(schema: Schema, content: bytes) -> bool:
    try:
        record = avro.decode(schema, content)
    except MalformedError as error:
        return refused(error)
    require(avro.encode(schema, record) == content, "a content has another encoding")
    return True


def _check_book(file: bytes, content: bytes) -> bool:
    digest, book, was_read = digest_of(file), SchemaBook({digest_of(file): file}), False
    name = str(json.loads(file).get("name"))
    for read in (book.facts, book.personal):
        try:
            was_read |= read(name, digest, content) is not None
        except (SchemaError, MalformedError) as error:
            refused(error)
    return was_read


def _mutate(data: bytes, rng: Random, raw: Raw) -> bytes:
    file, _, content = data.partition(b"\x00")
    chosen = rng.random()
    if chosen < 0.6:
        return changed_json(file, _WORDS, rng, raw) + b"\x00" + content
    if chosen < 0.7:
        return raw(data, len(data) + 64)
    try:
        return file + b"\x00" + recoded(check_schema(file), content, rng, raw)
    except (SchemaError, KeyError, StopIteration, AttributeError):
        return file + b"\x00" + raw(content, len(content) + 64)


SCHEMAS: Final = Target(
    name="schemas",
    about="a published schema, and a content written with it",
    seeds=_seeds,
    check=_check,
    mutate=_mutate,
    limit_bytes=66 * 1024,
)
