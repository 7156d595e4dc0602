"""Stories that begin at the commission: a.1 as a rehearsal, and the same acts as commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.desk.playing import Played
from services.desk.rehearsing import Rehearsal
from services.desk.script import ScriptError, read_script
from tests.commands import sarakste

_STORY = """
title: E01 — a.1, in person
begins: 2026-08-03T09:00:00
schools: ["0099900011"]
steps:
  - at: 2026-08-03T10:00:00
    who: commission
    act: register-direct
    case: elza
    form: &application
      register_number: R-1
      received_on: "2026-08-03"
      intake: InPerson
      asks: Recommendation
      requester: Representative
      pupil: &elza
        given_name: Elza
        family_name: Paraudziņa
        personal_code: 140917-29013
        declared_address: &home {text: "Izdomu iela 7-12, Paraugpilsēta", postal_code: LV-1099}
      representative: {<<: *elza, given_name: Ilze, personal_code: 120451-09017}
      address: {choice: Home, protected: false, address: *home}
    then:
      states: {commission: Registered}
      events: {commission: [RequestRegistered]}
      cannot_read: {school-0099900011: [RequestRegistered]}
  - who: commission
    act: register-direct
    case: again
    form: *application
    refused: DirectRegistered
  - who: commission
    act: not-matched
    case: elza
    refused: NoSchool
  - who: commission
    act: look-up
    case: elza
    form: {examined_on: "2026-08-03"}
    refused: RegisterMissing
  - at: 2026-08-10T10:00:00
    who: commission
    act: examine
    case: elza
    form: {file_found: true, opinion: Valid, opinion_until: "2028-02-03", examined_on: "2026-08-10"}
  - who: commission
    act: recommend
    case: elza
    form: {number: I-1, text: Ieteikums, issued_on: "2026-08-10", valid_from: "2026-08-10"}
  - who: commission
    act: dispatch
    case: elza
    form: {number: S-1, by: InPerson, sent_on: "2026-08-10"}
  - who: commission
    act: answer
    case: elza
    form: {official: Ilze Paraudziņa}
    refused: NoSchool
  - who: commission
    act: close
    case: elza
    form: {cause: Dispatched}
    then:
      states: {commission: "Closed: Dispatched"}
      cannot_read: {school-0099900011: [RecommendationIssued, DocumentsDispatched, AssessmentClosed]}
"""


def _play(text: str, folder: Path) -> list[Played]:
    path = folder / "script.yaml"
    path.write_text(text, "utf-8")
    return list(Rehearsal(read_script(path), folder / "exchange").play())


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Play the story, and return the folder of its exchange."""
    folder = tmp_path_factory.mktemp("begun")
    assert len(_play(_STORY, folder)) == 9
    return folder / "exchange"


def _commission(exchange: Path, *arguments: object) -> Any:
    done = sarakste("commission", *arguments, "--config", exchange / "commission/sarakste.toml", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _form(folder: Path, **content: object) -> Path:
    path = folder / "form.json"
    path.write_text(json.dumps(content), "utf-8")
    return path


def _application(**changes: object) -> dict[str, object]:
    home = {"text": "Izdomu iela 7-12, Paraugpilsēta", "postal_code": "LV-1099"}
    pupil = {
        "given_name": "Oskars",
        "family_name": "Tēlotājs",
        "personal_code": "320000-00011",
        "declared_address": home,
    }
    return {
        "register_number": "R-2",
        "received_on": "2026-08-03",
        "intake": "Post",
        "asks": "IrpAndRecommendation",
        "requester": "AdultPupil",
        "pupil": pupil,
        "address": {"choice": "Home", "protected": False, "address": home},
        **changes,
    }


@pytest.mark.shows("A5.a1", "A5.b1")
def test_an_application_begins_and_goes_on_by_commands(exchange: Path, tmp_path: Path) -> None:
    begun = _commission(exchange, "register-direct", _form(tmp_path, **_application()))
    again = _commission(exchange, "register-direct", _form(tmp_path, **_application(register_number="R-3")))
    assert [each["type"] for each in begun["saved"]] == ["RequestRegistered"]
    assert _commission(exchange, "same-pupil", begun["case"]) == {"cases": [again["case"]]}
    settings = exchange / "commission/sarakste.toml"
    settings.write_text('expertise = "files.csv"\n' + settings.read_text("utf-8"), "utf-8")
    files = exchange / "commission/files.csv"
    files.write_text("personal_code,opinion_on,opinion_until\n320000-00011,2024-05-12,\n", "utf-8")
    looked = _commission(exchange, "look-up", begun["case"], _form(tmp_path, examined_on="2026-08-04"))
    assert [each["type"] for each in looked] == ["ExpertiseFileExamined"]
    told = sarakste("commission", "register-direct", _form(tmp_path, **_application(register_number="R-4")), "--config", settings)
    assert told.stdout.startswith("case 0")
    printed = sarakste("commission", "same-pupil", again["case"], "--config", settings)
    assert begun["case"] in printed.stdout


def test_a_command_without_a_form_is_refused_by_its_rule(exchange: Path) -> None:
    (case,) = [each["case"] for each in _commission(exchange, "cases") if each["state"] == "Closed: Dispatched"]
    done = sarakste("commission", "not-matched", case, "--config", exchange / "commission/sarakste.toml")
    assert (done.returncode, "no school waits for anything" in done.stderr) == (3, True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "  - who: commission\n    act: not-matched",
            "  - who: school-0099900011\n    act: request",
            "line 34: steps.3.case: elza began at the commission; no school has a part in it",
        ),
        ("    case: again\n", "    case: elza\n", "steps.2.case: elza has been filed already"),
        (
            "    case: elza\n    form: {examined_on",
            "    case: oto\n    form: {examined_on",
            "steps.4.case: oto has not been filed yet",
        ),
        ("    act: not-matched\n", "    act: not-matched\n    form: {}\n", "not-matched takes no form; leave it out"),
    ],
)
def test_a_script_that_no_exchange_could_play_is_told_where(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in _STORY
    with pytest.raises(ScriptError, match=message):
        _play(_STORY.replace(old, new, 1), tmp_path)
