"""A well-formed form for each act of the commission, as it would be filled in on that day, in that case.

Every text about a pupil's health holds the word by which it would be found where it does not belong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final

from services.commission.domain.case import CommissionCase
from services.commission.domain.parts import CommissionState
from services.commission.domain.terms import term_of
from services.commission.input import (
    AnswerInput,
    AttendanceInput,
    AttendedInput,
    ClosingInput,
    ContestInput,
    CorrectionInput,
    DeliveryFailureInput,
    DeliveryInput,
    DirectInput,
    DispatchInput,
    ExaminationInput,
    ExtensionInput,
    HeadDecisionInput,
    IrpInput,
    LapseInput,
    OpinionInput,
    RecommendationInput,
    RedispatchInput,
    RefusalInput,
    RegistrationInput,
    ReturnInput,
    RevocationInput,
)
from services.wire.events import (
    AddressKind,
    Asks,
    AssessmentCause,
    Delivery,
    DeliveryCause,
    ExtensionCause,
    Intake,
    IrpKind,
    Opinion,
    RefusalGround,
    Requester,
    ReturnGround,
    RevocationReason,
)
from tests.procedure.people import HOMES, MEDICAL, Pupil, person
from tests.procedure.picks import Picks

__all__ = ["COMMISSION_FORMS", "direct_application"]

_OFFICIAL: Final = "Ilze Paraudziņa"


def direct_application(pupil: Pupil, today: date, picks: Picks) -> DirectInput:
    """Return the application of a requester to the commission itself."""
    return DirectInput.model_validate(
        {
            "register_number": "R-3",
            "received_on": today,
            "intake": Intake.IN_PERSON,
            "asks": picks.of(Asks.RECOMMENDATION, Asks.IRP_AND_RECOMMENDATION),
            "requester": Requester.REPRESENTATIVE,
            "pupil": person(*pupil.name, pupil.codes[0]),
            "representative": person(*pupil.represented_by[0]),
            "phone": "20000099",
            "address": {
                "choice": picks.of(AddressKind.HOME, AddressKind.E_ADDRESS),
                "protected": False,
                "address": {"text": HOMES[0], "postal_code": "LV-1099"},
            },
        }
    )


def _examination(_: CommissionCase, today: date, picks: Picks) -> ExaminationInput:
    found = picks.of(Opinion.VALID, Opinion.VALID, Opinion.NONE, Opinion.EXPIRED)
    until = {Opinion.VALID: today + timedelta(days=400), Opinion.EXPIRED: today - timedelta(days=1)}.get(found)
    return ExaminationInput(
        file_found=found is not Opinion.NONE or not picks.often(),
        opinion=found,
        opinion_until=until if picks.often() else None,
        examined_on=today,
    )


def _recommendation(today: date, picks: Picks) -> RecommendationInput:
    until = picks.of(None, today + timedelta(days=30), today + timedelta(days=365))
    return RecommendationInput(number="I-1", text=MEDICAL, issued_on=today, valid_from=today, valid_until=until)


def _refusal(case: CommissionCase, today: date, picks: Picks) -> RefusalInput:
    lapsed = case.attendance is not None and case.attendance.lapsed
    ground = RefusalGround.ATTENDANCE_LAPSED if lapsed else RefusalGround.NEED_NOT_FOUND
    grounds = (picks.of(ground, RefusalGround.NEED_NOT_FOUND, RefusalGround.OPINION_MISSING),)
    return RefusalInput(issued_on=today, grounds=grounds, text=MEDICAL)


def _way(case: CommissionCase, picks: Picks) -> Delivery:
    chosen = case.address.facts.address if case.address is not None else None
    if chosen is None and case.request is not None:
        chosen = case.request.facts.address
    elif chosen is None and case.registered is not None:
        chosen = case.registered.address
    if chosen is AddressKind.E_ADDRESS:
        return Delivery.E_ADDRESS
    return picks.of(Delivery.REGISTERED, Delivery.ORDINARY, Delivery.IN_PERSON)


def _dispatch(case: CommissionCase, today: date, picks: Picks) -> DispatchInput:
    return DispatchInput(number="S-1", by=_way(case, picks), sent_on=today)


def _redispatch(case: CommissionCase, today: date, picks: Picks) -> RedispatchInput:
    return RedispatchInput(by=_way(case, picks), sent_on=today, duplicate=not picks.often())


def _correction(case: CommissionCase, today: date, picks: Picks) -> CorrectionInput:
    changes = picks.often()
    becomes_yes = changes and case.outcome is not None and not case.outcome.is_yes
    return CorrectionInput(
        text=f"{MEDICAL} {picks.of('1', '2')}",
        answer_changed=changes,
        official=_OFFICIAL,
        recommendation=_recommendation(today, picks) if becomes_yes else None,
    )


def _revocation(case: CommissionCase, today: date, picks: Picks) -> RevocationInput:
    issued_on = case.outcome.facts.issued_on if case.outcome is not None else today
    effective_on = picks.of(today, min(issued_on, today))
    return RevocationInput(effective_on=effective_on, reason=RevocationReason.ISSUED_IN_ERROR, text=MEDICAL)


def _closing(case: CommissionCase, _: date, picks: Picks) -> ClosingInput:
    """Name the cause that a clerk would name in this state, or another one."""
    cause = AssessmentCause.DISPATCHED if case.is_direct else AssessmentCause.ANSWERED
    if case.withdrawn and case.answer is None:
        cause = AssessmentCause.WITHDRAWN
    elif case.not_matched or case.state is CommissionState.IDENTITY_NOT_MATCHED:
        cause = AssessmentCause.NOT_IDENTIFIED
    return ClosingInput(cause=picks.of(cause, cause, cause, AssessmentCause.DIED, AssessmentCause.NOT_IDENTIFIED))


def _extension(case: CommissionCase, today: date, picks: Picks) -> ExtensionInput:
    term = term_of(case, case.registered) if case.registered is not None else today
    days = picks.of(14, 60, 200)
    return ExtensionInput(until=term + timedelta(days=days), cause=ExtensionCause.EXPERTISE_AWAITED)


def _delivered(_: CommissionCase, today: date, picks: Picks) -> DeliveryInput:
    return DeliveryInput(on=today, cause=picks.of(DeliveryCause.RECEIPT_SIGNED, DeliveryCause.HANDED_OVER))


def _failed(_: CommissionCase, today: date, picks: Picks) -> DeliveryFailureInput:
    return DeliveryFailureInput(on=today, cause=picks.of(DeliveryCause.RETURNED, DeliveryCause.REPORTED_MISSING))


def _returned(_: CommissionCase, __: date, picks: Picks) -> ReturnInput:
    grounds = [each for each in ReturnGround if each.value != "Unknown"]
    return ReturnInput(grounds=(picks.among(grounds),))


def _plan(_: CommissionCase, today: date, picks: Picks) -> IrpInput:
    kind = picks.of(IrpKind.DISABILITY, IrpKind.SOCIAL_REHABILITATION)
    return IrpInput(kind=kind, number="P-1", text=MEDICAL, issued_on=today, indicates_need=not picks.rarely())


FillIn = Callable[[CommissionCase, date, Picks], Any]
"""How somebody of the commission fills a form in."""

COMMISSION_FORMS: Final[Mapping[str, FillIn]] = MappingProxyType(
    {
        "register": lambda _, today, __: RegistrationInput(register_number="R-17", received_on=today),
        "return-request": _returned,
        "extend-term": _extension,
        "examine": _examination,
        "require-attendance": lambda _, today, __: AttendanceInput(sent_on=today, letter=f"Lūdzam ierasties: {MEDICAL}"),
        "attended": lambda _, today, __: AttendedInput(on=today),
        "attendance-lapsed": lambda _, today, picks: LapseInput(on=today, close=not picks.often()),
        "issue-opinion": lambda _, today, __: OpinionInput(on=today),
        "issue-irp": _plan,
        "recommend": lambda _, today, picks: _recommendation(today, picks),
        "refuse": _refusal,
        "dispatch": _dispatch,
        "deliver-confirmed": _delivered,
        "delivery-failed": _failed,
        "redispatch": _redispatch,
        "answer": lambda _, __, ___: AnswerInput(official=_OFFICIAL),
        "correct-recommendation": _correction,
        "revoke": _revocation,
        "contest": lambda _, today, picks: ContestInput(on=today, text=MEDICAL, term_restored=picks.rarely()),
        "uphold": lambda _, today, __: HeadDecisionInput(on=today, text=MEDICAL),
        "set-aside": lambda _, today, __: HeadDecisionInput(on=today, text=MEDICAL),
        "close": _closing,
    }
)
"""Of each act that takes a form, by the name of its command."""
