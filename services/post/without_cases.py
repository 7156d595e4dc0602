"""A domain for participants that keep no cases: what comes to them is kept, and does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services.post.history import CaseRow, New, Outlook, Recorded, RejectionCode

__all__ = ["WithoutCases"]


class WithoutCases:
    """The registrar's, which opens no sealed entry, and an auditor's, which judges none."""

    def case_of(self, case_id: UUID, *, channel: str) -> UUID:  # noqa: ARG002  # the Protocol's
        """Return the number as it is."""
        return case_id

    def must_park(self, facts: object) -> bool:  # noqa: ARG002  # the Protocol's
        """Let everything wait."""
        return True

    def judge(self, history: Sequence[Recorded], incoming: Recorded) -> RejectionCode | None:  # noqa: ARG002  # the Protocol's
        """Refuse everything."""
        return RejectionCode.NOT_YOURS

    @property
    def naming(self) -> frozenset[str]:
        """Return none."""
        return frozenset()

    def codes_of(self, personal: object) -> tuple[str, ...]:  # noqa: ARG002  # the Protocol's
        """Return none."""
        return ()

    def fire(self, history: Sequence[Recorded], deadline: str) -> Sequence[New]:  # noqa: ARG002  # the Protocol's
        """Return none."""
        return ()

    def row(self, history: Sequence[Recorded]) -> CaseRow:  # noqa: ARG002  # the Protocol's
        """Return a row that says nothing."""
        return CaseRow(state="None")

    def outlook(self, history: Sequence[Recorded], today: date) -> Outlook:  # noqa: ARG002  # the Protocol's
        """Return an outlook that says nothing."""
        return Outlook()
