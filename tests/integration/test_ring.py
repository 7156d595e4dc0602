"""What a start makes of a database and a ring file that are not of one age, or not whole."""

from __future__ import annotations

import errno
import os
import random
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import pytest
import typer
from typer.testing import CliRunner

from services.post.console import add_common
from services.post.database import Database
from services.post.keys import KeyRing
from services.post.lease import lease
from services.post.office import Office
from services.post.publishing import save_ring
from services.post.ring import KeyRow, RingKeys, unwrap, wrap
from services.post.ring_file import Head, RingFile
from services.wire.channels import Role, to_commission
from services.wire.errors import DiskError, LeaseError, RingError, SettingsError
from services.wire.grants import GrantedKey, KeyUse
from services.wire.hashing import Digest, Id
from tests.chains import SCHOOL, seal_of
from tests.exchange import two_sides
from tests.integration.test_two_sides import asked
from tests.people import another_pupil

CHANNEL = to_commission(SCHOOL)
CASE = UUID(int=1)
DAY = 86_400_000
HEADS = {CHANNEL: Head(epoch=0, sequence=7, digest=Digest(bytes(32)))}


@dataclass
class Home:
    """A folder with a database, a ring file and a ring key; ``backup`` and ``restore`` are of the database alone."""

    folder: Path
    keys: dict[int, bytes] = field(default_factory=lambda: {1: bytes(32)})
    now: int = 1000

    def __post_init__(self) -> None:
        self.random = random.Random(7).randbytes  # noqa: S311  # the same keys in every run
        self.opened()

    def opened(self) -> KeyRing:
        """Begin again from the files, as a new process does."""
        self.database = Database(self.folder / "database.sqlite")
        self.database.migrate()
        self.ring = KeyRing(self.database, RingKeys(dict(self.keys)), lambda: self.now, self.random)
        return self.ring

    @property
    def file(self) -> RingFile:
        return RingFile.load(self.folder / "ring.file")

    def saved(self) -> None:
        self.file.save(self.ring.rows(), HEADS)

    def backup(self) -> bytes:
        path = self.folder / "backup.sqlite"
        path.unlink(missing_ok=True)
        self.database.connection.execute("VACUUM INTO ?", (str(path),))
        return path.read_bytes()

    def restore(self, backup: bytes) -> KeyRing:
        self.database.close()
        for leftover in self.folder.glob("database.sqlite*"):
            leftover.unlink()
        (self.folder / "database.sqlite").write_bytes(backup)
        return self.opened()

    def damage(self, where: str = "1") -> None:
        self.database.run(f"UPDATE keys SET wrapped = zeroblob(60) WHERE {where}")  # noqa: S608  # a test's own text
        self.opened()

    def start(self) -> tuple[str, ...]:
        return self.ring.start(self.file)

    def row(self, identity: Digest) -> KeyRow:
        return next(row for row in self.ring.rows() if row.key_id == identity)

    def current(self, use: str) -> int:
        query = "SELECT count(*) FROM keys WHERE key_use = ? AND superseded_at IS NULL AND wrapped IS NOT NULL"
        row = self.database.one(query, use)
        assert row is not None
        return int(row[0])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def erased(home: Home, identity: Digest) -> None:
    home.database.run("UPDATE keys SET wrapped = NULL, erased_at = ? WHERE key_id = ?", home.now, identity)


def superseded(home: Home) -> None:
    home.database.run("UPDATE keys SET superseded_at = ? WHERE key_use = 'FACTS'", home.now)


def wrapped_anew(rows: Iterable[KeyRow], old: RingKeys, new: RingKeys) -> tuple[KeyRow, ...]:
    keys = [(row, unwrap(old, row)) for row in rows]
    fresh = random.Random(8).randbytes  # noqa: S311  # a test's
    return tuple(replace(row, generation=new.newest, wrapped=wrap(new, row.key_id, key or b"", fresh)) for row, key in keys)


def test_a_key_that_was_superseded_after_the_backup_stays_superseded_and_its_successor_seals(home: Home) -> None:
    first = home.ring.facts_key(CHANNEL, 2026)
    backup = home.backup()
    superseded(home)
    second = home.ring.facts_key(CHANNEL, 2026)
    home.saved()
    home.restore(backup)
    assert home.start() == ()
    assert home.ring.facts_key(CHANNEL, 2026) == second
    assert home.ring.get(first.key_id) == first
    assert home.row(first.key_id).superseded_at == home.now


def test_an_older_private_half_does_not_become_current_again_beside_the_newest(home: Home) -> None:
    home.ring.renew_encryption_key()
    backup = home.backup()
    home.now += 30 * DAY
    second = home.ring.renew_encryption_key()
    home.saved()
    home.restore(backup)
    home.start()
    assert home.ring.current_encryption_key() == second
    assert home.current("ENCRYPTION") == 1
    assert len(home.ring.encryption_keys()) == 2


def test_two_private_halves_that_are_both_current_are_one_after_a_start(home: Home) -> None:
    home.ring.renew_encryption_key()
    home.now += DAY
    second = home.ring.renew_encryption_key()
    home.database.run("UPDATE keys SET superseded_at = NULL")
    home.start()
    assert home.ring.current_encryption_key() == second
    assert home.current("ENCRYPTION") == 1
    assert all(row.superseded_at in (None, home.now) for row in home.ring.rows())


def test_what_was_erased_after_the_backup_is_erased_in_the_restored_database_too(home: Home) -> None:
    case = home.ring.case_key(CHANNEL, CASE)
    facts = home.ring.facts_key(CHANNEL, 2026)
    backup = home.backup()
    erased(home, case.key_id)
    home.saved()
    home.restore(backup)
    assert home.start() == ()
    assert home.ring.is_erased(case.key_id)
    assert home.ring.get(case.key_id) is None
    assert home.row(case.key_id).wrapped is None
    assert home.ring.get(facts.key_id) == facts


def test_what_was_erased_here_does_not_come_back_from_an_older_ring_file(home: Home) -> None:
    case = home.ring.case_key(CHANNEL, CASE)
    home.ring.facts_key(CHANNEL, 2026)
    home.saved()
    erased(home, case.key_id)
    home.start()
    assert home.ring.get(case.key_id) is None
    (kept,) = (row for row in home.file.keys if row.key_id == case.key_id)
    assert (kept.wrapped, kept.erased_at) == (None, home.now)


@pytest.mark.parametrize("make", [lambda ring: ring.facts_key(CHANNEL, 2026), lambda ring: ring.case_key(CHANNEL, CASE)])
def test_of_two_keys_for_the_same_the_database_goes_on_with_its_own_and_the_other_opens_what_it_sealed(
    home: Home, make: Callable[[KeyRing], object]
) -> None:
    """A key was saved to the ring file and its event to no log: nothing stopped an act on the database that was restored."""
    empty = home.backup()
    first = make(home.ring)
    home.saved()
    firsts = home.backup()
    home.restore(empty)
    second = make(home.ring)
    assert first != second
    home.start()
    assert make(home.ring) == second
    assert first in [home.ring.get(row.key_id) for row in home.ring.rows()]
    # And with a backup in which the first still seals.
    home.restore(firsts)
    home.start()
    assert make(home.ring) == second


def test_a_damaged_row_is_mended_from_the_ring_file(home: Home) -> None:
    key = home.ring.local_key("LOOKUP")
    home.ring.facts_key(CHANNEL, 2026)
    home.saved()
    home.damage("key_use = 'LOOKUP'")
    assert home.start() == ()
    assert home.ring.local_key("LOOKUP") == key


def test_a_damaged_ring_file_row_is_mended_from_the_database(home: Home) -> None:
    key = home.ring.facts_key(CHANNEL, 2026)
    home.file.save(tuple(replace(row, wrapped=bytes(60)) for row in home.ring.rows()), HEADS)
    assert home.start() == ()
    (kept,) = home.file.keys
    assert unwrap(home.ring.ring, kept) == key.key
    assert home.file.heads == HEADS


def test_an_older_database_opens_again_with_the_newest_ring_file_and_ring_key(home: Home) -> None:
    facts, case = home.ring.facts_key(CHANNEL, 2026), home.ring.case_key(CHANNEL, CASE)
    backup = home.backup()
    new = RingKeys({2: bytes(range(32))})
    home.file.save(wrapped_anew(home.ring.rows(), home.ring.ring, new), HEADS)
    home.keys = dict(new.by_generation)
    home.restore(backup)
    assert home.start() == ()
    assert home.ring.facts_key(CHANNEL, 2026) == facts
    assert home.ring.get(case.key_id) == case
    assert {row.generation for row in home.ring.rows()} == {2}


def test_while_two_ring_keys_are_there_a_start_wraps_both_copies_under_the_newer(home: Home) -> None:
    facts = home.ring.facts_key(CHANNEL, 2026)
    home.saved()
    home.keys[2] = bytes(range(32))
    home.opened()
    assert home.start() == ()
    del home.keys[1]
    home.opened()
    assert home.ring.facts_key(CHANNEL, 2026) == facts
    assert {row.generation for row in home.file.keys} == {2}


def test_a_start_with_nothing_new_changes_nothing(home: Home) -> None:
    home.ring.facts_key(CHANNEL, 2026)
    erased(home, home.ring.case_key(CHANNEL, CASE).key_id)
    home.start()
    before = home.ring.rows(), (home.folder / "ring.file").read_bytes(), home.database.connection.total_changes
    home.start()
    assert (home.ring.rows(), (home.folder / "ring.file").read_bytes(), home.database.connection.total_changes) == before


def test_a_key_that_opens_from_nowhere_is_named_and_seals_nothing_and_the_rest_goes_on(home: Home) -> None:
    lost, case = home.ring.facts_key(CHANNEL, 2026), home.ring.case_key(CHANNEL, CASE)
    encryption = home.ring.renew_encryption_key()
    home.damage("key_use = 'FACTS'")
    (told,) = home.start()
    assert lost.key_id.hex()[:16] in told
    assert CHANNEL in told
    assert home.ring.facts_key(CHANNEL, 2026) != lost
    assert home.ring.get(case.key_id) == case
    assert home.ring.current_encryption_key() == encryption
    # A history that lacks facts which it had must not be decided upon.
    with pytest.raises(RingError, match="opens under no ring key"):
        home.ring.get(lost.key_id)
    assert len(home.start()) == 1


def test_a_key_that_opens_from_nowhere_is_taken_again_when_a_whole_copy_of_the_ring_file_comes(home: Home) -> None:
    facts, case = home.ring.facts_key(CHANNEL, 2026), home.ring.case_key(CHANNEL, CASE)
    home.saved()
    whole = (home.folder / "ring.file").read_bytes()
    (home.folder / "ring.file").unlink()
    home.damage("key_use = 'FACTS'")
    assert len(home.start()) == 1
    (home.folder / "ring.file").write_bytes(whole)
    home.opened()
    assert home.start() == ()
    assert [home.ring.get(each.key_id) for each in (facts, case)] == [facts, case]


def test_a_key_that_opens_from_nowhere_is_mended_by_whoever_gives_it_back(home: Home) -> None:
    home.ring.facts_key(CHANNEL, 2026)
    case = home.ring.case_key(CHANNEL, CASE)
    home.damage("key_use = 'CASE'")
    assert len(home.start()) == 1
    assert home.ring.get(case.key_id) is None
    granted = GrantedKey(key=case.key, use=KeyUse.CASE, case_id=Id(CASE.bytes))
    assert home.ring.take(CHANNEL, granted, made_here=True)
    assert home.ring.get(case.key_id) == case
    assert not home.ring.take(CHANNEL, granted, made_here=True)
    assert home.start() == ()


def test_a_lost_private_half_ends_no_reading_of_letters(home: Home) -> None:
    home.ring.renew_encryption_key()
    home.now += DAY
    home.damage()
    second = home.ring.renew_encryption_key()
    assert len(home.start()) == 1
    assert list(home.ring.encryption_keys().values()) == [second]


@pytest.mark.parametrize("where", ["database", "ring file"])
def test_another_participants_ring_key_opens_nothing_and_nothing_is_written(home: Home, where: str) -> None:
    home.ring.facts_key(CHANNEL, 2026)
    empty = home.backup() if where == "database" else b""
    if where == "ring file":
        home.saved()
        home.database.run("DELETE FROM keys")
        empty = home.backup()
    before = home.ring.rows()
    home.keys = {1: bytes(range(32))}
    home.restore(empty)
    with pytest.raises(RingError, match="no key of the ring opens"):
        home.start()
    assert home.ring.rows() == before


# The ring file


def test_a_head_never_goes_back_and_a_newer_epoch_is_further_wherever_it_goes_on(tmp_path: Path) -> None:
    exchange = two_sides(tmp_path)
    office = exchange.members[SCHOOL].office
    before = office.ring_file.heads[CHANNEL]
    assert before.sequence > 1
    (first,) = office.database.all("SELECT * FROM entries WHERE channel = ? AND sequence = 1", CHANNEL)
    save_ring(office, [first])
    assert RingFile.load(office.ring_file.path).heads[CHANNEL] == before
    anew = office.database.all("SELECT channel, 1 AS epoch, 1 AS sequence, digest FROM entries WHERE digest = ?", first["digest"])
    save_ring(office, anew)
    assert RingFile.load(office.ring_file.path).heads[CHANNEL] == Head(epoch=1, sequence=1, digest=first["digest"])


def test_a_standby_that_read_the_ring_file_before_its_turn_keeps_what_was_written_since(tmp_path: Path) -> None:
    exchange = two_sides(tmp_path)
    standby = RingFile.load(tmp_path / SCHOOL / "ring.file")
    asked(exchange)
    exchange.settle()
    heads = exchange.members[SCHOOL].office.ring_file.heads
    assert heads != standby.heads
    exchange.members[SCHOOL].office.database.close()
    member = exchange.enter(SCHOOL, Role.SCHOOL, seal_of("old"))
    member.office.ring_file = standby
    member.worker.start()
    assert member.office.ring_file.heads == heads
    asked(exchange, pupil=another_pupil(2))
    after = RingFile.load(standby.path).heads
    assert all(after[channel].sequence >= head.sequence for channel, head in heads.items())


def test_a_worker_reads_nothing_of_its_folder_before_it_holds_the_lease(tmp_path: Path) -> None:
    (tmp_path / "sarakste.toml").write_text(f'participant = "{SCHOOL}"\nlog = "log"\nroot = "root"\n')
    found = []

    def office_of(config: Path | None, working: bool) -> Office:  # noqa: FBT001  # as the commands call it
        with pytest.raises(LeaseError), lease(tmp_path / "database.lease"):
            pass
        found.append((config, working))
        raise SettingsError("enough")

    app = typer.Typer()
    add_common(app, office_of)
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    done = CliRunner().invoke(app, ["worker", "--config", str(tmp_path / "sarakste.toml")])
    for each, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
        signal.signal(each, handler)
    # Said in the worker's log, and by its exit code.
    assert (done.exit_code, "enough" in done.output) == (SettingsError.exit_code, True)
    assert found == [(tmp_path / "sarakste.toml", True)]


def test_the_ring_file_says_what_the_ring_says_whatever_changed(home: Home) -> None:
    file = home.file
    home.ring.local_key("LOOKUP")
    for change in (
        lambda: home.ring.facts_key(CHANNEL, 2026),
        lambda: home.ring.case_key(CHANNEL, CASE),
        lambda: superseded(home),
        lambda: erased(home, home.ring.case_key(CHANNEL, CASE).key_id),
        lambda: home.ring.case_key(CHANNEL, UUID(int=2)),
    ):
        change()
        home.ring.save(file, HEADS)
        assert (home.file.keys, home.file.heads) == (home.ring.rows(), HEADS)
        assert (file.keys, file.heads) == (home.ring.rows(), HEADS)


def test_a_new_key_is_put_behind_what_stands_in_the_ring_file_and_nothing_else_is_written(home: Home) -> None:
    file = home.file
    for number in range(20):
        home.ring.case_key(CHANNEL, UUID(int=number))
    home.ring.save(file, HEADS)
    before, inode = file.path.read_bytes(), file.path.stat().st_ino
    fresh = home.ring.facts_key(CHANNEL, 2026)
    home.ring.save(file, HEADS)
    after = file.path.read_bytes()
    assert after[8192:].startswith(before[8192:])
    assert after.count(b"key_id") == before.count(b"key_id") + 1
    assert file.path.stat().st_ino == inode
    assert unwrap(home.ring.ring, home.file.rows[fresh.key_id]) == fresh.key


def test_of_a_key_that_is_erased_no_wrapped_byte_stays_in_the_ring_file(home: Home) -> None:
    file = home.file
    home.ring.save(file, HEADS)
    key = home.ring.case_key(CHANNEL, CASE)
    home.ring.save(file, HEADS)
    wrapped = home.row(key.key_id).wrapped
    assert wrapped is not None
    assert wrapped.hex().encode() in file.path.read_bytes()
    erased(home, key.key_id)
    home.ring.save(file, HEADS)
    assert wrapped.hex().encode() not in file.path.read_bytes()
    assert home.file.rows[key.key_id].erased_at == home.now


def test_what_is_put_behind_does_not_grow_for_ever(home: Home) -> None:
    file = home.file
    home.ring.facts_key(CHANNEL, 2026)
    for number in range(1200):
        home.ring.save(file, {CHANNEL: replace(HEADS[CHANNEL], sequence=number)})
    assert len(file.path.read_bytes()) < 100_000
    assert home.file.heads[CHANNEL].sequence == 1199


def test_a_ring_file_that_was_moved_away_or_changed_under_a_worker_is_written_whole(home: Home) -> None:
    file = home.file
    home.ring.facts_key(CHANNEL, 2026)
    home.ring.save(file, HEADS)
    for harm in (file.path.unlink, lambda: file.path.write_bytes(b"something else" * 200), lambda: file.path.write_bytes(b"")):
        harm()
        home.ring.case_key(CHANNEL, UUID(int=file.path.exists()))
        home.ring.save(file, {CHANNEL: replace(HEADS[CHANNEL], sequence=len(home.ring.rows()) + 10)})
        assert home.file.keys == home.ring.rows()
        home.ring.renew_encryption_key()


@pytest.mark.parametrize("left", [*range(0, 1400, 13), 6000])
def test_an_append_that_was_cut_off_at_any_byte_leaves_what_was_there_and_the_next_one_says_all(home: Home, left: int) -> None:
    """Power fails while bytes are written: of the line, or of the mark that counts it, the first ``left`` bytes came through."""
    file = home.file
    home.ring.facts_key(CHANNEL, 2026)
    home.ring.save(file, {})
    before, keys = file.path.read_bytes(), home.ring.rows()
    home.ring.case_key(CHANNEL, CASE)
    home.ring.save(file, HEADS)
    after = file.path.read_bytes()
    line = len(after) - len(before)
    cut = bytearray(before + after[len(before) : len(before) + left])
    if left > line:
        # The line is there; of its mark some bytes are.
        there = min(left - line, 4096)
        cut[4096 : 4096 + there] = after[4096 : 4096 + there]
    file.path.write_bytes(cut)
    is_done = bytes(cut[:8192]) == after[:8192]
    assert home.file.keys == (home.ring.rows() if is_done else keys)
    again = home.file
    home.opened()
    home.ring.save(again, HEADS)
    assert (home.file.keys, home.file.heads) == (home.ring.rows(), HEADS)


def test_killed_before_the_new_ring_file_is_whole_the_old_one_is_there_and_the_next_write_says_all(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home.file
    home.ring.facts_key(CHANNEL, 2026)
    file.save(home.ring.rows(), {})
    before = home.file
    home.ring.case_key(CHANNEL, CASE)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    for name in ("os.fsync", "pathlib.Path.replace"):
        monkeypatch.setattr(name, killed)
        with pytest.raises(KeyboardInterrupt):
            file.save(home.ring.rows(), HEADS)
        monkeypatch.undo()
        assert (home.file.keys, home.file.heads) == (before.keys, {})
    file.save(home.ring.rows(), HEADS)
    assert (home.file.keys, home.file.heads) == (home.ring.rows(), HEADS)


def test_a_copy_of_the_ring_file_that_is_cut_short_is_damaged_and_never_an_older_one(home: Home) -> None:
    home.ring.facts_key(CHANNEL, 2026)
    home.saved()
    path = home.folder / "ring.file"
    whole = path.read_bytes()
    for length in range(1, len(whole) - 1, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(RingError, match="damaged"):
            RingFile.load(path)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.EIO, "the disk failed")])
def test_what_a_writing_that_was_cut_off_left_in_memory_is_made_durable_before_anything_is_sent(
    home: Home, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Killed, or failed, between a mark and its sync: what is read after that may be gone when power fails."""
    file, real, synced = home.file, os.fsync, list[int]()
    home.ring.save(file, {})

    def fails_at_the_mark(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 2:
            raise error
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fails_at_the_mark)
    with pytest.raises((KeyboardInterrupt, DiskError)):
        home.ring.save(file, HEADS)
    assert home.file.heads == HEADS
    again, inode = home.file, home.file.path.stat().st_ino
    home.opened()
    home.ring.start(again)
    assert len(synced) > 2
    # A file of its own, for a disk that failed once may take what it failed at for written.
    assert again.path.stat().st_ino != inode


def test_keys_made_after_the_database_was_put_back_under_a_process_are_in_the_ring_file(home: Home) -> None:
    home.ring.local_key("LOOKUP")
    backup, ring, file = home.backup(), home.ring, home.file
    for year in range(2000, 2020):
        ring.facts_key(CHANNEL, year)
    ring.save(file, {})
    home.restore(backup)
    file.path.unlink()
    ring.database = home.database
    ring.start(file)
    ring.facts_key(CHANNEL, 2026)
    ring.save(file, {})
    assert home.file.keys == ring.rows()
