"""Damage: which channels do not give what a database has of them, and what to do about each.

For who makes cases once more from the log: a channel that stands still, contradicts itself or lacks what is held here says
nothing of the cases that have something in it.
Source: docs/operations.md, "Restoring".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from services.post.office import Office
from services.wire.errors import ExchangeError, StoreBehindError
from services.wire.hashing import Digest

__all__ = ["Damage", "damage_of", "heads_of"]

_ADVICE = {
    "forked": "ask its writer and the registrar, who says by an epoch which branch counts",
    "stopped": "ask the registrar, who says by an epoch where it goes on",
    "waiting": "it goes on when its writer has a new key in it, by a rotation or the registrar's epoch",
    "off chain": "look what would be undone, and agree to it",
    "behind": "ask its reader for what is missing (give-back), or the registrar for an epoch",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A channel that is not read to the end of what is held of it; ``what`` is wrong, and ``advice`` what to do."""

    channel: str
    what: str
    advice: str


def heads_of(office: Office) -> dict[str, tuple[int, int, Digest]]:
    """Return epoch, place and digest of the last entry of each channel that the log has shown, as far as is known here."""
    rows = office.database.all("SELECT channel, sequence, shown_sequence FROM channels")
    mine, heads = set(office.own_channels), dict[str, tuple[int, int, Digest]]()
    for row in rows:
        sequence = row["shown_sequence"] if row["channel"] in mine else row["sequence"]
        found = office.letterbook.digest_at(row["channel"], sequence)
        if found is not None:
            heads[row["channel"]] = (found[0], sequence, found[1])
    return heads


def damage_of(
    heads: Mapping[str, tuple[int, int, Digest]], here: Office, again: Office, given_up: Mapping[str, ExchangeError]
) -> tuple[Damage, ...]:
    """Return the channels of which ``again``, filled from the log, has not what ``here`` had with those heads.

    ``given_up`` are own channels that could not be taken back, and why.
    """
    behind = {channel: error for channel, error in given_up.items() if isinstance(error, StoreBehindError)}
    worse = {channel: error for channel, error in given_up.items() if channel not in behind}
    found: dict[str, Damage] = {}
    # What says most of a channel first: one that contradicts itself is short as well.
    for each in (
        *_given_up(worse, "stopped"),
        *_standing_still(again, "", behind),
        *_lacking(heads, again, here),
        *_given_up(behind, "behind"),
        *_standing_still(here, "here ", ()),
        *_without_parts(again, here),
    ):
        found.setdefault(each.channel, each)
    return tuple(found[channel] for channel in sorted(found))


def _given_up(errors: Mapping[str, ExchangeError], state: str) -> Iterator[Damage]:
    for channel, error in errors.items():
        yield Damage(channel=channel, what=str(error), advice=_ADVICE[state])


def _standing_still(office: Office, where: str, without: Collection[str]) -> Iterator[Damage]:
    for row in office.database.all("SELECT channel, sequence, state, reason FROM channels WHERE state <> 'reading'"):
        if row["channel"] in without:
            continue
        why = f" ({row['reason']})" if row["reason"] else ""
        what = f"stands still {where}after {row['sequence']}, {row['state']}{why}"
        yield Damage(channel=row["channel"], what=what, advice=_ADVICE[row["state"]])


def _lacking(heads: Mapping[str, tuple[int, int, Digest]], again: Office, here: Office) -> Iterator[Damage]:
    mine = set(here.own_channels)
    for channel, (epoch, sequence, digest) in heads.items():
        if again.letterbook.holds(digest):
            continue
        place = standing.place if (standing := again.letterbook.standing(channel)) is not None else None
        if place is not None and place.epoch > epoch:
            what, advice = f"was begun anew by the registrar (epoch {place.epoch})", "look again when the worker has read that"
        else:
            first = place.sequence + 1 if place is not None else 1
            what = f"the log does not show {first} to {sequence}, which are held here"
            advice = _again(channel, mine)
        yield Damage(channel=channel, what=what, advice=advice)


def _without_parts(again: Office, here: Office) -> Iterator[Damage]:
    """Give the channels in which the log lacks personal parts that are held here."""
    rows = again.database.all(
        "SELECT channel, sequence, personal FROM entries e WHERE personal IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM parts p WHERE p.digest = e.personal) ORDER BY channel, sequence"
    )
    mine = set(here.own_channels)
    for row in rows:
        if here.letterbook.part(row["personal"]) is not None:
            what = f"the log does not show the personal part of {row['sequence']}, which is held here"
            yield Damage(channel=row["channel"], what=what, advice=_again(row["channel"], mine))


def _again(channel: str, mine: Collection[str]) -> str:
    return "let the worker run, it sends them again" if channel in mine else "send them again with give-back"
