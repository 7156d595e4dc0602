"""The forms of the assessment: examination, attendance, opinion, plan, recommendation and refusal."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from services.commission.input.reading import at_field
from services.policy.fields import ActDay, Day, DocumentNumber, FullText
from services.policy.forms import Form, distinct, known
from services.wire.events import IrpKind, Opinion, RefusalGround

__all__ = [
    "AttendanceInput",
    "AttendedInput",
    "ExaminationInput",
    "IrpInput",
    "LapseInput",
    "LookUpInput",
    "OpinionInput",
    "RecommendationInput",
    "RefusalInput",
]


class ExaminationInput(Form):
    """What the expertise file shows: whether there is one, and an opinion on the need of special care."""

    file_found: bool
    opinion: Annotated[Opinion, known(Opinion)]
    opinion_until: Day | None = None
    examined_on: ActDay

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if not self.file_found and self.opinion is not Opinion.NONE:
            raise at_field("opinion", "shows an opinion without a file; write None as opinion, or true as file_found")
        if self.opinion_until is None:
            return self
        ended = self.opinion_until < self.examined_on
        if self.opinion is Opinion.NONE or ended != (self.opinion is Opinion.EXPIRED):
            raise at_field("opinion_until", "does not fit opinion and examined_on; compare them with the file")
        return self


class LookUpInput(Form):
    """An examination whose facts are taken from the register of expertise files; when is still said by who examines."""

    examined_on: ActDay


class AttendanceInput(Form):
    """The letter that asks the pupil to come (A5.3); it goes to the requester, the school learns only that it was sent."""

    sent_on: ActDay
    letter: FullText


class AttendedInput(Form):
    """The day on which the pupil came."""

    on: ActDay


class OpinionInput(Form):
    """The opinion on the need of special care as it was issued; without ``until`` it holds without a term."""

    on: ActDay
    until: Day | None = None

    @model_validator(mode="after")
    def _holds(self) -> Self:
        if self.until is not None and self.until < self.on:
            raise at_field("until", "lies before on; write a day that is not before it, or leave it out")
        return self


class LapseInput(Form):
    """The pupil did not come; ``close`` ends the assessment, without it the recommendation is refused on that ground."""

    on: ActDay
    close: bool = True


class IrpInput(Form):
    """The individual rehabilitation plan as it is issued; without ``kind`` it is that of a person with disability (A4.3)."""

    kind: Annotated[IrpKind, known(IrpKind)] = IrpKind.DISABILITY
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
            raise at_field("valid_until", "lies before valid_from; write a day that is not before it, or leave it out")
        # What is over when it is issued never held, and nobody could be warned of its end.
        if self.valid_until is not None and self.valid_until < self.issued_on:
            raise at_field("valid_until", "lies before issued_on; write a day that is not before it, or leave it out")
        return self


class RefusalInput(Form):
    """A recommendation refused: the grounds as codes, the reasons in words for the requester alone."""

    issued_on: ActDay
    grounds: Annotated[tuple[Annotated[RefusalGround, known(RefusalGround)], ...], AfterValidator(distinct), Field(min_length=1)]
    text: FullText
