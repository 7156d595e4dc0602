"""Faults that several fields of a form make together."""

from __future__ import annotations

from enum import Enum

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from services.policy.fields import fault
from services.policy.forms import distinct

__all__ = ["at", "belongs", "require", "some"]


def at(sentence: str, *place: str) -> InitErrorDetails:
    """Return a fault that several fields make together, at the one that is to be mended."""
    return InitErrorDetails(type=fault("fields_together", sentence), loc=place, input=None)


def belongs(name: str, value: object, *, needed: bool, where: str) -> InitErrorDetails | None:
    """Return the fault of a field that is filled in exactly where another one says so, None if there is none."""
    if needed == (value is not None):
        return None
    return at(f"is missing; fill it in where {where}" if needed else f"does not belong here; fill it in only where {where}", name)


def require(*faults: InitErrorDetails | None) -> None:
    """Return if no fault was found. Raises: pydantic's ValidationError."""
    found = [each for each in faults if each is not None]
    if found:
        raise ValidationError.from_exception_data("form", found, hide_input=True)


def some(values: tuple[Enum, ...]) -> tuple[Enum, ...]:
    """Return a list that names something, and nothing twice."""
    # Not by a least length: a list whose only item is no choice would be told two faults.
    if not values:
        raise fault("too_short", "names nothing; name at least one")
    return distinct(values)
