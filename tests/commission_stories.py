"""The commission's cases as stories: events that lead to each state of domain D.3, and a well-formed form for each act.

Roberts Izdomenieks again, asked about by his school on 17.08.2026; a story is a history as ``given`` takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from services.commission.domain import decisions, guards
from services.commission.domain.applying import fold
from services.commission.domain.case import CommissionCase, Kin
from services.commission.domain.linking import seen_among, seen_with
from services.commission.domain.parts import CommissionState
from services.commission.input import (
    AddressInput,
    AnswerInput,
    AttendanceInput,
    AttendedInput,
    ClosingInput,
    ContestInput,
    CorrectionInput,
    DeliveryFailureInput,
    DeliveryInput,
    DirectAddressInput,
    DirectInput,
    DispatchInput,
    ExaminationInput,
    ExtensionInput,
    HeadDecisionInput,
    IrpInput,
    LapseInput,
    LookUpInput,
    OpinionInput,
    PersonInput,
    RecommendationInput,
    RedispatchInput,
    RefusalInput,
    RegistrationInput,
    ReturnInput,
    RevocationInput,
)
from services.policy.rules import RULES
from services.post.history import New, Recorded
from services.wire.events import (
    AddressKind,
    Answer,
    Asks,
    AssessmentCause,
    AssessmentClosed,
    AssessmentLinked,
    AttendanceLapsed,
    AttendanceRequested,
    AttendanceRequired,
    ConfirmationCorrected,
    ConfirmationEnded,
    ConfirmationGiven,
    CorrectedField,
    Delivery,
    DeliveryAddressChanged,
    DeliveryCause,
    DeliveryFailed,
    DocumentKind,
    DocumentsDispatched,
    ExpertiseFileExamined,
    ExtensionCause,
    IdentityNotMatched,
    Intake,
    IrpIssued,
    IrpKind,
    Opinion,
    OpinionIssued,
    PupilAttended,
    RecommendationCorrected,
    RecommendationExpired,
    RecommendationIssued,
    RecommendationRefused,
    RecommendationRevoked,
    RefusalContested,
    RefusalGround,
    RefusalSetAside,
    RefusalUpheld,
    Rejected,
    RejectedCode,
    RequestClosed,
    RequestCorrected,
    Requester,
    RequestRegistered,
    RequestReturned,
    RequestWithdrawn,
    ReturnGround,
    RevocationReason,
    Source,
)
from services.wire.wordings import wording_of
from tests.given_when_then import body, given, received
from tests.people import HOME, REQUESTED_A2, REQUESTED_B2

__all__ = [
    "A2",
    "ACTS",
    "ANSWERED",
    "ASKED_TO_COME",
    "B2",
    "BESIDE",
    "CLOSED",
    "CORRECTED_CODE",
    "DIRECT",
    "DIRECT_FORM",
    "DISPATCHED",
    "EXAMINED",
    "EXPIRED_OPINION",
    "FORMS",
    "HOLD",
    "IRP",
    "ISSUED",
    "KIN",
    "LINKED",
    "MOVED",
    "NO",
    "NO_OPINION",
    "OTHER_CASE",
    "PRIMARIES",
    "PRIMARY",
    "REFUSED",
    "REGISTERED",
    "SENT",
    "STORIES",
    "WITHDRAWN",
    "YES",
    "case_after",
    "case_of",
    "fold_with",
]

# What happened, in the order of the procedure.
A2: Final = received(REQUESTED_A2)
B2: Final = received(REQUESTED_B2)
REGISTERED: Final = RequestRegistered(
    source=Source.SCHOOL, asks=Asks.RECOMMENDATION, intake=Intake.EXCHANGE, received_on=date(2026, 8, 19)
)
DIRECT: Final = RequestRegistered(
    source=Source.REQUESTER,
    asks=Asks.RECOMMENDATION,
    intake=Intake.IN_PERSON,
    received_on=date(2026, 8, 3),
    requester=Requester.REPRESENTATIVE,
    address=AddressKind.HOME,
    address_protected=False,
)
EXAMINED: Final = ExpertiseFileExamined(
    file_found=True, opinion=Opinion.VALID, opinion_until=date(2028, 2, 3), examined_on=date(2026, 8, 20)
)
NO_OPINION: Final = replace(EXAMINED, opinion=Opinion.NONE, opinion_until=None)
EXPIRED_OPINION: Final = replace(EXAMINED, opinion=Opinion.EXPIRED, opinion_until=date(2026, 8, 1))
ASKED_TO_COME: Final = AttendanceRequested(sent_on=date(2026, 8, 21))
IRP: Final = IrpIssued(kind=IrpKind.DISABILITY, issued_on=date(2026, 8, 25), indicates_need=True)
ISSUED: Final = RecommendationIssued(
    issued_on=date(2026, 8, 26), valid_from=date(2026, 8, 26), valid_until=date(2028, 2, 3), parts=()
)
REFUSED: Final = RecommendationRefused(issued_on=date(2026, 8, 26), grounds=(RefusalGround.NEED_NOT_FOUND,))
SENT: Final = DocumentsDispatched(
    kinds=(DocumentKind.RECOMMENDATION,),
    by=Delivery.REGISTERED,
    address=AddressKind.HOME,
    address_from=body(1),
    sent_on=date(2026, 8, 27),
    notified_on=date(2026, 9, 3),
    duplicate=False,
)
YES: Final = ConfirmationGiven(answer=Answer.YES, wording=wording_of(Answer.YES), basis=body(4))
NO: Final = ConfirmationGiven(answer=Answer.NO, wording=wording_of(Answer.NO), basis=body(4))
WITHDRAWN: Final = received(RequestWithdrawn(basis=body(77)))
CORRECTED_CODE: Final = received(RequestCorrected(changed=(CorrectedField.CODE,), basis=body(77)))
MOVED: Final = received(
    DeliveryAddressChanged(address=AddressKind.HOME, address_protected=True, dispatch_on_hold=False, basis=body(77))
)
HOLD: Final = received(
    DeliveryAddressChanged(address=AddressKind.HOME, address_protected=True, dispatch_on_hold=True, basis=body(77))
)
CLOSED: Final = AssessmentClosed(cause=AssessmentCause.ANSWERED)
_REJECTED: Final = Rejected(code=RejectedCode.WRONG_REPLY)

# How far a case has come.
_PREPARED: Final = (A2, REGISTERED, EXAMINED, ISSUED)
DISPATCHED: Final = (*_PREPARED, SENT)
ANSWERED: Final = (*DISPATCHED, YES)
_NO_GIVEN: Final = (A2, REGISTERED, EXAMINED, REFUSED, replace(SENT, kinds=(DocumentKind.REFUSAL,)), NO)
_SUMMONED: Final = (A2, REGISTERED, NO_OPINION, ASKED_TO_COME, AttendanceRequired(basis=body(4)))

LINKED: Final = (A2, REGISTERED, AssessmentLinked(primary=body(1)))

STORIES: Final[Mapping[str, tuple[object, ...]]] = MappingProxyType(
    {
        "Empty": (),
        "Received": (A2,),
        "Registered": (A2, REGISTERED),
        "Registered, b.2": (B2, replace(REGISTERED, asks=Asks.IRP_AND_RECOMMENDATION)),
        "Registered, direct": (DIRECT,),
        "Returned": (
            A2,
            REGISTERED,
            RequestReturned(grounds=(ReturnGround.UNSIGNED,), basis=body(2)),
            AssessmentClosed(cause=AssessmentCause.RETURNED),
        ),
        "IdentityNotMatched": (A2, REGISTERED, IdentityNotMatched(basis=body(2))),
        "Linked": LINKED,
        "Linked, pupil asked to come": (*LINKED, AttendanceRequired(basis=body(4))),
        "Linked, decided": LINKED,
        "Linked, answer no longer right": (*LINKED, replace(NO, basis=body(4))),
        "Registered, linked to what has ended": LINKED,
        "Answered, linked": (*LINKED, replace(YES, basis=body(4))),
        "Answered, linked to what is contested": (*LINKED, replace(NO, basis=body(4))),
        "FileChecked": (A2, REGISTERED, EXAMINED),
        "FileChecked, no opinion": (A2, REGISTERED, NO_OPINION),
        "FileChecked, b.2 with a plan": (B2, replace(REGISTERED, asks=Asks.IRP_AND_RECOMMENDATION), EXAMINED, IRP),
        "AttendanceRequired": _SUMMONED,
        "FileChecked, attended": (*_SUMMONED, PupilAttended(on=date(2026, 8, 24))),
        "FileChecked, opinion issued": (
            *_SUMMONED,
            PupilAttended(on=date(2026, 8, 24)),
            OpinionIssued(on=date(2026, 8, 25), until=None),
        ),
        "FileChecked, lapsed": (*_SUMMONED, AttendanceLapsed(on=date(2026, 8, 24))),
        "Closed, attendance lapsed": (
            *_SUMMONED,
            AttendanceLapsed(on=date(2026, 8, 24)),
            AssessmentClosed(cause=AssessmentCause.ATTENDANCE_LAPSED),
            RequestClosed(basis=body(7)),
        ),
        "Prepared": _PREPARED,
        "Prepared, held in a linked case": _PREPARED,
        "Prepared, held in a case that nobody linked": _PREPARED,
        "Prepared, died in a linked case": _PREPARED,
        "Prepared, direct": (DIRECT, EXAMINED, ISSUED),
        "Dispatched": DISPATCHED,
        "Dispatched, not arrived": (
            *DISPATCHED,
            DeliveryFailed(on=date(2026, 9, 1), cause=DeliveryCause.REPORTED_MISSING),
        ),
        "Dispatched, not arrived and held in a linked case": (
            *DISPATCHED,
            DeliveryFailed(on=date(2026, 9, 1), cause=DeliveryCause.REPORTED_MISSING),
        ),
        "Dispatched, address told in a linked case": DISPATCHED,
        "Dispatched, address changed": (*DISPATCHED, MOVED),
        "Dispatched, direct": (DIRECT, EXAMINED, ISSUED, SENT),
        "Refused": (A2, REGISTERED, EXAMINED, REFUSED),
        "Contested": (*_NO_GIVEN, RefusalContested(on=date(2026, 9, 7))),
        "SetAside": (*_NO_GIVEN, RefusalContested(on=date(2026, 9, 7)), RefusalSetAside(on=date(2026, 9, 21))),
        "Prepared, set aside before": (
            *_NO_GIVEN,
            RefusalContested(on=date(2026, 9, 7)),
            RefusalSetAside(on=date(2026, 9, 21)),
            ISSUED,
        ),
        "Withdrawn": (A2, REGISTERED, WITHDRAWN),
        "Withdrawn, prepared": (*_PREPARED, WITHDRAWN),
        "Answered": ANSWERED,
        "Answered, not sent": (*_PREPARED, YES),
        "Answered, no": _NO_GIVEN,
        "Answered, upheld": (*_NO_GIVEN, RefusalContested(on=date(2026, 9, 7)), RefusalUpheld(on=date(2026, 9, 21))),
        "AnswerRejected": (*_PREPARED, YES, received(_REJECTED, answers=5)),
        "Corrected": (
            *ANSWERED,
            RecommendationCorrected(corrects=body(4), answer_changed=True),
            ConfirmationCorrected(answer=Answer.NO, wording=2, corrects=body(6), basis=body(7)),
        ),
        "Revoked": (
            *ANSWERED,
            RecommendationRevoked(of=body(4), effective_on=date(2026, 10, 1), reason=RevocationReason.ISSUED_IN_ERROR),
            ConfirmationEnded(ended_on=date(2026, 10, 1), basis=body(7)),
        ),
        "Expired": (
            *ANSWERED,
            RecommendationExpired(of=body(4), on=date(2028, 2, 3)),
            ConfirmationEnded(ended_on=date(2028, 2, 4), basis=body(7)),
        ),
        "Closed": (*ANSWERED, CLOSED),
    }
)
"""A history for each state; what stands behind a comma is what else there is about it."""

PRIMARY: Final = (received(REQUESTED_A2), replace(REGISTERED, received_on=date(2026, 8, 18)), EXAMINED)
"""An earlier case of the same pupil that is still assessed."""

_CONTESTED: Final = RefusalContested(on=date(2026, 9, 7))
PRIMARIES: Final[Mapping[str, tuple[object, ...]]] = MappingProxyType(
    {
        "Linked": PRIMARY,
        "Linked, pupil asked to come": (*PRIMARY[:2], NO_OPINION, ASKED_TO_COME),
        "Linked, decided": (*PRIMARY, ISSUED),
        "Linked, answer no longer right": (*PRIMARY, REFUSED, _CONTESTED, RefusalSetAside(on=date(2026, 9, 21)), ISSUED),
        "Registered, linked to what has ended": (*PRIMARY, WITHDRAWN),
        "Answered, linked": (*PRIMARY, ISSUED),
        "Answered, linked to what is contested": (*PRIMARY, REFUSED, _CONTESTED),
    }
)
"""The earlier case of each story of a linked one."""

KIN: Final[Mapping[str, tuple[object, ...]]] = MappingProxyType(
    {
        "Prepared, held in a linked case": (*LINKED, HOLD),
        "Prepared, died in a linked case": (*LINKED, AssessmentClosed(cause=AssessmentCause.DIED)),
        "Dispatched, not arrived and held in a linked case": (*LINKED, HOLD),
        "Dispatched, address told in a linked case": (*LINKED, received(MOVED.facts, recorded_on=date(2026, 9, 30))),
    }
)
"""The case that is linked to that of each story of an earlier one."""

BESIDE: Final[Mapping[str, tuple[object, ...]]] = MappingProxyType({"Prepared, held in a case that nobody linked": (A2, HOLD)})
"""Another case of the pupil of a story, to which a code alone leads."""

OTHER_CASE: Final = UUID(int=7)
"""The number of the case of ``KIN`` or ``BESIDE``."""

_DAY: Final = date(2026, 10, 5)
_PERSON: Final[dict[str, Any]] = {
    "given_name": "Elza",
    "family_name": "Paraudziņa",
    "declared_address": AddressInput(text="Izdomu iela 7-12, Paraugpilsēta", postal_code="LV-1099"),
}
DIRECT_FORM: Final = DirectInput(
    register_number="R-3",
    received_on=date(2026, 8, 3),
    intake=Intake.IN_PERSON,
    asks=Asks.RECOMMENDATION,
    requester=Requester.REPRESENTATIVE,
    pupil=PersonInput(personal_code="14091729013", **_PERSON),
    representative=PersonInput(personal_code="12045109017", **_PERSON),
    phone="+37120000099",
    address=DirectAddressInput(
        choice=AddressKind.HOME,
        protected=False,
        address=AddressInput(text="Izdomu iela 7-12, Paraugpilsēta", postal_code="LV-1099"),
    ),
)
FORMS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "register": RegistrationInput(register_number="R-17", received_on=date(2026, 8, 19)),
        "register-direct": DIRECT_FORM,
        "return-request": ReturnInput(grounds=(ReturnGround.UNSIGNED,)),
        "extend-term": ExtensionInput(until=date(2026, 11, 16), cause=ExtensionCause.EXPERTISE_AWAITED),
        "examine": ExaminationInput(file_found=True, opinion=Opinion.VALID, examined_on=_DAY),
        "look-up": LookUpInput(examined_on=_DAY),
        "require-attendance": AttendanceInput(sent_on=_DAY, letter="Lūdzam ierasties"),
        "attended": AttendedInput(on=_DAY),
        "attendance-lapsed": LapseInput(on=_DAY),
        "issue-opinion": OpinionInput(on=_DAY),
        "issue-irp": IrpInput(number="P-1", text="Plāns", issued_on=_DAY, indicates_need=True),
        "recommend": RecommendationInput(number="I-1", text="Ieteikums", issued_on=_DAY, valid_from=_DAY),
        "refuse": RefusalInput(issued_on=_DAY, grounds=(RefusalGround.NEED_NOT_FOUND,), text="Pamatojums"),
        "dispatch": DispatchInput(number="S-1", by=Delivery.REGISTERED, sent_on=_DAY),
        "deliver-confirmed": DeliveryInput(on=_DAY, cause=DeliveryCause.RECEIPT_SIGNED),
        "delivery-failed": DeliveryFailureInput(on=_DAY, cause=DeliveryCause.REPORTED_MISSING),
        "redispatch": RedispatchInput(by=Delivery.REGISTERED, sent_on=_DAY, duplicate=True),
        "answer": AnswerInput(official="Ilze Paraudziņa"),
        "correct-recommendation": CorrectionInput(text="Labojums", answer_changed=False, official="Ilze Paraudziņa"),
        "revoke": RevocationInput(effective_on=_DAY, reason=RevocationReason.ISSUED_IN_ERROR, text="Atcelts"),
        "contest": ContestInput(on=_DAY, text="Iebildumi"),
        "uphold": HeadDecisionInput(on=_DAY, text="Atstāts spēkā"),
        "set-aside": HeadDecisionInput(on=_DAY, text="Atcelts"),
    }
)
"""A well-formed form for each act that takes one."""


def case_after(*events: object) -> CommissionCase:
    """Return the case after a history."""
    return given(fold, *events).case


def case_of(story: str) -> CommissionCase:
    """Return the case of a story, as it stands with the earlier one, or the other ones of its pupil."""
    case = seen_with(case_after(*STORIES[story]), case_after(*PRIMARIES[story]) if story in PRIMARIES else None)
    kin, beside = ([Kin(number=OTHER_CASE, case=case_after(*told[story]))] if story in told else [] for told in (KIN, BESIDE))
    return seen_among(case, kin, beside)


def fold_with(*primary: object) -> Callable[[Sequence[Recorded]], CommissionCase]:
    """Return what folds the history of a linked case, as it stands with the earlier one after ``primary``."""
    return lambda history: seen_with(fold(history), case_after(*primary))


def _looked_up(case: CommissionCase) -> tuple[New, ...]:
    guards.may_examine(case)
    return decisions.examine_file(case, FORMS["examine"])


def _closed(case: CommissionCase) -> tuple[New, ...]:
    """Close for the cause that a clerk would name in this state."""
    cause = AssessmentCause.DISPATCHED if case.is_direct else AssessmentCause.ANSWERED
    if case.withdrawn and case.answer is None:
        cause = AssessmentCause.WITHDRAWN
    elif case.state is CommissionState.IDENTITY_NOT_MATCHED:
        cause = AssessmentCause.NOT_IDENTIFIED
    return decisions.close_assessment(case, ClosingInput(cause=cause))


ACTS: Final[Mapping[str, Callable[[CommissionCase], tuple[New, ...]]]] = MappingProxyType(
    {
        "register": lambda case: decisions.register_request(case, FORMS["register"]),
        "register-direct": lambda case: decisions.register_direct(case, FORMS["register-direct"]),
        "return-request": lambda case: decisions.return_request(case, FORMS["return-request"]),
        "not-matched": decisions.say_not_matched,
        "link": lambda case: decisions.link_assessment(case, primary=case_after(*PRIMARY)),
        "extend-term": lambda case: decisions.extend_term(case, FORMS["extend-term"]),
        "examine": lambda case: decisions.examine_file(case, FORMS["examine"]),
        "look-up": _looked_up,
        "require-attendance": lambda case: decisions.ask_to_come(case, FORMS["require-attendance"]),
        "attended": lambda case: decisions.note_attendance(case, FORMS["attended"]),
        "attendance-lapsed": lambda case: decisions.note_lapse(case, FORMS["attendance-lapsed"]),
        "issue-opinion": lambda case: decisions.issue_opinion(case, FORMS["issue-opinion"]),
        "issue-irp": lambda case: decisions.issue_irp(case, FORMS["issue-irp"]),
        "recommend": lambda case: decisions.issue_recommendation(case, FORMS["recommend"]),
        "refuse": lambda case: decisions.refuse_recommendation(case, FORMS["refuse"]),
        "dispatch": lambda case: decisions.dispatch_documents(case, FORMS["dispatch"], RULES[0], address=HOME),
        "deliver-confirmed": lambda case: decisions.confirm_delivery(case, FORMS["deliver-confirmed"]),
        "delivery-failed": lambda case: decisions.note_failure(case, FORMS["delivery-failed"]),
        "redispatch": lambda case: decisions.redispatch_documents(
            case, FORMS["redispatch"], RULES[0], address=HOME, number="S-1"
        ),
        "answer": lambda case: decisions.answer(case, FORMS["answer"]),
        "correct-recommendation": lambda case: decisions.correct_recommendation(case, FORMS["correct-recommendation"]),
        "revoke": lambda case: decisions.revoke_recommendation(case, FORMS["revoke"]),
        "contest": lambda case: decisions.contest_refusal(case, FORMS["contest"]),
        "uphold": lambda case: decisions.uphold_refusal(case, FORMS["uphold"]),
        "set-aside": lambda case: decisions.set_refusal_aside(case, FORMS["set-aside"]),
        "close": _closed,
    }
)
"""Each act with its form, decided on a case."""
