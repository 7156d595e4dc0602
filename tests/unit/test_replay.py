"""Replay under a policy model: the same as a plain second computation; what nobody knows stays so, and no log is overruled."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

import pytest

from services.audit.event import Event, Standing
from services.audit.reports.figures import Scope
from services.audit.reports.making import Report, make_replay, year_scope
from services.audit.reports.overlay import NO_OVERLAY, Overlay, read_overlay
from services.audit.reports.replay import facts_of
from services.audit.reports.writing import REPORT_FORMS, write_report
from services.policy.models import MODELS, Impairment, ModelFacts, Work, ask_model, model_named
from services.policy.rules import Group
from services.wire.errors import RefusedError
from services.wire.events import (
    AgreementAmended,
    AgreementConcluded,
    ApplicationFiled,
    AssistantCvAnnexed,
    AssistantProposed,
    Background,
    DecisionOutcome,
    DisabilityGroup,
    EligibilityScreened,
    ExpertiseFileExamined,
    Known,
    Opinion,
    SchoolDecisionMade,
)
from tests.naive_reports import is_known
from tests.procedure.as_events import lived
from tests.unit.test_reports import ALWAYS, GROUNDS, figures

SEEDS = range(25)
M1, M2 = MODELS[0], MODELS[1]
CASE = UUID(int=7)


@cache
def history(seed: int) -> list[Event]:
    return lived(seed)


def naive(events: list[Event], scope: Scope, model_name: str) -> dict[UUID, tuple[str, str]]:
    """Return what each case was decided and what the model says, each looked up anew from all of its events."""
    found = {}
    known = [each for each in events if is_known(each, scope)]
    for case in {each.common_case for each in known if each.common_case is not None}:
        said = [each.facts for each in known if each.common_case == case]
        filed = [each for each in said if isinstance(each, ApplicationFiled)]
        if not filed or not scope.holds(filed[-1].received_on):
            continue
        facts: dict[str, Any] = {
            "at_home": False,
            "accompanying": False,
            "hours_per_week": None,
            "relative": None,
            "training_hours": None,
        }
        for each in said:
            if isinstance(each, EligibilityScreened):
                facts["age"] = each.age
                for name, value in (("child_with_disability", each.child_with_disability), ("special_care", each.opinion)):
                    if value in (Known.YES, Known.NO):
                        facts[name] = value is Known.YES
                if each.group is DisabilityGroup.FIRST:
                    facts["group"] = Group.ONE
                if each.group in (DisabilityGroup.SECOND, DisabilityGroup.THIRD, DisabilityGroup.NONE):
                    facts["group"] = Group(each.group.value)
            if isinstance(each, ExpertiseFileExamined) and each.opinion is Opinion.VALID:
                facts["special_care"] = True
        decided = [each.outcome for each in said if isinstance(each, SchoolDecisionMade)]
        word = "not decided" if not decided else "granted" if decided[-1] is DecisionOutcome.GRANTED else "refused"
        verdict = ask_model(model_named(model_name), ModelFacts(**facts))
        found[case] = (word, verdict.outcome.value)
    return found


def replayed(events: list[Event], scope: Scope = ALWAYS, model: str = M1.name, overlay: Overlay = NO_OVERLAY) -> Report:
    return make_replay(model_named(model), overlay, events, scope, GROUNDS)


@pytest.mark.parametrize("model", [each.name for each in MODELS])
@pytest.mark.shows("B4.2")
def test_a_replay_is_what_a_plain_second_computation_says(model: str) -> None:
    seen = Counter[str]()
    for seed in SEEDS:
        events = history(seed)
        days = sorted({each.recorded_on for each in events if each.recorded_on})
        early = Scope(since=days[0], until=days[-1], as_of=days[-1], known_at=days[len(days) // 2])
        before = replace(ALWAYS, as_of=days[len(days) // 2])
        for scope in (ALWAYS, early, before):
            expected = naive(events, scope, model)
            found = figures(replayed(events, scope, model))
            assert {UUID(keys[0]): (keys[1], keys[2]) for keys in found["cases"]} == expected
            assert {keys[0]: values[0] for keys, values in found["outcomes"].items()} == Counter(
                each[1] for each in expected.values()
            )
            assert {keys: values[0] for keys, values in found["decisions"].items()} == Counter(expected.values())
            seen.update(each[1] for each in expected.values())
    assert seen["Undetermined"]
    if model != "lm-2016-merged":
        assert seen["Ineligible"]


def event(facts: object, *, case: UUID = CASE) -> Event:
    pattern = next(each for each in history(0) if each.counts)
    return pattern._replace(facts=facts, common_case=case, recorded_on=date(2026, 9, 1))


def test_what_the_agreement_says_is_checked_by_the_assistant_that_it_names() -> None:
    filed = next(each.facts for seed in SEEDS for each in history(seed) if isinstance(each.facts, ApplicationFiled))
    told: list[object] = [
        filed,
        AssistantProposed(assistant=1, background=Background.RELATIVE),
        AssistantProposed(assistant=2, background=Background.TEACHER),
        AssistantCvAnnexed(assistant=2, work_experience=True, contact_experience=False, training_hours=7, parts=()),
    ]
    agreement = next(each.facts for seed in SEEDS for each in history(seed) if isinstance(each.facts, AgreementConcluded))
    amended = next(each.facts for seed in SEEDS for each in history(seed) if isinstance(each.facts, AgreementAmended))
    told.append(replace(agreement, assistant=1, hours_per_week=40))
    checks = figures(replayed([event(each) for each in told]))["checks"]
    assert checks["hours a week", "holds"] == (1,)
    assert checks["training of a professional", "holds"] == (1,)
    told.append(replace(amended, assistant=2, hours_per_week=20))
    checks = figures(replayed([event(each) for each in told]))["checks"]
    assert checks["training of a professional", "does not hold"] == (1,)
    assert checks["training of a relative", "holds"] == (1,)


@pytest.mark.shows("B4.6")
def test_an_overlay_adds_what_nobody_knows_and_overrules_nothing() -> None:
    known = ModelFacts(age=9, at_home=False)
    assert facts_of(known, {"age": 30, "needy": True}) == ModelFacts(age=9, at_home=False, needy=True)
    overlay = read_overlay(
        f"case,fact,value\n{CASE},needy,yes\n{CASE},impairment,Visual\n{CASE.hex},group,I\n{CASE},work,Unemployed\n"
        f"{CASE},training_hours,8\n\n{CASE},at_home,No\n".encode()
    )
    assert overlay.facts == {
        CASE: {
            "needy": True,
            "impairment": Impairment.VISUAL,
            "group": Group.ONE,
            "work": Work.UNEMPLOYED,
            "training_hours": 8,
            "at_home": False,
        }
    }
    filed = next(each.facts for seed in SEEDS for each in history(seed) if isinstance(each.facts, ApplicationFiled))
    report = replayed([event(filed)], model=M2.name, overlay=overlay)
    assert overlay.digest in report.title
    assert "needy" not in {keys[0] for keys in figures(report)["missing"]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "first line"),
        (b"case;fact;value\n", "first line"),
        (b"\xff", "UTF-8"),
        (b"case,fact,value\n1,2\n", "Line 2 of the overlay has not 3 columns"),
        (b"case,fact,value\nJanis,needy,yes\n", "Line 2 of the overlay cannot be read"),
        (f"case,fact,value\n{CASE},name,yes\n".encode(), "names no fact"),
        (f"case,fact,value\n{CASE},needy,perhaps\n".encode(), "yes or no"),
        (f"case,fact,value\n{CASE},age,-1\n".encode(), "a whole number"),
        (f"case,fact,value\n{CASE},age,{'9' * 400}\n".encode(), "a whole number"),
        (f"case,fact,value\n{CASE},group,IV\n".encode(), "one of None, I, II, III"),
        (f"case,fact,value\n{CASE},needy,yes\n{CASE},needy,no\n".encode(), "Line 3 of the overlay says once more"),
        (b'case,fact,value\n"open,needy,yes\n', "no CSV file"),
    ],
)
def test_an_overlay_that_cannot_be_read_is_refused_by_its_line_and_repeats_nothing_of_it(content: bytes, said: str) -> None:
    with pytest.raises(RefusedError, match=said) as refused:
        read_overlay(content)
    assert "Janis" not in str(refused.value)
    assert "perhaps" not in str(refused.value)


@pytest.mark.shows("B4.5")
def test_single_cases_are_never_published_and_small_figures_are_hidden() -> None:
    events = history(1)
    year = max(each.recorded_on.year for each in events if each.recorded_on) - 1
    report = make_replay(M1, NO_OVERLAY, events, year_scope(year), GROUNDS, is_published=True)
    assert "cases" not in {table.name for table in report.tables}
    assert all(row.is_hidden or row.values[0] is None or row.values[0] >= 5 for table in report.tables for row in table.rows)


def applied(of_age: int, *, unknown: int, too_young: int) -> list[Event]:
    """Return the events of so many applications of 2026, by children of whom an age, nothing, or too low an age is known."""
    filed = next(each.facts for seed in SEEDS for each in history(seed) if isinstance(each.facts, ApplicationFiled))
    screened = next(each.facts for seed in SEEDS for each in history(seed) if isinstance(each.facts, EligibilityScreened))
    ages = [9] * of_age + [None] * unknown + [3] * too_young
    found = []
    for number, age in enumerate(ages, start=1):
        case = UUID(int=number)
        found.append(event(replace(filed, received_on=date(2026, 9, 1)), case=case))
        if age is not None:
            told = replace(screened, age=age, child_with_disability=Known.YES, as_of=date(2026, 9, 1))
            found.append(event(told, case=case))
    after = (date(2027, 3, 1) - date(1970, 1, 1)).days * 86_400_000
    return [*found, found[0]._replace(written_at=after, standing=Standing.REPEATED)]


@pytest.mark.parametrize("model", [each.name for each in MODELS])
@pytest.mark.shows("L.5")
def test_whoever_subtracts_one_table_of_a_published_replay_from_another_finds_no_few_people(model: str) -> None:
    """One fact lacks of all who are undetermined, so how many lack it is how many they are; the rest of the sum is refused."""
    for of_age, unknown, too_young in ((0, 40, 3), (2, 40, 0), (2, 40, 3), (20, 20, 20)):
        events = applied(of_age, unknown=unknown, too_young=too_young)
        report = make_replay(model_named(model), NO_OVERLAY, events, year_scope(2026), GROUNDS, is_published=True)
        assert {table.name for table in report.tables} == {"outcomes", "missing", "against"}
        told = [row.values[0] for table in report.tables for row in table.rows if row.values[0] is not None]
        told += [table.total for table in report.tables if table.total is not None]
        assert told
        assert not {one - other for one in told for other in told} & {1, 2, 3, 4}
    inside = figures(make_replay(model_named(model), NO_OVERLAY, events, year_scope(2026), GROUNDS))
    assert {"decisions", "checks"} <= inside.keys()


@pytest.mark.parametrize("form", sorted(REPORT_FORMS))
@pytest.mark.shows("B4.4")
def test_a_replay_repeated_is_the_same_bytes(form: str) -> None:
    made = []
    for _ in range(2):
        out = io.BytesIO()
        write_report(replayed(history(2)), form, out)
        made.append(out.getvalue())
    assert made[0] == made[1]
