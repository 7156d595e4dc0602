"""What a school takes from the commission: answers and their corrections, and everything else that it says of a request.

Decides whether a received event fits its case; storing, answering with ``Rejected`` and parking are for ``post``. Nothing that
the commission says decides anything for the school.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from services.post.history import CaseRow, New, Outlook, Recorded, RejectionCode
from services.school.domain.case import SchoolCase, SchoolState, fold
from services.school.domain.changing import come_of_age_by_itself, is_under_age
from services.school.domain.deadlines import deadlines_of, passed
from services.school.domain.duplicates import deadline_of, seen_with
from services.school.domain.finding import NAMING, of_age_word, words_in
from services.school.domain.outlook import outlook_of
from services.school.domain.parts import Request
from services.wire.events import (
    Answer,
    ApplicationWithdrawn,
    AttendanceRequired,
    CaseClosed,
    ConfirmationCorrected,
    ConfirmationEnded,
    ConfirmationGiven,
    DuplicateLinked,
    IdentityNotMatched,
    Rejected,
    RequestClosed,
    RequestReturned,
    ReturnGround,
)
from services.wire.hashing import Digest

__all__ = ["SchoolDomain", "must_park"]


class SchoolDomain:
    """The school's side of ``post.history.Domain``.

    The commission keeps a case under an id of its own, made from the school's by a one-way function; ``own_case`` looks up
    which case of the school a commission's id belongs to, None if to none. ``escalation_contact`` is to whom the school
    turns where a reminder brought no answer.
    """

    def __init__(self, own_case: Callable[[UUID], UUID | None], *, escalation_contact: str | None = None) -> None:
        self._own_case, self._escalation_contact = own_case, escalation_contact

    def case_of(self, case_id: UUID, *, channel: str) -> UUID:  # noqa: ARG002  # the Protocol's; one commission, one channel
        """Return the school's case; an id that belongs to none stays as it is and has no history."""
        return self._own_case(case_id) or case_id

    def must_park(self, facts: object) -> bool:
        """Tell whether an event has to wait for a newer release of this program."""
        return must_park(facts)

    def judge(self, history: Sequence[Recorded], incoming: Recorded) -> RejectionCode | None:  # noqa: PLR0911  # one return a kind
        """Return why an event of the commission is refused, None to accept it."""
        case = fold(history)
        if case.application is None and case.request is None:
            return RejectionCode.UNKNOWN_CASE
        match incoming.facts:
            case ConfirmationGiven() | AttendanceRequired() | RequestReturned():
                return _judge_answer(_asked(case, incoming))
            case IdentityNotMatched():
                return _judge_answer(_sought(case, incoming))
            case ConfirmationCorrected():
                return _judge_correction(case, incoming)
            case ConfirmationEnded():
                return _judge_end(case, incoming)
            case RequestClosed():
                return _judge_closing(case, incoming)
            case Rejected():
                return _judge_rejection(case, history, incoming)
            case _:
                # Whatever else it is, the commission does not write it to a school.
                return RejectionCode.NOT_YOURS

    @property
    def naming(self) -> frozenset[str]:
        """Return the types of events that name a pupil or an assistant by a code."""
        return NAMING

    def codes_of(self, personal: object) -> tuple[str, ...]:
        """Return the words by which a case with this personal part is found: the personal codes of its pupil, and others."""
        return words_in(personal)

    def fire(self, history: Sequence[Recorded], deadline: str) -> Sequence[New]:
        """Return that the term has passed, and nothing more: a late answer is waited for (domain.md D.5, 15)."""
        return passed(fold(history), deadline)

    def words_of(self, day: date) -> tuple[str, ...]:
        """Return the word of the pupils who come of age on a day."""
        return (of_age_word(day),)

    def on_day(self, history: Sequence[Recorded], day: date, opened: Callable[[Digest], Any]) -> Sequence[New]:
        """Return that the pupil came of age (domain.md D.5, 21)."""
        return come_of_age_by_itself(fold(history), day, opened)

    def row(self, history: Sequence[Recorded]) -> CaseRow:
        """Return what the clerk's list shows: state (with what is missing, or why it was refused), variant, what is due."""
        return _row(fold(history))

    def outlook(self, history: Sequence[Recorded], today: date) -> Outlook:
        """Return what is missing, and which acts the case allows today."""
        return outlook_of(fold(history), today, escalation_contact=self._escalation_contact)

    @property
    def rests_by(self) -> str:
        """Return the type of event that makes a case rest on another."""
        return DuplicateLinked.__name__

    def rests_on(self, history: Sequence[Recorded]) -> Digest | None:
        """Return the application of which a case is the duplicate; None where it is none, or goes on again."""
        # Looked for first: most cases are nobody's duplicate, and this is asked whenever one is looked at.
        is_linked = any(isinstance(event.facts, DuplicateLinked) for event in history)
        return fold(history).duplicate_of if is_linked else None

    def moves_others(self, history: Sequence[Recorded]) -> bool:
        """Tell whether a case was withdrawn or closed, so that duplicates may have been left alone."""
        return any(isinstance(event.facts, ApplicationWithdrawn | CaseClosed) for event in history)

    def row_with(self, history: Sequence[Recorded], other: Sequence[Recorded]) -> CaseRow:
        """Return the list's row of a duplicate, with the history of the case that it was linked to."""
        return _row(seen_with(fold(history), fold(other)))

    def outlook_with(self, history: Sequence[Recorded], other: Sequence[Recorded], today: date) -> Outlook:
        """Return the outlook of a duplicate, with the history of the case that it was linked to."""
        return outlook_of(seen_with(fold(history), fold(other)), today, escalation_contact=self._escalation_contact)

    def not_yet(self, history: Sequence[Recorded], today: date, opened: Callable[[Digest], Any]) -> tuple[str, ...]:
        """Return ``came-of-age`` before the birthday (D.5, 21; docs/adr/0028)."""
        return ("came-of-age",) if is_under_age(fold(history), today, opened) else ()


def must_park(facts: object) -> bool:
    """Tell whether a decision would meet a symbol of a newer release: then nothing is guessed, the event waits for it."""
    if isinstance(facts, ConfirmationGiven | ConfirmationCorrected):
        return facts.answer is Answer.UNKNOWN
    return isinstance(facts, RequestReturned) and ReturnGround.UNKNOWN in facts.grounds


def _asked(case: SchoolCase, incoming: Recorded) -> Request | None:
    return next((request for request in case.requests if request.body == incoming.in_reply_to), None)


def _sought(case: SchoolCase, incoming: Recorded) -> Request | None:
    """Return the request by which nobody was found: the answer is to it, or to a correction of it."""
    return next((each for each in case.requests if incoming.in_reply_to in (each.body, *each.corrections)), None)


def _judge_answer(answered: Request | None) -> RejectionCode | None:
    # An answer to a request that this case never made is somebody else's answer (domain.md D.5, 16).
    if answered is None:
        return RejectionCode.WRONG_REPLY
    # Once answered, a yes never turns into a no by a second answer, nor the other way round; a correction is another event. One
    # that crossed a withdrawal is taken and kept, and decides nothing (D.5, 7); a late one is as good as any (D.5, 15).
    return None if answered.awaits_answer else RejectionCode.WRONG_STATE


def _judge_correction(case: SchoolCase, incoming: Recorded) -> RejectionCode | None:
    corrected = next((each for each in case.requests if each.answer_body == incoming.facts.corrects), None)
    # Only the answer that stands is corrected: what corrects an older one rests on what no longer holds.
    return None if corrected is not None else RejectionCode.WRONG_REPLY


def _judge_end(case: SchoolCase, incoming: Recorded) -> RejectionCode | None:
    request = _asked(case, incoming)
    if request is None:
        return RejectionCode.WRONG_REPLY
    # Only a yes rests on a recommendation that can end, and it ends once (D.5, 12 and 13).
    return None if request.answer is Answer.YES and request.ended_on is None else RejectionCode.WRONG_STATE


def _judge_closing(case: SchoolCase, incoming: Recorded) -> RejectionCode | None:
    request = _asked(case, incoming)
    # The commission closes what was withdrawn also if its answer crossed the withdrawal.
    if request is not None and request.is_withdrawn and not request.is_closed:
        return None
    return _judge_answer(request)


def _judge_rejection(case: SchoolCase, history: Sequence[Recorded], incoming: Recorded) -> RejectionCode | None:
    if not any(event.own and event.body == incoming.in_reply_to for event in history):
        return RejectionCode.WRONG_REPLY
    # Whoever has answered a request cannot refuse it afterwards.
    answered = any(request.body == incoming.in_reply_to and request.answer is not None for request in case.requests)
    return RejectionCode.WRONG_STATE if answered else None


def _row(case: SchoolCase) -> CaseRow:
    alone = deadline_of(case)
    deadlines = (*deadlines_of(case), *((alone,) if alone is not None else ()))
    # The request says both too, for where the application is lost.
    said = case.application or (case.request.facts if case.request else None)
    return CaseRow(
        state=_shown_state(case),
        variant=(case.variant or said.variant).value if said else None,
        opened_on=said.received_on if said else None,
        due_on=min((each.due_on for each in deadlines), default=None),
        deadlines=deadlines,
    )


def _shown_state(case: SchoolCase) -> str:
    details = tuple(_details(case))
    return f"{case.state.value}: {', '.join(details)}" if details else case.state.value


def _details(case: SchoolCase) -> tuple[str, ...]:
    request = case.request
    match case.state:
        case SchoolState.REQUEST_REJECTED if request is not None and request.rejected is not None:
            return (request.rejected.value,)
        case SchoolState.INCOMPLETE:
            return tuple(item.value for item in case.missing)
        case SchoolState.NOT_ELIGIBLE_AT_INTAKE:
            # Without the day from which the pupil is: by the age it tells the birthday, and a list shows everybody.
            return tuple(reason.value for reason in case.screenings[-1].reasons)
        case SchoolState.DUPLICATE if case.left_alone_on is not None:
            return ("LeftAlone",)
        case _:
            return case.flags
