"""Certificates, told as the ways in which somebody could pass for somebody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from services.wire.certificates import REGISTRAR_POLICY_OID, SEAL_POLICY_OID, load_root
from services.wire.errors import CertificateError
from services.wire.issuing import Request, Validity, make_cross, make_request, make_root, make_seal, pem, read_request
from services.wire.signing import CURVE_ORDER
from tests.chains import ROOT, ROOT_DER, key_of, seal_of
from tests.verifying import verified_path

YEAR = Validity(serial=11, not_before=datetime(2026, 3, 1, tzinfo=UTC), not_after=datetime(2028, 3, 1, tzinfo=UTC))
REQUEST = Request(public_key=key_of("school").public_key(), organisation="NTRLV-90000000001", name="Skola")
ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
SEAL = make_seal(key_of("root"), ROOT_DER, REQUEST, policy=SEAL_POLICY_OID, validity=YEAR)


def builder(*, ca: bool = False, policy: str = SEAL_POLICY_OID, usage: str = "content_commitment") -> x509.CertificateBuilder:
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
    flags = dict.fromkeys((*names.split(), "encipher_only", "decipher_only"), False)
    policies = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(policy), None)])
    return (
        x509.CertificateBuilder()
        .subject_name(name("NTRLV-90000000001"))
        .issuer_name(ROOT.certificate.subject)
        .public_key(REQUEST.public_key)
        .serial_number(5)
        .not_valid_before(YEAR.not_before)
        .not_valid_after(YEAR.not_after)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{**flags, usage: True}), critical=True)
        .add_extension(policies, critical=False)
    )


def name(*organisations: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, each) for each in organisations])


def signed(made: x509.CertificateBuilder, key: str = "root") -> bytes:
    return made.sign(key_of(key), SHA256()).public_bytes(Encoding.DER)


def refused(*path: bytes, match: str, policy: str = SEAL_POLICY_OID) -> None:
    with pytest.raises(CertificateError, match=match):
        verified_path(path, ROOT, policy=policy)


def test_a_seal_of_the_root_is_trusted_for_its_organisation() -> None:
    leaf = verified_path([SEAL], ROOT, policy=SEAL_POLICY_OID)
    assert leaf.organisation == "NTRLV-90000000001"
    assert verified_path([signed(builder())], ROOT, policy=SEAL_POLICY_OID).organisation == "NTRLV-90000000001"


def test_the_same_request_makes_the_same_certificate() -> None:
    assert make_seal(key_of("root"), ROOT_DER, REQUEST, policy=SEAL_POLICY_OID, validity=YEAR) == SEAL


def test_another_root_of_the_same_name_certifies_nobody() -> None:
    refused(signed(builder(), "thief"), match="not signed by the one above")


def test_another_issuers_name_is_not_taken_for_the_roots() -> None:
    other = make_root(key_of("root"), name="Another root", validity=YEAR)
    refused(make_seal(key_of("root"), other, REQUEST, policy=SEAL_POLICY_OID, validity=YEAR), match="another issuer")


def test_the_root_and_a_ca_are_no_seals() -> None:
    refused(ROOT_DER, match="CA seals nothing")
    refused(signed(builder(ca=True)), match="CA seals nothing")


def test_a_seal_opens_no_registrars_channel_and_the_registrar_seals_for_no_school() -> None:
    refused(SEAL, match="not issued for this use", policy=REGISTRAR_POLICY_OID)
    refused(seal_of("r", policy=REGISTRAR_POLICY_OID).certificate.der, match="not issued for this use")


def test_a_certificate_for_both_uses_is_for_neither() -> None:
    policies = x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(each), None) for each in (SEAL_POLICY_OID, REGISTRAR_POLICY_OID)]
    )
    made = builder()
    made._extensions = [each for each in made._extensions if not isinstance(each.value, x509.CertificatePolicies)]  # noqa: SLF001
    for policy in (SEAL_POLICY_OID, REGISTRAR_POLICY_OID):
        refused(signed(made.add_extension(policies, critical=False)), match="not issued for this use", policy=policy)


@pytest.mark.parametrize("usage", ["digital_signature", "key_cert_sign"])
def test_a_key_for_another_use_is_no_seal(usage: str) -> None:
    refused(signed(builder(usage=usage)), match="contentCommitment")


@pytest.mark.parametrize(
    "use", [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]
)
def test_a_web_servers_certificate_is_no_seal(use: x509.ObjectIdentifier) -> None:
    refused(signed(builder().add_extension(x509.ExtendedKeyUsage([use]), critical=False)), match="TLS")


def test_a_critical_extension_that_is_not_known_may_forbid_this_use() -> None:
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    refused(signed(builder().add_extension(odd, critical=True)), match="critical extension")


@pytest.mark.parametrize("organisations", [(), ("NTRLV-90000000001", "NTRLV-90000000002")])
def test_a_seal_names_one_organisation(organisations: tuple[str, ...]) -> None:
    made = builder()
    made._subject_name = name(*organisations)  # noqa: SLF001  # a builder refuses a second subject
    refused(signed(made), match="exactly one organizationIdentifier")


def test_a_key_on_another_curve_or_of_another_kind_seals_nothing() -> None:
    for key in (ec.generate_private_key(ec.SECP384R1()).public_key(), ed25519.Ed25519PrivateKey.generate().public_key()):
        made = builder()
        made._public_key = key  # noqa: SLF001  # a builder refuses a second key
        refused(signed(made), match="P-256")


def test_another_hash_is_refused() -> None:
    refused(builder().sign(key_of("root"), SHA512()).public_bytes(Encoding.DER), match="SHA-256")


def test_strays_and_empty_paths_are_refused() -> None:
    refused(match="a path is")
    refused(SEAL, SEAL, SEAL, match="a path is")
    refused(SEAL, SEAL, match="CA that may sign")


def test_a_cross_certificate_carries_a_new_roots_seals_and_nothing_more() -> None:
    new_root = make_root(key_of("new root"), name="New root", validity=YEAR)
    cross = make_cross(key_of("root"), ROOT_DER, new_root, validity=YEAR)
    leaf = make_seal(key_of("new root"), new_root, REQUEST, policy=SEAL_POLICY_OID, validity=YEAR)
    assert verified_path([leaf, cross], ROOT, policy=SEAL_POLICY_OID).der == leaf
    refused(leaf, match="another issuer")
    refused(leaf, new_root, match="path length 0")


def test_a_seal_given_before_its_issuer_was_valid_is_refused_and_one_that_has_ended_is_not() -> None:
    early = replace(YEAR, not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=datetime(2021, 1, 1, tzinfo=UTC))
    ended = replace(YEAR, not_after=datetime(2026, 3, 2, tzinfo=UTC))
    refused(make_seal(key_of("root"), ROOT_DER, REQUEST, policy=SEAL_POLICY_OID, validity=early), match="was not valid")
    der = make_seal(key_of("root"), ROOT_DER, REQUEST, policy=SEAL_POLICY_OID, validity=ended)
    assert verified_path([der], ROOT, policy=SEAL_POLICY_OID).der == der


def test_a_twin_of_the_roots_signature_is_another_certificate_with_the_same_key() -> None:
    found = x509.load_der_x509_certificate(SEAL)
    r, s = decode_dss_signature(found.signature)
    signature = b"\x00" + encode_dss_signature(r, CURVE_ORDER - s)
    start = SEAL[4 : SEAL.index(found.signature) - 3]
    inner = start + bytes([3, len(signature)]) + signature
    twin = b"\x30\x82" + len(inner).to_bytes(2, "big") + inner
    one, other = (verified_path([each], ROOT, policy=SEAL_POLICY_OID) for each in (SEAL, twin))
    assert one.digest != other.digest
    assert one.key_digest == other.key_digest


@settings(max_examples=300)
@given(st.integers(0, len(SEAL) - 1), st.integers(1, 255))
def test_a_damaged_certificate_is_refused_with_one_error(place: int, change: int) -> None:
    damaged = bytearray(SEAL)
    damaged[place] ^= change
    refused(bytes(damaged), match="certif|seal|P-256|CA")


@given(st.binary(max_size=300))
def test_bytes_that_are_no_certificate_are_refused_with_one_error(data: bytes) -> None:
    refused(data, match="no certificate")
    with pytest.raises(CertificateError):
        load_root(data)
    with pytest.raises(CertificateError):
        read_request(data)


def test_a_root_is_read_from_pem_and_from_der_and_a_seal_is_none() -> None:
    assert load_root(pem(ROOT_DER)) == load_root(ROOT_DER)
    with pytest.raises(CertificateError, match="CA that may sign"):
        load_root(SEAL)


def test_a_request_says_whose_key_it_is_for() -> None:
    request = read_request(make_request(key_of("school"), organisation="NTRLV-90000000001", name="Skola"))
    assert (request.organisation, request.name) == ("NTRLV-90000000001", "Skola")
    assert request.public_key == REQUEST.public_key


def test_a_certificate_over_its_limit_is_not_parsed() -> None:
    refused(b"\x30" * 20_000, match="16 KiB")


def test_the_root_stands_in_no_path_also_where_it_could_pass_for_a_cross_certificate() -> None:
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
    usage = x509.KeyUsage(**dict.fromkeys((*names.split(), "encipher_only", "decipher_only"), False) | {"key_cert_sign": True})
    made = (
        x509.CertificateBuilder()
        .subject_name(ROOT.certificate.subject)
        .issuer_name(ROOT.certificate.subject)
        .public_key(key_of("root").public_key())
        .serial_number(9)
        .not_valid_before(YEAR.not_before)
        .not_valid_after(YEAR.not_after)
        .add_extension(constraints, critical=True)
        .add_extension(usage, critical=True)
    )
    short = load_root(signed(made))
    assert verified_path([SEAL], short, policy=SEAL_POLICY_OID).organisation == "NTRLV-90000000001"
    with pytest.raises(CertificateError, match="stands in no path"):
        verified_path([SEAL, short.der], short, policy=SEAL_POLICY_OID)


def forged(der: bytes, old: bytes, new: bytes, key: str = "root") -> bytes:
    """Return a certificate that says something which no library would sign: ``new`` of the same length, where ``old`` stood."""
    said = x509.load_der_x509_certificate(der).tbs_certificate_bytes
    assert said.count(old) == 1
    assert len(old) == len(new)
    said = said.replace(old, new)
    signature = b"\x00" + key_of(key).sign(said, ECDSA(SHA256()))
    whole = said + ECDSA_WITH_SHA256 + b"\x03" + bytes([len(signature)]) + signature
    return b"\x30\x82" + len(whole).to_bytes(2, "big") + whole


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize("serial", [b"\x02\x01\x00", b"\x02\x01\xf5"])
def test_a_serial_number_that_the_next_release_of_a_library_will_not_read_is_refused_now(serial: bytes) -> None:
    assert verified_path([forged(SEAL, b"\x02\x01\x0b", b"\x02\x01\x0c")], ROOT, policy=SEAL_POLICY_OID)
    refused(forged(SEAL, b"\x02\x01\x0b", serial), match="positive serial number")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("551d0f", "551d13"),  # an extension twice
        ("2a8648ce3d030107", "2a8648ce3d030108"),  # a curve that is none
        ("2a8648ce3d0201", "2a8648ce3d0209"),  # a key of no known kind
    ],
)
def test_a_root_that_cannot_be_read_is_refused_with_one_error(old: str, new: str) -> None:
    with pytest.raises(CertificateError, match="cannot be read"):
        load_root(forged(ROOT_DER, bytes.fromhex(old), bytes.fromhex(new)))
