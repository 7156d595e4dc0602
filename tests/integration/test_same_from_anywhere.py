"""Whatever is asked is answered alike from a file, from brokers, from an archive, and from the folder that one is exported to."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from infra.kafka.cluster import ADMIN
from services.audit.verify import channels_in, open_log
from services.channel.copying import copy_channels
from services.post.building import write_settings
from services.post.settings import KafkaSettings
from tests.brokers import Bench
from tests.commands import SCHOOL
from tests.folders import Answer, Folders
from tests.over_brokers import clear

WIDE = ("--from", "2020-01-01", "--until", "2040-12-31")
ENTRY = f"{SCHOOL}.to-commission:0/2"
QUERY = "SELECT type, channel, sequence, facts FROM events ORDER BY channel, epoch, sequence"


@pytest.fixture
def sources(folders: Folders) -> dict[str, Path]:
    archive, exported = folders.folder / "archive", folders.folder / "exported"
    root = folders.folder / "root.pem"
    for done in (
        folders.call("audit", "mirror", archive, "--log", folders.log, "--root", root, "--once"),
        folders.call("audit", "export", archive, exported),
    ):
        assert done.code == 0, done.err
    return {"live": folders.log, "archive": archive, "exported": exported}


@pytest.fixture
def on_brokers(folders: Folders, broker: Bench) -> Path:
    """Put the log on brokers, and return settings that name them."""
    clear(broker)
    channels = [each for each in channels_in(folders.log) if not each.endswith(".mailbox")]
    broker.make_anew(*channels)
    # A topic that is shown may have no leader yet.
    broker.leaders(*channels)
    with closing(open_log(folders.log)) as log:
        copy_channels(log, broker.open(), channels)
    home = folders.folder / "auditor"
    home.mkdir()
    cluster = broker.cluster
    authority, certificate = cluster.authority.certificate.resolve(), cluster.certificate(ADMIN).resolve()
    named = KafkaSettings(servers=cluster.servers, authority=authority, certificate=certificate)
    write_settings(home, "auditor-vk", root="../root.pem", log=named)
    return home / "sarakste.toml"


def asked(folders: Folders, source: Path, *words: object) -> Answer:
    return answered(folders, *words, "--source", source, "--root", folders.folder / "root.pem")


def answered(folders: Folders, *words: object) -> Answer:
    answer = folders.call("audit", *words, "--keys-of", folders.home(SCHOOL) / "sarakste.toml")
    assert answer.code == 0, answer.err
    return answer


@pytest.mark.parametrize("name", ["answers", "deadlines", "open-cases", "refusals", "service", "variants"])
def test_reports_are_equal_from_everywhere(folders: Folders, sources: dict[str, Path], name: str) -> None:
    made = {where: asked(folders, source, "report", name, *WIDE).out for where, source in sources.items()}
    assert len(made["live"].splitlines()) > 10
    assert made["archive"] == made["live"]
    assert made["exported"] == made["live"]


@pytest.mark.shows("B4.4")
def test_queries_and_replays_are_equal_from_everywhere(folders: Folders, sources: dict[str, Path]) -> None:
    asked_for = {
        where: json.loads(asked(folders, source, "query", QUERY, "--format", "json").out) for where, source in sources.items()
    }
    assert len(asked_for["live"]["rows"]) > 10
    assert asked_for["archive"] == asked_for["live"] == asked_for["exported"]
    replays = {where: asked(folders, source, "replay", "--under", "lm-2016-m2", *WIDE).out for where, source in sources.items()}
    assert replays["archive"] == replays["live"] == replays["exported"]


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_brokers_that_settings_name_are_asked_as_the_file_is(folders: Folders, on_brokers: Path) -> None:
    case = folders.run(SCHOOL, "cases", "--json").json[0]["case"]
    for words in (
        ("query", QUERY, "--format", "json"),
        ("report", "answers", *WIDE),
        ("replay", "--under", "lm-2016-m2", *WIDE),
        ("search", "--type", "ConfirmationGiven", "--json"),
        ("timeline", case, "--json"),
        ("show", ENTRY, "--json"),
    ):
        live, there = asked(folders, folders.log, *words), answered(folders, *words, "--config", on_brokers)
        assert len(live.out) > 100, words
        assert there.out == live.out, words


def test_a_log_that_nothing_names_is_not_guessed_and_a_folder_says_no_root(folders: Folders, sources: dict[str, Path]) -> None:
    no_settings = folders.call("audit", "search", "--config", folders.folder / "none.toml")
    no_root = folders.call("audit", "search", "--source", sources["archive"])
    assert (no_settings.code, no_root.code) == (2, 2)
    assert "whom to trust" in no_root.err
