"""An archive as a log: the channel port over its files, for whoever verifies, queries or exports.

It reads and never writes; what a mirror adds meanwhile is seen. It judges nothing: whatever stands in the files comes out, and
what it is worth is decided where entries are verified. In memory are the places of blocks and one block a channel.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, NoReturn

from services.audit.archive_index import Block, blocks_in, index_of
from services.audit.archive_layout import archive_files, exchange_of, files_of
from services.audit.containers import records_in
from services.channel.port import Record, Until
from services.channel.waiting import readable
from services.wire.channels import channel_kind
from services.wire.errors import ChannelForbiddenError, ChannelUnavailableError, MalformedError

__all__ = ["ArchiveChannel", "archived_channels"]

_LOOK_AGAIN_SECONDS: Final = 0.01
_BLOCKS_HELD: Final = 4


def archived_channels(folder: Path) -> tuple[str, ...]:
    """Return the names of the channels of which an archive holds something."""
    return tuple(dict.fromkeys(path.parent.name for path in archive_files(folder)))


@dataclass(slots=True)
class _Known:
    """What is known of one channel: its files as they were when they were looked at, and all blocks with the file of each."""

    sizes: tuple[tuple[str, int, int], ...] = ()
    blocks: list[tuple[Path, Block]] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.blocks[-1][1].first + self.blocks[-1][1].records if self.blocks else 0


class ArchiveChannel:
    """The ``Channel`` port over an archive's folder.

    Positions are the archive's own: whatever the log did, here they only grow.
    Raises: SettingsError if the folder is no archive.
    """

    def __init__(self, folder: Path) -> None:
        exchange_of(folder)
        self._folder = folder
        self._known: dict[str, _Known] = {}
        self._held: OrderedDict[tuple[Path, int], list[bytes]] = OrderedDict()
        self._closed = False
        self._lock = threading.Lock()

    def append(self, channel: str, records: Sequence[bytes]) -> NoReturn:
        """Refuse. Raises: ChannelForbiddenError, always."""
        raise ChannelForbiddenError(f"an archive is read, and written by its mirror alone: {len(records)} records of {channel}")

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        """Return up to ``limit`` records at or after the given positions; see the port."""
        if limit < len(positions):
            raise ValueError("a poll asks for at least one record a channel")
        end = time.monotonic() + timeout_seconds
        while True:
            with self._lock:
                found = self._find(positions, limit)
            left = end - time.monotonic()
            if found or left <= 0 or (until is not None and until()):
                return found
            readable([] if until is None else [until.fileno()], min(_LOOK_AGAIN_SECONDS, left))

    def end(self, channel: str) -> int:
        """Return the position after the last record; see the port."""
        with self._lock:
            return self._look(channel).end

    def pieces(self, channel: str, position: int, *, records: int, size_bytes: int) -> list[tuple[int, int]]:
        """Return the blocks from a position on in pieces of so many records and bytes at most, but a block at least.

        A piece is its first position and the one behind its last. Raises: as ``poll``.
        """
        found: list[tuple[int, int]] = []
        room = 0
        with self._lock:
            blocks = [each for _, each in self._look(channel).blocks]
        for each in blocks:
            start, stop = max(each.first, position), each.first + each.records
            if start >= stop:
                continue
            if found and each.size <= room and stop - found[-1][0] <= records:
                found[-1] = found[-1][0], stop
                room -= each.size
            else:
                found.append((start, stop))
                room = size_bytes - each.size
        return found

    def close(self) -> None:
        """Give back what is held; any further call is a RuntimeError."""
        self._closed = True
        self._held.clear()

    def _find(self, positions: Mapping[str, int], limit: int) -> list[Record]:
        found: list[Record] = []
        more: dict[str, int] = {}
        share = limit // max(1, len(positions))
        for channel, position in positions.items():
            some = self._some(channel, position, share)
            found += some
            if len(some) == share:
                more[channel] = some[-1].position + 1
        for channel, position in more.items():
            if len(found) < limit:
                found += self._some(channel, position, limit - len(found))
        return found

    def _some(self, channel: str, position: int, limit: int) -> list[Record]:
        known, found = self._look(channel), list[Record]()
        at = max(0, bisect_right(known.blocks, position, key=lambda each: each[1].first) - 1)
        for path, each in islice(known.blocks, at, None):
            if len(found) >= limit:
                break
            start = max(0, position - each.first)
            values = self._values(path, each)[start : start + limit - len(found)]
            found += [Record(channel, place, value) for place, value in enumerate(values, each.first + start)]
        return found

    def _look(self, channel: str) -> _Known:
        if self._closed:
            raise RuntimeError("this archive was closed")
        known = self._known.setdefault(channel, _Known())
        with suppress(MalformedError):
            channel_kind(channel)  # it becomes the name of a folder
            try:
                paths = files_of(self._folder, channel)
                sizes = tuple((path.name, path.stat().st_size, _size(index_of(path))) for path in paths)
                if sizes != known.sizes:
                    known.blocks = _blocks(paths)
                    known.sizes = sizes
            except OSError as error:
                raise ChannelUnavailableError(f"the archive {self._folder.name} cannot be read: {error.strerror}") from error
        return known

    def _values(self, path: Path, found: Block) -> list[bytes]:
        key = (path, found.offset)
        if key not in self._held:
            try:
                with path.open("rb") as file:
                    file.seek(found.offset)
                    data = file.read(found.size)
            except OSError as error:
                raise ChannelUnavailableError(f"the archive {self._folder.name} cannot be read: {error.strerror}") from error
            # Never more than the index counts: what somebody put in beyond that would take the places of what follows.
            self._held[key] = records_in(data)[: found.records]
            if len(self._held) > _BLOCKS_HELD:
                self._held.popitem(last=False)
        return self._held[key]


def _blocks(paths: Sequence[Path]) -> list[tuple[Path, Block]]:
    found: list[tuple[Path, Block]] = []
    first = 0
    for path in paths:
        some = blocks_in(path, first)
        found += [(path, each) for each in some]
        first = some[-1].first + some[-1].records if some else first
    return found


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1
