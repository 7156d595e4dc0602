"""Sight: what stands in the log of an exchange, and who opens what of it, by trying every key that each participant holds.

Decides nothing: a part opens with somebody's keys or it does not. For rehearsals and the demonstration, where all
participants are at hand; in life nobody sees this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.channel.port import Channel
from services.post.cases import open_facts
from services.post.office import Office
from services.wire.channels import COMMISSION, Role, channels_of, writer_of
from services.wire.contents import Facts
from services.wire.entry import Sealed, UnverifiedEntry, decode_entry, statement_digest
from services.wire.errors import MalformedError, VerificationError
from services.wire.sealing import Part, open_part

__all__ = ["Sight", "exchange_channels", "sights"]

_READ_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A sealed event where it stands in the log, and who opens its two parts.

    ``event`` and ``case`` (its writer's number of it) are None where nobody opens the facts; ``digest`` is in hexadecimal.
    """

    event: str | None
    case: UUID | None
    writer: str
    channel: str
    epoch: int
    sequence: int
    digest: str
    written_at: int
    facts: tuple[str, ...]
    personal: tuple[str, ...]


def exchange_channels(schools: tuple[str, ...]) -> tuple[str, ...]:
    """Return the channels of an exchange of the commission and ``schools`` that can hold sealed events."""
    theirs = (channel for school in schools for channel in channels_of(school, Role.SCHOOL))
    return (*channels_of(COMMISSION, Role.COMMISSION, schools), *theirs)


def sights(log: Channel, offices: Mapping[str, Office]) -> list[Sight]:
    """Return the sealed events of a log in the order in which they were written."""
    schools = tuple(name for name, office in offices.items() if office.role is Role.SCHOOL)
    found = [
        _sight(entry, body, offices)
        for channel in exchange_channels(schools)
        for entry in _entries(log, channel)
        if isinstance(body := entry.unverified_statement.body, Sealed)
    ]
    return sorted(found, key=lambda each: (each.written_at, each.channel, each.sequence))


def _entries(log: Channel, channel: str) -> Iterator[UnverifiedEntry]:
    position = 0
    while records := log.poll({channel: position}, timeout_seconds=0, limit=_READ_AT_ONCE):
        position = records[-1].position + 1
        for record in records:
            try:
                yield decode_entry(record.value)
            except MalformedError:
                continue  # a stranger's record; verifying names it, here it is no event of anybody


def _sight(entry: UnverifiedEntry, body: Sealed, offices: Mapping[str, Office]) -> Sight:
    opened = {name: facts for name, office in offices.items() if (facts := _facts(entry, body, office)) is not None}
    said = next(iter(opened.values()), None)
    statement = entry.unverified_statement
    return Sight(
        event=said.type if said else None,
        case=UUID(bytes=said.case_id) if said and said.case_id else None,
        writer=writer_of(statement.channel),
        channel=statement.channel,
        epoch=statement.epoch,
        sequence=statement.sequence,
        digest=statement_digest(entry.statement_bytes).hex(),
        written_at=statement.written_at,
        facts=tuple(sorted(opened)),
        personal=tuple(sorted(name for name, facts in opened.items() if _opens_personal(entry, body, facts, offices[name]))),
    )


def _facts(entry: UnverifiedEntry, body: Sealed, office: Office) -> Facts | None:
    if entry.raw_facts is None:
        return None
    try:
        return open_facts(office, entry.channel, entry.unverified_statement.event_id, body.facts_key, entry.raw_facts)
    except VerificationError:
        return None


def _opens_personal(entry: UnverifiedEntry, body: Sealed, facts: Facts, office: Office) -> bool:
    key = office.ring.get(facts.personal_key or body.facts_key)
    if key is None or entry.raw_personal is None:
        return False
    event_id = entry.unverified_statement.event_id
    try:
        open_part(key.key, Part.PERSONAL, entry.raw_personal, channel=entry.channel, event_id=event_id)
    except VerificationError:
        return False
    return True
