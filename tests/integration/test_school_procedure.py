"""A school's people on a real database and a real log: each way to the decision, and what the commission says beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.post import saving
from services.post.cases import history_of
from services.post.firing import fire_due_once
from services.post.history import New
from services.post.office import Office
from services.post.opening import personal_of
from services.post.rebuilding import rebuild
from services.post.saving import act, require_current
from services.post.settings import SchoolSettings
from services.post.viewing import due, events, outlook
from services.school.application import School
from services.school.domain import refusals, refusals_completing, refusals_deciding
from services.school.input import (
    AddressForm,
    AddressSupplied,
    ConsentSupplied,
    ContestInput,
    DuplicateInput,
    IncompleteInput,
    NotificationInput,
    ReopeningForm,
    RulingInput,
    ScreeningInput,
    SignatureInput,
    SupplementInput,
    WithdrawalForm,
)
from services.wire.channels import COMMISSION, commission_case, to_commission
from services.wire.events import (
    AddressKind,
    ConfirmationGivenPersonal,
    Container,
    DecisionGround,
    DecisionOutcome,
    Delivery,
    DuplicateCause,
    Enrolment,
    EvaluatedKind,
    IdentityNotMatched,
    MissingItem,
    RequestReturned,
    ReturnGround,
    SchoolDescribed,
    SignatureLevel,
)
from services.wire.hashing import Digest
from tests.chains import SCHOOL
from tests.exchange import Exchange, two_sides
from tests.judged import GENERAL_SCHOOL, NO, SPECIAL_SCHOOL, YES, decision_form, evaluation_form, screening_form
from tests.people import HOME, another_pupil, application_form, application_json

_COPIES = ["Irp", "RecommendationCopy"]
_NOBODY_ASKED: dict[str, Any] = {"consent": {"given": False}, "address": None}


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    found = two_sides(tmp_path)
    describe(found, GENERAL_SCHOOL)
    return found


def describe(exchange: Exchange, school: SchoolDescribed) -> None:
    act(exchange.members[SCHOOL].office, None, lambda _: (New(facts=school),))


def school(exchange: Exchange, **settings: Any) -> School:
    return School(exchange.members[SCHOOL].office, SchoolSettings(contest_instruction="Mēneša laikā domei", **settings))


def state(exchange: Exchange, case_id: UUID) -> str:
    exchange.settle()
    return exchange.members[SCHOOL].state(case_id)


def types(exchange: Exchange, case_id: UUID) -> list[str]:
    return [line.event for line in events(exchange.members[SCHOOL].office, case_id)]


def asked(exchange: Exchange, **form: Any) -> UUID:
    case_id, _ = school(exchange).file(application_form(**form))
    school(exchange).request(case_id)
    exchange.settle()
    return case_id


def says(exchange: Exchange, case_id: UUID, facts: Any, personal: Any = None) -> None:
    """Let the commission say something of the newest request of a case."""
    request = school(exchange).case(case_id).requests[-1].body
    theirs = commission_case(case_id, to_commission(SCHOOL))
    new = New(facts=replace(facts, basis=request), personal=personal, in_reply_to=request)
    act(exchange.members[COMMISSION].office, theirs, lambda _: (new,), school=SCHOOL)
    exchange.settle()


def answers(exchange: Exchange, case_id: UUID, facts: Any) -> None:
    says(exchange, case_id, facts, ConfirmationGivenPersonal(official="Ilze Paraudziņa"))


_CHECKED = SignatureInput(
    level=SignatureLevel.QUALIFIED,
    container=Container.ASIC_E,
    signer_matches=True,
    time_stamped=True,
    signed_on=date(2026, 8, 17),
    report="Pārbaudīts",
)


@pytest.mark.shows("A5.a1", "A3.4")
def test_both_copies_are_granted_and_the_commission_hears_nothing(exchange: Exchange) -> None:
    """E01 at the school."""
    clerk = school(exchange)
    form = application_form(variant="A1", intake="InPerson", attachments=_COPIES, **_NOBODY_ASKED)
    case_id, _ = clerk.file(form)
    clerk.screen(case_id, screening_form())
    kinds = (EvaluatedKind.APPLICATION, EvaluatedKind.SOCIAL_REHABILITATION_PLAN, EvaluatedKind.RECOMMENDATION_COPY)
    clerk.evaluate(case_id, evaluation_form(*kinds, irp_indicates_need=True))
    clerk.decide(case_id, decision_form(DecisionOutcome.GRANTED))
    clerk.notify(case_id, NotificationInput(by=Delivery.IN_PERSON, sent_on=date(2026, 8, 28)))
    assert state(exchange, case_id) == "Granted"
    assert types(exchange, case_id) == [
        "ApplicationFiled",
        "EligibilityScreened",
        "DocumentsEvaluated",
        "EligibilityScreened",
        "SchoolDecisionMade",
        "DecisionNotified",
    ]
    assert exchange.members[COMMISSION].office.database.all("SELECT 1 FROM cases") == []


@pytest.mark.shows("A5.a2")
def test_a_yes_is_granted_after_signature_conditions_and_documents(exchange: Exchange) -> None:
    """E02 at the school."""
    clerk = school(exchange)
    case_id, _ = clerk.file(application_form(intake="SignedElectronic"))
    clerk.signature(case_id, _CHECKED)
    clerk.request(case_id)
    exchange.settle()
    answers(exchange, case_id, YES)
    clerk.screen(case_id, screening_form())
    kinds = (EvaluatedKind.APPLICATION, EvaluatedKind.DISABILITY_IRP, EvaluatedKind.COMMISSION_ANSWER)
    clerk.evaluate(case_id, evaluation_form(*kinds, irp_indicates_need=True))
    clerk.decide(case_id, decision_form(DecisionOutcome.GRANTED))
    assert state(exchange, case_id) == "Granted"


@pytest.mark.shows("A5.b2")
def test_in_b2_the_plans_copy_is_asked_for_where_the_school_settled_so(exchange: Exchange) -> None:
    case_id = asked(exchange, variant="B2", states_irp=False, attachments=[], intake="Post")
    answers(exchange, case_id, YES)
    strict = school(exchange, require_irp_copy_before_decision=True)
    strict.screen(case_id, screening_form())
    strict.evaluate(case_id, evaluation_form(EvaluatedKind.APPLICATION, EvaluatedKind.COMMISSION_ANSWER))
    with pytest.raises(refusals_deciding.IrpCopyOutstandingError):
        strict.decide(case_id, decision_form(DecisionOutcome.GRANTED))
    school(exchange).decide(case_id, decision_form(DecisionOutcome.GRANTED))
    assert state(exchange, case_id) == "Granted"


@pytest.mark.shows("D5.14")
def test_a_no_is_refused_notified_contested_and_set_aside(exchange: Exchange) -> None:
    """E09: the instruction is the school's, the day of notification the law's."""
    clerk, case_id = school(exchange), asked(exchange)
    answers(exchange, case_id, NO)
    saved = clerk.decide(case_id, decision_form(DecisionOutcome.REFUSED, DecisionGround.NO_RECOMMENDATION))
    said = personal_of(clerk.office, case_id, saved[-1].body)
    assert (said.reasons, said.instruction) == ("Pamatojums", "Mēneša laikā domei")
    place = AddressForm(text=HOME.text, postal_code=HOME.postal_code)
    clerk.notify(case_id, NotificationInput(by=Delivery.ORDINARY, sent_on=date(2026, 9, 10), address=place))
    assert state(exchange, case_id) == "Refused"
    clerk.contest(case_id, ContestInput(on=date(2026, 10, 19), text="Apstrīdu"))
    assert state(exchange, case_id) == "Contested"
    clerk.set_aside(case_id, RulingInput(on=date(2026, 11, 2), text="Lēmums"))
    assert state(exchange, case_id) == "ReadyForDecision"


def test_a_contested_refusal_that_is_upheld_stands(exchange: Exchange) -> None:
    clerk, case_id = school(exchange), asked(exchange)
    answers(exchange, case_id, NO)
    clerk.decide(case_id, decision_form(DecisionOutcome.REFUSED, DecisionGround.NO_RECOMMENDATION))
    clerk.contest(case_id, ContestInput(on=date(2026, 10, 19), text="Apstrīdu"))
    clerk.uphold(case_id, RulingInput(on=date(2026, 11, 2), text="Lēmums"))
    assert state(exchange, case_id) == "Refused"


@pytest.mark.shows("D5.1", "I2")
def test_application_without_consent_is_found_incomplete_and_closed_after_its_term(exchange: Exchange) -> None:
    """E07 and its twin: the clock passes the tenth working day; nothing was sent."""
    clerk, today = school(exchange), exchange.members[SCHOOL].office.today
    case_id, _ = clerk.file(application_form(consent={"given": False}))
    clerk.incomplete(case_id, IncompleteInput(missing=(MissingItem.CONSENT,), told_on=today, letter="Vēstule"))
    assert state(exchange, case_id) == "Incomplete: Consent"
    with pytest.raises(refusals_completing.CompletionRunsError):
        clerk.close(case_id)
    exchange.clock.now += int(timedelta(days=15) / timedelta(milliseconds=1))
    fire_due_once(clerk.office)
    assert state(exchange, case_id) == "Incomplete: Consent"
    clerk.close(case_id)
    assert state(exchange, case_id) == "Closed"
    assert types(exchange, case_id)[-2:] == ["DeadlinePassed", "CaseClosed"]
    assert exchange.members[COMMISSION].office.database.all("SELECT 1 FROM cases") == []


@pytest.mark.shows("D5.1")
def test_consent_comes_later_is_withdrawn_and_comes_again(exchange: Exchange) -> None:
    clerk = school(exchange)
    case_id, _ = clerk.file(application_form(consent={"given": False}))
    consent = ConsentSupplied(received_on=date(2026, 8, 19), by="Andris Izdomenieks")
    clerk.consent(case_id, consent)
    clerk.withdraw_consent(case_id, consent)
    with pytest.raises(refusals.ConsentMissingError):
        clerk.request(case_id)
    clerk.consent(case_id, consent)
    clerk.request(case_id)
    assert state(exchange, case_id) == "AwaitingCommission"


@pytest.mark.shows("D5.23")
def test_special_institution_of_the_state_refuses_at_intake_and_asks_nobody(exchange: Exchange) -> None:
    """E10."""
    describe(exchange, replace(SPECIAL_SCHOOL, from_on=date(2026, 8, 1)))
    clerk = school(exchange)
    case_id, _ = clerk.file(application_form())
    clerk.screen(case_id, screening_form())
    assert state(exchange, case_id) == "NotEligibleAtIntake: StateFundedSpecialInstitution"
    with pytest.raises(refusals.NotEligibleToAskError):
        clerk.request(case_id)
    clerk.decide(case_id, decision_form(DecisionOutcome.REFUSED, DecisionGround.STATE_FUNDED_SPECIAL_INSTITUTION))
    assert state(exchange, case_id) == "Refused"
    assert exchange.members[COMMISSION].office.database.all("SELECT 1 FROM cases") == []


@pytest.mark.shows("D5.22")
def test_rule_set_that_is_set_decides_and_stays_with_the_case(exchange: Exchange) -> None:
    """E11: six years old; parked under the guidance, eligible under the rules of October 2012, each case by its own."""
    pupil = another_pupil(11) | {"birth_date": "2019-09-30"}
    clerk, newer = school(exchange), school(exchange, rules="mk695-2012-10")
    young, _ = clerk.file(application_form(pupil=pupil))
    clerk.screen(young, screening_form())
    assert state(exchange, young) == "NotEligibleAtIntake: TooYoung"
    newer.screen(young, screening_form(opinion=clerk.case(young).screenings[0].benefit, as_of=date(2026, 8, 18)))
    assert {each.rule_set for each in clerk.case(young).screenings} == {1}
    clerk.screen(young, screening_form(as_of=date(2026, 9, 30)))
    assert state(exchange, young) == "ReadyToRequest"
    again, _ = newer.file(application_form(pupil=pupil, received_on="2026-08-18"))
    newer.screen(again, screening_form(as_of=date(2026, 8, 18)))
    assert state(exchange, again) == "ReadyToRequest"


def test_rules_that_nobody_knows_are_told_with_the_setting(exchange: Exchange) -> None:
    with pytest.raises(refusals_deciding.RulesNotInForceError, match="setting rules"):
        school(exchange, rules="mk1-1990-01").file(application_form())
    clerk = school(exchange)
    case_id, _ = clerk.file(application_form())
    clerk.screen(case_id, screening_form())
    (first,) = clerk.case(case_id).screenings
    foreign = New(facts=replace(first, rule_set=99), personal=None)
    other, _ = clerk.file(application_form(pupil=another_pupil(7)))
    from services.wire.events import EligibilityScreenedPersonal  # noqa: PLC0415

    personal = EligibilityScreenedPersonal(birth_date=date(2018, 2, 3), eligible_on=None)
    act(clerk.office, other, lambda _: (replace(foreign, personal=personal),))
    with pytest.raises(refusals_deciding.RulesNotInForceError, match="rule set 99"):
        clerk.screen(other, screening_form())


@pytest.mark.shows("D5.5", "I3")
def test_second_application_about_a_pupil_becomes_the_duplicate_of_the_first(exchange: Exchange) -> None:
    clerk, first = school(exchange), asked(exchange)
    second, _ = clerk.file(application_form(intake="Post"))
    stranger, _ = clerk.file(application_form(pupil=another_pupil(5)))
    with pytest.raises(refusals.PupilAskedAboutError):
        clerk.request(second)
    with pytest.raises(refusals_completing.OtherPupilError):
        clerk.link_duplicate(second, DuplicateInput(primary=stranger, cause=DuplicateCause.SAME_PUPIL))
    with pytest.raises(refusals_completing.DuplicateOfItselfError):
        clerk.link_duplicate(second, DuplicateInput(primary=second, cause=DuplicateCause.SAME_PUPIL))
    clerk.link_duplicate(second, DuplicateInput(primary=first, cause=DuplicateCause.SAME_PUPIL))
    assert (state(exchange, first), state(exchange, second)) == ("AwaitingCommission", "Duplicate")


@pytest.mark.shows("D5.5", "D5.7", "D5.20")
def test_a_duplicate_is_not_lost_with_the_application_that_another_withdraws(exchange: Exchange) -> None:
    """The list, what is due and what it allows follow the other case, also where the lists are made anew."""
    clerk, first = school(exchange), asked(exchange)
    second, _ = clerk.file(application_form(intake="Post"))
    clerk.link_duplicate(second, DuplicateInput(primary=first, cause=DuplicateCause.OTHER_PARENT))
    stands = ReopeningForm(received_on=date(2026, 11, 24), by="Zane Paraudziņa")
    with pytest.raises(refusals_completing.PrimaryGoesOnError):
        clerk.reopen(second, stands)
    office = exchange.members[SCHOOL].office
    clerk.withdraw(first, WithdrawalForm(received_on=date(2026, 11, 24), by="Andris Izdomenieks"))
    assert state(exchange, second) == "Duplicate: LeftAlone"
    assert [(each.due, each.due_on) for each in due(office) if each.case == str(second)] == [("DuplicateLeftAlone", "2026-11-24")]
    assert {each.act for each in outlook(office, second).allowed} == {"reopen", "withdraw", "leave"}
    assert rebuild(office) == (2, [])
    # Once its day is over it is shown as passed, and nothing happens by itself.
    before = types(exchange, second)
    exchange.clock.now += 2 * 86_400_000
    exchange.settle()
    assert types(exchange, second) == before
    assert [each.passed for each in due(office) if each.case == str(second)] == [True]
    clerk.reopen(second, stands)
    assert state(exchange, second) == "ReadyToRequest"
    clerk.request(second)
    answers(exchange, second, YES)
    assert state(exchange, second) == "ReadyForDecision"
    assert rebuild(office) == (2, [])


@pytest.mark.shows("D5.5", "I5")
def test_a_later_address_in_a_duplicate_holds_in_the_first_where_the_requester_says_so(exchange: Exchange) -> None:
    """The commission is told of it; the consent that the first case lacked comes with it."""
    clerk = school(exchange)
    first, _ = clerk.file(application_form(consent={"given": False}))
    there = {"choice": "School", "protected": False, "address": {"text": "Izdomu iela 9", "postal_code": "LV-1098"}}
    second, _ = clerk.file(application_form(intake="Post", received_on="2026-08-19", address=there))
    said = DuplicateInput(primary=first, cause=DuplicateCause.SAME_PUPIL)
    with pytest.raises(refusals_completing.DuplicateSaysMoreError, match="consent"):
        clerk.link_duplicate(second, said)
    clerk.link_duplicate(second, said.model_copy(update={"supersedes": True}))
    case = clerk.case(first)
    assert case.address is not None
    assert clerk.opened(first, case.address.body).address.text == "Izdomu iela 9"
    assert (state(exchange, first), state(exchange, second)) == ("ReadyToRequest", "Duplicate")
    clerk.request(first)
    third, _ = clerk.file(application_form(intake="Post", received_on="2026-08-20", address=there))
    with pytest.raises(refusals_completing.DuplicateSaysMoreError, match="sends its letters"):
        clerk.link_duplicate(third, said)
    clerk.link_duplicate(third, said.model_copy(update={"supersedes": True}))
    assert "DeliveryAddressChanged" not in types(exchange, first)


@pytest.mark.shows("D5.6", "D5.7")
@pytest.mark.parametrize("is_crossed", [False, True])
def test_who_was_refused_as_enrolled_elsewhere_by_mistake_is_asked_about_anew(exchange: Exchange, *, is_crossed: bool) -> None:
    """E13: the founder sets the refusal aside; nobody waits until the commission has closed what was taken back."""
    clerk, case_id = school(exchange), asked(exchange)
    theirs = commission_case(case_id, to_commission(SCHOOL))
    clerk.screen(case_id, screening_form(enrolled=Enrolment.ELSEWHERE))
    clerk.decide(case_id, decision_form(DecisionOutcome.REFUSED, DecisionGround.ENROLLED_ELSEWHERE))
    if not is_crossed:
        exchange.settle()
    clerk.contest(case_id, ContestInput(on=date(2026, 9, 21), text="Apstrīdu"))
    clerk.set_aside(case_id, RulingInput(on=date(2026, 10, 5), text="Lēmums"))
    clerk.screen(case_id, screening_form())
    if is_crossed:
        # The commission answers the first request before it reads that it was taken back: it takes no second one.
        request = clerk.case(case_id).requests[0].body
        said = New(facts=replace(YES, basis=request), personal=ConfirmationGivenPersonal(official="Ilze"), in_reply_to=request)
        act(exchange.members[COMMISSION].office, theirs, lambda _: (said,), school=SCHOOL)
    clerk.request(case_id)
    if is_crossed:
        assert state(exchange, case_id) == "ReadyForDecision"
        return
    assert state(exchange, case_id) == "AwaitingCommission"
    assert exchange.members[COMMISSION].state(theirs) == "Received"
    answers(exchange, case_id, YES)
    assert state(exchange, case_id) == "ReadyForDecision"
    assert exchange.members[SCHOOL].held("refused") == exchange.members[COMMISSION].held("refused") == []


@pytest.mark.shows("D5.26")
def test_returned_request_is_supplemented_and_made_again(exchange: Exchange) -> None:
    clerk, case_id = school(exchange), asked(exchange)
    says(exchange, case_id, RequestReturned(grounds=(ReturnGround.NOT_LATVIAN,), basis=Digest(bytes(32))))
    assert state(exchange, case_id) == "Incomplete: Language"
    today = exchange.members[SCHOOL].office.today
    supplied = SupplementInput(supplied=(MissingItem.LANGUAGE,), received_on=today, content="Iesniegums latviski")
    clerk.supplement(case_id, supplied)
    assert [each.type for each in clerk.request(case_id)] == ["InformationRequested"]
    assert [each.is_returned for each in clerk.case(case_id).requests] == [True, False]


@pytest.mark.shows("D5.10")
def test_pupil_whom_the_commission_does_not_find_leaves_the_case_incomplete(exchange: Exchange) -> None:
    case_id = asked(exchange)
    says(exchange, case_id, IdentityNotMatched(basis=Digest(bytes(32))))
    assert state(exchange, case_id) == "Incomplete: Identity"


@pytest.mark.shows("I5")
def test_other_address_goes_to_the_commission_and_rests_on_the_choice(exchange: Exchange) -> None:
    clerk, case_id = school(exchange), asked(exchange)
    place = AddressForm(text="Skolas iela 1, Paraugpilsēta", postal_code="LV-1099")
    today = exchange.members[SCHOOL].office.today
    form = AddressSupplied(choice=AddressKind.SCHOOL, protected=True, address=place, confirmed_on=today)
    chosen, changed = clerk.address(case_id, form)
    assert (changed.type, changed.channel) == ("DeliveryAddressChanged", to_commission(SCHOOL))
    told = history_of(clerk.office, clerk.office.store.stream(case_id))[-1].facts
    assert told.basis == chosen.body
    with pytest.raises(refusals.AddressUnchangedError):
        clerk.address(case_id, form)


@pytest.mark.shows("D5.15")
def test_late_commission_is_reminded_and_its_late_yes_counts(exchange: Exchange) -> None:
    clerk, case_id = school(exchange), asked(exchange)
    with pytest.raises(refusals.ReplyNotDueError):
        clerk.remind(case_id)
    exchange.clock.now += int(timedelta(days=40) / timedelta(milliseconds=1))
    fire_due_once(clerk.office)
    clerk.remind(case_id)
    assert state(exchange, case_id) == "AwaitingCommission"
    answers(exchange, case_id, YES)
    assert state(exchange, case_id) == "ReadyForDecision"
    told = types(exchange, case_id)
    assert told.index("DeadlinePassed") < told.index("ReminderSent") < told.index("ConfirmationGiven")


def test_override_of_a_check_digit_is_kept_with_the_application_at_the_school_alone(exchange: Exchange) -> None:
    """Domain C2: the audit note; the copy for the commission lacks it as it lacks the birth date."""
    noted = another_pupil(1) | {"personal_code": "140917-29014", "check_digit_override": "Salīdzināts ar pasi"}
    clerk = school(exchange)
    case_id, saved = clerk.file(application_form(pupil=noted))
    assert personal_of(clerk.office, case_id, saved[0].body).check_digit_note == "pupil: Salīdzināts ar pasi"
    (request,) = clerk.request(case_id)
    assert "Salīdzināts" not in repr(personal_of(clerk.office, case_id, request.body))


def test_enrolment_elsewhere_is_refused_by_that_ground(exchange: Exchange) -> None:
    """E13 at the second school."""
    clerk = school(exchange)
    case_id, _ = clerk.file(application_form())
    form: ScreeningInput = screening_form(enrolled=Enrolment.ELSEWHERE)
    clerk.screen(case_id, form)
    clerk.decide(case_id, decision_form(DecisionOutcome.REFUSED, DecisionGround.ENROLLED_ELSEWHERE))
    assert state(exchange, case_id) == "Refused"


def just_before(patch: pytest.MonkeyPatch, act_of_another: Callable[[], object]) -> None:
    """Let another clerk's act be saved once, between the next command and its transaction."""
    waiting = [act_of_another]

    def interrupted(office: Office) -> None:
        if waiting:
            waiting.pop()()
        require_current(office)

    patch.setattr(saving, "require_current", interrupted)


def test_request_carries_the_address_chosen_while_it_was_on_its_way(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is personal in the request is of the same state of the case as its facts: both name the new choice."""
    people = school(exchange)
    case_id, _ = people.file(application_form())
    other = AddressForm(text="Brīvības iela 99, Rīga", postal_code="LV-1001")
    chosen = AddressSupplied(choice=AddressKind.HOME, protected=True, address=other, confirmed_on=date(2026, 8, 18))
    just_before(monkeypatch, lambda: people.address(case_id, chosen))
    people.request(case_id)
    request = people.case(case_id).requests[-1]
    assert (request.facts.address, request.facts.address_protected) == (AddressKind.HOME, True)
    assert people.opened(case_id, request.body).address.text == other.text


def test_of_two_applications_linked_to_each_other_at_once_one_goes_on(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D.5, 5: the second clerk finds the primary a duplicate already."""
    people = school(exchange)
    first, _ = people.file(application_form())
    second, _ = people.file(application_form(intake="Post"))
    crossing = DuplicateInput(primary=second, cause=DuplicateCause.SAME_PUPIL)
    just_before(monkeypatch, lambda: people.link_duplicate(first, crossing))
    with pytest.raises(refusals_completing.PrimaryEndedError):
        people.link_duplicate(second, DuplicateInput(primary=first, cause=DuplicateCause.SAME_PUPIL))
    assert people.case(second).duplicate_of is None


@pytest.mark.shows("D5.23")
def test_about_who_is_not_eligible_by_age_or_school_nobody_is_asked_though_nobody_evaluated(exchange: Exchange) -> None:
    """E10: zero messages to the commission; the guard does not wait for a clerk to evaluate the conditions."""
    clerk = school(exchange)
    infant, _ = clerk.file(application_form(pupil=application_json()["pupil"] | {"birth_date": "2024-11-25"}))
    with pytest.raises(refusals.NotEligibleToAskError):
        clerk.request(infant)
    case_id, _ = clerk.file(application_form(pupil=another_pupil(6)))
    describe(exchange, SPECIAL_SCHOOL)
    with pytest.raises(refusals.NotEligibleToAskError):
        clerk.request(case_id)
    assert not [each for each in types(exchange, case_id) if each == "InformationRequested"]
