"""A worker that waits is woken by who saves something; whatever becomes of the pipe between them, it finds what was saved."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

from services.channel.port import Channel, Record, Until
from services.post.database import Database
from services.post.publishing import AT_ONCE
from services.post.waking import WAKE, wake
from services.post.worker import Worker
from services.school.application import School
from services.wire.channels import Role, record_of
from tests.chains import SCHOOL, seal_of
from tests.exchange import Exchange, two_sides
from tests.integration.test_closed_channels import Doors
from tests.people import another_pupil, application_form

LONG = 60.0
SOON = 10.0


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    return two_sides(tmp_path)


@pytest.fixture
def worker(exchange: Exchange) -> Worker:
    """A worker that has nothing to do."""
    member = exchange.members[SCHOOL]
    while member.worker.step():
        pass
    return member.worker


def clerk(exchange: Exchange, pipe: Path) -> Database:
    """The same database as a process has it that acts."""
    database = Database(exchange.folder / SCHOOL / "database.sqlite")
    database.tell(partial(wake, pipe))
    return database


def acts(database: Database) -> None:
    database.run("INSERT OR REPLACE INTO said VALUES ('a clerk', 0)")


def waited(worker: Worker, act: Callable[[], None], *, wait_seconds: float = LONG) -> float:
    """Let a worker wait, act meanwhile, and return for how long it waited after that."""
    acted: list[float] = []

    def later() -> None:
        time.sleep(0.3)
        acted.append(time.monotonic())
        act()

    thread = threading.Thread(target=later)
    thread.start()
    worker.step(wait_seconds=wait_seconds)
    thread.join()
    return time.monotonic() - acted[0]


def test_an_act_wakes_the_worker(exchange: Exchange, worker: Worker, tmp_path: Path) -> None:
    with worker.wakeups.listening(tmp_path / WAKE):
        assert worker.wakeups.fileno() >= 0
        assert waited(worker, partial(acts, clerk(exchange, tmp_path / WAKE))) < SOON


def test_an_act_between_two_waits_ends_the_second_at_once(exchange: Exchange, worker: Worker, tmp_path: Path) -> None:
    with worker.wakeups.listening(tmp_path / WAKE):
        acts(clerk(exchange, tmp_path / WAKE))
        began = time.monotonic()
        worker.step(wait_seconds=LONG)
        assert time.monotonic() - began < SOON


def test_a_worker_that_is_woken_for_nothing_goes_on_waiting(worker: Worker, tmp_path: Path) -> None:
    worker.wakeups()
    with worker.wakeups.listening(tmp_path / WAKE):
        for _ in range(100_000):
            wake(tmp_path / WAKE)
        began = time.monotonic()
        worker.step(wait_seconds=1.0)
        assert time.monotonic() - began > 0.9


def test_a_worker_does_not_wake_itself(exchange: Exchange, worker: Worker, tmp_path: Path) -> None:
    exchange.members[SCHOOL].office.database.tell(partial(wake, tmp_path / WAKE))
    with worker.wakeups.listening(tmp_path / WAKE):
        acts(exchange.members[SCHOOL].office.database)
        with pytest.raises(BlockingIOError):
            os.read(worker.wakeups.fileno(), 1)


def test_an_act_whose_call_is_lost_is_done_when_the_wait_is_over(exchange: Exchange, worker: Worker, tmp_path: Path) -> None:
    log = exchange.log
    before = log.end(record_of(SCHOOL))
    with worker.wakeups.listening(tmp_path / WAKE):
        School(exchange.members[SCHOOL].office).file(application_form())
        began = time.monotonic()
        worker.step(wait_seconds=1.0)
        assert time.monotonic() - began < SOON
    assert log.end(record_of(SCHOOL)) > before


def test_where_no_pipe_can_be_had_the_worker_looks_by_itself(exchange: Exchange, worker: Worker, tmp_path: Path) -> None:
    with worker.wakeups.listening(tmp_path / "no folder" / WAKE):
        assert worker.wakeups.fileno() < 0
        assert waited(worker, partial(acts, clerk(exchange, tmp_path / "no folder" / WAKE))) < SOON


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_stands_in_the_place_of_the_pipe_is_left_as_it_is(
    exchange: Exchange, worker: Worker, tmp_path: Path, kind: str
) -> None:
    place, other = tmp_path / WAKE, tmp_path / "kept"
    other.write_bytes(b"kept")
    if kind == "folder":
        place.mkdir()
    elif kind == "link":
        place.symlink_to(other)
    else:
        place.write_bytes(b"kept")
    with worker.wakeups.listening(place):
        assert worker.wakeups.fileno() < 0
        assert waited(worker, partial(acts, clerk(exchange, place))) < SOON
    assert place.is_dir() or place.read_bytes() == b"kept"


def test_a_pipe_that_nobody_reads_or_that_is_full_holds_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / WAKE)
    wake(tmp_path / WAKE)
    descriptor = os.open(tmp_path / WAKE, os.O_RDWR | os.O_NONBLOCK)
    try:
        for _ in range(100_000):
            wake(tmp_path / WAKE)
        assert len(os.read(descriptor, 1_000_000)) < 100_000
    finally:
        os.close(descriptor)


def test_a_pipe_that_a_killed_worker_left_is_used_again_and_gone_when_the_worker_ends(worker: Worker, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / WAKE)
    with worker.wakeups.listening(tmp_path / WAKE):
        assert stat.S_ISFIFO((tmp_path / WAKE).stat().st_mode)
        assert worker.wakeups.fileno() >= 0
    assert not (tmp_path / WAKE).exists()
    assert worker.wakeups.fileno() < 0


def test_a_worker_that_another_one_has_taken_over_from_leaves_it_its_pipe(
    exchange: Exchange, worker: Worker, tmp_path: Path
) -> None:
    worker.start()
    with worker.wakeups.listening(tmp_path / WAKE):
        second = exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old")).worker
        listens = second.wakeups.listening(tmp_path / WAKE)
        listens.__enter__()
        second.start()
    assert (tmp_path / WAKE).exists()
    while second.step():
        pass
    assert waited(second, partial(acts, clerk(exchange, tmp_path / WAKE))) < SOON
    listens.__exit__(None, None, None)
    assert not (tmp_path / WAKE).exists()


def test_a_worker_that_ends_leaves_a_pipe_that_is_not_its_own(worker: Worker, tmp_path: Path) -> None:
    with worker.wakeups.listening(tmp_path / WAKE):
        (tmp_path / WAKE).unlink()
        os.mkfifo(tmp_path / WAKE)
    assert (tmp_path / WAKE).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a pipe to somebody else")
def test_somebody_elses_pipe_is_not_read(worker: Worker, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / WAKE)
    os.chown(tmp_path / WAKE, 12_345, -1)
    with worker.wakeups.listening(tmp_path / WAKE):
        assert worker.wakeups.fileno() < 0
    assert (tmp_path / WAKE).exists()


class Noted(Doors):
    """A log that notes how long each poll may wait, and ends a worker's run after some."""

    def __init__(self, log: Channel, stop: threading.Event, polls: int) -> None:
        super().__init__(log)
        self.waits: list[float] = []
        self.stop, self.polls = stop, polls

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        self.waits.append(timeout_seconds)
        if len(self.waits) == self.polls:
            self.stop.set()
        return super().poll(positions, timeout_seconds=timeout_seconds, limit=limit, until=until)


@pytest.mark.parametrize(("cases", "wait"), [(1, 0.5), (AT_ONCE // 3 + 1, 0.0)], ids=["all is sent", "more is to be sent"])
def test_after_what_was_sent_a_worker_waits_for_the_log_unless_there_is_more_to_send(
    exchange: Exchange, worker: Worker, cases: int, wait: float
) -> None:
    office, stop = exchange.members[SCHOOL].office, threading.Event()
    with office.database.transaction():
        for number in range(cases):
            School(office).file(application_form(pupil=another_pupil(number)))
    assert office.channel is not None
    office.channel = log = Noted(office.channel, stop, 2)
    worker.run(stop)
    assert log.waits == [0.0, wait]
