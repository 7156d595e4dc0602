"""One event of each type, with fixed and invented contents, for the golden vectors."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import date
from enum import Enum
from typing import Any, Final

from services.wire.events import (
    AccessGranted,
    AccessPurpose,
    AccessScope,
    Address,
    AddressKind,
    Answer,
    Application,
    ApplicationFiled,
    ApplicationFiledPersonal,
    Asks,
    Attachment,
    ConfirmationGiven,
    ConfirmationGivenPersonal,
    ConsentRecorded,
    ConsentRecordedPersonal,
    ContactKind,
    Delivery,
    DeliveryAddressChosen,
    DeliveryAddressChosenPersonal,
    DocumentKind,
    DocumentsDispatched,
    DocumentsDispatchedPersonal,
    ExpertiseFileExamined,
    InformationRequested,
    InformationRequestedPersonal,
    Intake,
    IrpIssued,
    IrpIssuedPersonal,
    IrpKind,
    Opinion,
    Person,
    RecommendationIssued,
    RecommendationIssuedPersonal,
    RecommendationRefused,
    RecommendationRefusedPersonal,
    RefusalGround,
    Rejected,
    RejectedCode,
    Requester,
    RequestRegistered,
    RequestRegisteredPersonal,
    Source,
    Variant,
)
from services.wire.hashing import Digest
from services.wire.records import event_type

__all__ = [
    "answered",
    "asked",
    "examined",
    "filed",
    "mandate",
    "plain",
    "planned",
    "recommended",
    "refused",
    "registered",
    "rejected",
    "sent",
]

Event = tuple[Any, Any]
"""Facts, and what is personal about them (None where nothing is)."""

_AUGUST: Final = date(2026, 8, 17)
_SEPTEMBER: Final = date(2026, 9, 21)
_HOME: Final = Address(text="Izdomu iela 7-12, Paraugpilsēta", postal_code="LV-1099", varis_code="100000099")
_PUPIL: Final = Person(given_name="Roberts", family_name="Izdomenieks", personal_code="03021829015", declared_address=_HOME)
_FORM: Final = Application(
    pupil=_PUPIL, representative=None, desired_assistant="Maija Palīdze", contact="+37120000099", delivery_address=_HOME
)


def filed() -> list[Event]:
    """Return what a school records when an application comes in."""
    application = ApplicationFiled(
        pupil=1,
        received_on=_AUGUST,
        intake=Intake.SIGNED_ELECTRONIC,
        variant=Variant.A2,
        requester=Requester.ADULT_PUPIL,
        exception_declared=True,
        states_opinion=True,
        states_irp=False,
        names_assistant=True,
        contact=ContactKind.PHONE,
        attachments=(Attachment.IRP, Attachment.OTHER),
        recommendation_until=date(2027, 8, 31),
        parts=(),
    )
    address = DeliveryAddressChosen(address=AddressKind.HOME, address_protected=False, confirmed_on=_AUGUST)
    return [
        (application, ApplicationFiledPersonal(application=_FORM, birth_date=date(2008, 2, 3))),
        (ConsentRecorded(received_on=_AUGUST), ConsentRecordedPersonal(by="Roberts Izdomenieks")),
        (address, DeliveryAddressChosenPersonal(address=_HOME)),
    ]


def asked(application: Digest, consent: Digest) -> Event:
    """Return a school's request to the commission."""
    facts = InformationRequested(
        variant=Variant.A2,
        asks=Asks.RECOMMENDATION,
        requester=Requester.ADULT_PUPIL,
        consent_given=True,
        states_opinion=True,
        states_irp=False,
        address=AddressKind.HOME,
        address_protected=False,
        received_on=_AUGUST,
        due_on=date(2026, 8, 24),
        parts=(),
        application=application,
        basis=consent,
    )
    personal = InformationRequestedPersonal(pupil=_PUPIL, representative=None, address=_HOME, application=_FORM)
    return facts, personal


def rejected() -> Event:
    """Return the answer to an event that belongs to no case here."""
    return Rejected(code=RejectedCode.UNKNOWN_CASE), None


def registered() -> Event:
    """Return what the commission records when a request comes in."""
    facts = RequestRegistered(
        source=Source.SCHOOL,
        asks=Asks.RECOMMENDATION,
        intake=Intake.EXCHANGE,
        received_on=_AUGUST,
        parts=(),
    )
    return facts, RequestRegisteredPersonal(register_number="R-17")


def examined() -> Event:
    """Return what the commission found in the expertise file."""
    facts = ExpertiseFileExamined(file_found=True, opinion=Opinion.VALID, opinion_until=date(2027, 1, 31), examined_on=_SEPTEMBER)
    return facts, None


def planned() -> Event:
    """Return a rehabilitation plan."""
    return IrpIssued(kind=IrpKind.DISABILITY, issued_on=_SEPTEMBER, indicates_need=True), IrpIssuedPersonal(
        number="P-1", text="Plāns"
    )


def recommended() -> Event:
    """Return a recommendation."""
    facts = RecommendationIssued(issued_on=_SEPTEMBER, valid_from=_SEPTEMBER, valid_until=None, parts=())
    return facts, RecommendationIssuedPersonal(number="I-1", text="Ieteikums")


def refused() -> Event:
    """Return a refusal with its grounds."""
    facts = RecommendationRefused(issued_on=_SEPTEMBER, grounds=(RefusalGround.NEED_NOT_FOUND, RefusalGround.OPINION_EXPIRED))
    return facts, RecommendationRefusedPersonal(text="Pamatojums")


def sent(address_from: Digest) -> Event:
    """Return the dispatch of the commission's letters."""
    facts = DocumentsDispatched(
        kinds=(DocumentKind.RECOMMENDATION,),
        by=Delivery.REGISTERED,
        address=AddressKind.HOME,
        address_from=address_from,
        sent_on=_SEPTEMBER,
        notified_on=date(2026, 9, 28),
        duplicate=False,
    )
    return facts, DocumentsDispatchedPersonal(number="S-1", address=_HOME)


def answered(basis: Digest) -> Event:
    """Return the commission's answer to the school."""
    return ConfirmationGiven(answer=Answer.YES, wording=1, basis=basis), ConfirmationGivenPersonal(official="Ilze Paraudziņa")


def mandate(auditor: Digest, parts: tuple[Digest, ...]) -> Event:
    """Return the mandate of an auditor for some parts of the case."""
    granted = AccessGranted(
        auditor=auditor, scope=AccessScope.PART, purpose=AccessPurpose.COMPLAINT, until=_SEPTEMBER, parts=parts
    )
    return granted, None


def plain(name: str) -> Event:
    """Return an event of a type with plain contents: first symbols, one of each list, nothing left out."""
    kind = event_type(name)
    return _plain(kind.facts_class), None if kind.personal_class is None else _plain(kind.personal_class)


def _plain(target: Any) -> Any:
    arguments = typing.get_args(target)
    origin = typing.get_origin(target)
    if origin in (types.UnionType, typing.Union):
        return _plain(next(each for each in arguments if each is not type(None)))
    if origin is tuple:
        return (_plain(arguments[0]),)
    if isinstance(target, type) and issubclass(target, Enum):
        return list(target)[1]
    if dataclasses.is_dataclass(target):
        hints = typing.get_type_hints(target)
        make: Any = target
        return make(**{each.name: _plain(hints[each.name]) for each in dataclasses.fields(target)})
    return {bool: True, int: 1, str: "teksts", date: _SEPTEMBER}.get(target, Digest(b"d" * 32))
