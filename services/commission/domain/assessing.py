"""The assessment: what the expertise file shows, attendance, opinion, plan, and the recommendation issued or refused.

Pure functions from a case to the events of the act; every refusal is a leaf of ``refusals``.
Source: domain.md A4, A.5 step 4, D.3, and D.5, 3, 4 and 29.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from services.commission.domain import guards, refusals
from services.commission.domain.case import CommissionCase
from services.commission.domain.closing import closed_with_word
from services.commission.domain.ordering import in_order
from services.commission.input import (
    AttendanceInput,
    AttendedInput,
    ExaminationInput,
    IrpInput,
    LapseInput,
    OpinionInput,
    RecommendationInput,
    RefusalInput,
)
from services.post.history import BEFORE, New
from services.wire.events import (
    AssessmentCause,
    AttendanceLapsed,
    AttendanceRequested,
    AttendanceRequestedPersonal,
    AttendanceRequired,
    ExpertiseFileExamined,
    IrpIssued,
    IrpIssuedPersonal,
    Opinion,
    OpinionIssued,
    PupilAttended,
    RecommendationIssued,
    RecommendationIssuedPersonal,
    RecommendationRefused,
    RecommendationRefusedPersonal,
    RefusalGround,
)

__all__ = [
    "ask_to_come",
    "examine_file",
    "issue_irp",
    "issue_opinion",
    "issue_recommendation",
    "note_attendance",
    "note_lapse",
    "refuse_recommendation",
]


_LETTER: Final = "the letter that asks the pupil to come"


def examine_file(case: CommissionCase, form: ExaminationInput) -> tuple[New, ...]:
    """Return the event of an examination; before the outcome it may be repeated, the newest counts.

    Raises: NoRequestError, NotRegisteredError, AlreadyDecidedError, ClosedError, WithdrawnError, NotIdentifiedError,
    LinkedError, DateOrderError; ExaminedAlreadyError if it says the same.
    """
    registered = guards.may_examine(case)
    in_order(form.examined_on, "The examination", registered.received_on, "the receipt of the request")
    facts = ExpertiseFileExamined(
        file_found=form.file_found, opinion=form.opinion, opinion_until=form.opinion_until, examined_on=form.examined_on
    )
    # A command that was interrupted may have done its work although no list shows it yet; its repetition is not a second one.
    # Once the particulars were corrected the same finding is about somebody else, or is confirmed.
    if facts == case.examination and case.rechecked:
        raise refusals.ExaminedAlreadyError
    return (New(facts=facts),)


def ask_to_come(case: CommissionCase, form: AttendanceInput) -> tuple[New, ...]:
    """Return the events of a pupil asked to come; a school that waits learns the fact alone (A5.3; D.5, 3 and 4).

    Raises: as ``examine_file`` but for the last; NotExaminedError, AttendanceAskedError, AttendanceNotNeededError.
    """
    examination = guards.may_ask_to_come(case)
    in_order(form.sent_on, "The letter", examination.examined_on, "the examination")
    facts = AttendanceRequested(sent_on=form.sent_on)
    asked = New(facts=facts, personal=AttendanceRequestedPersonal(letter=form.letter))
    # E09: after a refusal that was set aside the school has an answer, and waits for nothing but its correction.
    if case.request is None or case.answer is not None:
        return (asked,)
    return (asked, New(facts=AttendanceRequired(basis=BEFORE), in_reply_to=case.request.body))


def note_attendance(case: CommissionCase, form: AttendedInput) -> tuple[New, ...]:
    """Return the event of a pupil who came.

    Raises: as ``ask_to_come`` but for the last two; AttendanceNotAskedError, AttendanceOverError.
    """
    in_order(form.on, "This day", guards.may_note_attendance(case).sent_on, _LETTER)
    return (New(facts=PupilAttended(on=form.on)),)


def note_lapse(case: CommissionCase, form: LapseInput) -> tuple[New, ...]:
    """Return the events of a pupil who did not come: the assessment is closed, or goes on to a refusal on that ground (D.3).

    Raises: as ``note_attendance``.
    """
    in_order(form.on, "This day", guards.may_note_lapse(case).sent_on, _LETTER)
    lapsed = New(facts=AttendanceLapsed(on=form.on))
    if not form.close:
        return (lapsed,)
    return (lapsed, *closed_with_word(case, AssessmentCause.ATTENDANCE_LAPSED))


def issue_opinion(case: CommissionCase, form: OpinionInput) -> tuple[New, ...]:
    """Return the event of the opinion on the need of special care; after it a recommendation is possible (D.5, 3 and 4).

    Raises: as ``examine_file`` but for the last; NotExaminedError, OpinionIssuedError, NotAttendedError.
    """
    in_order(form.on, "This day", guards.may_issue_opinion(case).sent_on, _LETTER)
    return (New(facts=OpinionIssued(on=form.on, until=form.until)),)


def issue_irp(case: CommissionCase, form: IrpInput) -> tuple[New, ...]:
    """Return the event of the rehabilitation plan, of either kind, that variants b.1 and b.2 ask for (A4.2 to A4.4).

    Raises: NoRequestError, IrpNotAskedError, AlreadyDecidedError, IrpIssuedError, NotExaminedError, NoFileError,
    DateOrderError, and as ``examine_file``.
    """
    examination = guards.may_issue_irp(case)
    in_order(form.issued_on, "The day of issue", examination.examined_on, "the examination")
    facts = IrpIssued(kind=form.kind, issued_on=form.issued_on, indicates_need=form.indicates_need)
    return (New(facts=facts, personal=IrpIssuedPersonal(number=form.number, text=form.text)),)


def issue_recommendation(case: CommissionCase, form: RecommendationInput) -> tuple[New, ...]:
    """Return the event of the recommendation; it goes to the family, never to the school.

    Raises: NoRequestError, AlreadyDecidedError, NotExaminedError, NoFileError, OpinionNotValidError, DateOrderError; for b.1
    and b.2 also IrpMissingError, IrpWithoutNeedError; and as ``examine_file``.
    """
    examination = guards.may_recommend(case)
    recommendation_days(case, form, examination.examined_on)
    facts = RecommendationIssued(issued_on=form.issued_on, valid_from=form.valid_from, valid_until=form.valid_until, parts=())
    return (New(facts=facts, personal=RecommendationIssuedPersonal(number=form.number, text=form.text)),)


def refuse_recommendation(case: CommissionCase, form: RefusalInput) -> tuple[New, ...]:
    """Return the event of the recommendation refused; its grounds are for the family, the school learns only the no.

    Raises: NoRequestError, AlreadyDecidedError, NotExaminedError, GroundNotShownError, DateOrderError; and as ``examine_file``.
    """
    examination = guards.may_refuse(case)
    in_order(form.issued_on, "The day of issue", examination.examined_on, "the examination")
    for ground in form.grounds:
        if not _shows(case, examination, ground, form.issued_on):
            raise refusals.GroundNotShownError(ground.value)
    facts = RecommendationRefused(issued_on=form.issued_on, grounds=form.grounds)
    return (New(facts=facts, personal=RecommendationRefusedPersonal(text=form.text)),)


def recommendation_days(case: CommissionCase, form: RecommendationInput, examined_on: date) -> None:
    """Return if the days of a recommendation fit what it rests on: examination, plan, and an opinion valid on its day.

    Raises: DateOrderError, OpinionNotValidError.
    """
    in_order(form.issued_on, "The day of issue", examined_on, "the examination")
    if form.valid_until is not None:
        in_order(form.valid_until, "The last day", form.issued_on, "the day of issue")
    if case.opinion is not None:
        in_order(form.issued_on, "The day of issue", case.opinion.on, "the opinion")
    # A5.3 and D.5, 4: an opinion that has ended is none.
    if not case.has_opinion_on(form.issued_on):
        raise refusals.OpinionNotValidError
    if case.irp is not None:
        in_order(form.issued_on, "The recommendation", case.irp.issued_on, "the rehabilitation plan")


def _shows(case: CommissionCase, examination: ExpertiseFileExamined, ground: RefusalGround, day: date) -> bool:
    """Tell whether the case shows a ground of refusal on a day."""
    was_there = examination.opinion is not Opinion.NONE or case.opinion is not None
    match ground:
        case RefusalGround.OPINION_MISSING:
            return not was_there
        case RefusalGround.OPINION_EXPIRED:
            return was_there and not case.has_opinion_on(day)
        case RefusalGround.ATTENDANCE_LAPSED:
            return case.attendance is not None and case.attendance.lapsed
        case _:
            return True
