"""What a school is told of a recommendation later: corrected, revoked, expired; and the contest of a refusal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.commission.domain import decisions, refusals
from services.commission.domain.answering import expire_recommendation, pass_on
from services.commission.domain.applying import fold
from services.commission.domain.linking import seen_with
from services.commission.domain.parts import CommissionState
from services.commission.input import ContestInput, CorrectionInput, HeadDecisionInput, RecommendationInput, RevocationInput
from services.post.history import BEFORE, New
from services.wire.events import (
    Answer,
    ConfirmationCorrected,
    ConfirmationCorrectedPersonal,
    ConfirmationEnded,
    ConfirmationGiven,
    RecommendationCorrected,
    RecommendationCorrectedPersonal,
    RecommendationExpired,
    RecommendationIssuedPersonal,
    RecommendationRevoked,
    RecommendationRevokedPersonal,
    RefusalContested,
    RefusalContestedPersonal,
    RefusalSetAside,
    RefusalSetAsidePersonal,
    RefusalUpheld,
    RefusalUpheldPersonal,
    RevocationReason,
)
from tests.commission_stories import (
    A2,
    ACTS,
    ANSWERED,
    CLOSED,
    DIRECT,
    DISPATCHED,
    EXAMINED,
    IRP,
    ISSUED,
    LINKED,
    PRIMARY,
    REFUSED,
    REGISTERED,
    SENT,
    STORIES,
    YES,
    case_after,
)
from tests.given_when_then import Told, body, given

_OFFICIAL = "Ilze Paraudziņa"
_TEXT = CorrectionInput(text="Labojums", answer_changed=False, official=_OFFICIAL)
_CHANGE = CorrectionInput(text="Labojums", answer_changed=True, official=_OFFICIAL)
_RECOMMENDATION = RecommendationInput(
    number="I-2", text="Ieteikums", issued_on=date(2026, 8, 26), valid_from=date(2026, 8, 26), valid_until=date(2028, 2, 3)
)
_DECIDES = {"uphold": decisions.uphold_refusal, "set-aside": decisions.set_refusal_aside}
_REVOCATION = RevocationInput(effective_on=date(2026, 10, 1), reason=RevocationReason.ISSUED_IN_ERROR, text="Atcelts")
_REVOKED = RecommendationRevoked(of=body(4), effective_on=date(2026, 10, 1), reason=RevocationReason.ISSUED_IN_ERROR)
_NO_GIVEN = STORIES["Answered, no"]
_CONTESTED = STORIES["Contested"]
_LINKED_YES = (*LINKED, YES)


def _corrected(*, changed: bool) -> New:
    facts = RecommendationCorrected(corrects=body(4), answer_changed=changed)
    return New(facts=facts, personal=RecommendationCorrectedPersonal(text="Labojums"))


def _told(now: Answer, *, basis: object = BEFORE) -> New:
    facts = ConfirmationCorrected(answer=now, wording=1 if now is Answer.YES else 2, corrects=body(6), basis=basis)  # type: ignore[arg-type]  # a digest
    return New(facts=facts, personal=ConfirmationCorrectedPersonal(official=_OFFICIAL), in_reply_to=body(1))


@pytest.mark.shows("D5.13", "I1")
def test_a_correction_of_the_text_alone_is_not_told_to_the_school() -> None:
    given(fold, *ANSWERED).when(decisions.correct_recommendation, _TEXT).then(_corrected(changed=False))
    case = case_after(*ANSWERED, _corrected(changed=False).facts)
    assert case.state is CommissionState.CORRECTED
    # What was corrected is a letter of its own.
    assert ACTS["dispatch"](case)
    again = given(fold, *ANSWERED).when(decisions.correct_recommendation, _TEXT, said="Labojums")
    again.refused(refusals.CorrectedAlreadyError)


@pytest.mark.shows("D5.13")
def test_a_yes_that_becomes_a_no_is_told_to_the_school() -> None:
    given(fold, *ANSWERED).when(decisions.correct_recommendation, _CHANGE).then(_corrected(changed=True), _told(Answer.NO))
    case = case_after(*STORIES["Corrected"])
    assert (case.answer, case.standing) == (Answer.NO, None)
    given(fold, *STORIES["Corrected"]).when(decisions.correct_recommendation, _CHANGE).refused(refusals.RecommendationNeededError)


@pytest.mark.shows("D5.13")
def test_a_yes_that_became_a_no_before_it_was_answered_is_answered_with_a_no() -> None:
    given(fold, *DISPATCHED).when(decisions.correct_recommendation, _CHANGE).then(_corrected(changed=True))
    (told,) = ACTS["answer"](case_after(*DISPATCHED, _corrected(changed=True).facts))
    assert told.facts == ConfirmationGiven(answer=Answer.NO, wording=2, basis=body(6))


@pytest.mark.shows("I4", "D5.13")
def test_a_no_becomes_a_yes_only_with_a_recommendation() -> None:
    with_it = _CHANGE.model_copy(update={"recommendation": _RECOMMENDATION})
    issued = New(facts=ISSUED, personal=RecommendationIssuedPersonal(number="I-2", text="Ieteikums"))
    given(fold, *_NO_GIVEN).when(decisions.correct_recommendation, with_it).then(
        _corrected(changed=True), issued, _told(Answer.YES)
    )
    given(fold, *_NO_GIVEN).when(decisions.correct_recommendation, _CHANGE).refused(refusals.RecommendationNeededError)
    given(fold, *ANSWERED).when(decisions.correct_recommendation, with_it).refused(refusals.RecommendationNotNeededError)
    given(fold, *_NO_GIVEN).when(
        decisions.correct_recommendation, _TEXT.model_copy(update={"recommendation": _RECOMMENDATION})
    ).refused(refusals.RecommendationNotNeededError)


def test_a_correction_keeps_to_the_rules_of_every_recommendation() -> None:
    with_it = _CHANGE.model_copy(update={"recommendation": _RECOMMENDATION})
    early = replace(EXAMINED, examined_on=date(2026, 8, 27))
    given(fold, A2, REGISTERED, early, REFUSED).when(decisions.correct_recommendation, with_it).refused(refusals.DateOrderError)
    given(fold, A2, REGISTERED, REFUSED).when(decisions.correct_recommendation, with_it).refused(refusals.NotExaminedError)
    given(fold, A2, REGISTERED).when(decisions.correct_recommendation, _TEXT).refused(refusals.NothingToCorrectError)
    given(fold, *STORIES["Revoked"]).when(decisions.correct_recommendation, _TEXT).refused(refusals.NothingToCorrectError)
    given(fold, *_CONTESTED).when(decisions.correct_recommendation, _TEXT).refused(refusals.ContestedError)


def test_what_answers_no_request_is_no_answer() -> None:
    """A history of a careless program: nobody can take it, so nothing is corrected by what changes later."""
    case = given(fold, DIRECT, EXAMINED, ISSUED, SENT, YES).case
    assert case.answered is None
    changed = decisions.correct_recommendation(case, _CHANGE)
    assert [type(each.facts).__name__ for each in changed] == ["RecommendationCorrected"]


@pytest.mark.shows("D5.13")
def test_a_revocation_is_told_to_the_school_that_got_a_yes_and_never_why() -> None:
    revoked = New(facts=_REVOKED, personal=RecommendationRevokedPersonal(text="Atcelts"))
    told = New(facts=ConfirmationEnded(ended_on=date(2026, 10, 1), basis=BEFORE), in_reply_to=body(1))
    given(fold, *ANSWERED).when(decisions.revoke_recommendation, _REVOCATION).then(revoked, told)
    given(fold, *ANSWERED, CLOSED).when(decisions.revoke_recommendation, _REVOCATION).then(revoked, told)
    given(fold, *DISPATCHED).when(decisions.revoke_recommendation, _REVOCATION).then(revoked)
    given(fold, *STORIES["Revoked"]).when(decisions.revoke_recommendation, _REVOCATION).refused(refusals.NothingToRevokeError)
    given(fold, *_NO_GIVEN).when(decisions.revoke_recommendation, _REVOCATION).refused(refusals.NothingToRevokeError)
    early = _REVOCATION.model_copy(update={"effective_on": date(2026, 8, 25)})
    given(fold, *ANSWERED).when(decisions.revoke_recommendation, early).refused(refusals.DateOrderError)


def test_what_was_revoked_before_it_was_answered_moves_others() -> None:
    revoked = (*DISPATCHED, _REVOKED)
    given(fold, *revoked).when(ACTS["answer"]).refused(refusals.NothingToAnswerError)
    assert ACTS["refuse"](case_after(*revoked))
    (told,) = ACTS["answer"](case_after(*revoked, REFUSED))
    assert told.facts.answer is Answer.NO


@pytest.mark.shows("D5.12")
def test_a_recommendation_ends_with_its_last_day() -> None:
    until = date(2028, 2, 3)
    expired = New(facts=RecommendationExpired(of=body(4), on=until))
    # The school reads it as the first day on which there is no yes: the last day is still one of the recommendation.
    told = New(facts=ConfirmationEnded(ended_on=date(2028, 2, 4), basis=BEFORE), in_reply_to=body(1))
    assert expire_recommendation(case_after(*ANSWERED), until) == (expired, told)
    assert expire_recommendation(case_after(*STORIES["Dispatched, direct"]), until)[1:] == ()
    assert expire_recommendation(case_after(*_NO_GIVEN), until) == ()


@pytest.mark.shows("D5.6", "D5.12")
def test_the_school_of_a_linked_case_is_told_the_same_first_day_without_a_yes() -> None:
    expired = case_after(*ANSWERED, RecommendationExpired(of=body(4), on=date(2028, 2, 3)))
    (told,) = pass_on(seen_with(case_after(*_LINKED_YES), expired), None)
    assert told.facts == ConfirmationEnded(ended_on=date(2028, 2, 4), basis=body(7))


@pytest.mark.parametrize("act", ["uphold", "set-aside"])
def test_a_contest_is_not_decided_before_it_was_made(act: str) -> None:
    early = HeadDecisionInput(on=date(2026, 9, 1), text="Izskatīts")
    given(fold, *_CONTESTED).when(_DECIDES[act], early).refused(refusals.DateOrderError)


def _passed_on(linked: tuple[object, ...], primary: tuple[object, ...], official: str | None) -> tuple[New, ...]:
    return pass_on(seen_with(case_after(*linked), case_after(*primary)), official)


@pytest.mark.shows("D5.6", "D5.13")
def test_the_school_of_a_linked_case_is_told_what_became_of_its_yes() -> None:
    ended = _passed_on(_LINKED_YES, STORIES["Revoked"], None)
    assert ended == (New(facts=ConfirmationEnded(ended_on=date(2026, 10, 1), basis=body(7)), in_reply_to=body(1)),)
    (corrected,) = _passed_on(_LINKED_YES, STORIES["Corrected"], _OFFICIAL)
    assert corrected.facts == ConfirmationCorrected(answer=Answer.NO, wording=2, corrects=body(4), basis=body(7))
    assert _passed_on(_LINKED_YES, ANSWERED, _OFFICIAL) == ()
    assert _passed_on(_LINKED_YES, STORIES["Corrected"], None) == ()
    assert _passed_on(_LINKED_YES, PRIMARY, _OFFICIAL) == ()
    assert _passed_on(LINKED, STORIES["Corrected"], _OFFICIAL) == ()
    assert _passed_on(LINKED, STORIES["Revoked"], None) == ()


@pytest.mark.shows("D5.6")
def test_a_linked_answer_that_is_no_longer_right_is_corrected_by_hand_too() -> None:
    (told,) = ACTS["answer"](seen_with(case_after(*_LINKED_YES), case_after(*STORIES["Corrected"])))
    assert told.facts == ConfirmationCorrected(answer=Answer.NO, wording=2, corrects=body(4), basis=body(7))


def test_a_refusal_is_contested_within_a_month_from_its_notification() -> None:
    """Domain section 1 (L-8), E09: deemed notified on 03.09., so until Monday 05.10."""
    last = ContestInput(on=date(2026, 10, 5), text="Iebildumi")
    contested = New(facts=RefusalContested(on=date(2026, 10, 5)), personal=RefusalContestedPersonal(text="Iebildumi"))
    given(fold, *_NO_GIVEN).when(decisions.contest_refusal, last).then(contested)
    late = last.model_copy(update={"on": date(2026, 10, 6)})
    given(fold, *_NO_GIVEN).when(decisions.contest_refusal, late).refused(refusals.LateContestError)
    assert decisions.contest_refusal(case_after(*_NO_GIVEN), late.model_copy(update={"term_restored": True}))
    assert decisions.contest_refusal(case_after(*STORIES["Refused"]), late)
    early = last.model_copy(update={"on": date(2026, 8, 25)})
    given(fold, *_NO_GIVEN).when(decisions.contest_refusal, early).refused(refusals.DateOrderError)
    given(fold, *ANSWERED).when(decisions.contest_refusal, last).refused(refusals.NoRefusalError)
    given(fold, *_CONTESTED).when(decisions.contest_refusal, last).refused(refusals.AlreadyContestedError)


def test_the_head_upholds_a_refusal_or_sets_it_aside_once() -> None:
    upheld = New(facts=RefusalUpheld(on=date(2026, 10, 5)), personal=RefusalUpheldPersonal(text="Atstāts spēkā"))
    given(fold, *_CONTESTED).when(ACTS["uphold"]).then(upheld)
    aside = New(facts=RefusalSetAside(on=date(2026, 10, 5)), personal=RefusalSetAsidePersonal(text="Atcelts"))
    given(fold, *_CONTESTED).when(ACTS["set-aside"]).then(aside)
    given(fold, *_CONTESTED, upheld.facts).when(ACTS["set-aside"]).refused(refusals.NotContestedError)
    given(fold, *_CONTESTED, upheld.facts).when(ACTS["contest"]).refused(refusals.AlreadyContestedError)


@pytest.mark.shows("D5.13", "D5.14")
def test_after_a_refusal_was_set_aside_a_new_recommendation_corrects_the_first_answer() -> None:
    """Domain E09, variant."""
    aside = (*STORIES["SetAside"], ISSUED)
    corrected = ConfirmationCorrected(answer=Answer.YES, wording=1, corrects=body(6), basis=body(9))
    personal = ConfirmationCorrectedPersonal(official=_OFFICIAL)
    given(fold, *aside).when(ACTS["answer"]).then(New(facts=corrected, personal=personal, in_reply_to=body(1)))
    assert case_after(*aside).state is CommissionState.PREPARED
    assert case_after(*aside, corrected).state is CommissionState.ANSWERED
    given(fold, *aside, corrected).when(ACTS["answer"]).refused(refusals.AlreadyAnsweredError)


def test_a_refusal_after_one_that_was_set_aside_changes_no_answer() -> None:
    given(fold, *STORIES["SetAside"], REFUSED).when(ACTS["answer"]).refused(refusals.AlreadyAnsweredError)


def test_a_plan_that_names_no_need_goes_with_the_refusal_that_is_set_aside() -> None:
    without = replace(IRP, indicates_need=False)
    aside = (RefusalContested(on=date(2026, 9, 7)), RefusalSetAside(on=date(2026, 9, 21)))
    assert case_after(A2, REGISTERED, EXAMINED, without, REFUSED, *aside).irp is None
    assert case_after(A2, REGISTERED, EXAMINED, IRP, REFUSED, *aside).irp == IRP


def test_a_correction_of_nothing_is_kept_and_changes_no_outcome() -> None:
    stray = RecommendationCorrected(corrects=body(4), answer_changed=True)
    assert case_after(A2, REGISTERED, Told(facts=stray)).outcome is None
    assert case_after(A2, REGISTERED, EXAMINED, REFUSED, stray).outcome == case_after(A2, REGISTERED, EXAMINED, REFUSED).outcome


def test_a_second_answer_of_a_careless_program_is_no_ground_for_a_correction() -> None:
    """The school has refused it; what it knows is still what was decided."""
    given(fold, *ANSWERED, replace(YES, answer=Answer.NO, wording=2)).when(ACTS["answer"]).refused(refusals.AlreadyAnsweredError)
