"""Terms: how long who has for what, and when a letter counts as notified; dated, and the same under every rule set.

Decides which term holds on a day; how it is counted is for ``calendar``. A term is the one of the day on which it begins: a
change of the law does not reach into what runs already.
Source: each entry of ``terms.toml`` names its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from functools import cache
from typing import ClassVar, Final

from pydantic import ConfigDict, TypeAdapter

from services.policy.calendar import Term
from services.policy.data import STRICT, DataError, Text, parse_data, read_text

__all__ = ["TermName", "TermSince", "Terms", "Way", "deemed_notified", "last_day", "parse_terms", "term_on", "terms", "warned_on"]

_FILE: Final = "terms.toml"


class TermName(Enum):
    """What a term is for."""

    COMMISSION_REPLY = "commission_reply"
    COMPLETION = "completion"
    SCHOOL_DECISION = "school_decision"
    CONTEST = "contest"
    ATTENDANCE = "attendance"
    RECOMMENDATION_EXPIRY_WARNING = "recommendation_expiry_warning"
    SUBMISSION_REPLY = "submission_reply"
    SUBMISSION_REPLY_COMPLEX = "submission_reply_complex"
    SUBMISSION_FORWARDING = "submission_forwarding"
    NOTIFIED_REGISTERED = "notified_registered"
    NOTIFIED_ORDINARY = "notified_ordinary"
    NOTIFIED_E_ADDRESS = "notified_e_address"
    NOTIFIED_IN_PERSON = "notified_in_person"


class Way(Enum):
    """By which way a letter goes; the values are those of the wire's ``Delivery``."""

    REGISTERED = "Registered"
    ORDINARY = "Ordinary"
    E_ADDRESS = "EAddress"
    IN_PERSON = "InPerson"


@dataclass(frozen=True, slots=True, kw_only=True)
class TermSince:
    """A term that begins on ``since`` or later, until the next entry of its name."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    since: date
    term: Term
    source: Text


Terms = dict[TermName, tuple[TermSince, ...]]

_NOTIFIED: Final = {
    Way.REGISTERED: TermName.NOTIFIED_REGISTERED,
    Way.ORDINARY: TermName.NOTIFIED_ORDINARY,
    Way.E_ADDRESS: TermName.NOTIFIED_E_ADDRESS,
    Way.IN_PERSON: TermName.NOTIFIED_IN_PERSON,
}


@cache
def terms() -> Terms:
    """Return every term, in order of time."""
    return parse_terms(_FILE, read_text(_FILE))


def parse_terms(name: str, text: str) -> Terms:
    """Return the terms that TOML ``text`` holds.

    Raises: DataError, also if a term is missing altogether or its entries are not in order of time.
    """
    found = parse_data(name, text, TypeAdapter(Terms))
    faults = [f"{each.value}: is missing; write when it begins and how long it is" for each in TermName if not found.get(each)]
    for each, entries in found.items():
        days = [entry.since for entry in entries]
        if days != sorted(set(days)):
            faults.append(f"{each.value}: is not in order of time; write the earliest first, one entry a day")
    if faults:
        raise DataError(name, faults)
    return found


def term_on(name: TermName, day: date) -> Term:
    """Return the term that holds if it begins on ``day``.

    Raises: LookupError for a day before the first entry.
    """
    for entry in reversed(terms()[name]):
        if entry.since <= day:
            return entry.term
    raise LookupError(f"no term of {name.value} began on {day.isoformat()}: the first entry is later")


def last_day(name: TermName, begun_on: date) -> date:
    """Return the last day of a term; on a day that is not worked it goes on to the next working day.

    Raises: LookupError as ``term_on``.
    """
    return term_on(name, begun_on).last_day_after(begun_on)


def deemed_notified(way: Way, sent_on: date) -> date:
    """Return the day on which the law takes an addressee to know, be it worked or not.

    Raises: LookupError as ``term_on``.
    """
    return term_on(_NOTIFIED[way], sent_on).day_after(sent_on)


def warned_on(valid_until: date) -> date:
    """Return the day from which people are told that a recommendation ends on ``valid_until``.

    Raises: LookupError as ``term_on``.
    """
    return valid_until - timedelta(days=term_on(TermName.RECOMMENDATION_EXPIRY_WARNING, valid_until).count)
