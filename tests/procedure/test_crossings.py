"""Every pair of words that cross, in every order, ends as ``docs/crossings.md`` says."""

from __future__ import annotations

import pytest

from tests.procedure.crossings import COMMISSION_WORDS, ORDERS, SCHOOL_WORDS, Scene, crosses, end_of, pairs
from tests.procedure.page import PAGE, page
from tests.procedure.special_crossings import STORIES

_CROSSED = [order for order in ORDERS if crosses(order)]
_PAIRS = list(pairs())

# events.md, "Crossings": these are given.
_KNOWN = {
    ("withdrawal", "yes"): "Withdrawn",
    ("withdrawal", "no"): "Withdrawn",
    ("withdrawal", "returned"): "Withdrawn",
    ("withdrawal", "attendance required"): "Withdrawn",
    ("correction", "not matched"): "AwaitingCommission",
    ("reminder", "yes"): "ReadyForDecision",
}


@pytest.mark.shows("D5.7", "D5.9", "D5.10", "D5.13", "D5.15", "D5.19", "I8")
@pytest.mark.parametrize(("said", "heard"), _PAIRS, ids=lambda word: word.replace(" ", "-"))
def test_a_pair_that_crosses_ends_alike_in_whatever_order_it_comes(said: str, heard: str) -> None:
    ends = {end_of(said, heard, order) for order in _CROSSED}
    assert len(_CROSSED) == 4
    assert len(ends) == 1


@pytest.mark.shows("I8")
@pytest.mark.parametrize(("said", "heard"), _PAIRS, ids=lambda word: word.replace(" ", "-"))
def test_a_word_that_comes_in_time_is_known_and_the_other_side_takes_what_follows(said: str, heard: str) -> None:
    """The scene checks at its end that both sides agree, that no message was refused, and that each case has a way on."""
    for order in ORDERS:
        school, commission, _, refused = end_of(said, heard, order)
        assert school
        assert commission
        # Only who knew better is kept from writing, and by a rule of the procedure.
        assert not (refused and crosses(order))


@pytest.mark.shows("D5.7", "D5.10", "D5.15")
@pytest.mark.parametrize(("said", "heard"), _KNOWN, ids=lambda word: word.replace(" ", "-"))
def test_a_pair_that_the_requirement_names_ends_as_it_says(said: str, heard: str) -> None:
    for order in _CROSSED:
        assert end_of(said, heard, order)[0] == _KNOWN[said, heard]


@pytest.mark.shows("D5.7")
def test_a_yes_that_crossed_the_withdrawal_is_kept_and_decides_nothing() -> None:
    """E14."""
    scene = Scene(SCHOOL_WORDS["withdrawal"], COMMISSION_WORDS["yes"])
    for step in _CROSSED[0]:
        scene.step(step)
    assert scene.end()[2] == "*school*: the yes is kept"


@pytest.mark.shows("D5.6", "D5.13", "D5.17", "D5.19", "I3", "I5")
@pytest.mark.parametrize("story", STORIES)
def test_where_more_than_two_words_meet_each_side_ends_in_a_named_state(story: str) -> None:
    school, commission, told = STORIES[story].tell()
    assert school
    assert commission
    assert told


def test_the_page_says_how_each_crossing_ends() -> None:
    """``python -m tests.procedure`` writes it anew."""
    text = PAGE.read_text("utf-8")
    assert page(text) == text
