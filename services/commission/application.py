"""The commission's use cases: get the case, act, save. Called by every entrypoint alike.

A form is read and checked before (``input``), a decision is taken by the domain; here personal parts are opened where a
decision needs them, and other cases of the same pupil are found. Whatever a decision rests on is read inside its transaction:
what a school says, or another clerk does, a moment before counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from services.commission.domain import conditions, decisions, guards, refusals
from services.commission.domain.applying import fold
from services.commission.domain.case import CommissionCase
from services.commission.expertise import ExpertiseRegister
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
    LinkInput,
    LookUpInput,
    OpinionInput,
    RecommendationInput,
    RedispatchInput,
    RefusalInput,
    RegistrationInput,
    ReturnInput,
    RevocationInput,
)
from services.commission.kinship import (
    cases_of_pupil,
    codes_of_pupil,
    folded,
    linked_to,
    pupil_of,
    seen,
    seen_for_letters,
    tell_linked,
)
from services.policy.rules import rules_on
from services.post.history import New
from services.post.office import Office
from services.post.opening import NotReadableError, new_case_id, personal_of, require_case
from services.post.people import cases_of
from services.post.saving import Saved, act
from services.wire.errors import VerificationError
from services.wire.events import Address, Opinion
from services.wire.hashing import Digest

__all__ = ["Commission"]


@dataclass(frozen=True, slots=True)
class Commission:
    """The acts of the commission's clerks, doctors and officials; ``register_of_files`` is None where files are on paper."""

    office: Office
    register_of_files: ExpertiseRegister | None = None

    def register(self, case_id: UUID, form: RegistrationInput) -> tuple[Saved, ...]:
        """Enter a school's request in the register."""

        def decide(case: CommissionCase) -> tuple[New, ...]:
            return decisions.register_request(case, form, pupil=pupil_of(self.office, case_id, case))

        return self._act(case_id, decide)

    def register_direct(self, form: DirectInput) -> tuple[UUID, tuple[Saved, ...]]:
        """Enter a requester's own application in the register, and return the new case.

        Raises: DirectRegisteredError if it is a case already.
        """
        case_id = new_case_id(self.office)
        code = form.pupil.personal_code
        return case_id, act(self.office, case_id, lambda _: self._new(code, decisions.register_direct(CommissionCase(), form)))

    def return_request(self, case_id: UUID, form: ReturnInput) -> tuple[Saved, ...]:
        """Return what cannot be taken up."""
        return self._act(case_id, lambda case: decisions.return_request(case, form))

    def not_matched(self, case_id: UUID) -> tuple[Saved, ...]:
        """Tell the school that nobody was found by its request."""
        return self._act(case_id, decisions.say_not_matched)

    def link(self, case_id: UUID, form: LinkInput) -> tuple[Saved, ...]:
        """Make the assessment of an earlier case of the same pupil that of this one too."""

        def decide(case: CommissionCase) -> tuple[New, ...]:
            guards.may_link(case)
            if linked_to(self.office, case):
                # Others rest on this one already: a chain of links would have no assessment at its end.
                raise refusals.LinkOrderError
            return decisions.link_assessment(case, primary=self._primary(case_id, case, form))

        return self._act(case_id, decide)

    def extend_term(self, case_id: UUID, form: ExtensionInput) -> tuple[Saved, ...]:
        """Extend the commission's term."""
        return self._act(case_id, lambda case: decisions.extend_term(case, form))

    def examine(self, case_id: UUID, form: ExaminationInput) -> tuple[Saved, ...]:
        """Record what the expertise file shows."""
        return self._act(case_id, lambda case: decisions.examine_file(case, form))

    def look_up(self, case_id: UUID, form: LookUpInput) -> tuple[Saved, ...]:
        """Record what the register of expertise files says of the pupil.

        Raises: RegisterMissingError; SettingsError if the register cannot be read; CodeChangedError if the pupil got another
        code meanwhile; what ``examine`` raises.
        """
        if self.register_of_files is None:
            raise refusals.RegisterMissingError
        case = self.case(case_id)
        guards.may_examine(case)
        # A new code names the same person as the old one (D.5, 11): the file may stand under either.
        codes = codes_of_pupil(self.office, case_id, case)
        looked = [self.register_of_files.look_up(code) for code in codes]
        file = next((each for each in looked if each is not None), None)
        opinion = file.opinion(form.examined_on) if file is not None else Opinion.NONE
        found = ExaminationInput(
            file_found=file is not None,
            opinion=opinion,
            opinion_until=file.opinion_until if file is not None and opinion is not Opinion.NONE else None,
            examined_on=form.examined_on,
        )

        def decide(case: CommissionCase) -> tuple[New, ...]:
            # The register is asked outside the transaction; whose file it is was corrected meanwhile (D.5, 10).
            if codes_of_pupil(self.office, case_id, case) != codes:
                raise refusals.CodeChangedError
            return decisions.examine_file(case, found)

        return self._act(case_id, decide)

    def require_attendance(self, case_id: UUID, form: AttendanceInput) -> tuple[Saved, ...]:
        """Ask the pupil to come; the school learns the fact alone."""
        return self._act(case_id, lambda case: decisions.ask_to_come(case, form))

    def attended(self, case_id: UUID, form: AttendedInput) -> tuple[Saved, ...]:
        """Record that the pupil came."""
        return self._act(case_id, lambda case: decisions.note_attendance(case, form))

    def attendance_lapsed(self, case_id: UUID, form: LapseInput) -> tuple[Saved, ...]:
        """Record that the pupil did not come."""
        return self._act(case_id, lambda case: decisions.note_lapse(case, form))

    def issue_opinion(self, case_id: UUID, form: OpinionInput) -> tuple[Saved, ...]:
        """Record the opinion on the need of special care."""
        return self._act(case_id, lambda case: decisions.issue_opinion(case, form))

    def issue_irp(self, case_id: UUID, form: IrpInput) -> tuple[Saved, ...]:
        """Issue the individual rehabilitation plan (b.1, b.2)."""
        return self._act(case_id, lambda case: decisions.issue_irp(case, form))

    def recommend(self, case_id: UUID, form: RecommendationInput) -> tuple[Saved, ...]:
        """Issue the recommendation."""
        return self._act(case_id, lambda case: self._once(case_id, case, decisions.issue_recommendation(case, form)))

    def refuse(self, case_id: UUID, form: RefusalInput) -> tuple[Saved, ...]:
        """Refuse the recommendation; the grounds are for the family."""
        return self._act(case_id, lambda case: self._once(case_id, case, decisions.refuse_recommendation(case, form)))

    def dispatch(self, case_id: UUID, form: DispatchInput) -> tuple[Saved, ...]:
        """Record that the documents were sent to the address that the application states, or a later change of it."""

        def decide(case: CommissionCase) -> tuple[New, ...]:
            case = seen_for_letters(self.office, case_id, case)
            address, rules = self._address(case_id, case, form), rules_on(form.sent_on)
            return decisions.dispatch_documents(case, form, rules, address=address)

        return self._act(case_id, decide)

    def redispatch(self, case_id: UUID, form: RedispatchInput) -> tuple[Saved, ...]:
        """Record that the same documents were sent again, under the number that they have."""

        def decide(case: CommissionCase) -> tuple[New, ...]:
            case = seen_for_letters(self.office, case_id, case)
            number = personal_of(self.office, case_id, conditions.dispatched(case).first).number
            address, rules = self._address(case_id, case, form), rules_on(form.sent_on)
            return decisions.redispatch_documents(case, form, rules, address=address, number=number)

        return self._act(case_id, decide)

    def deliver_confirmed(self, case_id: UUID, form: DeliveryInput) -> tuple[Saved, ...]:
        """Record that the letter came."""
        return self._act(case_id, lambda case: decisions.confirm_delivery(case, form))

    def delivery_failed(self, case_id: UUID, form: DeliveryFailureInput) -> tuple[Saved, ...]:
        """Record that the letter did not come."""
        return self._act(case_id, lambda case: decisions.note_failure(case, form))

    def answer(self, case_id: UUID, form: AnswerInput) -> tuple[Saved, ...]:
        """Answer the school: yes or no, as the outcome says; of a linked case, as that of the earlier one."""
        return self._act(case_id, lambda case: decisions.answer(case, form))

    def correct_recommendation(self, case_id: UUID, form: CorrectionInput) -> tuple[Saved, ...]:
        """Correct what was issued or refused; the school is told only if yes and no change by it."""

        def decide(case: CommissionCase) -> tuple[New, ...]:
            earlier = case.correction
            said = personal_of(self.office, case_id, earlier).text if earlier is not None else None
            return decisions.correct_recommendation(case, form, said=said)

        # Also where no school was answered in this case, a direct application's: the linked ones were (D.5, 6 and 13).
        return self._act(case_id, decide, also=lambda: tell_linked(self.office, case_id, form.official))

    def revoke(self, case_id: UUID, form: RevocationInput) -> tuple[Saved, ...]:
        """Revoke the recommendation; every school that got a yes is told from when it holds no longer."""
        return self._act(case_id, lambda case: decisions.revoke_recommendation(case, form))

    def contest(self, case_id: UUID, form: ContestInput) -> tuple[Saved, ...]:
        """Record that the commission's refusal is contested."""
        return self._act(case_id, lambda case: decisions.contest_refusal(case, form))

    def uphold(self, case_id: UUID, form: HeadDecisionInput) -> tuple[Saved, ...]:
        """Record that the contested refusal stands."""
        return self._act(case_id, lambda case: decisions.uphold_refusal(case, form))

    def set_aside(self, case_id: UUID, form: HeadDecisionInput) -> tuple[Saved, ...]:
        """Record that the contested refusal was set aside."""
        return self._act(case_id, lambda case: decisions.set_refusal_aside(case, form))

    def close(self, case_id: UUID, form: ClosingInput) -> tuple[Saved, ...]:
        """Close the assessment."""
        return self._act(case_id, lambda case: decisions.close_assessment(case, form))

    def case(self, case_id: UUID) -> CommissionCase:
        """Return a case, folded from its events; a linked one as it stands with the earlier one.

        Raises: CaseMissingError.
        """
        require_case(self.office, case_id)
        return seen(self.office, folded(self.office, case_id))

    def same_pupil(self, case_id: UUID) -> list[UUID]:
        """Return the other cases of the pupil of a case, the earliest first.

        Raises: CaseMissingError; NotReadableError if it cannot be opened here of whom the case is.
        """
        return cases_of_pupil(self.office, case_id, self.case(case_id))

    def _act(
        self, case_id: UUID, decide: Callable[[CommissionCase], tuple[New, ...]], *, also: Callable[[], None] | None = None
    ) -> tuple[Saved, ...]:
        require_case(self.office, case_id)
        row = self.office.database.one("SELECT school FROM cases WHERE case_id = ?", case_id.hex)
        school = row["school"] if row else None
        return act(self.office, case_id, lambda history: decide(seen(self.office, fold(history))), school=school, also=also)

    def _address(self, case_id: UUID, case: CommissionCase, form: DispatchInput | RedispatchInput) -> Address:
        number, said = decisions.said_by(case, form)
        address: Address = personal_of(self.office, number or case_id, decisions.address_body(said)).address
        return address

    def _said(self, case_id: UUID, body: Digest) -> object:
        """Return what is personal about an event, None where it was erased, lost or damaged."""
        try:
            return personal_of(self.office, case_id, body)
        except (NotReadableError, VerificationError):
            return None

    def _primary(self, case_id: UUID, case: CommissionCase, form: LinkInput) -> CommissionCase:
        if form.primary is None:
            # As they were written: one that is linked, if to a case that is over, must not be what another rests on.
            others = [folded(self.office, each) for each in cases_of_pupil(self.office, case_id, case)]
            earlier = (each for each in others if each.linked is None and each.registered is not None)
            found = min(earlier, key=_received_on, default=None)
        else:
            primary_id = UUID(form.primary)
            require_case(self.office, primary_id)
            found = folded(self.office, primary_id)
            # D.5, 10: two are of one person if a code says so, never because their names are alike.
            codes = set(codes_of_pupil(self.office, case_id, case))
            if primary_id == case_id or not codes.intersection(codes_of_pupil(self.office, primary_id, found)):
                found = None
        if found is None:
            raise refusals.NotSamePupilError
        return found

    def _once(self, case_id: UUID, case: CommissionCase, news: tuple[New, ...]) -> tuple[New, ...]:
        """Return what is to be decided, unless the one assessment of the pupil was made in another case since this one came."""
        try:
            others = [folded(self.office, each) for each in cases_of_pupil(self.office, case_id, case)]
        except NotReadableError:
            # Of whom this case is cannot be opened: nobody can tell that there is another.
            return news
        if any(decisions.is_decided_elsewhere(case, other) for other in others) and not linked_to(self.office, case):
            raise refusals.DecidedElsewhereError
        return news

    def _new(self, code: str, news: tuple[New, ...]) -> tuple[New, ...]:
        # Whoever was killed inside a commit may have done its work although no list shows it yet; the clerk repeats it.
        for earlier in cases_of(self.office, code):
            case = self.case(earlier)
            if case.registered != news[0].facts or case.registered_body is None:
                continue
            # One that cannot be read any more is nobody's repetition: the clerk's command would have to be older than its loss.
            if self._said(earlier, case.registered_body) == news[0].personal:
                raise refusals.DirectRegisteredError
        return news


def _received_on(case: CommissionCase) -> str:
    return case.registered.received_on.isoformat() if case.registered is not None else ""
