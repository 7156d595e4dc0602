"""The forms of a school's clerk: what is typed, checked, before anything is decided.

Decides whether a form is complete in itself; whether the procedure allows the act is for ``domain.decisions``.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, LiteralString, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, ValidationError, ValidationInfo, model_validator
from pydantic_core import InitErrorDetails

from services.policy.fields import ActDay, Email, Name, PastDay, PersonalCode, Phone, PlaceText, PostalCode, VarisCode, fault
from services.policy.forms import Form, complaints, distinct, known, one_of, parse_form
from services.school.domain.refusals import FormRefusedError
from services.wire.events import AddressKind, Attachment, ContactKind, Intake, Requester, Variant

__all__ = [
    "AddressChoice",
    "AddressForm",
    "AddressSupplied",
    "ApplicationInput",
    "ConsentStatement",
    "ConsentSupplied",
    "Contact",
    "PersonForm",
    "PupilForm",
    "read_address",
    "read_application",
    "read_consent",
]

AnyForm = TypeVar("AnyForm", bound=Form)

_HANDLED: Final = (Variant.A2, Variant.B2)
_NO_EXCEPTION: Final = (
    "does not declare the exception, in which alone the school asks the commission; ask the requester, "
    "or let them apply to the commission"
)
_NO_OPINION: Final = "does not state the opinion on the need of special care; ask the requester, and keep a draft until then"
_NO_PLAN: Final = "states no plan, which variant A2 needs; without a plan the variant is B2"
_NO_COPY: Final = (
    "lack Irp, the copy of the plan that variant A2 needs; ask for it and keep a draft until then, "
    "or write B2 as variant if there is no plan"
)


def _handled_variant(value: object) -> object:
    """Refuse the variants that this release does not handle, by name, before their other fields confuse anybody."""
    others = [variant.value for variant in Variant if variant not in (*_HANDLED, Variant.UNKNOWN)]
    if value in others:
        raise fault(
            "variant", "is a way that this release does not handle; it handles A2 and B2, where the school asks the commission"
        )
    return value


def _needed(name: LiteralString, sentence: str, *, only: Variant | None = None) -> AfterValidator:
    """Return the check that a field says what the variant needs (in variant ``only``, if that is given)."""

    def check(said: object, info: ValidationInfo) -> object:
        is_said = Attachment.IRP in said if isinstance(said, tuple) else said
        if not is_said and only in (None, info.data.get("variant")):
            raise fault(name, sentence)
        return said

    return AfterValidator(check)


def _at(sentence: str, *place: str) -> InitErrorDetails:
    """Return a fault that several fields make together, at the one that is to be mended."""
    return InitErrorDetails(type=fault("fields_together", sentence), loc=place, input=None)


def _belongs(name: str, value: object, *, needed: bool, where: str) -> InitErrorDetails | None:
    """Return the fault of a field that is filled in exactly where another one says so, None if there is none."""
    if needed == (value is not None):
        return None
    return _at(
        f"is missing; fill it in where {where}" if needed else f"does not belong here; fill it in only where {where}", name
    )


def _require(*faults: InitErrorDetails | None) -> None:
    found = [each for each in faults if each is not None]
    if found:
        raise ValidationError.from_exception_data("form", found, hide_input=True)


class AddressForm(Form):
    """An address as it is declared."""

    text: PlaceText
    postal_code: PostalCode
    varis_code: VarisCode | None = None


class PersonForm(Form):
    """The four facts that the application states of a person (pupil and representative)."""

    given_name: Name
    family_name: Name
    personal_code: PersonalCode
    declared_address: AddressForm


class PupilForm(PersonForm):
    """The pupil; the birth date is from the school's own register, never from the code."""

    birth_date: PastDay


class Contact(Form):
    """How the requester wants to be reached: by exactly one of the three."""

    kind: Annotated[ContactKind, known(ContactKind)]
    phone: Phone | None = None
    email: Email | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        _require(
            _belongs("phone", self.phone, needed=self.kind is ContactKind.PHONE, where="kind is Phone"),
            _belongs("email", self.email, needed=self.kind is ContactKind.EMAIL, where="kind is Email"),
        )
        return self


class ConsentStatement(Form):
    """What the form says about the requester's consent that the school asks the commission."""

    given: bool
    received_on: ActDay | None = None
    by: Name | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _require(
            _belongs("received_on", self.received_on, needed=self.given, where="given is true"),
            _belongs("by", self.by, needed=self.given, where="given is true"),
        )
        return self


class ConsentSupplied(Form):
    """A consent that came after the application."""

    received_on: ActDay
    by: Name


class AddressChoice(Form):
    """Where the commission is to send its documents. ``address`` is asked for an e-address too: letters go there if it fails."""

    choice: Annotated[AddressKind, known(AddressKind)]
    protected: bool
    address: AddressForm


class AddressSupplied(AddressChoice):
    """A choice of address that came after the application."""

    confirmed_on: ActDay


class ApplicationInput(Form):
    """An application with the statements of variant a.2 or b.2, as the school's clerk enters it.

    Consent and address may come later, by acts of their own. What the form alone can state has to be stated before it is filed:
    no event of this release completes an application, so one without it would stand in the log as a case that never goes on.
    """

    received_on: ActDay
    intake: Annotated[Intake, one_of(Intake.IN_PERSON, Intake.SIGNED_ELECTRONIC, Intake.POST)]
    variant: Annotated[Variant, one_of(*_HANDLED), BeforeValidator(_handled_variant)]
    requester: Annotated[Requester, known(Requester)]
    exception_declared: Annotated[bool, _needed("exception_declared", _NO_EXCEPTION)]
    states_opinion: Annotated[bool, _needed("states_opinion", _NO_OPINION)]
    states_irp: Annotated[bool, _needed("states_irp", _NO_PLAN, only=Variant.A2)]
    consent: ConsentStatement
    address: AddressChoice | None = None
    pupil: PupilForm
    representative: PersonForm | None = None
    desired_assistant: Name | None = None
    contact: Contact
    attachments: Annotated[
        tuple[Annotated[Attachment, known(Attachment)], ...],
        AfterValidator(distinct),
        _needed("attachments", _NO_COPY, only=Variant.A2),
    ]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        needed, where = self.requester is Requester.REPRESENTATIVE, "requester is Representative"
        born_later = self.pupil.birth_date > self.received_on
        _require(
            _belongs("representative", self.representative, needed=needed, where=where),
            _at("lies after the day of receipt; compare both with the school's register", "pupil", "birth_date")
            if born_later
            else None,
        )
        return self


def read_application(data: bytes, *, today: date) -> ApplicationInput:
    """Return the application in JSON ``data``. Raises: FormRefusedError with one line a fault."""
    return _read(ApplicationInput, data, today)


def read_consent(data: bytes, *, today: date) -> ConsentSupplied:
    """Return the consent in JSON ``data``. Raises: FormRefusedError with one line a fault."""
    return _read(ConsentSupplied, data, today)


def read_address(data: bytes, *, today: date) -> AddressSupplied:
    """Return the later choice of address in JSON ``data``. Raises: FormRefusedError with one line a fault."""
    return _read(AddressSupplied, data, today)


def _read(form: type[AnyForm], data: bytes, today: date) -> AnyForm:
    try:
        return parse_form(form, data, today=today)
    except ValidationError as error:
        # Without the cause: pydantic's own report would carry the values into a log.
        raise FormRefusedError(complaints(error)) from None
