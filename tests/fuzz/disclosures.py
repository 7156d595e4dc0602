"""Disclosures: a file of keys of single parts, whose recipient's key the fuzzer has."""

from __future__ import annotations

import json
from dataclasses import asdict
from random import Random
from typing import Any, Final

from services.wire import avro
from services.wire.disclosures import (
    DisclosedKey,
    DisclosureHeader,
    decode_disclosure,
    decode_keys,
    encode_keys,
    make_disclosure,
    open_disclosure,
)
from services.wire.errors import DisclosureError, GrantError, MalformedError
from services.wire.grants import encrypt_to
from services.wire.hashing import Digest, Id
from services.wire.sealing import Part, PartKey
from tests.fuzz.avro_mutator import altered, recoded
from tests.fuzz.target import Raw, Target, refused, require
from tests.vectors.make import AUDITOR, ENCRYPTION_KEY, FOLDER, grant_header

__all__ = ["DISCLOSURES"]

_FILE: Final = avro.load_schema("proofs/Disclosure.avsc")
_HEADER: Final = avro.load_schema("proofs/DisclosureHeader.avsc")
_PLAIN: Final = avro.load_schema("proofs/DisclosedKeys.avsc")
_START: Final = avro.single_object_header(_FILE)
_INFO: Final = b"sarakste/v0/disclosure\x00"
_PREKEY: Final = grant_header().prekey
_KEYS: Final = tuple(
    DisclosedKey(channel="commission.record", event_id=Id(bytes([place]) * 16), part=part, key=PartKey(bytes([place]) * 32))
    for place, part in enumerate((Part.FACTS, Part.FACTS, Part.PERSONAL), start=1)
)


def _seeds() -> list[bytes]:
    header = DisclosureHeader(mandate=Digest(bytes(32)), channel="commission.record", recipient=AUDITOR, prekey=_PREKEY)
    return [
        bytes.fromhex(json.loads((FOLDER / "disclosure.json").read_text("utf-8"))["file"]),
        make_disclosure(header, _KEYS, public_key=ENCRYPTION_KEY.public_key),
        make_disclosure(header, (), public_key=ENCRYPTION_KEY.public_key),
    ]


def _check(data: bytes) -> bool:
    try:
        found = decode_disclosure(data)
    except (DisclosureError, MalformedError) as error:
        return refused(error)
    again = avro.encode(_FILE, {"header": asdict(found.header), "sealed": found.sealed})
    require(_START + again == data, "a disclosure has another encoding")
    try:
        keys = open_disclosure(found, recipient=AUDITOR, keys={_PREKEY: ENCRYPTION_KEY})
    except (DisclosureError, MalformedError) as error:
        return refused(error)
    require(found.header.recipient == AUDITOR, "somebody else's keys are taken")
    require(decode_keys(encode_keys(keys)) == keys, "keys have another encoding")
    return True


def _mutate(data: bytes, rng: Random, raw: Raw) -> bytes:
    try:
        record = avro.decode(_FILE, data[len(_START) :])
    except MalformedError:
        return raw(data, len(data) + 64)
    match rng.randint(0, 3):
        case 0:
            return _START + recoded(_FILE, data[len(_START) :], rng, raw)
        case 1:
            return _START + avro.encode(_FILE, record | {"sealed": raw(record["sealed"], len(record["sealed"]) + 64)})
        case 2:
            return _resealed(altered(_HEADER, record["header"], rng, raw), encode_keys(_KEYS), data)
        case _:
            plaintext = encode_keys(_KEYS[: rng.randint(0, len(_KEYS))])
            return _resealed(record["header"], recoded(_PLAIN, plaintext, rng, raw), data)


def _resealed(header: dict[str, Any], plaintext: bytes, data: bytes) -> bytes:
    """Return a file that is sealed rightly around what is altered."""
    try:
        sealed = encrypt_to(ENCRYPTION_KEY.public_key, plaintext, _INFO + avro.encode(_HEADER, header))
        return _START + avro.encode(_FILE, {"header": header, "sealed": sealed})
    except (GrantError, ValueError, TypeError, OverflowError):
        return data


DISCLOSURES: Final = Target(
    name="disclosures", about="a file of disclosed keys", seeds=_seeds, check=_check, mutate=_mutate, limit_bytes=65 * 1024
)
