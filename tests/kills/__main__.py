"""``python -m tests.kills --kills 10000 --seed 1``: kill processes of an exchange at work, round after round.

A round is an exchange of its own, for at most a thousand kills. A run that fails prints its seed, and keeps its folder.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from infra.kafka.cluster import Cluster
from tests.kills.checks import alarms, check_all, duplicates, require
from tests.kills.forking import warm
from tests.kills.logs import BrokerLog, FileLog, started_log
from tests.kills.migrations import kill_migrations
from tests.kills.soak import Kills, Soak, Tally
from tests.kills.table import Bar, table

_ROUND: Final = 1000
_MIGRATIONS: Final = 10


def main() -> int:
    """Kill as often as the command line says; return 1 if something was lost, doubled or damaged."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description="Kill processes of an exchange at work.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to play; else a new folder, gone if all goes well")
    parser.add_argument("--cluster", action="store_true", help="over a broker of its own, that is killed too")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="sarakste-kills-"))
    warm()
    with started_log(folder / "cluster") if given.cluster else nullcontext() as cluster:
        _play(given, folder, cluster)
    if given.folder is None:
        shutil.rmtree(folder)
    return 0


def _play(given: argparse.Namespace, folder: Path, cluster: Cluster | None) -> None:
    tally, breaks = Tally(), 0
    begun = time.monotonic()
    bar = Bar(given.kills)
    seed = given.seed
    while (left := given.kills - tally.total()) > 0:
        wanted, place = min(_ROUND, left), folder / f"round-{seed}"
        try:
            exchange = place / "exchange"
            log = FileLog(exchange) if cluster is None else BrokerLog(exchange, cluster, random.Random(seed))  # noqa: S311  # moments
            tally += _round(place, seed, wanted, bar.add, log)
            breaks += log.breaks
        except BaseException as error:
            _say(f"FAILED in a round of {wanted} kills, seed {seed}: {error}")
            over = " --cluster" if given.cluster else ""
            _say(f"again: python -m tests.kills --kills {wanted} --seed {seed}{over}; kept: {place}")
            raise
        shutil.rmtree(place)
        seed += 1
    _say(table(tally))
    seconds = time.monotonic() - begun
    _say(f"{tally.total()} kills in {seconds:.0f} seconds, seed {given.seed}: nothing lost, nothing twice")
    if cluster is not None:
        _say(f"the broker was killed {breaks} times meanwhile")


def _round(folder: Path, seed: int, wanted: int, tell: Callable[[int], None], log: FileLog | BrokerLog) -> Tally:
    chance = random.Random(seed)  # noqa: S311  # moments, no secret
    kills = Kills(chance, wanted - wanted // _MIGRATIONS, is_sparing=isinstance(log, BrokerLog))
    soak = Soak(folder, kills, tell, log)
    try:
        soak.run()
        _check(soak)
        kills.wanted = wanted
        kill_migrations(soak)
    finally:
        soak.stop()
    return kills.tally


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _check(soak: Soak) -> None:
    sight = soak.desk.sight
    if copying := soak.log.copying:
        copied = soak.pool.run(soak.command(*copying))
        require(copied.code == 0, f"the log could not be copied: {copied.order.err}")
    entries = check_all(soak.desk, soak.names)
    verified = soak.pool.run(
        soak.command("verify", str(sight.folder / "log.sqlite"), "--root", str(sight.folder / "root.pem"), "--json")
    )
    require(verified.code == 0, f"verify ended with {verified.code}: {verified.order.out}")
    for name in soak.names[1:]:
        rebuilt = soak.pool.run(soak.desk.order(name, "rebuild"))
        require(
            rebuilt.code == 0 and json.loads(rebuilt.order.out.read_text())["different"] == [], f"{name}: {rebuilt.order.out}"
        )
    told = [each for each in alarms(sight, soak.names).items() if not soak.log.is_designed(each[0])]
    require(not told, f"a person was called for what kills do: {told}")
    _say(f"{len(soak.desk.filed)} cases, {entries} entries, {duplicates(sight)} repeats in the log")


if __name__ == "__main__":
    sys.exit(main())
