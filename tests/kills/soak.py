"""The kill loop: an exchange at work, whose processes are killed at moments that a seed draws, until there were enough kills.

Decides who is killed when; what the clerks do is for ``clerks``, what has to hold in the end for ``checks``.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Final

from services.wire.channels import COMMISSION, REGISTRAR
from tests.kills.clerks import Clerk, Desk, WrongError, commission_clerk, joining, registrar_clerk, rotation, school_clerk
from tests.kills.forking import Child, Order, Pool
from tests.kills.logs import NEWCOMERS, BrokerLog, FileLog
from tests.kills.looking import Sight
from tests.kills.watching import Aim, Phase

__all__ = ["Kills", "Soak", "Tally"]

SCHOOLS: Final = ("0099900011", "0099900022")
_QUIET_SECONDS: Final = 300
_STEP_SECONDS: Final = 0.05
_SOON_SECONDS: Final = 0.01
# A commit or a durable file takes about so long here; drawn beyond it, the kill hits what comes next.
_MOMENT_SECONDS: Final = 0.006
_SPARED: Final = 0.6
# In its start, soon after it, and amid its work, in seconds.
_LONG_LIVES: Final = ((0.0, 3.0), (1.0, 8.0), (3.0, 20.0))

Tally = Counter[tuple[str, Phase]]
"""How many processes were killed, by what they were and what they were doing."""


@dataclass(slots=True)
class Kills:
    """Draws when a process is killed, and counts which were.

    ``is_sparing``: more of them live on, for where starts take long, so that there is work to be killed in.
    """

    rng: random.Random
    wanted: int
    is_sparing: bool = False
    tally: Tally = field(default_factory=Counter)
    _seconds: dict[str, float] = field(default_factory=dict)
    _moments: dict[str, int] = field(default_factory=dict)

    @property
    def done(self) -> int:
        return self.tally.total()

    def aim(self, kind: str) -> Aim | None:
        """Return when a process of this kind is killed: any time in its run, right after its fork, in a commit, or not at all."""
        if self.done >= self.wanted or (self.is_sparing and self.rng.random() < _SPARED):
            return None
        chance, usual = self.rng.random(), self._seconds.get(kind, 0.3)
        if chance < 0.3:
            return Aim(self.rng.uniform(0, usual))
        if chance < 0.35:
            return Aim(self.rng.uniform(0, _SOON_SECONDS))
        if chance < 0.85:
            return Aim(self.rng.uniform(0, _MOMENT_SECONDS), self.rng.randint(1, self._moments.get(kind, 1)))
        return None

    def aim_at_worker(self, kind: str) -> Aim | None:
        """Return when a worker is killed: half of them in their start, the others in their work."""
        if self.done >= self.wanted:
            return None
        if self.is_sparing:
            return Aim(self.rng.uniform(*self.rng.choice(_LONG_LIVES)))
        chance, start = self.rng.random(), self._seconds.get(kind, 0.3)
        if chance < 0.15:
            return Aim(self.rng.uniform(0, 2 * start))
        if chance < 0.5:
            return Aim(start + self.rng.uniform(0, 3))
        return Aim(self.rng.uniform(0, _MOMENT_SECONDS), self.rng.randint(1, 60))

    def count(self, child: Child) -> None:
        """Count a killed process, or note how long one of its kind takes."""
        kind = child.order.kind
        if child.is_killed:
            step = child.spot.step
            self.tally[f"{kind}: {step}" if step else kind, child.spot.phase] += 1
        elif child.code == 0 and not kind.endswith("worker"):
            self._seconds[kind] = 0.8 * self._seconds.get(kind, child.seconds) + 0.2 * child.seconds
            self._moments[kind] = max(self._moments.get(kind, 1), child.spot.moments)


@dataclass(slots=True)
class Soak:
    """One exchange, its processes and its clerks."""

    folder: Path
    kills: Kills
    tell: Callable[[int], None]
    log: FileLog | BrokerLog
    pool: Pool = field(default_factory=Pool)
    desk: Desk = field(init=False)
    names: list[str] = field(default_factory=lambda: [REGISTRAR, COMMISSION, *(f"school-{each}" for each in SCHOOLS)])
    _clerks: dict[int, Clerk] = field(default_factory=dict)
    _orders: dict[int, int] = field(default_factory=dict)
    _idle: list[int] = field(default_factory=list)
    _workers: dict[int, str] = field(default_factory=dict)
    _moved: float = 0.0
    _pupils: Iterator[int] = field(default_factory=count)
    _numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        papers = self.folder / "papers"
        papers.mkdir(parents=True)
        self.desk = Desk(Sight(self.folder / "exchange"), papers)

    def run(self) -> None:
        """Found the exchange, work under kills until there were enough, and go on without until everything is done."""
        self.found()
        for name in list(self.names):
            self.start_worker(name)
        for clerk in self._everybody():
            self._engage(clerk)
        while self.kills.done < self.kills.wanted:
            self.log.break_at_times()
            self._step()
        self.desk.is_open = False
        self._moved = time.monotonic()
        while self._clerks or not self.desk.sight.is_quiet(self.names):
            self._step()
            if time.monotonic() > self._moved + _QUIET_SECONDS:
                raise WrongError(f"it does not come to rest: {self._left()}")
        workers = [child for child in self.pool.children if child.pid in self._workers]
        self.pool.stop(workers)
        left = {self._workers[child.pid]: child.code for child in workers if child.code != 0}
        if left:
            raise WrongError(f"workers did not end well: {left}")

    def found(self) -> None:
        made = self.pool.run(replace(self.command("init"), work=lambda: self.log.found(SCHOOLS)))
        if made.code != 0:
            raise WrongError(f"init ended with {made.code}: {made.order.err}")

    def command(self, kind: str, *arguments: str) -> Order:
        place = self.folder / "papers" / f"{kind}-{self.desk.number():06}"
        return Order(kind=kind, arguments=(kind, *arguments), out=place.with_suffix(".out"), err=place.with_suffix(".err"))

    def start_worker(self, name: str) -> None:
        order = self.desk.order(name, "worker")
        home = self.desk.sight.folder / name
        logged = Order(kind=order.kind, arguments=order.arguments, out=home / "worker.out", err=home / "worker.log")
        child = self.pool.start(logged, self.kills.aim_at_worker(order.kind))
        self._workers[child.pid] = name

    def count(self, child: Child) -> None:
        before = self.kills.done
        self.kills.count(child)
        self.tell(self.kills.done - before)

    def _everybody(self) -> Iterator[Clerk]:
        for number in SCHOOLS:
            yield school_clerk(self.desk, f"school-{number}", lambda: next(self._pupils))
        for is_late in (False, True):
            yield commission_clerk(self.desk, is_late=is_late)
        first = f"school-{SCHOOLS[0]}"
        errands = [
            joining(self.desk, self.log, NEWCOMERS[0], self._joined),
            rotation(self.desk, first),
            rotation(self.desk, COMMISSION),
        ]
        yield registrar_clerk(self.desk, errands)

    def _joined(self, name: str) -> None:
        self.names.append(name)
        self.start_worker(name)
        self._engage(school_clerk(self.desk, name, lambda: next(self._pupils)))

    def _engage(self, clerk: Clerk) -> None:
        # Never a number that somebody had before: who has gone home leaves none free for a clerk whose order still runs.
        number = next(self._numbers)
        self._clerks[number] = clerk
        self._idle.append(number)

    def _step(self) -> None:
        for number in self._take_idle():
            self._go_on(number, None)
        for child in self.pool.step(_STEP_SECONDS):
            self.count(child)
            self._ended(child)
        if self.kills.done >= self.kills.wanted:
            for child in self.pool.children:
                child.aim = None

    def _take_idle(self) -> list[int]:
        idle, self._idle = self._idle, []
        return idle

    def _ended(self, child: Child) -> None:
        name = self._workers.pop(child.pid, None)
        if child.code == 0:
            self._moved = time.monotonic()
        if name is None:
            self._go_on(self._orders.pop(child.pid), child)
            return
        if not child.is_killed:
            raise WrongError(f"the worker of {name} ended with {child.code}: {child.order.err.read_text('utf-8')[-2000:]}")
        self.start_worker(name)

    def _go_on(self, number: int, ended: Child | None) -> None:
        clerk = self._clerks[number]
        try:
            order = next(clerk) if ended is None else clerk.send(ended)
        except StopIteration:
            del self._clerks[number]
            return
        if order is None:
            self._idle.append(number)
        else:
            child = self.pool.start(order, self.kills.aim(order.kind))
            self._orders[child.pid] = number

    def _left(self) -> str:
        states = {name: Counter(self.desk.sight.cases(name).values()) for name in self.names if name != REGISTRAR}
        return f"{len(self._clerks)} clerks, {states}"

    def stop(self) -> None:
        """End whoever is left."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.pool.end()
