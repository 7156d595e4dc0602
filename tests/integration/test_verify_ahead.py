"""Pieces that other processes prove ahead change nothing of what is found; nor does it who proves them, or that nobody does."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path
from typing import Any

import pytest

from services.audit.ahead import Ahead
from services.audit.archive import Archive
from services.audit.archive_index import blocks_in
from services.audit.archive_reading import ArchiveChannel, archived_channels
from services.audit.containers import long_at
from services.audit.leaving_out import without_personal
from services.audit.report import Report
from services.audit.signatures import Signatures
from services.wire.channels import TRUST_CHANNEL
from services.wire.contents import KeyRevoked, Reason
from services.wire.entry import decode_entry, encode_entry
from services.wire.errors import SignatureError
from tests.archives import NOVEMBER
from tests.chains import ROOT, Pen
from tests.harms import harmed_world
from tests.verifying import comparable, verified_by
from tests.worlds import NEW, OLD, RECORD, TO, World, only


class Here(Executor):
    """Does what it is given at once; ``done`` is how often."""

    def __init__(self) -> None:
        self.done = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.done += 1
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Ended(Executor):
    """Somebody ended it before it did anything."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_exception(BrokenExecutor(fn, args, kwargs))
        return future


class NoneStarts(Executor):
    """The machine has no process left to give."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise BlockingIOError(fn, args, kwargs)


def archive_of(world: World) -> Path:
    """Write the archive of a world, a few records a block."""
    with Archive.open(world.folder / "archive", ROOT.digest, lambda _: None) as archive:
        for channel, records in world.records.items():
            placed = [(without_personal(each), place) for place, each in enumerate(records)]
            for at in range(0, len(placed), 4):
                archive.append(channel, placed[at : at + 4], taken_at=NOVEMBER)
    return world.folder / "archive"


def report_of(archive: Path, signatures: Signatures, workers: Executor | None = None) -> Report:
    log, ahead = ArchiveChannel(archive), None
    if workers is not None:
        ahead = Ahead(archive, signatures, count=2, least=0, records=8, workers=lambda _: workers)
    there = archived_channels(archive)
    return verified_by(log, ROOT, signatures=signatures, page=8, leaves_out=True, there=there, ahead=ahead)


def alike(world: World, signatures: Signatures = Signatures.NEWEST, *, asked: bool = True) -> Report:
    """Verify the archive of a world alone and with workers, hold both against each other, and return what was found.

    ``asked`` says whether anything is to be proved ahead at all.
    """
    archive, here = archive_of(world), Here()
    report = report_of(archive, signatures, here)
    assert comparable(report) == comparable(report_of(archive, signatures))
    assert comparable(report) == comparable(report_of(archive, signatures, Ended()))
    assert comparable(report) == comparable(report_of(archive, signatures, NoneStarts()))
    assert (here.done > 1) is asked
    return report


@pytest.mark.parametrize("seed", range(25))
def test_of_any_log_the_same_is_found(tmp_path: Path, seed: int) -> None:
    archive = archive_of(harmed_world(tmp_path, seed))
    alone = comparable(report_of(archive, Signatures.EACH))
    assert comparable(report_of(archive, Signatures.EACH, Here())) == alone


@pytest.mark.parametrize("position", [0, 1, 4, 6, 40, 41])
def test_pieces_are_whole_blocks_and_leave_nothing_out(tmp_path: Path, position: int) -> None:
    world = World(tmp_path)
    world.write(RECORD, 40)
    log = ArchiveChannel(archive_of(world))
    pieces = log.pieces(RECORD, position, records=9, size_bytes=1_000_000)
    assert [each for start, stop in pieces for each in range(start, stop)] == list(range(position, 41))
    assert all(stop - start <= 9 and (stop % 4 == 0 or stop == 41) for start, stop in pieces)
    # A block is a piece, however large it is.
    assert log.pieces(RECORD, 0, records=1, size_bytes=1) == [(start, min(start + 4, 41)) for start in range(0, 41, 4)]


def test_what_an_archive_does_not_have_has_no_pieces(tmp_path: Path) -> None:
    assert ArchiveChannel(archive_of(World(tmp_path))).pieces("school-0099900099.record", 0, records=9, size_bytes=9) == []


def test_a_channel_that_only_goes_on_is_clean(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(RECORD, 40)
    assert alike(world).is_clean


def test_receipts_rotations_and_a_revocation_between_pieces_are_read_as_ever(tmp_path: Path) -> None:
    world = World(tmp_path)
    for _ in range(5):
        world.write(RECORD, 7)
        world.write(TO, 6)
        world.receipt(TO, record=world.pens[RECORD].previous)
    world.records[RECORD].append(world.pens[RECORD].rotated(NEW))
    world.write(RECORD, 20)
    assert alike(world).is_clean
    (tmp_path / "again").mkdir()
    world.folder = tmp_path / "again"
    world.said(KeyRevoked(key=OLD.certificate.key_digest, reason=Reason.SUPERSEDED))
    # What a revoked key signed is judged, entry by entry, in its order.
    assert alike(world, asked=False).is_clean


def test_a_missing_piece_is_found_where_it_was(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(RECORD, 60)
    del world.records[RECORD][24:32]
    finding = only(alike(world))
    assert (finding.channel, finding.sequence) == (RECORD, 25)


def test_a_block_that_holds_fewer_than_it_counts_is_read_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(RECORD, 30)
    archive = archive_of(world)
    [file] = (archive / "channels" / RECORD).glob("*.avro")
    written = file.read_bytes()
    data = bytearray(written)
    for block in blocks_in(file, 0)[1:3]:
        # The first record says that it is longer than its block, of which then one value comes out, and it is no entry.
        _, size_at = long_at(written, block.offset)
        _, record_at = long_at(written, size_at)
        data[record_at + 1] = 0x7F
    file.write_bytes(data)
    alone = comparable(report_of(archive, Signatures.EACH))
    assert [each for each in alone[-1][RECORD] if "was skipped" in each] != []
    assert comparable(report_of(archive, Signatures.EACH, Here())) == alone


def test_pieces_of_another_chain_are_taken_by_nobody(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(RECORD, 30)
    # A whole run of another history, which plainly goes on in itself, and from nothing here.
    other = Pen(RECORD, OLD, salt="another")
    history = [other.opened(), *(other.sealed() for _ in range(60))]
    world.records[RECORD][16:] = history[16:]
    finding = only(alike(world))
    # What stands behind says what it follows, so the last entry of the true history is the one that does not belong there.
    assert (finding.channel, finding.sequence) == (RECORD, 16)


def test_a_time_or_an_event_id_of_an_earlier_piece_is_told_all_the_same(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(RECORD, 15)
    world.pens[RECORD].back = 10**6
    world.write(RECORD, 16)
    notes = alike(world).of(RECORD).notes
    assert any("at 17: its time lies before" in each for each in notes)


def test_a_signature_that_was_damaged_inside_a_piece_is_found_by_the_thorough_way(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write(RECORD, 40)
    entry = decode_entry(world.records[RECORD][19])
    signature = entry.signature[:-1] + bytes([entry.signature[-1] ^ 1])
    world.records[RECORD][19] = encode_entry(entry.statement_bytes, signature, entry.raw_facts, entry.raw_personal)
    finding = only(alike(world, Signatures.EACH))
    assert (finding.channel, finding.sequence, finding.error) == (RECORD, 20, SignatureError.__name__)


def test_real_processes_do_the_same_and_say_how_far_they_are(tmp_path: Path) -> None:
    world, told = World(tmp_path), list[int]()
    world.write(RECORD, 30)
    archive = archive_of(world)
    ahead = Ahead(archive, Signatures.EACH, count=2, least=0, records=8, tell=lambda done, _: told.append(done))
    with ahead:
        report = verified_by(ArchiveChannel(archive), ROOT, leaves_out=True, ahead=ahead)
        assert ahead.files() == []
    assert report.is_clean
    assert report.of(RECORD).entries == 31
    assert 0 < sum(told) <= sum(len(each) for name, each in world.records.items() if name != TRUST_CHANNEL)
