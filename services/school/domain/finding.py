"""By which words cases are found again: personal codes of pupils and assistants, and the day on which a pupil comes of age.

The words are looked up by a keyed hash of theirs alone and stand nowhere: neither who somebody is nor when they were born is
anything that a read model may show (docs/adr/0026).
"""

from __future__ import annotations

from datetime import date
from typing import Final

from services.policy.calendar import birthday
from services.wire.events import (
    ApplicationFiledPersonal,
    AssistantProposedPersonal,
    InformationRequestedPersonal,
    PersonDataCorrectedPersonal,
    RequestCorrectedPersonal,
)

__all__ = ["NAMING", "OF_AGE", "assistant_word", "of_age_word", "words_in"]

NAMING: Final = frozenset(
    {"ApplicationFiled", "AssistantProposed", "InformationRequested", "PersonDataCorrected", "RequestCorrected"}
)
"""The types of events in whose personal parts words stand."""

OF_AGE: Final = 18
"""In full years; whatever the rules, nobody is represented as a child from then on (A2.1)."""


def words_in(personal: object) -> tuple[str, ...]:
    """Return the words by which a case with this personal part is found.

    A pupil whose code changed is found by either (domain.md D.5, 11); an assistant never as if they were a pupil.
    """
    match personal:
        case ApplicationFiledPersonal():
            return personal.application.pupil.personal_code, of_age_word(birthday(personal.birth_date, OF_AGE))
        case InformationRequestedPersonal():
            return _each_once(personal.application.pupil.personal_code, personal.pupil.personal_code)
        case PersonDataCorrectedPersonal():
            codes = _each_once(personal.old.pupil.personal_code, personal.new.pupil.personal_code)
            born_on = personal.new_birth_date
            return codes if born_on is None else (*codes, of_age_word(birthday(born_on, OF_AGE)))
        case RequestCorrectedPersonal():
            return _each_once(personal.old.pupil.personal_code, personal.new.pupil.personal_code)
        case AssistantProposedPersonal():
            return (assistant_word(personal.person.personal_code),)
        case _:
            return ()


def assistant_word(code: str) -> str:
    """Return the word of an assistant with a personal code."""
    return f"assistant {code}"


def of_age_word(day: date) -> str:
    """Return the word of those who come of age on a day."""
    return f"of age {day.isoformat()}"


def _each_once(*codes: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(codes))
