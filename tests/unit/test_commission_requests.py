"""Taking up a school's request: returning it, not finding the pupil, linking it, more time, and closing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.commission.domain import decisions, refusals
from services.commission.domain.applying import fold
from services.commission.domain.linking import seen_with
from services.commission.domain.parts import CommissionState
from services.commission.input import ClosingInput, ExtensionInput, ReturnInput
from services.post.history import BEFORE, New
from services.wire.events import (
    Answer,
    Asks,
    AssessmentCause,
    AssessmentClosed,
    AssessmentLinked,
    ConfirmationGiven,
    ExtensionCause,
    IdentityNotMatched,
    RequestClosed,
    RequestReturned,
    ReturnGround,
    TermExtended,
)
from tests.commission_stories import (
    A2,
    ACTS,
    ANSWERED,
    B2,
    CLOSED,
    CORRECTED_CODE,
    DIRECT,
    DISPATCHED,
    EXAMINED,
    FORMS,
    HOLD,
    ISSUED,
    PRIMARY,
    REFUSED,
    REGISTERED,
    STORIES,
    WITHDRAWN,
    case_after,
    fold_with,
)
from tests.given_when_then import Told, body, given, received
from tests.people import REQUESTED_A2

_TAKEN = (A2, REGISTERED)
_NOT_FOUND = (*_TAKEN, IdentityNotMatched(basis=body(2)))


def _closing(cause: AssessmentCause, *events: object) -> object:
    return given(fold, *events).when(decisions.close_assessment, ClosingInput(cause=cause))


@pytest.mark.shows("D5.26")
def test_a_request_that_cannot_be_taken_up_is_returned_with_its_grounds() -> None:
    form = ReturnInput(grounds=(ReturnGround.NOT_LATVIAN, ReturnGround.NO_APPLICATION_COPY))
    told = New(facts=RequestReturned(grounds=form.grounds, basis=body(2)), in_reply_to=body(1))
    closed = New(facts=AssessmentClosed(cause=AssessmentCause.RETURNED))
    given(fold, *_TAKEN).when(decisions.return_request, form).then(told, closed)
    given(fold, A2).when(decisions.return_request, form).refused(refusals.NotRegisteredError)
    given(fold, *ANSWERED).when(decisions.return_request, form).refused(refusals.AlreadyAnsweredError)
    given(fold, *STORIES["Prepared"]).when(decisions.return_request, form).refused(refusals.AlreadyDecidedError)


@pytest.mark.shows("D5.10")
def test_a_school_is_told_once_that_nobody_was_found_and_nothing_more() -> None:
    """No fishing by name: until the school has corrected it, nothing is examined."""
    told = New(facts=IdentityNotMatched(basis=body(2)), in_reply_to=body(1))
    given(fold, *_TAKEN).when(decisions.say_not_matched).then(told)
    given(fold, *_NOT_FOUND).when(decisions.say_not_matched).refused(refusals.NotMatchedAlreadyError)
    given(fold, *_NOT_FOUND).when(ACTS["examine"]).refused(refusals.NotIdentifiedError)
    given(fold, A2).when(decisions.say_not_matched).refused(refusals.NotRegisteredError)


@pytest.mark.shows("D5.10", "I8")
def test_word_that_nobody_was_found_by_a_correction_answers_the_correction() -> None:
    again = New(facts=IdentityNotMatched(basis=body(2)), in_reply_to=body(4))
    given(fold, *_NOT_FOUND, CORRECTED_CODE).when(decisions.say_not_matched).then(again)


@pytest.mark.shows("D5.9", "D5.10")
def test_a_corrected_code_brings_the_request_back_to_the_register() -> None:
    """Domain E16: the same assessment goes on."""
    case = case_after(*_NOT_FOUND, CORRECTED_CODE)
    assert case.state is CommissionState.REGISTERED
    assert ACTS["examine"](case)
    assert case_after(*_NOT_FOUND, CORRECTED_CODE, EXAMINED).state is CommissionState.FILE_CHECKED


@pytest.mark.shows("D5.6")
def test_two_requests_about_one_pupil_have_one_assessment() -> None:
    """Domain E13: the later case is linked to the earlier, and only the earlier is assessed and sent."""
    primary = case_after(*PRIMARY)
    linked = New(facts=AssessmentLinked(primary=body(1)))
    given(fold, *_TAKEN).when(decisions.link_assessment, primary=primary).then(linked)
    case = (*_TAKEN, AssessmentLinked(primary=body(1)))
    given(fold, *case).when(ACTS["examine"]).refused(refusals.LinkedError)
    given(fold, *case).when(ACTS["dispatch"]).refused(refusals.LinkedError)
    given(fold, *case).when(decisions.link_assessment, primary=primary).refused(refusals.LinkedAlreadyError)


@pytest.mark.shows("D5.6", "I4")
def test_the_answer_of_a_linked_case_rests_on_the_outcome_of_the_earlier() -> None:
    case, primary = (*_TAKEN, AssessmentLinked(primary=body(1))), case_after(*PRIMARY, ISSUED)
    (told,) = decisions.answer(seen_with(case_after(*case), primary), FORMS["answer"])
    assert told.facts == ConfirmationGiven(answer=Answer.YES, wording=1, basis=body(4))
    given(fold_with(*PRIMARY), *case).when(ACTS["answer"]).refused(refusals.NothingToAnswerError)
    given(fold, *case).when(ACTS["answer"]).refused(refusals.NothingToAnswerError)
    # D.5, 6: answers only to requests still open.
    given(fold_with(*PRIMARY, ISSUED), *case, WITHDRAWN).when(ACTS["answer"]).refused(refusals.WithdrawnError)
    given(fold_with(*PRIMARY, ISSUED), *case, told.facts).when(ACTS["answer"]).refused(refusals.AlreadyAnsweredError)


@pytest.mark.parametrize(
    "primary",
    [
        (A2,),
        (A2, replace(REGISTERED, received_on=date(2026, 8, 20))),
        (*_TAKEN, AssessmentLinked(primary=body(9))),
        STORIES["Withdrawn"],
        STORIES["Closed, attendance lapsed"],
        STORIES["Revoked"],
    ],
)
def test_only_the_earlier_case_that_is_still_assessed_is_linked_to(primary: tuple[object, ...]) -> None:
    given(fold, *_TAKEN).when(decisions.link_assessment, primary=case_after(*primary)).refused(refusals.LinkOrderError)


@pytest.mark.shows("D5.6", "D5.10")
@pytest.mark.parametrize("decided", [ISSUED, REFUSED])
def test_who_was_not_found_first_is_linked_to_the_later_case_that_was_decided_meanwhile(decided: object) -> None:
    """E13 and E16: the code was mistyped; else the corrected request would end in a second recommendation."""
    later = (A2, replace(REGISTERED, received_on=date(2026, 8, 20)), EXAMINED)
    corrected = (*_NOT_FOUND, CORRECTED_CODE)
    given(fold, *corrected).when(decisions.link_assessment, primary=case_after(*later)).refused(refusals.LinkOrderError)
    told = decisions.link_assessment(case_after(*corrected), primary=case_after(*later, decided))
    assert told == (New(facts=AssessmentLinked(primary=body(1))),)


def test_an_earlier_case_whose_recommendation_holds_is_linked_to_although_it_is_closed() -> None:
    assert decisions.link_assessment(case_after(*_TAKEN), primary=case_after(*ANSWERED, CLOSED))


def test_b2_is_not_linked_to_an_assessment_without_a_plan() -> None:
    later = (B2, replace(REGISTERED, asks=Asks.IRP_AND_RECOMMENDATION))
    given(fold, *later).when(decisions.link_assessment, primary=case_after(*PRIMARY)).refused(refusals.LinkAsksError)


def test_the_term_is_extended_to_four_months_from_receipt_at_most() -> None:
    """Domain section 1, commission: term (APL section 64)."""
    longest = ExtensionInput(until=date(2026, 12, 19), cause=ExtensionCause.DOCUMENTS_AWAITED)
    extended = New(facts=TermExtended(until=longest.until, cause=longest.cause))
    given(fold, *_TAKEN).when(decisions.extend_term, longest).then(extended)
    given(fold, *_TAKEN, extended.facts).when(decisions.extend_term, longest).refused(refusals.TermNotLongerError)
    too_long = longest.model_copy(update={"until": date(2026, 12, 20)})
    given(fold, *_TAKEN).when(decisions.extend_term, too_long).refused(refusals.TermTooLongError)
    # One month from Wednesday 19 August ends on Saturday 19 September, so on the Monday after it.
    same = longest.model_copy(update={"until": date(2026, 9, 21)})
    given(fold, *_TAKEN).when(decisions.extend_term, same).refused(refusals.TermNotLongerError)
    given(fold, *ANSWERED).when(decisions.extend_term, longest).refused(refusals.TermNotRunningError)
    given(fold, *_TAKEN, WITHDRAWN).when(decisions.extend_term, longest).refused(refusals.WithdrawnError)


def test_an_answered_case_is_closed_when_everything_was_sent() -> None:
    closed = New(facts=AssessmentClosed(cause=AssessmentCause.ANSWERED))
    given(fold, *ANSWERED).when(decisions.close_assessment, ClosingInput(cause=AssessmentCause.ANSWERED)).then(closed)
    given(fold, *STORIES["Answered, not sent"]).when(
        decisions.close_assessment, ClosingInput(cause=AssessmentCause.ANSWERED)
    ).refused(refusals.NotSentError)
    given(fold, *ANSWERED, closed.facts).when(decisions.close_assessment, ClosingInput(cause=AssessmentCause.ANSWERED)).refused(
        refusals.ClosedError
    )


@pytest.mark.shows("D5.7")
def test_a_withdrawn_request_is_closed_and_the_school_told_so_unless_it_was_answered() -> None:
    """Domain E14: what was issued stays valid, and is sent before."""
    closing = ClosingInput(cause=AssessmentCause.WITHDRAWN)
    closed = New(facts=AssessmentClosed(cause=AssessmentCause.WITHDRAWN))
    told = New(facts=RequestClosed(basis=BEFORE), in_reply_to=body(1))
    given(fold, *_TAKEN, WITHDRAWN).when(decisions.close_assessment, closing).then(closed, told)
    given(fold, *DISPATCHED, WITHDRAWN).when(decisions.close_assessment, closing).then(closed, told)
    given(fold, *STORIES["Withdrawn, prepared"]).when(decisions.close_assessment, closing).refused(refusals.NotSentError)
    given(fold, *ANSWERED, WITHDRAWN).when(decisions.close_assessment, closing).refused(refusals.CloseCauseError)
    assert case_after(*ANSWERED, WITHDRAWN).state is CommissionState.ANSWERED


@pytest.mark.shows("D5.7")
def test_a_request_withdrawn_after_its_refusal_was_set_aside_is_closed_without_a_new_decision() -> None:
    """Nobody waits for what would take the refusal's place; the school has its no, and hears nothing more."""
    closing = ClosingInput(cause=AssessmentCause.WITHDRAWN)
    closed = New(facts=AssessmentClosed(cause=AssessmentCause.WITHDRAWN))
    aside = (*STORIES["SetAside"], WITHDRAWN)
    given(fold, *aside).when(decisions.close_assessment, closing).then(closed)
    assert case_after(*aside, closed.facts).state is CommissionState.CLOSED


@pytest.mark.shows("D5.7", "D5.19")
def test_a_withdrawn_request_is_closed_though_what_was_issued_is_held() -> None:
    """The school has ended its case: from there nobody says any more where to send it."""
    closing = ClosingInput(cause=AssessmentCause.WITHDRAWN)
    given(fold, *STORIES["Prepared"], HOLD).when(ACTS["dispatch"]).refused(refusals.DispatchOnHoldError)
    held = (*STORIES["Withdrawn, prepared"], HOLD)
    closed = New(facts=AssessmentClosed(cause=AssessmentCause.WITHDRAWN))
    given(fold, *held).when(decisions.close_assessment, closing).then(
        closed, New(facts=RequestClosed(basis=BEFORE), in_reply_to=body(1))
    )


@pytest.mark.shows("D5.6")
def test_a_direct_application_that_is_linked_is_closed_for_its_documents_go_out_with_the_earlier_case() -> None:
    linked = (DIRECT, AssessmentLinked(primary=body(99)))
    closing = ClosingInput(cause=AssessmentCause.DISPATCHED)
    given(fold, *linked).when(decisions.close_assessment, closing).then(
        New(facts=AssessmentClosed(cause=AssessmentCause.DISPATCHED))
    )


@pytest.mark.shows("D5.7")
def test_nothing_is_decided_on_a_withdrawn_request_but_what_was_issued_is_still_sent() -> None:
    given(fold, *_TAKEN, WITHDRAWN).when(ACTS["examine"]).refused(refusals.WithdrawnError)
    given(fold, *STORIES["Withdrawn, prepared"]).when(ACTS["answer"]).refused(refusals.WithdrawnError)
    assert ACTS["dispatch"](case_after(*STORIES["Withdrawn, prepared"]))


@pytest.mark.shows("D5.10")
def test_nobody_is_found_also_after_a_file_was_examined_that_turned_out_to_be_anothers() -> None:
    case = case_after(*_TAKEN, EXAMINED, IdentityNotMatched(basis=body(2)))
    assert case.state is CommissionState.IDENTITY_NOT_MATCHED
    assert case_after(*_TAKEN, EXAMINED, IdentityNotMatched(basis=body(2)), CORRECTED_CODE).state is CommissionState.FILE_CHECKED


def test_a_later_request_is_registered_before_an_earlier_recommendation_answers_it() -> None:
    anew = (*DISPATCHED, WITHDRAWN, A2)
    assert case_after(*anew).state is CommissionState.RECEIVED
    given(fold, *anew).when(ACTS["answer"]).refused(refusals.NotRegisteredError)
    assert ACTS["answer"](case_after(*anew, REGISTERED))


def test_a_case_is_closed_when_nobody_was_found() -> None:
    closed = New(facts=AssessmentClosed(cause=AssessmentCause.NOT_IDENTIFIED))
    told = New(facts=RequestClosed(basis=BEFORE), in_reply_to=body(1))
    closing = ClosingInput(cause=AssessmentCause.NOT_IDENTIFIED)
    given(fold, *_NOT_FOUND).when(decisions.close_assessment, closing).then(closed, told)


@pytest.mark.shows("D5.30")
def test_a_death_closes_whatever_was_under_way_and_stops_all_letters() -> None:
    closing = ClosingInput(cause=AssessmentCause.DIED)
    closed = New(facts=AssessmentClosed(cause=AssessmentCause.DIED))
    told = New(facts=RequestClosed(basis=BEFORE), in_reply_to=body(1))
    given(fold, *STORIES["Prepared"]).when(decisions.close_assessment, closing).then(closed, told)
    given(fold, *STORIES["Prepared"], closed.facts).when(ACTS["dispatch"]).refused(refusals.ClosedError)
    given(fold, *STORIES["Dispatched, not arrived"], closed.facts).when(ACTS["redispatch"]).refused(refusals.ClosedError)
    # A refusal set aside would begin again what its school was told is over.
    given(fold, *STORIES["Refused"], closed.facts).when(ACTS["contest"]).refused(refusals.ClosedError)
    given(fold, *STORIES["Refused"], closed.facts).when(ACTS["correct-recommendation"]).refused(refusals.ClosedError)


@pytest.mark.parametrize("story", ["Contested", "SetAside"])
def test_a_case_is_not_closed_while_its_refusal_is_contested(story: str) -> None:
    refusal = refusals.ContestedError if story == "Contested" else refusals.CloseCauseError
    closing = ClosingInput(cause=AssessmentCause.ANSWERED)
    given(fold, *STORIES[story]).when(decisions.close_assessment, closing).refused(refusal)


@pytest.mark.shows("I3")
@pytest.mark.parametrize("story", ["Returned", "Closed, attendance lapsed", "IdentityNotMatched", "Withdrawn"])
def test_a_school_asks_anew_and_the_case_begins_anew(story: str) -> None:
    case = case_after(*STORIES[story], A2)
    assert case.state is CommissionState.RECEIVED
    assert case.registered is None
    assert not case.is_request_over
    assert case.first == body(1)
    given(fold, *STORIES[story], A2).when(ACTS["register"]).then(*ACTS["register"](case_after(A2)))


@pytest.mark.shows("D5.7")
def test_a_recommendation_that_was_issued_before_a_withdrawal_answers_the_next_request() -> None:
    """It stays valid for the pupil: there is no second one."""
    again = (*DISPATCHED, WITHDRAWN, received(REQUESTED_A2), REGISTERED)
    (told,) = ACTS["answer"](case_after(*again))
    assert told.facts.basis == body(4)
    assert told.in_reply_to == body(7)
    given(fold, *again).when(ACTS["recommend"]).refused(refusals.AlreadyDecidedError)
    given(fold, *again).when(ACTS["dispatch"]).refused(refusals.AlreadyDispatchedError)
    refused = case_after(A2, REGISTERED, EXAMINED, REFUSED, WITHDRAWN, received(REQUESTED_A2))
    assert refused.outcome is None


def test_an_event_of_no_meaning_leaves_the_case_as_it_is() -> None:
    assert replace(case_after(Told(facts=object())), first=None, named_by=None) == case_after()
