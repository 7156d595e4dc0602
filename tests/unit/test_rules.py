"""Rule sets: each loads, each says where it is from, and one is gone by."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from services.policy import rules
from services.policy.data import DataError, data_names, read_text
from services.policy.rules import DEFAULT, RULES, Basis, InstitutionKind, Rules, Status, parse_rules, rules_named, rules_on

FOLDER = Path(rules.__file__).parent / "rule_sets"
LM = read_text("rule_sets/lm-2012-08.toml")
SOME_DAYS = [date(2012, 8, 1), date(2012, 10, 18), date(2020, 3, 24), date(2026, 8, 24), date(2040, 1, 1)]
by_name = pytest.mark.parametrize("rule_set", RULES, ids=lambda each: each.name)


def refused(text: str) -> list[str]:
    with pytest.raises(DataError) as caught:
        parse_rules("some.toml", text)
    return str(caught.value).splitlines()


def values(rule_set: Rules, *names: str) -> list[object]:
    found = [getattr(rule_set.parameters, name) for name in names]
    return [None if each is None else each.value for each in found]


def test_every_file_of_the_folder_is_a_rule_set_under_its_own_name() -> None:
    assert {each.name for each in RULES} == {path.stem for path in FOLDER.iterdir()}
    assert [f"rule_sets/{each}.toml" for each in sorted(each.name for each in RULES)] == list(data_names("rule_sets"))


def test_numbers_stand_in_events_and_never_change() -> None:
    """A number that is given away anew would let an old event say something else."""
    assert [(each.number, each.name) for each in RULES] == [
        (1, "lm-2012-08"),
        (2, "mk695-2012-10"),
        (3, "mk695-2021-07"),
        (4, "mk695-2022-04"),
        (5, "mk695-2023-01"),
        (6, "mk695-2024-01"),
        (7, "emergency-2020-03"),
    ]


@by_name
def test_each_parameter_says_which_rule_it_is_and_where_that_is_written(rule_set: Rules) -> None:
    stated = [getattr(rule_set.parameters, each.name) for each in fields(rule_set.parameters)]
    for parameter in filter(None, stated):
        assert len(parameter.source) > 20
        assert parameter.rule
    assert len(rule_set.act) > 20


def test_each_rule_set_was_the_law_from_the_day_the_last_one_ended() -> None:
    lasting = [each for each in RULES if each.status is not Status.TEMPORARY]
    for earlier, later in pairwise(lasting):
        assert earlier.valid_until == later.valid_from - timedelta(days=1)
        assert earlier.status is Status.SUPERSEDED
    assert (lasting[-1].status, lasting[-1].valid_until) == (Status.IN_FORCE, None)


def test_guidance_of_2012_says_what_its_source_says() -> None:
    """Domain A.1, A.3 and A.6."""
    guidance = rules_named("lm-2012-08")
    names = ("least_age", "basis", "institution_kinds", "hours_per_week", "qualification_suffices", "within_normal_month")
    kinds = (InstitutionKind.GENERAL, InstitutionKind.VOCATIONAL)
    assert values(guidance, *names) == [7, Basis.BENEFIT, kinds, 40, False, None]
    assert guidance.adult_age == 18


@pytest.mark.parametrize(
    ("name", "in_month", "cents"),
    [
        ("mk695-2012-10", None, None),
        ("mk695-2021-07", True, 450),
        ("mk695-2022-04", True, 450),
        ("mk695-2023-01", True, 479),
        ("mk695-2024-01", True, 542),
    ],
)
def test_regulation_695_begins_at_five_on_the_opinion_and_changes_its_rate(name: str, in_month: object, cents: object) -> None:
    found = values(rules_named(name), "least_age", "basis", "hours_per_week", "within_normal_month", "cents_per_hour")
    assert found == [5, Basis.OPINION, 40, in_month, cents]
    assert InstitutionKind.PRESCHOOL in rules_named(name).parameters.institution_kinds.value


def test_emergency_has_caps_of_its_own() -> None:
    emergency = rules_named("emergency-2020-03")
    assert values(emergency, "hours_per_week", "hours_per_week_preschool") == [25, 40]


@pytest.mark.parametrize("day", SOME_DAYS)
def test_guidance_of_2012_is_gone_by_whatever_the_day(day: date) -> None:
    """Domain F.1: the product's default is the source's procedure; others are chosen by a setting."""
    assert rules_on(day).name == DEFAULT == "lm-2012-08"


def test_setting_chooses_another_rule_set() -> None:
    assert rules_on(date(2026, 8, 24), "mk695-2024-01").number == 6
    assert rules_on(date(2026, 8, 24), "mk695-2012-10").number == 2


def test_before_a_rule_set_began_nobody_is_judged_by_it() -> None:
    with pytest.raises(LookupError, match="lm-2012-08 were not in force on 2012-07-31"):
        rules_on(date(2012, 7, 31))
    with pytest.raises(LookupError, match="mk695-2024-01 were not in force on 2023-12-31"):
        rules_on(date(2023, 12, 31), "mk695-2024-01")


def test_rules_for_a_time_end_with_it() -> None:
    assert rules_on(date(2020, 3, 24), "emergency-2020-03").number == 7
    assert rules_on(date(2020, 6, 9), "emergency-2020-03").number == 7
    with pytest.raises(LookupError, match="2020-06-10"):
        rules_on(date(2020, 6, 10), "emergency-2020-03")


def test_name_of_no_rule_set_is_told_with_those_there_are() -> None:
    with pytest.raises(LookupError, match="no rule set mk999; there are lm-2012-08, mk695-2012-10"):
        rules_named("mk999")


def test_rule_set_is_read_as_it_is_written() -> None:
    assert parse_rules("lm-2012-08.toml", LM) == RULES[0]
    assert parse_rules("lm-2012-08.toml", LM.replace("version = 1", "version = 2")) == replace(RULES[0], version=2)


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (
            "version = 1",
            "version = 1\nvalid_untill = 2020-01-01",
            "valid_untill: is not a key here; remove it or correct its name",
        ),
        ("[parameters.basis]", "[parameters.base]", "parameters.base: is not a key here; remove it or correct its name"),
        ('rule = "A1.6"', 'rule = "A1.6"\nsorce = "x"', "parameters.state_funded_special_excluded.sorce: is not a key here"),
        ('rule = "A1.6"', 'rule = ""', "parameters.state_funded_special_excluded.rule: is empty; write it"),
        ("number = 1\n", "", "number: is missing; write it"),
        ("value = 40", 'value = "40"', "parameters.hours_per_week.value: Input should be a valid integer"),
        ("value = 40", "value = true", "parameters.hours_per_week.value: Input should be a valid integer"),
        ("value = 40", "value = 0", "parameters.hours_per_week.value: Input should be greater than or equal to 1"),
        ('"Benefit"', '"Pension"', "parameters.basis.value: Input should be 'Benefit' or 'Opinion'"),
        ("valid_from = 2012-08-01", "valid_from = 2012-08-01T10:00:00", "valid_from: "),
        ("valid_from = 2012-08-01", "valid_from = 10:00:00", "valid_from: "),
        ("number = 1", "number = ", "is not TOML: "),
    ],
)
def test_slip_in_a_file_is_told_with_its_file_and_place(before: str, after: str, line: str) -> None:
    assert before in LM
    assert any(each.startswith(f"some.toml: {line}") for each in refused(LM.replace(before, after)))


def test_all_slips_of_a_file_are_told_at_once() -> None:
    assert len(refused(LM.replace("value = 40", "value = 0").replace("version = 1", "version = 0"))) == 2


def test_parameter_without_a_source_is_refused() -> None:
    without = "\n".join(line for line in LM.splitlines() if not line.startswith("source"))
    assert len(refused(without)) == 9
    assert all(line.endswith(".source: is missing; write it") for line in refused(without))
