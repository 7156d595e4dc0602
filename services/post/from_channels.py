"""From channels: a participant's cases made once more from nothing but channels and keys, and compared with what it lives by.

The log is the truth: whatever stands in the database stands there too, or was not sent yet. A second database beside it is filled
by the same start that fills an empty one after a loss, and is thrown away; nothing is signed or sent, and nothing that is there
is touched. A worker may go on meanwhile. A channel that is damaged or stands still is named, and holds up the cases that have
something in it, and no others.
Source: design.md sections 3 and 6 ("A start").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.post.damage import Damage, damage_of, heads_of
from services.post.database import Database
from services.post.office import Office
from services.post.worker import Worker
from services.wire.channels import TRUST_CHANNEL, paired_channel

__all__ = ["Comparison", "compare_with_channels"]

_DIGEST_BYTES = 32
# What an epoch undid keeps its place in its case and counts for nothing.
_STREAMS = (
    "SELECT s.originator_id, s.body_digest FROM stored_events s WHERE NOT EXISTS (SELECT 1 FROM held v WHERE v.kind = 'voided'"
    " AND v.resolved_at IS NULL AND v.channel = s.channel AND v.event_id = s.event_id)"
    " ORDER BY s.originator_id, s.originator_version"
)
_UNSENT = (
    "SELECT s.originator_id FROM outgoing o JOIN stored_events s ON s.channel = o.channel AND s.event_id = o.event_id UNION"
    " SELECT s.originator_id FROM channels c JOIN entries e ON e.channel = c.channel AND e.sequence > c.shown_sequence"
    " JOIN stored_events s ON s.channel = e.channel AND s.event_id = e.event_id WHERE e.own = 1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What making all cases from the channels showed; ``cases`` counts those that either side has.

    ``different`` are those that the channels do not give as they are here; ``unsent`` wait for their way into the log, ``behind``
    have gone on in the log meanwhile, ``unread`` have something in one of the ``damaged`` channels: of these three nothing is
    said. All are numbers of cases, as the lists have them.
    """

    cases: int
    different: tuple[str, ...]
    unsent: tuple[str, ...]
    behind: tuple[str, ...]
    unread: tuple[str, ...]
    damaged: tuple[Damage, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    """The bodies of a case in their order, and its rows in the read model.

    What belongs to no case has no order that the channels know: nothing there names the one before it. It is sorted.
    """

    bodies: bytes
    rows: list[tuple[Any, ...]]
    is_ordered: bool = True


def compare_with_channels(here: Office, again: Office) -> Comparison:
    """Fill the empty database of ``again`` from the log, and return how its cases differ from those of ``here``.

    ``again`` is the same participant, with a way to the log that takes nothing (``ReadingOnly``), and gets the keys of ``here``.
    Raises: TransportError if the log does not answer; RingError if the keys of ``here`` do not open.
    """
    _give_keys(here.database, again.database)
    # Before the log is read: what had been sent by then stands there.
    unsent, before, heads = _unsent(here.database), _cases(here), heads_of(here)
    worker = Worker(again)
    worker.start(gives_up=True)
    after, damaged = _cases(again), damage_of(heads, here, again, worker.given_up)
    unread = _touched(here, again, {each.channel for each in damaged})
    found: dict[str, list[str]] = {"different": [], "unsent": [], "behind": [], "unread": []}
    for case_id in sorted(before.keys() | after.keys()):
        verdict = _verdict(before.get(case_id), after.get(case_id), is_sent=case_id not in unsent)
        if verdict is not None:
            found["unread" if verdict == "different" and case_id in unread else verdict].append(case_id)
    ids = {verdict: tuple(str(UUID(case_id)) for case_id in each) for verdict, each in found.items()}
    # What belongs to no case is compared, and is none.
    cases = len((before.keys() | after.keys()) - {here.own_stream.hex})
    return Comparison(cases=cases, **ids, damaged=damaged)


def _verdict(here: _Case | None, again: _Case | None, *, is_sent: bool) -> str | None:
    if here == again:
        return None
    if not is_sent:
        return "unsent"
    if again is not None and (here is None or _goes_on(here, again)):
        return "behind"
    return "different"


def _touched(here: Office, again: Office, damaged: set[str]) -> set[str]:
    """Return the numbers of the cases that have something in a damaged channel, or wait for what may be there."""
    # What answers an event that is missing was refused here too; and without the registrar's word nothing can be read.
    channels = damaged | {paired for each in damaged if (paired := paired_channel(each)) is not None}
    query = "SELECT DISTINCT originator_id FROM stored_events"
    if TRUST_CHANNEL not in damaged:
        query += f" WHERE channel IN ({', '.join('?' * len(channels))})"
    values = () if TRUST_CHANNEL in damaged else tuple(channels)
    return {row[0] for office in (here, again) for row in office.database.all(query, *values)}


def _goes_on(here: _Case, again: _Case) -> bool:
    if not here.is_ordered:
        return len(again.bodies) > len(here.bodies) and set(_digests(here.bodies)) < set(_digests(again.bodies))
    return len(again.bodies) > len(here.bodies) and again.bodies[: len(here.bodies)] == here.bodies


def _digests(bodies: bytes | bytearray) -> list[bytes]:
    return [bytes(bodies[start : start + _DIGEST_BYTES]) for start in range(0, len(bodies), _DIGEST_BYTES)]


def _give_keys(here: Database, again: Database) -> None:
    # From the database, not from the ring file: a key that came with a letter is there before anything is sent.
    generations, keys = here.all("SELECT * FROM ring"), here.all("SELECT * FROM keys")
    with again.transaction():
        for table, rows in (("ring", generations), ("keys", keys)):
            again.run(f"DELETE FROM {table}")  # noqa: S608  # names of ours
            for row in rows:
                again.run(f"INSERT INTO {table} VALUES ({', '.join('?' * len(tuple(row)))})", *row)  # noqa: S608  # names of ours


def _unsent(database: Database) -> set[str]:
    return {str(row[0]) for row in database.all(_UNSENT)}


def _cases(office: Office) -> dict[str, _Case]:
    """Return all cases by their numbers, my own stream for what belongs to no case among them."""
    bodies: dict[str, bytearray] = {}
    rows: dict[str, list[tuple[Any, ...]]] = {}
    # One moment for all of them: a worker may be at work.
    with office.database.transaction():
        for row in office.database.all(_STREAMS):
            bodies.setdefault(row[0], bytearray()).extend(row[1])
        for row in office.database.all("SELECT * FROM cases"):
            rows.setdefault(row["case_id"], []).append(tuple(row))
        # When a term fired is of the database alone; that it fired is an event.
        for row in office.database.all("SELECT case_id, name, due_on FROM deadlines ORDER BY case_id, name"):
            rows.setdefault(row["case_id"], []).append(tuple(row))
        for row in office.database.all("SELECT case_id, code FROM people ORDER BY case_id, code"):
            rows.setdefault(row["case_id"], []).append(tuple(row))
    found = {each: _Case(bytes(bodies.get(each, b"")), rows.get(each, [])) for each in bodies.keys() | rows.keys()}
    own = office.own_stream.hex
    if own in bodies:
        found[own] = _Case(b"".join(sorted(_digests(bodies[own]))), rows.get(own, []), is_ordered=False)
    return found
