"""What the commission takes from a school: its request, and word that an answer was refused.

Decides whether a received event fits its case; storing, answering with ``Rejected`` and parking are for ``post``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from services.commission.domain.case import CommissionCase, CommissionState, fold
from services.post.history import CaseRow, Deadline, New, Recorded, RejectionCode
from services.wire.channels import commission_case
from services.wire.events import (
    AddressKind,
    Asks,
    ConfirmationGiven,
    InformationRequested,
    Rejected,
    Requester,
    Variant,
)

__all__ = ["REPLY_DUE", "CommissionDomain", "must_park"]

REPLY_DUE: Final = "commissionReplyDue"

_ASKS: Final = {Variant.A2: Asks.RECOMMENDATION, Variant.B2: Asks.IRP_AND_RECOMMENDATION}


class CommissionDomain:
    """The commission's side of ``post.history.Domain``."""

    def case_of(self, case_id: UUID, *, channel: str) -> UUID:
        """Return the commission's case for a school's: UUIDv5 of the school's id and its ``to-commission`` channel.

        Two schools that use one id, by accident or on purpose, still have two cases here.
        """
        return commission_case(case_id, channel)

    def must_park(self, facts: object) -> bool:
        """Tell whether an event has to wait for a newer release of this program."""
        return must_park(facts)

    def judge(self, history: Sequence[Recorded], incoming: Recorded) -> RejectionCode | None:
        """Return why an event of a school is refused, None to accept it."""
        case = fold(history)
        match incoming.facts:
            case InformationRequested() as facts:
                return _judge_request(case, facts)
            case Rejected():
                return _judge_rejection(case, history, incoming)
            case _:
                # Whatever else it is, a school does not write it to the commission.
                return RejectionCode.NOT_YOURS

    def codes_of(self, personal: object) -> tuple[str, ...]:  # noqa: ARG002  # the Protocol's
        """Return nothing: the commission finds a request by its number, and looks nobody up."""
        return ()

    def fire(self, history: Sequence[Recorded], deadline: str) -> Sequence[New]:  # noqa: ARG002  # the Protocol's
        """Return nothing: an answer may come late, and the clerk's list says that it is late (domain edge case 15)."""
        return ()

    def row(self, history: Sequence[Recorded]) -> CaseRow:
        """Return what the clerk's list shows: the state (with the code of a refused answer), the variant, what is due."""
        case = fold(history)
        request = case.request
        due_on = request.facts.due_on if request and case.answer is None else None
        return CaseRow(
            state=_shown_state(case),
            variant=request.facts.variant.value if request else None,
            opened_on=_opened_on(case),
            due_on=due_on,
            deadlines=(Deadline(name=REPLY_DUE, due_on=due_on),) if due_on else (),
        )


def must_park(facts: object) -> bool:
    """Tell whether a decision would meet a symbol of a newer release: then nothing is guessed, the event waits for it."""
    if not isinstance(facts, InformationRequested):
        return False
    unknown = (Variant.UNKNOWN, Asks.UNKNOWN, Requester.UNKNOWN, AddressKind.UNKNOWN)
    return any(symbol in unknown for symbol in (facts.variant, facts.asks, facts.requester, facts.address))


def _judge_request(case: CommissionCase, facts: InformationRequested) -> RejectionCode | None:
    # One open request a case: a second one would be examined and answered twice.
    if case.request is not None:
        return RejectionCode.WRONG_STATE
    # No consent, no examination. The code is the closest of the closed list: a school never comes to a state in which it
    # may ask without consent, so whoever does is out of step with the procedure.
    if not facts.consent_given:
        return RejectionCode.WRONG_STATE
    # What is asked follows from the variant; a request that says two things is not guessed at.
    return None if _ASKS.get(facts.variant) is facts.asks else RejectionCode.WRONG_STATE


def _judge_rejection(case: CommissionCase, history: Sequence[Recorded], incoming: Recorded) -> RejectionCode | None:
    if case.request is None:
        return RejectionCode.UNKNOWN_CASE
    # Any answer, not the newest alone: word of an earlier one may come when another was given already.
    answers = {event.body for event in history if event.own and event.type == ConfirmationGiven.__name__}
    return None if incoming.in_reply_to in answers else RejectionCode.WRONG_REPLY


def _opened_on(case: CommissionCase) -> date | None:
    """Return the day of receipt in the register; until it is entered, the day on which the school says it wrote."""
    if case.registered is not None:
        return case.registered.received_on
    return case.request.written_on if case.request else None


def _shown_state(case: CommissionCase) -> str:
    if case.state is CommissionState.ANSWER_REJECTED and case.answer_rejected:
        return f"{case.state.value}: {case.answer_rejected.value}"
    return case.state.value
