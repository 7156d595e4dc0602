"""A sending that takes long: what went out is noted while it runs, so whoever is killed in it does not begin anew for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.post import unnoted
from services.post.office import Office
from services.post.publishing import send_once, sign_once
from services.school.application import School
from services.wire.channels import Role, record_of
from tests.chains import SCHOOL, seal_of
from tests.exchange import Clock, Exchange, two_sides
from tests.integration.test_closed_channels import Doors
from tests.people import another_pupil, application_form
from tests.simulation.ports import Crash, Disk, Fuse, WatchedDatabase
from tests.troubles import clean, settled

RECORD = record_of(SCHOOL)
CASES = 70
LIVES = 10


class Killed(BaseException):
    """The process ends here, and handles nothing."""


@dataclass
class Deadly(Doors):
    """A log that takes its time for each append, and under the last of which the process is killed."""

    office: Office | None = None
    clock: Clock | None = None
    left: int = 5

    def append(self, channel: str, values: Sequence[bytes]) -> None:
        assert self.office is not None
        assert self.clock is not None
        super().append(channel, values)
        self.clock.now += 600
        self.left -= 1
        if not self.left:
            self.office.database.guard(dead)
            raise Killed


def dead() -> None:
    raise Killed


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    """An exchange whose school has much to send, signed."""
    exchange = two_sides(tmp_path)
    settled(exchange)
    office = exchange.members[SCHOOL].office
    for number in range(CASES):
        School(office).file(application_form(pupil=another_pupil(number)))
    while sign_once(office):
        pass
    return exchange


def unsent(exchange: Exchange) -> int:
    standing = exchange.members[SCHOOL].office.letterbook.standing(RECORD)
    assert standing is not None
    return standing.place.sequence - standing.shown_sequence


def life(exchange: Exchange) -> bool:
    """Let a new process of the school send until it is killed; tell whether that happened."""
    exchange.members[SCHOOL].office.database.close()
    member = exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old"))
    member.worker.start()
    member.office.channel = Deadly(exchange.log, office=member.office, clock=exchange.clock)
    try:
        while send_once(member.office):
            pass
    except Killed:
        return True
    return False


def test_a_worker_that_is_killed_in_mid_send_in_each_of_its_lives_makes_progress(exchange: Exchange) -> None:
    left, lives, before = [unsent(exchange)], 0, exchange.log.end(RECORD)
    while life(exchange):
        lives += 1
        left.append(unsent(exchange))
        assert left[-1] < left[-2]
    assert 1 < lives < LIVES
    assert unsent(exchange) == 0
    # Of each life what one append took is sent twice, and no more.
    assert exchange.log.end(RECORD) - before < left[0] * 2
    settled(exchange)
    clean(exchange)


def commits_of_sending(office: Office) -> int:
    """Send once, and return in how many commits: the first is that of the ring file."""
    commits: list[None] = []
    office.database.tell(lambda: commits.append(None))
    assert send_once(office)
    return len(commits)


def test_a_quick_sending_is_noted_in_one_commit(exchange: Exchange) -> None:
    assert commits_of_sending(exchange.members[SCHOOL].office) == 2


def test_a_sending_of_much_is_noted_while_it_runs(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unnoted, "_AFTER_BYTES", 1)
    assert commits_of_sending(exchange.members[SCHOOL].office) > 2


def test_a_killed_process_of_the_simulation_saves_nothing_while_it_is_unwound(tmp_path: Path) -> None:
    fuse, deaths = Fuse(), list[str]()
    fuse.burnt = deaths.append
    database = WatchedDatabase(tmp_path / "database.sqlite", fuse, Disk())
    database.migrate()
    fuse.left, fuse.only = 1, "a poll"
    with pytest.raises(Crash):  # noqa: PT012  # as a step is written
        try:
            fuse.call("a poll")
        finally:
            database.run("INSERT INTO said VALUES ('a dead one', 0)")
    assert database.one("SELECT 1 FROM said") is None
    assert deaths == ["a poll"]
