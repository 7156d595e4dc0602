"""Random acts of both sides, messages that take any time, and what holds in every history (domain.md D.5, I1 to I8).

``HISTORIES`` are played each time, always the same ones; ``HYPOTHESIS_HISTORIES=100000`` plays more, and other ones.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from services.commission.acts import ACTS as COMMISSION_COMMANDS
from services.school.acts import ACTS as SCHOOL_COMMANDS
from tests.procedure.commission_desk import COMMISSION_ACTS
from tests.procedure.invariants import check_agreement, check_folds, check_what_made_itself, check_written
from tests.procedure.picks import PICKS
from tests.procedure.play import ROADS, Play
from tests.procedure.school_desk import SCHOOL_ACTS
from tests.procedure.ways_on import check_ways_on

HISTORIES = 2000
_STEPS = 25
_NUMBERS = st.integers(0, PICKS - 1)
_SCHOOLS = _PUPILS = st.integers(0, 1)


class Procedure(RuleBasedStateMachine):
    """Two schools and the commission at work; each event is checked when it is written, what they agree on at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.play = Play()
        self.play.world.watch = check_written

    @initialize(
        school=_SCHOOLS,
        pupil=_PUPILS,
        number=st.one_of(st.just(0), _NUMBERS),
        road=st.integers(0, len(ROADS) - 1),
        steps=st.integers(0, max(map(len, ROADS))),
        again=st.sampled_from((None, 0, 1)),
    )
    def begin(self, school: int, pupil: int, number: int, road: int, steps: int, again: int | None) -> None:
        self.play.go_along(road, steps, self.play.file(school, pupil, number))
        if again is not None:
            # The same pupil once more, here or at the other school: two requests for one pupil are near.
            self.play.file(again, pupil, 0)

    @rule(school=_SCHOOLS, pupil=_PUPILS, number=_NUMBERS)
    def somebody_applies(self, school: int, pupil: int, number: int) -> None:
        self.play.file(school, pupil, number)

    @rule(number=_NUMBERS)
    def the_other_parent_applies_too(self, number: int) -> None:
        self.play.file_again(number)

    @rule(number=_NUMBERS)
    def who_applied_first_steps_back(self, number: int) -> None:
        self.play.step_back(number)

    @rule(pupil=_PUPILS, number=_NUMBERS)
    def somebody_applies_to_the_commission(self, pupil: int, number: int) -> None:
        self.play.apply_directly(pupil, number)

    @rule(number=_NUMBERS)
    def a_school_goes_on(self, number: int) -> None:
        self.play.at_school(number)

    @rule(number=_NUMBERS)
    def a_school_goes_on_again(self, number: int) -> None:
        self.play.at_school(number)

    @rule(number=_NUMBERS)
    def a_school_does_anything(self, number: int) -> None:
        self.play.at_school(number, anything=True)

    @rule(number=_NUMBERS)
    def the_commission_goes_on(self, number: int) -> None:
        self.play.at_commission(number)

    @rule(number=_NUMBERS)
    def the_commission_goes_on_again(self, number: int) -> None:
        self.play.at_commission(number)

    @rule(number=_NUMBERS)
    def the_commission_does_anything(self, number: int) -> None:
        self.play.at_commission(number, anything=True)

    @rule(number=_NUMBERS)
    def a_message_comes_in(self, number: int) -> None:
        self.play.deliver(number)

    @rule(number=_NUMBERS)
    def days_go_by(self, number: int) -> None:
        self.play.pass_days(number)

    def teardown(self) -> None:
        world = self.play.world
        world.settle()
        check_what_made_itself(world)
        check_folds(world)
        check_agreement(world)
        check_ways_on(world)


@pytest.mark.timeout(1200)
@pytest.mark.shows("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "D5.15", "D5.23")
def test_what_holds_in_every_history_of_two_schools_and_the_commission() -> None:
    more = int(os.environ.get("HYPOTHESIS_HISTORIES", "0"))
    found = settings(
        max_examples=more or HISTORIES,
        stateful_step_count=_STEPS,
        deadline=None,
        database=None,
        derandomize=not more,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(Procedure, settings=found)


def test_every_act_of_both_sides_takes_part() -> None:
    """What the register of files says is an examination; direct applications begin cases, as applications do."""
    assert list(SCHOOL_ACTS) == [name for name in SCHOOL_COMMANDS if name != "file"]
    assert list(COMMISSION_ACTS) == [name for name in COMMISSION_COMMANDS if name not in ("register-direct", "look-up")]
