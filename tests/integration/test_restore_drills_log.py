"""Losses on the way and of the log, alone and together with a participant's: docs/operations.md, line by line."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from services.post.publishing import save_ring, send_once, sign_once
from services.wire.channels import COMMISSION, REGISTRAR, record_of, to_commission
from services.wire.errors import StoreBehindError
from tests.commands import SCHOOL
from tests.drills import (
    all_open,
    backed_up,
    done,
    drill,
    lost,
    only_left,
    opened_anew,
    settled_with,
    worker_code,
)
from tests.folders import OTHER_SCHOOL, Folders


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


@drill("the log, and everything of one participant but `signing.key` and `certificate.pem`")
def test_what_others_hold_of_a_school_outlives_log_and_school(folders: Folders) -> None:
    folders.everybody()
    before = folders.states(SCHOOL)
    folders.stop(*list(folders.running))
    rolled_back(folders, None)
    only_left(folders, SCHOOL, "signing.key", "certificate.pem", "sarakste.toml")
    folders.start(REGISTRAR, COMMISSION, OTHER_SCHOOL)
    for _ in range(3):
        folders.settle()
    done(folders, COMMISSION, "give-back", to_commission(SCHOOL))
    done(folders, REGISTRAR, "open-epoch", record_of(SCHOOL), 0, "genesis", folders.home(SCHOOL) / "certificate.pem")
    folders.settle()
    done(folders, SCHOOL, "restore", "--from-log", "--keys-lost")
    folders.start(SCHOOL)
    for _ in range(6):
        folders.settle(seconds=10)
    assert folders.states(SCHOOL) == before
    assert all_open(folders, SCHOOL)
    done(folders, SCHOOL, "request", folders.filed(1))
    folders.settle()
    assert "Received" in folders.states(COMMISSION).values()
