"""`sarakste audit replay`: what a policy model would have said of a real log's applications, and nothing is changed by it."""

from __future__ import annotations

import pytest

from tests.commands import SCHOOL
from tests.folders import Answer, Folders

WIDE = ("--from", "2020-01-01", "--until", "2040-12-31")


def replayed(folders: Folders, under: str, *more: object) -> Answer:
    given = ["--source", folders.log, "--root", folders.folder / "root.pem", "--keys-of", folders.home(SCHOOL) / "sarakste.toml"]
    return folders.call("audit", "replay", "--under", under, *given, *WIDE, *more)


@pytest.mark.parametrize("under", ["lm-2016-m1", "lm-2016-m2", "lm-2016-m3", "lm-2016-merged"])
@pytest.mark.shows("B4.3", "I7")
def test_each_model_says_of_each_application_what_it_can(folders: Folders, under: str) -> None:
    log, database = folders.log.read_bytes(), (folders.home(SCHOOL) / "database.sqlite").read_bytes()
    made = replayed(folders, under, "--json").json
    assert made["title"] == f"Replay under {under} version 1"
    tables = {table["name"]: table for table in made["tables"]}
    assert tables["outcomes"]["total"] == len(folders.states(SCHOOL)) == len(tables["cases"]["rows"])
    assert tables["missing"]["rows"], "no school may ask what the models ask for"
    assert (folders.log.read_bytes(), (folders.home(SCHOOL) / "database.sqlite").read_bytes()) == (log, database)


@pytest.mark.shows("B4.6")
def test_an_overlay_settles_what_no_log_says(folders: Folders) -> None:
    before = {row["case"]: row for row in cases_of(replayed(folders, "lm-2016-m1", "--json"))}
    open_ones = [case for case, row in before.items() if row["outcome"] == "Undetermined"]
    assert open_ones
    overlay = folders.folder / "overlay.csv"
    lines = [f"{case},{fact},{value}" for case in open_ones for fact, value in (("age", 9), ("child_with_disability", "yes"))]
    overlay.write_text("\n".join(["case,fact,value", *lines, *(f"{case},special_care,yes" for case in open_ones)]))
    after = replayed(folders, "lm-2016-m1", "--overlay", overlay, "--json")
    assert "overlay" in after.json["title"]
    assert {row["outcome"] for row in cases_of(after)} == {"Eligible"}


def cases_of(answer: Answer) -> list[dict[str, str]]:
    found: list[dict[str, str]] = next(table["rows"] for table in answer.json["tables"] if table["name"] == "cases")
    return found


def test_a_model_that_is_none_and_an_overlay_that_cannot_be_read_are_refused_in_a_sentence(folders: Folders) -> None:
    unknown = replayed(folders, "lm-2016-m4")
    assert unknown.code == 2
    assert "lm-2016-merged" in unknown.err
    overlay = folders.folder / "overlay.csv"
    overlay.write_text("case,fact,value\nJānis,needy,yes\n")
    spoilt = replayed(folders, "lm-2016-m1", "--overlay", overlay)
    assert spoilt.code == 3
    assert "Line 2" in spoilt.err
    assert "Jānis" not in spoilt.err
