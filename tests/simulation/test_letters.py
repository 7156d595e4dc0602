"""Letters that nobody read: a clock that kept one from its reader is the cause of what cannot be opened, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.wire.channels import COMMISSION, from_commission, mailbox_of, record_of
from tests.chains import SCHOOL
from tests.simulation.acts import commission_act, do, form
from tests.simulation.founding import new_world
from tests.simulation.invariants import Broken, Channels
from tests.simulation.lives import live
from tests.simulation.settling import settle
from tests.simulation.telling import check_told
from tests.simulation.world import OTHER_SCHOOL, World

DAY = 86_400_000
TEN_YEARS = 3_653 * DAY
MAILBOX = mailbox_of(COMMISSION)
ASKS = "asks the commission"
WITHOUT_A_CAUSE = "commission told this without a cause: NotReadableError"


@pytest.fixture
def world() -> Iterator[World]:
    """A world in which every clock may have jumped, and nothing else is wrong; the commission holds a school's facts key."""
    with new_world(2) as world:
        for site in world.sites.values():
            site.start_worker()
        settle(world)
        for jump in ("clock jumps ten years forward", "clock jumps ten years back"):
            world.happened(jump, *world.sites)
        yield world


def recommended(world: World) -> None:
    """Let a school ask, and the commission recommend."""
    live(world, world.sites[SCHOOL], form(7, "A2"), (ASKS, "registers", "examines", "recommends"))


def require_unreadable(world: World) -> None:
    """Let the commission send the documents of what it recommended last, and require that it is told that it cannot."""
    desk = world.sites[COMMISSION].at_desk()
    assert desk is not None
    case_id = world.kept[-1].case_id
    assert case_id is not None
    assert do(world, desk, commission_act(desk, case_id, "dispatches")) is None
    assert "NotReadableError: " in world.trace[-1]


def test_a_letter_too_old_by_its_readers_clock_is_a_cause(world: World) -> None:
    world.sites[COMMISSION].skew = TEN_YEARS
    recommended(world)
    require_unreadable(world)
    check_told(world, Channels(world))


def test_a_letter_too_old_by_its_writers_clock_is_a_cause(world: World) -> None:
    world.sites[SCHOOL].skew = -31 * DAY
    recommended(world)
    require_unreadable(world)
    check_told(world, Channels(world))


def test_a_letter_removed_for_its_age_by_somebody_elses_clock_is_a_cause(world: World) -> None:
    world.log.held_back[MAILBOX] = 0
    recommended(world)
    del world.log.held_back[MAILBOX]
    world.sites[OTHER_SCHOOL].skew = TEN_YEARS
    world.log.appended(OTHER_SCHOOL, MAILBOX, [])
    require_unreadable(world)
    check_told(world, Channels(world))


def test_a_clock_is_no_cause_where_it_kept_no_letter_from_anybody(world: World) -> None:
    world.log.held_back[MAILBOX] = 0
    recommended(world)
    require_unreadable(world)
    with pytest.raises(Broken, match=WITHOUT_A_CAUSE):
        check_told(world, Channels(world))


def test_a_clock_is_no_cause_where_it_kept_a_letter_with_another_key(world: World) -> None:
    world.sites[COMMISSION].skew = TEN_YEARS
    live(world, world.sites[SCHOOL], form(8, "A2"), (ASKS,))
    world.sites[COMMISSION].skew = 0
    settle(world)
    assert world.log.expired[MAILBOX]
    world.log.held_back[MAILBOX] = 0
    recommended(world)
    require_unreadable(world)
    with pytest.raises(Broken, match=WITHOUT_A_CAUSE):
        check_told(world, Channels(world))


def test_one_refusal_with_a_cause_excuses_no_other(world: World) -> None:
    world.sites[COMMISSION].skew = TEN_YEARS
    recommended(world)
    require_unreadable(world)
    world.log.expired.clear()
    require_unreadable(world)
    with pytest.raises(Broken, match=WITHOUT_A_CAUSE):
        check_told(world, Channels(world))


def test_a_log_that_lost_where_its_reader_publishes_its_key_is_a_cause_and_one_that_lost_another_channel_is_none(
    world: World,
) -> None:
    world.log.held_back[MAILBOX] = 0
    recommended(world)
    require_unreadable(world)
    world.happened("log rolled back", record_of(SCHOOL))
    with pytest.raises(Broken, match=WITHOUT_A_CAUSE):
        check_told(world, Channels(world))
    world.happened("log rolled back", from_commission(SCHOOL))
    check_told(world, Channels(world))
