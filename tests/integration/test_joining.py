"""How somebody joins an exchange that is there already: by commands alone, each side in its own folder."""

from __future__ import annotations

import json
import shlex
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.audit.verify import open_log
from services.commission.bootstrap import build as build_commission
from services.desk.main import app
from services.post.worker import Worker
from services.registrar.bootstrap import build as build_registrar
from services.school.bootstrap import build as build_school
from services.wire.certificates import load_root
from services.wire.errors import ChannelUnavailableError, ExchangeError, RefusedError, SettingsError
from tests.verifying import verified

SCHOOL = "school-0099900033"
PLACES = ("--log", "exchange/log.sqlite", "--root", "exchange/root.pem")
SCHOOL_NAMES = ("--organisation", "NTRLV-99990000037", "--name", "Paraugu tehnikums")
COMMISSION_NAMES = ("--organisation", "NTRLV-99990000060", "--name", "Komisija")


@pytest.fixture(autouse=True)
def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with an exchange that has a registrar and nobody else."""
    monkeypatch.chdir(tmp_path)
    run("registrar", "init", "exchange", "NTRLV-99990000022", "Reģistrs")
    return tmp_path


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def joined(*arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(*arguments, *PLACES, "--json"))
    return answer


def follow(steps: list[str]) -> None:
    """Run the commands that an init named, up to the worker, each as it is written; the registrar with its own settings."""
    for step in steps[:-1]:
        words = shlex.split(step)[1:]
        run(*words, *(("--config", "exchange/registrar/sarakste.toml") if words[0] == "registrar" else ()))


def test_a_school_and_the_commission_join_by_commands_and_open_their_channels(exchange: Path) -> None:
    for answer in (
        joined("commission", "init", "commission", *COMMISSION_NAMES),
        joined("school", "init", "school", "--number", "0099900033", *SCHOOL_NAMES),
    ):
        follow(answer["next"])
    workers = [
        Worker(build_registrar(Path("exchange/registrar/sarakste.toml")).office),
        Worker(build_commission(Path("commission/sarakste.toml"), working=True).office),
        Worker(build_school(Path("school/sarakste.toml"), working=True).office),
    ]
    for worker in workers:
        worker.start()
    for _ in range(10):
        for worker in workers:
            worker.step()
    with closing(open_log(exchange / "exchange/log.sqlite")) as log:
        for channel in (f"{SCHOOL}.to-commission", f"{SCHOOL}.from-commission", f"{SCHOOL}.record", "commission.record"):
            assert log.end(channel) > 0
        report = verified(log, load_root(Path("exchange/root.pem").read_bytes()))
    assert (report.is_clean, report.participants) == (True, 2)


def test_a_participants_folder_is_for_its_owner_alone(exchange: Path) -> None:
    joined("school", "init", "school", "--number", "0099900033", *SCHOOL_NAMES)
    for folder in (exchange / "school", exchange / "exchange/registrar"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    # Everybody reads the log and verifies it.
    assert stat.S_IMODE((exchange / "exchange/root.pem").stat().st_mode) == 0o644


def test_a_request_is_written_where_it_is_wanted_and_the_steps_name_it() -> None:
    told = run("school", "init", "school", "--number", "0099900033", *SCHOOL_NAMES, *PLACES, "--request", "ask.pem")
    assert "sarakste registrar issue ask.pem certificate.pem" in told
    assert Path("ask.pem").read_bytes() == Path("school/request.pem").read_bytes()


def test_a_certificate_for_another_key_or_organisation_or_exchange_is_not_put_in_place() -> None:
    registrar = ("--config", "exchange/registrar/sarakste.toml")
    config = ("--config", "school/sarakste.toml")
    joined("school", "init", "school", "--number", "0099900033", *SCHOOL_NAMES)
    joined("commission", "init", "commission", *COMMISSION_NAMES)
    run("registrar", "issue", "commission/request.pem", "theirs.pem", *registrar)
    with pytest.raises(RefusedError, match="for another key"):
        run("school", "certificate", "theirs.pem", *config)
    run("registrar", "issue", "school/request.pem", "mine.pem", *registrar)
    Path("school/request.pem").write_bytes(Path("commission/request.pem").read_bytes())
    with pytest.raises(RefusedError, match="another organisation's"):
        run("school", "certificate", "mine.pem", *config)
    run("registrar", "init", "other", "NTRLV-99990000022", "Reģistrs")
    run("registrar", "issue", "school/request.pem", "foreign.pem", "--config", "other/registrar/sarakste.toml")
    with pytest.raises(ExchangeError):
        run("school", "certificate", "foreign.pem", *config)
    assert not Path("school/certificate.pem").exists()


def test_a_second_certificate_goes_by_rotation() -> None:
    follow(joined("school", "init", "school", "--number", "0099900033", *SCHOOL_NAMES)["next"])
    with pytest.raises(RefusedError, match="`rotate`"):
        run("school", "certificate", "certificate.pem", "--config", "school/sarakste.toml")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"--number": "33"}, SettingsError, "--number is not a school's number; write the ten digits"),
        ({"--organisation": ""}, SettingsError, "organisation is no organizationIdentifier; write NTRLV- and"),
        ({"--name": " "}, SettingsError, "name is no organisation's name; write one line"),
        ({"--root": "missing.pem"}, SettingsError, r"missing\.pem cannot be read"),
        ({"--log": "missing.sqlite"}, ChannelUnavailableError, r"the log missing\.sqlite does not answer"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_made(
    changes: dict[str, str], error: type[ExchangeError], message: str
) -> None:
    given = ("--number", "0099900033", *SCHOOL_NAMES, *PLACES)
    options = dict(zip(given[::2], given[1::2], strict=True)) | changes
    with pytest.raises(error, match=message):
        run("school", "init", "school", *(word for option in options.items() for word in option))
    assert not Path("school").exists()


@pytest.mark.parametrize("names", [("", "Reģistrs"), ("NTRLV-99990000022", "")])
def test_a_registrar_without_an_organisation_or_a_name_is_not_made(names: tuple[str, str]) -> None:
    with pytest.raises(SettingsError, match="; write "):
        run("registrar", "init", "nameless", *names)
    assert not Path("nameless").exists()
