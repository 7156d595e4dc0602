"""Every command that README shows is run, and what it says the program prints is what it prints."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from services.desk.playing import NotAsWrittenError
from services.post.console_status import WANTS_A_PERSON
from services.wire import errors
from tests.commands import ROOT, SCHOOL, sarakste

README: Final = (ROOT / "README.md").read_text("utf-8")
MAKEFILE: Final = (ROOT / "Makefile").read_text("utf-8")
WORDS: Final = ("make", "sarakste", ".venv/bin/", "pip", "python", "git", ".ci/")


def shown() -> Iterator[str]:
    """Yield each command of README: lines of its blocks, and what stands between backticks."""
    for text in (*re.findall(r"^    (\S.*)$", README, re.MULTILINE), *re.findall(r"`([^`\n]+)`", README)):
        if text.startswith(WORDS) and " " in text:
            yield text


COMMANDS: Final = sorted(set(shown()))
OURS: Final = [each for each in COMMANDS if each.startswith(".venv/bin/sarakste ")]
READER: Final = [each for each in COMMANDS if each.startswith(".venv/bin/python examples/")]
MADE: Final = [each for each in COMMANDS if each.startswith("make ")]
TOO_LONG: Final = {"mutants"}
"""Takes most of an hour; docs/evidence.md says when it was made last."""
WITH_A_FINDING: Final = "flipped.sqlite"


def shape(line: str) -> str:
    """Return a printed line with what is new in each run taken out: digests, numbers of cases, places, seconds."""
    line = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{16,64}\b", "X", line)
    return " ".join(re.sub(r"(?<![-\w])\d+(?:[./]\d+)?", "N", line).split())


def makers_before(command: str) -> list[str]:
    """Return the commands that stand before one in its block and make files that it reads."""
    for block in re.findall(r"(?:^    \S.*\n)+", README, re.MULTILINE):
        lines = [line.strip() for line in block.splitlines()]
        if command in lines and {"issue", "certificate"} & set(command.split()):
            return [line for line in lines[: lines.index(command)] if {"init", "rotate", "issue"} & set(line.split())]
    return []


def test_readme_shows_no_command_that_is_neither_run_nor_made() -> None:
    assert set(COMMANDS) == {
        *OURS,
        *READER,
        *MADE,
        "pip install .",
    }  # the last: test_installed.py does it
    assert len(OURS) >= 8


@pytest.mark.parametrize("command", MADE)
def test_what_readme_says_can_be_made_can_be_made(command: str) -> None:
    assert re.search(rf"^{command.split()[1]}:.* ## ", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("command", MADE)
def test_what_readme_says_can_be_made_is_made_before_a_change_lands(command: str) -> None:
    """A test cannot run the tests, nor the demonstration from an empty folder each time: the run before a change lands does."""
    script = (ROOT / ".ci/run").read_text("utf-8")
    assert "set -euo pipefail" in script
    made = {name for line in re.findall(r"^\s*make (.+)$", script, re.MULTILINE) for name in line.split()}
    assert command.split()[1] in made | TOO_LONG


@pytest.mark.parametrize("command", OURS)
def test_a_command_of_readme_works_on_the_exchange_that_the_demonstration_leaves(
    command: str, demo: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "here"
    shutil.copytree(demo / "demo-exchange", folder / "demo-exchange")
    (folder / "demo").symlink_to(ROOT / "demo")
    arguments = shlex.split(command)[1:]
    for before in makers_before(command):
        assert sarakste(*shlex.split(before)[1:], folder=folder, home=tmp_path).returncode == 0
    if "CASE" in arguments:
        config = folder / f"demo-exchange/{SCHOOL}/sarakste.toml"
        cases = json.loads(sarakste("school", "cases", "--config", config, "--json").stdout)
        arguments[arguments.index("CASE")] = cases[0]["case"]
    done = sarakste(*arguments, folder=folder, home=tmp_path)
    # Nobody works there after the demonstration, and status says so.
    expected = 4 if WITH_A_FINDING in command else WANTS_A_PERSON if "status" in arguments else 0
    assert done.returncode == expected, done.stderr
    assert done.stdout


@pytest.mark.parametrize("command", READER)
def test_the_second_reader_says_of_the_demonstrations_log_what_ours_says(command: str, demo: Path) -> None:
    program, log, root = shlex.split(command)[1:]
    call = [sys.executable, str(ROOT / program), log, root]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=demo)  # noqa: S603  # our own program
    ours = sarakste("verify", log, "--root", root, "--json", folder=demo)
    report = json.loads(ours.stdout)
    assert (done.returncode, ours.returncode) == ((4, 4) if WITH_A_FINDING in command else (0, 0))
    for each in report["channels"]:
        told = f"{each['entries']} entries, {each['state']}, receipted to {each['receipted']}, head {each['head']}"
        assert f"{each['channel']}: {told}\n" in done.stdout
    for each in report["findings"]:
        place = f"{each['channel']} at {each['epoch']}/{each['sequence']}: {each['what']}"
        assert f"{place}\n  expected {each['expected']}\n  found    {each['found']}\n" in done.stdout
    assert done.stdout.endswith(f"\n{len(report['findings'])} findings\n")


def test_what_readme_shows_of_the_demonstration_is_what_it_prints(demo: Path) -> None:
    printed = [shape(line) for line in (demo / "told").read_text().splitlines()]
    excerpt = README[README.index("    1. An application") : README.index("It leaves `demo-exchange/`")]
    place = 0
    for line in filter(None, map(shape, excerpt.splitlines())):
        if line != "…":
            place = printed.index(line, place) + 1


def test_the_exit_codes_of_readme_are_those_of_the_program() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.ExchangeError)]
    assert told == {0, NotAsWrittenError.exit_code, WANTS_A_PERSON, *(each.exit_code for each in classes)}
