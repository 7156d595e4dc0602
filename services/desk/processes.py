"""An exchange whose participants work as operating-system processes, and act by the command: the company of a demonstration.

Decides how a step becomes a command and when everybody has done their work; the story is for ``playing``. This process signs
and sends nothing: it only looks into the databases and the log.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn
from uuid import UUID

from services.commission.bootstrap import build as build_commission
from services.desk.forming import form_of
from services.desk.ground import Ground
from services.desk.playing import NotAsWrittenError, Outcome
from services.desk.quiet import has_work
from services.desk.script import ScriptError, Step, begins
from services.desk.sight import exchange_channels
from services.post.office import Office
from services.registrar.bootstrap import build as build_registrar
from services.school.bootstrap import build as build_school
from services.wire.channels import COMMISSION, REGISTRAR
from services.wire.errors import RefusedError

__all__ = ["Processes"]

_LOOK_AGAIN_SECONDS: Final = 0.05
_LOOKS: Final = 2
_STOP_SECONDS: Final = 10


@dataclass(slots=True)
class Processes:
    """The exchange in ``folder``; ``offices`` are for looking into alone, their keys and all."""

    folder: Path
    schools: tuple[str, ...]
    ground: Ground
    patience_seconds: float = 30.0
    offices: Mapping[str, Office] = field(init=False)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _forms: int = 0

    def __post_init__(self) -> None:
        self.offices = {
            COMMISSION: build_commission(self._settings(COMMISSION)).office,
            REGISTRAR: build_registrar(self._settings(REGISTRAR), working=False).office,
            **{name: build_school(self._settings(name)).office for name in self.schools},
        }

    @contextmanager
    def working(self) -> Iterator[Mapping[str, int]]:
        """Let every participant work; give the numbers of their processes, which have ended when this is left.

        Raises: NotAsWrittenError if the channels were not opened in time.
        """
        # A stop of this process would leave the workers behind: it becomes an ordinary end.
        before = signal.signal(signal.SIGTERM, _leave)
        try:
            for name in self.offices:
                self._start(name)
            self._wait_for_channels()
            yield {name: process.pid for name, process in self.running.items()}
        finally:
            self._stop()
            signal.signal(signal.SIGTERM, before)

    def move(self, at: datetime, where: str) -> None:  # noqa: ARG002  # the Protocol's
        """Refuse: these processes live by the machine's clock. Raises: ScriptError."""
        raise ScriptError(
            f"{where} separate processes live by the machine's clock; leave at out, and write days as today + 1 day"
        )

    def rest(self, names: Collection[str], where: str) -> None:
        """Refuse to let anybody stand still: the processes work by themselves. Raises: ScriptError."""
        if names:
            raise ScriptError(f"{where} separate processes work by themselves; leave asleep out")

    def act(self, step: Step, case_id: UUID | None, form: bytes) -> Outcome:
        """Run the command of an act, the form as a JSON file."""
        arguments = [step.act] if case_id is None else [step.act, str(case_id)]
        if form_of(step.who, step.act) is not None:
            arguments.append(self._form(step, form))
        done = self._run(step.who, *arguments)
        if done.returncode == RefusedError.exit_code:
            said = json.loads(done.stderr)
            return Outcome(refused=said["error"], why=said["message"])
        saved = _answer(done)
        return Outcome(case_id=UUID(saved["case"]) if begins(step.who, step.act) else None)

    def ask(self, who: str, *arguments: str) -> Any:
        """Return what a command of a participant answers as JSON.

        Raises: NotAsWrittenError if it fails.
        """
        return _answer(self._run(who, *arguments))

    def settle(self) -> None:
        """Wait until nothing is to be signed, sent or read, for as long as patience lasts."""
        until = time.monotonic() + self.patience_seconds
        quiet = 0
        with self.ground.look() as log:
            # Twice: between two steps of a worker, what it read has not become what it writes yet.
            while quiet < _LOOKS and time.monotonic() < until:
                quiet = quiet + 1 if not any(has_work(office, log, self.schools) for office in self.offices.values()) else 0
                time.sleep(_LOOK_AGAIN_SECONDS)

    def _settings(self, name: str) -> Path:
        return self.folder / name / "sarakste.toml"

    def _command(self, who: str, *arguments: str) -> list[str]:
        # -P: a folder "services" where somebody stands must not be taken for ours.
        command = [sys.executable, "-P", "-m", "services.desk", who.partition("-")[0]]
        return [*command, *arguments, "--config", str(self._settings(who))]

    def _run(self, who: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*self._command(who, *arguments), "--json"]
        return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own command

    def _form(self, step: Step, form: bytes) -> str:
        forms = self.folder / "forms"
        forms.mkdir(exist_ok=True)
        self._forms += 1
        path = forms / f"{self._forms:02}-{step.act}-{step.case}.json"
        path.write_text(json.dumps(json.loads(form), ensure_ascii=False, indent=1), "utf-8")
        return str(path)

    def _start(self, name: str) -> None:
        with (self.folder / name / "worker.log").open("ab") as log:
            self.running[name] = subprocess.Popen(self._command(name, "worker"), stdout=log, stderr=log)  # noqa: S603  # our own

    def _stop(self) -> None:
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _wait_for_channels(self) -> None:
        until = time.monotonic() + self.patience_seconds
        with self.ground.look() as log:
            while not all(log.end(channel) for channel in exchange_channels(self.schools)):
                if time.monotonic() > until:
                    raise NotAsWrittenError("the channels were not opened in time; see worker.log in each folder")
                time.sleep(_LOOK_AGAIN_SECONDS)
        self.settle()


def _answer(done: subprocess.CompletedProcess[str]) -> Any:
    if done.returncode:
        raise NotAsWrittenError(f"a command ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def _leave(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
