"""Founding: an exchange made once a process, by the product's own use cases, and copied for each seed."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from services.post.database import Database
from services.post.ring import RingKeys
from services.registrar.application import Registrar
from services.wire.channels import REGISTRAR, channels_of
from tests.simulation.world import ORGANISATIONS, SCHOOLS, SITES, World

__all__ = ["TEMPLATES", "keep_in", "new_world", "ram", "settle"]

TEMPLATES: Final = 4
_SHM: Final = Path("/dev/shm")  # noqa: S108  # a disk in memory, where there is one
_SWEEPS: Final = 80
_OWN_CHANNELS: Final = {role: len(channels_of(name, role, SCHOOLS)) for name, role in SITES.items()}


@contextmanager
def new_world(seed: int) -> Iterator[World]:
    """Give the world of a seed, in a folder of its own that goes with it."""
    with tempfile.TemporaryDirectory(prefix="simulation-", dir=ram()) as folder:
        place = Path(folder) / "exchange"
        shutil.copytree(_template(seed % TEMPLATES), place)
        world = World(place, str(seed))
        try:
            yield world
        finally:
            world.close()


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


def ram() -> str | None:
    """Return a folder on a disk in memory, None where there is none."""
    return str(_SHM) if _SHM.is_dir() else None


def keep_in(folder: str) -> None:
    """Keep what is made once a process in a folder that somebody else removes."""
    _KEPT.append(Path(tempfile.mkdtemp(dir=folder)))


_KEPT: list[Path] = []
_OWN: list[tempfile.TemporaryDirectory[str]] = []


def _kept() -> Path:
    if not _KEPT:
        # Gone with the process.
        _OWN.append(tempfile.TemporaryDirectory(prefix="simulation-", dir=ram()))
        _KEPT.append(Path(_OWN[0].name))
    return _KEPT[0]


@cache
def _template(number: int) -> Path:
    place = _kept() / str(number)
    place.mkdir()
    world = World(place, f"template {number}")
    rng = random.Random(f"ring keys {number}")  # noqa: S311  # the same exchange in every run
    for site in world.sites.values():
        site.home.mkdir()
        RingKeys.create(site.home / "ring.key", rng.randbytes)
        database = Database(site.home / "database.sqlite")
        database.migrate()
        database.close()
    # The registrar first: whoever starts reads what it says.
    first = world.sites[REGISTRAR]
    first.start_worker()
    assert first.worker is not None
    registrar = Registrar(first.worker.office)
    registrar.open()
    registrar.publish_schemas()
    for name, organisation in ORGANISATIONS.items():
        registrar.admit(name, SITES[name], organisation, name)
    for name in ORGANISATIONS:
        world.sites[name].start_worker()
    for _ in range(4):
        assert settle(world), "a new exchange never comes to rest"
        world.clock += 2_000
    world.close()
    return place
