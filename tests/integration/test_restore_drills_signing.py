"""Losses of signing key, certificate, settings or the whole folder: docs/operations.md, line by line."""

from __future__ import annotations

import shutil
from pathlib import Path

from services.wire.channels import COMMISSION, REGISTRAR
from tests.commands import SCHOOL
from tests.drills import (
    all_open,
    backed_up,
    copied_back,
    done,
    drill,
    lost,
    only_left,
    opened_anew,
    settled_with,
    worker_code,
)
from tests.folders import Folders


@drill("`signing.key`, its copy is there")
def test_a_signing_keys_copy_signs_what_was_saved_meanwhile(folders: Folders) -> None:
    def unsigned() -> None:
        lost(folders, SCHOOL, "signing.key")
        assert worker_code(folders, SCHOOL) == 2
        folders.filed(1)

    copied_back(folders, SCHOOL, "signing.key", unsigned)
    folders.everybody()
    assert folders.running[SCHOOL].office.database.all("SELECT 1 FROM outgoing") == []
    assert folders.findings() == []


def certified_anew(folders: Folders, lost_certificate: Path) -> None:
    """Let the registrar certify the key of request.pem in the school's folder, and hand its channels over to it."""
    home, certificate = folders.home(SCHOOL), folders.folder / "certificate.pem"
    done(folders, REGISTRAR, "issue", home / "request.pem", certificate)
    folders.start(REGISTRAR)
    opened_anew(folders, SCHOOL, certificate)
    folders.settle()
    done(folders, REGISTRAR, "revoke", lost_certificate, "Lost")
    folders.settle()
    folders.stop(REGISTRAR)
    done(folders, SCHOOL, "certificate", certificate)


@drill("`signing.key`, no copy")
def test_another_signing_key_goes_on_where_the_lost_one_ended(folders: Folders) -> None:
    folders.everybody()
    folders.stop(SCHOOL, REGISTRAR)
    before, saved = folders.states(SCHOOL), folders.filed(1)
    lost(folders, SCHOOL, "signing.key")
    done(folders, SCHOOL, "rotate", "--lost", "--request", folders.folder / "request.pem")
    done(folders, SCHOOL, "rotate", "--lost", "--request", folders.folder / "again.pem")
    assert folders.run(SCHOOL, "cases").code == 0
    certified_anew(folders, folders.home(SCHOOL) / "certificate-lost.pem")
    settled_with(folders, REGISTRAR, SCHOOL)
    assert folders.states(SCHOOL) == before | {saved: "ReadyToRequest"}
    done(folders, SCHOOL, "request", saved)
    folders.settle()
    assert folders.running[COMMISSION].office.database.one("SELECT 1 FROM channels WHERE state <> 'reading'") is None
    assert "Received" in folders.states(COMMISSION).values()
    assert folders.findings() == []


@drill("`certificate.pem`")
def test_a_certificate_comes_from_a_backup(folders: Folders) -> None:
    backup = backed_up(folders, SCHOOL)
    lost(folders, SCHOOL, "certificate.pem")
    assert worker_code(folders, SCHOOL) == 2
    shutil.copy(backup / "certificate.pem", folders.home(SCHOOL))
    folders.everybody()
    assert all_open(folders, SCHOOL)


@drill("`sarakste.toml`")
def test_settings_come_from_a_backup(folders: Folders) -> None:
    backup = backed_up(folders, SCHOOL)
    lost(folders, SCHOOL, "sarakste.toml")
    assert folders.run(SCHOOL, "cases").code == 2
    shutil.copy(backup / "sarakste.toml", folders.home(SCHOOL))
    folders.everybody()
    assert all_open(folders, SCHOOL)


def rebuilt_folder(folders: Folders, backup: Path, *keys: str) -> dict[str, str]:
    """Lose a school's folder, make it anew from a backup and copies of keys; return the cases that it had."""
    home, before = folders.home(SCHOOL), folders.states(SCHOOL)
    copies = {name: (home / name).read_bytes() for name in keys}
    only_left(folders, SCHOOL)
    shutil.copy(backup / "sarakste.toml", home)
    for name, content in copies.items():
        (home / name).write_bytes(content)
        (home / name).chmod(0o600)
    return before


@drill("the whole folder; backup and copies of both keys are there")
def test_a_folder_is_made_again_from_a_backup_and_two_keys(folders: Folders) -> None:
    backup = backed_up(folders, SCHOOL)
    before = rebuilt_folder(folders, backup, "ring.key", "signing.key")
    done(folders, SCHOOL, "restore", backup)
    folders.everybody()
    assert folders.states(SCHOOL) == before
    assert all_open(folders, SCHOOL)


@drill("the whole folder; backup and copy of the ring key are there, none of the signing key")
def test_a_folder_is_made_again_under_another_signing_key(folders: Folders) -> None:
    folders.everybody()
    folders.stop(SCHOOL, REGISTRAR)
    saved = folders.filed(1)
    backup = backed_up(folders, SCHOOL)
    before = rebuilt_folder(folders, backup, "ring.key")
    done(folders, SCHOOL, "restore", backup)
    done(folders, SCHOOL, "rotate", "--lost", "--request", folders.folder / "request.pem")
    certified_anew(folders, folders.home(SCHOOL) / "certificate-lost.pem")
    settled_with(folders, REGISTRAR, SCHOOL)
    assert folders.states(SCHOOL) == before
    assert folders.states(SCHOOL)[saved] == "ReadyToRequest"
    assert all_open(folders, SCHOOL)
    assert folders.findings() == []


@drill("the whole folder; nothing is there")
def test_a_school_of_which_nothing_is_left_begins_anew_under_its_old_id(folders: Folders) -> None:
    folders.everybody()
    folders.stop(SCHOOL, REGISTRAR)
    before, lost_certificate = folders.states(SCHOOL), folders.folder / "old.pem"
    # Public: it stands in the log, and the registrar issued it.
    shutil.copy(folders.home(SCHOOL) / "certificate.pem", lost_certificate)
    shutil.rmtree(folders.home(SCHOOL))
    number = SCHOOL.partition("-")[2]
    names = ["--number", number, "--organisation", f"NTRLV-{number}", "--name", f"Skola {number}"]
    made = folders.call(
        "school", "init", folders.home(SCHOOL), *names, "--log", folders.log, "--root", folders.folder / "root.pem"
    )
    assert made.code == 0, made.err
    certified_anew(folders, lost_certificate)
    done(folders, SCHOOL, "restore", "--from-log", "--keys-lost")
    settled_with(folders, REGISTRAR, SCHOOL)
    assert folders.states(SCHOOL) == before
    assert all_open(folders, SCHOOL)
    done(folders, SCHOOL, "request", folders.filed(1))
    folders.settle()
    assert "Received" in folders.states(COMMISSION).values()
    assert folders.findings() == []
