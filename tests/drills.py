"""Drills: one for each line of the table of losses in docs/operations.md, told by its first cell.

A drill must have run every command that its line tells a person to run.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Final

from services.wire.channels import COMMISSION, REGISTRAR
from tests.commands import ROOT, SCHOOL
from tests.folders import Folders

__all__ = [
    "DRILLS",
    "OPERATIONS",
    "a_day_after_the_backup",
    "all_open",
    "backed_up",
    "commands_of",
    "copied_back",
    "done",
    "drill",
    "everything_opens",
    "kept_away",
    "losses",
    "lost",
    "not_run",
    "only_left",
    "opened_anew",
    "put_back",
    "settled_with",
    "worker_code",
]

OPERATIONS: Final = (ROOT / "docs/operations.md").read_text("utf-8")
DRILLS: Final[dict[str, str]] = {}
"""The drills by the loss that they try out, with their names."""

Drill = Callable[[Folders], None]


def losses() -> dict[str, str]:
    """Return the lines of the table: what is lost, and what a person does."""
    table = OPERATIONS.partition("## What each loss costs")[2]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines() if line.startswith("| ")]
    return {cells[0].strip(): cells[3] for cells in rows[1:]}


def commands_of(cell: str) -> list[set[str]]:
    """Return what a cell tells to run: the words of each command without what stands for something else."""
    told = [text for text in re.findall(r"`([^`]+)`", cell) if "." not in text and not text[0].isdigit()]
    return [set(re.findall(r"(?<!\S)-{0,2}[a-z]+(?:-[a-z]+)*(?!\S)", text)) for text in told]


def not_run(cell: str, calls: Iterable[tuple[str, ...]]) -> list[set[str]]:
    """Return the commands that a cell tells to run and that none of these calls was."""
    return [each for each in commands_of(cell) if not any(each <= set(call) for call in calls)]


def drill(loss: str) -> Callable[[Drill], Drill]:
    """Say which line of the table a test tries out."""

    def kept(test: Drill) -> Drill:
        assert loss not in DRILLS, f"{loss} is tried out twice"
        DRILLS[loss] = test.__name__

        @wraps(test)
        def run(folders: Folders) -> None:
            test(folders)
            assert not_run(losses()[loss], folders.calls) == []

        return run

    return kept


def backed_up(folders: Folders, name: str, made: str = "backup") -> Path:
    path = folders.folder / made
    assert folders.run(name, "backup", path).code == 0
    return path


def lost(folders: Folders, name: str, *files: str) -> None:
    """Take files from a participant, whose worker is stopped."""
    folders.stop(name)
    for file in files:
        for path in folders.home(name).glob(f"{file}*" if file == "database.sqlite" else file):
            path.unlink()
        assert not (folders.home(name) / file).exists()


def only_left(folders: Folders, name: str, *files: str) -> None:
    """Take everything from a participant but these files."""
    folders.stop(name)
    for path in folders.home(name).iterdir():
        if path.name not in files:
            path.unlink()


def everything_opens(folders: Folders, name: str, case: str) -> bool:
    return all(personal == "can be opened" for _, personal in folders.told(name, case))


def all_open(folders: Folders, name: str) -> bool:
    return all(everything_opens(folders, name, case) for case in folders.states(name))


def opened_anew(folders: Folders, name: str, certificate: Path, *channels: str) -> None:
    """Let the registrar begin channels anew after the last entry that the log shows, as an operator reads it from `verify`."""
    told = folders.call("verify", folders.log, "--root", folders.folder / "root.pem", "--json").out
    heads = {each["channel"]: (each["entries"], each["head"]) for each in json.loads(told)["channels"]}
    own = [each for each in heads if each.startswith(f"{name}.")] if name != COMMISSION else []
    for channel in channels or [each for each in own if not each.endswith(".from-commission")]:
        answer = folders.run(REGISTRAR, "open-epoch", channel, *heads[channel], certificate)
        assert answer.code == 0, answer.err


def done(folders: Folders, name: str, *arguments: object) -> None:
    answer = folders.run(name, *arguments)
    assert answer.code == 0, answer.err


def settled_with(folders: Folders, *names: str) -> None:
    folders.start(*names)
    for _ in range(3):
        folders.settle(seconds=10)


def worker_code(folders: Folders, name: str) -> int:
    """Return with which exit code a worker leaves that cannot start."""
    return folders.run(name, "worker").code


def copied_back(folders: Folders, name: str, file: str, break_it: Callable[[], object]) -> None:
    """Keep a copy of a file, let it be lost, and put the copy back."""
    path = folders.home(name) / file
    content = path.read_bytes()
    break_it()
    path.write_bytes(content)
    path.chmod(0o600)


def a_day_after_the_backup(folders: Folders) -> tuple[Path, str, str]:
    """Back a school up; then one application is filed and sent, another one is saved while its worker stands."""
    backup = backed_up(folders, SCHOOL)
    folders.everybody()
    sent = folders.filed(1)
    assert folders.run(SCHOOL, "request", sent).code == 0
    folders.settle()
    folders.stop(SCHOOL)
    return backup, sent, folders.filed(2)


def kept_away(folders: Folders, file: str) -> Path:
    """Return the copy of a key on a medium of its own."""
    path = folders.folder / f"safe-{file}"
    shutil.copy(folders.home(SCHOOL) / file, path)
    return path


def put_back(folders: Folders, copy: Path) -> None:
    path = folders.home(SCHOOL) / copy.name.removeprefix("safe-")
    shutil.copyfile(copy, path)
    path.chmod(0o600)
