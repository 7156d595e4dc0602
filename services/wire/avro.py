"""Canonical Avro: the only way bytes become records here, and back.

Decides whether bytes are *the* encoding of a record under a schema; what the record means is left to the callers.
Avro binary allows several encodings of one record (long varints, split arrays, negative union indexes), and fastavro reads
trailing bytes without a word. Whoever hashed or signed by content would then accept twins, so every decoding is encoded
again and compared, unless ``canonical`` took the bytes, which knows no other form.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import fastavro
from fastavro.read import SchemaResolutionError
from fastavro.schema import fingerprint, to_parsing_canonical_form

from services.wire.canonical import Decoder, OtherFormError, decoder_of
from services.wire.errors import Evidence, MalformedError, SchemaError
from services.wire.hashing import digest_of

__all__ = ["SINGLE_OBJECT_MARKER", "Schema", "decode", "encode", "load_schema", "schema_file", "single_object_header"]

SINGLE_OBJECT_MARKER: Final = b"\xc3\x01"

_READ_ERRORS: Final = (ValueError, IndexError, EOFError, OverflowError, TypeError, KeyError, MemoryError, RecursionError)
_MARKS_OF_LIBRARY: Final = ("__fastavro_parsed", "__named_schemas")
_INT_MIN: Final = -(2**31)
_INT_MAX: Final = 2**31 - 1


class Schema:
    """A parsed schema, ready for fastavro.

    ``is_own`` is True for those that this program comes with: they alone are read by ``canonical``. Whoever publishes a schema
    may choose names and sizes that the library and a second reading understand differently.
    Raises: fastavro's own errors if ``source`` is no schema; a foreign one goes through ``schemas`` first.
    """

    __slots__ = ("_named", "ints_fit", "name", "parsed", "plain")

    def __init__(self, source: Mapping[str, Any], *, is_own: bool = False) -> None:
        self._named: dict[str, Any] = {}
        # By these the library takes a schema for one that it parsed itself, and names for what they say there.
        plain = {name: value for name, value in source.items() if name not in _MARKS_OF_LIBRARY}
        self.parsed = fastavro.parse_schema(plain, named_schemas=self._named)
        self.name = str(source.get("name", ""))
        # fastavro writes and reads an ``int`` beyond 32 bits without a word, so encoding again does not notice it.
        self.ints_fit = _range_check(self, self.parsed)
        # Of what is no record the library says so.
        is_plain = is_own and source.get("type") == "record"
        self.plain: Decoder | None = decoder_of(self.parsed, self.resolve) if is_plain else None

    def resolve(self, node: Any) -> Any:
        """Return the definition that a name stands for; anything else as it is."""
        return self._named.get(node, node) if isinstance(node, str) else node


def encode(schema: Schema, record: Mapping[str, Any]) -> bytes:
    """Return the canonical bytes of ``record``.

    Raises: ValueError if the record does not fit the schema (our own bug, not hostile data).
    """
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema.parsed, record, strict=True)
    return out.getvalue()


def decode(schema: Schema, data: bytes, *, reader: Schema | None = None) -> dict[str, Any]:
    """Return the record that ``data`` canonically encodes under ``schema``, resolved into ``reader`` if given.

    Raises: MalformedError if the bytes are not exactly the canonical encoding of one record. Its text says digests of the
    bytes; the bytes themselves stand in ``evidence.raw``, which no message shows. SchemaError if what was written with
    ``schema`` does not resolve into ``reader``.
    """
    try:
        # A type that is not plain, or bytes that are not: the library says what they are, if anything.
        record, end = schema.plain(data, 0) if schema.plain is not None else (None, 0)
    except (OtherFormError, IndexError):
        record = None
    if record is None or end != len(data):
        record = _decoded_and_compared(schema, data)
    return record if reader is None else _resolved(schema, data, reader)


def decode_own(schema: Schema, data: bytes) -> dict[str, Any]:
    """Return the record that ``data`` encodes, where this very program wrote it; what others wrote goes through ``decode``.

    Raises: MalformedError if the bytes are no such record.
    """
    return _read(schema, data, None)


def _resolved(schema: Schema, data: bytes, reader: Schema) -> dict[str, Any]:
    """Return what the reader's own schema reads of a record that was written with another one.

    The library gives a day for a number where the writer has one, and a default as it stands there, be it a text in place of a
    symbol: what the reader's schema cannot write is no value of it.
    """
    resolved = _read(schema, data, reader)
    try:
        again = encode(reader, resolved)
    except _READ_ERRORS:
        raise MalformedError(f"{schema.name} holds what the schema that reads it here cannot", _not_of(schema, data)) from None
    return decode(reader, again)


def _decoded_and_compared(schema: Schema, data: bytes) -> dict[str, Any]:
    record = _read(schema, data, None)
    # Twins: over-long numbers, other block splits, negative indexes and trailing bytes all fail this comparison.
    try:
        again = encode(schema, record)
    except _READ_ERRORS:
        # The library's own error shows the value that does not fit, and with it whatever stands around it in a union.
        raise MalformedError(f"{schema.name} holds a value out of range", _not_of(schema, data)) from None
    if again != data:
        # Content is decoded here too, opened: an error's text goes to logs, and must not carry a name or a key there.
        evidence = Evidence(expected=digest_of(again).hex(), found=digest_of(data).hex(), raw=data)
        raise MalformedError(f"{schema.name} is not in canonical form", evidence)
    if schema.ints_fit is not None and not schema.ints_fit(record):
        raise MalformedError(f"{schema.name} holds a value out of range", _not_of(schema, data))
    return record


def _range_check(schema: Schema, node: Any) -> Callable[[Any], bool] | None:
    """Return what tells whether every ``int`` of a decoded value fits its 32 bits, None where there is none to look at.

    A bare number in a union is not looked at: fastavro itself picks the branch by range when the value is encoded again.
    """
    node = schema.resolve(node)
    if isinstance(node, list):
        return _union_check(schema, node)
    kind = node["type"] if isinstance(node, dict) else node
    if kind == "int":
        # A date's int was read as a day already, and days lie within 32 bits.
        return lambda value: not isinstance(value, int) or _INT_MIN <= value <= _INT_MAX
    if kind in ("array", "map"):
        inner = _range_check(schema, node["items" if kind == "array" else "values"])
        if inner is None:
            return None
        return lambda value: all(map(inner, value if kind == "array" else value.values()))
    if kind == "record":
        checks = [(each["name"], _range_check(schema, each["type"])) for each in node["fields"]]
        needed = [(name, check) for name, check in checks if check is not None]
        return (lambda value: all(check(value[name]) for name, check in needed)) if needed else None
    return None


def _union_check(schema: Schema, branches: list[Any]) -> Callable[[Any], bool] | None:
    resolved = [each for each in map(schema.resolve, branches) if isinstance(each, dict)]
    checks = [(each, _range_check(schema, each)) for each in resolved]
    needed = [(each, check) for each, check in checks if check is not None and each["type"] in ("record", "array", "map")]
    if not needed:
        return None
    return lambda value: all(check(value) for branch, check in needed if _may_hold(branch, value))


def _may_hold(branch: dict[str, Any], value: Any) -> bool:
    if branch["type"] == "record":
        return isinstance(value, dict) and value.keys() == {field["name"] for field in branch["fields"]}
    return isinstance(value, list if branch["type"] == "array" else dict)


def _not_of(schema: Schema, data: bytes) -> Evidence:
    # Their number, not their digest: what was opened may be so little that its digest tells it.
    return Evidence(expected=f"the canonical bytes of {schema.name}", found=f"{len(data)} bytes that are not", raw=data)


def _read(schema: Schema, data: bytes, reader: Schema | None) -> dict[str, Any]:
    stream = io.BytesIO(data)
    try:
        record = fastavro.schemaless_reader(stream, schema.parsed, reader.parsed if reader else None)
    except SchemaResolutionError:
        # Its own text shows both schemas whole.
        raise SchemaError(f"{schema.name} does not resolve into the schema that reads it here", Evidence(raw=data)) from None
    except _READ_ERRORS as error:
        raise MalformedError(f"{schema.name} does not decode: {type(error).__name__}", _not_of(schema, data)) from error
    if not isinstance(record, dict):
        raise MalformedError(f"{schema.name} is not a record", _not_of(schema, data))
    return record


def schema_file(relative: str) -> bytes:
    """Return the exact bytes of a schema file, from the wheel or, in a checkout, from ``schemas/``.

    Raises: FileNotFoundError if there is no such file.
    """
    packaged = files("services").joinpath("_schemas", *relative.split("/"))
    if packaged.is_file():
        return packaged.read_bytes()
    return (Path(__file__).resolve().parents[2] / "schemas" / relative).read_bytes()


@cache
def load_schema(relative: str) -> Schema:
    """Return one of our own schemas, by its path below ``schemas/``; parsed once a process."""
    return Schema(json.loads(schema_file(relative)), is_own=True)


@cache
def single_object_header(schema: Schema) -> bytes:
    """Return the ten bytes before a single-object encoding: marker, then CRC-64-AVRO little-endian; made once a schema.

    Source: Avro 1.12 specification, "Single-object encoding".
    """
    canonical = to_parsing_canonical_form(schema.parsed)
    return SINGLE_OBJECT_MARKER + bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))
