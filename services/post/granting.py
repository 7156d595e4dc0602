"""Granting: which keys go to whom, as letters in mailboxes, and which letters are taken in.

Decides by the audience table alone who is entitled. Nobody waits for a grant: what does not open yet is parked, and what
is missing is asked for.
Source: design.md sections 5 and 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from services.post.access import let_in
from services.post.database import Row
from services.post.keys import OwnKey, use_of
from services.post.letterbook import statement_of
from services.post.lost_keys import is_awaited
from services.post.office import Office, is_over
from services.post.outward import pieces, put
from services.post.people import note_case
from services.post.signing import signer_in
from services.wire.channels import ChannelKind, Role, channel_kind, mailbox_of, paired_channel, readers_of, writer_of
from services.wire.contents import EncryptionKeyPublished
from services.wire.entry import Sealed
from services.wire.errors import CertificateError, Evidence, GrantError, RingError, VerificationError
from services.wire.grants import (
    SUITE,
    EncryptionKey,
    GrantedKey,
    GrantHeader,
    KeyUse,
    decode_grant,
    make_grant,
    open_grant,
    prekey_id,
    require_public_key,
)
from services.wire.hashing import Digest, Id
from services.wire.sealing import key_id

__all__ = [
    "Grant",
    "grant_missed",
    "grant_needed",
    "grants_for",
    "note_granted",
    "note_peer",
    "supersede_for_removed",
    "take_grants",
]

_MISSED_AT_ONCE: Final = 500
_TAKEN_AT_ONCE: Final = 100
_AGAIN_AFTER: Final = 1_800_000

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
            for key in _keys_of(office, row, body, keys):
                keys[key.key_id] = key
    letters: dict[str, list[Grant]] = {}
    # Who is entitled follows from channel and use, and a backlog has many keys of few of them.
    entitled: dict[tuple[str, str], list[_Peer]] = {}
    # Once: what was decided of auditors stands in sealed events.
    auditors = let_in(office) if keys else ()
    for key in keys.values():
        kind = (key.channel, key.key_use)
        if kind not in entitled:
            entitled[kind] = _entitled(office, key, auditors)
        for peer in entitled[kind]:
            if not _is_granted(office, key, peer):
                letters.setdefault(peer.participant, []).extend(_letters(office, key, [peer]))
    return letters


def grant_needed(office: Office, participant: str, needed: Iterable[Digest]) -> int:
    """Grant again what somebody says it lacks, and return how many letters went out.

    A reader is given what it is entitled to, if the key is mine; a key's own maker is given back what it lost.
    """
    if office.channel is None or office.signing is None:
        # Who only reads the log, as who makes the cases once more from it, gives nothing.
        return 0
    letters: list[Grant] = []
    auditors = let_in(office)
    # Each once and not too many at a time: whoever asks costs its granter a signature and a sealing a key.
    for identity in list(dict.fromkeys(needed))[:_MISSED_AT_ONCE]:
        key = _held(office, identity)
        if key is None or key.key_use not in (each.value for each in KeyUse):
            continue
        peers = [peer for peer in _entitled(office, key, auditors) if peer.participant == participant]
        if not peers and paired_channel(key.channel) and writer_of(key.channel) == participant:
            peers = _peers(office, [participant])
        letters += _letters(office, key, [peer for peer in peers if not _is_granted_lately(office, key, peer)])
    sent = 0
    for piece in pieces(office, letters):
        if put(office, mailbox_of(participant), [record for _, record in piece]) is not None:
            break
        note_granted(office, participant, piece)
        sent += len(piece)
    return sent


def note_granted(office: Office, participant: str, letters: Sequence[Grant]) -> None:
    """Note which keys somebody was given."""
    with office.database.transaction():
        for (key, prekey), _ in letters:
            office.database.run(
                "INSERT INTO grants VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET granted_at = excluded.granted_at",
                key,
                participant,
                prekey,
                office.clock(),
            )


def grant_missed(office: Office, participant: str) -> int:
    """Grant what went out sealed while nobody knew yet where this reader's letters are sealed to; return how many letters.

    So too what was sealed before an auditor was let in.
    """
    # Of an auditor without the keys of cases: it is given none, and they would fill each look.
    uses = "('FACTS')" if participant in office.trust.of_role(Role.AUDITOR) else "('FACTS', 'CASE')"
    rows = office.database.all(
        f"SELECT key_id FROM keys WHERE made_here = 1 AND wrapped IS NOT NULL AND key_use IN {uses}"  # noqa: S608  # own text
        " AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.key_id = keys.key_id AND g.recipient = ?)"
        " ORDER BY created_at DESC LIMIT ?",
        participant,
        _MISSED_AT_ONCE,
    )
    return grant_needed(office, participant, [row["key_id"] for row in rows])


def note_peer(office: Office, participant: str, content: EncryptionKeyPublished) -> None:
    """Remember to which key letters for a participant are sealed from now on; an unknown suite is not used."""
    if content.suite != SUITE:
        return
    try:
        require_public_key(content.public_key)
    except GrantError as error:
        # Without effect: a key that nothing can be sealed to must not hold what goes out to everybody else.
        office.tell(f"{participant} published an encryption key without effect: {error.message}")
        return
    office.database.run(
        "INSERT INTO peers VALUES (?, ?, ?) ON CONFLICT (participant) DO UPDATE SET suite = excluded.suite,"
        " public_key = excluded.public_key",
        participant,
        content.suite,
        content.public_key,
    )


def supersede_for_removed(office: Office) -> None:
    """Let the facts keys that somebody holds who has left the exchange be the last of their kind: nothing new is for them."""
    for each in office.trust.participants.values():
        if not each.removed:
            continue
        office.ring.supersede_facts_keys(each.id)
        if each.role is Role.AUDITOR:
            _supersede_once(office, each.id)


def _supersede_once(office: Office, auditor: str) -> None:
    # Letters that went out and were not noted: an auditor may have been given keys of any channel.
    with office.database.transaction():
        if office.database.run("INSERT OR IGNORE INTO said VALUES (?, ?)", f"auditor left {auditor}", office.clock()):
            office.ring.supersede_all_facts_keys()


def take_grants(office: Office, records: Iterable[bytes], channels: set[str]) -> list[tuple[bytes, VerificationError]]:
    """Put the keys of genuine letters on the ring, and the channels that got a new one into ``channels``.

    Returns what was wrong with others. Whatever ends it in the middle, the channels of what is committed are there.
    """
    faults: list[tuple[bytes, VerificationError]] = []
    letters = list(records)
    for start in range(0, len(letters), _TAKEN_AT_ONCE):
        opened: set[str] = set()
        keys = office.ring.encryption_keys()
        with office.database.transaction():
            for record in letters[start : start + _TAKEN_AT_ONCE]:
                try:
                    channel, is_new = _take(office, record, keys)
                except VerificationError as error:
                    faults.append((record, type(error)(error.message, replace(error.evidence, raw=record))))
                    continue
                if is_new:
                    opened.add(channel)
        channels |= opened
    return faults


def _take(office: Office, record: bytes, keys: Mapping[Digest, EncryptionKey]) -> tuple[str, bool]:
    grant = decode_grant(record)
    channel, identity = grant.header.channel, grant.header.key_id
    # A mailbox is read again and again: what is held or erased needs no letter, whoever signed this one, long ago or not.
    if office.ring.is_erased(identity):
        return channel, False
    is_held = _held(office, identity) is not None
    # Only the channel's writer makes its keys: a letter under any other certificate could plant a key of a thief. But what
    # I made and lost comes back from whoever holds it: a key of mine by its id can be no other key.
    is_mine = writer_of(channel) == office.participant
    paired = paired_channel(channel)
    standing = office.letterbook.standing(paired if is_mine and paired else channel)
    certificate = standing.place.certificate if standing else None
    if is_held and (certificate is None or certificate.digest != grant.header.certificate or grant.header.prekey not in keys):
        return channel, False
    if certificate is None or certificate.digest != grant.header.certificate:
        current = certificate.digest.hex() if certificate else "a certificate of a channel that is open"
        raise CertificateError(
            "a grant is not signed with the certificate that is current in its channel",
            Evidence(channel=channel, expected=current, found=grant.header.certificate.hex()),
        )
    granted = open_grant(grant, certificate.public_key, recipient=office.participant, keys=keys)
    _require_for_me(office, channel, granted)
    if is_mine and not is_held:
        _require_asked_for(office, channel, granted)
    with office.database.transaction():
        is_new = office.ring.take(channel, granted, made_here=is_mine)
        if is_new:
            # What opens now may name further keys: they are asked for without waiting an hour.
            office.letterbook.note(channel, asked_at=None)
        if is_new and is_mine and is_awaited(office, channel):
            # Own events open again, and only a start takes them back; until it is over nothing is decided.
            office.database.run("INSERT OR IGNORE INTO said VALUES ('starting', ?)", office.clock())
        if is_new and granted.case_id is not None:
            # Whom a case is about could not be noted while its key was away.
            case_id = UUID(bytes=granted.case_id)
            note_case(office, case_id if is_mine else office.domain.case_of(case_id, channel=channel))
        if is_mine:
            # A key of mine that came back may be what an event waits for.
            office.database.run("UPDATE outgoing SET lost = 0 WHERE lost = 1")
        office.database.run("DELETE FROM held WHERE kind = 'key' AND channel = ? AND digest = ?", channel, key_id(granted.key))
    return channel, is_new


def _held(office: Office, identity: Digest) -> OwnKey | None:
    """Return a key of the ring, None also where its row is here and opens under no ring key: a letter may mend that."""
    try:
        return office.ring.get(identity)
    except RingError:
        return None


def _require_for_me(office: Office, channel: str, granted: GrantedKey) -> None:
    """Return if a key is one that I may hold: what an auditor does not hold of what is personal nobody can take from it.

    Raises: GrantError.
    """
    if office.role is Role.AUDITOR and granted.use is not KeyUse.FACTS:
        evidence = Evidence(channel=channel, expected=use_of(KeyUse.FACTS.value, channel, None), found=granted.use.value)
        raise GrantError("an auditor takes in no keys but those of facts", evidence)


def _require_asked_for(office: Office, channel: str, granted: GrantedKey) -> None:
    """Return if I asked for a key of mine, for what it is given back for.

    Otherwise anybody who reads me could put a key of its own under my name, or mine under a use in which nothing opens.
    Raises: GrantError.
    """
    identity = key_id(granted.key)
    query = "SELECT case_id FROM held WHERE kind = 'key' AND channel = ? AND coalesce(event_id, digest) = ?"
    row = office.database.one(query, channel, identity)
    if row is None:
        raise GrantError(
            "a key is given back that nothing of mine was sealed under",
            Evidence(channel=channel, expected="a key that I asked for", found=identity.hex()),
        )
    case_id = bytes.fromhex(row["case_id"]) if row["case_id"] else None
    wanted = (KeyUse.CASE if case_id else KeyUse.FACTS, case_id)
    if (granted.use, granted.case_id) != wanted:
        expected, found = use_of(wanted[0].value, channel, case_id), use_of(granted.use.value, channel, granted.case_id)
        raise GrantError("a key is given back for another use", Evidence(channel=channel, expected=expected, found=found))


def _is_granted_lately(office: Office, key: OwnKey, peer: _Peer) -> bool:
    row = office.database.one(
        "SELECT granted_at FROM grants WHERE key_id = ? AND recipient = ? AND prekey = ?",
        key.key_id,
        peer.participant,
        peer.prekey,
    )
    # Its letter is in the mailbox still; asking more often than that brings nothing.
    return row is not None and not is_over(office.clock(), row["granted_at"], _AGAIN_AFTER)


def _keys_of(office: Office, row: Row, body: Sealed, known: Mapping[Digest, OwnKey]) -> list[OwnKey]:
    found = [known.get(body.facts_key) or office.ring.get(body.facts_key)]
    case_id = office.case_of_event(row["channel"], row["event_id"])
    if case_id is not None and channel_kind(row["channel"]) in _PAIRED:
        found.append(office.ring.case_key(row["channel"], case_id))
    return [key for key in found if key is not None]


def _entitled(office: Office, key: OwnKey, auditors: tuple[str, ...]) -> list[_Peer]:
    """Return who may be given a key of mine and can be written to; ``auditors`` are those who are let in."""
    trust = office.trust
    everybody = tuple(each.id for each in trust.participants.values() if not each.removed)
    if writer_of(key.channel) != office.participant:
        return []
    if key.key_use == KeyUse.CASE.value:
        # What is personal is for the two sides of a pair, and never for an auditor.
        readers = readers_of(key.channel, (), everybody) if channel_kind(key.channel) in _PAIRED else ()
    else:
        readers = readers_of(key.channel, auditors, everybody)
    return _peers(office, readers)


def _peers(office: Office, participants: Iterable[str]) -> list[_Peer]:
    trust = office.trust
    rows = (office.database.one("SELECT * FROM peers WHERE participant = ?", each) for each in participants)
    return [
        _Peer(participant=row["participant"], public_key=row["public_key"], prekey=prekey_id(row["suite"], row["public_key"]))
        for row in rows
        if row is not None and not trust.participants[row["participant"]].removed
    ]


def _is_granted(office: Office, key: OwnKey, peer: _Peer) -> bool:
    row = office.database.one("SELECT 1 FROM grants WHERE key_id = ? AND recipient = ?", key.key_id, peer.participant)
    return row is not None


def _letters(office: Office, key: OwnKey, peers: Iterable[_Peer]) -> list[Grant]:
    """Return the letters that give a key to peers; who cannot be written to is told, and holds nobody else."""
    # With the certificate that is current where its reader looks for it: the channel's own, or my half of the pair.
    mine = key.channel if writer_of(key.channel) == office.participant else paired_channel(key.channel)
    signer = signer_in(office, mine) if mine else None
    letters = []
    for peer in peers:
        if signer is None:
            office.tell(f"no key goes to {peer.participant}: the signing key that is current in {mine} is not here")
            continue
        header = GrantHeader(
            grant_id=Id(office.random(16)),
            channel=key.channel,
            certificate=signer.certificate.digest,
            recipient=peer.participant,
            prekey=peer.prekey,
            key_id=key.key_id,
            issued_at=office.clock(),
        )
        granted = GrantedKey(key=key.key, use=KeyUse(key.key_use), case_id=Id(key.case_id) if key.case_id else None)
        try:
            record = make_grant(signer.key, header, granted, public_key=peer.public_key)
        except GrantError as error:
            office.tell(f"no key goes to {peer.participant}: {error.message}")
            continue
        letters.append(((key.key_id, peer.prekey), record))
    return letters
