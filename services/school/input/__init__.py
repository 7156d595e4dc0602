"""The forms of a school's people: what is typed, checked, before anything is decided.

Decides whether a form is complete in itself; whether the procedure allows the act is for the domain.
"""

from __future__ import annotations

from datetime import date
from typing import TypeVar

from pydantic import ValidationError

from services.policy.forms import Form, complaints, parse_form
from services.school.domain.refusals import FormRefusedError
from services.school.input.applying import *
from services.school.input.applying import ApplicationInput
from services.school.input.changing import *
from services.school.input.deciding import *
from services.school.input.persons import *
from services.school.input.serving import *

AnyForm = TypeVar("AnyForm", bound=Form)


def read_form(form: type[AnyForm], data: bytes, *, today: date) -> AnyForm:
    """Return the form in JSON ``data``. Raises: FormRefusedError with one line a fault."""
    try:
        return parse_form(form, data, today=today)
    except ValidationError as error:
        # Without the cause: pydantic's own report would carry the values into a log.
        raise FormRefusedError(complaints(error)) from None


def read_application(data: bytes, *, today: date) -> ApplicationInput:
    """Return the application in JSON ``data``. Raises: FormRefusedError with one line a fault."""
    return read_form(ApplicationInput, data, today=today)
