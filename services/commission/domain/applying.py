"""Folding: what each accepted event makes of the commission's case.

Total: whatever was accepted once stays loadable, in whatever order it stands; every refusal is made before, by the decisions
and by ``receiving``.
Source: domain.md D.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from typing import Final

from services.commission.domain.case import CommissionCase
from services.commission.domain.parts import AddressChange, Attendance, Contest, Correction, Ending, Outcome, Request, Sent
from services.post.history import Recorded, Standing
from services.wire.events import (
    AssessmentClosed,
    AssessmentLinked,
    AttendanceLapsed,
    AttendanceRequested,
    AttendanceRequired,
    ConfirmationCorrected,
    ConfirmationEnded,
    ConfirmationGiven,
    CorrectedField,
    DeliveryAddressChanged,
    DeliveryConfirmed,
    DeliveryFailed,
    DocumentsDispatched,
    ExpertiseFileExamined,
    IdentityNotMatched,
    InformationRequested,
    IrpIssued,
    OpinionIssued,
    PupilAttended,
    RecommendationCorrected,
    RecommendationExpired,
    RecommendationIssued,
    RecommendationRefused,
    RecommendationRevoked,
    Redispatched,
    RefusalContested,
    RefusalSetAside,
    RefusalUpheld,
    Rejected,
    ReminderSent,
    RequestCorrected,
    RequestRegistered,
    RequestReturned,
    RequestWithdrawn,
    TermExtended,
)
from services.wire.hashing import Digest

__all__ = ["evolve", "fold"]

_DAY: Final = timedelta(days=1)
"""A recommendation expires with the end of its last day."""

_SOUGHT_BY: Final = (CorrectedField.NAME, CorrectedField.CODE, CorrectedField.NEW_CODE)


def fold(history: Sequence[Recorded]) -> CommissionCase:
    """Return the case after its accepted events; refused, parked and voided ones count for nothing."""
    return reduce(evolve, (event for event in history if event.standing is Standing.ACCEPTED), CommissionCase())


def evolve(case: CommissionCase, event: Recorded) -> CommissionCase:
    """Return the case after one accepted event; an event that means nothing to it leaves it as it is."""
    if case.first is None:
        case = replace(case, first=event.body, named_by=event.body)
    for part in (_requested, _assessed, _decided, _sent, _told):
        changed = part(case, event)
        if changed is not None:
            return changed
    return case


def _requested(case: CommissionCase, event: Recorded) -> CommissionCase | None:  # noqa: PLR0911  # one return an event
    """Apply what a school says of its request, and how it is taken up, returned, linked and closed."""
    match event.facts:
        case InformationRequested() as facts:
            return _asked(case, Request(body=event.body, facts=facts, written_on=event.recorded_on))
        case RequestCorrected() as facts:
            corrections = (*case.corrections, Correction(body=event.body, facts=facts))
            is_sought_anew = any(each in _SOUGHT_BY for each in facts.changed)
            is_renamed = CorrectedField.CODE in facts.changed
            # Back to Registered: the same assessment goes on with what is right now (D.5, 10; E16).
            return replace(
                case,
                corrections=corrections,
                not_matched=case.not_matched and not is_sought_anew,
                rechecked=case.rechecked and not (is_sought_anew and case.examination is not None),
                named_by=event.body if is_renamed else case.named_by,
                # D.5, 10: it was linked by a code that was mistyped, so to another pupil's case perhaps; a clerk compares anew.
                linked=None if is_renamed and case.answer is None else case.linked,
                renamed_since=case.renamed_since or (is_renamed and case.linked is not None and case.answer is not None),
            )
        case RequestWithdrawn():
            return replace(case, withdrawn=True)
        case DeliveryAddressChanged() as facts:
            told = AddressChange(body=event.body, facts=facts, written_on=event.recorded_on)
            return replace(case, address=told, addresses=(*case.addresses, event.body))
        case ReminderSent() as facts:
            return replace(case, reminders=facts.number)
        case RequestRegistered() as facts:
            return replace(case, registered=facts, registered_body=event.body)
        case AssessmentLinked() as facts:
            # What was issued here and ended before anybody was answered counts no more: the earlier case has the recommendation.
            linked = replace(case, linked=facts.primary)
            return linked if case.ending is None else replace(linked, outcome=None, ending=None, dispatch=None)
        case TermExtended() as facts:
            return replace(case, extension=facts)
        case AssessmentClosed() as facts:
            return replace(case, closed=facts.cause)
        case _:
            return None


def _asked(case: CommissionCase, request: Request) -> CommissionCase:
    """Return the case after a request: a later one begins anew, but for what was found out and a recommendation that holds."""
    if case.request is None:
        return replace(case, request=request)
    return CommissionCase(
        first=case.first,
        named_by=request.body,
        request=request,
        examination=case.examination,
        rechecked=case.examination is None,
        opinion=case.opinion,
        irp=case.irp,
        outcome=case.standing,
        dispatch=case.dispatch if case.standing is not None else None,
    )


def _assessed(case: CommissionCase, event: Recorded) -> CommissionCase | None:  # noqa: PLR0911  # one return an event
    """Apply what is found out of the pupil."""
    attendance = case.attendance
    match event.facts:
        case ExpertiseFileExamined() as facts:
            # Of a linked case: the earlier one had ended without an outcome, and this one is assessed by itself (D.5, 6).
            return replace(case, examination=facts, rechecked=True, linked=None)
        case AttendanceRequested() as facts:
            return replace(case, attendance=Attendance(body=event.body, sent_on=facts.sent_on))
        case PupilAttended() if attendance is not None:
            return replace(case, attendance=replace(attendance, attended=True))
        case AttendanceLapsed() if attendance is not None:
            return replace(case, attendance=replace(attendance, lapsed=True))
        case OpinionIssued() as facts:
            return replace(case, opinion=facts)
        case IrpIssued() as facts:
            return replace(case, irp=facts)
        case _:
            return None


def _decided(case: CommissionCase, event: Recorded) -> CommissionCase | None:  # noqa: PLR0911  # one return an event
    """Apply what the commission issues and refuses, and what becomes of that later."""
    match event.facts:
        case RecommendationIssued() | RecommendationRefused() as facts:
            is_yes = isinstance(facts, RecommendationIssued)
            decided = Outcome(body=event.body, facts=facts, basis=event.body, is_yes=is_yes)
            # Decided anew is sent anew.
            return replace(case, outcome=decided, dispatch=None, contest=Contest.NONE, ending=None)
        case RecommendationCorrected() as facts:
            outcome = case.outcome
            superseded = case.superseded
            if outcome is not None and facts.answer_changed:
                # Of a refusal too: the recommendation that it becomes is the next event.
                superseded = (*superseded, outcome.basis)
                outcome = replace(outcome, is_yes=False, basis=event.body) if outcome.is_yes else outcome
            return replace(case, outcome=outcome, correction=event.body, dispatch=None, superseded=superseded)
        case RecommendationRevoked() as facts:
            return replace(case, ending=Ending(body=event.body, on=facts.effective_on, is_revoked=True))
        case RecommendationExpired() as facts:
            return replace(case, ending=Ending(body=event.body, on=facts.on + _DAY, is_revoked=False))
        case RefusalContested() as facts:
            return replace(case, contest=Contest.OPEN, contested_on=facts.on)
        case RefusalUpheld():
            return replace(case, contest=Contest.UPHELD)
        case RefusalSetAside():
            # The refusal is no more: it is decided anew, also where the assessment was closed, and a plan that names no need too.
            # Whoever came, or did not, did so for the refusal that is no more, and may be asked again.
            plan = case.irp if case.irp is not None and case.irp.indicates_need else None
            superseded = (*case.superseded, case.outcome.basis) if case.outcome is not None else case.superseded
            return replace(
                case,
                contest=Contest.SET_ASIDE,
                outcome=None,
                attendance=None,
                irp=plan,
                dispatch=None,
                closed=None,
                superseded=superseded,
            )
        case _:
            return None


def _sent(case: CommissionCase, event: Recorded) -> CommissionCase | None:
    """Apply what was sent, and whether it came."""
    last = case.dispatch
    match event.facts:
        case DocumentsDispatched() as facts:
            return replace(case, dispatch=_sent_now(case, event.body, event.body, facts))
        case Redispatched() as facts:
            first = last.first if last is not None else event.body
            return replace(case, dispatch=_sent_now(case, event.body, first, facts))
        case DeliveryConfirmed() if last is not None:
            return replace(case, dispatch=replace(last, delivered=True, failed=False))
        case DeliveryFailed() if last is not None:
            return replace(case, dispatch=replace(last, failed=True))
        case _:
            return None


def _sent_now(case: CommissionCase, body: Digest, first: Digest, facts: DocumentsDispatched | Redispatched) -> Sent:
    own = (case.request.body if case.request is not None else None, case.registered_body, *case.addresses)
    # It went where a linked case says: what its own school had said by then is no change since.
    instead_of = case.address.body if case.address is not None and facts.address_from not in own else None
    return Sent(body=body, first=first, facts=facts, instead_of=instead_of)


def _told(case: CommissionCase, event: Recorded) -> CommissionCase | None:  # noqa: PLR0911  # one return an event
    """Apply what a school was told, and whether it took it."""
    match event.facts:
        # Only what the school can take counts (D.5, 16): one answer to this request, and what corrects the answer that stands.
        case ConfirmationGiven() as facts if case.answer is None and _is_for_request(case, event):
            return replace(case, answer=facts.answer, answer_body=event.body, answer_basis=facts.basis)
        case ConfirmationCorrected() as facts if facts.corrects == case.answer_body:
            corrected = replace(case, answer=facts.answer, answer_body=event.body, answer_basis=facts.basis)
            return replace(corrected, answer_rejected=None)
        case ConfirmationEnded():
            return replace(case, ended_told=True)
        case AttendanceRequired() as facts:
            return replace(case, summons_told=facts.basis)
        case IdentityNotMatched():
            return replace(case, not_matched=True)
        case RequestReturned():
            return replace(case, returned=True)
        case Rejected() as facts if not event.own and event.in_reply_to == case.answer_body:
            return replace(case, answer_rejected=facts.code)
        case _:
            return None


def _is_for_request(case: CommissionCase, event: Recorded) -> bool:
    return case.request is not None and event.in_reply_to == case.request.body
