"""Rehearsals: a scripted story played through the real services on a throw-away exchange with a clock of its own.

Clerks are trained with it, and scenarios tested. Everything is real but the clock and the processes: the log, the
databases, keys, signatures, workers' steps, and the acts are those of the commands.
Source: docs/rehearsals.md.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.commission import input as commission_forms
from services.commission.acts import ACTS as COMMISSION_ACTS
from services.commission.application import Commission
from services.commission.bootstrap import build as build_commission
from services.desk.forming import form_of
from services.desk.founding import found_exchange
from services.desk.ground import FileGround, Ground
from services.desk.playing import Outcome, Played, Playing
from services.desk.quiet import has_work
from services.desk.script import Script, ScriptError, Step
from services.post.acts import enter_as
from services.post.building import add_settings, milliseconds
from services.post.office import Office
from services.post.refused_acts import noting
from services.post.worker import Worker
from services.registrar.bootstrap import build as build_registrar
from services.school import input as school_forms
from services.school.acts import EVERY_ACT as SCHOOL_ACTS
from services.school.acts import OWN_ACTS
from services.school.application import School
from services.school.bootstrap import build as build_school
from services.wire.channels import COMMISSION, REGISTRAR
from services.wire.errors import RefusedError

__all__ = ["Rehearsal"]

_RIGA: Final = ZoneInfo("Europe/Riga")
_RECEIPT_MILLISECONDS: Final = 2000
_ROUNDS: Final = 50
_BROKER_SECONDS: Final = 30
_LOOK_AGAIN_SECONDS: Final = 0.02


@dataclass(slots=True)
class Rehearsal:
    """One script on one throw-away exchange in ``folder``: the company that acts in this process.

    ``stands_on`` is what its log stands on, None for a file in the folder; whoever gives brokers closes it all afterwards.
    """

    script: Script
    folder: Path
    stands_on: Ground | None = None
    now: int = 0
    offices: dict[str, Office] = field(default_factory=dict)
    schools: dict[str, School] = field(default_factory=dict)
    commission: Commission = field(init=False)
    workers: dict[str, Worker] = field(default_factory=dict)
    asleep: frozenset[str] = frozenset()
    patience_seconds: float = 0.0

    @property
    def ground(self) -> Ground:
        """What the log stands on."""
        return self.stands_on or FileGround(self.folder)

    def play(self) -> Iterator[Played]:
        """Found the exchange, play the story and yield each step.

        Raises: as ``Playing.play``.
        """
        self.now = _milliseconds(self.script.begins) if self.script.begins else milliseconds()
        self._found()
        yield from Playing(self.script, self).play()

    def move(self, at: datetime, where: str) -> None:
        """Put the clock to a time.

        Raises: ScriptError if it lies before the step before.
        """
        then = _milliseconds(at)
        if then < self.now:
            raise ScriptError(f"{where} lies before the step before it; the clock never goes back")
        self.now = then
        # Workers never sleep: what has become due meanwhile has happened before anybody acts.
        self.settle()

    def rest(self, names: Collection[str], where: str) -> None:  # noqa: ARG002  # the Protocol's
        """Let the workers of these stand still, and those of all others work."""
        self.asleep = frozenset(names)

    def act(self, step: Step, case_id: UUID | None, form: bytes) -> Outcome:
        """Call the use case of a command, as the command does."""
        try:
            if step.who == COMMISSION:
                return self._decide(step, case_id, form)
            return self._ask(step, case_id, form)
        except RefusedError as refusal:
            return Outcome(refused=type(refusal).__name__.removesuffix("Error"), why=str(refusal))
        finally:
            # The same office works as its worker next: what happens then is entered by nobody.
            self.offices[step.who].entered_by = None

    def settle(self) -> None:
        """Let every worker work that does not stand still until nothing is left, and the time of receipts pass."""
        awake = [worker for name, worker in self.workers.items() if name not in self.asleep]
        until, rounds = time.monotonic() + _BROKER_SECONDS, 0
        while rounds < _ROUNDS:
            if sum(worker.step() for worker in awake):
                rounds += 1
            elif self._is_on_the_way(awake) and time.monotonic() < until:
                time.sleep(_LOOK_AGAIN_SECONDS)
            else:
                break
        self.now += _RECEIPT_MILLISECONDS
        for worker in awake:
            worker.step()

    def close(self) -> None:
        """Give back the ways to the log."""
        for office in self.offices.values():
            if office.channel is not None:
                office.channel.close()
        self.ground.close()

    def _is_on_the_way(self, awake: list[Worker]) -> bool:
        # What a file holds is read at once; from brokers it comes when it comes.
        if self.stands_on is None:
            return False
        with self.ground.look() as log:
            return any(has_work(worker.office, log, tuple(self.schools)) for worker in awake)

    def _found(self) -> None:
        list(found_exchange(self.folder, self.script.schools, ground=self.ground, clock=self._clock))
        for number in self.script.schools:
            name = f"school-{number}"
            self._settle_for(name)
            self.schools[name] = build_school(self._settings(name), working=True, clock=self._clock)
            self.offices[name] = self.schools[name].office
        self.commission = build_commission(self._settings(COMMISSION), working=True, clock=self._clock)
        self.offices[COMMISSION] = self.commission.office
        self.workers = {name: Worker(office) for name, office in self.offices.items()}
        self.offices[REGISTRAR] = build_registrar(self._settings(REGISTRAR), working=False, clock=self._clock).office
        for worker in self.workers.values():
            worker.start()
        self.settle()

    def _settings(self, name: str) -> Path:
        return self.folder / name / "sarakste.toml"

    def _settle_for(self, name: str) -> None:
        settings = self.script.settings.get(name)
        if settings is not None:
            add_settings(self._settings(name).parent, "school", settings.model_dump(mode="json", exclude_none=True))

    def _clock(self) -> int:
        return self.now

    def _decide(self, step: Step, case_id: UUID | None, form: bytes) -> Outcome:
        act, kind = COMMISSION_ACTS[step.act], form_of(step.who, step.act)
        read = () if kind is None else (commission_forms.read_form(kind, form, today=self.commission.office.today),)
        enter_as(self.commission.office, act)
        if act.begins:
            return Outcome(case_id=getattr(self.commission, act.method)(*read)[0])
        with _noting(self.commission.office, case_id, step):
            getattr(self.commission, act.method)(case_id, *read)
        return Outcome()

    def _ask(self, step: Step, case_id: UUID | None, form: bytes) -> Outcome:
        school = self.schools[step.who]
        enter_as(school.office, SCHOOL_ACTS[step.act])
        if step.act == "file":
            return Outcome(case_id=school.file(school_forms.read_application(form, today=school.office.today))[0])
        act, kind = SCHOOL_ACTS[step.act], form_of(step.who, step.act)
        read = () if kind is None else (school_forms.read_form(kind, form, today=school.office.today),)
        with _noting(school.office, case_id, step):
            getattr(school, act.method)(*([] if step.act in OWN_ACTS else [case_id]), *read)
        return Outcome()


def _noting(office: Office, case_id: UUID | None, step: Step) -> AbstractContextManager[None]:
    return noting(office, case_id, step.act) if case_id is not None else nullcontext()


def _milliseconds(at: datetime) -> int:
    return int((at if at.tzinfo else at.replace(tzinfo=_RIGA)).timestamp() * 1000)
