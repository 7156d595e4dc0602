"""A whole exchange over real brokers behind a network that is cut, falls silent, loses answers or is slow; both ways."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from services.channel.port import Channel, Record, Until
from services.commission.application import Commission
from services.commission.input import AnswerInput
from services.post.publishing import send_once, sign_once
from services.post.status import look
from services.school.application import School
from services.wire.channels import COMMISSION, from_commission, record_of, to_commission
from services.wire.errors import ChannelUnavailableError
from tests.brokers import Bench, started
from tests.chains import SCHOOL
from tests.exchange import Member
from tests.integration.test_two_sides import asked, examined, recommended
from tests.over_brokers import PATIENCE, PATIENCE_SECONDS, BrokerExchange, at_commission, begun, founded, spread, work_on, worked
from tests.people import another_pupil, application_form
from tests.proxies import Proxy, proxies
from tests.troubles import clean, closed_restart, records, settled

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"]), pytest.mark.timeout(300)]

# A call takes twice what a broker may take to answer; the rest is for a machine that has other things to do.
LIMIT_SECONDS: Final = 10 * PATIENCE_SECONDS
SLOW_BYTES: Final = 40_000
FILED: Final = 3  # events of a filing in the school's record
BOTH: Final = (SCHOOL, COMMISSION)


@dataclass
class Network:
    """The brokers, and the ways to them."""

    bench: Bench
    ways: list[Proxy]

    def heal(self) -> None:
        for each in self.ways:
            each.heal()


@contextmanager
def linked(folder: Path, *, nodes: int) -> Iterator[Network]:
    """Start brokers, each of which participants reach over a way of its own."""
    with proxies(nodes) as ways, started(folder, nodes=nodes, ways=[each.port for each in ways]) as bench:
        for way, broker in zip(ways, bench.cluster.brokers, strict=True):
            assert broker.way_port is not None
            way.target = broker.way_port
        yield Network(bench, ways)


@pytest.fixture(scope="module")
def network(broker_files: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:  # noqa: ARG001  # has them first
    """Start a broker that is reached over one way."""
    with linked(tmp_path_factory.mktemp("broker") / "cluster", nodes=1) as found:
        yield found


@pytest.fixture
def over(network: Network, tmp_path: Path) -> Iterator[BrokerExchange]:
    network.heal()
    yield begun(network.bench, tmp_path)
    network.heal()
    network.bench.close()


def filed(exchange: BrokerExchange, number: int) -> UUID:
    """File an application and ask the commission, as a clerk does who knows nothing of networks."""
    school = School(exchange.members[SCHOOL].office)
    case, _ = school.file(application_form(pupil=another_pupil(number)))
    school.request(case)
    return case


def answer(exchange: BrokerExchange, case: UUID) -> None:
    Commission(exchange.members[COMMISSION].office).answer(case, AnswerInput(official="Ilze Paraudziņa"))


def waits_in_vain(member: Member) -> None:
    """Let somebody work, and end in time with the error that is waited for."""
    began = time.monotonic()
    with pytest.raises(ChannelUnavailableError):
        member.work()
    assert time.monotonic() - began < LIMIT_SECONDS


def unsent_since(exchange: BrokerExchange, name: str) -> int | None:
    """Return since when something waits to be signed or sent, as ``status`` says it."""
    office = exchange.members[name].office
    status = look(office.database, name, now=exchange.clock.now, lease=exchange.folder / name / "worker.lease")
    return min((each for each in (status.outgoing_since, status.unsent_since) if each is not None), default=None)


def arrived(exchange: BrokerExchange, answered_yes: UUID, asked_meanwhile: Sequence[UUID]) -> None:
    assert [unsent_since(exchange, name) for name in BOTH] == [None, None]
    assert exchange.members[SCHOOL].state(answered_yes) == "ReadyForDecision"
    assert [at_commission(exchange, case) for case in asked_meanwhile] == ["Received"] * len(asked_meanwhile)


def is_right(exchange: BrokerExchange, answered_yes: UUID, asked_meanwhile: Sequence[UUID]) -> None:
    """All has arrived, once: the cases are right on both sides, and the log is verified."""
    worked(exchange, 60)
    work_on(exchange)
    arrived(exchange, answered_yes, asked_meanwhile)
    for member in exchange.members.values():
        assert member.office.database.all("SELECT * FROM held") == []
        assert {row["state"] for row in member.office.database.all("SELECT state FROM channels")} == {"reading"}
        assert [alarm for alarm in member.alarms if "has said nothing for 8 days" not in alarm] == []  # the registrar is a pen
    clean(exchange)


@pytest.mark.parametrize("trouble", [Proxy.cut, Proxy.fall_silent, Proxy.swallow_answers], ids=lambda each: each.__name__)
def test_acts_are_kept_while_a_network_is_broken_and_all_goes_on_by_itself(
    over: BrokerExchange, network: Network, trouble: Callable[[Proxy], None]
) -> None:
    mine, theirs = asked(over)
    examined(over, theirs)
    settled(over)
    trouble(network.ways[0])
    began = over.clock.now
    recommended(over, theirs)
    answer(over, theirs)
    kept = [filed(over, number) for number in (2, 3)]
    for _ in range(2):
        for name in BOTH:
            waits_in_vain(over.members[name])
        over.clock.now += 60_000
    # Accepted, kept, and nobody is told that it was sent: since when nothing was is what `status` says.
    assert [unsent_since(over, name) for name in BOTH] == [began, began]
    assert over.members[SCHOOL].state(mine) != "ReadyForDecision"
    network.heal()
    is_right(over, mine, kept)


@pytest.mark.parametrize("trouble", [Proxy.cut, Proxy.fall_silent], ids=lambda each: each.__name__)
def test_a_worker_that_begins_in_a_broken_network_starts_when_it_is_whole_and_closes_in_time_when_it_is_not(
    over: BrokerExchange, network: Network, trouble: Callable[[Proxy], None]
) -> None:
    mine, theirs = asked(over)
    examined(over, theirs)
    recommended(over, theirs)
    settled(over)
    trouble(network.ways[0])
    began = time.monotonic()
    over.members[SCHOOL].office.channel.close()  # type: ignore[union-attr]  # it has one
    member = closed_restart(over, SCHOOL)
    with pytest.raises(ChannelUnavailableError):
        member.worker.start()
    assert time.monotonic() - began < LIMIT_SECONDS
    # A start that does not come to its end decides nothing yet; the other side goes on.
    answer(over, theirs)
    network.heal()
    assert member.worker.start()
    is_right(over, mine, [filed(over, 2)])


class Tripwire:
    """A log to which something happens just before something is written into one channel."""

    def __init__(self, log: Channel, channel: str, trip: Callable[[], None]) -> None:
        self._log, self._channel, self._trip = log, channel, trip

    def append(self, channel: str, records: Sequence[bytes]) -> None:
        if channel == self._channel:
            self._trip()
        self._log.append(channel, records)

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        return self._log.poll(positions, timeout_seconds=timeout_seconds, limit=limit, until=until)

    def end(self, channel: str) -> int:
        return self._log.end(channel)

    def close(self) -> None:
        self._log.close()


@pytest.mark.parametrize("writer", BOTH)
def test_what_was_stored_and_whose_answer_was_lost_is_repeated_and_counts_once(
    over: BrokerExchange, network: Network, writer: str
) -> None:
    mine, theirs = asked(over)
    examined(over, theirs)
    recommended(over, theirs)
    settled(over)
    answer(over, theirs)
    kept = filed(over, 2)
    channel = to_commission(SCHOOL) if writer == SCHOOL else from_commission(SCHOOL)
    office, before = over.members[writer].office, len(records(over, channel))
    log = office.channel
    assert log is not None
    sign_once(office)
    office.channel = Tripwire(log, channel, network.ways[0].swallow_answers)
    with pytest.raises(ChannelUnavailableError):
        send_once(office)
    # It stands in the log, and its writer does not know.
    assert len(records(over, channel)) > before
    assert unsent_since(over, writer) is not None
    office.channel = log
    network.heal()
    is_right(over, mine, [kept])
    found = records(over, channel)
    assert len(found) > len(set(found))


def test_over_a_slow_network_everything_arrives(over: BrokerExchange, network: Network) -> None:
    """Far less goes through it in the time of a call than waits on either side."""
    mine, theirs = asked(over)
    examined(over, theirs)
    settled(over)
    (way,) = network.ways
    way.cut()
    recommended(over, theirs)
    answer(over, theirs)
    kept = [filed(over, number) for number in range(2, 32)]
    network.heal()
    way.be_slow(delay_seconds=0.05, bytes_per_second=SLOW_BYTES)
    passed = dict(way.passed)
    worked(over, 60)
    arrived(over, mine, kept)
    network.heal()
    is_right(over, mine, kept)
    assert all(way.passed[each] - passed[each] > 2 * PATIENCE_SECONDS * SLOW_BYTES for each in way.passed)


def test_of_three_brokers_one_that_is_silent_holds_its_own_channels_alone(broker_files: None, tmp_path: Path) -> None:  # noqa: ARG001
    with linked(tmp_path / "cluster", nodes=3) as network:
        leaders = spread(network.bench)
        (tmp_path / "exchange").mkdir()
        exchange = founded(network.bench, tmp_path / "exchange")
        asked(exchange)
        settled(exchange)
        member = exchange.members[SCHOOL]
        before = {channel: len(records(exchange, channel)) for channel in leaders}
        network.ways[leaders[to_commission(SCHOOL)] - 1].fall_silent()
        kept = filed(exchange, 2)
        for _ in range(PATIENCE):
            with suppress(ChannelUnavailableError):
                member.work()
        assert len(records(exchange, to_commission(SCHOOL))) == before[to_commission(SCHOOL)]
        # What does not stand on that broker was sent all the same, and a person is told of the one that waits.
        assert len(set(records(exchange, record_of(SCHOOL)))) == before[record_of(SCHOOL)] + FILED
        assert any(alarm.startswith(f"{to_commission(SCHOOL)} cannot be written now") for alarm in member.alarms)
        network.heal()
        worked(exchange, 60)
        work_on(exchange)
        assert at_commission(exchange, kept) == "Received"
        clean(exchange)
