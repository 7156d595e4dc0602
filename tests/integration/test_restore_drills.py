"""Losses of database, ring file and ring key with their copies at hand: docs/operations.md, line by line."""

from __future__ import annotations

import shutil

from services.wire.channels import REGISTRAR
from tests.commands import SCHOOL
from tests.drills import (
    a_day_after_the_backup,
    all_open,
    backed_up,
    done,
    drill,
    everything_opens,
    kept_away,
    lost,
    put_back,
)
from tests.folders import Folders


def started(folders: Folders) -> None:
    folders.start(SCHOOL)
    folders.settle()
    assert folders.findings() == []


@drill("`database.sqlite`, a backup is there")
def test_a_database_comes_back_from_a_backup_and_the_log(folders: Folders) -> None:
    before = folders.states(SCHOOL)
    backup, sent, unsent = a_day_after_the_backup(folders)
    lost(folders, SCHOOL, "database.sqlite")
    done(folders, SCHOOL, "restore", backup)
    started(folders)
    assert folders.states(SCHOOL) == before | {sent: "AwaitingCommission"}
    assert all_open(folders, SCHOOL)
    assert "own entries were taken back from the log" in folders.alarms(SCHOOL)
    assert unsent not in folders.states(SCHOOL)
    assert folders.filed(2) != unsent


@drill("`database.sqlite`, no backup")
def test_a_database_comes_back_from_the_log_alone(folders: Folders) -> None:
    before = folders.states(SCHOOL)
    _, sent, unsent = a_day_after_the_backup(folders)
    folders.run(SCHOOL, "draft", folders.form(3))
    lost(folders, SCHOOL, "database.sqlite")
    done(folders, SCHOOL, "restore", "--from-log")
    started(folders)
    assert folders.states(SCHOOL) == before | {sent: "AwaitingCommission"}
    assert all_open(folders, SCHOOL)
    assert folders.run(SCHOOL, "drafts", "--json").json == []
    assert folders.filed(2) != unsent


@drill("`database.sqlite` damaged, a backup is there")
def test_a_damaged_database_is_set_aside_and_comes_back(folders: Folders) -> None:
    before = folders.states(SCHOOL)
    backup, sent, _ = a_day_after_the_backup(folders)
    path = folders.home(SCHOOL) / "database.sqlite"
    path.write_bytes(b"no database at all" * 1000)
    assert folders.run(SCHOOL, "cases").code == 5
    done(folders, SCHOOL, "restore", backup)
    started(folders)
    assert folders.states(SCHOOL) == before | {sent: "AwaitingCommission"}


@drill("a draft")
def test_a_draft_is_in_a_backup_and_in_no_log(folders: Folders) -> None:
    number = folders.run(SCHOOL, "draft", folders.form(3), "--json").json["draft"]
    backup = backed_up(folders, SCHOOL)
    lost(folders, SCHOOL, "database.sqlite")
    done(folders, SCHOOL, "restore", "--from-log")
    folders.everybody()
    assert folders.run(SCHOOL, "drafts", "--json").json == []
    folders.stop(SCHOOL)
    done(folders, SCHOOL, "restore", backup)
    started(folders)
    assert folders.run(SCHOOL, "file", "--draft", number).code == 0


@drill("`ring.file`")
def test_the_ring_file_is_written_anew(folders: Folders) -> None:
    before = folders.states(SCHOOL)
    lost(folders, SCHOOL, "ring.file")
    folders.everybody()
    folders.filed(1)
    folders.settle()
    # Once it is there again, the database may go.
    lost(folders, SCHOOL, "database.sqlite")
    done(folders, SCHOOL, "restore", "--from-log")
    started(folders)
    assert before.items() <= folders.states(SCHOOL).items()
    assert all_open(folders, SCHOOL)


@drill("`ring.file` damaged")
def test_a_damaged_ring_file_is_moved_away(folders: Folders) -> None:
    before = folders.states(SCHOOL)
    path = folders.home(SCHOOL) / "ring.file"
    path.write_bytes(path.read_bytes()[:-100])
    answer = folders.run(SCHOOL, "cases")
    assert answer.code == 7
    assert "ring.file is damaged" in answer.err
    path.rename(folders.folder / "ring.file")
    folders.everybody()
    assert folders.states(SCHOOL) == before
    assert all_open(folders, SCHOOL)


@drill("`ring.key`, its copy is there")
def test_the_ring_keys_copy_opens_all_again(folders: Folders) -> None:
    before, copy = folders.states(SCHOOL), kept_away(folders, "ring.key")
    lost(folders, SCHOOL, "ring.key")
    answer = folders.run(SCHOOL, "cases")
    assert answer.code == 7
    put_back(folders, copy)
    folders.everybody()
    assert folders.states(SCHOOL) == before
    assert all_open(folders, SCHOOL)


@drill("`database.sqlite` and `ring.file`, a backup is there")
def test_of_cases_begun_after_the_backup_the_record_is_closed_without_the_newest_ring_file(folders: Folders) -> None:
    backup, sent, _ = a_day_after_the_backup(folders)
    lost(folders, SCHOOL, "database.sqlite", "ring.file")
    done(folders, SCHOOL, "restore", backup)
    folders.start(SCHOOL)
    for _ in range(3):
        folders.settle(seconds=10)
    assert folders.states(SCHOOL)[sent] == "AwaitingCommission"
    told = dict(folders.told(SCHOOL, sent))
    assert told["InformationRequested"] == "can be opened"
    assert told["ApplicationFiled"] == "not yet"
    assert "taken back without its case key" in folders.alarms(SCHOOL)
    assert all(everything_opens(folders, SCHOOL, case) for case in folders.states(SCHOOL) if case != sent)


@drill("`database.sqlite` and `ring.key`, backup and copy are there")
def test_database_and_ring_key_come_from_their_two_places(folders: Folders) -> None:
    before, copy = folders.states(SCHOOL), kept_away(folders, "ring.key")
    backup, sent, _ = a_day_after_the_backup(folders)
    lost(folders, SCHOOL, "database.sqlite", "ring.key")
    put_back(folders, copy)
    done(folders, SCHOOL, "restore", backup)
    started(folders)
    assert folders.states(SCHOOL) == before | {sent: "AwaitingCommission"}
    assert all_open(folders, SCHOOL)


@drill("`ring.file` and `ring.key`, the copy is there")
def test_a_database_and_the_ring_keys_copy_are_enough(folders: Folders) -> None:
    before, copy = folders.states(SCHOOL), kept_away(folders, "ring.key")
    lost(folders, SCHOOL, "ring.file", "ring.key")
    put_back(folders, copy)
    folders.everybody()
    folders.filed(1)
    folders.settle()
    assert before.items() <= folders.states(SCHOOL).items()
    assert all_open(folders, SCHOOL)
    assert (folders.home(SCHOOL) / "ring.file").exists()


@drill("`database.sqlite`, `ring.file` and `ring.key`, backup and copy are there")
def test_all_three_come_back_but_what_the_newest_ring_file_alone_held(folders: Folders) -> None:
    copy = kept_away(folders, "ring.key")
    backup, sent, _ = a_day_after_the_backup(folders)
    lost(folders, SCHOOL, "database.sqlite", "ring.file", "ring.key")
    put_back(folders, copy)
    done(folders, SCHOOL, "restore", backup)
    folders.start(SCHOOL)
    for _ in range(3):
        folders.settle(seconds=10)
    assert dict(folders.told(SCHOOL, sent))["InformationRequested"] == "can be opened"
    assert all(everything_opens(folders, SCHOOL, case) for case in folders.states(SCHOOL) if case != sent)


@drill("database and ring file of different days")
def test_a_newer_database_and_an_older_ring_file_are_one_after_a_start(folders: Folders) -> None:
    older = (folders.home(SCHOOL) / "ring.file").read_bytes()
    before = folders.states(SCHOOL)
    folders.everybody()
    sent = folders.filed(1)
    folders.settle()
    folders.stop(SCHOOL)
    (folders.home(SCHOOL) / "ring.file").write_bytes(older)
    started(folders)
    assert folders.states(SCHOOL) == before | {sent: "ReadyToRequest"}
    assert all_open(folders, SCHOOL)
    # The ring file has the newer keys again: now the database may go.
    lost(folders, SCHOOL, "database.sqlite")
    done(folders, SCHOOL, "restore", "--from-log")
    started(folders)
    assert folders.states(SCHOOL) == before | {sent: "ReadyToRequest"}
    assert all_open(folders, SCHOOL)


@drill("a ring key that is not the one")
def test_another_ring_key_touches_nothing(folders: Folders) -> None:
    before, copy = folders.states(SCHOOL), kept_away(folders, "ring.key")
    backup = backed_up(folders, SCHOOL)
    home = folders.home(SCHOOL)
    shutil.copy(folders.home(REGISTRAR) / "ring.key", home / "ring.key")
    files = {path.name: path.read_bytes() for path in home.iterdir() if not path.name.endswith((".lease", "-shm", "-wal"))}
    assert folders.run(SCHOOL, "restore", backup).code == 7
    assert files == {path.name: path.read_bytes() for path in home.iterdir() if path.name in files}
    put_back(folders, copy)
    folders.everybody()
    assert folders.states(SCHOOL) == before
