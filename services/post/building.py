"""Building an office from a participant's folder: what every ``bootstrap`` does alike, and how a folder is made.

In the folder stand ``sarakste.toml``, ``database.sqlite``, ``ring.key``, ``ring.file``, ``signing.key`` and
``certificate.pem``; the log and the root certificate are where the settings say.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from services.channel.embedded import EmbeddedChannel
from services.post.database import Database
from services.post.history import Domain
from services.post.keys import KeyRing
from services.post.office import Office, Signer
from services.post.ring import RingFile, RingKeys, write_durably
from services.post.settings import ParticipantSettings
from services.post.store import CaseStore
from services.wire.certificates import load_root, parse_leaf
from services.wire.channels import Role
from services.wire.errors import CertificateError, SettingsError

__all__ = ["Clock", "build_office", "load_key", "make_folder", "make_key", "milliseconds"]

Clock = Callable[[], int]


def milliseconds() -> int:
    """Return the time by this machine's clock, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def build_office(
    settings: ParticipantSettings, role: Role, domain: Callable[[Database], Domain], *, working: bool, clock: Clock = milliseconds
) -> Office:
    """Return a participant's office; only a working one has a key to sign with and a way to the log.

    Raises: SettingsError, RingError, DatabaseError, MigrationError, CertificateError, ChannelUnavailableError.
    """
    folder = settings.folder
    database = Database(folder / "database.sqlite", busy_timeout_seconds=settings.busy_timeout_seconds)
    database.require_current()
    ring = KeyRing(database, RingKeys.load(folder / "ring.key"), clock, os.urandom)
    root = load_root(_read(settings.path(settings.root)))
    return Office(
        participant=settings.participant,
        role=role,
        root=root,
        database=database,
        store=CaseStore(database),
        ring=ring,
        ring_file=RingFile.load(folder / "ring.file"),
        domain=domain(database),
        clock=clock,
        random=os.urandom,
        signer=_signer(folder) if working else None,
        channel=EmbeddedChannel(settings.path(settings.log), clock=clock) if working else None,
    )


def make_folder(folder: Path, participant: str, *, log: str, root: str) -> ec.EllipticCurvePrivateKey:
    """Make a participant's folder with keys, an empty database and settings; return its new signing key.

    Raises: SettingsError if there is something of a participant in it already.
    """
    if (folder / "sarakste.toml").exists():
        raise SettingsError(f"{folder.name} is a participant's folder already")
    folder.mkdir(parents=True, exist_ok=True)
    key = make_key(folder / "signing.key")
    RingKeys.create(folder / "ring.key", os.urandom)
    database = Database(folder / "database.sqlite")
    database.migrate()
    database.close()
    text = f'participant = "{participant}"\nlog = "{log}"\nroot = "{root}"\n'
    (folder / "sarakste.toml").write_text(text, "utf-8")
    return key


def make_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Make a signing key on P-256 in a file of mode 0600."""
    key = ec.generate_private_key(ec.SECP256R1())
    write_durably(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the signing key in a file.

    Raises: SettingsError if there is none, or it is not on P-256.
    """
    try:
        key = load_pem_private_key(_read(path), None)
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{path.name} holds no private key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SettingsError(f"{path.name} holds no key on the curve P-256")
    return key


def _signer(folder: Path) -> Signer:
    try:
        path = x509.load_pem_x509_certificates(_read(folder / "certificate.pem"))
    except ValueError as error:
        raise CertificateError("certificate.pem holds no certificate") from error
    ders = tuple(each.public_bytes(Encoding.DER) for each in path)
    return Signer(key=load_key(folder / "signing.key"), certificate=parse_leaf(ders[0]), path=ders)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path.name} cannot be read: {error.strerror}") from error
