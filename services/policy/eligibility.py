"""Whether a rule set lets somebody have the service: one pure function of what is known.

Decides by three values: what is not known makes the answer undetermined, unless another rule decides without it; it is never
taken for a no. Whoever asks says which day it is about, and which facts are known on it; how they are known, and what becomes of
the answer, is for the domains. Whether somebody is eligible is no decision to grant.
Source: the guidance of August 2012, section 1; for other rule sets what their parameters name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from services.policy.calendar import birthday, full_years
from services.policy.kleene import Truth, all_of, negated
from services.policy.rules import Basis, Cited, Group, InstitutionKind, Rules

__all__ = ["Citation", "Enrolment", "Facts", "Outcome", "Reason", "ReasonCode", "Verdict", "evaluate"]


class Outcome(Enum):
    """What the rules say of somebody."""

    ELIGIBLE = "Eligible"
    INELIGIBLE = "Ineligible"
    UNDETERMINED = "Undetermined"


class Enrolment(Enum):
    """Whether somebody learns at the school that asks."""

    YES = "Yes"
    NO = "No"
    ELSEWHERE = "Elsewhere"


class ReasonCode(Enum):
    """Why somebody is not eligible, or what has to be known first; the values stand in events."""

    TOO_YOUNG = "TooYoung"
    NOT_A_DISABLED_CHILD = "NotADisabledChild"
    GROUP_NOT_I_OR_II = "GroupNotIOrII"
    BENEFIT_NOT_AWARDED = "BenefitNotAwarded"
    OPINION_MISSING = "OpinionMissing"
    NOT_ENROLLED = "NotEnrolled"
    ENROLLED_ELSEWHERE = "EnrolledElsewhere"
    KIND_NOT_COVERED = "KindNotCovered"
    STATE_FUNDED_SPECIAL_INSTITUTION = "StateFundedSpecialInstitution"
    MISSING_BIRTH_DATE = "MissingBirthDate"
    MISSING_DISABILITY = "MissingDisability"
    MISSING_GROUP = "MissingGroup"
    MISSING_BENEFIT = "MissingBenefit"
    MISSING_OPINION = "MissingOpinion"
    MISSING_ENROLMENT = "MissingEnrolment"
    MISSING_INSTITUTION = "MissingInstitution"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of somebody on the day in question; None is what nobody knows.

    ``born_on``, or ``age`` in full years where only that is known. ``special`` and ``state_maintained`` are about the school;
    ``technical_staff_financed`` is kept for whoever reads the guidance otherwise, and decides nothing (A1.6).
    Raises: ValueError if both ``born_on`` and ``age`` are given: they could contradict each other.
    """

    born_on: date | None = None
    age: int | None = None
    child_with_disability: bool | None = None
    group: Group | None = None
    benefit_awarded: bool | None = None
    opinion_valid: bool | None = None
    enrolment: Enrolment | None = None
    institution_kind: InstitutionKind | None = None
    special: bool | None = None
    state_maintained: bool | None = None
    technical_staff_financed: bool | None = None

    def __post_init__(self) -> None:
        if self.born_on is not None and self.age is not None:
            raise ValueError("a birth date or an age, not both")

    def age_on(self, day: date) -> int | None:
        """Return the age in full years on a day, None if nobody knows it."""
        return self.age if self.born_on is None else full_years(self.born_on, day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A rule by its short name, and where it is written."""

    rule: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What stands against somebody, or what is not known, and the rule that asks for it."""

    code: ReasonCode
    citation: Citation


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule set says of somebody on ``as_of``.

    ``reasons``: what stands against eligibility; if nothing does, what has to be known first; none for who is eligible.
    ``missing``: what the rules ask for and nobody knows, also where something else decided. ``met``: the rules fulfilled.
    ``eligible_on``: where somebody is too young and nothing else stands against it, the day on which the age is reached.
    """

    rule_set: int
    as_of: date
    outcome: Outcome
    reasons: tuple[Reason, ...]
    missing: tuple[ReasonCode, ...]
    met: tuple[Citation, ...]
    age: int | None
    eligible_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    """One condition: whether it holds, what is said if not, and what if nobody knows."""

    holds: Truth
    parameter: Cited[Any]
    broken: ReasonCode
    missing: ReasonCode

    @property
    def citation(self) -> Citation:
        return Citation(rule=self.parameter.rule, source=self.parameter.source)


def evaluate(rules: Rules, facts: Facts, as_of: date) -> Verdict:
    """Return what ``rules`` say of somebody of whom ``facts`` are known, on the day ``as_of`` in Europe/Riga.

    Every condition has to hold. Adding a fact never turns eligible into ineligible or back; it can only settle what was
    undetermined.
    """
    conditions = [*_person(rules, facts, as_of), _basis(rules, facts), *_school(rules, facts)]
    broken = [Reason(code=each.broken, citation=each.citation) for each in conditions if each.holds is False]
    unknown = [Reason(code=each.missing, citation=each.citation) for each in conditions if each.holds is None]
    return Verdict(
        rule_set=rules.number,
        as_of=as_of,
        outcome=_outcome(all_of(each.holds for each in conditions)),
        reasons=tuple(broken or unknown),
        missing=tuple(dict.fromkeys(each.code for each in unknown)),
        met=tuple(dict.fromkeys(each.citation for each in conditions if each.holds)),
        age=facts.age_on(as_of),
        eligible_on=_eligible_on(rules, facts, broken),
    )


def _outcome(truth: Truth) -> Outcome:
    if truth is None:
        return Outcome.UNDETERMINED
    return Outcome.ELIGIBLE if truth else Outcome.INELIGIBLE


def _person(rules: Rules, facts: Facts, as_of: date) -> Iterator[_Condition]:
    """Yield what is asked of the person: a child with disability and old enough, or somebody of age with a group (A1.1, A1.2)."""
    child, adult = _child(rules, facts), _adult(rules, facts)
    age = facts.age_on(as_of)
    if age is None:
        yield from _of_unknown_age(rules, child, adult)
    elif age >= rules.adult_age:
        yield adult
    else:
        is_old_enough = age >= rules.parameters.least_age.value
        yield _of_age(rules, holds=is_old_enough)
        yield child


def _of_unknown_age(rules: Rules, child: _Condition, adult: _Condition) -> Iterator[_Condition]:
    # Who is neither a child with disability nor of a group that counts is not eligible at whatever age.
    if child.holds is False and adult.holds is False:
        yield child
        yield adult
    else:
        yield _of_age(rules, holds=None)


def _of_age(rules: Rules, *, holds: Truth) -> _Condition:
    return _Condition(
        holds=holds,
        parameter=rules.parameters.least_age,
        broken=ReasonCode.TOO_YOUNG,
        missing=ReasonCode.MISSING_BIRTH_DATE,
    )


def _child(rules: Rules, facts: Facts) -> _Condition:
    return _Condition(
        holds=facts.child_with_disability,
        parameter=rules.parameters.least_age,
        broken=ReasonCode.NOT_A_DISABLED_CHILD,
        missing=ReasonCode.MISSING_DISABILITY,
    )


def _adult(rules: Rules, facts: Facts) -> _Condition:
    groups = rules.parameters.adult_groups
    return _Condition(
        holds=None if facts.group is None else facts.group in groups.value,
        parameter=groups,
        broken=ReasonCode.GROUP_NOT_I_OR_II,
        missing=ReasonCode.MISSING_GROUP,
    )


def _basis(rules: Rules, facts: Facts) -> _Condition:
    """Return the condition of the benefit, or of the opinion instead; the one is never taken for the other (A1.4)."""
    basis = rules.parameters.basis
    if basis.value is Basis.BENEFIT:
        codes = (ReasonCode.BENEFIT_NOT_AWARDED, ReasonCode.MISSING_BENEFIT)
        return _Condition(holds=facts.benefit_awarded, parameter=basis, broken=codes[0], missing=codes[1])
    codes = (ReasonCode.OPINION_MISSING, ReasonCode.MISSING_OPINION)
    return _Condition(holds=facts.opinion_valid, parameter=basis, broken=codes[0], missing=codes[1])


def _school(rules: Rules, facts: Facts) -> Iterator[_Condition]:
    """Yield what is asked of enrolment and institution, as far as the rule set asks it (A1.5, A1.6)."""
    parameters = rules.parameters
    if parameters.enrolment_required.value:
        is_elsewhere = facts.enrolment is Enrolment.ELSEWHERE
        yield _Condition(
            holds=None if facts.enrolment is None else facts.enrolment is Enrolment.YES,
            parameter=parameters.enrolment_required,
            broken=ReasonCode.ENROLLED_ELSEWHERE if is_elsewhere else ReasonCode.NOT_ENROLLED,
            missing=ReasonCode.MISSING_ENROLMENT,
        )
    kind = facts.institution_kind
    yield _Condition(
        holds=None if kind is None else kind in parameters.institution_kinds.value,
        parameter=parameters.institution_kinds,
        broken=ReasonCode.KIND_NOT_COVERED,
        missing=ReasonCode.MISSING_INSTITUTION,
    )
    if parameters.state_funded_special_excluded.value:
        yield _Condition(
            holds=negated(all_of((facts.special, facts.state_maintained))),
            parameter=parameters.state_funded_special_excluded,
            broken=ReasonCode.STATE_FUNDED_SPECIAL_INSTITUTION,
            missing=ReasonCode.MISSING_INSTITUTION,
        )


def _eligible_on(rules: Rules, facts: Facts, broken: list[Reason]) -> date | None:
    if facts.born_on is None or [each.code for each in broken] != [ReasonCode.TOO_YOUNG]:
        return None
    return birthday(facts.born_on, rules.parameters.least_age.value)
