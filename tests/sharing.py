"""All tests on all processors: ``python -m tests.sharing [--coverage]``, with whatever pytest takes.

What is covered is measured where rules are shown one by one, not where whole exchanges run: a rule that only a long story happens
to pass is not shown, and measuring takes half as long again.

Each process collects all tests and runs those of the next file that no other has begun, until none is left: none waits while
another has much to do, and what is made once a file is made once. What needs a broker is one share, for it is started once.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

import pytest
from coverage import Coverage

__all__ = ["Sharing", "made_once", "share_of", "shares"]

_FOLDER: Final = "SARAKSTE_SHARES"
"""The environment variable with the folder in which the processes of a run say what they have begun."""

_LONG: Final = ("tests/procedure/test_histories.py", "tests/integration/test_kills.py", "tests/simulation/test_simulation.py")
"""What takes longest is begun first: at the end nobody waits for it."""

_BROKER: Final = "a broker"

_MEASURED: Final = ("tests/unit/", "tests/vectors/", "tests/attacks/")
"""The beginnings of the shares in which it is measured what is covered."""


def share_of(item: pytest.Item) -> str:
    """Return the name of the share that a test belongs to: its file, or all that needs a broker."""
    if "broker_files" in getattr(item, "fixturenames", ()):
        return _BROKER
    return item.nodeid.partition("::")[0]


def shares(items: Iterable[pytest.Item]) -> list[tuple[str, list[pytest.Item]]]:
    """Return the shares in the order in which they are begun; within each the tests stand as they were."""
    first = {name: place for place, name in enumerate((_BROKER, *_LONG))}
    named = sorted(((share_of(item), item) for item in items), key=lambda each: (first.get(each[0], len(first)), each[0]))
    return [(name, [item for _, item in group]) for name, group in groupby(named, key=lambda each: each[0])]


def made_once(name: str, make: Callable[[Path], None], otherwise: Callable[[], Path]) -> Path:
    """Return a folder that ``make`` filled once for all processes of a run; where one is alone ``otherwise`` gives it."""
    shared = os.environ.get(_FOLDER)
    folder = Path(shared) / name if shared else otherwise()
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        # Whoever comes second waits until it is made, and makes it if the first one failed.
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = folder / "made"
        if not made.exists():
            make(folder)
            made.touch()
    return folder


class Sharing:
    """The plugin of one process; ``folder`` is the same in all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._measuring = Coverage.current()
        self._is_measuring = self._measuring is not None

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the tests of whatever share nobody else has begun."""
        if session.testsfailed or session.config.option.collectonly:
            # What pytest says then it says by itself.
            return None
        mine = self.mine(session.items)
        item = next(mine, None)
        while item is not None:
            # Looked for before: what a test leaves to the next one depends on which that is.
            following = next(mine, None)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
            item = following
        return True

    def mine(self, items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
        """Yield the tests of one share after the other that no other process has begun."""
        for number, (name, share) in enumerate(shares(items)):
            if self._begins(number):
                self._measure(name.startswith(_MEASURED))
                yield from share

    def _measure(self, is_wanted: bool) -> None:  # noqa: FBT001  # what it says
        if self._measuring is None or is_wanted is self._is_measuring:
            return
        (self._measuring.start if is_wanted else self._measuring.stop)()
        self._is_measuring = is_wanted

    def _begins(self, number: int) -> bool:
        try:
            (self._folder / str(number)).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def pytest_configure(config: pytest.Config) -> None:
    """Share, where this process is one of several."""
    if (folder := os.environ.get(_FOLDER)) is not None:
        config.pluginmanager.register(Sharing(Path(folder)))


def main() -> int:
    """Run the tests in as many processes as there are processors; 0 if all is well in all of them."""
    is_measured = sys.argv[1:2] == ["--coverage"]
    if not is_measured:
        return _run([sys.executable, "-m", "pytest", "-p", "tests.sharing", *sys.argv[1:]])
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "erase"], check=True)  # noqa: S603  # our own call
    code = _run([*coverage, "run", "--parallel-mode", "-m", "pytest", "-p", "tests.sharing", *sys.argv[2:]])
    subprocess.run([*coverage, "combine", "--quiet"], check=True)  # noqa: S603  # as above
    return code


def _run(call: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="shares-") as folder:
        environment = os.environ | {_FOLDER: folder}
        # The first one is seen at work; what the others say stands behind it, each whole.
        said = [Path(folder) / f"said {number}" for number in range(1, os.cpu_count() or 1)]
        others = []
        for path in said:
            with path.open("wb") as out:
                others.append(subprocess.Popen(call, env=environment, stdout=out, stderr=subprocess.STDOUT))  # noqa: S603  # our own call
        codes = [subprocess.run(call, env=environment, check=False).returncode]  # noqa: S603  # as above
        for other, path in zip(others, said, strict=True):
            codes.append(other.wait())
            sys.stdout.write(path.read_text("utf-8", "replace"))
            sys.stdout.flush()
    return max(map(abs, codes))


if __name__ == "__main__":
    sys.exit(main())
