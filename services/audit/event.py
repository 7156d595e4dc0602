"""What an auditor knows of one event: where it stands, what became of it, and what it says as far as it opens."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from services.audit.opening import Opening
from services.wire.hashing import Digest

__all__ = ["Event", "Standing"]


class Standing(Enum):
    """What became of an entry.

    ``TAKEN``: it is part of its channel, and counts. ``REFUSED``: taken, and its reader answered it with a ``Rejected``.
    ``REPEATED``: taken under an event id that stood in this channel before, so without effect. ``MISPLACED``: an event that its
    writer has no right to write there; nobody acts on it. ``WAITS``: genuine and not taken, under a revoked key, before an epoch
    that is not reached, or a side of a fork. ``VOIDED``: genuine and beside the chain, as what an epoch overruled.
    """

    TAKEN = "taken"
    REFUSED = "refused"
    REPEATED = "repeated"
    MISPLACED = "misplaced"
    WAITS = "waits"
    VOIDED = "voided"


class Event(NamedTuple):
    """An event, or an open entry, of a verified log: a named tuple, since one is made for every entry of a log.

    ``body`` is the digest by which links name it. ``type`` to ``recorded_on`` are None where its facts do not open, and all but
    ``type`` for an open entry. ``facts`` is a value of ``services.wire.events``, or of ``contents`` for an open entry; of a type
    that this release does not know (``Opening.UNKNOWN``), a dict of plain values.
    ``case_id`` is the writer's number of the case, ``common_case`` the commission's number of the same case: one for both sides.
    ``written_at`` is in milliseconds since 1970, UTC. ``sealed_facts`` is H of its sealed facts, by which uses name a mandate;
    None where they do not open: whoever may not read a mandate is not led to its case.
    """

    channel: str
    epoch: int
    sequence: int
    digest: Digest
    body: Digest
    written_at: int
    standing: Standing
    opening: Opening
    refused_as: str | None = None
    type: str | None = None
    schema: Digest | None = None
    case_id: UUID | None = None
    common_case: UUID | None = None
    after: Digest | None = None
    in_reply_to: Digest | None = None
    recorded_on: date | None = None
    facts: Any = None
    personal: Any = None
    personal_opening: Opening = Opening.NOTHING
    sealed_facts: Digest | None = None

    @property
    def counts(self) -> bool:
        """Tell whether it is an event that happened, as far as its log and its reader say."""
        return self.standing is Standing.TAKEN and self.opening is Opening.OPENED
