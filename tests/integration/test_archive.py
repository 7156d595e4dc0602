"""The archive: what a mirror keeps, through kills at any byte, logs that are rolled back, months that end, and moves by disk."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
from hashlib import sha256
from pathlib import Path
from typing import Any

import fastavro
import pytest

from services.audit.archive import Archive
from services.audit.archive_layout import closed_files
from services.audit.archive_reading import ArchiveChannel, archived_channels
from services.audit.containers import header, sync_marker
from services.audit.leaving_out import without_personal
from services.audit.moving import export_archive, import_archive
from services.audit.verify_archive import verify_archive
from services.channel.embedded import EmbeddedChannel
from services.wire.channels import TRUST_CHANNEL, Role, record_of
from services.wire.contents import ParticipantAdmitted
from services.wire.entry import decode_entry, encode_entry
from services.wire.errors import ArchiveError, DiskError, LeaseError, RefusedError, SettingsError
from services.wire.hashing import Digest, digest_of
from tests.archives import NOVEMBER, Copy, values
from tests.chains import ROOT, Pen
from tests.verifying import verified
from tests.worlds import OLD, RECORD, TO, World, only

AUDITOR = "auditor-vk"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write(TO, 5)
    made.write(RECORD, 3)
    made.receipt(TO)
    return made


@pytest.fixture
def copy(tmp_path: Path, world: World) -> Copy:
    made = Copy(tmp_path)
    made.write(world.records)
    made.take()
    return made


def bare(records: list[bytes]) -> list[bytes]:
    return [without_personal(each) for each in records]


def file_of(copy: Copy, channel: str) -> Path:
    return next((copy.archive / "channels" / channel).glob("*.avro"))


def test_a_mirror_keeps_every_record_in_its_order_and_no_personal_part(copy: Copy, world: World) -> None:
    assert set(archived_channels(copy.archive)) == world.records.keys()
    for channel, records in world.records.items():
        assert copy.values(channel) == bare(records)
        assert all(decode_entry(each).raw_personal is None for each in copy.values(channel))
        assert [decode_entry(each).digest for each in copy.values(channel)] == [decode_entry(each).digest for each in records]
    assert copy.told == []


def test_an_archive_verifies_as_the_log_does_but_for_the_parts_that_are_left_out(copy: Copy, world: World) -> None:
    live = world.verified()
    report = verified(ArchiveChannel(copy.archive), ROOT)
    assert (report.findings, report.entries) == (live.findings, live.entries)
    assert [(each.channel, each.head, each.receipted) for each in report.channels] == [
        (each.channel, each.head, each.receipted) for each in live.channels
    ]


def test_any_avro_library_reads_the_files(copy: Copy, world: World) -> None:
    with file_of(copy, TO).open("rb") as file:
        read: list[Any] = list(fastavro.reader(file))
    assert [each["value"] for each in read] == bare(world.records[TO])
    assert [each["source"] for each in read] == list(range(len(read)))
    assert {each["taken_at"].strftime("%Y-%m") for each in read} == {"2026-11"}


def test_the_index_says_which_places_a_block_claims_and_what_its_digest_is(copy: Copy) -> None:
    (line,) = file_of(copy, TO).with_suffix(".index").read_text().splitlines()
    said, data = json.loads(line), file_of(copy, TO).read_bytes()
    assert said["claims"] == [[0, 1], [0, 7]]
    assert said["sha256"] == sha256(data[said["offset"] : said["offset"] + said["size"]]).hexdigest()


@pytest.mark.parametrize("of", ["records", "index"])
def test_a_kill_at_any_byte_loses_and_doubles_nothing(copy: Copy, world: World, tmp_path: Path, of: str) -> None:
    before = shutil.copytree(copy.archive, tmp_path / "before")
    world.write(TO, 2)
    copy.write(world.records)
    copy.take()
    path = file_of(copy, TO) if of == "records" else file_of(copy, TO).with_suffix(".index")
    old, new = (before / path.relative_to(copy.archive)).read_bytes(), path.read_bytes()
    index = path.with_suffix(".index")
    lines = index.read_bytes()
    step = max(1, (len(new) - len(old)) // 40)
    for cut in [*range(len(old), len(new), step), len(new) - 1]:
        path.write_bytes(new[:cut])
        if of == "records":
            index.write_bytes(lines)
        else:
            # A line that is not whole was never followed by its block.
            file_of(copy, TO).write_bytes((before / file_of(copy, TO).relative_to(copy.archive)).read_bytes())
        copy.told.clear()
        copy.take()
        assert copy.values(TO) == bare(world.records[TO]), cut
        assert path.read_bytes() == new, cut
        if of == "records" and cut > len(old):
            assert [each for each in copy.told if "were cut off" in each], cut


def test_a_file_whose_header_is_half_written_is_begun_again(copy: Copy, world: World) -> None:
    file_of(copy, RECORD).write_bytes(file_of(copy, RECORD).read_bytes()[:9])
    copy.take()
    assert copy.values(RECORD) == bare(world.records[RECORD])


def test_a_block_whose_bytes_did_not_all_reach_the_disk_is_taken_again(copy: Copy) -> None:
    whole = file_of(copy, RECORD).read_bytes()
    file_of(copy, RECORD).write_bytes(whole[:-100] + bytes(84) + whole[-16:])
    copy.take()
    assert file_of(copy, RECORD).read_bytes() == whole
    assert any("were cut off" in each for each in copy.told)


def test_an_index_that_is_gone_is_written_anew_from_the_file_and_said(copy: Copy, world: World) -> None:
    file_of(copy, TO).with_suffix(".index").unlink()
    assert copy.values(TO) == bare(world.records[TO])
    assert copy.take() == 0
    assert any("its index lacked 1 blocks" in each for each in copy.told)


def test_an_index_that_makes_no_sense_hides_nothing(copy: Copy, world: World) -> None:
    file_of(copy, TO).with_suffix(".index").write_bytes(b'{"offset": -7}\nnonsense\n')
    assert copy.values(TO) == bare(world.records[TO])


def test_a_damaged_block_comes_out_as_what_is_left_of_it_and_the_next_block_is_read(copy: Copy, world: World) -> None:
    world.write(TO, 2)
    copy.write(world.records)
    copy.take()
    path = file_of(copy, TO)
    place = path.read_bytes().index(bare(world.records[TO])[3]) - 1
    data = bytearray(path.read_bytes())
    data[place] ^= 0x40  # the length of the fourth value
    path.write_bytes(data)
    found = copy.values(TO)
    assert found[:3] == bare(world.records[TO])[:3]
    assert found[-2:] == bare(world.records[TO])[-2:]


def test_a_log_that_is_emptied_or_rolled_back_takes_nothing_out_of_the_archive_and_is_said(copy: Copy, world: World) -> None:
    kept = copy.values(TO)
    copy.write({channel: records[:2] for channel, records in world.records.items()})
    assert copy.take() == 0
    assert copy.values(TO) == kept
    assert any(each.startswith(f"{TO}: the log no longer shows what was mirrored last") for each in copy.told)


def test_what_a_rewritten_log_shows_is_kept_beside_what_it_showed_before(copy: Copy, world: World) -> None:
    kept = copy.values(TO)
    thief = Pen(TO, OLD, salt="thief")
    other = [world.records[TO][0], *(thief.sealed() for _ in range(20))]
    copy.write(world.records | {TO: other})
    copy.take()
    assert copy.values(TO) == kept + bare(other)[1:]
    assert copy.take() == 0


def test_a_log_that_is_rolled_back_and_grows_again_between_two_looks_is_noticed(copy: Copy, world: World) -> None:
    with copy.mirror() as mirror:
        mirror.catch_up()
        thief = Pen(TO, OLD, salt="thief")
        mirror.source.close()
        copy.write(world.records | {TO: [thief.opened(), *(thief.sealed() for _ in range(20))]})
        mirror.source = EmbeddedChannel(copy.log, clock=lambda: 0, read_only=True)
        mirror.catch_up()
    # Signed anew, the opening is another record of the same entry.
    assert len(copy.values(TO)) == len(world.records[TO]) + 21
    assert any("rolled back, emptied or rewritten" in each for each in copy.told)


def test_who_is_admitted_while_a_mirror_runs_is_followed_without_a_restart(copy: Copy, world: World) -> None:
    with copy.mirror() as mirror:
        mirror.there = tuple  # as over brokers, which say nothing of names
        mirror.catch_up()
        assert record_of(AUDITOR) not in mirror.channels
        admitted = ParticipantAdmitted(id=AUDITOR, role=Role.AUDITOR, organisation="NTRLV-90000000001", name="Auditor")
        opened = Pen(record_of(AUDITOR), OLD).opened()
        copy.append({TRUST_CHANNEL: [world.pens[TRUST_CHANNEL].open(admitted)], record_of(AUDITOR): [opened]})
        assert mirror.wait(5)
        mirror.catch_up()
    assert copy.values(record_of(AUDITOR)) == [opened]


def test_channels_of_nobody_are_evidence_and_are_kept_but_letters_are_not(copy: Copy) -> None:
    stray = record_of("school-0099900077")
    copy.append({stray: [b"whose?"], "commission.mailbox": [b"letter"], "../../etc": [b"name"]})
    copy.take()
    assert copy.values(stray) == [b"whose?"]
    assert not (copy.archive / "channels" / "commission.mailbox").exists()
    assert copy.told == ["the log holds records under a name that no channel has; they are not mirrored"]


def test_junk_is_kept_whole(copy: Copy, world: World) -> None:
    junk = [b"", b"junk", world.records[TO][1][:-3], bytes(600_000)]
    copy.append({TO: junk})
    copy.take()
    assert copy.values(TO)[-4:] == junk


def test_a_part_that_is_not_the_one_that_was_signed_stays_a_finding_and_does_not_stay_itself(tmp_path: Path) -> None:
    world, secret = World(tmp_path), b"Zane Paraudzina, not what was signed" * 10
    entry = decode_entry(world.pens[TO].sealed())
    world.records[TO].append(encode_entry(entry.statement_bytes, entry.signature, entry.raw_facts, secret))
    copy = Copy(tmp_path)
    copy.write(world.records)
    copy.take()
    assert decode_entry(copy.values(TO)[-1]).raw_personal == digest_of(secret)
    assert without_personal(copy.values(TO)[-1]) == copy.values(TO)[-1]
    found = only(verified(ArchiveChannel(copy.archive), ROOT))
    assert (found.channel, found.sequence, found.error) == (TO, 2, "PartError")
    assert not [path for path in copy.archive.rglob("*.avro") if secret[:40] in path.read_bytes()]


def test_a_month_that_is_over_is_closed_with_its_digest_and_never_written_again(copy: Copy, world: World) -> None:
    november = file_of(copy, TO)
    data = november.read_bytes()
    copy.now += 30 * 86_400_000
    world.write(TO, 1)
    copy.write(world.records)
    copy.take()
    assert november.read_bytes() == data
    assert (TO, "2026-11", len(data), 7, sha256(data).hexdigest()) in [
        (each.channel, each.month, each.size, each.records, each.sha256) for each in closed_files(copy.archive)
    ]
    # All are closed once the month is over, also those to which nothing more came; and only once.
    assert len(closed_files(copy.archive)) == len(world.records)
    copy.now = NOVEMBER  # a clock that was set back
    world.write(TO, 1)
    copy.write(world.records)
    copy.take()
    world.write(RECORD, 1)
    copy.write(world.records)
    copy.take()
    assert november.read_bytes() == data
    assert (copy.values(TO), copy.values(RECORD)) == (bare(world.records[TO]), bare(world.records[RECORD]))
    assert len(closed_files(copy.archive)) == len(world.records)
    for each in closed_files(copy.archive):
        path = copy.archive / "channels" / each.channel / f"{each.month}.avro"
        assert sha256(path.read_bytes()).hexdigest() == each.sha256


def test_each_month_of_a_channel_that_is_gone_is_told_by_itself(copy: Copy, world: World) -> None:
    """None of them has a place that anybody could tell: they are no one finding."""
    for _ in range(2):
        copy.now += 30 * 86_400_000
        world.write(TO, 1)
        copy.write(world.records)
        copy.take()
    gone = [each for each in closed_files(copy.archive) if each.channel == TO]
    assert len(gone) == 2
    for each in gone:
        (copy.archive / "channels" / TO / f"{each.month}.avro").unlink()
    findings = verify_archive(copy.archive, ArchiveChannel(copy.archive), ROOT).findings
    told = [each.expected for each in findings if each.error == ArchiveError.__name__]
    assert told == [each.sha256 for each in gone]


def test_large_batches_stand_in_blocks_of_bounded_size(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "archive", ROOT.digest, pytest.fail) as archive:
        archive.append(TO, [(bytes([place % 251]) * 300_000, place) for place in range(9)], taken_at=NOVEMBER)
    lines = (tmp_path / "archive" / "channels" / TO / "2026-11.index").read_text().splitlines()
    assert [json.loads(line)["records"] for line in lines] == [3, 3, 3]
    assert [each[0] for each in values(ArchiveChannel(tmp_path / "archive"), TO)] == list(range(9))


def test_after_a_disk_that_was_full_the_half_block_is_cut_off_and_nothing_is_written_after_it(copy: Copy, world: World) -> None:
    before = file_of(copy, TO).stat().st_size
    world.write(TO, 3)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Archive.open(copy.archive, ROOT.digest, copy.told.append) as archive:
        records = [(each, 7 + place) for place, each in enumerate(bare(world.records[TO])[7:])]
        resource.setrlimit(resource.RLIMIT_FSIZE, (before + 900, limits[1]))
        try:
            with pytest.raises(DiskError, match="cannot be written"):
                archive.append(TO, records, taken_at=copy.now)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert file_of(copy, TO).stat().st_size > before
        archive.append(TO, records, taken_at=copy.now)
    assert copy.values(TO) == bare(world.records[TO])
    assert any("were cut off" in each for each in copy.told)


def test_a_mirror_goes_on_after_a_full_disk_with_what_is_not_there_yet_and_nothing_else(copy: Copy, world: World) -> None:
    large = [bytes([place]) * 500_000 for place in range(5)]
    copy.append({TO: large})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with copy.mirror() as mirror:
        # Two blocks fit, the third does not.
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_200_000, limits[1]))
        try:
            with pytest.raises(DiskError):
                mirror.catch_up()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        mirror.catch_up()
    assert copy.values(TO) == bare(world.records[TO]) + large


def test_one_process_at_a_time_writes_to_an_archive(copy: Copy) -> None:
    with Archive.open(copy.archive, ROOT.digest, pytest.fail), pytest.raises(LeaseError, match="another process writes"):
        Archive.open(copy.archive, ROOT.digest, pytest.fail)
    copy.take()


def test_an_archive_is_of_one_exchange(copy: Copy) -> None:
    with pytest.raises(RefusedError, match="of another exchange"):
        Archive.open(copy.archive, Digest(bytes(32)), pytest.fail)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"jpg")
    with pytest.raises(SettingsError, match="holds something else"):
        Archive.open(tmp_path, ROOT.digest, pytest.fail)
    with pytest.raises(SettingsError, match="is no archive"):
        ArchiveChannel(tmp_path)


def test_a_last_block_that_somebody_changed_by_its_index_too_is_said_and_not_written_after(copy: Copy) -> None:
    path = file_of(copy, TO)
    index = path.with_suffix(".index")
    said = json.loads(index.read_text())
    data = bytearray(path.read_bytes())
    data[said["offset"] + 4] ^= 0x7F
    path.write_bytes(data)
    index.write_text(json.dumps(said | {"sha256": sha256(data[said["offset"] :]).hexdigest()}) + "\n")
    with pytest.raises(DiskError, match="the file was changed"):
        copy.take()


def test_an_export_holds_what_the_archive_does_and_an_import_makes_the_same_files(copy: Copy, tmp_path: Path) -> None:
    exported, again = tmp_path / "exported", tmp_path / "again"
    records = export_archive(copy.archive, exported)
    with Archive.open(again, ROOT.digest, pytest.fail) as archive:
        assert import_archive(exported, archive) == records
        assert import_archive(exported, archive) == 0
    for path in copy.archive.rglob("channels/*/*"):
        assert (exported / path.relative_to(copy.archive)).read_bytes() == path.read_bytes()
        assert (again / path.relative_to(copy.archive)).read_bytes() == path.read_bytes()


def test_an_import_brings_what_an_archive_lacks_and_a_mirror_goes_on_after_it(copy: Copy, world: World, tmp_path: Path) -> None:
    other = Copy(tmp_path / "other")
    other.folder.mkdir()
    world.write(TO, 3)
    other.write(world.records)
    other.take()
    export_archive(other.archive, tmp_path / "exported")
    with Archive.open(copy.archive, ROOT.digest, pytest.fail) as archive:
        assert import_archive(tmp_path / "exported", archive) == 3
    world.write(TO, 1)
    copy.write(world.records)
    assert copy.take() == 1
    assert copy.values(TO) == bare(world.records[TO])


def test_what_was_taken_after_now_is_taken_now_and_months_go_on_closing(copy: Copy, tmp_path: Path) -> None:
    with Archive.open(tmp_path / "ahead", ROOT.digest, pytest.fail) as ahead:
        ahead.append(TO, [(b"from a clock that is wrong", 0)], taken_at=253_300_000_000_000)
    with Archive.open(copy.archive, ROOT.digest, pytest.fail) as archive:
        assert import_archive(tmp_path / "ahead", archive, now=1_795_600_000_000) == 1
    assert {path.stem for path in copy.archive.rglob(f"channels/{TO}/*.avro")} == {"2026-11"}


def test_damage_on_the_way_is_named_and_nothing_is_taken_in(copy: Copy, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    export_archive(copy.archive, exported)
    path = exported / file_of(copy, TO).relative_to(copy.archive)
    path.write_bytes(path.read_bytes()[:-1])
    with (
        Archive.open(tmp_path / "again", ROOT.digest, pytest.fail) as archive,
        pytest.raises(ArchiveError, match=f"channels/{TO}/2026-11.avro is not what was exported"),
    ):
        import_archive(exported, archive)
    assert archived_channels(tmp_path / "again") == ()


def test_an_exported_folder_is_no_archive_to_write_to(copy: Copy, tmp_path: Path) -> None:
    export_archive(copy.archive, tmp_path / "exported")
    with pytest.raises(SettingsError, match="import it into an archive"):
        Archive.open(tmp_path / "exported", ROOT.digest, pytest.fail)
    assert export_archive(tmp_path / "exported", tmp_path / "handed-on") == export_archive(copy.archive, tmp_path / "again")


def test_an_export_goes_into_a_folder_of_its_own(copy: Copy, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not empty"):
        export_archive(copy.archive, tmp_path)


@pytest.mark.parametrize("change", [{"size": 9_999}, {"size": 40}, {"size": 10**400}, {"records": 1}, {"offset": 1}])
def test_a_number_that_was_changed_in_an_index_hides_no_record_and_lets_none_be_cut_off(
    copy: Copy, world: World, change: dict[str, int]
) -> None:
    for _ in range(3):
        world.write(TO, 2)
        copy.write(world.records)
        copy.take()
    path = file_of(copy, TO)
    whole, index = path.read_bytes(), path.with_suffix(".index")
    first, *rest = index.read_text().splitlines()
    index.write_text("\n".join([json.dumps(json.loads(first) | change), *rest, ""]))
    assert copy.values(TO) == bare(world.records[TO])
    copy.take()
    assert path.read_bytes() == whole


@pytest.mark.parametrize("line", ['{"offset": Infinity}', "[" * 100_000, "x" * 100_000])
def test_an_index_that_is_no_index_costs_a_scan(copy: Copy, world: World, line: str) -> None:
    file_of(copy, TO).with_suffix(".index").write_text(f"{line}\n")
    assert copy.values(TO) == bare(world.records[TO])


def test_what_is_damaged_in_the_midst_is_never_cut_off_for_unfinished(copy: Copy, world: World) -> None:
    world.write(TO, 2)
    copy.write(world.records)
    copy.take()
    path = file_of(copy, TO)
    index = path.with_suffix(".index")
    data = bytearray(path.read_bytes())
    data[json.loads(index.read_text().splitlines()[0])["offset"]] = 0
    path.write_bytes(data)
    index.unlink()
    with pytest.raises(ArchiveError, match="nothing is cut off"):
        copy.take()
    assert path.read_bytes() == data


@pytest.mark.parametrize(("size", "taken_at"), [(-3, 0), (1, 2**62), (1, -(2**62))])
def test_a_block_that_leads_back_or_is_of_no_time_is_refused_by_an_import(
    copy: Copy, tmp_path: Path, size: int, taken_at: int
) -> None:
    path = file_of(copy, TO)
    path.with_suffix(".index").unlink()
    body = b"".join((_long(size), b"a" * max(size, 0), _long(0), _long(taken_at)))
    count = _long(2**62 if size < 0 else 1)
    # The numbers before a length that is negative are taken for what stands after its record: without end.
    body = _long(size) if size < 0 else body
    path.write_bytes(header(f"{TO}/{path.stem}") + count + _long(len(body)) + body + sync_marker(f"{TO}/{path.stem}"))
    with (
        Archive.open(tmp_path / "again", ROOT.digest, pytest.fail) as archive,
        pytest.raises(ArchiveError, match="the block at byte"),
    ):
        import_archive(copy.archive, archive)


@pytest.mark.parametrize("name", ["records", "index", "list"])
def test_a_link_or_a_pipe_in_a_folder_that_somebody_gave_away_is_not_opened(copy: Copy, name: str) -> None:
    path = file_of(copy, TO)
    there = {"records": path, "index": path.with_suffix(".index"), "list": copy.archive / "closed.jsonl"}[name]
    there.unlink(missing_ok=True)
    os.mkfifo(there)
    with pytest.raises(ArchiveError, match="is no plain file"):
        verify_archive(copy.archive, ArchiveChannel(copy.archive), ROOT)
    there.unlink()
    there.symlink_to("/dev/zero")
    with pytest.raises(ArchiveError, match="is no plain file"):
        verify_archive(copy.archive, ArchiveChannel(copy.archive), ROOT)


def test_a_mirror_goes_on_after_its_disk_was_full_and_nothing_is_lost_or_there_twice(copy: Copy, world: World) -> None:
    world.write(TO, 2_500)
    copy.write(world.records)
    size = file_of(copy, TO).stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with copy.mirror() as mirror:
        try:
            # The first block of what is new fits, the next one in part.
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1_500_000, hard))
            with pytest.raises(DiskError, match="cannot be written"):
                mirror.catch_up()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, before)
        assert size < file_of(copy, TO).stat().st_size
        mirror.catch_up()
        with pytest.raises(LeaseError):
            Archive.open(copy.archive, ROOT.digest, pytest.fail)
    assert copy.values(TO) == bare(world.records[TO])
    assert verify_archive(copy.archive, ArchiveChannel(copy.archive), ROOT).is_clean


def test_an_archive_whose_making_was_killed_or_met_a_full_disk_is_made_the_next_time(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
        with pytest.raises(DiskError):
            Archive.open(tmp_path / "archive", ROOT.digest, pytest.fail)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert list((tmp_path / "archive").glob("archive.json*"))
    Archive.open(tmp_path / "archive", ROOT.digest, pytest.fail).close()
    assert sorted(each.name for each in (tmp_path / "archive").iterdir()) == ["archive.json", "channels", "lock"]


def test_a_header_that_somebody_changed_is_found(copy: Copy) -> None:
    path = file_of(copy, TO)
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(data)
    finding = only(verify_archive(copy.archive, ArchiveChannel(copy.archive), ROOT))
    assert (finding.error, finding.what) == ("ArchiveError", "the header of a file of the archive is not what was written")


def _long(value: int) -> bytes:
    left, out = (value << 1) ^ (value >> 63), bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes((*out, left))
