"""The command, as its users call it: separate processes, exit codes, messages for people."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from pathlib import Path
from unittest.mock import ANY

import pytest

from services.desk.demo import make_room
from services.desk.ground import FileGround
from services.desk.playing import Playing
from services.desk.processes import Processes
from services.desk.script import ScriptError, read_script
from services.post.lease import lease
from services.wire.wordings import WORDINGS
from tests.commands import ROOT, SCHOOL, sarakste
from tests.folders import OTHER_SCHOOL, Folders


def test_the_demonstration_plays_two_yes_and_a_no_and_finds_the_flipped_byte(demo: Path) -> None:
    printed = (demo / "told").read_text()
    assert printed.count("is now ReadyForDecision") == 2
    assert printed.count("is now NegativeAnswer") == 1
    assert printed.count("0 different") == 3
    found = re.search(r"to-commission at 0/\d+: sealed facts.*\n +expected ([0-9a-f]{64})\n +found +([0-9a-f]{64})", printed)
    assert found is not None
    assert found[1] != found[2]
    assert "Izdomenieks" not in printed


def test_the_demonstration_says_of_every_event_who_reads_it_and_who_does_not(demo: Path) -> None:
    report = json.loads((demo / "report.json").read_text())
    both, own, commission = {"school", "commission"}, {"school"}, {"commission"}
    readers = {
        "ApplicationFiled": own,
        "InformationRequested": both,
        "RecommendationIssued": commission,
        "RecommendationRefused": commission,
        "ConfirmationGiven": both,
    }
    everybody = {"commission", "registrar", SCHOOL, "school-0099900022"}
    seen = set()
    for story in report["stories"]:
        for event in story["events"]:
            assert set(event["facts"]) | set(event["closed_to"]) == everybody
            assert event["personal"] == event["facts"]
            if event["event"] in readers:
                seen.add(event["event"])
                assert {"school" if name == story["school"] else name for name in event["facts"]} == readers[event["event"]]
    assert seen == set(readers)
    printed = (demo / "told").read_text()
    assert "commission reads facts and personal; registrar, school-0099900011, school-0099900022 read nothing" in printed


def test_the_demonstration_plays_the_scripts_and_nothing_else(demo: Path) -> None:
    report = json.loads((demo / "report.json").read_text())
    scripts = [read_script(path) for path in sorted((ROOT / "demo").glob("*.yaml"))]
    assert [story["title"] for story in report["stories"]] == [script.title for script in scripts]
    for story, script in zip(report["stories"], scripts, strict=True):
        assert [(step["who"], step["act"], step["refused"]) for step in story["steps"]] == [
            (step.who, step.act, step.refused) for step in script.steps
        ]
    assert len(set(report["processes"].values())) == 4


def test_the_demonstration_refuses_a_story_with_a_clock_of_its_own(demo: Path) -> None:
    company = Processes(demo / "demo-exchange", (SCHOOL, "school-0099900022"), FileGround(demo / "demo-exchange"))
    script = read_script(ROOT / "tests/scenarios/E02.yaml")
    with pytest.raises(ScriptError, match="step 1: at: separate processes live by the machine's clock"):
        list(Playing(script, company).play())
    with pytest.raises(ScriptError, match="step 1: asleep: separate processes work by themselves; leave asleep out"):
        company.rest(["commission"], "step 1: asleep:")


def test_the_demonstration_replaces_what_a_demonstration_made_and_nothing_else(tmp_path: Path) -> None:
    """A real exchange has root.pem and the folders too: all its keys would be gone."""
    assert sarakste("init", "exchange", "--school", "0099900011", folder=tmp_path).returncode == 0
    before = sorted(tmp_path.rglob("*"))
    done = sarakste("demo", "exchange", folder=tmp_path)
    assert (done.returncode, "no demonstration made it; choose another folder" in done.stderr) == (2, True)
    assert sorted(tmp_path.rglob("*")) == before
    made_by_one = tmp_path / "begun"
    made_by_one.mkdir()
    (made_by_one / ".demonstration").write_text("")
    (made_by_one / "left").write_text("")
    make_room(made_by_one)
    assert [path.name for path in made_by_one.iterdir()] == [".demonstration"]


def test_verification_of_a_flipped_log_leaves_with_the_exit_code_of_its_family(demo: Path) -> None:
    flipped = sarakste("verify", "demo-exchange/flipped.sqlite", "--root", "demo-exchange/root.pem", "--json", folder=demo)
    assert flipped.returncode == 4
    report = json.loads(flipped.stdout)
    assert not report["clean"]
    assert report["findings"][0]["channel"] == f"{SCHOOL}.to-commission"


def test_a_case_is_shown_with_its_places_and_without_a_name(demo: Path) -> None:
    config = demo / f"demo-exchange/{SCHOOL}/sarakste.toml"
    cases = json.loads(sarakste("school", "cases", "--config", config, "--json").stdout)
    assert {case["state"] for case in cases} == {"ReadyForDecision", "NegativeAnswer"}
    shown = sarakste("school", "show", cases[0]["case"], "--config", config)
    assert "InformationRequested" in shown.stdout
    assert "Izdomenieks" not in shown.stdout


def test_a_clerk_sees_what_is_due_and_what_may_be_done_next(demo: Path) -> None:
    config = demo / f"demo-exchange/{SCHOOL}/sarakste.toml"
    due = json.loads(sarakste("school", "due", "--config", config, "--json").stdout)
    assert [line["due_on"] for line in due] == sorted(line["due_on"] for line in due)
    soon = json.loads(sarakste("school", "cases", "--due-by", "1990-01-01", "--config", config, "--json").stdout)
    assert soon == json.loads(sarakste("school", "due", "--until", "1990-01-01", "--config", config, "--json").stdout) == []
    listed = json.loads(sarakste("school", "cases", "--state", "ReadyForDecision", "--config", config, "--json").stdout)
    shown = json.loads(sarakste("school", "show", listed[0]["case"], "--config", config, "--json").stdout)
    assert shown["allowed"]
    words = sarakste("school", "show", listed[0]["case"], "--config", config).stdout
    assert f"{shown['allowed'][0]['act']} ({shown['allowed'][0]['by']})" in words


def test_a_clerk_reads_the_sentence_of_an_answer_and_the_personal_only_when_asked(demo: Path) -> None:
    config = demo / f"demo-exchange/{SCHOOL}/sarakste.toml"
    cases = json.loads(sarakste("school", "cases", "--state", "ReadyForDecision", "--config", config, "--json").stdout)
    shown = sarakste("school", "show", cases[0]["case"], "--config", config)
    assert WORDINGS[1].text in shown.stdout
    asked = sarakste("school", "show", cases[0]["case"], "--config", config, "--personal")
    assert "personal application.pupil.family_name: Izdomenieks" in asked.stdout
    assert "facts    variant: A2" in asked.stdout
    lines = json.loads(sarakste("school", "show", cases[0]["case"], "--config", config, "--personal", "--json").stdout)["events"]
    assert lines[-1]["sentence"] == WORDINGS[1].text
    assert lines[0]["content"]["personal"]["birth_date"] == "2018-02-03"
    assert lines[0]["content"]["entered_by"] == "clerk"
    assert "entered by: clerk" in asked.stdout


def test_a_form_with_faults_is_refused_field_by_field_and_without_what_was_typed(demo: Path, tmp_path: Path) -> None:
    form = tmp_path / "form.json"
    typed = json.loads((demo / "demo-exchange/forms/01-file-roberts.json").read_text("utf-8"))
    typed["pupil"]["personal_code"] = "030218-29016"
    form.write_text(json.dumps(typed), "utf-8")
    refused = sarakste("school", "file", form, "--config", demo / f"demo-exchange/{SCHOOL}/sarakste.toml")
    assert refused.returncode == 3
    assert "pupil.personal_code" in refused.stderr.replace(" ", "").replace("→", ".")
    assert "29016" not in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("school", "cases"), 2, "there is no settings file"),
        (("verify", "nothing.sqlite", "--root", "README.md"), 4, "README.md is no root certificate of an exchange: "),
        (("school", "cases", "--config", "."), 2, "is a folder, and no settings file: name the file in it"),
        (("school", "cases", "--config", "a/b.toml"), 2, "there is no settings file a/b.toml"),
        (("school", "cases", "--config", "circle"), 2, "circle is a link that leads in a circle"),
        (("audit", "verify", "x", "--root", "y", "--keys-of", "circle"), 2, "circle is a link that leads in a circle"),
        (("verify", "nothing.sqlite", "--root", "nothing.pem"), 2, "cannot be read"),
        (("verify", "nothing.sqlite", "--root", "/dev/zero"), 2, "zero is larger than 1 MiB; nothing that can be given here is"),
        (("verify", "nothing.sqlite", "--root", "."), 2, ". cannot be read: Is a directory"),
        (("rehearse", "/dev/zero"), 2, "larger than 256 KiB"),
        (("init", "x", "--school", "12"), 2, "ten digits"),
        (("init", "x", "--school", "0099900011", "--school", "0099900011"), 2, "--school names a school twice; give each"),
    ],
)
def test_a_mistake_gets_a_sentence_and_its_familys_exit_code(
    arguments: tuple[str, ...], code: int, message: str, tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text("no certificate")
    (tmp_path / "circle").symlink_to("circle")
    done = sarakste(*arguments, folder=tmp_path)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("held", "--kind", "bogus"), "--kind is nothing that is held; give one of skipped, refused, parked"),
        (("held", "--limit", "-1"), "should be greater than or equal to 1"),
        (("cases", "--state", "bogus"), "--state is no state of a case here; give one of Empty, Received"),
        (("cases", "--limit", "-1"), "should be greater than or equal to 1"),
        (("cases", "--limit", "99999999999999999999"), "should be less than or equal to 1000000"),
    ],
)
@pytest.mark.parametrize("owner", ["commission", SCHOOL])
def test_what_can_be_chosen_from_is_said_where_the_choice_is_none(
    demo: Path, owner: str, arguments: tuple[str, ...], message: str
) -> None:
    config = demo / f"demo-exchange/{owner}/sarakste.toml"
    done = sarakste(owner.partition("-")[0], *arguments, "--config", config, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in json.loads(done.stderr)["message"]


def test_each_familys_exit_code_comes_from_a_real_command(demo: Path, tmp_path: Path) -> None:
    home = tmp_path / SCHOOL
    shutil.copytree(demo / "demo-exchange" / SCHOOL, home)
    config = ("--config", home / "sarakste.toml", "--json")
    root = demo / "demo-exchange/root.pem"
    (tmp_path / "root.pem").write_bytes(root.read_bytes())
    codes = [sarakste("school", "cases", "--no-such-option").returncode]
    codes.append(sarakste("school", "show", "no-number", *config).returncode)
    codes.append(sarakste("verify", demo / "demo-exchange/flipped.sqlite", "--root", root).returncode)
    codes.append(sarakste("verify", tmp_path / "root.pem", "--root", root).returncode)
    with lease(home / "database.lease"):
        codes.append(sarakste("school", "worker", *config[:2]).returncode)
    with sqlite3.connect(home / "database.sqlite") as database:
        database.execute("PRAGMA user_version=1000")
    database.close()
    codes.append(sarakste("school", "cases", *config).returncode)
    story = (ROOT / "demo/a2-yes.yaml").read_text()
    (tmp_path / "wrong.yaml").write_text(story.replace("ReadyForDecision", "NegativeAnswer"))
    codes.append(sarakste("rehearse", tmp_path / "wrong.yaml").returncode)
    assert codes == [2, 3, 4, 5, 8, 9, 10]


def test_a_case_that_somebody_else_changes_each_time_first_is_left_as_it_is(folders: Folders) -> None:
    """A second program that is always the quicker one, played by the database itself."""
    before = folders.states(SCHOOL)
    with sqlite3.connect(folders.home(SCHOOL) / "database.sqlite") as database:
        database.execute(
            "CREATE TRIGGER quicker BEFORE INSERT ON stored_events BEGIN INSERT INTO stored_events VALUES (NEW.originator_id,"
            " NEW.originator_version, NEW.topic, NEW.state, NEW.channel, randomblob(16), NEW.body_digest); END"
        )
    database.close()
    config = folders.home(SCHOOL) / "sarakste.toml"
    done = sarakste("school", "file", folders.form(9), "--config", config, "--json")
    assert done.returncode == 6
    assert json.loads(done.stderr)["error"] == "Conflict"
    assert "look again and repeat" in json.loads(done.stderr)["message"]
    assert folders.states(SCHOOL) == before


def test_a_ring_key_of_another_school_opens_nothing_and_says_so(folders: Folders) -> None:
    case = next(iter(folders.states(SCHOOL)))
    shutil.copy(folders.home(OTHER_SCHOOL) / "ring.key", folders.home(SCHOOL) / "ring.key")
    done = sarakste("school", "show", case, "--config", folders.home(SCHOOL) / "sarakste.toml", "--json")
    assert done.returncode == 7
    assert "ring" in json.loads(done.stderr)["message"]


def test_who_asks_for_json_gets_an_error_as_json_too(demo: Path) -> None:
    config = demo / f"demo-exchange/{SCHOOL}/sarakste.toml"
    done = sarakste("school", "show", "no-number", "--config", config, "--json")
    assert done.stdout == ""
    assert json.loads(done.stderr) == {"error": "Refused", "message": ANY, "exit_code": 3}


@pytest.mark.parametrize(
    "arguments",
    [
        ("school", "show"),
        ("school", "cases", "--limit", "abc"),
        ("school", "cases", "--no-such-option"),
        ("school", "no-such-command"),
        ("init", "x"),
    ],
)
def test_a_call_that_the_command_line_does_not_understand_is_json_for_who_asks_for_it(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    done = sarakste(*arguments, "--json", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert json.loads(done.stderr) == {"error": "Usage", "message": ANY, "exit_code": 2}
    for_people = sarakste(*arguments, folder=tmp_path)
    assert (for_people.returncode, for_people.stdout) == (2, "")
    assert "Usage: sarakste" in for_people.stderr


def test_help_is_help_also_for_who_asks_for_json() -> None:
    done = sarakste("school", "cases", "--help", "--json")
    assert (done.returncode, "List cases" in done.stdout) == (0, True)


def test_a_script_that_somebody_else_wrote_moves_no_terminal(tmp_path: Path) -> None:
    text = (ROOT / "tests/scenarios/E02.yaml").read_text("utf-8")
    text = text.replace("title: ", 'title: "\\e[31m" #').replace("case: roberts", 'case: "\\e[2Jroberts"')
    text = text.replace("ReadyToRequest}", '"\\e[2J"}')
    (tmp_path / "script.yaml").write_text(text, "utf-8")
    done = sarakste("rehearse", "script.yaml", folder=tmp_path)
    assert (done.returncode, "\ufffd[31m" in done.stdout, "\ufffd[2J" in done.stderr) == (10, True, True)
    assert "\x1b" not in done.stdout + done.stderr


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    done = sarakste("init", "taken/exchange", "--school", "0099900011", folder=tmp_path)
    assert (done.returncode, done.stderr) == (5, "exchange: Not a directory\n")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('participant = "Nobody"\nlog = "log"\nroot = "root"', "SARAKSTE_PARTICIPANT (participant in sarakste.toml): "),
        ('participant = "school-0099900011"\nroot = "root"', "SARAKSTE_LOG (log in sarakste.toml): give log, the path"),
        (
            'participant = "school-0099900011"\nroot = "root"\nlog = "log"\n[kafka]\nservers = "a:1"',
            "SARAKSTE_LOG (log in sarakste.toml): give log, the path of a file, or the table kafka, and not both",
        ),
        (
            'participant = "school-0099900011"\nroot = "root"\n[kafka]\nservers = "nowhere"',
            "SARAKSTE_KAFKA__SERVERS (servers in sarakste.toml): ",
        ),
        (
            'participant = "school-0099900011"\nroot = "root"\n[kafka]\nservers = "a:1"\nauthority = "ca.pem"',
            "SARAKSTE_KAFKA (kafka in sarakste.toml): give authority and certificate, or, for brokers without TLS, neither",
        ),
        ('participant = "school-0099900011"\nlog = "a\\u0000b"\nroot = "root"', "SARAKSTE_LOG (log in sarakste.toml): no path"),
        ("participant = ", "sarakste.toml is no TOML"),
    ],
)
def test_a_setting_that_is_wrong_is_named_by_its_variable(settings: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "sarakste.toml").write_text(settings)
    done = sarakste("school", "cases", folder=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.parametrize(
    ("command", "owner", "right"),
    [
        (("school", "cases"), "commission", "sarakste commission"),
        (("school", "worker"), "commission", "sarakste commission"),
        (("school", "worker"), "registrar", "sarakste registrar"),
        (("commission", "cases"), SCHOOL, "sarakste school"),
        (("commission", "worker"), SCHOOL, "sarakste school"),
        (("registrar", "confirm"), SCHOOL, "sarakste school"),
        (("registrar", "worker"), "commission", "sarakste commission"),
    ],
)
def test_a_command_of_one_role_refuses_the_settings_of_another(
    demo: Path, command: tuple[str, ...], owner: str, right: str
) -> None:
    done = sarakste(*command, "--config", demo / "demo-exchange" / owner / "sarakste.toml")
    assert done.returncode == 2
    assert "SARAKSTE_PARTICIPANT" in done.stderr
    assert f"use `{right}`" in done.stderr


def test_settings_with_an_id_of_no_role_say_which_ids_there_are(tmp_path: Path) -> None:
    (tmp_path / "sarakste.toml").write_text('participant = "nobody"\nlog = "log"\nroot = "root"\n')
    done = sarakste("school", "cases", folder=tmp_path)
    assert done.returncode == 2
    assert "its id is school- and a number, commission, registrar or auditor-" in done.stderr


def test_an_exchange_is_never_founded_over_another(demo: Path) -> None:
    done = sarakste("init", "demo-exchange", "--school", "0099900011", folder=demo)
    assert done.returncode == 2
    assert "already" in done.stderr
