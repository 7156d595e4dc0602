"""Joining an exchange that is there already: a folder with new keys and a request, and the first certificate put in place.

Decides what has to agree before anything is made or written; who is admitted is for the registrar. The next certificates go
the way of ``rotation``.
Source: design.md section 9, "How a participant is born".
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError

from services.channel.embedded import EmbeddedChannel
from services.post.building import make_folder, milliseconds, write_settings
from services.post.console import say
from services.post.ring import write_durably
from services.post.settings import KafkaSettings, ParticipantSettings
from services.post.signing_folder import load_key
from services.wire.certificates import SEAL_POLICY_OID, Certificate, load_root, verify_path
from services.wire.channels import Role
from services.wire.errors import CertificateError, RefusedError, SettingsError
from services.wire.issuing import make_request, read_request

__all__ = ["REQUEST", "install_first", "join_exchange", "log_of", "next_steps", "require_names", "say_joined"]

REQUEST: Final = "request.pem"
_CERTIFICATE: Final = "certificate.pem"
# ETSI EN 319 412-1, 5.1.4: three letters of the register, two of the country, a hyphen, the number there.
_ORGANISATION: Final = re.compile(r"[A-Z]{3}[A-Z]{2}-[0-9A-Za-z.-]{1,60}")
_NAME_LIMIT: Final = 64


def require_names(organisation: str, name: str) -> None:
    """Check what a certificate is to say of an organisation: its identifier and its name.

    Raises: SettingsError that names the field and what would be right.
    """
    if _ORGANISATION.fullmatch(organisation) is None:
        raise SettingsError("organisation is no organizationIdentifier; write NTRLV- and the eleven digits of the register")
    if not name.strip() or len(name) > _NAME_LIMIT or not name.isprintable():
        raise SettingsError(f"name is no organisation's name; write one line of 1 to {_NAME_LIMIT} characters")


def log_of(log: Path | None, servers: str | None, authority: Path | None, certificate: Path | None) -> Path | KafkaSettings:
    """Return what a command says of the log: a file, or how its brokers are reached.

    Raises: SettingsError if it says both, neither, or what does not fit.
    """
    if (log is None) == (servers is None):
        raise SettingsError("give either --log, the path of a file, or --servers, the addresses of brokers")
    if log is not None:
        return log
    try:
        return KafkaSettings(servers=servers or "", authority=authority, certificate=certificate)
    except ValidationError as error:
        said = error.errors(include_input=False, include_url=False)[0]
        raise SettingsError(f"--{said['loc'][-1] if said['loc'] else 'authority'}: {said['msg']}") from None


def join_exchange(
    folder: Path, participant: str, *, log: Path | KafkaSettings, root: Path, organisation: str, name: str
) -> bytes:
    """Make a participant's folder for an exchange that is there, and return its certificate request (PKCS#10 in PEM).

    The request stays in the folder too: it says for which organisation the first certificate has to be.
    Raises: SettingsError, CertificateError or ChannelUnavailableError for what does not fit; nothing is made then.
    """
    require_names(organisation, name)
    try:
        load_root(root.read_bytes())
    except OSError as error:
        raise SettingsError(f"{root.name} cannot be read: {error.strerror}") from error
    # A worker would make a log that is not there: a wrong path has to be told now. Brokers are known when the first certificate
    # for them is there.
    if isinstance(log, Path):
        EmbeddedChannel(log, clock=milliseconds, read_only=True).close()
    if (folder / REQUEST).exists() and (folder / "sarakste.toml").exists():
        raise SettingsError(f"{folder.name} is a participant's folder already; its {REQUEST} is what the registrar needs")
    key = make_folder(folder)
    request = make_request(key, organisation=organisation, name=name)
    write_durably(folder / REQUEST, request)
    write_settings(folder, participant, log=_seen(folder, log), root=_seen_from(folder, root))
    return request


def install_first(settings: ParticipantSettings, pem: bytes) -> Certificate:
    """Put a participant's first certificate in place; from then on its worker can sign.

    Raises: CertificateError if it is none of this exchange's; RefusedError if it is for another key or organisation than was
    asked for, or there is one already.
    """
    folder = settings.folder
    if (folder / _CERTIFICATE).exists():
        raise RefusedError("There is a certificate here already. The next one is asked for and put in place by `rotate`.")
    try:
        root, request = settings.path(settings.root).read_bytes(), (folder / REQUEST).read_bytes()
    except OSError as error:
        raise SettingsError(f"{Path(error.filename).name} cannot be read: {error.strerror}") from error
    leaf = verify_path(_ders(pem), load_root(root), policy=SEAL_POLICY_OID)
    if load_key(folder / "signing.key").public_key().public_numbers() != leaf.public_key.public_numbers():
        raise RefusedError("This certificate is for another key. Give the one that was made for request.pem in this folder.")
    if leaf.organisation != read_request(request).organisation:
        raise RefusedError("This certificate is another organisation's. Give the one that was made for request.pem here.")
    write_durably(folder / _CERTIFICATE, pem)
    return leaf


def next_steps(folder: Path, participant: str, role: Role, *, request: Path, organisation: str, name: str) -> list[str]:
    """Return the commands that follow, in their order; the first two are the registrar's."""
    group, settings = f"sarakste {role.value.lower()}", shlex.quote(str(folder / "sarakste.toml"))
    return [
        f"sarakste registrar issue {shlex.quote(str(request))} certificate.pem",
        f"sarakste registrar admit {participant} {role.value} {organisation} {shlex.quote(name)}",
        f"{group} certificate certificate.pem --config {settings}",
        f"{group} worker --config {settings}",
    ]


def say_joined(folder: Path, participant: str, steps: Sequence[str], *, as_json: bool) -> None:
    """Say that a participant's folder is made, and the commands that follow."""
    text = f"{folder.name}: {participant} is made, with its keys and request.pem. What follows (1 and 2 are the registrar's):"
    lines = (f"  {number}. {step}" for number, step in enumerate(steps, start=1))
    say("\n".join((text, *lines)), as_json=as_json, participant=participant, made=folder.name, next=steps)


def _seen(folder: Path, log: Path | KafkaSettings) -> Path | KafkaSettings:
    if isinstance(log, Path):
        return Path(_seen_from(folder, log))
    files = {name: getattr(log, name) for name in ("authority", "certificate")}
    return log.model_copy(update={name: Path(_seen_from(folder, path)) for name, path in files.items() if path is not None})


def _seen_from(folder: Path, path: Path) -> str:
    return str(path) if path.is_absolute() else os.path.relpath(path.resolve(), folder.resolve())


def _ders(pem: bytes) -> tuple[bytes, ...]:
    try:
        return tuple(each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise CertificateError("this file holds no certificate in PEM") from error
