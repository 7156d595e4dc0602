"""Every state by every act, both as the outlook tells it and as the decisions decide it."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.school.acts import ACTS as COMMANDS
from services.school.domain.case import SchoolState
from services.school.domain.outlook import outlook_of
from services.wire.errors import RefusedError
from tests.school_stories import ACTS, STORIES, TODAY, case_of
from tests.tables.school import table

_TABLE = Path(__file__).parents[1] / "tables/school.txt"


def test_the_committed_table_is_what_the_decisions_say() -> None:
    """``python -m tests.tables`` writes it anew."""
    assert table() == _TABLE.read_text("utf-8")


def test_each_state_has_a_story() -> None:
    assert {case_of(name).state for name in STORIES} == set(SchoolState)
    for name in STORIES:
        assert case_of(name).state.value == name.partition(",")[0]


def test_each_act_of_a_case_is_a_command() -> None:
    assert set(COMMANDS) - {"file"} == {name.partition(",")[0] for name in ACTS}


@pytest.mark.parametrize("story", STORIES)
def test_an_act_that_is_not_offered_is_refused_whatever_its_form_says(story: str) -> None:
    """The outlook asks the guards that refuse."""
    case = case_of(story)
    offered = {each.act for each in outlook_of(case, TODAY).allowed}
    for name, decide in ACTS.items():
        if name.partition(",")[0] not in offered:
            with pytest.raises(RefusedError):
                decide(case)
