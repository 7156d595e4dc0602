"""How typed input becomes a checked form, and how its faults are told to people.

Decides the strictness of every form and the words of every complaint; which fields there are is for the participants' forms.
A complaint is one line, ``field: what is wrong; what would be right``, and never repeats what was typed: it may be a person's
name or code, and complaints end up in terminals and logs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from enum import Enum
from typing import Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from services.policy.fields import fault

__all__ = ["Form", "complaints", "distinct", "known", "one_of", "parse_form"]

AnyForm = TypeVar("AnyForm", bound="Form")

# A field's name is shown only if it looks like one: a pasted personal code or name may stand where a field's name should.
_FIELD_NAME: Final = re.compile(r"[a-z][a-z_]{0,39}")

_WORDS: Final = {
    "missing": "is missing; fill it in",
    "extra_forbidden": "is not a field of this form; remove it or correct its name",
    "bool_type": "is neither true nor false; write true or false without quotation marks",
    "string_type": "is not a text; write it between quotation marks",
    "int_type": "is not a whole number; write digits without quotation marks",
    "too_short": "names nothing; name at least one",
    "tuple_type": "is not a list; write it between [ and ]",
    "model_type": "is not a group of fields; write them between { and }",
    "date_type": "is not a day; write YYYY-MM-DD between quotation marks",
    "json_invalid": "is not JSON; check quotation marks, commas and brackets",
}
_DATE_TYPES: Final = ("date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact")
_OTHER: Final = "has a value that does not fit; see the form's description"


class Form(BaseModel):
    """Typed input: nothing is converted, nothing unknown is let through, nothing changes afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


def parse_form(form: type[AnyForm], data: bytes, *, today: date) -> AnyForm:
    """Return the checked form that JSON ``data`` holds; ``today`` is the day in Europe/Riga.

    Raises: pydantic's ValidationError; ``complaints`` puts it into words.
    """
    return form.model_validate_json(data, context={"today": today})


def one_of(*allowed: Enum) -> BeforeValidator:
    """Return the check that a text names one of ``allowed``; a form never states ``Unknown``."""
    symbols = {symbol.value: symbol for symbol in allowed}
    choices = ", ".join(str(value) for value in symbols)

    def symbol_of(value: object) -> Enum:
        # Other than a text only our own code gives a symbol itself; a list or group from JSON is neither.
        symbol = symbols.get(value) if isinstance(value, str) else value
        if not isinstance(symbol, Enum) or symbol not in allowed:
            raise fault("one_of", f"is not a choice here; write one of: {choices}")
        return symbol

    return BeforeValidator(symbol_of)


def known(enum: type[Enum]) -> BeforeValidator:
    """Return the check that a text names a symbol of ``enum`` other than ``Unknown``."""
    return one_of(*(symbol for symbol in enum if symbol.value != "Unknown"))


def distinct(values: tuple[Enum, ...]) -> tuple[Enum, ...]:
    """Return a list of symbols in which none stands twice."""
    if len(set(values)) != len(values):
        raise fault("repeated", "names something twice; name each once")
    return values


def complaints(error: ValidationError) -> tuple[str, ...]:
    """Return one line for each fault, in the order of the fields."""
    return tuple(
        f"{_place(detail['loc'])}: {_sentence(detail)}" for detail in error.errors(include_url=False, include_input=False)
    )


def _place(location: Iterable[int | str]) -> str:
    parts = [_part(part) for part in location]
    return ".".join(parts) or "form"


def _part(part: int | str) -> str:
    if isinstance(part, int):
        return str(part + 1)
    return part if _FIELD_NAME.fullmatch(part) else "(unknown field)"


def _sentence(detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind in _DATE_TYPES:
        return _WORDS["date_type"]
    # A foreign message that is not in the table may quote the value, so it is not shown.
    return str(detail.get("ctx", {}).get("sentence") or _WORDS.get(kind, _OTHER))
