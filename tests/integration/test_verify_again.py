"""Verifying again: what was verified is not read again, and what was seen once is missed when it is gone."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from services.audit.archive_checking import archive_findings
from services.audit.archive_reading import ArchiveChannel
from services.audit.remembering import Head, Memory, Remembered
from services.audit.report import Report
from services.audit.verify import Signatures
from services.audit.verify_archive import verify_archive
from services.channel.embedded import EmbeddedChannel
from services.channel.port import Channel, Record, Until
from services.wire.channels import TRUST_CHANNEL
from services.wire.contents import KeyRevoked, Reason
from services.wire.entry import decode_entry, encode_entry, split_entry
from services.wire.errors import ArchiveError, RefusedError, SettingsError
from tests.archives import Copy
from tests.chains import ROOT, Pen
from tests.harms import harmed_world
from tests.verifying import comparable, verified_by
from tests.worlds import NEW, OLD, RECORD, TO, World, notes, only

EXCHANGE = ROOT.digest.hex()


@dataclass
class Counting:
    """A log that counts what is read of each channel."""

    log: Channel
    read: dict[str, int] = field(default_factory=dict)

    def append(self, channel: str, records: Sequence[bytes]) -> None:
        self.log.append(channel, records)

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        found = self.log.poll(positions, timeout_seconds=timeout_seconds, limit=limit, until=until)
        for each in found:
            self.read[each.channel] = self.read.get(each.channel, 0) + 1
        return found

    def end(self, channel: str) -> int:
        return self.log.end(channel)

    def close(self) -> None:
        self.log.close()


@dataclass
class Auditor:
    """Verifies the log of a world again and again, with a file that remembers."""

    world: World
    signatures: Signatures = Signatures.NEWEST
    read: dict[str, int] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.world.folder / "verified"

    def verify(self, records: Mapping[str, list[bytes]] | None = None) -> Report:
        path = self.world.folder / "log.sqlite"
        path.unlink(missing_ok=True)
        log = Counting(EmbeddedChannel(path, clock=lambda: 0))
        for channel, found in (records or self.world.records).items():
            log.append(channel, found)
        memory = Memory.load(self.state, EXCHANGE) or Memory(EXCHANGE, self.signatures.value)
        memory.ready_for(self.signatures)
        report = verified_by(log, ROOT, signatures=self.signatures, memory=memory)
        memory.save(self.state)
        log.close()
        self.read = log.read
        return report


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    world = World(tmp_path)
    world.write(RECORD, 20)
    world.write(TO, 5)
    world.receipt(TO)
    return Auditor(world)


def test_a_second_run_reads_what_is_new_and_says_the_same(auditor: Auditor) -> None:
    first = auditor.verify()
    assert first.is_clean
    auditor.world.write(RECORD, 2)
    again = auditor.verify()
    assert again.is_clean
    # The last one of before, by which it is known to be the same log, and the two that are new.
    assert auditor.read[RECORD] == 3
    assert again.of(RECORD).not_read_again == 21
    plain = verified_by(EmbeddedChannel(auditor.world.folder / "log.sqlite", clock=lambda: 0), ROOT)
    assert comparable(again) == comparable(plain)


@pytest.mark.parametrize("seed", range(12))
def test_what_went_through_anything_is_judged_alike_read_at_once_or_bit_by_bit(tmp_path: Path, seed: int) -> None:
    world, dice = harmed_world(tmp_path, seed), random.Random(seed)  # noqa: S311  # parts of a log, no secret
    auditor = Auditor(world, Signatures.EACH)
    ends = dict.fromkeys(world.records, 0)
    for _ in range(3):
        ends = {channel: dice.randint(end, len(world.records[channel])) for channel, end in ends.items()}
        auditor.verify({channel: world.records[channel][:end] for channel, end in ends.items()})
    again = auditor.verify()
    plain = verified_by(EmbeddedChannel(tmp_path / "log.sqlite", clock=lambda: 0), ROOT)
    assert again.findings == plain.findings
    mine, other = ({each.channel: (each.entries, each.head, each.state) for each in one.channels} for one in (again, plain))
    assert mine == other


@pytest.mark.parametrize("cut", [0, 3])
def test_an_end_of_which_a_copy_with_another_signature_was_left_is_missed_by_whoever_saw_it(auditor: Auditor, cut: int) -> None:
    """Nobody needs a key for that: the last entry stays as it was said, and what stood before it goes."""
    auditor.verify()
    records, gone = auditor.world.records[RECORD], auditor.world.pens[RECORD].previous.hex()
    statement, signature, facts, personal = split_entry(records[-1])
    forged = encode_entry(statement, signature[:-1] + bytes([signature[-1] ^ 1]), facts, personal)
    records[len(records) - 1 - cut :] = [forged]
    for _ in range(2):
        finding = only(auditor.verify())
        assert (finding.channel, finding.sequence, finding.found) == (RECORD, 21 - cut, "nothing")
        assert cut or finding.expected == gone


def test_an_end_that_nobody_receipted_is_missed_by_whoever_saw_it(auditor: Auditor) -> None:
    auditor.verify()
    gone = auditor.world.pens[RECORD].previous.hex()
    auditor.world.records[RECORD].pop()
    for _ in range(2):
        finding = only(auditor.verify())
        assert (finding.channel, finding.sequence, finding.expected, finding.found) == (RECORD, 21, gone, "nothing")
        assert finding.what == "an entry that an earlier verification saw is not here"


def test_another_story_in_place_of_what_was_seen_is_found(auditor: Auditor) -> None:
    auditor.verify()
    thief = Pen(RECORD, OLD, salt="thief")
    auditor.world.records[RECORD] = [thief.opened(), *(thief.sealed() for _ in range(30))]
    # Where it becomes another one, and not only where it ended; also the next time.
    for _ in range(2):
        finding = only(auditor.verify())
        assert (finding.channel, finding.sequence, finding.found) == (RECORD, 1, digest_of_first(auditor))


def digest_of_first(auditor: Auditor) -> str:
    return decode_entry(auditor.world.records[RECORD][0]).digest.hex()


def test_a_channel_that_is_whole_again_is_remembered_again(auditor: Auditor) -> None:
    auditor.verify()
    whole = list(auditor.world.records[RECORD])
    del auditor.world.records[RECORD][5:]
    finding = only(auditor.verify())
    assert (finding.channel, finding.sequence) == (RECORD, 6)
    auditor.world.records[RECORD] = whole
    assert auditor.verify().is_clean
    assert auditor.verify().of(RECORD).not_read_again == 21


def test_what_an_epoch_overruled_since_is_no_finding(auditor: Auditor) -> None:
    world = auditor.world
    world.write(RECORD, 1)
    after = auditor.world.epoch_after(RECORD)
    world.write(RECORD, 2)
    auditor.verify()
    world.said(after)
    renewed = Pen(RECORD, NEW, after.epoch, after.after_sequence, after.after_digest)
    world.records[RECORD] = [*world.records[RECORD][: after.after_sequence], renewed.opened()]
    report = auditor.verify()
    assert report.is_clean
    assert "was overruled by an epoch since" in notes(report, RECORD)
    assert auditor.verify().is_clean


def test_a_revocation_reaches_back_into_what_was_verified_before(auditor: Auditor) -> None:
    auditor.verify()
    auditor.world.said(KeyRevoked(key=OLD.certificate.key_digest, reason=Reason.STOLEN))
    report = auditor.verify()
    assert report.is_clean
    assert (report.of(RECORD).state, report.of(RECORD).not_read_again) == ("waiting", 0)
    assert "what was seen before at 21 waits now" in notes(report, RECORD)
    auditor.world.records[RECORD].pop()
    assert only(auditor.verify()).sequence == 21


def test_what_the_quick_way_verified_is_read_again_by_the_thorough_one(auditor: Auditor) -> None:
    auditor.verify()
    auditor.signatures = Signatures.EACH
    assert auditor.verify().of(RECORD).not_read_again == 0
    assert auditor.verify().of(RECORD).not_read_again == 21
    auditor.signatures = Signatures.NEWEST
    assert auditor.verify().of(RECORD).not_read_again == 21


def test_a_state_that_was_edited_or_is_of_another_exchange_or_is_something_else_is_refused(auditor: Auditor) -> None:
    auditor.verify()
    data = auditor.state.read_bytes()
    for place in (30, 90, len(data) - 5):
        auditor.state.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(ArchiveError, match="was changed since it was written"):
            Memory.load(auditor.state, EXCHANGE)
    auditor.state.write_bytes(data)
    with pytest.raises(RefusedError, match="of another exchange"):
        Memory.load(auditor.state, "00" * 32)
    auditor.state.write_bytes(b"a letter")
    with pytest.raises(SettingsError, match="no file of an earlier verification"):
        Memory.load(auditor.state, EXCHANGE)


def test_a_state_that_somebody_made_anew_is_refused_by_whoever_kept_its_digest_elsewhere(auditor: Auditor) -> None:
    auditor.verify()
    memory = Memory.load(auditor.state, EXCHANGE)
    assert memory is not None
    kept = memory.save(auditor.state)
    assert Memory.load(auditor.state, EXCHANGE, kept) == memory
    # The registrar's head lower: nothing that was seen behind it would be missed, and its own digest is right.
    memory.heads[TRUST_CHANNEL] = Head(1, "00" * 32)
    made = memory.save(auditor.state)
    assert Memory.load(auditor.state, EXCHANGE) == memory
    with pytest.raises(ArchiveError, match="not the file of the digest that was given") as refused:
        Memory.load(auditor.state, EXCHANGE, kept)
    assert (refused.value.evidence.expected, refused.value.evidence.found) == (kept, made)
    auditor.state.unlink()
    with pytest.raises(SettingsError, match="what was seen before is gone"):
        Memory.load(auditor.state, EXCHANGE, kept)


def test_a_state_that_was_made_with_nonsense_and_a_right_digest_is_not_believed(auditor: Auditor) -> None:
    auditor.verify()
    memory = Memory.load(auditor.state, EXCHANGE)
    assert memory is not None
    for name, nonsense in (
        ("certificates", ["AAAA"]),
        ("digests", 7),
        ("receipts", [[1, "AAAA"]]),
        ("epoch", "none"),
        ("repeated", ["x"]),
    ):
        other = Memory.load(auditor.state, EXCHANGE)
        assert other is not None
        before = other.channels[RECORD]
        other.channels[RECORD] = Remembered(before.position, before.last, {**before.said, name: nonsense})
        assert other.resumed(RECORD, leaves_out=False) is None, name


def archived(copy: Copy, state: Path) -> Report:
    memory = Memory.load(state, EXCHANGE) or Memory(EXCHANGE, Signatures.NEWEST.value)
    report = verify_archive(copy.archive, ArchiveChannel(copy.archive), ROOT, signatures=Signatures.NEWEST, memory=memory)
    memory.save(state)
    return report


@pytest.fixture
def copy(auditor: Auditor) -> Copy:
    made = Copy(auditor.world.folder)
    made.write(auditor.world.records)
    made.take()
    return made


def test_an_archive_says_once_a_channel_that_personal_parts_are_not_kept(copy: Copy, tmp_path: Path) -> None:
    report = archived(copy, tmp_path / "state")
    assert report.is_clean
    assert report.of(RECORD).notes == ["personal parts are not kept here: 20 entries stand without theirs"]
    again = archived(copy, tmp_path / "state")
    assert again.of(RECORD).notes == report.of(RECORD).notes
    assert again.of(RECORD).not_read_again == 21


def made_right(line: str, file: Path, digest: str) -> str:
    """Return a line of an index or of the closed files with the digest that whoever changed the file would write there."""
    said = json.loads(line)
    if "offset" in said:
        piece = file.read_bytes()[said["offset"] : said["offset"] + said["size"]]
        said["sha256"] = sha256(piece).hexdigest()
    elif (said["channel"], said["month"]) == (file.parent.name, file.stem):
        said["sha256"] = digest
    return json.dumps(said, separators=(",", ":"))


def test_an_edited_old_part_of_an_archive_is_found_although_its_entries_are_not_read_again(
    auditor: Auditor, copy: Copy, tmp_path: Path
) -> None:
    copy.now += 31 * 86_400_000
    auditor.world.write(RECORD, 2)
    copy.write(auditor.world.records)
    copy.take()
    assert archived(copy, tmp_path / "state").is_clean
    november = next((copy.archive / "channels" / RECORD).glob("2026-11.avro"))
    data = november.read_bytes()
    # A signature inside a stretch, and the archive's own digests made right again: nothing in the archive itself shows it.
    signature = decode_entry(copy.values(RECORD)[5]).signature
    november.write_bytes(data.replace(signature, signature[:-1] + bytes([signature[-1] ^ 1])))
    seen = sha256(november.read_bytes()).hexdigest()
    for path in (november.with_suffix(".index"), copy.archive / "closed.jsonl"):
        lines = path.read_text().splitlines()
        path.write_text("\n".join(made_right(each, november, seen) for each in lines) + "\n")
    assert verified_by(ArchiveChannel(copy.archive), ROOT, signatures=Signatures.NEWEST).is_clean
    assert archive_findings(copy.archive) == []
    for _ in range(2):
        report = archived(copy, tmp_path / "state")
        finding = only(report)
        assert (finding.channel, finding.error) == (RECORD, ArchiveError.__name__)
        assert finding.what == "a file of the archive was changed since it was verified"
        assert report.of(RECORD).not_read_again == 0


def test_a_time_that_was_changed_in_a_file_is_found_though_no_writer_signed_it(copy: Copy) -> None:
    path = next((copy.archive / "channels" / RECORD).glob("*.avro"))
    data = bytearray(path.read_bytes())
    data[-17] ^= 1  # the end of the last record: when it was taken
    path.write_bytes(data)
    finding = only(verify_archive(copy.archive, ArchiveChannel(copy.archive), ROOT))
    assert (finding.channel, finding.sequence, finding.error) == (RECORD, 1, ArchiveError.__name__)
    assert finding.what == "a block of the archive is not what was written"


def test_an_archive_of_nothing_verifies_as_a_log_of_nothing_does(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.write({TRUST_CHANNEL: [b"junk"]})
    copy.take()
    report = verify_archive(copy.archive, ArchiveChannel(copy.archive), ROOT)
    assert [each.channel for each in report.findings] == [TRUST_CHANNEL]
    assert json.loads((copy.archive / "archive.json").read_text())["exchange"] == EXCHANGE
