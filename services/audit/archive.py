"""The archive: an auditor's own copy of an exchange, which grows and never changes.

A folder a channel, and in it a file a month: the month in which records were taken, so that files close for good. Decides how
records are kept, and trusts none of them: junk is kept as whatever else, since it is evidence, and since a limit would let
whoever floods hide what was written after. Personal parts are not kept; see ``leaving_out``.

Durable when ``append`` returns. A kill at any byte loses at most the block that was being written, which is cut off, and told,
when the archive is opened again; whoever mirrors goes on from what is left, and takes that block again.
Source: docs/adr/0030-archives-are-avro-files.md.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from services.audit.archive_index import Block, block_line, blocks_in, claims_of, index_of, marker_of, name_of
from services.audit.archive_layout import (
    CHANNELS,
    CLOSED,
    EXPORT,
    Closed,
    archive_files,
    closed_files,
    exchange_of,
    file_digest,
    files_of,
    make_archive,
    month_after,
    month_of,
    piece_of,
    sync_folder,
    synced,
)
from services.audit.containers import Kept, block, header, kept_in
from services.wire.channels import channel_kind
from services.wire.errors import ArchiveError, DiskError, LeaseError, RefusedError, SettingsError
from services.wire.hashing import Digest

__all__ = ["Archive"]

_LOCK: Final = "lock"
_BLOCK_BYTES: Final = 1024 * 1024
_BLOCK_RECORDS: Final = 1000


@dataclass(slots=True)
class _File:
    """The newest file of a channel: its blocks, and the position after everything before it."""

    path: Path
    first: int
    blocks: list[Block]

    @property
    def end(self) -> int:
        return self.blocks[-1].end if self.blocks else len(header(name_of(self.path)))

    @property
    def next(self) -> int:
        return self.blocks[-1].first + self.blocks[-1].records if self.blocks else self.first


@dataclass(slots=True)
class Archive:
    """An archive to write to, by one process at a time; ``told`` takes what a person has to know, in a sentence."""

    folder: Path
    told: Callable[[str], None]
    _lock: int = -1
    _newest: dict[str, _File] = field(default_factory=dict)
    _closed: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def open(cls, folder: Path, exchange: Digest, told: Callable[[str], None]) -> Self:
        """Return the archive in a folder, which is made if there is none; ``exchange`` is H of the root certificate.

        What a kill left half written is cut off.
        Raises: SettingsError if the folder holds something else, or was exported; RefusedError if it is an archive of another
        exchange; LeaseError if another process writes to it; ArchiveError if somebody changed it in the midst; DiskError if it
        cannot be written.
        """
        archive = cls(folder, told)
        try:
            make_archive(folder, exchange.hex())
            _require_ours(folder, exchange)
            archive._hold()
            archive._mend()
        except OSError as error:
            archive.close()
            raise _disk(error, folder) from error
        except BaseException:
            archive.close()
            raise
        return archive

    def append(self, channel: str, records: Sequence[tuple[bytes, int]], *, taken_at: int) -> None:
        """Keep records of a channel, each with where it stood in the log; ``taken_at`` is in milliseconds since 1970.

        Raises: MalformedError if no channel has that name; DiskError if they cannot be written.
        """
        channel_kind(channel)  # it becomes the name of a folder
        try:
            if self._lock < 0:
                # After an error: what was half written is cut off before anything follows it, and nobody else writes meanwhile.
                self._hold()
                self._mend()
            for some in _pieces(records):
                self._write(self._file(channel, taken_at), [Kept(value, source, taken_at) for value, source in some])
        except OSError as error:
            # Half a block may stand there: it is cut off before anything is written after it.
            self._newest.pop(channel, None)
            raise _disk(error, self.folder) from error

    def last(self, channel: str) -> Kept | None:
        """Return the last record of a channel, None if there is none.

        Raises: DiskError if it cannot be read, or what stands there is no record any more.
        """
        path, end = None, None
        for each in files_of(self.folder, channel):
            found = blocks_in(each, 0)
            path, end = (each, found[-1]) if found else (path, end)
        if path is None or end is None:
            return None
        try:
            return kept_in(piece_of(path, end.offset, end.size))[-1]
        except (OSError, IndexError) as error:
            raise DiskError(f"the last block of {name_of(path)} cannot be read: the file was changed") from error

    def close_months(self, now: int) -> list[Closed]:
        """Close every file of a month that is over (``now`` in milliseconds since 1970), and return those that were not yet."""
        over = (path for path in archive_files(self.folder) if path.stem < month_of(now))
        try:
            return [self._close(path) for path in over if (path.parent.name, path.stem) not in self._closed]
        except OSError as error:
            raise _disk(error, self.folder) from error

    def close(self) -> None:
        """Let others write to it."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hold(self) -> None:
        self._lock = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LeaseError(f"another process writes to the archive {self.folder.name}; one at a time") from None

    def _mend(self) -> None:
        """Cut off what a kill left half written, and write down again what an index lacks."""
        self._newest.clear()
        path = self.folder / CLOSED
        data = path.read_bytes() if path.exists() else b""
        if not data.endswith(b"\n") and data:
            self.told(f"{CLOSED}: a line that was not finished was cut off")
            os.truncate(path, data.rfind(b"\n") + 1)
        self._closed = {(each.channel, each.month) for each in closed_files(self.folder)}
        for channel in sorted({path.parent.name for path in archive_files(self.folder)}):
            self._open_newest(channel)

    def _open_newest(self, channel: str) -> _File | None:
        """Return the newest file of a channel, mended; None if it has none."""
        paths, first = files_of(self.folder, channel), 0
        for each in paths[:-1]:
            first = _next(blocks_in(each, first), first)
        if paths:
            self._newest[channel] = self._mended(paths[-1], first)
        return self._newest.get(channel)

    def _mended(self, path: Path, first: int) -> _File:
        blocks = blocks_in(path, first)
        if blocks and blocks[-1].sha256 not in ("", _block_digest(path, blocks[-1])):
            blocks.pop()
        file, size = _File(path, first, blocks), path.stat().st_size
        beginning = header(name_of(path))
        if size > file.end:
            _require_unfinished(path, file.end)
            lost = f"{size - file.end} bytes at the end were of a block that was never finished"
            self.told(f"{name_of(path)}: {lost}, and were cut off; what they were to hold is taken again")
            _truncate(path, file.end)
        elif size < len(beginning):
            path.write_bytes(beginning)
        unknown = [each for each in blocks if not each.sha256]
        if unknown:
            self.told(f"{name_of(path)}: its index lacked {len(unknown)} blocks, and was written anew")
            file.blocks = [
                each._replace(sha256=each.sha256 or sha256(piece_of(path, each.offset, each.size)).hexdigest()) for each in blocks
            ]
        lines = b"".join(map(block_line, file.blocks))
        if not index_of(path).exists() or index_of(path).read_bytes() != lines:
            synced(index_of(path), lines)
        return file

    def _file(self, channel: str, taken_at: int) -> _File:
        """Return the file for records that are taken now: never one of a month before the newest, whatever the clock says."""
        newest, month = self._newest.get(channel) or self._open_newest(channel), month_of(taken_at)
        if newest is not None and newest.path.stem >= month:
            if (channel, newest.path.stem) not in self._closed:
                return newest
            month = month_after(newest.path.stem)
        folder = self.folder / CHANNELS / channel
        folder.mkdir(exist_ok=True)
        path = folder / f"{month}.avro"
        path.write_bytes(header(name_of(path)))
        sync_folder(folder)
        sync_folder(folder.parent)
        self._newest[channel] = _File(path, newest.next if newest else 0, [])
        if newest is not None and (channel, newest.path.stem) not in self._closed:
            self._close(newest.path)
        return self._newest[channel]

    def _write(self, file: _File, records: Sequence[Kept]) -> None:
        data = block(records, marker_of(file.path))
        claims = claims_of(each.value for each in records)
        new = Block(file.end, len(data), file.next, len(records), sha256(data).hexdigest(), claims)
        # The line first: so a block that a kill left half written is known by it.
        _add(index_of(file.path), block_line(new))
        _add(file.path, data)
        file.blocks.append(new)

    def _close(self, path: Path) -> Closed:
        size, digest = file_digest(path)
        closed = Closed(path.parent.name, path.stem, size, sum(each.records for each in blocks_in(path, 0)), digest)
        _add(self.folder / CLOSED, closed.line)
        self._closed.add((closed.channel, closed.month))
        return closed


def _require_ours(folder: Path, exchange: Digest) -> None:
    if (folder / EXPORT).exists():
        # Its list of files would be wrong with the first record that is added.
        raise SettingsError(f"{folder.name} is an exported folder, which stays as it is: import it into an archive")
    if exchange_of(folder) != exchange.hex():
        raise RefusedError(f"{folder.name} is an archive of another exchange: its root certificate is not the one given")


def _require_unfinished(path: Path, end: int) -> None:
    """Return if what stands from a byte on can be what a kill left of one block.

    Raises: ArchiveError if a whole block stands behind: that was written once, and is never cut off.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(marker_of(path), end)
        if 0 <= at < len(data) - len(marker_of(path)):
            raise ArchiveError(
                f"{name_of(path)} was changed at byte {end}, and more stands behind: nothing is cut off."
                " Keep this archive as it is, and mirror into a new one"
            )


def _block_digest(path: Path, found: Block) -> str:
    return sha256(piece_of(path, found.offset, found.size)).hexdigest()


def _pieces(records: Sequence[tuple[bytes, int]]) -> Iterator[list[tuple[bytes, int]]]:
    some, size = list[tuple[bytes, int]](), 0
    for each in records:
        if some and (size + len(each[0]) > _BLOCK_BYTES or len(some) == _BLOCK_RECORDS):
            yield some
            some, size = [], 0
        some.append(each)
        size += len(each[0])
    if some:
        yield some


def _next(blocks: Sequence[Block], first: int) -> int:
    return blocks[-1].first + blocks[-1].records if blocks else first


def _add(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _truncate(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())


def _disk(error: OSError, folder: Path) -> DiskError:
    return DiskError(f"the archive {folder.name} cannot be written: {error.strerror}")
