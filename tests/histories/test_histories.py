"""Every release reads what each one before it left behind, says the same of it, and goes on with it."""

from __future__ import annotations

import gzip
import json
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.audit.verify import open_log
from services.commission.application import Commission
from services.commission.input import AnswerInput
from services.post.database import Database
from services.post.rebuilding import rebuild
from services.post.viewing import cases, events
from services.wire.channels import COMMISSION, Role
from tests.chains import ROOT, SCHOOL, seal_of
from tests.commands import ROOT as PROJECT
from tests.exchange import COMMISSION_ORGANISATION, Clock, Exchange
from tests.histories.story import NEWEST
from tests.histories.telling import HISTORIES, told, verdict
from tests.troubles import clean, settled
from tests.verifying import verified_file

VERSIONS = sorted(each.parent for each in HISTORIES.glob("*/expected.json"))
SIZE_LIMIT_BYTES = 700_000


@dataclass
class Recorded(Exchange):
    """An exchange whose log is there already."""

    def __post_init__(self) -> None:
        self.log = self.opened_log()


@pytest.fixture(params=VERSIONS, ids=lambda each: each.name)
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a copy of a history: the recorded files are never opened."""
    folder = tmp_path / "exchange"
    shutil.copytree(request.param, folder)
    for packed in folder.rglob("*.gz"):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    for key in folder.glob("*/ring.key"):
        key.chmod(0o600)
    return folder


@pytest.fixture
def expected(recorded: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((recorded / "expected.json").read_text("utf-8"))
    return content


@pytest.fixture
def exchange(recorded: Path, expected: dict[str, Any]) -> Iterator[Exchange]:
    """Return the exchange that a history holds, migrated, at the moment when it was recorded."""
    found = Recorded(recorded, clock=Clock(expected["now"]))
    found.enter(SCHOOL, Role.SCHOOL, seal_of(NEWEST))
    found.enter(COMMISSION, Role.COMMISSION, seal_of("commission", organisation=COMMISSION_ORGANISATION))
    yield found
    for member in found.members.values():
        member.office.database.close()


def test_this_version_has_its_history() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert version in {each.name for each in VERSIONS}


@pytest.mark.parametrize("version", VERSIONS, ids=lambda each: each.name)
def test_a_history_is_small(version: Path) -> None:
    assert sum(each.stat().st_size for each in version.rglob("*") if each.is_file()) < SIZE_LIMIT_BYTES


def test_a_history_holds_what_can_go_wrong_and_right(expected: dict[str, Any]) -> None:
    """So that nobody records a poorer one by mistake."""
    both = expected["participants"]
    assert {each["state"] for each in both[SCHOOL]["cases"]} >= {"ReadyForDecision", "NegativeAnswer", "AwaitingCommission"}
    assert {each["variant"] for each in both[SCHOOL]["cases"]} == {"A2", "B2"}
    assert {kind for name in both for _, kind, _ in both[name]["held"]} == {"skipped", "refused", "parked"}
    assert {event["epoch"] for each in both[SCHOOL]["cases"] for event in each["events"]} == {0, 1}
    assert any(event["sequence"] == 0 for each in both[SCHOOL]["cases"] for event in each["events"])
    assert len(both[SCHOOL]["drafts"]) == 1


def test_the_log_is_verified_as_it_was(recorded: Path, expected: dict[str, Any]) -> None:
    assert verdict(verified_file(recorded / "log.sqlite", ROOT)) == expected["log"]


def test_each_side_says_what_it_said_and_its_lists_follow_from_its_events(exchange: Exchange, expected: dict[str, Any]) -> None:
    for name, member in exchange.members.items():
        member.receiver.read_trust()
        count, different = rebuild(member.office)
        assert (count, different) == (len(cases(member.office)), [])
        assert json.loads(json.dumps(told(member.office))) == expected["participants"][name]


def test_work_goes_on_where_it_was_left(exchange: Exchange) -> None:
    for member in exchange.members.values():
        member.worker.start()
    settled(exchange, 8)
    clerk, school = exchange.members[COMMISSION], exchange.members[SCHOOL]
    # What was parked came after its key, and what was not signed is signed.
    assert clerk.held("parked") == []
    assert all(event.sequence for line in cases(school.office) for event in events(school.office, UUID(line.case)))
    (ready,) = [line for line in cases(clerk.office) if line.state == "Dispatched"]
    Commission(clerk.office).answer(UUID(ready.case), AnswerInput(official="Ilze Paraudziņa"))
    settled(exchange)
    answers = [line.state for line in cases(school.office)]
    assert answers.count("ReadyForDecision") == 3
    clean(exchange)


def test_the_recorded_files_are_of_this_release_or_older(recorded: Path) -> None:
    """A database that was recorded by a later program could not be read here."""
    for path in recorded.glob("*/database.sqlite"):
        with closing(Database(path)) as database:
            database.migrate()
    open_log(recorded / "log.sqlite").close()
