"""Events: everything that stands in a verified log, decoded, in one deterministic order, a piece at a time.

What is taken is what a verification took (``verify.examine_log``); this adds no rule. It reads the log once more to give it, and
before that the channels of pairs, for what is refused there and what the two sides answer. The others are read twice only where
an event names another one that is in neither and was not given yet (``ordering``). Kept in memory are bodies, one event a channel
and one page of records a channel, never a whole log.
Source: design.md sections 3, 4 and 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Final, TypeAlias
from uuid import UUID

from services.audit.collecting import collected_seldom
from services.audit.event import Event, Standing
from services.audit.keys import NO_KEYS, Keys
from services.audit.missing import hanging
from services.audit.opened_ahead import OpenedAhead
from services.audit.opening import Opener, Opening
from services.audit.ordering import in_one_order
from services.audit.packed import DigestSet
from services.audit.places import Found, Places, candidates_of, found_of
from services.audit.verify import Examined
from services.channel.port import Channel
from services.wire.audience import AUDIENCE, may_write
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
from services.wire.contents import Facts, decode_open, is_of_type
from services.wire.entry import Open
from services.wire.errors import MalformedError
from services.wire.events import Rejected
from services.wire.hashing import Digest, Id
from services.wire.records import SchemaBook

__all__ = ["events_of"]

_Said: TypeAlias = tuple[Opening, Facts | None, Any]
"""How an entry opens, its frame where it was sealed, and what it says."""

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_HELD_AT_ONCE: Final = 4_000
_LEAST_AT_ONCE: Final = 4
_MOST_AT_ONCE: Final = 200


def events_of(
    log: Channel, examined: Examined, keys: Keys = NO_KEYS, *, with_personal: bool = False, ahead: OpenedAhead | None = None
) -> Iterator[Event]:
    """Yield the events of a log that was just examined: what is taken, in the one order; then what waits or is voided.

    What is personal is opened only ``with_personal``, and where the keys of its case are held. ``ahead`` lets another process
    open what comes next, where the log is an archive and nothing personal is asked for.
    Raises: ChannelUnavailableError if what was taken is not there any more; TransportError if the log cannot be read.
    """
    opener = Opener(keys, SchemaBook(examined.trust.schemas), with_personal)
    with collected_seldom():
        yield from _Log(log, examined, opener, None if with_personal else ahead).events()


@dataclass(slots=True)
class _Log:
    log: Channel
    examined: Examined
    opener: Opener
    ahead: OpenedAhead | None = None
    opened_ahead: frozenset[str] = frozenset()
    refused: dict[tuple[str, Digest], str] = field(default_factory=dict)

    def events(self) -> Iterator[Event]:
        channels, known = sorted(self.examined.watches), DigestSet()
        if self.ahead is not None:
            self.opened_ahead = self.ahead.channels(self.examined.watches.values())
        for channel in channels:
            if _paired(channel) is not None:
                self._look_ahead(channel, known)
        yield from in_one_order(map(self._taken, channels), known, self._bodies)
        for channel in channels:
            yield from self._beside(channel)

    def _places(self, channel: str, opener: Opener | None) -> Places:
        watches = self.examined.watches
        at_once = max(_LEAST_AT_ONCE, min(_MOST_AT_ONCE, _HELD_AT_ONCE // len(watches)))
        ahead = self.ahead if opener is not None and channel in self.opened_ahead else None
        return Places(self.log, watches[channel], opener, at_once, ahead)

    def _look_ahead(self, channel: str, known: DigestSet) -> None:
        """Find what is refused in a channel, and put the bodies of its events to those that are known."""
        refused_in = _paired(channel)
        for found in self._places(channel, self.opener).entries():
            if isinstance(found.said, Open):
                continue
            known.add(found.body)
            # What is of another type is not decoded only for this.
            if isinstance(found.said, bytes) and is_of_type(found.said, Rejected.__name__):
                _, frame, said = self.opener.facts(found.said)
                # A reader refuses what was written to it, so only in the other channel of a pair anything is refused by this one.
                if isinstance(said, Rejected) and refused_in and frame is not None and frame.in_reply_to is not None:
                    self.refused.setdefault((refused_in, frame.in_reply_to), said.code.value)

    def _bodies(self) -> Iterator[Digest]:
        """Yield the bodies of the events that were not looked ahead for."""
        for channel in self.examined.watches:
            if _paired(channel) is None:
                entries = self._places(channel, None).entries()
                yield from (each.body for each in entries if not isinstance(each.said, Open))

    def _taken(self, channel: str) -> Iterator[Event]:
        repeated = self.examined.watches[channel].repeated
        for page in self._places(channel, self.opener).pages():
            # Each step is taken for all of a page: what it needs stays at hand in the processor.
            said = [self._said(found) for found in page]
            events = [self._event(channel, found, each, Standing.TAKEN) for found, each in zip(page, said, strict=True)]
            yield from [self._judged(each, is_repeated=each.sequence in repeated) for each in events]

    def _judged(self, event: Event, *, is_repeated: bool) -> Event:
        if is_repeated:
            return event._replace(standing=Standing.REPEATED)
        # Who may write an event that only a newer release knows, only that release can say.
        kind = event.type if event.opening is not Opening.OPEN else None
        if kind is not None and kind in AUDIENCE and not may_write(kind, event.channel):
            return event._replace(standing=Standing.MISPLACED)
        code = self.refused.get((event.channel, event.body)) if self.refused else None
        return event if code is None else event._replace(standing=Standing.REFUSED, refused_as=code)

    def _beside(self, channel: str) -> Iterator[Event]:
        follower = self.examined.followers[channel]
        waits = hanging(follower).keys()
        beside = {each.digest for each in follower.genuine} | waits
        beside -= self.examined.watches[channel].places_of(beside).keys()
        events: dict[Digest, Event] = {}
        for _, candidate in candidates_of(self.log, channel) if beside else ():
            if candidate.digest not in beside:
                continue
            standing = Standing.WAITS if candidate.digest in waits else Standing.VOIDED
            if candidate.digest not in events or candidate.personal is not None:
                found = found_of(candidate, self.opener)
                events[candidate.digest] = self._event(channel, found, self._said(found), standing)
        yield from sorted(events.values(), key=lambda each: (each.epoch, each.sequence, each.digest))

    def _said(self, found: Found) -> _Said:
        return _of_open(found.said) if isinstance(found.said, Open) else self.opener.facts(found.said)

    def _event(self, channel: str, found: Found, said: _Said, standing: Standing) -> Event:
        digest, epoch, sequence, written_at, body, sealed_facts, body_said, candidate = found
        opening, frame, facts = said
        place = channel, epoch, sequence, digest, body, written_at, standing, opening
        if isinstance(body_said, Open):
            return Event(*place, type=body_said.type, facts=facts)
        if frame is None:
            return Event(*place, personal_opening=opening)
        kind, schema, case_id, after, in_reply_to, recorded_on, _, _ = frame
        personal_opening, personal = self.opener.personal(candidate, frame)
        day, numbers = date.fromordinal(_EPOCH_DAY + recorded_on), _case_numbers(channel, case_id)
        fields = (*place, None, kind, schema, *numbers, after, in_reply_to, day, facts, personal, personal_opening, sealed_facts)
        # As ``Event(…)``, without the call that a named tuple's own way takes more.
        return tuple.__new__(Event, fields)


def _paired(channel: str) -> str | None:
    return None if channel == TRUST_CHANNEL else paired_channel(channel)


def _of_open(body: Open) -> _Said:
    try:
        return Opening.OPEN, None, decode_open(body)
    except MalformedError:
        # Taken without effect, as the reading rule has it.
        return Opening.UNREADABLE, None, None


# A case has many events, mostly near each other.
@lru_cache(maxsize=4096)
def _case_numbers(channel: str, case_id: Id | None) -> tuple[UUID | None, UUID | None]:
    """Return a writer's number of a case, and the commission's, which follows from a school's; None where there is no case."""
    if case_id is None:
        return None, None
    number = UUID(bytes=case_id)
    if channel_kind(channel) is ChannelKind.FROM_COMMISSION or writer_of(channel) == COMMISSION:
        return number, number
    return number, commission_case(number, to_commission(writer_of(channel)))
