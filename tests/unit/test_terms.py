"""Terms and notification, at the edges of days and of the law's changes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.policy.calendar import Term, Unit, is_working_day
from services.policy.data import DataError, read_text
from services.policy.rules import RULES, rules_on
from services.policy.terms import TermName, Way, deemed_notified, last_day, parse_terms, term_on, terms, warned_on
from services.wire.events import Delivery

TERMS = read_text("terms.toml")
MONTH = Term(count=1, unit=Unit.MONTHS)


def working_days(count: int) -> Term:
    return Term(count=count, unit=Unit.WORKING_DAYS)


def test_every_term_has_a_source() -> None:
    assert set(terms()) == set(TermName)
    assert all(len(entry.source) > 20 for entries in terms().values() for entry in entries)


def test_ways_are_those_of_the_wire() -> None:
    assert {way.value for way in Way} == {way.value for way in Delivery if way is not Delivery.UNKNOWN}


@pytest.mark.parametrize(
    ("way", "sent", "notified"),
    [
        (Way.REGISTERED, date(2026, 9, 29), date(2026, 10, 6)),
        (Way.ORDINARY, date(2026, 9, 10), date(2026, 9, 18)),
        (Way.E_ADDRESS, date(2026, 8, 27), date(2026, 8, 31)),
        (Way.IN_PERSON, date(2026, 8, 10), date(2026, 8, 10)),
        (Way.REGISTERED, date(2026, 12, 28), date(2027, 1, 4)),
        (Way.REGISTERED, date(2026, 11, 11), date(2026, 11, 18)),
        (Way.E_ADDRESS, date(2026, 11, 17), date(2026, 11, 20)),
        (Way.E_ADDRESS, date(2026, 12, 30), date(2027, 1, 5)),
    ],
)
def test_letter_counts_as_notified_by_its_way(way: Way, sent: date, notified: date) -> None:
    """Domain section 1, E09, E19. A day of notification is no end of a term: it may be a holiday."""
    assert deemed_notified(way, sent) == notified
    assert RULES[0].deemed_notified(way, sent) == notified


def test_refusal_of_e09_is_to_be_contested_by_the_monday() -> None:
    notified = deemed_notified(Way.ORDINARY, date(2026, 9, 10))
    assert notified == date(2026, 9, 18)
    assert last_day(TermName.CONTEST, notified) == date(2026, 10, 19)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (date(2026, 8, 18), date(2026, 9, 18)),
        (date(2027, 1, 31), date(2027, 3, 1)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2026, 12, 5), date(2027, 1, 5)),
        (date(2026, 10, 18), date(2026, 11, 19)),
    ],
)
def test_commission_has_one_month_to_a_day_on_which_it_works(asked: date, due: date) -> None:
    """Domain D.4: ``commissionReplyDue`` is one month, dated data."""
    assert rules_on(asked).commission_reply_due(asked) == due


def test_application_is_to_be_completed_within_ten_working_days() -> None:
    assert last_day(TermName.COMPLETION, date(2026, 8, 17)) == date(2026, 8, 31)
    assert last_day(TermName.COMPLETION, date(2026, 12, 18)) == date(2027, 1, 7)


def test_school_decides_within_one_month() -> None:
    assert last_day(TermName.SCHOOL_DECISION, date(2026, 8, 27)) == date(2026, 9, 28)


def test_people_are_warned_sixty_days_before_a_recommendation_ends() -> None:
    assert warned_on(date(2027, 8, 31)) == date(2027, 7, 2)


@pytest.mark.parametrize(
    ("name", "begun", "term", "last"),
    [
        (TermName.SUBMISSION_REPLY, date(2026, 2, 28), MONTH, date(2026, 3, 30)),
        (TermName.SUBMISSION_REPLY, date(2026, 3, 1), working_days(10), date(2026, 3, 13)),
        (TermName.SUBMISSION_REPLY_COMPLEX, date(2026, 3, 1), MONTH, date(2026, 4, 1)),
        (TermName.SUBMISSION_FORWARDING, date(2026, 2, 28), working_days(7), date(2026, 3, 10)),
        (TermName.SUBMISSION_FORWARDING, date(2026, 3, 1), working_days(5), date(2026, 3, 6)),
    ],
)
def test_term_that_runs_already_is_not_changed_by_a_new_law(name: TermName, begun: date, term: Term, last: date) -> None:
    """Domain 0.2.4: from 1 March 2026 replies have ten working days; one begun the day before still has its month."""
    assert term_on(name, begun) == term
    assert last_day(name, begun) == last


def test_before_the_first_entry_there_is_no_term() -> None:
    with pytest.raises(LookupError, match="no term of contest began on 2012-07-31"):
        last_day(TermName.CONTEST, date(2012, 7, 31))


def test_term_that_is_missing_or_out_of_order_is_told_with_its_name() -> None:
    turned = TERMS.replace("since = 2026-03-01", "since = 2012-08-01").replace("[[contest]]", "[[completion]]")
    with pytest.raises(DataError) as refused:
        parse_terms("terms.toml", turned)
    assert str(refused.value).splitlines() == [
        "terms.toml: contest: is missing; write when it begins and how long it is",
        "terms.toml: completion: is not in order of time; write the earliest first, one entry a day",
        "terms.toml: submission_reply: is not in order of time; write the earliest first, one entry a day",
        "terms.toml: submission_forwarding: is not in order of time; write the earliest first, one entry a day",
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [("[[contest]]", "[[contests]]"), ('count = 60, unit = "days"', 'count = 60, unit = "weeks"'), ("count = 60", "count = -1")],
)
def test_term_of_no_known_name_unit_or_length_is_refused(before: str, after: str) -> None:
    assert before in TERMS
    with pytest.raises(DataError, match=r"^terms\.toml: "):
        parse_terms("terms.toml", TERMS.replace(before, after))


@given(st.sampled_from(TermName), st.dates(date(2012, 8, 1), date(2040, 12, 31)))
def test_every_term_ends_on_a_working_day_not_before_it_begins(name: TermName, begun: date) -> None:
    last = last_day(name, begun)
    assert is_working_day(last)
    assert last >= begun


@given(st.sampled_from(Way), st.dates(date(2012, 8, 1), date(2040, 12, 31)))
def test_whoever_is_written_to_later_is_not_notified_earlier(way: Way, sent: date) -> None:
    assert sent <= deemed_notified(way, sent) <= deemed_notified(way, sent + timedelta(days=1))
