"""What a row of a register of expertise files says, whatever it is kept in."""

from __future__ import annotations

from datetime import date

from services.commission.expertise import ExpertiseFile
from services.wire.errors import SettingsError

__all__ = ["file_of", "same_code"]


def same_code(written: str, personal_code: str) -> bool:
    """Tell whether a code as it is written, with or without a hyphen, is one of eleven digits."""
    return written.strip().replace("-", "") == personal_code


def file_of(opinion_on: object, opinion_until: object, *, place: str) -> ExpertiseFile:
    """Return the file that a row describes; ``place`` is where it stands, for people.

    Raises: SettingsError if its days are none, or contradict each other.
    """
    issued, until = _day(opinion_on, place), _day(opinion_until, place)
    if until is not None and (issued is None or until < issued):
        raise SettingsError(f"{place}: opinion_until is not after opinion_on; correct it in the register")
    return ExpertiseFile(opinion_on=issued, opinion_until=until)


def _day(written: object, place: str) -> date | None:
    if written is None or written == "":
        return None
    try:
        return date.fromisoformat(str(written))
    except ValueError:
        raise SettingsError(f"{place}: a day is not written as YYYY-MM-DD; correct it in the register") from None
