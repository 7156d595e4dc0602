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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from services.audit.event import Event
from services.wire.hashing import Digest

__all__ = ["in_one_order"]


def in_one_order(channels: Iterable[Iterator[Event]], to_come: set[Digest]) -> Iterator[Event]:
    """Yield the events of channels, each given in its own order, in the one order; one event a channel is held.

    ``to_come`` are the bodies of all events that will be given; it is used up.
    """
    merge = _Merge(to_come)
    for channel in channels:
        merge.next_of(channel)
    while (event := merge.pop()) is not None:
        yield event


@dataclass(slots=True)
class _Head:
    """The next event of a channel, and what gives those after it."""

    event: Event
    rest: Iterator[Event]

    def __lt__(self, other: _Head) -> bool:
        return self._key < other._key

    @property
    def _key(self) -> tuple[int, str, int]:
        return self.event.written_at, self.event.channel, self.event.sequence


@dataclass(slots=True)
class _Merge:
    to_come: set[Digest]
    ready: list[_Head] = field(default_factory=list)
    waiting: dict[Digest, list[_Head]] = field(default_factory=dict)

    def next_of(self, rest: Iterator[Event]) -> None:
        event = next(rest, None)
        if event is not None:
            self._place(_Head(event, rest))

    def pop(self) -> Event | None:
        if not self.ready:
            self._release()
        if not self.ready:
            return None
        head = heapq.heappop(self.ready)
        self.to_come.discard(head.event.body)
        for each in self.waiting.pop(head.event.body, ()):
            self._place(each)
        self.next_of(head.rest)
        return head.event

    def _place(self, head: _Head) -> None:
        links = (head.event.after, head.event.in_reply_to)
        before = next((each for each in links if each in self.to_come and each != head.event.body), None)
        if before is None:
            heapq.heappush(self.ready, head)
        else:
            self.waiting.setdefault(before, []).append(head)

    def _release(self) -> None:
        """Let the earliest of those that wait for each other go on."""
        heads = [(head, body) for body, waiting in self.waiting.items() for head in waiting]
        if heads:
            head, body = min(heads, key=lambda each: each[0]._key)  # noqa: SLF001  # of this module
            self.waiting[body].remove(head)
            heapq.heappush(self.ready, head)
