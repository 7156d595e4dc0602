"""The simulation has teeth: where a rule of the product is broken on purpose, a few seeds find it, and say what is wrong.

These are the only tests that break our own code: a check that never fails would prove nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from services.commission.domain import decisions as commission_decisions
from services.commission.domain.refusals import AlreadyAnsweredError
from services.post import applying, entering, evidence, publishing, returning, saving, watching, worker
from services.post.gaps import Gap
from services.post.history import RejectionCode
from services.post.letterbook import Letterbook
from services.post.office import Office
from services.post.saving import StartingError
from services.post.watching import Watch
from services.school.domain import decisions, receiving
from services.wire.channels import COMMISSION, to_commission
from tests.chains import SCHOOL
from tests.simulation.founding import found_all, new_world
from tests.simulation.invariants import Broken
from tests.simulation.lasting import LASTING
from tests.simulation.plan import ALL_FAULTS, ALL_LIVES
from tests.simulation.runner import MANY, Outcome
from tests.simulation.settling import settle
from tests.simulation.story import tell

SEEDS = 25

pytestmark = pytest.mark.timeout(600)  # bounded all the same: a machine may be busy


@pytest.fixture(autouse=True)
def founded() -> None:
    """Found the exchanges before a rule is broken: what is broken has to show in a seed."""
    found_all()


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
    ways = "statements were signed|does not open|is gone|of which the ring file knows nothing"
    assert is_found(ways, "database restored", "log truncated")


def test_a_record_that_comes_again_and_is_not_known_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, Letterbook, "holds", by=lambda *_: False)
    assert is_found("never comes to rest|was saved and is gone", "old records come again")


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


def test_a_genuine_answer_that_a_school_refuses_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, receiving, "_judge_answer", by=lambda *_: RejectionCode.WRONG_STATE)
    assert is_found(r"school-\d+ refused \d+ events that nothing is wrong with", "killed")


def test_an_answer_that_contradicts_the_first_and_is_taken_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, receiving, "_judge_answer", by=lambda *_: None)
    assert is_found("took what commission may not say|the commission wrote Answer", "what must be refused")


def test_a_clerk_whose_every_act_of_one_kind_fails_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> Any:  # as the decision
        raise AlreadyAnsweredError

    put(monkeypatch, commission_decisions, "answer", by=never)
    assert is_found(r"answers \([0-9a-f]{8}\) was refused wrongly: AlreadyAnsweredError", "killed")


def test_a_clerk_who_is_told_for_ever_that_a_start_is_not_over_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: Office) -> None:
        raise StartingError

    put(monkeypatch, saving, "require_started", by=never)
    assert is_found("was refused for a start that is over", "killed")


def test_an_alarm_whose_cause_is_elsewhere_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    alarm = f"{to_commission(SCHOOL)}: records were skipped: a bad byte"
    put(monkeypatch, Watch, "look_once", by=lambda watch: [alarm] if watch.office.participant == COMMISSION else [])
    assert is_found("commission told this without a cause: .*records were skipped: a bad byte", "junk")


def test_a_robbed_registrar_who_is_not_called_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, returning, "_tell_unknown", by=lambda *_: None)
    put(monkeypatch, worker, "check_own_once", by=lambda _: 0)
    assert is_found("a thief wrote as the registrar, and nobody was told there", "registrar robbed", "killed")


def lasts(name: str) -> None:
    """Let one trouble last in an exchange where nothing else is wrong."""
    with new_world(1) as world:
        for site in world.sites.values():
            site.start_worker()
        settle(world)
        LASTING[name](world)


@pytest.mark.parametrize("name", sorted(LASTING))
def test_what_lasts_is_told(name: str) -> None:
    lasts(name)


@pytest.mark.parametrize(
    ("name", "owner", "part"),
    [
        ("a gap", Gap, "has_stayed"),
        ("a key of an own event is lost", Office, "tell"),
        ("a parked event", watching, "_parked"),
        ("a registrar that is silent", watching, "_trust_is_silent"),
        ("an event that nobody receipts", watching, "_unreceipted"),
    ],
)
def test_an_alarm_of_what_lasts_that_is_missing_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, owner: object, part: str
) -> None:
    put(monkeypatch, owner, part, by=lambda *_: ())
    with pytest.raises(Broken, match="has to say this, and did not"):
        lasts(name)


def test_a_kind_of_fault_or_of_life_that_never_came_is_named_in_a_long_run() -> None:
    counts = Counter(dict.fromkeys((*ALL_FAULTS, *ALL_LIVES), 20))
    assert Outcome(seeds=MANY, counts=counts, lived=counts).never == []
    assert Outcome(seeds=MANY, counts=counts - Counter({"junk": 20}), lived=counts).never == ["junk"]
    assert Outcome(seeds=MANY, counts=counts, lived=counts - Counter({"Rejected": 20})).never == ["Rejected"]
    assert Outcome(seeds=MANY - 1).never == []


def test_nothing_is_found_where_nothing_is_broken() -> None:
    assert [tell(seed, ("killed", "junk", "fork")).broken for seed in range(4)] == [None] * 4
