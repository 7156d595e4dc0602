"""Publishing: what was saved is signed in its order, then sent in that order, exact bytes, until the channel shows it.

Decides what may be signed and sent now; what is said was decided and sealed before. An entry is committed to the letterbook
before it is sent, so a crash at any point leads to the same bytes again.
Source: design.md sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final
from uuid import UUID

from services.post.cases import open_facts
from services.post.database import Row
from services.post.granting import grants_for, note_granted
from services.post.letterbook import Standing
from services.post.office import Office
from services.post.ring import Head
from services.post.signing import Draft, receipt_in, sign_body, sign_open, signer_in
from services.post.store import sealed_body
from services.wire.avro import decode, load_schema
from services.wire.channels import mailbox_of, paired_channel
from services.wire.contents import ChannelOpened
from services.wire.entry import Open, Sealed

__all__ = ["receipt_once", "save_ring", "send_once", "sign_once"]

_SIGN_AT_ONCE: Final = 100
_LOOK_AT_ONCE: Final = 1000
_SEND_AT_ONCE: Final = 200
_RECEIPT_AFTER_MILLISECONDS: Final = 1000
_RECEIPT_AFTER_ENTRIES: Final = 500


def sign_once(office: Office) -> int:
    """Sign what waits and may be signed, in the order in which it was saved, and return how much that was. One transaction."""
    signed, kept_back = 0, set()
    with office.database.transaction():
        for row in office.database.all("SELECT * FROM outgoing ORDER BY id LIMIT ?", _LOOK_AT_ONCE):
            if signed == _SIGN_AT_ONCE:
                break
            # What comes after an event of its case is signed after it, also in another channel.
            if row["case_id"] in kept_back or not _may_sign(office, row):
                kept_back |= {row["case_id"]} - {None}
                continue
            case_id = UUID(row["case_id"]) if row["case_id"] else None
            event_id, facts = row["event_id"], row["facts"]
            sign_body(office, Draft(channel=row["channel"], event_id=event_id, body=_body(row), facts=facts, case_id=case_id))
            office.database.run("DELETE FROM outgoing WHERE id = ?", row["id"])
            signed += 1
    return signed


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
        note_granted(office, recipient, grants)
    # Before the batch: whoever restores an older database must not give these places away a second time.
    save_ring(office, rows)
    # In the order of signing, so an entry never overtakes one of its case in another channel.
    for channel, run in groupby(rows, key=lambda row: str(row["channel"])):
        batch = list(run)
        try:
            office.channel.append(channel, [office.letterbook.record_of(row) for row in batch])
        except Exception:
            # It is unknown what the log took: the channel is read back before anything else is said about it.
            office.letterbook.note(channel, read_at=0)
            raise
        office.letterbook.note(channel, shown_sequence=batch[-1]["sequence"])
    return len(rows)


def save_ring(office: Office, rows: Sequence[Row] = ()) -> None:
    """Write the ring file: all keys, and the heads that sending these rows will make."""
    heads = dict(office.ring_file.heads)
    for row in rows:
        heads[row["channel"]] = Head(epoch=row["epoch"], sequence=row["sequence"], digest=row["digest"])
    office.ring_file.save(office.ring.rows(), heads)


def _may_sign(office: Office, row: Row) -> bool:
    standing = office.letterbook.standing(row["channel"])
    if standing is None:
        return row["facts"] is None and decode(load_schema("wire/Open.avsc"), row["body"])["type"] == ChannelOpened.__name__
    if standing.state == "stopped" or signer_in(office, row["channel"]) is None:
        return False
    return row["facts"] is None or _opens(office, row)


def _opens(office: Office, row: Row) -> bool:
    """Tell whether the keys of a sealed body are on the ring: what its own writer cannot open, nobody ever could."""
    facts = open_facts(office, row["channel"], row["event_id"], sealed_body(row["body"]).facts_key, row["facts"])
    return facts is not None and (facts.personal_key is None or office.ring.get(facts.personal_key) is not None)


def _body(row: Row) -> Open | Sealed:
    if row["facts"] is None:
        record = decode(load_schema("wire/Open.avsc"), row["body"])
        return Open(type=record["type"], content=record["content"])
    return sealed_body(row["body"])


def _receipt(office: Office, paired: str) -> int:
    mine = paired_channel(paired)
    theirs, own = office.letterbook.standing(paired), office.letterbook.standing(mine) if mine else None
    if mine is None or theirs is None or own is None or theirs.news_since is None:
        return 0
    if own.state == "stopped" or signer_in(office, mine) is None:
        return 0
    waited = office.clock() - theirs.news_since >= _RECEIPT_AFTER_MILLISECONDS
    upto = _whole_to(office, paired, theirs)
    if upto <= theirs.told_sequence or not (waited or upto - theirs.told_sequence >= _RECEIPT_AFTER_ENTRIES):
        return 0
    sign_open(office, mine, receipt_in(office, mine, upto=upto))
    office.letterbook.note(paired, told_sequence=upto, news_since=None if upto == theirs.place.sequence else theirs.news_since)
    return 1


def _whole_to(office: Office, channel: str, standing: Standing) -> int:
    """Return up to where every part that should be here is here: a receipt says no more."""
    row = office.database.one(
        "SELECT min(e.sequence) FROM held h JOIN entries e ON e.digest = h.digest AND e.channel = h.channel"
        " WHERE h.channel = ? AND h.kind = 'missing' AND h.resolved_at IS NULL",
        channel,
    )
    missing = row[0] if row is not None else None
    return standing.place.sequence if missing is None else min(standing.place.sequence, missing - 1)
