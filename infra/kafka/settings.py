"""The settings of a broker: TLS with client certificates on both listeners, rights, and nothing that is allowed by itself.

Where brokers run is for others: on one machine for development and tests, or in containers.
Source: docs/cluster.md.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["ADMIN", "BROKER", "Addresses", "Places", "Way", "broker_settings", "random_id"]

ADMIN: Final = "admin"
"""The client that may do everything: who provisions."""

BROKER: Final = "broker"
"""Who a broker is to the other brokers."""

_COPIES: Final = 3
_SETTINGS: Final = """\
process.roles=broker,controller
node.id={node}
controller.quorum.bootstrap.servers={controllers}
listeners=CLIENTS://{clients},CONTROLLER://{controller}{way}
advertised.listeners=CLIENTS://{clients},CONTROLLER://{controller}{advertised_way}
inter.broker.listener.name=CLIENTS
controller.listener.names=CONTROLLER
listener.security.protocol.map=CLIENTS:SSL,CONTROLLER:SSL,WAY:SSL
ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location={certificate}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
ssl.principal.mapping.rules=RULE:^CN=([a-z0-9.-]+)$/$1/,DEFAULT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{broker};User:{admin}
allow.everyone.if.no.acl.found=false
log.dirs={data}
auto.create.topics.enable=false
unclean.leader.election.enable=false
default.replication.factor={copies}
offsets.topic.replication.factor={copies}
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr=1
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
broker.session.timeout.ms={session}
broker.heartbeat.interval.ms={heartbeat}
"""


class Way(NamedTuple):
    """Where a broker takes those who come by way of something else, and where that is: they are told of no other address."""

    taken_at: str
    told: str


class Addresses(NamedTuple):
    """Where a broker is found, as host:port: by clients and other brokers, by controllers, and by way of something else."""

    clients: str
    controller: str
    way: Way | None = None


class Places(NamedTuple):
    """The folder of a broker's data, the file of its key and certificate, and that of the authority it trusts."""

    data: Path
    certificate: Path
    authority: Path


def broker_settings(node: int, addresses: Addresses, places: Places, *, controllers: Sequence[str], quick: bool = False) -> str:
    """Return the file of settings of one broker among those whose ``controllers`` are given.

    A ``quick`` one, for tests, notices in a second that another is gone.
    """
    return _SETTINGS.format(
        node=node,
        controllers=",".join(controllers),
        clients=addresses.clients,
        controller=addresses.controller,
        way=f",WAY://{addresses.way.taken_at}" if addresses.way else "",
        advertised_way=f",WAY://{addresses.way.told}" if addresses.way else "",
        certificate=places.certificate,
        authority=places.authority,
        broker=BROKER,
        admin=ADMIN,
        data=places.data,
        copies=min(_COPIES, len(controllers)),
        session=1000 if quick else 9000,
        heartbeat=200 if quick else 2000,
    )


def random_id() -> str:
    """Return 16 random bytes as Kafka writes them; one that began with a hyphen would be taken for an option."""
    while (found := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return found
