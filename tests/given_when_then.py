"""The three words in which the tests of a domain are told: given a history, when somebody decides, then these events.

Whole events are compared, facts and personal parts and the event answered. The bodies of a history are numbered from 1:
``body(2)`` is that of its second event, so a test can say what rests on what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Generic, TypeVar

import pytest

from services.post.history import New, Recorded, Standing
from services.wire.errors import RefusedError
from services.wire.events import ConfirmationGiven, InformationRequested
from services.wire.hashing import Digest, digest_of

__all__ = ["Given", "Told", "body", "given", "received", "recorded", "standing"]

Case = TypeVar("Case")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event of a history that is not simply the reader's own accepted one; ``answers`` is the number of the event answered."""

    facts: object
    own: bool = True
    answers: int | None = None
    standing: Standing = Standing.ACCEPTED
    recorded_on: date = date(2026, 8, 18)


def received(facts: object, *, answers: int | None = None, recorded_on: date = date(2026, 8, 18)) -> Told:
    """Return an event that the counterpart wrote."""
    return Told(facts=facts, own=False, answers=answers, recorded_on=recorded_on)


def standing(facts: object, became: Standing, *, answers: int | None = None) -> Told:
    """Return a received event that was not accepted."""
    return Told(facts=facts, own=False, answers=answers, standing=became)


def body(number: int) -> Digest:
    """Return the body digest of a history's event, numbered from 1; any other number names an event of no history."""
    return digest_of(f"event {number}".encode())


def recorded(told: object, number: int) -> Recorded:
    """Return one event as ``post`` gives it to a domain."""
    event = told if isinstance(told, Told) else Told(facts=told)
    return Recorded(
        facts=event.facts,
        type=type(event.facts).__name__,
        body=body(number),
        channel="school-0099900011.record",
        writer="mine" if event.own else "counterpart",
        own=event.own,
        after=body(number - 1) if number > 1 else None,
        in_reply_to=body(event.answers) if event.answers else None,
        recorded_on=event.recorded_on,
        standing=event.standing,
    )


@dataclass(frozen=True, slots=True)
class When(Generic[Case]):
    """A decision on a case, not taken yet."""

    case: Case
    decide: Callable[..., tuple[New, ...]]
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]

    def then(self, *events: New) -> None:
        """Check that the decision makes exactly these events."""
        assert self._decided() == events

    def refused(self, error: type[RefusedError], match: str | None = None) -> None:
        """Check that the decision is refused by this rule, with this in its sentence."""
        with pytest.raises(error, match=match) as caught:
            self._decided()
        assert type(caught.value) is error

    def _decided(self) -> tuple[New, ...]:
        return self.decide(self.case, *self.arguments, **self.keywords)


@dataclass(frozen=True, slots=True)
class Given(Generic[Case]):
    """A history, and how it folds."""

    history: tuple[Recorded, ...]
    fold: Callable[[Sequence[Recorded]], Case]

    @property
    def case(self) -> Case:
        """Return the folded case."""
        return self.fold(self.history)

    def when(self, decide: Callable[..., tuple[New, ...]], *arguments: Any, **keywords: Any) -> When[Case]:  # any decision
        """Name the decision and what it is given besides the case."""
        return When(self.case, decide, arguments, keywords)


def given(fold: Callable[[Sequence[Recorded]], Case], *events: object) -> Given[Case]:
    """Return the history of ``events``: facts stand for own accepted events, ``Told`` for all others.

    An answer of the commission's answers the newest request before it.
    """
    history: list[Recorded] = []
    for number, event in enumerate(events, start=1):
        made = recorded(event, number)
        if isinstance(made.facts, ConfirmationGiven) and made.own and made.in_reply_to is None:
            asked = (each.body for each in reversed(history) if isinstance(each.facts, InformationRequested) and not each.own)
            made = replace(made, in_reply_to=next(asked, None))
        history.append(made)
    return Given(tuple(history), fold)
