"""Restoring: a backup, or an empty database, is put in the place of what was lost; the worker's next start does the rest.

Decides what has to fit before anything is touched, and lets nobody decide anything in the meantime. What stood there before
is set aside and never deleted. What comes back from the log, and how, is for ``returning``.
Source: design.md sections 6 and 7.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from services.post.backing_up import CERTIFICATE, DATABASE, RING_FILE, RING_KEY, Backup, backed_up, read_backup, require_backed_up
from services.post.database import Database, migrations
from services.post.keys import KeyRing
from services.post.lease import lease
from services.post.letterbook import Letterbook
from services.post.lost_keys import KEYS_LOST
from services.post.ring import RingKeys, unwrap, write_durably
from services.post.ring_file import RingFile
from services.post.settings import ParticipantSettings
from services.wire.errors import DatabaseBusyError, DatabaseError, MigrationError, RingError, TransportError

__all__ = ["Restored", "restore"]

_DRAFT: Final = ".database.sqlite.restored"
_OWNER_ONLY: Final = 0o600
_OWNER_ONLY_FOLDER: Final = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did; ``ends_at`` is when the newest own entry of the database was signed (0: it is empty).

    ``ring_file`` is ``kept``, ``from the backup`` or ``none``; ``set_aside`` the folder that holds what stood there before.
    """

    participant: str
    ends_at: int
    ring_file: str
    has_new_ring_key: bool
    set_aside: str | None


@dataclass(slots=True)
class _Ring:
    """What becomes of ring key and ring file; ``aside`` names those that go."""

    keys: RingKeys | None
    file: str = "none"
    aside: tuple[str, ...] = ()


def restore(settings: ParticipantSettings, source: Path | None, *, keys_lost: bool = False, clock: Callable[[], int]) -> Restored:
    """Put a backup in a participant's folder (None: an empty database, to be filled from the log), under the worker's lease.

    The ring file that is there stays: it is the newest. ``keys_lost`` is a person's word that no better ring key or ring file
    will come; without it a start stops where an own entry does not open.
    Raises: LeaseError while a worker is active; SettingsError for a backup of somebody else or of nothing; DatabaseError if it
    is damaged; MigrationError if it is of a newer release; RingError if ring key and keys do not belong together;
    DatabaseBusyError if somebody acts at this moment. Nothing is touched then.
    """
    home = settings.folder
    with lease(home / "database.lease"):
        backup = None if source is None else _fitting(settings, source)
        taken = {} if source is None or backup is None else _beside_the_database(source, backup)
        draft = home / _DRAFT
        try:
            now = clock()
            _make_draft(draft, source, backup, now, keys_lost=keys_lost)
            ring = _ring(home, draft, source, taken, keys_lost=keys_lost)
            return _put_in_place(settings, taken, ring, now)
        except OSError as error:
            raise DatabaseError(f"{home.name} cannot be written: {error.strerror}") from error
        finally:
            _remove(draft)


def _fitting(settings: ParticipantSettings, source: Path) -> Backup:
    key = settings.folder / RING_KEY
    if not key.exists():
        raise _no_ring_key(settings.folder)
    backup = read_backup(source, RingKeys.load(key), settings.participant)
    if backup.version > migrations()[-1][0]:
        raise MigrationError(f"{source.name} was made by a newer program (version {backup.version}): update this one first")
    return backup


def _beside_the_database(source: Path, backup: Backup) -> dict[str, bytes]:
    """Return what else is taken out of a backup, as it was when it was found to be what was backed up."""
    found = {name: backed_up(backup, name, source) for name in (RING_FILE, CERTIFICATE)}
    return {name: content for name, content in found.items() if content is not None}


def _no_ring_key(home: Path) -> RingError:
    advice = "if it is lost for good, no backup opens any more: give --from-log --keys-lost"
    return RingError(f"there is no {RING_KEY} in {home.name}: bring its copy from where it is kept; {advice}")


def _make_draft(draft: Path, source: Path | None, backup: Backup | None, now: int, *, keys_lost: bool) -> None:
    """Make the database that will stand there, with word in it that nothing is decided before a start is over."""
    _remove(draft)
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY))
    if source is not None and backup is not None:
        shutil.copyfile(source / DATABASE, draft)
        # What was copied, not what was looked at before: others may write where a backup lies.
        require_backed_up(backup, DATABASE, draft)
    database = Database(draft)
    try:
        if source is None:
            database.migrate()
        with database.transaction():
            # An act on a database that is behind would give a case two histories, also where no ring file knows better.
            database.run("INSERT OR IGNORE INTO said VALUES ('starting', ?)", now)
            if keys_lost:
                database.run("INSERT OR IGNORE INTO said VALUES (?, ?)", KEYS_LOST, now)
    finally:
        database.close()


def _ring(home: Path, draft: Path, source: Path | None, taken: Mapping[str, bytes], *, keys_lost: bool) -> _Ring:
    """Find out which ring key and ring file go with the draft.

    Raises: RingError if they do not belong together and nobody said that they are lost.
    """
    key = home / RING_KEY
    if not key.exists() and not (keys_lost and source is None):
        raise _no_ring_key(home)
    if not key.exists():
        return _Ring(None, aside=(RING_FILE,))
    keys = RingKeys.load(key)
    found = _Ring(keys, "kept" if (home / RING_FILE).exists() else "none")
    try:
        file = RingFile.load(home / RING_FILE)
    except RingError:
        if source is None and not keys_lost:
            raise
        file, found = RingFile(home / RING_FILE), _Ring(keys, aside=(RING_FILE,))
    if found.file == "none" and source is not None and RING_FILE in taken:
        file, found.file = RingFile.load(source / RING_FILE), "from the backup"
    database = Database(draft)
    try:
        rows = [*file.keys, *KeyRing(database, keys, lambda: 0, os.urandom).rows()]
    finally:
        database.close()
    wrapped = [row for row in rows if row.wrapped is not None]
    if not wrapped or any(unwrap(keys, row) is not None for row in wrapped):
        return found
    if keys_lost and source is None:
        return _Ring(None, aside=(RING_KEY, RING_FILE))
    raise RingError(f"no key of the ring opens under the {RING_KEY} in {home.name}: it is another participant's or an old one")


def _put_in_place(settings: ParticipantSettings, taken: Mapping[str, bytes], ring: _Ring, now: int) -> Restored:
    home, draft = settings.folder, settings.folder / _DRAFT
    _retire(settings, now)
    names = [*(f"{DATABASE}{suffix}" for suffix in ("", "-wal", "-shm")), *ring.aside]
    aside = _set_aside(home, names, now)
    if ring.keys is None:
        RingKeys.create(home / RING_KEY, os.urandom)
    for name, content in taken.items():
        if not (home / name).exists():
            write_durably(home / name, content)
    database = Database(draft)
    ends_at = Letterbook(database).ends_at
    database.close()
    draft.replace(home / DATABASE)
    _sync(home)
    return Restored(
        participant=settings.participant,
        ends_at=ends_at,
        ring_file=ring.file,
        has_new_ring_key=ring.keys is None,
        set_aside=aside,
    )


def _retire(settings: ParticipantSettings, now: int) -> None:
    """Let nobody who has the old database open save anything more in it: it would lie in a file that nobody looks at."""
    path = settings.folder / DATABASE
    if not path.exists():
        return
    try:
        database = Database(path, busy_timeout_seconds=settings.busy_timeout_seconds)
    except DatabaseBusyError:
        raise
    except TransportError:
        return  # damaged: nobody saves anything there
    try:
        database.run("INSERT OR IGNORE INTO said VALUES ('starting', ?)", now)
    except DatabaseBusyError:
        raise
    except TransportError:
        return
    finally:
        database.close()


def _set_aside(home: Path, names: Sequence[str], now: int) -> str | None:
    there = [home / name for name in names if (home / name).exists()]
    if not there:
        return None
    stamp = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = home / f"replaced-{stamp}"
    aside.mkdir(mode=_OWNER_ONLY_FOLDER)
    for path in there:
        path.replace(aside / path.name)
    return aside.name


def _remove(draft: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        draft.with_name(f"{draft.name}{suffix}").unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
