"""The command, run as its users run it: in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["sarakste"]

ROOT = Path(__file__).resolve().parents[2]


def sarakste(*arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "services.desk", *map(str, arguments)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "120"}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder or ROOT, env=environment)  # noqa: S603
