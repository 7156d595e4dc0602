"""The documents name what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.wire.audience import AUDIENCE

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
        sides = {"a school": ["school"], "the commission": ["commission"], "either": ["school", "commission"]}[writer]
        pairs = set(zip(sides, channel.split(", "), strict=True))
        found |= dict.fromkeys(re.findall(r"`(\w+)`", events), pairs)
    assert found == {name: {(side, kind.value) for side, kind in places} for name, places in AUDIENCE.items()}
