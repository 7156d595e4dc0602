"""Access: which auditors a participant lets have its facts keys, as its own events say; people decide it, or a setting.

Decides by ``AccessGranted`` and ``AccessEnded`` in my own record and by nothing else: so a restore from the log brings a refusal
back with all the rest. What cannot be opened may have been a refusal, and whoever was let in before it is asked about again.
Who may hold keys at all is for the table of readers, how they go out for ``granting``.
Source: design.md section 5; docs/adr/0032-an-approval-is-an-event.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Final

from services.post.cases import open_facts
from services.post.office import Office
from services.post.store import SealedEvent
from services.wire.channels import Role, record_of
from services.wire.errors import RingError, VerificationError
from services.wire.events import AccessEnded, AccessGranted, AccessScope
from services.wire.hashing import Digest

__all__ = ["Decided", "Decision", "decisions_of", "let_in"]

_EPOCH: Final = date(1970, 1, 1)
_TOPICS: Final = (AccessGranted.__name__, AccessEnded.__name__)


class Decision(Enum):
    """What a participant has decided of an auditor; until then it asks, and is given nothing."""

    ASKS = "asks"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision of an auditor, the day on which it was recorded, and the last day on which it holds (None: no last one)."""

    decision: Decision
    on: date
    until: date | None = None


def let_in(office: Office) -> tuple[str, ...]:
    """Return the auditors who may be given facts keys of channels of mine today.

    Of an auditor's own record, which all may read, that is every auditor: so a record of one is told from all others. Itself
    also once it was removed: its record has the same readers for good, and what it says last is the end of its mandates.
    """
    auditors = office.trust.of_role(Role.AUDITOR)
    if office.role is Role.AUDITOR:
        return tuple(dict.fromkeys((*auditors, office.participant)))
    if not auditors:
        return auditors
    found, today = decisions_of(office), office.today
    return tuple(each for each in auditors if _holds(found.get(office.trust.participants[each].admitted), today))


def decisions_of(office: Office) -> Mapping[Digest, Decided]:
    """Return what was decided last of each auditor, by the body of its admission."""
    found: dict[Digest, Decided] = {}
    # By channel too: what others wrote under such a name in channels of theirs decides nothing here.
    for event in office.store.of_topics(office.own_stream, _TOPICS, channel=record_of(office.participant)):
        _fold(office, event, found)
    return MappingProxyType(found)


def _holds(decided: Decided | None, today: date) -> bool:
    if decided is None or decided.decision is not Decision.APPROVED:
        return False
    return decided.until is None or today <= decided.until


def _fold(office: Office, event: SealedEvent, found: dict[Digest, Decided]) -> None:
    try:
        facts = open_facts(office, event.channel, event.event_id, event.sealed.facts_key, event.facts or b"")
        content = office.book.facts(facts.type, facts.schema, facts.content) if facts is not None else None
    except (RingError, VerificationError):
        facts = content = None
    if facts is None or content is None:
        # It may have ended any of them: who was let in before is asked about again.
        for auditor in [each for each, decided in found.items() if decided.decision is Decision.APPROVED]:
            del found[auditor]
        return
    on = _EPOCH + timedelta(days=facts.recorded_on)
    match content:
        case AccessGranted(scope=AccessScope.FACTS):
            found[content.auditor] = Decided(decision=Decision.APPROVED, on=on, until=content.until)
        case AccessEnded(scope=scope) if scope is not AccessScope.PART:
            found[content.auditor] = Decided(decision=Decision.REFUSED, on=on)
