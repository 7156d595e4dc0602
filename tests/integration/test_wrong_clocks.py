"""A clock that is set back, an hour or ten years, in a worker or in a clerk's command: nothing lost, and times never go back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from services.audit.verify import channels_in, open_log
from services.wire.channels import COMMISSION
from services.wire.entry import decode_entry
from tests.commands import SCHOOL
from tests.kills.machines import clock_moved
from tests.kills.plays import Play, answer, error, found_play

pytestmark = pytest.mark.timeout(600)
HOUR = 3_600_000
TEN_YEARS = 3652 * 24 * HOUR


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    found = found_play(tmp_path)
    yield found
    found.pool.end()


def times(play: Play) -> dict[str, list[int]]:
    """Return when the entries of each channel say that they were written, in their order."""
    path, found = play.sight.folder / "log.sqlite", dict[str, list[int]]()
    with closing(open_log(path)) as log:
        for channel in channels_in(path):
            if not channel.endswith(".mailbox"):
                records = log.poll({channel: 0}, timeout_seconds=0, limit=1000)
                statements = {decode_entry(record.value).unverified_statement for record in records}
                found[channel] = [each.written_at for each in sorted(statements, key=lambda each: each.sequence)]
    return found


@pytest.mark.parametrize("back", [HOUR, TEN_YEARS], ids=["an hour", "ten years"])
def test_workers_whose_clock_is_set_back_go_on_and_write_no_earlier_times(play: Play, back: int) -> None:
    play.asked(1)
    play.settle()
    play.stop()
    for name in play.workers:
        play.work(name, before=clock_moved(-back))
    play.asked(2)
    play.settle()
    play.stop()
    for name in play.workers:
        play.work(name)
    play.asked(3)
    play.settle()
    assert len(play.sight.cases(COMMISSION)) == 3
    play.check()
    assert all(found == sorted(found) for found in times(play).values())


@pytest.mark.parametrize("back", [HOUR, TEN_YEARS], ids=["an hour", "ten years"])
def test_workers_whose_clock_was_ahead_and_is_set_right_go_on(play: Play, back: int) -> None:
    play.settle()
    play.stop()
    for name in play.workers:
        play.work(name, before=clock_moved(back))
    play.asked(1)
    play.wait(lambda: len(play.sight.cases(COMMISSION)) == 1, "the request does not arrive")
    play.stop()
    for name in play.workers:
        play.work(name)
    play.asked(2)
    play.settle()
    assert len(play.sight.cases(COMMISSION)) == 2
    play.check()


def test_a_clerk_whose_clock_is_an_hour_back_files_as_on_any_day(play: Play) -> None:
    # Of the day of that clock: shortly after midnight the right one has begun another.
    case_id = UUID(answer(play.file(1, before=clock_moved(-HOUR), back=HOUR))["case"])
    assert play.do(SCHOOL, "request", case_id, before=clock_moved(-HOUR)).code == 0
    play.asked(2)
    play.settle()
    assert len(play.sight.cases(COMMISSION)) == 2
    play.check()


def test_a_clerk_whose_clock_is_ten_years_back_is_told_that_the_day_is_to_come_and_nothing_is_saved(play: Play) -> None:
    done = play.file(1, before=clock_moved(-TEN_YEARS))
    assert done.code == 3
    assert "received_on" in error(done)["message"]
    assert "lies in the future, today is 2" in error(done)["message"]
    assert play.sight.cases(SCHOOL) == {}
    case_id = UUID(answer(play.file(1))["case"])
    # Its days are to come by that clock; the case is asked about when the clock is right.
    done = play.do(SCHOOL, "request", case_id, before=clock_moved(-TEN_YEARS))
    assert done.code in (0, 3), error(done)
    assert done.code == 0 or play.do(SCHOOL, "request", case_id).code == 0
    play.wait(lambda: len(play.sight.cases(COMMISSION)) == 1, "the request does not arrive")
    play.settle()
    play.check()
