"""The simulation has teeth: where a rule of the product is broken on purpose, a few seeds find it, and say what is wrong.

These are the only tests that break our own code: a check that never fails would prove nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from services.post import applying, entering, evidence, publishing, saving, worker
from services.post.letterbook import Letterbook
from services.post.office import Office
from services.post.watching import Watch
from services.school.domain import decisions
from tests.simulation.story import tell

SEEDS = 25

pytestmark = pytest.mark.timeout(600)  # bounded all the same: a machine may be busy


def is_found(pattern: str, *only: str) -> bool:
    """Tell whether one of the first seeds in which only these faults happen says what ``pattern`` says."""
    return any(re.search(pattern, told.broken or "") for told in (tell(seed, only) for seed in range(SEEDS)))


def put(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, *, by: Callable[..., Any]) -> None:  # any of our functions
    monkeypatch.setattr(owner, name, by)


def test_a_loss_in_the_log_that_nobody_makes_good_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, worker, "check_own_once", by=lambda _: 0)
    assert is_found("saved and is gone|gap|the log shows", "log truncated")


def test_two_statements_signed_at_one_place_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, saving, "require_current", by=lambda _: None)
    put(monkeypatch, worker, "require_current", by=lambda _: None)
    put(monkeypatch, worker, "read_back", by=lambda *_: 0)
    assert is_found("2 statements were signed", "database restored")


def test_a_head_that_is_not_remembered_before_it_is_sent_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, publishing, "save_ring", by=lambda *_: None)
    assert is_found("statements were signed|does not open|is gone", "database restored", "log truncated")


def test_a_record_that_comes_again_and_is_not_known_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, Letterbook, "holds", by=lambda *_: False)
    assert is_found(".", "old records come again")


def test_an_event_that_is_dropped_in_receiving_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def dropped(office: Office, entry: Any, **more: Any) -> None:  # a VerifiedEntry
        if entry.statement.sequence % 5:
            applying.apply_sealed(office, entry, **more)

    put(monkeypatch, entering, "apply_sealed", by=dropped)
    assert is_found("lacks .* events", "killed")


def test_an_alarm_that_is_not_told_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, Office, "tell", by=lambda *_: None)
    assert is_found("nobody was told", "fork", "database restored")


def test_an_alarm_without_a_cause_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, Watch, "look_once", by=lambda _: ["registrar.trust: 3 records were skipped: nothing is wrong with them"])
    assert is_found("told this without a cause", "killed")


def test_junk_that_is_not_kept_as_evidence_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, evidence, "keep_evidence", by=lambda *_: None)
    assert is_found("records of junk", "junk")


def test_a_request_that_rests_on_no_consent_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = decisions.request_information

    def careless(*arguments: Any, **more: Any) -> Any:  # as it is
        (new,) = whole(*arguments, **more)
        assert "basis" in {each.name for each in fields(new.facts)}
        return (replace(new, facts=replace(new.facts, basis=new.facts.application)),)

    put(monkeypatch, decisions, "request_information", by=careless)
    assert is_found("I2: ", "killed")


def test_nothing_is_found_where_nothing_is_broken() -> None:
    assert [tell(seed, ("killed", "junk", "fork")).broken for seed in range(4)] == [None] * 4
