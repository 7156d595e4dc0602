"""The simulation has teeth for what concerns an auditor: where a rule about it is broken on purpose, a few seeds find it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from services.audit.tree import leaf_hash
from services.auditor import vouching
from services.post import auditors, granting
from services.post.granting import _entitled, _peers
from services.post.keys import KeyRing
from services.post.office import Office
from services.school.domain import decisions
from services.wire.channels import ChannelKind, Role, channel_kind
from services.wire.grants import KeyUse
from services.wire.hashing import Digest
from tests.simulation.founding import found_all, is_audited
from tests.simulation.story import tell
from tests.simulation.world import AUDITOR

SEEDS = [seed for seed in range(64) if is_audited(seed)]

pytestmark = pytest.mark.timeout(600)  # bounded all the same: a machine may be busy


@pytest.fixture(autouse=True)
def founded() -> None:
    """Found the exchanges before a rule is broken: what is broken has to show in a seed."""
    found_all()


def is_found(pattern: str, *only: str) -> bool:
    """Tell whether one of the first seeds with an auditor, in which only these faults happen, says what ``pattern`` says."""
    return any(re.search(pattern, told.broken or "") for told in (tell(seed, only) for seed in SEEDS))


def put(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, *, by: Callable[..., Any]) -> None:  # any of our functions
    monkeypatch.setattr(owner, name, by)


def everybody(office: Office) -> tuple[str, ...]:
    """Let in whoever is there, as if all had been asked."""
    return office.trust.of_role(Role.AUDITOR)


def test_an_auditor_that_is_given_keys_by_who_never_let_it_in_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (granting, auditors):
        put(monkeypatch, module, "let_in", by=everybody)
    assert is_found(f"{AUDITOR} opens facts of .*, who never let it in", "killed")


def test_one_that_opens_what_is_sealed_after_it_was_refused_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, KeyRing, "supersede_all_facts_keys", by=lambda _: 0)
    assert is_found(f"{AUDITOR} opens .*, after its access had ended", "killed")


def test_one_that_is_sent_the_key_of_a_case_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(office: Office, key: Any, let_in: tuple[str, ...]) -> Any:  # as it is
        is_pair = channel_kind(key.channel) is not ChannelKind.RECORD
        more = _peers(office, let_in) if key.key_use == KeyUse.CASE.value and is_pair else []
        return [*_entitled(office, key, let_in), *more]

    put(monkeypatch, granting, "_entitled", by=careless)
    assert is_found(f"{AUDITOR} was sent a key of CASE", "killed")


def test_one_that_is_let_in_and_given_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, granting, "_entitled", by=lambda *given: [each for each in _entitled(*given) if each.participant != AUDITOR])
    assert is_found(f"{AUDITOR} was let in by .*, and does not open", "killed")


def test_a_checkpoint_over_something_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, vouching, "leaf_hash", by=lambda digest: leaf_hash(Digest(digest[::-1])))
    assert is_found("the checkpoint at .* is over what does not stand in the log", "killed")


def test_an_event_that_rests_on_nothing_is_found_by_who_was_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = decisions.request_information

    def careless(*arguments: Any, **more: Any) -> Any:  # as it is
        (new,) = whole(*arguments, **more)
        assert "basis" in {each.name for each in fields(new.facts)}
        return (replace(new, facts=replace(new.facts, basis=new.facts.application)),)

    put(monkeypatch, decisions, "request_information", by=careless)
    assert is_found("verify finds .*BasisError", "killed")
