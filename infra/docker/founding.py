"""Founding an exchange for containers: the steps by which anybody joins one, each done once, and the brokers provisioned.

The folder of a service is mounted by that service alone. The root's key ends beside the authority's, where nothing that runs
sees it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from infra.docker.authority import AUTHORITY, SHARED, client_certificate
from infra.kafka.settings import ADMIN
from services.auditor.bootstrap import join as join_as_auditor
from services.channel.kafka_certificates import Authority
from services.commission.bootstrap import join as join_as_commission
from services.post.joining import REQUEST, install_first
from services.post.ring import write_durably
from services.post.settings import KafkaSettings, load_settings
from services.registrar import bootstrap
from services.registrar.application import Registrar
from services.school.bootstrap import join as join_as_school
from services.wire.channels import COMMISSION, REGISTRAR, Role
from services.wire.errors import VerificationError
from services.wire.issuing import read_request

__all__ = ["School", "found_exchange", "provisioned"]

_REGISTRAR: Final = ("NTRLV-90000000009", "Paraugpilsētas sarakstes reģistrs")
_COMMISSION: Final = ("NTRLV-90000000008", "Valsts medicīnas komisija")
_AUDITOR: Final = ("auditor-1", "NTRLV-90000000007", "Paraugpilsētas revīzija")
_ROOT_KEY, _SETTINGS, _TLS = "root.key", "sarakste.toml", "tls.pem"
_APPROVES: Final = b'approve_auditors = "always"\n'
"""What school and commission say of auditors here: whom the registrar admits is let in, where nobody refused it."""


class School(NamedTuple):
    """A school: its ten digits, its organizationIdentifier, its name."""

    number: str
    organisation: str
    name: str


@dataclass(frozen=True, slots=True)
class _Founding:
    folder: Path
    servers: str

    @property
    def exchange(self) -> Path:
        """The folder above the registrar's own, where the root certificate is made."""
        return self.folder / REGISTRAR

    @property
    def registrar(self) -> Path:
        return self.exchange / REGISTRAR

    @property
    def root(self) -> Path:
        """The root certificate as everybody sees it."""
        return self.folder / SHARED / "root.pem"

    def way(self, home: Path, name: str) -> KafkaSettings:
        """Return how somebody reaches the brokers, with a certificate in the own folder that lasts."""
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        client_certificate(Authority(self.folder / AUTHORITY), name, home / _TLS)
        return KafkaSettings(servers=self.servers, authority=self.folder / SHARED / "ca.pem", certificate=home / _TLS)

    def begin(self, log: KafkaSettings) -> None:
        """Make the root and the registrar, and give everybody the root's certificate."""
        if not ((self.registrar / _SETTINGS).exists() and self.opened().is_open):
            organisation, name = _REGISTRAR
            made = bootstrap.found(self.exchange, organisation=organisation, name=name, log=log)
            if made.office.channel is not None:
                made.office.channel.close()
            made.office.database.close()
        write_durably(self.root, (self.exchange / "root.pem").read_bytes())

    def opened(self) -> Registrar:
        return bootstrap.build(self.registrar / _SETTINGS, working=False)

    def certify(self, home: Path) -> None:
        """Issue the first certificate of somebody who joined, unless it is there."""
        if not (home / "certificate.pem").exists():
            request = read_request((home / REQUEST).read_bytes())
            install_first(load_settings(home / _SETTINGS), bootstrap.issue(self.registrar, request))

    def admit(self, name: str, role: Role, organisation: str, title: str) -> None:
        """Admit somebody, unless that is said or waits to be said."""
        if name not in {each.id for each in bootstrap.participants_of(self.registrar / _SETTINGS)}:
            self.opened().admit(name, role, organisation, title)


def found_exchange(folder: Path, servers: str, school: School) -> None:
    """Found an exchange of a registrar, the commission, one school and an auditor; what is there is kept.

    ``folder`` holds the folders ``authority`` and ``shared`` of the cluster, and one a participant.
    Raises: SettingsError for a school that is none; whatever a step of joining raises.
    """
    founding, homes = _Founding(folder, servers), {each: folder / each for each in ("school", COMMISSION, "auditor")}
    names = (f"school-{school.number}", COMMISSION, _AUDITOR[0])
    ways = [founding.way(home, name) for home, name in zip(homes.values(), names, strict=True)]
    way = founding.way(founding.registrar, REGISTRAR)
    # The root's key goes away last: where it has, all are there.
    kept, seen = folder / AUTHORITY / _ROOT_KEY, founding.registrar / _ROOT_KEY
    if not kept.exists():
        founding.begin(way)
        _let_join(founding, homes, ways, school)
        write_durably(kept, seen.read_bytes())
    seen.unlink(missing_ok=True)


def _let_join(founding: _Founding, homes: Mapping[str, Path], ways: Iterable[KafkaSettings], school: School) -> None:
    joins: tuple[Callable[..., object], ...] = (
        partial(join_as_school, homes["school"], school.number, organisation=school.organisation, name=school.name),
        partial(join_as_commission, homes[COMMISSION], organisation=_COMMISSION[0], name=_COMMISSION[1]),
        partial(join_as_auditor, homes["auditor"], _AUDITOR[0], organisation=_AUDITOR[1], name=_AUDITOR[2]),
    )
    for home, log, join in zip(homes.values(), ways, joins, strict=True):
        if not (home / _SETTINGS).exists():
            join(log=log, root=founding.root)
        founding.certify(home)
    for home in (homes["school"], homes[COMMISSION]):
        _approve(home / _SETTINGS)
    founding.admit(f"school-{school.number}", Role.SCHOOL, school.organisation, school.name)
    founding.admit(COMMISSION, Role.COMMISSION, *_COMMISSION)
    founding.admit(_AUDITOR[0], Role.AUDITOR, *_AUDITOR[1:])


def _approve(settings: Path) -> None:
    """Let settings say that auditors are let in, unless they say it."""
    text = settings.read_bytes()
    if _APPROVES not in text:
        # First: what stands behind a table would belong to it.
        write_durably(settings, _APPROVES + text)


def provisioned(folder: Path) -> int:
    """Give the brokers what they have to have, say what was done, and return the exit code of the command `provision`."""
    config = folder / REGISTRAR / REGISTRAR / _SETTINGS
    administrator = folder / AUTHORITY / f"{ADMIN}.pem"
    provisioning = bootstrap.provisioning_of(config, servers=None, authority=None, certificate=administrator)
    before, after = provisioning.provision()
    sys.stdout.write(f"{len(before.changes)} changes made\n")
    if before.warning:
        sys.stdout.write(f"{before.warning}\n")
    for each in () if after.is_clean else after.differences:
        sys.stderr.write(f"{each}\n")
    return 0 if after.is_clean else VerificationError.exit_code
