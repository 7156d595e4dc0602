"""The forms of the commission's clerk: what is typed, checked, before anything is decided.

Decides whether a form is complete in itself; whether the procedure allows the act is for ``domain.decisions``.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self, TypeVar

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from services.commission.domain.refusals import FormRefusedError
from services.policy.fields import ActDay, Day, DocumentNumber, FullText, Name, fault
from services.policy.forms import Form, complaints, distinct, known, parse_form
from services.wire.events import Delivery, Opinion, RefusalGround

__all__ = [
    "AnswerInput",
    "DispatchInput",
    "ExaminationInput",
    "IrpInput",
    "RecommendationInput",
    "RefusalInput",
    "RegistrationInput",
    "read_form",
]

AnyForm = TypeVar("AnyForm", bound=Form)


def _at(name: str, sentence: str) -> ValidationError:
    """Return a fault that several fields make together, at the one that is to be mended."""
    found = InitErrorDetails(type=fault("fields_together", sentence), loc=(name,), input=None)
    return ValidationError.from_exception_data("form", [found], hide_input=True)


class RegistrationInput(Form):
    """A school's request entered in the commission's register; ``received_on`` is when it arrived."""

    register_number: DocumentNumber
    received_on: ActDay


class ExaminationInput(Form):
    """What the expertise file shows: whether there is one, and an opinion on the need of special care."""

    file_found: bool
    opinion: Annotated[Opinion, known(Opinion)]
    opinion_until: Day | None = None
    examined_on: ActDay

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if not self.file_found and self.opinion is not Opinion.NONE:
            raise _at("opinion", "shows an opinion without a file; write None as opinion, or true as file_found")
        if self.opinion_until is None:
            return self
        ended = self.opinion_until < self.examined_on
        if self.opinion is Opinion.NONE or ended != (self.opinion is Opinion.EXPIRED):
            raise _at("opinion_until", "does not fit opinion and examined_on; compare them with the file")
        return self


class IrpInput(Form):
    """The individual rehabilitation plan as it is issued."""

    number: DocumentNumber
    text: FullText
    issued_on: ActDay
    indicates_need: bool


class RecommendationInput(Form):
    """The recommendation as it is issued; without ``valid_until`` it holds without a term."""

    number: DocumentNumber
    text: FullText
    issued_on: ActDay
    valid_from: Day
    valid_until: Day | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise _at("valid_until", "lies before valid_from; write a day that is not before it, or leave it out")
        return self


class RefusalInput(Form):
    """A recommendation refused: the grounds as codes, the reasons in words for the requester alone."""

    issued_on: ActDay
    grounds: Annotated[tuple[Annotated[RefusalGround, known(RefusalGround)], ...], AfterValidator(distinct), Field(min_length=1)]
    text: FullText


class DispatchInput(Form):
    """Documents sent. The day of notification follows from the way of a letter; for an e-address it has to be given.

    For an e-address it is the second working day after sending; no calendar of working days is kept here.
    """

    number: DocumentNumber
    by: Annotated[Delivery, known(Delivery)]
    sent_on: ActDay
    notified_on: Day | None = None

    @model_validator(mode="after")
    def _notified(self) -> Self:
        if self.by is Delivery.E_ADDRESS and self.notified_on is None:
            raise _at("notified_on", "is missing; fill it in where by is EAddress")
        if self.by is not Delivery.E_ADDRESS and self.notified_on is not None:
            raise _at("notified_on", "does not belong here; fill it in only where by is EAddress, it follows for letters")
        if self.notified_on is not None and self.notified_on < self.sent_on:
            raise _at("notified_on", "lies before sent_on; compare both days")
        return self


class AnswerInput(Form):
    """Who answers the school; what the answer is follows from the case."""

    official: Name


def read_form(form: type[AnyForm], data: bytes, *, today: date) -> AnyForm:
    """Return the form in JSON ``data``. Raises: FormRefusedError with one line a fault."""
    try:
        return parse_form(form, data, today=today)
    except ValidationError as error:
        # Without the cause: pydantic's own report would carry the values into a log.
        raise FormRefusedError(complaints(error)) from None
