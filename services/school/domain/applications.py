"""What an application form says, as the values of events."""

from __future__ import annotations

from datetime import date

from services.post.history import BEFORE, New
from services.school.domain.folded import SchoolCase
from services.school.input import AddressChoice, AddressForm, ApplicationInput, PersonForm
from services.wire.events import (
    Address,
    Application,
    ApplicationFiled,
    ConsentRecorded,
    ConsentRecordedPersonal,
    DeliveryAddressChanged,
    DeliveryAddressChangedPersonal,
    DeliveryAddressChosen,
    DeliveryAddressChosenPersonal,
    Person,
)

__all__ = [
    "address_chosen",
    "application_of",
    "check_digit_note",
    "consent_recorded",
    "dispatch_held",
    "filed_facts",
    "person_of",
    "place_of",
]


def filed_facts(form: ApplicationInput, pupil: int) -> ApplicationFiled:
    """Return the facts of an application; ``pupil`` is the school's running number."""
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
        recommendation_until=form.recommendation_until,
        parts=(),
    )


def application_of(form: ApplicationInput) -> Application:
    """Return the form as the family filled it in."""
    return Application(
        pupil=person_of(form.pupil),
        representative=person_of(form.representative) if form.representative else None,
        desired_assistant=form.desired_assistant,
        contact=form.contact.phone or form.contact.email or _declared(form),
        delivery_address=place_of(form.address.address) if form.address else None,
    )


def check_digit_note(form: ApplicationInput) -> str | None:
    """Return who overruled the check digit of a code, and by what; None where nobody did (domain.md C2)."""
    named = {"pupil": form.pupil, "representative": form.representative}
    notes = (f"{who}: {each.check_digit_override}" for who, each in named.items() if each and each.check_digit_override)
    return "; ".join(notes) or None


def consent_recorded(received_on: date, by: str) -> New:
    """Return the event of a consent."""
    return New(facts=ConsentRecorded(received_on=received_on), personal=ConsentRecordedPersonal(by=by))


def address_chosen(form: AddressChoice, confirmed_on: date) -> New:
    """Return the event of a choice of address."""
    facts = DeliveryAddressChosen(address=form.choice, address_protected=form.protected, confirmed_on=confirmed_on)
    return New(facts=facts, personal=DeliveryAddressChosenPersonal(address=place_of(form.address)))


def place_of(form: AddressForm) -> Address:
    """Return an address as it was typed."""
    return Address(text=form.text, postal_code=form.postal_code, varis_code=form.varis_code)


def _declared(form: ApplicationInput) -> str:
    home = (form.representative or form.pupil).declared_address
    return f"{home.text}, {home.postal_code}"


def person_of(form: PersonForm) -> Person:
    """Return a person as they were typed."""
    return Person(
        given_name=form.given_name,
        family_name=form.family_name,
        personal_code=form.personal_code,
        declared_address=place_of(form.declared_address),
    )


def dispatch_held(case: SchoolCase, address: Address | None) -> tuple[New, ...]:
    """Return the word to the commission that no letters go to an address, also after its answer (D.5, 19, 21 and 30).

    Nothing where it was not asked, or has the request no more.
    """
    request = case.request
    if request is None or address is None or request.is_withdrawn or not request.counts:
        return ()
    # By the newest word that the commission has of it: what is held is where letters would go now, and it stays protected.
    said = request.address_changed or request.facts
    facts = DeliveryAddressChanged(
        address=said.address,
        # As it stood last: a protected address stays one while nobody has confirmed another (D.5, 19).
        address_protected=said.address_protected or case.address_protected,
        dispatch_on_hold=True,
        basis=BEFORE,
    )
    return (New(facts=facts, personal=DeliveryAddressChangedPersonal(address=address), in_reply_to=request.body),)
