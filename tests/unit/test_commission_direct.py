"""A requester's own application to the commission: variants a.1 and b.1."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.commission.domain import decisions, refusals
from services.commission.domain.applying import fold
from services.commission.domain.case import CommissionCase
from services.commission.domain.outlook import outlook_of
from services.commission.input import AddressInput, ClosingInput, DispatchInput, ReturnInput
from services.policy.rules import RULES
from services.post.history import New
from services.wire.events import (
    AddressKind,
    Asks,
    AssessmentCause,
    AssessmentClosed,
    AttendanceLapsed,
    AttendanceRequested,
    Delivery,
    DocumentKind,
    Intake,
    Person,
    Requester,
    RequestRegisteredPersonal,
    ReturnGround,
    Variant,
)
from tests.commission_stories import (
    ACTS,
    ASKED_TO_COME,
    DIRECT,
    DIRECT_FORM,
    EXAMINED,
    IRP,
    ISSUED,
    NO_OPINION,
    SENT,
    case_after,
)
from tests.given_when_then import body, given
from tests.people import HOME

_B1 = replace(DIRECT, asks=Asks.IRP_AND_RECOMMENDATION)


def _elza(code: str) -> Person:
    return Person(given_name="Elza", family_name="Paraudziņa", personal_code=code, declared_address=HOME)


@pytest.mark.shows("A5.a1", "A5.1")
def test_an_application_in_person_begins_a_case_of_its_own() -> None:
    """Domain E01: the author, the contact and the address are kept for the letter alone."""
    personal = RequestRegisteredPersonal(
        register_number="R-3",
        pupil=_elza("14091729013"),
        representative=_elza("12045109017"),
        contact="+37120000099",
        address=HOME,
    )
    given(fold).when(decisions.register_direct, DIRECT_FORM).then(New(facts=DIRECT, personal=personal))
    given(fold, DIRECT).when(decisions.register_direct, DIRECT_FORM).refused(refusals.AlreadyBegunError)


def test_who_compared_a_code_whose_check_digit_does_not_fit_is_kept_with_the_application() -> None:
    """Domain C2."""
    pupil = DIRECT_FORM.pupil.model_copy(update={"check_digit_override": "salīdzināts ar pasi"})
    (registered,) = decisions.register_direct(CommissionCase(), DIRECT_FORM.model_copy(update={"pupil": pupil}))
    assert registered.personal.check_digit_note == "pupil: salīdzināts ar pasi"


@pytest.mark.shows("A2.1")
def test_a_pupil_of_age_applies_alone() -> None:
    form = DIRECT_FORM.model_copy(update={"requester": Requester.ADULT_PUPIL, "representative": None, "phone": None})
    (registered,) = decisions.register_direct(CommissionCase(), form)
    assert registered.facts == replace(DIRECT, requester=Requester.ADULT_PUPIL)
    assert registered.personal.representative is None
    assert registered.personal.contact is None


@pytest.mark.shows("A5.a1")
def test_the_recommendation_is_handed_to_its_author_and_no_school_is_told() -> None:
    """Domain E01, A.5 step 3: handed over or sent to the author; the case is closed after the dispatch."""
    form = DispatchInput(number="S-1", by=Delivery.IN_PERSON, sent_on=date(2026, 8, 27))
    case = case_after(DIRECT, EXAMINED, ISSUED)
    (sent,) = decisions.dispatch_documents(case, form, RULES[0], address=HOME)
    assert sent.facts == replace(SENT, by=Delivery.IN_PERSON, notified_on=date(2026, 8, 27))
    given(fold, DIRECT, EXAMINED, ISSUED).when(ACTS["answer"]).refused(refusals.NoSchoolError)
    closing = ClosingInput(cause=AssessmentCause.DISPATCHED)
    dispatched = given(fold, DIRECT, EXAMINED, ISSUED, sent.facts)
    dispatched.when(decisions.close_assessment, closing).then(New(facts=AssessmentClosed(cause=AssessmentCause.DISPATCHED)))
    given(fold, DIRECT, EXAMINED, ISSUED).when(decisions.close_assessment, closing).refused(refusals.CloseCauseError)


@pytest.mark.shows("A5.b1")
def test_in_b1_the_author_gets_the_plan_and_the_recommendation() -> None:
    """Domain A.5 step 2 and 3, b.1."""
    case = case_after(_B1, EXAMINED, IRP, ISSUED)
    assert case.variant is Variant.B1
    (sent,) = ACTS["dispatch"](case)
    assert sent.facts.kinds == (DocumentKind.IRP, DocumentKind.RECOMMENDATION)
    assert sent.facts.address_from == body(1)
    given(fold, _B1, EXAMINED).when(ACTS["recommend"]).refused(refusals.IrpMissingError)


@pytest.mark.shows("A5.2")
def test_what_was_asked_by_e_address_is_sent_there() -> None:
    electronic = replace(DIRECT, intake=Intake.SIGNED_ELECTRONIC, address=AddressKind.E_ADDRESS)
    form = DispatchInput(number="S-1", by=Delivery.E_ADDRESS, sent_on=date(2026, 8, 27))
    (sent,) = decisions.dispatch_documents(case_after(electronic, EXAMINED, ISSUED), form, RULES[0], address=HOME)
    # The second working day after a Thursday is a Monday.
    assert sent.facts.notified_on == date(2026, 8, 31)
    given(fold, electronic, EXAMINED, ISSUED).when(ACTS["dispatch"]).refused(refusals.DispatchWayError)


@pytest.mark.shows("D5.25", "D5.26")
def test_an_unsigned_or_foreign_application_is_returned_without_a_word_to_any_school() -> None:
    form = ReturnInput(grounds=(ReturnGround.UNSIGNED, ReturnGround.NOT_LATVIAN))
    closed = New(facts=AssessmentClosed(cause=AssessmentCause.RETURNED, grounds=form.grounds))
    given(fold, DIRECT).when(decisions.return_request, form).then(closed)


@pytest.mark.parametrize("ground", [ReturnGround.NO_CONSENT, ReturnGround.NO_APPLICATION_COPY])
def test_a_direct_application_lacks_no_copy_and_no_consent(ground: ReturnGround) -> None:
    form = ReturnInput(grounds=(ground,))
    given(fold, DIRECT).when(decisions.return_request, form).refused(refusals.ReturnGroundError)


def test_nobody_is_told_of_a_summons_but_its_author() -> None:
    (asked,) = ACTS["require-attendance"](case_after(DIRECT, NO_OPINION))
    assert isinstance(asked.facts, AttendanceRequested)
    lapsed, closed = ACTS["attendance-lapsed"](case_after(DIRECT, NO_OPINION, ASKED_TO_COME))
    assert isinstance(lapsed.facts, AttendanceLapsed)
    assert closed.facts == AssessmentClosed(cause=AssessmentCause.ATTENDANCE_LAPSED)


def test_an_author_who_is_not_found_is_no_case_for_a_school() -> None:
    closing = ClosingInput(cause=AssessmentCause.NOT_IDENTIFIED)
    closed = New(facts=AssessmentClosed(cause=AssessmentCause.NOT_IDENTIFIED))
    given(fold, DIRECT).when(decisions.close_assessment, closing).then(closed)
    given(fold, DIRECT, EXAMINED).when(decisions.close_assessment, closing).refused(refusals.CloseCauseError)


def test_a_direct_case_is_never_offered_what_belongs_to_schools() -> None:
    allowed = {each.act for each in outlook_of(case_after(DIRECT), date(2026, 8, 4)).allowed}
    assert {"examine", "return-request", "extend-term"} <= allowed
    assert not {"answer", "not-matched", "register", "register-direct"} & allowed


def test_an_address_without_its_words_is_taken_as_home() -> None:
    """The schema allows none where a school asks; a direct application always says one."""
    case = case_after(replace(DIRECT, address=None), EXAMINED, ISSUED)
    assert ACTS["dispatch"](case)[0].facts.address is AddressKind.HOME
    assert AddressInput(text="Izdomu iela 7-12", postal_code="LV-1099").varis_code is None
