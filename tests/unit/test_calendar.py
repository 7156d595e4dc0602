"""Working days and terms, at their edges."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from holidays import country_holidays
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.policy.calendar import (
    MovedDay,
    MovedDays,
    Term,
    Unit,
    add_months,
    add_working_days,
    birthday,
    full_years,
    is_working_day,
    moved_days,
    next_working_day,
    normal_working_hours,
    working_day_from,
    working_days_between,
)
from services.policy.data import DataError, parse_data
from services.post.office import day_of

MONTH = Term(count=1, unit=Unit.MONTHS)
DAYS = st.dates(date(2012, 8, 1), date(2045, 12, 31))


@pytest.mark.parametrize(
    ("day", "worked", "why"),
    [
        (date(2026, 11, 17), True, "an ordinary Tuesday"),
        (date(2026, 11, 18), False, "the day of the Republic's proclamation"),
        (date(2026, 11, 21), False, "a Saturday"),
        (date(2026, 4, 3), False, "Good Friday"),
        (date(2026, 4, 6), False, "Easter Monday"),
        (date(2024, 5, 6), False, "a Monday, for 4 May was a Saturday"),
        (date(2023, 7, 10), False, "a Monday, for the Song Festival ended on a Sunday"),
        (date(2023, 5, 29), False, "given free once, for the bronze medal"),
        (date(2026, 6, 22), False, "moved to a Saturday"),
        (date(2026, 6, 27), True, "a Saturday to which a working day is moved"),
        (date(2026, 12, 31), False, "New Year's Eve"),
        (date(2027, 5, 3), True, "of 2027 no order is known"),
    ],
)
def test_institutions_work_on_working_days(day: date, worked: bool, why: str) -> None:  # noqa: FBT001
    assert is_working_day(day) is worked, why


def test_term_of_a_month_that_ends_on_a_sunday_ends_on_the_monday_after() -> None:
    """Domain E09: notified on 18.09.2026, to be contested by 19.10.2026."""
    assert MONTH.last_day_after(date(2026, 9, 18)) == date(2026, 10, 19)


@pytest.mark.parametrize(
    ("begun", "last", "why"),
    [
        (date(2026, 9, 17), date(2026, 10, 19), "17 October is a Saturday"),
        (date(2026, 10, 16), date(2026, 11, 16), "a Monday that is worked"),
        (date(2026, 10, 18), date(2026, 11, 19), "18 November is a holiday"),
        (date(2026, 5, 22), date(2026, 6, 25), "22 June is moved, and two holidays follow"),
        (date(2026, 5, 27), date(2026, 6, 27), "a Saturday that is worked"),
        (date(2026, 11, 30), date(2026, 12, 30), "the last working day of the year"),
        (date(2026, 12, 1), date(2027, 1, 4), "1 January is a holiday, then a weekend"),
        (date(2026, 12, 31), date(2027, 2, 1), "31 January is a Sunday"),
        (date(2027, 1, 31), date(2027, 3, 1), "February has no 31st, and its last day is a Sunday"),
        (date(2028, 1, 31), date(2028, 2, 29), "a leap year"),
        (date(2026, 3, 29), date(2026, 4, 29), "over the change of the clock"),
    ],
)
def test_term_of_a_month_ends_on_its_day_number_or_the_next_working_day(begun: date, last: date, why: str) -> None:
    assert MONTH.last_day_after(begun) == last, why


@pytest.mark.parametrize(
    ("sent", "second", "why"),
    [
        (date(2026, 8, 27), date(2026, 8, 31), "over a weekend"),
        (date(2026, 8, 28), date(2026, 9, 1), "sent on a Friday"),
        (date(2026, 8, 29), date(2026, 9, 1), "sent on a Saturday: Monday is the first"),
        (date(2026, 11, 17), date(2026, 11, 20), "over a holiday"),
        (date(2026, 12, 29), date(2027, 1, 4), "over the year's end"),
        (date(2026, 6, 19), date(2026, 6, 26), "over a moved day and two holidays"),
        (date(2026, 6, 25), date(2026, 6, 27), "a Saturday that is worked counts"),
    ],
)
def test_second_working_day_is_counted_without_the_day_of_sending(sent: date, second: date, why: str) -> None:
    assert Term(count=2, unit=Unit.WORKING_DAYS).day_after(sent) == second, why


def test_days_are_counted_whether_or_not_they_are_worked() -> None:
    assert Term(count=8, unit=Unit.DAYS).day_after(date(2026, 9, 10)) == date(2026, 9, 18)
    assert Term(count=8, unit=Unit.DAYS).day_after(date(2026, 9, 11)) == date(2026, 9, 19)
    assert Term(count=0, unit=Unit.DAYS).day_after(date(2026, 9, 12)) == date(2026, 9, 12)


def test_no_working_days_later_is_the_same_day_and_none_are_counted_back() -> None:
    assert add_working_days(date(2026, 11, 21), 0) == date(2026, 11, 21)
    with pytest.raises(ValueError, match=r"^working days are counted forward only$"):
        add_working_days(date(2026, 11, 21), -1)


@pytest.mark.parametrize("hours_utc", [21, 22, 23])
def test_what_happens_by_night_belongs_to_the_day_in_riga(hours_utc: int) -> None:
    """The clock goes back on 25.10.2026 at 4; until then Riga is three hours ahead, after it two."""
    before = datetime(2026, 10, 24, hours_utc, 0, tzinfo=UTC)
    after = datetime(2026, 10, 25, hours_utc, 0, tzinfo=UTC)
    sent = [day_of(int(each.timestamp() * 1000)) for each in (before, after)]
    assert sent[0] == date(2026, 10, 25)
    assert sent[1] == (date(2026, 10, 25) if hours_utc == 21 else date(2026, 10, 26))
    assert add_working_days(sent[0], 2) == date(2026, 10, 27)


@pytest.mark.parametrize(("year", "month", "hours"), [(2025, 11, 151), (2025, 12, 150), (2026, 1, 168)])
def test_normal_working_hours_are_those_that_were_published(year: int, month: int, hours: int) -> None:
    """jauns.lv, 676729: also where the day before a holiday is moved, November 2025."""
    assert normal_working_hours(year, month) == hours


def test_year_has_the_working_days_and_hours_that_were_published() -> None:
    """Published for 2025: 249 working days, 1987 hours; 10 May is worked, and the holiday after it makes it no shorter."""
    assert working_days_between(date(2024, 12, 31), date(2025, 12, 31)) == 249
    assert sum(normal_working_hours(2025, month) for month in range(1, 13)) == 1987


def test_each_order_moves_a_weekday_to_a_saturday_of_its_month_and_names_its_source() -> None:
    for each in moved_days().moved:
        assert each.off.weekday() < 5
        assert each.worked.weekday() == 5
        assert (each.off.year, each.off.month) == (each.worked.year, each.worked.month)
        assert "likumi.lv/ta/id/" in each.source
    assert moved_days().known_through == max(each.off.year for each in moved_days().moved)


def test_orders_are_those_that_the_library_knows() -> None:
    """Two hands wrote them down: a slip of either shows."""
    library = country_holidays("LV")
    for offset in range((date(2027, 1, 1) - date(2012, 8, 1)).days):
        day = date(2012, 8, 1) + timedelta(days=offset)
        assert is_working_day(day) == library.is_working_day(day), day


def test_order_holds_that_no_release_of_the_library_knows_yet() -> None:
    """3 May 2027 is a Monday between a Sunday and a holiday, as one that an order would move."""
    order = MovedDay(off=date(2027, 5, 3), worked=date(2027, 5, 8), source="invented for this test")
    orders = MovedDays(known_through=2027, moved=(order,))
    assert [is_working_day(day) for day in (order.off, order.worked)] == [True, False]
    assert [is_working_day(day, orders) for day in (order.off, order.worked)] == [False, True]


def test_order_without_a_source_is_refused_with_its_place() -> None:
    text = 'known_through = 2026\n[[moved]]\noff = 2026-01-02\nworked = 2026-01-17\nsource = ""\nwhy = "x"\n'
    with pytest.raises(DataError) as refused:
        parse_data("moved_days.toml", text, TypeAdapter(MovedDays))
    assert str(refused.value).splitlines() == [
        "moved_days.toml: moved.0.source: is empty; write it",
        "moved_days.toml: moved.0.why: is not a key here; remove it or correct its name",
    ]


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2008, 10, 2), date(2026, 10, 1), 17),
        (date(2008, 10, 2), date(2026, 10, 2), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
    ],
)
def test_birthday_counts_on_its_day(born: date, day: date, age: int) -> None:
    """Domain A1, boundary decisions."""
    assert full_years(born, day) == age


@given(born=st.dates(date(1930, 1, 1), date(2030, 1, 1)), age=st.integers(0, 120))
def test_who_becomes_an_age_was_younger_the_day_before(born: date, age: int) -> None:
    day = birthday(born, age)
    assert full_years(born, day) == age
    assert full_years(born, day - timedelta(days=1)) == age - 1


@given(DAYS, st.integers(0, 40))
def test_working_days_that_were_added_are_counted_between(day: date, count: int) -> None:
    last = add_working_days(day, count)
    assert working_days_between(day, last) == count
    assert working_days_between(last, day) == 0
    assert count == 0 or is_working_day(last)


@given(DAYS)
def test_next_working_day_skips_none(day: date) -> None:
    after = next_working_day(day)
    assert is_working_day(after)
    assert working_days_between(day, after) == 1
    assert working_day_from(after) == after
    assert working_day_from(day) == (day if is_working_day(day) else after)


@given(DAYS, st.integers(0, 30))
def test_months_keep_the_day_number_or_end_the_month(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)
