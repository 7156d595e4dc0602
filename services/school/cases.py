"""What all use cases of a school begin with: the case, folded, and what is personal about it, opened where it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from services.policy.rules import DEFAULT, RULES, Rules, rules_on
from services.post.cases import history_of
from services.post.history import New, Recorded
from services.post.office import Office
from services.post.opening import NotReadableError, personal_of, require_case
from services.post.people import cases_of
from services.post.saving import Saved, act
from services.post.settings import SchoolSettings
from services.school.domain import refusals_deciding
from services.school.domain.allowing import require_application
from services.school.domain.case import fold
from services.school.domain.changes import born_on_after, codes_after, particulars_after
from services.school.domain.duplicates import seen_with
from services.school.domain.folded import SchoolCase
from services.school.domain.refusals import NoApplicationError
from services.wire.events import Particulars
from services.wire.hashing import Digest

__all__ = ["Cases"]


_NO_SETTINGS: Final = SchoolSettings()


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of a school, and what it settles for itself."""

    office: Office
    settings: SchoolSettings = _NO_SETTINGS

    def case(self, case_id: UUID) -> SchoolCase:
        """Return a case, folded from its events; a duplicate as it stands with the other one.

        Raises: CaseMissingError.
        """
        require_case(self.office, case_id)
        return self._seen(self._folded(case_id))

    def decided(self, case_id: UUID, decide: Callable[[SchoolCase], tuple[New, ...]]) -> tuple[Saved, ...]:
        """Save what a decision on a case makes.

        Raises: CaseMissingError; what ``decide`` raises; as ``act``.
        """
        require_case(self.office, case_id)
        return act(self.office, case_id, lambda history: decide(self._seen(fold(history))))

    def rules(self, case: SchoolCase | None, day: date) -> Rules:
        """Return the rules that a case is judged by: those it was judged by before, else those gone by on a day.

        Raises: RulesNotInForceError.
        """
        if case is not None and case.rule_set is not None:
            return _numbered(case.rule_set)
        try:
            return rules_on(day, self.settings.rules or DEFAULT)
        except LookupError as error:
            raise refusals_deciding.RulesNotInForceError(str(error.args[0])) from error

    def own_history(self) -> tuple[Recorded, ...]:
        """Return the history of what belongs to no case."""
        return history_of(self.office, self.office.store.stream(self.office.own_stream))

    def opened(self, case_id: UUID, body: Digest | None) -> Any:
        """Return what is personal about an event of a case; None where no event is named.

        Raises: NotReadableError.
        """
        return None if body is None else personal_of(self.office, case_id, body)

    def particulars(self, case_id: UUID, case: SchoolCase) -> Particulars:
        """Return who a case is about now, after all that changed since the application.

        Raises: NoApplicationError; NotReadableError.
        """
        _, body = require_application(case)
        filed = self.opened(case_id, body)
        return particulars_after(filed.application, [self.opened(case_id, each) for each in case.changes.particulars])

    def born_on(self, case_id: UUID, case: SchoolCase) -> date:
        """Return the pupil's birth date, as it was corrected last.

        Raises: NoApplicationError; NotReadableError.
        """
        _, body = require_application(case)
        filed = self.opened(case_id, body)
        return born_on_after(filed.birth_date, [self.opened(case_id, each) for each in case.changes.particulars])

    def other_cases(self, case_id: UUID, case: SchoolCase) -> Iterator[SchoolCase]:
        """Yield the pupil's other cases at this school, whichever of their codes they are under.

        Raises: NoApplicationError; NotReadableError if it cannot be said of whom ``case`` itself is.
        """
        require_application(case)
        yield from (self.case(each) for each in self.others_of(case_id, self.codes(case_id, case)))

    def others_of(self, case_id: UUID, codes: frozenset[str]) -> list[UUID]:
        """Return the other cases of whoever has these personal codes, the oldest first."""
        found, is_growing = set[UUID](), True
        while is_growing:
            # A case under one code may say another, under which there are more.
            new = {each for code in codes for each in self.cases_under(code)} - found - {case_id}
            found, is_growing = found | new, bool(new)
            codes = codes.union(*(self.codes_known(each) or () for each in new))
        return sorted(found)

    def cases_under(self, code: str) -> Iterator[UUID]:
        """Yield the cases that say now that their pupil has a personal code, the oldest first.

        A case is found by what was ever typed in it: a mistyped code is another child's (D.5, 9). One that cannot be opened any
        more says nothing against it, and what was agreed in it counts.
        """
        for each in cases_of(self.office, code):
            known = self.codes_known(each)
            if known is None or code in known:
                yield each

    def codes(self, case_id: UUID, case: SchoolCase) -> frozenset[str]:
        """Return the personal codes that name a case's pupil now.

        Raises: NoApplicationError; NotReadableError.
        """
        _, body = require_application(case)
        opened = [self.opened(case_id, each) for each in case.changes.particulars]
        return codes_after(self.opened(case_id, body).application, case.changes, opened)

    def codes_known(self, case_id: UUID) -> frozenset[str] | None:
        """Return the same, None where the case has lost its application or it does not open: it must not block other cases."""
        try:
            return self.codes(case_id, self.case(case_id))
        except (NoApplicationError, NotReadableError):
            return None

    def _folded(self, case_id: UUID) -> SchoolCase:
        return fold(history_of(self.office, self.office.store.stream(case_id)))

    def _seen(self, case: SchoolCase) -> SchoolCase:
        found = self.office.store.case_with(case.duplicate_of) if case.duplicate_of is not None else None
        return seen_with(case, self._folded(found) if found is not None else None)


def _numbered(number: int) -> Rules:
    """Return the rules that a case is judged by already: they never change under it. Raises: RulesNotInForceError."""
    found = next((rules for rules in RULES if rules.number == number), None)
    if found is None:
        raise refusals_deciding.RulesNotInForceError(f"the case was judged by rule set {number}, which is not in this release")
    return found
