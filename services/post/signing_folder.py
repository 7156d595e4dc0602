"""Signing keys in a participant's folder: the newest, and older ones while a rotation runs.

Files: ``signing.key`` and ``certificate.pem`` (the newest), ``signing-old.key`` and ``certificate-old.pem`` (before it),
``signing-next.key`` (made by a request, not certified yet). Keys and certificates are matched by what they hold, not by
their names, so an interruption between two of these files loses nothing. Only the newest pair must be readable.
Source: design.md sections 6 and 9, "Rotation".
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from services.post.office import Signer, Signers
from services.post.ring import write_durably
from services.wire.certificates import SEAL_POLICY_OID, Certificate, Root, parse_leaf, verify_path
from services.wire.errors import CertificateError, RefusedError, SettingsError
from services.wire.hashing import Digest
from services.wire.issuing import make_request

__all__ = ["SigningFolder", "load_key", "make_key", "renewed_request"]

_logger = logging.getLogger(__name__)

_NEWEST: Final = ("signing.key", "certificate.pem")
_OLD: Final = ("signing-old.key", "certificate-old.pem")
_NEXT: Final = "signing-next.key"


@dataclass(slots=True)
class SigningFolder:
    """The ``Signing`` port over files of mode 0600; they are read again when one of them changed."""

    folder: Path
    _seen: tuple[int, ...] = ()
    _signers: Signers | None = field(default=None)

    def __call__(self) -> Signers:
        """Return the signers that stand in the folder now.

        Raises: SettingsError or CertificateError if the newest has no key or no certificate that can be read.
        """
        seen = tuple(_changed_at(self.folder / name) for name in (*_NEWEST, *_OLD))
        if self._signers is None or seen != self._seen:
            self._signers, self._seen = self._read(), seen
        return self._signers

    def destroy(self, certificate: Digest) -> None:
        """Overwrite the key of an older certificate where it lies, and remove both.

        Promises that no file of this folder holds the key, and that on a disk which writes in place its bytes are gone. A
        journal, a snapshot, a backup, or an SSD that writes elsewhere may keep them: for those, encrypt the disk.
        """
        key, path = (self.folder / name for name in _OLD)
        if not path.exists() or parse_leaf(_path(path)[0]).digest != certificate:
            return
        self._finish()
        # The key first: killed in between, what is left is no key, and a certificate without one is nobody's. The other way
        # round a whole key would be left that nothing names, and nothing would ever destroy.
        _destroy(key)
        path.unlink()

    def request(self) -> bytes:
        """Return a certificate request (PKCS#10 in PEM) for the next key, which is made now if there is none of use.

        Raises: RefusedError if the next key is in use, and in its place lies one that stands nowhere else.
        """
        certificate, path = self().newest.certificate, self.folder / _NEXT
        self._finish()
        key = (_loaded(path) if path.exists() else None) or make_key(path)
        if _is_same(key, self().newest.key):
            raise RefusedError(f"{_NEXT} is in use, and {_NEWEST[0]} holds another key: put them where they belong first.")
        return renewed_request(certificate, key)

    def install(self, pem: bytes, root: Root, *, policy: str = SEAL_POLICY_OID) -> Certificate:
        """Put the next certificate in place; the worker rotates to it in each channel.

        Raises: CertificateError if it is none of this exchange's; RefusedError if it is for another key or organisation, or
        the rotation before is not over.
        """
        ders = _ders(pem)
        leaf = verify_path(ders, root, policy=policy)
        now, path = self(), self.folder / _NEXT
        if not path.exists() or load_key(path).public_key().public_numbers() != leaf.public_key.public_numbers():
            raise RefusedError("This certificate is for another key. Give the one that was made for the newest request.")
        if leaf.organisation != now.newest.certificate.organisation:
            raise RefusedError("This certificate is another organisation's.")
        if now.older:
            raise RefusedError("The last rotation is not over: the registrar has not revoked the old key yet.")
        # The old pair first: at no moment is a key that is still current somewhere in no file.
        write_durably(self.folder / _OLD[0], (self.folder / _NEWEST[0]).read_bytes())
        write_durably(self.folder / _OLD[1], (self.folder / _NEWEST[1]).read_bytes())
        write_durably(self.folder / _NEWEST[1], pem)
        self._finish()
        return leaf

    def _finish(self) -> None:
        """Put the next key in its place where its certificate is there already, as an install does that was killed.

        Otherwise the next request would be for a key that is in use, and the key it replaces would never be destroyed.
        """
        next_key, newest = self.folder / _NEXT, self.folder / _NEWEST[0]
        key = _loaded(next_key) if next_key.exists() else None
        if key is None or _signer(self.folder / _NEWEST[1], [key]) is None:
            return
        if not _is_same(replaced_key := load_key(newest), key):
            old = self.folder / _OLD[0]
            kept = _loaded(old) if old.exists() else None
            if kept is None:
                write_durably(old, newest.read_bytes())
            elif not _is_same(kept, replaced_key):
                return  # put there by hand: a key that stands nowhere else is not written over
            # Only renamed over, it would lie on in blocks that no file names.
            with newest.open("r+b") as replaced:
                write_durably(newest, next_key.read_bytes())
                _overwrite(replaced)
        _destroy(next_key)

    def _read(self) -> Signers:
        # The next key before the one it takes the place of: whoever reads during an install meets it in one of the two.
        paths = [path for name in (_NEXT, _OLD[0], _NEWEST[0]) if (path := self.folder / name).exists()]
        keys = [key for path in paths if (key := load_key(path) if path.name == _NEWEST[0] else _loaded(path)) is not None]
        newest = _signer(path, keys) if (path := self.folder / _NEWEST[1]).exists() else None
        if newest is None:
            raise SettingsError(
                "there is no certificate.pem with its signing.key here: this participant cannot sign; bring the copies, or if"
                " the key is lost, begin with rotate --lost"
            )
        older = _signer(path, keys) if (path := self.folder / _OLD[1]).exists() else None
        is_other = older is not None and older.certificate.digest != newest.certificate.digest
        return Signers(newest=newest, older=(older,) if older is not None and is_other else ())


def renewed_request(certificate: Certificate, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a request (PKCS#10 in PEM) for a key in the place of a certificate's: for the same organisation and name."""
    subject = x509.load_der_x509_certificate(certificate.der).subject
    names = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    name = str(names[0].value) if names else certificate.organisation
    return make_request(key, organisation=certificate.organisation, name=name)


def make_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Make a signing key on P-256 in a file of mode 0600."""
    key = ec.generate_private_key(ec.SECP256R1())
    write_durably(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the signing key in a file.

    Raises: SettingsError if there is none, or it is not on P-256.
    """
    try:
        key = load_pem_private_key(_read(path), None)
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{path.name} holds no private key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SettingsError(f"{path.name} holds no key on the curve P-256")
    return key


def _loaded(path: Path) -> ec.EllipticCurvePrivateKey | None:
    """Return the signing key in a file, None if it holds none: told, unless a killed ``_destroy`` left it; that is finished."""
    try:
        return load_key(path)
    except SettingsError as error:
        if any(_read(path)):
            _logger.warning("left aside: %s", error, extra={"event": "left-aside"})
        else:
            # No other file is removed by reading: this one holds zeros, and whoever only looks may be unable to.
            with suppress(OSError):
                path.unlink()
        return None


def _is_same(key: ec.EllipticCurvePrivateKey, other: ec.EllipticCurvePrivateKey) -> bool:
    return key.public_key().public_numbers() == other.public_key().public_numbers()


def _destroy(path: Path) -> None:
    """Overwrite a file where it lies, then remove it: a new file renamed over it would leave its bytes on the disk."""
    if path.exists():
        with path.open("r+b") as file:
            _overwrite(file)
        path.unlink()


def _overwrite(file: BinaryIO) -> None:
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    file.write(bytes(length))
    file.flush()
    os.fsync(file.fileno())


def _signer(path: Path, keys: list[ec.EllipticCurvePrivateKey]) -> Signer | None:
    ders = _path(path)
    leaf = parse_leaf(ders[0])
    for key in keys:
        if key.public_key().public_numbers() == leaf.public_key.public_numbers():
            return Signer(key=key, certificate=leaf, path=ders)
    return None


def _path(path: Path) -> tuple[bytes, ...]:
    return _ders(_read(path))


def _ders(pem: bytes) -> tuple[bytes, ...]:
    try:
        return tuple(each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise CertificateError("this file holds no certificate in PEM") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path.name} cannot be read: {error.strerror}") from error


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
