"""Backing up: a participant's database and ring file as they are at one moment, in a folder of their own.

Decides what a backup holds and what it never holds: no key that opens or signs anything. Whoever finds one reads nothing, and
changes nothing that a restore would take: what it says of itself is authenticated under the ring key. Whoever restores one
brings the ring key from where it is kept.
Source: design.md section 7, "Key ring".
"""

from __future__ import annotations

import hmac
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

from services.post.database import Database
from services.post.letterbook import Letterbook
from services.post.ring import RingKeys, write_durably
from services.post.settings import ParticipantSettings
from services.wire.errors import DatabaseError, RingError, SettingsError
from services.wire.hashing import digest_of, mac

__all__ = [
    "CERTIFICATE",
    "DATABASE",
    "RING_FILE",
    "RING_KEY",
    "Backup",
    "back_up",
    "backed_up",
    "manifest_mac",
    "read_backup",
    "require_backed_up",
    "require_whole",
]

DATABASE: Final = "database.sqlite"
RING_FILE: Final = "ring.file"
RING_KEY: Final = "ring.key"
CERTIFICATE: Final = "certificate.pem"
_SETTINGS: Final = "sarakste.toml"
_ROOT: Final = "root.pem"
_MANIFEST: Final = "backup.json"
_MAC: Final = "mac"
_LABEL: Final = b"sarakste/v0/backup"
_PAGES_AT_ONCE: Final = 256
_SHOWN: Final = 64
_OWNER_ONLY: Final = 0o600
_OWNER_ONLY_FOLDER: Final = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup says of itself: whose it is, when it was made (milliseconds since 1970), and its files by SHA-256.

    ``version`` is that of the database's tables, ``ends_at`` when its newest own entry was signed (0: there is none).
    """

    participant: str
    made_at: int
    version: int
    ends_at: int
    files: Mapping[str, str]


def back_up(settings: ParticipantSettings, folder: Path, *, clock: Callable[[], int]) -> Backup:
    """Copy a participant's database and ring file into ``folder``, which is made; workers and clerks go on meanwhile.

    Shape: ``database.sqlite``, ``ring.file``, ``sarakste.toml``, ``certificate.pem``, ``root.pem`` as far as they are there,
    and last ``backup.json``, with its MAC under the newest ring key: without it a backup is not whole. The folder has mode
    0700, its files 0600.
    Raises: SettingsError if ``folder`` is there already or cannot be made; DatabaseError if the database is not there, is
    damaged, or the disk is full; RingError if the ring key cannot be read. Nothing is left behind then.
    """
    home = settings.folder
    if not (home / DATABASE).is_file():
        raise DatabaseError(f"there is no {DATABASE} in {home.name} to back up")
    if not (home / RING_KEY).exists():
        why = "without it nobody could tell later that the backup is yours and unchanged"
        raise RingError(f"there is no {RING_KEY} in {home.name}: bring its copy from where it is kept; {why}")
    keys = RingKeys.load(home / RING_KEY)
    try:
        folder.mkdir(mode=_OWNER_ONLY_FOLDER)
    except FileExistsError as error:
        raise SettingsError(f"{folder.name} is there already; a backup is never written over: name another folder") from error
    except OSError as error:
        raise SettingsError(f"{folder.name} cannot be made: {error.strerror}") from error
    try:
        return _fill(settings, folder, keys, clock)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise DatabaseError(f"{folder.name} cannot be written: {error.strerror}") from error
        raise


def read_backup(folder: Path, keys: RingKeys, participant: str) -> Backup:
    """Return what a backup says of itself, once it is found to be the participant's and each of its files what was written.

    Nothing of it is read but ``backup.json`` before that is authenticated under one of the ring keys.
    Raises: SettingsError if this is no backup, or somebody else's; RingError if it was changed or belongs to another ring key;
    DatabaseError if it is not whole any more.
    """
    try:
        found = json.loads((folder / _MANIFEST).read_bytes())
        said, given = str(found["participant"]), str(found.pop(_MAC)).encode()
        # Not authentic yet, and never taken: only so that who mistook the folder hears that, not that somebody changed it.
        if said != participant:
            shown = ascii(said)[1:-1][:_SHOWN]
            raise SettingsError(f"{folder.name} is a backup of {shown}, this is the folder of {participant}")
        if not _is_authentic(found, given, keys):
            raise RingError(
                f"{folder.name} was changed after it was made, or belongs to another {RING_KEY}. If the {RING_KEY} here is"
                " another participant's or an old one, bring the one that was there when the backup was made; if it is the"
                " right one, trust nothing in this backup and take another copy of it, or another backup"
            )
        backup = Backup(
            participant=str(found["participant"]),
            made_at=int(found["made_at"]),
            version=int(found["version"]),
            ends_at=int(found["ends_at"]),
            files={str(name): str(digest) for name, digest in found["files"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SettingsError(f"{folder.name} is no backup, or one that was not finished: it holds no whole {_MANIFEST}") from error
    for name in (DATABASE, *backup.files):
        if Path(name).name != name:
            raise _changed(name, folder)
        require_backed_up(backup, name, folder / name)
    require_whole(folder / DATABASE)
    return backup


def require_backed_up(backup: Backup, name: str, path: Path) -> None:
    """Return if ``path`` holds what was backed up under ``name``.

    Raises: DatabaseError.
    """
    if _digest(path) != backup.files.get(name):
        raise _changed(name, path.parent)


def backed_up(backup: Backup, name: str, folder: Path) -> bytes | None:
    """Return a file of a backup in ``folder``, None if there is none in it; a file that was put beside it later is none.

    Raises: DatabaseError if it is not what was backed up.
    """
    if name not in backup.files:
        return None
    try:
        content = (folder / name).read_bytes()
    except OSError:
        content = None
    if content is None or digest_of(content).hex() != backup.files[name]:
        raise _changed(name, folder)
    return content


def manifest_mac(plain: Mapping[str, Any], key: bytes) -> str:
    """Return the MAC of what a backup says of itself, without the MAC.

    Shape: HMAC-SHA-256 over the JSON of it in ASCII, names sorted, no blanks; in hexadecimal.
    """
    return mac(key, json.dumps(plain, sort_keys=True, separators=(",", ":")).encode("ascii")).hex()


def require_whole(path: Path) -> None:
    """Return if a database that nobody writes to is whole.

    Raises: DatabaseError.
    """
    try:
        # Immutable: SQLite then leaves no files of its own beside a copy that may lie where one can only read.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise DatabaseError(f"{path.name}: {error}") from error
    if said != "ok":
        raise DatabaseError(f"{path.name} is damaged: {said}")


def _fill(settings: ParticipantSettings, folder: Path, keys: RingKeys, clock: Callable[[], int]) -> Backup:
    home, made_at = settings.folder, clock()
    version, ends_at = _copy_database(home / DATABASE, folder / DATABASE)
    require_whole(folder / DATABASE)
    # After the database: a newer ring file opens an older database, the other way round a key may be missing.
    for name, source in {
        RING_FILE: home / RING_FILE,
        CERTIFICATE: home / CERTIFICATE,
        _SETTINGS: settings.file,
        _ROOT: settings.path(settings.root),
    }.items():
        if source.is_file():
            write_durably(folder / name, source.read_bytes())
    files = {path.name: _digest(path) for path in sorted(folder.iterdir())}
    backup = Backup(participant=settings.participant, made_at=made_at, version=version, ends_at=ends_at, files=files)
    plain: dict[str, Any] = {name: getattr(backup, name) for name in Backup.__dataclass_fields__}
    plain[_MAC] = manifest_mac(plain, keys.derived(_LABEL)[keys.newest])
    # Last: a copy that was interrupted says nothing of itself, and is refused.
    write_durably(folder / _MANIFEST, json.dumps(plain, indent=1).encode("ascii"))
    return backup


def _changed(name: str, folder: Path) -> DatabaseError:
    return DatabaseError(f"{name} in {folder.name} is not what was backed up: take another backup")


def _is_authentic(found: Mapping[str, Any], given: bytes, keys: RingKeys) -> bool:
    # Every generation that is left: a backup that was made before keys were wrapped anew is a backup.
    expected = [manifest_mac(found, key).encode("ascii") for key in keys.derived(_LABEL).values()]
    return any(hmac.compare_digest(each, given) for each in expected)


def _copy_database(source: Path, target: Path) -> tuple[int, int]:
    """Copy a database that others write to, as it is at this moment; return its version and when it ends."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY))
    database = Database(source)
    try:
        connection = database.connection
        # One snapshot for all steps: in a write-ahead log whoever reads holds up no writer, and what is written meanwhile
        # does not make the copy begin again.
        connection.execute("BEGIN")
        version, ends_at = database.version, Letterbook(database).ends_at
        with closing(sqlite3.connect(target, isolation_level=None)) as copy:
            connection.backup(copy, pages=_PAGES_AT_ONCE)
        connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise DatabaseError(f"{source.name} cannot be copied: {error}") from error
    finally:
        database.close()
    return version, ends_at


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
