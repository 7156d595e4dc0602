"""Viewing: what people are shown of cases and events; read models and places, never anything personal by itself."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.post.cases import Missing, history_of, open_personal, refresh_row
from services.post.office import Office
from services.post.store import SealedEvent
from services.wire.channels import writer_of

__all__ = ["CaseLine", "EventLine", "cases", "events", "rebuild"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """A case in the list: number, state and dates."""

    case: str
    state: str
    variant: str | None
    opened_on: str | None
    due_on: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """An event of a case: who wrote it, where it stands (0: not signed yet), what became of it, whether it can be opened."""

    number: int
    event: str
    writer: str
    channel: str
    epoch: int
    sequence: int
    digest: str
    standing: str
    personal: str


def cases(office: Office, *, limit: int = 100, state: str | None = None) -> list[CaseLine]:
    """Return the newest cases, of one state if that is given."""
    rows = office.database.all(
        "SELECT * FROM cases WHERE (? IS NULL OR state = ?) ORDER BY case_id DESC LIMIT ?", state, state, limit
    )
    return [
        CaseLine(
            case=str(UUID(row["case_id"])),
            state=row["state"],
            variant=row["variant"],
            opened_on=row["opened_on"],
            due_on=row["due_on"],
        )
        for row in rows
    ]


def events(office: Office, case_id: UUID) -> list[EventLine]:
    """Return the events of a case in their order; none where there is no such case."""
    stream = office.store.stream(case_id)
    return [
        _line(office, number, event, recorded.standing.value)
        for number, (event, recorded) in enumerate(zip(stream.events, history_of(office, stream), strict=True), start=1)
    ]


def rebuild(office: Office) -> tuple[int, list[str]]:
    """Make the list of cases anew from their events; return how many there are, and those whose row was different."""
    before = {str(row["case_id"]): tuple(row) for row in office.database.all("SELECT * FROM cases")}
    with office.database.transaction():
        office.database.run("DELETE FROM cases")
        for identity, row in before.items():
            stream = office.store.stream(UUID(identity))
            refresh_row(office, stream.id, history_of(office, stream), stream.version, row[2])
    after = {str(row["case_id"]): tuple(row) for row in office.database.all("SELECT * FROM cases")}
    return len(before), [str(UUID(identity)) for identity, row in after.items() if before[identity] != row]


def _line(office: Office, number: int, event: SealedEvent, standing: str) -> EventLine:
    row = office.database.one(
        "SELECT epoch, sequence, digest FROM entries WHERE channel = ? AND event_id = ? ORDER BY epoch DESC",
        event.channel,
        event.event_id,
    )
    opened = open_personal(office, event)
    return EventLine(
        number=number,
        event=event.topic,
        writer=writer_of(event.channel),
        channel=event.channel,
        epoch=row["epoch"] if row else 0,
        sequence=row["sequence"] if row else 0,
        digest=row["digest"].hex() if row else "",
        standing=standing,
        personal=opened.value if isinstance(opened, Missing) else "can be opened",
    )
