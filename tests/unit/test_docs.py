"""The documents name what is there."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from services.wire.audience import AUDIENCE
from services.wire.events import RejectedCode
from services.wire.wordings import WORDINGS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "schemas/README.md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf-8")):
        assert (document.parent / target).exists(), target


def test_every_section_that_a_docstring_names_stands_in_the_specification() -> None:
    titles = set(re.findall(r"^## (.+)$", (ROOT / "schemas/README.md").read_text("utf-8"), re.MULTILINE))
    named = set()
    for path in (ROOT / "services").rglob("*.py"):
        for line in re.findall(r"schemas/README\.md, (.+)$", path.read_text("utf-8"), re.MULTILINE):
            named |= set(re.findall(r"\"([^\"]+?)\"", line))
    assert named
    assert named - titles == set()


def test_the_specification_names_each_event_with_its_writer_and_channel() -> None:
    text = (ROOT / "schemas/README.md").read_text("utf-8").partition("## Audience")[2].partition("## Key grants")[0]
    found: dict[str, set[tuple[str, str]]] = {}
    for events, writer, channel in re.findall(r"^\| (`.+) \| (.+) \| (.+) \|$", text, re.MULTILINE):
        sides = {
            "a school": ["school"],
            "the commission": ["commission"],
            "either": ["school", "commission"],
            "an auditor": ["auditor"],
            "either, an auditor": ["school", "commission", "auditor"],
        }[writer]
        # One channel said of either is that of each.
        channels = channel.split(", ") if ", " in channel else [channel] * len(sides)
        pairs = set(zip(sides, channels, strict=True))
        found |= dict.fromkeys(re.findall(r"`(\w+)`", events), pairs)
    assert found == {name: {(side, kind.value) for side, kind in places} for name, places in AUDIENCE.items()}


def section(title: str) -> str:
    text = (ROOT / "schemas/README.md").read_text("utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_specification_has_the_official_sentences_under_their_numbers_letter_by_letter() -> None:
    found = re.findall(r"^\| (\d+) \| (\w+) \| (.+) \|$", section("Official sentences"), re.MULTILINE)
    assert found == [(str(number), each.answer.value, each.text) for number, each in WORDINGS.items()]
    assert all(unicodedata.is_normalized("NFC", text) for _, _, text in found)


def test_the_specification_names_each_code_of_a_refusal() -> None:
    found = re.findall(r"^\| `(\w+)` \| .+ \|$", section("Refusals"), re.MULTILINE)
    assert found == [each.value for each in RejectedCode if each is not RejectedCode.UNKNOWN]


def test_the_specification_names_each_member_of_the_vectors() -> None:
    text = section("Golden vectors")
    for path in sorted((ROOT / "schemas/vectors").glob("*.json")):
        told = text.partition(f"`{path.name}`")[2].partition("\n- ")[0]
        assert members(json.loads(path.read_text("utf-8")), path.name) - set(re.findall(r"`(\w+)`", told)) == set()


def members(content: Any, name: str) -> set[str]:
    """Return the names in a file of vectors that are of its form, and not what it is about."""
    if isinstance(content, list):
        return {key for each in content for key in each}
    if name == "bad.json":
        return {*content, *next(iter(content["sealed"].values()))}
    return {*content, *next(iter(content["channels"].values()))[0]} if name == "channels.json" else set(content)
