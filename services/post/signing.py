"""Signing: a body gets its place in an own channel, its statement and its signature, and is entered; nothing is sent here.

Decides the place (the next one), the time (never before the last) and the signer (whoever's certificate is current there).
Source: design.md sections 3, 4 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.post.letterbook import Standing
from services.post.office import Office, Signer
from services.wire.channels import TRUST_CHANNEL, paired_channel, record_of
from services.wire.contents import CertificateRotated, ChannelOpened, Held, OpenContent, Receipt, encode_open
from services.wire.entry import (
    Open,
    Sealed,
    Statement,
    VerifiedEntry,
    encode_statement,
    statement_digest,
    to_be_signed,
)
from services.wire.hashing import Digest, Id, genesis_digest
from services.wire.paths import Place
from services.wire.signing import sign

__all__ = ["Draft", "is_epoch_ahead", "line_of", "receipt_in", "sign_body", "sign_open", "signer_at", "signer_in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A body that gets its place now.

    ``at`` is the place it follows where that is not the head, ``signer`` who signs where that is not whoever is current
    there, ``after`` who is current from the next entry on where that changes.
    """

    channel: str
    event_id: Id
    body: Open | Sealed
    facts: bytes | None = None
    signer: Signer | None = None
    at: Place | None = None
    after: Signer | None = None


def signer_in(office: Office, channel: str) -> Signer | None:
    """Return who signs the next entry of a channel of mine, None if that key is not here (lost, or never mine)."""
    return signer_at(office, office.letterbook.standing(channel))


def signer_at(office: Office, standing: Standing | None) -> Signer | None:
    """Return who signs the next entry of a channel of mine that stands there, None if that key is not here."""
    current = standing.place.certificate if standing else None
    return office.signers.newest if current is None else office.signers.of(current.digest)


def is_epoch_ahead(office: Office, channel: str) -> bool:
    """Tell whether the registrar has opened an epoch of a channel of mine in which I have not written yet.

    Until I have, its head is overruled already, and so would be whatever is signed behind it.
    """
    epochs = office.trust.epochs.get(channel, ())
    standing = office.letterbook.standing(channel) if epochs else None
    return standing is not None and standing.place.epoch < epochs[-1].epoch


def sign_open(
    office: Office, channel: str, content: OpenContent, *, signer: Signer | None = None, at: Place | None = None
) -> None:
    """Sign and enter an open entry in the open transaction; ``signer`` and ``at`` as in ``Draft``."""
    after = office.signers.newest if isinstance(content, CertificateRotated) else None
    event_id, body = Id(office.random(16)), encode_open(content)
    sign_body(office, Draft(channel=channel, event_id=event_id, body=body, signer=signer, at=at, after=after))


def sign_body(office: Office, draft: Draft) -> None:
    """Sign a body as the next entry of a channel of mine and enter it, in the open transaction.

    Raises: RuntimeError if the channel is not opened, or the key that is current in it is not here: the caller's order.
    """
    channel = draft.channel
    standing = office.letterbook.standing(channel)
    if standing is None and not (isinstance(draft.body, Open) and draft.body.type == ChannelOpened.__name__):
        raise RuntimeError(f"{channel} is not opened; its first entry is its opening")
    place = draft.at or (standing.place if standing else _beginning(office, channel))
    signer = draft.signer or signer_at(office, standing)
    if signer is None:
        raise RuntimeError(f"the key that is current in {channel} is not here")
    statement = Statement(
        previous=place.digest,
        certificate=signer.certificate.digest,
        channel=channel,
        epoch=place.epoch,
        sequence=place.sequence + 1,
        # It never decreases in a channel, whatever this machine's clock does.
        written_at=max(office.clock(), standing.written_at if standing else 0),
        event_id=draft.event_id,
        body=draft.body,
    )
    data = encode_statement(statement)
    entry = VerifiedEntry(
        digest=statement_digest(data),
        statement=statement,
        statement_bytes=data,
        signature=sign(signer.key, to_be_signed(data)),
        facts=draft.facts,
        personal=None,
    )
    office.letterbook.enter(entry, own=True)
    current = (draft.after or signer).certificate
    after = place._replace(
        sequence=statement.sequence,
        digest=entry.digest,
        certificates=(*(each for each in place.certificates if each.digest != current.digest), current),
    )
    office.letterbook.move(channel, after, written_at=statement.written_at)


def receipt_in(office: Office, mine: str, *, upto: int | None = None) -> Receipt:
    """Return a receipt for a channel of mine: what I hold of the paired one (up to ``upto``), of this one, of the registrar's.

    Lines stand in this order, each left out while there is nothing to name; a record and ``registrar.trust`` have no paired
    line and name no record.
    """
    paired = paired_channel(mine)
    lines = []
    if paired is not None and upto:
        lines.append(line_of(office, paired, upto))
    standing = office.letterbook.standing(mine)
    if standing is not None:
        place = standing.place
        lines.append(Held(channel=mine, epoch=place.epoch, sequence=place.sequence, digest=place.digest))
    trust = office.letterbook.standing(TRUST_CHANNEL)
    if trust is not None and mine != TRUST_CHANNEL:
        lines.append(line_of(office, TRUST_CHANNEL, trust.place.sequence))
    record = record_of(office.participant)
    # Who has read that an epoch overrules the head of its record must not name that head any more.
    head = office.letterbook.standing(record) if paired and not is_epoch_ahead(office, record) else None
    return Receipt(held=tuple(lines), record=head.place.digest if head else None)


def line_of(office: Office, channel: str, sequence: int) -> Held:
    """Return what a receipt says of a channel up to a place that I hold."""
    found = office.letterbook.digest_at(channel, sequence)
    if found is None:
        raise RuntimeError(f"{channel} has no entry at {sequence} here")
    return Held(channel=channel, epoch=found[0], sequence=sequence, digest=Digest(found[1]))


def _beginning(office: Office, channel: str) -> Place:
    return Place(epoch=0, sequence=0, digest=genesis_digest(office.root.digest, channel))
