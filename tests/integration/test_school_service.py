"""A school's service and the persons of its cases, on real databases: numbers, sums and look-ups over all cases of a pupil."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.post.cases import history_of
from services.post.history import Standing
from services.post.opening import NotReadableError
from services.post.people import cases_of
from services.post.rebuilding import rebuild
from services.post.settings import SchoolSettings
from services.post.viewing import contents, outlook
from services.school import input as forms
from services.school.application import School
from services.school.domain import refusals, refusals_changing, refusals_completing, refusals_serving
from services.school.domain.finding import of_age_word
from services.wire.channels import COMMISSION, commission_case, to_commission
from services.wire.events import DuplicateCause, RequestWithdrawn
from tests.chains import SCHOOL
from tests.exchange import Exchange, two_sides
from tests.people import another_pupil, application_form, application_json
from tests.serving import agreement, form_of

_HOME = {"text": "Izdomu iela 7-12, Paraugpilsēta", "postal_code": "LV-1099"}


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    made = two_sides(tmp_path)
    described(made)
    return made


def school(exchange: Exchange, **settings: Any) -> School:
    return School(exchange.members[SCHOOL].office, SchoolSettings(**settings))


def filled(form: Any, **fields: Any) -> Any:
    """Return a form as if typed on the day of the exchange's clock, 24 November 2026."""
    return form_of(form, fields, today=date(2026, 11, 24))


def granted(exchange: Exchange, **changes: Any) -> UUID:
    """File with both copies in hand, judge and grant; return the case."""
    clerk = school(exchange)
    direct = {"variant": "Direct", "intake": "InPerson", "attachments": ["Irp", "RecommendationCopy"]}
    unasked = {"exception_declared": False, "consent": {"given": False}, "address": None}
    case_id, _ = clerk.file(application_form(**(direct | unasked | changes)))
    known = {"child_with_disability": "Yes", "group": "NotKnown", "benefit": "Yes", "opinion": "Yes", "enrolled": "Here"}
    clerk.screen(case_id, filled(forms.ScreeningInput, as_of=changes.get("received_on", "2026-08-17"), **known))
    kinds = ["Application", "DisabilityIrp", "RecommendationCopy"]
    clerk.evaluate(case_id, filled(forms.EvaluationInput, kinds=kinds, irp_indicates_need=True, evaluated_on="2026-08-20"))
    decided = {"outcome": "Granted", "decided_on": "2026-08-28", "number": "L-1", "reasons": "Nosacījumi ir izpildīti."}
    clerk.decide(case_id, filled(forms.DecisionInput, **decided))
    return case_id


def theirs(case_id: UUID) -> UUID:
    """Return the commission's number of a case."""
    return commission_case(case_id, to_commission(SCHOOL))


def accepted_by_commission(exchange: Exchange, case_id: UUID) -> list[str]:
    """Return the types of what the commission took of a case, in order."""
    office = exchange.members[COMMISSION].office
    history = history_of(office, office.store.stream(theirs(case_id)))
    return [event.type for event in history if event.standing is Standing.ACCEPTED]


def described(exchange: Exchange) -> None:
    fields = {"founder": "Municipality", "kind": "General", "state_maintained": False, "technical_staff_financed": False}
    school(exchange).describe(filled(forms.SchoolForm, from_on="2012-09-01", **fields))


def assisted(exchange: Exchange, case_id: UUID, *, code: str = "320000-00211", **shown: bool) -> int:
    """Propose the person with a code and annex a CV; return the school's number of the assistant."""
    clerk = school(exchange)
    person = {"given_name": "Maija", "family_name": "Palīdze", "personal_code": code, "background": "Teacher"}
    clerk.propose_assistant(case_id, filled(forms.AssistantForm, **person))
    number = clerk.case(case_id).service.proposals[-1].facts.assistant
    experience = {"work_experience": True, "contact_experience": True} | shown
    clerk.annex_cv(case_id, filled(forms.CvForm, assistant=number, cv="CV", **experience))
    return number


def active(exchange: Exchange, *, hours: int, code: str = "320000-00211", **changes: Any) -> UUID:
    case_id = granted(exchange, **changes)
    number = assisted(exchange, case_id, code=code)
    school(exchange).conclude(case_id, agreement(assistant=number, hours_per_week=hours))
    return case_id


@pytest.mark.shows("A3.5", "A3.7")
def test_from_the_grant_to_the_end_of_the_service(exchange: Exchange) -> None:
    """E01."""
    case_id = active(exchange, hours=30)
    state, clerk = exchange.members[SCHOOL].state, school(exchange)
    assert state(case_id) == "Active"
    clerk.suspend(case_id, filled(forms.ServiceForm, on="2026-10-05", cause="PupilAbsent"))
    assert state(case_id) == "Suspended"
    clerk.resume(case_id, filled(forms.ServiceForm, on="2026-10-12", cause="CauseEnded"))
    clerk.report_hours(case_id, filled(forms.HoursForm, month="2026-09-01", agreement=1, minutes=7_200))
    money = {"opening_cents": 0, "received_cents": 54_200, "used_cents": 54_000}
    clerk.report_money(filled(forms.MoneyForm, month="2026-09-01", **money))
    with pytest.raises(refusals_serving.OpeningBalanceError):
        clerk.report_money(filled(forms.MoneyForm, month="2026-10-01", **money))
    clerk.end_service(case_id, filled(forms.ServiceForm, on="2026-11-20", cause="RequesterAsked"))
    assert state(case_id) == "Ended"
    # The last month is reported after the end.
    clerk.report_hours(case_id, filled(forms.HoursForm, month="2026-11-01", agreement=1, minutes=3_600))


def test_an_assistant_keeps_the_number_and_agreements_are_numbered_on(exchange: Exchange) -> None:
    first = granted(exchange)
    second = granted(exchange, pupil=another_pupil(3))
    assert [assisted(exchange, case, code=code) for case, code in ((first, "320000-00211"), (second, "320000-00233"))] == [1, 2]
    assert assisted(exchange, second) == 1
    clerk = school(exchange)
    clerk.conclude(first, agreement(hours_per_week=5))
    clerk.conclude(second, agreement(hours_per_week=5))
    found = [clerk.case(case).service.agreements[0].number for case in (first, second)]
    assert found == [1, 2]


@pytest.mark.shows("D5.28", "D5.11")
def test_hours_of_a_week_are_summed_over_all_cases_of_a_pupil_also_under_a_former_code(exchange: Exchange) -> None:
    first = active(exchange, hours=30)
    typed = {name: value for name, value in application_json()["pupil"].items() if name != "birth_date"}
    changed = typed | {"personal_code": "330000-00044"}
    form = filled(forms.CorrectionForm, on="2026-11-02", pupil=changed, code_is_new=True, evidence="Pase")
    clerk = school(exchange)
    clerk.correct(first, form)
    again = granted(exchange, pupil=changed | {"birth_date": "2018-02-03"})
    first_filed, again_filed = clerk.case(first).application, clerk.case(again).application
    assert first_filed is not None
    assert again_filed is not None
    # The pupil's number goes with either code.
    assert first_filed.pupil == again_filed.pupil
    number = assisted(exchange, again)
    with pytest.raises(refusals_serving.TooManyHoursError, match="41"):
        clerk.conclude(again, agreement(assistant=number, hours_per_week=11))
    clerk.conclude(again, agreement(assistant=number, hours_per_week=10))
    with pytest.raises(refusals_serving.HoursOutsideAgreementError):
        clerk.report_hours(again, filled(forms.HoursForm, month="2026-09-01", agreement=2, minutes=10_000))


@pytest.mark.shows("D5.28", "D5.11")
def test_a_case_under_the_former_code_alone_is_found_over_the_one_that_says_both(exchange: Exchange) -> None:
    """A new application under the new code names no other; the case that was corrected does."""
    clerk = school(exchange)
    active(exchange, hours=5)
    corrected = active(exchange, hours=30, received_on="2026-08-18")
    typed = {name: value for name, value in application_json()["pupil"].items() if name != "birth_date"}
    changed = typed | {"personal_code": "330000-00044"}
    clerk.correct(corrected, filled(forms.CorrectionForm, on="2026-11-02", pupil=changed, code_is_new=True, evidence="Pase"))
    again = granted(exchange, pupil=changed | {"birth_date": "2018-02-03"})
    number = assisted(exchange, again)
    with pytest.raises(refusals_serving.TooManyHoursError, match="41"):
        clerk.conclude(again, agreement(assistant=number, hours_per_week=6))
    clerk.conclude(again, agreement(assistant=number, hours_per_week=5))


@pytest.mark.shows("D5.27", "A3.1")
def test_the_strict_reading_is_a_setting_of_the_school(exchange: Exchange) -> None:
    """E23."""
    case_id = granted(exchange)
    number = assisted(exchange, case_id, work_experience=False)
    with pytest.raises(refusals_serving.CvWithoutEvidenceError):
        school(exchange, strict_experience=True).conclude(case_id, agreement(assistant=number))
    school(exchange).conclude(case_id, agreement(assistant=number))


def test_the_same_act_repeated_after_a_crash_makes_no_second_event(exchange: Exchange) -> None:
    case_id = active(exchange, hours=30)
    clerk = school(exchange)
    person = {"given_name": "Maija", "family_name": "Palīdze", "personal_code": "320000-00211", "background": "Teacher"}
    with pytest.raises(refusals_serving.ProposedAlreadyError):
        clerk.propose_assistant(case_id, filled(forms.AssistantForm, **person))
    cv = {"assistant": 1, "cv": "CV", "work_experience": True, "contact_experience": True}
    with pytest.raises(refusals_serving.CvAnnexedError):
        clerk.annex_cv(case_id, filled(forms.CvForm, **cv))
    with pytest.raises(refusals_serving.AssistantUnknownError):
        clerk.annex_cv(case_id, filled(forms.CvForm, **(cv | {"assistant": 7})))
    with pytest.raises(refusals_serving.AgreementStandsError):
        clerk.conclude(case_id, agreement(hours_per_week=30))
    changed = form_of(forms.AmendmentForm, agreement(hours_per_week=20).model_dump(mode="json") | {"agreement": 1})
    clerk.amend(case_id, changed)
    with pytest.raises(refusals_serving.AgreementStandsError):
        clerk.amend(case_id, changed)


@pytest.mark.shows("D5.7")
def test_a_withdrawal_reaches_the_commission_and_rests_on_its_record_event(exchange: Exchange) -> None:
    clerk = school(exchange)
    case_id, _ = clerk.file(application_form(intake="InPerson"))
    clerk.request(case_id)
    withdrawn, told = clerk.withdraw(case_id, filled(forms.WithdrawalForm, received_on="2026-11-24", by="Andris Izdomenieks"))
    last = history_of(clerk.office, clerk.office.store.stream(case_id))[-1]
    assert isinstance(last.facts, RequestWithdrawn)
    assert (last.facts.basis, last.body) == (withdrawn.body, told.body)
    assert exchange.members[SCHOOL].state(case_id) == "Withdrawn"
    exchange.settle()
    assert exchange.members[COMMISSION].state(theirs(case_id)) == "Withdrawn"
    # A new application about the pupil may be asked about: the first request is open no longer.
    again, _ = clerk.file(application_form(intake="InPerson", received_on="2026-11-20"))
    clerk.request(again)


@pytest.mark.shows("D5.18")
def test_a_closed_letter_is_taken_in_and_handed_over_by_its_number(exchange: Exchange) -> None:
    clerk = school(exchange)
    case_id, _ = clerk.file(application_form(address={"choice": "School", "protected": False, "address": _HOME}))
    clerk.receive_sealed(case_id, filled(forms.SealedItemForm, number="N-44", on="2026-11-20"))
    with pytest.raises(refusals_serving.LetterReceivedError):
        clerk.receive_sealed(case_id, filled(forms.SealedItemForm, number="N-44", on="2026-11-20"))
    handed = filled(forms.HandOverForm, number="N-44", on="2026-11-21", to_whom="Andris Izdomenieks")
    clerk.hand_over(case_id, handed)
    with pytest.raises(refusals_serving.LetterUnknownError):
        clerk.hand_over(case_id, handed)


@pytest.mark.shows("D5.19", "I5")
def test_after_a_change_of_guardian_the_request_says_who_asks_now_and_the_address_confirmed_anew(exchange: Exchange) -> None:
    """E20."""
    clerk = school(exchange)
    case_id, _ = clerk.file(application_form(intake="InPerson"))
    velta = {"given_name": "Velta", "family_name": "Jaunaizbildne", "personal_code": "320000-00165", "declared_address": _HOME}
    change = {"person": velta, "authority": "Guardian", "from_on": "2026-11-23", "evidence": "Lēmums Nr. 1"}
    clerk.change_representative(case_id, filled(forms.RepresentativeForm, **change))
    with pytest.raises(refusals.ConsentMissingError):
        clerk.request(case_id)
    clerk.consent(case_id, filled(forms.ConsentSupplied, received_on="2026-11-24", by="Velta Jaunaizbildne"))
    place = {"choice": "Home", "protected": True, "address": _HOME | {"text": "Patvēruma iela 1"}}
    clerk.address(case_id, filled(forms.AddressSupplied, confirmed_on="2026-11-24", **place))
    clerk.request(case_id)
    request = clerk.case(case_id).request
    assert request is not None
    said = clerk.opened(case_id, request.body)
    assert (said.representative.given_name, said.address.text) == ("Velta", "Patvēruma iela 1")
    # Another change now stops the letters until an address is confirmed.
    rihards = {**velta, "given_name": "Rihards", "personal_code": "320000-00176"}
    clerk.change_representative(case_id, filled(forms.RepresentativeForm, **(change | {"person": rihards})))
    held = clerk.case(case_id).request
    assert held is not None
    assert held.is_on_hold
    exchange.settle()
    told = ["InformationRequested", "RequestCorrected", "DeliveryAddressChanged"]
    assert accepted_by_commission(exchange, case_id) == told
    clerk.address(case_id, filled(forms.AddressSupplied, confirmed_on="2026-11-24", **place))
    exchange.settle()
    assert accepted_by_commission(exchange, case_id) == [*told, "DeliveryAddressChanged"]
    lifted = clerk.case(case_id).request
    assert lifted is not None
    assert not lifted.is_on_hold


@pytest.mark.shows("D5.9", "D5.10")
def test_a_correction_stands_beside_what_was_filed_and_goes_to_the_commission(exchange: Exchange) -> None:
    """E16."""
    clerk = school(exchange)
    case_id, _ = clerk.file(application_form(intake="InPerson", pupil=another_pupil(23)))
    clerk.request(case_id)
    mended = {name: value for name, value in another_pupil(22).items() if name != "birth_date"}
    form = filled(forms.CorrectionForm, on="2026-11-24", pupil=mended, evidence="VIIS")
    kept, _ = clerk.correct(case_id, form)
    said = clerk.opened(case_id, kept.body)
    assert (said.old.pupil.personal_code, said.new.pupil.personal_code) == ("32000000023", "32000000022")
    with pytest.raises(refusals_changing.NothingChangedError):
        clerk.correct(case_id, form)
    assert all(cases_of(clerk.office, code) == [case_id] for code in ("32000000023", "32000000022"))
    born = filled(forms.CorrectionForm, on="2026-11-24", birth_date="2018-03-02", evidence="VIIS")
    clerk.correct(case_id, born)
    assert clerk.born_on(case_id, clerk.case(case_id)) == date(2018, 3, 2)
    exchange.settle()
    # Nothing of the birth date went to it.
    assert accepted_by_commission(exchange, case_id) == ["InformationRequested", "RequestCorrected"]


def born(day: date) -> dict[str, Any]:
    return {**application_json()["pupil"], "birth_date": day.isoformat()}


def came_of_age_on(clerk: School, case_id: UUID) -> date:
    """Return the day, which stands in no fact."""
    (came,) = (each for each in contents(clerk.office, case_id) if each.event == "PupilCameOfAge")
    assert came.facts == {}
    assert came.personal is not None
    return date.fromisoformat(came.personal["on"])


@pytest.mark.shows("D5.21")
def test_a_pupil_comes_of_age_by_itself_on_the_birthday_and_once(exchange: Exchange) -> None:
    """E21."""
    clerk, member = school(exchange), exchange.members[SCHOOL]
    today = clerk.office.today
    tomorrow = today + timedelta(days=1)
    case_id, _ = clerk.file(application_form(intake="InPerson", pupil=born(tomorrow.replace(year=tomorrow.year - 18))))
    exchange.settle()
    with pytest.raises(refusals_changing.NotOfAgeError):
        clerk.came_of_age(case_id)
    assert member.state(case_id) == "ReadyToRequest"
    assert "came-of-age" not in {each.act for each in outlook(clerk.office, case_id).allowed}
    exchange.clock.now += 86_400_000
    exchange.settle()
    assert member.state(case_id) == "Incomplete: Signature, Consent, Address"
    assert came_of_age_on(clerk, case_id) == tomorrow
    events = len(clerk.office.store.stream(case_id).events)
    exchange.clock.now += 86_400_000
    exchange.settle()
    assert len(clerk.office.store.stream(case_id).events) == events
    with pytest.raises(refusals_changing.OfAgeAlreadyError):
        clerk.came_of_age(case_id)


@pytest.mark.shows("D5.21")
def test_a_birthday_is_caught_up_with_after_a_stop_and_a_rebuild_and_stands_in_no_table(exchange: Exchange) -> None:
    clerk, member = school(exchange), exchange.members[SCHOOL]
    birthday = clerk.office.today + timedelta(days=30)
    case_id, _ = clerk.file(application_form(intake="InPerson", pupil=born(birthday.replace(year=birthday.year - 18))))
    exchange.settle()
    rebuild(clerk.office)
    assert cases_of(clerk.office, of_age_word(birthday)) == [case_id]
    for table in ("people", "deadlines", "cases"):
        rows = clerk.office.database.all(f"SELECT * FROM {table}")  # noqa: S608  # names of this test
        assert birthday.isoformat() not in repr([tuple(row) for row in rows])
    exchange.clock.now += 200 * 86_400_000
    while member.work():
        pass
    assert came_of_age_on(clerk, case_id) == birthday


@pytest.mark.shows("D5.21")
def test_a_clock_that_went_wrong_hides_no_birthday(exchange: Exchange) -> None:
    clerk, member = school(exchange), exchange.members[SCHOOL]
    exchange.clock.now += 400 * 86_400_000
    while member.work():
        pass
    exchange.clock.now -= 400 * 86_400_000
    tomorrow = clerk.office.today + timedelta(days=1)
    case_id, _ = clerk.file(application_form(intake="InPerson", pupil=born(tomorrow.replace(year=tomorrow.year - 18))))
    exchange.clock.now += 86_400_000
    while member.work():
        pass
    assert came_of_age_on(clerk, case_id) == tomorrow


def test_a_clerk_records_the_age_of_a_case_that_was_entered_long_after_the_birthday(exchange: Exchange) -> None:
    clerk = school(exchange)
    exchange.settle()
    long_ago = clerk.office.today - timedelta(days=90)
    case_id, _ = clerk.file(application_form(intake="InPerson", pupil=born(long_ago.replace(year=long_ago.year - 18))))
    exchange.clock.now += 86_400_000
    exchange.settle()
    assert not clerk.case(case_id).changes.is_of_age
    assert "came-of-age" in {each.act for each in outlook(clerk.office, case_id).allowed}
    clerk.came_of_age(case_id)
    assert came_of_age_on(clerk, case_id) == long_ago


@pytest.mark.shows("D5.8", "D5.20")
def test_leaving_and_opposing_are_acts_of_a_case(exchange: Exchange) -> None:
    clerk = school(exchange)
    case_id, _ = clerk.file(application_form(intake="InPerson"))
    clerk.oppose(case_id, filled(forms.OpposingForm, received_on="2026-11-24", by="Zane", text="Nepiekrītu."))
    clerk.leave(case_id, filled(forms.LeavingForm, on="2026-11-24", cause="Transferred"))
    assert exchange.members[SCHOOL].state(case_id) == "Transferred"


def retyped(code: str) -> dict[str, Any]:
    """Return the pupil of the form as a correction says them, under another code."""
    return {name: value for name, value in application_json()["pupil"].items() if name != "birth_date"} | {"personal_code": code}


@pytest.mark.shows("D5.9", "D5.28")
def test_a_mistyped_code_that_was_corrected_joins_no_two_children(exchange: Exchange) -> None:
    """The code was typed as another child's: neither hours, nor the number, nor a request are shared with that child."""
    clerk, mistaken = school(exchange), "330000-00044"
    other = retyped(mistaken) | {"birth_date": "2018-02-03"}
    first = active(exchange, hours=30, pupil=other)
    clerk.correct(first, filled(forms.CorrectionForm, on="2026-11-02", pupil=retyped("330000-00055"), evidence="Pase"))
    stranger = granted(exchange, pupil=other)
    numbers = [filed.pupil for each in (first, stranger) if (filed := clerk.case(each).application) is not None]
    assert len(set(numbers)) == 2
    number = assisted(exchange, stranger)
    clerk.conclude(stranger, agreement(assistant=number, hours_per_week=40))
    undecided, _ = clerk.file(application_form(pupil=other))
    duplicate = forms.DuplicateInput(primary=first, cause=DuplicateCause.SAME_PUPIL)
    with pytest.raises(refusals_completing.OtherPupilError):
        clerk.link_duplicate(undecided, duplicate)
    # Under the right code the case is found.
    again, _ = clerk.file(application_form(pupil=other | {"personal_code": "330000-00055"}))
    clerk.link_duplicate(again, duplicate)


@pytest.mark.shows("D5.28")
def test_an_old_case_that_opens_no_more_blocks_no_new_one_and_its_hours_count(exchange: Exchange) -> None:
    old, clerk = active(exchange, hours=30), school(exchange)
    clerk.office.database.run("UPDATE keys SET wrapped = NULL, erased_at = 1 WHERE case_id = ? AND key_use = 'CASE'", old.bytes)
    with pytest.raises(NotReadableError):
        clerk.born_on(old, clerk.case(old))
    new = granted(exchange, received_on="2026-08-18")
    number = assisted(exchange, new)
    with pytest.raises(refusals_serving.TooManyHoursError, match="41"):
        clerk.conclude(new, agreement(assistant=number, hours_per_week=11))
    clerk.conclude(new, agreement(assistant=number, hours_per_week=10))
