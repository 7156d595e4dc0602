"""Granting: which keys go to whom, as letters in mailboxes, and which letters are taken in.

Decides by the audience table alone who is entitled. Nobody waits for a grant: what does not open yet is parked, and what
is missing is asked for.
Source: design.md sections 5 and 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.post.database import Row
from services.post.keys import OwnKey
from services.post.letterbook import statement_of
from services.post.office import Office
from services.wire.channels import ChannelKind, channel_kind, readers_of, writer_of
from services.wire.contents import EncryptionKeyPublished
from services.wire.entry import Sealed
from services.wire.errors import VerificationError
from services.wire.grants import SUITE, GrantedKey, GrantHeader, KeyUse, decode_grant, make_grant, open_grant, prekey_id
from services.wire.hashing import Digest, Id

__all__ = ["grant_needed", "grants_for", "note_peer", "take_grants"]

_PAIRED: Final = (ChannelKind.TO_COMMISSION, ChannelKind.FROM_COMMISSION)

Grant = tuple[tuple[Digest, Digest], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Peer:
    participant: str
    public_key: bytes
    prekey: Digest


def grants_for(office: Office, rows: Sequence[Row]) -> dict[str, list[Grant]]:
    """Return the letters that have to go out before these entries, by recipient: key and prekey, and the record."""
    keys: dict[Digest, OwnKey] = {}
    for row in rows:
        body = statement_of(row).body
        if isinstance(body, Sealed):
            for key in _keys_of(office, row, body):
                keys[key.key_id] = key
    letters: dict[str, list[Grant]] = {}
    for key in keys.values():
        for peer in _entitled(office, key):
            if not _is_granted(office, key, peer):
                letters.setdefault(peer.participant, []).append(_letter(office, key, peer))
    return letters


def grant_needed(office: Office, participant: str, needed: Iterable[Digest]) -> int:
    """Grant again what a reader says it lacks, if it is entitled and the key is mine; return how many went out."""
    sent = 0
    for identity in needed:
        key = office.ring.get(identity)
        peers = [peer for peer in _entitled(office, key) if peer.participant == participant] if key else []
        if key is None or not peers or office.channel is None or not office.ring.is_mine(identity):
            continue
        office.channel.append(f"{participant}.mailbox", [_letter(office, key, peers[0])[1]])
        sent += 1
    return sent


def note_peer(office: Office, participant: str, content: EncryptionKeyPublished) -> None:
    """Remember to which key letters for a participant are sealed from now on; an unknown suite is not used."""
    if content.suite == SUITE:
        office.database.run(
            "INSERT INTO peers VALUES (?, ?, ?) ON CONFLICT (participant) DO UPDATE SET suite = excluded.suite,"
            " public_key = excluded.public_key",
            participant,
            content.suite,
            content.public_key,
        )


def take_grants(office: Office, records: Iterable[bytes]) -> tuple[set[str], list[str]]:
    """Put the keys of genuine letters on the ring; return the channels that got a new key, and what was wrong with others."""
    channels: set[str] = set()
    faults: list[str] = []
    for record in records:
        try:
            channel, is_new = _take(office, record)
        except VerificationError as error:
            faults.append(error.message)
            continue
        if is_new:
            channels.add(channel)
    return channels, faults


def _take(office: Office, record: bytes) -> tuple[str, bool]:
    grant = decode_grant(record)
    channel = grant.header.channel
    standing = office.letterbook.standing(channel)
    certificate = standing.place.certificate if standing else None
    # Only the channel's writer makes its keys: a letter under any other certificate could plant a key of a thief.
    if certificate is None or certificate.digest != grant.header.certificate:
        raise VerificationError("a grant is not signed with the certificate that is current in its channel")
    keys = office.ring.encryption_keys()
    granted = open_grant(grant, certificate.public_key, recipient=office.participant, keys=keys)
    with office.database.transaction():
        return channel, office.ring.take(channel, granted)


def _keys_of(office: Office, row: Row, body: Sealed) -> list[OwnKey]:
    found = [office.ring.get(body.facts_key)]
    if row["case_id"] and channel_kind(row["channel"]) in _PAIRED:
        found.append(office.ring.case_key(row["channel"], UUID(row["case_id"])))
    return [key for key in found if key is not None]


def _entitled(office: Office, key: OwnKey) -> list[_Peer]:
    trust = office.trust
    everybody = tuple(each.id for each in trust.participants.values() if not each.removed)
    # Auditors are given keys after a local approval, which is a step to come; until then nobody grants them any.
    readers = readers_of(key.channel, (), everybody)
    if key.key_use == KeyUse.CASE.value and channel_kind(key.channel) not in _PAIRED:
        return []
    if writer_of(key.channel) != office.participant:
        return []
    rows = (office.database.one("SELECT * FROM peers WHERE participant = ?", reader) for reader in readers)
    return [
        _Peer(participant=row["participant"], public_key=row["public_key"], prekey=prekey_id(row["suite"], row["public_key"]))
        for row in rows
        if row is not None and not trust.participants[row["participant"]].removed
    ]


def _is_granted(office: Office, key: OwnKey, peer: _Peer) -> bool:
    row = office.database.one("SELECT 1 FROM grants WHERE key_id = ? AND recipient = ?", key.key_id, peer.participant)
    return row is not None


def _letter(office: Office, key: OwnKey, peer: _Peer) -> Grant:
    if office.signer is None:
        raise RuntimeError("only a worker signs")
    header = GrantHeader(
        grant_id=Id(office.random(16)),
        channel=key.channel,
        certificate=office.signer.certificate.digest,
        recipient=peer.participant,
        prekey=peer.prekey,
        key_id=key.key_id,
        issued_at=office.clock(),
    )
    granted = GrantedKey(key=key.key, use=KeyUse(key.key_use), case_id=Id(key.case_id) if key.case_id else None)
    return (key.key_id, peer.prekey), make_grant(office.signer.key, header, granted, public_key=peer.public_key)
