"""Contents of sealed parts, opened: a byte that names the event and the part, and the content."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from services.wire.audience import AUDIENCE
from services.wire.errors import MalformedError
from services.wire.hashing import Digest
from services.wire.records import Encoded, EventType, SchemaBook, encode_event, event_type, own_schemas
from tests.fuzz.avro_mutator import recoded
from tests.fuzz.target import Raw, Target, refused, require
from tests.vectors import samples
from tests.vectors.samples import Event

__all__ = ["BOOK", "EVENTS", "samples_by_type"]

_NAMES: Final = sorted(AUDIENCE)
_SOME: Final = Digest(b"d" * 32)
BOOK: Final = SchemaBook(own_schemas())


def samples_by_type() -> dict[str, Event]:
    """Return one event of each type: that of the golden vectors' story, else a plain one."""
    lone = (samples.rejected, samples.registered, samples.examined, samples.planned, samples.recommended, samples.refused)
    made = [
        *samples.filed(),
        samples.asked(_SOME, _SOME),
        samples.sent(_SOME),
        samples.answered(_SOME),
        *(each() for each in lone),
    ]
    told = {type(event[0]).__name__: event for event in made}
    return {name: told.get(name) or samples.plain(name) for name in _NAMES}


_SAMPLES: Final = samples_by_type()


def _seeds() -> list[bytes]:
    encoded = {name: encode_event(*event) for name, event in _SAMPLES.items()}
    return [
        bytes([2 * _NAMES.index(name) + at]) + (each.personal if at else each.facts)
        for name, each in encoded.items()
        for at in (0, 1)
    ]


def _place(data: bytes) -> tuple[EventType, bool]:
    number = data[0] % (2 * len(_NAMES))
    return event_type(_NAMES[number // 2]), bool(number % 2)


def _check(data: bytes) -> bool:
    if not data:
        return False
    kind, is_personal = _place(data)
    try:
        value = (BOOK.personal if is_personal else BOOK.facts)(kind.name, kind.schema, data[1:])
    except MalformedError as error:
        return refused(error)
    if value is None:
        return True
    again = _encoded(kind, value, is_personal=is_personal)
    require(again is None or (again.personal if is_personal else again.facts) == data[1:], "a part has another encoding")
    return True


def _encoded(kind: EventType, value: Any, *, is_personal: bool) -> Encoded | None:
    facts, personal = _SAMPLES[kind.name]
    try:
        return encode_event(facts, value) if is_personal else encode_event(value, personal)
    except ValueError as error:
        # The symbol of a newer release is read, parked, and never written.
        require("nobody writes" in str(error), "what was read cannot be written")
        return None


def _mutate(data: bytes, rng: Random, raw: Raw) -> bytes:
    kind, is_personal = _place(data or b"\x00")
    return data[:1] + recoded(kind.personal if is_personal else kind.facts, data[1:], rng, raw)


EVENTS: Final = Target(
    name="events", about="facts and personal parts, opened", seeds=_seeds, check=_check, mutate=_mutate, limit_bytes=9 * 1024
)
