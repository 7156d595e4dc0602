"""Epochs, on the writer's side: going on where the registrar says, and saying again what fell away.

The registrar names the last good entry of a channel and the certificate that goes on. Whatever of mine stands after that
entry is off the chain; events among it keep their bodies and ids and wait for a signature again, before anything newer.
Source: design.md section 6.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.post.database import Row
from services.post.letterbook import statement_of
from services.post.lost_keys import give_up
from services.post.office import Office
from services.post.signing import is_epoch_ahead, sign_open
from services.wire.contents import ChannelOpened, EpochOpened
from services.wire.entry import Open, encode_body
from services.wire.hashing import digest_of, genesis_digest
from services.wire.paths import Place

__all__ = ["fall_back", "is_overruled", "is_settled", "open_epoch_once", "queue_undone"]


def open_epoch_once(office: Office) -> int:
    """Go on in one channel whose new epoch is mine to open; return how many entries that took."""
    # With each step of a worker; that the registrar opens an epoch is rare.
    for channel in office.own_channels if office.trust.epochs else ():
        if not is_epoch_ahead(office, channel):
            continue
        epoch = office.trust.epochs[channel][-1]
        signer = office.signers.of(epoch.certificate)
        place = _place_before(office, epoch)
        if signer is None or place is None:
            what = "certificate is not mine" if signer is None else "last good entry is not in this database; run a start"
            office.tell(f"{channel}: epoch {epoch.epoch} is open and its {what}")
            continue
        with office.database.transaction():
            fall_back(office, channel, place)
            opening = ChannelOpened(exchange=office.root.digest, writer=office.participant, certificates=signer.path)
            sign_open(office, channel, opening, signer=signer, at=place)
            office.letterbook.note(channel, state="reading", reason=None, agreed=None)
        return 1
    return 0


def is_overruled(office: Office, channel: str, epoch: int, sequence: int) -> bool:
    """Tell whether the registrar has begun a later epoch before a place: what stood there was true once, and counts no more."""
    return any(each.epoch > epoch and each.after_sequence < sequence for each in office.trust.epochs.get(channel, ()))


def is_settled(office: Office, channel: str, epoch: int, sequence: int) -> bool:
    """Tell whether the registrar has decided about a place of a channel of mine: what is not on the chain there is a rival's.

    Besides what a later epoch overrules that is all up to the entry which it names, if that one is here: then so are those
    before it.
    """
    later = [each for each in office.trust.epochs.get(channel, ()) if each.epoch > epoch]
    return any(each.after_sequence < sequence or office.letterbook.holds(each.after_digest) for each in later)


def fall_back(office: Office, channel: str, place: Place) -> None:
    """Take a channel of mine back to a place in the open transaction; events off the chain wait for a signature again."""
    rows = office.letterbook.fall_back(channel, place.digest)
    office.letterbook.move(channel, place)
    give_up(office, channel, rows)
    _queue_again(office, channel, rows)


def queue_undone(office: Office) -> None:
    """Queue own events of this database that stand on no chain and wait for no signature: a start placed them after the epoch."""
    rows = office.database.all(
        "SELECT e.* FROM held h JOIN entries e ON e.channel = h.channel AND e.digest = h.digest WHERE h.kind = 'off chain'"
        " AND e.own = 1 AND e.facts IS NOT NULL ORDER BY e.id"
    )
    with office.database.transaction():
        for channel in dict.fromkeys(row["channel"] for row in rows):
            waiting = {
                each["event_id"] for each in office.database.all("SELECT event_id FROM outgoing WHERE channel = ?", channel)
            }
            mine = {row["event_id"]: row for row in rows if row["channel"] == channel and row["event_id"] not in waiting}
            _queue_again(office, channel, list(mine.values()))


def _queue_again(office: Office, channel: str, rows: Sequence[Row]) -> None:
    again = []
    for row in rows:
        statement = statement_of(row)
        body = encode_body(statement.body)
        # What opened, rotated or receipted there meant that place; only events are said again.
        if isinstance(statement.body, Open) or office.store.body_of(channel, statement.event_id) != digest_of(body):
            continue
        if not office.letterbook.is_on_chain(channel, statement.event_id):
            case_id = office.case_of_event(channel, statement.event_id)
            case = case_id.hex if case_id else None
            again.append((channel, statement.event_id, case, body, row["facts"], office.clock()))
    for row in office.database.all("SELECT id, event_id FROM outgoing WHERE channel = ?", channel):
        # An older branch that counts again may hold what was to be said anew.
        if office.letterbook.is_on_chain(channel, row["event_id"]):
            office.database.run("DELETE FROM outgoing WHERE id = ?", row["id"])
    first = office.database.one("SELECT min(id) FROM outgoing")
    start = (first[0] if first is not None and first[0] is not None else 1) - len(again)
    for place, values in enumerate(again):
        # Before whatever was saved later: an event's place in its case does not change.
        office.database.run(
            "INSERT OR IGNORE INTO outgoing (id, channel, event_id, case_id, body, facts, saved_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            start + place,
            *values,
        )


def _place_before(office: Office, epoch: EpochOpened) -> Place | None:
    standing = office.letterbook.standing(epoch.channel)
    certificates = standing.place.certificates if standing is not None else ()
    if epoch.after_sequence == 0:
        digest = genesis_digest(office.root.digest, epoch.channel)
        return Place(epoch=epoch.epoch, sequence=0, digest=digest, certificates=certificates)
    row = office.database.one(
        "SELECT 1 FROM entries WHERE channel = ? AND sequence = ? AND digest = ?",
        epoch.channel,
        epoch.after_sequence,
        epoch.after_digest,
    )
    if row is None:
        return None
    return Place(epoch=epoch.epoch, sequence=epoch.after_sequence, digest=epoch.after_digest, certificates=certificates)
