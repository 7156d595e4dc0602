"""The other cases of a person: found by the words that name them, and looked at one by one, for a word may have been corrected.

Asked where a decision or a look at a case needs it. Source: domain.md D.5, 6, 10, 11 and 19.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from services.post.cases import history_of
from services.post.history import Sharing
from services.post.office import Office
from services.post.opening import opener
from services.post.people import cases_of
from services.wire.errors import RingError, VerificationError

__all__ = ["others_of", "same_person"]


def others_of(office: Office, case_id: UUID, resting: Iterable[UUID]) -> list[UUID]:
    """Return the other cases of the person of a case, as ``same_person``, by its own codes and by those of cases that rest on it.

    A new code may be told in one of those alone (D.5, 11); one that shares no code any more is about somebody else (D.5, 10).
    """
    own = _codes_of(office, case_id)
    found = (_codes_of(office, each) for each in resting)
    return same_person(office, case_id, own.union(*(codes for codes in found if not codes.isdisjoint(own))))


def same_person(office: Office, case_id: UUID, codes: Collection[str]) -> list[UUID]:
    """Return the cases but ``case_id`` that are named by one of these codes still, the earliest first, as far as they open here.

    One that was erased, lost or damaged is none of them: what nobody can read any more must not stand in the way of new ones.
    """
    found = {each for code in codes for each in cases_of(office, code)} - {case_id}
    return sorted(each for each in found if not _codes_of(office, each).isdisjoint(codes))


def _codes_of(office: Office, case_id: UUID) -> frozenset[str]:
    """Return the codes by which a case names whom it is about; none where it does not open."""
    domain = office.domain
    if not isinstance(domain, Sharing):
        return frozenset()
    try:
        history = history_of(office, office.store.stream(case_id))
    except (VerificationError, RingError):
        return frozenset()
    return frozenset(domain.codes_among(history, opener(office, case_id)))
