"""The forms of changes of persons: withdrawal, leaving, correction, another representative, age, opposition.

Decides whether a form is complete in itself; whether the procedure allows the act is for the domain.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import model_validator

from services.policy.fields import ActDay, FullText, Name, PastDay
from services.policy.forms import Form, known
from services.school.input.faults import at, require
from services.school.input.persons import Contact, PersonForm
from services.wire.events import Authority, LeavingCause

__all__ = [
    "CorrectionForm",
    "LeavingForm",
    "OpposingForm",
    "ReopeningForm",
    "RepresentativeForm",
    "WithdrawalForm",
]


class WithdrawalForm(Form):
    """The requester steps back."""

    received_on: ActDay
    by: Name


class ReopeningForm(Form):
    """The requester of a duplicate says that it stands, with the consent and the address that it states."""

    received_on: ActDay
    by: Name


class LeavingForm(Form):
    """The pupil is no longer at this school; ``on`` is the last day. Nothing more is recorded of it (D.5, 8 and 30)."""

    on: ActDay
    cause: Annotated[LeavingCause, known(LeavingCause)]


class CorrectionForm(Form):
    """Particulars as they are right; what is left out stands. ``code_is_new``: the pupil was given another code (D.5, 11).

    ``evidence`` names what was compared: the document, and its number.
    """

    on: ActDay
    pupil: PersonForm | None = None
    birth_date: PastDay | None = None
    representative: PersonForm | None = None
    contact: Contact | None = None
    code_is_new: bool = False
    evidence: FullText

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        empty = not any((self.pupil, self.birth_date, self.representative, self.contact))
        codeless = self.code_is_new and self.pupil is None
        require(
            at("is missing; write pupil, birth_date, representative or contact as it is right", "pupil") if empty else None,
            at("is missing; write the pupil with the new code, or leave out code_is_new", "pupil") if codeless else None,
        )
        return self


class RepresentativeForm(Form):
    """Who represents the pupil from a day on, by what authority, and what shows it: the order of the court, its number."""

    person: PersonForm
    authority: Annotated[Authority, known(Authority)]
    from_on: ActDay
    evidence: FullText


class OpposingForm(Form):
    """The other parent opposes, in words."""

    received_on: ActDay
    by: Name
    text: FullText
