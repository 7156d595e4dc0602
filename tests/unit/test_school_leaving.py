"""How a case ends without a service: withdrawal, another school, departure, death; and what the commission is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.post.history import BEFORE, New
from services.school.domain import refusals, refusals_changing, refusals_deciding
from services.school.domain.case import fold
from services.school.domain.deciding import notify
from services.school.domain.leaving import leave_school, withdraw_application
from services.school.domain.parts import SchoolState
from services.school.domain.receiving import SchoolDomain
from services.school.input import LeavingForm, NotificationInput, WithdrawalForm
from services.wire.events import (
    Answer,
    ApplicationWithdrawn,
    ApplicationWithdrawnPersonal,
    CaseClosed,
    ClosingCause,
    ConfirmationGiven,
    LeavingCause,
    PupilLeftSchool,
    Rejected,
    RejectedCode,
    RequestClosed,
    RequestReturned,
    RequestWithdrawn,
    ReturnGround,
    ServiceCause,
    ServiceEnded,
    ServiceEndedPersonal,
)
from tests.given_when_then import Told, body, given, received
from tests.people import ADDRESS_CHOSEN, CONSENT, FILED_A2, HOME
from tests.serving import ACTIVE, ASKED, GRANTED, REFUSED, form_of

_WITHDRAWN = ApplicationWithdrawn(received_on=date(2026, 8, 27))
_STEPPED_BACK = New(facts=_WITHDRAWN, personal=ApplicationWithdrawnPersonal(by="Andris Izdomenieks"))
_TAKEN_BACK = New(facts=RequestWithdrawn(basis=BEFORE), in_reply_to=body(4))
_YES = ConfirmationGiven(answer=Answer.YES, wording=1, basis=body(99))
_TOLD = RequestWithdrawn(basis=body(5))


def withdrawal(on: str = "2026-08-27") -> WithdrawalForm:
    return form_of(WithdrawalForm, {"received_on": on, "by": "Andris Izdomenieks"})


def leaving(cause: str = "Transferred", on: str = "2026-09-07") -> LeavingForm:
    return form_of(LeavingForm, {"on": on, "cause": cause})


def left(cause: LeavingCause, on: date = date(2026, 9, 7)) -> New:
    return New(facts=PupilLeftSchool(on=on, cause=cause))


@pytest.mark.shows("D5.7")
@pytest.mark.parametrize("events", [(FILED_A2,), (FILED_A2, CONSENT, ADDRESS_CHOSEN)])
def test_before_the_request_a_withdrawal_is_for_the_school_alone(events: Any) -> None:
    told = given(fold, *events)
    told.when(withdraw_application, withdrawal()).then(_STEPPED_BACK)
    assert given(fold, *events, _WITHDRAWN).case.state is SchoolState.WITHDRAWN


@pytest.mark.shows("D5.7")
def test_after_the_request_the_commission_is_told_on_the_basis_of_the_withdrawal() -> None:
    given(fold, *ASKED).when(withdraw_application, withdrawal()).then(_STEPPED_BACK, _TAKEN_BACK)


@pytest.mark.shows("D5.7")
@pytest.mark.parametrize("events", [GRANTED[:5], GRANTED])
def test_a_withdrawal_after_the_answer_or_the_grant_is_told_too(events: Any) -> None:
    given(fold, *events).when(withdraw_application, withdrawal("2026-09-01")).then(
        replace(_STEPPED_BACK, facts=ApplicationWithdrawn(received_on=date(2026, 9, 1))), _TAKEN_BACK
    )


@pytest.mark.shows("D5.7")
def test_an_answer_after_the_withdrawal_is_kept_and_changes_nothing() -> None:
    """E14."""
    case = given(fold, *ASKED, _WITHDRAWN, _TOLD, received(_YES, answers=4)).case
    assert case.state is SchoolState.WITHDRAWN
    assert case.request is not None
    assert case.request.answer is Answer.YES


@pytest.mark.parametrize(
    "ended",
    [
        received(Rejected(code=RejectedCode.UNREADABLE), answers=4),
        received(RequestReturned(grounds=(ReturnGround.UNSIGNED,), basis=body(98)), answers=4),
    ],
)
def test_a_request_that_the_commission_does_not_hold_is_not_taken_back(ended: object) -> None:
    given(fold, *ASKED, ended).when(withdraw_application, withdrawal()).then(_STEPPED_BACK)


def test_a_request_that_was_taken_back_is_not_taken_back_again() -> None:
    """An earlier consent withdrawn, or whatever else may take a request back without ending the case."""
    taken_back = replace(_TOLD, basis=body(2))
    told = given(fold, *ASKED, _answering(taken_back))
    told.when(withdraw_application, withdrawal()).then(_STEPPED_BACK)


def _answering(facts: object) -> Any:  # a Told
    return replace(received(facts, answers=4), own=True)


@pytest.mark.shows("D5.7")
def test_a_case_is_withdrawn_once() -> None:
    given(fold, FILED_A2, _WITHDRAWN).when(withdraw_application, withdrawal()).refused(refusals.CaseEndedError, "Withdrawn")
    given(fold).when(withdraw_application, withdrawal()).refused(refusals.NoApplicationError)


def test_nothing_is_withdrawn_before_it_was_filed_nor_once_it_is_refused_or_agreed_on() -> None:
    given(fold, FILED_A2).when(withdraw_application, withdrawal("2026-08-16")).refused(
        refusals_changing.WithdrawnBeforeFiledError
    )
    given(fold, *GRANTED[:5], REFUSED).when(withdraw_application, withdrawal()).refused(refusals_changing.RefusedAlreadyError)
    given(fold, *ACTIVE).when(withdraw_application, withdrawal()).refused(refusals_changing.ServiceRunsError)


@pytest.mark.shows("D5.8")
def test_a_pupil_who_changes_school_before_the_decision_takes_the_request_back() -> None:
    given(fold, *ASKED).when(leave_school, leaving()).then(left(LeavingCause.TRANSFERRED), _TAKEN_BACK)
    given(fold, FILED_A2).when(leave_school, leaving()).then(left(LeavingCause.TRANSFERRED))
    case = given(fold, *ASKED, PupilLeftSchool(on=date(2026, 9, 7), cause=LeavingCause.TRANSFERRED), _TOLD).case
    assert case.state is SchoolState.TRANSFERRED


@pytest.mark.shows("D5.8")
def test_a_pupil_who_changes_school_during_the_service_ends_it_and_nothing_is_forwarded() -> None:
    ended = ServiceEnded(on=date(2026, 9, 7), cause=ServiceCause.PUPIL_LEFT_SCHOOL)
    given(fold, *ACTIVE).when(leave_school, leaving()).then(
        left(LeavingCause.TRANSFERRED), New(facts=ended, personal=ServiceEndedPersonal(note=None))
    )
    case = given(fold, *ACTIVE, PupilLeftSchool(on=date(2026, 9, 7), cause=LeavingCause.TRANSFERRED), ended).case
    assert case.state is SchoolState.ENDED


@pytest.mark.shows("D5.30")
@pytest.mark.parametrize(
    ("cause", "closed", "ends"),
    [("Died", ClosingCause.DIED, ServiceCause.DIED), ("LeftCountry", ClosingCause.LEFT_COUNTRY, ServiceCause.PUPIL_LEFT_SCHOOL)],
)
def test_a_death_or_a_departure_closes_the_case_and_stops_all_letters(
    cause: str, closed: ClosingCause, ends: ServiceCause
) -> None:
    gone, close = left(LeavingCause(cause)), New(facts=CaseClosed(on=date(2026, 9, 7), cause=closed))
    given(fold, FILED_A2).when(leave_school, leaving(cause)).then(gone, close)
    given(fold, *ASKED).when(leave_school, leaving(cause)).then(gone, _TAKEN_BACK, close)
    end = New(facts=ServiceEnded(on=date(2026, 9, 7), cause=ends), personal=ServiceEndedPersonal(note=None))
    given(fold, *ACTIVE).when(leave_school, leaving(cause)).then(gone, _TAKEN_BACK, end, close)
    over = given(fold, *ASKED, gone.facts, _TOLD, close.facts)
    assert over.case.state is SchoolState.CLOSED
    over.when(leave_school, leaving(cause)).refused(refusals.CaseEndedError, "Closed")


@pytest.mark.shows("D5.30")
@pytest.mark.parametrize("cause", ["Finished", "Other"])
def test_any_other_leaving_is_recorded_as_what_it_is(cause: str) -> None:
    given(fold, FILED_A2).when(leave_school, leaving(cause)).then(left(LeavingCause(cause)))


def test_nobody_leaves_before_the_application() -> None:
    given(fold, FILED_A2).when(leave_school, leaving(on="2026-08-16")).refused(refusals_changing.LeftBeforeFiledError)


@pytest.mark.shows("D5.30")
@pytest.mark.parametrize("cause", ["Died", "LeftCountry"])
def test_of_a_death_or_a_departure_the_commission_is_asked_to_send_nothing_more(cause: str) -> None:
    """Also where it has answered, for its letters may still be on their way; held before the request is taken back."""
    for events in (ASKED, GRANTED):
        made = leave_school(given(fold, *events).case, leaving(cause), address=HOME)
        held, taken_back = made[1:3]
        assert (held.facts.dispatch_on_hold, held.personal.address, held.in_reply_to) == (True, HOME, body(4))
        assert taken_back == _TAKEN_BACK
    moved = leave_school(given(fold, *ASKED).case, leaving("Transferred"), address=HOME)
    assert [type(each.facts) for each in moved] == [PupilLeftSchool, RequestWithdrawn]


@pytest.mark.shows("D5.30")
@pytest.mark.parametrize("cause", [ClosingCause.DIED, ClosingCause.LEFT_COUNTRY])
def test_after_a_death_or_a_departure_no_decision_is_notified(cause: ClosingCause) -> None:
    sent = form_of(NotificationInput, {"by": "InPerson", "sent_on": "2026-09-10"})
    told = given(fold, *GRANTED, CaseClosed(on=date(2026, 9, 7), cause=cause))
    told.when(notify, sent).refused(refusals_deciding.NobodyToNotifyError)


@pytest.mark.shows("D5.30")
def test_after_a_death_the_school_still_takes_that_nothing_is_asked_any_more_and_it_is_no_letter() -> None:
    """The commission closes what was taken back, as after any withdrawal: a word between both, without a cause."""
    leave = leave_school(given(fold, *ASKED).case, leaving("Died"), address=HOME)
    over = (*ASKED, *(Told(facts=each.facts, answers=4 if each.in_reply_to else None) for each in leave))
    closing = received(RequestClosed(basis=body(97)), answers=4)
    history = given(fold, *over, closing).history
    assert SchoolDomain(lambda _: None).judge(history[:-1], history[-1]) is None
    case = given(fold, *over, closing).case
    assert (case.state, case.request and case.request.is_closed) == (SchoolState.CLOSED, True)
