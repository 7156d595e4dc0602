"""Refused acts: what people tried in a case and a rule stopped, so that it can be seen later (E07).

They are no events: nothing happened. So they stand in the database alone, and are lost with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from services.wire.errors import ExchangeError, RefusedError

if TYPE_CHECKING:
    from services.post.office import Office

__all__ = ["RefusedAct", "noting", "refused_acts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedAct:
    """An act that was refused: its name, the rule's, the reference of who tried, and when, in milliseconds since 1970."""

    act: str
    rule: str
    entered_by: str | None
    at: int


@contextmanager
def noting(office: Office, case_id: UUID, act: str) -> Iterator[None]:
    """Note it if what is done inside is refused; the refusal goes on to whoever acts.

    Raises: what is raised inside.
    """
    try:
        yield
    except RefusedError as refusal:
        # A clerk is told which rule said no, even where that cannot be written down.
        with suppress(ExchangeError):
            _note(office, case_id, act, type(refusal).__name__.removesuffix("Error"))
        raise


def refused_acts(office: Office, case_id: UUID) -> list[RefusedAct]:
    """Return what was refused in a case, the earliest first."""
    rows = office.database.all("SELECT act, rule, entered_by, at FROM refused_acts WHERE case_id = ? ORDER BY id", case_id.hex)
    return [RefusedAct(**dict(row)) for row in rows]


def _note(office: Office, case_id: UUID, act: str, rule: str) -> None:
    with office.database.transaction():
        # A number that was mistyped is no case, and somebody's guesses must not fill the disk.
        if office.database.one("SELECT 1 FROM cases WHERE case_id = ?", case_id.hex) is not None:
            office.database.run(
                "INSERT INTO refused_acts (case_id, act, rule, entered_by, at) VALUES (?, ?, ?, ?, ?)",
                case_id.hex,
                act,
                rule,
                office.entered_by,
                office.clock(),
            )
