"""Kills inside the migrations of a next release, on the database of somebody who has cases."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

from services.post import database
from services.wire.channels import COMMISSION
from tests.kills.checks import check_file, read_json, require
from tests.kills.forking import Child, Order
from tests.kills.looking import query
from tests.kills.soak import Soak

__all__ = ["kill_migrations"]

# As real ones: a table filled from another one, a new column with values, an index. Two, so that a kill can fall between.
_HEADS: Final = """
CREATE TABLE heads (channel TEXT PRIMARY KEY, entries INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO heads SELECT channel, count(*) FROM entries GROUP BY channel
"""
_DAYS: Final = """
ALTER TABLE cases ADD COLUMN asked_on TEXT;
UPDATE cases SET asked_on = opened_on;
CREATE INDEX cases_by_asking ON cases (asked_on);
UPDATE heads SET entries = entries + 1
"""
_NOW: Final = database.migrations()[-1][0]
_NEXT: Final = [(_NOW + 1, _HEADS), (_NOW + 2, _DAYS)]
# What is 0 at each version, and would not be with half of the next one.
_SOUND: Final = {
    _NOW: "SELECT count(*) FROM sqlite_master WHERE name IN ('heads', 'cases_by_asking')",
    _NOW + 1: "SELECT (SELECT sum(entries) FROM heads) - (SELECT count(*) FROM entries)",
    _NOW + 2: "SELECT (SELECT sum(entries) FROM heads) - (SELECT count(*) FROM entries) - (SELECT count(*) FROM heads)"
       " + (SELECT count(*) FROM cases WHERE asked_on IS NOT opened_on)",
}  # fmt: skip


def _be_the_next_release() -> None:
    ours = database.migrations()
    database.migrations = lambda: [*ours, *_NEXT]


def kill_migrations(soak: Soak) -> None:
    """Kill ``migrate`` as often as is left to do; each time the database is whole, at one version or the other.

    In the end its clerks see what they saw, the next release works on it, and this release says that it is too old.
    """
    path, kept = soak.desk.sight.database(COMMISSION), soak.folder / "kept.sqlite"
    shutil.copyfile(path, kept)
    before = read_json(_ran(soak, "cases", code=0).order.out)
    while soak.kills.done < soak.kills.wanted:
        order = _next(soak, "migrate")
        child = soak.pool.start(order, soak.kills.aim(order.kind))
        while child.code is None:
            soak.pool.step(1)
        soak.count(child)
        require(child.is_killed or child.code == 0, f"migrate ended with {child.code}")
        version = _sound_version(path)
        if version == _NEXT[-1][0]:
            _put_back(kept, path)
    require(_run(soak, _next(soak, "migrate")).code == 0, "migrate did not end well after kills")
    require(_sound_version(path) == _NEXT[-1][0], "migrate has not brought the database to the newest version")
    require(read_json(_run(soak, _next(soak, "cases")).order.out) == before, "after the migration the cases are others")
    _ran(soak, "cases", code=9)
    _ran(soak, "worker", code=9)
    _put_back(kept, path)


def _sound_version(path: Path) -> int:
    check_file(path)
    version = int(query(path, "PRAGMA user_version")[0][0])
    require(query(path, _SOUND[version]) == [(0,)], f"{path.name} says version {version} and has half of another one")
    return version


def _put_back(kept: Path, path: Path) -> None:
    for each in path.parent.glob(f"{path.name}-*"):
        each.unlink()
    shutil.copyfile(kept, path)


def _next(soak: Soak, act: str) -> Order:
    return replace(soak.desk.order(COMMISSION, act), before=_be_the_next_release)


def _ran(soak: Soak, act: str, *, code: int) -> Child:
    done = _run(soak, soak.desk.order(COMMISSION, act))
    require(done.code == code, f"{done.order.kind} ended with {done.code}, not with {code}: {done.order.err}")
    return done


def _run(soak: Soak, order: Order) -> Child:
    return soak.pool.run(order)
