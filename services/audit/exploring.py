"""Exploring: one case from its beginning to its end, and events by type, school and day.

Filters over the events of a verified log, in their one order. Which case an event belongs to is known where its facts open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import get_args
from uuid import UUID

from services.audit.days import day_in_riga
from services.audit.event import Event
from services.wire.audience import AUDIENCE
from services.wire.channels import TRUST_CHANNEL, Role, school_of
from services.wire.contents import OpenContent
from services.wire.errors import RefusedError
from services.wire.trust import Trust

__all__ = ["EventLine", "Wanted", "line_of", "require_known", "search", "timeline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """An event in a list: the day it was recorded on (signed on, where that is not known), where it stands, what became of it."""

    on: str
    event: str
    channel: str
    epoch: int
    sequence: int
    standing: str
    opening: str
    case: str | None
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events are looked for; None leaves a thing open, days are counted with both ends."""

    type: str | None = None
    school: str | None = None
    since: date | None = None
    until: date | None = None


def require_known(wanted: Wanted, trust: Trust, more_types: Collection[str]) -> None:
    """Return if there can be events of the type and the school that are wanted; ``more_types`` are those of newer releases.

    Raises: RefusedError: of what nobody can have written nothing is found, and that looks as if nothing had happened.
    """
    known = {*AUDIENCE, *(each.__name__ for each in get_args(OpenContent)), *more_types}
    if wanted.type is not None and wanted.type not in known:
        alike = get_close_matches(wanted.type, known, n=3)
        hint = f"perhaps {' or '.join(alike)} is meant" if alike else "they are called as ConfirmationGiven, with no space"
        raise RefusedError(f"There is no such type of event; {hint}.")
    there = trust.participants.get(wanted.school) if wanted.school is not None else None
    if wanted.school is not None and (there is None or there.role is not Role.SCHOOL):
        raise RefusedError("No school of this id is in this log; an id is as school-0099900011.")


def timeline(events: Iterable[Event], case: UUID) -> Iterator[Event]:
    """Yield the events of a case, by either side's number of it, in their one order."""
    numbers = {case}
    for event in events:
        # A school's events come first, and say which number its case has at the commission.
        if event.case_id in numbers and event.common_case is not None:
            numbers.add(event.common_case)
        if not numbers.isdisjoint((event.case_id, event.common_case)):
            yield event


def search(events: Iterable[Event], wanted: Wanted) -> Iterator[Event]:
    """Yield the events that are wanted; a school's are those of its channels, and of its cases in the commission's record."""
    cases: set[UUID] = set()
    for event in events:
        is_schools = event.channel != TRUST_CHANNEL and school_of(event.channel) == wanted.school
        # A case begins in its school's channels, and what led to an event stands before it.
        if is_schools and event.common_case is not None:
            cases.add(event.common_case)
        is_of_school = wanted.school is None or is_schools or event.common_case in cases
        if is_of_school and _is_wanted(event, wanted):
            yield event


def line_of(event: Event) -> EventLine:
    """Return an event as a line of a list."""
    standing = event.standing.value
    return EventLine(
        on=_day(event).isoformat(),
        event=event.type or "(sealed)",
        channel=event.channel,
        epoch=event.epoch,
        sequence=event.sequence,
        standing=standing if event.refused_as is None else f"{standing} ({event.refused_as})",
        opening=event.opening.value,
        case=str(event.common_case) if event.common_case is not None else None,
        digest=event.digest.hex(),
    )


def _is_wanted(event: Event, wanted: Wanted) -> bool:
    day = _day(event)
    is_type = wanted.type is None or event.type == wanted.type
    return is_type and (wanted.since or day) <= day <= (wanted.until or day)


def _day(event: Event) -> date:
    return event.recorded_on or day_in_riga(event.written_at)
