"""A worker that was stopped for a while, and another one that took over meanwhile."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.wire.channels import COMMISSION
from tests.commands import SCHOOL
from tests.kills.forking import Child
from tests.kills.looking import query
from tests.kills.plays import Play, found_play, said
from tests.kills.watching import Phase

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    found = found_play(tmp_path)
    yield found
    found.pool.end()


def stopped(play: Play, name: str) -> Child:
    """Stop a worker outside of a transaction: inside of one it holds the database, and nobody could take over."""
    worker = play.workers[name]
    while True:
        worker.send(signal.SIGSTOP)
        while "T (stopped)" not in Path(f"/proc/{worker.pid}/status").read_text("ascii"):
            play.pool.step(0.001)
        if worker.spot.phase not in (Phase.WITHIN, Phase.COMMITTING, Phase.FILING):
            return worker
        worker.send(signal.SIGCONT)
        play.pool.step(0.01)


def written(play: Play, name: str) -> list[object]:
    """Return everything that a worker could have written: its tables, its ring file, and the log."""
    tables = [name for (name,) in play.sight.ask(name, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = [play.sight.ask(name, f"SELECT * FROM {table}") for table in tables]  # noqa: S608  # names of its own tables
    log = query(play.sight.folder / "log.sqlite", "SELECT * FROM records ORDER BY channel, position")
    return [rows, (play.home(name) / "ring.file").read_bytes(), log]


def test_a_second_worker_is_told_which_process_is_active(play: Play) -> None:
    play.asked(1)
    first = play.workers[SCHOOL]
    second = play.ended(play.work(SCHOOL))
    assert second.code == 8
    assert f"another worker of this participant is active (process {first.pid})" in said(second)


@pytest.mark.parametrize("name", [SCHOOL, COMMISSION])
def test_a_worker_that_wakes_after_another_took_over_writes_nothing_and_ends(play: Play, name: str) -> None:
    play.asked(1)
    play.settle()
    first = stopped(play, name)
    play.asked(2)
    # What somebody does who takes it for a left-over of a worker that is gone.
    (play.home(name) / "database.lease").unlink()
    play.work(name)
    play.asked(3)
    play.settle()
    # Nobody else writes while the first one wakes.
    play.stop()
    before = written(play, name)
    first.send(signal.SIGCONT)
    assert play.ended(first).code == 8
    assert "another worker is at work" in said(first)
    assert written(play, name) == before
    for each in (name, SCHOOL if name == COMMISSION else COMMISSION):
        play.work(each)
    play.asked(4)
    play.wait(lambda: len(play.sight.cases(COMMISSION)) == 4, "four requests do not become four cases")
    play.check()


def test_workers_stopped_at_random_moments_of_their_work_never_sign_a_place_twice(play: Play) -> None:
    zombies: list[Child] = []
    for pupil in range(6):
        play.asked(pupil)
        name = (SCHOOL, COMMISSION)[pupil % 2]
        zombies.append(stopped(play, name))
        (play.home(name) / "database.lease").unlink()
        play.work(name)
    play.asked(6)
    for zombie in zombies:
        zombie.send(signal.SIGCONT)
    assert [play.ended(zombie).code for zombie in zombies] == [8] * 6
    play.wait(lambda: len(play.sight.cases(COMMISSION)) == 7, "seven requests do not become seven cases")
    play.settle()
    play.check()
