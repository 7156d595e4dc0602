"""What is due in a school's case, and what is recorded when a term has passed: that it has, and nothing else.

No term refuses, closes or grants anything by itself (domain.md D.5, 15); people are told, and act.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from services.policy.terms import TermName, last_day, warned_on
from services.post.history import Deadline, New
from services.school.domain.case import SchoolCase
from services.school.domain.parts import ENDED, SchoolState
from services.wire.events import DeadlineName, DeadlinePassed, DecisionOutcome

__all__ = ["deadlines_of", "passed"]

_FIRST_TERMS: Final = date(2012, 8, 1)


def deadlines_of(case: SchoolCase) -> tuple[Deadline, ...]:
    """Return what is due, each once by its name."""
    if case.state in ENDED:
        return ()
    return tuple(Deadline(name=name.value, due_on=due_on) for name, due_on in _due(case))


def passed(case: SchoolCase, name: str) -> tuple[New, ...]:
    """Return the event of a term that is over; none if the case waits for it no longer, or it was recorded before."""
    for deadline in deadlines_of(case):
        facts = DeadlinePassed(deadline=DeadlineName(deadline.name), due_on=deadline.due_on)
        # After a restore the deadlines are made anew, and fire again.
        if deadline.name == name and facts not in case.passed:
            return (New(facts=facts),)
    return ()


def _due(case: SchoolCase) -> Iterator[tuple[DeadlineName, date]]:
    request, decision, state = case.request, case.decision, case.state
    if request is not None and request.is_open:
        yield DeadlineName.COMMISSION_REPLY, request.facts.due_on
    if state is SchoolState.INCOMPLETE and case.found is not None and case.lacking.intersection(case.found.missing):
        yield DeadlineName.COMPLETION, case.found.due_on
    # Terms are known from a day on; a clock that stands before it, as in a test of clocks, makes nothing due.
    if case.ready_since is not None and case.ready_since >= _FIRST_TERMS:
        yield DeadlineName.SCHOOL_DECISION, last_day(TermName.SCHOOL_DECISION, case.ready_since)
    notified = decision.notified if decision is not None and decision.contested_on is None else None
    if notified is not None and notified.contest_due_on is not None:
        yield DeadlineName.CONTEST, notified.contest_due_on
    if decision is not None and decision.facts.outcome is DecisionOutcome.GRANTED and case.copy_until is not None:
        yield DeadlineName.RECOMMENDATION_EXPIRY, _expiry(case, case.copy_until)


def _expiry(case: SchoolCase, until: date) -> date:
    """Return the day of the warning before a recommendation is over, and once that has passed its last day (D.5, 12)."""
    warned = warned_on(until)
    told = DeadlinePassed(deadline=DeadlineName.RECOMMENDATION_EXPIRY, due_on=warned)
    return until if told in case.passed else warned
