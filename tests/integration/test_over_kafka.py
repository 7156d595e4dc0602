"""A whole exchange over real brokers, each participant with its own certificate and rights, and what befalls brokers."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest
from typer.testing import CliRunner

from infra.kafka.cluster import ADMIN, Cluster
from services.audit.report import Report
from services.channel.kafka_admin import KafkaAdmin, RightRow
from services.desk.kafka_ground import KafkaGround
from services.desk.main import app
from services.desk.rehearsing import Rehearsal
from services.desk.script import read_script
from services.post.worker import Worker
from services.registrar.bootstrap import build as build_registrar
from services.school.application import School
from services.school.bootstrap import build as build_school
from services.wire.certificates import load_root
from services.wire.channels import COMMISSION, record_of, to_commission
from services.wire.errors import ChannelUnavailableError
from tests.brokers import Bench, started
from tests.chains import SCHOOL
from tests.exchange import Exchange
from tests.integration.test_two_sides import answered, asked, examined, recommended
from tests.over_brokers import PATIENCE, BrokerExchange, access, at_commission, begun, clear, provision, waits, work_on, worked
from tests.people import another_pupil, application_form
from tests.troubles import clean, records, settled
from tests.verifying import verified_file

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"]), pytest.mark.timeout(300)]

SCENARIOS: Final = Path(__file__).parents[1] / "scenarios"
JOINED: Final = "school-0099900033"


@pytest.fixture(scope="module")
def own_bench(broker_files: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:  # noqa: ARG001  # has them first
    """Start a broker that these tests may kill."""
    with started(tmp_path_factory.mktemp("broker") / "cluster") as bench:
        yield bench


@pytest.fixture
def over(own_bench: Bench, tmp_path: Path) -> Iterator[BrokerExchange]:
    yield begun(own_bench, tmp_path)
    own_bench.close()


def test_an_application_is_answered_yes_over_a_broker(over: BrokerExchange) -> None:
    mine, theirs = asked(over)
    examined(over, theirs)
    recommended(over, theirs)
    answered(over, theirs)
    settled(over)
    assert over.members[SCHOOL].state(mine) == "ReadyForDecision"
    told = {alarm for member in over.members.values() for alarm in member.alarms}
    assert not [alarm for alarm in told if "has said nothing for 8 days" not in alarm]  # the registrar is a pen here
    clean(over)


@pytest.mark.parametrize("scenario", ["E02", "E09-set-aside", "E14"])
def test_a_scenario_goes_over_a_broker_as_it_is_written(own_bench: Bench, tmp_path: Path, scenario: str) -> None:
    clear(own_bench)
    (own_bench.cluster.folder / "servers").write_text(own_bench.cluster.servers)
    script, folder = read_script(SCENARIOS / f"{scenario}.yaml"), tmp_path / "exchange"
    rehearsal = Rehearsal(script, folder, stands_on=KafkaGround(own_bench.cluster.folder, folder))
    try:
        played = list(rehearsal.play())
        assert len(played) == len(script.steps)
        assert as_verified(rehearsal).is_clean
    finally:
        rehearsal.close()
        own_bench.close()


def as_verified(rehearsal: Rehearsal) -> Report:
    """Verify all that the brokers hold, with nothing but the root certificate."""
    return verified_file(rehearsal.ground.copy(), load_root((rehearsal.folder / "root.pem").read_bytes()))


def test_acts_are_kept_while_the_broker_is_dead_and_nothing_is_lost_or_double(over: BrokerExchange) -> None:
    asked(over)
    (broker,) = over.bench.cluster.brokers
    broker.end(signal.SIGKILL)
    school = School(over.members[SCHOOL].office)
    kept = []
    for number in range(2, 5):
        case, _ = school.file(application_form(pupil=another_pupil(number)))
        school.request(case)
        kept.append(case)
        with pytest.raises(ChannelUnavailableError, match="no broker"):
            over.members[SCHOOL].work()
    assert [at_commission(over, case) for case in kept] == [""] * 3
    broker.start()
    over.bench.cluster.wait()
    settled(over)
    assert [at_commission(over, case) for case in kept] == ["Received"] * 3
    work_on(over)
    there = records(over, to_commission(SCHOOL))
    assert len(there) == len(set(there))
    assert all(member.held("parked") == [] for member in over.members.values())
    clean(over)


def test_a_broker_back_with_an_older_disk_is_healed_and_nobody_is_convicted_of_a_fork(
    over: BrokerExchange, tmp_path: Path
) -> None:
    asked(over)
    (broker,) = over.bench.cluster.brokers
    broker.end()
    shutil.copytree(broker.folder / "data", tmp_path / "older")
    broker.start()
    over.bench.cluster.wait()
    later, theirs = asked(over, pupil=another_pupil(2))
    examined(over, theirs)
    assert at_commission(over, later) == "FileChecked"
    before = {channel: len(records(over, channel)) for channel in (to_commission(SCHOOL), record_of(COMMISSION))}
    broker.end(signal.SIGKILL)
    shutil.rmtree(broker.folder / "data")
    shutil.copytree(tmp_path / "older", broker.folder / "data")
    broker.start()
    over.bench.cluster.wait()
    assert len(records(over, to_commission(SCHOOL))) < before[to_commission(SCHOOL)]
    recommended(over, theirs)
    answered(over, theirs)
    work_on(over, 3)
    assert over.members[SCHOOL].state(later) == "ReadyForDecision"
    assert len(set(records(over, to_commission(SCHOOL)))) >= before[to_commission(SCHOOL)]
    assert len(set(records(over, record_of(COMMISSION)))) >= before[record_of(COMMISSION)]
    for member in over.members.values():
        states = {row["state"] for row in member.office.database.all("SELECT state FROM channels")}
        assert states == {"reading"}
    clean(over)


def test_a_topic_that_was_emptied_is_filled_again_from_the_letterbook(over: BrokerExchange) -> None:
    mine, theirs = asked(over)
    examined(over, theirs)
    channel = to_commission(SCHOOL)
    before = set(records(over, channel))
    over.bench.delete(channel)
    provision(over.bench.cluster)
    assert records(over, channel) == []
    recommended(over, theirs)
    answered(over, theirs)
    work_on(over, 3)
    assert before <= set(records(over, channel))
    assert over.members[SCHOOL].state(mine) == "ReadyForDecision"
    clean(over)


def test_a_right_that_is_taken_away_stops_one_channel_and_given_back_lets_it_go_on(over: BrokerExchange) -> None:
    admin = KafkaAdmin(access=access(over.bench.cluster))
    right = RightRow(
        kind="topic",
        name=record_of(SCHOOL),
        pattern="literal",
        principal=f"User:{SCHOOL}",
        host="*",
        operation="Write",
        allows=True,
    )
    admin.withdraw([right])
    case, theirs = asked(over)
    assert at_commission(over, case) == "Received"
    (told,) = [alarm for alarm in over.members[SCHOOL].alarms if record_of(SCHOOL) in alarm]
    assert "may not be written with this certificate" in told
    admin.grant([right])
    over.clock.now += 31_000
    settled(over)
    examined(over, theirs)
    work_on(over)
    assert len(set(records(over, record_of(SCHOOL)))) == 4  # its opening and the three events of the filing
    clean(over)


def test_a_channel_that_takes_no_record_of_a_size_waits_alone_and_goes_on_when_it_does(over: BrokerExchange) -> None:
    mine, theirs = asked(over)
    channel = to_commission(SCHOOL)
    over.bench.limit(channel, 1000)
    case, _ = asked(over, pupil=another_pupil(2))
    examined(over, theirs)
    recommended(over, theirs)
    answered(over, theirs)
    settled(over)
    # All else goes on: what was filed stands in the record, and the answer to the first one is there.
    assert (at_commission(over, case), over.members[SCHOOL].state(mine)) == ("", "ReadyForDecision")
    assert len(set(records(over, record_of(SCHOOL)))) == 7  # its opening and twice the three events of a filing
    assert any("no record of this size" in alarm and channel in alarm for alarm in over.members[SCHOOL].alarms)
    assert waits(over)
    provision(over.bench.cluster)
    worked(over, PATIENCE)
    work_on(over)
    assert at_commission(over, case) == "Received"
    found = records(over, channel)
    assert len(found) == len(set(found))
    clean(over)


@pytest.fixture
def three(broker_files: None, tmp_path: Path) -> Iterator[BrokerExchange]:  # noqa: ARG001  # has them first
    """Start three brokers with an exchange on them."""
    with started(tmp_path / "cluster", nodes=3) as bench:
        (tmp_path / "exchange").mkdir()
        yield begun(bench, tmp_path / "exchange")


def test_of_three_brokers_one_may_die_unnoticed_and_two_stop_only_the_sending(three: BrokerExchange) -> None:
    asked(three)
    first, second, _ = three.bench.cluster.brokers
    first.end(signal.SIGKILL)
    case = _despite_pauses(three, 2)
    assert at_commission(three, case) == "Received"
    second.end(signal.SIGKILL)
    school = School(three.members[SCHOOL].office)
    kept, _ = school.file(application_form(pupil=another_pupil(3)))
    school.request(kept)
    # Accepted and kept, and nobody is told that it was sent.
    with pytest.raises(ChannelUnavailableError):
        worked(three, 1)
    assert waits(three)
    for broker in (first, second):
        broker.start()
    three.bench.cluster.wait()
    worked(three, PATIENCE)
    work_on(three)
    for _ in range(10):
        if at_commission(three, kept):
            break
        # On a busy machine a broker that has just come back may be silent once more: its channels are left for half a minute.
        three.clock.now += 31_000
        work_on(three)
    assert at_commission(three, kept) == "Received"
    assert not waits(three)
    clean(three)


def _despite_pauses(exchange: Exchange, number: int) -> UUID:
    school = School(exchange.members[SCHOOL].office)
    case, _ = school.file(application_form(pupil=another_pupil(number)))
    school.request(case)
    worked(exchange, PATIENCE)
    return case


def test_an_exchange_is_founded_and_joined_over_brokers_by_commands(
    own_bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with its own certificate for the brokers; a topic is there when somebody is admitted, not before."""
    monkeypatch.chdir(tmp_path)
    cluster = own_bench.cluster
    left = [topic.name for topic in KafkaAdmin(access=access(cluster)).read().topics if "." in topic.name]
    own_bench.delete(*left)
    names = ("--organisation", "NTRLV-99990000037", "--name", "Paraugu tehnikums")
    registrar = ("--config", "exchange/registrar/sarakste.toml")
    run("registrar", "init", "exchange", "NTRLV-99990000022", "Reģistrs", *way(cluster, "registrar"))
    run("registrar", "provision", "--certificate", cluster.certificate(ADMIN), *registrar)
    run("school", "init", "technical", "--number", "0099900033", *names, "--root", "exchange/root.pem", *way(cluster, JOINED))
    run("registrar", "issue", "technical/request.pem", "technical.pem", *registrar)
    run("registrar", "admit", JOINED, "School", names[1], names[3], *registrar)
    run("school", "certificate", "technical.pem", "--config", "technical/sarakste.toml")
    run("registrar", "provision", "--certificate", cluster.certificate(ADMIN), *registrar)
    workers = [Worker(build_registrar(Path(registrar[1])).office)]
    workers.append(Worker(build_school(Path("technical/sarakste.toml"), working=True).office))
    try:
        for worker in workers:
            assert worker.start()
        for _ in range(20):
            if not sum(worker.step() for worker in workers):
                break
        log = own_bench.open()
        assert log.end(to_commission(JOINED)) == 2  # its opening, and where letters to it are sealed to
        assert log.end(record_of(JOINED)) == 1
    finally:
        for worker in workers:
            assert worker.office.channel is not None
            worker.office.channel.close()
        own_bench.close()


def way(cluster: Cluster, name: str) -> tuple[object, ...]:
    """Return the options that say how somebody reaches the brokers."""
    files = ("--authority", cluster.authority.certificate, "--certificate", cluster.certificate(name))
    return ("--servers", cluster.servers, *files)


def run(*arguments: object) -> None:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 0, done.exception or done.output
