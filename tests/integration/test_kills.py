"""Every process of an exchange at work is killed at random moments; in the end every case is right, once."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import ROOT


@pytest.mark.timeout(600)
def test_a_hundred_kills_at_random_moments_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    # In a process of its own: it forks, and what it forks must not carry what this one has open.
    command = [sys.executable, "-m", "tests.kills", "--kills", "100", "--seed", "7", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=500)  # noqa: S603  # our own
    assert done.returncode == 0, done.stderr[-4000:]
    *_, killed = re.findall(r"^(\d+) kills in", done.stdout, re.MULTILINE)
    assert int(killed) >= 100
