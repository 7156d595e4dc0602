"""A Dockerfile as a list of instructions, and what its last stage is: enough to check one, and to lay its files out elsewhere."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from tests.commands import ROOT

__all__ = ["Instruction", "Stage", "faults", "ignored", "instructions", "stages"]

_PINNED: Final = re.compile(r"[^:@]+(?::[^:@]*\d[^:@]*\.[^:@]*)(?:@sha256:[0-9a-f]{64})?")


class Instruction(NamedTuple):
    """One instruction: its word in capitals and what stands behind it."""

    word: str
    text: str

    @property
    def listed(self) -> list[str]:
        """What stands behind it as the words of a call; only where it is written as JSON."""
        found: list[str] = json.loads(self.text)
        return found


@dataclass
class Stage:
    """One stage: the image it begins from, its name, and its instructions."""

    image: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def last(self, word: str) -> str:
        return [each.text for each in self.instructions if each.word == word][-1]

    def calls(self) -> list[list[str]]:
        return [each.listed for each in self.instructions if each.word == "RUN"]

    def copies(self) -> Iterator[tuple[str | None, list[str], str]]:
        """Yield what is copied: the stage that it comes from (None: the repository), what, and whereto."""
        for each in self.instructions:
            if each.word == "COPY":
                words = each.text.split()
                origin = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else None
                yield origin, words[:-1], words[-1]

    @property
    def environment(self) -> dict[str, str]:
        lines = (each.text for each in self.instructions if each.word == "ENV")
        return dict(pair.split("=", 1) for line in lines for pair in shlex.split(line))

    @property
    def folders(self) -> list[str]:
        """The folders that it makes for whoever runs in it."""
        return [word for call in self.calls() if call[0] == "install" for word in call if word.startswith("/")]


def instructions(text: str) -> list[Instruction]:
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ").splitlines()
    return [Instruction(word.upper(), rest.strip()) for word, _, rest in (line.strip().partition(" ") for line in lines) if word]


def stages(text: str) -> list[Stage]:
    found: list[Stage] = []
    for each in instructions(text):
        if each.word == "FROM":
            image, *named = each.text.split()
            found.append(Stage(image, named[1] if named else ""))
        else:
            found[-1].instructions.append(each)
    return found


def faults(text: str, ignoring: str) -> list[str]:
    """Return what a Dockerfile of ours may not have; ``ignoring`` is the file that says what the engine is not given."""
    all_stages = stages(text)
    found = [f"{each.image} is not pinned to a version" for each in all_stages if not _PINNED.fullmatch(each.image)]
    users = [each.text for each in all_stages[-1].instructions if each.word == "USER"]
    if not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]):
        found.append("the last stage does not end as a numbered user that is not root")
    for stage in all_stages:
        # A call that no shell reads pipes nothing into another.
        found += [f"{each.text} is read by a shell" for each in stage.instructions if _is_read_by_shell(each)]
        found += [f"{each.word} brings what nobody checks" for each in stage.instructions if each.word == "ADD"]
        found += [f"{call} installs what has no hash" for call in _unchecked(stage)]
        for origin, what, _ in stage.copies():
            if origin is None:
                found += [f"{each} is not there, or the engine is not given it" for each in what if ignored(each, ignoring)]
    if re.search(r"https?://|--(?:extra-)?index-url", text):
        found.append("it names an address")
    return found


def ignored(pattern: str, ignoring: str) -> bool:
    """Tell whether nothing of the repository is there under a name that the engine is given."""
    given = [line[1:] for line in ignoring.splitlines() if line.startswith("!")]
    assert ignoring.startswith("*\n")
    paths = [path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)]
    return not paths or not all(any(_is_given(path, each) for each in given) for path in paths)


def _is_given(path: str, given: str) -> bool:
    return Path(path).match(given) or path.startswith(f"{given}/")


def _is_read_by_shell(each: Instruction) -> bool:
    return each.word in {"RUN", "CMD", "ENTRYPOINT", "SHELL"} and not each.text.startswith("[")


def _unchecked(stage: Stage) -> Iterator[list[str]]:
    for call in (each.listed for each in stage.instructions if each.word == "RUN" and each.text.startswith("[")):
        if "install" in call and any("pip" in word for word in call) and not {"--require-hashes", "--no-deps"} & set(call):
            yield call
