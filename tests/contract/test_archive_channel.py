"""An archive passes the reading half of the contract, while its mirror goes on writing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from services.audit.archive import Archive
from services.audit.archive_reading import ArchiveChannel
from services.channel.port import Channel
from services.wire.errors import ChannelForbiddenError
from tests.chains import ROOT
from tests.contract.channel_suite import SCHOOL, ChannelContract

NOVEMBER = 1_795_000_000_000


class _Mirrored(ArchiveChannel):
    """An archive that is read, and into which whatever is appended is mirrored."""

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive.folder)
        self._archive = archive

    def append(self, channel: str, records: Sequence[bytes]) -> None:  # type: ignore[override]  # a mirror stands behind it
        self._archive.append(channel, [(value, place) for place, value in enumerate(records)], taken_at=NOVEMBER)


class TestArchiveChannel(ChannelContract):
    # What is too large for a log is refused where it is written; no mirror meets it.
    test_a_batch_with_one_record_that_is_too_large_stores_nothing = None  # type: ignore[assignment]

    @pytest.fixture(autouse=True)
    def _one_archive(self, tmp_path: Path) -> Iterator[None]:
        with Archive.open(tmp_path / "archive", ROOT.digest, pytest.fail) as self.archive:
            yield

    def open_log(self) -> Channel:
        return _Mirrored(self.archive)


def test_nobody_appends_to_an_archive_through_the_port(tmp_path: Path) -> None:
    Archive.open(tmp_path, ROOT.digest, pytest.fail).close()
    with pytest.raises(ChannelForbiddenError, match="written by its mirror alone"):
        ArchiveChannel(tmp_path).append(SCHOOL, [b"one"])
