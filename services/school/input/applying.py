"""The forms of a school's clerk up to the request: application, consent, address, signature, what is missing and supplied.

Decides whether a form is complete in itself; whether the procedure allows the act is for the domain. What an application lacks is
no fault of the form: it came in, so it can be recorded, and is then found incomplete. Nothing is ever filled in for the family.
"""

from __future__ import annotations

from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import AfterValidator, model_validator
from pydantic_core import InitErrorDetails

from services.policy.fields import ActDay, Day, FullText, Name
from services.policy.forms import Form, distinct, known, one_of
from services.school.input.faults import at, belongs, require, some
from services.school.input.persons import AddressChoice, Contact, PersonForm, PupilForm
from services.wire.events import (
    Attachment,
    Container,
    DuplicateCause,
    Intake,
    MissingItem,
    Requester,
    SignatureFault,
    SignatureLevel,
    Variant,
)

__all__ = [
    "AddressSupplied",
    "ApplicationInput",
    "ConsentStatement",
    "ConsentSupplied",
    "DuplicateInput",
    "IncompleteInput",
    "SignatureInput",
    "SupplementInput",
    "VariantForm",
]

_ASKING: Final = (Variant.A2, Variant.B2)
_BY_OTHER_ACTS: Final = (
    MissingItem.UNKNOWN,
    MissingItem.CONSENT,
    MissingItem.ADDRESS,
    MissingItem.IDENTITY,
    MissingItem.PERSON_DATA,
)
"""What comes with facts of its own, and so by an act of its own."""


class ConsentStatement(Form):
    """What the form says about the requester's consent that the school asks the commission."""

    given: bool
    received_on: ActDay | None = None
    by: Name | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        require(
            belongs("received_on", self.received_on, needed=self.given, where="given is true"),
            belongs("by", self.by, needed=self.given, where="given is true"),
        )
        return self


class ConsentSupplied(Form):
    """A consent that came after the application, or its withdrawal."""

    received_on: ActDay
    by: Name


class AddressSupplied(AddressChoice):
    """A choice of address that came after the application; ``dispatch_on_hold`` asks the commission to send nothing for now."""

    confirmed_on: ActDay
    dispatch_on_hold: bool = False


class ApplicationInput(Form):
    """An application of any variant, as the school's clerk enters it: what the form says, and what it does not say."""

    received_on: ActDay
    intake: Annotated[Intake, one_of(Intake.IN_PERSON, Intake.SIGNED_ELECTRONIC, Intake.POST)]
    variant: Annotated[Variant, known(Variant)]
    requester: Annotated[Requester, known(Requester)]
    exception_declared: bool
    states_opinion: bool
    states_irp: bool
    consent: ConsentStatement
    address: AddressChoice | None = None
    pupil: PupilForm
    representative: PersonForm | None = None
    desired_assistant: Name | None = None
    contact: Contact
    attachments: Annotated[tuple[Annotated[Attachment, known(Attachment)], ...], AfterValidator(distinct)]
    recommendation_until: Day | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        needed, where = self.requester is Requester.REPRESENTATIVE, "requester is Representative"
        born_later = self.pupil.birth_date > self.received_on
        require(
            belongs("representative", self.representative, needed=needed, where=where),
            at("lies after the day of receipt; compare both with the school's register", "pupil", "birth_date")
            if born_later
            else None,
            self._of_another_variant(),
            self._until_of_no_copy(),
        )
        return self

    def _of_another_variant(self) -> InitErrorDetails | None:
        # Where nobody is asked, no letter of the commission comes: an address would promise one.
        if self.address is None or self.variant in _ASKING:
            return None
        return at("does not belong here; fill it in only where variant is A2 or B2", "address")

    def _until_of_no_copy(self) -> InitErrorDetails | None:
        if self.recommendation_until is None or Attachment.RECOMMENDATION_COPY in self.attachments:
            return None
        return at("does not belong here; fill it in only where attachments name RecommendationCopy", "recommendation_until")


class SignatureInput(Form):
    """What the check of a signed document found: ``fault`` where there is no signature to be judged, else what it is like."""

    fault: Annotated[SignatureFault, known(SignatureFault)] | None = None
    level: Annotated[SignatureLevel, known(SignatureLevel)] | None = None
    container: Annotated[Container, known(Container)] | None = None
    signer_matches: bool | None = None
    time_stamped: bool | None = None
    signed_on: ActDay | None = None
    report: FullText

    @model_validator(mode="after")
    def _either(self) -> Self:
        needed, where = self.fault is None, "fault is left out"
        names = ("level", "container", "signer_matches", "time_stamped", "signed_on")
        require(*(belongs(name, getattr(self, name), needed=needed, where=where) for name in names))
        return self


class IncompleteInput(Form):
    """What an application lacks, and the letter that tells the requester so."""

    missing: Annotated[tuple[Annotated[MissingItem, known(MissingItem)], ...], AfterValidator(some)]
    told_on: ActDay
    letter: FullText


class SupplementInput(Form):
    """What was supplied later; consent, address and particulars have acts of their own."""

    supplied: Annotated[
        tuple[Annotated[MissingItem, one_of(*(item for item in MissingItem if item not in _BY_OTHER_ACTS))], ...],
        AfterValidator(some),
    ]
    received_on: ActDay
    recommendation_until: Day | None = None
    content: FullText

    @model_validator(mode="after")
    def _recommendation_holds(self) -> Self:
        until, name = self.recommendation_until, "recommendation_until"
        needed = MissingItem.VALID_RECOMMENDATION in self.supplied
        # A copy that came as such may be of a recommendation without a last day; one that renews another says until when.
        may = needed or MissingItem.RECOMMENDATION_COPY in self.supplied
        is_over = until is not None and until < self.received_on
        require(
            belongs(name, until, needed=needed, where="supplied names ValidRecommendation") if needed or not may else None,
            at("lies before the day of receipt; a recommendation that is over renews nothing", name) if is_over else None,
        )
        return self


class VariantForm(Form):
    """Another route, as the requester chose it; ``exception_declared``: applying to the commission oneself is too hard."""

    variant: Annotated[Variant, known(Variant)]
    exception_declared: bool
    received_on: ActDay
    by: Name


class DuplicateInput(Form):
    """Of which case an application is the duplicate.

    ``supersedes`` is what the requester says of a consent or an address in it that the other case lacks, or had earlier: whether
    they are to hold there. It is left out where there is none.
    """

    primary: UUID
    cause: Annotated[DuplicateCause, known(DuplicateCause)]
    supersedes: bool | None = None
