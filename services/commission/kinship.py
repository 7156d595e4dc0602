"""Cases of one pupil: found by personal code, and what has to be told in cases that are linked to another.

A code is opened where it has to be compared, and goes nowhere else. What a linked case is told is for ``domain.answering``.
Source: domain.md D.5, 6, 11, 12 and 13; E13.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final
from uuid import UUID

from services.commission.domain.answering import pass_on
from services.commission.domain.applying import fold
from services.commission.domain.case import CommissionCase, Kin
from services.commission.domain.linking import is_of_one_pupil, on_the_way, seen_among, seen_with
from services.commission.domain.naming import codes_among
from services.post.cases import Missing, history_of, open_personal
from services.post.history import New
from services.post.office import Office
from services.post.opening import event_with, personal_of
from services.post.same_person import others_of, same_person
from services.post.saving import CaseIncompleteError, KeysAwaitedError, require_whole, save
from services.wire.errors import VerificationError
from services.wire.events import (
    AssessmentLinked,
    AttendanceRequested,
    ConfirmationCorrected,
    ConfirmationCorrectedPersonal,
    Person,
    RecommendationExpired,
    RecommendationRevoked,
    TermExtended,
)
from services.wire.hashing import Digest

__all__ = [
    "cases_of_pupil",
    "codes_of_pupil",
    "folded",
    "follow",
    "linked_to",
    "pupil_of",
    "seen",
    "seen_for_letters",
    "tell_linked",
]

_CHANGES: Final = (ConfirmationCorrected, RecommendationExpired, RecommendationRevoked)
_ON_THE_WAY: Final = (AttendanceRequested, TermExtended)


def pupil_of(office: Office, case_id: UUID, case: CommissionCase) -> Person | None:
    """Return the pupil as the school's request names them; None where there is no request, or it cannot be opened here yet."""
    if case.request is None:
        return None
    opened = open_personal(office, event_with(office, case_id, case.request.body))
    pupil: Person | None = None if isinstance(opened, Missing) else opened.content.pupil
    return pupil


def codes_of_pupil(office: Office, case_id: UUID, case: CommissionCase) -> tuple[str, ...]:
    """Return the codes that name the pupil of a case, the newest first.

    Raises: NotReadableError.
    """
    return codes_among(case, lambda body: personal_of(office, case_id, body))


def cases_of_pupil(office: Office, case_id: UUID, case: CommissionCase) -> list[UUID]:
    """Return the other cases of the pupil of a case, the earliest first, as far as they can be opened here.

    Raises: NotReadableError if it cannot be opened of whom the case itself is.
    """
    codes = codes_of_pupil(office, case_id, case)
    return same_person(office, case_id, codes)


def linked_to(office: Office, case: CommissionCase) -> list[UUID]:
    """Return the cases that are linked to a case, whether or not it can be opened here of whom they are.

    Costs as much as there are links, however many events there are: two requests about one pupil are rare.
    """
    return [each for each in _with(office, AssessmentLinked.__name__) if _is_linked(office, each, case)]


def _with(office: Office, topic: str) -> list[UUID]:
    """Return the cases in which an event of a type stands."""
    rows = office.database.all(
        "SELECT DISTINCT originator_id FROM stored_events WHERE topic = ? AND originator_id <> ? ORDER BY originator_id",
        topic,
        office.own_stream.hex,
    )
    return [UUID(row["originator_id"]) for row in rows]


def _is_linked(office: Office, case_id: UUID, case: CommissionCase) -> bool:
    try:
        linked = folded(office, case_id)
        return is_of_one_pupil(linked, case) and _rests_on(office, linked.linked, case)
    except VerificationError:
        # One that was damaged on the disk must not keep every other case from being revoked; who looks at it is told.
        return False


def folded(office: Office, case_id: UUID) -> CommissionCase:
    """Return a case as its own events make it."""
    return fold(history_of(office, office.store.stream(case_id)))


def seen(office: Office, case: CommissionCase) -> CommissionCase:
    """Return a case as it stands with the one that it is linked to."""
    primary = office.store.case_with(case.linked) if case.linked is not None else None
    return seen_with(case, folded(office, primary) if primary is not None else None)


def seen_for_letters(office: Office, case_id: UUID, case: CommissionCase) -> CommissionCase:
    """Return a case as it stands with those that are linked to it, or of its pupil, whose schools say where its letter goes.

    Raises: CaseIncompleteError or KeysAwaitedError where one lacks own events, for which a hold may wait; VerificationError where
    a linked one was damaged. A word that is told later is late; a letter that went to a former representative never comes back
    (D.5, 19). Of whom a case is says what of it opens here.
    """
    linked = [each for each in _with(office, AssessmentLinked.__name__) if _was_linked(office, each, case)]
    cases = {each: _folded_whole(office, each) for each in linked}
    kin = [Kin(number=each, case=found) for each, found in cases.items() if _rests_on(office, found.linked, case)]
    others = [Kin(number=each, case=folded(office, each)) for each in others_of(office, case_id, linked)]
    among = seen_among(case, kin, others)
    for each in among.kin:
        _require_whole(office, each.number)
    return among


def _folded_whole(office: Office, case_id: UUID) -> CommissionCase:
    _require_whole(office, case_id)
    return folded(office, case_id)


def _require_whole(office: Office, case_id: UUID) -> None:
    row = office.database.one("SELECT school FROM cases WHERE case_id = ?", case_id.hex)
    require_whole(office, case_id, row["school"] if row else None)


def _was_linked(office: Office, case_id: UUID, case: CommissionCase) -> bool:
    """Tell whether a case was ever linked to another, by its links alone, whatever else of it is damaged."""
    stream = office.store.stream(case_id)
    links = replace(stream, events=tuple(each for each in stream.events if each.topic == AssessmentLinked.__name__))
    try:
        found = [each.facts for each in history_of(office, links)]
    except VerificationError:
        # Nobody can tell to which; it must not keep the letters of every other case.
        return False
    return any(isinstance(each, AssessmentLinked) and _rests_on(office, each.primary, case) for each in found)


def _rests_on(office: Office, linked: Digest | None, case: CommissionCase) -> bool:
    if linked is None or case.first is None:
        return False
    return office.store.case_with(linked) == office.store.case_with(case.first)


def follow(office: Office, case_id: UUID, news: Sequence[New]) -> None:
    """Tell the schools of linked cases, in the open transaction, of the assessment, and that an answer resting on it is another.

    Every school that waits hears that the pupil is asked to come (D.5, 3); every school that got a yes is told when it holds no
    longer (D.5, 13), whether a person revoked it or its time ran out.
    """
    if any(isinstance(new.facts, _ON_THE_WAY) for new in news):
        _in_linked(office, case_id, on_the_way)
    if not any(isinstance(new.facts, _CHANGES) for new in news):
        return
    personal = [new.personal for new in news if isinstance(new.personal, ConfirmationCorrectedPersonal)]
    tell_linked(office, case_id, personal[0].official if personal else None)


def tell_linked(office: Office, case_id: UUID, official: str | None) -> None:
    """Tell the schools of linked cases, in the open transaction, of an answer that is another now; ``official`` signs it.

    None as ``official`` tells of an end alone: it follows from what was decided, and nobody signs it anew.
    """
    _in_linked(office, case_id, lambda case: pass_on(case, official))


def _in_linked(office: Office, case_id: UUID, follows: Callable[[CommissionCase], Sequence[New]]) -> None:
    """Save what follows in each case that is linked to one, seen with that one, in the open transaction.

    In one that lacks own events after a restore nothing is written (docs/adr/0037), and the act in the earlier one does not wait
    for it: what is owed there is due in it, and follows by itself once it is whole; a corrected answer waits for an official.
    """
    case = folded(office, case_id)
    for linked in linked_to(office, case):
        row = office.database.one("SELECT school FROM cases WHERE case_id = ?", linked.hex)
        school = row["school"] if row else None
        with suppress(CaseIncompleteError, KeysAwaitedError):
            require_whole(office, linked, school)
            save(office, linked, follows(seen_with(folded(office, linked), case)), school=school)
