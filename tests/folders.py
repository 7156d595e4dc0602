"""An exchange in folders, as `make demo` leaves it: commands as people call them, and workers by a clock that a test moves."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from services.auditor.bootstrap import build as build_auditor
from services.commission.bootstrap import build as build_commission
from services.desk.main import main
from services.post.building import milliseconds
from services.post.office import Office
from services.post.worker import Worker
from services.registrar.bootstrap import build as build_registrar
from services.school.bootstrap import build as build_school
from services.wire.certificates import load_root
from services.wire.channels import COMMISSION, REGISTRAR
from tests.commands import SCHOOL
from tests.exchange import Clock
from tests.people import another_pupil, application_json
from tests.verifying import verified_file

__all__ = ["OTHER_SCHOOL", "Answer", "Folders"]

OTHER_SCHOOL: Final = "school-0099900022"
_ROUNDS: Final = 60


@dataclass(frozen=True)
class Answer:
    """What a command gave: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


@dataclass
class Folders:
    """A copy of an exchange; ``running`` are the workers that were started and not stopped,
    ``calls`` the commands that were run."""

    folder: Path
    clock: Clock = field(default_factory=lambda: Clock(milliseconds()))
    running: dict[str, Worker] = field(default_factory=dict)
    calls: list[tuple[str, ...]] = field(default_factory=list)

    @classmethod
    def copy(cls, exchange: Path, folder: Path) -> Folders:
        shutil.copytree(exchange, folder)
        return cls(folder)

    @property
    def log(self) -> Path:
        return self.folder / "log.sqlite"

    def home(self, name: str) -> Path:
        return self.folder / name

    def run(self, name: str, *arguments: object) -> Answer:
        """Run a command of a participant, in this process."""
        group, config = name.partition("-")[0], self.home(name) / "sarakste.toml"
        return self.call(group, *arguments, "--config", config)

    def call(self, *arguments: object) -> Answer:
        """Run any command, in this process."""
        out, err, before, code = io.StringIO(), io.StringIO(), sys.argv, 0
        sys.argv = ["sarakste", *map(str, arguments)]
        self.calls.append(tuple(sys.argv))
        try:
            with redirect_stdout(out), redirect_stderr(err):
                main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            sys.argv = before
        return Answer(code, out.getvalue(), err.getvalue())

    def office(self, name: str) -> Office:
        config = self.home(name) / "sarakste.toml"
        builders: dict[str, Callable[[], Office]] = {
            COMMISSION: lambda: build_commission(config, working=True, clock=self.clock).office,
            REGISTRAR: lambda: build_registrar(config, clock=self.clock).office,
        }
        if name.startswith("auditor-"):
            return build_auditor(config, working=True, clock=self.clock).office
        return builders.get(name, lambda: build_school(config, working=True, clock=self.clock).office)()

    def start(self, *names: str) -> None:
        """Let workers start, or begin again."""
        for name in names:
            self.stop(name)
            worker = Worker(self.office(name))
            # Who cannot start does not run.
            assert worker.start()
            self.running[name] = worker

    def stop(self, *names: str) -> None:
        for name in names:
            worker = self.running.pop(name, None)
            if worker is not None:
                worker.office.database.close()
                assert worker.office.channel is not None
                worker.office.channel.close()

    def settle(self, times: int = 3, *, seconds: int = 2) -> None:
        """Let those who run work until nothing is left to do, several times over, the time for receipts between."""
        for _ in range(times):
            for _ in range(_ROUNDS):
                if not sum(worker.step() for worker in self.running.values()):
                    break
            self.clock.now += seconds * 1000

    def everybody(self) -> None:
        self.start(REGISTRAR, COMMISSION, SCHOOL, OTHER_SCHOOL)
        self.settle()

    def alarms(self, name: str) -> str:
        return "\n".join(self.running[name].office.alarms)

    def form(self, number: int = 1) -> Path:
        """Return a form as a clerk has it: an application for a pupil of this number."""
        path = self.folder / f"form-{number}.json"
        path.write_text(json.dumps(application_json(pupil=another_pupil(number))))
        return path

    def filed(self, number: int = 1, *, name: str = SCHOOL) -> str:
        """File an application and return its case."""
        return str(self.run(name, "file", self.form(number), "--json").json["case"])

    def states(self, name: str) -> dict[str, str]:
        """Return the cases of a participant's list with their states."""
        return {row["case"]: row["state"] for row in self.run(name, "cases", "--json").json}

    def told(self, name: str, case: str | UUID) -> list[tuple[str, str]]:
        """Return the events of a case, each with whether what is personal about it opens."""
        shown = self.run(name, "show", case, "--json").json
        return [(line["event"], line["personal"]) for line in shown["events"]]

    def findings(self) -> list[Any]:
        report = verified_file(self.log, load_root((self.folder / "root.pem").read_bytes()))
        return list(report.findings)
