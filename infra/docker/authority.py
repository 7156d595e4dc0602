"""The authority of the cluster in containers, and the folder of each broker: certificate, settings, and who the others are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from infra.kafka.settings import ADMIN, BROKER, Addresses, Places, broker_settings, random_id
from services.channel.kafka_certificates import Authority
from services.post.ring import write_durably
from services.wire.errors import SettingsError

__all__ = ["AUTHORITY", "SHARED", "client_certificate", "make_authority"]

AUTHORITY: Final = "authority"
"""The folder of what no service that runs may see: the keys of the authority, of the administrator, of the root."""

SHARED: Final = "shared"
"""The folder of what everybody may see: whom to trust."""

_RENEWED: Final = timedelta(days=60)
_CLIENT: Final = """\
security.protocol=SSL
ssl.keystore.type=PEM
ssl.keystore.location={certificate}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
request.timeout.ms=5000
default.api.timeout.ms=10000
"""


def make_authority(folder: Path, servers: Sequence[str]) -> None:
    """Make the authority, the administrator's certificate, and a folder a broker; what is there and lasts is kept.

    ``servers`` are host:port of each broker in their order; its controller listens one port further.
    Raises: SettingsError if the cluster was begun with another number of brokers.
    """
    authority = Authority.of(folder / AUTHORITY)
    shared = folder / SHARED
    shared.mkdir(exist_ok=True)
    shutil.copyfile(authority.certificate, shared / "ca.pem")
    client_certificate(authority, ADMIN, authority.folder / f"{ADMIN}.pem")
    addresses = [_addresses(each) for each in servers]
    identity, voters = _identity(authority.folder / "cluster.json", addresses)
    for node, each in enumerate(addresses, start=1):
        home = folder / f"broker-{node}"
        home.mkdir(exist_ok=True)
        places = Places(data=home / "data", certificate=home / "tls.pem", authority=home / "ca.pem")
        shutil.copyfile(authority.certificate, places.authority)
        client_certificate(authority, BROKER, places.certificate, hosts=(each.clients.rpartition(":")[0], "localhost"))
        controllers = [other.controller for other in addresses]
        write_durably(home / "server.properties", broker_settings(node, each, places, controllers=controllers).encode())
        write_durably(
            home / "client.properties",
            _CLIENT.format(certificate=places.certificate, authority=places.authority).encode(),
        )
        write_durably(home / "cluster-id", identity.encode())
        write_durably(home / "voters", voters.encode())


def client_certificate(authority: Authority, name: str, path: Path, *, hosts: Sequence[str] = ()) -> None:
    """Put a key and a certificate at ``path``, unless one is there that does not end within 60 days."""
    if _lasts(path):
        return
    made = authority.issue(name, hosts=hosts)
    if made != path:
        # The authority writes into its own folder; nobody else's key stays there.
        write_durably(path, made.read_bytes())
        made.unlink()


def _addresses(server: str) -> Addresses:
    host, _, port = server.rpartition(":")
    if not host or not port.isdecimal():
        raise SettingsError(f"{server} is no broker; write host:port")
    return Addresses(clients=server, controller=f"{host}:{int(port) + 1}")


def _identity(file: Path, addresses: Sequence[Addresses]) -> tuple[str, str]:
    """Return the cluster's id and its voters as the formatting of a broker's folder wants them; both are made once."""
    if not file.exists():
        made = {"id": random_id(), "directories": [random_id() for _ in addresses]}
        write_durably(file, json.dumps(made).encode())
    kept = json.loads(file.read_bytes())
    if len(kept["directories"]) != len(addresses):
        raise SettingsError(f"this cluster was begun with {len(kept['directories'])} brokers, and {len(addresses)} are given")
    named = zip(addresses, kept["directories"], strict=True)
    return kept["id"], ",".join(f"{node}@{each.controller}:{directory}" for node, (each, directory) in enumerate(named, start=1))


def _lasts(path: Path) -> bool:
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return False
    return found.not_valid_after_utc - datetime.now(UTC) > _RENEWED
