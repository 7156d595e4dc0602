"""The history of one case, as the domains see it: facts in order, and what became of each.

Pure values: no key, no database. ``post`` makes them from stored events, the domains fold and judge them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

from services.wire.hashing import Digest

__all__ = ["CaseRow", "Deadline", "Domain", "New", "Recorded", "RejectionCode", "Standing"]


class Standing(Enum):
    """What became of an event in its case; only ``ACCEPTED`` ones are folded."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    PARKED = "parked"
    VOIDED = "voided"


class RejectionCode(Enum):
    """Why a received event was refused; the closed list of ``Rejected.code``."""

    UNKNOWN_CASE = "UnknownCase"
    WRONG_STATE = "WrongState"
    NOT_YOURS = "NotYours"
    WRONG_REPLY = "WrongReply"
    UNREADABLE = "Unreadable"
    DOCUMENT_INCOMPLETE = "DocumentIncomplete"
    TOO_MANY = "TooMany"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One event of a case: its facts (an event dataclass of ``services.wire.events``), its links, its standing.

    ``body`` is the body digest, ``writer`` the participant that wrote it, ``own`` whether that is the reader itself.
    """

    facts: Any
    type: str
    body: Digest
    channel: str
    writer: str
    own: bool
    after: Digest | None
    in_reply_to: Digest | None
    recorded_on: date
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """An event that a decision makes: facts and personal part (None: nothing personal), not sealed yet.

    The channel follows from the type by ``services.wire.audience``; ``in_reply_to`` is the body digest of the event answered.
    """

    facts: Any
    personal: Any = None
    in_reply_to: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A named day by which something is due in a case; fired once, when ``due_on`` is over in Europe/Riga."""

    name: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """The read model of one case for people: facts in clear only, never a name."""

    state: str
    variant: str | None = None
    opened_on: date | None = None
    due_on: date | None = None
    deadlines: tuple[Deadline, ...] = ()


class Domain(Protocol):
    """What ``post`` asks a participant's domain; pure functions of the history."""

    def case_of(self, case_id: UUID, *, channel: str) -> UUID:
        """Return the case of mine that a counterpart's ``case_id``, read in ``channel``, belongs to."""
        ...

    def must_park(self, facts: object) -> bool:
        """Tell whether a decision on ``facts`` would meet a symbol of a newer release."""
        ...

    def judge(self, history: Sequence[Recorded], incoming: Recorded) -> RejectionCode | None:
        """Return why a received event is refused, or None to accept it. ``history`` is empty for an unknown case."""
        ...

    def codes_of(self, personal: object) -> tuple[str, ...]:
        """Return the personal codes of the pupils that a personal part is about; they are looked up, never shown."""
        ...

    def fire(self, history: Sequence[Recorded], deadline: str) -> Sequence[New]:
        """Return the events that a deadline makes when its day is over; none where people are only to be told."""
        ...

    def row(self, history: Sequence[Recorded]) -> CaseRow:
        """Return the read model after folding ``history``; total: never refuses."""
        ...
