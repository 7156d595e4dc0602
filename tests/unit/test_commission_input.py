"""The forms of the commission's clerk: what is complete, and how faults are told without repeating what was typed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.commission.domain.refusals import FormRefusedError
from services.commission.input import (
    AnswerInput,
    DispatchInput,
    ExaminationInput,
    IrpInput,
    RecommendationInput,
    RefusalInput,
    RegistrationInput,
    read_form,
)
from services.policy.forms import Form
from tests.people import TODAY

_WHOLE: dict[type[Form], dict[str, Any]] = {
    RegistrationInput: {"register_number": "R-17", "received_on": "2026-08-19"},
    ExaminationInput: {"file_found": True, "opinion": "Valid", "opinion_until": "2028-02-03", "examined_on": "2026-08-20"},
    IrpInput: {"number": "P-1", "text": "Plāns", "issued_on": "2026-08-25", "indicates_need": True},
    RecommendationInput: {"number": "I-1", "text": "Ieteikums", "issued_on": "2026-08-26", "valid_from": "2026-08-26"},
    RefusalInput: {"issued_on": "2026-08-26", "grounds": ["NeedNotFound"], "text": "Pamatojums"},
    DispatchInput: {"number": "S-1", "by": "Registered", "sent_on": "2026-08-27"},
    AnswerInput: {"official": "Ilze Paraudziņa"},
}


def complaint_of(form: type[Form], **changes: object) -> str:
    with pytest.raises(FormRefusedError) as caught:
        read_form(form, json.dumps(_WHOLE[form] | changes).encode(), today=TODAY)
    (line,) = caught.value.lines
    return line


@pytest.mark.parametrize("form", list(_WHOLE))
def test_whole_form_is_read(form: type[Form]) -> None:
    assert isinstance(read_form(form, json.dumps(_WHOLE[form]).encode(), today=TODAY), form)


@pytest.mark.parametrize("form", list(_WHOLE))
def test_no_form_takes_a_field_that_it_does_not_have(form: type[Form]) -> None:
    """No diagnosis slips into a case because some form had room for it."""
    assert complaint_of(form, diagnosis="F84") == "diagnosis: is not a field of this form; remove it or correct its name"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"opinion": "Unknown"}, "opinion: is not a choice here; write one of: Valid, Expired, None"),
        ({"file_found": False}, "opinion: shows an opinion without a file; write None as opinion, or true as file_found"),
        ({"opinion": "None"}, "opinion_until: does not fit opinion and examined_on; compare them with the file"),
        ({"opinion_until": "2026-08-19"}, "opinion_until: does not fit opinion and examined_on; compare them with the file"),
        ({"opinion": "Expired"}, "opinion_until: does not fit opinion and examined_on; compare them with the file"),
    ],
)
def test_examination_agrees_with_itself(changes: dict[str, object], line: str) -> None:
    assert complaint_of(ExaminationInput, **changes) == line


@pytest.mark.parametrize(
    "changes",
    [
        {"opinion": "Expired", "opinion_until": "2026-08-19"},
        {"opinion_until": "2026-08-20"},
        {"opinion": "None", "opinion_until": None, "file_found": False},
    ],
)
def test_examination_is_taken_to_the_last_day_of_an_opinion(changes: dict[str, object]) -> None:
    assert read_form(ExaminationInput, json.dumps(_WHOLE[ExaminationInput] | changes).encode(), today=TODAY)


def test_recommendation_does_not_end_before_it_begins() -> None:
    line = "valid_until: lies before valid_from; write a day that is not before it, or leave it out"
    assert complaint_of(RecommendationInput, valid_until="2026-08-25") == line
    whole = _WHOLE[RecommendationInput] | {"valid_until": "2026-08-26"}
    assert read_form(RecommendationInput, json.dumps(whole).encode(), today=TODAY).valid_until is not None


def test_refusal_names_known_grounds_each_once() -> None:
    assert complaint_of(RefusalInput, grounds=[]) == "grounds: names nothing; name at least one"
    assert complaint_of(RefusalInput, grounds=["NeedNotFound"] * 2) == "grounds: names something twice; name each once"
    assert complaint_of(RefusalInput, grounds=["Other"]).startswith("grounds.1: is not a choice here; write one of: NeedNotFound")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"by": "EAddress"}, "notified_on: is missing; fill it in where by is EAddress"),
        (
            {"notified_on": "2026-09-03"},
            "notified_on: does not belong here; fill it in only where by is EAddress, it follows for letters",
        ),
        ({"by": "EAddress", "notified_on": "2026-08-26"}, "notified_on: lies before sent_on; compare both days"),
    ],
)
def test_day_of_notification_is_given_for_an_e_address_alone(changes: dict[str, object], line: str) -> None:
    assert complaint_of(DispatchInput, **changes) == line
