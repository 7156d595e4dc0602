"""A mirror over real brokers, with settings as any participant has them; what it keeps is verified as what they show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.kafka.cluster import ADMIN
from services.audit.archive_reading import ArchiveChannel
from services.audit.leaving_out import without_personal
from services.post.building import write_settings
from services.post.settings import KafkaSettings
from services.wire.issuing import pem
from tests.archives import values
from tests.brokers import Bench
from tests.chains import ROOT
from tests.commands import sarakste
from tests.over_brokers import clear, provision
from tests.worlds import TO, World

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


def test_what_brokers_show_is_mirrored_over_restarts_and_verified_there_and_in_the_archive(broker: Bench, tmp_path: Path) -> None:
    clear(broker)
    provision(broker.cluster)
    world = World(tmp_path)
    world.write(TO, 3)
    log, cluster = broker.open(), broker.cluster
    for channel, records in world.records.items():
        log.append(channel, records)
    home, archive = tmp_path / "auditor", tmp_path / "archive"
    home.mkdir()
    (tmp_path / "root.pem").write_bytes(pem(ROOT.der))
    authority, certificate = cluster.authority.certificate.resolve(), cluster.certificate(ADMIN).resolve()
    brokers = KafkaSettings(servers=cluster.servers, authority=authority, certificate=certificate)
    write_settings(home, "auditor-vk", root="../root.pem", log=brokers)

    settings = ("--config", home / "sarakste.toml")

    def run(*arguments: object) -> dict[str, object]:
        said = sarakste("audit", *arguments, "--json")
        assert said.returncode == 0, said.stderr
        return dict(json.loads(said.stdout))

    assert run("mirror", archive, "--once", *settings)["taken"] == sum(map(len, world.records.values()))
    more = [world.pens[TO].sealed() for _ in range(2)]
    log.append(TO, more)
    assert run("mirror", archive, "--once", *settings)["taken"] == 2
    assert values(ArchiveChannel(archive), TO) == [without_personal(each) for each in (*world.records[TO], *more)]
    live, kept = run("verify", *settings), run("verify", archive, "--root", tmp_path / "root.pem")
    assert live["clean"] is kept["clean"] is True
    assert live["entries"] == kept["entries"]
