"""The command as its users call it: a process of its own, from some folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

__all__ = ["ROOT", "SCHOOL", "sarakste"]

ROOT: Final = Path(__file__).resolve().parents[1]
SCHOOL: Final = "school-0099900011"


def sarakste(*arguments: object, folder: Path | None = None, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "services.desk", *map(str, arguments)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "120", "HOME": str(home or folder or ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder or ROOT, env=environment)  # noqa: S603
