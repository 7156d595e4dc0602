"""What a clerk has to know to go on with a case: what is missing, in words, and which acts it allows, by the same guards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from services.commission.domain import guards
from services.commission.domain.case import CommissionCase, Kin
from services.commission.domain.parts import Contest
from services.commission.domain.terms import attendance_due, deadlines_of, valid_until, warning_day
from services.post.history import Next, Outlook
from services.wire.errors import RefusedError
from services.wire.events import AssessmentCause, DeadlineName

__all__ = ["ALLOWED", "Guarded", "is_allowed", "outlook_of"]


_LEFT_ALONE: Final = "nothing comes any more of the earlier case on which it rested: examine the file here"
_AGREES_WITH_A_NO: Final = "the plan issued here indicates no need of an assistant: it agrees with a refusal alone"
_UNDER_REVIEW: Final = (Contest.OPEN, Contest.SET_ASIDE)


class Guarded(NamedTuple):
    """Who does an act, and what the case has to be for it."""

    by: str
    guard: Callable[[CommissionCase], Any]


_CLERK: Final = "clerk"
_DOCTOR: Final = "doctor"
_OFFICIAL: Final = "official"
_HEAD: Final = "head"

ALLOWED: Final[Mapping[str, Guarded]] = MappingProxyType(
    {
        "register": Guarded(_CLERK, guards.may_register),
        "register-direct": Guarded(_CLERK, guards.may_register_direct),
        "return-request": Guarded(_CLERK, guards.may_return),
        "not-matched": Guarded(_CLERK, guards.may_say_not_matched),
        "link": Guarded(_CLERK, guards.may_link),
        "extend-term": Guarded(_OFFICIAL, guards.may_extend),
        "examine": Guarded(_DOCTOR, guards.may_examine),
        "look-up": Guarded(_DOCTOR, guards.may_examine),
        "require-attendance": Guarded(_DOCTOR, guards.may_ask_to_come),
        "attended": Guarded(_CLERK, guards.may_note_attendance),
        "attendance-lapsed": Guarded(_CLERK, guards.may_note_lapse),
        "issue-opinion": Guarded(_DOCTOR, guards.may_issue_opinion),
        "issue-irp": Guarded(_DOCTOR, guards.may_issue_irp),
        "recommend": Guarded(_DOCTOR, guards.may_recommend),
        "refuse": Guarded(_DOCTOR, guards.may_refuse),
        "dispatch": Guarded(_CLERK, guards.may_dispatch),
        "deliver-confirmed": Guarded(_CLERK, guards.may_confirm_delivery),
        "delivery-failed": Guarded(_CLERK, guards.may_note_failure),
        "redispatch": Guarded(_CLERK, guards.may_redispatch),
        "answer": Guarded(_OFFICIAL, guards.may_answer),
        "correct-recommendation": Guarded(_DOCTOR, guards.may_correct),
        "revoke": Guarded(_DOCTOR, guards.may_revoke),
        "contest": Guarded(_CLERK, guards.may_contest),
        "uphold": Guarded(_HEAD, guards.may_decide_contest),
        "set-aside": Guarded(_HEAD, guards.may_decide_contest),
        "close": Guarded(_CLERK, guards.may_close),
    }
)
"""Every act of the commission by the name of its command."""


def is_allowed(case: CommissionCase, guarded: Guarded) -> bool:
    """Tell whether a case allows an act, whatever its form says."""
    try:
        guarded.guard(case)
    except RefusedError:
        return False
    return True


def outlook_of(case: CommissionCase, today: date, *, is_left_alone: bool = False) -> Outlook:
    """Return what is missing in a case on a day, and which acts it allows; of a linked one as it is seen with the earlier.

    ``is_left_alone`` tells that it was linked to one of which nothing comes any more.
    """
    # A direct application gets a case of its own: in no case that is there it is the next act.
    acts = {name: guarded for name, guarded in ALLOWED.items() if case.is_begun and name != "register-direct"}
    allowed = tuple(Next(act=name, by=guarded.by) for name, guarded in acts.items() if is_allowed(case, guarded))
    alone = (_LEFT_ALONE,) if is_left_alone and not case.is_request_over else ()
    return Outlook(missing=(*alone, *_missing(case, today)), allowed=allowed)


def _missing(case: CommissionCase, today: date) -> Iterator[str]:
    """Yield in words what a case waits for, and what somebody should look at."""
    yield from _of_the_request(case)
    if case.irp is not None and not case.irp.indicates_need and case.outcome is None and case.closed is None:
        # D.5, 29: whoever sees it may have erred in either.
        yield _AGREES_WITH_A_NO
    yield from _of_attendance(case, today)
    yield from _of_letters(case, today)
    yield from _of_the_answer(case)
    until, warned = valid_until(case), warning_day(case)
    if until is not None and warned is not None and warned <= today:
        yield f"the recommendation ends on {until.isoformat()}"
    for each in deadlines_of(case):
        if each.due_on < today and each.name in (DeadlineName.COMMISSION_REPLY.value, DeadlineName.COMMISSION_TERM.value):
            yield f"the term has passed on {each.due_on.isoformat()}; a late answer is still valid"


def _of_the_request(case: CommissionCase) -> Iterator[str]:
    if case.closed is not None or not case.is_begun:
        return
    if case.withdrawn and case.answer is None:
        yield "the school has withdrawn its request: send what was issued, and close"
        return
    if case.registered is None:
        yield "the request is not in the register"
    if case.not_matched:
        yield "nobody was found by the request; the school has to correct it"
    # D.5, 9 and 10: of a linked case it was issued in the earlier one, perhaps about another child.
    decided = case.decided
    is_issued = decided is not None and decided.outcome is not None
    if case.corrections and case.linked is not None and (is_issued or case.answer is not None):
        yield "the school has corrected particulars: compare what was issued in the earlier case"
    elif case.corrections and is_issued:
        yield "the school has corrected particulars: compare what was issued"
    elif not case.rechecked:
        yield "the particulars have changed since the file was examined: examine it again"


def _of_attendance(case: CommissionCase, today: date) -> Iterator[str]:
    decided = case.decided
    due_on = attendance_due(decided) if decided is not None else None
    if due_on is None:
        return
    if case.linked is not None:
        if case.answer is None and not case.is_request_over:
            yield f"the pupil has to come, by {due_on.isoformat()}, as was asked in the earlier case"
        return
    yield f"the pupil has to come, by {due_on.isoformat()}"
    if due_on < today:
        # Never a silent refusal (D.5, 15): whoever waits longer may.
        yield "that day has passed, and nothing follows by itself: record that the pupil came, or did not, or wait on"


def _of_the_answer(case: CommissionCase) -> Iterator[str]:
    decided = case.decided
    is_decided = decided is not None and decided.outcome is not None and decided.ending is None
    if case.answer is None and case.request is not None and is_decided and not case.is_request_over:
        yield "the school has not been answered"
    if case.is_answer_stale:
        yield "the school has an answer that is no longer the right one: answer again"
    if case.linked is None:
        return
    if case.answer is None and not is_decided and not case.is_request_over:
        yield "it rests on an earlier case of the pupil, which is not decided yet"
    if case.answer is not None and decided is not None and decided.contest in _UNDER_REVIEW:
        yield "the refusal behind the answer is contested, or set aside, in the earlier case of the pupil: it is decided there"


def _of_letters(case: CommissionCase, today: date) -> Iterator[str]:
    if case.is_on_hold:
        yield "the requester asks to send nothing for now"
    elif case.is_address_protected and (case.dispatch is None or case.dispatch.failed or case.is_address_changed_since):
        yield "the address is protected: no ordinary letter goes there"
    yield from _of_letters_elsewhere(case, today)
    if case.is_address_changed_since:
        yield "the address has changed after the dispatch: send again"
    if case.dispatch is not None and case.dispatch.failed:
        yield "the letter did not come: send it again"
    if case.outcome is not None and case.ending is None and case.dispatch is None and case.linked is None:
        yield "what was issued has not been sent"


def _of_letters_elsewhere(case: CommissionCase, today: date) -> Iterator[str]:
    """Yield what the schools of other cases of the pupil say of where the letter goes, by their numbers (D.5, 19 and 30; E13)."""
    is_to_send = case.dispatch is None or case.dispatch.failed
    if case.closed is AssessmentCause.DIED or (case.closed is not None and not is_to_send):
        return
    for each in case.died_elsewhere:
        yield f"the linked case {each.number} was closed because the pupil died: close this one too"
    held, unheard = case.held_elsewhere, case.unheard_on(today)
    # What was compared when the letter was sent, and went, asks for nothing any more.
    yield from (_held(each) for each in held if is_to_send or each in unheard)
    for each in unheard:
        if each not in held:
            yield f"the school of the linked case {each.number} told another address: ask the requester where the letter goes"


def _held(each: Kin) -> str:
    if each.case.closed is AssessmentCause.DIED:
        why = "a code was corrected since, or its school asked anew" if each.is_linked else "a code alone names both"
        return (
            f"the {_of(each)} was closed because its pupil died, and may be another child's, as {why}: ask whether it is this"
            " one, and close, or confirm where the letter goes"
        )
    return (
        f"the school of the {_of(each)} asks to send nothing for now: wait for its word, or confirm with the requester where the"
        " letter goes"
    )


def _of(each: Kin) -> str:
    if each.is_linked:
        return f"linked case {each.number}"
    return f"case {each.number}, which has this pupil's code and is not linked,"
