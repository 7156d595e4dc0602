"""Moving an exchange to another log: with its records copied, or with nothing but what every worker sends again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.kafka.cluster import ADMIN
from services.channel.kafka_admin import KafkaAdmin
from services.post.building import write_settings
from services.post.settings import KafkaSettings
from services.wire.channels import COMMISSION, REGISTRAR
from tests.brokers import Bench
from tests.commands import SCHOOL
from tests.drills import done, settled_with
from tests.folders import OTHER_SCHOOL, Folders
from tests.over_brokers import access

EVERYBODY = (REGISTRAR, COMMISSION, SCHOOL, OTHER_SCHOOL)
LACKS = "the log lacks"


def moved(folders: Folders, log: Path | Callable[[str], KafkaSettings]) -> None:
    """Let everybody's settings name another log, as an operator does with an editor."""
    for name in EVERYBODY:
        folders.stop(name)
        (folders.home(name) / "sarakste.toml").unlink()
        write_settings(folders.home(name), name, root="../root.pem", log=log if isinstance(log, Path) else log(name))


def settings(folders: Folders, name: str, log: Path | KafkaSettings) -> Path:
    """Return a settings file that names a log, in a folder beside the participants'."""
    folder = folders.folder / name
    folder.mkdir()
    write_settings(folder, REGISTRAR, root="../root.pem", log=log)
    return folder / "sarakste.toml"


def goes_on(folders: Folders) -> None:
    """Let a case be asked and arrive, and look whether all that was is there."""
    before = folders.states(COMMISSION)
    case = folders.filed(3)
    done(folders, SCHOOL, "request", case)
    for _ in range(3):
        folders.settle(seconds=10)
    after = folders.states(COMMISSION)
    assert (after.items() >= before.items(), len(after) - len(before)) == (True, 1)


def test_a_copied_log_lacks_nothing_and_everybody_goes_on_there(folders: Folders) -> None:
    old, new = settings(folders, "old", Path("../log.sqlite")), settings(folders, "new", Path("../new.sqlite"))
    folders.everybody()
    done(folders, SCHOOL, "request", folders.filed(2))
    first = folders.run(REGISTRAR, "copy-log", old, new, "--json").json["copied"]
    # They have worked meanwhile: what came since is copied the second time, and nothing twice.
    folders.settle()
    second = folders.run(REGISTRAR, "copy-log", old, new, "--json").json["copied"]
    assert first > 60 > second > 0
    assert folders.run(REGISTRAR, "copy-log", old, new, "--json").json["copied"] == 0
    moved(folders, Path("../new.sqlite"))
    settled_with(folders, *EVERYBODY)
    assert not any(LACKS in folders.alarms(name) for name in EVERYBODY)
    goes_on(folders)
    assert verified(folders, "new.sqlite")


def test_an_empty_log_gets_everything_from_the_workers_and_everybody_goes_on_there(folders: Folders) -> None:
    folders.everybody()
    held = verified(folders, "log.sqlite")
    moved(folders, Path("../new.sqlite"))
    settled_with(folders, *EVERYBODY)
    goes_on(folders)
    again = verified(folders, "new.sqlite")
    assert again.keys() == held.keys()
    assert all(again[channel] >= held[channel] for channel in held)


def verified(folders: Folders, log: str) -> dict[str, int]:
    """Return how many entries each channel of a log holds in which nothing is wrong."""
    report = folders.call("verify", folders.folder / log, "--root", folders.folder / "root.pem", "--json").json
    assert report["clean"]
    return {each["channel"]: each["entries"] for each in report["channels"]}


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_log_is_copied_to_brokers_and_everybody_goes_on_there(folders: Folders, broker: Bench) -> None:
    cluster = broker.cluster
    broker.delete(*(topic.name for topic in KafkaAdmin(access=access(cluster)).read().topics if "." in topic.name))

    def over(client: str) -> KafkaSettings:
        authority, certificate = cluster.authority.certificate, cluster.certificate(client)
        return KafkaSettings(servers=cluster.servers, authority=authority.resolve(), certificate=certificate.resolve())

    admin = over(ADMIN)
    options = ("--servers", admin.servers, "--authority", admin.authority, "--certificate", admin.certificate)
    done(folders, REGISTRAR, "provision", *options)
    old, new = settings(folders, "old", Path("../log.sqlite")), settings(folders, "new", admin)
    assert folders.run(REGISTRAR, "copy-log", old, new, "--json").json["copied"] > 60
    moved(folders, over)
    settled_with(folders, *EVERYBODY)
    assert not any(LACKS in folders.alarms(name) for name in EVERYBODY)
    goes_on(folders)
    # What the brokers hold as a file again, for who wants to verify it.
    folders.stop(*EVERYBODY)
    back = settings(folders, "back", Path("../back.sqlite"))
    assert folders.run(REGISTRAR, "copy-log", new, back, "--json").json["copied"] > 60
    assert verified(folders, "back.sqlite")


def test_a_log_is_not_copied_to_itself(folders: Folders) -> None:
    old, new = settings(folders, "old", Path("../log.sqlite")), settings(folders, "new", Path("../new/../log.sqlite"))
    answer = folders.run(REGISTRAR, "copy-log", old, new)
    assert (answer.code, "name the same log" in answer.err) == (2, True)
