"""What lasts has to be told: one trouble that nobody mends for days, the alarm that it needs, and then its end.

In the faults of a seed most troubles are over before anybody has to be called. Here each lasts, alone, after quiet; whoever has
to say so is known, and in which words. What is lost in it is put back by hand, and the exchange comes to rest again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from services.post.office import day_of
from services.wire.channels import COMMISSION, REGISTRAR, TRUST_CHANNEL, mailbox_of, record_of, to_commission
from tests.simulation.acts import do, filing, form, school_act
from tests.simulation.invariants import require
from tests.simulation.site import Process, Site
from tests.simulation.world import SCHOOLS, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

__all__ = ["LASTING", "last"]

_MINUTE: Final = 60_000
_DAY: Final = 86_400_000
_STEPS_A_DAY: Final = 3
_NEW_PUPILS: Final = 91_000


def last(world: World) -> None:
    """Let one of the troubles last, and require that it is told.

    Raises: Broken.
    """
    name = world.rng.choice(sorted(LASTING))
    world.say("world", f"what lasts: {name}")
    LASTING[name](world)
    world.happened_in_life(f"lasted, and was told: {name}")


def _gap(world: World) -> None:
    """An entry is missing in the log, and its writer is not there to send it again."""
    school, reader = world.sites[world.rng.choice(SCHOOLS)], world.sites[COMMISSION]
    channel = to_commission(school.name)
    with _ended(reader):
        first = world.log.ends().get(channel, 0)
        _asks(world, school, _NEW_PUPILS)
        _asks(world, school, _NEW_PUPILS + 1)
        _work(world, [school], 4)
        world.happened("log truncated", channel)
        world.log.lose(channel, first)
    with _ended(school):
        _work(world, [reader], 2)
        with _told(reader, rf"{re.escape(channel)} at \d+: an entry is missing; whoever wrote or holds it"):
            world.clock += 20 * _MINUTE
            _work(world, [reader], 2)


def _parked(world: World) -> None:
    """A key is lost by whoever was given it, and its letters do not come."""
    school, reader = world.sites[world.rng.choice(SCHOOLS)], world.sites[COMMISSION]
    channel, mailbox = to_commission(school.name), mailbox_of(COMMISSION)
    ring, year = _worker(school).office.ring, day_of(school.now()).year
    # The one under which the next event is sealed: for that one it is asked.
    _worker(reader).office.database.run("DELETE FROM keys WHERE key_id = ?", ring.facts_key(channel, year).key_id)
    world.happened("a key is lost", reader.name)
    world.log.held_back[mailbox] = world.clock + 30 * _DAY
    _asks(world, school, _NEW_PUPILS)
    _work(world, [school, reader], 3)
    with _told(reader, rf"{re.escape(channel)}: 1 events are parked since \d+-\d+-\d+: the facts key is missing"):
        _days(world, [school, reader], 3)
    del world.log.held_back[mailbox]


def _key_lost(world: World) -> None:
    """A key of an event that waits for its signature is lost: nobody could ever open it."""
    school = world.sites[world.rng.choice(SCHOOLS)]
    worker = _worker(school)
    case_id = _files(world, school, _NEW_PUPILS)
    where = "WHERE case_id = ? AND channel = ?"
    kept = worker.office.database.all(f"SELECT * FROM keys {where}", case_id.bytes, record_of(school.name))  # noqa: S608  # own text
    worker.office.database.run(f"DELETE FROM keys {where}", case_id.bytes, record_of(school.name))  # noqa: S608  # as above
    world.happened("a key is lost", school.name)
    with _told(school, rf"{re.escape(record_of(school.name))}: \d+ events are not signed, their keys are not on the ring"):
        _days(world, [school], 2)
    for row in kept:
        marks = ", ".join("?" * len(row))
        worker.office.database.run(f"INSERT INTO keys VALUES ({marks})", *row)  # noqa: S608  # as above
    # A start looks again.
    school.end_all()
    require(school.start_worker(), f"{school.name} does not start again: {school.ended_by}")


def _unreceipted(world: World) -> None:
    """Nobody reads what a school has asked."""
    school, reader = world.sites[world.rng.choice(SCHOOLS)], world.sites[COMMISSION]
    with _ended(reader):
        _asks(world, school, _NEW_PUPILS)
        _work(world, [school], 3)
        with _told(school, rf"{re.escape(to_commission(school.name))}: nobody has receipted \d+ and what follows since"):
            _days(world, [school], 5)


def _unsent(world: World) -> None:
    """The log takes nothing."""
    school = world.sites[world.rng.choice(SCHOOLS)]
    world.log.rates["append refused"] = 1.0
    _asks(world, school, _NEW_PUPILS)
    with _told(school, r"^waiting: the log does not answer"):
        _days(world, [school], 1)
    world.log.rates.clear()


def _silent_registrar(world: World) -> None:
    """The registrar says nothing for more than a week."""
    others = [site for name, site in world.sites.items() if name != REGISTRAR]
    with _ended(world.sites[REGISTRAR]):
        marks = {site.name: len(site.told) for site in others}
        _days(world, others, 9)
    for site in others:
        _require_told(site, marks[site.name], rf"{TRUST_CHANNEL} has said nothing for 8 days")


LASTING: Final[dict[str, Callable[[World], None]]] = {
    "a gap": _gap,
    "a key of an own event is lost": _key_lost,
    "a parked event": _parked,
    "a registrar that is silent": _silent_registrar,
    "an event that cannot be sent": _unsent,
    "an event that nobody receipts": _unreceipted,
}


@contextmanager
def _ended(site: Site) -> Iterator[None]:
    """End the worker of a site, and let it begin again afterwards."""
    _worker(site).end()
    yield
    require(site.start_worker(), f"{site.name} does not start again: {site.ended_by}")


@contextmanager
def _told(site: Site, pattern: str) -> Iterator[None]:
    """Require that a site says something meanwhile."""
    mark = len(site.told)
    yield
    _require_told(site, mark, pattern)


def _require_told(site: Site, mark: int, pattern: str) -> None:
    found = any(re.search(pattern, text) for text in site.told[mark:])
    require(found, f"{site.name} has to say this, and did not: {pattern}")


def _worker(site: Site) -> Process:
    require(site.worker is not None, f"{site.name} does not work: {site.ended_by}")
    assert site.worker is not None
    return site.worker


def _work(world: World, sites: Iterable[Site], steps: int) -> None:
    for _ in range(steps):
        for site in sites:
            worker = _worker(site)
            worker.run("works", worker.step)
        world.clock += 1_000


def _days(world: World, sites: list[Site], number: int) -> None:
    for _ in range(number):
        world.clock += _DAY
        _work(world, sites, _STEPS_A_DAY)


def _files(world: World, school: Site, pupil: int) -> UUID:
    desk = school.at_desk()
    require(desk is not None, f"nobody can act at {school.name}: {school.ended_by}")
    assert desk is not None
    case_id = do(world, desk, filing(desk, form(pupil, "A2")))
    require(case_id is not None, f"{school.name}: an application is not filed, and nothing is wrong")
    assert case_id is not None
    return case_id


def _asks(world: World, school: Site, pupil: int) -> None:
    case_id = _files(world, school, pupil)
    desk = school.at_desk()
    assert desk is not None
    done = do(world, desk, school_act(desk, case_id, "asks the commission"))
    require(done is not None, f"{school.name}: the commission is not asked, and nothing is wrong")
