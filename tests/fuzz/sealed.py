"""Sealed parts: a byte that names the part, and its bytes in one place under one key that the fuzzer has."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from services.wire import avro
from services.wire.avro import Schema
from services.wire.contents import Facts, Personal, decode_facts, decode_personal, encode_facts, encode_personal
from services.wire.errors import MalformedError, SchemaError, SealError
from services.wire.hashing import Id
from services.wire.records import encode_event, event_type
from services.wire.sealing import Part, key_id, open_part, open_with_part_key, part_key, seal
from tests.chains import CHANNEL
from tests.fuzz.avro_mutator import recoded
from tests.fuzz.events import BOOK, samples_by_type
from tests.fuzz.target import Raw, Target, refused, require

__all__ = ["SEALED"]

_KEY: Final = b"k" * 32
_EVENT: Final = Id(b"e" * 16)
_PARTS: Final = (Part.FACTS, Part.PERSONAL)
_SCHEMAS: Final[dict[Part, Schema]] = {part: avro.load_schema(f"wire/{part.value.capitalize()}.avsc") for part in Part}


def _sealed(part: Part, plaintext: bytes, salt: bytes) -> bytes:
    return bytes([_PARTS.index(part)]) + seal(_KEY, part, plaintext, channel=CHANNEL, event_id=_EVENT, salt=salt)


def _seeds() -> list[bytes]:
    seeds = []
    for event in samples_by_type().values():
        encoded = encode_event(*event)
        for case in (None, Id(b"c" * 16)):
            facts = Facts(
                type=encoded.type,
                schema=encoded.schema,
                case_id=case,
                after=None,
                in_reply_to=None,
                recorded_on=20_717,
                personal_key=key_id(_KEY) if case else None,
                content=encoded.facts,
            )
            seeds.append(_sealed(Part.FACTS, encode_facts(facts), b"s" * 32))
        personal = Personal(recorded_at=1_790_000_000_000, content=encoded.personal)
        seeds.append(_sealed(Part.PERSONAL, encode_personal(personal), b"s" * 32))
    return seeds


def _check(data: bytes) -> bool:
    part, sealed = _PARTS[data[0] % 2 if data else 0], data[1:]
    try:
        plaintext = open_part(_KEY, part, sealed, channel=CHANNEL, event_id=_EVENT)
    except SealError as error:
        return refused(error)
    place: dict[str, Any] = {"channel": CHANNEL, "event_id": _EVENT, "salt": sealed[:32]}
    require(seal(_KEY, part, plaintext, **place) == sealed, "a part is sealed in another way too")
    require(open_with_part_key(part_key(_KEY, part, **place), part, sealed) == plaintext, "its own key opens another plaintext")
    return _check_facts(plaintext) if part is Part.FACTS else _check_personal(plaintext)


def _check_facts(plaintext: bytes) -> bool:
    try:
        facts = decode_facts(plaintext)
        require(encode_facts(facts) == plaintext, "facts have another encoding")
        BOOK.facts(facts.type, facts.schema, facts.content)
    except (MalformedError, SchemaError) as error:
        return refused(error)
    return True


def _check_personal(plaintext: bytes) -> bool:
    try:
        personal = decode_personal(plaintext)
    except MalformedError as error:
        return refused(error)
    require(encode_personal(personal) == plaintext, "a personal part has another encoding")
    return True


def _mutate(data: bytes, rng: Random, raw: Raw) -> bytes:
    part = _PARTS[data[0] % 2 if data else 0]
    try:
        plaintext = open_part(_KEY, part, data[1:], channel=CHANNEL, event_id=_EVENT)
    except SealError:
        return data[:1] + raw(data[1:], len(data) + 64)
    if rng.random() < 0.2:
        return data[:1] + raw(data[1:], len(data) + 64)
    changed = _changed(part, plaintext, rng, raw)
    try:
        return _sealed(part, changed, rng.randbytes(32))
    except ValueError:  # over the limit of its part
        return data


def _changed(part: Part, plaintext: bytes, rng: Random, raw: Raw) -> bytes:
    if rng.random() < 0.2:
        return raw(plaintext, len(plaintext) + 64)
    try:
        facts = decode_facts(plaintext) if part is Part.FACTS and rng.random() < 0.5 else None
        inner = event_type(facts.type).facts if facts else None
    except (MalformedError, SchemaError):
        facts = inner = None
    if facts is None or inner is None:
        return recoded(_SCHEMAS[part], plaintext, rng, raw)
    whole = avro.decode(_SCHEMAS[part], plaintext)
    return avro.encode(_SCHEMAS[part], whole | {"content": recoded(inner, facts.content, rng, raw)})


SEALED: Final = Target(
    name="sealed",
    about="a sealed part, and what it says when it opens",
    seeds=_seeds,
    check=_check,
    mutate=_mutate,
    limit_bytes=9 * 1024,
)
