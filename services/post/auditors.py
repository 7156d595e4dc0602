"""Auditors: the list of them as a participant sees it, its decision on each, and the keys that follow from a decision.

A person decides, or the setting ``approve_auditors = always`` for whoever asks and was not refused. A decision is an event of my
own record; the worker then grants the facts keys of all my channels, those of past years that still exist and each new one.
Source: design.md section 5; docs/adr/0032-an-approval-is-an-event.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from services.post.access import Decided, Decision, decisions_of, let_in
from services.post.admitted import admitted_auditor
from services.post.granting import grant_missed
from services.post.history import New
from services.post.mandates import end, mandates_of
from services.post.office import Office, is_over
from services.post.saving import NotReadyError, Saved, act
from services.wire.channels import Role
from services.wire.errors import RefusedError
from services.wire.events import AccessEnded, AccessGranted, AccessPurpose, AccessScope
from services.wire.hashing import Digest
from services.wire.trust import Participant

__all__ = ["Admitting", "AuditorLine", "approve", "asking_auditors", "auditors", "end_facts", "refuse"]

_EVERY: Final = 5_000
_PARTICIPANTS: Final = (Role.SCHOOL, Role.COMMISSION)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditorLine:
    """An auditor in the list: what was decided and on which day; ``keys`` is how many facts keys of mine it was given.

    ``asks`` is whoever is admitted and not decided on. ``removed`` is one that the registrar has removed.
    """

    auditor: str
    name: str
    organisation: str
    decision: str
    on: date | None
    keys: int
    removed: bool


class AlreadyDecidedError(RefusedError):
    """What is decided is decided already."""

    def __init__(self, auditor: str, decision: Decision) -> None:
        super().__init__(f"{auditor} is {decision.value} already; nothing is recorded a second time.")


def auditors(office: Office) -> list[AuditorLine]:
    """Return all auditors that were ever admitted, and what was decided of each."""
    found = decisions_of(office)
    admitted = [each for each in office.trust.participants.values() if each.role is Role.AUDITOR]
    return [_line(office, each, found.get(each.admitted)) for each in admitted]


def asking_auditors(office: Office) -> list[str]:
    """Return the auditors who are there and whom nobody here has decided on; none where nothing is to be decided."""
    if office.role not in _PARTICIPANTS:
        return []
    found = decisions_of(office)
    return [each for each in office.trust.of_role(Role.AUDITOR) if office.trust.participants[each].admitted not in found]


def approve(office: Office, auditor: str, *, until: date | None = None) -> tuple[Saved, ...]:
    """Let an auditor have the facts keys of all my channels, up to a last day if there is one; the worker grants them.

    Raises: RefusedError if no such auditor is there, it is approved already, or that day is over; what ``act`` raises.
    """
    admission = admitted_auditor(office, auditor).admitted
    if until is not None and until < office.today:
        raise RefusedError(f"{until} is over: give a last day that is still to come, or none.")
    granted = AccessGranted(auditor=admission, scope=AccessScope.FACTS, purpose=AccessPurpose.AUDIT, until=until)
    return act(office, None, lambda _: _once(office, auditor, Decision.APPROVED, granted))


def refuse(office: Office, auditor: str) -> tuple[Saved, ...]:
    """Give an auditor no keys, or no more: what it was given opens what is there, and nothing that is sealed from now on.

    Its mandates end before that, under keys that it has. Raises: as ``approve``; RefusedError too, once it is refused, if one of
    them cannot be ended now.
    """
    admission = admitted_auditor(office, auditor).admitted
    _end_mandates(office, admission)
    saved = end_facts(office, auditor)
    # Also one that somebody gave until it was refused; what could not be ended is told now.
    left = _end_mandates(office, admission)
    if left:
        raise RefusedError(f"{auditor} is refused; {' '.join(left)} End it by end-mandate then.")
    return saved


def _end_mandates(office: Office, admission: Digest) -> list[str]:
    """End the mandates of an auditor, and return in words which could not be ended."""
    left: list[str] = []
    for mandate in mandates_of(office):
        if mandate.auditor == admission and mandate.ended_on is None:
            try:
                end(office, mandate)
            except RefusedError as error:
                # Of one case something has not come back: that must not keep an auditor in.
                left.append(f"mandate {mandate.name.hex()[:16]} could not be ended: {error}")
    return left


def end_facts(office: Office, auditor: str) -> tuple[Saved, ...]:
    """Give an auditor no keys of facts, or no more, and leave its mandates as they are. Raises: as ``approve``."""
    admission = admitted_auditor(office, auditor).admitted
    ended = AccessEnded(auditor=admission, scope=AccessScope.FACTS)

    def supersede() -> None:
        # In the same transaction, and after the event of it: whatever is sealed next is sealed under keys that it never had. All
        # of them, for a letter may be under way, or have gone out just before its worker was killed, and be noted nowhere.
        office.ring.supersede_all_facts_keys()

    return act(office, None, lambda _: _once(office, auditor, Decision.REFUSED, ended), also=supersede)


@dataclass(slots=True)
class Admitting:
    """What a worker does about auditors: the decision that a setting takes, and the keys that a decision leaves to grant."""

    office: Office
    _looked_at: int | None = field(default=None)

    def admit_once(self) -> int:
        """Decide where the setting does, grant what auditors who are let in lack, and return how much was done."""
        office, now = self.office, self.office.clock()
        if office.role not in _PARTICIPANTS or (self._looked_at is not None and not is_over(now, self._looked_at, _EVERY)):
            return 0
        self._looked_at = now
        done = self._decide() if office.approves_auditors else 0
        return done + sum(grant_missed(office, each) for each in let_in(office))

    def _decide(self) -> int:
        office, asking = self.office, asking_auditors(self.office)
        for auditor in asking:
            try:
                approve(office, auditor)
            except (NotReadyError, RefusedError) as error:
                # As when the registrar has not published the schema of this event yet: it is tried again.
                office.tell(f"{auditor} is not approved by itself now: {error}")
                return 0
        return len(asking)


def _line(office: Office, auditor: Participant, decided: Decided | None) -> AuditorLine:
    query = (
        "SELECT count(DISTINCT g.key_id) FROM grants g JOIN keys k ON k.key_id = g.key_id"
        " WHERE g.recipient = ? AND k.made_here = 1 AND k.key_use = 'FACTS'"
    )
    row = office.database.one(query, auditor.id)
    return AuditorLine(
        auditor=auditor.id,
        name=auditor.name,
        organisation=auditor.organisation,
        decision=(decided.decision if decided is not None else Decision.ASKS).value,
        on=decided.on if decided is not None else None,
        keys=int(row[0]) if row is not None else 0,
        removed=auditor.removed,
    )


def _once(office: Office, auditor: str, decision: Decision, facts: Any) -> Sequence[New]:
    """Return the event of a decision; asked inside the transaction, so that of two people who decide at once one is told."""
    decided = decisions_of(office).get(facts.auditor)
    if decided is not None and decided.decision is decision:
        raise AlreadyDecidedError(auditor, decision)
    return [New(facts=facts)]
