"""`sarakste audit report`: each report over a real log, in each form, the same each time, and what is not published."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest

from services.audit.reports.making import REPORTS
from services.audit.verify import channels_in, open_log
from services.channel.copying import copy_channels
from services.channel.embedded import EmbeddedChannel
from services.wire.channels import COMMISSION
from tests.commands import SCHOOL
from tests.folders import Answer, Folders

WIDE = ("--from", "2020-01-01", "--until", "2040-12-31")


def reported(folders: Folders, name: str, *more: object, keys: str = SCHOOL) -> Answer:
    given = ["--source", folders.log, "--root", folders.folder / "root.pem", "--keys-of", folders.home(keys) / "sarakste.toml"]
    return folders.call("audit", "report", name, *given, *more)


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_each_report_is_made_over_a_log_and_says_what_it_stands_on(folders: Folders, name: str) -> None:
    told = reported(folders, name, *WIDE, "--json")
    assert told.json["name"] == name
    assert told.json["grounds"]["heads"]
    assert told.json["sealed"] > 0, "a school does not open the commission's record"
    assert told.json["scope"] == {"since": "2020-01-01", "until": "2040-12-31", "as_of": "2040-12-31", "known_at": "9999-12-31"}
    lines = list(csv.reader(io.StringIO(reported(folders, name, *WIDE).out)))
    assert lines[0] == ["table", "of", "measure", "value"]
    assert ["about", "heads", "text", told.json["grounds"]["heads"]] in lines


def test_the_demonstration_has_the_figures_that_were_played(folders: Folders) -> None:
    tables = {table["name"]: table for table in reported(folders, "variants", *WIDE, "--json").json["tables"]}
    filed = folders.run(SCHOOL, "cases", "--json").json
    assert tables["variants"]["total"] == len(filed)
    answers = {table["name"]: table for table in reported(folders, "answers", *WIDE, "--json", keys=COMMISSION).json["tables"]}
    assert {row["outcome"] for row in answers["outcomes"]["rows"]} <= {"Answered", "Open"}
    assert answers["answers"]["total"] == sum(row["requests"] for row in answers["answers"]["rows"])


@pytest.mark.parametrize("form", ["csv", "html", "json", "svg", "xlsx"])
def test_a_report_in_a_file_is_the_same_each_time(folders: Folders, form: str) -> None:
    files = [folders.folder / f"{number}.{form}" for number in (1, 2)]
    for file in files:
        done = reported(folders, "refusals", *WIDE, "--format", form, "--out", file)
        assert done.code == 0, done.err
        assert "stands on" in done.err
        assert file.stat().st_mode & 0o777 == 0o600
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_sheet_for_each_table_and_one_that_says_what_it_stands_on(folders: Folders) -> None:
    file = folders.folder / "variants.xlsx"
    reported(folders, "variants", *WIDE, "--format", "xlsx", "--out", file)
    with zipfile.ZipFile(file) as book:
        names = book.read("xl/workbook.xml").decode()
    assert [each for each in ("about", "variants", "intakes", "months") if f'name="{each}"' in names] == [
        "about",
        "variants",
        "intakes",
        "months",
    ]


def test_a_report_is_the_same_over_a_copy_of_the_log(folders: Folders) -> None:
    """As an archive would give it: the same records, taken over one by one."""
    before = reported(folders, "answers", *WIDE, keys=COMMISSION).out
    copy = EmbeddedChannel(folders.folder / "copy.sqlite", clock=lambda: 0)
    source = open_log(folders.log)
    copy_channels(source, copy, [each for each in channels_in(folders.log) if not each.endswith(".mailbox")])
    source.close()
    copy.close()
    given = ("--root", folders.folder / "root.pem", "--keys-of", folders.home(COMMISSION) / "sarakste.toml", *WIDE)
    assert folders.call("audit", "report", "answers", "--source", folders.folder / "copy.sqlite", *given).out == before


def test_what_no_report_can_be_made_of_is_told(folders: Folders) -> None:
    assert "give --year, or --from and --until" in reported(folders, "variants").err
    assert reported(folders, "variants", "--year", "2026", *WIDE).code == 2
    assert reported(folders, "variants", "--from", "2026-02-01", "--until", "2026-01-01").code == 2
    assert "there are answers, deadlines" in reported(folders, "everything", *WIDE).err
    assert "--out" in reported(folders, "variants", *WIDE, "--format", "xlsx").err
    refused = reported(folders, "variants", *WIDE, "--published", "--json")
    assert json.loads(refused.err)["exit_code"] == 3
    assert refused.out == ""
    assert "does not go beyond" in reported(folders, "variants", "--year", "2030", "--published").err
