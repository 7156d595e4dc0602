"""Rule sets: who is eligible and to what extent, as data, each a version with its sources.

Decides which rule set holds; what follows from it for one person is for ``eligibility``, ``hours`` and ``providing``. Terms are
the same in all of them: ``terms``. This product goes by one rule set, whatever the day, unless a setting names another one; its
number stands in events, so that a replay knows by which rules somebody was judged (ADR 25).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, ClassVar, Final, Generic, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter

from services.policy.calendar import add_months, full_years
from services.policy.data import STRICT, Text, data_names, parse_data, read_text
from services.policy.terms import TermName, Way, deemed_notified, last_day

__all__ = [
    "DEFAULT",
    "RULES",
    "Basis",
    "Cited",
    "Group",
    "InstitutionKind",
    "Parameters",
    "Rules",
    "Status",
    "add_months",
    "full_years",
    "parse_rules",
    "rules_named",
    "rules_on",
]

Value = TypeVar("Value")

DEFAULT: Final = "lm-2012-08"
"""The rule set that this product goes by unless a setting names another one."""

_Count = Annotated[int, Field(ge=1)]


class Status(Enum):
    """What a rule set is today, as far as its sources tell."""

    IN_FORCE = "in force"
    SUPERSEDED = "superseded"
    TEMPORARY = "temporary"


class Group(Enum):
    """The disability group of a person of age; ``NONE`` says that there is none."""

    NONE = "None"
    ONE = "I"
    TWO = "II"
    THREE = "III"


class Basis(Enum):
    """On what the right rests: the special-care benefit, or the commission's opinion on the need of special care."""

    BENEFIT = "Benefit"
    OPINION = "Opinion"


class InstitutionKind(Enum):
    """What an educational institution teaches; ``OTHER`` is none of those that any rule set names."""

    PRESCHOOL = "Preschool"
    GENERAL = "General"
    VOCATIONAL = "Vocational"
    OTHER = "Other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited(Generic[Value]):
    """One parameter: its value, the short name of the rule it is from, and where that rule is written."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    value: Value
    rule: Text
    source: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a rule set decides; a parameter that is None is not limited or not named by it.

    Ages in full years; ``hours_per_week`` inclusive, of all agreements of a pupil together, ``hours_per_week_preschool`` instead
    of it in a pre-school institution; ``within_normal_month``: not more hours in a month than its normal working hours;
    ``cents_per_hour``: what the state pays, in euro cents. ``qualification_suffices``: an assistant may have a suitable education
    or profession instead of experience.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    least_age: Cited[_Count]
    adult_age: Cited[_Count]
    adult_groups: Cited[tuple[Group, ...]]
    basis: Cited[Basis]
    enrolment_required: Cited[bool]
    institution_kinds: Cited[tuple[InstitutionKind, ...]]
    state_funded_special_excluded: Cited[bool]
    hours_per_week: Cited[_Count]
    hours_per_week_preschool: Cited[_Count] | None = None
    within_normal_month: Cited[bool] | None = None
    cents_per_hour: Cited[_Count] | None = None
    qualification_suffices: Cited[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One rule set: ``number`` names it in events and is never used again, ``name`` for people.

    ``version`` counts corrections of the file itself; a change of the law is a new rule set. ``valid_from`` and ``valid_until``,
    both inclusive, say when it was the law; ``not_at_hand`` what of ``act`` nobody has read.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: Text
    number: _Count
    version: _Count
    title: Text
    status: Status
    valid_from: date
    valid_until: date | None = None
    act: Text
    not_at_hand: Text
    parameters: Parameters

    @property
    def adult_age(self) -> int:
        """The age in full years from which somebody acts alone."""
        return self.parameters.adult_age.value

    def commission_reply_due(self, asked_on: date) -> date:
        """Return the day by which the commission is to have answered a request of ``asked_on``."""
        return last_day(TermName.COMMISSION_REPLY, asked_on)

    def deemed_notified(self, way: Way, sent_on: date) -> date:
        """Return the day on which the law takes an addressee to know what was sent on ``sent_on``."""
        return deemed_notified(way, sent_on)


_FORM: Final = TypeAdapter(Rules)


def parse_rules(name: str, text: str) -> Rules:
    """Return the rule set that TOML ``text`` holds. Raises: DataError with the place of each fault."""
    return parse_data(name, text, _FORM)


# Read when this module is: whatever is wrong with a rule set ends the start, not the first case that it would judge.
RULES: Final = tuple(
    sorted((parse_rules(name, read_text(name)) for name in data_names("rule_sets")), key=lambda rules: rules.number)
)
"""Every rule set, in the order of its number."""


def rules_named(name: str) -> Rules:
    """Return a rule set by its name, for a replay that asks what it would have said.

    Raises: LookupError with the names there are.
    """
    for rules in RULES:
        if rules.name == name:
            return rules
    raise LookupError(f"there is no rule set {name}; there are {', '.join(rules.name for rules in RULES)}")


def rules_on(day: date, name: str = DEFAULT) -> Rules:
    """Return the rule set that a case of ``day`` is judged by: the one that the setting names, whatever followed it in law.

    Raises: LookupError for an unknown name, for a day before the rule set began, and for one after the end of a temporary one.
    """
    rules = rules_named(name)
    is_over = rules.status is Status.TEMPORARY and rules.valid_until is not None and rules.valid_until < day
    if day < rules.valid_from or is_over:
        raise LookupError(f"the rules {name} were not in force on {day.isoformat()}")
    return rules
