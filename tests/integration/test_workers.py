"""Processes beside a command: they end with it however it ends, and an interruption is told by the command alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from services.audit.workers import Workers
from tests.bench.sealed_log import archive_of_events
from tests.commands import ROOT as PROJECT

_LARGE: Final = 64 * 1024 * 1024
_OPENS: Final = """
import sys, time
from pathlib import Path
from services.audit.opened_ahead import OpenedAhead
from tests.bench.sealed_log import KEYS, LARGEST

if __name__ == "__main__":
    with OpenedAhead(Path(sys.argv[1]), KEYS, processors=2, least=0) as ahead:
        next(ahead.pages(LARGEST))
        print(*(each.pid for each in ahead._worker._processes.values()), flush=True)
        time.sleep(600)
"""
_PROVES: Final = """
import sys, time
from pathlib import Path
from services.audit.ahead import Ahead
from services.audit.archive_reading import ArchiveChannel, archived_channels
from services.audit.passing import Signatures
from services.audit.verify import examine_log
from tests.chains import ROOT

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with Ahead(folder, Signatures.EACH, count=2, least=0, records=8) as ahead:
        examine_log(ArchiveChannel(folder), ROOT, there=archived_channels(folder), leaves_out=True, ahead=ahead)
        print(*(each.pid for each in ahead._pool._processes.values()), flush=True)
        time.sleep(600)
"""
_IS_INTERRUPTED: Final = """
import time
from services.audit.workers import Workers

if __name__ == "__main__":
    with Workers(1) as workers:
        asked = workers.submit(pow, 7, 2)
        try:
            print("asked", flush=True)
            time.sleep(600)
        except KeyboardInterrupt:
            print("interrupted", asked.result())
"""


def started(script: str, folder: Path, *args: Path) -> subprocess.Popen[str]:
    """Start a script in a group of its own, as a terminal does."""
    path = folder / "script.py"
    path.write_text(script, "utf-8")
    return subprocess.Popen(  # noqa: S603  # our own
        [sys.executable, path, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        start_new_session=True,
    )


@pytest.mark.parametrize("script", [_OPENS, _PROVES], ids=["opens", "proves"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_whoever_ends_a_command_leaves_no_process_behind(tmp_path: Path, script: str, how: signal.Signals) -> None:
    with started(script, tmp_path, archive_of_events(tmp_path, 2_500)) as command:
        assert command.stdout is not None
        workers = [int(each) for each in command.stdout.readline().split()]
        assert all(Path(f"/proc/{each}").exists() for each in workers)
        assert workers
        command.send_signal(how)
    # Within whatever time a busy machine takes: they wait for the end of the other one and for nothing else.
    while any(map(is_there, workers)):
        time.sleep(0.05)


def is_there(process: int) -> bool:
    """Tell whether a process lives; one that has ended and nobody has asked for is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("count", [1, 2])
def test_a_worker_that_is_killed_in_the_middle_of_an_answer_is_waited_for_by_nobody(count: int) -> None:
    with Workers(count) as workers:
        answers = [workers.submit(bytes, _LARGE) for _ in range(count)]
        process = next(iter(workers._processes))  # noqa: SLF001  # it has no other name
        # As by a machine without memory, when some of an answer is read and the rest does not fit between the two.
        before = read_here()
        while read_here() < before + _LARGE // 16:
            pass
        os.kill(process, signal.SIGKILL)
        for each in answers:
            with suppress(BrokenExecutor):
                assert len(each.result(timeout=60)) == _LARGE


def read_here() -> int:
    """Return how many bytes this process has read so far."""
    lines = Path("/proc/self/io").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar"))


def test_an_interruption_while_a_worker_begins_is_for_the_command_alone(tmp_path: Path) -> None:
    with started(_IS_INTERRUPTED, tmp_path) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "asked\n"
        os.killpg(command.pid, signal.SIGINT)
        assert command.communicate() == ("interrupted 49\n", "")
