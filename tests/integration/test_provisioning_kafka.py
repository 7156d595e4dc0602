"""Provisioning and checking a real cluster by command, and what each participant can do there with its own certificate."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.errors import InvalidTimestampError
from typer.testing import CliRunner

from services.channel.kafka import KafkaAccess, KafkaChannel
from services.channel.kafka_admin import ClusterState, KafkaAdmin, RightRow, TopicRow
from services.desk.founding import found_exchange
from services.desk.main import app
from services.post.building import write_settings
from services.post.settings import KafkaSettings
from services.wire.channels import REGISTRAR
from services.wire.errors import ChannelForbiddenError, ChannelMissingError, ChannelUnavailableError, SettingsError
from tests.brokers import Bench
from tests.integration.test_recovery_commands import config, worked

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

MAPLE, BIRCH, GONE = "school-0099900011", "school-0099900022", "school-0099900033"
AUDITOR, STRANGER = "auditor-vk", "school-0099900044"
RECORD, MAILBOX = f"{MAPLE}.record", "commission.mailbox"


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an exchange with two schools, one that has left, the commission and an auditor, as its registrar's channel says."""
    folder = tmp_path_factory.mktemp("provisioned") / "exchange"
    list(found_exchange(folder, ["0099900011", "0099900022", "0099900033"]))
    worked(folder)
    settings = str(config(folder, REGISTRAR))
    for act in (("admit", AUDITOR, "Auditor", "NTRLV-90000000009", "Valsts kontrole"), ("remove", GONE)):
        done = CliRunner().invoke(app, ["registrar", *act, "--config", settings])
        assert done.exit_code == 0, done.output
    return folder


class Cluster:
    """A cluster without topics and rights, and the registrar's commands on it."""

    def __init__(self, bench: Bench, exchange: Path) -> None:
        self.bench = bench
        self.settings = str(config(exchange, REGISTRAR))
        self.admin = KafkaAdmin(access=self.access("admin"))
        self.clear()

    def clear(self) -> None:
        state = self.state()
        self.admin.withdraw(state.rights or ())
        self.bench.delete(*(each.name for each in state.topics))
        until = time.monotonic() + 30
        while self.state().topics:
            assert time.monotonic() < until, "topics stay"

    def access(self, client: str) -> KafkaAccess:
        cluster = self.bench.cluster
        return KafkaAccess(
            servers=cluster.servers, authority=cluster.authority.certificate, certificate=cluster.certificate(client)
        )

    def call(self, command: str, *options: str, client: str = "admin") -> Any:  # the runner's result
        access = self.access(client)
        where = ["--servers", access.servers, "--authority", str(access.authority), "--certificate", str(access.certificate)]
        return CliRunner().invoke(app, ["registrar", command, *options, *where, "--config", self.settings])

    def told(self, command: str, *options: str, leaves: int = 0) -> dict[str, Any]:
        done = self.call(command, *options, "--json")
        assert done.exit_code == leaves, done.output or done.exception
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def state(self) -> ClusterState:
        return self.admin.read()

    def drift(self) -> list[tuple[str, str]]:
        """Return what check finds, and who mends it."""
        report = self.told("check", leaves=4)
        return [(each["about"], each["mended_by"]) for each in report["differences"]]


@pytest.fixture
def cluster(broker: Bench, exchange: Path) -> Iterator[Cluster]:
    made = Cluster(broker, exchange)
    yield made
    broker.close()
    made.clear()


@pytest.fixture
def provisioned(cluster: Cluster) -> Cluster:
    cluster.told("provision")
    return cluster


def test_a_plan_shows_everything_and_changes_nothing(cluster: Cluster) -> None:
    plan = cluster.told("provision", "--plan")
    assert plan["before"]["changes"] > 50
    assert cluster.state() == ClusterState(brokers=1, topics=(), rights=())
    printed = cluster.call("provision", "--plan").stdout
    assert f"would be mended: {RECORD}: found no topic, should be a topic with one partition and one copy;" in printed
    assert "note: 1 broker answers: each channel has one copy" in printed


def test_a_cluster_is_provisioned_from_nothing_and_a_second_time_changes_nothing(cluster: Cluster) -> None:
    first = cluster.told("provision")
    assert (first["after"]["clean"], first["after"]["changes"]) == (True, 0)
    before = cluster.state()
    second = cluster.told("provision")
    assert (second["before"]["differences"], second["before"]["changes"]) == ([], 0)
    assert cluster.state() == before
    assert cluster.told("check")["clean"] is True
    assert "everything is as it should be" in cluster.call("check").stdout


def changed(state: ClusterState, name: str, **settings: str | None) -> dict[str, dict[str, str]]:
    before = next(each.settings for each in state.topics if each.name == name)
    after = {**before, **{each.replace("_", "."): value for each, value in settings.items()}}
    return {name: {each: value for each, value in after.items() if value is not None}}


STRANGE = RightRow(
    kind="topic", name=RECORD, pattern="literal", principal="User:stranger", host="*", operation="Read", allows=True
)


@pytest.mark.parametrize(
    ("drift", "about"),
    [
        (lambda to: to.admin.set_settings(changed(to.state(), RECORD, retention_ms="60000")), f"{RECORD}, retention.ms"),
        (lambda to: to.admin.set_settings(changed(to.state(), MAILBOX, segment_ms=None)), f"{MAILBOX}, segment.ms"),
        (lambda to: to.admin.set_settings(changed(to.state(), MAILBOX, flush_ms="1")), f"{MAILBOX}, flush.ms"),
        (lambda to: to.admin.grant([STRANGE]), f"{RECORD}, stranger"),
        (lambda to: to.admin.grant([replace(STRANGE, name="*")]), "every topic, stranger"),
        (lambda to: to.admin.grant([replace(STRANGE, name=f"{MAPLE}.", pattern="prefixed")]), f"begins with {MAPLE}., stranger"),
        (lambda to: to.admin.withdraw([replace(STRANGE, principal=f"User:{AUDITOR}")]), f"{RECORD}, {AUDITOR}"),
        (lambda to: to.bench.delete(RECORD), RECORD),
    ],
)
def test_what_drifted_is_found_by_check_and_mended_by_provision(
    provisioned: Cluster, drift: Callable[[Cluster], None], about: str
) -> None:
    before = provisioned.state()
    drift(provisioned)
    (found,) = provisioned.drift()
    assert (found[0].endswith(about), found[1]) == (True, "provision")
    assert provisioned.told("provision")["after"]["clean"] is True
    assert (set(map(str, provisioned.state().topics)), set(provisioned.state().rights or ())) == (
        set(map(str, before.topics)),
        set(before.rights or ()),
    )


def test_partitions_too_many_a_denial_and_a_right_on_the_cluster_are_told_and_left_to_a_person(provisioned: Cluster) -> None:
    async def more(admin: AIOKafkaAdminClient) -> None:
        await admin.create_partitions({RECORD: NewPartitions(total_count=2)})

    provisioned.bench.admin(more)
    provisioned.admin.grant(
        [
            replace(STRANGE, principal=f"User:{MAPLE}", allows=False),
            replace(STRANGE, kind="cluster", name="kafka-cluster", operation="Alter"),
        ]
    )
    expected = [(RECORD, "a person"), ("cluster kafka-cluster, stranger", "a person"), (f"{RECORD}, {MAPLE}", "a person")]
    assert sorted(provisioned.drift()) == sorted(expected)
    before = provisioned.state()
    done = provisioned.call("provision")
    assert (done.exit_code, "FOR A PERSON: " in done.stdout) == (4, True)
    assert "found 2 partitions, should be 1" in done.stdout
    assert provisioned.state() == before


def test_a_topic_of_others_is_told_and_no_difference(provisioned: Cluster) -> None:
    provisioned.admin.make([TopicRow(name="payroll", partitions=3, copies=1, settings={})])
    report = provisioned.told("check")
    assert [(each["about"], each["mended_by"]) for each in report["differences"]] == [("payroll", "nobody")]
    provisioned.told("provision")
    assert "payroll" in {each.name for each in provisioned.state().topics}


def test_who_is_no_administrator_is_told_so_and_not_that_everything_is_missing(provisioned: Cluster) -> None:
    before = provisioned.state()
    for command in ("check", "provision"):
        done = provisioned.call(command, client=REGISTRAR)
        assert isinstance(done.exception, ChannelForbiddenError)
        assert "cluster's administrator" in str(done.exception)
    assert provisioned.state() == before


def test_brokers_and_authority_are_those_of_the_settings_though_the_registrar_has_no_certificate_yet(
    provisioned: Cluster, exchange: Path, tmp_path: Path
) -> None:
    """Its own is issued by the registrar too, and nobody else's right is taken for the administrator's."""
    own = Path(shutil.copytree(exchange / REGISTRAR, tmp_path / REGISTRAR))
    shutil.copy(exchange / "root.pem", tmp_path)
    access = provisioned.access("admin")
    write_settings(own, REGISTRAR, root="../root.pem", log=KafkaSettings(**asdict(replace(access, certificate=Path("tls.pem")))))
    call = ["registrar", "check", "--config", str(own / "sarakste.toml")]
    done = CliRunner().invoke(app, [*call, "--certificate", str(access.certificate)])
    assert (done.exit_code, "everything is as it should be" in done.stdout) == (0, True), done.exception
    assert "give --authority and --certificate" in str(CliRunner().invoke(app, call).exception)
    no_brokers = [*call[:-1], provisioned.settings]
    assert "--servers is missing" in str(CliRunner().invoke(app, no_brokers).exception)


def test_a_cluster_that_is_away_is_no_difference(exchange: Path, broker: Bench) -> None:
    certificate, authority = broker.cluster.certificate("admin"), broker.cluster.authority.certificate
    where = ["--servers", "127.0.0.1:1", "--authority", str(authority), "--certificate", str(certificate)]
    done = CliRunner().invoke(app, ["registrar", "check", *where, "--config", str(config(exchange, REGISTRAR))])
    assert isinstance(done.exception, ChannelUnavailableError)
    where[-1] = str(authority)
    done = CliRunner().invoke(app, ["registrar", "check", *where, "--config", str(config(exchange, REGISTRAR))])
    assert isinstance(done.exception, SettingsError)


def test_a_writer_whose_clock_is_hours_ahead_is_taken_and_would_not_be_without_provisioning(provisioned: Cluster) -> None:
    provisioned.admin.make([TopicRow(name="unprovisioned", partitions=1, copies=1, settings={})])
    ahead = int((time.time() + 7200) * 1000)

    async def send(topic: str) -> None:
        async with AIOKafkaProducer(**provisioned.bench.cluster.client("admin"), acks="all") as producer:
            await producer.send_and_wait(topic, b"from tomorrow", partition=0, timestamp_ms=ahead)

    provisioned.bench.admin(lambda _: send(RECORD))
    with pytest.raises(InvalidTimestampError):
        provisioned.bench.admin(lambda _: send("unprovisioned"))


# Who reads and who writes each topic. r the registrar, c the commission, m and b the schools that are there, g the one that has
# left, a the auditor, s a stranger with a certificate of the same authority.
WHO = {"r": REGISTRAR, "c": "commission", "m": MAPLE, "b": BIRCH, "g": GONE, "a": AUDITOR, "s": STRANGER}
ACCESS = {
    "registrar.trust": ("rcmbga", "r"),
    "commission.record": ("rca", "c"),
    f"{MAPLE}.to-commission": ("rcma", "m"),
    f"{MAPLE}.from-commission": ("rcma", "c"),
    f"{MAPLE}.record": ("rma", "m"),
    f"{BIRCH}.to-commission": ("rcba", "b"),
    f"{BIRCH}.from-commission": ("rcba", "c"),
    f"{BIRCH}.record": ("rba", "b"),
    f"{GONE}.to-commission": ("rcga", ""),
    f"{GONE}.from-commission": ("rcga", "c"),
    f"{GONE}.record": ("rga", ""),
    f"{AUDITOR}.record": ("rcmba", "a"),
    "commission.mailbox": ("c", "mba"),
    f"{MAPLE}.mailbox": ("m", "ca"),
    f"{BIRCH}.mailbox": ("b", "ca"),
    f"{GONE}.mailbox": ("g", ""),
    f"{AUDITOR}.mailbox": ("a", "cmb"),
}


def may_read(log: KafkaChannel, topic: str) -> bool:
    try:
        found = log.poll({topic: 0}, timeout_seconds=0, limit=1)
    except ChannelForbiddenError:
        return False
    assert found, f"{topic} is read, and shows nothing"
    return True


def may_write(log: KafkaChannel, topic: str) -> bool:
    try:
        log.append(topic, [b"a record of a participant"])
    except ChannelForbiddenError:
        return False
    return True


def test_each_participant_reads_and_writes_what_the_table_says_and_nothing_else(provisioned: Cluster) -> None:
    bench = provisioned.bench
    assert {each.name for each in provisioned.state().topics} == set(ACCESS)
    admin = bench.open()
    for topic in ACCESS:
        admin.append(topic, [b"a record that is there before"])
    wrong, cells = [], 0
    for letter, name in WHO.items():
        log = bench.open(name)
        for topic, allowed in ACCESS.items():
            for act, who in zip((may_read, may_write), allowed, strict=True):
                cells += 1
                if act(log, topic) != (letter in who):
                    wrong.append(f"{name} {act.__name__} {topic}: {letter not in who}")
        with pytest.raises((ChannelForbiddenError, ChannelMissingError)):
            log.append("nowhere.record", [b"a topic that nobody made"])
    assert wrong == []
    assert cells == 7 * 17 * 2
