"""The order of days: no act is older than what it rests on."""

from __future__ import annotations

from datetime import date

from services.commission.domain import refusals

__all__ = ["in_order"]


def in_order(later: date, later_name: str, earlier: date, earlier_name: str) -> None:
    """Return if ``later`` is not before ``earlier``.

    Raises: DateOrderError with both names.
    """
    if later < earlier:
        raise refusals.DateOrderError(later_name, earlier_name)
