"""An exchange whose log is delivered as badly as a port may: in any batches, repeated, mixed up, with junk, over restarts."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.channel.port import Channel, Record, Until
from services.wire.channels import COMMISSION, Role, writer_of
from tests.chains import SCHOOL, Pen, Seal, seal_of
from tests.exchange import COMMISSION_ORGANISATION, Exchange, Member
from tests.stories import damaged

__all__ = ["ShakenExchange", "ShakenLog", "shaken_sides"]

_ROUNDS = 2000
_QUIET = 2
_SEALS = {SCHOOL: seal_of("old"), COMMISSION: seal_of("commission", organisation=COMMISSION_ORGANISATION)}
_ROLES = {SCHOOL: Role.SCHOOL, COMMISSION: Role.COMMISSION}


@dataclass
class ShakenLog:
    """One reader's view of a log: all that stands there is shown in the end, and who knows what else.

    What was shown keeps its position, as the port demands; only what is new may be held back, repeated and mixed up.
    """

    log: Channel
    rng: random.Random
    reader: str
    shown: dict[str, list[bytes]] = field(default_factory=dict)
    _taken: dict[str, int] = field(default_factory=dict)
    _held_back: dict[str, list[bytes]] = field(default_factory=dict)

    def append(self, channel: str, records: Sequence[bytes]) -> None:
        self.log.append(channel, records)

    def poll(
        self,
        positions: Mapping[str, int],
        *,
        timeout_seconds: float,  # noqa: ARG002  # as the port
        limit: int,
        until: Until | None = None,  # noqa: ARG002  # as the port
    ) -> list[Record]:
        found: list[Record] = []
        for channel in self.rng.sample(sorted(positions), len(positions)):
            start, shown = positions[channel], self._more(channel)
            count = self.rng.choice([1, 4, 30])
            found += [
                Record(channel=channel, position=start + place, value=value)
                for place, value in enumerate(shown[start : start + count])
            ]
        return found[:limit]

    def end(self, channel: str) -> int:
        return len(self._more(channel))

    def close(self) -> None:
        self.log.close()

    def is_shown(self) -> bool:
        """Tell whether everything that stands in the channels that the reader follows has been shown."""
        # Its own ones it reads back now and then; nobody waits for that.
        followed = [each for each in self._taken if each.endswith(".mailbox") or writer_of(each) != self.reader]
        return all(self._taken[each] == self.log.end(each) and not self._held_back[each] for each in followed)

    def _more(self, channel: str) -> list[bytes]:
        rng, shown = self.rng, self.shown.setdefault(channel, [])
        position = self._taken.get(channel, 0)
        fresh = self.log.poll({channel: position}, timeout_seconds=0, limit=rng.choice([1, 3, 30]))
        self._taken[channel] = fresh[-1].position + 1 if fresh else position
        waiting = self._held_back.setdefault(channel, [])
        waiting += [each.value for each in fresh]
        rng.shuffle(waiting)
        # Something is shown whenever there is anything, so that a reader who goes on asking sees all of it.
        count = rng.randint(1, len(waiting)) if waiting else 0
        new, self._held_back[channel] = waiting[:count], waiting[count:]
        if new and shown and rng.random() < 0.5:
            new += rng.choices(shown, k=rng.randint(1, 4))
        if new and rng.random() < 0.4:
            new += [rng.choice([rng.randbytes(30), damaged(rng, new), self._forged(channel)])]
        rng.shuffle(new)
        shown += new
        return shown

    def _forged(self, channel: str) -> bytes:
        thief = Pen(channel, seal_of("thief", organisation="NTRLV-90000000066"), sequence=self.rng.randint(0, 6))
        return self.rng.choice([thief.opened, thief.sealed])() if not channel.endswith(".mailbox") else b"no letter"


@dataclass
class ShakenExchange(Exchange):
    """An exchange whose members read through shaken logs and end and begin again between any two of their steps."""

    rng: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311  # an order, no secret
    views: dict[str, ShakenLog] = field(default_factory=dict)
    restarts: float = 0.05

    def begin(self) -> None:
        """Admit a school and the commission."""
        for name, role in _ROLES.items():
            self.admit(name, role, _SEALS[name])
        self.settle()

    def enter(self, name: str, role: Role, seal: Seal) -> Member:
        member = super().enter(name, role, seal)
        # What a log has shown at a position stays there, whoever begins again.
        self.views.setdefault(name, ShakenLog(self.log, self.rng, name))
        member.office.channel = self.views[name]
        return member

    def settle(self, *, seconds: int = 2) -> None:
        quiet = 0
        for _ in range(_ROUNDS):
            if quiet == _QUIET:
                break
            done = 0
            for name in self.rng.sample(sorted(self.members), len(self.members)):
                if self.rng.random() < self.restarts:
                    self.members[name].office.database.close()
                    self.enter(name, _ROLES[name], _SEALS[name])
                done += self.members[name].work()
            quiet = quiet + 1 if not done and all(view.is_shown() for view in self.views.values()) else 0
        assert quiet == _QUIET, "it never comes to rest"
        self.clock.now += seconds * 1000


def shaken_sides(folder: Path, rng: random.Random) -> ShakenExchange:
    """Return an exchange of one school and the commission, each behind a shaken log."""
    exchange = ShakenExchange(folder, rng=rng)
    exchange.begin()
    return exchange
