"""By which codes a case names its pupil: as its request says, and as it was corrected since.

Source: domain.md D.5, 6, 10 and 11.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from services.commission.domain.case import CommissionCase
from services.wire.events import (
    CorrectedField,
    InformationRequestedPersonal,
    RequestCorrectedPersonal,
    RequestRegisteredPersonal,
)
from services.wire.hashing import Digest

__all__ = ["NAMING", "codes_among", "words_in"]

NAMING: Final = frozenset({"InformationRequested", "RequestCorrected", "RequestRegistered"})
"""The types of events in whose personal parts a pupil is named."""


def words_in(personal: object) -> tuple[str, ...]:
    """Return the personal code by which a case with this personal part is found (D.5, 6 and 11).

    From the school's request on, not from its registration: a school that asks to send nothing may say so before (D.5, 19).
    """
    match personal:
        case InformationRequestedPersonal():
            return (personal.pupil.personal_code,)
        case RequestRegisteredPersonal() if personal.pupil is not None:
            return (personal.pupil.personal_code,)
        case RequestCorrectedPersonal():
            return (personal.new.pupil.personal_code,)
        case _:
            return ()


def codes_among(case: CommissionCase, opened: Callable[[Digest], Any]) -> tuple[str, ...]:
    """Return the codes that name the pupil of a case, the newest first: a new code does not end an old one (D.5, 11).

    ``opened`` gives what is personal about an event by its body, None where it does not open: then what else is known is kept,
    but where it says which code was mistyped.
    """
    said = case.request.body if case.request is not None else case.registered_body
    named = opened(said) if said is not None else None
    if named is None or named.pupil is None:
        return ()
    codes = [named.pupil.personal_code]
    for correction in case.corrections:
        changed = correction.facts.changed
        if not {CorrectedField.CODE, CorrectedField.NEW_CODE}.intersection(changed):
            continue
        corrected = opened(correction.body)
        if corrected is None:
            codes = codes if CorrectedField.NEW_CODE in changed else []
            continue
        if CorrectedField.NEW_CODE not in changed:
            # What was mistyped is somebody else's, or nobody's; whatever else named the pupil does so still. Where none of the
            # codes is the one that was meant, none is kept: no fishing (D.5, 10).
            mistyped = corrected.old.pupil.personal_code
            codes = [each for each in codes if each != mistyped] if mistyped in codes else []
        codes = [corrected.new.pupil.personal_code, *codes]
    return tuple(dict.fromkeys(codes))
