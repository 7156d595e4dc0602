"""The models of 18.10.2016: what each says of whom, what nobody knows stays unknown, and what the minutes leave open too."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.policy.eligibility import Outcome
from services.policy.models import FACTS, MODELS, Financing, Impairment, ModelFacts, Work, ask_model, model_named, policy_bytes
from services.policy.rules import Group

CHILD = ModelFacts(age=9, child_with_disability=True, special_care=True, at_home=False)
ADULT = ModelFacts(
    age=30, group=Group.ONE, impairment=Impairment.VISUAL, at_home=False, disability=True, work=Work.WORKING, needy=True
)
Y, N, U = Outcome.ELIGIBLE, Outcome.INELIGIBLE, Outcome.UNDETERMINED

_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "age": st.sampled_from([4, 5, 17, 18, 40]),
    "group": st.sampled_from(Group),
    "impairment": st.sampled_from(Impairment),
    "work": st.sampled_from(Work),
    "hours_per_week": st.sampled_from([20, 21, 40, 41]),
    "training_hours": st.sampled_from([7, 8]),
}
ANYBODY = st.fixed_dictionaries({name: st.none() | _VALUES.get(name, st.booleans()) for name in FACTS}).map(
    lambda each: ModelFacts(**each)
)


def outcomes(facts: ModelFacts) -> tuple[Outcome, ...]:
    return tuple(ask_model(model, facts).outcome for model in MODELS)


def test_the_models_are_those_of_the_minutes_and_each_value_says_where_it_is_from() -> None:
    assert [model.name for model in MODELS] == ["lm-2016-m1", "lm-2016-m2", "lm-2016-m3", "lm-2016-merged"]
    assert [model.number for model in MODELS] == [1, 2, 3, 4]
    for model in MODELS:
        given_values = [each for name in model.parameters.__slots__ if (each := getattr(model.parameters, name)) is not None]
        assert all(each.rule and each.source for each in given_values)
    with pytest.raises(LookupError, match="lm-2016-m1, lm-2016-m2, lm-2016-m3, lm-2016-merged"):
        model_named("lm-2016-m4")


def test_the_bytes_of_a_policy_are_those_of_its_model_and_of_no_other() -> None:
    texts = {model.name: policy_bytes(model) for model in MODELS}
    assert len(set(texts.values())) == len(MODELS)
    for name, text in texts.items():
        assert tomllib.loads(text.decode())["name"] == name


@pytest.mark.shows("B1.1")
def test_who_assesses_is_said_by_each_model() -> None:
    assert [model.parameters.assessor.value.value for model in MODELS] == [
        "MinistryAgency",
        "SocialService",
        "SocialService",
        "SocialService",
    ]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        # A child of five who needs special care: models 1 and 3 say yes; whether model 2 asks for need, and from which age the
        # merged model begins, is not said.
        (CHILD, (Y, U, Y, U)),
        (replace(CHILD, age=5), (Y, U, Y, U)),
        (replace(CHILD, age=4), (N, N, N, U)),
        (replace(CHILD, special_care=False), (N, N, N, U)),
        (replace(CHILD, child_with_disability=False), (N, N, N, N)),
        (replace(CHILD, needy=True), (Y, Y, Y, U)),
        (replace(CHILD, needy=False), (Y, U, Y, U)),
        (replace(CHILD, at_home=True), (Y, N, N, U)),
        (replace(CHILD, at_home=None), (Y, U, U, U)),
        # Somebody of age: need in model 2, work in models 1 and merged.
        (replace(ADULT, assessed_with_instrument=True), (Y, Y, Y, Y)),
        (replace(ADULT, assessed_with_instrument=False), (Y, Y, Y, N)),
        (ADULT, (Y, Y, Y, U)),
        (replace(ADULT, needy=False), (Y, N, Y, U)),
        (replace(ADULT, needy=None), (Y, U, Y, U)),
        (replace(ADULT, impairment=Impairment.MENTAL), (N, Y, Y, U)),
        (replace(ADULT, group=Group.TWO), (N, N, N, U)),
        (replace(ADULT, group=Group.TWO, impairment=Impairment.MOBILITY), (Y, Y, Y, U)),
        (replace(ADULT, group=Group.TWO, impairment=Impairment.MENTAL), (N, Y, Y, U)),
        (replace(ADULT, group=Group.THREE), (N, N, N, U)),
        (replace(ADULT, group=None), (U, U, U, U)),
        (replace(ADULT, work=Work.UNEMPLOYED), (Y, Y, Y, N)),
        (replace(ADULT, work=Work.SEEKS_WORK), (N, Y, Y, U)),
        (replace(ADULT, work=Work.CONTINUES), (Y, Y, Y, N)),
        (replace(ADULT, work=Work.OTHER), (N, Y, Y, N)),
        (replace(ADULT, work=None), (U, Y, Y, U)),
        (replace(ADULT, disability=False), (Y, Y, Y, N)),
        # The day of the eighteenth birthday.
        (replace(ADULT, age=18), (Y, Y, Y, U)),
        (replace(ADULT, age=17), (U, U, U, U)),
    ],
)
@pytest.mark.shows("B1.2", "B1.3", "B1.7", "B1.9", "B4.1")
def test_what_each_model_says(facts: ModelFacts, expected: tuple[Outcome, ...]) -> None:
    assert outcomes(facts) == expected


@pytest.mark.shows("B4.1", "B1.9")
def test_of_whom_nothing_is_known_nothing_is_said_and_what_would_have_to_be_known_is_named() -> None:
    verdicts = [ask_model(model, ModelFacts()) for model in MODELS]
    assert {each.outcome for each in verdicts} == {U}
    assert verdicts[0].missing == ("age", "child_with_disability", "special_care", "group", "impairment", "work")
    assert {"needy", "at_home", "the model: means test of children"} <= set(verdicts[1].missing)
    assert {"assessed_with_instrument", "the model: least age", "the model: special care", "disability"} <= set(
        verdicts[3].missing
    )
    assert all(each.against == () and each.hours_per_week in (None, 40) for each in verdicts)


def test_neither_a_child_nor_an_adult_is_ineligible_whatever_the_age() -> None:
    nobody = ModelFacts(child_with_disability=False, group=Group.NONE, disability=False)
    assert outcomes(nobody) == (N, N, N, N)
    rules = {each.rule for each in ask_model(MODELS[0], nobody).against}
    assert rules == {"B.1 children", "B.1 adults"}


@pytest.mark.parametrize(
    ("accompanying", "caps"), [(True, (40, 20, 20, None)), (False, (40, 40, 40, None)), (None, (40, None, None, None))]
)
@pytest.mark.shows("B1.4")
def test_hours_follow_the_kind_of_support_where_a_model_splits_it(
    *, accompanying: bool | None, caps: tuple[int | None, ...]
) -> None:
    assert tuple(ask_model(model, replace(CHILD, accompanying=accompanying)).hours_per_week for model in MODELS) == caps


@pytest.mark.parametrize(
    ("model", "facts", "check", "holds", "missing"),
    [
        ("lm-2016-m1", {"hours_per_week": 40}, "hours a week", True, ()),
        ("lm-2016-m1", {"hours_per_week": 41}, "hours a week", False, ()),
        ("lm-2016-m2", {"hours_per_week": 21, "accompanying": True}, "hours a week", False, ()),
        ("lm-2016-m2", {"hours_per_week": 21}, "hours a week", None, ("accompanying",)),
        ("lm-2016-m1", {"training_hours": 8}, "training of a professional", True, ()),
        ("lm-2016-m1", {"training_hours": 7, "relative": False}, "training of a professional", False, ()),
        ("lm-2016-m1", {"training_hours": 7}, "training of a professional", None, ("relative",)),
        ("lm-2016-m1", {"relative": True}, "training of a professional", True, ()),
        ("lm-2016-m1", {"relative": True, "family_trained": False}, "training of a relative", False, ()),
        ("lm-2016-m1", {"relative": False}, "training of a relative", True, ()),
        ("lm-2016-merged", {"relative": False, "employed": False}, "employment of a professional", False, ()),
        ("lm-2016-merged", {"relative": True}, "employment of a professional", True, ()),
        (
            "lm-2016-m3",
            {"relative": True, "co_resident": True, "social_service_agrees": False},
            "a relative who lives there",
            False,
            (),
        ),
        ("lm-2016-m3", {"relative": True, "co_resident": True}, "a relative who lives there", None, ("social_service_agrees",)),
        ("lm-2016-m3", {"relative": True, "co_resident": False}, "a relative who lives there", True, ()),
    ],
)
@pytest.mark.shows("B1.4", "B1.5", "B1.6")
def test_what_is_asked_of_the_service_and_of_who_provides_it(
    model: str, facts: dict[str, Any], check: str, *, holds: bool | None, missing: tuple[str, ...]
) -> None:
    found = next(each for each in ask_model(model_named(model), replace(CHILD, **facts)).checks if each.name == check)
    assert (found.holds, found.missing) == (holds, missing)
    # It decides nothing about who is eligible.
    assert ask_model(model_named(model), replace(CHILD, **facts)).outcome is ask_model(model_named(model), CHILD).outcome


@pytest.mark.shows("B1.5", "B1.8")
def test_what_a_model_does_not_ask_is_not_checked() -> None:
    names = [tuple(each.name for each in ask_model(model, CHILD).checks) for model in MODELS]
    assert names[1] == names[2] == ("hours a week", "a relative who lives there")
    assert names[3] == ("employment of a professional",)
    assert [ask_model(model, CHILD).financing for model in MODELS] == [
        Financing.STATE,
        Financing.STATE_GRANT,
        Financing.STATE_GRANT_AND_MUNICIPALITY,
        Financing.UNSPECIFIED,
    ]


@given(facts=ANYBODY, name=st.sampled_from([each for each in FACTS if each != "age"]), data=st.data())
@pytest.mark.shows("B4.1")
def test_one_more_fact_settles_what_was_open_and_turns_nothing_round(facts: ModelFacts, name: str, data: st.DataObject) -> None:
    known = replace(facts, **{name: data.draw(_VALUES.get(name, st.booleans()))})
    unknown = replace(facts, **{name: None})
    for model in MODELS:
        before, after = ask_model(model, unknown).outcome, ask_model(model, known).outcome
        assert before in (Outcome.UNDETERMINED, after)


@given(facts=ANYBODY)
def test_a_verdict_says_why(facts: ModelFacts) -> None:
    for model in MODELS:
        verdict = ask_model(model, facts)
        assert bool(verdict.missing) == (verdict.outcome is U)
        assert bool(verdict.against) == (verdict.outcome is N)
        assert (verdict.model, verdict.version) == (model.name, 1)
