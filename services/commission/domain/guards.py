"""What a case has to be for an act, whatever its form says: each guard returns, or raises the rule that says no.

The decisions call them first, and ``outlook`` tells by the same ones which acts a case allows now.
Source: domain.md A.5, D.3 and D.5.
"""

from __future__ import annotations

from datetime import date

from services.commission.domain import conditions, refusals
from services.commission.domain.case import CommissionCase
from services.commission.domain.parts import Attendance, Contest, Outcome, Request, Sent
from services.wire.events import Asks, ExpertiseFileExamined, RequestRegistered
from services.wire.hashing import Digest

__all__ = [
    "may_answer",
    "may_ask_to_come",
    "may_close",
    "may_confirm_delivery",
    "may_contest",
    "may_correct",
    "may_decide_contest",
    "may_dispatch",
    "may_examine",
    "may_extend",
    "may_issue_irp",
    "may_issue_opinion",
    "may_link",
    "may_note_attendance",
    "may_note_failure",
    "may_note_lapse",
    "may_recommend",
    "may_redispatch",
    "may_refuse",
    "may_register",
    "may_register_direct",
    "may_return",
    "may_revoke",
    "may_say_not_matched",
    "plan_supports_yes",
]


def may_register(case: CommissionCase) -> Request:
    """Return the request that may be entered in the register."""
    request = conditions.asked_by_school(case)
    if case.registered is not None:
        raise refusals.AlreadyRegisteredError
    return request


def may_register_direct(case: CommissionCase) -> None:
    """Return if a direct application may begin this case."""
    if case.is_begun:
        raise refusals.AlreadyBegunError


def may_return(case: CommissionCase) -> Digest:
    """Return the registration of what may be returned: nothing was found out of it yet (D.3: Registered to Rejected)."""
    body = conditions.assessable(case)
    conditions.never_decided(case)
    return body


def may_say_not_matched(case: CommissionCase) -> tuple[Request, Digest]:
    """Return the request, and its registration, of which the school may be told that nobody was found (D.5, 10)."""
    request = conditions.asked_by_school(case)
    # Told once a request: what comes next is the school's correction.
    if case.not_matched:
        raise refusals.NotMatchedAlreadyError
    body = conditions.assessable(case)
    conditions.never_decided(case)
    return request, body


def may_link(case: CommissionCase) -> None:
    """Return if the assessment may be that of an earlier case of the same pupil (D.5, 6)."""
    if case.linked is not None:
        raise refusals.LinkedAlreadyError
    conditions.assessable(case)
    conditions.never_decided(case)


def may_extend(case: CommissionCase) -> RequestRegistered:
    """Return the registration whose term may be extended: something is still to be answered, or sent to its author."""
    registered, _ = conditions.registered(case)
    conditions.open_still(case)
    if case.dispatch is not None if case.is_direct else case.answer is not None:
        raise refusals.TermNotRunningError
    return registered


def may_examine(case: CommissionCase) -> RequestRegistered:
    """Return the registration of the pupil whose expertise file may be examined."""
    registered, _ = conditions.registered(case)
    conditions.undecided(case)
    conditions.assessable(case)
    return registered


def may_ask_to_come(case: CommissionCase) -> ExpertiseFileExamined:
    """Return the examination that showed no valid opinion, for which the pupil has to come (A5.3; D.5, 3 and 4)."""
    examination = conditions.examined_for_pupil(case)
    # Once, but where the opinion that came of it has ended since.
    if case.attendance is not None and not case.is_opinion_over_on(examination.examined_on):
        raise refusals.AttendanceAskedError
    # A5.3: presence is not needed if the file shows the opinion; it may have ended since, so its own day counts.
    if case.has_opinion_on(examination.examined_on):
        raise refusals.AttendanceNotNeededError
    return examination


def may_note_attendance(case: CommissionCase) -> Attendance:
    """Return the summons of which it may be recorded that the pupil came."""
    conditions.examined(case)
    if case.attendance is None:
        raise refusals.AttendanceNotAskedError
    if not case.attendance.is_awaited:
        raise refusals.AttendanceOverError
    return case.attendance


def may_note_lapse(case: CommissionCase) -> Attendance:
    """Return the summons of which it may be recorded that the pupil did not come (D.3: AttendanceRequired to Closed)."""
    return may_note_attendance(case)


def may_issue_opinion(case: CommissionCase) -> Attendance:
    """Return the summons after which the opinion on the need of special care may be issued: the pupil has come (D.5, 3)."""
    conditions.examined(case)
    if case.attendance is None or not case.attendance.attended:
        raise refusals.NotAttendedError
    # One that had ended before the summons is what the pupil was asked to come for.
    if case.opinion is not None and not case.is_opinion_over_on(case.attendance.sent_on):
        raise refusals.OpinionIssuedError
    return case.attendance


def may_issue_irp(case: CommissionCase) -> ExpertiseFileExamined:
    """Return the examination from which the plan may be prepared that b.1 and b.2 ask for."""
    conditions.begun(case)
    if case.asks is not Asks.IRP_AND_RECOMMENDATION:
        raise refusals.IrpNotAskedError
    conditions.undecided(case)
    if case.irp is not None:
        raise refusals.IrpIssuedError
    examination = conditions.examined_for_pupil(case)
    if not case.has_file:
        raise refusals.NoFileError
    return examination


def may_recommend(case: CommissionCase) -> ExpertiseFileExamined:
    """Return the examination on which a recommendation may rest (A.5, step 4; in b also a plan that indicates the need)."""
    examination = conditions.examined_for_pupil(case)
    if not case.has_file:
        raise refusals.NoFileError
    # On the newest day that is known; the day of issue is compared when it is.
    known_on = max(examination.examined_on, case.opinion.on) if case.opinion is not None else examination.examined_on
    if not case.has_opinion_on(known_on):
        raise refusals.OpinionNotValidError
    plan_supports_yes(case)
    return examination


def may_refuse(case: CommissionCase) -> ExpertiseFileExamined:
    """Return the examination on which a refusal may rest."""
    return conditions.examined_for_pupil(case)


def plan_supports_yes(case: CommissionCase) -> None:
    """Return if nothing that the commission issued itself contradicts a yes (A4.5; D.5, 29); of a linked case, in the earlier."""
    if case.asks is not Asks.IRP_AND_RECOMMENDATION:
        return
    plan = case.decided.irp if case.decided is not None else None
    if plan is None:
        raise refusals.IrpMissingError
    if not plan.indicates_need:
        raise refusals.IrpWithoutNeedError


def may_dispatch(case: CommissionCase, *, is_confirmed: bool = False) -> Outcome:
    """Return what was issued and may be sent; a withdrawal does not stop it, a hold does (D.5, 7 and 19).

    ``is_confirmed`` tells that the requester says where it goes, although the school of another case of the pupil holds it.
    """
    conditions.begun(case)
    # The earlier valid application says where the one recommendation goes (E13).
    if case.linked is not None:
        raise refusals.LinkedError
    # What was revoked before it was sent is not sent any more.
    if case.outcome is None or case.ending is not None:
        raise refusals.NothingToDispatchError
    if case.dispatch is not None:
        raise refusals.AlreadyDispatchedError
    conditions.letters_go_out(case, is_confirmed=is_confirmed)
    return case.outcome


def may_redispatch(case: CommissionCase, *, confirmed: date | None = None) -> Sent:
    """Return what was sent and may be sent again: it did not come, or another address was told since (D.5, 17; E13, E19).

    ``confirmed`` is the day of sending again, where the requester says where it goes, although the school of another case of the
    pupil holds it; None where nobody was asked.
    """
    sent = conditions.dispatched(case)
    if case.ending is not None:
        raise refusals.NothingToDispatchError
    conditions.letters_go_out(case, is_confirmed=confirmed is not None)
    if sent.failed or case.is_address_changed_since:
        return sent
    # Another school's word alone moves nothing: a person asked the requester (E13).
    told = case.unheard_on(confirmed or date.max)
    if not told or confirmed is None:
        raise refusals.NothingToRepeatError(is_told_elsewhere=bool(told))
    return sent


def may_confirm_delivery(case: CommissionCase) -> Sent:
    """Return the letter of which it may be recorded that it came; also of one that was reported missing before."""
    sent = conditions.dispatched(case)
    if sent.delivered and not sent.failed:
        raise refusals.DeliveryNotedError
    return sent


def may_note_failure(case: CommissionCase) -> Sent:
    """Return the letter of which it may be recorded that it did not come (D.5, 17)."""
    sent = conditions.dispatched(case)
    if sent.failed:
        raise refusals.DeliveryNotedError
    return sent


def may_answer(case: CommissionCase) -> tuple[Request, Outcome]:
    """Return the request that may be answered, and by what.

    An answer does not wait for the dispatch (D.3), a second one is a correction.
    Of a linked case the outcome is that of the earlier one (D.5, 6).
    """
    request = conditions.asked_by_school(case)
    if case.answer is not None and not case.is_answer_stale:
        raise refusals.AlreadyAnsweredError
    if case.answer is None:
        conditions.open_still(case)
    # D.5, 10: who was told that nobody is found corrects the request before anything is said of a pupil.
    if case.not_matched:
        raise refusals.NotIdentifiedError
    # D.3: no answer before there is something to say: no yes without a recommendation that holds, no no without a refusal.
    decided = case.decided
    if decided is None or decided.outcome is None or decided.ending is not None:
        raise refusals.NothingToAnswerError
    # D.3: also a later request, to which an earlier recommendation is the answer, is registered first.
    conditions.registered(case)
    if decided.outcome.is_yes:
        plan_supports_yes(case)
    return request, decided.outcome


def may_correct(case: CommissionCase) -> Outcome:
    """Return the outcome that may be corrected: a recommendation that holds, or a refusal (D.5, 13)."""
    conditions.begun(case)
    conditions.of_the_living(case)
    if case.outcome is None or case.ending is not None:
        raise refusals.NothingToCorrectError
    if case.contest is Contest.OPEN:
        raise refusals.ContestedError
    return case.outcome


def may_revoke(case: CommissionCase) -> Outcome:
    """Return the recommendation that holds and may be revoked (D.5, 13)."""
    conditions.begun(case)
    if case.standing is None:
        raise refusals.NothingToRevokeError
    return case.standing


def may_contest(case: CommissionCase) -> Outcome:
    """Return the commission's own refusal that may be contested (L-8; E09)."""
    conditions.begun(case)
    conditions.of_the_living(case)
    if case.outcome is None or case.outcome.is_yes:
        raise refusals.NoRefusalError
    if case.contest is not Contest.NONE:
        raise refusals.AlreadyContestedError
    return case.outcome


def may_decide_contest(case: CommissionCase) -> date:
    """Return the day of the contest that the head of the commission may decide: the refusal is upheld or set aside."""
    conditions.begun(case)
    if case.contest is not Contest.OPEN or case.contested_on is None:
        raise refusals.NotContestedError
    return case.contested_on


def may_close(case: CommissionCase) -> None:
    """Return if the assessment may be closed; for which cause is compared with the case when it is known."""
    conditions.begun(case)
    if case.closed is not None:
        raise refusals.ClosedError
    # Of a linked case the refusal behind its answer is contested in the earlier one; one that was not answered waits for nothing.
    decided = case if case.answer is None else case.decided
    if decided is not None and decided.contest is Contest.OPEN:
        raise refusals.ContestedError
