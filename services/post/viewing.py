"""Viewing: what people are shown of cases and events; read models and places, never anything personal by itself.

Personal content is opened by ``contents`` alone, for a person who asked for it; nothing here writes to a log.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.post.cases import Missing, Opened, history_of, open_personal
from services.post.drafts import drafts
from services.post.history import Daily, Outlook, Recorded
from services.post.office import Office
from services.post.opening import opener
from services.post.rows import outlook_of
from services.post.store import SealedEvent
from services.wire.channels import writer_of
from services.wire.errors import VerificationError
from services.wire.events import ConfirmationCorrected, ConfirmationGiven
from services.wire.wordings import WORDINGS

__all__ = [
    "CaseLine",
    "Content",
    "DraftTimes",
    "DueLine",
    "EventLine",
    "cases",
    "contents",
    "draft_times",
    "due",
    "events",
    "outlook",
]

_RIGA: Final = ZoneInfo("Europe/Riga")
_LAST_DAY: Final = "9999-12-31"
_UNREADABLE: Final = "cannot be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """A case in the list: number, state and dates; ``overdue`` says that a deadline of it has fired."""

    case: str
    state: str
    variant: str | None
    opened_on: str | None
    due_on: str | None
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLine:
    """What is due in a case: its name, its day, and whether that day is over."""

    due_on: str
    due: str
    case: str
    state: str
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftTimes:
    """A draft in the list: when it was saved and when it will be gone, in Latvian time, and both in milliseconds since 1970."""

    draft: int
    kind: str
    saved: str
    gone: str
    saved_at: int
    gone_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """An event of a case: its day, who wrote it, where it stands (0: not signed yet), what became of it, whether it opens.

    ``sentence`` is the official sentence that an answer gives, None for every other event.
    """

    number: int
    on: str
    event: str
    writer: str
    channel: str
    epoch: int
    sequence: int
    digest: str
    standing: str
    personal: str
    sentence: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What an event of a case says, as plain values: days as YYYY-MM-DD, digests as hexadecimal, codes as their words.

    ``facts`` is None where they cannot be used here; ``personal`` None where nothing is personal about the event, or where
    ``missing`` says why it is not shown; ``entered_by`` is the reference of whoever entered it.
    """

    number: int
    event: str
    facts: dict[str, Any] | None
    personal: dict[str, Any] | None
    entered_by: str | None
    missing: str | None


def cases(
    office: Office, *, limit: int = 100, state: str | None = None, due_by: date | None = None, overdue: bool = False
) -> list[CaseLine]:
    """Return cases: those of one state (with or without what a row says after it, as a code), of a due day, or overdue.

    The newest come first; where a due day is asked for, the soonest.
    """
    columns = "c.*, EXISTS (SELECT 1 FROM deadlines d WHERE d.case_id = c.case_id AND d.fired_at IS NOT NULL) AS overdue"
    wanted = "(? IS NULL OR state = ? OR substr(state, 1, length(?) + 2) = ? || ': ') AND (? = 0 OR overdue)"
    given = (*[state] * 4, int(overdue))
    # Each in the order of an index: it ends after as many rows as it shows.
    if due_by is None:
        query = f"SELECT {columns} FROM cases c WHERE {wanted} ORDER BY case_id DESC LIMIT ?"  # noqa: S608  # own text
        rows = office.database.all(query, *given, limit)
    else:
        query = f"SELECT {columns} FROM cases c WHERE due_on <= ? AND {wanted} ORDER BY due_on, case_id DESC LIMIT ?"  # noqa: S608  # own text
        rows = office.database.all(query, due_by.isoformat(), *given, limit)
    return [
        CaseLine(
            case=str(UUID(row["case_id"])),
            state=row["state"],
            variant=row["variant"],
            opened_on=row["opened_on"],
            due_on=row["due_on"],
            overdue=bool(row["overdue"]),
        )
        for row in rows
    ]


def due(office: Office, *, limit: int = 100, until: date | None = None) -> list[DueLine]:
    """Return what is due in all cases up to a day, if that is given; the soonest first, what has passed before it."""
    rows = office.database.all(
        "SELECT d.*, c.state FROM deadlines d JOIN cases c ON c.case_id = d.case_id WHERE d.due_on <= ?"
        " ORDER BY d.due_on, d.case_id, d.name LIMIT ?",
        until.isoformat() if until else _LAST_DAY,
        limit,
    )
    return [
        DueLine(
            due_on=row["due_on"],
            due=row["name"],
            case=str(UUID(row["case_id"])),
            state=row["state"],
            passed=row["fired_at"] is not None,
        )
        for row in rows
    ]


def outlook(office: Office, case_id: UUID) -> Outlook:
    """Return what is missing in a case and which acts it allows today; it tells nothing that is personal."""
    history, domain = history_of(office, office.store.stream(case_id)), office.domain
    found = outlook_of(office, case_id, history, office.today)
    if not isinstance(domain, Daily):
        return found
    hidden = domain.not_yet(history, office.today, opener(office, case_id))
    return replace(found, allowed=tuple(each for each in found.allowed if each.act not in hidden))


def draft_times(office: Office) -> list[DraftTimes]:
    """Return the drafts, the newest first, with times as people read them."""
    return [
        DraftTimes(
            draft=line.draft,
            kind=line.kind,
            saved=_local(line.saved_at),
            gone=_local(line.gone_at),
            saved_at=line.saved_at,
            gone_at=line.gone_at,
        )
        for line in drafts(office)
    ]


def events(office: Office, case_id: UUID) -> list[EventLine]:
    """Return the events of a case in their order; none where there is no such case."""
    stream = office.store.stream(case_id)
    return [
        _line(office, number, event, recorded)
        for number, (event, recorded) in enumerate(zip(stream.events, history_of(office, stream), strict=True), start=1)
    ]


def contents(office: Office, case_id: UUID) -> list[Content]:
    """Return what the events of a case say, the personal too, as far as it opens here.

    Only for a person who asks for it: MUST NOT be written to a log.
    """
    stream = office.store.stream(case_id)
    found = []
    for number, (event, recorded) in enumerate(zip(stream.events, history_of(office, stream), strict=True), start=1):
        opened = _opened(office, event)
        found.append(
            Content(
                number=number,
                event=event.topic,
                facts=_plain(recorded.facts),
                personal=_plain(opened.content) if isinstance(opened, Opened) else None,
                entered_by=opened.entered_by if isinstance(opened, Opened) else None,
                missing=None if isinstance(opened, Opened) else opened,
            )
        )
    return found


def _local(milliseconds: int) -> str:
    # With the offset: twice a year an hour comes back or is left out.
    return datetime.fromtimestamp(milliseconds / 1000, _RIGA).isoformat(" ", "minutes")


def _line(office: Office, number: int, event: SealedEvent, recorded: Recorded) -> EventLine:
    row = office.database.one(
        "SELECT epoch, sequence, digest FROM entries WHERE channel = ? AND event_id = ? ORDER BY epoch DESC",
        event.channel,
        event.event_id,
    )
    opened = _opened(office, event)
    return EventLine(
        number=number,
        on=recorded.recorded_on.isoformat() if recorded.facts is not None else "",
        event=event.topic,
        writer=writer_of(event.channel),
        channel=event.channel,
        epoch=row["epoch"] if row else 0,
        sequence=row["sequence"] if row else 0,
        digest=row["digest"].hex() if row else "",
        standing=recorded.standing.value,
        personal="can be opened" if isinstance(opened, Opened) else opened,
        sentence=_sentence(recorded),
    )


def _opened(office: Office, event: SealedEvent) -> Opened | str:
    """Return what is personal about an event, or the words for why it is not shown."""
    try:
        opened = open_personal(office, event)
    except VerificationError:
        # Personal parts are opened here first: what a counterpart sealed badly must not hide the rest of the case.
        return _UNREADABLE
    return opened.value if isinstance(opened, Missing) else opened


def _sentence(recorded: Recorded) -> str | None:
    if not isinstance(recorded.facts, ConfirmationGiven | ConfirmationCorrected):
        return None
    answer, number = recorded.facts.answer, recorded.facts.wording
    wording = WORDINGS.get(number)
    # The answer is what the case follows; a sentence that says something else must not be read as the answer.
    if wording is None or wording.answer is not answer:
        return f"{answer.value}, with sentence {number}, which is none for it in this release"
    return wording.text


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value
