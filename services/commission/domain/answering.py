"""Answers: yes or no to the school and never a cause, corrections, revocations, expiry, and the contest of a refusal.

Pure functions from a case to the events of the act; every refusal is a leaf of ``refusals``.
Source: domain.md A.5, D.3, I1, I4, and D.5, 6, 12 and 13; L-8 for the contest.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from services.commission.domain import guards, refusals
from services.commission.domain.assessing import recommendation_days
from services.commission.domain.case import CommissionCase
from services.commission.domain.ordering import in_order
from services.commission.domain.parts import Request
from services.commission.domain.terms import contest_due
from services.commission.input import (
    AnswerInput,
    ContestInput,
    CorrectionInput,
    HeadDecisionInput,
    RecommendationInput,
    RevocationInput,
)
from services.post.history import BEFORE, New
from services.wire.events import (
    Answer,
    ConfirmationCorrected,
    ConfirmationCorrectedPersonal,
    ConfirmationEnded,
    ConfirmationGiven,
    ConfirmationGivenPersonal,
    RecommendationCorrected,
    RecommendationCorrectedPersonal,
    RecommendationExpired,
    RecommendationIssued,
    RecommendationIssuedPersonal,
    RecommendationRevoked,
    RecommendationRevokedPersonal,
    RefusalContested,
    RefusalContestedPersonal,
    RefusalSetAside,
    RefusalSetAsidePersonal,
    RefusalUpheld,
    RefusalUpheldPersonal,
)
from services.wire.hashing import Digest
from services.wire.wordings import wording_of

__all__ = [
    "answer",
    "contest_refusal",
    "correct_recommendation",
    "ended_answer",
    "expire_recommendation",
    "pass_on",
    "revoke_recommendation",
    "set_refusal_aside",
    "uphold_refusal",
]


_DAY: Final = timedelta(days=1)


def answer(case: CommissionCase, form: AnswerInput) -> tuple[New, ...]:
    """Return the answer to the school: yes or no as the outcome says, never a cause; it does not wait for the dispatch.

    Of a linked case the outcome is that of the earlier one. Once that is decided anew, it corrects the first answer (E09).
    Raises: NoRequestError, NoSchoolError, AlreadyAnsweredError, ClosedError, WithdrawnError, NotIdentifiedError,
    NothingToAnswerError; for a yes in b.2 IrpMissingError, IrpWithoutNeedError.
    """
    request, outcome = guards.may_answer(case)
    if case.answered is not None:
        return (_corrected(*case.answered, outcome.answer, outcome.basis, form.official),)
    facts = ConfirmationGiven(answer=outcome.answer, wording=wording_of(outcome.answer), basis=outcome.basis)
    return (New(facts=facts, personal=ConfirmationGivenPersonal(official=form.official), in_reply_to=request.body),)


def correct_recommendation(case: CommissionCase, form: CorrectionInput, *, said: str | None = None) -> tuple[New, ...]:
    """Return the events of a correction; the school is told only where yes and no change by it (D.5, 13).

    ``said`` is the text of the correction before, if there was one.

    Raises: NoRequestError, NothingToCorrectError, ContestedError, CorrectedAlreadyError; RecommendationNeededError and
    RecommendationNotNeededError; of the recommendation as ``issue_recommendation``.
    """
    outcome = guards.may_correct(case)
    makes_yes = form.answer_changed and not outcome.is_yes
    # I4: a yes has a recommendation before it, also where it corrects a no.
    if makes_yes and form.recommendation is None:
        raise refusals.RecommendationNeededError
    if form.recommendation is not None and not makes_yes:
        raise refusals.RecommendationNotNeededError
    # A command that was interrupted may have done its work; its repetition is not a second correction.
    if not form.answer_changed and said == form.text:
        raise refusals.CorrectedAlreadyError
    facts = RecommendationCorrected(corrects=outcome.body, answer_changed=form.answer_changed)
    corrected = New(facts=facts, personal=RecommendationCorrectedPersonal(text=form.text))
    issued = _issued(case, form.recommendation) if form.recommendation is not None else ()
    if case.answered is None or not form.answer_changed:
        return (corrected, *issued)
    changed = Answer.YES if makes_yes else Answer.NO
    return (corrected, *issued, _corrected(*case.answered, changed, BEFORE, form.official))


def pass_on(case: CommissionCase, official: str | None) -> tuple[New, ...]:
    """Return what tells the school of a linked case that its answer has ended, or has become the other, in the earlier case.

    ``official`` is who signed the corrected answer there; None where nobody did.
    """
    primary = case.primary
    if primary is None:
        return ()
    if primary.ending is not None:
        return ended_answer(case, primary.ending.on, primary.ending.body)
    outcome = primary.outcome
    if outcome is None or official is None or case.answered is None or not case.is_answer_stale:
        return ()
    return (_corrected(*case.answered, outcome.answer, outcome.basis, official),)


def revoke_recommendation(case: CommissionCase, form: RevocationInput) -> tuple[New, ...]:
    """Return the events of a revocation; a school that got a yes is told from when it holds no longer, and never why (D.5, 13).

    Raises: NoRequestError, NothingToRevokeError, DateOrderError.
    """
    outcome = guards.may_revoke(case)
    in_order(form.effective_on, "The revocation", outcome.facts.issued_on, "the day of issue")
    facts = RecommendationRevoked(of=outcome.body, effective_on=form.effective_on, reason=form.reason)
    revoked = New(facts=facts, personal=RecommendationRevokedPersonal(text=form.text))
    return (revoked, *ended_answer(case, form.effective_on, BEFORE))


def expire_recommendation(case: CommissionCase, until: date) -> tuple[New, ...]:
    """Return the events of a recommendation whose last day is over: nobody decides it, time does (D.5, 12)."""
    if case.standing is None:
        return ()
    expired = New(facts=RecommendationExpired(of=case.standing.body, on=until))
    # On its last day it still holds: a school is told the first on which it does not.
    return (expired, *ended_answer(case, until + _DAY, BEFORE))


def ended_answer(case: CommissionCase, on: date, basis: Digest) -> tuple[New, ...]:
    """Return what tells a school that its yes holds no longer from day ``on``; nothing where it has none, or knows already."""
    if case.request is None or case.answer is not Answer.YES or case.ended_told:
        return ()
    return (New(facts=ConfirmationEnded(ended_on=on, basis=basis), in_reply_to=case.request.body),)


def contest_refusal(case: CommissionCase, form: ContestInput) -> tuple[New, ...]:
    """Return the event of the commission's refusal contested before its head (L-8; E09).

    Raises: NoRequestError, NoRefusalError, AlreadyContestedError, DateOrderError; LateContestError after a month from the
    notification, unless the term was restored.
    """
    outcome = guards.may_contest(case)
    in_order(form.on, "The contest", outcome.facts.issued_on, "the refusal")
    due_on = contest_due(case)
    if due_on is not None and form.on > due_on and not form.term_restored:
        raise refusals.LateContestError
    return (New(facts=RefusalContested(on=form.on), personal=RefusalContestedPersonal(text=form.text)),)


def uphold_refusal(case: CommissionCase, form: HeadDecisionInput) -> tuple[New, ...]:
    """Return the event of a refusal that stands.

    Raises: NoRequestError, NotContestedError, DateOrderError.
    """
    in_order(form.on, "The decision", guards.may_decide_contest(case), "the contest")
    return (New(facts=RefusalUpheld(on=form.on), personal=RefusalUpheldPersonal(text=form.text)),)


def set_refusal_aside(case: CommissionCase, form: HeadDecisionInput) -> tuple[New, ...]:
    """Return the event of a refusal that was set aside; it is decided anew, and the school's answer corrected then (E09).

    Raises: NoRequestError, NotContestedError, DateOrderError.
    """
    in_order(form.on, "The decision", guards.may_decide_contest(case), "the contest")
    return (New(facts=RefusalSetAside(on=form.on), personal=RefusalSetAsidePersonal(text=form.text)),)


def _issued(case: CommissionCase, form: RecommendationInput) -> tuple[New, ...]:
    """Return the recommendation that a corrected refusal becomes, under the rules of every recommendation."""
    if case.examination is None:
        raise refusals.NotExaminedError
    guards.plan_supports_yes(case)
    recommendation_days(case, form, case.examination.examined_on)
    facts = RecommendationIssued(issued_on=form.issued_on, valid_from=form.valid_from, valid_until=form.valid_until, parts=())
    return (New(facts=facts, personal=RecommendationIssuedPersonal(number=form.number, text=form.text)),)


def _corrected(request: Request, corrects: Digest, now: Answer, basis: Digest, official: str) -> New:
    facts = ConfirmationCorrected(answer=now, wording=wording_of(now), corrects=corrects, basis=basis)
    return New(facts=facts, personal=ConfirmationCorrectedPersonal(official=official), in_reply_to=request.body)
