"""Ending: what auditors were given up to a day, or while they are there, and that is over now; recorded by the worker, once.

A day is over by the clock in Riga. An access to all facts that ends so is a refusal as any other: what is sealed from then on is
sealed under keys that the auditor never had. A mandate that ends is said to have ended, in its writer's record.
Source: docs/adr/0038-keys-of-single-parts.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Final

from services.post.access import Decision, decisions_of
from services.post.auditors import end_facts
from services.post.mandates import Mandate, end, mandates_of
from services.post.office import Office, is_over
from services.post.saving import Saved
from services.wire.channels import Role
from services.wire.errors import RefusedError

__all__ = ["Ending"]

_WRITERS: Final = (Role.SCHOOL, Role.COMMISSION)
_AGAIN: Final = 60_000


@dataclass(slots=True)
class Ending:
    """Ends what is over; it looks when another day has come, or the registrar has said more, and again where it could not."""

    office: Office
    _looked: tuple[date, int] | None = field(default=None)
    _failed_at: int | None = field(default=None)

    def end_once(self) -> int:
        """Record the ends that are due, each in a transaction of its own, and return how many those were."""
        office, now = self.office, (self.office.today, self.office.trust.sequence)
        waits = self._failed_at is not None and not is_over(office.clock(), self._failed_at, _AGAIN)
        if office.role not in _WRITERS or self._looked == now or waits:
            return 0
        done, self._failed_at = 0, None
        for ends in self._due():
            try:
                done += bool(ends())
            except RefusedError as error:
                # As while a start is under way, or something of that case has not come back: it is as due afterwards.
                office.tell(f"the end of an auditor's access is not recorded yet: {error}")
                self._failed_at = office.clock()
        self._looked = now if self._failed_at is None else None
        return done

    def _due(self) -> Iterator[Callable[[], tuple[Saved, ...]]]:
        office = self.office
        for mandate in mandates_of(office):
            if mandate.ended_on is None and (mandate.until < office.today or self._has_left(mandate)):
                yield partial(end, office, mandate)
        decided = decisions_of(office)
        for auditor in office.trust.of_role(Role.AUDITOR):
            found = decided.get(office.trust.participants[auditor].admitted)
            is_approved = found is not None and found.decision is Decision.APPROVED
            if is_approved and found is not None and found.until is not None and found.until < office.today:
                yield partial(end_facts, office, auditor)

    def _has_left(self, mandate: Mandate) -> bool:
        return any(each.admitted == mandate.auditor and each.removed for each in self.office.trust.participants.values())
