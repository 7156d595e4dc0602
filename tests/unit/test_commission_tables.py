"""Every state by every act, both as the outlook tells it and as the decisions decide it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from services.commission import input as forms
from services.commission.acts import ACTS as COMMANDS
from services.commission.application import Commission
from services.commission.domain.applying import fold
from services.commission.domain.outlook import ALLOWED, is_allowed
from services.commission.domain.parts import CommissionState
from services.commission.domain.receiving import CommissionDomain
from services.policy.forms import Form
from services.wire.errors import RefusedError
from tests.commission_stories import ACTS, BESIDE, KIN, OTHER_CASE, PRIMARIES, STORIES, case_of
from tests.given_when_then import given
from tests.tables.commission import table

_TODAY = date(2026, 9, 1)
_TABLE = Path(__file__).parents[1] / "tables/commission.txt"


def test_the_committed_table_is_what_the_decisions_say() -> None:
    """``python -m tests.tables`` writes it anew."""
    assert table() == _TABLE.read_text("utf-8")


def test_each_state_has_a_story() -> None:
    assert {case_of(story).state for story in STORIES} == set(CommissionState)
    for story in STORIES:
        assert case_of(story).state.value == story.partition(",")[0]


def test_each_act_is_a_command_with_the_same_person_behind_it() -> None:
    assert list(COMMANDS) == list(ALLOWED) == list(ACTS)
    assert {name: act.by for name, act in COMMANDS.items()} == {name: each.by for name, each in ALLOWED.items()}


def test_each_act_has_its_use_case_and_its_form() -> None:
    for name, act in COMMANDS.items():
        assert callable(getattr(Commission, act.method)), name
        assert act.form is None or issubclass(getattr(forms, act.form), Form), name


@pytest.mark.parametrize("story", STORIES)
def test_what_is_allowed_is_what_is_not_refused(story: str) -> None:
    """The outlook asks the guards that refuse: an act that it does not offer is refused, whatever its form says."""
    case, history, domain = case_of(story), given(fold, *STORIES[story]).history, CommissionDomain()
    primary = given(fold, *PRIMARIES.get(story, ())).history
    kin, beside = ({OTHER_CASE: given(fold, *told[story]).history} if story in told else {} for told in (KIN, BESIDE))
    outlook = domain.outlook_with(history, primary, _TODAY) if primary else domain.outlook_among(history, kin, beside, _TODAY)
    offered = {each.act for each in outlook.allowed}
    for name, decide in ACTS.items():
        if name in offered:
            assert is_allowed(case, ALLOWED[name])
        elif name != "register-direct":
            with pytest.raises(RefusedError):
                decide(case)
