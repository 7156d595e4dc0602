"""Events: everything that stands in a verified log, decoded, in one deterministic order, a piece at a time.

What is taken is what a verification took (``verify.examine_log``); this adds no rule. It reads the log twice more: once to find
where each entry stands and what was refused, once to give it. Kept in memory are digests and positions, one event a channel and
one page of records a channel, never a whole log.
Source: design.md sections 3, 4 and 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from services.audit.event import Event, Standing
from services.audit.keys import NO_KEYS, Keys
from services.audit.missing import hanging
from services.audit.opening import Opener, Opening
from services.audit.ordering import in_one_order
from services.audit.places import Places, candidates_of, located
from services.audit.verify import Examined
from services.channel.port import Channel
from services.wire.audience import AUDIENCE, may_write
from services.wire.candidates import Candidate
from services.wire.channels import (
    COMMISSION,
    TRUST_CHANNEL,
    ChannelKind,
    channel_kind,
    commission_case,
    paired_channel,
    to_commission,
    writer_of,
)
from services.wire.contents import decode_open
from services.wire.entry import Open, body_digest
from services.wire.errors import MalformedError
from services.wire.events import Rejected
from services.wire.hashing import Digest, Id
from services.wire.records import SchemaBook

__all__ = ["events_of"]

_EPOCH_DAY: Final = date(1970, 1, 1)
_HELD_AT_ONCE: Final = 4_000
_LEAST_AT_ONCE: Final = 4


def events_of(log: Channel, examined: Examined, keys: Keys = NO_KEYS, *, with_personal: bool = False) -> Iterator[Event]:
    """Yield the events of a log that was just examined: what is taken, in the one order; then what waits or is voided.

    What is personal is opened only ``with_personal``, and where the keys of its case are held.
    Raises: ChannelUnavailableError if what was taken is not there any more; TransportError if the log cannot be read.
    """
    return _Log(log, examined, Opener(keys, SchemaBook(examined.trust.schemas), with_personal)).events()


@dataclass(slots=True)
class _Log:
    log: Channel
    examined: Examined
    opener: Opener
    refused: dict[tuple[str, Digest], str] = field(default_factory=dict)
    to_come: set[Digest] = field(default_factory=set)

    def events(self) -> Iterator[Event]:
        watches = self.examined.watches
        at_once = max(_LEAST_AT_ONCE, _HELD_AT_ONCE // max(1, len(watches)))
        places = [located(self.log, watch, self._look_ahead, at_once=at_once) for _, watch in sorted(watches.items())]
        yield from in_one_order((self._taken(each) for each in places), self.to_come)
        for channel in sorted(watches):
            yield from self._beside(channel)

    def _look_ahead(self, found: Candidate) -> None:
        if found.is_sealed:
            self.to_come.add(body_digest(found.unverified_statement.body))
            self._note_refusal(found)

    def _note_refusal(self, found: Candidate) -> None:
        # A reader refuses what was written to it, so only in the other channel of a pair anything is refused by this one.
        channel = found.unverified_statement.channel
        paired = None if channel == TRUST_CHANNEL else paired_channel(channel)
        if paired is None:
            return
        _, frame = self.opener.frame(found.unverified_statement, found.facts)
        if frame is None or frame.type != Rejected.__name__ or frame.in_reply_to is None:
            return
        _, _, said = self.opener.facts(found.unverified_statement, found.facts)
        if isinstance(said, Rejected):
            self.refused.setdefault((paired, frame.in_reply_to), said.code.value)

    def _taken(self, places: Places) -> Iterator[Event]:
        repeated = self.examined.watches[places.channel].repeated
        for found in places.entries():
            yield self._judged(self._event(found, Standing.TAKEN), is_repeated=found.sequence in repeated)

    def _judged(self, event: Event, *, is_repeated: bool) -> Event:
        code = self.refused.get((event.channel, event.body))
        if is_repeated:
            return replace(event, standing=Standing.REPEATED)
        # Who may write an event that only a newer release knows, only that release can say.
        kind = event.type if event.opening is not Opening.OPEN else None
        if kind is not None and kind in AUDIENCE and not may_write(kind, event.channel):
            return replace(event, standing=Standing.MISPLACED)
        return event if code is None else replace(event, standing=Standing.REFUSED, refused_as=code)

    def _beside(self, channel: str) -> Iterator[Event]:
        follower = self.examined.followers[channel]
        waits = hanging(follower).keys()
        beside = {each.digest for each in follower.genuine} | waits
        beside -= self.examined.watches[channel].places_of(beside).keys()
        events: dict[Digest, Event] = {}
        for _, found in candidates_of(self.log, channel) if beside else ():
            if found.digest not in beside:
                continue
            standing = Standing.WAITS if found.digest in waits else Standing.VOIDED
            if found.digest not in events or found.personal is not None:
                events[found.digest] = self._event(found, standing)
        yield from sorted(events.values(), key=lambda each: (each.epoch, each.sequence, each.digest))

    def _event(self, found: Candidate, standing: Standing) -> Event:
        statement = found.unverified_statement
        said = _of_open(statement.body) if isinstance(statement.body, Open) else self._of_sealed(found)
        return Event(
            channel=statement.channel,
            epoch=statement.epoch,
            sequence=statement.sequence,
            digest=found.digest,
            body=body_digest(statement.body),
            written_at=statement.written_at,
            standing=standing,
            **said,
        )

    def _of_sealed(self, found: Candidate) -> dict[str, Any]:
        """Return what an event says, as far as it opens."""
        statement = found.unverified_statement
        opening, frame, facts = self.opener.facts(statement, found.facts)
        if frame is None:
            return {"opening": opening, "personal_opening": opening}
        personal_opening, personal = self.opener.personal(statement, frame, found.personal)
        return {
            "opening": opening,
            "type": frame.type,
            "schema": frame.schema,
            "case_id": UUID(bytes=frame.case_id) if frame.case_id is not None else None,
            "common_case": _common_case(statement.channel, frame.case_id),
            "after": frame.after,
            "in_reply_to": frame.in_reply_to,
            "recorded_on": _EPOCH_DAY + timedelta(days=frame.recorded_on),
            "facts": facts,
            "personal": personal,
            "personal_opening": personal_opening,
        }


def _of_open(body: Open) -> dict[str, Any]:
    try:
        return {"opening": Opening.OPEN, "type": body.type, "facts": decode_open(body)}
    except MalformedError:
        # Taken without effect, as the reading rule has it.
        return {"opening": Opening.UNREADABLE, "type": body.type}


# A case has many events, mostly near each other.
@lru_cache(maxsize=4096)
def _common_case(channel: str, case_id: Id | None) -> UUID | None:
    """Return the commission's number of a case, which follows from a school's; None where there is no case."""
    if case_id is None:
        return None
    number = UUID(bytes=case_id)
    if channel_kind(channel) is ChannelKind.FROM_COMMISSION or writer_of(channel) == COMMISSION:
        return number
    return commission_case(number, to_commission(writer_of(channel)))
