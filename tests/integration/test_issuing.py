"""Issuing reports and replays: recorded because somebody said so, once for the same bytes, and never by looking."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from services.audit.grounds import Grounds
from services.audit.reports.figures import Scope
from services.audit.reports.making import make_report
from services.auditor.issuing import issue_report
from services.desk.founding import found_exchange
from services.policy.models import MODELS, Model, policy_bytes
from services.wire.channels import COMMISSION, REGISTRAR
from services.wire.errors import RefusedError
from tests.folders import Answer, Folders

AUDITOR = "auditor-vk"
SCHOOL = "school-0099900011"
WIDE = ("--from", "2020-01-01", "--until", "2040-12-31")
REPORTS = ("answers", "deadlines", "open-cases", "refusals", "service", "variants")


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an exchange whose auditor is approved, with an application in it."""
    folder = tmp_path_factory.mktemp("issuing") / "exchange"
    list(found_exchange(folder, ["0099900011"], auditors=[AUDITOR]))
    folders = Folders(folder)
    folders.start(REGISTRAR, COMMISSION, SCHOOL, AUDITOR)
    folders.settle(seconds=6)
    for name in (SCHOOL, COMMISSION):
        assert folders.run(name, "approve", AUDITOR).code == 0
    folders.filed()
    folders.settle(seconds=6)
    folders.stop(REGISTRAR, COMMISSION, SCHOOL, AUDITOR)
    return folder


@pytest.fixture
def folders(founded: Path, tmp_path: Path) -> Folders:
    found = Folders.copy(founded, tmp_path / "exchange")
    # What is read is a copy of the log as it was: the log itself grows with what is issued.
    shutil.copyfile(found.log, found.folder / "before.sqlite")
    found.start(REGISTRAR, COMMISSION, SCHOOL, AUDITOR)
    return found


def audit(folders: Folders, *arguments: object, log: str = "before.sqlite", keys: str = AUDITOR) -> Answer:
    given = ("--source", folders.folder / log, "--root", folders.folder / "root.pem")
    return folders.call("audit", *arguments, *given, "--keys-of", folders.home(keys) / "sarakste.toml")


def issued(folders: Folders, *arguments: object) -> Answer:
    return audit(folders, *arguments, "--issue", "--config", folders.home(AUDITOR) / "sarakste.toml")


def said(folders: Folders, event: str, columns: str) -> list[dict[str, object]]:
    """Return what stands in the log, as a school reads it."""
    folders.settle(seconds=6)
    asked = audit(folders, "query", f"SELECT writer, {columns} FROM {event}", "--json", log="log.sqlite", keys=SCHOOL)  # noqa: S608  # own words
    names = ["writer", *columns.split(", ")]
    return [dict(zip(names, row, strict=True)) for row in asked.json["rows"]]


def test_an_issued_report_stands_in_the_auditors_record_with_the_digest_of_its_file_for_all_to_read(folders: Folders) -> None:
    file = folders.folder / "answers.csv"
    done = issued(folders, "report", "answers", *WIDE, "--out", file)
    assert done.code == 0, done.err
    assert f"report answers in answers.csv, issued by {AUDITOR}" in done.out
    digest = sha256(file.read_bytes()).hexdigest()
    found = said(folders, "ReportIssued", "report, from_on, until, result")
    told = {"writer": AUDITOR, "report": "Answers", "from_on": "2020-01-01", "until": "2040-12-31", "result": digest}
    assert found == [told]
    assert folders.findings() == []


def test_making_and_looking_records_nothing_and_gives_the_same_bytes_as_issuing(folders: Folders) -> None:
    files = [folders.folder / f"{number}.csv" for number in (1, 2, 3)]
    for file in files[:2]:
        assert audit(folders, "report", "variants", *WIDE, "--out", file).code == 0
    assert audit(folders, "replay", "--under", "lm-2016-m1", *WIDE).code == 0
    assert said(folders, "ReportIssued", "report") == said(folders, "ReplayRun", "rule_set") == []
    assert issued(folders, "report", "variants", *WIDE, "--out", files[2]).code == 0
    assert len({file.read_bytes() for file in files}) == 1
    # The same bytes a second time are the same issue.
    assert issued(folders, "report", "variants", *WIDE, "--out", files[2]).code == 0
    assert len(said(folders, "ReportIssued", "report")) == 1


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_has_a_name_in_the_record(folders: Folders, name: str) -> None:
    assert issued(folders, "report", name, *WIDE, "--out", folders.folder / "made.csv").code == 0
    [line] = said(folders, "ReportIssued", "report")
    assert line["report"] == "".join(word.title() for word in name.split("-"))


def test_an_issued_replay_names_the_model_by_the_digest_of_its_file_and_what_it_stands_on(folders: Folders) -> None:
    file = folders.folder / "replay.json"
    done = issued(folders, "replay", "--under", "lm-2016-m2", *WIDE, "--format", "json", "--out", file)
    assert done.code == 0, done.err
    model = next(each for each in MODELS if each.name == "lm-2016-m2")
    [line] = said(folders, "ReplayRun", "rule_set, policy, heads, result")
    assert line["rule_set"] == model.number
    assert line["policy"] == sha256(policy_bytes(model)).hexdigest()
    assert line["result"] == sha256(file.read_bytes()).hexdigest()
    heads = audit(folders, "search", "--json").json["grounds"]["heads"]
    assert line["heads"] == [heads]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_models_bytes_are_those_of_its_file(model: Model) -> None:
    assert f'name = "{model.name}"'.encode() in policy_bytes(model)


def test_what_is_said_by_half_is_refused_before_anything_is_made(folders: Folders) -> None:
    config = folders.home(AUDITOR) / "sarakste.toml"
    alone = audit(folders, "report", "answers", *WIDE, "--config", config)
    assert (alone.code, "say so with --issue" in alone.err) == (2, True)
    nowhere = issued(folders, "report", "answers", *WIDE)
    assert (nowhere.code, "name it with --out" in nowhere.err) == (2, True)
    schools = folders.home(SCHOOL) / "sarakste.toml"
    other = audit(folders, "report", "answers", *WIDE, "--out", folders.folder / "x.csv", "--issue", "--config", schools)
    assert (other.code, (folders.folder / "x.csv").exists()) == (2, False)


def test_what_cannot_be_recorded_is_not_issued_and_no_file_is_there(folders: Folders) -> None:
    database = folders.running[AUDITOR].office.database
    database.run("INSERT OR IGNORE INTO said VALUES ('starting', 1)")
    file = folders.folder / "answers.csv"
    told = issued(folders, "report", "answers", *WIDE, "--out", file)
    assert (told.code, "The worker is starting" in told.err, file.exists()) == (3, True, False)


@pytest.mark.parametrize("where", ["missing/answers.csv", "."])
def test_what_cannot_be_written_was_not_issued_and_no_record_says_that_it_was(folders: Folders, where: str) -> None:
    told = issued(folders, "report", "answers", *WIDE, "--out", folders.folder / where)
    assert told.code == 2, told.err
    assert said(folders, "ReportIssued", "result") == []


def test_nothing_is_issued_of_a_log_with_findings(folders: Folders) -> None:
    with closing(sqlite3.connect(folders.folder / "before.sqlite")) as log, log:
        log.execute(
            # Another byte than stands there, whichever that is.
            "UPDATE records SET value = CAST(substr(value, 1, length(value) - 9)"
            " || CASE substr(value, -9, 1) WHEN x'00' THEN x'01' ELSE x'00' END || substr(value, -8) AS BLOB)"
            " WHERE channel = ? AND position = 3",
            (f"{SCHOOL}.record",),
        )
    file = folders.folder / "answers.csv"
    told = issued(folders, "report", "answers", *WIDE, "--out", file)
    assert (told.code, "Nothing is issued of a log" in told.err, file.exists()) == (3, True, False)


def test_nothing_is_issued_that_stands_on_the_log_of_another_exchange(folders: Folders) -> None:
    office = folders.running[AUDITOR].office
    day = date(2026, 1, 1)
    for exchange in ("00" * 32, office.root.digest.hex()):
        grounds = Grounds(exchange=exchange, heads="00" * 32, entries=0, channels=(), findings=())
        made = make_report("variants", [], Scope(since=day, until=day, as_of=day, known_at=day), grounds)
        if exchange == office.root.digest.hex():
            assert issue_report(office, made, b"a file")
        else:
            with pytest.raises(RefusedError, match="of another exchange"):
                issue_report(office, made, b"a file")
