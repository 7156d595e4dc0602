"""Events as Avro: the dataclasses of ``events`` and the schemas of ``schemas/events``, one to one.

Decides whether content is what its schema says. Which channel an event may stand in is for ``audience``, whether it fits
its case for the domains. The .avsc files are the master; their id is H of the exact bytes.
Source: schemas/README.md, "Schemas".
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from typing import Any, Final

from services.wire import avro, events
from services.wire.audience import AUDIENCE
from services.wire.avro import Schema
from services.wire.errors import Evidence, FactsRuleError, MalformedError, SchemaError
from services.wire.foreign_schema import check_schema
from services.wire.hashing import Digest, digest_of

__all__ = ["Encoded", "EventType", "SchemaBook", "check_facts_rule", "encode_event", "event_type", "own_schemas"]

_FACTS_PRIMITIVES: Final = frozenset({"boolean", "int", "null"})
_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """An event that this release knows: its schema, and how its two parts become values."""

    name: str
    schema: Digest
    file: bytes
    facts_class: type
    personal_class: type | None
    facts: Schema
    personal: Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """The content of an event's two parts, and the schema they are encoded with."""

    type: str
    schema: Digest
    facts: bytes
    personal: bytes


def own_schemas() -> dict[Digest, bytes]:
    """Return the schemas of this release by their ids; the registrar publishes them before anyone writes with them."""
    return {each.schema: each.file for each in map(event_type, AUDIENCE)}


@cache
def event_type(name: str) -> EventType:
    """Return an event of this release.

    Raises: SchemaError if this release knows no event of that name.
    """
    if name not in AUDIENCE:
        # Whoever wrote it chose the name: a digest of it goes to logs, not the name.
        found = digest_of(name.encode()).hex()
        raise SchemaError("an event of a type that this release does not know", Evidence(expected="a known type", found=found))
    file = avro.schema_file(f"events/{name}.avsc")
    facts, personal = _parts(json.loads(file), is_own=True)
    return EventType(
        name=name,
        schema=digest_of(file),
        file=file,
        facts_class=getattr(events, name),
        personal_class=getattr(events, f"{name}Personal", None),
        facts=facts,
        personal=personal,
    )


def encode_event(facts: Any, personal: Any = None) -> Encoded:
    """Return the content of an event's parts; ``personal`` is None exactly where nothing is personal about it.

    Raises: ValueError if the parts do not belong together, a symbol is the one for symbols of newer releases, or a number is one
    that no reader takes.
    """
    kind = event_type(type(facts).__name__)
    if type(personal) is not (kind.personal_class or type(None)):
        raise ValueError(f"the personal part of {kind.name} is a {kind.personal_class}")
    return Encoded(
        type=kind.name,
        schema=kind.schema,
        facts=_encoded(kind.facts, _to_avro(facts)),
        personal=_encoded(kind.personal, _to_avro(personal) if personal is not None else {}),
    )


def _encoded(schema: Schema, record: Mapping[str, Any]) -> bytes:
    # The library writes an int beyond 32 bits without a word, and no reader takes it: an event that was saved so would close its
    # case, or the whole stream of a participant, for ever.
    if schema.ints_fit is not None and not schema.ints_fit(record):
        raise ValueError(f"{schema.name} holds a number beyond 32 bits")
    return avro.encode(schema, record)


class SchemaBook:
    """Reads contents that were written with any published schema; one schema is checked and parsed once."""

    def __init__(self, published: Mapping[Digest, bytes]) -> None:
        self._published = published
        self._parsed: dict[Digest, tuple[str, Schema, Schema]] = {}
        self._unknown: dict[str, Schema] | None = None

    def facts(self, name: str, schema: Digest, content: bytes) -> Any:
        """Return the facts of an event; a symbol that this release does not know becomes ``UNKNOWN``.

        Raises: SchemaError if the type is none of this release, or the schema is unpublished, unsafe, of another type or does
        not resolve into ours; MalformedError if the content is not canonical or holds what no value of this release can.
        """
        kind = event_type(name)
        return self._read(kind, schema, content, kind.facts_class, part=0)

    def personal(self, name: str, schema: Digest, content: bytes) -> Any:
        """Return what is personal about an event, None where nothing is; errors as for ``facts``."""
        kind = event_type(name)
        if kind.personal_class is None:
            return None
        return self._read(kind, schema, content, kind.personal_class, part=1)

    def unknown_facts(self, name: str, schema: Digest, content: bytes) -> dict[str, Any]:
        """Return the facts of an event of a type that this release does not know, as the newest schema of that name has them.

        Values are plain ones: symbols are texts, digests bytes, days dates, records dicts. What they mean nobody here can tell.
        Raises: SchemaError if the schema is unpublished, unsafe, of another type or does not resolve into the newest one;
        MalformedError if the content is not canonical.
        """
        newest = self.unknown_types().get(name)
        if newest is None:
            # The name is its writer's choice, as above.
            raise SchemaError(
                "an event of an unknown type", Evidence(expected="a known type", found=digest_of(name.encode()).hex())
            )
        self._require_published(schema)
        return avro.decode(self._facts_of(schema, name), content, reader=newest)

    def unknown_types(self) -> dict[str, Schema]:
        """Return the facts' schemas that are published for types which this release does not know, the newest a name."""
        if self._unknown is None:
            self._unknown = {}
            for schema in self._published:
                try:
                    name, facts, _ = self._writers(schema, schema)
                except SchemaError:
                    # Nobody can read under it; that it stands in the log is for who looks at the registrar's channel.
                    continue
                if name not in AUDIENCE:
                    self._unknown[name] = facts
        return self._unknown

    def _read(self, kind: EventType, schema: Digest, content: bytes, target: type, *, part: int) -> Any:
        own = (kind.facts, kind.personal)[part]
        # Also our own schema has to be published: whoever decodes the log from itself needs it.
        self._require_published(schema)
        if schema == kind.schema:
            record = avro.decode(own, content)
        else:
            name, *parts = self._writers(schema, kind.schema)
            _require_name(name, kind.name)
            record = avro.decode(parts[part], content, reader=own)
        try:
            return _reader(target)(record)
        except (ValueError, KeyError, TypeError) as error:
            raise MalformedError(f"{kind.name} holds a value that it cannot hold") from error

    def _require_published(self, schema: Digest) -> None:
        if schema not in self._published:
            raise SchemaError(
                "an event is written with a schema that is not published",
                Evidence(expected="a published schema", found=schema.hex()),
            )

    def _facts_of(self, schema: Digest, name: str) -> Schema:
        found, facts, _ = self._writers(schema, schema)
        _require_name(found, name)
        return facts

    def _writers(self, schema: Digest, expected: Digest) -> tuple[str, Schema, Schema]:
        if schema not in self._parsed:
            file = self._published[schema]
            check_schema(file)
            try:
                # Facts are kept for years and never erased: nothing that may be personal gets in under a schema that allows it.
                check_facts_rule(file)
            except FactsRuleError as error:
                raise FactsRuleError(error.message, Evidence(expected=expected.hex(), found=schema.hex())) from error
            source = json.loads(file)
            self._parsed[schema] = (str(source.get("name")), *_parts(source, is_own=False))
        return self._parsed[schema]


def _require_name(found: str, expected: str) -> None:
    if found != expected:
        raise SchemaError("an event is written with another event's schema", Evidence(expected=expected, found=found))


def check_facts_rule(file: bytes) -> None:
    """Return if the facts of an event's schema hold only what facts may: see schemas/README.md, "What facts may hold".

    Raises: FactsRuleError naming what may not stand there; SchemaError if it is no event's schema.
    """
    facts, _ = _parts(json.loads(file), is_own=False)
    _check_fact(facts, facts.parsed)


def _check_fact(schema: Schema, node: Any) -> None:
    node = schema.resolve(node)
    if isinstance(node, list):
        for each in node:
            _check_fact(schema, each)
        return
    kind = node["type"] if isinstance(node, dict) else node
    if kind == "record":
        for each in node["fields"]:
            _check_fact(schema, each["type"])
    elif kind == "array":
        _check_fact(schema, node["items"])
    else:
        _check_fact_leaf(kind, node if isinstance(node, dict) else {})


def _check_fact_leaf(kind: str, node: Mapping[str, Any]) -> None:
    if kind == "fixed":
        # Sixteen bytes could be a hash of a personal code cut short; a digest of ours has 32.
        if node["size"] != _DIGEST_BYTES:
            raise FactsRuleError("a fixed in facts is a digest of 32 bytes")
    elif kind == "enum":
        if node.get("default") != "Unknown" or len(node["symbols"]) == 1:
            raise FactsRuleError(f"the enum {node['name']} has symbols and the default Unknown")
    elif kind not in _FACTS_PRIMITIVES or node.get("logicalType", "date") != "date":
        # A string, bytes, a time of day or a fraction can hold what is personal.
        raise FactsRuleError(f"facts hold no {kind}")


def _parts(source: Mapping[str, Any], *, is_own: bool) -> tuple[Schema, Schema]:
    fields = {each.get("name"): each.get("type") for each in source.get("fields", ())}
    if list(fields) != ["facts", "personal"] or not all(isinstance(each, dict) for each in fields.values()):
        raise SchemaError("the schema of an event has two fields, facts and personal, each a record")
    space = source.get("namespace", "")
    try:
        facts, personal = (Schema({"namespace": space, **fields[each]}, is_own=is_own) for each in ("facts", "personal"))
    except Exception as error:  # a part that names a type of the other part, and whatever else a library says
        raise SchemaError("facts and personal share no named type") from error
    return facts, personal


def _to_avro(value: Any) -> Any:
    if isinstance(value, Enum):
        # Whoever writes it would write what nobody can act on.
        if value.value == "Unknown":
            raise ValueError(f"nobody writes {value}")
        return value.value
    if isinstance(value, tuple):
        return [_to_avro(each) for each in value]
    if dataclasses.is_dataclass(value):
        return {each.name: _to_avro(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return value


@cache
def _reader(target: Any) -> Callable[[Any], Any]:
    """Return what turns a decoded value into ``target``; made once a type, so that reading an event inspects nothing."""
    arguments = typing.get_args(target)
    origin = typing.get_origin(target)
    # ``Digest | None`` is of the other kind, for a NewType is no class.
    if origin in (types.UnionType, typing.Union):
        inner = _reader(next(each for each in arguments if each is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        item = _reader(arguments[0])
        return lambda value: tuple(map(item, value))
    if isinstance(target, type) and issubclass(target, Enum):
        symbols = {each.value: each for each in target}
        return symbols.__getitem__
    if dataclasses.is_dataclass(target):
        hints = typing.get_type_hints(target)
        fields = [(each.name, _reader(hints[each.name])) for each in dataclasses.fields(target)]
        return _maker(target, [(name, read) for name, read in fields if read is not _as_it_is])
    if target is date:
        return _day
    return _as_it_is


def _maker(make: Any, fields: list[tuple[str, Callable[[Any], Any]]]) -> Callable[[Any], Any]:
    """Return what makes a value of a record; ``fields`` are those that are not there as they are."""

    def made(record: dict[str, Any]) -> Any:
        for name, read in fields:
            record[name] = read(record[name])
        return make(**record)

    return made


def _as_it_is(value: Any) -> Any:
    return value


def _day(value: Any) -> date:
    if not isinstance(value, date):
        raise TypeError("a day is a date")
    return value
