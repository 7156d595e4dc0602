"""Changes one value somewhere in an Avro record, and encodes the whole again: what no fuzzer of bytes gets past the framing."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any, Final

from services.wire import avro
from services.wire.avro import Schema
from services.wire.errors import MalformedError
from tests.fuzz.target import Raw

__all__ = ["altered", "recoded"]

_NUMBERS: Final = (0, 1, -1, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, -(2**63), 253_402_300_800_000, 253_402_300_799_999, 2_932_897)
_MANY: Final = 2_000
_SOME: Final[dict[str, Any]] = {"null": None, "boolean": True, "int": 1, "long": 1, "string": "a", "bytes": b"\x00", "array": []}
_EPOCH: Final = date(1970, 1, 1)
_LAST_DAY: Final = (date.max - _EPOCH).days


def recoded(schema: Schema, data: bytes, rng: Random, raw: Raw) -> bytes:
    """Return the encoding of a record of which one value is altered; bytes that are no such record are changed as bytes."""
    try:
        return avro.encode(schema, altered(schema, avro.decode(schema, data), rng, raw))
    except (MalformedError, ValueError, TypeError, OverflowError):
        return raw(data, len(data) + 64)


def altered(schema: Schema, record: dict[str, Any], rng: Random, raw: Raw) -> dict[str, Any]:
    """Return a record in which one value is another one that its type could hold, or nearly."""
    found: dict[str, Any] = _Alteration(schema, rng, raw).alter(schema.parsed, record)
    return found


class _Alteration:
    def __init__(self, schema: Schema, rng: Random, raw: Raw) -> None:
        self.schema, self.rng, self.raw = schema, rng, raw

    def alter(self, node: Any, value: Any) -> Any:
        node = self.schema.resolve(node)
        if isinstance(node, list):
            return self._union(node, value)
        kind = node["type"] if isinstance(node, dict) else node
        if kind == "record":
            chosen = self.rng.choice(node["fields"]) if node["fields"] else None
            return value | {chosen["name"]: self.alter(chosen["type"], value[chosen["name"]])} if chosen else value
        if kind == "array":
            return self._array(node["items"], list(value))
        if kind == "enum":
            return self.rng.choice(node["symbols"])
        if kind == "fixed":
            return self.raw(value, node["size"])[: node["size"]].ljust(node["size"], b"\x00")
        return self._plain(kind, value)

    def _plain(self, kind: str, value: Any) -> Any:
        if isinstance(value, date):
            return _EPOCH + timedelta(days=self.rng.randint((date.min - _EPOCH).days, _LAST_DAY))
        if kind == "boolean":
            return not value
        if kind in ("int", "long"):
            return self.rng.choice([*_NUMBERS, value + 1, value - 1, self.rng.getrandbits(self.rng.randint(1, 63))])
        if kind == "string":
            return self.raw(value.encode(), len(value.encode()) + 64).decode(errors="ignore")
        return self.raw(value, len(value) + 64) if kind == "bytes" else value

    def _union(self, branches: list[Any], value: Any) -> Any:
        others = [self.schema.resolve(each) for each in branches]
        if value is None or self.rng.random() < 0.2:  # now and then another branch
            return self._sample(self.rng.choice(others))
        if isinstance(value, dict):
            fitting = (
                each for each in others if isinstance(each, dict) and {f["name"] for f in each.get("fields", ())} == {*value}
            )
            return self.alter(next(fitting), value)
        return self.alter(next(each for each in others if each != "null"), value)

    def _array(self, items: Any, values: list[Any]) -> list[Any]:
        at = self.rng.randint(0, len(values))
        before, after = values[:at], values[at:]
        chance = self.rng.random()
        if not values or chance < 0.2:
            return [*before, self._sample(self.schema.resolve(items)), *after]
        if chance < 0.4:
            return before + after[1:]
        if chance < 0.6:
            # Seldom very many: it is slow.
            return [*values, self.rng.choice(values)] if chance < 0.59 else values * (_MANY // len(values))
        at = min(at, len(values) - 1)
        return [*values[:at], self.alter(items, values[at]), *values[at + 1 :]]

    def _sample(self, node: Any) -> Any:
        """Return some value of a type."""
        node = self.schema.resolve(node[0]) if isinstance(node, list) else node
        kind = node["type"] if isinstance(node, dict) else node
        if kind == "record":
            return {each["name"]: self._sample(self.schema.resolve(each["type"])) for each in node["fields"]}
        if kind == "fixed":
            return self.rng.randbytes(node["size"])
        if isinstance(node, dict) and node.get("logicalType") == "date":
            return _EPOCH
        return node["symbols"][-1] if kind == "enum" else _SOME[kind]
