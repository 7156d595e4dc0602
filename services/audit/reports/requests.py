"""Requests to the commission: what came back, how long each step took, and which terms were kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from typing import Final
from uuid import UUID

from services.audit.event import Event
from services.audit.reports.figures import Figures, Scope, Table, counted, month_of
from services.wire.events import (
    Answer,
    ApplicationFoundIncomplete,
    ApplicationSupplemented,
    ConfirmationCorrected,
    ConfirmationEnded,
    ConfirmationGiven,
    DeadlinePassed,
    DocumentsDispatched,
    InformationRequested,
    RecommendationIssued,
    RecommendationRefused,
    RequestClosed,
    RequestRegistered,
    RequestReturned,
    RequestWithdrawn,
    TermExtended,
)
from services.wire.hashing import Digest

__all__ = ["Answers", "Deadlines"]

_STEPS: Final = ("asked", "registered", "assessed", "dispatched", "answered")
_BETWEEN: Final = (("asked", "answered"), *pairwise(_STEPS))
_ANSWERED: Final = "Answered"
_YES_AND_NO: Final = frozenset({Answer.YES.value, Answer.NO.value})
_NOT_RECORDED: Final = "not recorded, or not opened"
_ENDS: Final = {RequestReturned: "Returned", RequestClosed: "Closed", RequestWithdrawn: "Withdrawn"}
_BANDS: Final = ((0, "0 days"), (7, "1 to 7 days"), (14, "8 to 14 days"), (31, "15 to 31 days"))
_LONGEST: Final = "32 days and more"


def band_of(days: int) -> str:
    """Return the band of a duration in days."""
    return next((name for most, name in _BANDS if days <= most), _LONGEST)


@dataclass(slots=True)
class _Request:
    asked_on: date
    due_on: date
    days: dict[str, date] = field(default_factory=dict)
    outcome: str | None = None
    ended_on: date | None = None


@dataclass(slots=True)
class _Requests:
    """The requests so far: by their body, and the newest of each case."""

    by_body: dict[Digest, _Request] = field(default_factory=dict)
    newest: dict[UUID, _Request] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        facts, on = event.facts, event.recorded_on
        if on is None or event.common_case is None:
            return
        if isinstance(facts, InformationRequested):
            made = _Request(on, facts.due_on, {"asked": on})
            self.by_body[event.body] = self.newest[event.common_case] = made
            return
        answered = self.by_body.get(event.in_reply_to) if event.in_reply_to is not None else None
        if isinstance(facts, ConfirmationGiven):
            _end(answered, facts.answer.value, on)
            if answered is not None:
                answered.days.setdefault("answered", on)
        elif type(facts) in _ENDS:
            _end(answered, _ENDS[type(facts)], on)
        elif (step := _step(event)) is not None and event.common_case in self.newest:
            self.newest[event.common_case].days.setdefault(step, on)


def _end(request: _Request | None, outcome: str, on: date) -> None:
    # What ended it first did; the rest is told as a correction.
    if request is not None and request.outcome is None:
        request.outcome, request.ended_on = outcome, on


def _step(event: Event) -> str | None:
    match event.facts:
        case RequestRegistered():
            return "registered"
        case RecommendationIssued() | RecommendationRefused():
            return "assessed"
        case DocumentsDispatched():
            return "dispatched"
        case _:
            return None


@dataclass(slots=True)
class Answers:
    """Requests that were made in the period: what each ended in, by month, and how many days lay between its steps.

    A day of a step is that on which its writer recorded it. ``changed`` counts what was corrected or ended in the period.
    """

    scope: Scope
    requests: _Requests = field(default_factory=_Requests)
    changed: Counter[str] = field(default_factory=Counter)

    def add(self, event: Event) -> None:
        """See one event."""
        self.requests.add(event)
        is_change = isinstance(event.facts, ConfirmationCorrected | ConfirmationEnded)
        if is_change and event.recorded_on is not None and self.scope.holds(event.recorded_on):
            self.changed["Corrected" if isinstance(event.facts, ConfirmationCorrected) else "Ended"] += 1

    def tables(self) -> Figures:
        """Tell the figures."""
        mine = [each for each in self.requests.by_body.values() if self.scope.holds(each.asked_on)]
        outcomes = Counter(_ANSWERED if each.outcome in _YES_AND_NO else each.outcome or "Open" for each in mine)
        months = Counter(month_of(each.asked_on) for each in mine)
        answered = [each for each in mine if each.outcome in _YES_AND_NO]
        answers = Counter(str(each.outcome) for each in answered)
        # Of answered requests alone, all of them in each table: what one leaves out could be subtracted from another.
        further = [counted("answers", "Answers", "answer", "requests", answers), *(_days(answered, *each) for each in _BETWEEN)]
        changed = counted("changed", "Answers that were changed afterwards", "change", "answers", self.changed)
        return (
            counted("outcomes", "Requests by what they ended in", "outcome", "requests", outcomes),
            counted("months", "Requests by month", "month", "requests", months),
            *(replace(each, parent=("outcomes", _ANSWERED)) for each in further),
            replace(changed, is_internal=True),
        )


def _days(requests: list[_Request], first: str, then: str) -> Table:
    bands = Counter(_band(each.days.get(first), each.days.get(then)) for each in requests)
    return counted(f"{first}-{then}", f"Days from {first} to {then}, of answered requests", "duration", "requests", bands)


def _band(first: date | None, then: date | None) -> str:
    # Two organisations have two clocks: what seems to come before its cause came on the same day.
    return _NOT_RECORDED if first is None or then is None else band_of(max(0, (then - first).days))


@dataclass(slots=True)
class _Completion:
    due_on: date
    came_on: date | None = None


@dataclass(slots=True)
class Deadlines:
    """Terms that ran out in the period, as of a day: kept, missed, or lapsed because what they were for had ended otherwise.

    The commission's answer is due on the day that the request names; what is missing of an application on the day that the
    school names. What each side itself says of its terms, that one passed or was extended, stands beside it.
    """

    scope: Scope
    requests: _Requests = field(default_factory=_Requests)
    completions: list[_Completion] = field(default_factory=list)
    awaited: dict[UUID, _Completion] = field(default_factory=dict)
    passed: Counter[str] = field(default_factory=Counter)
    extended: Counter[str] = field(default_factory=Counter)

    def add(self, event: Event) -> None:
        """See one event."""
        self.requests.add(event)
        facts = event.facts
        if isinstance(facts, DeadlinePassed) and self.scope.holds(facts.due_on):
            self.passed[facts.deadline.value] += 1
        elif isinstance(facts, TermExtended) and event.recorded_on is not None and self.scope.holds(event.recorded_on):
            self.extended[facts.cause.value] += 1
        elif event.common_case is not None and isinstance(facts, ApplicationFoundIncomplete):
            self.awaited[event.common_case] = _Completion(facts.due_on)
            self.completions.append(self.awaited[event.common_case])
        elif event.common_case is not None and isinstance(facts, ApplicationSupplemented):
            awaited = self.awaited.pop(event.common_case, None)
            if awaited is not None:
                awaited.came_on = facts.received_on

    def tables(self) -> Figures:
        """Tell the figures."""
        answers = Counter(
            self._kept(each.due_on, each.ended_on, is_lapsed=each.outcome == "Withdrawn")
            for each in self.requests.by_body.values()
            if self.scope.holds(each.due_on)
        )
        completions = Counter(self._kept(each.due_on, each.came_on) for each in self.completions if self.scope.holds(each.due_on))
        told = counted("answers", "The commission's term to answer", "term", "requests", answers)
        holds, requests = self.scope.holds, self.requests.by_body.values()
        later, earlier = (
            sum(holds(each.asked_on) and not holds(each.due_on) for each in requests),
            sum(holds(each.due_on) and not holds(each.asked_on) for each in requests),
        )
        return (
            # The requests of the year are told by ``answers``: less these they are those of December, whose term ends after it.
            replace(told, beside=(later, earlier)),
            counted("completions", "The requester's term to complete an application", "term", "applications", completions),
            # What is missed above stands here once more, in nearly the same numbers: they would tell what is hidden there.
            replace(counted("passed", "Terms recorded as passed", "deadline", "events", self.passed), is_internal=True),
            replace(counted("extended", "Terms that were extended", "cause", "events", self.extended), is_internal=True),
        )

    def _kept(self, due_on: date, ended_on: date | None, *, is_lapsed: bool = False) -> str:
        if ended_on is not None and ended_on <= min(due_on, self.scope.as_of):
            return "Lapsed" if is_lapsed else "Kept"
        return "Running" if self.scope.as_of <= due_on else "Missed"
