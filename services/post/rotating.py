"""Rotating: a new signing key in every channel of mine, and the end of the old one.

In each channel the old key signs ``CertificateRotated`` and the new one a ``Receipt`` right after it. When the registrar has
revoked the old key and no channel stands at it any more, it is destroyed.
Source: design.md section 6, "Trust".
"""

from __future__ import annotations

from services.post.office import Office
from services.post.signing import is_epoch_ahead, receipt_in, sign_open, signer_at
from services.wire.channels import paired_channel
from services.wire.contents import CertificateRotated

__all__ = ["rotate_once"]


def rotate_once(office: Office) -> int:
    """Bring the newest signer into one channel that still stands at an older one; return how many entries that took."""
    signers = office.signers
    if not signers.older:
        return 0
    for channel in office.own_channels:
        standing = office.letterbook.standing(channel)
        signer = signer_at(office, standing)
        if standing is None or signer is None or signer == signers.newest:
            continue
        if standing.state == "stopped" or is_epoch_ahead(office, channel):
            continue
        with office.database.transaction():
            sign_open(office, channel, CertificateRotated(certificates=signers.newest.path))
            sign_open(office, channel, receipt_in(office, channel, upto=_told(office, channel)))
        return 2
    _destroy_what_was_revoked(office)
    return 0


def _told(office: Office, channel: str) -> int | None:
    paired = paired_channel(channel)
    standing = office.letterbook.standing(paired) if paired else None
    # No more than what was said before: whether the rest is whole is for the usual receipt to say.
    return standing.told_sequence if standing is not None else None


def _destroy_what_was_revoked(office: Office) -> None:
    standings = [office.letterbook.standing(channel) for channel in office.own_channels]
    current = {each.place.certificate.digest for each in standings if each is not None and each.place.certificate is not None}
    revoked = office.trust.revoked
    for signer in office.signers.older:
        if signer.certificate.digest not in current and signer.certificate.key_digest in revoked and office.signing is not None:
            office.signing.destroy(signer.certificate.digest)
