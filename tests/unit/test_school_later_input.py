"""The forms after the decision and of changes of persons: whole in themselves, and faults told without what was typed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.policy.forms import Form
from services.school import input as forms
from services.school.domain.refusals import FormRefusedError
from tests.people import TODAY, application_json
from tests.serving import agreement

_ADDRESS = {"text": "Izdomu iela 7-12", "postal_code": "LV-1099"}
_PERSON = {"given_name": "Velta", "family_name": "Aizbildne", "personal_code": "320000-00165", "declared_address": _ADDRESS}


def complaints_of(form: type[Form], fields: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(FormRefusedError) as caught:
        forms.read_form(form, json.dumps(fields).encode(), today=TODAY)
    return caught.value.lines


def test_an_agreement_ends_on_the_day_it_begins_or_later() -> None:
    assert agreement(from_on="2026-09-01", until_on="2026-09-01").until_on is not None
    fields = json.loads(agreement().model_dump_json()) | {"until_on": "2026-08-31"}
    assert complaints_of(forms.AgreementForm, fields) == (
        "until_on: lies before from_on; write a day that is not before it, or leave it out",
    )


@pytest.mark.shows("A6.h")
def test_an_agreement_has_an_hour_at_least() -> None:
    fields = json.loads(agreement().model_dump_json()) | {"hours_per_week": 0}
    (line,) = complaints_of(forms.AgreementForm, fields)
    assert line.startswith("hours_per_week: ")


def test_a_month_is_written_as_its_first_day_and_has_begun() -> None:
    fields = {"month": "2026-09-02", "agreement": 1, "minutes": 60}
    (line,) = complaints_of(forms.HoursForm, fields)
    assert line == "month: is not the first day of a month; write the month as its first day, as 2026-09-01"
    (future,) = complaints_of(forms.HoursForm, fields | {"month": "2026-12-01"})
    assert "lies in the future" in future
    (old,) = complaints_of(forms.HoursForm, fields | {"month": "2012-07-01"})
    assert "2012-08-01" in old


@pytest.mark.parametrize("field", ["opening_cents", "received_cents", "used_cents"])
def test_money_is_never_less_than_nothing(field: str) -> None:
    fields = {"month": "2026-09-01", "opening_cents": 0, "received_cents": 0, "used_cents": 0}
    (line,) = complaints_of(forms.MoneyForm, fields | {field: -1})
    assert line.startswith(f"{field}: ")


@pytest.mark.parametrize("field", ["opening_cents", "received_cents", "used_cents"])
def test_money_is_never_more_than_its_event_can_hold(field: str) -> None:
    """A sum that is written and read by nobody would close what the school itself has recorded, for ever."""
    fields = {"month": "2026-09-01", "opening_cents": 0, "received_cents": 0, "used_cents": 0}
    assert forms.read_form(forms.MoneyForm, json.dumps(fields | {field: 2**31 - 1}).encode(), today=TODAY)
    (line,) = complaints_of(forms.MoneyForm, fields | {field: 2**31})
    assert line.startswith(f"{field}: ")


@pytest.mark.shows("D5.9")
def test_a_correction_says_what_is_right() -> None:
    empty = {"on": "2026-09-03", "evidence": "Pase"}
    (line,) = complaints_of(forms.CorrectionForm, empty)
    assert line == "pupil: is missing; write pupil, birth_date, representative or contact as it is right"
    (codeless,) = complaints_of(forms.CorrectionForm, empty | {"birth_date": "2018-02-03", "code_is_new": True})
    assert codeless == "pupil: is missing; write the pupil with the new code, or leave out code_is_new"


@pytest.mark.shows("D5.9")
def test_a_wrong_check_digit_of_an_old_code_is_told_at_its_field_unless_somebody_compared_it() -> None:
    """E16, twin: 140917-29014."""
    typed = _PERSON | {"personal_code": "140917-29014"}
    form = {"on": "2026-09-03", "evidence": "Pase", "pupil": typed}
    (line,) = complaints_of(forms.CorrectionForm, form)
    assert line.startswith("pupil.personal_code: has a wrong check digit")
    assert "29014" not in line
    compared = form | {"pupil": typed | {"check_digit_override": "Salīdzināts ar pasi"}}
    read = forms.read_form(forms.CorrectionForm, json.dumps(compared).encode(), today=TODAY)
    assert read.pupil is not None
    assert read.pupil.personal_code == "14091729014"


@pytest.mark.shows("D5.19")
def test_a_change_of_representative_names_its_evidence() -> None:
    form = {"person": _PERSON, "authority": "Guardian", "from_on": "2026-09-03"}
    assert complaints_of(forms.RepresentativeForm, form) == ("evidence: is missing; fill it in",)


def test_no_form_states_an_unknown_symbol() -> None:
    for form, fields in (
        (forms.LeavingForm, {"on": "2026-09-03", "cause": "Unknown"}),
        (forms.ServiceForm, {"on": "2026-09-03", "cause": "Unknown"}),
    ):
        (line,) = complaints_of(form, fields)
        assert line.startswith("cause: is not a choice here")


def test_a_pupil_of_the_application_has_the_fields_of_a_correction() -> None:
    typed = {name: value for name, value in application_json()["pupil"].items() if name != "birth_date"}
    fields = {"on": "2026-09-03", "evidence": "Pase", "pupil": typed}
    assert forms.read_form(forms.CorrectionForm, json.dumps(fields).encode(), today=TODAY).pupil is not None
