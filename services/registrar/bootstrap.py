"""The only place that builds and wires the registrar's objects, and where an exchange begins."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from services.post.building import Clock, build_office, make_folder, milliseconds, open_log, write_settings
from services.post.database import Database
from services.post.history import Domain
from services.post.joining import require_names
from services.post.ring import write_durably
from services.post.settings import KafkaSettings, load_settings
from services.post.signing_folder import load_key, make_key
from services.post.without_cases import WithoutCases
from services.registrar.application import Registrar
from services.registrar.cluster import Provisioning
from services.registrar.differences import Change, GrantRight, MakeTopic, SetSettings, WithdrawRight
from services.registrar.foresight import Foresight
from services.registrar.provisioning import Found, Right, Topic, wanted_for
from services.wire.certificates import REGISTRAR_POLICY_OID, SEAL_POLICY_OID, load_root
from services.wire.channels import REGISTRAR, Role
from services.wire.errors import CertificateError, SettingsError
from services.wire.issuing import Request, Validity, make_root, make_seal, pem
from services.wire.trust import Participant

if TYPE_CHECKING:
    from services.channel.kafka_admin import KafkaAdmin
    from services.channel.kafka_certificates import Issued

__all__ = [
    "FILE",
    "build",
    "copy_log",
    "domain",
    "found",
    "issue",
    "issue_clients",
    "participants_of",
    "provisioning",
    "provisioning_of",
    "read_path",
]

FILE: Final = Path("../log.sqlite")
"""Where the log is, from a participant's folder, if it is a file of the exchange's folder."""

_ROOT_YEARS: Final = 20
_SEAL_YEARS: Final = 3
_SERIAL_BYTES: Final = 16
_FOR_EVERYBODY: Final = 0o644


class _KafkaCluster:
    """The port to a cluster over the log's adapter, which knows nothing of the exchange."""

    def __init__(self, admin: KafkaAdmin) -> None:
        self._admin = admin

    def read(self) -> Found:
        state = self._admin.read()
        rights = None if state.rights is None else frozenset(Right(**asdict(each)) for each in state.rights)
        return Found(brokers=state.brokers, topics={each.name: Topic(**asdict(each)) for each in state.topics}, rights=rights)

    def apply(self, changes: Sequence[Change]) -> None:
        from services.channel.kafka_admin import RightRow, TopicRow  # noqa: PLC0415  # whoever provisions has it loaded

        # First what is too much: whatever comes after, nobody keeps what is not theirs.
        self._admin.withdraw([RightRow(**asdict(each.right)) for each in changes if isinstance(each, WithdrawRight)])
        self._admin.make([TopicRow(**asdict(each.topic)) for each in changes if isinstance(each, MakeTopic)])
        self._admin.set_settings({each.topic: each.settings for each in changes if isinstance(each, SetSettings)})
        self._admin.grant([RightRow(**asdict(each.right)) for each in changes if isinstance(each, GrantRight)])


def build(config: Path | None, *, working: bool = True, clock: Clock = milliseconds) -> Registrar:
    """Return the registrar that a settings file describes."""
    return Registrar(build_office(load_settings(config), Role.REGISTRAR, domain, working=working, clock=clock))


def domain(_: Database) -> Domain:
    """Return the registrar's rules: it has no cases."""
    return WithoutCases()


def found(
    exchange: Path, *, organisation: str, name: str, log: Path | KafkaSettings = FILE, clock: Clock = milliseconds
) -> Registrar:
    """Make root and registrar of a new exchange in its folder; the root key is needed for this and for certificates alone.

    ``log`` is what the registrar's settings are to say of the log.

    Raises: SettingsError if there is an exchange already; WithoutEffectError if organisation or name is empty.
    """
    require_names(organisation, name)
    exchange.mkdir(parents=True, exist_ok=True)
    folder = exchange / REGISTRAR
    if not (folder / "sarakste.toml").exists():
        if (exchange / "root.pem").exists() and not (folder / "root.key").exists():
            raise SettingsError(f"{exchange.name} holds an exchange already")
        _make(exchange, folder, organisation=organisation, name=name, clock=clock)
        write_settings(folder, REGISTRAR, log=log, root="../root.pem")
    registrar = build(folder / "sarakste.toml", clock=clock)
    if registrar.is_open:
        raise SettingsError(f"{exchange.name} holds an exchange already")
    # Both or nothing, and last: whoever is interrupted before begins anew with the keys that stand there.
    with registrar.office.database.transaction():
        registrar.open()
        registrar.publish_schemas()
    return registrar


def issue(folder: Path, request: Request, *, for_registrar: bool = False, clock: Clock = milliseconds) -> bytes:
    """Return the PEM of a seal certificate, made with the root key in the registrar's folder.

    ``for_registrar`` gives it the policy that alone may write ``registrar.trust``.
    """
    root = load_root((folder.parent / "root.pem").read_bytes())
    key: ec.EllipticCurvePrivateKey = load_key(folder / "root.key")
    policy = REGISTRAR_POLICY_OID if for_registrar else SEAL_POLICY_OID
    return pem(make_seal(key, root.der, request, policy=policy, validity=_validity(_SEAL_YEARS, clock)))


def provisioning(
    participants: Sequence[Participant], *, servers: str, authority: Path | None, certificate: Path | None
) -> Provisioning:
    """Return what provisions a Kafka cluster; ``certificate`` is its administrator's.

    Raises: SettingsError if a file for TLS cannot be used.
    """
    # Here: who admits or revokes does not wait for what speaks with brokers.
    from services.channel.kafka import KafkaAccess  # noqa: PLC0415
    from services.channel.kafka_admin import KafkaAdmin  # noqa: PLC0415

    if (authority is None) != (certificate is None):
        # Never without TLS by an oversight.
        raise SettingsError("give --authority and --certificate, the administrator's, or, for brokers without TLS, neither")
    access = KafkaAccess(servers=servers, authority=authority, certificate=certificate)
    access.settings(REGISTRAR)  # a wrong file is told before anything is done
    return Provisioning(cluster=_KafkaCluster(KafkaAdmin(access=access)), participants=participants, pause=time.sleep)


def provisioning_of(
    config: Path | None, *, servers: str | None, authority: Path | None, certificate: Path | None
) -> Provisioning:
    """Return what provisions the cluster that settings name, where nothing else is given, for everybody the registrar admitted.

    Raises: SettingsError if a value is missing, or a file for TLS cannot be used.
    """
    settings = load_settings(config)
    given = settings.kafka
    servers = servers or (given.servers if given else None)
    if servers is None:
        raise SettingsError("--servers is missing, and the settings have no table kafka; give the brokers as host:port")
    if authority is None and given and given.authority:
        authority = settings.path(given.authority)
    return provisioning(participants_of(config), servers=servers, authority=authority, certificate=certificate)


def participants_of(config: Path | None) -> tuple[Participant, ...]:
    """Return everybody who was ever admitted, also by what the registrar's worker has still to sign."""
    # Without the log: before a cluster is provisioned, and the registrar has its certificate for it, there is no way there.
    return tuple(Foresight(build(config, working=False).office).trust().participants.values())


def issue_clients(participants: Sequence[Participant], folder: Path, *, make_keys: bool, plan: bool) -> list[Issued]:
    """Issue the certificates with which participants reach the brokers, with the cluster's authority in a folder.

    Whoever was removed is given none any more: its reading ends with the one it has.
    Raises: SettingsError, CertificateError.
    """
    from services.channel import kafka_certificates  # noqa: PLC0415  # as above

    names = [each.id for each in participants if each.role is not Role.UNKNOWN and not each.removed]
    authority = kafka_certificates.Authority(folder)
    return kafka_certificates.issue_clients(authority, dict.fromkeys([REGISTRAR, *names]), make_keys=make_keys, plan=plan)


def copy_log(participants: Sequence[Participant], source: Path, target: Path) -> int:
    """Copy what the log of one settings file holds, and that of another lacks, and return how many records that was.

    Raises: SettingsError if a file is none, or both name the same log; TransportError.
    """
    from services.channel.copying import copy_channels  # noqa: PLC0415  # as above

    given = [load_settings(each) for each in (source, target)]
    places = [each.kafka.servers if each.kafka else str(each.path(each.log or Path()).resolve()) for each in given]
    if places[0] == places[1]:
        raise SettingsError(f"{source.name} and {target.name} name the same log")
    with ExitStack() as opened:
        read, written = (opened.enter_context(closing(open_log(each))) for each in given)
        return copy_channels(read, written, sorted(wanted_for(participants, 1).topics))


def read_path(data: bytes) -> tuple[bytes, ...]:
    """Return the certificates in a PEM file as DER, in their order: a leaf, and maybe a cross-certificate.

    Raises: CertificateError if it holds none.
    """
    try:
        return tuple(each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(data))
    except ValueError as error:
        raise CertificateError("this file holds no certificate in PEM") from error


def _make(exchange: Path, folder: Path, *, organisation: str, name: str, clock: Clock) -> None:
    """Make the registrar's folder and the root; what an interrupted making left stands as it is, the root above all."""
    key, kept, shown, seal = make_folder(folder), folder / "root.key", exchange / "root.pem", folder / "certificate.pem"
    root_key = load_key(kept) if kept.exists() else make_key(kept)
    if not shown.exists():
        write_durably(shown, pem(make_root(root_key, name=f"{name} root", validity=_validity(_ROOT_YEARS, clock))))
        shown.chmod(_FOR_EVERYBODY)
    if not seal.exists():
        root, request = (
            load_root(shown.read_bytes()).der,
            Request(public_key=key.public_key(), organisation=organisation, name=name),
        )
        made = make_seal(root_key, root, request, policy=REGISTRAR_POLICY_OID, validity=_validity(_SEAL_YEARS, clock))
        write_durably(seal, pem(made))


def _validity(years: int, clock: Clock) -> Validity:
    now = datetime.fromtimestamp(clock() // 1000, UTC)
    serial = int.from_bytes(os.urandom(_SERIAL_BYTES), "big") >> 1
    return Validity(serial=serial, not_before=now, not_after=now + timedelta(days=365 * years))
