"""Overruled: what a participant rests on may rightly be gone, where the registrar opened an epoch that it could not know of.

Its own receipts say how far it had read the registrar. They also say where its record stood: what rests on an event was written
after that event, and a receipt after both. So if the head that such a receipt names still stands, everything that stood before
it stands as well, and no later epoch excuses what is not there: else whoever says that it lost a key could call any earlier lie
overruled. Decides nothing about what is found: see ``receipts``, ``bases`` and ``forgotten``.
Source: design.md sections 4 ("Receipt") and 6 ("Epochs").
"""

from __future__ import annotations

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
    _heads: dict[str, Mapping[Digest, int]] = field(default_factory=dict)
    _held: dict[tuple[str, int], int] = field(default_factory=dict)

    def may_be(self, statement: Statement) -> bool:
        """Tell whether an epoch of which its writer did not know may have taken away what an event of it rests on."""
        channel = statement.channel
        epochs, known = self.said.get(record_of(writer_of(channel)), ()), self._knew_at(statement)
        later = [each for each in epochs if each > known]
        return bool(later) and self._held_until(channel, later[0]) <= statement.sequence

    def _knew_at(self, statement: Statement) -> int:
        """Return how far its writer had read the registrar, by its own receipts, when it wrote an entry."""
        channel = statement.channel
        if channel not in self._known:
            receipts = self.watches[channel].receipts
            self._known[channel] = [at for at, _ in receipts], list(accumulate((knew(each) for _, each in receipts), max))
        places, known = self._known[channel]
        before = bisect_left(places, statement.sequence)
        return known[before - 1] if before else 0

    def _held_until(self, channel: str, epoch: int) -> int:
        """Return the last receipt of a channel from before it knew of an epoch that names a head which still stands; or 0."""
        key = channel, epoch
        if key not in self._held:
            heads = self._heads_of(record_of(writer_of(channel)))
            self._held[key] = max(
                (at for at, each in self.watches[channel].receipts if each.record in heads and knew(each) < epoch), default=0
            )
        return self._held[key]

    def _heads_of(self, record: str) -> Mapping[Digest, int]:
        if record not in self._heads:
            mine = (watch for channel, watch in self.watches.items() if record_of(writer_of(channel)) == record)
            named = {each.record for watch in mine for _, each in watch.receipts if each.record is not None}
            self._heads[record] = self.watches[record].places_of(named) if record in self.watches else {}
        return self._heads[record]
