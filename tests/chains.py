"""An exchange in a few lines: keys, certificates and hand-made chains, for everything that reads channels.

Keys are derived from names, so that a failing example is the same in every run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from services.wire.certificates import REGISTRAR_POLICY_OID, SEAL_POLICY_OID, Certificate, Root, load_root, parse_leaf
from services.wire.channels import TRUST_CHANNEL, Role, record_of, writer_of
from services.wire.contents import (
    CertificateRotated,
    ChannelOpened,
    EpochOpened,
    OpenContent,
    Reason,
    TrustConfirmed,
    encode_open,
)
from services.wire.entry import Open, Sealed, Statement, encode_entry, encode_statement, statement_digest, to_be_signed
from services.wire.hashing import Digest, Id, digest_of, genesis_digest
from services.wire.issuing import Request, Validity, make_root, make_seal
from services.wire.signing import CURVE_ORDER, sign
from services.wire.trust import Participant, Trust

__all__ = ["CHANNEL", "ROOT", "SCHOOL", "Pen", "Seal", "seal_of", "trust"]

SCHOOL: Final = "school-0099900011"
CHANNEL: Final = record_of(SCHOOL)
_YEAR: Final = Validity(serial=7, not_before=datetime(2026, 1, 1, tzinfo=UTC), not_after=datetime(2030, 1, 1, tzinfo=UTC))


@cache
def key_of(name: str) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(hashlib.sha512(name.encode()).digest(), "big") % (CURVE_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


ROOT_DER: Final = make_root(key_of("root"), name="Paraugpilsēta root", validity=_YEAR)
ROOT: Final[Root] = load_root(ROOT_DER)


@dataclass(frozen=True, slots=True)
class Seal:
    """A private key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: Certificate


@cache
def seal_of(name: str, organisation: str = "NTRLV-90000000001", policy: str = SEAL_POLICY_OID) -> Seal:
    request = Request(public_key=key_of(name).public_key(), organisation=organisation, name="Paraugpilsētas 1. pamatskola")
    der = make_seal(key_of("root"), ROOT_DER, request, policy=policy, validity=_YEAR)
    return Seal(key_of(name), parse_leaf(der))


def registrar_seal(name: str) -> Seal:
    return seal_of(name, organisation="NTRLV-90000000009", policy=REGISTRAR_POLICY_OID)


def trust(*, revoked: tuple[Seal, ...] = (), epochs: tuple[EpochOpened, ...] = ()) -> Trust:
    """Return a trust in which the one school is admitted."""
    school = Participant(
        id=SCHOOL,
        role=Role.SCHOOL,
        organisation="NTRLV-90000000001",
        name="Paraugpilsētas 1. pamatskola",
        admitted=digest_of(b"admission"),
    )
    return Trust(
        sequence=1,
        participants=MappingProxyType({SCHOOL: school}),
        revoked=MappingProxyType({each.certificate.key_digest: Reason.STOLEN for each in revoked}),
        epochs=MappingProxyType({CHANNEL: epochs} if epochs else {}),
    )


@dataclass(slots=True)
class Pen:
    """Writes a chain: each call signs one entry after the last and returns its record. ``fork`` copies the place.

    ``back`` is by how many milliseconds it claims to have written earlier.
    """

    channel: str
    seal: Seal
    epoch: int = 0
    sequence: int = 0
    previous: Digest = field(default=Digest(b""))
    salt: str = ""
    back: int = 0

    def __post_init__(self) -> None:
        self.previous = self.previous or genesis_digest(ROOT.digest, self.channel)

    def fork(self, salt: str) -> Pen:
        return replace(self, salt=salt)

    def opened(self) -> bytes:
        content = ChannelOpened(exchange=ROOT.digest, writer=writer_of(self.channel), certificates=(self.seal.certificate.der,))
        return self.open(content)

    def rotated(self, seal: Seal) -> bytes:
        record = self.open(CertificateRotated(certificates=(seal.certificate.der,)))
        self.seal = seal
        return record

    def open(self, content: OpenContent) -> bytes:
        return self.write(encode_open(content), None, None)

    def confirmed(self) -> bytes:
        """Write an open entry that means nothing here."""
        return self.open(TrustConfirmed())

    def sealed(self, *, with_personal: bool = True) -> bytes:
        """Write an entry with parts that match; what stands in them is nobody's business here."""
        facts = hashlib.sha256(f"{self.sequence}{self.salt}".encode()).digest() * 19
        personal = facts[::-1]
        body = Sealed(facts_key=digest_of(b"key"), facts=digest_of(facts), personal=digest_of(personal))
        return self.write(body, facts, personal if with_personal else None)

    @property
    def next_event_id(self) -> bytes:
        """The id of the event that is written next."""
        return hashlib.sha256(f"{self.channel}{self.epoch}/{self.sequence}{self.salt}".encode()).digest()[:16]

    def write(self, body: Open | Sealed, facts: bytes | None, personal: bytes | None) -> bytes:
        statement = encode_statement(
            Statement(
                previous=self.previous,
                certificate=self.seal.certificate.digest,
                channel=self.channel,
                epoch=self.epoch,
                sequence=self.sequence + 1,
                written_at=1_790_000_000_000 + self.sequence - self.back,
                event_id=Id(self.next_event_id),
                body=body,
            )
        )
        self.sequence += 1
        self.previous = statement_digest(statement)
        return encode_entry(statement, sign(self.seal.key, to_be_signed(statement)), facts, personal)


def trust_pen(name: str = "registrar") -> Pen:
    return Pen(TRUST_CHANNEL, registrar_seal(name))
