"""The scenarios of the procedure as rehearsals, and what a wrong script is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from services.desk.rehearsing import NotAsWrittenError, Rehearsal
from services.desk.script import Script, ScriptError, read_script

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
SCENARIOS = sorted(HERE.glob("*.yaml"))


def play(text: str, folder: Path) -> list[str]:
    path = folder / "script.yaml"
    path.write_text(text, "utf-8")
    return list(Rehearsal(read_script(path), folder / "exchange").play())


def changed(old: str, new: str) -> str:
    text = (HERE / "E02.yaml").read_text("utf-8")
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_of_the_procedure_goes_as_it_is_written(path: Path, tmp_path: Path) -> None:
    script = read_script(path)
    assert len(list(Rehearsal(script, tmp_path / "exchange").play())) == len(script.steps)


def test_e02_and_e09_are_here() -> None:
    assert {"E02", "E09"} <= {path.stem for path in SCENARIOS}


def test_the_json_schema_of_the_documentation_is_that_of_the_program() -> None:
    schema = json.loads((DOCS / "rehearsals.schema.json").read_text("utf-8"))
    assert schema == Script.model_json_schema()
    for path in SCENARIOS:
        tree = YAML(typ="safe").load(path.read_text("utf-8"))
        jsonschema.validate(json.loads(json.dumps(tree, default=lambda value: value.isoformat())), schema)


def test_every_field_of_a_script_is_documented() -> None:
    text = (DOCS / "rehearsals.md").read_text("utf-8")
    for definition in (Script.model_json_schema(), *Script.model_json_schema()["$defs"].values()):
        for name in definition["properties"]:
            assert f"`{name}`" in text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("states: {school-0099900011: ReadyToRequest}", "states: {school-0099900011: Received}", "step 1: the case of"),
        ("refused: NothingToAnswer", "refused: AlreadyAnswered", "refused by: expected AlreadyAnswered, found NothingToAns"),
        ("    refused: NothingToAnswer\n", "", "step 4: commission: answer was refused by NothingToAnswer"),
        ("    act: request\n", "    act: request\n    refused: RequestOpen\n", "found nobody refused it"),
        ("reads: {commission: [InformationRequested]}", "cannot_read: {commission: [InformationRequested]}", "line"),
        ("cannot_read: {commission: [ApplicationFiled]}", "reads: {commission: [ApplicationFiled]}", "line"),
        ("cannot_read: {commission: [ApplicationFiled]}", "cannot_read: {commission: [IrpIssued]}", "is in the log"),
        ("[ApplicationFiled, ConsentRecorded, DeliveryAddressChosen]}", "[ApplicationFiled]}", "the events of"),
    ],
)
def test_what_is_not_as_written_fails_with_step_expected_and_found(old: str, new: str, message: str, tmp_path: Path) -> None:
    text = changed(old, new)
    if message == "line":
        # Two lines of one name: the other one of the step is taken out first.
        text = re.sub(r"\n      (reads|cannot_read): \{commission: \[(InformationRequested|ApplicationFiled)\]\}", "", text)
        text = text.replace("commission: Received}", f"commission: Received}}\n      {new}", 1)
        message = "commission reads"
    with pytest.raises(NotAsWrittenError, match=message):
        play(text, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    act: request\n", "    act: beg\n", "step 2: act: school-0099900011 has no act beg"),
        ("    act: register\n", "    act: regster\n", "has no act regster; it has register"),
        ("    who: school-0099900011\n", "    who: school-0000000000\n", "not among the schools"),
        ("at: 2026-08-18T09:00:00", "at: 2026-08-01T09:00:00", "never goes back"),
        ("    who: school-0099900011\n", "    who: parent\n", r"line 8: steps.0.who: String should match"),
        ("    case: roberts\n", "    cases: roberts\n", r"line 10: steps.0.cases: Extra inputs"),
        ('schools: ["0099900011"]', "schools: []", r"line 5: schools: List should have at least 1 item"),
        ("begins: 2026-08-17T09:00:00", "begins: [", "line 6"),
    ],
)
def test_a_wrong_script_is_told_line_field_and_reason(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=message):
        play(changed(old, new), tmp_path)


def test_a_case_that_was_never_filed_has_no_steps(tmp_path: Path) -> None:
    text = changed("    act: request\n    case: roberts", "    act: request\n    case: somebody")
    with pytest.raises(ScriptError, match="somebody has not been filed"):
        play(text, tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"- a list", b"x" * 300_000])
def test_what_is_no_script_is_said_to_be_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "script.yaml").write_bytes(content)
    with pytest.raises(ScriptError):
        read_script(tmp_path / "script.yaml")
    with pytest.raises(ScriptError, match="cannot be read"):
        read_script(tmp_path / "missing.yaml")
