"""An exchange of one school and the commission over real brokers, each participant with its own certificate and rights."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final
from uuid import UUID

from infra.kafka.cluster import ADMIN, Cluster
from services.channel.kafka import KafkaAccess
from services.channel.kafka_admin import KafkaAdmin
from services.channel.port import Channel
from services.registrar.bootstrap import provisioning
from services.wire.channels import COMMISSION, Role, commission_case, record_of, to_commission
from services.wire.errors import ChannelUnavailableError
from services.wire.hashing import Digest
from services.wire.trust import Participant
from tests.brokers import Bench
from tests.chains import SCHOOL, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Exchange, Member
from tests.troubles import settled

__all__ = [
    "PATIENCE",
    "PATIENCE_SECONDS",
    "BrokerExchange",
    "access",
    "at_commission",
    "begun",
    "clear",
    "founded",
    "provision",
    "spread",
    "waits",
    "work_on",
    "worked",
]

HOUR: Final = 3_600_000
PATIENCE: Final = 20
"""So often everybody works again before something is given up."""
TRIES: Final = 20

PATIENCE_SECONDS: Final = 3.0
PARTICIPANTS: Final = (
    Participant(id=SCHOOL, role=Role.SCHOOL, organisation="NTRLV-90000000001", name=SCHOOL, admitted=Digest(bytes(32))),
    Participant(
        id=COMMISSION, role=Role.COMMISSION, organisation=COMMISSION_ORGANISATION, name=COMMISSION, admitted=Digest(bytes(32))
    ),
)


class BrokerExchange(Exchange):
    """The exchange of one school and the commission over a cluster: whoever looks from outside is its administrator."""

    bench: Bench

    def opened_log(self) -> Channel:
        opened: Channel = self.bench.open(ADMIN, timeout_seconds=PATIENCE_SECONDS)
        return opened

    def enter(self, name: str, role: Role, seal: object) -> Member:
        member = super().enter(name, role, seal)  # type: ignore[arg-type]  # handed through
        member.office.channel = self.bench.open(name, timeout_seconds=PATIENCE_SECONDS)
        return member


def access(cluster: Cluster) -> KafkaAccess:
    return KafkaAccess(servers=cluster.servers, authority=cluster.authority.certificate, certificate=cluster.certificate(ADMIN))


def provision(cluster: Cluster) -> None:
    files = {"authority": cluster.authority.certificate, "certificate": cluster.certificate(ADMIN)}
    _, after = provisioning(PARTICIPANTS, servers=cluster.servers, **files).provision()
    assert not after.changes


def begun(bench: Bench, folder: Path) -> BrokerExchange:
    """Return an exchange of two on a cluster on which nothing is left of another."""
    clear(bench)
    provision(bench.cluster)
    return founded(bench, folder)


def clear(bench: Bench) -> None:
    """Leave nothing of another exchange on a cluster."""
    left = [topic.name for topic in KafkaAdmin(access=access(bench.cluster)).read().topics if "." in topic.name]
    bench.delete(*left)


def founded(bench: Bench, folder: Path) -> BrokerExchange:
    """Return an exchange of two on a cluster that was provisioned for it."""
    kind = type("BrokerExchange", (BrokerExchange,), {"bench": bench})
    exchange: BrokerExchange = kind(folder)
    exchange.admit(SCHOOL, Role.SCHOOL, seal_of("old"))
    exchange.admit(COMMISSION, Role.COMMISSION, seal_of("commission", organisation=COMMISSION_ORGANISATION))
    exchange.settle()
    return exchange


def spread(bench: Bench) -> dict[str, int]:
    """Provision an empty cluster, the school's own channels on two brokers; return which broker leads which of them."""
    for _ in range(TRIES):
        clear(bench)
        provision(bench.cluster)
        leaders = bench.leaders(to_commission(SCHOOL), record_of(SCHOOL))
        if len(set(leaders.values())) > 1:
            return leaders
    raise AssertionError("the cluster leads everything from one broker")


def at_commission(exchange: Exchange, case: UUID) -> str:
    return exchange.members[COMMISSION].state(commission_case(case, to_commission(SCHOOL)))


def work_on(exchange: Exchange, hours: int = 2) -> None:
    """Let time pass, so that everything is looked at again that is looked at hourly."""
    for _ in range(hours):
        exchange.clock.now += HOUR
        settled(exchange)


def waits(exchange: Exchange) -> bool:
    """Tell whether something waits to be signed or sent at anybody's."""
    offices = [member.office for member in exchange.members.values()]
    return any(each.letterbook.unsent(1) or each.database.one("SELECT 1 FROM outgoing") is not None for each in offices)


def worked(exchange: Exchange, times: int) -> None:
    """Let everybody work until nothing is left, as workers do that wait where the log does not answer.

    The brokers and the ways to them mend in real time, whatever the clock of the exchange says.
    """
    for left in reversed(range(times)):
        try:
            settled(exchange)
        except ChannelUnavailableError:
            if not left:
                raise
        else:
            if not waits(exchange):
                return
        exchange.clock.now += 31_000
        time.sleep(0.3)
    raise ChannelUnavailableError("something is unsent still")
