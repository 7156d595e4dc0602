"""Faults of a machine: its database restored, its ring key an old one, its disk full, two workers on it, its clock wrong."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Final

from services.post.ring import write_durably
from services.post.ring_file import RingFile
from services.wire.candidates import Candidate, candidate_of
from services.wire.entry import body_digest, decode_statement
from services.wire.hashing import Digest
from tests.simulation.site import Site
from tests.simulation.world import World

__all__ = ["age", "disk_full", "restore", "ring_key_of_old", "skew_clock", "two_workers"]

_HOUR: Final = 3_600_000
_TEN_YEARS: Final = 3_653 * 24 * _HOUR
_JUMPS: Final = {
    "an hour forward": _HOUR,
    "an hour back": -_HOUR,
    "ten years forward": _TEN_YEARS,
    "ten years back": -_TEN_YEARS,
}


def restore(world: World) -> None:
    """Take a copy of a site's database, or put an earlier copy in its place."""
    sites = list(world.sites.values())
    site = world.rng.choice([each for each in sites if (each.home / "backup.sqlite").exists()] or sites)
    if world.rng.random() < 0.3:
        site = world.rng.choice(sites)
    backup = site.home / "backup.sqlite"
    if not backup.exists():
        database = sqlite3.connect(site.home / "database.sqlite")
        database.execute("VACUUM INTO ?", (str(backup),))
        database.close()
        world.say(site.name, "a backup of the database is made")
    elif world.rng.random() < 0.7:
        _put_back(world, site)


def _put_back(world: World, site: Site) -> None:
    site.end_all()
    here, backup = site.home / "database.sqlite", site.home / "backup.sqlite"
    sent, restored = _places(here, "shown_sequence"), _places(backup, "sequence")
    gone = _rows(here, "SELECT key_id FROM keys") - _rows(backup, "SELECT key_id FROM keys")
    for leftover in site.home.glob("database.sqlite*"):
        leftover.unlink()
    shutil.copyfile(backup, here)
    world.happened("database restored", site.name)
    if gone:
        world.happened("database restored, keys made since", site.name)
    world.say(site.name, f"the database is restored from its backup; {len(gone)} keys were made since")
    behind = {channel: restored.get(channel, 0) for channel, standing in sent.items() if standing > restored.get(channel, 0)}
    world.to_be_told.setdefault(site.name, {}).update(behind)
    excuse_what_is_gone(world, site)


def excuse_what_is_gone(world: World, site: Site) -> None:
    """Note which saved events of a site stand in no database, no letterbook and no log any more: nobody can bring them back."""
    there = {Digest(row) for row in _rows(site.home / "database.sqlite", "SELECT body_digest FROM stored_events")}
    for other in world.sites.values():
        if other is not site:
            statements = _rows(other.home / "database.sqlite", "SELECT statement FROM entries")
            there |= {body_digest(decode_statement(each).body) for each in statements}
    for channel in world.log.ends():
        found = (candidate_of(record, channel) for record in world.log.records(channel))
        there |= {body_digest(each.unverified_statement.body) for each in found if isinstance(each, Candidate)}
    lost = {kept.event.body for kept in world.kept if kept.site == site.name} - there
    world.excused |= lost
    if lost:
        world.say(site.name, f"{len(lost)} saved events stand nowhere any more")


def _places(path: Path, column: str) -> dict[str, int]:
    """Return the places of all channels by what a database says: how far each was sent, or how far it is there."""
    database = sqlite3.connect(path)
    try:
        return dict(database.execute(f"SELECT channel, {column} FROM channels").fetchall())  # noqa: S608  # own names
    finally:
        database.close()


def _rows(path: object, query: str) -> set[bytes]:
    database = sqlite3.connect(str(path))
    try:
        return {row[0] for row in database.execute(query)}
    finally:
        database.close()


def ring_key_of_old(world: World) -> None:
    """Renew a ring key; once it is renewed, put the file of the generation before in its place."""
    site = world.rng.choice(list(world.sites.values()))
    path = site.home / "ring.key"
    if site.ring_keys is None:
        older = path.read_text("ascii")
        site.ring_keys = f"{older}2 {world.rng.randbytes(32).hex()}\n"
        site.older_ring_keys = older
        write_durably(path, site.ring_keys.encode("ascii"))
        site.end_all()
        world.say(site.name, "the ring key is renewed; its file holds two generations")
        site.start_worker()
    elif site.older_ring_keys is not None and _all_are_newest(site):
        site.end_all()
        write_durably(path, site.older_ring_keys.encode("ascii"))
        world.happened("ring key of an older generation", site.name)
        world.say(site.name, "the ring key is replaced by its older generation")
        site.start_worker()


def _all_are_newest(site: Site) -> bool:
    file = RingFile.load(site.home / "ring.file")
    return bool(file.keys) and any(key.generation == 2 for key in file.keys)


def disk_full(world: World) -> None:
    """Let the next commits of a machine find no room."""
    world.rng.choice(list(world.sites.values())).disk.full_commits = world.rng.randint(1, 4)


def two_workers(world: World) -> None:
    """Start a second worker of a participant: the lease did not hold it off; or end one of the two."""
    site = world.rng.choice(list(world.sites.values()))
    if site.is_away or site.worker is None:
        return
    if site.second is not None:
        world.say(site.name, "one of the two workers is ended")
        (site.worker if world.rng.random() < 0.5 else site.second).end()
        if site.worker is None and site.second is not None:
            site.worker, site.second = site.second, None
            site.worker.kind = "worker"
        return
    world.say(site.name, "a second worker begins; the lease does not hold it off")
    world.happened("a second worker began", site.name)
    site.had_two_workers = True
    if site.start_worker(slot="second"):
        world.happened("two workers", site.name)


def skew_clock(world: World) -> None:
    """Let the clock of a machine jump, or be right again."""
    site = world.rng.choice(list(world.sites.values()))
    if site.skew:
        site.skew = 0
        world.say(site.name, "the clock is right again")
        return
    name = world.rng.choice(sorted(_JUMPS))
    site.skew = _JUMPS[name]
    world.happened(f"clock jumps {name}", site.name)
    world.say(site.name, f"the clock jumps {name}")


def age(world: World) -> None:
    """Let ten years pass for everybody, once."""
    if world.counts["ten years pass"] == 0 and world.rng.random() < 0.3:
        world.clock += _TEN_YEARS
        world.happened("ten years pass", *world.sites)
        world.say("world", "ten years pass")
