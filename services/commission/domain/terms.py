"""The terms of an assessment: until when the commission has time, when a refusal can be contested, when a yes ends.

Which term holds on a day, and on which day it ends, is dated data of ``policy``; here it is said from which day each runs.
Source: domain.md section 1 (APL section 64, Notification Law), D.4 and D.5, 12 and 15.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from services.commission.domain.case import CommissionCase
from services.commission.domain.parts import Contest
from services.policy.terms import TermName, last_day, warned_on
from services.post.history import Deadline
from services.wire.events import DeadlineName, RecommendationIssued, RequestRegistered

__all__ = [
    "ANSWER_AGAIN",
    "EXPIRY_WARNING",
    "FOR_PEOPLE",
    "LONGEST_MONTHS",
    "WORD_OWED",
    "attendance_due",
    "contest_due",
    "deadlines_of",
    "term_of",
    "valid_until",
    "warning_day",
]

LONGEST_MONTHS: Final = 4
"""From receipt, however often the term is extended (L-9)."""

EXPIRY_WARNING: Final = "RecommendationExpiryWarning"
"""A deadline that makes no event: from then on the list shows that a recommendation is about to end (D.5, 12)."""

ANSWER_AGAIN: Final = "AnswerAgain"
"""The other one: a school has an answer that is no longer the right one, and is told without delay (D.5, 13)."""

WORD_OWED: Final = "WordOwed"
"""One that makes events: what a school is owed, word of a summons or of the earlier case, as where a restore lost the word."""

FOR_PEOPLE: Final = frozenset({ANSWER_AGAIN, EXPIRY_WARNING})

_DAY: Final = timedelta(days=1)


def term_of(case: CommissionCase, registered: RequestRegistered) -> date:
    """Return the last day of the commission's term: one month from receipt, or as it was extended."""
    return case.extension.until if case.extension is not None else last_day(TermName.COMMISSION_REPLY, registered.received_on)


def contest_due(case: CommissionCase) -> date | None:
    """Return the last day on which a refusal can be contested, None while it has not been sent (L-8)."""
    if case.outcome is None or case.outcome.is_yes or case.dispatch is None:
        return None
    return last_day(TermName.CONTEST, case.dispatch.facts.notified_on)


def attendance_due(case: CommissionCase) -> date | None:
    """Return the last day on which a pupil who was asked to come is waited for, None while nobody is (A5.3; D.5, 3).

    The commission's own term: neither guidance nor law names one. Whoever comes later is welcome while the case is open.
    """
    summons = case.attendance
    is_over = case.closed is not None or case.withdrawn or case.outcome is not None
    return None if summons is None or not summons.is_awaited or is_over else last_day(TermName.ATTENDANCE, summons.sent_on)


def valid_until(case: CommissionCase) -> date | None:
    """Return the last day of the recommendation that holds, None if there is none or it has no term."""
    holds = case.standing
    return holds.facts.valid_until if holds is not None and isinstance(holds.facts, RecommendationIssued) else None


def warning_day(case: CommissionCase) -> date | None:
    """Return the day from which people are told that the recommendation that holds is about to end."""
    until = valid_until(case)
    return warned_on(until) if until is not None else None


def deadlines_of(case: CommissionCase) -> tuple[Deadline, ...]:
    """Return what is due in a case, the term of the commission first."""
    contest, until, warned = contest_due(case), valid_until(case), warning_day(case)
    found = [_running_term(case), _due_again(case)]
    if (attendance := attendance_due(case)) is not None:
        found.append(Deadline(name=DeadlineName.ATTENDANCE.value, due_on=attendance))
    if case.attendance is not None and case.owes_own_word:
        found.append(Deadline(name=WORD_OWED, due_on=case.attendance.sent_on - _DAY))
    if contest is not None and case.contest is Contest.NONE:
        found.append(Deadline(name=DeadlineName.CONTEST.value, due_on=contest))
    if until is not None and warned is not None:
        # A deadline fires when its day is over: the day before the first day of the warning.
        found.append(Deadline(name=EXPIRY_WARNING, due_on=warned - _DAY))
        found.append(Deadline(name=DeadlineName.RECOMMENDATION_EXPIRY.value, due_on=until))
    elif case.ending is not None and case.is_end_untold:
        found.append(Deadline(name=DeadlineName.RECOMMENDATION_EXPIRY.value, due_on=case.ending.on - _DAY))
    return tuple(each for each in found if each is not None)


def _due_again(case: CommissionCase) -> Deadline | None:
    """Return by when a school is answered again whose answer is no longer the right one: on the day of the new decision."""
    decided = case.decided
    if decided is None or decided.outcome is None or not case.is_answer_stale:
        return None
    return Deadline(name=ANSWER_AGAIN, due_on=decided.outcome.facts.issued_on)


def _running_term(case: CommissionCase) -> Deadline | None:
    """Return the term that runs: until the registration what the school waits for, then the commission's own."""
    if case.closed is not None or case.withdrawn or case.returned or not case.is_begun:
        return None
    if case.registered is None:
        due_on = case.request.facts.due_on if case.request is not None and case.answer is None else None
        return Deadline(name=DeadlineName.COMMISSION_REPLY.value, due_on=due_on) if due_on is not None else None
    is_done = case.dispatch is not None if case.is_direct else case.answer is not None
    # A refusal that was set aside is decided anew under no term of its own; then the answer is due again.
    return None if is_done else Deadline(name=DeadlineName.COMMISSION_TERM.value, due_on=term_of(case, case.registered))
