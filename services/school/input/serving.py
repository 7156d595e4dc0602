"""The forms of a school after its decision: what is typed of assistants, agreements, hours, money and closed letters.

Decides whether a form is complete in itself; whether the procedure allows the act is for the domain.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from services.policy.fields import ActDay, Day, DocumentNumber, FullText, Name, PersonalCode, fault
from services.policy.forms import Form, distinct, known
from services.school.input.faults import at, require
from services.wire.events import Background, Duty, Founder, Party, SchoolKind, ServiceCause

__all__ = [
    "AgreementForm",
    "AmendmentForm",
    "AssistantForm",
    "CvForm",
    "HandOverForm",
    "HoursForm",
    "MoneyForm",
    "SchoolForm",
    "SealedItemForm",
    "ServiceForm",
]

_MONTH_MINUTES: Final = 31 * 24 * 60
_MOST_CENTS: Final = 2_147_483_647
_TRAINING_HOURS: Final = 10_000


def _month(day: date) -> date:
    if day.day != 1:
        raise fault("month", "is not the first day of a month; write the month as its first day, as 2026-09-01")
    return day


Month = Annotated[ActDay, AfterValidator(_month)]
"""A month, as its first day."""

Number = Annotated[int, Field(ge=1)]
"""A running number of the school's."""

Cents = Annotated[int, Field(ge=0, le=_MOST_CENTS)]
"""A sum of money in cents, as far as the event can hold it."""


class SchoolForm(Form):
    """What the school is, from a day on (A1.5, A1.6)."""

    founder: Annotated[Founder, known(Founder)]
    kind: Annotated[SchoolKind, known(SchoolKind)]
    state_maintained: bool
    technical_staff_financed: bool
    from_on: Day


class AssistantForm(Form):
    """The person who is to assist, and where their experience is from (A3.2)."""

    given_name: Name
    family_name: Name
    personal_code: PersonalCode
    background: Annotated[Background, known(Background)]


class CvForm(Form):
    """An assistant's CV, and what it shows (A3.1, A3.7)."""

    assistant: Number
    work_experience: bool
    contact_experience: bool
    training_hours: Annotated[int, Field(ge=0, le=_TRAINING_HOURS)] | None = None
    cv: FullText


class AgreementForm(Form):
    """An agreement as it was signed (A3.5, A6): ``other_duties`` says that its text names duties other than A to G."""

    assistant: Number
    hours_per_week: Annotated[int, Field(ge=1)]
    duties: Annotated[tuple[Annotated[Duty, known(Duty)], ...], AfterValidator(distinct)]
    other_duties: bool = False
    from_on: Day
    until_on: Day | None = None
    signed_by: Annotated[tuple[Annotated[Party, known(Party)], ...], AfterValidator(distinct)]
    concluded_on: ActDay
    text: FullText

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        ends_before = self.until_on is not None and self.until_on < self.from_on
        require(
            at("lies before from_on; write a day that is not before it, or leave it out", "until_on") if ends_before else None
        )
        return self


class AmendmentForm(AgreementForm):
    """An agreement as it holds from ``from_on`` on, also with another assistant or another end."""

    agreement: Number


class ServiceForm(Form):
    """From which day on a service stands still or goes on; of one that ends ``on`` is the last day."""

    on: ActDay
    cause: Annotated[ServiceCause, known(ServiceCause)]
    note: FullText | None = None


class HoursForm(Form):
    """What an assistant worked in a month, in minutes; a later report of the month takes the place of an earlier one."""

    month: Month
    agreement: Number
    minutes: Annotated[int, Field(ge=0, le=_MONTH_MINUTES)]


class MoneyForm(Form):
    """What the school received and used in a month, in cents."""

    month: Month
    opening_cents: Cents
    received_cents: Cents
    used_cents: Cents


class SealedItemForm(Form):
    """A closed letter of the commission that came: the number on its envelope, and nothing that is inside."""

    number: DocumentNumber
    on: ActDay


class HandOverForm(Form):
    """A closed letter that was handed over unopened."""

    number: DocumentNumber
    on: ActDay
    to_whom: Name
