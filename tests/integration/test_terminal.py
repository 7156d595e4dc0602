"""What the command is on a terminal: bars while it works, completion of what is typed, help that waits for nothing."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
import typer

from services.desk.founding import found_exchange
from services.desk.main import app
from tests.chains import SCHOOL

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "services.desk"]
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "TERM": "xterm", "LANG": "C.UTF-8"}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("terminal") / "exchange"
    list(found_exchange(folder, ["0099900011"]))
    return folder


def on_a_terminal(*arguments: object) -> tuple[str, str]:
    """Run a command whose stderr is a terminal; return what came on stdout and what the terminal showed."""
    ours, theirs = pty.openpty()
    shown: list[bytes] = []

    def read() -> None:
        try:
            while part := os.read(ours, 4096):
                shown.append(part)
        except OSError:
            return  # the other end was closed

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    command = [*COMMAND, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True, env=ENVIRONMENT)  # noqa: S603
    os.close(theirs)
    reader.join()
    os.close(ours)
    return done.stdout, b"".join(shown).decode()


def completed(*words: str) -> list[str]:
    """Return what the shell is offered for the last word."""
    asked = {"_SARAKSTE_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=True, env=ENVIRONMENT | asked)  # noqa: S603
    return done.stdout.split()


def test_a_long_reading_shows_a_bar_on_a_terminal_and_answers_on_stdout_alone(exchange: Path) -> None:
    answer, shown = on_a_terminal("verify", exchange / "log.sqlite", "--root", exchange / "root.pem", "--json")
    assert json.loads(answer)["clean"]
    assert "Verifying" in shown
    answer, shown = on_a_terminal("school", "rebuild", "--config", exchange / SCHOOL / "sarakste.toml", "--json")
    assert json.loads(answer) == {"cases": 0, "different": []}
    assert "Rebuilding" in shown
    answer, shown = on_a_terminal("rehearse", ROOT / "demo/no.yaml")
    assert answer.endswith("everything was as written\n")
    assert "8/8" in shown


def test_without_a_terminal_there_is_no_bar(exchange: Path) -> None:
    command = [*COMMAND, "verify", str(exchange / "log.sqlite"), "--root", str(exchange / "root.pem")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)  # noqa: S603
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("sarakste", "scho"), ["school"]),
        (("sarakste", "school", "reb"), ["rebuild"]),
        (("sarakste", "commission", "issue"), ["issue-opinion", "issue-irp"]),
        (("sarakste", "registrar", "open"), ["open-epoch"]),
    ],
)
def test_the_shell_is_offered_what_can_follow(words: tuple[str, ...], offered: list[str]) -> None:
    assert completed(*words) == offered


def test_the_help_says_how_completion_is_installed() -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True, env=ENVIRONMENT)  # noqa: S603
    assert "--install-completion" in done.stdout


def test_the_help_waits_for_no_library_that_does_the_work() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "services.desk", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)  # noqa: S603
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in imported
    heavy = {"cryptography", "eventsourcing", "fastavro", "pydantic", "pydantic_settings", "ruamel", "sqlite3", "asyncio"}
    assert imported & heavy == set()
    whole = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert whole & {"rich.progress", "rich.live", "services.desk.demo", "services.desk.rehearsing"} == set()


def commands(group: typer.core.TyperGroup, *before: str) -> Iterator[tuple[str, list[str]]]:
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from commands(command, *before, name)
        else:
            yield " ".join((*before, name)), list(chain.from_iterable(each.opts for each in command.params))


def test_every_command_that_shows_something_can_show_it_as_json() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    found = dict(commands(group))
    assert len(found) > 25
    without = {name for name, options in found.items() if "--json" not in options}
    # A worker works until it is stopped, and shows nothing.
    assert without == {"school worker", "commission worker", "registrar worker", "auditor worker"}
