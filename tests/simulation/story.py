"""The story of a seed: which faults it draws, which step comes next, then quiet, then judgement."""

from __future__ import annotations

import random
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.wire.channels import COMMISSION, REGISTRAR
from tests.simulation.acts import clerk_acts
from tests.simulation.audited import bring_keys, check_auditor
from tests.simulation.auditing import audit
from tests.simulation.careless import check_refusals
from tests.simulation.faults_people import letters_arrive
from tests.simulation.founding import new_world
from tests.simulation.invariants import Channels, check_log, check_site, require
from tests.simulation.lasting import last
from tests.simulation.lives import live_on
from tests.simulation.operators import mend
from tests.simulation.plan import Plan
from tests.simulation.procedure import check_procedure
from tests.simulation.quiet import quiet
from tests.simulation.rebuilding import check_rebuilt
from tests.simulation.site import Process, Site
from tests.simulation.telling import check_told
from tests.simulation.world import SCHOOLS, World

__all__ = ["Told", "tell"]

_REBUILT: Final = 0.25
"""In which share of the seeds a site loses its whole database at the end: that costs as much as all else."""

_LIVED_ON: Final = 0.25
"""In which share a case is brought from its filing to its answer after all that happened."""

_LAST: Final = 0.2
"""In which share something lasts after quiet, and has to be told."""

_AUDITS: Final = 0.1
"""How often, where there is an auditor, somebody does something about it in a step."""

_STEPS: Final = (25, 85)
_PAUSES: Final = (200, 1_000, 1_000, 2_000, 60_000, 1_200_000, 3_700_000, 86_400_000)


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a seed: its trace, how often which fault happened, what was lived through, and what is broken."""

    seed: int
    trace: tuple[str, ...]
    counts: Counter[str]
    lived: Counter[str]
    broken: str | None


def tell(seed: int, only: tuple[str, ...] = ()) -> Told:
    """Play a seed to its end and judge it; ``only`` are the faults that may happen, by default those that the seed draws."""
    with new_world(seed) as world:
        broken = None
        try:
            _play(world, only)
            world.say("world", "quiet")
            quiet(world)
            if world.is_audited:
                bring_keys(world)
            if world.rng.random() < _LIVED_ON and not world.is_robbed:
                world.say("world", "a family applies")
                live_on(world)
                quiet(world)
            if world.rng.random() < _LAST and not world.is_robbed:
                last(world)
                quiet(world)
            judge(world)
        except Exception as error:  # whatever it is, it is what this seed found  # noqa: BLE001
            broken = "".join(traceback.format_exception(error)).strip()
        return Told(seed, tuple(world.trace), world.counts, world.lived, broken)


def judge(world: World) -> None:
    """Check everything that has to hold after quiet.

    Raises: Broken.
    """
    channels = Channels(world)
    check_log(world, channels)
    for site in world.sites.values():
        check_site(channels, site)
    require(not world.wrong, "; ".join(world.wrong))
    if world.is_audited:
        check_auditor(channels)
    check_refusals(world, channels)
    check_procedure(world)
    check_told(world, channels)
    for channel in sorted(channels.readings):
        taken = channels.taken(channel)
        world.say("log", f"{channel} ends after {len(taken)} with {taken[-1].digest.hex()[:16]}")
    if world.rng.random() < _REBUILT and not world.is_robbed:
        check_rebuilt(world)


def _play(world: World, only: tuple[str, ...]) -> None:
    rng = world.rng
    plan = Plan.drawn(rng, only)
    world.say("world", f"what may happen: {plan}")
    world.log.rates = dict(plan.rates)
    if plan.is_meddled_with:
        world.meddle = _meddler(world, rng)
    for site in world.sites.values():
        site.start_worker()
    for _ in range(rng.randint(*_STEPS)):
        if world.is_audited and rng.random() < _AUDITS:
            audit(world)
        _step(world, plan, rng)
        letters_arrive(world)
        if world.log.late and rng.random() < 0.1:
            world.log.deliver_late()


def _step(world: World, plan: Plan, rng: random.Random) -> None:
    choice = rng.random()
    if choice < 0.55:
        work(world, rng.choice(list(world.sites.values())))
    elif choice < 0.76:
        # The commission has all schools' cases to bring on.
        clerk_acts(world, world.sites[rng.choice((*SCHOOLS, COMMISSION, COMMISSION))])
    elif choice < 0.87:
        world.clock += rng.choice(_PAUSES)
    elif choice < 0.98:
        if plan.faults:
            rng.choice(plan.faults).strike(world)
    else:
        mend(world)


def _meddler(world: World, rng: random.Random) -> Callable[[Process], None]:
    def meddle(process: Process) -> None:
        """Let somebody else go on while a process waits for the log: a clerk at the same site, or any other worker."""
        if rng.random() < 0.9:
            return
        others = [each for site in world.sites.values() for each in (site.worker, site.second) if each not in (None, process)]
        if rng.random() < 0.5 and process.site.name != REGISTRAR:
            clerk_acts(world, process.site)
        elif others:
            other = rng.choice(others)
            assert other is not None
            other.run("works", other.step)

    return meddle


def work(world: World, site: Site) -> None:
    """Let a site's worker do one step, or begin one where there is none."""
    if site.is_away:
        return
    if site.worker is None:
        # Whoever is called because a worker ended by itself does not come at once.
        if site.ended_by is None or world.rng.random() < 0.2:
            site.start_worker()
        return
    for process in (site.worker, site.second):
        if process is not None:
            process.run("works", process.step)
