"""Policy models: what the working group of 2016 thought of for the municipal service, as data, and what each says of somebody.

A proposal and never the law: a replay asks what a model would have said, and changes nothing. Decides by three values, as
``eligibility`` does: what nobody knows stays unknown, and so does what the minutes leave open, for nothing is invented here. Most
of what the models ask for is no school's to know; where nobody adds it, the answer is that it is not known.
Source: minutes of 18.10.2016 (domain.md B.1 to B.4); each value in ``models/*.toml`` says where it is from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from enum import Enum
from typing import Annotated, Any, ClassVar, Final

from pydantic import ConfigDict, Field, TypeAdapter

from services.policy.data import STRICT, Text, data_names, parse_data, read_text
from services.policy.eligibility import Citation, Outcome
from services.policy.kleene import Truth, all_of, any_of, negated
from services.policy.rules import Cited, Group

__all__ = [
    "MODELS",
    "Check",
    "Financing",
    "Impairment",
    "Model",
    "ModelFacts",
    "ModelVerdict",
    "Work",
    "ask_model",
    "model_named",
    "policy_bytes",
]

_Count = Annotated[int, Field(ge=1)]
_ADULT_AGE: Final = 18


class Impairment(Enum):
    """What kind of impairment somebody has, as the minutes name them."""

    VISUAL = "Visual"
    MOBILITY = "Mobility"
    MENTAL = "Mental"


class Work(Enum):
    """How somebody of age stands to work; the models name these."""

    WORKING = "WorkingOfWorkingAge"
    UNEMPLOYED = "Unemployed"
    SEEKS_WORK = "SeeksWorkOfWorkingAge"
    CONTINUES = "ContinuesAfterPensionAge"
    OTHER = "Other"


class Assessor(Enum):
    """Who assesses the need."""

    MINISTRY_AGENCY = "MinistryAgency"
    SOCIAL_SERVICE = "SocialService"


class Financing(Enum):
    """Who pays."""

    STATE = "State"
    STATE_GRANT = "StateGrant"
    STATE_GRANT_AND_MUNICIPALITY = "StateGrantAndMunicipality"
    UNSPECIFIED = "Unspecified"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What is known of somebody and of the service on the day in question; None is what nobody knows.

    ``age`` in full years; ``hours_per_week`` agreed; ``accompanying``: the assistant only brings somebody to a place;
    ``training_hours`` of the assistant. The names of these fields are those of what is missing, and of what may be added.
    """

    age: int | None = None
    child_with_disability: bool | None = None
    special_care: bool | None = None
    disability: bool | None = None
    group: Group | None = None
    impairment: Impairment | None = None
    work: Work | None = None
    needy: bool | None = None
    assessed_with_instrument: bool | None = None
    accompanying: bool | None = None
    at_home: bool | None = None
    hours_per_week: int | None = None
    relative: bool | None = None
    co_resident: bool | None = None
    social_service_agrees: bool | None = None
    training_hours: int | None = None
    family_trained: bool | None = None
    employed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Impairments:
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    I: tuple[Impairment, ...]  # noqa: E741  # the group's own name
    II: tuple[Impairment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parameters:
    """What a model says; None is what the minutes leave open."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    assessor: Cited[Assessor]
    least_age: Cited[_Count] | None = None
    special_care_required: Cited[bool] | None = None
    impairments: Cited[_Impairments] | None = None
    work: Cited[tuple[Work, ...]] | None = None
    needy_only: Cited[bool]
    instrument_required: Cited[bool] | None = None
    at_home: Cited[bool] | None = None
    hours_per_week: Cited[_Count] | None = None
    accompanying_hours_per_week: Cited[_Count] | None = None
    professional_training_hours: Cited[_Count] | None = None
    professional_employed: Cited[bool] | None = None
    family_trained: Cited[bool] | None = None
    co_resident_opinion: Cited[bool] | None = None
    financing: Cited[Financing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model: ``number`` is never used again, ``name`` for people, ``version`` counts corrections of the file."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: Text
    number: _Count
    version: _Count
    title: Text
    source: Text
    parameters: _Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something a model asks of the service or of who provides it: whether it holds, what is missing if nobody knows."""

    name: str
    holds: Truth
    missing: tuple[str, ...]
    citation: Citation


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVerdict:
    """What a model says of somebody.

    ``missing`` names facts, or (with ``the model: `` before it) what the minutes leave open; ``against`` what stands against it.
    ``hours_per_week`` is the cap that holds for the kind of support, None where nobody knows it. ``checks`` are of the service
    and its provider and decide nothing about eligibility.
    """

    model: str
    version: int
    outcome: Outcome
    against: tuple[Citation, ...]
    missing: tuple[str, ...]
    hours_per_week: int | None
    checks: tuple[Check, ...]
    financing: Financing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    holds: Truth
    missing: str
    citation: Citation


def ask_model(model: Model, facts: ModelFacts) -> ModelVerdict:
    """Return what a model says of somebody of whom ``facts`` are known.

    A child and somebody of age are asked different things; of whose age nobody knows, both are asked. Adding a fact never turns
    eligible into ineligible or back, but for the age; it can only settle what was undetermined.
    """
    everybody = list(_of_everybody(model, facts))
    child, adult = list(_of_child(model, facts)), list(_of_adult(model, facts))
    is_adult: Truth = None if facts.age is None else facts.age >= _ADULT_AGE
    ways = [(negated(is_adult), [*everybody, *child]), (is_adult, [*everybody, *adult])]
    truths = [all_of((may, *(each.holds for each in asked))) for may, asked in ways]
    open_ways = [asked for (may, asked), truth in zip(ways, truths, strict=True) if may is not False and truth is not False]
    closed_ways = [asked for (may, asked), truth in zip(ways, truths, strict=True) if may is not False and truth is False]
    outcome = _outcome(any_of(truths))
    unknown = () if outcome is not Outcome.UNDETERMINED else _unknown(facts, open_ways)
    broken = closed_ways if outcome is Outcome.INELIGIBLE else []
    return ModelVerdict(
        model=model.name,
        version=model.version,
        outcome=outcome,
        against=tuple(dict.fromkeys(each.citation for asked in broken for each in asked if each.holds is False)),
        missing=unknown,
        hours_per_week=_hours(model, facts),
        checks=tuple(_checks(model, facts)),
        financing=model.parameters.financing.value,
    )


def _outcome(truth: Truth) -> Outcome:
    if truth is None:
        return Outcome.UNDETERMINED
    return Outcome.ELIGIBLE if truth else Outcome.INELIGIBLE


def _unknown(facts: ModelFacts, open_ways: Iterable[Iterable[_Condition]]) -> tuple[str, ...]:
    names = ["age"] if facts.age is None else []
    return tuple(dict.fromkeys([*names, *(each.missing for asked in open_ways for each in asked if each.holds is None)]))


def _of_everybody(model: Model, facts: ModelFacts) -> Iterator[_Condition]:
    parameters = model.parameters
    if parameters.at_home is not None and not parameters.at_home.value:
        yield _Condition(holds=negated(facts.at_home), missing="at_home", citation=_cited(parameters.at_home))
    if parameters.instrument_required is not None:
        holds = facts.assessed_with_instrument
        yield _Condition(holds=holds, missing="assessed_with_instrument", citation=_cited(parameters.instrument_required))


def _of_child(model: Model, facts: ModelFacts) -> Iterator[_Condition]:
    parameters = model.parameters
    age = parameters.least_age
    at_least: Truth = None if age is None or facts.age is None else facts.age >= age.value
    where = _cited(age) if age is not None else Citation(rule="children", source=model.source)
    yield _Condition(holds=facts.child_with_disability, missing="child_with_disability", citation=where)
    yield _Condition(holds=at_least, missing="age" if age is not None else _open("least age"), citation=where)
    care = parameters.special_care_required
    if care is None:
        # Whoever needs special care would be let in by either reading of what the minutes leave open.
        holds: Truth = True if facts.special_care else None
        yield _Condition(holds=holds, missing=_open("special care"), citation=where)
    else:
        yield _Condition(holds=facts.special_care, missing="special_care", citation=_cited(care))
    if parameters.needy_only.value:
        # Children stand beside the needy persons in the minutes, not among them: whether a means test is theirs is not said.
        needy: Truth = True if facts.needy else None
        yield _Condition(holds=needy, missing=_open("means test of children"), citation=_cited(parameters.needy_only))


def _of_adult(model: Model, facts: ModelFacts) -> Iterator[_Condition]:
    parameters = model.parameters
    if parameters.impairments is not None:
        where = _cited(parameters.impairments)
        in_group: Truth = None if facts.group is None else facts.group in (Group.ONE, Group.TWO)
        yield _Condition(holds=in_group, missing="group", citation=where)
        yield _Condition(holds=_has_impairment(parameters.impairments.value, facts), missing="impairment", citation=where)
    else:
        where = Citation(rule="people with disability", source=model.source)
        yield _Condition(holds=facts.disability, missing="disability", citation=where)
    if parameters.work is not None:
        works: Truth = None if facts.work is None else facts.work in parameters.work.value
        yield _Condition(holds=works, missing="work", citation=_cited(parameters.work))
    if parameters.needy_only.value:
        yield _Condition(holds=facts.needy, missing="needy", citation=_cited(parameters.needy_only))


def _has_impairment(named: _Impairments, facts: ModelFacts) -> Truth:
    if facts.impairment is None or facts.group is None:
        return None
    groups = {Group.ONE: named.I, Group.TWO: named.II}
    return facts.impairment in groups.get(facts.group, ())


def _hours(model: Model, facts: ModelFacts) -> int | None:
    parameters = model.parameters
    if parameters.hours_per_week is None:
        return None
    if parameters.accompanying_hours_per_week is None:
        return parameters.hours_per_week.value
    if facts.accompanying is None:
        return None
    return (parameters.accompanying_hours_per_week if facts.accompanying else parameters.hours_per_week).value


def _checks(model: Model, facts: ModelFacts) -> Iterator[Check]:
    parameters = model.parameters
    cap = _hours(model, facts)
    if parameters.hours_per_week is not None:
        within: Truth = None if cap is None or facts.hours_per_week is None else facts.hours_per_week <= cap
        yield _check("hours a week", within, facts, ("hours_per_week", "accompanying"), parameters.hours_per_week)
    # What is asked of a relative is not asked of a professional, and of whoever may be either both are.
    hours, least = facts.training_hours, parameters.professional_training_hours
    if least is not None:
        trained: Truth = None if hours is None else hours >= least.value
        yield _check(
            "training of a professional", any_of((facts.relative, trained)), facts, ("relative", "training_hours"), least
        )
    if parameters.professional_employed is not None:
        truth = any_of((facts.relative, facts.employed))
        yield _check("employment of a professional", truth, facts, ("relative", "employed"), parameters.professional_employed)
    if parameters.family_trained is not None and parameters.family_trained.value:
        truth = any_of((negated(facts.relative), facts.family_trained))
        yield _check("training of a relative", truth, facts, ("relative", "family_trained"), parameters.family_trained)
    if parameters.co_resident_opinion is not None:
        truth = any_of((negated(facts.relative), negated(facts.co_resident), facts.social_service_agrees))
        names = ("relative", "co_resident", "social_service_agrees")
        yield _check("a relative who lives there", truth, facts, names, parameters.co_resident_opinion)


def _check(name: str, holds: Truth, facts: ModelFacts, asks: tuple[str, ...], parameter: Cited[Any]) -> Check:
    missing = tuple(each for each in asks if holds is None and getattr(facts, each) is None)
    return Check(name=name, holds=holds, missing=missing, citation=_cited(parameter))


def _cited(parameter: Cited[Any]) -> Citation:
    return Citation(rule=parameter.rule, source=parameter.source)


def _open(what: str) -> str:
    return f"the model: {what}"


_FORM: Final = TypeAdapter(Model)

MODELS: Final = tuple(
    sorted((parse_data(name, read_text(name), _FORM) for name in data_names("models")), key=lambda model: model.number)
)
"""Every model, in the order of its number."""

FACTS: Final = tuple(each.name for each in fields(ModelFacts))
"""The names of what may be known."""


def model_named(name: str) -> Model:
    """Return a model by its name. Raises: LookupError with the names there are."""
    for model in MODELS:
        if model.name == name:
            return model
    raise LookupError(f"there is no model {name}; there are {', '.join(model.name for model in MODELS)}")


def policy_bytes(model: Model) -> bytes:
    """Return the bytes of the file in which a model stands: their digest names what a replay was made under."""
    return read_text(f"models/{model.name}.toml").encode()
