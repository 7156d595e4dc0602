"""An application that is the duplicate of another case's: one of them goes on, and none is lost (domain.md D.5, 5 and 20).

A duplicate waits for what comes of the other. Where that was withdrawn, or closed because nobody completed it, nothing was
decided about the pupil, and nobody but its own requester ends a claim: the duplicate is shown as left alone, and reopened or
withdrawn by a clerk (docs/adr/0036).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from services.post.history import Deadline, New
from services.school.domain import refusals, refusals_completing
from services.school.domain.allowing import require_application, require_undecided
from services.school.domain.changing import come_of_age_by_itself
from services.school.domain.folded import SchoolCase
from services.school.domain.parts import ASKING, ENDED, ChosenAddress, SchoolState
from services.school.domain.refusals_deciding import DateOrderError
from services.school.domain.standing import is_ineligible, is_signed
from services.school.input import DuplicateInput, ReopeningForm
from services.wire.events import (
    ApplicationFiled,
    ClosingCause,
    DuplicateLinked,
    DuplicateReopened,
    DuplicateReopenedPersonal,
    MissingItem,
)
from services.wire.hashing import Digest

__all__ = ["GUARDS", "LEFT_ALONE", "deadline_of", "link_duplicate", "reopen_duplicate", "said_more", "seen_with"]

LEFT_ALONE: Final = "DuplicateLeftAlone"
"""A deadline that makes no event: from the day on which the other application came to nothing the list shows the duplicate."""


def link_duplicate(
    case: SchoolCase, form: DuplicateInput, *, primary: SchoolCase, is_itself: bool, is_same_pupil: bool
) -> tuple[New, ...]:
    """Return the event by which an application becomes the duplicate of another case's (domain.md D.5, 5).

    ``primary`` is the other case; the caller compared the numbers of the cases and the pupils' codes.
    What the later application says of consent and address is taken over before, by the acts of the other case.
    Raises: DuplicateOfItselfError; OtherPupilError; PrimaryEndedError; FirstProceedsError; DuplicateSaysMoreError where nobody
    has said what becomes of it; RequestOpenError; as ``require_undecided``.
    """
    filed = _may_link_duplicate(case)
    if is_itself:
        raise refusals_completing.DuplicateOfItselfError
    if not is_same_pupil:
        raise refusals_completing.OtherPupilError
    if primary.state in ENDED or primary.application_body is None:
        raise refusals_completing.PrimaryEndedError
    body: Digest = primary.application_body
    if _proceeds_before(case, filed, primary):
        raise refusals_completing.FirstProceedsError
    if form.supersedes is None and (more := said_more(case, primary)):
        raise refusals_completing.DuplicateSaysMoreError(more)
    return (New(facts=DuplicateLinked(primary=body, cause=form.cause)),)


def said_more(case: SchoolCase, primary: SchoolCase) -> tuple[MissingItem, ...]:
    """Return what a duplicate says of consent and address that the other case lacks, or was told earlier, and can still take.

    Nothing that was said before a consent was withdrawn there, or before another represents the pupil: that is not later.
    """
    if primary.variant not in ASKING:
        return ()
    is_lacking = primary.consent_body is None and primary.decision is None
    consent = case.consent_body is not None and is_lacking and not _is_over(case.consented_on, primary.consent_ended_on)
    chosen = case.address
    address = chosen is not None and _is_later(chosen, primary.address, ended_on=primary.address_ended_on)
    return (*((MissingItem.CONSENT,) if consent else ()), *((MissingItem.ADDRESS,) if address else ()))


def reopen_duplicate(case: SchoolCase, form: ReopeningForm, *, today: date, opened: Callable[[Digest], Any]) -> tuple[New, ...]:
    """Return the events of a duplicate that goes on as what it is, from where it stood when it was linked.

    ``case`` is seen with the other one; ``opened`` gives what is personal about an event by its body, None if it does not open.
    Of a pupil whose birthday came while it waited, that too: the authority of whoever represented them ended then (D.5, 21).
    Raises: NoApplicationError; NoDuplicateError; PrimaryGoesOnError; DateOrderError.
    """
    filed = _may_reopen(case)
    if form.received_on < filed.received_on:
        raise DateOrderError("The application", filed.received_on)
    facts = DuplicateReopened(received_on=form.received_on)
    reopened = New(facts=facts, personal=DuplicateReopenedPersonal(by=form.by))
    going_on = replace(case, duplicate_of=None, left_alone_on=None)
    return (reopened, *come_of_age_by_itself(going_on, today, opened))


def seen_with(case: SchoolCase, primary: SchoolCase | None) -> SchoolCase:
    """Return a case as it stands with the one whose duplicate it is; None where it is none, or that one is not here."""
    if primary is None or case.state is not SchoolState.DUPLICATE:
        return case
    return replace(case, left_alone_on=_came_to_nothing_on(primary))


def deadline_of(case: SchoolCase) -> Deadline | None:
    """Return by when somebody is to ask the requester of a duplicate that was left alone: on the day on which that happened."""
    return Deadline(name=LEFT_ALONE, due_on=case.left_alone_on) if case.left_alone_on is not None else None


def _came_to_nothing_on(primary: SchoolCase) -> date | None:
    """Return the day on which a case ended without a word on the pupil, who is still here; None where it goes on, or was decided.

    A pupil who left, or died, has left every application alike.
    """
    if primary.closed is not None:
        return primary.closed_on if primary.closed is ClosingCause.NOT_SUPPLEMENTED else None
    return primary.withdrawn_on


def _proceeds_before(case: SchoolCase, filed: ApplicationFiled, primary: SchoolCase) -> bool:
    """Tell whether an application is the first valid one of both (D.5, 20): it came earlier, and nothing keeps it from going on.

    One that was asked about, or decided, goes on whatever came first.
    """
    if primary.application is None or filed.received_on >= primary.application.received_on:
        return False
    return not (primary.is_asked or primary.decision or case.missing or not is_signed(case) or is_ineligible(case))


def _is_over(said_on: date | None, ended_on: date | None) -> bool:
    return said_on is not None and ended_on is not None and said_on < ended_on


def _is_later(new: ChosenAddress, standing: ChosenAddress | None, *, ended_on: date | None) -> bool:
    if _is_over(new.confirmed_on, ended_on):
        return False
    if standing is None or new.confirmed_on > standing.confirmed_on:
        return True
    other = (new.kind, new.protected) != (standing.kind, standing.protected)
    return other and new.confirmed_on == standing.confirmed_on


def _may_link_duplicate(case: SchoolCase) -> ApplicationFiled:
    filed = require_undecided(case)
    # Of two cases the one that was asked about goes on: one request to the commission (D.5, 5).
    if case.is_asked:
        raise refusals.RequestOpenError
    return filed


def _may_reopen(case: SchoolCase) -> ApplicationFiled:
    filed, _ = require_application(case)
    if case.state is not SchoolState.DUPLICATE:
        raise refusals_completing.NoDuplicateError
    # D.5, 5: while the other goes on, or once the pupil was decided about, there is one application.
    if case.left_alone_on is None:
        raise refusals_completing.PrimaryGoesOnError
    return filed


GUARDS: Final[Mapping[str, Callable[[SchoolCase, date], object]]] = {
    "link-duplicate": lambda case, _: _may_link_duplicate(case),
    "reopen": lambda case, _: _may_reopen(case),
}
"""What each act here asks of a case on a day, before anybody fills in a form."""
