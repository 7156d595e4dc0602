"""Reading a form of the commission's, and faults that several fields make together."""

from __future__ import annotations

from datetime import date
from typing import Annotated, LiteralString, TypeVar
from uuid import UUID

from pydantic import AfterValidator, ValidationError
from pydantic_core import InitErrorDetails

from services.commission.domain.refusals import FormRefusedError
from services.policy.fields import fault
from services.policy.forms import Form, complaints, parse_form

__all__ = ["CaseNumber", "at_field", "read_form"]

AnyForm = TypeVar("AnyForm", bound=Form)


def _case_number(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise fault("case_number", "is not a case number; copy it from the list of cases") from None


CaseNumber = Annotated[str, AfterValidator(_case_number)]
"""The number of a case, as the list of cases shows it."""


def at_field(name: LiteralString, sentence: str) -> ValidationError:
    """Return a fault that several fields make together, at the one that is to be mended."""
    found = InitErrorDetails(type=fault("fields_together", sentence), loc=(name,), input=None)
    return ValidationError.from_exception_data("form", [found], hide_input=True)


def read_form(form: type[AnyForm], data: bytes, *, today: date) -> AnyForm:
    """Return the form in JSON ``data``. Raises: FormRefusedError with one line a fault."""
    try:
        return parse_form(form, data, today=today)
    except ValidationError as error:
        # Without the cause: pydantic's own report would carry the values into a log.
        raise FormRefusedError(complaints(error)) from None
