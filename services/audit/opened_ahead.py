"""Opened ahead: entries of an archive that another process reads and opens before it is their turn, so that two processors work.

A rule of its own it is not. The worker reads a piece of a channel by itself, looks at each record as an entry and opens its
facts; what of that is taken, in which order, and what it says, is for who asked (``places``, ``events``), which takes somewhat
longer: a second worker would wait. Of what is personal the worker opens nothing, and gets no key of a case or of a personal part.
If it fails or ends, nothing is lost: what it was to read is read where it was asked for. It ends with who asked, however that
ends.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

from services.audit.archive_reading import ArchiveChannel
from services.audit.collecting import collect_seldom
from services.audit.keys import Keys
from services.audit.opening import Opener
from services.audit.places import Found, found_of
from services.audit.watching import Watch
from services.audit.workers import Workers
from services.wire.candidates import Candidate, candidate_of
from services.wire.errors import SettingsError, TransportError
from services.wire.records import SchemaBook
from services.wire.sealing import Part

__all__ = ["OpenedAhead"]

_PIECE_BYTES: Final = 1024 * 1024
_AHEAD_OF_EACH: Final = 4
_PIECES: Final = 64
_Packed: TypeAlias = list[tuple[Any, ...]]
"""Entries as they go from one process to another: without the candidate, which nobody there asks for."""


@dataclass(slots=True)
class OpenedAhead:
    """Opens the channels of the archive in a folder with ``keys`` in a process beside this one; use it in a ``with``.

    ``least`` is how many entries all channels must have for that, and ``records`` how many a piece has at most, if a block does
    not have more. ``worker`` gives what opens them, for what to call there first, and with what.
    """

    folder: Path
    keys: Keys
    processors: int = field(default_factory=lambda: os.cpu_count() or 1)
    # Below this a process costs more than it saves: it has to be started, and reads the program first.
    least: int = 100_000
    records: int = 500
    worker: Callable[[Callable[..., None], tuple[Any, ...]], Executor] = lambda first, args: Workers(1, first, args)
    _worker: Executor | None = None

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, if there is one."""
        if self._worker is not None:
            # One whose thread could not be started has nothing to wait for.
            with suppress(RuntimeError):
                self._worker.shutdown(cancel_futures=True)

    def channels(self, watches: Iterable[Watch]) -> frozenset[str]:
        """Return the channels that are opened ahead: those with so many entries that pieces of all fit into the memory."""
        sizes = {each.report.channel: len(each.digests) for each in watches}
        entries = sum(sizes.values())
        opens = bool(self.keys.facts or self.keys.parts)
        if not opens or self.processors < 2 or entries < self.least:  # noqa: PLR2004  # one processor is this one
            return frozenset()
        return frozenset(name for name, size in sizes.items() if size * _PIECES >= entries * _AHEAD_OF_EACH)

    def pages(self, channel: str) -> Generator[list[Found], None, int]:
        """Yield the entries of a channel in the order of the log, and return the position from which on nobody read them."""
        pieces = ArchiveChannel(self.folder).pieces(channel, 0, records=self.records, size_bytes=_PIECE_BYTES)
        left, waiting = deque(pieces), deque[tuple[int, Future[_Packed | None] | None]]()
        end = pieces[-1][1] if pieces else 0
        while left or waiting:
            while left and len(waiting) < _AHEAD_OF_EACH:
                start, stop = left.popleft()
                waiting.append((start, self._asked(channel, start, stop)))
            start, future = waiting.popleft()
            page = _told(future)
            if page is None:
                return start
            # As ``Found(…)``, without the call that a named tuple's own way takes more.
            yield [tuple.__new__(Found, (*each, None)) for each in page]
        return end

    def _asked(self, channel: str, start: int, stop: int) -> Future[_Packed | None] | None:
        try:
            if self._worker is None:
                self._worker = self.worker(_begin, (self.folder, _without_personal(self.keys)))
            return self._worker.submit(_open, channel, start, stop)
        except (OSError, RuntimeError):
            # No process or no thread can be started, or somebody ended it.
            return None


def _told(future: Future[_Packed | None] | None) -> _Packed | None:
    try:
        return future.result() if future is not None else None
    except Exception:  # somebody ended the worker, or it had no memory left: what it did is done here, and fails or not  # noqa: BLE001
        return None


def _without_personal(keys: Keys) -> Keys:
    facts = {digest: each for digest, each in keys.parts.items() if each.part is Part.FACTS}
    return replace(keys, cases={}, parts=facts)


_begun: tuple[ArchiveChannel, Opener] | None = None
"""In a worker: what it reads and opens with, given once, since keys may be many."""


def _begin(folder: Path, keys: Keys) -> None:
    global _begun  # noqa: PLW0603  # what a process begins with has no other place
    # An archive that is gone meanwhile is told where it was asked for.
    with suppress(SettingsError):
        _begun = ArchiveChannel(folder), Opener(keys, SchemaBook({}))
    collect_seldom()


def _open(channel: str, start: int, stop: int) -> _Packed | None:
    """Return the entries of a piece; in a worker. None if it cannot be read: that is told where it was asked for."""
    if _begun is None:
        return None
    log, opener = _begun
    try:
        records = log.poll({channel: start}, timeout_seconds=0, limit=stop - start)
    except TransportError:
        return None
    found = [candidate_of(each.value, channel) for each in records if each.position < stop]
    return [found_of(each, opener)[:-1] for each in found if isinstance(each, Candidate)]
