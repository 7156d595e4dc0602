"""What a school may do in variants a.2 and b.2: file, take consent and address later, ask the commission."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import pytest

from services.policy.rules import RULES
from services.post.history import BEFORE, New, Standing
from services.school.domain import refusals
from services.school.domain.case import SchoolState, fold
from services.school.domain.decisions import choose_address, file_application, record_consent, request_information
from services.school.input import AddressForm, AddressSupplied, ConsentSupplied
from services.wire.errors import RefusedError
from services.wire.events import (
    AddressKind,
    Answer,
    ApplicationFiled,
    Attachment,
    ConfirmationGiven,
    ContactKind,
    DeliveryAddressChanged,
    DeliveryAddressChangedPersonal,
    DeliveryAddressChosen,
    DeliveryAddressChosenPersonal,
    InformationRequested,
    MissingItem,
    PupilCameOfAge,
    PupilCameOfAgePersonal,
    Rejected,
    RejectedCode,
    Requester,
    Variant,
)
from tests.given_when_then import Told, body, given, received, standing
from tests.people import (
    ADDRESS_CHOSEN,
    ADDRESS_CHOSEN_PERSONAL,
    APPLICATION,
    CONSENT,
    CONSENT_PERSONAL,
    FILED_A2,
    FILED_B2,
    FILED_PERSONAL,
    HOME,
    REQUESTED_A2,
    REQUESTED_B2,
    REQUESTED_PERSONAL,
    application_form,
    application_json,
)

_LATER_CONSENT = ConsentSupplied(received_on=date(2026, 8, 19), by="Andris Izdomenieks")
_LATER_ADDRESS = AddressSupplied(
    choice=AddressKind.SCHOOL,
    protected=True,
    address=AddressForm(text="Skolas iela 1, Paraugpilsēta", postal_code="LV-1099"),
    confirmed_on=date(2026, 8, 19),
)
_OPENED: Any = {"application": FILED_PERSONAL, "address": ADDRESS_CHOSEN_PERSONAL}
_YES = ConfirmationGiven(answer=Answer.YES, wording=1, basis=body(99))
_ASKED = date(2026, 8, 18)


def ask(*events: object, on: date = _ASKED) -> Any:  # a When of a school's case
    return given(fold, *events).when(request_information, on, RULES[0], **_OPENED)


@pytest.mark.shows("A2.2", "A2.3", "A2.4", "A2.5", "A2.6", "A3.3")
def test_application_that_states_everything_makes_three_events() -> None:
    """Domain A2.3 to A2.8, E02: application, consent and address at once."""
    assert file_application(application_form(), pupil=1, rules=RULES[0]) == (
        New(facts=FILED_A2, personal=FILED_PERSONAL),
        New(facts=CONSENT, personal=CONSENT_PERSONAL),
        New(facts=ADDRESS_CHOSEN, personal=ADDRESS_CHOSEN_PERSONAL),
    )


def test_application_without_consent_and_address_makes_one_event_and_assumes_nothing() -> None:
    """Domain D.5, 1 and 2: no silent default, never guess the address."""
    form = application_form(consent={"given": False}, address=None)
    personal = replace(FILED_PERSONAL, application=replace(APPLICATION, delivery_address=None))
    assert file_application(form, pupil=1, rules=RULES[0]) == (New(facts=FILED_A2, personal=personal),)


@pytest.mark.shows("A2.7")
@pytest.mark.parametrize(
    ("contact", "kept"),
    [
        ({"kind": "Email", "email": "andris@example.lv"}, "andris@example.lv"),
        ({"kind": "Address"}, "Izdomu iela 7-12, Paraugpilsēta, LV-1099"),
    ],
)
def test_contact_is_kept_as_the_requester_wants_it(contact: dict[str, str], kept: str) -> None:
    """Domain A2.7: phone, e-mail or declared address."""
    filed = file_application(application_form(contact=contact), pupil=1, rules=RULES[0])[0]
    assert (filed.facts.contact, filed.personal.application.contact) == (ContactKind(contact["kind"]), kept)


def test_declared_address_as_contact_is_the_requesters_not_the_pupils() -> None:
    elsewhere = {"text": "Paraugu iela 3, Izdoma", "postal_code": "LV-1098"}
    father = {**application_json()["representative"], "declared_address": elsewhere}
    form = application_form(contact={"kind": "Address"}, representative=father)
    filed = file_application(form, pupil=1, rules=RULES[0])[0]
    assert filed.personal.application.contact == "Paraugu iela 3, Izdoma, LV-1098"


def adult_form(birth_date: str) -> Any:  # an application
    pupil = {**application_json()["pupil"], "birth_date": birth_date, "personal_code": "320000-00088"}
    return application_form(requester="AdultPupil", representative=None, desired_assistant=None, pupil=pupil)


@pytest.mark.shows("A2.1")
def test_pupil_applies_alone_from_the_eighteenth_birthday_on() -> None:
    """Domain A2.1, E06: the requester is the pupil, the representative is absent."""
    filed = file_application(adult_form("2008-08-17"), pupil=1, rules=RULES[0])[0]
    assert filed.facts == replace(FILED_A2, requester=Requester.ADULT_PUPIL, names_assistant=False)
    assert filed.personal.application.representative is None


def test_pupil_does_not_apply_alone_on_the_day_before() -> None:
    with pytest.raises(refusals.UnderageRequesterError, match="18"):
        file_application(adult_form("2008-08-18"), pupil=1, rules=RULES[0])


@pytest.mark.shows("A2.1", "D5.21")
def test_who_files_for_somebody_of_age_represents_nobody_from_the_first_day_on() -> None:
    """The consent and the address of a former representative are nobody's: the pupil's own are waited for, and a signature."""
    pupil = {**application_json()["pupil"], "birth_date": "2008-08-17", "personal_code": "320000-00088"}
    *_, last = made = file_application(application_form(pupil=pupil), pupil=1, rules=RULES[0])
    assert last == New(facts=PupilCameOfAge(), personal=PupilCameOfAgePersonal(on=date(2026, 8, 17)))
    case = given(fold, *(each.facts for each in made)).case
    assert set(case.missing) == {MissingItem.SIGNATURE, MissingItem.CONSENT, MissingItem.ADDRESS}
    day_after = file_application(application_form(pupil=pupil | {"birth_date": "2008-08-18"}), pupil=1, rules=RULES[0])
    assert [type(each.facts) for each in day_after] == [type(each.facts) for each in made[:-1]]


def test_consent_supplied_later_is_recorded_once() -> None:
    """Domain E07: consent comes two days after the application."""
    recorded = New(facts=replace(CONSENT, received_on=date(2026, 8, 19)), personal=CONSENT_PERSONAL)
    given(fold, FILED_A2).when(record_consent, _LATER_CONSENT).then(recorded)
    given(fold, FILED_A2, CONSENT).when(record_consent, _LATER_CONSENT).refused(refusals.ConsentRecordedError, "already")
    given(fold).when(record_consent, _LATER_CONSENT).refused(refusals.NoApplicationError)


def test_address_can_be_chosen_and_changed_until_the_commission_is_asked() -> None:
    """Domain A.5: home or school; the choice goes into the request and stays."""
    chosen = New(
        facts=DeliveryAddressChosen(address=AddressKind.SCHOOL, address_protected=True, confirmed_on=date(2026, 8, 19)),
        personal=DeliveryAddressChosenPersonal(address=replace(HOME, text="Skolas iela 1, Paraugpilsēta")),
    )
    given(fold, FILED_A2).when(choose_address, _LATER_ADDRESS).then(chosen)
    given(fold, FILED_A2, ADDRESS_CHOSEN).when(choose_address, _LATER_ADDRESS).then(chosen)
    asked = (FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2)
    told = DeliveryAddressChanged(address=AddressKind.SCHOOL, address_protected=True, dispatch_on_hold=False, basis=BEFORE)
    personal = DeliveryAddressChangedPersonal(address=chosen.personal.address)
    given(fold, *asked).when(choose_address, _LATER_ADDRESS).then(chosen, New(facts=told, personal=personal, in_reply_to=body(4)))
    given(fold).when(choose_address, _LATER_ADDRESS).refused(refusals.NoApplicationError)


@pytest.mark.parametrize(("filed", "requested"), [(FILED_A2, REQUESTED_A2), (FILED_B2, REQUESTED_B2)])
def test_request_carries_the_copy_of_the_application_and_is_due_in_a_month(
    filed: ApplicationFiled, requested: InformationRequested
) -> None:
    """Domain A.5 step 3, E02: a.2 asks for the recommendation, b.2 for plan and recommendation; the application copy only."""
    ask(filed, CONSENT, ADDRESS_CHOSEN).then(New(facts=requested, personal=REQUESTED_PERSONAL))


@pytest.mark.shows("A5.a2")
def test_request_never_carries_the_plan_or_the_birth_date_of_the_schools_register() -> None:
    """Domain, invariant table: the plan's copy is not forwarded; events.md: the copy less the birth date."""
    (request,) = request_information(given(fold, FILED_A2, CONSENT, ADDRESS_CHOSEN).case, _ASKED, RULES[0], **_OPENED)
    assert request.facts.parts == ()
    assert "2018" not in repr(request.personal)


@pytest.mark.shows("I5")
def test_request_states_the_newest_choice_of_address() -> None:
    """Domain I5: the address of the dispatch is the one chosen, with its protection."""
    anew = DeliveryAddressChosen(address=AddressKind.SCHOOL, address_protected=True, confirmed_on=date(2026, 8, 18))
    expected = replace(REQUESTED_A2, address=AddressKind.SCHOOL, address_protected=True)
    ask(FILED_A2, CONSENT, ADDRESS_CHOSEN, anew).then(New(facts=expected, personal=REQUESTED_PERSONAL))


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ((), refusals.NoApplicationError),
        ((FILED_A2, ADDRESS_CHOSEN), refusals.ConsentMissingError),
        ((FILED_A2, CONSENT), refusals.AddressMissingError),
        ((replace(FILED_A2, exception_declared=False), CONSENT, ADDRESS_CHOSEN), refusals.ExceptionNotDeclaredError),
        ((replace(FILED_B2, states_opinion=False), CONSENT, ADDRESS_CHOSEN), refusals.OpinionNotStatedError),
        ((replace(FILED_A2, states_irp=False), CONSENT, ADDRESS_CHOSEN), refusals.IrpMissingError),
        ((replace(FILED_A2, attachments=()), CONSENT, ADDRESS_CHOSEN), refusals.IrpMissingError),
        ((replace(FILED_A2, variant=Variant.A1), CONSENT, ADDRESS_CHOSEN), refusals.VariantNotHandledError),
    ],
)
def test_nothing_goes_to_the_commission_while_something_is_missing(events: tuple[object, ...], error: Any) -> None:
    """Domain I2, E07, A5.4, A.5 step 2: consent, address, exception, opinion, and the plan for a.2."""
    ask(*events).refused(error)


def test_request_is_made_on_the_day_of_the_application_or_later() -> None:
    same_day = replace(REQUESTED_A2, due_on=date(2026, 9, 17))
    ask(FILED_A2, CONSENT, ADDRESS_CHOSEN, on=date(2026, 8, 17)).then(New(facts=same_day, personal=REQUESTED_PERSONAL))
    ask(FILED_A2, CONSENT, ADDRESS_CHOSEN, on=date(2026, 8, 16)).refused(refusals.RequestBeforeApplicationError)


@pytest.mark.shows("I3")
def test_at_most_one_request_of_a_case_is_open() -> None:
    """Domain I3."""
    ask(FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2).refused(refusals.RequestOpenError)


def test_answered_request_is_not_asked_again() -> None:
    ask(FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2, received(_YES, answers=4)).refused(refusals.RequestOpenError)


def test_request_that_the_commission_refused_can_be_made_again() -> None:
    rejected = received(Rejected(code=RejectedCode.UNREADABLE), answers=4)
    again = New(facts=REQUESTED_A2, personal=REQUESTED_PERSONAL)
    ask(FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2, rejected).then(again)


def test_a_second_request_that_the_commission_refused_leaves_the_first_as_it_stands() -> None:
    """Invariant I3: else a third one would be made while the first is open, or has its answer."""
    rejected = received(Rejected(code=RejectedCode.WRONG_STATE), answers=5)
    twice: list[object] = [FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2, REQUESTED_A2, rejected]
    ask(*twice).refused(refusals.RequestOpenError)
    ask(*twice, received(_YES, answers=4)).refused(refusals.RequestOpenError)


@pytest.mark.parametrize("became", [Standing.REFUSED, Standing.PARKED, Standing.VOIDED])
def test_only_accepted_events_count(became: Standing) -> None:
    consent = Told(facts=CONSENT, standing=became)
    ask(FILED_A2, consent, ADDRESS_CHOSEN).refused(refusals.ConsentMissingError)
    rejected = standing(Rejected(code=RejectedCode.UNREADABLE), became, answers=4)
    ask(FILED_A2, CONSENT, ADDRESS_CHOSEN, REQUESTED_A2, rejected).refused(refusals.RequestOpenError)


@pytest.mark.parametrize("variant", [variant for variant in Variant if variant is not Variant.UNKNOWN])
def test_a_case_is_ready_to_request_exactly_when_a_request_is_not_refused(variant: Variant) -> None:
    for exception, opinion, plan, copy, consent, address in product((True, False), repeat=6):
        filed = replace(
            FILED_A2,
            variant=variant,
            exception_declared=exception,
            states_opinion=opinion,
            states_irp=plan,
            attachments=(Attachment.IRP,) if copy else (),
        )
        case = given(fold, filed, *(CONSENT,) * consent, *(ADDRESS_CHOSEN,) * address).case
        try:
            request_information(case, _ASKED, RULES[0], **_OPENED)
        except RefusedError:
            assert case.state is not SchoolState.READY_TO_REQUEST
        else:
            assert case.state is SchoolState.READY_TO_REQUEST
