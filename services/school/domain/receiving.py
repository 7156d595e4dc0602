"""What a school takes from the commission: the answer to its request, and word that the request was refused.

Decides whether a received event fits its case; storing, answering with ``Rejected`` and parking are for ``post``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from services.post.history import CaseRow, Deadline, New, Recorded, RejectionCode
from services.school.domain.case import SchoolCase, SchoolState, fold
from services.wire.events import Answer, ApplicationFiledPersonal, ConfirmationGiven, InformationRequestedPersonal, Rejected

__all__ = ["REPLY_DUE", "SchoolDomain", "must_park"]

REPLY_DUE: Final = "commissionReplyDue"


class SchoolDomain:
    """The school's side of ``post.history.Domain``.

    The commission keeps a case under an id of its own, made from the school's by a one-way function; ``own_case`` looks up
    which case of the school a commission's id belongs to, None if to none.
    """

    def __init__(self, own_case: Callable[[UUID], UUID | None]) -> None:
        self._own_case = own_case

    def case_of(self, case_id: UUID, *, channel: str) -> UUID:  # noqa: ARG002  # the Protocol's; one commission, one channel
        """Return the school's case; an id that belongs to none stays as it is and has no history."""
        return self._own_case(case_id) or case_id

    def must_park(self, facts: object) -> bool:
        """Tell whether an event has to wait for a newer release of this program."""
        return must_park(facts)

    def judge(self, history: Sequence[Recorded], incoming: Recorded) -> RejectionCode | None:
        """Return why an event of the commission is refused, None to accept it."""
        case = fold(history)
        if case.application is None and case.request is None:
            return RejectionCode.UNKNOWN_CASE
        match incoming.facts:
            case ConfirmationGiven():
                return _judge_answer(case, incoming)
            case Rejected():
                return _judge_rejection(case, history, incoming)
            case _:
                # Whatever else it is, the commission does not write it to a school.
                return RejectionCode.NOT_YOURS

    def codes_of(self, personal: object) -> tuple[str, ...]:
        """Return the pupil's personal code where an application says it, or the copy of one that went to the commission."""
        if isinstance(personal, ApplicationFiledPersonal | InformationRequestedPersonal):
            return (personal.application.pupil.personal_code,)
        return ()

    def fire(self, history: Sequence[Recorded], deadline: str) -> Sequence[New]:  # noqa: ARG002  # the Protocol's
        """Return nothing: a late answer is waited for, and the clerk's list says that it is late (domain edge case 15)."""
        return ()

    def row(self, history: Sequence[Recorded]) -> CaseRow:
        """Return what the clerk's list shows: state (with what is missing, or why it was refused), variant, what is due."""
        case = fold(history)
        filed, request = case.application, case.request
        due_on = request.facts.due_on if request and request.is_open else None
        # The request says both too, for where the application is lost.
        said = filed or (request.facts if request else None)
        return CaseRow(
            state=_shown_state(case),
            variant=said.variant.value if said else None,
            opened_on=said.received_on if said else None,
            due_on=due_on,
            deadlines=(Deadline(name=REPLY_DUE, due_on=due_on),) if due_on else (),
        )


def must_park(facts: object) -> bool:
    """Tell whether a decision would meet a symbol of a newer release: then nothing is guessed, the event waits for it."""
    return isinstance(facts, ConfirmationGiven) and facts.answer is Answer.UNKNOWN


def _judge_answer(case: SchoolCase, incoming: Recorded) -> RejectionCode | None:
    answered = next((request for request in case.requests if request.body == incoming.in_reply_to), None)
    # An answer to a request that this case never made is somebody else's answer (domain edge case 16).
    if answered is None:
        return RejectionCode.WRONG_REPLY
    # Once answered, a yes never turns into a no by a second answer, nor the other way round; a correction is another event.
    return None if answered.is_open else RejectionCode.WRONG_STATE


def _judge_rejection(case: SchoolCase, history: Sequence[Recorded], incoming: Recorded) -> RejectionCode | None:
    if not any(event.own and event.body == incoming.in_reply_to for event in history):
        return RejectionCode.WRONG_REPLY
    # Whoever has answered a request cannot refuse it afterwards.
    answered = any(request.body == incoming.in_reply_to and request.answer is not None for request in case.requests)
    return RejectionCode.WRONG_STATE if answered else None


def _shown_state(case: SchoolCase) -> str:
    state: str = case.state.value
    if case.state is SchoolState.REQUEST_REJECTED and case.request and case.request.rejected:
        return f"{state}: {case.request.rejected.value}"
    if case.state is SchoolState.INCOMPLETE:
        return f"{state}: {', '.join(case.missing_statements)}"
    return state
