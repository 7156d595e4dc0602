"""Single fields: Latvian personal codes, register numbers, addresses, contacts, names, days."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, strategies
from pydantic import TypeAdapter, ValidationError

from services.policy import fields

_ALL_CODES = [
    "140917-29013",
    "030218-29015",
    "250717-29028",
    "110318-29019",
    "070818-29015",
    "320000-00011",
    "121217-29016",
    "310717-29010",
    "020917-29015",
    "281117-29019",
    "300919-29015",
    "010819-29019",
    "220518-29028",
    "050719-29013",
    "150619-29019",
    "320000-00022",
    "141017-29018",
    "330000-00044",
    "320000-00033",
    "320000-00066",
    "320000-00077",
    "320000-00088",
    "320000-00099",
    "320000-00110",
    "320000-00121",
    "120451-09017",
    "230862-09018",
    "050748-09017",
    "171155-09028",
    "090370-09019",
    "281066-09012",
    "140744-09018",
    "020258-09017",
    "210639-09012",
    "300453-09018",
    "060957-09028",
    "131268-09028",
    "180946-09015",
    "251041-09010",
    "110363-09012",
    "040576-09019",
    "320000-00132",
    "320000-00209",
    "161175-19997",
    "111111-11111",
]


def check(field: Any, value: object, today: date | None = None) -> Any:  # any field
    return TypeAdapter(field).validate_python(value, strict=True, context={"today": today} if today else None)


def fault_of(field: Any, value: object, today: date | None = None) -> str:  # any field
    with pytest.raises(ValidationError) as caught:
        check(field, value, today)
    (detail,) = caught.value.errors()
    # A message that quotes what was typed would carry a person's data into a log.
    assert str(value) not in detail["msg"]
    return detail["type"]


@pytest.mark.parametrize("code", _ALL_CODES)
def test_every_fictional_personal_code_is_accepted_and_becomes_eleven_digits(code: str) -> None:
    """Domain C2 and E.0: both formats; old codes with a day after 30.06.2017; new ones without a check digit."""
    assert check(fields.PersonalCode, code) == code.replace("-", "")
    assert fields.format_personal_code(check(fields.PersonalCode, code)) == code


@pytest.mark.parametrize("typed", ["03021829015", " 030218-29015 ", "030218 29015", "030218–29015", "030218\u00a0\u2011 29015"])  # noqa: RUF001
def test_personal_code_is_accepted_with_or_without_hyphen_and_spaces(typed: str) -> None:
    assert check(fields.PersonalCode, typed) == "03021829015"


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("140917-29014", "personal_code_check_digit"),
        ("310217-29011", "personal_code_date"),
        ("310000-00019", "personal_code_date"),
        ("030218-39015", "personal_code_date"),
        ("400000-00011", "personal_code_date"),
        ("3200000001", "personal_code_shape"),
        ("0302-1829015", "personal_code_shape"),
        ("٠٣٠٢١٨-٢٩٠١٥", "personal_code_shape"),
        ("", "personal_code_shape"),
    ],
)
def test_wrong_personal_code_is_refused_with_a_fault_of_its_own(typed: str, fault: str) -> None:
    with pytest.raises(ValidationError) as caught:
        check(fields.PersonalCode, typed)
    assert caught.value.errors()[0]["type"] == fault


@given(strategies.integers(0, 7), strategies.integers(0, 10**9 - 1))
def test_every_code_of_the_new_format_is_accepted_for_it_has_no_check_digit(second: int, rest: int) -> None:
    code = f"3{second + 2}{rest:09d}"
    assert check(fields.PersonalCode, code) == code


@given(strategies.dates(date(1800, 1, 1), date(2017, 6, 30)), strategies.integers(0, 999))
def test_old_code_has_at_most_one_check_digit_and_none_where_the_remainder_is_ten(born: date, serial: int) -> None:
    stem = f"{born:%d%m}{born.year % 100:02d}{born.year // 100 - 18}{serial:03d}"
    weighted = sum(w * int(d) for w, d in zip((10, 5, 8, 4, 2, 1, 6, 3, 7, 9), stem, strict=True))
    right = (1 + weighted) % 11
    accepted = [digit for digit in range(10) if _accepts(fields.PersonalCode, f"{stem}{digit}")]
    assert accepted == ([right] if right < 10 else [])


def _accepts(field: Any, value: str) -> bool:  # any field
    try:
        check(field, value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("number", ["99990000018", "99990000022", "99990000037", "99990000041", "99990000060"])
def test_fictional_enterprise_numbers_are_accepted(number: str) -> None:
    assert check(fields.EnterpriseNumber, number) == number


@pytest.mark.parametrize(
    ("number", "fault"),
    [("99990000019", "enterprise_number_check_digit"), ("9999000001", "enterprise_number"), ("9999000001x", "enterprise_number")],
)
def test_wrong_enterprise_number_is_refused(number: str, fault: str) -> None:
    assert fault_of(fields.EnterpriseNumber, number) == fault


def test_school_number_is_ten_digits_and_nothing_else() -> None:
    assert check(fields.SchoolNumber, "0099900011") == "0099900011"
    for wrong in ("99990000018", "009990001", "009990001a"):
        assert fault_of(fields.SchoolNumber, wrong) == "school_number"


@pytest.mark.parametrize("typed", ["LV-1010", "lv-1010", "LV 1010", "LV1010", "LV–1010"])  # noqa: RUF001
def test_postal_code_comes_into_one_shape(typed: str) -> None:
    assert check(fields.PostalCode, typed) == "LV-1010"


@pytest.mark.parametrize("typed", ["1010", "LV-101", "EE-1010", "LV-10100"])
def test_foreign_or_short_postal_code_is_refused(typed: str) -> None:
    assert fault_of(fields.PostalCode, typed) == "postal_code"


def test_code_of_the_address_register_is_nine_digits() -> None:
    assert check(fields.VarisCode, "101234567") == "101234567"
    for wrong in ("001234567", "10123456", "1012345678"):
        assert fault_of(fields.VarisCode, wrong) == "varis_code"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("20000099", "+37120000099"),
        ("+371 2000-0099", "+37120000099"),
        ("00371 67 000 099", "+37167000099"),
        ("+44 (20) 7946 0000", "+442079460000"),
    ],
)
def test_phone_number_comes_into_one_shape(typed: str, kept: str) -> None:
    assert check(fields.Phone, typed) == kept


@pytest.mark.parametrize("typed", ["1234567", "+3712000", "12000099", "call me", "2000009a"])
def test_what_is_no_phone_number_is_refused(typed: str) -> None:
    assert fault_of(fields.Phone, typed) == "phone"


def test_email_is_judged_by_its_shape() -> None:
    assert check(fields.Email, " andris@example.lv ") == "andris@example.lv"
    for wrong in ("andris", "andris@example", "a b@example.lv", "a@b@example.lv", f"{'a' * 250}@example.lv", "a@example..lv"):
        assert fault_of(fields.Email, wrong) == "email"


def test_names_typed_in_two_ways_are_one_name() -> None:
    assert check(fields.Name, "  Ance   Be\u0304rzin\u0327a ") == "Ance Bērziņa"


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("   ", "empty"),
        ("A" * 101, "too_long"),
        ("Ance\u200b", "invisible"),
        ("Ance\x1b[2J", "invisible"),
        ("A\u202eb", "invisible"),
    ],
)
def test_empty_endless_and_invisible_names_are_refused(typed: str, fault: str) -> None:
    assert fault_of(fields.Name, typed) == fault


def test_text_keeps_its_lines_and_nothing_invisible() -> None:
    assert check(fields.FullText, "Ieteikums\r\n  par   asistentu\n") == "Ieteikums\npar asistentu"
    assert fault_of(fields.FullText, "par\x00asistentu") == "invisible"
    assert fault_of(fields.FullText, "\n \n") == "empty"
    assert fault_of(fields.FullText, "a " * 20_001) == "too_long"


def test_place_and_number_have_limits_of_their_own() -> None:
    assert check(fields.PlaceText, "Izdomu iela 7") == "Izdomu iela 7"
    assert fault_of(fields.PlaceText, "I" * 301) == "too_long"
    assert check(fields.DocumentNumber, "1-2/34") == "1-2/34"
    assert fault_of(fields.DocumentNumber, "1" * 61) == "too_long"


def test_day_of_an_act_lies_between_the_first_rules_and_today() -> None:
    today = date(2026, 11, 24)
    assert check(fields.ActDay, today, today) == today
    assert fault_of(fields.ActDay, date(2026, 11, 25), today) == "day_in_future"
    assert fault_of(fields.ActDay, date(2002, 8, 17), today) == "day_before_rules"
    assert fault_of(fields.PastDay, date(2026, 11, 25), today) == "day_in_future"
    assert fault_of(fields.PastDay, date(1018, 2, 3), today) == "day_range"
    assert check(fields.Day, date(2030, 1, 1)) == date(2030, 1, 1)
