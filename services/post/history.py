"""The history of one case, as the domains see it: facts in order, and what became of each.

Pure values: no key, no database. ``post`` makes them from stored events, the domains fold and judge them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, Final, Protocol, runtime_checkable
from uuid import UUID

from services.wire.hashing import Digest, digest_of

__all__ = [
    "BEFORE",
    "CaseRow",
    "Daily",
    "Deadline",
    "Domain",
    "New",
    "Next",
    "Outlook",
    "Recorded",
    "RejectionCode",
    "Resting",
    "Sharing",
    "Standing",
]

BEFORE: Final = digest_of(b"the newest event of the record before this one")
"""As a ``basis``: the body of the newest event of the record before it in the same decision; it has none until it is sealed."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """An act that a case allows now: the name of its command, and who does it in the words of the house."""

    act: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What people have to know to go on with a case: what is missing, in words, and which acts it allows."""

    missing: tuple[str, ...] = ()
    allowed: tuple[Next, ...] = ()


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

    @property
    def naming(self) -> frozenset[str]:
        """The types of events in whose personal parts ``codes_of`` may find words; no other is opened for them."""
        ...

    def codes_of(self, personal: object) -> tuple[str, ...]:
        """Return the words by which a case with this personal part is found, as personal codes; looked up, never shown."""
        ...

    def fire(self, history: Sequence[Recorded], deadline: str) -> Sequence[New]:
        """Return the events that a deadline makes when its day is over; none where people are only to be told."""
        ...

    def row(self, history: Sequence[Recorded]) -> CaseRow:
        """Return the read model after folding ``history``; total: never refuses."""
        ...

    def outlook(self, history: Sequence[Recorded], today: date) -> Outlook:
        """Return what is missing in a case and which acts it allows on a day; total: never refuses."""
        ...


@runtime_checkable
class Daily(Protocol):
    """What ``post`` asks besides of a domain in whose cases something happens on a day that only what is personal tells."""

    def words_of(self, day: date) -> tuple[str, ...]:
        """Return the words, among those of ``codes_of``, under which cases stand in which something happens on ``day``."""
        ...

    def on_day(self, history: Sequence[Recorded], day: date, opened: Callable[[Digest], Any]) -> Sequence[New]:
        """Return the events that a day makes in a case found by ``words_of``; none where it was in vain.

        ``opened`` gives what is personal about an event of the case by its body, None where it does not open.
        """
        ...

    def not_yet(self, history: Sequence[Recorded], today: date, opened: Callable[[Digest], Any]) -> tuple[str, ...]:
        """Return the acts of a case's outlook whose day has not come; what does not open hides none."""
        ...


@runtime_checkable
class Resting(Protocol):
    """What ``post`` asks besides of a domain in which a case may rest on another one, and is seen with that one's history."""

    @property
    def rests_by(self) -> str:
        """The type of event that makes a case rest on another."""
        ...

    def rests_on(self, history: Sequence[Recorded]) -> Digest | None:
        """Return an event of the case on which one rests, None where it rests on none."""
        ...

    def moves_others(self, history: Sequence[Recorded]) -> bool:
        """Tell whether something happened in a case by which the rows of those that rest on it may be others."""
        ...

    def row_with(self, history: Sequence[Recorded], other: Sequence[Recorded]) -> CaseRow:
        """Return the read model of a case that rests on ``other``; total: never refuses."""
        ...

    def outlook_with(self, history: Sequence[Recorded], other: Sequence[Recorded], today: date) -> Outlook:
        """Return the outlook of a case that rests on ``other``; total: never refuses."""
        ...


@runtime_checkable
class Sharing(Resting, Protocol):
    """What ``post`` asks besides of a domain in which a case and those that rest on it tell of each other."""

    def fire_among(self, history: Sequence[Recorded], other: Sequence[Recorded], deadline: str) -> Sequence[New]:
        """Return what a named deadline makes in a case that rests on ``other``."""
        ...

    def codes_among(self, history: Sequence[Recorded], opened: Callable[[Digest], Any]) -> tuple[str, ...]:
        """Return the words of ``codes_of`` that name whom a case is about until today, the newest first.

        ``opened`` gives what is personal about an event by its body, None where it does not open.
        """
        ...

    def outlook_among(
        self,
        history: Sequence[Recorded],
        resting: Mapping[UUID, Sequence[Recorded]],
        beside: Mapping[UUID, Sequence[Recorded]],
        today: date,
    ) -> Outlook:
        """Return the outlook of a case by the numbers of those of ``resting``, that rest on it, and ``beside`` it.

        Those beside it are about the same person, whether or not they rest on it. Total: never refuses.
        """
        ...
