"""What a single field of a form may hold: checked and brought into one shape, once for every participant.

Decides about one value alone; what two fields mean together is left to the forms. No message repeats the value: these are
personal data, and messages end up in terminals and logs.
Source: Latvian conventions for personal codes (PMLP), register numbers, addresses; see each function.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Annotated, Final, LiteralString

from pydantic import AfterValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from services.policy.rules import RULES

__all__ = [
    "ActDay",
    "ComparedCode",
    "Day",
    "DocumentNumber",
    "Email",
    "EnterpriseNumber",
    "FullText",
    "Name",
    "PastDay",
    "PersonalCode",
    "Phone",
    "PlaceText",
    "PostalCode",
    "SchoolNumber",
    "VarisCode",
    "fault",
    "format_personal_code",
    "read_personal_code",
]

_CODE_WEIGHTS: Final = (1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ENTERPRISE_WEIGHTS: Final = (9, 1, 4, 8, 3, 10, 2, 5, 7, 6)
_CENTURIES: Final = {"0": 1800, "1": 1900, "2": 2000}
# What word processors and phones type for a hyphen: hyphen-minus, hyphen, non-breaking hyphen, en dash.
_HYPHENS: Final = "\\-\u2010\u2011\u2013"

_PERSONAL_CODE: Final = re.compile(rf"([0-9]{{6}})[{_HYPHENS}]?([0-9]{{5}})")
_POSTAL_CODE: Final = re.compile(rf"LV[{_HYPHENS}]?([0-9]{{4}})")
_VARIS_CODE: Final = re.compile(r"[1-9][0-9]{8}")
_SCHOOL_NUMBER: Final = re.compile(r"[0-9]{10}")
_ENTERPRISE_NUMBER: Final = re.compile(r"[0-9]{11}")
_LATVIAN_PHONE: Final = re.compile(r"(?:(?:\+|00)371)?([2-9][0-9]{7})")
_FOREIGN_PHONE: Final = re.compile(r"(?:\+|00)(?!371)([1-9][0-9]{7,14})")
_EMAIL: Final = re.compile(r"[^@\s<>()\",;:]+@[^@\s<>()\",;:.]+(?:\.[^@\s<>()\",;:.]+)+")

_NAME_LIMIT: Final = 100
_PLACE_LIMIT: Final = 300
_NUMBER_LIMIT: Final = 60
_EMAIL_LIMIT: Final = 254
_TEXT_LIMIT: Final = 20_000
_FIRST_DAY: Final = date(1900, 1, 1)


def fault(name: LiteralString, sentence: str) -> PydanticCustomError:
    """Return the error that a check raises: ``sentence`` is ``what is wrong; what would be right``, without the value."""
    return PydanticCustomError(name, "{sentence}", {"sentence": sentence})


def _without_spaces(text: str) -> str:
    return "".join(text.split())


def read_personal_code(text: str, *, check_digit: bool = True) -> str:
    """Return the eleven digits of a personal code of either format; without ``check_digit`` that one check is overruled.

    New format (since 01.07.2017): the first two digits are 32 to 39; no date, no check digit. Old format: DDMMYY, a century
    digit 0 to 2, three digits, a check digit. Old codes with a later date are not refused: corrections happen, and no code
    is ever used to tell an age.
    Raises: errors of the types ``personal_code_shape``, ``personal_code_date`` and ``personal_code_check_digit``; the last
    one alone rests on no published rule, so whoever lets people overrule a check overrules that one only.
    """
    match = _PERSONAL_CODE.fullmatch(_without_spaces(text))
    if match is None:
        raise fault("personal_code_shape", "is not a personal code; write eleven digits, DDMMYY-XXXXX")
    code = match[1] + match[2]
    if "32" <= code[:2] <= "39":
        return code
    _check_old_date(code)
    # A remainder of 10 is no digit, so such a code never passes; some libraries read it as 0 and let errors through.
    if check_digit and (1101 - _weighted(code, _CODE_WEIGHTS)) % 11 != int(code[10]):
        raise fault("personal_code_check_digit", "has a wrong check digit; compare each digit with the identity document")
    return code


def _personal_code(text: str) -> str:
    return read_personal_code(text)


def _compared_code(text: str, info: ValidationInfo) -> str:
    try:
        return read_personal_code(text)
    except PydanticCustomError as error:
        # No published rule says that the check digit has to fit (domain.md C2): whoever compared it with the document and says
        # so overrules this one check, and the note is kept with the application.
        if error.type == "personal_code_check_digit" and info.data.get("check_digit_override"):
            return read_personal_code(text, check_digit=False)
        raise


def _check_old_date(code: str) -> None:
    century = _CENTURIES.get(code[6])
    try:
        if century is not None and date(century + int(code[4:6]), int(code[2:4]), int(code[:2])):
            return
    except ValueError:
        pass
    raise fault(
        "personal_code_date",
        "does not begin with a date of birth and is no code of the new format; "
        "write DDMMYY-XXXXX, or a new code that begins with 32 to 39",
    )


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False))


def _postal_code(text: str) -> str:
    match = _POSTAL_CODE.fullmatch(_without_spaces(text).upper())
    if match is None:
        raise fault("postal_code", "is not a Latvian postal code; write LV- and four digits, as in LV-1099")
    return f"LV-{match[1]}"


def _varis_code(text: str) -> str:
    # The algorithm of the check digit is not published: the shape is all that can be checked.
    if _VARIS_CODE.fullmatch(text) is None:
        raise fault("varis_code", "is not a code of the State Address Register; write its nine digits, or leave it out")
    return text


def _school_number(text: str) -> str:
    if _SCHOOL_NUMBER.fullmatch(text) is None:
        raise fault("school_number", "is not a school's number; write the ten digits of the Register of Educational Institutions")
    return text


def _enterprise_number(text: str) -> str:
    """Return an eleven-digit number of the Enterprise Register or of the list of public bodies; its check digit fits."""
    if _ENTERPRISE_NUMBER.fullmatch(text) is None:
        raise fault("enterprise_number", "is not a registration number; write the eleven digits of the Enterprise Register")
    if (3 - _weighted(text, _ENTERPRISE_WEIGHTS)) % 11 != int(text[10]):
        raise fault("enterprise_number_check_digit", "has a wrong check digit; compare each digit with the Enterprise Register")
    return text


def _phone(text: str) -> str:
    """Return a phone number as ``+`` and digits (E.164); eight digits alone are Latvian."""
    digits = re.sub(rf"[\s(){_HYPHENS}]", "", text)
    if match := _LATVIAN_PHONE.fullmatch(digits):
        return f"+371{match[1]}"
    if match := _FOREIGN_PHONE.fullmatch(digits):
        return f"+{match[1]}"
    raise fault("phone", "is not a phone number; write eight digits, or + with the country code")


def _email(text: str) -> str:
    address = unicodedata.normalize("NFC", text.strip())
    if len(address) > _EMAIL_LIMIT or _EMAIL.fullmatch(address) is None:
        raise fault("email", "is not an e-mail address; write it as name@example.lv")
    return address


def _line(text: str, limit: int) -> str:
    """Return one line in NFC with single spaces, so that a name typed in two ways is one name."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    if not line:
        raise fault("empty", "is empty; write it, or leave the field out if the form allows that")
    if len(line) > limit:
        raise fault("too_long", f"is too long; write at most {limit} characters")
    # Control and invisible characters: two names that look alike must not differ, and a terminal must not obey one.
    if any(unicodedata.category(character)[0] == "C" for character in line):
        raise fault("invisible", "holds an invisible or control character; type it anew")
    return line


def _name(text: str) -> str:
    return _line(text, _NAME_LIMIT)


def _place_text(text: str) -> str:
    return _line(text, _PLACE_LIMIT)


def _document_number(text: str) -> str:
    return _line(text, _NUMBER_LIMIT)


def _full_text(text: str) -> str:
    lines = (" ".join(line.split()) for line in unicodedata.normalize("NFC", text).splitlines())
    whole = "\n".join(lines).strip()
    # The line breaks are the only control characters that a letter needs; everything else is judged as in a line.
    _line(whole, _TEXT_LIMIT)
    return whole


def _day(day: date) -> date:
    if day < _FIRST_DAY:
        raise fault("day_range", "lies before 1900; write YYYY-MM-DD with the right year")
    return day


def _past_day(day: date, info: ValidationInfo) -> date:
    """Return a day that is not in the future; ``context["today"]`` is the day in Europe/Riga, no clock is read here."""
    today = (info.context or {}).get("today")
    if today is not None and day > today:
        raise fault("day_in_future", f"lies in the future, today is {today}; write the day on which it happened")
    return _day(day)


def _act_day(day: date, info: ValidationInfo) -> date:
    if day < RULES[0].valid_from:
        raise fault("day_before_rules", f"lies before {RULES[0].valid_from}, when the service began; write the right year")
    return _past_day(day, info)


def format_personal_code(code: str) -> str:
    """Return eleven digits as people write them, ``DDMMYY-XXXXX``."""
    return f"{code[:6]}-{code[6:]}"


PersonalCode = Annotated[str, AfterValidator(_personal_code)]
"""Eleven digits of either format."""

ComparedCode = Annotated[str, AfterValidator(_compared_code)]
"""As ``PersonalCode``; a field ``check_digit_override`` before it, filled in, overrules the check digit and nothing else."""

PostalCode = Annotated[str, AfterValidator(_postal_code)]
"""``LV-`` and four digits."""

VarisCode = Annotated[str, AfterValidator(_varis_code)]
"""Nine digits of the State Address Register."""

SchoolNumber = Annotated[str, AfterValidator(_school_number)]
"""Ten digits of the Register of Educational Institutions."""

EnterpriseNumber = Annotated[str, AfterValidator(_enterprise_number)]
"""Eleven digits with a check digit; an institution's e-address is built from it."""

Phone = Annotated[str, AfterValidator(_phone)]
"""``+`` and digits."""

Email = Annotated[str, AfterValidator(_email)]
"""An e-mail address by its shape; whether it exists only a letter tells."""

Name = Annotated[str, AfterValidator(_name)]
"""A person's name or part of it: one line in NFC, 1 to 100 characters."""

PlaceText = Annotated[str, AfterValidator(_place_text)]
"""An address as it is declared, without the postal code: one line in NFC, 1 to 300 characters."""

DocumentNumber = Annotated[str, AfterValidator(_document_number)]
"""The number of a document or register: one line in NFC, 1 to 60 characters."""

FullText = Annotated[str, AfterValidator(_full_text)]
"""The text of a document: lines in NFC, 1 to 20,000 characters."""

ActDay = Annotated[date, AfterValidator(_act_day)]
"""The day of an act in the procedure: not before the first rules, not after ``context["today"]``."""

Day = Annotated[date, AfterValidator(_day)]
"""A calendar day, 1900 to 9999."""

PastDay = Annotated[date, AfterValidator(_past_day)]
"""A day that is not after ``context["today"]``."""
