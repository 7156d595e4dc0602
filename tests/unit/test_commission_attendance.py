"""No opinion in the file, or one that has ended: the pupil comes, or does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.commission.domain import decisions, refusals
from services.commission.domain.applying import fold
from services.commission.domain.parts import CommissionState
from services.commission.domain.receiving import CommissionDomain
from services.commission.input import (
    AttendanceInput,
    ExaminationInput,
    LapseInput,
    OpinionInput,
    RecommendationInput,
    RefusalInput,
)
from services.policy.terms import TermName, terms
from services.post.history import BEFORE, New
from services.wire.events import (
    Asks,
    AssessmentCause,
    AssessmentClosed,
    AttendanceLapsed,
    AttendanceRequested,
    AttendanceRequestedPersonal,
    AttendanceRequired,
    DeadlineName,
    DeadlinePassed,
    IrpIssued,
    IrpKind,
    Opinion,
    OpinionIssued,
    PupilAttended,
    RecommendationRefused,
    RefusalContested,
    RefusalGround,
    RefusalSetAside,
    RequestClosed,
)
from tests.commission_stories import (
    A2,
    ACTS,
    ASKED_TO_COME,
    B2,
    CLOSED,
    CORRECTED_CODE,
    EXAMINED,
    EXPIRED_OPINION,
    FORMS,
    NO_OPINION,
    REFUSED,
    REGISTERED,
    STORIES,
    WITHDRAWN,
    case_after,
)
from tests.given_when_then import body, given

_SUMMONS = AttendanceInput(sent_on=date(2026, 8, 21), letter="Lūdzam ierasties")
_ASKED = (A2, REGISTERED, NO_OPINION, ASKED_TO_COME)
_CAME = (*_ASKED, PupilAttended(on=date(2026, 8, 24)))
_LAPSED = (*_ASKED, AttendanceLapsed(on=date(2026, 8, 24)))


@pytest.mark.shows("A5.3", "D5.3", "D5.4")
@pytest.mark.parametrize("examined", [NO_OPINION, EXPIRED_OPINION, replace(NO_OPINION, file_found=False)])
def test_a_pupil_whose_file_shows_no_valid_opinion_is_asked_to_come(examined: object) -> None:
    """The school learns the fact alone: neither the letter nor whether an opinion was missing or has ended."""
    asked = New(
        facts=AttendanceRequested(sent_on=date(2026, 8, 21)), personal=AttendanceRequestedPersonal(letter="Lūdzam ierasties")
    )
    told = New(facts=AttendanceRequired(basis=BEFORE), in_reply_to=body(1))
    given(fold, A2, REGISTERED, examined).when(decisions.ask_to_come, _SUMMONS).then(asked, told)


@pytest.mark.shows("A5.3")
def test_a_pupil_with_a_valid_opinion_need_not_come() -> None:
    given(fold, A2, REGISTERED, EXAMINED).when(decisions.ask_to_come, _SUMMONS).refused(refusals.AttendanceNotNeededError)
    given(fold, *_ASKED).when(decisions.ask_to_come, _SUMMONS).refused(refusals.AttendanceAskedError)
    early = _SUMMONS.model_copy(update={"sent_on": date(2026, 8, 19)})
    given(fold, A2, REGISTERED, NO_OPINION).when(decisions.ask_to_come, early).refused(refusals.DateOrderError)


@pytest.mark.shows("D5.3")
def test_who_was_asked_comes_gets_an_opinion_and_then_a_recommendation() -> None:
    given(fold, *_ASKED).when(ACTS["attended"]).then(New(facts=PupilAttended(on=date(2026, 10, 5))))
    given(fold, A2, REGISTERED, NO_OPINION).when(ACTS["attended"]).refused(refusals.AttendanceNotAskedError)
    given(fold, *_CAME).when(ACTS["attended"]).refused(refusals.AttendanceOverError)
    given(fold, *_ASKED).when(ACTS["issue-opinion"]).refused(refusals.NotAttendedError)
    given(fold, *_CAME).when(ACTS["recommend"]).refused(refusals.OpinionNotValidError)
    opinion = OpinionIssued(on=date(2026, 10, 5), until=None)
    given(fold, *_CAME).when(ACTS["issue-opinion"]).then(New(facts=opinion))
    given(fold, *_CAME, opinion).when(ACTS["issue-opinion"]).refused(refusals.OpinionIssuedError)
    assert ACTS["recommend"](case_after(*_CAME, opinion))


@pytest.mark.shows("D5.4")
def test_a_recommendation_rests_on_the_opinion_that_is_valid_on_its_day() -> None:
    opinion = OpinionIssued(on=date(2026, 8, 25), until=date(2026, 10, 4))
    given(fold, *_CAME, opinion).when(ACTS["recommend"]).refused(refusals.OpinionNotValidError)
    last = replace(opinion, until=date(2026, 10, 5))
    assert ACTS["recommend"](case_after(*_CAME, last))
    early = RecommendationInput(number="I-1", text="Ieteikums", issued_on=date(2026, 8, 24), valid_from=date(2026, 8, 24))
    given(fold, *_CAME, last).when(decisions.issue_recommendation, early).refused(refusals.DateOrderError)


def test_an_opinion_that_is_issued_here_begins_a_file_that_was_not_there() -> None:
    nowhere = replace(NO_OPINION, file_found=False)
    came = (A2, REGISTERED, nowhere, ASKED_TO_COME, PupilAttended(on=date(2026, 8, 24)))
    given(fold, *came).when(ACTS["recommend"]).refused(refusals.NoFileError)
    assert ACTS["recommend"](case_after(*came, OpinionIssued(on=date(2026, 8, 25), until=None)))


def test_days_of_attendance_do_not_lie_before_the_letter() -> None:
    early = OpinionInput(on=date(2026, 8, 20))
    given(fold, *_CAME).when(decisions.issue_opinion, early).refused(refusals.DateOrderError)
    lapse = LapseInput(on=date(2026, 8, 20))
    given(fold, *_ASKED).when(decisions.note_lapse, lapse).refused(refusals.DateOrderError)


@pytest.mark.shows("D5.3")
def test_who_does_not_come_is_not_assessed_and_the_school_learns_only_that_nothing_will_come() -> None:
    """Domain D.3: AttendanceRequired to Closed."""
    lapsed = New(facts=AttendanceLapsed(on=date(2026, 10, 5)))
    told = New(facts=RequestClosed(basis=BEFORE), in_reply_to=body(1))
    closed = New(facts=AssessmentClosed(cause=AssessmentCause.ATTENDANCE_LAPSED))
    given(fold, *_ASKED).when(ACTS["attendance-lapsed"]).then(lapsed, closed, told)
    given(fold, *_LAPSED).when(ACTS["attendance-lapsed"]).refused(refusals.AttendanceOverError)
    assert case_after(*STORIES["Closed, attendance lapsed"]).state is CommissionState.CLOSED


@pytest.mark.shows("D5.14")
def test_a_school_that_has_its_answer_hears_nothing_of_a_summons_after_the_refusal_was_set_aside() -> None:
    """E09: it would refuse what it does not wait for; the corrected answer is what it is told next."""
    aside = (*STORIES["SetAside"], replace(NO_OPINION, examined_on=date(2026, 9, 22)))
    asked = AttendanceInput(sent_on=date(2026, 9, 23), letter="Lūdzam ierasties")
    summons = AttendanceRequested(sent_on=date(2026, 9, 23))
    personal = AttendanceRequestedPersonal(letter="Lūdzam ierasties")
    given(fold, *aside).when(decisions.ask_to_come, asked).then(New(facts=summons, personal=personal))
    lapsed = AttendanceLapsed(on=date(2026, 9, 30))
    closed = AssessmentClosed(cause=AssessmentCause.ATTENDANCE_LAPSED)
    when = given(fold, *aside, summons).when(decisions.note_lapse, LapseInput(on=date(2026, 9, 30)))
    when.then(New(facts=lapsed), New(facts=closed))


_ENDED = OpinionIssued(on=date(2026, 8, 25), until=date(2026, 9, 10))
_EXAMINED_ANEW = date(2026, 9, 22)


def _set_aside(*seen: object) -> tuple[object, ...]:
    """Return a history in which a refusal after a summons and a short opinion was set aside."""
    came = (A2, REGISTERED, NO_OPINION, ASKED_TO_COME, PupilAttended(on=date(2026, 8, 24)), _ENDED, REFUSED)
    return (*came, RefusalContested(on=date(2026, 9, 7)), RefusalSetAside(on=date(2026, 9, 21)), *seen)


@pytest.mark.shows("D5.4", "D5.14")
def test_an_opinion_that_has_ended_says_nothing_against_the_one_in_the_file() -> None:
    """E09, decided anew: the file shows a newer opinion by now."""
    anew = _set_aside(replace(EXAMINED, examined_on=_EXAMINED_ANEW))
    assert ACTS["recommend"](case_after(*anew))
    without = _set_aside(replace(NO_OPINION, examined_on=_EXAMINED_ANEW))
    given(fold, *without).when(ACTS["recommend"]).refused(refusals.OpinionNotValidError)
    form = RefusalInput(issued_on=date(2026, 10, 5), grounds=(RefusalGround.OPINION_EXPIRED,), text="Pamatojums")
    assert decisions.refuse_recommendation(case_after(*without), form)
    given(fold, *anew).when(decisions.refuse_recommendation, form).refused(refusals.GroundNotShownError)


@pytest.mark.shows("D5.3", "D5.14")
def test_after_a_refusal_was_set_aside_the_pupil_is_asked_to_come_again_and_gets_a_new_opinion() -> None:
    anew = _set_aside(replace(NO_OPINION, examined_on=_EXAMINED_ANEW))
    asked = AttendanceInput(sent_on=date(2026, 9, 23), letter="Lūdzam ierasties")
    summons = AttendanceRequested(sent_on=date(2026, 9, 23))
    assert decisions.ask_to_come(case_after(*anew), asked)
    assert case_after(*anew, summons).attendance is not None
    came = (*anew, summons, PupilAttended(on=date(2026, 9, 30)))
    opinion = OpinionIssued(on=date(2026, 10, 5), until=None)
    given(fold, *came).when(ACTS["issue-opinion"]).then(New(facts=opinion))
    assert ACTS["recommend"](case_after(*came, opinion))


def test_the_pupil_is_asked_again_where_the_opinion_has_ended_before_anything_was_decided() -> None:
    ended = (*_CAME, _ENDED)
    given(fold, *ended).when(decisions.ask_to_come, _SUMMONS).refused(refusals.AttendanceAskedError)
    asked = AttendanceInput(sent_on=date(2026, 9, 23), letter="Lūdzam ierasties")
    assert decisions.ask_to_come(case_after(*ended, replace(NO_OPINION, examined_on=_EXAMINED_ANEW)), asked)


def test_or_the_recommendation_is_refused_on_that_ground() -> None:
    lapse = LapseInput(on=date(2026, 10, 5), close=False)
    given(fold, *_ASKED).when(decisions.note_lapse, lapse).then(New(facts=AttendanceLapsed(on=date(2026, 10, 5))))
    ground = RefusalGround.ATTENDANCE_LAPSED
    form = RefusalInput(issued_on=date(2026, 10, 5), grounds=(ground,), text="Pamatojums")
    (refused,) = decisions.refuse_recommendation(case_after(*_LAPSED), form)
    assert refused.facts == RecommendationRefused(issued_on=date(2026, 10, 5), grounds=(ground,))
    given(fold, *_ASKED).when(decisions.refuse_recommendation, form).refused(refusals.GroundNotShownError)
    assert case_after(*_LAPSED).state is CommissionState.FILE_CHECKED


@pytest.mark.parametrize(
    ("ground", "examined"), [(RefusalGround.OPINION_MISSING, NO_OPINION), (RefusalGround.OPINION_EXPIRED, EXPIRED_OPINION)]
)
def test_an_opinion_that_was_issued_since_is_neither_missing_nor_expired(ground: RefusalGround, examined: object) -> None:
    form = RefusalInput(issued_on=date(2026, 10, 5), grounds=(ground,), text="Pamatojums")
    came = (A2, REGISTERED, examined, ASKED_TO_COME, PupilAttended(on=date(2026, 8, 24)))
    issued = (*came, OpinionIssued(on=date(2026, 8, 25), until=None))
    given(fold, *issued).when(decisions.refuse_recommendation, form).refused(refusals.GroundNotShownError)


def test_attendance_without_a_summons_means_nothing() -> None:
    """A history that another release wrote stays loadable."""
    case = case_after(A2, REGISTERED, NO_OPINION, PupilAttended(on=date(2026, 8, 24)), AttendanceLapsed(on=date(2026, 8, 24)))
    assert case == case_after(A2, REGISTERED, NO_OPINION)


def test_after_a_correction_the_same_finding_is_recorded_again() -> None:
    """It is about somebody else, or confirmed."""
    form = ExaminationInput(file_found=True, opinion=Opinion.VALID, opinion_until=date(2028, 2, 3), examined_on=date(2026, 8, 20))
    given(fold, A2, REGISTERED, EXAMINED).when(decisions.examine_file, form).refused(refusals.ExaminedAlreadyError)
    given(fold, A2, REGISTERED, EXAMINED, CORRECTED_CODE).when(decisions.examine_file, form).then(New(facts=EXAMINED))


@pytest.mark.shows("A4.2", "A4.3", "A4.4")
@pytest.mark.parametrize("kind", [IrpKind.SOCIAL_REHABILITATION, IrpKind.DISABILITY])
def test_a_plan_of_either_kind_is_issued(kind: IrpKind) -> None:
    form = FORMS["issue-irp"].model_copy(update={"kind": kind})
    (issued,) = decisions.issue_irp(case_after(B2, replace(REGISTERED, asks=Asks.IRP_AND_RECOMMENDATION), EXAMINED), form)
    assert issued.facts == IrpIssued(kind=kind, issued_on=date(2026, 10, 5), indicates_need=True)


_DOMAIN = CommissionDomain()


def _due(*events: object) -> dict[str, date]:
    return {each.name: each.due_on for each in _DOMAIN.row(given(fold, *events).history).deadlines}


@pytest.mark.shows("A5.3", "D5.3", "D5.4")
def test_until_when_a_pupil_is_waited_for_stands_in_the_due_list_and_is_the_commissions_own_term() -> None:
    """Neither guidance nor law names a day: a month from the letter, moved to a working day where it ends on another."""
    assert "commission's own" in terms()[TermName.ATTENDANCE][0].source
    assert _due(*_ASKED)["Attendance"] == date(2026, 9, 21)
    # The letter of 18.10.2026: a month later is the holiday, and the next day is worked.
    late = (A2, REGISTERED, replace(NO_OPINION, examined_on=date(2026, 10, 18)), AttendanceRequested(sent_on=date(2026, 10, 18)))
    assert _due(*late)["Attendance"] == date(2026, 11, 19)
    # The last day of a month that has no such day in the next one; and the turn of the year.
    assert _due(*late[:3], AttendanceRequested(sent_on=date(2027, 1, 31)))["Attendance"] == date(2027, 3, 1)
    assert _due(*late[:3], AttendanceRequested(sent_on=date(2026, 12, 1)))["Attendance"] == date(2027, 1, 4)


@pytest.mark.shows("D5.3", "D5.15")
def test_that_the_day_of_attendance_has_passed_is_recorded_once_and_refuses_nothing() -> None:
    history = given(fold, *_ASKED).history
    passed = New(facts=DeadlinePassed(deadline=DeadlineName.ATTENDANCE, due_on=date(2026, 9, 21)))
    assert _DOMAIN.fire(history, "Attendance") == (passed,)
    after = given(fold, *_ASKED, passed.facts)
    assert _DOMAIN.fire(after.history, "Attendance") == ()
    assert after.case.state is CommissionState.ATTENDANCE_REQUIRED
    outlook = _DOMAIN.outlook(after.history, date(2026, 9, 22))
    assert (
        "that day has passed, and nothing follows by itself: record that the pupil came, or did not, or wait on"
        in outlook.missing
    )
    assert {"attended", "attendance-lapsed"} <= {each.act for each in outlook.allowed}
    # Whoever comes late is welcome.
    assert ACTS["attended"](after.case)


@pytest.mark.shows("D5.3", "D5.7")
@pytest.mark.parametrize("then", [_CAME[-1], _LAPSED[-1], WITHDRAWN, REFUSED, CLOSED])
def test_nobody_is_waited_for_any_more_who_came_or_did_not_or_in_a_case_that_is_over(then: object) -> None:
    assert "Attendance" in _due(*_ASKED)
    assert "Attendance" not in _due(*_ASKED, then)
