"""Where things stand in an archive's folder, and what its two small files say.

``archive.json`` says which exchange it is of; ``closed.jsonl`` has a line for each file to which nothing is added any more.
``channels/<channel>/<month>.avro`` are the records, with an index beside each.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from services.wire.channels import channel_kind
from services.wire.errors import ArchiveError, MalformedError, SettingsError

__all__ = [
    "CHANNELS",
    "CLOSED",
    "EXPORT",
    "MANIFEST",
    "Closed",
    "archive_files",
    "closed_files",
    "exchange_of",
    "file_digest",
    "files_of",
    "is_archive",
    "make_archive",
    "month_after",
    "month_of",
    "piece_of",
    "sync_folder",
    "synced",
]

CHANNELS: Final = "channels"
CLOSED: Final = "closed.jsonl"
EXPORT: Final = "export.json"
MANIFEST: Final = "archive.json"
_FORMAT: Final = "sarakste-archive-0"
_AT_ONCE_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Closed:
    """A file to which nothing is added any more, as it was when it was closed."""

    channel: str
    month: str
    size: int
    records: int
    sha256: str

    @property
    def line(self) -> bytes:
        """Its line in ``closed.jsonl``."""
        return json.dumps(asdict(self), separators=(",", ":")).encode() + b"\n"


def is_archive(folder: Path) -> bool:
    """Tell whether a folder says that it is an archive."""
    return (folder / MANIFEST).is_file()


def make_archive(folder: Path, exchange: str) -> None:
    """Make an empty archive; one that is there stays as it is.

    Raises: SettingsError if the folder holds something else; OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not is_archive(folder):
        # What was begun here and not made whole, on a full disk or by a kill, is no reason not to make it.
        if any(each.name not in (CHANNELS, _draft(folder / MANIFEST).name) for each in folder.iterdir()):
            raise SettingsError(f"{folder.name} holds something else and no archive; give another folder, or one to be made")
        (folder / CHANNELS).mkdir(exist_ok=True)
        said = {"format": _FORMAT, "exchange": exchange, "personal": "left out"}
        # Last: half an archive is none.
        synced(folder / MANIFEST, json.dumps(said).encode() + b"\n")


def exchange_of(folder: Path) -> str:
    """Return H of the root certificate (hexadecimal) of the exchange that an archive is of.

    Raises: SettingsError if the folder is no archive, or one of another version.
    """
    require_plain(folder / MANIFEST)
    try:
        said: Any = json.loads((folder / MANIFEST).read_bytes())
        form, exchange = said["format"], str(said["exchange"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise SettingsError(f"{folder.name} is no archive: {MANIFEST} is not in it, or says nothing that can be read") from None
    if form != _FORMAT:
        raise SettingsError(f"{folder.name} is an archive of another version of this program")
    return exchange


def closed_files(folder: Path) -> list[Closed]:
    """Return what ``closed.jsonl`` says, as far as its lines can be read; a last one may be half written."""
    path = folder / CLOSED
    require_plain(path)
    found = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        with suppress(ValueError, TypeError, KeyError, OverflowError, RecursionError):
            said = json.loads(line)
            found.append(
                Closed(str(said["channel"]), str(said["month"]), int(said["size"]), int(said["records"]), str(said["sha256"]))
            )
    return found


def archive_files(folder: Path) -> Iterator[Path]:
    """Yield the files of an archive in which records stand, channel by channel, in their order."""
    channels = folder / CHANNELS
    for each in sorted(channels.iterdir()) if channels.is_dir() else ():
        with suppress(MalformedError):
            channel_kind(each.name)
            yield from files_of(folder, each.name)


def files_of(folder: Path, channel: str) -> list[Path]:
    """Return the files of one channel in their order."""
    return sorted((folder / CHANNELS / channel).glob("????-??.avro"))


def month_of(milliseconds: int) -> str:
    """Return the month of a time since 1970, as files are named."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m")


def month_after(month: str) -> str:
    """Return the month after one."""
    year, number = map(int, month.split("-"))
    return f"{year + number // 12:04}-{number % 12 + 1:02}"


def require_plain(*paths: Path) -> None:
    """Return if each of these is a plain file, or not there: whoever gives a folder away may have put a pipe or a link in it.

    Raises: ArchiveError.
    """
    for path in paths:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise ArchiveError(f"{path.parent.name}/{path.name} is no plain file")


def file_digest(path: Path, limit: int | None = None) -> tuple[int, str]:
    """Return how many bytes a file has, and their SHA-256; of its first ``limit`` bytes alone if that is given."""
    digest, left, size = sha256(), limit if limit is not None else path.stat().st_size, 0
    with path.open("rb") as file:
        while left and (some := file.read(min(left, _AT_ONCE_BYTES))):
            digest.update(some)
            left -= len(some)
            size += len(some)
    return size, digest.hexdigest()


def piece_of(path: Path, offset: int, size: int) -> bytes:
    """Return a piece of a file."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)


def synced(path: Path, data: bytes) -> None:
    """Write a small file so that it is there whole or not at all."""
    beside = _draft(path)
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def _draft(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
