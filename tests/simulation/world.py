"""The world of one seed: sites, one log, one clock, and a record of what happened in it."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from services.post.history import RejectionCode
from services.post.saving import Saved
from services.wire.channels import COMMISSION, REGISTRAR, Role
from services.wire.hashing import Digest
from tests.chains import SCHOOL, Seal, registrar_seal, seal_of
from tests.exchange import COMMISSION_ORGANISATION, START, FixedSigning
from tests.simulation.log import SharedLog
from tests.simulation.site import Process, Site

__all__ = ["AUDITOR", "OTHER_SCHOOL", "SCHOOLS", "SITES", "WITH_AUDITOR", "Kept", "World", "seal_for"]

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_SECONDS: Final = len("2026-01-01 00:00:00")

OTHER_SCHOOL: Final = "school-0099900022"
SCHOOLS: Final = (SCHOOL, OTHER_SCHOOL)
AUDITOR: Final = "auditor-vk"
SITES: Final = {SCHOOL: Role.SCHOOL, OTHER_SCHOOL: Role.SCHOOL, COMMISSION: Role.COMMISSION, REGISTRAR: Role.REGISTRAR}
WITH_AUDITOR: Final = {**SITES, AUDITOR: Role.AUDITOR}
_ORGANISATIONS: Final = {
    SCHOOL: "NTRLV-90000000001",
    OTHER_SCHOOL: "NTRLV-90000000002",
    COMMISSION: COMMISSION_ORGANISATION,
    AUDITOR: "NTRLV-90000000004",
}


def seal_for(name: str, number: int) -> Seal:
    """Return the seal that a participant is given as its first, second and so on: drawn from its name, made once a process."""
    drawn = f"{name} {number}"
    return registrar_seal(drawn) if name == REGISTRAR else seal_of(drawn, organisation=_ORGANISATIONS[name])


@dataclass(frozen=True, slots=True)
class Kept:
    """An event that a clerk was told is saved."""

    site: str
    case_id: UUID | None
    event: Saved


@dataclass
class World:
    """Everything of one seed. ``trace`` says who did what, in order; ``counts`` which faults really happened, and how often.

    ``is_audited`` where an auditor takes part too. ``removed_after`` is how many events were kept when it was certain that all
    knew that it had been removed.

    ``places`` are the sites and channels where each fault happened; ``lived`` counts what became of cases. ``wrong`` is what was
    seen on the way that may not be. ``inherited`` are the bodies of events that were there when the seed began.

    ``thefts`` is what a thief wrote where, ``to_be_told`` whose database was restored to before something that
    was sent, by channel after which entry, ``begun_after`` after which entry the registrar began a channel anew last.
    ``careless`` are bodies of what has to be refused, and with which code. ``excused`` are bodies of saved events that were in
    no file and no log any more after a restore: they may be gone.
    """

    folder: Path
    seed: str
    is_audited: bool = False
    log: SharedLog = field(init=False)
    sites: dict[str, Site] = field(init=False)
    clock: int = START
    trace: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    lived: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    inherited: frozenset[Digest] = frozenset()
    kept: list[Kept] = field(default_factory=list)
    careless: dict[Digest, RejectionCode] = field(default_factory=dict)
    excused: set[Digest] = field(default_factory=set)
    stolen: set[str] = field(default_factory=set)
    thefts: list[tuple[str, list[bytes]]] = field(default_factory=list)
    to_be_told: dict[str, dict[str, int]] = field(default_factory=dict)
    begun_after: dict[str, int] = field(default_factory=dict)
    begun_anew: dict[str, int] = field(default_factory=dict)
    is_robbed: bool = False
    removed_after: int | None = None
    mended: int = 0
    log_noted: dict[str, int] | None = None
    meddle: Callable[[Process], None] | None = None
    _is_between: bool = False

    def __post_init__(self) -> None:
        self.rng = random.Random(f"world {self.seed}")  # noqa: S311  # a story, no secret
        self.log = SharedLog(
            path=self.folder / "log.sqlite",
            rng=self.rng,
            clock_of=lambda name: self.sites[name].now() if name else self.clock,
            happened=self.happened,
            say=self.say,
        )
        self.sites = {
            name: Site(
                name=name, role=role, home=self.folder / name, signing=FixedSigning(seal_for(name, 1)), world=self, seals=1
            )
            for name, role in self.roles.items()
        }
        for site in self.sites.values():
            site.disk.happened = partial(self.happened, "disk full at commit", site.name)

    @property
    def roles(self) -> Mapping[str, Role]:
        """Everybody who takes part, and as what."""
        return WITH_AUDITOR if self.is_audited else SITES

    @property
    def admitted(self) -> tuple[str, ...]:
        """Those whom the registrar has admitted."""
        return tuple(name for name in self.roles if name != REGISTRAR)

    def organisation_of(self, name: str) -> str:
        """Return the organisation that a participant is."""
        return _ORGANISATIONS[name]

    def now(self) -> int:
        return self.clock

    def say(self, who: str, what: str) -> None:
        when = (_EPOCH + timedelta(milliseconds=self.clock)).isoformat(" ", "seconds")[:_SECONDS]
        indent = "    " if self._is_between else ""
        self.trace.append(f"{len(self.trace):4} {when}  {indent}{who}: {what}")

    def happened(self, fault: str, *places: str) -> None:
        """Count a fault, with the sites and channels in which it happened."""
        self.counts[fault] += 1
        self.places[fault].update(places)

    def happened_in_life(self, what: str, times: int = 1) -> None:
        """Count what became of cases, and of what people did."""
        self.lived[what] += times

    def between(self, process: Process) -> None:
        """Let the rest of the world do something while a process waits for the log."""
        if self.meddle is None or self._is_between:
            return
        self._is_between = True
        try:
            self.meddle(process)
        finally:
            self._is_between = False

    def close(self) -> None:
        for site in self.sites.values():
            site.end_all()
        self.log.real.close()
