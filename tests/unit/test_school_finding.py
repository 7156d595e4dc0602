"""By which words a school finds cases again: codes of pupils, of assistants, and days on which pupils come of age."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.school.domain.finding import assistant_word, of_age_word, words_in
from services.wire.events import (
    Assistant,
    AssistantProposedPersonal,
    Particulars,
    PersonDataCorrectedPersonal,
    RequestCorrectedPersonal,
)
from tests.people import CONSENT_PERSONAL, FATHER, FILED_PERSONAL, PUPIL, REQUESTED_PERSONAL

_OLD = Particulars(pupil=PUPIL, representative=FATHER, contact="+37120000099")
_NEW = replace(_OLD, pupil=replace(PUPIL, personal_code="32000000044"))


@pytest.mark.shows("D5.11")
def test_a_pupil_whose_code_changed_is_found_by_either() -> None:
    """E17."""
    both = (PUPIL.personal_code, "32000000044")
    kept = PersonDataCorrectedPersonal(old=_OLD, new=_NEW, old_birth_date=None, new_birth_date=None, evidence="Pase")
    assert words_in(kept) == both
    assert words_in(RequestCorrectedPersonal(old=_OLD, new=_NEW)) == both
    assert words_in(replace(REQUESTED_PERSONAL, pupil=_NEW.pupil)) == both
    assert words_in(REQUESTED_PERSONAL) == (PUPIL.personal_code,)


@pytest.mark.shows("D5.21")
def test_a_pupil_is_found_by_the_day_of_coming_of_age_also_by_a_corrected_one() -> None:
    assert words_in(FILED_PERSONAL) == (PUPIL.personal_code, of_age_word(date(2036, 2, 3)))
    leap = replace(FILED_PERSONAL, birth_date=date(2008, 2, 29))
    assert of_age_word(date(2026, 3, 1)) in words_in(leap)
    mended = PersonDataCorrectedPersonal(
        old=_OLD, new=_OLD, old_birth_date=date(2018, 2, 3), new_birth_date=date(2018, 3, 2), evidence="Pase"
    )
    assert words_in(mended) == (PUPIL.personal_code, of_age_word(date(2036, 3, 2)))


def test_an_assistant_is_not_found_as_a_pupil() -> None:
    person = Assistant(given_name="Maija", family_name="Palīdze", personal_code="32000000211")
    assert words_in(AssistantProposedPersonal(person=person)) == (assistant_word("32000000211"),)
    assert assistant_word("32000000211") != "32000000211"


def test_what_is_about_nobody_in_particular_is_found_by_nothing() -> None:
    assert words_in(CONSENT_PERSONAL) == ()
    assert words_in(None) == ()
