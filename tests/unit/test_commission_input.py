"""The forms of the commission's clerk: what is complete, and how faults are told without repeating what was typed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.commission.domain.refusals import FormRefusedError
from services.commission.input import (
    AnswerInput,
    AttendanceInput,
    AttendedInput,
    ClosingInput,
    ContestInput,
    CorrectionInput,
    DeliveryFailureInput,
    DeliveryInput,
    DirectInput,
    DispatchInput,
    ExaminationInput,
    ExtensionInput,
    HeadDecisionInput,
    IrpInput,
    LapseInput,
    LinkInput,
    LookUpInput,
    OpinionInput,
    RecommendationInput,
    RedispatchInput,
    RefusalInput,
    RegistrationInput,
    ReturnInput,
    RevocationInput,
    read_form,
)
from services.policy.forms import Form
from tests.people import TODAY

_HOME: dict[str, Any] = {"text": "Izdomu iela 7-12, Paraugpilsēta", "postal_code": "LV-1099"}
_ELZA: dict[str, Any] = {
    "given_name": "Elza",
    "family_name": "Paraudziņa",
    "personal_code": "140917-29013",
    "declared_address": _HOME,
}
_WHOLE: dict[type[Form], dict[str, Any]] = {
    DirectInput: {
        "register_number": "R-3",
        "received_on": "2026-08-03",
        "intake": "InPerson",
        "asks": "Recommendation",
        "requester": "Representative",
        "pupil": _ELZA,
        "representative": _ELZA | {"given_name": "Ilze", "personal_code": "120451-09017"},
        "phone": "20000099",
        "address": {"choice": "Home", "protected": False, "address": _HOME},
    },
    ReturnInput: {"grounds": ["Unsigned"]},
    LinkInput: {"primary": "01912345-0000-7000-8000-000000000001"},
    ExtensionInput: {"until": "2026-12-19", "cause": "ExpertiseAwaited"},
    ClosingInput: {"cause": "Answered"},
    LookUpInput: {"examined_on": "2026-08-20"},
    AttendanceInput: {"sent_on": "2026-08-21", "letter": "Lūdzam ierasties"},
    AttendedInput: {"on": "2026-08-24"},
    LapseInput: {"on": "2026-08-24"},
    OpinionInput: {"on": "2026-08-25", "until": "2028-08-25"},
    DeliveryInput: {"on": "2026-09-01", "cause": "ReceiptSigned"},
    DeliveryFailureInput: {"on": "2026-09-28", "cause": "ReportedMissing"},
    RedispatchInput: {"by": "Registered", "sent_on": "2026-09-29", "duplicate": True},
    CorrectionInput: {"text": "Labojums", "answer_changed": False, "official": "Ilze Paraudziņa"},
    RevocationInput: {"effective_on": "2026-10-01", "reason": "IssuedInError", "text": "Atcelts"},
    ContestInput: {"on": "2026-10-05", "text": "Iebildumi"},
    HeadDecisionInput: {"on": "2026-10-05", "text": "Atcelts"},
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


def test_recommendation_is_not_over_on_the_day_of_its_issue() -> None:
    """A day before every term of the law would also leave nobody able to say when to warn of the end."""
    line = "valid_until: lies before issued_on; write a day that is not before it, or leave it out"
    assert complaint_of(RecommendationInput, valid_from="2010-01-01", valid_until="2010-01-01") == line
    whole = _WHOLE[RecommendationInput] | {"valid_from": "2026-08-01", "valid_until": "2026-08-26"}
    assert read_form(RecommendationInput, json.dumps(whole).encode(), today=TODAY).valid_until is not None


@pytest.mark.parametrize("who", ["pupil", "representative"])
def test_check_digit_that_was_compared_is_overruled_with_a_note_also_where_a_family_applies_alone(who: str) -> None:
    """Domain C2: the same code that a school can file."""
    bad = _WHOLE[DirectInput][who] | {"personal_code": "140917-29014"}
    assert "check digit" in complaint_of(DirectInput, **{who: bad})
    whole = _WHOLE[DirectInput] | {who: bad | {"check_digit_override": "Salīdzināts ar pasi"}}
    form = read_form(DirectInput, json.dumps(whole).encode(), today=TODAY)
    assert getattr(form, who).personal_code == "14091729014"


def test_a_recommendation_is_not_revoked_from_a_day_that_is_still_to_come() -> None:
    line = "effective_on: lies in the future, today is 2026-11-24; write the day on which it happened"
    assert complaint_of(RevocationInput, effective_on="2026-11-25") == line


def test_refusal_names_known_grounds_each_once() -> None:
    assert complaint_of(RefusalInput, grounds=[]) == "grounds: names nothing; name at least one"
    assert complaint_of(RefusalInput, grounds=["NeedNotFound"] * 2) == "grounds: names something twice; name each once"
    assert complaint_of(RefusalInput, grounds=["Other"]).startswith("grounds.1: is not a choice here; write one of: NeedNotFound")


def test_day_of_notification_follows_from_the_way_and_is_never_typed() -> None:
    line = "notified_on: is not a field of this form; remove it or correct its name"
    assert complaint_of(DispatchInput, by="EAddress", notified_on="2026-08-31") == line


@pytest.mark.shows("A2.1", "A2.4", "A2.5")
@pytest.mark.parametrize("changes", [{"requester": "AdultPupil"}, {"representative": None}])
def test_a_direct_application_names_a_representative_exactly_where_one_applies(changes: dict[str, object]) -> None:
    line = "representative: is filled in exactly where requester is Representative; compare both with the application"
    assert complaint_of(DirectInput, **changes) == line


@pytest.mark.parametrize(
    ("form", "changes", "line"),
    [
        (DirectInput, {"intake": "Exchange"}, "intake: is not a choice here; write one of: InPerson, SignedElectronic, Post"),
        (
            DirectInput,
            {"address": {"choice": "School", "protected": False, "address": _HOME}},
            "address.choice: is not a choice here; write one of: Home, EAddress",
        ),
        (LinkInput, {"primary": "elza"}, "primary: is not a case number; copy it from the list of cases"),
        (
            ClosingInput,
            {"cause": "Returned"},
            "cause: is not a choice here; write one of: Answered, Dispatched, Withdrawn, NotIdentified, Died",
        ),
        (
            DeliveryInput,
            {"cause": "Returned"},
            "cause: is not a choice here; write one of: ReceiptSigned, HandedOver, Opened",
        ),
        (
            OpinionInput,
            {"until": "2026-08-24"},
            "until: lies before on; write a day that is not before it, or leave it out",
        ),
    ],
)
def test_forms_take_what_belongs_to_their_act_alone(form: type[Form], changes: dict[str, object], line: str) -> None:
    assert complaint_of(form, **changes) == line


def test_a_link_without_a_number_is_to_the_earliest_case() -> None:
    assert read_form(LinkInput, b"{}", today=TODAY).primary is None
