"""Moving archives by disk: a folder that somebody else verifies, and taking what such a folder holds into an archive.

An exported folder is an archive at one moment, with ``export.json``, which names each of its files with its SHA-256: so damage on
the way is told before anything is taken in. Nobody has to believe that list. Whoever gets the folder verifies what stands in it
with the root certificate, which comes another way.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from services.audit.archive import Archive
from services.audit.archive_index import Block, block_line, blocks_in, index_of, name_of
from services.audit.archive_layout import (
    CHANNELS,
    CLOSED,
    EXPORT,
    MANIFEST,
    archive_files,
    closed_files,
    exchange_of,
    file_digest,
    piece_of,
    require_plain,
    synced,
)
from services.audit.archive_reading import ArchiveChannel
from services.audit.containers import header, kept_in
from services.wire.errors import ArchiveError, DiskError, Evidence, RefusedError, SettingsError

__all__ = ["export_archive", "export_faults", "import_archive"]

_AT_ONCE: Final = 1000
_AT_ONCE_BYTES: Final = 1024 * 1024


def export_archive(archive: Path, folder: Path) -> int:
    """Copy what an archive holds now into a folder that is empty or not there, and return how many records that were.

    Its mirror may go on meanwhile: what is not written whole is not copied.
    Raises: SettingsError if the one is no archive or the other is not empty; DiskError if something cannot be read or written.
    """
    exchange_of(archive)
    try:
        if folder.exists() and any(folder.iterdir()):
            raise SettingsError(f"{folder.name} is not empty; name a folder to be made")
        folder.mkdir(parents=True, exist_ok=True)
        # First: what is closed meanwhile may have grown since it was copied.
        closed = closed_files(archive)
        records = sum(_copied(path, folder / CHANNELS / path.parent.name) for path in archive_files(archive))
        (folder / CHANNELS).mkdir(exist_ok=True)
        synced(folder / CLOSED, b"".join(each.line for each in closed))
        shutil.copyfile(archive / MANIFEST, folder / MANIFEST)
        files = [{"path": str(path.relative_to(folder)), **_told(path)} for path in _all_files(folder)]
        synced(folder / EXPORT, json.dumps({"records": records, "files": files}, indent=1).encode() + b"\n")
    except OSError as error:
        raise DiskError(f"{folder.name} or {archive.name}: {error.strerror}") from error
    return records


def import_archive(
    folder: Path, archive: Archive, tell: Callable[[int, int], None] = lambda _done, _more: None, *, now: int = sys.maxsize
) -> int:
    """Take what an exported folder, or an archive, holds and ``archive`` lacks, and return how many records those were.

    Into an empty archive the very same files are written. It may be done again, after an interruption or with a newer export.
    What says that it was taken after ``now`` (milliseconds since 1970) is taken now: else months to come would never close.
    Raises: ArchiveError if a file is not what the export says; RefusedError if it is of another exchange; SettingsError if it
    is no archive; DiskError.
    """
    if exchange_of(folder) != exchange_of(archive.folder):
        raise RefusedError(f"{folder.name} is of another exchange than the archive {archive.folder.name}")
    faults = export_faults(folder)
    if faults:
        name, expected, found = faults[0]
        raise ArchiveError(f"{name} is not what was exported; nothing was taken in", Evidence(expected=expected, found=found))
    taken = 0
    for channel, paths in _by_channel(folder).items():
        known = {sha256(value).digest() for value in _values(archive.folder, channel)}
        for path in paths:
            blocks = blocks_in(path, 0)
            tell(0, len(blocks))
            for each in blocks:
                taken += _taken(archive, path, each, known, now)
                tell(1, 0)
    return taken


def export_faults(folder: Path) -> list[tuple[str, str, str]]:
    """Return the files of an exported folder that are not what its list says: name, expected and found digest.

    Empty for an archive that nobody exported.
    """
    require_plain(folder / EXPORT)
    if not (folder / EXPORT).is_file():
        return []
    try:
        files: Any = json.loads((folder / EXPORT).read_bytes())["files"]
        wanted = {str(each["path"]): str(each["sha256"]) for each in files}
        there = {str(path.relative_to(folder)): _told(path)["sha256"] for path in _all_files(folder)}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return [(EXPORT, "a list of files", "nothing that can be read")]
    # Only names that stand in the folder or in its list are told; whoever wrote the list chose the latter.
    odd = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    shown = (name if name in there else f"a file that is not here, {sha256(name.encode()).hexdigest()}" for name in odd)
    return [(text, wanted.get(name, "nothing"), there.get(name, "nothing")) for text, name in zip(shown, odd, strict=True)]


def _taken(archive: Archive, path: Path, found: Block, known: set[bytes], now: int) -> int:
    try:
        kept = kept_in(piece_of(path, found.offset, found.size))
    except IndexError:
        raise ArchiveError(
            f"{name_of(path)}: the block at byte {found.offset} is none; what stood before it was taken in"
        ) from None
    lacking = [each for each in kept if not known or sha256(each.value).digest() not in known]
    # By the time at which each was taken first: moving a record does not make it younger.
    for taken_at in dict.fromkeys(min(each.taken_at, now) for each in lacking):
        some = [(each.value, each.source) for each in lacking if min(each.taken_at, now) == taken_at]
        archive.append(path.parent.name, some, taken_at=taken_at)
    return len(lacking)


def _copied(path: Path, folder: Path) -> int:
    """Copy the whole blocks of a file, and their lines of the index; return how many records they hold."""
    blocks, target = blocks_in(path, 0), folder / path.name
    folder.mkdir(parents=True, exist_ok=True)
    left = blocks[-1].end if blocks else len(header(name_of(path)))
    with path.open("rb") as source, target.open("wb") as copy:
        while left and (some := source.read(min(left, _AT_ONCE_BYTES))):
            copy.write(some)
            left -= len(some)
    synced(index_of(target), b"".join(map(block_line, blocks)))
    return sum(each.records for each in blocks)


def _by_channel(folder: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in archive_files(folder):
        found.setdefault(path.parent.name, []).append(path)
    return found


def _values(folder: Path, channel: str) -> Iterator[bytes]:
    log, position = ArchiveChannel(folder), 0
    while found := log.poll({channel: position}, timeout_seconds=0, limit=_AT_ONCE):
        position = found[-1].position + 1
        yield from (each.value for each in found)


def _all_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in (EXPORT, "lock"))


def _told(path: Path) -> dict[str, Any]:
    size, digest = file_digest(path)
    return {"bytes": size, "sha256": digest}
