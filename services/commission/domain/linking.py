"""A case that rests on an earlier one of the same pupil, as it stands with that one: it follows what happens there.

Two requests about one pupil have one assessment and one recommendation, and an answer each. What its school hears of the
assessment on the way, and a term that is extended for it, are events of the linked case too; none names the earlier one, or that
another school asks.
Source: domain.md A5.3, and D.5, 3, 4, 6 and 15; E13.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from services.commission.domain import guards
from services.commission.domain.case import CommissionCase, Kin
from services.commission.domain.parts import Attendance
from services.commission.domain.terms import LONGEST_MONTHS, term_of
from services.policy.calendar import add_months
from services.post.history import New
from services.wire.errors import RefusedError
from services.wire.events import AssessmentCause, AttendanceRequired, TermExtended

__all__ = ["is_of_one_pupil", "on_the_way", "seen_among", "seen_with", "told_to_come"]


def seen_with(case: CommissionCase, primary: CommissionCase | None) -> CommissionCase:
    """Return a case as it stands with the one that ``case.linked`` names; None where that is not here.

    One that is not answered stands by itself where nothing comes of the earlier one any more: that was withdrawn, returned or
    closed without an outcome, or nobody was found there. Else its school would wait for ever (D.5, 6 and 7). And where a code
    was mistyped in either: what is found out about another child is nothing for its school (D.5, 10).
    """
    if case.linked is None:
        return case
    if case.answer is None and (primary is None or not primary.may_answer_linked or not is_of_one_pupil(case, primary)):
        return replace(case, linked=None)
    return replace(case, primary=primary)


def seen_among(case: CommissionCase, kin: Iterable[Kin], others: Iterable[Kin] = ()) -> CommissionCase:
    """Return a case as it stands with those that are linked to it: what their schools say of the one letter's way (D.5, 19; E13).

    One that was linked by a code that either corrected since is about another child perhaps, and says nothing (D.5, 10); one that
    was answered before stays linked, is not sure, and stops nothing for ever. ``others`` are of the same pupil by a code alone:
    no clerk has said that they are, so none of them is sure.
    """
    found = (each for each in kin if each.case.linked is not None and is_of_one_pupil(each.case, case))
    linked = [replace(each, is_sure=each.case.linked == case.named_by and not each.case.renamed_since) for each in found]
    known = {each.number for each in linked}
    by_code = (each for each in others if each.number not in known and _speaks_of(each.case, case))
    return replace(case, kin=(*linked, *(replace(each, is_sure=False, is_linked=False) for each in by_code)))


def _speaks_of(other: CommissionCase, case: CommissionCase) -> bool:
    """Tell whether what a school says in another case of a pupil counts for the letter of this one.

    Of a request that is over it does not if it was said before this case came: a new representative applies elsewhere (D.5, 8).
    What was said since does, as the school of a pupil who died, or left, holds and withdraws at once (D.5, 30).
    """
    if not (other.returned or other.withdrawn or other.closed is not None) or other.closed is AssessmentCause.DIED:
        return True
    came = case.registered.received_on if case.registered is not None else case.request.written_on if case.request else date.max
    return other.address is not None and other.address.written_on >= came


def is_of_one_pupil(case: CommissionCase, primary: CommissionCase) -> bool:
    """Tell whether a case was linked to the earlier one by the code that this names its pupil by until today.

    What was answered rests on what was known then, and is told of its end.
    """
    return case.answer is not None or case.linked == primary.named_by


def on_the_way(case: CommissionCase) -> tuple[New, ...]:
    """Return what a linked case has to follow of the assessment in the earlier one, as far as it has not yet.

    A term that was extended there, and to its school the word that the pupil is asked to come.
    """
    primary = case.primary
    if primary is None or primary.outcome is not None:
        return ()
    return (*_extended_likewise(case, primary.extension), *told_to_come(case, primary.attendance))


def _extended_likewise(case: CommissionCase, extension: TermExtended | None) -> tuple[New, ...]:
    # One assessment is late for both; each request has a term of its own, and four months from its own receipt at most (L-9).
    if extension is None:
        return ()
    try:
        registered = guards.may_extend(case)
    except RefusedError:
        return ()
    until = min(extension.until, add_months(registered.received_on, LONGEST_MONTHS))
    return (New(facts=TermExtended(until=until, cause=extension.cause)),) if until > term_of(case, registered) else ()


def told_to_come(case: CommissionCase, summons: Attendance | None) -> tuple[New, ...]:
    """Return the word of attendance, once a summons, to a school that waits for its answer: the fact alone (A5.3; D.5, 3)."""
    if case.request is None or summons is None or not case.owes_word_of(summons):
        return ()
    return (New(facts=AttendanceRequired(basis=summons.body), in_reply_to=case.request.body),)
