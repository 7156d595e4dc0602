"""Rehearsals: a scripted story played through the real services on a throw-away exchange with a clock of its own.

Clerks are trained with it, and scenarios tested. Everything is real but the clock and the processes: the log, the
databases, keys, signatures, workers' steps, and the acts are those of the commands.
Source: docs/rehearsals.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.commission import input as commission_forms
from services.commission.application import Commission
from services.commission.bootstrap import build as build_commission
from services.commission.entrypoints.cli import ACTS
from services.desk.founding import found_exchange
from services.desk.ground import FileGround, Ground
from services.desk.playing import Outcome, Played, Playing
from services.desk.script import FORMLESS, Script, ScriptError, Step
from services.post.building import milliseconds
from services.post.office import Office
from services.post.worker import Worker
from services.registrar.bootstrap import build as build_registrar
from services.school import input as school_forms
from services.school.application import School
from services.school.bootstrap import build as build_school
from services.wire.channels import COMMISSION, REGISTRAR
from services.wire.errors import RefusedError

__all__ = ["Rehearsal"]

_RIGA: Final = ZoneInfo("Europe/Riga")
_RECEIPT_MILLISECONDS: Final = 2000
_ROUNDS: Final = 50

_SCHOOL_FORMS: Final[Mapping[str, Callable[..., Any]]] = {
    "consent": school_forms.read_consent,
    "address": school_forms.read_address,
}


@dataclass(slots=True)
class Rehearsal:
    """One script on one throw-away exchange in ``folder``: the company that acts in this process."""

    script: Script
    folder: Path
    now: int = 0
    offices: dict[str, Office] = field(default_factory=dict)
    schools: dict[str, School] = field(default_factory=dict)
    commission: Commission = field(init=False)
    workers: list[Worker] = field(default_factory=list)
    patience_seconds: float = 0.0

    @property
    def ground(self) -> Ground:
        """What the log stands on: a file that is thrown away with the rest."""
        return FileGround(self.folder)

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

    def act(self, step: Step, case_id: UUID | None, form: bytes) -> Outcome:
        """Call the use case of a command, as the command does."""
        try:
            if step.who == COMMISSION:
                return self._decide(step, case_id, form)
            return self._ask(step, case_id, form)
        except RefusedError as refusal:
            return Outcome(refused=type(refusal).__name__.removesuffix("Error"), why=str(refusal))

    def settle(self) -> None:
        """Let every worker work until nothing is left, and the time of receipts pass."""
        for _ in range(_ROUNDS):
            if not sum(worker.step() for worker in self.workers):
                break
        self.now += _RECEIPT_MILLISECONDS
        for worker in self.workers:
            worker.step()

    def _found(self) -> None:
        list(found_exchange(self.folder, self.script.schools, clock=self._clock))
        for number in self.script.schools:
            name = f"school-{number}"
            self.schools[name] = build_school(self._settings(name), working=True, clock=self._clock)
            self.offices[name] = self.schools[name].office
        self.commission = build_commission(self._settings(COMMISSION), working=True, clock=self._clock)
        self.offices[COMMISSION] = self.commission.office
        self.workers = [Worker(office) for office in self.offices.values()]
        self.offices[REGISTRAR] = build_registrar(self._settings(REGISTRAR), working=False, clock=self._clock).office
        for worker in self.workers:
            worker.start()
        self.settle()

    def _settings(self, name: str) -> Path:
        return self.folder / name / "sarakste.toml"

    def _clock(self) -> int:
        return self.now

    def _decide(self, step: Step, case_id: UUID | None, form: bytes) -> Outcome:
        act = ACTS[step.act]
        read = commission_forms.read_form(getattr(commission_forms, act.form), form, today=self.commission.office.today)
        getattr(self.commission, act.method)(case_id, read)
        return Outcome()

    def _ask(self, step: Step, case_id: UUID | None, form: bytes) -> Outcome:
        school = self.schools[step.who]
        if step.act == "file":
            return Outcome(case_id=school.file(school_forms.read_application(form, today=school.office.today))[0])
        if step.act in FORMLESS:
            getattr(school, step.act)(case_id)
        else:
            getattr(school, step.act)(case_id, _SCHOOL_FORMS[step.act](form, today=school.office.today))
        return Outcome()


def _milliseconds(at: datetime) -> int:
    return int((at if at.tzinfo else at.replace(tzinfo=_RIGA)).timestamp() * 1000)
