"""No state without a way on or an end: in each, an act that leads on is offered, or somebody else's turn is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final
from uuid import UUID

from services.commission.domain.case import CommissionCase
from services.commission.domain.outlook import outlook_of as commission_outlook
from services.commission.domain.parts import CommissionState, Contest
from services.commission.domain.registering import close_assessment
from services.commission.input import AnswerInput, ClosingInput, ExaminationInput
from services.policy.forms import Form
from services.school.domain.folded import SchoolCase
from services.school.domain.outlook import outlook_of as school_outlook
from services.school.domain.parts import ENDED, SchoolState
from services.wire.errors import RefusedError
from services.wire.events import AssessmentCause, Opinion
from tests.procedure.commission_desk import CommissionDesk
from tests.procedure.houses import World

__all__ = ["check_ways_on"]

_AT_SCHOOL: Final[Mapping[SchoolState, frozenset[str]]] = MappingProxyType(
    {
        SchoolState.RECEIVED: frozenset({"incomplete", "supplement", "consent", "address"}),
        SchoolState.INCOMPLETE: frozenset({"supplement", "consent", "address", "correct", "close"}),
        SchoolState.SIGNATURE_REJECTED: frozenset({"signature", "supplement"}),
        SchoolState.NOT_ELIGIBLE_AT_INTAKE: frozenset({"decide"}),
        SchoolState.READY_TO_REQUEST: frozenset({"request", "signature"}),
        SchoolState.REQUEST_REJECTED: frozenset({"request"}),
        SchoolState.READY_FOR_DECISION: frozenset({"decide"}),
        SchoolState.NEGATIVE_ANSWER: frozenset({"decide"}),
        SchoolState.GRANTED: frozenset({"propose-assistant"}),
        SchoolState.AGREEMENT_PENDING: frozenset({"annex-cv", "conclude"}),
        SchoolState.ACTIVE: frozenset({"end-service"}),
        SchoolState.SUSPENDED: frozenset({"resume"}),
        SchoolState.CONTESTED: frozenset({"uphold", "set-aside"}),
    }
)
_OF_OTHER_ACTS: Final = (
    AssessmentCause.UNKNOWN,
    AssessmentCause.RETURNED,
    AssessmentCause.ATTENDANCE_LAPSED,
    AssessmentCause.DIED,
)
_AT_COMMISSION: Final[Mapping[CommissionState, frozenset[str]]] = MappingProxyType(
    {
        CommissionState.RECEIVED: frozenset({"register"}),
        CommissionState.REGISTERED: frozenset({"examine"}),
        CommissionState.FILE_CHECKED: frozenset({"examine", "recommend", "refuse", "require-attendance"}),
        CommissionState.ATTENDANCE_REQUIRED: frozenset({"attended", "attendance-lapsed"}),
        CommissionState.PREPARED: frozenset({"dispatch", "answer"}),
        CommissionState.REFUSED: frozenset({"dispatch", "answer"}),
        CommissionState.CONTESTED: frozenset({"uphold", "set-aside"}),
        CommissionState.SET_ASIDE: frozenset({"examine", "recommend", "refuse", "close"}),
        CommissionState.WITHDRAWN: frozenset({"answer", "dispatch", "close"}),
        CommissionState.IDENTITY_NOT_MATCHED: frozenset({"close"}),
        CommissionState.DISPATCHED: frozenset({"answer", "close"}),
        CommissionState.ANSWERED: frozenset({"dispatch", "close"}),
    }
)
_ANSWER: Final = AnswerInput(official="Ilze Paraudziņa")
_MOST_ACTS: Final = 3
_CAUSES: Final = tuple(cause for cause in AssessmentCause if cause not in _OF_OTHER_ACTS)


def check_ways_on(world: World) -> None:
    """Check every case of both sides."""
    for school in world.schools.values():
        for case_id in school.cases:
            _at_school(world, school.case(case_id))
    for case_id in tuple(world.commission.cases):
        _at_commission(world, world.commission.case(case_id))
        # As it was written: one whose earlier case is over stands by itself, and goes on all the same.
        if world.commission.folded[case_id].linked is not None:
            _a_linked_case_goes_on(CommissionDesk(world), case_id)


def _at_school(world: World, case: SchoolCase) -> None:
    offered = {each.act for each in school_outlook(case, world.today).allowed}
    if case.state in ENDED:
        # What came for the requester is handed over all the same; a service that is over is still accounted for.
        assert case.request is None or not case.request.is_open, "the case has ended, and the commission was not told"
        left_alone = {"reopen", "withdraw", "leave"} if case.left_alone_on is not None else set()
        assert offered <= left_alone | {"receive-sealed", "hand-over", "report-hours", "notify", "contest", "uphold", "set-aside"}
        assert offered >= left_alone
    elif case.state in (SchoolState.AWAITING_COMMISSION, SchoolState.ON_HOLD_ATTENDANCE):
        assert case.request is not None
        assert case.request.is_open
    elif case.state is SchoolState.REFUSED:
        decision = case.decision
        assert decision is not None
        assert decision.contested_on is not None or "contest" in offered
    else:
        assert offered & _AT_SCHOOL[case.state], f"{case.state.value} leads nowhere: {sorted(offered)}"


def _at_commission(world: World, case: CommissionCase) -> None:
    offered = {each.act for each in commission_outlook(case, world.today).allowed}
    if case.died_elsewhere and case.closed is None:
        # Of a pupil who died, as a linked case tells, nothing is sent any more: the case is closed for that cause. A contest that
        # is open is decided first, also then.
        if case.contest is Contest.OPEN:
            assert offered >= {"uphold", "set-aside"}
            return
        assert "close" in offered
        assert _can_close(case, AssessmentCause.DIED)
        return
    if not any(_can_close(case, cause) for cause in _CAUSES):
        offered.discard("close")
    # Letters that are held wait for the requester, who says an address at the school.
    is_held = case.address is not None and case.address.facts.dispatch_on_hold and not case.withdrawn
    # One that the school of a linked case holds is sent once a person has asked the requester.
    is_held = is_held or bool(case.held_elsewhere)
    if case.state in _AT_COMMISSION and case.closed is None and not is_held:
        assert offered & _AT_COMMISSION[case.state], f"{case.state.value} leads nowhere: {sorted(offered)}"


def _a_linked_case_goes_on(desk: CommissionDesk, case_id: UUID) -> None:
    """Do what is to be done in a linked case until it is closed, or it is the turn of the earlier case or of the school."""
    for _ in range(_MOST_ACTS):
        case, today = desk.house.case(case_id), desk.world.today
        act, form = _next_of_linked(case, today)
        if act is None:
            return
        offered = {each.act for each in commission_outlook(case, today).allowed}
        assert act in offered, f"{case.state.value} is linked, and {act} is not offered: {sorted(offered)}"
        desk.act(act, case_id, form)
        after = desk.house.case(case_id)
        assert not after.is_answer_stale, "answered again, and the answer is still not the right one"
        if after.linked is None and act == "examine":
            assert "refuse" in {each.act for each in commission_outlook(after, today).allowed}
            return
    raise AssertionError("a linked case comes to no end")


def _next_of_linked(case: CommissionCase, today: date) -> tuple[str | None, Form | None]:
    """Return the act that leads on a linked case with its form; None where nothing is to be done here."""
    primary = case.primary
    if case.is_answer_stale:
        return "answer", _ANSWER
    # What is under review is decided in the earlier case first.
    is_under_review = primary is not None and primary.contest in (Contest.OPEN, Contest.SET_ASIDE)
    if case.closed is not None or (case.answer is not None and is_under_review):
        return None, None
    if (cause := _cause_of_end(case)) is not None:
        return "close", ClosingInput(cause=cause)
    if case.linked is None:
        return "examine", ExaminationInput(file_found=False, opinion=Opinion.NONE, examined_on=today)
    is_decided = primary is not None and primary.outcome is not None and primary.ending is None
    return ("answer", _ANSWER) if is_decided else (None, None)


def _cause_of_end(case: CommissionCase) -> AssessmentCause | None:
    ends = {
        AssessmentCause.ANSWERED: case.answer is not None,
        AssessmentCause.WITHDRAWN: case.withdrawn,
        AssessmentCause.NOT_IDENTIFIED: case.not_matched,
        # What was issued goes out with the earlier case.
        AssessmentCause.DISPATCHED: case.is_direct and case.linked is not None,
    }
    return next((cause for cause, is_shown in ends.items() if is_shown), None)


def _can_close(case: CommissionCase, cause: AssessmentCause) -> bool:
    """Tell whether a cause is shown; a death, which always is, is nobody's way on."""
    try:
        close_assessment(case, ClosingInput(cause=cause))
    except RefusedError:
        return False
    return True
