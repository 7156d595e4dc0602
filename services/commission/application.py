"""The commission's use cases: get the case, act, save. Called by every entrypoint alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from services.commission.domain import decisions
from services.commission.domain.case import CommissionCase, fold
from services.commission.input import (
    AnswerInput,
    DispatchInput,
    ExaminationInput,
    IrpInput,
    RecommendationInput,
    RefusalInput,
    RegistrationInput,
)
from services.policy.rules import rules_on
from services.post.cases import Missing, history_of, open_personal
from services.post.history import New
from services.post.office import Office
from services.post.saving import Saved, act
from services.wire.errors import RefusedError
from services.wire.events import InformationRequestedPersonal
from services.wire.hashing import digest_of

__all__ = ["CaseMissingError", "Commission", "NotReadableError"]


class CaseMissingError(RefusedError):
    """There is no such case."""

    def __init__(self) -> None:
        super().__init__("There is no case of this number here. Check the number against the list of cases.")


class NotReadableError(RefusedError):
    """What is personal about the request cannot be opened, so nothing can be sent."""

    def __init__(self, why: Missing) -> None:
        super().__init__(f"The request's address cannot be opened here ({why.value}), so nothing can be sent.")


@dataclass(frozen=True, slots=True)
class Commission:
    """The acts of the commission's clerks and doctors."""

    office: Office

    def register(self, case_id: UUID, form: RegistrationInput) -> tuple[Saved, ...]:
        """Enter a school's request in the register."""
        return self._act(case_id, lambda case: decisions.register_request(case, form))

    def examine(self, case_id: UUID, form: ExaminationInput) -> tuple[Saved, ...]:
        """Record what the expertise file shows."""
        return self._act(case_id, lambda case: decisions.examine_file(case, form))

    def issue_irp(self, case_id: UUID, form: IrpInput) -> tuple[Saved, ...]:
        """Issue the individual rehabilitation plan (b.2)."""
        return self._act(case_id, lambda case: decisions.issue_irp(case, form))

    def recommend(self, case_id: UUID, form: RecommendationInput) -> tuple[Saved, ...]:
        """Issue the recommendation."""
        return self._act(case_id, lambda case: decisions.issue_recommendation(case, form))

    def refuse(self, case_id: UUID, form: RefusalInput) -> tuple[Saved, ...]:
        """Refuse the recommendation; the grounds are for the family."""
        return self._act(case_id, lambda case: decisions.refuse_recommendation(case, form))

    def dispatch(self, case_id: UUID, form: DispatchInput) -> tuple[Saved, ...]:
        """Record that the documents were sent to the address that the request states."""
        request = self._request(case_id)
        rules = rules_on(form.sent_on)
        return self._act(case_id, lambda case: decisions.dispatch_documents(case, form, rules, request=request))

    def answer(self, case_id: UUID, form: AnswerInput) -> tuple[Saved, ...]:
        """Answer the school: yes or no, as the outcome says."""
        return self._act(case_id, lambda case: decisions.answer(case, form))

    def case(self, case_id: UUID) -> CommissionCase:
        """Return a case, folded from its events.

        Raises: CaseMissingError.
        """
        self._require(case_id)
        return fold(history_of(self.office, self.office.store.stream(case_id)))

    def _act(self, case_id: UUID, decide: Callable[[CommissionCase], tuple[New, ...]]) -> tuple[Saved, ...]:
        self._require(case_id)
        row = self.office.database.one("SELECT school FROM cases WHERE case_id = ?", case_id.hex)
        school = row["school"] if row else None
        return act(self.office, case_id, lambda history: decide(fold(history)), school=school)

    def _require(self, case_id: UUID) -> None:
        if not self.office.store.stream(case_id).events or case_id == self.office.own_stream:
            raise CaseMissingError

    def _request(self, case_id: UUID) -> InformationRequestedPersonal:
        case = self.case(case_id)
        if case.request is None:
            raise CaseMissingError
        body = case.request.body
        event = next(each for each in self.office.store.stream(case_id).events if digest_of(each.body) == body)
        opened = open_personal(self.office, event)
        if isinstance(opened, Missing):
            raise NotReadableError(opened)
        content: InformationRequestedPersonal = opened.content
        return content
