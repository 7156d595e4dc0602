"""Rebuilding: a site that has lost its whole database gets all of it back from the channels and its ring file (I8).

The strongest form of "a projection of the log": nothing of what was there is looked at, and the cases are the same.
"""

from __future__ import annotations

from typing import Any, Final

from services.post.database import Database
from services.wire.channels import REGISTRAR
from tests.simulation.invariants import require
from tests.simulation.settling import settle
from tests.simulation.site import Site
from tests.simulation.world import World

__all__ = ["check_rebuilt"]

_HOUR: Final = 3_600_000
_CASES: Final = "SELECT case_id, counterpart_case, state, variant, opened_on, due_on, version FROM cases ORDER BY case_id"
_EVENTS: Final = (
    "SELECT originator_id, originator_version, topic, channel, event_id FROM stored_events WHERE topic <> '' ORDER BY 1, 2"
)


def check_rebuilt(world: World) -> None:
    """Let one site lose its database, and compare what comes back with what was there."""
    site = world.rng.choice([each for name, each in world.sites.items() if name != REGISTRAR])
    # A start writes whatever keys came since the last sending into the ring file.
    site.end_all()
    require(site.start_worker(), f"{site.name} does not start again: {site.ended_by}")
    before, keys = _shown(site), _keys(site)
    site.end_all()
    for leftover in site.home.glob("database.sqlite*"):
        leftover.unlink()
    database = Database(site.home / "database.sqlite")
    database.migrate()
    database.close()
    world.say(site.name, "has lost its database, and begins with an empty one")
    require(site.start_worker(), f"{site.name} does not start from nothing: {site.ended_by}")
    for _ in range(2):
        settle(world)
        world.clock += _HOUR
    after = _shown(site)
    lost = keys - _keys(site)
    require(not lost, f"{site.name} came back without {len(lost)} keys that it held")
    for was, now in zip(before, after, strict=True):
        different = [row for row in was if row not in now] + [row for row in now if row not in was]
        require(not different, f"I8: {site.name} came back from its channels otherwise than it was: {different[:6]}")


def _keys(site: Site) -> set[bytes]:
    """Return the ids of the keys that a site holds, its own and those that it was given."""
    assert site.worker is not None
    rows = site.worker.office.database.all("SELECT key_id FROM keys WHERE key_use IN ('FACTS', 'CASE') AND wrapped IS NOT NULL")
    return {row["key_id"] for row in rows}


def _shown(site: Site) -> list[list[tuple[Any, ...]]]:
    assert site.worker is not None
    database, own = site.worker.office.database, site.worker.office.own_stream.hex
    events = [tuple(row) for row in database.all(_EVENTS) if row["originator_id"] != own]
    return [[tuple(row) for row in database.all(_CASES)], events]
