"""What a rule stopped stands in the case: what was tried, when, by whom, and which rule it was (E07)."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import pytest

from services.post.database import Database
from services.post.refused_acts import noting, refused_acts
from services.school.domain.refusals import ConsentMissingError
from services.wire.channels import COMMISSION
from services.wire.errors import DiskError, RefusedError
from tests.commands import SCHOOL
from tests.folders import Folders
from tests.people import another_pupil, application_json


def unconsented(folders: Folders) -> str:
    """File an application without a consent, and return its case."""
    form = folders.folder / "unconsented.json"
    form.write_text(json.dumps(application_json(pupil=another_pupil(41), consent={"given": False})))
    return str(folders.run(SCHOOL, "file", form, "--json").json["case"])


@pytest.mark.shows("D5.1")
def test_an_attempt_to_ask_without_a_consent_is_stopped_and_stands_in_the_case(folders: Folders) -> None:
    case = unconsented(folders)
    assert folders.run(SCHOOL, "show", case, "--json").json["refused"] == []
    for _ in range(2):
        stopped = folders.run(SCHOOL, "request", case)
        assert (stopped.code, stopped.err) == (RefusedError.exit_code, f"ConsentMissing: {ConsentMissingError()}\n")
    tried = folders.run(SCHOOL, "show", case, "--json").json["refused"]
    assert [(each["act"], each["rule"], each["entered_by"]) for each in tried] == [("request", "ConsentMissing", "clerk")] * 2
    assert all(each["at"] > 0 for each in tried)
    assert "Refused: request at " in folders.run(SCHOOL, "show", case).out
    # Nothing happened: neither an event of the case, nor anything that could go to the commission.
    assert "InformationRequested" not in dict(folders.told(SCHOOL, case))


def test_who_is_stopped_reads_the_rule_before_its_sentence_and_of_a_form_before_its_faults(folders: Folders) -> None:
    form = folders.folder / "faulty.json"
    form.write_text(json.dumps(application_json(received_on="soon", consent={"given": "perhaps"})))
    refused = folders.run(SCHOOL, "file", form)
    assert (refused.code, refused.err.splitlines()[0]) == (RefusedError.exit_code, "FormRefused:")
    assert len(refused.err.splitlines()) > 2
    # What is no rule of the procedure's has no name, and its sentence says all.
    assert folders.run(SCHOOL, "show", "no-number").err.startswith("This is no case number.")


def test_what_the_commission_tries_against_a_rule_stands_in_its_case(folders: Folders) -> None:
    folders.everybody()
    before = folders.states(COMMISSION).keys()
    case = folders.filed(42)
    assert folders.run(SCHOOL, "request", case).code == 0
    folders.settle()
    (asked,) = folders.states(COMMISSION).keys() - before
    assert folders.run(COMMISSION, "answer", asked, form_of_answer(folders)).code == RefusedError.exit_code
    tried = folders.run(COMMISSION, "show", asked, "--json").json["refused"]
    assert [each["act"] for each in tried] == ["answer"]


def form_of_answer(folders: Folders) -> str:
    path = folders.folder / "answer.json"
    path.write_text(json.dumps({"official": "Ilze Paraudziņa"}))
    return str(path)


def test_a_mistyped_number_is_no_case_and_keeps_nothing(folders: Folders) -> None:
    assert folders.run(SCHOOL, "request", str(uuid4())).code == RefusedError.exit_code
    office = folders.office(SCHOOL)
    assert office.database.all("SELECT * FROM refused_acts") == []


def test_a_refusal_is_told_even_where_it_cannot_be_written_down(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    case, office = UUID(unconsented(folders)), folders.office(SCHOOL)

    def full(_: Database) -> None:
        raise DiskError("the disk is full")

    def tried() -> None:
        with noting(office, case, "request"):
            raise ConsentMissingError

    with monkeypatch.context() as harmed:
        harmed.setattr(Database, "transaction", full)
        with pytest.raises(ConsentMissingError):
            tried()
    assert refused_acts(office, case) == []
