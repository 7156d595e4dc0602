"""Another route for an application that is there: which way it goes then, and when none is chosen any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.post.history import New
from services.school.domain import refusals, refusals_completing, refusals_deciding
from services.school.domain.case import SchoolState, fold
from services.school.domain.choosing import choose_variant
from services.school.domain.decisions import record_consent, request_information
from services.school.domain.judging import evaluate_documents
from services.school.domain.receiving import SchoolDomain
from services.school.input import ConsentSupplied, VariantForm
from services.wire.events import (
    ApplicationFoundIncomplete,
    Asks,
    EvaluatedKind,
    MissingItem,
    Rejected,
    RejectedCode,
    RequestReturned,
    ReturnGround,
    Variant,
    VariantChosen,
    VariantChosenPersonal,
)
from tests.given_when_then import body, given, received
from tests.judged import FILED_A1, GRANTED, LM, READY_A2, YES, evaluation_form
from tests.people import (
    ADDRESS_CHOSEN,
    ADDRESS_CHOSEN_PERSONAL,
    CONSENT,
    FILED_A2,
    FILED_PERSONAL,
    REQUESTED_A2,
    brought,
)

_DAY = date(2026, 8, 20)
_WHOLE = (FILED_A2, CONSENT, ADDRESS_CHOSEN)


def chosen(variant: Variant, *, exception_declared: bool = True) -> VariantChosen:
    return VariantChosen(variant=variant, exception_declared=exception_declared, received_on=_DAY)


def choose(*events: object, variant: Variant = Variant.B2, on: date = _DAY) -> Any:  # a When of a school's case
    form = VariantForm(variant=variant, exception_declared=True, received_on=on, by="Andris Izdomenieks")
    return given(fold, *events).when(choose_variant, form)


@pytest.mark.shows("D5.24", "A5.1")
def test_a_plan_without_the_indication_makes_of_a_2_an_application_by_b_2() -> None:
    (found,) = evaluate_documents(
        given(fold, *_WHOLE).case,
        evaluation_form(EvaluatedKind.APPLICATION, EvaluatedKind.DISABILITY_IRP, irp_indicates_need=False),
    )
    stuck = (*_WHOLE, found.facts)
    assert given(fold, *stuck).case.missing == (MissingItem.IRP_INDICATION,)
    choose(*stuck).then(New(facts=chosen(Variant.B2), personal=VariantChosenPersonal(by="Andris Izdomenieks")))
    case = given(fold, *stuck, chosen(Variant.B2)).case
    assert (case.state, case.evaluated) == (SchoolState.READY_TO_REQUEST, None)
    opened: Any = {"application": FILED_PERSONAL, "address": ADDRESS_CHOSEN_PERSONAL}
    (request,) = request_information(case, date(2026, 8, 21), LM, **opened)
    assert (request.facts.variant, request.facts.asks) == (Variant.B2, Asks.IRP_AND_RECOMMENDATION)
    assert SchoolDomain(lambda _: None).row(given(fold, *stuck, chosen(Variant.B2)).history).variant == "B2"


@pytest.mark.shows("D5.1")
def test_who_declines_that_the_school_asks_goes_on_by_a_1_and_is_asked_for_the_copies_alone() -> None:
    told = ApplicationFoundIncomplete(missing=(MissingItem.CONSENT,), due_on=date(2026, 8, 31))
    declined = (FILED_A2, ADDRESS_CHOSEN, told, chosen(Variant.A1))
    assert given(fold, *declined).case.missing == (MissingItem.RECOMMENDATION_COPY,)
    consent = ConsentSupplied(received_on=_DAY, by="Andris Izdomenieks")
    given(fold, *declined).when(record_consent, consent).refused(refusals.VariantNotHandledError)
    whole = given(fold, *declined, brought(MissingItem.RECOMMENDATION_COPY, on=_DAY)).case
    assert whole.state is SchoolState.READY_FOR_DECISION


@pytest.mark.shows("A5.1", "A5.4")
def test_who_lets_the_school_ask_after_all_says_why_agrees_and_chooses_an_address() -> None:
    filed = replace(FILED_A1, attachments=FILED_A2.attachments, recommendation_until=None, exception_declared=False)
    case = given(fold, filed, chosen(Variant.A2, exception_declared=False)).case
    assert case.missing == (MissingItem.CONSENT, MissingItem.ADDRESS, MissingItem.EXCEPTION_DECLARATION)
    asking = given(fold, filed, chosen(Variant.A2), CONSENT, ADDRESS_CHOSEN).case
    assert asking.state is SchoolState.READY_TO_REQUEST


@pytest.mark.shows("A5.1", "I3")
def test_no_other_route_while_the_commission_has_the_request_or_has_answered_it() -> None:
    for asked in ((*_WHOLE, REQUESTED_A2), (*_WHOLE, REQUESTED_A2, received(YES, answers=4))):
        choose(*asked).refused(refusals.RequestOpenError)
    back = received(RequestReturned(grounds=(ReturnGround.NOT_LATVIAN,), basis=body(97)), answers=4)
    choose(*_WHOLE, REQUESTED_A2, back).then(
        New(facts=chosen(Variant.B2), personal=VariantChosenPersonal(by="Andris Izdomenieks"))
    )
    rejected = received(Rejected(code=RejectedCode.UNREADABLE), answers=4)
    assert given(fold, *_WHOLE, REQUESTED_A2, rejected).case.state is SchoolState.REQUEST_REJECTED
    assert given(fold, *_WHOLE, REQUESTED_A2, rejected, chosen(Variant.A1)).case.state is SchoolState.RECEIVED
    choose(*READY_A2, GRANTED).refused(refusals.DecidedAlreadyError)


@pytest.mark.shows("A5.1")
def test_another_route_is_another_one_and_not_older_than_the_application() -> None:
    choose(*_WHOLE, variant=Variant.A2).refused(refusals_completing.VariantStandsError)
    choose(*_WHOLE, chosen(Variant.B2)).refused(refusals_completing.VariantStandsError)
    choose(*_WHOLE, on=date(2026, 8, 16)).refused(refusals_deciding.DateOrderError)
