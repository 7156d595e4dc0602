"""The worker processes of an exchange that stands in a folder, begun and ended as an operator does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.commands import ROOT

__all__ = ["Workers"]


class Workers:
    """The worker processes of an exchange, by participant."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        command = [sys.executable, "-m", "services.desk", name.partition("-")[0], "worker"]
        config = ["--config", str(self.folder / name / "sarakste.toml")]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with (self.folder / name / "worker.log").open("ab") as log:
            self.running[name] = subprocess.Popen([*command, *config], stdout=log, stderr=log, env=environment)  # noqa: S603

    def end(self, name: str, number: signal.Signals) -> None:
        process = self.running.pop(name)
        process.send_signal(number)
        process.wait(timeout=20)

    def stop(self) -> list[int]:
        for each in self.running.values():
            each.send_signal(signal.SIGTERM)
        return [each.wait(timeout=8) for each in self.running.values()]
