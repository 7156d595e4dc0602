"""Processes of the exchange, forked from this one, in which everything is imported: the real command, without its half second
of imports.

This process holds no database open while it forks: a connection must not be carried into a child.
"""

from __future__ import annotations

import atexit
import ctypes
import logging
import os
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final

from tests.kills.watching import Aim, Spot, watched

__all__ = ["Child", "Order", "Pool", "warm"]

_DIE_WITH_PARENT: Final = 1
_LATE: Final = (
    "services.audit.verify",
    "services.channel.kafka",
    "services.channel.kafka_admin",
    "services.commission.bootstrap",
    "services.commission.input",
    "services.desk.founding",
    "services.desk.watching",
    "services.post.agreeing",
    "services.post.console_recovery",
    "services.post.joining",
    "services.post.rebuilding",
    "services.post.rotation",
    "services.post.viewing",
    "services.post.viewing_recovery",
    "services.post.worker",
    "services.registrar.bootstrap",
    "services.school.bootstrap",
    "services.school.input",
)


def warm() -> None:
    """Import what commands import when they run."""
    for name in _LATE:
        import_module(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command to run: what it is in the table, its arguments, where its output goes.

    ``before`` is done in the child first: what this machine or this release is to be like for it. ``work`` is done in place of a
    command.
    """

    kind: str
    arguments: tuple[str, ...]
    out: Path
    err: Path
    before: Callable[[], None] | None = None
    work: Callable[[], None] | None = None


@dataclass(slots=True)
class Child:
    """A running command; ``code`` is there when it has ended, negative for a signal."""

    order: Order
    pid: int
    descriptor: int
    begun: float
    spot: Spot
    aim: Aim | None = None
    code: int | None = None
    seconds: float = 0.0

    @property
    def kill_at(self) -> float | None:
        return self.begun + self.aim.seconds if self.aim is not None and self.aim.moment is None else None

    @property
    def is_killed(self) -> bool:
        return self.code == -signal.SIGKILL

    def send(self, number: signal.Signals) -> None:
        signal.pidfd_send_signal(self.descriptor, number)


@dataclass(slots=True)
class Pool:
    """The children of this process."""

    children: list[Child] = field(default_factory=list)
    _ends: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def start(self, order: Order, aim: Aim | None = None) -> Child:
        spot = Spot()
        begun = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if not pid:
            _run(order, spot, aim)
        child = Child(order, pid, os.pidfd_open(pid), begun, spot, aim)
        self._ends.register(child.descriptor, selectors.EVENT_READ, child)
        self.children.append(child)
        return child

    def step(self, seconds: float) -> list[Child]:
        """Wait up to so long for somebody to end, kill whoever's time has come, and return those that have ended."""
        moments = [child.kill_at for child in self.children if child.kill_at is not None]
        until = min([time.monotonic() + seconds, *moments])
        ended = [key.data for key, _ in self._ends.select(max(0.0, until - time.monotonic()))]
        for child in ended:
            self._bury(child)
        for child in self.children:
            if child.kill_at is not None and child.kill_at <= time.monotonic():
                child.send(signal.SIGKILL)
                child.aim = None
        return ended

    def run(self, order: Order) -> Child:
        """Run a command to its end, while the others go on."""
        child = self.start(order)
        while child.code is None:
            self._ends.select(0.01)
            if os.waitid(os.P_PIDFD, child.descriptor, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                self._bury(child)
        return child

    def stop(self, children: list[Child]) -> None:
        """Tell them to stop, and wait for it."""
        for child in children:
            child.send(signal.SIGTERM)
        for child in children:
            self._bury(child)

    def end(self) -> None:
        """End whoever is left: the way out after something went wrong."""
        for child in list(self.children):
            child.send(signal.SIGCONT)
            child.send(signal.SIGKILL)
            self._bury(child)

    def _bury(self, child: Child) -> None:
        _, status = os.waitpid(child.pid, 0)
        child.code, child.seconds = os.waitstatus_to_exitcode(status), time.monotonic() - child.begun
        self._ends.unregister(child.descriptor)
        os.close(child.descriptor)
        self.children.remove(child)


def _run(order: Order, spot: Spot, aim: Aim | None) -> None:
    """Be the command, in the child; never returns."""
    code = 1
    try:
        # Whoever began this may be killed too, as by a time limit: nobody is to be left behind.
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        # What measures the tests' coverage would slow the child down, and never gets to keep what it saw there.
        sys.settrace(None)
        _redirect(order)
        if order.before is not None:
            order.before()
        with watched(spot, aim):
            code = _called(order.arguments) if order.work is None else _done(order.work)
        # Databases are closed on the way out, as in a process that was not forked.
        atexit._run_exitfuncs()  # noqa: SLF001  # what multiprocessing has its own for
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # whatever it is, a child must not go on as its parent  # noqa: BLE001
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _called(arguments: tuple[str, ...]) -> int:
    from services.desk.main import main  # noqa: PLC0415  # imported by warm() already

    sys.argv = ["sarakste", *arguments]
    try:
        main()
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def _done(work: Callable[[], None]) -> int:
    work()
    return 0


def _redirect(order: Order) -> None:
    for path, flags, number in ((order.out, os.O_TRUNC, 1), (order.err, os.O_APPEND, 2)):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    # Also where a test runner has put something of its own in their place.
    logging.getLogger().handlers.clear()
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
