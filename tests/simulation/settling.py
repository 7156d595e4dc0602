"""Settling: all workers work until nothing is left to do at this moment."""

from __future__ import annotations

from collections import Counter
from typing import Final

from services.wire.channels import channels_of
from tests.simulation.world import SCHOOLS, WITH_AUDITOR, World

__all__ = ["settle"]

_SWEEPS: Final = 80
_OWN_CHANNELS: Final = {role: len(channels_of(name, role, SCHOOLS)) for name, role in WITH_AUDITOR.items()}


def settle(world: World) -> bool:
    """Let all workers work until nothing is left to do now; tell whether that came to an end."""
    idle: Counter[tuple[str, int]] = Counter()
    for _ in range(_SWEEPS):
        # A step looks at one own channel; whoever has several looks at the next one with the next step.
        at_work = [
            (site, site.worker)
            for site in world.sites.values()
            if site.worker is not None and idle[site.name, world.log.changes] < _OWN_CHANNELS[site.role]
        ]
        if not at_work:
            return True
        for site, worker in at_work:
            done = worker.run("works", worker.step)
            # Whoever found nothing to do need not look again before somebody wrote to the log.
            idle[site.name, world.log.changes] = 0 if done else idle[site.name, world.log.changes] + 1
    return False
