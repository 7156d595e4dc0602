"""The agreement of three, its hours over all agreements of a pupil, its amendments, and the pauses and the end of the service."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date
from typing import Any

import pytest

from services.policy.hours import Agreed
from services.policy.rules import rules_named
from services.post.history import New
from services.school.domain import refusals, refusals_changing, refusals_serving
from services.school.domain.agreements import (
    amend_agreement,
    conclude_agreement,
    end_service,
    resume_service,
    suspend_service,
)
from services.school.domain.case import fold
from services.school.domain.deadlines import deadlines_of
from services.school.domain.parts import SchoolState
from services.school.input import ServiceForm
from services.wire.events import (
    AgreementAmended,
    AgreementAmendedPersonal,
    Answer,
    ConfirmationCorrected,
    ConfirmationEnded,
    DeadlineName,
    DeadlinePassed,
    DisabilityGroup,
    Duty,
    EligibilityOutcome,
    EligibilityScreened,
    Enrolment,
    Known,
    MissingItem,
    Party,
    PupilCameOfAge,
    ServiceCause,
    ServiceEnded,
    ServiceEndedPersonal,
    ServiceResumed,
    ServiceResumedPersonal,
    ServiceSuspended,
    ServiceSuspendedPersonal,
    Variant,
)
from tests.given_when_then import Given, body, given, received
from tests.people import FILED_A2, brought
from tests.serving import (
    ACTIVE,
    AGREED,
    AGREED_PERSONAL,
    CONDITIONS,
    CV,
    GRANT,
    GRANTED,
    PENDING,
    PROPOSED,
    agreement,
    amendment,
    form_of,
)

_MADE = New(facts=AGREED, personal=AGREED_PERSONAL)
_SECOND = replace(AGREED, agreement=2, assistant=2)
_OTHERS: Any = (replace(PROPOSED, assistant=2), replace(CV, assistant=2))


def conclude(told: Given[Any], *, conditions: Any = CONDITIONS, **changes: Any) -> Any:  # a When of a school's case
    return told.when(conclude_agreement, agreement(**changes), conditions, number=1)


def amended(**changes: Any) -> AgreementAmended:
    return AgreementAmended(**(asdict(AGREED) | changes))


def service(on: str, cause: str = "PupilAbsent", note: str | None = None) -> ServiceForm:
    return form_of(ServiceForm, {"on": on, "cause": cause} | ({"note": note} if note else {}))


@pytest.mark.shows("A3.5", "A3.7", "A6.i")
def test_after_the_grant_requester_assistant_and_school_conclude_an_agreement() -> None:
    """E01: duties a, b, d; 30 hours; CV annexed; then the service runs."""
    conclude(given(fold, *PENDING)).then(_MADE)
    assert given(fold, *ACTIVE).case.state is SchoolState.ACTIVE


@pytest.mark.shows("A3.5")
@pytest.mark.parametrize("party", ["Requester", "Assistant", "School"])
def test_an_agreement_lacks_no_signature(party: str) -> None:
    signed = [each.value for each in (Party.REQUESTER, Party.ASSISTANT, Party.SCHOOL) if each.value != party]
    conclude(given(fold, *PENDING), signed_by=signed).refused(refusals_serving.SignaturesMissingError, party)


@pytest.mark.shows("A6.a", "A6.b", "A6.c", "A6.d", "A6.e", "A6.f", "A6.g")
@pytest.mark.parametrize("duty", [each for each in Duty if each is not Duty.UNKNOWN])
def test_each_activity_of_the_guidance_can_be_the_assistants_duty(duty: Duty) -> None:
    conclude(given(fold, *PENDING), duties=[duty.value]).then(
        New(facts=replace(AGREED, duties=(duty,)), personal=AGREED_PERSONAL)
    )


@pytest.mark.shows("A6.i")
def test_an_agreement_names_a_duty_or_says_that_others_stand_in_its_text() -> None:
    conclude(given(fold, *PENDING), duties=[]).refused(refusals_serving.DutiesMissingError)
    others = replace(AGREED, duties=(), other_duties=True)
    conclude(given(fold, *PENDING), duties=[], other_duties=True).then(New(facts=others, personal=AGREED_PERSONAL))


@pytest.mark.shows("A6.h", "D5.28")
def test_forty_hours_a_week_are_allowed_and_forty_one_are_not() -> None:
    conclude(given(fold, *PENDING), hours_per_week=40).then(
        New(facts=replace(AGREED, hours_per_week=40), personal=AGREED_PERSONAL)
    )
    conclude(given(fold, *PENDING), hours_per_week=41).refused(refusals_serving.TooManyHoursError, "41 hours a week; 40")


@pytest.mark.shows("D5.28")
def test_two_agreements_of_one_case_share_the_hours_of_a_week() -> None:
    told = given(fold, *ACTIVE, *_OTHERS)
    concluding = told.when(conclude_agreement, agreement(assistant=2, hours_per_week=11), CONDITIONS, number=2)
    concluding.refused(refusals_serving.TooManyHoursError, "41")
    told.when(conclude_agreement, agreement(assistant=2, hours_per_week=10), CONDITIONS, number=2).then(
        New(facts=replace(_SECOND, hours_per_week=10), personal=AGREED_PERSONAL)
    )


@pytest.mark.shows("D5.28")
@pytest.mark.parametrize(
    ("other", "is_allowed"),
    [
        (Agreed(hours_per_week=10, valid_from=date(2026, 9, 1)), True),
        (Agreed(hours_per_week=11, valid_from=date(2026, 9, 1)), False),
        (Agreed(hours_per_week=11, valid_from=date(2027, 5, 31)), False),
        (Agreed(hours_per_week=11, valid_from=date(2027, 6, 1)), True),
        (Agreed(hours_per_week=11, valid_from=date(2026, 1, 1), valid_until=date(2026, 9, 1)), False),
        (Agreed(hours_per_week=11, valid_from=date(2026, 1, 1), valid_until=date(2026, 8, 31)), True),
    ],
)
def test_agreements_of_the_pupils_other_cases_count_on_the_days_on_which_both_hold(other: Agreed, *, is_allowed: bool) -> None:
    concluding = conclude(given(fold, *PENDING), conditions=replace(CONDITIONS, others=(other,)))
    if is_allowed:
        concluding.then(_MADE)
    else:
        concluding.refused(refusals_serving.TooManyHoursError, "41")


def test_where_hours_depend_on_the_kind_of_school_it_has_to_be_described() -> None:
    """MK of 24.03.2020: 40 hours a week in pre-school, 25 elsewhere."""
    emergency = replace(CONDITIONS, rules=rules_named("emergency-2020-03"), kind=None)
    conclude(given(fold, *PENDING), conditions=emergency).refused(refusals_serving.SchoolNotDescribedError)
    conclude(given(fold, *PENDING), conditions=emergency, hours_per_week=25).then(
        New(facts=replace(AGREED, hours_per_week=25), personal=AGREED_PERSONAL)
    )
    conclude(given(fold, *PENDING), conditions=emergency, hours_per_week=41).refused(refusals_serving.TooManyHoursError)


def test_an_agreement_is_not_older_than_the_decision() -> None:
    conclude(given(fold, *PENDING), concluded_on="2026-08-28").then(
        New(facts=replace(AGREED, concluded_on=date(2026, 8, 28)), personal=AGREED_PERSONAL)
    )
    conclude(given(fold, *PENDING), concluded_on="2026-08-27").refused(refusals_serving.AgreementBeforeDecisionError)


def test_the_same_agreement_repeated_makes_no_second_one() -> None:
    given(fold, *ACTIVE).when(conclude_agreement, agreement(), CONDITIONS, number=2).refused(
        refusals_serving.AgreementStandsError, "1"
    )


_RENEWED = brought(MissingItem.VALID_RECOMMENDATION, on=date(2026, 9, 2), until=date(2027, 8, 31))
_ENDS = (date(2026, 10, 1), date(2026, 11, 30), date(2027, 7, 2))
"""The warning and the last day of the old one; the warning of the new one."""


@pytest.mark.shows("A3.4", "A3.5")
def test_no_agreement_before_the_grant_and_none_after_the_service_ended() -> None:
    conclude(given(fold, *GRANTED[:-1])).refused(refusals_serving.NotGrantedError)
    ended = ServiceEnded(on=date(2026, 12, 1), cause=ServiceCause.REQUESTER_ASKED)
    conclude(given(fold, *ACTIVE, ended)).refused(refusals.CaseEndedError, "Ended")


@pytest.mark.shows("D5.12")
def test_from_the_end_of_its_recommendation_no_new_agreement_rests_on_a_copy() -> None:
    filed = replace(FILED_A2, variant=Variant.A1, recommendation_until=date(2026, 9, 1))
    told = given(fold, filed, replace(GRANT, basis=None), PROPOSED, CV)
    conclude(told).then(_MADE)
    conclude(told, from_on="2026-09-02").refused(refusals_serving.BasisLostError)
    renewed = given(fold, filed, replace(GRANT, basis=None), PROPOSED, CV, _RENEWED)
    conclude(renewed, from_on="2026-09-02").then(New(facts=replace(AGREED, from_on=date(2026, 9, 2)), personal=AGREED_PERSONAL))
    conclude(renewed, from_on="2027-09-01", until_on="2027-12-31").refused(refusals_serving.BasisLostError)


@pytest.mark.shows("D5.12")
def test_a_renewed_recommendation_carries_a_service_on_before_the_old_ones_end_and_after_it() -> None:
    ended = received(ConfirmationEnded(ended_on=date(2026, 9, 1), basis=body(98)), answers=4)
    for events in ((ended, _RENEWED), (_RENEWED, ended)):
        told = given(fold, *PENDING, *events)
        assert told.case.basis_holds(date(2027, 8, 31))
        assert not told.case.basis_holds(date(2027, 9, 1))
        conclude(told, from_on="2026-09-02").then(New(facts=replace(AGREED, from_on=date(2026, 9, 2)), personal=AGREED_PERSONAL))
        assert given(fold, *ACTIVE, *events).case.flags == ()


@pytest.mark.shows("D5.12")
def test_the_end_of_a_renewed_recommendation_is_warned_of_and_told_anew() -> None:
    filed = replace(FILED_A2, variant=Variant.A1, recommendation_until=date(2026, 11, 30))
    agreed = (filed, replace(GRANT, basis=None), PROPOSED, CV, AGREED)
    passed = [DeadlinePassed(deadline=DeadlineName.RECOMMENDATION_EXPIRY, due_on=day) for day in _ENDS]
    assert given(fold, *agreed, *passed[:1]).case.flags == ("BasisEndsSoon",)
    assert given(fold, *agreed, *passed[:2]).case.flags == ("BasisEnded",)
    renewed = given(fold, *agreed, *passed[:2], _RENEWED).case
    assert renewed.flags == ()
    assert [(each.name, each.due_on) for each in deadlines_of(renewed)] == [("RecommendationExpiry", _ENDS[2])]
    assert given(fold, *agreed, *passed[:2], _RENEWED, passed[2]).case.flags == ("BasisEndsSoon",)


@pytest.mark.shows("D5.12", "D5.13")
def test_once_the_commission_ended_or_took_back_its_yes_a_service_runs_on_but_none_begins() -> None:
    ended = received(ConfirmationEnded(ended_on=date(2026, 9, 1), basis=body(98)), answers=4)
    conclude(given(fold, *PENDING, ended)).refused(refusals_serving.BasisLostError)
    no = received(ConfirmationCorrected(answer=Answer.NO, wording=2, corrects=body(5), basis=body(98)), answers=4)
    conclude(given(fold, *PENDING, no)).refused(refusals_serving.BasisLostError)
    assert given(fold, *ACTIVE, ended).case.state is SchoolState.ACTIVE
    changed = New(facts=amended(hours_per_week=20), personal=AgreementAmendedPersonal(text="Vienošanās"))
    given(fold, *ACTIVE, ended).when(amend_agreement, amendment(hours_per_week=20), CONDITIONS).then(changed)


@pytest.mark.shows("D5.21")
def test_whoever_came_of_age_signs_and_is_judged_as_of_age_before_an_agreement() -> None:
    came = PupilCameOfAge()
    conclude(given(fold, *PENDING, came)).refused(refusals_changing.PupilUnconfirmedError)
    signed = brought(MissingItem.SIGNATURE, on=date(2026, 8, 30))
    conclude(given(fold, *PENDING, came, signed)).refused(refusals_changing.ScreeningNeededError)
    screened = EligibilityScreened(
        rule_set=1,
        rule_set_version=1,
        as_of=date(2026, 8, 30),
        outcome=EligibilityOutcome.ELIGIBLE,
        reasons=(),
        age=18,
        child_with_disability=Known.NOT_KNOWN,
        group=DisabilityGroup.SECOND,
        benefit=Known.YES,
        opinion=Known.YES,
        enrolled=Enrolment.HERE,
    )
    conclude(given(fold, *PENDING, came, signed, screened)).then(_MADE)
    refused = replace(screened, outcome=EligibilityOutcome.INELIGIBLE, group=DisabilityGroup.THIRD)
    conclude(given(fold, *PENDING, came, signed, refused)).refused(refusals_changing.ScreeningNeededError)


def test_an_amendment_holds_from_its_day_and_replaces_the_assistant() -> None:
    facts = amended(assistant=2, hours_per_week=40, from_on=date(2026, 10, 1), concluded_on=date(2026, 9, 28))
    made = New(facts=facts, personal=AgreementAmendedPersonal(text="Vienošanās"))
    form = amendment(assistant=2, hours_per_week=40, from_on="2026-10-01", concluded_on="2026-09-28")
    given(fold, *ACTIVE, *_OTHERS).when(amend_agreement, form, CONDITIONS).then(made)
    case = given(fold, *ACTIVE, *_OTHERS, facts).case
    assert case.service.agreed == (
        Agreed(hours_per_week=30, valid_from=date(2026, 9, 1), valid_until=date(2026, 9, 30)),
        Agreed(hours_per_week=40, valid_from=date(2026, 10, 1), valid_until=date(2027, 5, 31)),
    )
    assert case.state is SchoolState.ACTIVE


def test_a_version_from_a_later_day_never_holds_once_an_earlier_day_is_amended() -> None:
    later = amended(hours_per_week=40, from_on=date(2026, 10, 1), until_on=None)
    earlier = amended(hours_per_week=20, from_on=date(2026, 9, 15), until_on=None)
    assert given(fold, *ACTIVE, later, earlier).case.service.agreed == (
        Agreed(hours_per_week=30, valid_from=date(2026, 9, 1), valid_until=date(2026, 9, 14)),
        Agreed(hours_per_week=20, valid_from=date(2026, 9, 15)),
    )


@pytest.mark.shows("D5.28")
def test_an_amendment_is_held_against_the_hours_of_a_week_too() -> None:
    told = given(fold, *ACTIVE, *_OTHERS, replace(_SECOND, hours_per_week=10))
    told.when(amend_agreement, amendment(hours_per_week=31), CONDITIONS).refused(refusals_serving.TooManyHoursError, "41")
    made = New(facts=amended(hours_per_week=29), personal=AgreementAmendedPersonal(text="Vienošanās"))
    told.when(amend_agreement, amendment(hours_per_week=29), CONDITIONS).then(made)


def test_what_is_amended_is_there_and_changes_something() -> None:
    given(fold, *ACTIVE).when(amend_agreement, amendment(), CONDITIONS).refused(refusals_serving.AgreementStandsError)
    given(fold, *ACTIVE).when(amend_agreement, amendment(agreement=2), CONDITIONS).refused(refusals_serving.AgreementUnknownError)
    given(fold, *PENDING).when(amend_agreement, amendment(), CONDITIONS).refused(refusals_serving.NoAgreementError)


def test_an_amendment_of_another_agreement_changes_this_one_not() -> None:
    case = given(fold, *ACTIVE, replace(_SECOND, hours_per_week=5), amended(agreement=2, hours_per_week=6)).case
    first, second = case.service.agreement(1), case.service.agreement(2)
    assert first is not None
    assert second is not None
    assert (first.newest.hours_per_week, second.newest.hours_per_week) == (30, 6)


def test_a_service_stands_still_and_goes_on() -> None:
    suspended = ServiceSuspended(on=date(2026, 11, 2), cause=ServiceCause.PUPIL_ABSENT)
    resumed = ServiceResumed(on=date(2026, 11, 16), cause=ServiceCause.CAUSE_ENDED)
    given(fold, *ACTIVE).when(suspend_service, service("2026-11-02", note="Slimnīcā")).then(
        New(facts=suspended, personal=ServiceSuspendedPersonal(note="Slimnīcā"))
    )
    standing_still = given(fold, *ACTIVE, suspended)
    assert standing_still.case.state is SchoolState.SUSPENDED
    standing_still.when(suspend_service, service("2026-11-02")).refused(refusals_serving.SuspendedAlreadyError)
    standing_still.when(resume_service, service("2026-11-16", "CauseEnded")).then(
        New(facts=resumed, personal=ServiceResumedPersonal(note=None))
    )
    standing_still.when(resume_service, service("2026-11-01")).refused(refusals_serving.ResumedBeforeSuspendedError)
    given(fold, *ACTIVE).when(resume_service, service("2026-11-16")).refused(refusals_serving.NotSuspendedError)
    again = given(fold, *ACTIVE, suspended, resumed)
    assert again.case.state is SchoolState.ACTIVE
    again.when(suspend_service, service("2026-12-01")).then(
        New(facts=replace(suspended, on=date(2026, 12, 1)), personal=ServiceSuspendedPersonal(note=None))
    )
    # A second pause leaves the first as it was.
    pauses = given(fold, *ACTIVE, suspended, resumed, replace(suspended, on=date(2026, 12, 1)), resumed).case.service.pauses
    assert [each.until for each in pauses] == [date(2026, 11, 16), date(2026, 11, 16)]


@pytest.mark.parametrize("decide", [suspend_service, end_service])
def test_a_service_that_has_not_begun_neither_stands_still_nor_ends(decide: Any) -> None:
    given(fold, *PENDING).when(decide, service("2026-11-02")).refused(refusals_serving.NoAgreementError)
    given(fold, *ACTIVE).when(decide, service("2026-08-31")).refused(refusals_serving.BeforeServiceError)


@pytest.mark.shows("D5.12")
@pytest.mark.parametrize("cause", ["BasisExpired", "BasisRevoked", "AssistantLeft", "TermEnded", "Other"])
def test_the_school_ends_a_service_also_one_that_stands_still(cause: str) -> None:
    suspended = ServiceSuspended(on=date(2026, 11, 2), cause=ServiceCause.PUPIL_ABSENT)
    facts = ServiceEnded(on=date(2026, 12, 1), cause=ServiceCause(cause))
    made = New(facts=facts, personal=ServiceEndedPersonal(note=None))
    for events in (ACTIVE, (*ACTIVE, suspended)):
        given(fold, *events).when(end_service, service("2026-12-01", cause)).then(made)
        ended = given(fold, *events, facts)
        assert ended.case.state is SchoolState.ENDED
        ended.when(end_service, service("2026-12-01", cause)).refused(refusals.CaseEndedError)


def test_hours_of_an_agreement_count_no_longer_than_its_service() -> None:
    ended = ServiceEnded(on=date(2026, 12, 1), cause=ServiceCause.OTHER)
    endless, future = replace(AGREED, until_on=None), replace(_SECOND, from_on=date(2027, 1, 1))
    assert given(fold, *PENDING, endless, future, ended).case.service.agreed == (
        Agreed(hours_per_week=30, valid_from=date(2026, 9, 1), valid_until=date(2026, 12, 1)),
    )


@pytest.mark.shows("A3.5")
def test_no_agreement_or_amendment_holds_from_a_day_before_the_grant() -> None:
    early = refusals_serving.AgreementBeforeDecisionError
    conclude(given(fold, *PENDING), from_on="2026-01-01").refused(early, "2026-08-28")
    given(fold, *ACTIVE).when(amend_agreement, amendment(from_on="2026-01-01"), CONDITIONS).refused(early, "2026-08-28")
