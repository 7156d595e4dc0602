"""The person's half of a rotation: asking for the next certificate, and putting it in place; and of a signing key that is lost.

Where the old key is there it hands over to the next one by itself. Where it is lost the registrar does, by an epoch of each
channel, and the new certificate is put in place as the first one was.
"""

from __future__ import annotations

from typing import Final

from services.post.joining import REQUEST
from services.post.office import Office
from services.post.ring import write_durably
from services.post.settings import ParticipantSettings
from services.post.signing_folder import SigningFolder, load_key, make_key, renewed_request
from services.wire.certificates import REGISTRAR_POLICY_OID, SEAL_POLICY_OID, Certificate, read_leaf
from services.wire.channels import REGISTRAR, Role
from services.wire.errors import RefusedError, SettingsError

__all__ = ["install_next", "request_after_loss", "request_next"]

_KEY: Final = "signing.key"
_CERTIFICATE: Final = "certificate.pem"
_LOST_KEY: Final = "signing-lost.key"
_LOST_CERTIFICATE: Final = "certificate-lost.pem"


def request_next(office: Office) -> bytes:
    """Return a request (PKCS#10 in PEM) for the next certificate of this participant.

    Raises: RefusedError if signing keys are kept elsewhere than in files.
    """
    return _folder(office).request()


def install_next(office: Office, pem: bytes) -> Certificate:
    """Put the next certificate in place; the worker sees it by itself.

    Raises: CertificateError, RefusedError as ``SigningFolder.install``.
    """
    policy = REGISTRAR_POLICY_OID if office.role is Role.REGISTRAR else SEAL_POLICY_OID
    return _folder(office).install(pem, office.root, policy=policy)


def request_after_loss(settings: ParticipantSettings) -> bytes:
    """Make another signing key where the one of the certificate is lost, and return the request (PKCS#10 in PEM) for it.

    The old certificate becomes ``certificate-lost.pem``, by which the registrar revokes its key; a key file that holds nothing
    becomes ``signing-lost.key``. Done again, it asks for the same key.
    Raises: RefusedError if the key is there, or is the registrar's; SettingsError if there is no certificate to say whose it is.
    """
    folder = settings.folder
    if settings.participant == REGISTRAR:
        raise RefusedError("A registrar's key that is lost has no successor: bring its copy, or begin with a new root.")
    current, lost, path = (folder / name for name in (_CERTIFICATE, _LOST_CERTIFICATE, _KEY))
    try:
        certificate = read_leaf((current if current.exists() else lost).read_bytes())
    except OSError as error:
        raise SettingsError(f"{_CERTIFICATE} is not in {folder.name}: a backup holds it; bring it first") from error
    key = None
    if path.exists():
        try:
            key = load_key(path)
        except SettingsError:
            path.replace(folder / _LOST_KEY)
    if key is not None and key.public_key().public_numbers() == certificate.public_key.public_numbers():
        raise RefusedError(f"{_KEY} is here and belongs to {_CERTIFICATE}: rotate without --lost.")
    request = renewed_request(certificate, key or make_key(path))
    write_durably(folder / REQUEST, request)
    if current.exists():
        current.replace(lost)
    return request


def _folder(office: Office) -> SigningFolder:
    if not isinstance(office.signing, SigningFolder):
        raise RefusedError("The signing keys of this participant are not kept in files; rotate where they are kept.")
    return office.signing
