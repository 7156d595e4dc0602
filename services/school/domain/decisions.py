"""What a school may do in a case of variant a.2 or b.2: pure functions from a case to the events that the act makes.

Decides whether the procedure allows an act; every refusal is a leaf of ``refusals``. Nothing here reads a clock, a key or a
database: days, rule sets and opened personal parts are arguments.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from services.policy.rules import Rules, full_years
from services.post.history import New
from services.school.domain import refusals
from services.school.domain.case import ASKING, ChosenAddress, SchoolCase
from services.school.input import AddressChoice, AddressForm, AddressSupplied, ApplicationInput, ConsentSupplied, PersonForm
from services.wire.events import (
    Address,
    Application,
    ApplicationFiled,
    ApplicationFiledPersonal,
    ConsentRecorded,
    ConsentRecordedPersonal,
    DeliveryAddressChosen,
    DeliveryAddressChosenPersonal,
    InformationRequested,
    InformationRequestedPersonal,
    Person,
    Requester,
    Variant,
)
from services.wire.hashing import Digest

__all__ = ["choose_address", "file_application", "record_consent", "request_information"]

_STATEMENTS: Final = {
    "exception_declared": refusals.ExceptionNotDeclaredError,
    "states_opinion": refusals.OpinionNotStatedError,
    "states_irp": refusals.IrpMissingError,
    "attachments": refusals.IrpMissingError,
}


def file_application(form: ApplicationInput, *, pupil: int, rules: Rules) -> tuple[New, ...]:
    """Return the events of a new case: the application, and consent and address where the form states them.

    ``pupil`` is the school's running number of the pupil; ``rules`` those of the day of receipt.
    Raises: UnderageRequesterError if a pupil applies alone before the age that ``rules`` name.
    """
    if form.requester is Requester.ADULT_PUPIL and full_years(form.pupil.birth_date, form.received_on) < rules.adult_age:
        raise refusals.UnderageRequesterError(rules.adult_age)
    personal = ApplicationFiledPersonal(application=_application(form), birth_date=form.pupil.birth_date)
    return (New(facts=_filed(form, pupil), personal=personal), *_stated_consent(form), *_stated_address(form))


def record_consent(case: SchoolCase, form: ConsentSupplied) -> tuple[New, ...]:
    """Return the event of a consent that came after the application.

    Raises: NoApplicationError; ConsentRecordedError if there is one already.
    """
    _application_of(case)
    if case.consent_body is not None:
        raise refusals.ConsentRecordedError
    return (_consent(form.received_on, form.by),)


def choose_address(case: SchoolCase, form: AddressSupplied) -> tuple[New, ...]:
    """Return the event of an address chosen, or chosen anew, after the application.

    Raises: NoApplicationError; AddressFixedError once the commission has been asked.
    """
    _application_of(case)
    if case.is_asked:
        raise refusals.AddressFixedError
    return (_address(form, form.confirmed_on),)


def request_information(
    case: SchoolCase,
    on: date,
    rules: Rules,
    *,
    application: ApplicationFiledPersonal,
    address: DeliveryAddressChosenPersonal,
    is_asked_elsewhere: bool = False,
) -> tuple[New, ...]:
    """Return the request to the commission, with a copy of the application and nothing else: the plan never leaves the school.

    ``application`` and ``address`` are the opened personal parts of the events that ``case.application_body`` and
    ``case.address.body`` name; ``on`` is the day of the request, ``rules`` are those of that day. ``is_asked_elsewhere`` says
    that the commission still owes an answer about this pupil in another case.
    Raises: a leaf of ``refusals`` for the first thing that is missing.
    """
    filed, body = _application_of(case)
    _check_statements(case, filed.variant)
    consent, chosen = _check_grounds(case)
    if case.is_asked:
        raise refusals.RequestOpenError
    if is_asked_elsewhere:
        raise refusals.PupilAskedAboutError
    if on < filed.received_on:
        raise refusals.RequestBeforeApplicationError
    facts = InformationRequested(
        variant=filed.variant,
        asks=ASKING[filed.variant],
        requester=filed.requester,
        consent_given=True,
        states_opinion=filed.states_opinion,
        states_irp=filed.states_irp,
        address=chosen.kind,
        address_protected=chosen.protected,
        received_on=filed.received_on,
        due_on=rules.commission_reply_due(on),
        parts=(),
        application=body,
        basis=consent,
    )
    return (New(facts=facts, personal=_request_personal(application.application, address.address)),)


def _application_of(case: SchoolCase) -> tuple[ApplicationFiled, Digest]:
    if case.application is None or case.application_body is None:
        raise refusals.NoApplicationError
    return case.application, case.application_body


def _check_statements(case: SchoolCase, variant: Variant) -> None:
    """Check what the form itself has to state. Filing asks for it too; an application of an earlier release may lack it."""
    if variant not in ASKING:
        raise refusals.VariantNotHandledError
    for name in case.missing_statements:
        raise _STATEMENTS[name]


def _check_grounds(case: SchoolCase) -> tuple[Digest, ChosenAddress]:
    """Return what the request rests on: no message to the commission without consent and a chosen address."""
    if case.consent_body is None:
        raise refusals.ConsentMissingError
    if case.address is None:
        raise refusals.AddressMissingError
    return case.consent_body, case.address


def _filed(form: ApplicationInput, pupil: int) -> ApplicationFiled:
    return ApplicationFiled(
        pupil=pupil,
        received_on=form.received_on,
        intake=form.intake,
        variant=form.variant,
        requester=form.requester,
        exception_declared=form.exception_declared,
        states_opinion=form.states_opinion,
        states_irp=form.states_irp,
        names_assistant=form.desired_assistant is not None,
        contact=form.contact.kind,
        attachments=form.attachments,
        recommendation_until=None,
        parts=(),
    )


def _application(form: ApplicationInput) -> Application:
    return Application(
        pupil=_person(form.pupil),
        representative=_person(form.representative) if form.representative else None,
        desired_assistant=form.desired_assistant,
        contact=form.contact.phone or form.contact.email or _declared(form),
        delivery_address=_place(form.address.address) if form.address else None,
    )


def _declared(form: ApplicationInput) -> str:
    home = (form.representative or form.pupil).declared_address
    return f"{home.text}, {home.postal_code}"


def _stated_consent(form: ApplicationInput) -> tuple[New, ...]:
    consent = form.consent
    return (_consent(consent.received_on, consent.by),) if consent.received_on and consent.by else ()


def _stated_address(form: ApplicationInput) -> tuple[New, ...]:
    return (_address(form.address, form.received_on),) if form.address else ()


def _consent(received_on: date, by: str) -> New:
    return New(facts=ConsentRecorded(received_on=received_on), personal=ConsentRecordedPersonal(by=by))


def _address(form: AddressChoice, confirmed_on: date) -> New:
    facts = DeliveryAddressChosen(address=form.choice, address_protected=form.protected, confirmed_on=confirmed_on)
    return New(facts=facts, personal=DeliveryAddressChosenPersonal(address=_place(form.address)))


def _request_personal(application: Application, address: Address) -> InformationRequestedPersonal:
    return InformationRequestedPersonal(
        pupil=application.pupil, representative=application.representative, address=address, application=application
    )


def _person(form: PersonForm) -> Person:
    return Person(
        given_name=form.given_name,
        family_name=form.family_name,
        personal_code=form.personal_code,
        declared_address=_place(form.declared_address),
    )


def _place(form: AddressForm) -> Address:
    return Address(text=form.text, postal_code=form.postal_code, varis_code=form.varis_code)
