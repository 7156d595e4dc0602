"""Issuing certificates: a root, seals under it, a cross-certificate for a new root, and requests (PKCS#10).

Pure functions: keys, serial numbers and times are given, and signatures are deterministic, so one input makes one
certificate. Small installations and tests use this; others bring certificates of the same profile from elsewhere.
Source: schemas/README.md, "Certificates".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from services.wire.errors import CertificateError

__all__ = ["Request", "Validity", "make_cross", "make_request", "make_root", "make_seal", "pem", "read_request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """A serial number and the time a certificate is for."""

    serial: int
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks a certificate for; its own signature shows that the key is theirs."""

    public_key: ec.EllipticCurvePublicKey
    organisation: str
    name: str


def make_root(key: ec.EllipticCurvePrivateKey, *, name: str, validity: Validity) -> bytes:
    """Return the DER of a self-signed root."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return _signed(key, _ca(subject, subject, key.public_key(), validity, path_length=1))


def make_cross(key: ec.EllipticCurvePrivateKey, root: bytes, new_root: bytes, *, validity: Validity) -> bytes:
    """Return the DER of the certificate by which an old root vouches for a new one (path length 0)."""
    new, issuer = x509.load_der_x509_certificate(new_root), x509.load_der_x509_certificate(root).subject
    public_key = new.public_key()
    if not isinstance(public_key, ec.EllipticCurvePublicKey):
        raise ValueError("a root has a key on a curve")  # noqa: TRY004  # the value is wrong, not the caller's type
    return _signed(key, _ca(new.subject, issuer, public_key, validity, path_length=0))


def make_seal(key: ec.EllipticCurvePrivateKey, issuer: bytes, request: Request, *, policy: str, validity: Validity) -> bytes:
    """Return the DER of a leaf for ``request``, signed by ``key`` of the certificate ``issuer``."""
    builder = (
        _builder(_subject(request), x509.load_der_x509_certificate(issuer).subject, request.public_key, validity)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(content_commitment=True), critical=True)
        .add_extension(x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(policy), None)]), critical=False)
    )
    return _signed(key, builder)


def make_request(key: ec.EllipticCurvePrivateKey, *, organisation: str, name: str) -> bytes:
    """Return a PKCS#10 request in PEM."""
    request = Request(public_key=key.public_key(), organisation=organisation, name=name)
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(request))
    return builder.sign(key, SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.PEM)


def read_request(data: bytes) -> Request:
    """Return what a PKCS#10 request (PEM) asks for.

    Raises: CertificateError if it is none, is not signed by its own key, or has no P-256 key, organisation or name.
    """
    try:
        found = x509.load_pem_x509_csr(data)
        key, whole = found.public_key(), found.is_signature_valid
        organisations = found.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)
        names = found.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    except Exception as error:  # a hostile request makes the parser raise whatever it likes
        raise CertificateError("this file holds no certificate request (PKCS#10 in PEM)") from error
    # Without this, somebody could have a certificate made for a key that is another's.
    if not whole:
        raise CertificateError("a request is not signed by its own key")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CertificateError("a request is for a key on the curve P-256")
    if len(organisations) != 1 or len(names) != 1:
        raise CertificateError("a request names one organizationIdentifier and one organizationName")
    return Request(public_key=key, organisation=str(organisations[0].value), name=str(names[0].value))


def pem(der: bytes) -> bytes:
    """Return a certificate in PEM."""
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def _subject(request: Request) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, request.name),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, request.organisation),
        ]
    )


def _ca(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, validity: Validity, *, path_length: int
) -> x509.CertificateBuilder:
    return (
        _builder(subject, issuer, public_key, validity)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, validity: Validity
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(validity.serial)
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _signed(key: ec.EllipticCurvePrivateKey, builder: x509.CertificateBuilder) -> bytes:
    return builder.sign(key, SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


def _usage(*, content_commitment: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
