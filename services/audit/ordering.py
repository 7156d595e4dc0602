"""Ordering: one order of the events of all channels, the same on every machine and in every run.

A channel's own order is kept as it is: it is what was signed. Between channels an event comes after those that its writer names
as before it in the case (``after``) and that it answers (``in_reply_to``), as far as they are there: so a cause stands before its
effect whatever the clocks of two organisations say. Where nothing says which of two came first, the earlier ``written_at`` is
first (a thousand times a second finer than ``recorded_on``, and readable without a key), then the channel's name.

Honest writers name what they knew, so some channel can always go on. Liars can name each other's later events: then the earliest
of what waits comes next, so that nobody can keep an auditor from the rest.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from services.audit.event import Event
from services.audit.packed import DigestSet
from services.wire.hashing import Digest

__all__ = ["in_one_order"]

_Bodies: TypeAlias = Callable[[], Iterable[Digest]]
_Head: TypeAlias = tuple[int, str, int, Event, Iterator[Event]]
"""The next event of a channel, behind what it is sorted by, and what gives those after it. No two are of one channel."""


def in_one_order(channels: Iterable[Iterator[Event]], known: DigestSet, others: _Bodies) -> Iterator[Event]:
    """Yield the events of channels, each given in its own order, in the one order; one event a channel is held.

    ``known`` are the bodies of events that will be given, and ``others`` gives those of all others: it is asked once, and only
    where an event names another one that is not known and was not given yet, as nobody can tell otherwise whether it is to come.
    """
    merge = _Merge(known, others)
    for channel in channels:
        merge.next_of(channel)
    while (event := merge.pop()) is not None:
        yield event


@dataclass(slots=True)
class _Merge:
    known: DigestSet
    others: _Bodies | None
    given: DigestSet = field(default_factory=DigestSet)
    ready: list[_Head] = field(default_factory=list)
    waiting: dict[Digest, list[_Head]] = field(default_factory=dict)

    def next_of(self, rest: Iterator[Event]) -> None:
        event = next(rest, None)
        if event is not None:
            self._place((event.written_at, event.channel, event.sequence, event, rest))

    def pop(self) -> Event | None:
        if not self.ready:
            self._release()
        if not self.ready:
            return None
        _, _, _, event, rest = heapq.heappop(self.ready)
        self.given.add(event.body)
        for each in self.waiting.pop(event.body, ()) if self.waiting else ():
            self._place(each)
        self.next_of(rest)
        return event

    def _place(self, head: _Head) -> None:
        event = head[3]
        for each in (event.after, event.in_reply_to):
            if each is not None and each != event.body and self._is_to_come(each):
                self.waiting.setdefault(each, []).append(head)
                return
        heapq.heappush(self.ready, head)

    def _is_to_come(self, body: Digest) -> bool:
        if body in self.given:
            return False
        if body not in self.known and self.others is not None:
            for each in self.others():
                self.known.add(each)
            self.others = None
        return body in self.known

    def _release(self) -> None:
        """Let the earliest of those that wait for each other go on."""
        heads = [(head, body) for body, waiting in self.waiting.items() for head in waiting]
        if heads:
            head, body = min(heads, key=lambda each: each[0][:3])
            self.waiting[body].remove(head)
            if not self.waiting[body]:
                # One school alone can let each of its events wait for another: what nobody waits for is not looked at again.
                del self.waiting[body]
            heapq.heappush(self.ready, head)
