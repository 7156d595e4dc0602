"""Archives in tests: a log written by hand, mirrored by the real mirror."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.audit.archive import Archive
from services.audit.archive_reading import ArchiveChannel
from services.audit.mirroring import Mirror
from services.audit.strays import channels_in
from services.channel.embedded import EmbeddedChannel
from services.channel.port import Channel
from tests.chains import ROOT

__all__ = ["NOVEMBER", "Copy", "values"]

NOVEMBER = 1_795_000_000_000
"""A moment of November 2026."""


@dataclass
class Copy:
    """A log that somebody writes and an archive that mirrors it; ``told`` is what the mirror had to say."""

    folder: Path
    now: int = NOVEMBER
    told: list[str] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "log.sqlite"

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    def write(self, records: dict[str, list[bytes]]) -> None:
        """Make the log anew, with these records and no others."""
        for path in self.folder.glob("log.sqlite*"):
            path.unlink()
        self.append(records)

    def append(self, records: dict[str, list[bytes]]) -> None:
        with closing(EmbeddedChannel(self.log, clock=lambda: 0)) as log:
            for channel, values_of in records.items():
                log.append(channel, values_of)

    @contextmanager
    def mirror(self) -> Iterator[Mirror]:
        source: Channel = EmbeddedChannel(self.log, clock=lambda: 0, read_only=True)
        with closing(source), Archive.open(self.archive, ROOT.digest, self.told.append) as archive:
            yield Mirror(source, archive, ROOT, lambda: self.now, self.told.append, lambda: channels_in(self.log))

    def take(self) -> int:
        """Mirror what there is, and return how many records were taken."""
        with self.mirror() as mirror:
            return mirror.catch_up()

    def values(self, channel: str) -> list[bytes]:
        return values(ArchiveChannel(self.archive), channel)


def values(log: Channel, channel: str) -> list[bytes]:
    found: list[bytes] = []
    position = 0
    while some := log.poll({channel: position}, timeout_seconds=0, limit=7):
        found += [each.value for each in some]
        position = some[-1].position + 1
    return found
