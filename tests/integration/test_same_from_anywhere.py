"""Whatever is asked is answered alike from the live log, from an archive, and from the folder that one is exported to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import SCHOOL
from tests.folders import Answer, Folders

WIDE = ("--from", "2020-01-01", "--until", "2040-12-31")
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


def asked(folders: Folders, source: Path, *words: object) -> Answer:
    given = ["--source", source, "--root", folders.folder / "root.pem", "--keys-of", folders.home(SCHOOL) / "sarakste.toml"]
    answer = folders.call("audit", *words, *given)
    assert answer.code == 0, answer.err
    return answer


@pytest.mark.parametrize("name", ["answers", "deadlines", "open-cases", "refusals", "service", "variants"])
def test_reports_are_equal_from_everywhere(folders: Folders, sources: dict[str, Path], name: str) -> None:
    made = {where: asked(folders, source, "report", name, *WIDE).out for where, source in sources.items()}
    assert len(made["live"].splitlines()) > 10
    assert made["archive"] == made["live"]
    assert made["exported"] == made["live"]


def test_queries_and_replays_are_equal_from_everywhere(folders: Folders, sources: dict[str, Path]) -> None:
    asked_for = {
        where: json.loads(asked(folders, source, "query", QUERY, "--format", "json").out) for where, source in sources.items()
    }
    assert len(asked_for["live"]["rows"]) > 10
    assert asked_for["archive"] == asked_for["live"] == asked_for["exported"]
    replays = {where: asked(folders, source, "replay", "--under", "lm-2016-m2", *WIDE).out for where, source in sources.items()}
    assert replays["archive"] == replays["live"] == replays["exported"]
