"""The scenarios of the procedure as rehearsals, and what a wrong script is told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import jsonschema
import pytest
from ruamel.yaml import YAML

from services.desk.playing import NotAsWrittenError, Played
from services.desk.rehearsing import Rehearsal
from services.desk.script import Script, ScriptError, on_day, read_script
from services.post.building import milliseconds
from services.post.office import day_of
from tests.requirements.shown import items
from tests.scenarios.people import ABOUT_OTHERS, PEOPLE, SCHOOLS

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
SCENARIOS = sorted(HERE.glob("*.yaml"))
_MEMORY = Path("/dev/shm")  # noqa: S108  # a disk in memory; what stands there is of tests alone
DEMONSTRATION = sorted((HERE.parents[1] / "demo").glob("*.yaml"))


READS = "reads: {school-0099900011: [ConfirmationGiven]}"


def says(what: str) -> str:
    return f"says: {{school-0099900011: {{{what}}}}}"


@cache
def script_of(path: Path) -> Script:
    return read_script(path)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk in memory, where there is one: what is thrown away need not be durable."""
    if not _MEMORY.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(dir=_MEMORY) as made:
        yield Path(made)


def play(text: str, folder: Path) -> list[Played]:
    path = folder / "script.yaml"
    path.write_text(text, "utf-8")
    return list(Rehearsal(read_script(path), folder / "exchange").play())


def changed(old: str, new: str) -> str:
    text = (HERE / "spoiled/story.yaml").read_text("utf-8")
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize("path", [*SCENARIOS, *DEMONSTRATION], ids=lambda path: path.stem)
def test_a_scenario_or_a_story_of_the_demonstration_goes_as_it_is_written(path: Path, folder: Path) -> None:
    script = script_of(path)
    assert len(list(Rehearsal(script, folder / "exchange").play())) == len(script.steps)


def test_every_scenario_of_the_requirement_is_here_and_says_what_it_shows() -> None:
    assert {path.stem[:3] for path in SCENARIOS} == set(PEOPLE) - {"mistyped"}
    assert {path.stem for path in SCENARIOS} >= set(PEOPLE) - {"mistyped"}
    there = {item.id for item in items()}
    for path in SCENARIOS:
        script = script_of(path)
        assert script.title.startswith(f"{path.stem[:3]}")
        assert script.about
        assert script.shows
        assert set(script.shows) <= there


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_is_about_the_people_and_the_schools_that_the_fixtures_name(path: Path) -> None:
    """The fixtures of the domain's scenarios, E.0."""
    script, told = script_of(path), PEOPLE[ABOUT_OTHERS.get(path.stem, path.stem[:3])]
    assert set(script.schools) <= SCHOOLS
    forms = [step.form or {} for step in script.steps if step.act in ("file", "register-direct")]
    assert forms
    for form in forms:
        pupil = form["pupil"]
        assert f"{pupil['given_name']} {pupil['family_name']}" == told.pupil
        assert pupil["personal_code"] in told.codes
        assert str(pupil.get("birth_date", told.born)) == told.born
        if form["requester"] == "AdultPupil":
            assert not told.requesters
        else:
            person = form["representative"]
            assert told.requesters[f"{person['given_name']} {person['family_name']}"] == person["personal_code"]


def test_the_demonstration_tells_a_yes_by_a2_a_yes_by_b2_and_a_no() -> None:
    endings = []
    for path in DEMONSTRATION:
        script = read_script(path)
        application = script.steps[0].form or {}
        endings.append((application["variant"], *script.steps[-1].then.states.values()))
        assert script.begins is None
        # Separate processes live by the machine's clock, work by themselves, and have the settings of a new folder.
        assert all(step.at is None and not step.asleep for step in script.steps)
        assert not script.settings
    assert endings == [("A2", "ReadyForDecision"), ("B2", "ReadyForDecision"), ("A2", "NegativeAnswer")]


def test_the_json_schema_of_the_documentation_is_that_of_the_program() -> None:
    schema = json.loads((DOCS / "rehearsals.schema.json").read_text("utf-8"))
    assert schema == Script.model_json_schema()
    for path in [*SCENARIOS, *DEMONSTRATION]:
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
        (READS, says('ConfirmationGiven: {answer: "No"}'), r'ConfirmationGiven.answer of .* is: expected "No", found "Yes"'),
        (READS, says("ConfirmationGiven: {answers: []}"), r"ConfirmationGiven.answers of .* expected \[\], found nothing"),
        (READS, says("ConfirmationGiven: {answer: {code: Yes}}"), r"ConfirmationGiven.answer.code of .* found nothing"),
        (READS, says("ApplicationFiled: {received_on: 2026-08-18}"), r"received_on of .*\"2026-08-18\", found \"2026-08-17\""),
        (READS, says("RecommendationIssued: {issued_on: 2026-08-26}"), "expected RecommendationIssued, found no such event"),
    ],
)
def test_what_is_not_as_written_fails_with_step_expected_and_found(old: str, new: str, message: str, folder: Path) -> None:
    text = changed(old, new)
    if message == "line":
        # Two lines of one name: the other one of the step is taken out first.
        text = re.sub(r"\n      (reads|cannot_read): \{commission: \[(InformationRequested|ApplicationFiled)\]\}", "", text)
        text = text.replace("commission: Received}", f"commission: Received}}\n      {new}", 1)
        message = "commission reads"
    with pytest.raises(NotAsWrittenError, match=message):
        play(text, folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    act: request\n", "    act: beg\n", r"line 43: steps.2.act: school-0099900011 has no act beg"),
        ("    act: register\n", "    act: regster\n", r"line 50: steps.3.act: commission has no act regster; it has reg"),
        (
            "    who: school-0099900011\n",
            "    who: school-0000000000\n",
            r"line 8: steps.1.who: school-0000000000 is not among the sch",
        ),
        ("at: 2026-08-18T09:00:00", "at: 2026-08-01T09:00:00", r"line 41: steps.2.at: lies before the step before it; the clo"),
        ("    who: school-0099900011\n", "    who: parent\n", r"line 8: steps.1.who: String should match"),
        ("    case: roberts\n", "    cases: roberts\n", r"line 10: steps.1.cases: Extra inputs"),
        ("    case: roberts\n", "    case: anna\n", r"line 44: steps.2.case: roberts has not been filed yet"),
        ("    act: request\n", "    act: file\n", r"line 44: steps.2.case: roberts has been filed already"),
        ("reads: {commission", "reads: {school-0099900099", r"line 47: steps.2.then.reads.school-0099900099: school-00999000"),
        (
            'received_on: "2026-08-17"\n      intake',
            "received_on: 17.08.2026\n      intake",
            r"line 12: steps.1.form.received_on: is not a",
        ),
        (
            'personal_code: "030218-29015"',
            'personal_code: "030218-29016"',
            r"line 27: steps.1.form.pupil.personal_code: has a wr",
        ),
        ("given_name: Andris", "first_name: Andris", r"line 31: steps.1.form.representative.first_name: is not a field"),
        ("opinion: Valid", "opinion: Perhaps", r"line 62: steps.5.form.opinion: is not a choice here"),
        ("official: Ilze", '"120451-09017": Ilze', r"line 56: steps.4.form.\(unknown field\): is not a field of this form"),
        ('issued_on: "2026-08-26"', 'issued_on: "2026-08-27"', r"line 67: steps.6.form.issued_on: lies in the future"),
        ("    act: request\n", "    act: request\n    form: {}\n", r"steps.2.form: request takes no form; leave it out"),
        ('    form: {register_number: R-17, received_on: "2026-08-18"}\n', "", r"steps.3.form: is missing; register takes one"),
        ('schools: ["0099900011"]', "schools: []", r"line 5: schools: List should have at least 1 item"),
        ('schools: ["0099900011"]', 'schools: ["0099900011", "0099900011"]', r"line 5: schools.2: is named already; name each"),
        ("begins: 2026", "begins: 0001", r"line 4: begins: lies outside the years 1971 to 2999; write the right year"),
        ("at: 2026-08-27", "at: 9999-08-27", r"line 70: steps.7.at: lies outside the years"),
        ("begins: 2026-08-17T09:00:00", "begins: [", "line 6"),
        ("steps:\n", "settings: {school-0099900022: {}}\nsteps:\n", r"line 6: settings.school-0099900022: .* is not among the"),
        ("steps:\n", "settings: {school-0099900011: {strict: 1}}\nsteps:\n", r"settings.school-0099900011.strict: Extra in"),
        ("    act: request\n", "    act: request\n    asleep: [school-0099900022]\n", r"asleep.1: school-0099900022 is not am"),
    ],
)
def test_a_wrong_script_is_told_line_field_and_reason(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=message):
        play(changed(old, new), tmp_path)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("today", "2026-11-24"),
        ("today + 30 days", "2026-12-24"),
        ("today - 1 day", "2026-11-23"),
        ("today+1 day", "today+1 day"),
        ("2026-08-17", "2026-08-17"),
    ],
)
def test_a_day_is_said_from_the_day_of_the_act(written: str, day: str) -> None:
    form = {"received_on": written, "consent": {"days": [written]}, "given": True}
    assert on_day(form, date(2026, 11, 24)) == {"received_on": day, "consent": {"days": [day]}, "given": True}


def test_a_story_without_a_beginning_happens_now(tmp_path: Path) -> None:
    text = changed("begins: 2026-08-17T09:00:00\n", "")
    text = re.sub(r"\n  - at: .*\n    who", "\n  - who", text)
    # Days that are long over would let terms pass meanwhile.
    text = re.sub(r'"2026-08-[0-9]{2}"', "today", text)
    played = play(text, tmp_path)
    assert played[0].day == day_of(milliseconds())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"title: x\nabout: \xff\xfe\x00", "line 2: the file: is no text in UTF-8; save it as UTF-8"),
        (b"title: x\n\nabout: \x00", "line 3: the file: holds a character that no text has"),
        (b"title: {x\n", "line 2: the file: "),
        (b"", "line 1: the file: is empty; write title, schools and steps"),
        (b"# nothing\n", "line 1: the file: is empty"),
        (b"- a list", "line 1: the file: "),
        (b"x" * 300_000, "larger than 256 KiB"),
        (b"a: &a [x, x]\nb: &b [" + b"*a, " * 60_000 + b"x]", "line 1: the file: says more than 100000 values by its aliases"),
        (b'a: "030218-29015"\na: "030218-29016"', "line 2: the file: names a field twice; keep one$"),
    ],
)
def test_what_is_no_script_is_told_line_and_reason(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "script.yaml").write_bytes(content)
    with pytest.raises(ScriptError, match=message):
        read_script(tmp_path / "script.yaml")


def test_aliases_of_aliases_fill_no_memory(tmp_path: Path) -> None:
    lines = [f"a{place}: &a{place} [{', '.join([f'*a{place - 1}'] * 9)}]" for place in range(1, 30)]
    (tmp_path / "script.yaml").write_text("\n".join(["a0: &a0 [x]", *lines]), "utf-8")
    with pytest.raises(ScriptError, match="by its aliases; write them out"):
        read_script(tmp_path / "script.yaml")


def test_a_form_that_is_to_be_refused_as_a_form_may_be_as_wrong_as_it_likes(tmp_path: Path) -> None:
    wrong = changed("030218-29015", "030218-29016").replace(
        "    then:\n      states", "    refused: FormRefused\n    then:\n      states", 1
    )
    text = wrong[: wrong.index("    then:")] + "\n"
    (played,) = play(text, tmp_path)
    assert played.refused == "FormRefused"


def test_a_script_that_cannot_be_read_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="cannot be read"):
        read_script(tmp_path / "missing.yaml")
