"""Overruled: what a participant rests on may rightly be gone, where the registrar opened an epoch that it could not know of.

Its own receipts say how far it had read the registrar. They also say where its record stood: what rests on an event was written
after that event, and a receipt after both. So if the head that such a receipt names still stands, everything that stood before
it stands as well, and no later epoch excuses what is not there: else whoever says that it lost a key could call any earlier lie
overruled. What stands behind such a head was not written yet, and nothing of its case rested on it.
Decides nothing about what is found: see ``receipts``, ``bases`` and ``forgotten``.
Source: design.md sections 4 ("Receipt") and 6 ("Epochs").
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from services.audit.watching import Watch
from services.wire.channels import TRUST_CHANNEL, record_of, writer_of
from services.wire.contents import EpochOpened, Receipt
from services.wire.entry import Statement
from services.wire.hashing import Digest, Id
from services.wire.trust import Trust

__all__ = ["Overruled", "epochs_said", "knew", "last_epoch"]


def knew(receipt: Receipt) -> int:
    """Return how far the writer of a receipt had read the registrar."""
    return next((line.sequence for line in receipt.held if line.channel == TRUST_CHANNEL), 0)


def epochs_said(watches: Mapping[str, Watch], trust: Trust) -> dict[str, list[int]]:
    """Return where in ``registrar.trust`` each epoch of each channel was opened, in their order.

    The registrar can say once more what it said before. That opens nothing, and must not make anything overruled since.
    """
    found: dict[str, list[int]] = {}
    ids = set[Id]()
    for each in watches[TRUST_CHANNEL].said:
        is_first, content = each.event_id not in ids, each.content
        ids.add(each.event_id)
        if is_first and isinstance(content, EpochOpened):
            said, epochs = found.setdefault(content.channel, []), trust.epochs.get(content.channel, ())
            if len(said) < len(epochs) and epochs[len(said)] == content:
                said.append(each.sequence)
    return found


def last_epoch(said: Mapping[str, Sequence[int]], channel: str) -> int:
    """Return the place in ``registrar.trust`` of the last epoch of a channel, 0 if it has none."""
    return max(said.get(channel, ()), default=0)


@dataclass(slots=True)
class Overruled:
    """Whether an epoch of its writer's record may have overruled what an event rests on."""

    watches: Mapping[str, Watch]
    said: Mapping[str, Sequence[int]]
    _known: dict[str, tuple[list[int], list[int]]] = field(default_factory=dict)
    _named: dict[str, set[Digest]] = field(default_factory=dict)
    _heads: dict[str, Mapping[Digest, int]] = field(default_factory=dict)
    _pins: dict[tuple[str, int], tuple[list[int], list[int]]] = field(default_factory=dict)

    def may_be(self, statement: Statement) -> bool:
        """Tell whether an epoch of which its writer did not know may have taken away what an event of it rests on."""
        epochs, known = self.said.get(record_of(writer_of(statement.channel)), ()), self._knew_at(statement)
        return any(each > known for each in epochs) and not self._pinned_after(statement)

    def written_to(self, statement: Statement) -> int | None:
        """Return up to which place its writer's record had been written when it wrote an entry, or later; None if nothing tells.

        An event of the same case that stands behind it came after that entry: a writer signs what is of one case in its order.
        """
        return next(iter(self._pinned_after(statement)), None)

    def _pinned_after(self, statement: Statement) -> Sequence[int]:
        """Return the places of the heads that still stand, and that receipts name which are after an entry.

        Only those from before its writer knew of any later epoch: what that overruled is written anew, further on.
        """
        channel = statement.channel
        record, known = record_of(writer_of(channel)), self._knew_at(statement)
        key = channel, min((each for each in self.said.get(record, ()) if each > known), default=sys.maxsize)
        if key not in self._pins:
            heads, receipts = self._heads_of(record), self.watches[channel].receipts
            named = [(at, heads.get(each.record) if each.record else None, knew(each)) for at, each in receipts]
            pins = [(at, place) for at, place, read in named if place is not None and read < key[1]]
            self._pins[key] = [at for at, _ in pins], [place for _, place in pins]
        after = bisect_left(self._pins[key][0], statement.sequence)
        # One is enough, and an honest writer's only grow.
        return self._pins[key][1][after : after + 1]

    def _knew_at(self, statement: Statement) -> int:
        """Return how far its writer had read the registrar, by its own receipts, when it wrote an entry."""
        channel = statement.channel
        if channel not in self._known:
            receipts = self.watches[channel].receipts
            self._known[channel] = [at for at, _ in receipts], list(accumulate((knew(each) for _, each in receipts), max))
        places, known = self._known[channel]
        before = bisect_left(places, statement.sequence)
        return known[before - 1] if before else 0

    def _heads_of(self, record: str) -> Mapping[Digest, int]:
        """Return where the heads of a record that receipts of its writer name stand in it, as far as they do."""
        if not self._named:
            # Once for all: a log may have the channels of a thousand schools.
            for channel, watch in self.watches.items():
                heads = {each.record for _, each in watch.receipts if each.record is not None}
                self._named.setdefault(record_of(writer_of(channel)), set()).update(heads)
        if record not in self._heads:
            named = self._named.get(record, ())
            self._heads[record] = self.watches[record].places_of(named) if record in self.watches else {}
        return self._heads[record]
