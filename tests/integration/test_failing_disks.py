"""A disk that is full, a quota that is used up, a file that may not be written: told clearly, nothing lost, and it goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.wire.channels import COMMISSION
from tests.commands import SCHOOL
from tests.kills.forking import Child
from tests.kills.machines import bound_by_modes, full_disk, set_quota
from tests.kills.plays import Play, error, found_play, said

pytestmark = pytest.mark.timeout(600)
NOTHING_SAVED = "Nothing of what was begun here is saved"


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    found = found_play(tmp_path)
    yield found
    found.pool.end()


def use_up_quota() -> None:
    set_quota(os.getpid(), is_used_up=True)


def waits(play: Play, worker: Child, *words: str) -> None:
    """Wait until a worker has told what it waits for, once."""
    play.wait(lambda: all(word in said(worker) for word in words), f"{words} is not told: {said(worker)}")
    assert worker.code is None, said(worker)
    assert said(worker).count(words[0]) == 1


@pytest.mark.parametrize(
    ("before", "words"),
    [(full_disk("database.sqlite"), "database.sqlite cannot grow, its disk is full"), (use_up_quota, "a quota is used up")],
    ids=["full", "quota"],
)
def test_an_act_for_which_there_is_no_room_is_told_and_saves_nothing(play: Play, before: Callable[[], None], words: str) -> None:
    first = play.asked(1)
    play.settle()
    done = play.file(2, before=before)
    assert (done.code, error(done)["error"]) == (5, "Disk")
    assert words in error(done)["message"]
    assert NOTHING_SAVED in error(done)["message"]
    assert set(play.sight.cases(SCHOOL)) == {first}
    play.asked(2)
    play.settle()
    play.check()


def test_a_worker_whose_quota_is_used_up_waits_and_goes_on_when_there_is_room(play: Play) -> None:
    play.settle()
    for number, name in enumerate((SCHOOL, COMMISSION), start=1):
        worker = play.workers[name]
        set_quota(worker.pid, is_used_up=True)
        play.asked(number)
        waits(play, worker, "waiting: ", "cannot be written or read: its disk failed, is gone, or a quota is used up")
        set_quota(worker.pid, is_used_up=False)
        play.wait(lambda number=number: len(play.sight.cases(COMMISSION)) == number, "the request does not arrive")  # type: ignore[misc]  # bound now
    play.settle()
    play.check()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("database.sqlite", "waiting: database.sqlite cannot grow, its disk is full"),
        ("log.sqlite", "waiting: the log log.sqlite cannot grow, its disk is full"),
    ],
)
def test_a_worker_whose_disk_is_full_waits_loses_nothing_and_ends_when_it_is_told_to(play: Play, name: str, words: str) -> None:
    play.asked(1)
    play.settle()
    play.pool.stop([play.workers[SCHOOL]])
    worker = play.work(SCHOOL, before=full_disk(name))
    for pupil in (2, 3, 4):
        play.asked(pupil)
    waits(play, worker, words)
    play.pool.stop([worker])
    assert worker.code == 0
    play.work(SCHOOL)
    play.wait(lambda: len(play.sight.cases(COMMISSION)) == 4, "what was saved does not arrive")
    play.settle()
    play.check()


def test_a_ring_file_for_which_there_is_no_room_is_told_before_anything_is_sent(play: Play) -> None:
    play.asked(1)
    play.settle()
    file, worker = play.home(SCHOOL) / "ring.file", play.workers[SCHOOL]
    # Neither can anything be put behind what stands there, nor can it be written whole.
    file.rename(file.with_name("aside"))
    file.with_name(".ring.file.new").mkdir()
    play.asked(2)
    waits(play, worker, "waiting: ring.file cannot be written", "Nothing is sent before it is")
    assert len(play.sight.cases(COMMISSION)) == 1
    file.with_name("aside").rename(file)
    file.with_name(".ring.file.new").rmdir()
    play.wait(lambda: len(play.sight.cases(COMMISSION)) == 2, "what waited is not sent")
    play.settle()
    play.check()


def test_a_database_that_turned_read_only_is_told_to_clerk_and_worker_and_goes_on_when_it_may_be_written(play: Play) -> None:
    first = play.asked(1)
    play.settle()
    play.pool.stop([play.workers[SCHOOL]])
    path = play.sight.database(SCHOOL)
    path.chmod(0o400)
    done = play.file(2, before=bound_by_modes)
    assert (done.code, error(done)["error"]) == (5, "Disk")
    assert "database.sqlite may not be written: look at the rights of the file" in error(done)["message"]
    listed = play.do(SCHOOL, "cases", before=bound_by_modes)
    assert listed.code == 0, said(listed)
    worker = play.work(SCHOOL, before=bound_by_modes)
    waits(play, worker, "waiting: database.sqlite may not be written")
    path.chmod(0o600)
    assert set(play.sight.cases(SCHOOL)) == {first}
    play.asked(2)
    play.wait(lambda: len(play.sight.cases(COMMISSION)) == 2, "what is asked after that does not arrive")
    play.settle()
    play.check()


def test_a_log_that_turned_read_only_is_told_and_loses_nothing(play: Play) -> None:
    play.settle()
    play.pool.stop([play.workers[SCHOOL]])
    play.asked(1)
    log = play.sight.folder / "log.sqlite"
    log.chmod(0o400)
    worker = play.ended(play.work(SCHOOL, before=bound_by_modes))
    assert worker.code == 5
    assert "the log log.sqlite may not be written: look at the rights of the file" in said(worker)
    log.chmod(0o600)
    play.work(SCHOOL)
    play.wait(lambda: len(play.sight.cases(COMMISSION)) == 1, "what was saved does not arrive")
    play.settle()
    play.check()
