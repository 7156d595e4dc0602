"""A worker that is told to stop while much waits for it: it ends soon, loses nothing, and the next one goes on there."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from services.post import receiving
from services.school.application import School
from services.wire.channels import COMMISSION
from tests.commands import SCHOOL
from tests.exchange import Exchange
from tests.folders import Folders
from tests.people import another_pupil, application_form
from tests.workers import Workers

BACKLOG: Final = 150
PATIENCE_SECONDS: Final = 60


def asked(school: School, number: int) -> None:
    case_id, _ = school.file(application_form(pupil=another_pupil(number)))
    school.request(case_id)


def cases(folders: Folders) -> int:
    with closing(sqlite3.connect(folders.home(COMMISSION) / "database.sqlite")) as database:
        return int(database.execute("SELECT count(*) FROM cases").fetchone()[0])


def wait_for(what: Callable[[], bool], log: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.001)


def test_a_worker_told_to_stop_ends_after_the_batch_at_hand_and_leaves_the_rest_to_the_next(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, requests = 10, 35
    monkeypatch.setattr(receiving, "_POLL_LIMIT", batch)
    school, commission = exchange.members[SCHOOL], exchange.members[COMMISSION]
    for number in range(requests):
        asked(School(school.office), number)
    while school.work():
        pass
    stop = threading.Event()
    applied = commission.office.domain.judge

    def arrived() -> int:
        return len(commission.office.database.all("SELECT 1 FROM cases"))

    def told_while_applying(*arguments: object) -> object:
        stop.set()
        return applied(*arguments)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(commission.office.domain, "judge", told_while_applying)
    commission.worker.work(stop)
    assert 1 <= arrived() <= batch
    monkeypatch.undo()
    exchange.settle()
    assert arrived() == requests


@pytest.mark.timeout(300)
def test_a_process_that_gets_sigterm_at_the_first_of_a_backlog_ends_within_eight_seconds(folders: Folders) -> None:
    before = cases(folders)
    folders.start(SCHOOL)
    school = School(folders.running[SCHOOL].office)
    for number in range(1, BACKLOG + 1):
        asked(school, number)
    folders.settle()
    folders.stop(SCHOOL)
    log = folders.home(COMMISSION) / "worker.log"
    log.unlink()
    workers = Workers(folders.folder)
    workers.start(COMMISSION)
    wait_for(lambda: cases(folders) > before, log)
    # Whoever does not end within eight seconds fails here.
    assert workers.stop() == [0]
    log.unlink()
    workers = Workers(folders.folder)
    workers.start(COMMISSION)
    try:
        wait_for(lambda: log.exists() and "working" in log.read_text(), log)
        wait_for(lambda: cases(folders) == before + BACKLOG, log)
    finally:
        assert workers.stop() == [0]
    assert folders.findings() == []
