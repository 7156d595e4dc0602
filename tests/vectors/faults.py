"""The bad vectors, each named by its fault, and what the reading rule makes of sets of records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.wire import avro
from services.wire.channels import TRUST_CHANNEL, Role, record_of, to_commission
from services.wire.contents import EpochOpened, KeyRevoked, ParticipantAdmitted, Reason
from services.wire.entry import Open, decode_entry, encode_entry, to_be_signed
from services.wire.grants import GrantHeader, decode_grant
from services.wire.hashing import Digest, Id, digest_of, pre_authentication_encoding
from services.wire.reading import read_channel, read_trust
from services.wire.sealing import Part, part_key, seal
from services.wire.signing import CURVE_ORDER, sign
from tests.chains import ROOT, SCHOOL, Pen, Seal, key_of, registrar_seal, seal_of, trust_pen
from tests.vectors.scribe import secret

__all__ = ["bad", "grant_made", "readings"]

CHANNEL: Final = to_commission(SCHOOL)
RECORD: Final = record_of(SCHOOL)
GRANT: Final = Path(__file__).resolve().parents[2] / "schemas/vectors/grant.json"
OLD, NEW = (seal_of(f"school, {name}") for name in ("first", "second"))
STATEMENT: Final = avro.load_schema("wire/Statement.avsc")


def bad() -> dict[str, Any]:
    """Return what is refused, by its fault: records of the school's channel, sealed parts in a place, grants."""
    return {
        "channel": CHANNEL,
        "records": {fault: record.hex() for fault, record in {**_framing(), **_ranges(), **_parts()}.items()},
        "sealed": _sealed(),
        "grants": {fault: record.hex() for fault, record in _grants().items()},
    }


def readings() -> list[dict[str, Any]]:
    """Return sets of records, with what the registrar says beside them, and what the rule makes of them."""
    told = [_told(name, RECORD, trust_, records) for name, (trust_, records) in _stories().items()]
    return told + [_told(name, TRUST_CHANNEL, [], records) for name, records in _branches().items()]


def grant_made(header: GrantHeader, sealed: bytes, signer: str) -> bytes:
    """Return the record of a grant around sealed bytes that are given."""
    grant = avro.encode(avro.load_schema("wire/Grant.avsc"), {"header": asdict(header), "sealed": sealed})
    schema = avro.load_schema("wire/KeyGrant.avsc")
    signed = pre_authentication_encoding(b"application/vnd.sarakste.key-grant.v0+avro", grant)
    return avro.single_object_header(schema) + avro.encode(schema, {"grant": grant, "signature": sign(key_of(signer), signed)})


def _framing() -> dict[str, bytes]:
    opened = Pen(CHANNEL, OLD).opened()
    return {
        "an empty record": b"",
        "another marker": b"\xc3\x02" + opened[2:],
        "another schema's fingerprint": opened[:2] + bytes(8) + opened[10:],
        "a trailing byte": opened + b"\x00",
        "an over-long length": opened[:10] + bytes([opened[10] | 0x80, opened[11] | 0x80, 0]) + opened[12:],
        "a cut record": opened[:-1],
        "a negative index of a union": opened[:-1] + b"\x01",
        "an entry of another channel": Pen(RECORD, OLD).opened(),
    }


def _ranges() -> dict[str, bytes]:
    values = {
        "previous": bytes(32),
        "certificate": OLD.certificate.digest,
        "channel": CHANNEL,
        "epoch": 0,
        "sequence": 1,
        "written_at": 0,
        "event_id": bytes(16),
        "body": ("lv.sarakste.v0.Open", {"type": "TrustConfirmed", "content": b""}),
    }
    sealed = ("lv.sarakste.v0.Sealed", dict.fromkeys(("facts_key", "facts", "personal"), bytes(32)))
    wrong: dict[str, dict[str, Any]] = {
        "a negative epoch": {"epoch": -1},
        "an epoch beyond 32 bits": {"epoch": 2**31},
        "a sequence of zero": {"sequence": 0},
        "a time before 1970": {"written_at": -1},
        "a time of the year 10000": {"written_at": 253_402_300_800_000},
        "a sealed statement over 16 KiB": {"channel": CHANNEL + "x" * 16_384, "body": sealed},
    }
    records = {}
    for fault, change in wrong.items():
        statement = avro.encode(STATEMENT, values | change)
        records[fault] = encode_entry(statement, sign(OLD.key, to_be_signed(statement)), None, None)
    return records


def _parts() -> dict[str, bytes]:
    pen = Pen(CHANNEL, OLD)
    first, entry = decode_entry(pen.opened()), decode_entry(pen.sealed())
    statement, signature, facts = entry.statement_bytes, entry.signature, entry.raw_facts or b""
    return {
        "an open entry with a part": encode_entry(first.statement_bytes, first.signature, b"part", None),
        "sealed facts missing": encode_entry(statement, signature, None, entry.raw_personal),
        "sealed facts damaged": encode_entry(statement, signature, facts[:-1] + bytes([facts[-1] ^ 1]), entry.raw_personal),
    }


def _sealed() -> dict[str, dict[str, str]]:
    key, salt, event = secret("facts key"), secret("salt"), Id(bytes(15) + b"\x07")
    opener = part_key(key, Part.FACTS, channel=CHANNEL, event_id=event, salt=salt)
    good = seal(key, Part.FACTS, b"facts", channel=CHANNEL, event_id=event, salt=salt)
    place = {"part": "facts", "channel": CHANNEL, "event_id": event.hex(), "key": key.hex(), "sealed": good.hex()}

    def padded(plaintext: bytes) -> dict[str, str]:
        return place | {"sealed": (good[:64] + AESGCM(opener).encrypt(bytes(12), plaintext, None)).hex()}

    return {
        "moved to another event": place | {"event_id": bytes(16).hex()},
        "moved to another channel": place | {"channel": RECORD},
        "facts for personal": place | {"part": "personal"},
        "under another key": place | {"key": secret("another").hex()},
        "another salt": place | {"sealed": (bytes(32) + good[32:]).hex()},
        "another commitment": place | {"sealed": (good[:32] + bytes(32) + good[64:]).hex()},
        "a damaged ciphertext": place | {"sealed": (good[:-1] + bytes([good[-1] ^ 1])).hex()},
        "a padding longer than it needs to be": padded(b"facts\x80".ljust(1024, b"\x00")),
        "a padding without its mark": padded(b"facts".ljust(512, b"\x00")),
        "a size that is no step": padded(b"facts\x80".ljust(600, b"\x00")),
    }


def _grants() -> dict[str, bytes]:
    grant = decode_grant(bytes.fromhex(json.loads(GRANT.read_text("utf-8"))["record"]))
    damaged = grant.sealed[:-1] + bytes([grant.sealed[-1] ^ 1])
    return {
        "signed by somebody else": grant_made(grant.header, grant.sealed, "school, first"),
        "for somebody else": grant_made(replace(grant.header, recipient="commission"), grant.sealed, "commission"),
        "of another channel": grant_made(replace(grant.header, channel=CHANNEL), grant.sealed, "commission"),
        "of another key": grant_made(replace(grant.header, key_id=digest_of(b"another")), grant.sealed, "commission"),
        "damaged": grant_made(grant.header, damaged, "commission"),
    }


def _trust(*contents: KeyRevoked | EpochOpened) -> list[bytes]:
    pen = trust_pen()
    admitted = ParticipantAdmitted(id=SCHOOL, role=Role.SCHOOL, organisation=OLD.certificate.organisation, name="Skola")
    return [pen.opened(), *(pen.open(content) for content in (admitted, *contents))]


def _stories() -> dict[str, tuple[list[bytes], list[bytes]]]:
    pen = Pen(RECORD, OLD)
    opened = pen.opened()
    thief, early = pen.fork("thief"), pen.fork("")
    run = [pen.confirmed(), pen.confirmed()]
    epoch = _epoch(pen, 1)
    beyond = pen.fork("beyond").confirmed()
    begun = Pen(RECORD, NEW, 1, pen.sequence, pen.previous)
    other = Pen(RECORD, seal_of("third"), 1, pen.sequence, pen.previous).opened()
    again = [begun.opened(), begun.confirmed()]
    rotated = [pen.rotated(NEW), pen.confirmed()]
    stolen = [thief.confirmed(), thief.confirmed()]
    revoked = KeyRevoked(key=OLD.certificate.key_digest, reason=Reason.STOLEN)
    plain = _trust()
    stranger = seal_of("stranger", organisation="NTRLV-90000000009")
    turned = early.fork("turned")
    return {
        "any order and repetition": (plain, [*run[::-1], opened, *run]),
        "two entries at one place": (plain, [opened, *run, *stolen]),
        "a thief at an old place behind a rotation": (plain, [opened, *run, *rotated, *stolen]),
        "a revoked key that nothing newer vouches for": (_trust(revoked), [opened, *run]),
        "a revoked key before an unrevoked one": (_trust(revoked), [opened, *run, *rotated]),
        "a hole in a revoked run": (_trust(revoked), [opened, *run[1:], *rotated]),
        "an epoch that has not begun": (_trust(epoch), [opened, *run, beyond]),
        "an epoch that has begun": (_trust(epoch, revoked), [opened, *run, beyond, *again]),
        "an epoch whose last entry is missing": (_trust(epoch), [opened, run[0], *again]),
        "an epoch opened by another certificate": (_trust(epoch), [opened, *run, other]),
        "a place ahead": (plain, [opened, run[1]]),
        "a place ahead that somebody only claims": (plain, [opened, Pen(RECORD, stranger, sequence=5).confirmed()]),
        "another genesis": (plain, [Pen(RECORD, OLD, previous=Digest(bytes(32))).opened()]),
        "an opening by another organisation": (plain, [Pen(RECORD, stranger).opened()]),
        "a rotation to another organisation": (
            plain,
            [opened, turned.rotated(stranger), _turned(turned, OLD), turned.confirmed()],
        ),
        "a signature with s in the upper half": (plain, [opened, _resigned(run[0], upper=True)]),
        "a signature in longer DER": (plain, [opened, _resigned(run[0], upper=False)]),
        "a copy with a broken signature beside the whole": (plain, [opened, _resigned(run[0], upper=True), run[0]]),
        "a known type with wrong content": (
            plain,
            [opened, early.fork("").write(Open(type="KeyRevoked", content=b""), None, None)],
        ),
        "an unknown type": (plain, [opened, early.fork("").write(Open(type="SomethingNewer", content=b"new"), None, None)]),
    }


def _branches() -> dict[str, list[bytes]]:
    pen = trust_pen()
    records = [pen.opened()]
    thief, old = pen.fork("thief"), pen.seal
    records.append(pen.rotated(registrar_seal("registrar, second")))
    records.append(pen.open(KeyRevoked(key=old.certificate.key_digest, reason=Reason.STOLEN)))
    theirs = [thief.open(KeyRevoked(key=pen.seal.certificate.key_digest, reason=Reason.STOLEN)), thief.confirmed()]
    own = trust_pen()
    revokes = [own.opened(), own.open(KeyRevoked(key=own.seal.certificate.key_digest, reason=Reason.LOST)), own.confirmed()]
    return {
        "each branch of the registrar's channel under its own revocations": records + theirs,
        "a registrar that revokes the key it signs with": revokes,
    }


def _epoch(pen: Pen, epoch: int) -> EpochOpened:
    return EpochOpened(
        channel=pen.channel,
        epoch=epoch,
        after_sequence=pen.sequence,
        after_digest=pen.previous,
        certificate=NEW.certificate.digest,
    )


def _turned(pen: Pen, seal: Seal) -> bytes:
    pen.seal = seal
    return pen.confirmed()


def _resigned(record: bytes, *, upper: bool) -> bytes:
    entry = decode_entry(record)
    r, s = decode_dss_signature(entry.signature)
    longer = b"\x30\x81" + entry.signature[1:]
    return encode_entry(entry.statement_bytes, encode_dss_signature(r, CURVE_ORDER - s) if upper else longer, None, None)


def _told(name: str, channel: str, trust: Sequence[bytes], records: Sequence[bytes]) -> dict[str, Any]:
    found = read_channel(channel, records, ROOT, read_trust(trust, ROOT)[1])
    told = {"trust": [each.hex() for each in trust], "records": [each.hex() for each in records]}
    result = {"state": found.state.value, "taken": [entry.digest.hex() for entry in found.taken]}
    gap = [found.gap.epoch, found.gap.sequence] if found.gap else None
    return {"name": name, "channel": channel, **told, **result, "gap": gap}
