"""Contents of open entries: a byte that names the type, and the content; with receipts, keys and what the registrar says."""

from __future__ import annotations

from random import Random
from typing import Final, get_args

from services.wire import avro
from services.wire.channels import paired_channel
from services.wire.contents import EncryptionKeyPublished, Held, OpenContent, Receipt, decode_open, encode_open
from services.wire.entry import Open, decode_entry
from services.wire.errors import GrantError, MalformedError
from services.wire.grants import require_public_key
from services.wire.hashing import Digest, Id
from services.wire.receipts import receipt_fault
from services.wire.trust import Said, fold_trust
from tests.chains import CHANNEL, ROOT
from tests.fuzz.avro_mutator import recoded
from tests.fuzz.target import Raw, Target, refused, require
from tests.vectors.make import Exchange
from tests.worlds import TO

__all__ = ["CONTENTS"]

_TYPES: Final = tuple(kind.__name__ for kind in get_args(OpenContent))
_NOBODY: Final = Digest(bytes(32))


def _seeds() -> list[bytes]:
    bodies = [decode_entry(record).unverified_statement.body for each in Exchange().channels.values() for record in each]
    return [bytes([_TYPES.index(body.type)]) + body.content for body in bodies if isinstance(body, Open) and body.type in _TYPES]


def _check(data: bytes) -> bool:
    if not data:
        return False
    body = Open(_TYPES[data[0] % len(_TYPES)], data[1:])
    try:
        content = decode_open(body)
    except MalformedError as error:
        return refused(error)
    if content is None:
        raise AssertionError("a type of this release is not known to it")
    require(encode_open(content) == body, "a content has another encoding")
    _check_effect(content)
    return True


def _check_effect(content: OpenContent) -> None:
    if isinstance(content, Receipt):
        for channel in (TO, CHANNEL, "registrar.trust"):
            own = Held(channel=channel, epoch=0, sequence=1, digest=_NOBODY)
            wrong = receipt_fault(content, own)
            honest = 1 <= len(content.held) <= 3 and own in content.held and (content.record is None or paired_channel(channel))
            require(wrong is not None or honest, "a receipt counts that nobody can mean")
    if isinstance(content, EncryptionKeyPublished):
        try:
            require_public_key(content.public_key)
        except GrantError as error:
            refused(error)
    said = Said(sequence=1, event_id=Id(bytes(16)), body=_NOBODY, signer_key=_NOBODY, content=content)
    for fault in fold_trust((said,), ROOT.digest).faults:
        require(fault.isprintable() and len(fault) < 600, "what the registrar said is told unreadably")


def _mutate(data: bytes, rng: Random, raw: Raw) -> bytes:
    kind = data[0] % len(_TYPES) if data else 0
    return bytes([kind]) + recoded(avro.load_schema(f"open/{_TYPES[kind]}.avsc"), data[1:], rng, raw)


CONTENTS: Final = Target(
    name="contents", about="what an open entry says", seeds=_seeds, check=_check, mutate=_mutate, limit_bytes=16 * 1024
)
