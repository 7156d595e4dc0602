"""A mandate as people work with it: disclosed, accepted, used for each way of looking, listed, and ended, by commands."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from services.desk.founding import found_exchange
from services.post.building import milliseconds
from services.post.office import day_of
from services.wire.channels import COMMISSION, REGISTRAR
from tests.commands import sarakste
from tests.folders import Answer, Folders

AUDITOR = "auditor-vk"
OTHER = "auditor-jauns"
SCHOOL = "school-0099900011"


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mandated") / "exchange"
    list(found_exchange(folder, ["0099900011"], auditors=[AUDITOR, OTHER]))
    return folder


@pytest.fixture
def folders(founded: Path, tmp_path: Path) -> Folders:
    found = Folders.copy(founded, tmp_path / "exchange")
    found.start(REGISTRAR, COMMISSION, SCHOOL, AUDITOR, OTHER)
    found.settle(seconds=6)
    return found


def last_day(days: int = 5) -> str:
    return str(day_of(milliseconds()) + timedelta(days=days))


def disclosed(folders: Folders, case: str, *options: str, days: int = 5) -> tuple[str, Path]:
    """Let the school disclose a case; return the mandate and the file."""
    file = folders.folder / "case.keys"
    given = ("disclose", case, "--to", AUDITOR, "--purpose", "complaint", "--until", last_day(days), "--out", file)
    made = folders.run(SCHOOL, *given, *options, "--json").json
    folders.settle(seconds=6)
    return str(made["mandate"]), file


def looked(folders: Folders, *arguments: object, mandate: str, by: str = AUDITOR, source: Path | None = None) -> Answer:
    log = ("--source", source or folders.log, "--root", folders.folder / "root.pem")
    return folders.call("audit", *arguments, *log, "--mandate", mandate[:12], "--config", folders.home(by) / "sarakste.toml")


def test_a_case_is_disclosed_by_commands_and_read_by_each_command_and_each_use_is_seen(folders: Folders) -> None:
    case = folders.filed()
    folders.settle(seconds=6)
    mandate, file = disclosed(folders, case, "--personal")
    accepted = folders.run(AUDITOR, "accept", file)
    assert f"mandate {mandate[:16]} of {SCHOOL}: 7 keys" in accepted.out, accepted.err
    folders.settle(seconds=6)
    told = looked(folders, "timeline", case, "--json", mandate=mandate).json
    assert [each["event"] for each in told["events"]] == [
        "ApplicationFiled", "ConsentRecorded", "DeliveryAddressChosen", "AccessGranted",
    ]  # fmt: skip
    shown = looked(folders, "show", f"{SCHOOL}.record:2", "--personal", mandate=mandate)
    assert (shown.code, "personal: application = " in shown.out) == (0, True)
    assert "personal" not in looked(folders, "show", f"{SCHOOL}.record:2", "--json", mandate=mandate).json
    found = looked(folders, "search", "--type", "ConsentRecorded", "--json", mandate=mandate).json
    assert [each["opening"] for each in found["events"]] == ["opened"]
    query = "SELECT personal.application.pupil.family_name AS name FROM ApplicationFiled"
    asked = looked(folders, "query", query, "--personal", "--format", "csv", mandate=mandate)
    assert (asked.code, len(asked.out.splitlines())) == (0, 2)
    archive, root = folders.folder / "archive", folders.folder / "root.pem"
    assert sarakste("audit", "mirror", archive, "--log", folders.log, "--root", root, "--once").returncode == 0
    kept = looked(folders, "query", query, "--personal", "--format", "csv", mandate=mandate, source=archive)
    assert (kept.code, kept.out) == (0, asked.out), "an archive has no personal part: it came with its key"
    folders.settle(seconds=6)
    [line] = folders.run(SCHOOL, "mandates", "--json").json
    assert (line["auditor"], line["case"], line["purpose"], line["uses"], line["ended"]) == (AUDITOR, case, "Complaint", 7, None)
    assert line["after_its_end"] == 0
    [held] = folders.run(AUDITOR, "mandates", "--json").json
    assert (held["writer"], held["uses"], held["keys"]) == (SCHOOL, 6, True)
    assert folders.findings() == []
    folders.stop(SCHOOL)
    for way in ((), ("--from-channels",)):
        assert folders.run(SCHOOL, "rebuild", *way, "--json").json["different"] == [], "a mandate in a case changes nothing of it"


def test_a_use_is_joined_to_its_mandate_by_whoever_reads_both_and_by_nobody_else(folders: Folders) -> None:
    folders.run(SCHOOL, "approve", AUDITOR)
    case = folders.filed()
    folders.settle(seconds=6)
    mandate, file = disclosed(folders, case)
    assert folders.run(AUDITOR, "accept", file).code == 0
    assert looked(folders, "timeline", case, mandate=mandate).code == 0
    # Its next event goes to the commission, and names what stood before it in the case.
    folders.run(SCHOOL, "request", case)
    folders.settle(seconds=6)
    joined = (
        "SELECT u.writer, u.use, g.writer, replace(g.case_id, '-', '') FROM AccessUsed u JOIN AccessGranted g"
        ' ON u."grant" = g.sealed_facts ORDER BY u.sequence'
    )

    def rows(name: str, query: str) -> list[list[object]]:
        keys = ("--keys-of", folders.home(name) / "sarakste.toml")
        log = ("--source", folders.log, "--root", folders.folder / "root.pem")
        return list(folders.call("audit", "query", query, *log, *keys, "--json").json["rows"])

    found = case.replace("-", "")
    for name in (AUDITOR, SCHOOL):
        assert rows(name, joined) == [[AUDITOR, "Accepted", SCHOOL, found], [AUDITOR, "Timeline", SCHOOL, found]]
    # The counterpart sees that there were uses, and is led from them to no entry that a case is known by.
    assert rows(COMMISSION, "SELECT use FROM AccessUsed ORDER BY sequence") == [["Accepted"], ["Timeline"]]
    assert rows(COMMISSION, 'SELECT e.body FROM AccessUsed u JOIN events e ON u."grant" = e.sealed_facts') == []


def test_it_is_for_one_auditor_for_its_settings_and_until_its_day(folders: Folders) -> None:
    case = folders.filed()
    mandate, file = disclosed(folders, case, days=1)
    other = folders.run(OTHER, "accept", file)
    assert (other.code, "for somebody else" in other.err) == (4, True)
    assert looked(folders, "timeline", case, mandate=mandate).code == 3
    assert folders.run(AUDITOR, "accept", file).code == 0
    theirs = looked(folders, "timeline", case, mandate=mandate, by=OTHER)
    assert (theirs.code, theirs.out) == (3, "")
    ours = looked(folders, "timeline", case, mandate=mandate)
    assert (ours.code, "ApplicationFiled" in ours.out) == (0, True)
    folders.clock.now += 3 * 86_400_000
    folders.settle(seconds=6)
    over = looked(folders, "timeline", case, mandate=mandate)
    assert (over.code, over.out, "has ended" in over.err) == (3, "", True)
    again = folders.run(AUDITOR, "accept", file)
    assert (again.code, "has ended" in again.err) == (3, True)
    assert [each["ended"] is not None for each in folders.run(SCHOOL, "mandates", "--json").json] == [True]


def test_it_is_ended_early_by_a_command_and_a_lost_file_is_made_again(folders: Folders) -> None:
    case = folders.filed()
    mandate, file = disclosed(folders, case)
    file.unlink()
    assert folders.run(SCHOOL, "mandate-file", mandate[:8], "--out", file).code == 0
    assert folders.run(AUDITOR, "accept", file).code == 0
    end = folders.folder / "end.keys"
    assert "has ended" in folders.run(SCHOOL, "end-mandate", mandate, "--out", end).out
    assert "had ended before" in folders.run(SCHOOL, "end-mandate", mandate).out
    assert folders.run(SCHOOL, "mandate-file", mandate, "--out", file).code == 3
    folders.settle(seconds=6)
    # The school has not approved this auditor, which so reads nothing of that by itself.
    assert looked(folders, "timeline", case, mandate=mandate).code == 0
    assert "has ended" in folders.run(AUDITOR, "accept", end).out
    assert looked(folders, "timeline", case, mandate=mandate).code == 3


def test_a_log_from_before_the_mandate_is_not_read_under_it_and_no_use_is_recorded(folders: Folders) -> None:
    case = folders.filed()
    folders.settle(seconds=6)
    before = folders.folder / "before.sqlite"
    shutil.copyfile(folders.log, before)
    mandate, file = disclosed(folders, case)
    assert folders.run(AUDITOR, "accept", file).code == 0
    told = looked(folders, "timeline", case, mandate=mandate, source=before)
    assert (told.code, told.out, "does not stand in this log" in told.err) == (4, "", True)
    assert folders.run(AUDITOR, "mandates", "--json").json[0]["uses"] == 0


def test_where_the_use_cannot_be_recorded_nothing_is_shown(folders: Folders) -> None:
    case = folders.filed()
    mandate, file = disclosed(folders, case)
    assert folders.run(AUDITOR, "accept", file).code == 0
    folders.running[AUDITOR].office.database.run("INSERT OR IGNORE INTO said VALUES ('starting', 1)")
    for command in (("timeline", case), ("search",), ("show", f"{SCHOOL}.record:2"), ("query", "SELECT 1")):
        told = looked(folders, *command, mandate=mandate)
        assert (told.code, told.out, "The worker is starting" in told.err) == (3, "", True)


def test_an_auditor_puts_a_mandate_down(folders: Folders) -> None:
    mandate, file = disclosed(folders, folders.filed())
    assert folders.run(AUDITOR, "accept", file).code == 0
    assert "has ended" in folders.run(AUDITOR, "end-mandate", mandate[:8]).out
    assert folders.run(AUDITOR, "end-mandate", mandate[:8]).code == 3
    assert folders.run(AUDITOR, "end-mandate", "00").code == 3


def test_options_that_do_not_belong_together_are_told_so(folders: Folders) -> None:
    log = ("--source", folders.log, "--root", folders.folder / "root.pem")
    config = folders.home(AUDITOR) / "sarakste.toml"
    alone = folders.call("audit", "search", *log, "--config", config)
    assert (alone.code, "--config names the auditor of --mandate" in alone.err) == (2, True)
    mandate, file = disclosed(folders, folders.filed())
    assert folders.run(AUDITOR, "accept", file).code == 0
    both = looked(folders, "search", "--keys-of", config, mandate=mandate)
    assert (both.code, "leave --keys-of out" in both.err) == (2, True)
    named = folders.run(SCHOOL, "mandate-file", "abc", "--out", file)
    assert (named.code, "eight or more digits" in named.err) == (3, True)


def test_a_file_that_cannot_be_written_leaves_a_mandate_whose_file_can_be_made(folders: Folders) -> None:
    case, nowhere = folders.filed(), folders.folder / "nowhere" / "case.keys"
    given = ("disclose", case, "--to", AUDITOR, "--purpose", "audit", "--until", last_day(), "--out", nowhere)
    told = folders.run(SCHOOL, *given)
    assert (told.code, "stands: write its file with mandate-file" in told.err) == (2, True)
    assert len(folders.run(SCHOOL, "mandates", "--json").json) == 1
