"""Fuzzes all targets, or one, over the machine's cores: `python -m tests.fuzz.run --seconds 60`, or `make fuzz`.

Each target runs in a process of its own, from seeds made at the start (and from what earlier runs found worth keeping, with
`--keep`). At the end a table says what was done. A finding ends its target, is kept under `.fuzz/`, and fails the run.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.fuzz.targets import PLANTED, TARGETS

__all__ = ["belongs_here", "main"]

_MEMORY_MIB: Final = 1024
_TOLD_LINES: Final = 25
_FEATURES: Final = re.compile(r"\bft: (\d+)")
_SLOWEST: Final = re.compile(r"slowest_unit_time_sec:\s+(\d+)")


@dataclass
class Job:
    """One target that is being fuzzed in a process of its own."""

    name: str
    folder: Path
    options: list[str]
    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tests.fuzz.one", self.name, str(self.folder), *self.options]
        with self.log.open("wb") as log:
            self.began = time.monotonic()
            self.process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603  # our own module

    @property
    def log(self) -> Path:
        """What the fuzzer says."""
        return self.folder / "log"

    @property
    def is_running(self) -> bool:
        """Tell whether it is still at work; note when it ended."""
        if self.process is None or self.process.poll() is None:
            return True
        self.ended = self.ended or time.monotonic()
        return False

    @property
    def counts(self) -> tuple[int, int]:
        """Inputs, and how many of them the product took."""
        tally = self.folder / "tally"
        data = tally.read_bytes() if tally.exists() else b""
        return int.from_bytes(data[:8], "little"), int.from_bytes(data[8:], "little")

    @property
    def findings(self) -> list[Path]:
        """The inputs with which the product did what it must not do."""
        return sorted((self.folder / "findings").glob("*"))

    @property
    def has_failed(self) -> bool:
        """Tell whether there is a finding, or the process died of anything else."""
        return bool(self.findings) or (self.process is not None and self.process.returncode != 0)


def main() -> int:
    """Fuzz as the command line says; return 1 if there was a finding."""
    chosen = _arguments()
    missing = _why_not()
    if missing is not None:
        sys.stderr.write(f"{missing}\n")
        return 1 if belongs_here() else 0
    if not chosen.keep:
        shutil.rmtree(chosen.folder, ignore_errors=True)
    names = [chosen.target] if chosen.target else list(TARGETS)
    jobs = [Job(name, chosen.folder / name, _options(chosen)) for name in names]
    _run_all(jobs, chosen.cores)
    _show(jobs)
    return int(any(job.has_failed for job in jobs))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fuzz what strangers and clerks can send.")
    parser.add_argument("--target", choices=[*TARGETS, *PLANTED], metavar="NAME", help=f"only this one: {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    parser.add_argument("--runs", type=int, help="inputs for each target, instead of a time")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, help="processes at once")
    parser.add_argument("--hang", type=int, default=30, metavar="SECONDS", help="what counts as a hang (default 30)")
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"), help="where inputs and findings are kept (default .fuzz)")
    parser.add_argument("--keep", action="store_true", help="go on with what earlier runs found worth keeping")
    parser.add_argument("--seed", type=int, help="the seed of the fuzzer's randomness")
    return parser.parse_args()


def _why_not() -> str | None:
    """Return why nothing can be fuzzed here, None if it can."""
    if find_spec("atheris") is not None:
        return None
    if belongs_here():
        return "atheris is missing, so nothing was fuzzed: make the environment anew from requirements/dev.txt"
    return "there is no release of atheris for this platform and version of Python: nothing was fuzzed"


def belongs_here() -> bool:
    """Tell whether the lock file has the fuzzer for this platform and version of Python."""
    # As the markers in pyproject.toml say.
    return sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 14)


def _options(chosen: argparse.Namespace) -> list[str]:
    limits = [f"-timeout={chosen.hang}", f"-rss_limit_mb={_MEMORY_MIB}", "-print_final_stats=1"]
    enough = f"-runs={chosen.runs}" if chosen.runs else f"-max_total_time={chosen.seconds}"
    return [*limits, enough, *([f"-seed={chosen.seed}"] if chosen.seed else [])]


def _run_all(jobs: list[Job], cores: int) -> None:
    waiting, running = jobs[:], list[Job]()
    try:
        while waiting or running:
            while waiting and len(running) < cores:
                running.append(waiting.pop(0))
                running[-1].start()
            time.sleep(0.1)
            running = [job for job in running if job.is_running]
    finally:
        for job in running:
            if job.process is not None:
                job.process.kill()
                job.process.wait()


def _show(jobs: list[Job]) -> None:
    table = Table("target", "inputs", "a second", "taken", "features", "slowest", "findings", title="fuzzed")
    for job in jobs:
        inputs, taken = job.counts
        log = job.log.read_text("utf-8", "replace")
        features, slowest = _FEATURES.findall(log), _SLOWEST.findall(log)
        table.add_row(
            job.name,
            f"{inputs:,}",
            f"{inputs / max(job.ended - job.began, 0.001):,.0f}",
            f"{taken / max(inputs, 1):.0%}",
            features[-1] if features else "?",
            f"{slowest[-1]} s" if slowest else "?",
            str(len(job.findings)),
        )
    total, seconds = sum(job.counts[0] for job in jobs), sum(job.ended - job.began for job in jobs)
    table.add_row(
        "all", f"{total:,}", f"{total / max(seconds, 0.001):,.0f}", "", "", "", str(sum(len(job.findings) for job in jobs))
    )
    console = Console(width=None if sys.stdout.isatty() else 100)
    console.print(table)
    for job in jobs:
        if job.has_failed:
            _tell(job)


def _tell(job: Job) -> None:
    lines = job.log.read_text("utf-8", "replace").splitlines()
    begins = next((at for at, line in enumerate(lines) if "===" in line), max(0, len(lines) - _TOLD_LINES))
    sys.stdout.write("\n".join([f"\n{job.name}:", *(line[:300] for line in lines[begins : begins + _TOLD_LINES]), ""]))
    for finding in job.findings:
        sys.stdout.write(f"replay: python -m tests.fuzz.replay {job.name} {finding}\n")


if __name__ == "__main__":
    sys.exit(main())
