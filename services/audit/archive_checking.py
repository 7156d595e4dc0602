"""Checking an archive's files: whether each is what it was when it was closed, written, exported, or verified before.

Entries are judged elsewhere, by what their writers signed. This finds what that cannot: a changed time, a signature inside a
stretch, a record put in or taken out where nobody else's word covers it. Digests that lie in the archive convict nobody who can
write all of it; those that an earlier verification kept elsewhere do.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from services.audit.archive_index import Block, blocks_in, index_of, name_of
from services.audit.archive_layout import CHANNELS, archive_files, closed_files, file_digest, piece_of
from services.audit.containers import header
from services.audit.moving import export_faults
from services.audit.report import Finding
from services.wire.channels import TRUST_CHANNEL
from services.wire.errors import ArchiveError, ChannelUnavailableError
from services.wire.hashing import digest_of

__all__ = ["archive_findings", "changed_since", "files_read"]


def archive_findings(folder: Path) -> list[Finding]:
    """Return a finding for each file that is not what the archive itself, or its export, says of it.

    Raises: ChannelUnavailableError if it cannot be read.
    """
    try:
        return [*_closed(folder), *_open(folder), *_exported(folder)]
    except OSError as error:
        raise ChannelUnavailableError(f"the archive {folder.name} cannot be read: {error.strerror}") from error


def changed_since(folder: Path, files: Mapping[str, tuple[int, str]]) -> list[Finding]:
    """Return a finding for each file of which the bytes that were read before are not the same any more; errors as above."""
    found = []
    try:
        for name, (size, expected) in files.items():
            path = folder / CHANNELS / f"{name}.avro"
            seen = file_digest(path, size) if path.is_file() else (0, "nothing")
            if seen != (size, expected):
                found.append(_finding(path, "a file of the archive was changed since it was verified", expected, seen[1]))
    except OSError as error:
        raise ChannelUnavailableError(f"the archive {folder.name} cannot be read: {error.strerror}") from error
    return found


def files_read(folder: Path) -> dict[str, tuple[int, str]]:
    """Return of each file of an archive how many bytes its whole blocks take, and H of these; errors as above."""
    found = {}
    try:
        for path in archive_files(folder):
            blocks = blocks_in(path, 0)
            if blocks:
                found[name_of(path)] = file_digest(path, blocks[-1].end)
    except OSError as error:
        raise ChannelUnavailableError(f"the archive {folder.name} cannot be read: {error.strerror}") from error
    return found


def _closed(folder: Path) -> list[Finding]:
    found = []
    for each in closed_files(folder):
        path = folder / CHANNELS / each.channel / f"{each.month}.avro"
        seen = file_digest(path)[1] if path.is_file() else "nothing"
        if seen != each.sha256:
            found.append(_finding(path, "a closed file of the archive is not what it was", each.sha256, seen))
    return found


def _open(folder: Path) -> list[Finding]:
    """Find changed blocks of files to which something is added still, by their index."""
    closed = {(each.channel, each.month) for each in closed_files(folder)}
    found = []
    for path in archive_files(folder):
        beginning = header(name_of(path))
        seen_first = piece_of(path, 0, len(beginning))
        # One of which no more than this is written yet may be in the making.
        if seen_first != beginning[: len(seen_first)]:
            # No block lies there, but whoever reads it with another program reads by what the header says.
            expected, there = digest_of(beginning).hex(), digest_of(seen_first).hex()
            found.append(_finding(path, "the header of a file of the archive is not what was written", expected, there))
        changed = None if (path.parent.name, path.stem) in closed else _first_changed(path)
        if changed is not None:
            seen = digest_of(piece_of(path, changed.offset, changed.size)).hex()
            found.append(_finding(path, "a block of the archive is not what was written", changed.sha256, seen))
    return found


def _exported(folder: Path) -> list[Finding]:
    what = "a file of the exported folder is not what was exported"
    return [_finding(folder / name, f"{what}: {name}", expected, seen) for name, expected, seen in export_faults(folder)]


def _finding(path: Path, what: str, expected: str, found: str) -> Finding:
    """Return a finding at the first entry that a changed block was to hold, as far as its index tells."""
    is_records = path.suffix == ".avro" and path.parent.parent.name == CHANNELS
    changed = _first_changed(path) if is_records and path.is_file() else None
    epoch, sequence = changed.claims[0] if changed is not None and changed.claims is not None else (0, 0)
    return Finding(
        channel=path.parent.name if is_records or path.suffix == index_of(path).suffix else TRUST_CHANNEL,
        epoch=epoch,
        sequence=sequence,
        error=ArchiveError.__name__,
        what=what,
        expected=expected,
        found=found,
    )


def _first_changed(path: Path) -> Block | None:
    blocks = (each for each in blocks_in(path, 0) if each.sha256)
    return next((each for each in blocks if digest_of(piece_of(path, each.offset, each.size)).hex() != each.sha256), None)
