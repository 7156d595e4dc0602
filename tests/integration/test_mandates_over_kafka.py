"""A mandate over a real broker, each participant with its own certificate and rights, and each act a command."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra.kafka.cluster import ADMIN
from services.desk.founding import found_exchange
from services.desk.kafka_ground import KafkaGround
from services.post.building import milliseconds
from services.post.office import day_of
from services.wire.channels import COMMISSION, REGISTRAR
from tests.brokers import Bench
from tests.folders import Answer, Folders
from tests.over_brokers import clear

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

AUDITOR = "auditor-vk"
SCHOOL = "school-0099900011"


@pytest.fixture
def over(broker: Bench, tmp_path: Path) -> Iterator[Folders]:
    """Found an exchange with an auditor on brokers; all of them work."""
    clear(broker)
    folder, cluster = tmp_path / "exchange", broker.cluster
    (cluster.folder / "servers").write_text(cluster.servers)
    list(found_exchange(folder, ["0099900011"], auditors=[AUDITOR], ground=KafkaGround(cluster.folder, folder)))
    found = Folders(folder)
    found.start(REGISTRAR, COMMISSION, SCHOOL, AUDITOR)
    found.settle(seconds=6)
    yield found
    found.stop(*list(found.running))


def asked(over: Folders, *arguments: object) -> Answer:
    """Ask with the auditor's own settings: they name the brokers, and its certificate there."""
    return over.call("audit", *arguments, "--config", over.home(AUDITOR) / "sarakste.toml")


def written_in(over: Folders, kind: str) -> list[str]:
    """Return the channels in which events of a type stand on the brokers, once an event, as this auditor's keys open them."""
    keys = over.home(AUDITOR) / "sarakste.toml"
    found = asked(over, "search", "--type", kind, "--keys-of", keys, "--json").json
    return sorted(each["channel"] for each in found["events"])


def test_a_mandate_is_given_taken_in_used_and_ended_over_a_broker(over: Folders) -> None:
    assert over.run(SCHOOL, "approve", AUDITOR).code == 0
    case, file = over.filed(), over.folder / "case.keys"
    over.settle(seconds=6)
    until = day_of(milliseconds()) + timedelta(days=5)
    given = ("disclose", case, "--to", AUDITOR, "--purpose", "complaint", "--until", until, "--personal", "--out", file)
    mandate = str(over.run(SCHOOL, *given, "--json").json["mandate"])
    file.unlink()
    assert over.run(SCHOOL, "mandate-file", mandate, "--out", file).code == 0
    # The file came faster than the mandate, which waits to be sent.
    early = over.run(AUDITOR, "accept", file)
    assert (early.code, "let both workers run" in early.err) == (4, True)
    over.settle(seconds=6)
    assert over.run(AUDITOR, "accept", file).code == 0
    over.settle(seconds=6)

    form = ("show", f"{SCHOOL}.record:3", "--personal", "--mandate", mandate)
    over.running[AUDITOR].office.database.run("INSERT INTO said VALUES ('starting', 1)")
    unrecorded = asked(over, *form)
    assert (unrecorded.code, unrecorded.out) == (3, "")
    over.running[AUDITOR].office.database.run("DELETE FROM said WHERE name = 'starting'")
    shown = asked(over, *form)
    assert (shown.code, "personal: application = " in shown.out) == (0, True), shown.err
    [held] = over.run(AUDITOR, "mandates", "--json").json
    assert held["uses"] == 1, "recorded before the worker had a step to do so"
    over.settle(seconds=6)
    assert written_in(over, "AccessUsed") == [f"{AUDITOR}.record"] * 2
    [line] = over.run(SCHOOL, "mandates", "--json").json
    assert (line["uses"], line["ended"]) == (2, None)

    assert "has ended" in over.run(SCHOOL, "end-mandate", mandate[:12]).out
    over.settle(seconds=6)
    after = asked(over, "timeline", case, "--mandate", mandate)
    assert (after.code, after.out, "has ended" in after.err) == (3, "", True)
    over.settle(seconds=6)
    assert written_in(over, "AccessEnded") == [f"{AUDITOR}.record", f"{SCHOOL}.record"]
    assert over.run(AUDITOR, "mandates", "--json").json[0]["keys"] is False
    verified = asked(over, "verify", "--json").json
    assert verified["clean"] is True


def test_an_auditor_whose_right_to_write_went_with_its_removal_keeps_no_key_and_nobody_lacks_its_word(
    over: Folders, broker: Bench
) -> None:
    case, file = over.filed(), over.folder / "case.keys"
    over.settle(seconds=6)
    until = day_of(milliseconds()) + timedelta(days=5)
    assert over.run(SCHOOL, "disclose", case, "--to", AUDITOR, "--purpose", "audit", "--until", until, "--out", file).code == 0
    over.settle(seconds=6)
    assert over.run(AUDITOR, "accept", file).code == 0
    over.settle(seconds=6)
    over.stop(AUDITOR)
    assert over.run(REGISTRAR, "remove", AUDITOR).code == 0
    over.settle(seconds=6)
    provisioned = over.run(REGISTRAR, "provision", "--certificate", broker.cluster.certificate(ADMIN))
    assert provisioned.code == 0, provisioned.err
    over.start(AUDITOR)
    over.settle(seconds=6)
    [held] = over.run(AUDITOR, "mandates", "--json").json
    assert (held["keys"], held["ended"] is not None) == (False, True)
    assert f"{AUDITOR}.record may not be written with this certificate" in over.alarms(AUDITOR)
    [given] = over.run(SCHOOL, "mandates", "--json").json
    assert (given["uses"], given["ended"] is not None) == (1, True)
    # All others still may, and do, read what it wrote.
    assert f"{AUDITOR}.record" not in over.alarms(SCHOOL)
