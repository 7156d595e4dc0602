"""Fictional people, forms and events for the tests: Roberts Izdomenieks and his father at the first school of Paraugpilsēta.

No personal code here can belong to a living person: the pupil's is of the old format with a day after 30.06.2017, when old
codes were no longer given; the father's is of the nineteenth century.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any, Final

from services.school.input import ApplicationInput, read_application
from services.wire.events import (
    Address,
    AddressKind,
    Application,
    ApplicationFiled,
    ApplicationFiledPersonal,
    ApplicationSupplemented,
    Asks,
    Attachment,
    ConsentRecorded,
    ConsentRecordedPersonal,
    ContactKind,
    DeliveryAddressChosen,
    DeliveryAddressChosenPersonal,
    InformationRequested,
    InformationRequestedPersonal,
    Intake,
    MissingItem,
    Person,
    Requester,
    Variant,
)
from tests.given_when_then import body

__all__ = [
    "ADDRESS_CHOSEN",
    "ADDRESS_CHOSEN_PERSONAL",
    "APPLICATION",
    "CONSENT",
    "CONSENT_PERSONAL",
    "FATHER",
    "FILED_A2",
    "FILED_B2",
    "FILED_ELECTRONIC",
    "FILED_PERSONAL",
    "HOME",
    "PUPIL",
    "REQUESTED_A2",
    "REQUESTED_B2",
    "REQUESTED_PERSONAL",
    "TODAY",
    "another_pupil",
    "application_form",
    "application_json",
    "brought",
]

TODAY: Final = date(2026, 11, 24)
_RECEIVED: Final = date(2026, 8, 17)

HOME: Final = Address(text="Izdomu iela 7-12, Paraugpilsēta", postal_code="LV-1099", varis_code=None)
PUPIL: Final = Person(given_name="Roberts", family_name="Izdomenieks", personal_code="03021829015", declared_address=HOME)
FATHER: Final = Person(given_name="Andris", family_name="Izdomenieks", personal_code="23086209018", declared_address=HOME)
APPLICATION: Final = Application(
    pupil=PUPIL, representative=FATHER, desired_assistant="Maija Palīdze", contact="+37120000099", delivery_address=HOME
)
FILED_PERSONAL: Final = ApplicationFiledPersonal(application=APPLICATION, birth_date=date(2018, 2, 3))
FILED_A2: Final = ApplicationFiled(
    pupil=1,
    received_on=_RECEIVED,
    intake=Intake.IN_PERSON,
    variant=Variant.A2,
    requester=Requester.REPRESENTATIVE,
    exception_declared=True,
    states_opinion=True,
    states_irp=True,
    names_assistant=True,
    contact=ContactKind.PHONE,
    attachments=(Attachment.IRP,),
    recommendation_until=None,
    parts=(),
)
FILED_ELECTRONIC: Final = replace(FILED_A2, intake=Intake.SIGNED_ELECTRONIC)
FILED_B2: Final = replace(FILED_A2, variant=Variant.B2, states_irp=False, attachments=())
CONSENT: Final = ConsentRecorded(received_on=_RECEIVED)
CONSENT_PERSONAL: Final = ConsentRecordedPersonal(by="Andris Izdomenieks")
ADDRESS_CHOSEN: Final = DeliveryAddressChosen(address=AddressKind.HOME, address_protected=False, confirmed_on=_RECEIVED)
ADDRESS_CHOSEN_PERSONAL: Final = DeliveryAddressChosenPersonal(address=HOME)
REQUESTED_A2: Final = InformationRequested(
    variant=Variant.A2,
    asks=Asks.RECOMMENDATION,
    requester=Requester.REPRESENTATIVE,
    consent_given=True,
    states_opinion=True,
    states_irp=True,
    address=AddressKind.HOME,
    address_protected=False,
    received_on=_RECEIVED,
    due_on=date(2026, 9, 18),
    parts=(),
    application=body(1),
    basis=body(2),
)
REQUESTED_B2: Final = replace(REQUESTED_A2, variant=Variant.B2, asks=Asks.IRP_AND_RECOMMENDATION, states_irp=False)
REQUESTED_PERSONAL: Final = InformationRequestedPersonal(
    pupil=PUPIL, representative=FATHER, address=HOME, application=APPLICATION
)


def application_json(**changes: Any) -> dict[str, Any]:  # JSON
    """Return the clerk's form for an application of variant a.2, with whole fields changed; None as a value removes one."""
    home = {"text": "Izdomu iela 7-12, Paraugpilsēta", "postal_code": "LV-1099"}
    form = {
        "received_on": "2026-08-17",
        "intake": "InPerson",
        "variant": "A2",
        "requester": "Representative",
        "exception_declared": True,
        "states_opinion": True,
        "states_irp": True,
        "consent": {"given": True, "received_on": "2026-08-17", "by": "Andris Izdomenieks"},
        "address": {"choice": "Home", "protected": False, "address": home},
        "pupil": {
            "given_name": "Roberts",
            "family_name": "Izdomenieks",
            "personal_code": "030218-29015",
            "declared_address": home,
            "birth_date": "2018-02-03",
        },
        "representative": {
            "given_name": "Andris",
            "family_name": "Izdomenieks",
            "personal_code": "230862-09018",
            "declared_address": home,
        },
        "desired_assistant": "Maija Palīdze",
        "contact": {"kind": "Phone", "phone": "20000099"},
        "attachments": ["Irp"],
    }
    return {name: value for name, value in (form | changes).items() if value is not None}


def brought(*items: MissingItem, on: date, until: date | None = None) -> ApplicationSupplemented:
    """Return that items came on a day, and until when the recommendation among them holds."""
    return ApplicationSupplemented(supplied=items, received_on=on, recommendation_until=until, parts=())


def another_pupil(number: int) -> dict[str, Any]:  # JSON
    """Return the form's pupil with a code of the new format that belongs to nobody: the same name, another person."""
    return {**application_json()["pupil"], "personal_code": f"320000-{number:05}"}


def application_form(**changes: Any) -> ApplicationInput:  # JSON
    """Return the same form, read and checked."""
    return read_application(json.dumps(application_json(**changes)).encode(), today=TODAY)
