"""Workers: processes beside this one that a large log is read with. They end with it, however that ends.

They take over the program and what they are given, and nothing else of this process: it has threads, and a fork of those may
stand still. An interruption is for who asked, which says so once.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from multiprocessing.resource_tracker import ensure_running
from typing import Any, ParamSpec, TypeVar

__all__ = ["Workers"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Workers(ProcessPoolExecutor):
    """So many processes, in each of which ``first`` is called with ``args`` before anything else; none starts unasked."""

    def __init__(self, count: int, first: Callable[..., None] | None = None, args: tuple[Any, ...] = ()) -> None:
        super().__init__(count, get_context("spawn"), _begin, (first, args))

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Let a worker call a function; see ``Executor``. Raises: OSError, RuntimeError if none can be started."""
        # It holds interruptions back for itself, and would let them in again below.
        ensure_running()
        # A worker is started here, and has this from its first moment: also while it reads the program.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(first: Callable[..., None] | None, args: tuple[Any, ...]) -> None:
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    if first is not None:
        first(*args)


def _end_with(parent: BaseProcess) -> None:
    """End this process when the one that started it ends: killed, it cannot say so, and this would stand there for ever."""
    parent.join()
    os._exit(1)
