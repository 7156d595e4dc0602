"""What is lost with time and with the registrar: docs/operations.md, line by line."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress

from services.post.publishing import save_ring, sign_once
from services.wire.channels import COMMISSION, REGISTRAR, TRUST_CHANNEL, from_commission
from services.wire.entry import decode_entry
from services.wire.errors import StoreBehindError
from services.wire.hashing import Digest
from tests.commands import SCHOOL
from tests.drills import (
    all_open,
    backed_up,
    copied_back,
    done,
    drill,
    lost,
    settled_with,
    worker_code,
)
from tests.folders import Folders

DAY = 86_400_000
YEAR = 365 * DAY


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


@drill("what the registrar signed and not sent, with its `database.sqlite`")
def test_what_the_registrar_had_signed_is_said_although_its_database_and_the_log_lack_it(folders: Folders) -> None:
    """Nobody could begin its channel anew: the exchange would take nobody in any more, and revoke nothing."""
    folders.everybody()
    backup = backed_up(folders, REGISTRAR)
    done(folders, REGISTRAR, "confirm")
    office = folders.running[REGISTRAR].office
    sign_once(office)
    signed = office.letterbook.unsent(10)
    assert signed
    # Killed here: the ring file is written before the log takes anything.
    save_ring(office, signed)
    lost(folders, REGISTRAR, "database.sqlite")
    done(folders, REGISTRAR, "restore", backup)
    settled_with(folders, REGISTRAR)
    own = {row["digest"] for row in folders.running[REGISTRAR].office.letterbook.own_after(TRUST_CHANNEL, 0)}
    assert {row["digest"] for row in signed} <= own
    done(folders, REGISTRAR, "confirm")
    folders.settle()
    assert folders.findings() == []


def signed_and_not_sent(folders: Folders) -> list[Digest]:
    done(folders, REGISTRAR, "confirm")
    office = folders.running[REGISTRAR].office
    sign_once(office)
    rows = office.letterbook.unsent(10)
    save_ring(office, rows)
    folders.clock.now += 60_000
    return [row["digest"] for row in rows]


def test_what_the_registrar_signed_on_a_branch_that_it_gave_up_is_never_said(folders: Folders) -> None:
    """It went on from an old backup with the ring file of that day; then the newer ring file is found, and put back."""
    folders.everybody()
    backup, ring = backed_up(folders, REGISTRAR), folders.home(REGISTRAR) / "ring.file"
    before = ring.read_bytes()
    given_up = {*signed_and_not_sent(folders), *signed_and_not_sent(folders)}
    newer = ring.read_bytes()
    lost(folders, REGISTRAR, "database.sqlite")
    ring.write_bytes(before)
    done(folders, REGISTRAR, "restore", backup)
    settled_with(folders, REGISTRAR)
    done(folders, REGISTRAR, "confirm")
    folders.settle()
    folders.stop(REGISTRAR)
    ring.write_bytes(newer)
    for _ in range(2):
        with suppress(StoreBehindError):
            folders.start(REGISTRAR)
        folders.stop(REGISTRAR)
    with closing(sqlite3.connect(folders.log)) as log:
        said = [value for (value,) in log.execute("SELECT value FROM records WHERE channel = ?", (TRUST_CHANNEL,))]
    assert given_up.isdisjoint(decode_entry(each).digest for each in said)
    assert len(set(said)) == len(said)
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
