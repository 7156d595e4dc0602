"""The forms of taking up a request: its registration, a direct application, returning, linking, extending and closing."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from services.commission.input.reading import CaseNumber, at_field
from services.policy.fields import (
    ActDay,
    ComparedCode,
    Day,
    DocumentNumber,
    Email,
    Name,
    Phone,
    PlaceText,
    PostalCode,
    VarisCode,
)
from services.policy.forms import Form, distinct, known, one_of
from services.wire.events import AddressKind, Asks, AssessmentCause, ExtensionCause, Intake, Requester, ReturnGround

__all__ = [
    "AddressInput",
    "ClosingInput",
    "DirectAddressInput",
    "DirectInput",
    "ExtensionInput",
    "LinkInput",
    "PersonInput",
    "RegistrationInput",
    "ReturnInput",
]


class RegistrationInput(Form):
    """A school's request entered in the commission's register; ``received_on`` is when it arrived."""

    register_number: DocumentNumber
    received_on: ActDay


class AddressInput(Form):
    """An address as it is declared."""

    text: PlaceText
    postal_code: PostalCode
    varis_code: VarisCode | None = None


class PersonInput(Form):
    """A person as the application names them.

    ``check_digit_override`` says who compared a code whose check digit does not fit, and with what.
    """

    given_name: Name
    family_name: Name
    check_digit_override: PlaceText | None = None
    personal_code: ComparedCode
    declared_address: AddressInput


class DirectAddressInput(Form):
    """Where the documents go: to the author of the application, at home or by e-address (A.5, a.1 and b.1, step 3)."""

    choice: Annotated[AddressKind, one_of(AddressKind.HOME, AddressKind.E_ADDRESS)]
    protected: bool
    address: AddressInput


class DirectInput(Form):
    """An application of a requester to the commission itself, entered in its register (A.5, a.1 and b.1; A5.2)."""

    register_number: DocumentNumber
    received_on: ActDay
    intake: Annotated[Intake, one_of(Intake.IN_PERSON, Intake.SIGNED_ELECTRONIC, Intake.POST)]
    asks: Annotated[Asks, known(Asks)]
    requester: Annotated[Requester, known(Requester)]
    pupil: PersonInput
    representative: PersonInput | None = None
    phone: Phone | None = None
    email: Email | None = None
    address: DirectAddressInput

    @model_validator(mode="after")
    def _represented(self) -> Self:
        # The pupil who is of age applies alone; whoever is not, by a legal representative (A2.1).
        if (self.requester is Requester.REPRESENTATIVE) != (self.representative is not None):
            sentence = "is filled in exactly where requester is Representative; compare both with the application"
            raise at_field("representative", sentence)
        return self


class ReturnInput(Form):
    """A request that cannot be taken up, and why."""

    grounds: Annotated[tuple[Annotated[ReturnGround, known(ReturnGround)], ...], AfterValidator(distinct), Field(min_length=1)]


class LinkInput(Form):
    """The earlier case of the same pupil; left out, it is the earliest that is still assessed."""

    primary: CaseNumber | None = None


class ExtensionInput(Form):
    """A longer term, and what the commission waits for."""

    until: Day
    cause: Annotated[ExtensionCause, known(ExtensionCause)]


class ClosingInput(Form):
    """An assessment that is done, and why; Returned and AttendanceLapsed are closed by their own acts."""

    cause: Annotated[
        AssessmentCause,
        one_of(
            AssessmentCause.ANSWERED,
            AssessmentCause.DISPATCHED,
            AssessmentCause.WITHDRAWN,
            AssessmentCause.NOT_IDENTIFIED,
            AssessmentCause.DIED,
        ),
    ]
