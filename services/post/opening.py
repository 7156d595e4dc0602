"""Opening: what use cases of all participants ask for before they act: the case, its number, what its family wrote.

Refusals here are about what is there and readable; what the procedure allows is for the domains.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from services.post.cases import Missing, open_personal
from services.post.office import Office
from services.post.store import SealedEvent
from services.wire.errors import RefusedError, RingError, VerificationError
from services.wire.hashing import Digest, digest_of

__all__ = ["CaseMissingError", "NotReadableError", "event_with", "new_case_id", "opener", "personal_of", "require_case"]

_VERSION_7: Final = 0x7000
_VARIANT: Final = 0x8000000000000000


class CaseMissingError(RefusedError):
    """There is no such case."""

    def __init__(self) -> None:
        super().__init__("There is no case of this number here. Check the number against the list of cases.")


class NotReadableError(RefusedError):
    """What is personal about an event cannot be opened, so nothing can be built on it."""

    def __init__(self, why: Missing) -> None:
        super().__init__(f"What the family wrote cannot be opened here ({why.value}), so this cannot be done.")


def new_case_id(office: Office) -> UUID:
    """Return a UUIDv7 (RFC 9562): 48 bits of time, 74 of randomness."""
    drawn = int.from_bytes(office.random(10), "big")
    high = (office.clock() << 16) | _VERSION_7 | (drawn >> 64 & 0x0FFF)
    low = _VARIANT | (drawn & (2**62 - 1))
    return UUID(int=(high << 64) | low)


def require_case(office: Office, case_id: UUID) -> None:
    """Return if there is a case of this number here.

    Raises: CaseMissingError.
    """
    if not office.store.stream(case_id).events or case_id == office.own_stream:
        raise CaseMissingError


def event_with(office: Office, case_id: UUID, body: Digest) -> SealedEvent:
    """Return the event of a case that has a body; it was folded from there."""
    return next(each for each in office.store.stream(case_id).events if digest_of(each.body) == body)


def opener(office: Office, case_id: UUID) -> Callable[[Digest], Any]:
    """Return what gives what is personal about an event of a case by its body, and None where it does not open."""
    # Read once, and only where anything is asked: a case may have a thousand events.
    events: dict[Digest, SealedEvent] = {}

    def opened(body: Digest) -> Any:
        if body not in events:
            events.update((digest_of(each.body), each) for each in office.store.stream(case_id).events)
        try:
            content = open_personal(office, events[body])
        except (VerificationError, RingError):
            return None
        return None if isinstance(content, Missing) else content.content

    return opened


def personal_of(office: Office, case_id: UUID, body: Digest) -> Any:
    """Return what is personal about an event of a case.

    Raises: NotReadableError if it cannot be opened here, or was erased.
    """
    opened = open_personal(office, event_with(office, case_id, body))
    if isinstance(opened, Missing):
        raise NotReadableError(opened)
    return opened.content
