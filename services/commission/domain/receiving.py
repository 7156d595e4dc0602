"""What the commission takes from a school: requests, their corrections and withdrawals, addresses, reminders, refusals.

Decides whether a received event fits its case; storing, answering with ``Rejected`` and parking are for ``post``. Whatever may
cross with something of the commission's own is taken in every state: who wrote it could not know.
Source: domain.md D.3, D.5, 7, 9, 10, 15 and 16; events.md, "Crossings".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from services.commission.domain.answering import ended_answer, expire_recommendation, pass_on
from services.commission.domain.applying import fold
from services.commission.domain.case import CommissionCase, Kin
from services.commission.domain.linking import on_the_way, seen_among, seen_with, told_to_come
from services.commission.domain.naming import NAMING, codes_among, words_in
from services.commission.domain.outlook import outlook_of
from services.commission.domain.parts import CommissionState
from services.commission.domain.terms import ANSWER_AGAIN, FOR_PEOPLE, WORD_OWED, deadlines_of
from services.post.history import CaseRow, Deadline, New, Outlook, Recorded, RejectionCode
from services.wire.channels import commission_case
from services.wire.events import (
    AddressKind,
    Asks,
    AssessmentLinked,
    AttendanceRequested,
    AttendanceRequired,
    ConfirmationCorrected,
    ConfirmationEnded,
    ConfirmationGiven,
    CorrectedField,
    DeadlineName,
    DeadlinePassed,
    DeliveryAddressChanged,
    IdentityNotMatched,
    InformationRequested,
    RecommendationCorrected,
    RecommendationExpired,
    RecommendationRevoked,
    RefusalSetAside,
    Rejected,
    ReminderSent,
    RequestClosed,
    RequestCorrected,
    Requester,
    RequestReturned,
    RequestWithdrawn,
    TermExtended,
    Variant,
)
from services.wire.hashing import Digest

__all__ = ["CommissionDomain", "must_park"]

_DAY: Final = timedelta(days=1)
_MOVES_OTHERS: Final = (
    AttendanceRequested,
    RecommendationCorrected,
    RecommendationExpired,
    RecommendationRevoked,
    RefusalSetAside,
    TermExtended,
)
_ASKS: Final = {Variant.A2: Asks.RECOMMENDATION, Variant.B2: Asks.IRP_AND_RECOMMENDATION}
_TO_SCHOOL: Final = frozenset(
    kind.__name__
    for kind in (
        ConfirmationGiven,
        ConfirmationCorrected,
        ConfirmationEnded,
        AttendanceRequired,
        IdentityNotMatched,
        RequestReturned,
        RequestClosed,
    )
)


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
            case RequestCorrected() | DeliveryAddressChanged() | RequestWithdrawn() | ReminderSent():
                return _judge_follow_up(case, history, incoming)
            case _:
                # Whatever else it is, a school does not write it to the commission.
                return RejectionCode.NOT_YOURS

    @property
    def naming(self) -> frozenset[str]:
        """Return the types of events that name a pupil by a code."""
        return NAMING

    def codes_of(self, personal: object) -> tuple[str, ...]:
        """Return the pupil's personal code: two requests about one pupil are found by it (D.5, 6)."""
        return words_in(personal)

    def codes_among(self, history: Sequence[Recorded], opened: Callable[[Digest], Any]) -> tuple[str, ...]:
        """Return the codes that name the pupil of a case until today, the newest first."""
        return codes_among(fold(history), opened)

    def fire(self, history: Sequence[Recorded], deadline: str) -> Sequence[New]:
        """Return what a term that is over makes: word that it passed, and of a recommendation its end; never a refusal.

        A late answer is still given, and fully valid (D.5, 15); nothing is decided because time went by.
        """
        return self._fired(fold(history), history, deadline)

    def fire_among(self, history: Sequence[Recorded], other: Sequence[Recorded], deadline: str) -> Sequence[New]:
        """Return the same of a linked case, with the history of the earlier one; and what is owed to its school of that."""
        case = fold(history)
        if deadline == WORD_OWED:
            return _owed(case, fold(other))
        return self._fired(case, history, deadline)

    def _fired(self, case: CommissionCase, history: Sequence[Recorded], deadline: str) -> Sequence[New]:
        due = next((each.due_on for each in deadlines_of(case) if each.name == deadline), None)
        # What is for people alone makes nothing: that it has passed is what the list shows.
        if due is None or deadline in FOR_PEOPLE:
            return ()
        if deadline == WORD_OWED:
            return told_to_come(case, case.attendance) if case.owes_own_word else ()
        if case.ending is not None and deadline == DeadlineName.RECOMMENDATION_EXPIRY.value:
            # Only that is left to do: the end came back after a restore, and the word of it was lost before it was sent.
            return ended_answer(case, case.ending.on, case.ending.body)
        passed = DeadlinePassed(deadline=DeadlineName(deadline), due_on=due)
        # Once each, also where a restored database does not know any more that it fired; what followed from it may be lost too.
        is_noted = any(event.own and event.facts == passed for event in history)
        ended = expire_recommendation(case, due) if passed.deadline is DeadlineName.RECOMMENDATION_EXPIRY else ()
        return ended if is_noted else (New(facts=passed), *ended)

    def row(self, history: Sequence[Recorded]) -> CaseRow:
        """Return what the clerk's list shows: the state (with the code of a refused answer), the variant, what is due."""
        return _row(fold(history))

    def outlook(self, history: Sequence[Recorded], today: date) -> Outlook:
        """Return what is missing in a case, and which acts it allows on a day."""
        return outlook_of(fold(history), today)

    @property
    def rests_by(self) -> str:
        """Return the type of event that makes a case rest on another."""
        return AssessmentLinked.__name__

    def rests_on(self, history: Sequence[Recorded]) -> Digest | None:
        """Return an event of the earlier case of the same pupil that a case is linked to; None where it is not linked."""
        # Looked for first: most cases rest on none, and this is asked whenever one is looked at.
        is_linked = any(isinstance(event.facts, AssessmentLinked) for event in history)
        return fold(history).linked if is_linked else None

    def moves_others(self, history: Sequence[Recorded]) -> bool:
        """Tell whether something happened by which linked cases may owe their schools a word, or another answer."""
        return any(isinstance(event.facts, _MOVES_OTHERS) for event in history)

    def row_with(self, history: Sequence[Recorded], other: Sequence[Recorded]) -> CaseRow:
        """Return the list's row of a linked case, with the history of the earlier one."""
        case, primary = fold(history), fold(other)
        # One that stands by itself again is listed as linked until its own file is examined: show says so.
        row = _row(replace(case, primary=primary))
        if not _owed(case, primary):
            return row
        due_on = _opened_on(case) or date.min + _DAY
        # At once, whatever it is: it should have been told already.
        return replace(row, deadlines=(*row.deadlines, Deadline(name=WORD_OWED, due_on=due_on - _DAY)))

    def outlook_with(self, history: Sequence[Recorded], other: Sequence[Recorded], today: date) -> Outlook:
        """Return the outlook of a linked case, with the history of the earlier one."""
        case = seen_with(fold(history), fold(other))
        return outlook_of(case, today, is_left_alone=case.linked is None)

    def outlook_among(
        self,
        history: Sequence[Recorded],
        resting: Mapping[UUID, Sequence[Recorded]],
        beside: Mapping[UUID, Sequence[Recorded]],
        today: date,
    ) -> Outlook:
        """Return the outlook of a case with those that are linked to it, and with the other ones of its pupil."""
        kin, others = ([Kin(number=number, case=fold(each)) for number, each in those.items()] for those in (resting, beside))
        return outlook_of(seen_among(fold(history), kin, others), today)


def must_park(facts: object) -> bool:
    """Tell whether a decision would meet a symbol of a newer release: then nothing is guessed, the event waits for it."""
    match facts:
        case InformationRequested():
            unknown = (Variant.UNKNOWN, Asks.UNKNOWN, Requester.UNKNOWN, AddressKind.UNKNOWN)
            return any(symbol in unknown for symbol in (facts.variant, facts.asks, facts.requester, facts.address))
        case RequestCorrected():
            return CorrectedField.UNKNOWN in facts.changed
        case DeliveryAddressChanged():
            return facts.address is AddressKind.UNKNOWN
        case _:
            return False


def _owed(case: CommissionCase, primary: CommissionCase) -> tuple[New, ...]:
    """Return what the school of a linked case should have been told of the earlier one and was not: a summons, a term, an end.

    A restore lost the word, and not what it is about; or the case lacked own events when it was to be written (docs/adr/0037).
    """
    seen = seen_with(case, primary)
    return (*on_the_way(seen), *pass_on(seen, None))


def _row(case: CommissionCase) -> CaseRow:
    deadlines = deadlines_of(case)
    term = (DeadlineName.COMMISSION_REPLY.value, DeadlineName.COMMISSION_TERM.value, ANSWER_AGAIN)
    return CaseRow(
        state=_shown_state(case),
        variant=case.variant.value if case.variant is not None else None,
        opened_on=_opened_on(case),
        due_on=next((each.due_on for each in deadlines if each.name in term), None),
        deadlines=deadlines,
    )


def _judge_request(case: CommissionCase, facts: InformationRequested) -> RejectionCode | None:
    # I3: one open request a case; a second one would be examined and answered twice. A new one may follow one that is over.
    if case.request is not None and (case.answer is not None or not case.is_request_over):
        return RejectionCode.WRONG_STATE
    # No consent, no examination. The code is the closest of the closed list: a school never comes to a state in which it
    # may ask without consent, so whoever does is out of step with the procedure.
    if not facts.consent_given:
        return RejectionCode.WRONG_STATE
    # What is asked follows from the variant; a request that says two things is not guessed at.
    return None if _ASKS.get(facts.variant) is facts.asks else RejectionCode.WRONG_STATE


def _judge_follow_up(case: CommissionCase, history: Sequence[Recorded], incoming: Recorded) -> RejectionCode | None:
    """Return why what a school says further of its request is refused.

    After an answer, a return or a closing it is still taken: it may have been written before those came.
    """
    if case.request is None:
        return RejectionCode.UNKNOWN_CASE
    # D.5, 16: what answers something of another case is not about this one.
    if incoming.in_reply_to is not None and incoming.in_reply_to not in {event.body for event in history}:
        return RejectionCode.WRONG_REPLY
    match incoming.facts:
        case RequestWithdrawn() if case.withdrawn:
            return RejectionCode.WRONG_STATE
        case ReminderSent() as facts if facts.number <= case.reminders:
            return RejectionCode.WRONG_STATE
        case _:
            return None


def _judge_rejection(case: CommissionCase, history: Sequence[Recorded], incoming: Recorded) -> RejectionCode | None:
    if case.request is None:
        return RejectionCode.UNKNOWN_CASE
    # Anything that was told, not the newest answer alone: word of an earlier one may come when another was given already.
    told = {event.body for event in history if event.own and event.type in _TO_SCHOOL}
    return None if incoming.in_reply_to in told else RejectionCode.WRONG_REPLY


def _opened_on(case: CommissionCase) -> date | None:
    """Return the day of receipt in the register; until it is entered, the day on which the school says it wrote."""
    if case.registered is not None:
        return case.registered.received_on
    return case.request.written_on if case.request else None


def _shown_state(case: CommissionCase) -> str:
    if case.state is CommissionState.ANSWER_REJECTED and case.answer_rejected:
        return f"{case.state.value}: {case.answer_rejected.value}"
    if case.state is CommissionState.CLOSED and case.closed:
        return f"{case.state.value}: {case.closed.value}"
    return case.state.value
