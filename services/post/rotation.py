"""The person's half of a rotation: asking for the next certificate, and putting it in place."""

from __future__ import annotations

from services.post.office import Office
from services.post.signing_folder import SigningFolder
from services.wire.certificates import REGISTRAR_POLICY_OID, SEAL_POLICY_OID, Certificate
from services.wire.channels import Role
from services.wire.errors import RefusedError

__all__ = ["install_next", "request_next"]


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


def _folder(office: Office) -> SigningFolder:
    if not isinstance(office.signing, SigningFolder):
        raise RefusedError("The signing keys of this participant are not kept in files; rotate where they are kept.")
    return office.signing
