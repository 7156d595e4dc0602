"""The forms inside a script: each is held against the model of its command when the file is read, not when it is played.

Decides which model a command's form has, and what is wrong with one; where that stands in the file is for ``script``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from pydantic import ValidationError

from services.commission import input as commission_forms
from services.commission.entrypoints.cli import ACTS
from services.policy.forms import Form, complaints, parse_form
from services.school import input as school_forms
from services.wire.channels import COMMISSION

__all__ = ["faults_of"]

_SCHOOL_FORMS: Final[dict[str, type[Form]]] = {
    "file": school_forms.ApplicationInput,
    "consent": school_forms.ConsentSupplied,
    "address": school_forms.AddressSupplied,
}


def faults_of(who: str, act: str, form: bytes, *, today: date) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Yield place and sentence of each fault of a form in JSON, as the command would tell it on the day ``today``."""
    model: type[Form] = getattr(commission_forms, ACTS[act].form) if who == COMMISSION else _SCHOOL_FORMS[act]
    try:
        parse_form(model, form, today=today)
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
        for detail, line in zip(details, complaints(error), strict=True):
            yield detail["loc"], line.partition(": ")[2]
