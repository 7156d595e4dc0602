"""The embedded log passes the contract, survives kills, and forgets mailboxes."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.channel.embedded import EmbeddedChannel
from services.channel.port import Channel
from services.wire.errors import ChannelUnavailableError
from tests.contract.channel_suite import SCHOOL, ChannelContract, read, values

DAY = 86_400_000
MAILBOX = "school-0099900011.mailbox"
WRITER = """
import sys
from pathlib import Path
from services.channel.embedded import EmbeddedChannel
log = EmbeddedChannel(Path(sys.argv[1]), clock=lambda: 0)
for number in range(int(sys.argv[3])):
    log.append("school-0099900011.record", [f"{sys.argv[2]}-{number}".encode()])
print("appended", flush=True)
sys.stdin.read()
"""


def writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(path), name, str(count)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603  # our own script


class Log:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 0
        self.handles: list[EmbeddedChannel] = []

    def open(self) -> EmbeddedChannel:
        self.handles.append(EmbeddedChannel(self.path, clock=lambda: self.now))
        return self.handles[-1]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path / "log.sqlite")
    yield made
    for handle in made.handles:
        handle.close()


class TestEmbeddedChannel(ChannelContract):
    @pytest.fixture(autouse=True)
    def _one_log(self, log: Log) -> None:
        self.log = log

    def open_log(self) -> Channel:
        return self.log.open()


def test_what_was_appended_outlives_a_kill(log: Log) -> None:
    process = writer(log.path, "killed", 1)
    assert process.stdout is not None
    assert process.stdout.readline() == "appended\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert values(log.open(), SCHOOL) == [b"killed-0"]


def test_four_processes_at_once_lose_nothing_and_share_no_position(log: Log) -> None:
    processes = [writer(log.path, name, 50) for name in ("maple", "linden", "birch", "oak")]
    for process in processes:
        process.communicate(timeout=60)
    records = read(log.open(), {SCHOOL: 0}, limit=1000)
    assert [record.position for record in records] == list(range(200))
    for name in ("maple", "linden", "birch", "oak"):
        mine = [record.value.decode() for record in records if record.value.startswith(name.encode())]
        assert mine == [f"{name}-{number}" for number in range(50)]


def test_a_mailbox_forgets_after_thirty_days_and_gives_no_position_twice(log: Log) -> None:
    handle = log.open()
    handle.append(MAILBOX, [b"old", b"older"])
    log.now = 30 * DAY + 1
    handle.append(MAILBOX, [b"new"])
    assert [(record.position, record.value) for record in read(handle, {MAILBOX: 0})] == [(2, b"new")]


def test_an_expired_letter_is_not_shown_although_nobody_has_appended_since(log: Log) -> None:
    handle = log.open()
    handle.append(MAILBOX, [b"old"])
    log.now = 30 * DAY
    assert values(handle, MAILBOX) == [b"old"]
    log.now = 30 * DAY + 1
    assert values(handle, MAILBOX) == []


def test_a_channel_never_forgets(log: Log) -> None:
    handle = log.open()
    handle.append(SCHOOL, [b"old"])
    log.now = 4000 * DAY
    handle.append(SCHOOL, [b"new"])
    assert values(handle, SCHOOL) == [b"old", b"new"]


def test_a_log_that_somebody_holds_is_unavailable_and_stores_nothing(log: Log) -> None:
    log.open()
    other = sqlite3.connect(log.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ChannelUnavailableError, match="locked"):
        EmbeddedChannel(log.path, clock=lambda: 0, busy_timeout_seconds=0.05)
    other.execute("ROLLBACK")
    other.close()
    assert values(log.open(), SCHOOL) == []


def test_a_database_of_something_else_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "accounts.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE accounts (name TEXT)")
    other.close()
    with pytest.raises(ChannelUnavailableError, match=r"accounts\.sqlite is a database of something else"):
        EmbeddedChannel(path, clock=lambda: 0)


def test_a_log_that_answers_by_a_view_without_end_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    EmbeddedChannel(path, clock=lambda: 0).close()
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE records")
        other.execute(
            "CREATE VIEW records AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
            " SELECT 'a' AS channel, i AS position, 0 AS appended_at, x'00' AS value FROM n"
        )
    other.close()
    for read_only in (True, False):
        with pytest.raises(ChannelUnavailableError, match="by views, as no log of this exchange does"):
            EmbeddedChannel(path, clock=lambda: 0, read_only=read_only)


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    with pytest.raises(ChannelUnavailableError, match="not a database"):
        EmbeddedChannel(path, clock=lambda: 0)


def written_by_hand(path: Path, *rows: tuple[object, object]) -> None:
    """Store records past the adapter, of whatever types, as anybody can who may write the file."""
    with sqlite3.connect(path) as other:
        other.executemany("INSERT INTO records VALUES (?, ?, 0, ?)", [(SCHOOL, *row) for row in rows])
    other.close()


def test_a_record_that_is_not_bytes_comes_out_as_junk_bytes_and_the_reader_goes_on(log: Log) -> None:
    handle = log.open()
    handle.append(SCHOOL, [b"before"])
    written_by_hand(log.path, (1, "text"), (2, 17), (3, 1.5), (4, None), (6, b"after"))
    with sqlite3.connect(log.path) as other:
        other.execute("INSERT INTO records VALUES (?, 5, 0, CAST(x'fffe' AS TEXT))", (SCHOOL,))
    other.close()
    assert values(handle, SCHOOL) == [b"before", b"text", b"17", b"1.5", b"", b"\xff\xfe", b"after"]


def test_a_position_that_is_no_number_or_beyond_all_is_never_selected(log: Log) -> None:
    handle = log.open()
    handle.append(SCHOOL, [b"first"])
    written_by_hand(log.path, ("last", b"a"), (1.5, b"b"), (b"\xff", b"c"), (2**63 - 1, b"d"), (None, b"e"))
    assert values(handle, SCHOOL) == [b"first"]
    handle.append(SCHOOL, [b"second"])
    assert [(record.position, record.value) for record in read(handle, {SCHOOL: 1})] == [(1, b"second")]


@pytest.mark.parametrize("nonsense", ["text", 1.5, b"\xff", -1, 2**63 - 1])
def test_an_end_that_is_no_number_is_looked_up_in_the_records(log: Log, nonsense: object) -> None:
    handle = log.open()
    handle.append(SCHOOL, [b"first", b"second"])
    with sqlite3.connect(log.path) as other:
        other.execute("UPDATE ends SET position = ?", (nonsense,))
    other.close()
    assert handle.end(SCHOOL) == 2
    handle.append(SCHOOL, [b"third"])
    assert values(handle, SCHOOL) == [b"first", b"second", b"third"]


def test_a_record_put_far_beyond_the_end_hides_nothing_that_is_appended_later(log: Log) -> None:
    handle = log.open()
    handle.append(SCHOOL, [b"first"])
    written_by_hand(log.path, (500, "text"))
    position = read(handle, {SCHOOL: 0})[-1].position + 1
    handle.append(SCHOOL, [b"second"])
    assert [record.value for record in read(handle, {SCHOOL: position})] == [b"second"]


READER = """
import os
import sys
from pathlib import Path
from services.channel.embedded import EmbeddedChannel
from services.wire.errors import ChannelUnavailableError
path = Path(sys.argv[1])
if os.getuid() == 0:
    path.absolute().as_uri()  # loaded late on newer Pythons, from a library that nobody else may be able to read
    os.setgroups([])
    os.setuid(65534)  # root may do everything, whatever the modes say
try:
    log = EmbeddedChannel(path, clock=lambda: 0, read_only=True)
    print(len(log.poll({"school-0099900011.record": 0}, timeout_seconds=0, limit=10)), flush=True)
    sys.stdin.readline()
    print(len(log.poll({"school-0099900011.record": 0}, timeout_seconds=0, limit=10)), flush=True)
except ChannelUnavailableError as error:
    print(error, flush=True)
"""


class Reader:
    """An auditor's process, which may read files and write nothing."""

    def __init__(self, path: Path) -> None:
        arguments = [sys.executable, "-c", READER, str(path)]
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603  # ours

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def again(self) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.says()

    def end(self) -> None:
        self.process.communicate()


@pytest.fixture
def archive() -> Iterator[Path]:
    """Yield a folder that everybody may enter and read, and nobody but root may write to; pytest's own folders are private."""
    with tempfile.TemporaryDirectory(prefix="sarakste-") as name:
        folder = Path(name)
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)


def archived(archive: Path, log: Log) -> Path:
    path = archive / "log.sqlite"
    archive.chmod(0o755)
    for found in log.path.parent.glob("log.sqlite*"):
        shutil.copy(found, archive)
        (archive / found.name).chmod(0o444)
    archive.chmod(0o555)
    return path


def test_who_may_only_read_reads_a_log_in_a_folder_that_he_cannot_write_to(log: Log, archive: Path) -> None:
    handle = log.open()
    handle.append(SCHOOL, [b"first", b"second"])
    handle.close()
    path = archived(archive, log)
    assert [found.name for found in archive.iterdir()] == ["log.sqlite"]
    reader = Reader(path)
    assert reader.says() == "2"
    assert reader.again() == "2"
    reader.end()


def test_who_reads_beside_a_log_that_somebody_begins_to_write_is_told_and_never_shown_halves(log: Log, archive: Path) -> None:
    handle = log.open()
    handle.append(SCHOOL, [b"first"])
    handle.close()
    reader = Reader(archived(archive, log))
    assert reader.says() == "1"
    archive.chmod(0o755)
    (archive / "log.sqlite-wal").write_bytes(b"")
    assert "is being written to while it is read" in reader.again()
    reader.end()


def test_a_write_ahead_log_that_cannot_be_opened_is_named_and_never_passed_over(log: Log, archive: Path) -> None:
    log.open().append(SCHOOL, [b"first"])
    path = archived(archive, log)
    (archive / "log.sqlite-wal").chmod(0o000)
    reader = Reader(path)
    assert "the newest records of the log log.sqlite are in log.sqlite-wal, which cannot be opened here" in reader.says()
    reader.end()
