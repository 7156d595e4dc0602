"""The parts of a school's forms that say who somebody is, where they live and how they are reached."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import model_validator

from services.policy.fields import (
    ComparedCode,
    Email,
    Name,
    PastDay,
    Phone,
    PlaceText,
    PostalCode,
    VarisCode,
)
from services.policy.forms import Form, known
from services.school.input.faults import belongs, require
from services.wire.events import AddressKind, ContactKind

__all__ = ["AddressChoice", "AddressForm", "Contact", "PersonForm", "PupilForm"]


class AddressForm(Form):
    """An address as it is declared."""

    text: PlaceText
    postal_code: PostalCode
    varis_code: VarisCode | None = None


class PersonForm(Form):
    """The four facts that the application states of a person (pupil and representative).

    ``check_digit_override`` says who compared a code whose check digit does not fit, and with what.
    """

    given_name: Name
    family_name: Name
    check_digit_override: PlaceText | None = None
    personal_code: ComparedCode
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
        require(
            belongs("phone", self.phone, needed=self.kind is ContactKind.PHONE, where="kind is Phone"),
            belongs("email", self.email, needed=self.kind is ContactKind.EMAIL, where="kind is Email"),
        )
        return self


class AddressChoice(Form):
    """Where the commission is to send its documents. ``address`` is asked for an e-address too: letters go there if it fails."""

    choice: Annotated[AddressKind, known(AddressKind)]
    protected: bool
    address: AddressForm
