"""Any acts of the commission in any order, crossed by whatever a school says: what must hold of every history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given as draw
from hypothesis import settings
from hypothesis import strategies as st

from services.commission.domain.applying import fold
from services.commission.domain.receiving import CommissionDomain
from services.post.history import BEFORE, Recorded
from services.wire.errors import RefusedError
from services.wire.events import (
    Answer,
    ConfirmationCorrected,
    ConfirmationEnded,
    ConfirmationGiven,
    DeliveryAddressChanged,
    DocumentsDispatched,
    InformationRequested,
    RecommendationCorrected,
    RecommendationExpired,
    RecommendationIssued,
    RecommendationRefused,
    RecommendationRevoked,
    Redispatched,
    RefusalSetAside,
    ReminderSent,
)
from tests.commission_stories import A2, ACTS, B2, CORRECTED_CODE, HOLD, MOVED, WITHDRAWN
from tests.given_when_then import Told, body, received, recorded

_DOMAIN: Final = CommissionDomain()
_OUTCOMES: Final = (RecommendationIssued, RecommendationRefused)
_FROM_SCHOOL: Final = {
    "asks": A2,
    "asks for a plan too": B2,
    "corrects": CORRECTED_CODE,
    "moves": MOVED,
    "holds": HOLD,
    "withdraws": WITHDRAWN,
    "reminds": received(ReminderSent(number=1, due_on=A2.facts.due_on)),  # type: ignore[attr-defined]  # a request's facts
}
_TERMS: Final = ("CommissionReply", "CommissionTerm", "Contest", "RecommendationExpiry")
# What brings a case on is drawn more often, so that histories come to their ends.
_ON_THE_WAY: Final = ("register", "examine", "recommend", "refuse", "dispatch", "answer", "contest", "set-aside")
# A linked case rests on another history, which is told by stories.
_ALONE: Final = tuple(act for act in ACTS if act != "link")
_STEPS: Final = st.lists(
    st.sampled_from((*_ALONE, *_ON_THE_WAY, *_ON_THE_WAY, *_FROM_SCHOOL, *_TERMS, "asks")), min_size=10, max_size=60
)


def _lived(steps: list[str]) -> list[Recorded]:
    """Return the history that steps make, beginning with a request; what is refused is left out."""
    history = [recorded(A2, 1)]
    for step in steps:
        if step in _FROM_SCHOOL:
            incoming = recorded(_FROM_SCHOOL[step], len(history) + 1)
            if _DOMAIN.judge(history, incoming) is None:
                history.append(incoming)
            continue
        try:
            news = tuple(_DOMAIN.fire(history, step)) if step in _TERMS else ACTS[step](fold(history))
        except RefusedError:
            continue
        for new in news:
            facts = new.facts
            if getattr(facts, "basis", None) == BEFORE:
                facts = replace(facts, basis=body(len(history)))
            answers = next((place for place, each in enumerate(history, start=1) if each.body == new.in_reply_to), None)
            history.append(recorded(Told(facts=facts, answers=answers), len(history) + 1))
    return history


def _each_answer_rests_on_its_outcome(history: list[Recorded]) -> None:
    """I4: a yes has a recommendation before it, and a no has a refusal, or a correction."""
    kinds = {event.body: type(event.facts) for event in history}
    for event in history:
        if isinstance(event.facts, ConfirmationGiven | ConfirmationCorrected):
            is_yes = event.facts.answer is Answer.YES
            expected = (RecommendationIssued,) if is_yes else (RecommendationRefused, RecommendationCorrected)
            assert kinds[event.facts.basis] in expected


def _one_request_is_open_and_answered_once(history: list[Recorded]) -> None:
    """I3: a first answer a request; whatever else is told of it corrects or ends that one."""
    requests = {event.body for event in history if isinstance(event.facts, InformationRequested)}
    answered = [event.in_reply_to for event in history if isinstance(event.facts, ConfirmationGiven)]
    assert len(set(answered)) == len(answered)
    assert set(answered) <= requests
    last: Recorded | None = None
    for event in history:
        if isinstance(event.facts, ConfirmationCorrected):
            assert last is not None
            assert event.facts.corrects == last.body
            assert event.facts.answer is not last.facts.answer
        if isinstance(event.facts, ConfirmationEnded):
            assert last is not None
            assert last.facts.answer is Answer.YES
        if isinstance(event.facts, ConfirmationGiven | ConfirmationCorrected):
            last = event


def _letters_go_where_it_was_said_last(history: list[Recorded]) -> None:
    """I5: to the address of the request, or a later one that asks for no hold."""
    said: Recorded | None = None
    for event in history:
        if isinstance(event.facts, InformationRequested | DeliveryAddressChanged):
            said = event
        if isinstance(event.facts, DocumentsDispatched | Redispatched):
            assert said is not None
            assert event.facts.address_from == said.body
            assert not getattr(said.facts, "dispatch_on_hold", False)


def _nothing_is_decided_twice(history: list[Recorded]) -> None:
    """One recommendation or refusal, until it is corrected, set aside, revoked or has ended, or the school asks anew."""
    is_decided = False
    for event in history:
        if isinstance(event.facts, _OUTCOMES):
            assert not is_decided
            is_decided = True
        anew = RecommendationCorrected | RefusalSetAside | RecommendationRevoked | RecommendationExpired | InformationRequested
        if isinstance(event.facts, anew):
            is_decided = False


@pytest.mark.shows("I3", "I4", "I5")
@pytest.mark.parametrize(
    "holds",
    [
        _each_answer_rests_on_its_outcome,
        _one_request_is_open_and_answered_once,
        _letters_go_where_it_was_said_last,
        _nothing_is_decided_twice,
    ],
)
def test_what_must_hold_holds_in_every_history(holds: Callable[[list[Recorded]], None]) -> None:
    @settings(max_examples=300, deadline=None)
    @draw(steps=_STEPS)
    def check(steps: list[str]) -> None:
        holds(_lived(steps))

    check()


@settings(max_examples=200, deadline=None)
@draw(steps=_STEPS)
def test_every_history_is_shown_and_says_what_may_be_done(steps: list[str]) -> None:
    """A fold never refuses: whatever was accepted stays in the list."""
    history: Any = _lived(steps)
    assert _DOMAIN.row(history).state
    assert _DOMAIN.outlook(history, history[0].recorded_on) is not None
