"""Lives: cases that clerks bring on where nothing goes wrong; there each act has to be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.school.input import ApplicationInput
from services.wire.channels import COMMISSION, commission_case, to_commission
from tests.simulation.acts import Act, commission_act, do, filing, form, school_act
from tests.simulation.invariants import require
from tests.simulation.settling import settle
from tests.simulation.site import Process, Site
from tests.simulation.world import SCHOOLS, World

__all__ = ["live", "live_on"]

_ASKS: Final = "asks the commission"
_SECOND: Final = 1_000
_PAUSES: Final = (2 * _SECOND, 10 * _SECOND, 3_700 * _SECOND, 3_700 * _SECOND)
"""Long enough for a letter with a key to be asked for, and to come."""

_YES: Final = ("registers", "examines", "recommends", "dispatches", "answers")
_YES_WITH_PLAN: Final = ("registers", "examines", "issues a plan", "recommends", "answers", "dispatches")
_NO: Final = ("registers", "examines", "refuses", "answers", "dispatches")
_NEW_PUPIL: Final = 90_000


def live(world: World, school: Site, application: ApplicationInput, acts: Sequence[str]) -> UUID:
    """Bring a case of a school from its filing through ``acts``, on both sides, and return its number.

    Raises: Broken if an act is not done, or what is to come to the other side does not come.
    """
    process = _desk(school)
    case_id = _done(world, process, filing(process, application))
    for name in acts:
        process = _desk(school if name == _ASKS else world.sites[COMMISSION])
        theirs = commission_case(case_id, to_commission(school.name))
        act = school_act(process, case_id, name) if name == _ASKS else commission_act(process, theirs, name)
        _done(world, process, act)
        if name == _ASKS:
            _wait(world, world.sites[COMMISSION], theirs, "Received")
    settle(world)
    return case_id


def live_on(world: World) -> None:
    """Let a family apply now, after all that happened, and bring its case to the commission's answer.

    Raises: Broken if it does not come there.
    """
    school, variant = world.sites[world.rng.choice(SCHOOLS)], world.rng.choice(("A2", "B2"))
    says_yes = world.rng.random() < 0.5
    acts = _NO if not says_yes else _YES if variant == "A2" else _YES_WITH_PLAN
    case_id = live(world, school, form(_NEW_PUPIL, variant), (_ASKS, *acts))
    _wait(world, school, case_id, "ReadyForDecision" if says_yes else "NegativeAnswer")
    world.happened_in_life("a case brought to its answer after quiet")


def _desk(site: Site) -> Process:
    process = site.at_desk()
    require(process is not None, f"nobody can act at {site.name}: {site.ended_by}")
    assert process is not None
    return process


def _done(world: World, process: Process, act: Act) -> UUID:
    case_id = do(world, process, act)
    require(case_id is not None, f"{process.site.name}: {act.name} is not done, and nothing is wrong")
    assert case_id is not None
    return case_id


def _wait(world: World, site: Site, case_id: UUID, state: str) -> None:
    found = None
    for pause in _PAUSES:
        settle(world)
        assert site.worker is not None
        row = site.worker.office.database.one("SELECT state FROM cases WHERE case_id = ?", case_id.hex)
        found = row["state"] if row else None
        if found == state:
            return
        world.clock += pause
    require(found == state, f"{site.name}: {case_id.hex[-8:]} is {found}, and has to become {state}")
