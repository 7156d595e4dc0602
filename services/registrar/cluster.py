"""Provisioning a cluster, and checking one: what it should have compared with what it has, and the changes made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from services.registrar.differences import Change, Difference, Mending, differences
from services.registrar.provisioning import COPIES, Found, copies_for, wanted_for
from services.wire.trust import Participant

__all__ = ["Cluster", "Provisioning", "Report"]

_LOOKS: Final = 20
_PAUSE_SECONDS: Final = 0.25


class Cluster(Protocol):
    """The port to a cluster; every call may raise a ``TransportError``."""

    def read(self) -> Found:
        """Return what the cluster has."""
        ...

    def apply(self, changes: Sequence[Change]) -> None:
        """Make changes; one that was made already is no error."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What differs on a cluster of so many brokers, where a channel should have so many copies."""

    brokers: int
    copies: int
    differences: list[Difference]

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing differs but what is not of this exchange."""
        return all(each.mending is Mending.NOBODY for each in self.differences)

    @property
    def changes(self) -> list[Change]:
        """What provisioning would do, each once."""
        found: list[Change] = []
        for each in self.differences:
            # Those of one topic's settings stand together, and all name the whole set.
            if each.change is not None and each.change not in found[-1:]:
                found.append(each.change)
        return found

    @property
    def warning(self) -> str | None:
        """What somebody has to know who trusts this cluster, None if it keeps copies enough."""
        if self.copies >= COPIES:
            return None
        brokers = "1 broker answers" if self.brokers == 1 else f"{self.brokers} brokers answer"
        return f"{brokers}: each channel has one copy, and the loss of one broker loses it. {COPIES} brokers keep {COPIES} copies"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioning:
    """A cluster and everybody who was ever admitted; ``pause`` waits so many seconds."""

    cluster: Cluster
    participants: Sequence[Participant]
    pause: Callable[[float], None]

    def check(self) -> Report:
        """Compare, and change nothing."""
        found = self.cluster.read()
        wanted = wanted_for(self.participants, copies_for(found.brokers, found.topics.values()))
        copies = max(topic.copies for topic in wanted.topics.values())
        return Report(brokers=found.brokers, copies=copies, differences=differences(found, wanted))

    def provision(self) -> tuple[Report, Report]:
        """Mend what can be mended; return what differed before, and what differs afterwards."""
        before = after = self.check()
        if before.changes:
            self.cluster.apply(before.changes)
            after = self.check()
        for _ in range(_LOOKS):
            # A broker shows a change a moment after it was made.
            if not after.changes:
                break
            self.pause(_PAUSE_SECONDS)
            after = self.check()
        return before, after
