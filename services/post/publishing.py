"""Publishing: what was saved is signed in its order, then sent in that order, exact bytes, until the channel shows it.

Decides places and order; what is said was decided and sealed before. An entry is committed to the letterbook before it is
sent, so a crash at any point leads to the same bytes again.
Source: design.md sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final
from uuid import UUID

from services.post.database import Row
from services.post.granting import grants_for
from services.post.letterbook import Standing
from services.post.office import Office, Signer
from services.post.ring import Head
from services.wire.avro import decode, load_schema
from services.wire.channels import TRUST_CHANNEL, mailbox_of, paired_channel, record_of
from services.wire.contents import ChannelOpened, Held, Receipt, encode_open
from services.wire.entry import (
    Open,
    Sealed,
    Statement,
    VerifiedEntry,
    body_digest,
    encode_statement,
    statement_digest,
    to_be_signed,
)
from services.wire.hashing import Digest, Id, genesis_digest
from services.wire.paths import Place
from services.wire.signing import sign

__all__ = ["receipt_once", "send_once", "sign_once"]

_SIGN_AT_ONCE: Final = 100
_SEND_AT_ONCE: Final = 200
_RECEIPT_AFTER_MILLISECONDS: Final = 1000
_RECEIPT_AFTER_ENTRIES: Final = 500


def sign_once(office: Office) -> int:
    """Sign what waits, in the order in which it was saved, and return how much that was. One transaction."""
    signer = _signer(office)
    with office.database.transaction():
        rows = office.database.all("SELECT * FROM outgoing ORDER BY id LIMIT ?", _SIGN_AT_ONCE)
        for row in rows:
            _sign_row(office, signer, row)
        return len(rows)


def receipt_once(office: Office) -> int:
    """Sign a receipt in each channel whose pair holds news that are unreceipted for a second or 500 entries."""
    rows = office.database.all("SELECT channel FROM channels WHERE news_since IS NOT NULL")
    signed = 0
    for row in rows:
        with office.database.transaction():
            signed += _receipt(office, row["channel"])
    return signed


def send_once(office: Office) -> int:
    """Send what the channels do not show yet, with the grants that it needs first, and return how many entries that was.

    Raises: TransportError if the log does not answer; the same entries are sent again by the next call.
    """
    rows = office.letterbook.unsent(_SEND_AT_ONCE)
    if not rows or office.channel is None:
        return 0
    for recipient, grants in grants_for(office, rows).items():
        office.channel.append(mailbox_of(recipient), [record for _, record in grants])
        with office.database.transaction():
            for (key, prekey), _ in grants:
                office.database.run("INSERT OR IGNORE INTO grants VALUES (?, ?, ?, ?)", key, recipient, prekey, office.clock())
    # Before the batch: whoever restores an older database must not give these places away a second time.
    office.ring_file.save(office.ring.rows(), _heads(office, rows))
    # In the order of signing, so an entry never overtakes one of its case in another channel.
    for channel, run in groupby(rows, key=lambda row: str(row["channel"])):
        batch = list(run)
        office.channel.append(channel, [office.letterbook.record_of(row) for row in batch])
        office.letterbook.note(channel, shown_sequence=batch[-1]["sequence"])
    return len(rows)


def _sign_row(office: Office, signer: Signer, row: Row) -> None:
    channel, case_id = row["channel"], UUID(row["case_id"]) if row["case_id"] else None
    if row["facts"] is None:
        record = decode(load_schema("wire/Open.avsc"), row["body"])
        body: Open | Sealed = Open(type=record["type"], content=record["content"])
    else:
        record = decode(load_schema("wire/Sealed.avsc"), row["body"])
        body = Sealed(facts_key=record["facts_key"], facts=record["facts"], personal=record["personal"])
    _sign(office, signer, channel, row["event_id"], body, row["facts"], case_id)
    office.database.run("DELETE FROM outgoing WHERE id = ?", row["id"])


def _sign(
    office: Office,
    signer: Signer,
    channel: str,
    event_id: Id,
    body: Open | Sealed,
    facts: bytes | None,
    case_id: UUID | None,
) -> Digest:
    standing = office.letterbook.standing(channel)
    if standing is None and not (isinstance(body, Open) and body.type == ChannelOpened.__name__):
        raise RuntimeError(f"{channel} is not opened; its first entry is its opening")
    place = standing.place if standing else Place(epoch=0, sequence=0, digest=genesis_digest(office.root.digest, channel))
    statement = Statement(
        previous=place.digest,
        certificate=signer.certificate.digest,
        channel=channel,
        epoch=place.epoch,
        sequence=place.sequence + 1,
        written_at=max(office.clock(), standing.written_at if standing else 0),
        event_id=event_id,
        body=body,
    )
    data = encode_statement(statement)
    entry = VerifiedEntry(
        digest=statement_digest(data),
        body_digest=body_digest(body),
        statement=statement,
        statement_bytes=data,
        signature=sign(signer.key, to_be_signed(data)),
        facts=facts,
        personal=None,
    )
    office.letterbook.enter(entry, own=True, case_id=case_id)
    certificates = place.certificates or (signer.certificate,)
    after = Place(epoch=place.epoch, sequence=statement.sequence, digest=entry.digest, certificates=certificates)
    office.letterbook.move(channel, after, written_at=statement.written_at)
    return entry.digest


def _receipt(office: Office, paired: str) -> int:
    mine = paired_channel(paired)
    theirs, own = office.letterbook.standing(paired), office.letterbook.standing(mine) if mine else None
    if mine is None or theirs is None or own is None or theirs.news_since is None:
        return 0
    waited = office.clock() - theirs.news_since >= _RECEIPT_AFTER_MILLISECONDS
    upto = _whole_to(office, paired, theirs)
    if upto <= theirs.told_sequence or not (waited or upto - theirs.told_sequence >= _RECEIPT_AFTER_ENTRIES):
        return 0
    lines = [_line(office, paired, upto), _line(office, mine, own.place.sequence)]
    trust = office.letterbook.standing(TRUST_CHANNEL)
    if trust is not None:
        lines.append(_line(office, TRUST_CHANNEL, trust.place.sequence))
    record = office.letterbook.standing(record_of(office.participant))
    receipt = Receipt(held=tuple(lines), record=record.place.digest if record else None)
    _sign(office, _signer(office), mine, Id(office.random(16)), encode_open(receipt), None, None)
    office.letterbook.note(paired, told_sequence=upto, news_since=None if upto == theirs.place.sequence else theirs.news_since)
    return 1


def _whole_to(office: Office, channel: str, standing: Standing) -> int:
    """Return up to where every part that should be here is here: a receipt says no more."""
    rows = office.database.all("SELECT digest FROM held WHERE channel = ? AND kind = 'missing' AND resolved_at IS NULL", channel)
    places = [office.database.one("SELECT sequence FROM entries WHERE digest = ?", row["digest"]) for row in rows]
    return min([standing.place.sequence, *(int(row["sequence"]) - 1 for row in places if row is not None)])


def _line(office: Office, channel: str, sequence: int) -> Held:
    found = office.letterbook.digest_at(channel, sequence)
    if found is None:
        raise RuntimeError(f"{channel} has no entry at {sequence} here")
    return Held(channel=channel, epoch=found[0], sequence=sequence, digest=found[1])


def _heads(office: Office, rows: Sequence[Row]) -> dict[str, Head]:
    heads = dict(office.ring_file.heads)
    for row in rows:
        heads[row["channel"]] = Head(epoch=row["epoch"], sequence=row["sequence"], digest=row["digest"])
    return heads


def _signer(office: Office) -> Signer:
    if office.signer is None:
        raise RuntimeError("only a worker signs")
    return office.signer
