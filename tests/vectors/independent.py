"""What opens the vectors, written from schemas/README.md and the schemas alone: it imports nothing of ours.

It decodes with Apache's own Avro package, and knows hashes and AES-GCM from a library. What stands in a channel is for the
second reader, ``examples/verify_log.py``; this opens what is sealed in it.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from pathlib import Path
from typing import Any

import avro.io
import avro.schema
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


class BadError(Exception):
    """These bytes are not what they claim to be."""


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def pae(kind: bytes, payload: bytes) -> bytes:
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def schema(name: str) -> Any:
    return avro.schema.parse((SCHEMAS / f"{name}.avsc").read_text())


def encode(parsed: Any, value: Any) -> bytes:
    out = io.BytesIO()
    avro.io.DatumWriter(parsed).write(value, avro.io.BinaryEncoder(out))
    return out.getvalue()


def decode(parsed: Any, data: bytes) -> Any:
    try:
        value = avro.io.DatumReader(parsed).read(avro.io.BinaryDecoder(io.BytesIO(data)))
        again = encode(parsed, value)
    except Exception as error:
        raise BadError(str(error)) from error
    if again != data:
        raise BadError("not canonical")
    return value


WIRE = {path.stem: schema(f"wire/{path.stem}") for path in (SCHEMAS / "wire").glob("*.avsc")}


def unseal(part: str, sealed: bytes, key: bytes, channel: str, event_id: bytes) -> bytes:
    """Open a sealed part in its place."""
    start = b"sarakste/v0/" + part.encode() + b"\0" + channel.encode() + b"\0"
    opener = hmac.digest(key, start + event_id + sealed[:32], "sha256")
    if digest(b"sarakste/v0/commitment\0" + opener) != sealed[32:64]:
        raise BadError("not sealed for this place")
    try:
        padded = AESGCM(opener).decrypt(bytes(12), sealed[64:], None)
    except Exception as error:
        raise BadError("damaged") from error
    plaintext, size = padded.rstrip(b"\0")[:-1], 512 if part == "facts" else 1024
    while size < len(plaintext) + 1:
        size *= 2
    if padded != (plaintext + b"\x80").ljust(size, b"\0"):
        raise BadError("not padded strictly")
    return plaintext


def vector(name: str) -> Any:
    return json.loads((SCHEMAS / "vectors" / name).read_text("utf-8"))
