"""Certificates for the way to the brokers: an authority of the cluster, and one certificate a broker and a client.

They are for TLS alone. What is in the channels is signed with seals, which are another matter and issued by the registrar.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Authority"]

_AUTHORITY_DAYS: Final = 3650
_DAYS: Final = 397
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
                _begun(name, name, key, _AUTHORITY_DAYS)
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

    def issue(self, name: str, *, is_broker: bool = False, days: int = _DAYS) -> Path:
        """Return a file with a new key and certificate; ``name`` is who its holder is to the cluster."""
        signing = serialization.load_pem_private_key((self.folder / "ca.key").read_bytes(), password=None)
        issuer = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        if not isinstance(signing, ec.EllipticCurvePrivateKey):
            raise TypeError("the key of a cluster's authority is one of P-256")
        key = ec.generate_private_key(ec.SECP256R1())
        # A broker is a client of the other brokers too.
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if is_broker else [])]
        made = (
            _begun(_name(name), issuer.subject, key, days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        )
        if is_broker:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        path = self.folder / f"{name}.pem"
        _write(path, _pem_of(key) + made.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return path


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
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


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    # PKCS#8 without a password is what a broker reads from a PEM file.
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "wb") as file:
        file.write(content)
    draft.replace(path)
