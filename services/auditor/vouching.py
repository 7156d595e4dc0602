"""Vouching: once a day the auditor signs what it has read, as one root over all channels, into its own record.

It vouches for what its post has taken by the reading rule, channel by channel, and entered in its letterbook. Its own record is
left out, for its own signatures vouch for that; so is a channel of which something that was taken is taken no more, till somebody
agrees.
Source: schemas/README.md, "Checkpoints"; docs/adr/0033-what-a-checkpoint-commits-to.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from services.audit.heads import ChannelHead, checkpoint_of, ordered, read_head
from services.audit.tree import Frontier, leaf_hash
from services.post.database import Row
from services.post.letterbook import ON_CHAIN
from services.post.office import Office
from services.post.saving import queue_open
from services.wire import avro
from services.wire.channels import record_of
from services.wire.hashing import DIGEST_BYTES, Digest

__all__ = ["checkpoint_once", "digests_of", "heads_in"]

_MADE: Final = "checkpoint made"
_SCHEMA: Final = avro.Schema(
    {
        "type": "record",
        "name": "Kept",
        "fields": [
            {
                "name": "heads",
                "type": {
                    "type": "array",
                    "items": {
                        "type": "record",
                        "name": "ChannelHead",
                        "fields": [
                            {"name": "channel", "type": "string"},
                            {"name": "epoch", "type": "int"},
                            {"name": "size", "type": "long"},
                            {"name": "root", "type": {"type": "fixed", "name": "Digest", "size": DIGEST_BYTES}},
                        ],
                    },
                },
            }
        ],
    },
    is_own=True,
)


def checkpoint_once(office: Office) -> int:
    """Queue the checkpoint of this day, by Riga's calendar, if it is not made yet; return 1 if it was.

    A day on which nobody worked here has none: the next one vouches for all that came meanwhile.
    """
    record, today = record_of(office.participant), office.today.toordinal()
    row = office.database.one("SELECT at FROM said WHERE name = ?", _MADE)
    # A day that has not come yet was one of a clock that went wrong.
    if (row is not None and row["at"] == today) or office.letterbook.standing(record) is None:
        return 0
    with office.database.transaction():
        heads = ordered(_heads(office, record))
        if not heads:
            return 0
        event_id = queue_open(office, record, checkpoint_of(heads))
        kept = avro.encode(_SCHEMA, {"heads": [asdict(each) for each in heads]})
        office.database.run("INSERT INTO checkpoints VALUES (?, ?, ?)", event_id, office.clock(), kept)
        query = "INSERT INTO said VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at"
        office.database.run(query, _MADE, today)
    return 1


def heads_in(row: Row) -> list[ChannelHead]:
    """Return the heads that a row of ``checkpoints`` keeps, in the order of the checkpoint's leaves."""
    return [read_head(each) for each in avro.decode_own(_SCHEMA, row["heads"])["heads"]]


def digests_of(office: Office, channel: str, *, after: int = 0, upto: int) -> list[Digest]:
    """Return the digests of the entries of a channel that are taken, in their order, after a place up to another one."""
    rows = office.database.all(
        f"SELECT e.digest FROM entries e WHERE e.channel = ? AND e.sequence > ? AND e.sequence <= ? AND {ON_CHAIN}"  # noqa: S608  # own text
        " ORDER BY e.sequence",
        channel,
        after,
        upto,
    )
    return [row["digest"] for row in rows]


def _heads(office: Office, record: str) -> Iterator[ChannelHead]:
    rows = office.database.all(
        "SELECT channel, epoch, sequence, digest FROM channels WHERE state IN ('reading', 'waiting', 'forked') AND channel <> ?",
        record,
    )
    for row in rows:
        tree = _grown(office, row)
        if tree is not None:
            yield ChannelHead(channel=row["channel"], epoch=row["epoch"], size=tree.size, root=tree.root)


def _grown(office: Office, row: Row) -> Frontier | None:
    """Return the tree of a channel up to where it stands, and keep it; None if nothing of it is here, or not all."""
    channel, tree = row["channel"], _kept(office, row)
    for digest in digests_of(office, channel, after=tree.size, upto=row["sequence"]):
        tree.append(leaf_hash(digest))
    if not tree.size:
        return None
    if tree.size != row["sequence"]:
        # What is not whole here is not vouched for; the rest is.
        office.tell(f"{channel} has {tree.size} entries in the letterbook and stands at {row['sequence']}: no checkpoint has it")
        return None
    office.database.run("DELETE FROM trees WHERE channel = ?", channel)
    place = (channel, row["epoch"], tree.size, row["digest"])
    office.database.run("INSERT INTO trees VALUES (?, ?, ?, ?, ?)", *place, b"".join(tree.roots))
    return tree


def _kept(office: Office, row: Row) -> Frontier:
    """Return the tree of a channel as it was kept; an empty one where an epoch has overruled something that is in it."""
    kept = office.database.one("SELECT * FROM trees WHERE channel = ?", row["channel"])
    if kept is None or kept["epoch"] != row["epoch"] or kept["size"] > row["sequence"]:
        return Frontier()
    if digests_of(office, row["channel"], after=kept["size"] - 1, upto=kept["size"]) != [kept["digest"]]:
        return Frontier()
    roots = kept["roots"]
    return Frontier(kept["size"], [Digest(roots[at : at + DIGEST_BYTES]) for at in range(0, len(roots), DIGEST_BYTES)])
