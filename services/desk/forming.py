"""The forms inside a script: each is held against the model of its command when the file is read, not when it is played.

Decides which model a command's form has, and what is wrong with one; where that stands in the file is for ``script``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pydantic import ValidationError

from services.commission import input as commission_forms
from services.commission.acts import ACTS as COMMISSION_ACTS
from services.policy.forms import Form, complaints, parse_form
from services.school import input as school_forms
from services.school.acts import EVERY_ACT as SCHOOL_ACTS
from services.wire.channels import COMMISSION

__all__ = ["faults_of", "form_of"]


def form_of(who: str, act: str) -> type[Form] | None:
    """Return the form of an act that a participant has, None if it takes none."""
    name = COMMISSION_ACTS[act].form if who == COMMISSION else SCHOOL_ACTS[act].form
    if name is None:
        return None
    form: type[Form] = getattr(commission_forms if who == COMMISSION else school_forms, name)
    return form


def faults_of(who: str, act: str, form: bytes, *, today: date) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Yield place and sentence of each fault of a form in JSON, as the command would tell it on the day ``today``."""
    model = form_of(who, act)
    if model is None:
        return
    try:
        parse_form(model, form, today=today)
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
        for detail, line in zip(details, complaints(error), strict=True):
            yield detail["loc"], line.partition(": ")[2]
