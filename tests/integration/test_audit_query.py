"""`sarakste audit query`: SQL over a verified log, in each form, with what it stands on and no more than the keys open."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from services.wire.channels import COMMISSION, record_of
from tests.commands import SCHOOL
from tests.folders import Answer, Folders
from tests.people import PUPIL

COUNT_OF_MINE = "SELECT count(*) FROM events WHERE channel = 'school-0099900011.record'"


def asked(folders: Folders, sql: str, *more: object, keys: str | None = SCHOOL) -> Answer:
    given = ["--keys-of", folders.home(keys) / "sarakste.toml"] if keys else []
    return folders.call("audit", "query", sql, "--source", folders.log, "--root", folders.folder / "root.pem", *given, *more)


def test_the_view_of_a_type_has_its_facts_in_typed_columns(folders: Folders) -> None:
    found = asked(folders, "SELECT variant, received_on + 1 AS next_day, len(attachments) AS n FROM ApplicationFiled", "--json")
    assert found.json["columns"] == ["variant", "next_day", "n"]
    assert len(found.json["rows"]) >= 1
    for variant, day, count in found.json["rows"]:
        assert variant in ("A2", "B2")
        assert len(day) == 10
        assert isinstance(count, int)


def test_one_view_has_all_events_with_what_became_of_each(folders: Folders) -> None:
    sql = "SELECT type, standing, opening, facts->>'variant' AS variant FROM events ORDER BY ALL"
    rows = asked(folders, sql, "--json").json["rows"]
    assert ["ApplicationFiled", "taken", "opened", "A2"] in rows
    assert ["Receipt", "taken", "open", None] in rows
    assert [None, "taken", "no key", None] in rows


def test_the_answer_says_what_it_stands_on_beside_it_and_in_json_in_it(folders: Folders) -> None:
    told = asked(folders, "SELECT 1 AS one")
    assert told.code == 0
    assert "stands on" in told.err
    assert "heads" in told.err
    assert "\n1 row\n" in told.out
    grounds = asked(folders, "SELECT 1 AS one", "--json").json["grounds"]
    assert grounds["heads"] in told.err
    assert {each["channel"] for each in grounds["channels"]} > {record_of(SCHOOL), record_of(COMMISSION)}
    assert grounds["findings"] == []


def test_a_log_with_a_finding_is_answered_as_far_as_it_is_proven_and_leaves_as_a_verification_does(folders: Folders) -> None:
    whole = asked(folders, COUNT_OF_MINE, "--json").json["rows"][0][0]
    with sqlite3.connect(folders.log) as log:
        log.execute("DELETE FROM records WHERE channel = ? AND position = 2", (record_of(SCHOOL),))
    log.close()
    found = asked(folders, COUNT_OF_MINE, "--json")
    assert found.code == 4
    said = json.loads(found.out)
    assert said["rows"][0][0] < whole
    assert said["grounds"]["findings"][0]["channel"] == record_of(SCHOOL)
    assert "finding" in asked(folders, "SELECT 1").err


def test_without_keys_only_open_entries_are_read(folders: Folders) -> None:
    rows = asked(folders, "SELECT DISTINCT opening FROM events ORDER BY 1", "--json", keys=None).json["rows"]
    assert rows == [["no key"], ["open"]]
    assert asked(folders, "SELECT count(*) FROM ApplicationFiled", "--json", keys=None).json["rows"] == [[0]]


def test_a_school_reads_nothing_of_the_record_of_the_commission_and_nobody_reads_anothers_school(folders: Folders) -> None:
    sql = "SELECT DISTINCT channel FROM events WHERE opening = 'opened' ORDER BY 1"
    assert {row[0].partition(".")[0] for row in asked(folders, sql, "--json").json["rows"]} == {SCHOOL}
    theirs = {row[0] for row in asked(folders, sql, "--json", keys=COMMISSION).json["rows"]}
    assert record_of(SCHOOL) not in theirs
    assert record_of(COMMISSION) in theirs


def test_what_is_personal_is_a_column_only_for_who_asks(folders: Folders) -> None:
    name = "SELECT personal.application.pupil.family_name FROM ApplicationFiled"
    assert asked(folders, name).code == 3
    rows = asked(folders, name, "--json", "--personal").json["rows"]
    assert rows
    assert all(row[0] for row in rows)
    assert "--keys-of" in asked(folders, name, "--personal", keys=None).err


def test_the_commission_opens_nothing_personal_of_what_a_school_keeps_in_its_record(folders: Folders) -> None:
    sql = "SELECT count(*), count(personal) FROM ApplicationFiled"
    assert asked(folders, sql, "--json", "--personal", keys=COMMISSION).json["rows"] == [[0, 0]]


def test_whoever_has_all_facts_keys_and_no_key_of_a_case_sees_nothing_personal_in_any_column(folders: Folders) -> None:
    """As an auditor: the ring of the school, without what opens cases."""
    home = folders.home(SCHOOL)
    ring = sqlite3.connect(home / "database.sqlite")
    with ring:
        ring.execute("DELETE FROM keys WHERE key_use = 'CASE'")
    ring.close()
    found = asked(
        folders, "SELECT personal_opening, count(*) FROM events WHERE opening = 'opened' GROUP BY 1", "--json", "--personal"
    )
    assert {row[0] for row in found.json["rows"]} <= {"no key", "nothing"}
    rows = asked(folders, "SELECT * FROM ApplicationFiled", "--json", "--personal")
    assert rows.json["rows"]
    assert all(row[-1] is None for row in rows.json["rows"])
    assert PUPIL.given_name not in rows.out


@pytest.mark.parametrize("form", ["csv", "json", "parquet", "xlsx"])
def test_an_answer_in_a_file_is_the_same_each_time_and_only_its_owners_to_read(folders: Folders, form: str) -> None:
    sql = "SELECT type, sequence, recorded_on, written_at, facts FROM events"
    files = [folders.folder / f"{number}.{form}" for number in (1, 2)]
    for file in files:
        told = asked(folders, sql, "--format", form, "--out", file)
        assert told.code == 0, told.err
        assert f"rows in {file.name}" in told.out
        assert file.stat().st_mode & 0o777 == 0o600
    assert files[0].read_bytes() == files[1].read_bytes()
    assert not list(folders.folder.glob(".*.part"))


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_what_is_sent_on_is_utf8_wherever_it_is_made(folders: Folders, form: str) -> None:
    sql = "SELECT facts FROM events WHERE type = 'ParticipantAdmitted'"
    given = ["--source", str(folders.log), "--root", str(folders.folder / "root.pem"), "--format", form]
    call = [sys.executable, "-m", "services.desk", "audit", "query", sql, *given]
    done = subprocess.run(  # noqa: S603  # our own command
        call, capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": "iso8859-1"}
    )
    assert done.returncode == 0, done.stderr
    assert "medicīnas" in done.stdout.decode()


def test_an_answer_takes_the_place_of_a_file_alone_and_of_no_device_pipe_or_link(folders: Folders) -> None:
    """As /dev/null or /dev/stdout: whoever may write to /dev would have left everybody without it."""
    pipe, link, told = folders.folder / "pipe", folders.folder / "link", folders.folder / "told"
    os.mkfifo(pipe)
    told.write_text("kept")
    link.symlink_to(told)
    for out, why in (
        (pipe, "pipe is a folder, a link or a device"),
        (link, "link is a folder, a link or a device"),
        (folders.folder, "is a folder, a link or a device"),
        (told / "within", "cannot be written: Not a directory"),
        (folders.folder / ("n" * 300), "cannot be written: File name too long"),
    ):
        said = asked(folders, "SELECT type FROM events", "--format", "csv", "--out", out)
        assert (said.code, why in said.err) == (2, True), said.err
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert told.read_text() == "kept"


def test_csv_json_and_parquet_say_the_same(folders: Folders) -> None:
    sql = "SELECT type, sequence, standing FROM events WHERE type IS NOT NULL"
    rows = asked(folders, sql, "--json").json["rows"]
    lines = list(csv.reader(io.StringIO(asked(folders, sql, "--format", "csv").out)))
    assert lines[0] == ["type", "sequence", "standing"]
    assert lines[1:] == [[str(value) for value in row] for row in rows]
    file = folders.folder / "events.parquet"
    asked(folders, sql, "--format", "parquet", "--out", file)
    table = pq.read_table(file)
    assert [list(row.values()) for row in table.to_pylist()] == rows
    assert json.loads(table.schema.metadata[b"sarakste.grounds"])["findings"] == []


def test_what_is_wrong_with_a_query_is_told_to_people_and_to_programs(folders: Folders) -> None:
    wrong = asked(folders, "SELECT variant FROM ApplicationFilled")
    assert wrong.code == 3
    assert "The query cannot be answered" in wrong.err
    assert wrong.out == ""
    as_json = asked(folders, "COPY events TO 'x'", "--json")
    assert json.loads(as_json.err)["exit_code"] == 3
    assert "only reads" in json.loads(as_json.err)["message"]
    assert "name it with --out" in asked(folders, "SELECT 1", "--format", "xlsx").err
    nowhere = asked(folders, "SELECT 1", "--format", "csv", "--out", folders.folder / "nowhere" / "x.csv")
    assert nowhere.code == 2
    assert "cannot be written" in nowhere.err


def test_a_question_that_takes_too_much_or_too_long_leaves_no_file_and_says_which_option_gives_more(
    folders: Folders, tmp_path: Path
) -> None:
    # Counted as it comes: a join would keep one side, and on a fast machine that is too much before it is too long.
    endless = "SELECT count(*) FROM range(1000000000000) WHERE range % 7 = 3"
    large = "SELECT repeat('x', 400000) FROM range(5000)"
    for sql, option, value in ((endless, "--seconds", "1"), (large, "--memory", "100MB")):
        out = tmp_path / "answer.csv"
        answer = folders.call(
            *("audit", "query", sql, "--source", folders.log, "--root", folders.folder / "root.pem"),
            *("--out", out, "--format", "csv", option, value),
        )
        assert (answer.code, option in answer.err, list(tmp_path.glob("*answer*"))) == (3, True, [])


def test_a_copy_that_nobody_may_write_to_is_read_too(folders: Folders, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    with sqlite3.connect(folders.log) as log:
        log.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    log.close()
    shutil.copy(folders.log, copy)
    copy.chmod(0o400)
    found = folders.call("audit", "query", "SELECT 1", "--source", copy, "--root", folders.folder / "root.pem")
    assert found.code == 0, found.err


def test_no_bar_of_the_database_stands_where_the_answer_goes() -> None:
    # The library shows one wherever the program is no file, as for who calls ours from a console of Python.
    asked = "Tables() as tables: print(tables.locked().execute(\"SELECT current_setting('enable_progress_bar')\").fetchone()[0])"
    done = subprocess.run(  # noqa: S603  # our own
        [sys.executable, "-c", f"from services.audit.tables import Tables\nwith {asked}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
