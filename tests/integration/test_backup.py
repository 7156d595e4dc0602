"""Backing up while everything runs, and restoring by command: what a backup holds, and what a restore refuses to touch."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from services.post import backing_up, restoring
from services.post.backing_up import back_up, manifest_mac
from services.post.database import Database
from services.post.lease import lease
from services.post.ring import RingKeys
from services.post.settings import load_settings
from services.wire.channels import COMMISSION, REGISTRAR
from services.wire.errors import DatabaseError
from tests.commands import SCHOOL
from tests.folders import OTHER_SCHOOL, Folders


@pytest.fixture
def backup(folders: Folders) -> Path:
    made = folders.folder / "backup"
    assert folders.run(SCHOOL, "backup", made).code == 0
    return made


def content(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder; what SQLite and a lease leave beside a database says nothing."""
    beside = ("-wal", "-shm", ".lease")
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and not path.name.endswith(beside)}


def said(backup: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((backup / "backup.json").read_text())
    return found


def manifest(folders: Folders, backup: Path, **changes: object) -> None:
    """Let a backup say something else of itself, as only who holds the ring key can."""
    plain = said(backup) | changes
    del plain["mac"]
    keys = RingKeys.load(folders.home(SCHOOL) / "ring.key")
    plain["mac"] = manifest_mac(plain, keys.derived(b"sarakste/v0/backup")[keys.newest])
    (backup / "backup.json").write_text(json.dumps(plain))


def sums_mended(backup: Path, **changes: object) -> None:
    """Let the sums fit the files again, as anybody can who may write there; and whatever else is to be claimed."""
    files = {name: sha256((backup / name).read_bytes()).hexdigest() for name in content(backup) if name != "backup.json"}
    (backup / "backup.json").write_text(json.dumps(said(backup) | {"files": files} | changes))


def refused(folders: Folders, backup: Path, why: str = "was changed after it was made, or belongs to another ring.key") -> None:
    """Let a restore refuse a backup, with nothing touched."""
    folders.stop(SCHOOL)
    before = content(folders.home(SCHOOL))
    done = folders.run(SCHOOL, "restore", backup)
    assert done.code == 7, done.out
    assert why in done.err
    assert content(folders.home(SCHOOL)) == before
    assert not list(folders.home(SCHOOL).glob("replaced-*"))


# Backing up


@pytest.mark.parametrize("name", [SCHOOL, COMMISSION, REGISTRAR])
def test_a_backup_says_what_is_in_it_and_what_is_not_and_where_the_ring_key_belongs(folders: Folders, name: str) -> None:
    made = folders.folder / "backup"
    done = folders.run(name, "backup", made)
    assert done.code == 0, done.err
    assert {path.name for path in made.iterdir()} == {
        "database.sqlite",
        "ring.file",
        "sarakste.toml",
        "certificate.pem",
        "root.pem",
        "backup.json",
    }
    for path in made.iterdir():
        assert f"in it      {path.name}" in done.out or path.name == "backup.json"
    for left_out in ("ring.key", "signing.key", "the log"):
        assert f"not in it  {left_out}" in done.out
    assert "one copy on a medium of its own, in a safe, and never beside a backup" in done.out


def test_nobody_who_finds_a_backup_holds_a_key(folders: Folders, backup: Path) -> None:
    home = folders.home(SCHOOL)
    ring_key = RingKeys.load(home / "ring.key").by_generation[1]
    secrets = [ring_key, ring_key.hex().encode(), *(home / "signing.key").read_bytes().splitlines()[1:-1]]
    for path in backup.iterdir():
        assert not any(secret in path.read_bytes() for secret in secrets), path.name


def test_nobody_but_its_owner_reads_a_backup(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in backup.iterdir()} == {0o600}


def test_a_backup_is_never_written_over(folders: Folders, backup: Path) -> None:
    before = content(backup)
    done = folders.run(SCHOOL, "backup", backup)
    assert done.code == 2
    assert "never written over" in done.err
    assert content(backup) == before


def test_a_backup_is_of_one_moment_while_others_write_and_holds_up_none_of_them(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page at a time, so that a writer that were not held up gets between; each of its transactions writes two rows."""
    monkeypatch.setattr(backing_up, "_PAGES_AT_ONCE", 1)
    settings = load_settings(folders.home(SCHOOL) / "sarakste.toml")
    path, stop, faults = settings.folder / "database.sqlite", threading.Event(), list[Exception]()
    committed = [0]

    def write() -> None:
        database = Database(path, busy_timeout_seconds=0.1)
        try:
            while not stop.is_set():
                with database.transaction():
                    for _ in range(2):
                        database.run("INSERT INTO drafts (kind, saved_at, sealed) VALUES ('test', 0, randomblob(20000))")
                committed[0] += 1
        except Exception as error:  # noqa: BLE001  # told below, by the test's own thread
            faults.append(error)
        finally:
            database.close()

    writer = threading.Thread(target=write)
    writer.start()
    between, tries = 0, 0
    try:
        while between == 0 and tries < 50:
            before = committed[0]
            back_up(settings, folders.folder / f"backup-{tries}", clock=folders.clock)
            between, tries = committed[0] - before, tries + 1
    finally:
        stop.set()
        writer.join()
    assert faults == []
    assert between > 0
    for number in range(tries):
        with closing(sqlite3.connect(folders.folder / f"backup-{number}/database.sqlite")) as copy:
            assert copy.execute("SELECT count(*) FROM drafts").fetchone()[0] % 2 == 0
            assert copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_backup_does_not_wait_for_who_is_writing_and_holds_nothing_that_is_not_saved(folders: Folders) -> None:
    database = Database(folders.home(SCHOOL) / "database.sqlite")
    made = folders.folder / "backup"
    with database.transaction():
        database.run("INSERT INTO drafts (kind, saved_at, sealed) VALUES ('test', 0, zeroblob(10))")
        assert folders.run(SCHOOL, "backup", made).code == 0
    database.close()
    with closing(sqlite3.connect(made / "database.sqlite")) as copy:
        assert copy.execute("SELECT count(*) FROM drafts").fetchone()[0] == 0


@pytest.mark.parametrize("harm", ["damaged", "missing"])
def test_of_a_database_that_is_not_whole_there_is_no_backup_and_nothing_is_left_of_it(folders: Folders, harm: str) -> None:
    path = folders.home(SCHOOL) / "database.sqlite"
    if harm == "missing":
        path.unlink()
    else:
        data = bytearray(path.read_bytes())
        data[4096 : 4096 * 12] = bytes(4096 * 11)
        path.write_bytes(data)
    done = folders.run(SCHOOL, "backup", folders.folder / "backup")
    assert done.code == 5
    assert "database.sqlite" in done.err
    assert not (folders.folder / "backup").exists()


@pytest.mark.parametrize(
    ("harm", "advice"), [("missing", "bring its copy from where it is kept"), ("open to others", "set its mode to 0600")]
)
def test_without_a_ring_key_there_is_no_backup_and_it_is_said_what_to_do(folders: Folders, harm: str, advice: str) -> None:
    key = folders.home(SCHOOL) / "ring.key"
    key.unlink() if harm == "missing" else key.chmod(0o644)
    done = folders.run(SCHOOL, "backup", folders.folder / "backup")
    assert done.code == 7
    assert advice in done.err
    assert not (folders.folder / "backup").exists()


def test_a_disk_that_fills_up_leaves_no_half_backup(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backing_up, "write_durably", full)
    settings = load_settings(folders.home(SCHOOL) / "sarakste.toml")
    with pytest.raises(DatabaseError, match="No space left"):
        back_up(settings, folders.folder / "backup", clock=folders.clock)
    assert not (folders.folder / "backup").exists()


# What a restore refuses


def flip_a_byte(folders: Folders, backup: Path) -> None:  # noqa: ARG001  # as the others
    data = bytearray((backup / "database.sqlite").read_bytes())
    data[len(data) // 2] ^= 1
    (backup / "database.sqlite").write_bytes(data)


def replace_by_anothers(folders: Folders, backup: Path) -> None:
    shutil.rmtree(backup)
    folders.run(OTHER_SCHOOL, "backup", backup)


def take_anothers_ring_key(folders: Folders, backup: Path) -> None:  # noqa: ARG001  # as the others
    shutil.copy(folders.home(OTHER_SCHOOL) / "ring.key", folders.home(SCHOOL) / "ring.key")


SPOIL: dict[str, Callable[[Folders, Path], object]] = {
    "not finished": lambda _, backup: (backup / "backup.json").unlink(),
    "another participant": replace_by_anothers,
    "a byte of the database": flip_a_byte,
    "a file outside": lambda folders, backup: manifest(folders, backup, files=said(backup)["files"] | {"../root.pem": "00"}),
    "a file that says nothing": lambda _, backup: (backup / "backup.json").write_text("[]"),
    "files that are none": lambda folders, backup: manifest(folders, backup, files=["database.sqlite"]),
    "a newer program": lambda folders, backup: manifest(folders, backup, version=99),
    "no database": lambda folders, backup: manifest(folders, backup, files={}),
    "no mac": lambda _, backup: (backup / "backup.json").write_text(json.dumps({"participant": SCHOOL})),
    "a mac that is none": lambda _, backup: sums_mended(backup, mac="ā"),
    "lists without end": lambda _, backup: (backup / "backup.json").write_text("[" * 100_000),
    "no ring key": lambda folders, _: (folders.home(SCHOOL) / "ring.key").unlink(),
    "another ring key": take_anothers_ring_key,
    "a ring key that others read": lambda folders, _: (folders.home(SCHOOL) / "ring.key").chmod(0o644),
}
ARGUMENTS = {"neither": [], "both": ["backup", "--from-log"], "no backup": ["."]}


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("neither", 2, "either a backup, or --from-log"),
        ("both", 2, "either a backup, or --from-log"),
        ("no backup", 2, "is no backup"),
        ("not finished", 2, "was not finished"),
        ("a file that says nothing", 2, "is no backup"),
        ("files that are none", 2, "is no backup"),
        ("another participant", 2, f"is a backup of {OTHER_SCHOOL}"),
        ("a byte of the database", 5, "database.sqlite in backup is not what was backed up"),
        ("a file outside", 5, "../root.pem in backup is not what was backed up"),
        ("a newer program", 9, "newer program"),
        ("no ring key", 7, "bring its copy from where it is kept"),
        ("another ring key", 7, "another participant's or an old one"),
        ("no database", 5, "database.sqlite in backup is not what was backed up"),
        ("no mac", 2, "is no backup"),
        ("a mac that is none", 7, "was changed after it was made"),
        ("lists without end", 2, "is no backup"),
        ("a ring key that others read", 7, "set its mode to 0600"),
    ],
)
def test_a_restore_that_does_not_fit_is_refused_and_touches_nothing(
    folders: Folders, backup: Path, fault: str, code: int, said: str
) -> None:
    if fault in SPOIL:
        SPOIL[fault](folders, backup)
    before = content(folders.home(SCHOOL))
    arguments = [folders.folder / each if each[0] != "-" else each for each in ARGUMENTS.get(fault, ["backup"])]
    done = folders.run(SCHOOL, "restore", *arguments)
    assert done.code == code
    assert said in done.err
    assert content(folders.home(SCHOOL)) == before


def test_a_thief_who_changes_a_backup_cannot_have_the_keys_of_new_cases_sealed_to_himself(folders: Folders, backup: Path) -> None:
    folders.everybody()
    thief = folders.running[OTHER_SCHOOL].office.ring.current_encryption_key()
    assert thief is not None
    with closing(sqlite3.connect(backup / "database.sqlite")) as copy, copy:
        changed = copy.execute("UPDATE peers SET public_key = ? WHERE participant = ?", (thief.public_key, COMMISSION)).rowcount
    assert changed == 1
    sums_mended(backup)
    refused(folders, backup)


def test_a_thief_who_changes_a_backup_cannot_have_the_newest_ring_files_keys_erased(folders: Folders, backup: Path) -> None:
    folders.everybody()
    before = {case: folders.told(SCHOOL, case) for case in folders.states(SCHOOL)}
    with closing(sqlite3.connect(backup / "database.sqlite")) as copy, copy:
        changed = copy.execute("UPDATE keys SET erased_at = 1, wrapped = NULL WHERE made_here = 1").rowcount
    assert changed > 0
    sums_mended(backup)
    refused(folders, backup)
    folders.everybody()
    assert {case: folders.told(SCHOOL, case) for case in folders.states(SCHOOL)} == before


@pytest.mark.parametrize("name", ["ring.file", "certificate.pem", "sarakste.toml", "root.pem"])
def test_a_thief_who_changes_a_backup_cannot_change_any_file_in_it(folders: Folders, backup: Path, name: str) -> None:
    path = backup / name
    path.write_bytes(path.read_bytes() + b"\n")
    sums_mended(backup)
    refused(folders, backup)


@pytest.mark.parametrize(
    "claim", [{"made_at": 1}, {"ends_at": 1}, {"version": 0}, {"another": 1}, {"mac": "00" * 32}, {"mac": ""}]
)
def test_a_thief_who_changes_a_backup_cannot_change_what_it_says_of_itself(
    folders: Folders, backup: Path, claim: dict[str, object]
) -> None:
    sums_mended(backup, **claim)
    refused(folders, backup)


def test_a_thief_who_holds_a_ring_key_of_his_own_cannot_make_a_backup_for_another(folders: Folders, backup: Path) -> None:
    shutil.rmtree(backup)
    assert folders.run(OTHER_SCHOOL, "backup", backup).code == 0
    sums_mended(backup, participant=SCHOOL)
    refused(folders, backup)


def test_a_thief_who_puts_a_file_beside_a_backup_has_it_taken_by_nobody(folders: Folders) -> None:
    home, backup = folders.home(SCHOOL), folders.folder / "backup"
    file = (home / "ring.file").read_bytes()
    (home / "ring.file").unlink()
    assert folders.run(SCHOOL, "backup", backup).code == 0
    (backup / "ring.file").write_bytes(file)
    assert folders.run(SCHOOL, "restore", backup, "--json").json["ring_file"] == "none"
    assert not (home / "ring.file").exists()


@pytest.mark.parametrize("name", ["database.sqlite", "ring.file"])
def test_a_thief_who_changes_a_backup_while_it_is_restored_changes_nothing_here(
    folders: Folders, backup: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    real, before = backing_up.read_backup, content(folders.home(SCHOOL))

    def looked_at(*arguments: Any) -> Any:
        found = real(*arguments)
        (backup / name).write_bytes((backup / name).read_bytes() + b"\n")
        return found

    monkeypatch.setattr(restoring, "read_backup", looked_at)
    done = folders.run(SCHOOL, "restore", backup)
    assert done.code == 5
    assert f"{name} in " in done.err
    assert "is not what was backed up" in done.err
    assert content(folders.home(SCHOOL)) == before


def test_of_a_changed_backup_nothing_but_what_it_says_of_itself_is_read(
    folders: Folders, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise AssertionError("read before it was authenticated")

    sums_mended(backup, made_at=1)
    monkeypatch.setattr(backing_up, "_digest", read)
    monkeypatch.setattr(backing_up, "require_whole", read)
    refused(folders, backup)


def test_a_backup_made_under_an_older_ring_key_that_is_still_there_is_restored(folders: Folders, backup: Path) -> None:
    key = folders.home(SCHOOL) / "ring.key"
    key.write_text(f"{key.read_text()}2 {'5a' * 32}\n")
    assert folders.run(SCHOOL, "restore", backup).code == 0


def test_nothing_is_restored_over_a_worker_that_runs(folders: Folders, backup: Path) -> None:
    before = content(folders.home(SCHOOL))
    with lease(folders.home(SCHOOL) / "database.lease"):
        for arguments in ([backup], ["--from-log"]):
            assert folders.run(SCHOOL, "restore", *arguments).code == 8
    assert content(folders.home(SCHOOL)) == before


def test_nothing_is_restored_while_a_clerk_saves_something(
    folders: Folders, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SARAKSTE_BUSY_TIMEOUT_SECONDS", "0.1")
    database = Database(folders.home(SCHOOL) / "database.sqlite")
    with database.transaction():
        done = folders.run(SCHOOL, "restore", backup)
    database.close()
    assert done.code == 5
    assert not list(folders.home(SCHOOL).glob("replaced-*"))


# What a restore does


def test_after_a_restore_nobody_decides_anything_before_the_worker_has_read_the_log(folders: Folders, backup: Path) -> None:
    """Also where the ring file is as old as the database, and knows nothing of what was sent since."""
    case = folders.filed()
    folders.everybody()
    folders.stop(SCHOOL)
    home = folders.home(SCHOOL)
    (home / "ring.file").unlink()
    told = folders.run(SCHOOL, "restore", backup, "--json").json
    assert told["ring_file"] == "from the backup"
    assert folders.run(SCHOOL, "file", folders.form()).code == 3
    folders.start(SCHOOL)
    folders.settle()
    assert folders.states(SCHOOL)[case] == "ReadyToRequest"
    assert folders.run(SCHOOL, "file", folders.form()).code == 0


def test_what_stood_there_before_is_set_aside_whole_and_takes_nothing_in_any_more(folders: Folders, backup: Path) -> None:
    home = folders.home(SCHOOL)
    case = folders.filed()
    aside = home / folders.run(SCHOOL, "restore", backup, "--json").json["set_aside"]
    assert stat.S_IMODE(aside.stat().st_mode) == 0o700
    old = Database(aside / "database.sqlite")
    assert old.one("SELECT 1 FROM cases WHERE case_id = ?", case.replace("-", "")) is not None
    assert old.one("SELECT 1 FROM said WHERE name = 'starting'") is not None
    old.close()


def test_a_restore_that_is_killed_anywhere_can_be_made_again(
    folders: Folders, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, real, done = load_settings(folders.home(SCHOOL) / "sarakste.toml"), Path.replace, list[Path]()
    before = folders.states(SCHOOL)

    def killed(path: Path, target: Path) -> Path:
        if len(done) == step:
            raise KeyboardInterrupt
        done.append(path)
        return real(path, target)

    for step in range(4):
        done.clear()
        monkeypatch.setattr(Path, "replace", killed)
        try:
            folders.run(SCHOOL, "restore", backup)
        except KeyboardInterrupt:
            assert step < 3
        monkeypatch.undo()
        assert not (settings.folder / ".database.sqlite.restored").exists()
    assert folders.run(SCHOOL, "restore", backup).code == 0
    folders.everybody()
    assert folders.states(SCHOOL) == before
