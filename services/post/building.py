"""Building an office from a participant's folder: what every ``bootstrap`` does alike, and how a folder is made.

In the folder stand ``sarakste.toml``, ``database.sqlite``, ``ring.key``, ``ring.file``, ``signing.key`` and
``certificate.pem``; the log and the root certificate are where the settings say.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from services.channel.embedded import EmbeddedChannel
from services.channel.port import Channel
from services.channel.reading_only import ReadingOnly
from services.post.beside import InThread, in_turn
from services.post.database import Database
from services.post.history import Domain
from services.post.keys import KeyRing
from services.post.office import Office
from services.post.ring import RingKeys, write_durably
from services.post.ring_file import RingFile
from services.post.settings import KafkaSettings, ParticipantSettings
from services.post.signing_folder import SigningFolder, load_key, make_key
from services.post.store import CaseStore
from services.post.waking import WAKE, wake
from services.wire.certificates import load_root
from services.wire.channels import COMMISSION, REGISTRAR, Role
from services.wire.errors import MigrationError, SettingsError

__all__ = [
    "Clock",
    "ReadingKeys",
    "add_settings",
    "build_office",
    "facts_keys_of",
    "make_folder",
    "milliseconds",
    "open_log",
    "reading_keys_of",
    "write_settings",
]

_SETTINGS: Final = "sarakste.toml"

Clock = Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingKeys:
    """What a participant reads with: facts keys, keys of cases, and the ids of those that it erased."""

    facts: tuple[bytes, ...]
    cases: tuple[bytes, ...]
    erased: tuple[bytes, ...]


def milliseconds() -> int:
    """Return the time by this machine's clock, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def build_office(
    settings: ParticipantSettings,
    role: Role,
    domain: Callable[[Database], Domain],
    *,
    working: bool,
    clock: Clock = milliseconds,
    elsewhere: Path | None = None,
) -> Office:
    """Return a participant's office; only a working one has a key to sign with and a way to the log.

    One with its database and its ring file in the folder ``elsewhere``, empty at first, reads the log and takes nothing there.

    Raises: SettingsError (also for the settings of another role's participant), RingError, DatabaseError, MigrationError,
    CertificateError, ChannelUnavailableError.
    """
    _require_role(settings.participant, role)
    folder = settings.folder
    if elsewhere is None:
        database = _database(settings)
        database.require_current()
        # Also of one that works: not all that works is the worker, which listens and tells itself nothing.
        database.tell(partial(wake, folder / WAKE))
    else:
        database = Database(elsewhere / "database.sqlite")
        database.migrate()
    ring = KeyRing(database, RingKeys.load(folder / "ring.key"), clock, os.urandom)
    root = load_root(_read(settings.path(settings.root)))
    return Office(
        participant=settings.participant,
        role=role,
        root=root,
        database=database,
        store=CaseStore(database),
        ring=ring,
        ring_file=RingFile.load((elsewhere or folder) / "ring.file"),
        domain=domain(database),
        clock=clock,
        random=os.urandom,
        signing=_signing(folder) if working and elsewhere is None else None,
        channel=_way(settings, clock, is_only_read=elsewhere is not None) if working else None,
        clerk=settings.clerk,
        approves_auditors=settings.approve_auditors == "always",
        beside=InThread() if working else in_turn,
    )


def _way(settings: ParticipantSettings, clock: Clock, *, is_only_read: bool) -> Channel:
    log = open_log(settings, clock)
    return ReadingOnly(log) if is_only_read else log


def open_log(settings: ParticipantSettings, clock: Clock = milliseconds) -> Channel:
    """Return the log that settings name: a file, or brokers, which are not asked for anything yet.

    Raises: ChannelUnavailableError if the file is no log; SettingsError if a file for TLS cannot be used.
    """
    if settings.kafka is None:
        # One of both is there: the settings say so.
        return EmbeddedChannel(settings.path(settings.log or Path()), clock=clock)
    # Here: whoever has no brokers does not wait for what speaks with them.
    from services.channel.kafka import KafkaAccess, KafkaChannel  # noqa: PLC0415

    given = settings.kafka
    access = KafkaAccess(
        servers=given.servers,
        authority=settings.path(given.authority) if given.authority else None,
        certificate=settings.path(given.certificate) if given.certificate else None,
    )
    return KafkaChannel(access, client=settings.participant)


def facts_keys_of(settings: ParticipantSettings) -> tuple[bytes, ...]:
    """Return the facts keys that a participant holds, whatever its role; its database is closed again.

    Raises: SettingsError, RingError, DatabaseError, MigrationError.
    """
    return reading_keys_of(settings).facts


def reading_keys_of(settings: ParticipantSettings, *, with_cases: bool = False) -> ReadingKeys:
    """Return what a participant reads with, whatever its role: the keys of its cases only ``with_cases``; errors as above."""
    with closing(_database(settings)) as database:
        database.require_current()
        ring = KeyRing(database, RingKeys.load(settings.folder / "ring.key"), milliseconds, os.urandom)
        return ReadingKeys(facts=ring.facts_keys(), cases=ring.case_keys() if with_cases else (), erased=ring.erased())


def make_folder(folder: Path) -> ec.EllipticCurvePrivateKey:
    """Make a participant's keys and its empty database in a folder; return its signing key.

    It is a participant's folder once ``write_settings`` was called. A key that stands there, because this was interrupted
    before, is kept: no key is ever written over.
    Raises: SettingsError if there is something of a participant in it already, or what stands there is no key.
    """
    if (folder / _SETTINGS).exists():
        raise SettingsError(f"{folder.name} is a participant's folder already")
    # States and times of cases stand in the database in clear. Who works for a participant is its owner here, as with the keys.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signing, ring = folder / "signing.key", folder / "ring.key"
    key = load_key(signing) if signing.exists() else make_key(signing)
    if not ring.exists():
        RingKeys.create(ring, os.urandom)
    database = Database(folder / "database.sqlite")
    database.migrate()
    database.close()
    return key


def write_settings(folder: Path, participant: str, *, root: str, log: Path | KafkaSettings) -> None:
    """Write the settings of a participant into its folder: the last thing of its making, so that half a folder is none."""
    values = {"participant": participant, "root": root} | ({"log": str(log)} if isinstance(log, Path) else {})
    text = _lines(values)
    if isinstance(log, KafkaSettings):
        text += "\n[kafka]\n" + _lines(log.model_dump(mode="json", exclude_none=True))
    write_durably(folder / _SETTINGS, text.encode("utf-8"))


def add_settings(folder: Path, table: str, values: Mapping[str, str | bool]) -> None:
    """Add a table to the settings of a participant; there MUST NOT be one of that name yet."""
    path = folder / _SETTINGS
    write_durably(path, path.read_bytes() + f"\n[{table}]\n{_lines(values)}".encode())


def _lines(values: Mapping[str, str | bool]) -> str:
    # JSON's strings, true and false are TOML's too, so a path may hold what it likes.
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items())


def _database(settings: ParticipantSettings) -> Database:
    path = settings.folder / "database.sqlite"
    if not path.exists():
        # Opening would make an empty one, in which nobody has any case.
        raise MigrationError(
            f"{path.name} is not in {settings.folder}: put a backup back with the command restore; without one, migrate makes an"
            " empty database, and the worker's start takes back what the log holds"
        )
    return Database(path, busy_timeout_seconds=settings.busy_timeout_seconds)


def _require_role(participant: str, role: Role) -> None:
    """Refuse the settings of a participant of another role.

    What a channel may hold follows from its name: a school's rules over the commission's folder would sign, for ever, what
    no reader can take.
    """
    found = _role_of(participant)
    if found is role:
        return
    ids = "its id is school- and a number, commission, registrar or auditor-"
    right = f"use `sarakste {found.value.lower()}`" if found else ids
    asked = f"`sarakste {role.value.lower()}`"
    raise SettingsError(
        f"these settings are those of {participant} (participant, or SARAKSTE_PARTICIPANT), which {asked} is not for; {right}, or"
        " give other settings"
    )


def _role_of(participant: str) -> Role | None:
    if participant in (COMMISSION, REGISTRAR):
        return Role.COMMISSION if participant == COMMISSION else Role.REGISTRAR
    kind, hyphen, _ = participant.partition("-")
    return {"school": Role.SCHOOL, "auditor": Role.AUDITOR}.get(kind) if hyphen else None


def _signing(folder: Path) -> SigningFolder:
    found = SigningFolder(folder)
    found()  # a participant that cannot sign is told at once, not when the first entry waits
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path.name} cannot be read: {error.strerror}") from error
