"""What changes of the persons of a case, and how a case is over, as its history makes it; and who they are after that.

Folding is total; every refusal is made before, in ``changing`` and ``leaving``. Facts hold nothing personal: of each change of
particulars the fold keeps the body that names the event, and ``particulars_after`` reads what was opened of them, in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from services.post.history import Recorded
from services.wire.events import (
    Application,
    ApplicationFiled,
    Authority,
    CorrectedField,
    EligibilityOutcome,
    EligibilityScreened,
    OpposingStatementRecorded,
    Particulars,
    PersonDataCorrected,
    PersonDataCorrectedPersonal,
    PupilCameOfAge,
    RepresentativeChanged,
    RepresentativeChangedPersonal,
    Requester,
)
from services.wire.hashing import Digest

__all__ = ["Change", "Changes", "born_on_after", "codes_after", "evolve_changes", "particulars_after"]

Change = PersonDataCorrectedPersonal | RepresentativeChangedPersonal | None
"""What was opened of a change of particulars; None where the pupil came of age, and acts alone from there on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The folded changes: facts only.

    ``requester`` is who applies now, None before an application; ``particulars`` names the events that say who the persons are
    now, in order, with None where the pupil came of age; ``new_codes`` those that gave the pupil another code. ``screened``
    is what the conditions said since that day.
    """

    requester: Requester | None = None
    authority: Authority = Authority.PARENT
    particulars: tuple[Digest | None, ...] = ()
    new_codes: frozenset[Digest] = frozenset()
    is_of_age: bool = False
    screened: EligibilityOutcome | None = None
    opposed_on: tuple[date, ...] = ()

    @property
    def needs_screening(self) -> bool:
        """Tell whether the pupil came of age, and the conditions were not found to be met since (A1.2; D.5, 21)."""
        return self.is_of_age and self.screened is not EligibilityOutcome.ELIGIBLE


def evolve_changes(changes: Changes, event: Recorded) -> Changes:  # noqa: PLR0911  # one return an event
    """Return the changes after one accepted event; an event that means nothing to them leaves them as they are."""
    match event.facts:
        case ApplicationFiled() as facts:
            return replace(changes, requester=facts.requester)
        case PersonDataCorrected() as facts:
            new_codes = changes.new_codes | ({event.body} if CorrectedField.NEW_CODE in facts.changed else set())
            return replace(changes, particulars=(*changes.particulars, event.body), new_codes=new_codes)
        case RepresentativeChanged() as facts:
            requester, particulars = Requester.REPRESENTATIVE, (*changes.particulars, event.body)
            return replace(changes, requester=requester, authority=facts.authority, particulars=particulars)
        case PupilCameOfAge():
            particulars = (*changes.particulars, None)
            requester = Requester.ADULT_PUPIL
            return replace(changes, requester=requester, particulars=particulars, is_of_age=True, screened=None)
        case EligibilityScreened() as facts:
            return replace(changes, screened=facts.outcome)
        case OpposingStatementRecorded() as facts:
            return replace(changes, opposed_on=(*changes.opposed_on, facts.received_on))
        case _:
            return changes


def particulars_after(application: Application, changes: Iterable[Change]) -> Particulars:
    """Return who a case is about after all ``changes``, in order, of what the application says."""
    now = Particulars(pupil=application.pupil, representative=application.representative, contact=application.contact)
    for change in changes:
        match change:
            case PersonDataCorrectedPersonal():
                now = change.new
            case RepresentativeChangedPersonal():
                now = replace(now, representative=change.person)
            case _:
                now = replace(now, representative=None)
    return now


def codes_after(application: Application, changes: Changes, opened: Iterable[Change]) -> frozenset[str]:
    """Return the personal codes that name the pupil after all ``changes``; ``opened`` are their particulars, in order.

    A code given anew leaves the old one with the pupil (D.5, 11); a mistyped one was somebody else's, or nobody's (D.5, 9).
    """
    codes = frozenset({application.pupil.personal_code})
    for body, change in zip(changes.particulars, opened, strict=True):
        if not isinstance(change, PersonDataCorrectedPersonal):
            continue
        old, new = change.old.pupil.personal_code, change.new.pupil.personal_code
        codes = (codes if body in changes.new_codes or old == new else codes - {old}) | {new}
    return codes


def born_on_after(born_on: date, changes: Iterable[Change]) -> date:
    """Return the birth date after all ``changes``, in order, of the one that was filed."""
    for change in changes:
        if isinstance(change, PersonDataCorrectedPersonal) and change.new_birth_date is not None:
            born_on = change.new_birth_date
    return born_on
