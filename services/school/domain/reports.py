"""What a school reports each month, and what it says of itself: hours by agreement, money and description.

Money and description belong to no case: they are read from the school's own stream.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, TypeVar

from services.policy.hours import month_is_within
from services.policy.rules import Rules
from services.post.history import New, Recorded, Standing
from services.school.domain import refusals_serving
from services.school.domain.folded import SchoolCase
from services.school.domain.service import Agreement, Assistance
from services.school.input import HoursForm, MoneyForm, SchoolForm
from services.wire.events import HoursReported, MoneyReported, SchoolDescribed

__all__ = ["GUARDS", "describe_school", "most_minutes", "report_hours", "report_money"]

Event = TypeVar("Event", MoneyReported, SchoolDescribed)

_MINUTES: Final = 60


def report_hours(case: SchoolCase, form: HoursForm, rules: Rules, *, elsewhere: int = 0) -> tuple[New, ...]:
    """Return the event of the hours of a month; also after the service ended, for its last month.

    ``rules`` are those of the month; ``elsewhere`` are the minutes of this month in the pupil's other cases.
    Raises: NoAgreementError; AgreementUnknownError; HoursReportedAlreadyError; HoursOutsideAgreementError; MonthCapError.
    """
    _may_report(case)
    agreement = case.service.agreement(form.agreement)
    if agreement is None:
        raise refusals_serving.AgreementUnknownError(form.agreement)
    reported = case.service.reported(form.month)
    if reported.get(form.agreement) == form.minutes:
        raise refusals_serving.HoursReportedAlreadyError
    # A6.h: up to the hours agreed on, in each week in which the agreement holds.
    allowed = most_minutes(case.service, agreement, form.month)
    if form.minutes > allowed:
        raise refusals_serving.HoursOutsideAgreementError(form.agreement, allowed)
    # MK 695, point 9, where the rules have it: not more than the normal working hours of the month.
    together = sum((reported | {form.agreement: form.minutes}).values()) + elsewhere
    if not month_is_within(rules, -(-together // _MINUTES), form.month.year, form.month.month):
        raise refusals_serving.MonthCapError(form.minutes)
    return (New(facts=HoursReported(month=form.month, agreement=form.agreement, minutes=form.minutes)),)


def _may_report(case: SchoolCase) -> None:
    if not case.service.agreements:
        raise refusals_serving.NoAgreementError


def most_minutes(service: Assistance, agreement: Agreement, month: date) -> int:
    """Return the most minutes that an agreement allows in a month: a week that lies in two months may be worked in either."""
    weeks: dict[int, int] = {}
    for day in _days(month):
        week = day.isocalendar().week
        weeks[week] = max(weeks.get(week, 0), _hours_on(service, agreement, day))
    return sum(weeks.values()) * _MINUTES


def _days(month: date) -> Iterator[date]:
    for day in range(1, calendar.monthrange(month.year, month.month)[1] + 1):
        yield month.replace(day=day)


def _hours_on(service: Assistance, agreement: Agreement, day: date) -> int:
    is_over = service.ended_on is not None and day > service.ended_on
    if is_over or any(pause.holds(day) for pause in service.pauses):
        return 0
    return sum(each.hours_per_week for each in agreement.agreed() if each.is_in_force(day))


def report_money(history: Sequence[Recorded], form: MoneyForm) -> tuple[New, ...]:
    """Return the event of the money of a month; the newest month can be reported anew, those before it cannot.

    Raises: MoneyReportedAlreadyError; MonthClosedError; OpeningBalanceError; OverspentError.
    """
    reports = {each.month: each for each in _own(history, MoneyReported)}
    facts = MoneyReported(
        month=form.month,
        opening_cents=form.opening_cents,
        received_cents=form.received_cents,
        used_cents=form.used_cents,
    )
    if reports.get(form.month) == facts:
        raise refusals_serving.MoneyReportedAlreadyError
    if any(month > form.month for month in reports):
        raise refusals_serving.MonthClosedError
    before = [reports[month] for month in sorted(reports) if month < form.month]
    if before and _closing(before[-1]) != form.opening_cents:
        raise refusals_serving.OpeningBalanceError(_closing(before[-1]))
    if _closing(facts) < 0:
        raise refusals_serving.OverspentError
    return (New(facts=facts),)


def _closing(report: MoneyReported) -> int:
    return report.opening_cents + report.received_cents - report.used_cents


def describe_school(history: Sequence[Recorded], form: SchoolForm) -> tuple[New, ...]:
    """Return the event of a description that holds from a day on.

    Raises: DescribedAlreadyError.
    """
    facts = SchoolDescribed(
        founder=form.founder,
        kind=form.kind,
        state_maintained=form.state_maintained,
        technical_staff_financed=form.technical_staff_financed,
        from_on=form.from_on,
    )
    described = {each.from_on: each for each in _own(history, SchoolDescribed)}
    if described.get(form.from_on) == facts:
        raise refusals_serving.DescribedAlreadyError
    return (New(facts=facts),)


def _own(history: Sequence[Recorded], kind: type[Event]) -> Iterator[Event]:
    for event in history:
        if event.standing is Standing.ACCEPTED and isinstance(event.facts, kind):
            yield event.facts


GUARDS: Final[Mapping[str, Callable[[SchoolCase, date], object]]] = {"report-hours": lambda case, _: _may_report(case)}
"""What each act here asks of a case on a day, before anybody fills in a form."""
