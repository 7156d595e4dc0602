"""The school clerk's forms: what is complete, and how faults are told without repeating what was typed."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from services.school import input as input_forms
from services.school.domain.refusals import FormRefusedError
from services.school.input import AddressSupplied, ConsentSupplied, read_application, read_form
from services.wire.events import AddressKind, Variant
from tests.people import TODAY, application_form, application_json


def complaints_of(form: object) -> tuple[str, ...]:
    data = form if isinstance(form, bytes) else json.dumps(form).encode()
    with pytest.raises(FormRefusedError) as caught:
        read_application(data, today=TODAY)
    assert str(caught.value) == "\n".join(caught.value.lines)
    return caught.value.lines


def pupil(**changes: object) -> dict[str, Any]:
    return {**application_json()["pupil"], **changes}


def test_whole_form_is_read_with_codes_and_numbers_in_one_shape() -> None:
    form = application_form(pupil=pupil(personal_code="030218 29015", given_name=" Roberts "))
    assert (form.pupil.personal_code, form.pupil.given_name, form.contact.phone) == ("03021829015", "Roberts", "+37120000099")


def test_form_of_variant_b2_without_consent_and_address_is_whole_too() -> None:
    """Domain E07: what is missing in the application is missing in the case, not in the form."""
    form = application_form(variant="B2", states_irp=False, attachments=[], consent={"given": False}, address=None)
    assert (form.variant, form.consent.given, form.address) == (Variant.B2, False, None)


@pytest.mark.parametrize("variant", ["a2", "Unknown", 2, None, ["A2"]])
def test_what_is_no_variant_is_told_with_the_choices(variant: object) -> None:
    assert complaints_of({**application_json(), "variant": variant}) == (
        "variant: is not a choice here; write one of: A1, A2, B1, B2, Direct",
    )


def test_every_fault_is_one_line_with_its_place_and_never_its_value() -> None:
    """Messages end up in terminals and logs: no name, code or address may stand in them."""
    form = application_json(
        received_on="17.08.2026",
        exception_declared="yes",
        pupil=pupil(personal_code="140917-29014", given_name="", declared_address={"text": "Izdomu 7", "postal_code": "1099"}),
        attachments=["Irp", "Diagnosis"],
    )
    assert complaints_of(form) == (
        "received_on: is not a day; write YYYY-MM-DD between quotation marks",
        "exception_declared: is neither true nor false; write true or false without quotation marks",
        "pupil.given_name: is empty; write it, or leave the field out if the form allows that",
        "pupil.personal_code: has a wrong check digit; compare each digit with the identity document",
        "pupil.declared_address.postal_code: is not a Latvian postal code; write LV- and four digits, as in LV-1099",
        "attachments.2: is not a choice here; write one of: Irp, RecommendationCopy, Other",
    )


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"states_irp": None}, "states_irp: is missing; fill it in"),
        ({"pupil": "Roberts"}, "pupil: is not a group of fields; write them between { and }"),
        ({"desired_assistant": 7}, "desired_assistant: is not a text; write it between quotation marks"),
        ({"attachments": "Irp"}, "attachments: is not a list; write it between [ and ]"),
        ({"attachments": ["Irp", "Irp"]}, "attachments: names something twice; name each once"),
        ({"intake": "Exchange"}, "intake: is not a choice here; write one of: InPerson, SignedElectronic, Post"),
        (
            {"received_on": "2026-11-25"},
            "received_on: lies in the future, today is 2026-11-24; write the day on which it happened",
        ),
        ({"received_on": "2026-08-17T10:30:00"}, "received_on: is not a day; write YYYY-MM-DD between quotation marks"),
        (
            {"received_on": "2017-08-17"},
            "pupil.birth_date: lies after the day of receipt; compare both with the school's register",
        ),
        ({"diagnosis": "F84"}, "diagnosis: is not a field of this form; remove it or correct its name"),
        ({"Roberts 030218-29015": 1}, "(unknown field): is not a field of this form; remove it or correct its name"),
    ],
)
def test_faults_of_a_form_say_what_would_be_right(changes: dict[str, Any], line: str) -> None:
    assert complaints_of(application_json(**changes)) == (line,)


def test_what_is_not_json_is_told_so() -> None:
    assert complaints_of(b"{'received_on': Roberts") == ("form: is not JSON; check quotation marks, commas and brackets",)


def test_fault_that_nobody_foresaw_does_not_quote_the_value() -> None:
    lines = complaints_of(json.dumps(application_json()).encode().replace(b'"Roberts"', b'"\\ud800Roberts"'))
    assert len(lines) == 1
    assert "Roberts" not in lines[0]


@pytest.mark.parametrize("requester", ["Representative", "AdultPupil"])
def test_form_names_exactly_the_persons_that_its_requester_needs(requester: str) -> None:
    """Domain A2.5: the representative is absent when the pupil applies alone, and only then."""
    representative = None if requester == "Representative" else application_json()["representative"]
    (line,) = complaints_of(application_json(requester=requester, representative=representative))
    missing = "representative: is missing; fill it in where requester is Representative"
    extra = "representative: does not belong here; fill it in only where requester is Representative"
    assert line == (missing if requester == "Representative" else extra)


@pytest.mark.parametrize(
    ("contact", "lines"),
    [
        ({"kind": "Phone"}, ["contact.phone: is missing; fill it in where kind is Phone"]),
        (
            {"kind": "Email", "phone": "20000099"},
            [
                "contact.phone: does not belong here; fill it in only where kind is Phone",
                "contact.email: is missing; fill it in where kind is Email",
            ],
        ),
        (
            {"kind": "Address", "email": "a@example.lv"},
            ["contact.email: does not belong here; fill it in only where kind is Email"],
        ),
    ],
)
def test_contact_fits_its_kind(contact: dict[str, str], lines: list[str]) -> None:
    """Domain A2.7."""
    assert complaints_of(application_json(contact=contact)) == tuple(lines)


@pytest.mark.parametrize(
    ("consent", "fields"),
    [
        ({"given": True}, ["received_on: is missing", "by: is missing"]),
        ({"given": True, "by": "Andris Izdomenieks"}, ["received_on: is missing"]),
        ({"given": False, "received_on": "2026-08-17"}, ["received_on: does not belong here"]),
    ],
)
def test_consent_is_whole_or_absent(consent: dict[str, object], fields: list[str]) -> None:
    told = complaints_of(application_json(consent=consent))
    assert [line.partition(";")[0] for line in told] == [f"consent.{field}" for field in fields]
    assert all(line.endswith("where given is true") for line in told)


def test_consent_and_address_can_be_supplied_later() -> None:
    consent = read_form(ConsentSupplied, b'{"received_on": "2026-08-19", "by": "Andris Izdomenieks"}', today=TODAY)
    choice = {**application_json()["address"], "choice": "EAddress", "confirmed_on": "2026-08-19"}
    address = read_form(AddressSupplied, json.dumps(choice).encode(), today=TODAY)
    assert (consent.received_on, address.choice) == (date(2026, 8, 19), AddressKind.E_ADDRESS)


def test_later_address_without_its_day_is_refused() -> None:
    with pytest.raises(FormRefusedError, match="confirmed_on: is missing; fill it in"):
        read_form(AddressSupplied, json.dumps(application_json()["address"]).encode(), today=TODAY)


@pytest.mark.shows("A2.10", "D5.1", "D5.2")
@pytest.mark.parametrize(
    "changes",
    [
        {"exception_declared": False},
        {"states_opinion": False},
        {"states_irp": False},
        {"attachments": []},
        {"consent": {"given": False}},
        {"address": None},
    ],
)
@pytest.mark.parametrize("intake", ["InPerson", "SignedElectronic", "Post"])
def test_whatever_came_in_can_be_recorded_though_it_is_not_whole(intake: str, changes: dict[str, Any]) -> None:
    """What is missing is missing in the application; the form fills in nothing for the family."""
    form = application_form(**changes, intake=intake)
    assert form.intake.value == intake


@pytest.mark.shows("A5.1", "A5.a1", "A5.a2", "A5.b1", "A5.b2")
@pytest.mark.parametrize("variant", ["A1", "A2", "B1", "B2", "Direct"])
def test_each_way_can_be_chosen(variant: str) -> None:
    asks = variant in ("A2", "B2")
    form = application_form(variant=variant, **({} if asks else {"address": None, "consent": {"given": False}}))
    assert form.variant is Variant(variant)


@pytest.mark.parametrize("variant", ["A1", "B1", "Direct"])
def test_where_nobody_is_asked_no_address_for_letters_is_chosen(variant: str) -> None:
    (line,) = complaints_of(application_json(variant=variant))
    assert line == "address: does not belong here; fill it in only where variant is A2 or B2"


def test_last_day_of_a_recommendation_belongs_to_its_copy() -> None:
    (line,) = complaints_of(application_json(recommendation_until="2027-08-31"))
    assert line.startswith("recommendation_until: does not belong here; fill it in only where attachments name Recommendation")
    whole = application_form(attachments=["Irp", "RecommendationCopy"], recommendation_until="2027-08-31")
    assert whole.recommendation_until == date(2027, 8, 31)


_BAD_DIGIT = "140917-29014"


def test_check_digit_that_was_compared_can_be_overruled_with_a_note_and_nothing_else_can() -> None:
    """Domain C2: an error at intake with override and audit note, not an unbreakable rule."""
    noted = {"check_digit_override": "Salīdzināts ar pases kopiju, I. Paraudziņa"}
    assert application_form(pupil=pupil(personal_code=_BAD_DIGIT, **noted)).pupil.personal_code == "14091729014"
    (line,) = complaints_of(application_json(pupil=pupil(personal_code=_BAD_DIGIT)))
    assert "check digit" in line
    for worse in ("310217-29011", "3200000001"):
        assert complaints_of(application_json(pupil=pupil(personal_code=worse, **noted)))


def test_code_of_the_new_format_is_never_held_against_a_check_digit() -> None:
    """E16: a mistyped new code passes the intake, for it has no checksum and no date."""
    assert application_form(pupil=pupil(personal_code="320000-00023")).pupil.personal_code == "32000000023"


def said(form: str, **content: object) -> tuple[str, ...]:
    try:
        input_forms.read_form(getattr(input_forms, form), json.dumps(content).encode(), today=TODAY)
    except FormRefusedError as refusal:
        return refusal.lines
    return ()


_CHECKED = {"level": "Qualified", "container": "AsicE", "signer_matches": True, "time_stamped": True, "signed_on": "2026-08-17"}


def test_signature_is_said_by_its_fault_or_by_all_that_was_found() -> None:
    assert said("SignatureInput", report="Pārbaudīts", **_CHECKED) == ()
    assert said("SignatureInput", report="Pārbaudīts", fault="Unsigned") == ()
    lines = said("SignatureInput", report="Pārbaudīts", **_CHECKED, fault="Broken")
    assert [line.partition(":")[0] for line in lines] == list(_CHECKED)
    assert said("SignatureInput", report="Pārbaudīts", **(_CHECKED | {"level": None})) == (
        "level: is missing; fill it in where fault is left out",
    )


@pytest.mark.parametrize("item", ["Consent", "Address", "Identity", "PersonData", "Unknown"])
def test_what_has_facts_of_its_own_is_not_supplied_by_the_way(item: str) -> None:
    (line,) = said("SupplementInput", supplied=[item], received_on="2026-08-20", content="Papildinājums")
    assert line.startswith("supplied.1: is not a choice here")


def test_plan_that_was_evaluated_is_said_to_indicate_the_need_or_not() -> None:
    whole = {"kinds": ["Application", "DisabilityIrp"], "evaluated_on": "2026-08-20"}
    assert said("EvaluationInput", **whole, irp_indicates_need=False) == ()
    assert said("EvaluationInput", **whole) == ("irp_indicates_need: is missing; fill it in where kinds name a plan",)
    assert said("EvaluationInput", kinds=[], evaluated_on="2026-08-20") == ("kinds: names nothing; name at least one",)


def test_grounds_are_those_of_a_refusal_and_a_letter_has_an_address() -> None:
    decision = {"decided_on": "2026-08-28", "number": "1-7/12", "reasons": "Pamatojums"}
    assert said("DecisionInput", **decision, outcome="Granted") == ()
    assert said("DecisionInput", **decision, outcome="Granted", grounds=["TooYoung"])[0].startswith("grounds: does not belong")
    assert said("DecisionInput", **decision, outcome="Refused")[0].startswith("grounds: is missing")
    assert said("NotificationInput", by="InPerson", sent_on="2026-08-28") == ()
    assert said("NotificationInput", by="Ordinary", sent_on="2026-08-28") == (
        "address: is missing; fill it in where by is Registered or Ordinary",
    )


def test_other_case_of_a_duplicate_is_named_by_its_number() -> None:
    assert said("DuplicateInput", primary="01912345-0000-7000-8000-000000000001", cause="SamePupil") == ()
    assert said("DuplicateInput", primary="Roberts", cause="SamePupil") != ()
