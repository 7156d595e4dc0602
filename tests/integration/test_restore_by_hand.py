"""A school's bad day with separate processes, by the commands of docs/operations.md, where the demonstration ended."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.wire.channels import COMMISSION, REGISTRAR
from tests.commands import SCHOOL, sarakste
from tests.drills import everything_opens, lost, only_left
from tests.folders import Folders
from tests.workers import Workers

PATIENCE_SECONDS = 90


def by_hand(folders: Folders, *arguments: object) -> Any:
    """Run a command of the school in a process of its own, standing in its folder, and return what it answers."""
    done = sarakste("school", *arguments, "--json", folder=folders.home(SCHOOL))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def wait_for(what: Callable[[], bool], worker_log: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < until, worker_log.read_text()
        time.sleep(0.5)


@pytest.mark.timeout(300)
def test_a_school_loses_its_database_and_then_all_but_its_certificate_while_everybody_works(folders: Folders) -> None:
    log = folders.home(SCHOOL) / "worker.log"
    log.unlink()
    workers = Workers(folders.folder)
    for name in (REGISTRAR, COMMISSION, SCHOOL):
        workers.start(name)
    try:
        # A backup while it works; over a worker that runs nothing is restored.
        wait_for(lambda: "working" in log.read_text(), log)
        by_hand(folders, "backup", "../backup")
        assert sarakste("school", "restore", "../backup", folder=folders.home(SCHOOL)).returncode == 8
        case = by_hand(folders, "file", folders.form(1))["case"]
        by_hand(folders, "request", case)
        cases = folders.states(SCHOOL) | {case: "AwaitingCommission"}
        wait_for(lambda: "Received" in folders.states(COMMISSION).values(), log)

        workers.end(SCHOOL, signal.SIGKILL)
        lost(folders, SCHOOL, "database.sqlite")
        by_hand(folders, "restore", "../backup")
        workers.start(SCHOOL)
        wait_for(lambda: folders.states(SCHOOL) == cases, log)
        assert everything_opens(folders, SCHOOL, case)

        workers.end(SCHOOL, signal.SIGTERM)
        only_left(folders, SCHOOL, "certificate.pem", "signing.key", "sarakste.toml")
        assert by_hand(folders, "restore", "--from-log", "--keys-lost")["new_ring_key"]
        workers.start(SCHOOL)
        wait_for(lambda: folders.states(SCHOOL) == cases, log)
        wait_for(lambda: everything_opens(folders, SCHOOL, case), log)
        assert folders.told(SCHOOL, case) == [("InformationRequested", "can be opened")]
        by_hand(folders, "file", folders.form(2))
    finally:
        codes = workers.stop()
    assert codes == [0, 0, 0]
    assert folders.findings() == []
