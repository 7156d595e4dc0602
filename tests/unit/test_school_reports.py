"""What a school reports: hours of a month by agreement, money of a month, and what the school is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.policy.rules import RULES, InstitutionKind, rules_named
from services.post.history import New, Standing
from services.school.domain import refusals_serving
from services.school.domain.case import fold
from services.school.domain.judging import description_on, institution_kind
from services.school.domain.reports import describe_school, report_hours, report_money
from services.school.input import HoursForm, MoneyForm, SchoolForm
from services.wire.events import (
    Founder,
    HoursReported,
    MoneyReported,
    SchoolDescribed,
    SchoolKind,
    ServiceCause,
    ServiceEnded,
    ServiceResumed,
    ServiceSuspended,
)
from tests.given_when_then import Told, given
from tests.serving import ACTIVE, AGREED, PENDING, form_of

# September 2026 lies in five weeks: the 1st is a Tuesday, the 30th a Wednesday.
_SEPTEMBER = date(2026, 9, 1)
_WHOLE = 5 * 30 * 60


def hours(minutes: int, *, month: str = "2026-09-01", number: int = 1) -> HoursForm:
    return form_of(HoursForm, {"month": month, "agreement": number, "minutes": minutes})


def reported(minutes: int, **changes: Any) -> HoursReported:
    return replace(HoursReported(month=_SEPTEMBER, agreement=1, minutes=minutes), **changes)


def test_hours_of_a_month_are_reported_and_the_newest_report_counts() -> None:
    told = given(fold, *ACTIVE)
    told.when(report_hours, hours(5000), RULES[0]).then(New(facts=reported(5000)))
    again = given(fold, *ACTIVE, reported(5000))
    again.when(report_hours, hours(5000), RULES[0]).refused(refusals_serving.HoursReportedAlreadyError)
    again.when(report_hours, hours(4800), RULES[0]).then(New(facts=reported(4800)))
    assert given(fold, *ACTIVE, reported(5000), reported(4800)).case.service.reported(_SEPTEMBER) == {1: 4800}


@pytest.mark.shows("A6.h")
def test_no_more_is_reported_than_was_agreed_on_in_each_week_of_the_month() -> None:
    told = given(fold, *ACTIVE)
    told.when(report_hours, hours(_WHOLE), RULES[0]).then(New(facts=reported(_WHOLE)))
    told.when(report_hours, hours(_WHOLE + 1), RULES[0]).refused(refusals_serving.HoursOutsideAgreementError, str(_WHOLE))
    told.when(report_hours, hours(1, month="2026-08-01"), RULES[0]).refused(refusals_serving.HoursOutsideAgreementError)
    told.when(report_hours, hours(1, month="2027-06-01"), RULES[0]).refused(refusals_serving.HoursOutsideAgreementError)


def test_weeks_that_lie_in_two_months_may_be_worked_in_either() -> None:
    """The agreement begins on a Saturday: the week of that day counts whole in August."""
    began = replace(AGREED, from_on=date(2026, 8, 29))
    most = hours(2 * 30 * 60, month="2026-08-01")
    given(fold, *PENDING, began).when(report_hours, most, RULES[0]).then(New(facts=reported(2 * 30 * 60, month=date(2026, 8, 1))))


def test_while_the_service_stands_still_or_is_over_nothing_is_worked() -> None:
    still = ServiceSuspended(on=date(2026, 9, 7), cause=ServiceCause.PUPIL_ABSENT)
    on_again = ServiceResumed(on=date(2026, 9, 28), cause=ServiceCause.CAUSE_ENDED)
    ended = ServiceEnded(on=date(2026, 9, 6), cause=ServiceCause.OTHER)
    for events, weeks in (((still,), 1), ((still, on_again), 2), ((ended,), 1)):
        told = given(fold, *ACTIVE, *events)
        told.when(report_hours, hours(weeks * 1800), RULES[0]).then(New(facts=reported(weeks * 1800)))
        told.when(report_hours, hours(weeks * 1800 + 1), RULES[0]).refused(refusals_serving.HoursOutsideAgreementError)


def test_where_the_rules_ask_it_a_month_has_no_more_than_its_normal_working_hours() -> None:
    """MK 695, point 9: 22 working days of 8 hours in September 2026, over all agreements and cases of the pupil."""
    rules, full = rules_named("mk695-2021-07"), replace(AGREED, hours_per_week=40)
    told = given(fold, *PENDING, full)
    most = 22 * 8 * 60
    told.when(report_hours, hours(most), rules).then(New(facts=reported(most)))
    told.when(report_hours, hours(most + 1), rules).refused(refusals_serving.MonthCapError)
    told.when(report_hours, hours(most - 59), rules, elsewhere=60).refused(refusals_serving.MonthCapError)
    told.when(report_hours, hours(most + 1), RULES[0]).then(New(facts=reported(most + 1)))
    second = given(fold, *PENDING, full, replace(full, agreement=2), reported(most, agreement=2))
    second.when(report_hours, hours(1), rules).refused(refusals_serving.MonthCapError)


def test_hours_are_those_of_an_agreement_that_is_there() -> None:
    given(fold, *PENDING).when(report_hours, hours(60), RULES[0]).refused(refusals_serving.NoAgreementError)
    given(fold, *ACTIVE).when(report_hours, hours(60, number=2), RULES[0]).refused(refusals_serving.AgreementUnknownError)


def money(month: str, opening: int, received: int, used: int) -> MoneyForm:
    return form_of(MoneyForm, {"month": month, "opening_cents": opening, "received_cents": received, "used_cents": used})


def had(month: date, opening: int, received: int, used: int) -> MoneyReported:
    return MoneyReported(month=month, opening_cents=opening, received_cents=received, used_cents=used)


def own(*events: object) -> Any:  # a Given of the school's own stream, not folded
    return given(tuple, *events)


def test_a_month_opens_with_what_the_month_before_closed_with() -> None:
    september = had(_SEPTEMBER, 0, 100_000, 81_300)
    own().when(report_money, money("2026-09-01", 0, 100_000, 81_300)).then(New(facts=september))
    told = own(september)
    told.when(report_money, money("2026-10-01", 18_700, 0, 18_700)).then(New(facts=had(date(2026, 10, 1), 18_700, 0, 18_700)))
    told.when(report_money, money("2026-10-01", 18_600, 0, 0)).refused(refusals_serving.OpeningBalanceError, "18700")
    told.when(report_money, money("2026-09-01", 0, 100_000, 81_300)).refused(refusals_serving.MoneyReportedAlreadyError)


def test_the_newest_month_is_reported_anew_and_no_earlier_one() -> None:
    september, october = had(_SEPTEMBER, 0, 100, 60), had(date(2026, 10, 1), 40, 0, 0)
    own(september).when(report_money, money("2026-09-01", 0, 100, 50)).then(New(facts=had(_SEPTEMBER, 0, 100, 50)))
    own(september, october).when(report_money, money("2026-09-01", 0, 100, 50)).refused(refusals_serving.MonthClosedError)


def test_nobody_uses_more_money_than_there_is() -> None:
    own().when(report_money, money("2026-09-01", 100, 100, 201)).refused(refusals_serving.OverspentError)
    own().when(report_money, money("2026-09-01", 100, 100, 200)).then(New(facts=had(_SEPTEMBER, 100, 100, 200)))


_DESCRIBED = SchoolDescribed(
    founder=Founder.MUNICIPALITY,
    kind=SchoolKind.GENERAL,
    state_maintained=False,
    technical_staff_financed=False,
    from_on=date(2012, 9, 1),
)


def description(**changes: Any) -> SchoolForm:
    fields = {
        "founder": "Municipality",
        "kind": "General",
        "state_maintained": False,
        "technical_staff_financed": False,
        "from_on": "2012-09-01",
    }
    return form_of(SchoolForm, fields | changes)


@pytest.mark.shows("A1.5", "A1.6")
def test_a_school_says_what_it_is_from_a_day_on() -> None:
    own().when(describe_school, description()).then(New(facts=_DESCRIBED))
    own(_DESCRIBED).when(describe_school, description()).refused(refusals_serving.DescribedAlreadyError)
    special = replace(_DESCRIBED, kind=SchoolKind.SPECIAL, state_maintained=True, technical_staff_financed=True)
    form = description(kind="Special", state_maintained=True, technical_staff_financed=True)
    own(_DESCRIBED).when(describe_school, form).then(New(facts=special))
    # Money stands in the same stream, and is no description.
    own(had(_SEPTEMBER, 0, 0, 0), _DESCRIBED).when(describe_school, description()).refused(refusals_serving.DescribedAlreadyError)


@pytest.mark.shows("A1.5", "A1.6")
def test_the_description_that_holds_is_the_newest_that_began_by_that_day() -> None:
    special = replace(_DESCRIBED, kind=SchoolKind.SPECIAL, from_on=date(2026, 9, 1))
    voided = Told(facts=replace(_DESCRIBED, kind=SchoolKind.PRESCHOOL), standing=Standing.VOIDED)
    history = own(_DESCRIBED, special, voided).history
    assert description_on(history, date(2012, 8, 31)) is None
    assert description_on(history, date(2026, 8, 31)) == _DESCRIBED
    assert description_on(history, date(2026, 9, 1)) == special


@pytest.mark.parametrize(
    ("kind", "taught"),
    [
        (SchoolKind.PRESCHOOL, InstitutionKind.PRESCHOOL),
        (SchoolKind.VOCATIONAL, InstitutionKind.VOCATIONAL),
        (SchoolKind.SPECIAL, InstitutionKind.GENERAL),
        (SchoolKind.UNKNOWN, InstitutionKind.OTHER),
    ],
)
def test_what_a_school_teaches_is_said_in_the_words_of_the_rules(kind: SchoolKind, taught: InstitutionKind) -> None:
    assert institution_kind(replace(_DESCRIBED, kind=kind)) is taught
    assert institution_kind(None) is None
