"""Certificates for the way to the brokers: an authority of the cluster, and one certificate a broker and a client.

They are for TLS alone: its name is who a client is to the cluster, and rights go by it. What is in the channels is signed with
seals, which are another matter.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.wire.errors import CertificateError, SettingsError

__all__ = ["Authority", "Issued", "issue_clients"]

_AUTHORITY_DAYS: Final = 3650
_DAYS: Final = 397
_RENEWED: Final = timedelta(days=60)
_SLACK: Final = timedelta(hours=1)
_OWNER_ONLY: Final = 0o600


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority in a folder: ``ca.pem`` to trust, ``ca.key`` to issue with."""

    folder: Path

    @classmethod
    def of(cls, folder: Path) -> Authority:
        """Return the authority of a folder, made now if there is none."""
        found = cls(folder)
        if not found.certificate.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = ec.generate_private_key(ec.SECP256R1())
            name = _name("cluster authority")
            usage = _usage(key_cert_sign=True, crl_sign=True)
            made = (
                _begun(name, name, key.public_key(), _AUTHORITY_DAYS)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(usage, critical=True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                .sign(key, hashes.SHA256())
            )
            _write(folder / "ca.key", _pem_of(key))
            _write(found.certificate, made.public_bytes(serialization.Encoding.PEM))
        return found

    @property
    def certificate(self) -> Path:
        """The certificate that brokers and clients trust each other by."""
        return self.folder / "ca.pem"

    def issue(self, name: str, *, hosts: Sequence[str] = (), days: int = _DAYS) -> Path:
        """Return a file with a new key and certificate; ``name`` is who its holder is to the cluster.

        ``hosts`` are names and addresses at which clients find it, if it is a broker.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        path = self.folder / f"{name}.pem"
        _write(path, _pem_of(key) + self.sign(name, key.public_key(), hosts=hosts, days=days))
        return path

    def sign(self, name: str, key: ec.EllipticCurvePublicKey, *, hosts: Sequence[str] = (), days: int = _DAYS) -> bytes:
        """Return the certificate (PEM) of a key. Raises: SettingsError if the authority's key is not here."""
        try:
            signing = serialization.load_pem_private_key((self.folder / "ca.key").read_bytes(), password=None)
            issuer = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        except (OSError, ValueError) as error:
            raise SettingsError(f"{self.folder.name} holds no authority of a cluster: ca.pem and ca.key") from error
        if not isinstance(signing, ec.EllipticCurvePrivateKey):
            raise SettingsError("the key of a cluster's authority is one of P-256")
        # A broker is a client of the other brokers too.
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if hosts else [])]
        made = (
            _begun(_name(name), issuer.subject, key, days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        )
        if hosts:
            made = made.add_extension(x509.SubjectAlternativeName([_host(each) for each in hosts]), critical=False)
        return made.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What became of one client's certificate: the file (None: there is no request), and whether it was made now."""

    name: str
    file: str | None
    is_new: bool


def issue_clients(authority: Authority, names: Iterable[str], *, make_keys: bool = False, plan: bool = False) -> list[Issued]:
    """Issue what clients lack: for NAME.request.pem in the authority's folder NAME.certificate.pem, anew when it runs out.

    ``make_keys`` makes a key too where there is no request: NAME.pem. Whoever makes a key can speak for its owner: for tests,
    and for who runs everything alone. ``plan`` writes nothing.
    Raises: CertificateError for a request that is not what it should be; SettingsError if the authority is not there.
    """
    if not (authority.folder / "ca.key").exists():
        raise SettingsError(f"{authority.folder.name} holds no authority of a cluster: ca.pem and ca.key")
    return [_issue(authority, name, make_keys=make_keys, plan=plan) for name in names]


def _issue(authority: Authority, name: str, *, make_keys: bool, plan: bool) -> Issued:
    request = authority.folder / f"{name}.request.pem"
    if request.exists():
        file, key = authority.folder / f"{name}.certificate.pem", _requested(request.read_bytes(), name)
        is_new = not _lasts(file, key)
        if is_new and not plan:
            _write(file, authority.sign(name, key))
    elif make_keys:
        file = authority.folder / f"{name}.pem"
        is_new = not _lasts(file, None)
        if is_new and not plan:
            authority.issue(name)
    else:
        return Issued(name=name, file=None, is_new=False)
    return Issued(name=name, file=file.name, is_new=is_new)


def _requested(data: bytes, name: str) -> ec.EllipticCurvePublicKey:
    """Return the key that a request (PKCS#10 in PEM) is for. Raises: CertificateError."""
    try:
        found = x509.load_pem_x509_csr(data)
        key, whole, subject = found.public_key(), found.is_signature_valid, found.subject.rfc4514_string()
    except Exception as error:  # a hostile request makes the parser raise whatever it likes
        raise CertificateError(f"{name}.request.pem holds no certificate request (PKCS#10 in PEM)") from error
    # Without this, somebody could have a certificate made for a key that is another's.
    if not whole:
        raise CertificateError(f"{name}.request.pem is not signed by its own key")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CertificateError(f"{name}.request.pem is not for a key on the curve P-256")
    if subject != f"CN={name}":
        raise CertificateError(f"{name}.request.pem asks for another name: its subject has to be CN={name} alone")
    return key


def _lasts(file: Path, key: ec.EllipticCurvePublicKey | None) -> bool:
    """Tell whether a file holds a certificate, of this key if one is given, that does not run out soon."""
    try:
        found = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return False
    return (key is None or found.public_key() == key) and found.not_valid_after_utc - datetime.now(UTC) > _RENEWED


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    # PKCS#8 without a password is what a broker reads from a PEM file.
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "wb") as file:
        file.write(content)
    draft.replace(path)
