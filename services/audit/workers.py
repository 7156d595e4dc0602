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
from multiprocessing.connection import wait
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
        self._watched: set[int | None] = set()
        self._is_ending = False

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Let a worker call a function; see ``Executor``. Raises: OSError, RuntimeError if none can be started."""
        # It holds interruptions back for itself, and would let them in again below.
        ensure_running()
        # A worker is started here, and has this from its first moment: also while it reads the program.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            asked = super().submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for process in [each for each in self._processes.values() if each.pid not in self._watched]:
            self._watched.add(process.pid)
            threading.Thread(target=self._watch, args=(process,), daemon=True).start()
        return asked

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  # as there
        """End the workers; see ``Executor``."""
        self._is_ending = True
        super().shutdown(wait, cancel_futures=cancel_futures)

    def _watch(self, process: BaseProcess) -> None:
        """End all if one of them is ended: an answer of which it wrote a half would be waited for without an end.

        The rest of it is read until nobody is left who could write: neither those who wait for that one, nor this process.
        """
        wait([process.sentinel])
        if not self._is_ending:
            for each in list((self._processes or {}).values()):
                each.kill()
            self._result_queue._writer.close()  # type: ignore[attr-defined]  # noqa: SLF001  # nothing else closes it


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
