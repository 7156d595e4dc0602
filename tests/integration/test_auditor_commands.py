"""An auditor as people work with it: founded or joining, decided on by commands, over the folders of an exchange."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from services.audit.verify import open_log
from services.desk.founding import found_exchange
from services.wire.channels import COMMISSION, REGISTRAR, mailbox_of
from tests.folders import OTHER_SCHOOL, Folders

AUDITOR = "auditor-vk"
SCHOOL = "school-0099900011"
EVERYBODY = (REGISTRAR, COMMISSION, SCHOOL, OTHER_SCHOOL, AUDITOR)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audited") / "exchange"
    list(found_exchange(folder, ["0099900011", "0099900022"], auditors=[AUDITOR]))
    return folder


@pytest.fixture
def folders(founded: Path, tmp_path: Path) -> Folders:
    return Folders.copy(founded, tmp_path / "exchange")


def filed(folders: Folders) -> None:
    folders.start(*EVERYBODY)
    folders.settle()
    assert folders.run(SCHOOL, "file", folders.form()).code == 0
    folders.settle(seconds=6)


def test_an_exchange_is_founded_with_an_auditor_that_waits_for_a_decision_of_each(folders: Folders) -> None:
    filed(folders)
    for name in (SCHOOL, OTHER_SCHOOL, COMMISSION):
        listed = folders.run(name, "auditors", "--json").json
        assert [(each["auditor"], each["decision"], each["keys"]) for each in listed] == [(AUDITOR, "asks", 0)]
        assert f"auditors that nobody has decided on: {AUDITOR} (see auditors)" in folders.run(name, "status").out
    assert "nobody has decided" not in folders.run(AUDITOR, "status").out
    with closing(open_log(folders.log)) as log:
        assert log.end(mailbox_of(AUDITOR)) == 0


def test_a_person_lets_an_auditor_in_and_puts_it_out_by_commands(folders: Folders) -> None:
    filed(folders)
    assert "AccessGranted" in folders.run(SCHOOL, "approve", AUDITOR).out
    folders.settle(seconds=6)
    keys = {each["channel"]: (each["keys"], each["missing"]) for each in folders.run(AUDITOR, "keys", "--json").json}
    assert keys[f"{SCHOOL}.record"] == (1, 0)
    assert keys[f"{OTHER_SCHOOL}.record"] == (0, 0)
    again = folders.run(SCHOOL, "approve", AUDITOR)
    assert (again.code, again.err) == (3, f"AlreadyDecided: {AUDITOR} is approved already; nothing is recorded a second time.\n")
    assert "AccessEnded" in folders.run(SCHOOL, "refuse", AUDITOR).out
    folders.settle(seconds=6)
    assert folders.run(SCHOOL, "file", folders.form(2)).code == 0
    folders.settle(seconds=6)
    keys = {each["channel"]: (each["keys"], each["missing"]) for each in folders.run(AUDITOR, "keys", "--json").json}
    assert keys[f"{SCHOOL}.record"] == (1, 1)
    assert "1 keys are missing; the worker asks for them" in folders.run(AUDITOR, "ask").out


def test_where_a_setting_says_so_nobody_is_asked(folders: Folders) -> None:
    settings = folders.home(SCHOOL) / "sarakste.toml"
    settings.write_text('approve_auditors = "always"\n' + settings.read_text("utf-8"), "utf-8")
    filed(folders)
    folders.settle(seconds=6)
    assert [each["decision"] for each in folders.run(SCHOOL, "auditors", "--json").json] == ["approved"]
    assert [each["decision"] for each in folders.run(COMMISSION, "auditors", "--json").json] == ["asks"]
    settings.write_text(settings.read_text("utf-8").replace('"always"', '"perhaps"'), "utf-8")
    wrong = folders.run(SCHOOL, "auditors")
    assert (wrong.code, "SARAKSTE_APPROVE_AUDITORS" in wrong.err) == (2, True)


def test_an_auditor_joins_an_exchange_that_is_there(folders: Folders, tmp_path: Path) -> None:
    folders.start(REGISTRAR)
    home = folders.home("auditor-jauns")
    made = folders.call(
        "auditor", "init", home, "--id", "auditor-jauns", "--organisation", "NTRLV-90000000077", "--name", "Jauna revīzija",
        "--log", folders.log, "--root", folders.folder / "root.pem", "--json",
    )  # fmt: skip
    assert [each.split()[1:3] for each in made.json["next"]] == [
        ["registrar", "issue"],
        ["registrar", "admit"],
        ["auditor", "certificate"],
        ["auditor", "worker"],
    ]
    certificate = tmp_path / "certificate.pem"
    assert folders.run(REGISTRAR, "issue", home / "request.pem", certificate).code == 0
    assert folders.run(REGISTRAR, "admit", "auditor-jauns", "Auditor", "NTRLV-90000000077", "Jauna revīzija").code == 0
    assert folders.run("auditor-jauns", "certificate", certificate).code == 0
    folders.settle()
    folders.start("auditor-jauns")
    folders.settle()
    lines = folders.run("auditor-jauns", "keys", "--json").json
    assert {"registrar.trust", "auditor-jauns.record"} <= {each["channel"] for each in lines}


@pytest.mark.parametrize("name", ["auditor-", "revizija", "auditor-VK", "auditor-" + "x" * 48])
def test_whoever_is_no_auditor_by_its_id_is_told_so_before_anything_is_made(folders: Folders, name: str) -> None:
    home = folders.home("nobody")
    told = folders.call(
        "auditor", "init", home, "--id", name, "--organisation", "NTRLV-90000000077", "--name", "Revīzija",
        "--log", folders.log, "--root", folders.folder / "root.pem",
    )  # fmt: skip
    assert (told.code, "an auditor's id is auditor-" in told.err, home.exists()) == (2, True, False)
    told = folders.call("init", folders.folder / "another", "--school", "0099900011", "--auditor", name)
    assert (told.code, "--auditor: an auditor's id is" in told.err) == (2, True)


def test_an_auditor_is_founded_once_under_one_id(tmp_path: Path) -> None:
    told = Folders(tmp_path).call("init", tmp_path / "x", "--school", "0099900011", "--auditor", AUDITOR, "--auditor", AUDITOR)
    assert (told.code, told.err) == (2, "--auditor names an auditor twice; give each id once\n")


def test_an_auditors_backup_is_restored_like_anybodys(folders: Folders, tmp_path: Path) -> None:
    filed(folders)
    assert folders.run(SCHOOL, "approve", AUDITOR).code == 0
    folders.settle(seconds=6)
    before = folders.run(AUDITOR, "keys", "--json").json
    assert folders.run(AUDITOR, "backup", tmp_path / "copy").code == 0
    folders.stop(AUDITOR)
    for each in folders.home(AUDITOR).glob("database.sqlite*"):
        each.unlink()
    restored = folders.run(AUDITOR, "restore", tmp_path / "copy")
    assert restored.code == 0, restored.err
    folders.start(AUDITOR)
    folders.settle()
    assert folders.run(AUDITOR, "keys", "--json").json == before
