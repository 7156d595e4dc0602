"""Certificates: which leaf, under the one root of this exchange, may sign here.

Decides about a path and its leaf's profile, at the leaf's ``notBefore``; expiry alarms and never stops. Whose organisation
may write which channel, and which key was revoked, is for ``trust``.
Source: schemas/README.md, "Certificates"; RFC 5280 for the path, design.md section 6 for the profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID, NameOID

from services.wire.errors import CertificateError
from services.wire.hashing import Digest, digest_of

__all__ = [
    "REGISTRAR_POLICY_OID",
    "SEAL_POLICY_OID",
    "Certificate",
    "Root",
    "load_root",
    "parse_leaf",
    "read_leaf",
    "verify_path",
]

SEAL_POLICY_OID: Final = "2.25.210310059382976790741317229060794661868"
REGISTRAR_POLICY_OID: Final = "2.25.2482531799835540265018831985874075012"

Kind = TypeVar("Kind", bound=x509.ExtensionType)

_LIMIT_BYTES: Final = 16 * 1024
_PATH_LIMIT: Final = 2
_KNOWN_EXTENSIONS: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    }
)
_TLS_USES: Final = frozenset({"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A leaf: its bytes, its key, and the one organisation it names. ``key_digest`` is H(SubjectPublicKeyInfo)."""

    der: bytes
    digest: Digest
    public_key: ec.EllipticCurvePublicKey = field(compare=False)
    key_digest: Digest
    organisation: str
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """The one certificate that everybody has from outside; its digest names the exchange."""

    der: bytes
    digest: Digest
    certificate: x509.Certificate


def load_root(data: bytes) -> Root:
    """Return the root certificate in PEM or DER.

    Raises: CertificateError if it is no certificate, or none that can be a root of an exchange.
    """
    try:
        found = x509.load_pem_x509_certificate(data) if data.lstrip().startswith(b"-----BEGIN") else _parsed(data)
        der = found.public_bytes(Encoding.DER)
    except CertificateError:
        raise
    except Exception as error:  # the parsers of certificates raise whatever they like
        raise CertificateError("this file holds no certificate") from error
    root = _parsed(der)
    try:
        _require_ca(root, path_length=None)
        _require_issued(root, by=root)
    except CertificateError:
        raise
    except Exception as error:  # extensions, names and keys are parsed when they are looked at, and raise what they like
        raise CertificateError("a certificate cannot be read") from error
    return Root(der=der, digest=digest_of(der), certificate=root)


def parse_leaf(der: bytes) -> Certificate:
    """Return what a leaf says, without checking who vouches for it.

    Raises: CertificateError if it is no certificate with a P-256 key and one organizationIdentifier.
    """
    return _leaf(_parsed(der), der)


def read_leaf(data: bytes) -> Certificate:
    """Return what the first certificate in a PEM file says; errors as for ``parse_leaf``."""
    try:
        der = x509.load_pem_x509_certificates(data)[0].public_bytes(Encoding.DER)
    except Exception as error:  # the parsers of certificates raise whatever they like
        raise CertificateError("this file holds no certificate in PEM") from error
    return parse_leaf(der)


def verify_path(certificates: Sequence[bytes], root: Root, *, policy: str) -> Certificate:
    """Return the leaf of a path that ends in ``root``, for the use that ``policy`` names.

    ``certificates`` are DER, leaf first, the root left out: the leaf, or the leaf and one cross-certificate.
    Raises: CertificateError, and nothing else, whatever the bytes are.
    """
    # No strays: a path with spare certificates has twins.
    if not 1 <= len(certificates) <= _PATH_LIMIT:
        raise CertificateError("a path is a leaf, or a leaf and one cross-certificate")
    # The root is left out: a path with it and one without would be two openings by one leaf.
    if root.der in certificates[1:]:
        raise CertificateError("the root stands in no path")
    try:
        path = [_parsed(der) for der in certificates]
        leaf = path[0]
        issuers = [*path[1:], root.certificate]
        at = leaf.not_valid_before_utc
        if len(path) == _PATH_LIMIT:
            # The root certifies no other CA than a new root's key, and that one certifies leaves only.
            _require_ca(path[1], path_length=0)
        for subject, issuer in zip(path, issuers, strict=True):
            _require_issued(subject, by=issuer)
            _require_valid(issuer, at)
        _require_seal(leaf, policy)
        return _leaf(leaf, certificates[0])
    except CertificateError:
        raise
    except Exception as error:  # extensions are parsed when they are looked at, and raise what they like
        raise CertificateError("a certificate cannot be read") from error


def _parsed(der: bytes) -> x509.Certificate:
    if len(der) > _LIMIT_BYTES:
        raise CertificateError("a certificate is over its limit of 16 KiB")
    try:
        found = x509.load_der_x509_certificate(der)
        again = found.public_bytes(Encoding.DER)
        # The signature is a whole number of bytes; a bit string that says otherwise is a twin that parsers accept.
        whole = der.endswith(b"\x00" + found.signature) and found.version is x509.Version.v3
        positive = found.serial_number > 0
    except Exception as error:  # ValueError, UnsupportedAlgorithm, InvalidVersion, DuplicateExtension and more
        raise CertificateError("these bytes are no certificate") from error
    # Two encodings of one certificate would be two digests of one thing.
    if again != der or not whole:
        raise CertificateError("a certificate is X.509 version 3 in DER")
    # RFC 5280, section 4.1.2.2. Parsers differ on others, and their next releases will: a channel must not be read in two ways.
    if not positive:
        raise CertificateError("a certificate has a positive serial number")
    return found


def _leaf(leaf: x509.Certificate, der: bytes) -> Certificate:
    try:
        key = leaf.public_key()
        organisations = leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)
        not_after = leaf.not_valid_after_utc
    except Exception as error:  # as above
        raise CertificateError("a certificate cannot be read") from error
    # Two identifiers: whoever reads the first and whoever reads the last would see two organisations.
    if len(organisations) != 1 or not isinstance(organisations[0].value, str):
        raise CertificateError("a seal names exactly one organizationIdentifier")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CertificateError("a seal has a key on the curve P-256")
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Certificate(
        der=der,
        digest=digest_of(der),
        public_key=key,
        key_digest=digest_of(info),
        organisation=organisations[0].value,
        not_after=not_after,
    )


def _require_issued(subject: x509.Certificate, *, by: x509.Certificate) -> None:
    key = by.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(subject.signature_hash_algorithm, SHA256):
        raise CertificateError("certificates are signed with ECDSA and SHA-256")
    if subject.issuer != by.subject:
        raise CertificateError("a certificate names another issuer than stands above it")
    try:
        key.verify(subject.signature, subject.tbs_certificate_bytes, ec.ECDSA(SHA256()))
    except InvalidSignature as error:
        raise CertificateError("a certificate is not signed by the one above it") from error


def _require_valid(issuer: x509.Certificate, at: datetime) -> None:
    # At the leaf's notBefore: what was right when it was issued stays right when the issuer expires.
    if not issuer.not_valid_before_utc <= at <= issuer.not_valid_after_utc:
        raise CertificateError("a certificate was issued when the one above it was not valid")


def _require_ca(found: x509.Certificate, *, path_length: int | None) -> None:
    constraints = _extension(found, x509.BasicConstraints)
    usage = _extension(found, x509.KeyUsage)
    if constraints is None or not constraints.ca or usage is None or not usage.key_cert_sign:
        raise CertificateError("the certificate above a seal is a CA that may sign certificates")
    if path_length is not None and constraints.path_length != path_length:
        raise CertificateError("a cross-certificate has path length 0")
    _require_known(found)


def _require_seal(leaf: x509.Certificate, policy: str) -> None:
    if leaf.not_valid_before_utc > leaf.not_valid_after_utc:
        raise CertificateError("a certificate ends before it begins")
    constraints = _extension(leaf, x509.BasicConstraints)
    # A CA as a leaf: the root itself would be a writer of every organisation.
    if constraints is not None and constraints.ca:
        raise CertificateError("a CA seals nothing")
    usage = _extension(leaf, x509.KeyUsage)
    if usage is None or not usage.content_commitment or usage.key_cert_sign or usage.crl_sign:
        raise CertificateError("a seal has the key usage contentCommitment, and signs no certificates")
    policies = _extension(leaf, x509.CertificatePolicies)
    found = {each.policy_identifier.dotted_string for each in policies} if policies else set()
    # The two uses never meet in one certificate: a seal that could also open registrar.trust could admit itself.
    if found & {SEAL_POLICY_OID, REGISTRAR_POLICY_OID} != {policy}:
        raise CertificateError("a certificate is not issued for this use")
    uses = _extension(leaf, x509.ExtendedKeyUsage)
    # A key that sits in a web server is no seal's key.
    if uses is not None and {each.dotted_string for each in uses} & _TLS_USES:
        raise CertificateError("a certificate for TLS is no seal")
    _require_known(leaf)


def _require_known(found: x509.Certificate) -> None:
    # What is marked critical and not understood may forbid exactly this use (RFC 5280, section 4.2).
    if any(each.critical and each.oid not in _KNOWN_EXTENSIONS for each in found.extensions):
        raise CertificateError("a certificate has a critical extension that is not known here")


def _extension(found: x509.Certificate, kind: type[Kind]) -> Kind | None:
    try:
        return found.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
