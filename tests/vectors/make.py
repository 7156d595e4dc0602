"""Makes the golden vectors: `python -m tests.vectors.make` writes schemas/vectors anew, byte for byte the same.

Keys come from names, times and ids from counters, salts are fixed, ECDSA is deterministic. Only HPKE draws randomness of its
own: the sealed bytes of a grant and a disclosure are committed, and what stands around them is made again.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from services.wire.audience import AUDIENCE, may_write
from services.wire.channels import COMMISSION, Role, commission_case, from_commission, record_of, to_commission
from services.wire.contents import (
    ChannelClosed,
    EncryptionKeyPublished,
    EpochOpened,
    Held,
    KeyRevoked,
    ParticipantAdmitted,
    ParticipantRemoved,
    Reason,
    Receipt,
    SchemaPublished,
    TrustConfirmed,
    decode_open,
)
from services.wire.disclosures import (
    DisclosedKey,
    DisclosureHeader,
    decode_disclosure,
    make_disclosure,
    open_disclosure,
    part_digest,
)
from services.wire.entry import Open, Sealed, UnverifiedEntry, body_digest, decode_entry
from services.wire.errors import VerificationError
from services.wire.grants import SUITE, EncryptionKey, GrantedKey, GrantHeader, KeyUse, make_grant, prekey_id
from services.wire.hashing import Digest, Id, digest_of
from services.wire.issuing import pem
from services.wire.records import event_type
from services.wire.sealing import SALT_BYTES, Part, key_id, part_key
from tests.chains import ROOT, ROOT_DER, SCHOOL, Pen, key_of, registrar_seal, seal_of, trust_pen
from tests.vectors import samples
from tests.vectors.faults import bad, readings
from tests.vectors.proving import View, faults, proof_files, trees
from tests.vectors.scribe import Scribe

__all__ = [
    "AUDITOR",
    "COMMISSION_SEAL",
    "ENCRYPTION_KEY",
    "FOLDER",
    "Exchange",
    "disclosure_header",
    "disclosure_told",
    "grant_header",
    "granted",
    "made",
]

FOLDER: Final = Path(__file__).resolve().parents[2] / "schemas/vectors"
AUDITOR: Final = "auditor-vk"
COMMISSION_SEAL: Final = ("commission", "NTRLV-90000000003")
AUDITOR_SEAL: Final = ("auditor", "NTRLV-90000000004")
ENCRYPTION_KEY: Final = EncryptionKey(seed=bytes(range(64)), scalar=bytes(range(1, 33)))
THEIR_ENCRYPTION_KEY: Final = EncryptionKey(seed=bytes(range(64, 128)), scalar=bytes(range(33, 65)))
CASE: Final = Id(bytes.fromhex("0190000000007000800000000000abcd"))
DIRECT_CASE: Final = Id(bytes.fromhex("0190000000007000800000000000dcba"))
COMMISSIONS_CASE: Final = Id(commission_case(UUID(bytes=CASE), to_commission(SCHOOL)).bytes)


class Exchange:
    """An exchange in which every kind of entry stands, with rotations and a new epoch; each part in the order of time."""

    def __init__(self) -> None:
        self.first, self.second, self.third = (seal_of(f"school, {name}") for name in ("first", "second", "third"))
        self.commission, self.auditor = seal_of(*COMMISSION_SEAL), seal_of(*AUDITOR_SEAL)
        self.registrar = trust_pen()
        self.trust = [self.registrar.opened()]
        self.record, self.to = Scribe(Pen(record_of(SCHOOL), self.first)), Scribe(Pen(to_commission(SCHOOL), self.first))
        self.back = Scribe(Pen(from_commission(SCHOOL), self.commission))
        self.theirs = Scribe(Pen(record_of(COMMISSION), self.commission))
        self.audits = Scribe(Pen(record_of(AUDITOR), self.auditor))
        self._begin()
        request = self._ask()
        self._answer(request)
        self._say_the_rest()
        self._rotate()
        self._lose_a_key()

    @property
    def scribes(self) -> tuple[Scribe, ...]:
        return self.record, self.to, self.back, self.theirs, self.audits

    @property
    def channels(self) -> dict[str, list[bytes]]:
        return {"registrar.trust": self.trust, **{each.pen.channel: each.records for each in self.scribes}}

    @property
    def events(self) -> list[dict[str, Any]]:
        return [told for each in self.scribes for told in each.told]

    def _begin(self) -> None:
        for name, role, seal in (
            (COMMISSION, Role.COMMISSION, self.commission),
            (SCHOOL, Role.SCHOOL, self.first),
            (AUDITOR, Role.AUDITOR, self.auditor),
        ):
            content = ParticipantAdmitted(id=name, role=role, organisation=seal.certificate.organisation, name=name)
            self.trust.append(self.registrar.open(content))
        for name in sorted(AUDIENCE):
            self.trust.append(self.registrar.open(SchemaPublished(name=name, file=event_type(name).file)))
        for scribe in self.scribes:
            scribe.records.append(scribe.pen.opened())
        for scribe, key in ((self.to, ENCRYPTION_KEY), (self.back, THEIR_ENCRYPTION_KEY)):
            need = (key_id(self.back.facts_key),) if scribe is self.to else ()
            scribe.records.append(scribe.pen.open(EncryptionKeyPublished(suite=SUITE, public_key=key.public_key, need=need)))

    def _ask(self) -> Digest:
        after, bodies = None, []
        for event in samples.filed():
            after = self.record.seal(event, case=CASE, after=after)
            bodies.append(after)
        request = self.to.seal(samples.asked(bodies[0], bodies[1]), case=CASE, after=after)
        # Before the commission has a record, its receipt names none.
        self._receipt(self.back, self.to, None)
        return request

    def _answer(self, request: Digest) -> None:
        after, bodies = request, []
        for event in (samples.registered(), samples.examined(), samples.planned(), samples.recommended()):
            after = self.theirs.seal(event, case=COMMISSIONS_CASE, after=after)
            bodies.append(after)
        after = self.theirs.seal(samples.sent(request), case=COMMISSIONS_CASE, after=after)
        self.back.seal(samples.answered(bodies[-1]), case=COMMISSIONS_CASE, after=after, reply=request)
        self.theirs.seal(samples.refused(), case=DIRECT_CASE)
        self._receipt(self.back, self.to, self.theirs)
        # An event that belongs to no case: its personal part is sealed under the facts key.
        self.to.seal(samples.rejected(), case=None, reply=digest_of(b"an event that nobody knows"))
        self._vouch()
        self._receipt(self.audits, None, None)

    def _vouch(self) -> None:
        """Let the auditor vouch for all that stands in the channels now, but its own."""
        records = {name: tuple(found) for name, found in self.channels.items() if name != record_of(AUDITOR)}
        seals = {each.pen.channel: each.pen.seal for each in self.scribes} | {self.registrar.channel: self.registrar.seal}
        view = View(records=records, seals=seals, auditor=self.auditor)
        self.behind = self.audits.pen.fork("behind")
        self.audits.records.append(self.audits.pen.open(view.checkpoint))
        self.view = replace(view, record=self.audits.records[-1])

    def _say_the_rest(self) -> None:
        """Write one event of each type that the story above has not, each in a channel that it may stand in."""
        said = {each["type"] for each in self.events}
        theirs = (self.back, self.theirs)
        # Of the application both parts, of the consent its facts.
        self.disclosed = [(0, Part.FACTS), (0, Part.PERSONAL), (1, Part.FACTS)]
        parts = tuple(_part_of(self._filed(place), part) for place, part in self.disclosed)
        self.mandate = self.record.seal(samples.mandate(self._admission(), parts), case=CASE)
        said.add("AccessGranted")
        for name in sorted(AUDIENCE.keys() - said):
            for scribe in (self.record, self.to, *theirs):
                if may_write(name, scribe.pen.channel):
                    scribe.seal(samples.plain(name), case=COMMISSIONS_CASE if scribe in theirs else CASE)
            if may_write(name, self.audits.pen.channel):
                # What an auditor seals belongs to no case.
                self.audits.seal(samples.plain(name), case=None)

    def _admission(self) -> Digest:
        """Return the body of the auditor's admission."""
        for record in self.trust:
            body = decode_entry(record).unverified_statement.body
            content = decode_open(body) if isinstance(body, Open) else None
            if isinstance(content, ParticipantAdmitted) and content.id == AUDITOR:
                return body_digest(body)
        raise ValueError("no auditor is admitted")

    def _filed(self, place: int) -> UnverifiedEntry:
        """Return a sealed entry of the school's record, by its place among them."""
        entries = [decode_entry(record) for record in self.record.records]
        return [each for each in entries if isinstance(each.unverified_statement.body, Sealed)][place]

    @property
    def mandate_name(self) -> Digest:
        """H of the mandate's sealed facts."""
        return _part_of(self._filed(self._mandate_place), Part.FACTS)

    @property
    def disclosed_keys(self) -> tuple[DisclosedKey, ...]:
        """The keys of the parts that the mandate names, after that of its own facts."""
        return tuple(self._key(place, part) for place, part in [(self._mandate_place, Part.FACTS), *self.disclosed])

    @property
    def _mandate_place(self) -> int:
        return [each["body_digest"] for each in self.record.told].index(self.mandate.hex())

    def _key(self, place: int, part: Part) -> DisclosedKey:
        entry, scribe = self._filed(place), self.record
        statement = entry.unverified_statement
        sealed = (entry.raw_facts if part is Part.FACTS else entry.raw_personal) or b""
        key = scribe.facts_key if part is Part.FACTS else scribe.case_key(CASE)
        opener = part_key(key, part, channel=statement.channel, event_id=statement.event_id, salt=sealed[:SALT_BYTES])
        carried = sealed if part is Part.PERSONAL else None
        return DisclosedKey(channel=statement.channel, event_id=statement.event_id, part=part, key=opener, sealed=carried)

    def _rotate(self) -> None:
        self.trust.append(self.registrar.rotated(registrar_seal("registrar, second")))
        old = registrar_seal("registrar").certificate.key_digest
        self.trust.append(self.registrar.open(KeyRevoked(key=old, reason=Reason.SUPERSEDED)))
        self.to.records.append(self.to.pen.rotated(self.second))
        self._receipt(self.to, self.back, self.record)
        # The log lost this one's personal part.
        self.to.seal(samples.rejected(), case=None, reply=digest_of(b"another one"), with_personal=False)

    def _lose_a_key(self) -> None:
        pen = self.to.pen
        after = pen.fork("epoch 1")
        # Whoever has the lost key goes on writing; the registrar names the last good entry.
        self.to.records.append(pen.confirmed())
        channel, epoch, certificate = pen.channel, 1, self.third.certificate.digest
        opened = EpochOpened(
            channel=channel, epoch=epoch, after_sequence=after.sequence, after_digest=after.previous, certificate=certificate
        )
        revoked = KeyRevoked(key=self.second.certificate.key_digest, reason=Reason.LOST)
        ended = (opened, revoked, ParticipantRemoved(id=AUDITOR), TrustConfirmed())
        self.trust += [self.registrar.open(content) for content in ended]
        self.to.pen = Pen(channel, self.third, epoch, after.sequence, after.previous, "epoch 1")
        self.to.records += [self.to.pen.opened(), self.to.pen.open(ChannelClosed())]

    def _receipt(self, scribe: Scribe, paired: Scribe | None, record: Scribe | None) -> None:
        pens = [paired.pen] if paired else []
        held = tuple(_line(pen) for pen in (*pens, scribe.pen, self.registrar))
        receipt = Receipt(held=held, record=record.pen.previous if record else None)
        scribe.records.append(scribe.pen.open(receipt))


def _part_of(entry: UnverifiedEntry, part: Part) -> Digest:
    digest = part_digest(entry.unverified_statement, part)
    if digest is None:
        raise ValueError("an open entry has no parts")
    return digest


def disclosure_header(exchange: Exchange) -> DisclosureHeader:
    """Return the header of the vector's disclosure: the school gives the auditor keys of parts of its case."""
    return DisclosureHeader(
        mandate=exchange.mandate_name,
        channel=record_of(SCHOOL),
        recipient=AUDITOR,
        prekey=prekey_id(SUITE, ENCRYPTION_KEY.public_key),
    )


def disclosure_told(exchange: Exchange, file: bytes) -> dict[str, Any]:
    """Return what stands in the vector of a disclosure: the file, the private key that opens it, and the keys in it."""
    keys = [
        {
            "channel": each.channel,
            "event_id": each.event_id.hex(),
            "part": each.part.value,
            "key": each.key.hex(),
            "sealed": each.sealed.hex() if each.sealed else None,
        }
        for each in exchange.disclosed_keys
    ]
    return {"file": file.hex(), "seed": ENCRYPTION_KEY.seed.hex(), "scalar": ENCRYPTION_KEY.scalar.hex(), "keys": keys}


def _disclosure(exchange: Exchange) -> bytes:
    """Return the committed file, or one sealed anew where that holds something else now: HPKE draws its own randomness."""
    path, header = FOLDER / "disclosure.json", disclosure_header(exchange)
    if path.exists():
        file = bytes.fromhex(json.loads(path.read_text("utf-8"))["file"])
        # One of another form holds something else, too.
        with suppress(VerificationError):
            found = decode_disclosure(file)
            held = open_disclosure(found, recipient=AUDITOR, keys={header.prekey: ENCRYPTION_KEY})
            if (found.header, held) == (header, exchange.disclosed_keys):
                return file
    return make_disclosure(header, exchange.disclosed_keys, public_key=ENCRYPTION_KEY.public_key)


def grant_header() -> GrantHeader:
    """Return the header of the vector's grant: the commission gives the school the key of a case."""
    return GrantHeader(
        grant_id=Id(bytes(15) + b"\x09"),
        channel=from_commission(SCHOOL),
        certificate=seal_of(*COMMISSION_SEAL).certificate.digest,
        recipient=SCHOOL,
        prekey=prekey_id(SUITE, ENCRYPTION_KEY.public_key),
        key_id=key_id(granted().key),
        issued_at=1_790_000_000_000,
    )


def granted() -> GrantedKey:
    """Return the key in the vector's grant."""
    key = Scribe(Pen(from_commission(SCHOOL), seal_of(*COMMISSION_SEAL))).case_key(COMMISSIONS_CASE)
    return GrantedKey(key=key, use=KeyUse.CASE, case_id=COMMISSIONS_CASE)


def made() -> dict[str, Any]:
    """Return all vectors but those with sealed letters, as they stand in the files."""
    exchange = Exchange()
    return {
        "channels.json": {
            "root": ROOT.digest.hex(),
            "channels": {name: [_told(record) for record in records] for name, records in exchange.channels.items()},
        },
        "events.json": exchange.events,
        "reading.json": readings(),
        "bad.json": bad(),
        "proofs.json": _proofs(exchange),
    }


def _proofs(exchange: Exchange) -> dict[str, Any]:
    names = {"auditor": AUDITOR, "writer": SCHOOL, "channel": record_of(SCHOOL)}
    files = proof_files(exchange.view, exchange.behind, **names)
    wrong = faults(exchange.view, exchange.behind, **names)
    return {
        "trees": trees(),
        "files": {name: data.hex() for name, data in files.items()},
        "bad": {name: data.hex() for name, data in wrong.items()},
    }


def _line(pen: Pen) -> Held:
    return Held(channel=pen.channel, epoch=pen.epoch, sequence=pen.sequence, digest=pen.previous)


def _told(record: bytes) -> dict[str, str]:
    entry = decode_entry(record)
    return {"record": record.hex(), "statement": entry.statement_bytes.hex(), "digest": entry.digest.hex()}


def main() -> None:
    """Write the vectors; a grant is sealed anew only where none is committed yet."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "root.pem").write_bytes(pem(ROOT_DER))
    if not (FOLDER / "grant.json").exists():
        record = make_grant(key_of(COMMISSION_SEAL[0]), grant_header(), granted(), public_key=ENCRYPTION_KEY.public_key)
        private = {"seed": ENCRYPTION_KEY.seed.hex(), "scalar": ENCRYPTION_KEY.scalar.hex()}
        told = {"record": record.hex(), **private, "key": granted().key.hex(), "case_id": COMMISSIONS_CASE.hex()}
        (FOLDER / "grant.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    exchange = Exchange()
    told = disclosure_told(exchange, _disclosure(exchange))
    (FOLDER / "disclosure.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    for name, content in made().items():
        (FOLDER / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
