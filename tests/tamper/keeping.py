"""Archives of the lab's logs: two months of them, as a mirror leaves them, kept in memory and put down where they are harmed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from services.audit.archive import Archive
from services.audit.archive_index import Block, block_line, blocks_in, claims_of, index_of, marker_of, name_of
from services.audit.archive_layout import CLOSED, piece_of
from services.audit.archive_reading import ArchiveChannel
from services.audit.containers import Kept, block, header, kept_in
from services.audit.leaving_out import without_personal
from services.audit.remembering import Memory
from services.audit.verify import Report, Signatures
from services.audit.verify_archive import verify_archive
from tests.chains import ROOT

__all__ = ["EXCHANGE", "MONTHS", "Keeping", "archive_of", "records_of", "remade", "verified_archive"]

EXCHANGE: Final = ROOT.digest.hex()
MONTHS: Final = ("2026-11", "2026-12")
_TIMES: Final = (1_795_000_000_000, 1_797_600_000_000)
_AT_ONCE: Final = 300


@dataclass(frozen=True)
class Keeping:
    """An archive as its files, with what a verification says of it, and the file and digest that this one left."""

    files: Mapping[str, bytes]
    whole: Report
    state: bytes
    state_digest: str

    @classmethod
    def of(cls, records: Mapping[str, Sequence[bytes]], folder: Path) -> Keeping:
        """Keep the archive of a log, which has to be clean."""
        archive = archive_of(records, folder / "kept")
        files = {str(path.relative_to(archive)): path.read_bytes() for path in archive.rglob("*") if path.is_file()}
        memory = Memory(EXCHANGE, Signatures.NEWEST.value)
        whole = verified_archive(archive, Signatures.NEWEST, memory)
        assert whole.is_clean, whole.findings
        digest = memory.save(folder / "state")
        return cls(files, whole, (folder / "state").read_bytes(), digest)

    def put(self, folder: Path) -> Path:
        """Write the archive into a folder that is not there, and return it."""
        for name, data in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder


def archive_of(records: Mapping[str, Sequence[bytes]], folder: Path) -> Path:
    """Write the archive of a log: the first half of each channel is taken in one month, the rest in the next."""
    with Archive.open(folder, ROOT.digest, lambda _: None) as archive:
        for number, taken_at in enumerate(_TIMES):
            for channel, found in records.items():
                middle = (len(found) + 1) // 2
                start, end = (0, middle) if number == 0 else (middle, len(found))
                placed = [(without_personal(found[place]), place) for place in range(start, end)]
                for at in range(0, len(placed), _AT_ONCE):
                    archive.append(channel, placed[at : at + _AT_ONCE], taken_at=taken_at)
    return folder


def verified_archive(folder: Path, signatures: Signatures = Signatures.EACH, memory: Memory | None = None) -> Report:
    """Verify an archive as `audit verify` does."""
    return verify_archive(folder, ArchiveChannel(folder), ROOT, signatures=signatures, memory=memory)


def records_of(path: Path) -> list[Kept]:
    """Return all records of a file."""
    return [each for one in blocks_in(path, 0) for each in kept_in(piece_of(path, one.offset, one.size))]


def remade(path: Path, number: int, change: Kept) -> None:
    """Put another record in the place of one, and make all digests in the archive right again: it is consistent in itself."""
    made, lines, at, first = [header(name_of(path))], list[bytes](), len(header(name_of(path))), 0
    for each in blocks_in(path, 0):
        records = kept_in(piece_of(path, each.offset, each.size))
        if first <= number < first + len(records):
            records[number - first] = change
        data, claims = block(records, marker_of(path)), claims_of(one.value for one in records)
        lines.append(block_line(Block(at, len(data), each.first, len(records), sha256(data).hexdigest(), claims)))
        made.append(data)
        at, first = at + len(data), first + len(records)
    path.write_bytes(b"".join(made))
    index_of(path).write_bytes(b"".join(lines))
    closed_files = path.parent.parent.parent / CLOSED
    closed = [json.loads(line) for line in closed_files.read_bytes().splitlines()]
    for line in closed:
        if (line["channel"], line["month"]) == (path.parent.name, path.stem):
            line |= {"size": at, "sha256": sha256(path.read_bytes()).hexdigest()}
    closed_files.write_bytes(b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in closed))
