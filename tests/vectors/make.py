"""Makes the golden vectors: `python -m tests.vectors.make` writes schemas/vectors anew, byte for byte the same.

Keys come from names, times and ids from counters, salts are fixed, ECDSA is deterministic. Only HPKE draws randomness of its
own: a grant's sealed bytes are committed, and header, framing and signature are made around them again.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any, Final

from services.wire.channels import COMMISSION, Role, from_commission, record_of, to_commission
from services.wire.contents import (
    ChannelClosed,
    Checkpoint,
    EncryptionKeyPublished,
    EpochOpened,
    Facts,
    Held,
    KeyRevoked,
    ParticipantAdmitted,
    ParticipantRemoved,
    Personal,
    Reason,
    Receipt,
    SchemaPublished,
    TrustConfirmed,
    encode_facts,
    encode_personal,
)
from services.wire.entry import Sealed, decode_entry, encode_body, encode_entry
from services.wire.events import Answer, ConfirmationGiven, ConfirmationGivenPersonal
from services.wire.grants import SUITE, EncryptionKey, GrantedKey, GrantHeader, KeyUse, make_grant, prekey_id
from services.wire.hashing import Digest, Id, digest_of
from services.wire.issuing import pem
from services.wire.records import encode_event, event_type
from services.wire.sealing import Part, key_id, seal
from tests.chains import ROOT, ROOT_DER, SCHOOL, Pen, Seal, key_of, registrar_seal, seal_of, trust_pen

__all__ = ["FOLDER", "bad", "channels", "grant_header", "made", "sealed_event"]

FOLDER: Final = Path(__file__).resolve().parents[2] / "schemas/vectors"
AUDITOR: Final = "auditor-vk"
COMMISSION_SEAL: Final = ("commission", "NTRLV-90000000003")
AUDITOR_SEAL: Final = ("auditor", "NTRLV-90000000004")
ENCRYPTION_KEY: Final = EncryptionKey(seed=bytes(range(64)), scalar=bytes(range(1, 33)))
FACTS_KEY: Final = hashlib.sha256(b"facts key").digest()
CASE_KEY: Final = hashlib.sha256(b"case key").digest()
CASE: Final = Id(bytes.fromhex("0190000000007000800000000000abcd"))


def channels() -> dict[str, list[bytes]]:
    """Return the records of an exchange in which every kind of entry stands, with rotations and a new epoch."""
    school, renewed = seal_of("school, first"), seal_of("school, second")
    lost = seal_of("school, third")
    commission, auditor = seal_of(*COMMISSION_SEAL), seal_of(*AUDITOR_SEAL)
    trust, registrar = _trust_begun(commission, auditor)
    pen, to = _school_channel(school, renewed)
    after_digest, after = pen.previous, pen.sequence
    begun = Pen(to_commission(SCHOOL), lost, 1, after, after_digest, "epoch 1")
    opened = EpochOpened(
        channel=to_commission(SCHOOL),
        epoch=1,
        after_sequence=after,
        after_digest=after_digest,
        certificate=lost.certificate.digest,
    )
    trust += [
        registrar.open(opened),
        registrar.open(KeyRevoked(key=renewed.certificate.key_digest, reason=Reason.LOST)),
        registrar.open(ParticipantRemoved(id=AUDITOR)),
        registrar.open(TrustConfirmed()),
    ]
    to += [begun.opened(), begun.open(ChannelClosed())]
    answers = Pen(from_commission(SCHOOL), commission)
    back = [answers.opened(), _confirmation(answers)]
    checkpoints = Pen(record_of(AUDITOR), auditor)
    checkpoint = Checkpoint(channels=2, root=digest_of(b"a root over two channels"))
    return {
        "registrar.trust": trust,
        to_commission(SCHOOL): to,
        from_commission(SCHOOL): back,
        record_of(AUDITOR): [checkpoints.opened(), checkpoints.open(checkpoint)],
    }


def sealed_event() -> dict[str, Any]:
    """Return a sealed event with everything that a reader needs to open it."""
    facts, personal, content = _parts(from_commission(SCHOOL), Id(bytes(15) + b"\x07"))
    return {
        "channel": from_commission(SCHOOL),
        "event_id": (bytes(15) + b"\x07").hex(),
        "facts_key": FACTS_KEY.hex(),
        "facts_key_id": key_id(FACTS_KEY).hex(),
        "case_key": CASE_KEY.hex(),
        "case_key_id": key_id(CASE_KEY).hex(),
        "sealed_facts": facts.hex(),
        "sealed_personal": personal.hex(),
        **content,
    }


def grant_header() -> GrantHeader:
    """Return the header of the vector's grant."""
    return GrantHeader(
        grant_id=Id(bytes(15) + b"\x09"),
        channel=from_commission(SCHOOL),
        certificate=seal_of(*COMMISSION_SEAL).certificate.digest,
        recipient=SCHOOL,
        prekey=prekey_id(SUITE, ENCRYPTION_KEY.public_key),
        key_id=key_id(CASE_KEY),
        issued_at=1_790_000_000_000,
    )


def bad() -> dict[str, bytes]:
    """Return records that are no entries of the school's channel, by their fault."""
    pen = Pen(to_commission(SCHOOL), seal_of("school, first"))
    opened, sealed = pen.opened(), pen.sealed()
    entry = decode_entry(sealed)
    statement, signature, facts = entry.statement_bytes, entry.signature, entry.raw_facts or b""
    stranger = Pen(record_of(SCHOOL), seal_of("school, first")).opened()
    first = decode_entry(opened)
    return {
        "an empty record": b"",
        "another marker": b"\xc3\x02" + opened[2:],
        "another schema's fingerprint": opened[:2] + bytes(8) + opened[10:],
        "a trailing byte": opened + b"\x00",
        "an over-long length": opened[:10] + bytes([opened[10] | 0x80, opened[11] | 0x80, 0]) + opened[12:],
        "a cut record": opened[:-1],
        "an open entry with a part": encode_entry(first.statement_bytes, first.signature, b"part", None),
        "sealed facts missing": encode_entry(statement, signature, None, entry.raw_personal),
        "sealed facts damaged": encode_entry(statement, signature, facts[:-1] + bytes([facts[-1] ^ 1]), entry.raw_personal),
        "an entry of another channel": stranger,
    }


def made() -> dict[str, Any]:
    """Return all vectors but the grant's sealed bytes, as they stand in the files."""
    return {
        "channels.json": {
            "root": ROOT.digest.hex(),
            "channels": {name: [_told(record) for record in records] for name, records in channels().items()},
        },
        "sealed.json": sealed_event(),
        "bad.json": {fault: record.hex() for fault, record in bad().items()},
    }


def _trust_begun(commission: Seal, auditor: Seal) -> tuple[list[bytes], Pen]:
    pen = trust_pen()
    old = pen.seal
    records = [pen.opened()]
    for name, role, theirs in (
        (COMMISSION, Role.COMMISSION, commission),
        (SCHOOL, Role.SCHOOL, seal_of("school, first")),
        (AUDITOR, Role.AUDITOR, auditor),
    ):
        organisation = theirs.certificate.organisation
        records.append(pen.open(ParticipantAdmitted(id=name, role=role, organisation=organisation, name=name)))
    kind = event_type("ConfirmationGiven")
    records.append(pen.open(SchemaPublished(name=kind.name, file=kind.file)))
    records.append(pen.rotated(registrar_seal("registrar, second")))
    records.append(pen.open(KeyRevoked(key=old.certificate.key_digest, reason=Reason.SUPERSEDED)))
    return records, pen


def _school_channel(school: Seal, renewed: Seal) -> tuple[Pen, list[bytes]]:
    pen = Pen(to_commission(SCHOOL), school)
    published = EncryptionKeyPublished(suite=SUITE, public_key=ENCRYPTION_KEY.public_key, need=(key_id(CASE_KEY),))
    records = [pen.opened(), pen.open(published), pen.sealed(), pen.sealed(with_personal=False), pen.rotated(renewed)]
    records.append(pen.open(Receipt(held=(_own_line(pen),), record=None)))
    records.append(pen.sealed())
    return pen, records


def _own_line(pen: Pen) -> Held:
    return Held(channel=pen.channel, epoch=pen.epoch, sequence=pen.sequence, digest=pen.previous)


def _confirmation(pen: Pen) -> bytes:
    facts, personal, _ = _parts(pen.channel, Id(pen.next_event_id))
    return pen.write(Sealed(facts_key=key_id(FACTS_KEY), facts=digest_of(facts), personal=digest_of(personal)), facts, personal)


def _parts(channel: str, event_id: Id) -> tuple[bytes, bytes, dict[str, Any]]:
    given = ConfirmationGiven(answer=Answer.YES, wording=1, basis=digest_of(b"a recommendation"))
    encoded = encode_event(given, ConfirmationGivenPersonal(official="Ilze Paraudziņa"))
    facts = encode_facts(
        Facts(
            type=encoded.type,
            schema=encoded.schema,
            case_id=CASE,
            after=digest_of(b"the event before"),
            in_reply_to=digest_of(b"the request"),
            recorded_on=(date(2026, 9, 21) - date(1970, 1, 1)).days,
            personal_key=Digest(key_id(CASE_KEY)),
            content=encoded.facts,
        )
    )
    personal = encode_personal(Personal(recorded_at=1_790_000_000_000, content=encoded.personal))
    salts = hashlib.sha256(b"facts salt").digest(), hashlib.sha256(b"personal salt").digest()
    sealed_facts = seal(FACTS_KEY, Part.FACTS, facts, channel=channel, event_id=event_id, salt=salts[0])
    sealed_personal = seal(CASE_KEY, Part.PERSONAL, personal, channel=channel, event_id=event_id, salt=salts[1])
    body = Sealed(facts_key=key_id(FACTS_KEY), facts=digest_of(sealed_facts), personal=digest_of(sealed_personal))
    told = {"facts": facts.hex(), "personal": personal.hex(), "body": encode_body(body).hex()}
    return sealed_facts, sealed_personal, told


def _told(record: bytes) -> dict[str, str]:
    entry = decode_entry(record)
    return {"record": record.hex(), "statement": entry.statement_bytes.hex(), "digest": entry.digest.hex()}


def main() -> None:
    """Write the vectors; a grant is sealed anew only where none is committed yet."""
    FOLDER.mkdir(exist_ok=True)
    for name, content in made().items():
        (FOLDER / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (FOLDER / "root.pem").write_bytes(pem(ROOT_DER))
    if not (FOLDER / "grant.json").exists():
        granted = GrantedKey(key=CASE_KEY, use=KeyUse.CASE, case_id=CASE)
        signer = key_of(COMMISSION_SEAL[0])
        record = make_grant(signer, grant_header(), granted, public_key=ENCRYPTION_KEY.public_key)
        private = {"seed": ENCRYPTION_KEY.seed.hex(), "scalar": ENCRYPTION_KEY.scalar.hex()}
        told = {"record": record.hex(), **private, "key": CASE_KEY.hex(), "case_id": CASE.hex()}
        (FOLDER / "grant.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
