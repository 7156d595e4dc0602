"""Founding: an exchange made once a process, by the product's own use cases, and copied for each seed."""

from __future__ import annotations

import atexit
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from services.post.database import Database
from services.post.ring import RingKeys
from services.registrar.application import Registrar
from services.wire.channels import REGISTRAR
from tests.chains import SCHOOL
from tests.simulation.acts import form
from tests.simulation.auditing import let_in_by_all
from tests.simulation.lives import live
from tests.simulation.settling import settle
from tests.simulation.world import OTHER_SCHOOL, World

__all__ = ["found_all", "is_audited", "keep_in", "new_world", "ram"]

_SHM: Final = Path("/dev/shm")  # noqa: S108  # a disk in memory, where there is one
_A2, _B2 = ("A2", "asks the commission"), ("B2", "asks the commission")
_LIVED: Final = (
    (),
    ((SCHOOL, *_A2), (OTHER_SCHOOL, *_B2, "registers", "examines")),
    (
        (SCHOOL, *_A2, "registers", "examines", "recommends"),
        (SCHOOL, *_B2, "registers", "examines", "issues a plan"),
        (OTHER_SCHOOL, *_A2, "registers", "examines", "refuses", "dispatches"),
    ),
    (
        (SCHOOL, *_A2, "registers", "examines", "recommends", "answers"),
        (OTHER_SCHOOL, *_A2, "registers", "examines", "refuses", "dispatches", "answers"),
        (OTHER_SCHOOL, *_B2),
    ),
)
"""What each founded exchange has lived through: cases of a school in a variant, and what was done in them, in its order."""


_AUDITED: Final = 4
"""Of so many seeds, with each founded exchange, one has an auditor."""


@contextmanager
def new_world(seed: int) -> Iterator[World]:
    """Give the world of a seed, in a folder of its own that goes with it."""
    with tempfile.TemporaryDirectory(prefix="simulation-", dir=ram()) as folder:
        place = Path(folder) / "exchange"
        template = _template(seed % len(_LIVED), with_auditor=is_audited(seed))
        shutil.copytree(template.folder, place)
        world = World(place, str(seed), is_audited(seed))
        _inherit(world, template)
        try:
            yield world
        finally:
            world.close()


def is_audited(seed: int) -> bool:
    """Tell whether an auditor takes part in a seed."""
    return seed // len(_LIVED) % _AUDITED == 1


def ram() -> str | None:
    """Return a folder on a disk in memory, None where there is none."""
    return str(_SHM) if _SHM.is_dir() else None


def keep_in(folder: str) -> None:
    """Keep what is made once a process in a folder that somebody else removes."""
    _KEPT.append(Path(tempfile.mkdtemp(dir=folder)))


_KEPT: list[Path] = []


def _kept() -> Path:
    if not _KEPT:
        _KEPT.append(Path(tempfile.mkdtemp(prefix="simulation-", dir=ram())))
        atexit.register(_remove, _KEPT[0], os.getpid())
    return _KEPT[0]


def _remove(folder: Path, owner: int) -> None:
    """Remove a folder with the process that made it; one that was forked from it leaves it alone."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def found_all() -> None:
    """Found every exchange now, whatever this process does to the rules afterwards."""
    for number in range(len(_LIVED)):
        for with_auditor in (False, True):
            _template(number, with_auditor=with_auditor)


def _inherit(world: World, template: World) -> None:
    """Let a world know what was done before it began."""
    world.kept += template.kept
    world.inherited = frozenset(each.event.body for each in template.kept)
    for place, digests in template.log.given.items():
        world.log.given[place] |= digests
    for name, site in world.sites.items():
        site.filed += template.sites[name].filed


@cache
def _template(number: int, *, with_auditor: bool) -> World:
    name = f"{number} with an auditor" if with_auditor else str(number)
    place = _kept() / name
    place.mkdir()
    world = World(place, f"template {name}", with_auditor)
    rng = random.Random(f"ring keys {name}")  # noqa: S311  # the same exchange in every run
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
    for each in world.admitted:
        registrar.admit(each, world.roles[each], world.organisation_of(each), each)
    for each in world.admitted:
        world.sites[each].start_worker()
    for _ in range(4):
        assert settle(world), "a new exchange never comes to rest"
        world.clock += 2_000
    if with_auditor and number:
        # In the first of them nobody has decided on it yet.
        let_in_by_all(world)
    for pupil, (school, variant, *acts) in enumerate(_LIVED[number]):
        live(world, world.sites[school], form(pupil, variant), acts)
    assert not world.wrong
    world.close()
    return world
