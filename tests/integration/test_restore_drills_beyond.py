"""Losses beyond database and ring that docs/operations.md names: signing keys, folders, what was under way, the log, time."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from services.post.publishing import save_ring, send_once, sign_once
from services.wire.channels import COMMISSION, REGISTRAR, from_commission, record_of, to_commission
from services.wire.errors import StoreBehindError
from tests.commands import SCHOOL
from tests.drills import all_open, backed_up, drill, lost, only_left, opened_anew
from tests.folders import OTHER_SCHOOL, Folders

DAY = 86_400_000
YEAR = 365 * DAY


def done(folders: Folders, name: str, *arguments: object) -> None:
    answer = folders.run(name, *arguments)
    assert answer.code == 0, answer.err


def settled_with(folders: Folders, *names: str) -> None:
    folders.start(*names)
    for _ in range(3):
        folders.settle(seconds=10)


def copied_back(folders: Folders, name: str, file: str, break_it: Callable[[], object]) -> None:
    """Keep a copy of a file, let it be lost, and put the copy back."""
    path = folders.home(name) / file
    content = path.read_bytes()
    break_it()
    path.write_bytes(content)
    path.chmod(0o600)


def worker_code(folders: Folders, name: str) -> int:
    """Return with which exit code a worker leaves that cannot start."""
    return folders.run(name, "worker").code


# Signing keys and settings


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


# What was under way


@drill("what was saved and not signed, with its database")
def test_what_was_only_saved_is_gone_with_its_database(folders: Folders) -> None:
    before, backup = folders.states(SCHOOL), backed_up(folders, SCHOOL)
    folders.filed(1)
    lost(folders, SCHOOL, "database.sqlite")
    done(folders, SCHOOL, "restore", backup)
    folders.everybody()
    assert folders.states(SCHOOL) == before
    folders.filed(1)
    folders.settle()
    assert folders.findings() == []


@drill("what was signed and not sent, with its database")
def test_a_place_that_was_promised_is_not_given_away_twice(folders: Folders) -> None:
    folders.everybody()
    backup, before = backed_up(folders, SCHOOL), folders.states(SCHOOL)
    folders.stop(REGISTRAR)
    folders.filed(1)
    office = folders.running[SCHOOL].office
    sign_once(office)
    # Killed here: the ring file is written before the log takes anything.
    save_ring(office, office.letterbook.unsent(10))
    lost(folders, SCHOOL, "database.sqlite")
    done(folders, SCHOOL, "restore", backup)
    with pytest.raises(StoreBehindError, match="older than the ring file"):
        folders.start(SCHOOL)
    folders.start(REGISTRAR)
    opened_anew(folders, SCHOOL, folders.home(SCHOOL) / "certificate.pem", record_of(SCHOOL))
    folders.settle()
    settled_with(folders, SCHOOL)
    assert folders.states(SCHOOL) == before
    folders.filed(1)
    folders.settle()
    assert folders.findings() == []


def two_copies(folders: Folders) -> tuple[Path, Path]:
    """Let a school work in two places, first in a new one, then in the old one; return both folders. Neither is in place."""
    folders.everybody()
    folders.stop(SCHOOL)
    home, new, old = folders.home(SCHOOL), folders.folder / "new", folders.folder / "old"
    shutil.copytree(home, old)
    done(folders, SCHOOL, "request", folders.filed(1))
    settled_with(folders, SCHOOL)
    folders.stop(SCHOOL)
    home.rename(new)
    # The old machine is switched on again, and sends before it reads.
    old.rename(home)
    done(folders, SCHOOL, "request", folders.filed(2))
    office = folders.office(SCHOOL)
    sign_once(office)
    send_once(office)
    assert office.channel is not None
    office.channel.close()
    office.database.close()
    home.rename(old)
    folders.settle()
    assert state_at_commission(folders) == "forked"
    return new, old


def state_at_commission(folders: Folders) -> str:
    (line,) = [each for each in folders.run(COMMISSION, "channels", "--json").json if each["channel"] == to_commission(SCHOOL)]
    return str(line["state"])


def goes_on_alone(folders: Folders, copy: Path) -> dict[str, str]:
    """Put one copy in place, and let the registrar begin its channels after the last entries that it wrote."""
    copy.rename(folders.home(SCHOOL))
    assert worker_code(folders, SCHOOL) == 4
    before, certificate = folders.states(SCHOOL), folders.home(SCHOOL) / "certificate.pem"
    lines = {line["channel"]: line for line in folders.run(SCHOOL, "channels", "--json").json}
    for channel in (to_commission(SCHOOL), record_of(SCHOOL)):
        done(folders, REGISTRAR, "open-epoch", channel, lines[channel]["sequence"], lines[channel]["digest"], certificate)
    folders.settle()
    return before


@drill("two copies of one participant that both worked")
def test_of_two_copies_one_goes_on_in_a_new_epoch_and_readers_undo_the_others(folders: Folders) -> None:
    new, old = two_copies(folders)
    before = goes_on_alone(folders, old)
    settled_with(folders, SCHOOL)
    assert state_at_commission(folders) == "off chain"
    done(folders, COMMISSION, "agree", to_commission(SCHOOL), "--yes")
    settled_with(folders)
    assert state_at_commission(folders) == "reading"
    assert folders.states(SCHOOL) == before
    # Receipts for what the other copy wrote stand in the log for ever, and stop nobody, at a start neither.
    settled_with(folders, SCHOOL, COMMISSION)
    assert list(folders.states(COMMISSION).values()).count("Received") == 1
    assert new.exists()


def test_of_two_copies_the_one_that_was_read_first_goes_on_without_anybody_agreeing(folders: Folders) -> None:
    new, _ = two_copies(folders)
    before = goes_on_alone(folders, new)
    settled_with(folders, SCHOOL)
    assert state_at_commission(folders) == "reading"
    # Also an hour later, when the own channel is read back with what the other copy left there.
    folders.clock.now += 3_600_000
    settled_with(folders)
    assert folders.states(SCHOOL) == before
    assert list(folders.states(COMMISSION).values()).count("Received") == 1


# The log


def rolled_back(folders: Folders, older: Path | None) -> None:
    """Let the log be lost, or be what it was when ``older`` was copied."""
    for path in folders.folder.glob("log.sqlite*"):
        path.unlink()
    if older is not None:
        shutil.copy(older, folders.log)


def copied_log(folders: Folders) -> Path:
    copy = folders.folder / "older-log.sqlite"
    with closing(sqlite3.connect(folders.log)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def places(folders: Folders) -> dict[str, int]:
    with closing(sqlite3.connect(folders.log)) as log:
        rows = log.execute(
            "SELECT channel, count(DISTINCT value) FROM records WHERE channel NOT LIKE '%.mailbox' GROUP BY channel"
        )
        return dict(rows.fetchall())


@drill("the log, all databases are there")
def test_a_log_that_is_gone_is_written_again_by_everybody(folders: Folders) -> None:
    folders.everybody()
    before, states = places(folders), folders.states(SCHOOL)
    folders.stop(*list(folders.running))
    rolled_back(folders, None)
    folders.everybody()
    settled_with(folders)
    now = places(folders)
    assert {channel: now[channel] >= count for channel, count in before.items()} == dict.fromkeys(before, True)
    assert folders.states(SCHOOL) == states
    assert folders.findings() == []
    done(folders, SCHOOL, "request", folders.filed(1))
    folders.settle()
    assert "Received" in folders.states(COMMISSION).values()


@drill("the log, put back from an older copy")
def test_a_log_that_is_older_gets_what_it_lacks(folders: Folders) -> None:
    older = copied_log(folders)
    folders.everybody()
    asked = folders.filed(1)
    done(folders, SCHOOL, "request", asked)
    folders.settle()
    folders.stop(*list(folders.running))
    rolled_back(folders, older)
    folders.everybody()
    assert folders.states(SCHOOL)[asked] == "AwaitingCommission"
    assert folders.findings() == []
    assert list(folders.states(COMMISSION).values()).count("Received") == 1


@drill("the log put back from an older copy, and a database too")
def test_what_log_and_database_lost_together_comes_back_from_who_holds_it(folders: Folders) -> None:
    backup, older = backed_up(folders, SCHOOL), copied_log(folders)
    folders.everybody()
    asked = folders.filed(1)
    done(folders, SCHOOL, "request", asked)
    settled_with(folders)
    folders.stop(*list(folders.running))
    rolled_back(folders, older)
    lost(folders, SCHOOL, "database.sqlite")
    done(folders, SCHOOL, "restore", backup)
    folders.start(REGISTRAR, COMMISSION, OTHER_SCHOOL)
    folders.settle()
    with pytest.raises(StoreBehindError):
        folders.start(SCHOOL)
    done(folders, COMMISSION, "give-back", to_commission(SCHOOL))
    opened_anew(folders, SCHOOL, folders.home(SCHOOL) / "certificate.pem", record_of(SCHOOL))
    folders.settle()
    settled_with(folders, SCHOOL)
    # The request is back, with the copy of the application; the application itself stood in the record alone.
    assert folders.states(SCHOOL)[asked] == "AwaitingCommission"
    assert folders.told(SCHOOL, asked) == [("InformationRequested", "can be opened")]
    assert folders.findings() == []


# Time


@drill("letters, expired while you were away")
def test_after_ten_weeks_away_keys_are_asked_for_again(folders: Folders) -> None:
    folders.everybody()
    folders.stop(COMMISSION)
    asked = folders.filed(1)
    done(folders, SCHOOL, "request", asked)
    settled_with(folders)
    folders.clock.now += 70 * DAY
    # The first letter after that lets the expired ones go.
    settled_with(folders, COMMISSION)
    folders.clock.now += 3_600_000
    settled_with(folders)
    assert list(folders.states(COMMISSION).values()).count("Received") == 1
    assert all_open(folders, COMMISSION)


@drill("the certificate, expired while you were away")
def test_an_expired_certificate_signs_and_is_renewed(folders: Folders) -> None:
    folders.clock.now += 4 * YEAR
    folders.everybody()
    assert f"the certificate of {SCHOOL} ends on" in folders.alarms(SCHOOL)
    done(folders, SCHOOL, "request", folders.filed(1))
    folders.settle()
    assert "Received" in folders.states(COMMISSION).values()
    done(folders, SCHOOL, "rotate", "--request", folders.folder / "request.pem")
    done(folders, REGISTRAR, "issue", folders.folder / "request.pem", folders.folder / "next.pem")
    done(folders, SCHOOL, "rotate", folders.folder / "next.pem")
    folders.settle()
    office = folders.running[SCHOOL].office
    for channel in office.own_channels:
        assert office.letterbook.standing(channel).place.certificate == office.signers.newest.certificate  # type: ignore[union-attr]  # it is open
    assert folders.findings() == []


# The registrar


@drill("the registrar's `database.sqlite`")
def test_the_registrars_word_comes_back_from_the_log(folders: Folders) -> None:
    folders.everybody()
    before = folders.run(REGISTRAR, "channels", "--json").json
    lost(folders, REGISTRAR, "database.sqlite")
    done(folders, REGISTRAR, "restore", "--from-log")
    settled_with(folders, REGISTRAR)
    heads = [(line["channel"], line["digest"]) for line in folders.run(REGISTRAR, "channels", "--json").json]
    assert heads == [(line["channel"], line["digest"]) for line in before]
    done(folders, REGISTRAR, "confirm")
    folders.settle()
    assert folders.findings() == []


@drill("the registrar's `signing.key`, its copy is there")
def test_the_registrars_keys_copy_speaks_again(folders: Folders) -> None:
    folders.everybody()
    copied_back(folders, REGISTRAR, "signing.key", lambda: lost(folders, REGISTRAR, "signing.key"))
    settled_with(folders, REGISTRAR)
    done(folders, REGISTRAR, "confirm")
    folders.settle()
    assert folders.findings() == []


@drill("the registrar's `signing.key`, no copy")
def test_without_the_registrar_those_who_are_there_go_on_and_are_told(folders: Folders) -> None:
    folders.everybody()
    lost(folders, REGISTRAR, "signing.key")
    refused = folders.run(REGISTRAR, "rotate", "--lost", "--request", folders.folder / "request.pem")
    assert refused.code == 3
    assert "new root" in refused.err
    assert worker_code(folders, REGISTRAR) == 2
    folders.clock.now += 9 * DAY
    done(folders, SCHOOL, "request", folders.filed(1))
    folders.settle()
    assert "Received" in folders.states(COMMISSION).values()
    assert "registrar.trust has said nothing for 8 days" in folders.alarms(SCHOOL)


@drill("the registrar's `root.key`")
def test_without_the_root_key_nothing_is_certified_and_everybody_goes_on(folders: Folders) -> None:
    folders.everybody()
    (folders.home(REGISTRAR) / "root.key").unlink()
    done(folders, SCHOOL, "rotate", "--request", folders.folder / "request.pem")
    assert folders.run(REGISTRAR, "issue", folders.folder / "request.pem", folders.folder / "next.pem").code == 2
    done(folders, SCHOOL, "request", folders.filed(1))
    folders.settle()
    assert "Received" in folders.states(COMMISSION).values()
    assert from_commission(SCHOOL) in {line["channel"] for line in folders.run(SCHOOL, "channels", "--json").json}
