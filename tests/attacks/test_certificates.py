"""Lies about who may sign: certificates that are expired, revoked, superseded, foreign, for another use, or of nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.wire.certificates import REGISTRAR_POLICY_OID, SEAL_POLICY_OID, parse_leaf
from services.wire.channels import COMMISSION, TRUST_CHANNEL
from services.wire.contents import KeyRevoked, Reason
from services.wire.entry import decode_entry
from services.wire.errors import CertificateError, PlaceError, RevokedError
from services.wire.issuing import Request, Validity, make_root, make_seal
from tests.attacks.lies import said_otherwise
from tests.attacks.workshop import OTHER, SEALS, TO, Workshop
from tests.chains import ROOT, ROOT_DER, SCHOOL, Seal, key_of, seal_of
from tests.troubles import said_by_registrar, settled

OLD: Final = SEALS[SCHOOL][1]
YEAR: Final = Validity(serial=11, not_before=datetime(2026, 3, 1, tzinfo=UTC), not_after=datetime(2028, 3, 1, tzinfo=UTC))
REQUEST: Final = Request(
    public_key=key_of("thief").public_key(), organisation=OLD.certificate.organisation, name="Paraugpilsētas 1. pamatskola"
)


def issued(*, issuer: bytes = ROOT_DER, by: str = "root", policy: str = SEAL_POLICY_OID, validity: Validity = YEAR) -> Seal:
    """Return a seal of the thief's key in the school's name, which a root of this name issued."""
    der = make_seal(key_of(by), issuer, REQUEST, policy=policy, validity=validity)
    return Seal(key_of("thief"), parse_leaf(der))


def for_use(usage: str = "content_commitment", extended: x509.ObjectIdentifier | None = None) -> Seal:
    """Return a certificate of the thief's key in the school's name that the root issued for another use."""
    flags = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, REQUEST.organisation)])
    policy = x509.PolicyInformation(x509.ObjectIdentifier(SEAL_POLICY_OID), None)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(ROOT.certificate.subject)
        .public_key(REQUEST.public_key)
        .serial_number(12)
        .not_valid_before(YEAR.not_before)
        .not_valid_after(YEAR.not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(**{**dict.fromkeys((*flags.split(), "encipher_only", "decipher_only"), False), usage: True}),
            critical=True,
        )
        .add_extension(x509.CertificatePolicies([policy]), critical=False)
    )
    if extended is not None:
        made = made.add_extension(x509.ExtendedKeyUsage([extended]), critical=False)
    der = made.sign(key_of("root"), SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)
    return Seal(key_of("thief"), parse_leaf(der))


WRONG: Final[dict[str, tuple[Callable[[], Seal], str]]] = {
    "a foreign certificate": (lambda: SEALS[OTHER][1], "a seal of another organisation"),
    "a certificate of a rogue issuer": (lambda: issued(by="rogue root"), "not signed by the one above it"),
    "a certificate of another exchange": (
        lambda: issued(issuer=make_root(key_of("rogue root"), name="Cita sakne", validity=YEAR), by="rogue root"),
        "names another issuer",
    ),
    "a certificate for the registrar's use": (lambda: issued(policy=REGISTRAR_POLICY_OID), "not issued for this use"),
    "a certificate for a use of another key": (lambda: for_use("digital_signature"), "key usage contentCommitment"),
    "a certificate for TLS": (lambda: for_use(extended=ExtendedKeyUsageOID.SERVER_AUTH), "a certificate for TLS is no seal"),
    "a certificate from before its issuer was there": (
        lambda: issued(validity=replace(YEAR, not_before=datetime(2020, 1, 1, tzinfo=UTC))),
        "when the one above it was not valid",
    ),
}
wrong = pytest.mark.parametrize(("make", "text"), WRONG.values(), ids=WRONG)


@pytest.mark.parametrize("make", [make for make, _ in WRONG.values()], ids=WRONG)
def test_an_entry_under_a_certificate_that_nobody_here_has_shown(shop: Workshop, make: Callable[[], Seal]) -> None:
    pen = shop.pen(seal=make())
    shop.shown(pen.sealed())
    fault = shop.caught(CertificateError, "nothing in this channel has shown")
    assert (fault["epoch"], fault["sequence"], fault["found"]) == (0, pen.sequence, pen.seal.certificate.digest.hex())
    shop.goes_on(SCHOOL, OTHER)


@wrong
def test_an_opening_by_a_certificate_that_may_not_write_here(shop: Workshop, make: Callable[[], Seal], text: str) -> None:
    shop.shown(shop.pen(seal=make()).opened())
    fault = shop.caught(CertificateError, text)
    assert "an entry under a certificate that may not write here" in fault["reason"]
    shop.goes_on(SCHOOL, OTHER)


@wrong
def test_a_rotation_to_a_certificate_that_may_not_write_here(shop: Workshop, make: Callable[[], Seal], text: str) -> None:
    pen = shop.pen()
    rotated, stolen = pen.rotated(make()), pen.sealed()
    del shop.members[SCHOOL]
    shop.shown(rotated)
    fault = shop.caught(CertificateError, "a rotation to a certificate that may not write here")
    assert text in fault["reason"]
    assert fault["sequence"] == decode_entry(rotated).sequence
    # It changed nothing: what the thief signs with it is under a certificate of nobody.
    shop.shown(stolen)
    assert [each["fault"] for each in shop.faults(COMMISSION)] == ["CertificateError"] * 2
    assert shop.commission.held("parked") == []
    shop.goes_on()


def test_an_expired_certificate_decides_nothing_and_its_reader_is_told(shop: Workshop) -> None:
    ended = int(OLD.certificate.not_after.timestamp() * 1000)
    shop.clock.now = ended + 86_400_000
    shop.goes_on(SCHOOL)
    assert any(f"{TO} is signed with a certificate that ended on" in alarm for alarm in shop.commission.alarms)
    assert any("ends on" in alarm for alarm in shop.members[SCHOOL].alarms)


def revoked(shop: Workshop, *, at: int | None = None) -> None:
    """Let a thief write under the school's key once that is revoked, perhaps as if it had been before."""
    said_by_registrar(shop, KeyRevoked(key=OLD.certificate.key_digest, reason=Reason.STOLEN))
    pen = shop.pen()
    record = pen.sealed()
    del shop.members[SCHOOL]
    lie = record if at is None else said_otherwise(record, OLD, written_at=at)
    shop.shown(lie)
    fault = shop.caught(RevokedError, "an entry under a revoked key waits")
    assert (fault["sequence"], fault["raw"]) == (pen.sequence, lie)
    assert OLD.certificate.key_digest.hex() in fault["found"]
    assert shop.commission.held("parked") == []
    standing = shop.commission.office.letterbook.standing(TO)
    assert standing is not None
    assert (standing.state, standing.place.sequence) == ("waiting", pen.sequence - 1)
    shop.goes_on()


def test_a_revoked_certificate(shop: Workshop) -> None:
    revoked(shop)


def test_a_revoked_certificate_backdated(shop: Workshop) -> None:
    first = decode_entry(shop.there[TO][0]).unverified_statement.written_at
    revoked(shop, at=first)


def rotated(shop: Workshop) -> None:
    shop.members[SCHOOL].signing.seals.append(seal_of("new"))
    settled(shop, 6)
    standing = shop.commission.office.letterbook.standing(TO)
    assert standing is not None
    assert standing.place.certificate == seal_of("new").certificate


def test_a_superseded_certificate(shop: Workshop) -> None:
    rotated(shop)
    pen = shop.pen(seal=OLD)
    shop.shown(pen.sealed())
    fault = shop.caught(CertificateError, "not current at its place")
    expected, found = seal_of("new").certificate.digest.hex(), OLD.certificate.digest.hex()
    assert (fault["sequence"], fault["expected"], fault["found"]) == (pen.sequence, expected, found)
    shop.goes_on(SCHOOL, OTHER)


def test_a_superseded_certificate_backdated(shop: Workshop) -> None:
    thief = shop.pen()
    rotated(shop)
    lie = said_otherwise(thief.sealed(), OLD, written_at=decode_entry(shop.there[TO][0]).unverified_statement.written_at)
    shop.shown(lie)
    fault = shop.caught(PlaceError, "where another one is taken")
    taken = next(entry for entry in map(decode_entry, shop.there[TO]) if entry.sequence == thief.sequence)
    assert (fault["sequence"], fault["raw"]) == (thief.sequence, lie)
    assert (fault["expected"], fault["found"]) == (taken.digest.hex(), decode_entry(lie).digest.hex())
    shop.goes_on(SCHOOL, OTHER)


def test_a_certificate_of_a_participant_opens_no_channel_of_the_registrar(shop: Workshop) -> None:
    pen = replace(shop.registrar, seal=OLD, salt="lie")
    shop.shown(pen.opened(), channel=TRUST_CHANNEL)
    for reader in (SCHOOL, OTHER, COMMISSION):
        shop.caught(CertificateError, "not issued for this use", reader=reader, channel=TRUST_CHANNEL)
    shop.goes_on(SCHOOL, OTHER)
