"""Days: of which day in Riga a time is that an entry says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

__all__ = ["day_in_riga"]

_RIGA: Final = ZoneInfo("Europe/Riga")


def day_in_riga(milliseconds: int) -> date:
    """Return the day of a time in milliseconds since 1970; the last hours that an entry can say are of the last day there is."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).astimezone(_RIGA).date()
    except OverflowError:
        return date.max
