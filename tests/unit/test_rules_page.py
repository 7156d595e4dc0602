"""The page about rule sets says what the files say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import pytest

from services.policy.calendar import Term, moved_days
from services.policy.eligibility import ReasonCode
from services.policy.rules import DEFAULT, RULES, Cited, Parameters
from services.policy.terms import terms

PAGE = (Path(__file__).resolve().parents[2] / "docs/rules.md").read_text("utf-8")


def table(heading: str, rows: Iterable[Iterable[object]]) -> str:
    columns = heading.split(", ")
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def shown(parameter: Cited[object] | None) -> str:
    if parameter is None:
        return "-"
    value = parameter.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    each = value if isinstance(value, tuple) else (value,)
    return ", ".join(str(getattr(part, "value", part)) for part in each)


def length(term: Term) -> str:
    return f"{term.count} {term.unit.value if term.count != 1 else term.unit.value.removesuffix('s')}"


def rule_sets() -> str:
    rows = [
        (each.number, f"`{each.name}`", each.valid_from, each.valid_until or "-", each.status.value, each.title) for each in RULES
    ]
    return table("number, name, from, until, status, what it is", rows)


def parameters() -> str:
    names = [each.name for each in fields(Parameters)]
    rows = [(f"`{name}`", *(shown(getattr(each.parameters, name)) for each in RULES)) for name in names]
    return table(", ".join(("parameter", *(str(each.number) for each in RULES))), rows)


def all_terms() -> str:
    rows = [(f"`{name.value}`", entry.since, length(entry.term)) for name, entries in terms().items() for entry in entries]
    return table("term, begun since, length", rows)


def moves() -> str:
    recent = [each for each in moved_days().moved if each.off.year >= 2024]
    return table("not worked, worked instead, source", [(each.off, each.worked, each.source) for each in recent])


@pytest.mark.parametrize("made", [rule_sets, parameters, all_terms, moves])
def test_page_holds_the_table_as_the_files_have_it(made: object) -> None:
    assert callable(made)
    assert made() in PAGE, f"put this into docs/rules.md:\n{made()}"


def test_page_names_each_reason_and_the_rule_set_that_is_gone_by() -> None:
    assert f"`{DEFAULT}`" in PAGE
    assert [each.value for each in ReasonCode if f"`{each.value}`" not in PAGE] == []


def test_page_says_of_each_rule_set_what_nobody_has_read() -> None:
    assert [each.name for each in RULES if f"- `{each.name}`: {each.not_at_hand}" not in PAGE] == []


def test_page_says_through_which_year_moved_days_are_known() -> None:
    assert f"known through {moved_days().known_through}" in PAGE
