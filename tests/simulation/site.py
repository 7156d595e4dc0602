"""A site: one participant's machine, with its files, its clock, and the processes that run on it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from services.auditor.bootstrap import work_of_auditor
from services.commission.domain.receiving import CommissionDomain
from services.commission.kinship import follow
from services.post.beside import in_turn
from services.post.database import Database
from services.post.history import Domain
from services.post.keys import KeyRing
from services.post.office import Office
from services.post.ring import RingKeys
from services.post.store import CaseStore
from services.post.without_cases import WithoutCases
from services.post.worker import Worker
from services.registrar import bootstrap as registrar_bootstrap
from services.school import bootstrap as school_bootstrap
from services.school.input import ApplicationInput
from services.wire.channels import Role
from services.wire.errors import ChannelUnavailableError, DatabaseBusyError, ExchangeError
from tests.chains import ROOT
from tests.exchange import FixedSigning
from tests.simulation.ports import Crash, Disk, Fuse, PortOfLog, RingOnDisk, SigningPort, WatchedDatabase, put_off

if TYPE_CHECKING:
    from tests.simulation.log import SharedLog

__all__ = ["Process", "Site", "Surroundings"]

T = TypeVar("T")

_DOMAINS: dict[Role, Callable[[Database], Domain]] = {
    Role.SCHOOL: school_bootstrap.domain,
    Role.COMMISSION: lambda _: CommissionDomain(),
    Role.AUDITOR: lambda _: WithoutCases(),
    Role.REGISTRAR: registrar_bootstrap.domain,
}


class Surroundings(Protocol):
    """What a site stands in: the log, the time, and who writes down what happens."""

    log: SharedLog
    seed: str

    def now(self) -> int: ...

    def say(self, who: str, what: str) -> None: ...

    def happened(self, fault: str, *places: str) -> None: ...

    def between(self, process: Process) -> None: ...


@dataclass(eq=False)
class Site:
    """``skew`` is by how much its clock is wrong, in milliseconds; ``told`` is what its people were told by its programs.

    ``ended_by`` is the error with which the worker ended by itself; a person has to look at it. ``filed`` is what its clerk
    filed, or tried to. ``doomed`` is a rare call of a port at which its next worker to make it is killed.
    """

    name: str
    role: Role
    home: Path
    signing: FixedSigning
    world: Surroundings
    skew: int = 0
    disk: Disk = field(default_factory=Disk)
    worker: Process | None = None
    second: Process | None = None
    desk: Process | None = None
    had_two_workers: bool = False
    is_away: bool = False
    ended_by: ExchangeError | None = None
    told: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    begun: int = 0
    killed: int = 0
    seals: int = 0
    ring_keys: str | None = None
    older_ring_keys: str | None = None
    filed: list[ApplicationInput] = field(default_factory=list)
    doomed: str | None = None

    @property
    def has_begun_whole(self) -> bool:
        """Tell whether one worker is there whose start, and whatever it did last, came to its end."""
        return self.worker is not None and self.worker.is_whole and not self.had_two_workers

    def now(self) -> int:
        return self.world.now() + self.skew

    def processes(self) -> list[Process]:
        return [each for each in (self.worker, self.second, self.desk) if each is not None]

    def end_all(self) -> None:
        """End every process of this site, as somebody does who changes its files."""
        for process in self.processes():
            process.end()
        self.disk.let_go()

    def at_desk(self) -> Process | None:
        """Return the process in which a clerk acts, begun if there is none; None if it does not come up."""
        if self.desk is None:
            process = Process(self, "desk")
            if process.run("begins", process.begin) is None:
                return None
            self.desk = process
        return self.desk

    def start_worker(self, *, slot: str = "worker", fuse: int | None = None, only: str | None = None) -> bool:
        """Begin a worker and let it start; tell whether it works then."""
        process = Process(self, slot)
        setattr(self, slot, process)
        process.fuse.left, process.fuse.only = fuse, only
        return process.run("starts", process.start) is not None and getattr(self, slot) is process


@dataclass(eq=False)
class Process:
    """One process over a site's files: a worker, a second one whose lease failed to hold it off, or a clerk's desk."""

    site: Site
    kind: str
    fuse: Fuse = field(init=False)
    office: Office = field(init=False)
    worker: Worker = field(init=False)
    database: Database | None = None
    is_whole: bool = False

    def __post_init__(self) -> None:
        self.fuse = Fuse(burnt=self._burnt, is_doomed=self._is_doomed)

    def begin(self) -> bool:
        """Build the office over the files that stand there now."""
        site, world = self.site, self.site.world
        site.begun += 1
        rng = random.Random(f"{world.seed} {site.name} {site.begun}")  # noqa: S311  # the same exchange in every run
        # Drawn for each process: whichever of a site is begun as which, it does both over a history.
        beside = put_off if rng.random() < 0.5 else in_turn
        self.database = database = WatchedDatabase(site.home / "database.sqlite", self.fuse, site.disk)
        database.require_current()

        def drawn(count: int) -> bytes:
            self.fuse.call("randomness is asked for")
            return rng.randbytes(count)

        def clock() -> int:
            self.fuse.call("the time is asked for")
            return site.now()

        # What the registrar is about to say is judged by what the log shows.
        works = self.kind != "desk" or site.role is Role.REGISTRAR
        self.office = Office(
            participant=site.name,
            role=site.role,
            root=ROOT,
            database=database,
            store=CaseStore(database),
            ring=KeyRing(database, RingKeys.load(site.home / "ring.key"), clock, drawn),
            ring_file=RingOnDisk.of(site.home / "ring.file", self.fuse),
            domain=_DOMAINS[site.role](database),
            clock=clock,
            random=drawn,
            signing=SigningPort(site.signing, self.fuse) if works else None,
            channel=PortOfLog(world.log, site.name, self.fuse, lambda: world.between(self)) if works else None,
            after_saving=follow if site.role is Role.COMMISSION else None,
            besides=work_of_auditor() if site.role is Role.AUDITOR else None,
            beside=beside,
        )
        return True

    def start(self) -> bool:
        self.begin()
        self.worker = Worker(self.office)
        self.worker.start()
        self.site.ended_by = None
        self.is_whole = True
        return True

    def step(self) -> int:
        self.is_whole = False
        done = self.worker.step()
        self.is_whole = True
        return done

    def run(self, what: str, job: Callable[[], T]) -> T | None:
        """Do something in this process; None if that, or what happened around it, ended the process or has to wait."""
        world, name = self.site.world, f"{self.site.name} {self.kind}"
        try:
            return job()
        except Crash as crash:
            self.end()
            world.say(name, f"{what}, and is killed: {crash.where}")
        except (ChannelUnavailableError, DatabaseBusyError) as error:
            # As the thin loop around the steps does.
            self.site.told.append(f"waiting: {error}")
            world.say(name, f"{what}, and has to wait: {error}")
            self._tell()
            if what == "starts":
                self.end()
        except ExchangeError as error:
            if self.kind == "desk" and what != "begins":
                world.say(name, f"{what}: {type(error).__name__}: {error}")
                self.site.raised.append(f"{type(error).__name__}: {error}")
                raise
            self._ended_by(what, error)
        finally:
            self._tell()
        return None

    def end(self) -> None:
        """End without a word."""
        if self.database is not None:
            self.database.close()
            self.database = None
        if getattr(self.site, self.kind) is self:
            setattr(self.site, self.kind, None)

    def _ended_by(self, what: str, error: ExchangeError) -> None:
        self._tell()
        self.end()
        self.site.ended_by = error
        self.site.raised.append(f"{type(error).__name__}: {error}")
        self.site.world.say(f"{self.site.name} {self.kind}", f"{what}, and ends: {type(error).__name__}: {error}")

    def _tell(self) -> None:
        office: Office | None = getattr(self, "office", None)
        if office is None or self.database is None:
            return
        for alarm in office.alarms:
            self.site.told.append(alarm)
            self.site.world.say(f"{self.site.name} {self.kind}", f"tells: {alarm}")
        office.alarms.clear()

    def _burnt(self, where: str) -> None:
        self.site.killed += 1
        self.site.world.happened(f"killed: {where}", self.site.name)

    def _is_doomed(self, where: str) -> bool:
        if self.site.doomed != where:
            return False
        self.site.doomed = None
        return True
