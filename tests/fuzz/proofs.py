"""Proof files: what an auditor gives away, checked with the root certificate alone, by both readers to one verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any, Final

from examples import check_proof as second
from services.audit.proof_files import (
    Proof,
    decode_consistency,
    decode_heads,
    decode_proof,
    decode_split,
    encode_consistency,
    encode_heads,
    encode_proof,
    encode_split,
    kind_of,
)
from services.audit.proofs import check_consistency, check_heads, check_proof, check_split
from services.wire import avro
from services.wire.channels import TRUST_CHANNEL, writer_of
from services.wire.errors import VerificationError
from tests.chains import ROOT
from tests.fuzz.avro_mutator import recoded
from tests.fuzz.target import Raw, Target, refused, require
from tests.vectors.make import AUDITOR, FOLDER, Exchange
from tests.vectors.proving import View

__all__ = ["PROOFS"]

_HEADER_BYTES: Final = 10
_KINDS: Final[dict[str, tuple[Callable[[bytes], Any], Callable[[Any], bytes], Callable[..., Any]]]] = {
    "Proof": (decode_proof, encode_proof, check_proof),
    "Heads": (decode_heads, encode_heads, check_heads),
    "Split": (decode_split, encode_split, check_split),
    "Consistency": (decode_consistency, encode_consistency, check_consistency),
}


def _seeds() -> list[bytes]:
    told = json.loads((FOLDER / "proofs.json").read_text("utf-8"))
    return [bytes.fromhex(each) for each in (*told["files"].values(), *told["bad"].values())]


def _check(data: bytes) -> bool:
    try:
        second.checked(data, ROOT.der)
        is_taken = True
    except ValueError:
        is_taken = False
    try:
        decode, encode, check = _KINDS[kind_of(data)]
        require(encode(decode(data)) == data, "a proof has another encoding")
        check(data, ROOT)
    except VerificationError as error:
        require(not is_taken, "the second reader alone takes a proof")
        return refused(error)
    require(is_taken, "the second reader does not take a proof")
    return True


@cache
def _view() -> View:
    return Exchange().view


def _proved(rng: Random) -> bytes:
    """Return a proof of some entry, put together as an auditor does it: all of a proof is bound, and no change of one is one."""
    view = _view()
    channel = rng.choice([*view.records])
    shown = view.shown(channel, rng.randint(1, len(view.records[channel])), personal=rng.random() < 0.5)
    if rng.random() < 0.3:
        shown = replace(shown, facts=None)
    admissions = [view.admission(AUDITOR)]
    if channel != TRUST_CHANNEL:
        admissions.append(view.admission(writer_of(channel)))
    return encode_proof(Proof(checkpoint=view.vouching, subject=shown, admissions=tuple(admissions)))


def _mutate(data: bytes, rng: Random, raw: Raw) -> bytes:
    if rng.random() < 0.3:
        proof = _proved(rng)
        return proof if rng.random() < 0.5 else _changed(proof, rng, raw)
    return _changed(data, rng, raw)


def _changed(data: bytes, rng: Random, raw: Raw) -> bytes:
    try:
        kind = kind_of(data)
    except VerificationError:
        return raw(data, len(data) + 64)
    schema = avro.load_schema(f"proofs/{kind}.avsc")
    return data[:_HEADER_BYTES] + recoded(schema, data[_HEADER_BYTES:], rng, raw)


PROOFS: Final = Target(
    name="proofs", about="a proof file of an auditor", seeds=_seeds, check=_check, mutate=_mutate, limit_bytes=64 * 1024
)
