"""The school's use cases of persons who change, leave or step back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.post.opening import NotReadableError
from services.post.saving import Saved
from services.school.cases import Cases
from services.school.domain import changing, leaving
from services.school.domain.folded import SchoolCase
from services.school.input import CorrectionForm, LeavingForm, OpposingForm, RepresentativeForm, WithdrawalForm
from services.wire.events import Address

__all__ = ["Changing"]


@dataclass(frozen=True, slots=True)
class Changing(Cases):
    """The acts of a school's people when persons of a case change."""

    def withdraw(self, case_id: UUID, form: WithdrawalForm) -> tuple[Saved, ...]:
        """Record that the application was withdrawn."""
        return self.decided(case_id, lambda case: leaving.withdraw_application(case, form))

    def leave(self, case_id: UUID, form: LeavingForm) -> tuple[Saved, ...]:
        """Record that the pupil is no longer at this school."""
        return self.decided(case_id, lambda case: leaving.leave_school(case, form, address=self._address_asked(case_id, case)))

    def correct(self, case_id: UUID, form: CorrectionForm) -> tuple[Saved, ...]:
        """Correct particulars, with what stood before."""
        return self.decided(
            case_id,
            lambda case: changing.correct_particulars(
                case, form, standing=self.particulars(case_id, case), born_on=self.born_on(case_id, case)
            ),
        )

    def change_representative(self, case_id: UUID, form: RepresentativeForm) -> tuple[Saved, ...]:
        """Record that somebody else represents the pupil."""
        return self.decided(
            case_id,
            lambda case: changing.change_representative(
                case, form, standing=self.particulars(case_id, case), address=self._address_asked(case_id, case)
            ),
        )

    def came_of_age(self, case_id: UUID) -> tuple[Saved, ...]:
        """Record that the pupil came of age, by the birth date of the school's own register."""
        today = self.office.today
        return self.decided(
            case_id,
            lambda case: changing.come_of_age(
                case,
                today,
                born_on=self.born_on(case_id, case),
                standing=self.particulars(case_id, case),
                address=self._address_asked(case_id, case),
            ),
        )

    def oppose(self, case_id: UUID, form: OpposingForm) -> tuple[Saved, ...]:
        """Record a statement of the other parent against the application."""
        return self.decided(case_id, lambda case: changing.record_opposition(case, form))

    def _address_asked(self, case_id: UUID, case: SchoolCase) -> Address | None:
        """Return where the commission was asked to send its letters last, None if it was not asked or that does not open."""
        request = case.request
        if request is None:
            return None
        try:
            address: Address = self.opened(case_id, request.address_told or request.body).address
        except NotReadableError:
            # A death is recorded all the same.
            return None
        return address
