"""What the commission may do on a school's request: register, examine, issue or refuse, send, answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.commission.domain import refusals
from services.commission.domain.applying import fold
from services.commission.domain.decisions import (
    answer,
    ask_to_come,
    dispatch_documents,
    examine_file,
    issue_irp,
    issue_recommendation,
    refuse_recommendation,
    register_request,
)
from services.commission.domain.outlook import outlook_of
from services.commission.input import (
    AnswerInput,
    AttendanceInput,
    DispatchInput,
    ExaminationInput,
    IrpInput,
    RecommendationInput,
    RefusalInput,
    RegistrationInput,
)
from services.policy.rules import RULES
from services.post.history import New
from services.wire.events import (
    AddressKind,
    Answer,
    Asks,
    ConfirmationGiven,
    ConfirmationGivenPersonal,
    Delivery,
    DocumentKind,
    DocumentsDispatched,
    DocumentsDispatchedPersonal,
    ExpertiseFileExamined,
    Intake,
    IrpIssued,
    IrpIssuedPersonal,
    IrpKind,
    Opinion,
    RecommendationIssued,
    RecommendationIssuedPersonal,
    RecommendationRefused,
    RecommendationRefusedPersonal,
    RefusalGround,
    Rejected,
    RejectedCode,
    RequestRegistered,
    RequestRegisteredPersonal,
    Source,
)
from services.wire.wordings import wording_of
from tests.commission_stories import CORRECTED_CODE
from tests.given_when_then import body, given, received
from tests.people import HOME, REQUESTED_A2, REQUESTED_B2

_A2 = received(REQUESTED_A2)
_B2 = received(REQUESTED_B2)
_REGISTERED = RequestRegistered(
    source=Source.SCHOOL, asks=Asks.RECOMMENDATION, intake=Intake.EXCHANGE, received_on=date(2026, 8, 19), parts=()
)
_EXAMINED = ExpertiseFileExamined(
    file_found=True, opinion=Opinion.VALID, opinion_until=date(2028, 2, 3), examined_on=date(2026, 8, 20)
)
_IRP = IrpIssued(kind=IrpKind.DISABILITY, issued_on=date(2026, 8, 25), indicates_need=True)
_ISSUED = RecommendationIssued(issued_on=date(2026, 8, 26), valid_from=date(2026, 8, 26), valid_until=None, parts=())
_REFUSED = RecommendationRefused(issued_on=date(2026, 8, 26), grounds=(RefusalGround.NEED_NOT_FOUND,))
_SENT = DocumentsDispatched(
    kinds=(DocumentKind.RECOMMENDATION,),
    by=Delivery.REGISTERED,
    address=AddressKind.HOME,
    address_from=body(1),
    sent_on=date(2026, 8, 27),
    notified_on=date(2026, 9, 3),
    duplicate=False,
)
_YES = ConfirmationGiven(answer=Answer.YES, wording=wording_of(Answer.YES), basis=body(4))

_REGISTRATION = RegistrationInput(register_number="R-17", received_on=date(2026, 8, 19))
_EXAMINATION = ExaminationInput(
    file_found=True, opinion=Opinion.VALID, opinion_until=date(2028, 2, 3), examined_on=date(2026, 8, 20)
)
_PLAN = IrpInput(number="P-1", text="Plāns", issued_on=date(2026, 8, 25), indicates_need=True)
_RECOMMENDATION = RecommendationInput(number="I-1", text="Ieteikums", issued_on=date(2026, 8, 26), valid_from=date(2026, 8, 26))
_REFUSAL = RefusalInput(issued_on=date(2026, 8, 26), grounds=(RefusalGround.NEED_NOT_FOUND,), text="Pamatojums")
_LETTER = DispatchInput(number="S-1", by=Delivery.REGISTERED, sent_on=date(2026, 8, 27))
_OFFICIAL = AnswerInput(official="Ilze Paraudziņa")

_PREPARED = (_A2, _REGISTERED, _EXAMINED, _ISSUED)


def send(*events: object, letter: DispatchInput = _LETTER) -> Any:  # a When of a commission's case
    return given(fold, *events).when(dispatch_documents, letter, RULES[0], address=HOME)


def reply(*events: object) -> Any:  # a When of a commission's case
    return given(fold, *events).when(answer, _OFFICIAL)


@pytest.mark.shows("A5.a2")
def test_request_is_registered_once_as_what_came_by_the_exchange() -> None:
    expected = New(facts=_REGISTERED, personal=RequestRegisteredPersonal(register_number="R-17"))
    given(fold, _A2).when(register_request, _REGISTRATION).then(expected)
    given(fold, _A2, _REGISTERED).when(register_request, _REGISTRATION).refused(refusals.AlreadyRegisteredError)


def test_wrong_clock_of_a_school_does_not_keep_its_request_out() -> None:
    ahead = received(REQUESTED_A2, recorded_on=date(2027, 1, 1))
    expected = New(facts=_REGISTERED, personal=RequestRegisteredPersonal(register_number="R-17"))
    given(fold, ahead).when(register_request, _REGISTRATION).then(expected)


@pytest.mark.parametrize(
    ("decide", "form"),
    [
        (register_request, _REGISTRATION),
        (examine_file, _EXAMINATION),
        (issue_irp, _PLAN),
        (issue_recommendation, _RECOMMENDATION),
        (refuse_recommendation, _REFUSAL),
        (answer, _OFFICIAL),
    ],
)
def test_nothing_is_done_without_a_request(decide: Any, form: object) -> None:  # any decision
    given(fold).when(decide, form).refused(refusals.NoRequestError)
    send().refused(refusals.NoRequestError)


def test_file_is_examined_after_registration_and_again_until_the_outcome() -> None:
    given(fold, _A2, _REGISTERED).when(examine_file, _EXAMINATION).then(New(facts=_EXAMINED))
    expired = replace(_EXAMINED, opinion=Opinion.EXPIRED)
    given(fold, _A2, _REGISTERED, expired).when(examine_file, _EXAMINATION).then(New(facts=_EXAMINED))
    given(fold, _A2).when(examine_file, _EXAMINATION).refused(refusals.NotRegisteredError)
    given(fold, *_PREPARED).when(examine_file, _EXAMINATION).refused(refusals.AlreadyDecidedError)


def test_an_examination_that_says_the_same_is_no_second_one() -> None:
    given(fold, _A2, _REGISTERED, _EXAMINED).when(examine_file, _EXAMINATION).refused(refusals.ExaminedAlreadyError)


def test_newest_examination_counts() -> None:
    expired = replace(_EXAMINED, opinion=Opinion.EXPIRED, opinion_until=None)
    history = (_A2, _REGISTERED, _EXAMINED, expired)
    given(fold, *history).when(issue_recommendation, _RECOMMENDATION).refused(refusals.OpinionNotValidError)


def test_file_is_not_examined_before_the_request_arrived() -> None:
    early = ExaminationInput(file_found=False, opinion=Opinion.NONE, examined_on=date(2026, 8, 18))
    given(fold, _A2, _REGISTERED).when(examine_file, early).refused(refusals.DateOrderError)


@pytest.mark.shows("A5.a2", "A5.3")
def test_recommendation_is_issued_on_a_valid_opinion() -> None:
    """Domain A.5 step 4, E02."""
    expected = New(facts=_ISSUED, personal=RecommendationIssuedPersonal(number="I-1", text="Ieteikums"))
    given(fold, _A2, _REGISTERED, _EXAMINED).when(issue_recommendation, _RECOMMENDATION).then(expected)


@pytest.mark.shows("A5.3", "D5.3", "D5.4")
@pytest.mark.parametrize(
    ("examined", "error"),
    [
        (replace(_EXAMINED, opinion=Opinion.EXPIRED, opinion_until=None), refusals.OpinionNotValidError),
        (replace(_EXAMINED, opinion=Opinion.NONE, opinion_until=None), refusals.OpinionNotValidError),
        (replace(_EXAMINED, opinion_until=date(2026, 8, 25)), refusals.OpinionNotValidError),
        (replace(_EXAMINED, file_found=False, opinion=Opinion.NONE, opinion_until=None), refusals.NoFileError),
        (replace(_EXAMINED, examined_on=date(2026, 8, 27)), refusals.DateOrderError),
    ],
)
def test_no_recommendation_without_an_opinion_that_is_valid_on_its_day(examined: object, error: Any) -> None:
    """Domain A5.3, D.5 3 and 4."""
    given(fold, _A2, _REGISTERED, examined).when(issue_recommendation, _RECOMMENDATION).refused(error)


def test_opinion_counts_on_its_last_day() -> None:
    last = replace(_EXAMINED, opinion_until=date(2026, 8, 26))
    (issued,) = issue_recommendation(given(fold, _A2, _REGISTERED, last).case, _RECOMMENDATION)
    assert issued.facts == _ISSUED


def test_nothing_is_issued_or_refused_before_the_examination() -> None:
    given(fold, _B2, _REGISTERED).when(issue_irp, _PLAN).refused(refusals.NotExaminedError)
    given(fold, _A2, _REGISTERED).when(issue_recommendation, _RECOMMENDATION).refused(refusals.NotExaminedError)
    given(fold, _A2, _REGISTERED).when(refuse_recommendation, _REFUSAL).refused(refusals.NotExaminedError)


@pytest.mark.shows("D5.9", "D5.10")
def test_nothing_is_decided_by_a_file_that_was_sought_before_the_school_corrected_who_the_pupil_is() -> None:
    """It may be another child's; the same finding, recorded once more, confirms it."""
    corrected = (_EXAMINED, CORRECTED_CODE)
    given(fold, _B2, _REGISTERED, *corrected).when(issue_irp, _PLAN).refused(refusals.ExaminedBeforeError)
    given(fold, _A2, _REGISTERED, *corrected).when(issue_recommendation, _RECOMMENDATION).refused(refusals.ExaminedBeforeError)
    given(fold, _A2, _REGISTERED, *corrected).when(refuse_recommendation, _REFUSAL).refused(refusals.ExaminedBeforeError)
    summons = AttendanceInput(sent_on=_EXAMINED.examined_on, letter="Lūdzam ierasties")
    unknown = replace(_EXAMINED, opinion=Opinion.NONE, opinion_until=None)
    given(fold, _A2, _REGISTERED, unknown, CORRECTED_CODE).when(ask_to_come, summons).refused(refusals.ExaminedBeforeError)
    again = given(fold, _A2, _REGISTERED, *corrected)
    again.when(examine_file, _EXAMINATION).then(New(facts=_EXAMINED))
    (issued,) = issue_recommendation(given(fold, _A2, _REGISTERED, *corrected, _EXAMINED).case, _RECOMMENDATION)
    assert issued.facts == _ISSUED


@pytest.mark.shows("A5.b2", "A4.3")
def test_plan_is_issued_once_and_only_where_it_is_asked_for() -> None:
    """Domain A.5 step 4: the plan belongs to b.2."""
    expected = New(facts=_IRP, personal=IrpIssuedPersonal(number="P-1", text="Plāns"))
    given(fold, _B2, _REGISTERED, _EXAMINED).when(issue_irp, _PLAN).then(expected)
    given(fold, _A2, _REGISTERED, _EXAMINED).when(issue_irp, _PLAN).refused(refusals.IrpNotAskedError)
    given(fold, _B2, _REGISTERED, _EXAMINED, _IRP).when(issue_irp, _PLAN).refused(refusals.IrpIssuedError)
    given(fold, _B2, _REGISTERED, _EXAMINED, _REFUSED).when(issue_irp, _PLAN).refused(refusals.AlreadyDecidedError)


def test_plan_needs_an_expertise_file() -> None:
    no_file = replace(_EXAMINED, file_found=False, opinion=Opinion.NONE, opinion_until=None)
    given(fold, _B2, _REGISTERED, no_file).when(issue_irp, _PLAN).refused(refusals.NoFileError)


@pytest.mark.shows("A4.5", "A5.b2", "D5.29")
def test_in_b2_the_recommendation_rests_on_a_plan_that_indicates_the_need() -> None:
    """Domain A4.5, D.5 29."""
    asked = (_B2, _REGISTERED, _EXAMINED)
    given(fold, *asked).when(issue_recommendation, _RECOMMENDATION).refused(refusals.IrpMissingError)
    without = replace(_IRP, indicates_need=False)
    contradicting = given(fold, *asked, without)
    contradicting.when(issue_recommendation, _RECOMMENDATION).refused(refusals.IrpWithoutNeedError)
    alarm = "the plan issued here indicates no need of an assistant: it agrees with a refusal alone"
    day = date(2026, 8, 26)
    assert alarm in outlook_of(contradicting.case, day).missing
    assert alarm not in outlook_of(given(fold, *asked, without, _REFUSED).case, day).missing
    assert alarm not in outlook_of(given(fold, *asked, _IRP).case, day).missing
    later = replace(_IRP, issued_on=date(2026, 8, 27))
    given(fold, *asked, later).when(issue_recommendation, _RECOMMENDATION).refused(refusals.DateOrderError)
    (issued,) = issue_recommendation(given(fold, *asked, _IRP).case, _RECOMMENDATION)
    assert issued.facts == _ISSUED


def test_a_recommendation_that_is_over_before_it_is_issued_is_refused() -> None:
    over = _RECOMMENDATION.model_copy(update={"valid_from": date(2010, 1, 1), "valid_until": date(2010, 1, 1)})
    given(fold, _A2, _REGISTERED, _EXAMINED).when(issue_recommendation, over).refused(refusals.DateOrderError)


@pytest.mark.parametrize("outcome", [_ISSUED, _REFUSED])
def test_recommendation_is_issued_or_refused_once(outcome: object) -> None:
    decided = (_A2, _REGISTERED, _EXAMINED, outcome)
    given(fold, *decided).when(issue_recommendation, _RECOMMENDATION).refused(refusals.AlreadyDecidedError)
    given(fold, *decided).when(refuse_recommendation, _REFUSAL).refused(refusals.AlreadyDecidedError)


@pytest.mark.shows("D5.14", "I1")
def test_refusal_keeps_its_grounds_and_reasons_in_the_commissions_record() -> None:
    """Domain E09: the reasons are for the requester only."""
    expected = New(facts=_REFUSED, personal=RecommendationRefusedPersonal(text="Pamatojums"))
    given(fold, _A2, _REGISTERED, _EXAMINED).when(refuse_recommendation, _REFUSAL).then(expected)
    given(fold, _B2, _REGISTERED, _EXAMINED, replace(_IRP, indicates_need=False)).when(refuse_recommendation, _REFUSAL).then(
        expected
    )


@pytest.mark.parametrize(
    ("ground", "opinion"),
    [
        (RefusalGround.OPINION_MISSING, Opinion.VALID),
        (RefusalGround.OPINION_MISSING, Opinion.EXPIRED),
        (RefusalGround.OPINION_EXPIRED, Opinion.NONE),
        (RefusalGround.ATTENDANCE_LAPSED, Opinion.NONE),
    ],
)
def test_ground_that_the_case_does_not_show_is_refused(ground: RefusalGround, opinion: Opinion) -> None:
    examined = replace(_EXAMINED, opinion=opinion, opinion_until=None)
    form = RefusalInput(issued_on=date(2026, 8, 26), grounds=(RefusalGround.NEED_NOT_FOUND, ground), text="Pamatojums")
    given(fold, _A2, _REGISTERED, examined).when(refuse_recommendation, form).refused(refusals.GroundNotShownError, ground.value)


@pytest.mark.parametrize(
    ("ground", "opinion"), [(RefusalGround.OPINION_MISSING, Opinion.NONE), (RefusalGround.OPINION_EXPIRED, Opinion.EXPIRED)]
)
def test_ground_that_the_examination_showed_is_taken(ground: RefusalGround, opinion: Opinion) -> None:
    examined = replace(_EXAMINED, opinion=opinion, opinion_until=None)
    form = RefusalInput(issued_on=date(2026, 8, 26), grounds=(ground,), text="Pamatojums")
    (refused,) = refuse_recommendation(given(fold, _A2, _REGISTERED, examined).case, form)
    assert refused.facts == replace(_REFUSED, grounds=(ground,))


@pytest.mark.shows("I5", "I6", "A5.a2")
def test_recommendation_goes_to_the_address_that_the_request_states() -> None:
    """Domain I5, I6, E02: there is no other address to enter."""
    send(*_PREPARED).then(New(facts=_SENT, personal=DocumentsDispatchedPersonal(number="S-1", address=HOME)))


@pytest.mark.shows("A5.b2")
@pytest.mark.parametrize(
    ("events", "kinds"),
    [
        ((_B2, _REGISTERED, _EXAMINED, _IRP, _ISSUED), (DocumentKind.IRP, DocumentKind.RECOMMENDATION)),
        ((_A2, _REGISTERED, _EXAMINED, _REFUSED), (DocumentKind.REFUSAL,)),
        ((_B2, _REGISTERED, _EXAMINED, _IRP, _REFUSED), (DocumentKind.IRP, DocumentKind.REFUSAL)),
    ],
)
def test_what_was_issued_is_what_is_sent(events: tuple[object, ...], kinds: tuple[DocumentKind, ...]) -> None:
    sent = New(facts=replace(_SENT, kinds=kinds), personal=DocumentsDispatchedPersonal(number="S-1", address=HOME))
    send(*events).then(sent)


def test_ordinary_letter_counts_as_notified_on_the_eighth_day() -> None:
    """Domain section 1, notification date; E09."""
    letter = DispatchInput(number="S-1", by=Delivery.ORDINARY, sent_on=date(2026, 9, 10))
    (sent,) = dispatch_documents(given(fold, *_PREPARED).case, letter, RULES[0], address=HOME)
    assert sent.facts.notified_on == date(2026, 9, 18)


def test_message_to_an_e_address_counts_as_notified_on_the_second_working_day() -> None:
    """Domain section 1, notification date: 18 November is a holiday, 21 and 22 are a weekend."""
    request = received(replace(REQUESTED_A2, address=AddressKind.E_ADDRESS))
    message = DispatchInput(number="S-1", by=Delivery.E_ADDRESS, sent_on=date(2026, 11, 19))
    (sent,) = dispatch_documents(given(fold, request, *_PREPARED[1:]).case, message, RULES[0], address=HOME)
    assert sent.facts.notified_on == date(2026, 11, 23)


@pytest.mark.shows("A5.2")
def test_e_address_is_reached_by_e_address_and_home_by_letter() -> None:
    electronic = DispatchInput(number="S-1", by=Delivery.E_ADDRESS, sent_on=date(2026, 8, 27))
    request = received(replace(REQUESTED_A2, address=AddressKind.E_ADDRESS))
    expected = replace(_SENT, by=Delivery.E_ADDRESS, address=AddressKind.E_ADDRESS, notified_on=date(2026, 8, 31))
    personal = DocumentsDispatchedPersonal(number="S-1", address=HOME)
    send(request, *_PREPARED[1:], letter=electronic).then(New(facts=expected, personal=personal))
    send(*_PREPARED, letter=electronic).refused(refusals.DispatchWayError)
    send(request, *_PREPARED[1:]).refused(refusals.DispatchWayError)
    by_hand = DispatchInput(number="S-1", by=Delivery.IN_PERSON, sent_on=date(2026, 8, 27))
    send(*_PREPARED, letter=by_hand).refused(refusals.DispatchWayError)


def test_all_acts_of_a_case_may_fall_on_one_day() -> None:
    day = date(2026, 8, 18)
    registered, examined = replace(_REGISTERED, received_on=day), replace(_EXAMINED, examined_on=day)
    given(fold, _A2).when(register_request, RegistrationInput(register_number="R-17", received_on=day)).then(
        New(facts=registered, personal=RequestRegisteredPersonal(register_number="R-17"))
    )
    form = RecommendationInput(number="I-1", text="Ieteikums", issued_on=day, valid_from=day)
    (issued,) = issue_recommendation(given(fold, _A2, registered, examined).case, form)
    letter = DispatchInput(number="S-1", by=Delivery.REGISTERED, sent_on=day)
    (sent,) = dispatch_documents(given(fold, _A2, registered, examined, issued.facts).case, letter, RULES[0], address=HOME)
    assert (issued.facts.issued_on, sent.facts.sent_on) == (day, day)


def test_nothing_is_sent_before_it_is_issued_nor_twice() -> None:
    send(_A2, _REGISTERED, _EXAMINED).refused(refusals.NothingToDispatchError)
    send(*_PREPARED, _SENT).refused(refusals.AlreadyDispatchedError)
    early = DispatchInput(number="S-1", by=Delivery.REGISTERED, sent_on=date(2026, 8, 25))
    send(*_PREPARED, letter=early).refused(refusals.DateOrderError)


@pytest.mark.shows("I4", "A5.a2")
def test_yes_rests_on_the_recommendation_and_answers_the_request() -> None:
    """Domain I4, A.5: the school learns the yes and nothing else."""
    personal = ConfirmationGivenPersonal(official="Ilze Paraudziņa")
    reply(*_PREPARED).then(New(facts=_YES, personal=personal, in_reply_to=body(1)))
    reply(*_PREPARED, _SENT).then(New(facts=_YES, personal=personal, in_reply_to=body(1)))


@pytest.mark.shows("D5.14", "I1")
def test_no_rests_on_the_refusal_and_never_tells_its_grounds() -> None:
    """Domain E09: the school gets only the no."""
    case = given(fold, _A2, _REGISTERED, _EXAMINED, _REFUSED).case
    (given_answer,) = answer(case, _OFFICIAL)
    assert given_answer.facts == ConfirmationGiven(answer=Answer.NO, wording=wording_of(Answer.NO), basis=body(4))
    assert RefusalGround.NEED_NOT_FOUND.value not in repr(given_answer)


@pytest.mark.shows("I4")
def test_no_answer_before_the_outcome() -> None:
    """Domain D.3: the answer must not precede the recommendation."""
    reply(_A2, _REGISTERED, _EXAMINED).refused(refusals.NothingToAnswerError)


@pytest.mark.shows("D5.29", "A4.5")
def test_in_b2_a_yes_needs_the_plan_with_the_need() -> None:
    """Domain D.5, 29: also for a history that another release let through."""
    reply(_B2, _REGISTERED, _EXAMINED, _ISSUED).refused(refusals.IrpMissingError)
    reply(_B2, _REGISTERED, _EXAMINED, replace(_IRP, indicates_need=False), _ISSUED).refused(refusals.IrpWithoutNeedError)
    yes = replace(_YES, basis=body(5))
    personal = ConfirmationGivenPersonal(official="Ilze Paraudziņa")
    reply(_B2, _REGISTERED, _EXAMINED, _IRP, _ISSUED).then(New(facts=yes, personal=personal, in_reply_to=body(1)))


def test_school_is_answered_once_even_if_it_refused_the_answer() -> None:
    reply(*_PREPARED, _YES).refused(refusals.AlreadyAnsweredError)
    rejected = received(Rejected(code=RejectedCode.WRONG_REPLY), answers=5)
    reply(*_PREPARED, _YES, rejected).refused(refusals.AlreadyAnsweredError)
