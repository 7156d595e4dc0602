"""The commission's case as its history makes it: one school's request, or one direct application, and its assessment.

Values alone; how events change them is in ``applying``. A school may ask anew in the same case when its request is over.
Source: domain.md D.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.commission.domain.parts import (
    AddressChange,
    Attendance,
    CommissionState,
    Contest,
    Correction,
    Ending,
    Outcome,
    Request,
    Sent,
)
from services.wire.events import (
    Answer,
    Asks,
    AssessmentCause,
    ExpertiseFileExamined,
    IrpIssued,
    Opinion,
    OpinionIssued,
    RejectedCode,
    RequestRegistered,
    Source,
    TermExtended,
    Variant,
)
from services.wire.hashing import Digest

__all__ = ["CommissionCase", "Kin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """A case of the pupil of another one, by its number: what its school says of addresses counts for the letter there.

    ``is_linked`` is False where a code alone says so. ``is_sure`` is False there, and where it was answered, and either corrected
    the code since, or this one's school asked anew: it may be another child's.
    """

    number: UUID
    case: CommissionCase
    is_linked: bool = True
    is_sure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionCase:
    """The folded case: facts only.

    ``first`` names its first event, ``named_by`` the newest that says by which code the pupil is found; ``correction`` the
    newest correction of what was issued; ``superseded`` are the bases of outcomes that were set aside or corrected into the
    other; ``answer_body`` the newest answer given, ``answer_basis`` what it rests on, ``answer_rejected`` why the school
    refused it, ``ended_told`` whether the school was told that a yes holds no longer; ``rechecked`` is False while the
    particulars have changed since the file was examined. ``summons_told`` names the summons of which the school was told last.
    ``addresses`` names every event since the request by which another address was told; ``address`` is the newest.
    ``linked`` names an event of the earlier case whose assessment is this one's too; ``primary`` is that case where it is
    looked at (``linking``), never folded; ``renamed_since`` tells that the code was corrected after an answer that rests on it.
    ``kin`` are those that are linked to this one, and others of its pupil, where letters are sent or looked at.
    """

    first: Digest | None = None
    named_by: Digest | None = None
    request: Request | None = None
    registered: RequestRegistered | None = None
    registered_body: Digest | None = None
    corrections: tuple[Correction, ...] = ()
    rechecked: bool = True
    address: AddressChange | None = None
    addresses: tuple[Digest, ...] = ()
    reminders: int = 0
    not_matched: bool = False
    returned: bool = False
    withdrawn: bool = False
    linked: Digest | None = None
    renamed_since: bool = False
    extension: TermExtended | None = None
    examination: ExpertiseFileExamined | None = None
    attendance: Attendance | None = None
    summons_told: Digest | None = None
    opinion: OpinionIssued | None = None
    irp: IrpIssued | None = None
    outcome: Outcome | None = None
    correction: Digest | None = None
    contest: Contest = Contest.NONE
    contested_on: date | None = None
    superseded: tuple[Digest, ...] = ()
    ending: Ending | None = None
    dispatch: Sent | None = None
    answer: Answer | None = None
    answer_body: Digest | None = None
    answer_basis: Digest | None = None
    answer_rejected: RejectedCode | None = None
    ended_told: bool = False
    closed: AssessmentCause | None = None
    primary: CommissionCase | None = None
    kin: tuple[Kin, ...] = ()

    @property
    def is_begun(self) -> bool:
        """Tell whether there is a request or a direct application."""
        return self.request is not None or self.is_direct

    @property
    def is_direct(self) -> bool:
        """Tell whether the requester applied to the commission, and no school asks (a.1, b.1)."""
        return self.registered is not None and self.registered.source is Source.REQUESTER

    @property
    def asks(self) -> Asks | None:
        """What is asked for; None where nothing is."""
        if self.request is not None:
            return self.request.facts.asks
        return self.registered.asks if self.registered is not None else None

    @property
    def variant(self) -> Variant | None:
        """Which of the four routes it is: a school says so, of a direct application it follows from what is asked."""
        if self.request is not None:
            return self.request.facts.variant
        if self.registered is None:
            return None
        return Variant.B1 if self.registered.asks is Asks.IRP_AND_RECOMMENDATION else Variant.A1

    @property
    def is_request_over(self) -> bool:
        """Tell whether the school may ask anew: its request was returned, withdrawn, closed, or nobody was found by it."""
        return self.returned or self.withdrawn or self.not_matched or self.closed is not None

    @property
    def answered(self) -> tuple[Request, Digest] | None:
        """The request that was answered, and the answer's event; None where no answer stands."""
        return None if self.request is None or self.answer_body is None else (self.request, self.answer_body)

    @property
    def is_answer_stale(self) -> bool:
        """Tell whether the school has an answer whose basis stands no longer, and what stands now says the other.

        Of a linked case what stands is decided in the earlier one. An answer that rests on a request before the newest there is
        not touched by what is decided on that, and one whose end was told is over.
        """
        decided = self.decided
        if decided is None or decided.outcome is None or self.answer is None or self.ended_told or decided.ending is not None:
            return False
        return self.answer_basis in decided.superseded and decided.outcome.answer is not self.answer

    @property
    def is_end_untold(self) -> bool:
        """Tell whether a yes that the school got has ended, and it was not told: a restore lost the word, and not the end."""
        return self.ending is not None and self.request is not None and self.answer is Answer.YES and not self.ended_told

    def owes_word_of(self, summons: Attendance | None) -> bool:
        """Tell whether a school that waits was not told yet that the pupil is asked to come (A5.3; D.5, 3).

        D.5, 10: who was told that nobody is found hears nothing of a pupil; D.5, 7: nor who has withdrawn.
        """
        if summons is None or not summons.is_awaited or self.summons_told == summons.body:
            return False
        return self.request is not None and self.answer is None and not self.is_request_over

    @property
    def owes_own_word(self) -> bool:
        """Tell whether the word of this case's own summons is owed: a restore lost it, and its school heard of none.

        D.5, 9 and 10: one that was made by what the school has corrected since may be another child's.
        """
        summons, seen = self.attendance, self.examination
        if summons is None or seen is None or self.linked is not None or self.summons_told is not None:
            return False
        return self.rechecked and seen.examined_on <= summons.sent_on and self.owes_word_of(summons)

    @property
    def standing(self) -> Outcome | None:
        """The recommendation that holds, None if there is none: not issued, corrected into a no, revoked or expired."""
        return self.outcome if self.outcome is not None and self.outcome.is_yes and self.ending is None else None

    @property
    def decided(self) -> CommissionCase | None:
        """The case that has the recommendation or refusal: this one, or the earlier one; None where that is not seen."""
        return self if self.linked is None else self.primary

    @property
    def may_answer_linked(self) -> bool:
        """Tell whether a case that is linked to this one has an answer from it, or may still have one (D.5, 6)."""
        if self.outcome is not None:
            return self.ending is None and not self.is_kept_back
        # Nobody is found there by the code that both have: each is told so, and none waits for the other's correction.
        return not (self.returned or self.withdrawn or self.not_matched or self.closed is not None)

    @property
    def is_kept_back(self) -> bool:
        """Tell whether what was issued reaches nobody: it was not sent, it is held, and a school that withdrew says no address.

        So it is where another represents the pupil, who applies at another school (D.5, 8 and 19).
        """
        return self.withdrawn and self.is_on_hold and (self.dispatch is None or self.dispatch.failed)

    def has_opinion_on(self, day: date) -> bool:
        """Tell whether an opinion on the need of special care is valid on a day: by the file, or issued since (A5.3)."""
        if self.opinion is not None and (self.opinion.until is None or day <= self.opinion.until):
            return True
        seen = self.examination
        if seen is None or seen.opinion is not Opinion.VALID:
            return False
        return seen.opinion_until is None or day <= seen.opinion_until

    def is_opinion_over_on(self, day: date) -> bool:
        """Tell whether an opinion was issued here that has ended before a day."""
        return self.opinion is not None and self.opinion.until is not None and self.opinion.until < day

    @property
    def has_file(self) -> bool:
        """Tell whether there is an expertise file: it was found, or began with the opinion issued here."""
        return self.opinion is not None or (self.examination is not None and self.examination.file_found)

    @property
    def is_on_hold(self) -> bool:
        """Tell whether nothing is to be sent: the requester asked so, or is another now and has confirmed no address yet."""
        return self.address is not None and self.address.facts.dispatch_on_hold

    @property
    def held_elsewhere(self) -> tuple[Kin, ...]:
        """The other cases whose schools say that nothing is to be sent: the letter is about their pupil too (D.5, 19).

        Also one that was closed because a pupil died who may be another child (D.5, 10): a person asks the family.
        """
        doubted = tuple(each for each in self._died_in_kin if not each.is_sure)
        return (*(each for each in self.kin if each.case.is_on_hold and each not in doubted), *doubted)

    def unheard_on(self, day: date) -> tuple[Kin, ...]:
        """Return the linked cases that told of addresses what was not compared when the letter went out, as seen on a day.

        It was, where that was told before the letter, or the requester confirmed on that day or later where it goes. What claims
        to be told after ``day`` is of a wrong clock, and counts as told with the letter.
        """
        linked = (each for each in self.kin if each.is_linked and each.case.closed is not AssessmentCause.DIED)
        return tuple(each for each in linked if self._is_unheard(each.case.address, day))

    def _is_unheard(self, told: AddressChange | None, day: date) -> bool:
        sent = self.dispatch
        if told is None or sent is None or sent.failed:
            return told is not None
        if told.body == sent.facts.address_from or told.written_on < sent.facts.sent_on:
            return False
        confirmed_on = sent.facts.address_confirmed_on
        return confirmed_on is None or confirmed_on < told.written_on <= day

    @property
    def died_elsewhere(self) -> tuple[Kin, ...]:
        """The linked cases that were closed because the pupil died (D.5, 30)."""
        return tuple(each for each in self._died_in_kin if each.is_sure)

    @property
    def _died_in_kin(self) -> tuple[Kin, ...]:
        return tuple(each for each in self.kin if each.case.closed is AssessmentCause.DIED)

    @property
    def is_address_protected(self) -> bool:
        """Tell whether the address, by the newest word of it, is one that must not become known (domain.md C3; D.5, 19).

        Whichever school says so of the pupil: the letter tells where the other requester is to be sought, too.
        """
        if any(each.case.is_address_protected for each in self.kin):
            return True
        if self.address is not None:
            return self.address.facts.address_protected
        if self.request is not None:
            return self.request.facts.address_protected
        return self.registered is not None and self.registered.address_protected

    @property
    def is_address_changed_since(self) -> bool:
        """Tell whether the address has changed after what was sent last (crossing of address change and dispatch)."""
        if self.dispatch is None or self.address is None or self.is_on_hold:
            return False
        return self.address.body not in (self.dispatch.facts.address_from, self.dispatch.instead_of)

    @property
    def state(self) -> CommissionState:
        """Return where the case stands (D.3); the answer does not wait for the dispatch, nor the dispatch for the answer."""
        if not self.is_begun:
            return CommissionState.EMPTY
        return self._ended_state() or self._answered_state() or self._state_on_the_way()

    def _ended_state(self) -> CommissionState | None:
        if self.ending is not None:
            return CommissionState.REVOKED if self.ending.is_revoked else CommissionState.EXPIRED
        if self.contest is Contest.OPEN:
            return CommissionState.CONTESTED
        if self.contest is Contest.SET_ASIDE and self.closed is None:
            return CommissionState.SET_ASIDE
        if self.returned:
            return CommissionState.RETURNED
        if self.closed is not None and not self.is_answer_stale:
            return CommissionState.CORRECTED if self.correction is not None else CommissionState.CLOSED
        return None

    def _answered_state(self) -> CommissionState | None:
        if self.answer is not None and not self.is_answer_stale:
            if self.answer_rejected is not None:
                return CommissionState.ANSWER_REJECTED
            return CommissionState.CORRECTED if self.correction is not None else CommissionState.ANSWERED
        return CommissionState.WITHDRAWN if self.withdrawn else None

    def _state_on_the_way(self) -> CommissionState:  # noqa: PLR0911  # one return a state
        # Also a later request of the same school, whatever is known from the one before.
        if self.registered is None:
            return CommissionState.RECEIVED
        if self.outcome is not None:
            if self.dispatch is not None:
                return CommissionState.DISPATCHED
            return CommissionState.PREPARED if self.outcome.is_yes else CommissionState.REFUSED
        if self.linked is not None:
            return CommissionState.LINKED
        if self.not_matched:
            return CommissionState.IDENTITY_NOT_MATCHED
        if self.attendance is not None and self.attendance.is_awaited:
            return CommissionState.ATTENDANCE_REQUIRED
        if self.examination is not None:
            return CommissionState.FILE_CHECKED
        return CommissionState.REGISTERED
