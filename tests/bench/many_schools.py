"""What many schools cost: one broker with the topics of them all, and one worker of the commission that reads them.

`python -m tests.bench.many_schools` prints, for one school and for 800, how long provisioning and a start take, what an idle
worker costs, its memory, and how long it takes until a request is a case at the commission.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from infra.kafka.cluster import ADMIN, Cluster
from infra.kafka.jars import HOME
from services.channel.kafka import KafkaAccess, KafkaChannel
from services.channel.port import Channel
from services.post.waking import WAKE
from services.registrar.bootstrap import provisioning
from services.school.application import School
from services.wire.channels import COMMISSION, Role
from services.wire.contents import ParticipantAdmitted
from services.wire.errors import ChannelUnavailableError
from services.wire.hashing import Digest
from services.wire.trust import Participant
from tests.chains import SCHOOL, Seal, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Exchange, Member
from tests.people import another_pupil, application_form

__all__ = ["main"]

SCHOOLS: Final = (1, 800)
IDLE_SECONDS: Final = 10.0
IDLE_WAIT_SECONDS: Final = 0.5
REQUESTS: Final = 20


def participants(schools: int) -> list[Participant]:
    """Return the commission and so many schools; the first is the one that asks."""
    names = [SCHOOL, *(f"school-{number:010}" for number in range(1, schools))]
    found = [
        Participant(id=name, role=Role.SCHOOL, organisation=f"NTRLV-{name}", name=name, admitted=Digest(bytes(32)))
        for name in names
    ]
    return [
        *found,
        Participant(
            id=COMMISSION, role=Role.COMMISSION, organisation=COMMISSION_ORGANISATION, name=COMMISSION, admitted=Digest(bytes(32))
        ),
    ]


class BrokerExchange(Exchange):
    """An exchange over a cluster; each member reaches it by itself."""

    cluster: Cluster

    def opened_log(self) -> Channel:
        return self.reached(ADMIN)

    def reached(self, name: str) -> Channel:
        access = KafkaAccess(
            servers=self.cluster.servers, authority=self.cluster.authority.certificate, certificate=self.cluster.certificate(name)
        )
        return KafkaChannel(access, client=name)

    def enter(self, name: str, role: Role, seal: Seal) -> Member:
        member = super().enter(name, role, seal)
        member.office.channel = self.reached(name)
        return member


@contextmanager
def timed(what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    _say(what, f"{time.monotonic() - began:.2f} s")


def measure(schools: int, folder: Path) -> None:
    """Measure an exchange of so many schools."""
    _say(f"--- schools: {schools}", "")
    everybody = participants(schools)
    cluster = Cluster.make(folder / "cluster", HOME, quick=True)
    try:
        cluster.start()
        files = {"authority": cluster.authority.certificate, "certificate": cluster.certificate(ADMIN)}
        with timed("provisioning topics and rights"):
            provisioning(everybody, servers=cluster.servers, **files).provision()
        kind = type("BrokerExchange", (BrokerExchange,), {"cluster": cluster})
        (folder / "exchange").mkdir()
        exchange: BrokerExchange = kind(folder / "exchange")
        others = [each for each in everybody if each.role is Role.SCHOOL and each.id != SCHOOL]
        said = [
            exchange.registrar.open(
                ParticipantAdmitted(id=each.id, role=each.role, organisation=each.organisation, name=each.name)
            )
            for each in others
        ]
        for start in range(0, len(said), 200):
            exchange.log.append("registrar.trust", said[start : start + 200])
        exchange.admit(SCHOOL, Role.SCHOOL, seal_of("old"))
        commission = exchange.admit(COMMISSION, Role.COMMISSION, seal_of("commission", organisation=COMMISSION_ORGANISATION))
        with timed("the commission's first start"):
            commission.worker.start()
        with timed("until its channels are opened and nothing is left to do"):
            _settled(exchange)
        with timed("another start"):
            commission.worker.start()
            _settled(exchange)
        _idle(commission)
        _requests(exchange)
        _say("memory at the most, of this process", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")
        for member in exchange.members.values():
            if member.office.channel is not None:
                member.office.channel.close()
        exchange.log.close()
    finally:
        cluster.stop()


def _settled(exchange: Exchange) -> None:
    for _ in range(2):
        while sum(_worked(member) for member in exchange.members.values()):
            pass
        exchange.clock.now += 2000


def _worked(member: Member) -> int:
    try:
        return member.work()
    except ChannelUnavailableError:
        # A broker that was just given thousands of topics; a worker waits, and goes on.
        time.sleep(1)
        return 1


def _idle(commission: Member) -> None:
    # As the command does it: where acts tell of themselves, they are not looked for.
    with commission.worker.wakeups.listening(commission.office.database.path.with_name(WAKE)):
        before, began, steps = os.times(), time.monotonic(), 0
        while time.monotonic() - began < IDLE_SECONDS:
            commission.worker.step(wait_seconds=IDLE_WAIT_SECONDS)
            steps += 1
    after, took = os.times(), time.monotonic() - began
    used = after.user + after.system - before.user - before.system
    _say("an idle worker of the commission", f"{100 * used / took:.1f} % of a processor, {steps / took:.1f} steps/s")


def _requests(exchange: Exchange) -> None:
    school, commission = exchange.members[SCHOOL], exchange.members[COMMISSION]
    desk, took = School(school.office), []
    for number in range(REQUESTS):
        case_id, _ = desk.file(application_form(pupil=another_pupil(number)))
        began = time.monotonic()
        desk.request(case_id)
        school.work()
        before = _cases(commission)
        while _cases(commission) == before:
            commission.worker.step(wait_seconds=0.2)
        took.append(time.monotonic() - began)
    _say("from a request to a case at the commission", f"{1000 * median(took):.0f} ms, at most {1000 * max(took):.0f} ms")


def _cases(member: Member) -> int:
    row = member.office.database.one("SELECT count(*) FROM cases")
    return int(row[0]) if row else 0


def _say(what: str, value: str) -> None:
    sys.stdout.write(f"{what:<62} {value}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure each number of schools."""
    for schools in [int(each) for each in sys.argv[1:]] or SCHOOLS:
        with tempfile.TemporaryDirectory() as folder:
            measure(schools, Path(folder))


if __name__ == "__main__":
    main()
