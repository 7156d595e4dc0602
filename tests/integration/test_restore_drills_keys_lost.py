"""Losses after which nothing here opens any more: what others hold comes back, by docs/operations.md, line by line."""

from __future__ import annotations

import pytest

from services.school.application import School
from services.wire.channels import COMMISSION, REGISTRAR, from_commission, to_commission
from services.wire.errors import RingError
from tests.commands import SCHOOL
from tests.drills import (
    all_open,
    backed_up,
    done,
    drill,
    lost,
    only_left,
)
from tests.folders import OTHER_SCHOOL, Folders
from tests.people import another_pupil, application_form

DAY = 86_400_000
SENT = ["InformationRequested", "ConfirmationGiven"]


def requests_and_answers_came_back(folders: Folders, before: dict[str, str]) -> None:
    """The other side gives back what it was given; what stood in the record alone does not come back."""
    folders.start(SCHOOL)
    assert folders.run(SCHOOL, "file", folders.form(5)).code == 3
    for _ in range(3):
        folders.settle(seconds=10)
    assert folders.states(SCHOOL) == before
    for case in before:
        assert folders.told(SCHOOL, case) == [(event, "can be opened") for event in SENT]
    assert folders.findings() == []
    assert folders.run(SCHOOL, "request", folders.filed(5)).code == 0
    folders.settle()
    assert folders.running[COMMISSION].office.alarms == []


@drill("`ring.key`, no copy")
def test_without_its_ring_key_a_school_has_what_it_asked_and_was_answered(folders: Folders) -> None:
    before = folders.states(SCHOOL)
    backup = backed_up(folders, SCHOOL)
    folders.everybody()
    never_sent_on = folders.filed(1)
    folders.settle()
    lost(folders, SCHOOL, "ring.key")
    refused = folders.run(SCHOOL, "restore", backup)
    assert refused.code == 7
    assert "no backup opens any more" in refused.err
    done(folders, SCHOOL, "restore", "--from-log", "--keys-lost")
    requests_and_answers_came_back(folders, before)
    assert never_sent_on not in folders.states(SCHOOL)
    assert (folders.home(SCHOOL) / "ring.key").stat().st_mode & 0o777 == 0o600


@drill("`database.sqlite` and `ring.file`, no backup")
def test_a_ring_key_alone_opens_nothing(folders: Folders) -> None:
    before = folders.states(SCHOOL)
    folders.everybody()
    lost(folders, SCHOOL, "database.sqlite", "ring.file")
    done(folders, SCHOOL, "restore", "--from-log", "--keys-lost")
    requests_and_answers_came_back(folders, before)


@drill("`database.sqlite` and `ring.file`, a backup of last year is there")
def test_without_this_years_keys_a_start_waits_for_a_persons_word(folders: Folders) -> None:
    before, backup = folders.states(SCHOOL), backed_up(folders, SCHOOL)
    year = folders.office(SCHOOL).today.year
    while folders.office(SCHOOL).today.year == year:
        folders.clock.now += 30 * DAY
    folders.everybody()
    clerk = School(folders.running[SCHOOL].office)
    sent, _ = clerk.file(application_form(pupil=another_pupil(1)))
    clerk.request(sent)
    folders.settle()
    lost(folders, SCHOOL, "database.sqlite", "ring.file")
    done(folders, SCHOOL, "restore", backup)
    with pytest.raises(RingError, match="--keys-lost"):
        folders.start(SCHOOL)
    done(folders, SCHOOL, "restore", backup, "--keys-lost")
    folders.start(SCHOOL)
    for _ in range(3):
        folders.settle(seconds=10)
    assert folders.states(SCHOOL) == before | {str(sent): "AwaitingCommission"}
    assert folders.told(SCHOOL, sent) == [("InformationRequested", "can be opened")]
    assert all_open(folders, SCHOOL)
    assert "ApplicationFiled" in dict(folders.told(SCHOOL, next(iter(before))))
    assert folders.findings() == []


@drill("everything but `signing.key` and `certificate.pem`, no backup")
def test_a_school_rises_from_nothing_but_its_certificate(folders: Folders) -> None:
    before = folders.states(SCHOOL)
    folders.everybody()
    only_left(folders, SCHOOL, "signing.key", "certificate.pem")
    text = f'participant = "{SCHOOL}"\nlog = "../log.sqlite"\nroot = "../root.pem"\n'
    (folders.home(SCHOOL) / "sarakste.toml").write_text(text)
    done(folders, SCHOOL, "restore", "--from-log", "--keys-lost")
    requests_and_answers_came_back(folders, before)


@drill("everything but `signing.key` and `certificate.pem`, at the commission")
def test_a_commission_rises_from_nothing_but_its_certificate(folders: Folders) -> None:
    before = folders.states(COMMISSION)
    folders.everybody()
    case = folders.filed(1)
    folders.run(SCHOOL, "request", case)
    folders.settle()
    (open_one,) = set(folders.states(COMMISSION)) - set(before)
    # One school is away.
    folders.stop(OTHER_SCHOOL)
    only_left(folders, COMMISSION, "signing.key", "certificate.pem", "sarakste.toml")
    done(folders, COMMISSION, "restore", "--from-log", "--keys-lost")
    folders.start(COMMISSION)
    for _ in range(3):
        folders.settle(seconds=10)
    here = folders.states(COMMISSION)
    assert here[open_one] == "Received"
    assert 0 < len(here) < len(before) + 1
    folders.start(OTHER_SCHOOL)
    folders.settle()
    for _ in range(3):
        folders.settle(seconds=10)
    assert folders.states(COMMISSION) == before | {open_one: "Received"}
    assert all_open(folders, COMMISSION)
    assert folders.findings() == []


@drill("everything but `signing.key` and `certificate.pem`, at a school and at the commission at once")
def test_a_pair_that_lost_all_its_keys_begins_anew(folders: Folders) -> None:
    others = folders.states(OTHER_SCHOOL)
    folders.everybody()
    for name in (SCHOOL, COMMISSION):
        only_left(folders, name, "signing.key", "certificate.pem", "sarakste.toml")
        done(folders, name, "restore", "--from-log", "--keys-lost")
    folders.start(SCHOOL, COMMISSION)
    for _ in range(3):
        folders.settle(seconds=10)
    # The other school's cases are there again; in this pair nobody has a key.
    assert len(folders.states(COMMISSION)) == len(others)
    assert folders.run(SCHOOL, "file", folders.form(1)).code == 3
    for channel, writer in ((to_commission(SCHOOL), SCHOOL), (from_commission(SCHOOL), COMMISSION)):
        answer = folders.run(REGISTRAR, "open-epoch", channel, 0, "genesis", folders.home(writer) / "certificate.pem")
        assert answer.code == 0, answer.err
    folders.settle()
    for reader, channel in ((COMMISSION, to_commission(SCHOOL)), (SCHOOL, from_commission(SCHOOL))):
        assert folders.run(reader, "agree", channel, "--yes").code == 0
    folders.settle()
    assert folders.run(SCHOOL, "request", folders.filed(1)).code == 0
    folders.settle()
    assert "Received" in folders.states(COMMISSION).values()
    assert folders.states(OTHER_SCHOOL) == others
