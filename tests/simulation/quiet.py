"""Quiet: no more faults, machines and clocks as they should be, and people who do what they are told by the alarms."""

from __future__ import annotations

from typing import Final

from services.channel.embedded import EmbeddedChannel
from tests.simulation.faults_people import letters_arrive
from tests.simulation.invariants import Broken
from tests.simulation.operators import mend
from tests.simulation.settling import settle
from tests.simulation.world import World

__all__ = ["quiet"]

_HOUR: Final = 3_600_000
_FIRST_PAUSES: Final = (2_000, 2_000, 1_000_000, _HOUR + 1_000, 25 * _HOUR)
"""Long enough for whatever is done within seconds, minutes, an hour and a day."""

_PAUSES: Final = (*_FIRST_PAUSES, *(_HOUR + 1_000,) * 20)
_RESTED: Final = 2


def quiet(world: World) -> None:
    """Let the exchange come to rest.

    Raises: Broken if it never does.
    """
    end_faults(world)
    rested = 0
    before = None
    for number, pause in enumerate(_PAUSES):
        mend(world)
        if not settle(world):
            raise Broken("the exchange works without end")
        world.clock += pause
        now = _state(world)
        rested = rested + 1 if now == before else 0
        before = now
        if rested >= _RESTED and number >= len(_FIRST_PAUSES):
            return
    raise Broken("the exchange never comes to rest")


def end_faults(world: World) -> None:
    """End everything that goes wrong: what was under way arrives, machines and clocks are right, everybody is there."""
    world.log.rates.clear()
    world.meddle = None
    while world.log.late:
        world.log.deliver_late()
    letters_arrive(world, at_once=True)
    for site in world.sites.values():
        site.skew, site.is_away, site.disk.full_commits = 0, False, 0
        if site.had_two_workers:
            # Whoever ends one of two workers starts the other one anew: the start of either may have ended in the middle.
            site.end_all()
        for process in site.processes():
            process.fuse.left = None


def _state(world: World) -> list[object]:
    assert isinstance(world.log.real, EmbeddedChannel)
    found: list[object] = [world.log.ends()]
    for site in world.sites.values():
        if site.worker is None:
            found.append(str(site.ended_by))
            continue
        database = site.worker.office.database
        for query in ("SELECT max(id), count(*) FROM entries", "SELECT count(*) FROM outgoing"):
            row = database.one(query)
            found.append(tuple(row) if row else None)
        held = database.all("SELECT kind, count(*) FROM held WHERE resolved_at IS NULL GROUP BY kind ORDER BY kind")
        found.append([tuple(row) for row in held])
        found.append([tuple(row) for row in database.all("SELECT channel, state, sequence FROM channels ORDER BY channel")])
    return found
