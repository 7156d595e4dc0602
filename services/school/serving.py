"""The school's use cases after its decision: assistants, agreements, the service, hours, money, closed letters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.post.cases import Missing, open_personal
from services.post.opening import event_with
from services.post.people import cases_of
from services.post.saving import Saved, act
from services.school.cases import Cases
from services.school.domain import agreements, assistants, letters, reports
from services.school.domain.agreements import Conditions
from services.school.domain.finding import assistant_word
from services.school.domain.folded import SchoolCase
from services.school.domain.judging import description_on, institution_kind
from services.school.input import (
    AgreementForm,
    AmendmentForm,
    AssistantForm,
    CvForm,
    HandOverForm,
    HoursForm,
    MoneyForm,
    SchoolForm,
    SealedItemForm,
    ServiceForm,
)
from services.wire.events import AssistantProposedPersonal
from services.wire.hashing import Digest

__all__ = ["Serving"]


@dataclass(frozen=True, slots=True)
class Serving(Cases):
    """The acts of a school's people around a service that was granted."""

    def describe(self, form: SchoolForm) -> tuple[Saved, ...]:
        """Say what the school is from a day on."""
        return act(self.office, None, lambda history: reports.describe_school(history, form))

    def report_money(self, form: MoneyForm) -> tuple[Saved, ...]:
        """Report what the school received and used in a month."""
        return act(self.office, None, lambda history: reports.report_money(history, form))

    def propose_assistant(self, case_id: UUID, form: AssistantForm) -> tuple[Saved, ...]:
        """Propose a person as assistant; whoever was one here before keeps the number."""
        return self.decided(
            case_id,
            lambda case: assistants.propose_assistant(
                case,
                form,
                assistant=self._assistant_number(form.personal_code),
                standing=self._proposed(case_id, case, form.personal_code),
            ),
        )

    def annex_cv(self, case_id: UUID, form: CvForm) -> tuple[Saved, ...]:
        """Annex an assistant's CV."""

        def standing(case: SchoolCase) -> Digest | None:
            proposal = case.service.proposal(form.assistant)
            return proposal.cv_body if proposal is not None else None

        return self.decided(case_id, lambda case: assistants.annex_cv(case, form, standing=self.opened(case_id, standing(case))))

    def conclude(self, case_id: UUID, form: AgreementForm) -> tuple[Saved, ...]:
        """Conclude the agreement of requester, assistant and school."""
        return self.decided(
            case_id,
            lambda case: agreements.conclude_agreement(
                case, form, self._conditions(case_id, case, form), number=self._count("AgreementConcluded") + 1
            ),
        )

    def amend(self, case_id: UUID, form: AmendmentForm) -> tuple[Saved, ...]:
        """Amend an agreement, also by another assistant."""
        return self.decided(case_id, lambda case: agreements.amend_agreement(case, form, self._conditions(case_id, case, form)))

    def suspend(self, case_id: UUID, form: ServiceForm) -> tuple[Saved, ...]:
        """Record that the service stands still."""
        return self.decided(case_id, lambda case: agreements.suspend_service(case, form))

    def resume(self, case_id: UUID, form: ServiceForm) -> tuple[Saved, ...]:
        """Record that the service goes on."""
        return self.decided(case_id, lambda case: agreements.resume_service(case, form))

    def end_service(self, case_id: UUID, form: ServiceForm) -> tuple[Saved, ...]:
        """Record that the service ends."""
        return self.decided(case_id, lambda case: agreements.end_service(case, form))

    def report_hours(self, case_id: UUID, form: HoursForm) -> tuple[Saved, ...]:
        """Report what an assistant worked in a month."""
        return self.decided(
            case_id,
            lambda case: reports.report_hours(
                case, form, self.rules(case, form.month), elsewhere=self._minutes_elsewhere(case_id, case, form.month)
            ),
        )

    def receive_sealed(self, case_id: UUID, form: SealedItemForm) -> tuple[Saved, ...]:
        """Take in a closed letter of the commission for the requester."""
        return self.decided(case_id, lambda case: letters.receive_letter(case, form, self._numbers(case_id, case)))

    def hand_over(self, case_id: UUID, form: HandOverForm) -> tuple[Saved, ...]:
        """Hand a closed letter over, unopened."""
        return self.decided(case_id, lambda case: letters.hand_over_letter(case, form, self._numbers(case_id, case)))

    def _conditions(self, case_id: UUID, case: SchoolCase, form: AgreementForm) -> Conditions:
        return Conditions(
            rules=self.rules(case, form.concluded_on),
            kind=institution_kind(description_on(self.own_history(), form.from_on)),
            # D.5, 28: over all agreements of the pupil at this school, whatever the case and the code.
            others=tuple(agreed for other in self.other_cases(case_id, case) for agreed in other.service.agreed),
            strict_experience=self.settings.strict_experience,
        )

    def _minutes_elsewhere(self, case_id: UUID, case: SchoolCase, month: date) -> int:
        return sum(sum(other.service.reported(month).values()) for other in self.other_cases(case_id, case))

    def _assistant_number(self, code: str) -> int:
        """Return the school's running number of an assistant: that of an earlier proposal, else the next one."""
        for case_id in cases_of(self.office, assistant_word(code)):
            for proposal in self.case(case_id).service.proposals:
                # Of two assistants of one case, one of whom does not open any more, nobody can be told to be the other.
                opened = open_personal(self.office, event_with(self.office, case_id, proposal.body))
                if not isinstance(opened, Missing) and opened.content.person.personal_code == code:
                    return proposal.facts.assistant
        return self._count("AssistantProposed") + 1

    def _proposed(self, case_id: UUID, case: SchoolCase, code: str) -> AssistantProposedPersonal | None:
        for proposal in reversed(case.service.proposals):
            opened: AssistantProposedPersonal = self.opened(case_id, proposal.body)
            if opened.person.personal_code == code:
                return opened
        return None

    def _numbers(self, case_id: UUID, case: SchoolCase) -> dict[Digest, str]:
        return {each.body: self.opened(case_id, each.body).number for each in case.service.letters}

    def _count(self, event: str) -> int:
        row = self.office.database.one("SELECT count(*) FROM stored_events WHERE topic = ?", event)
        return row[0] if row else 0
