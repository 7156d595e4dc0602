"""Reading a log as an auditor does, in tests: examined, decoded, and held to be the same however the log lies."""

from __future__ import annotations

import random
from collections.abc import Iterable

from services.audit.event import Event
from services.audit.events import events_of
from services.audit.keys import NO_KEYS, Keys
from services.audit.verify import Examined, examine_log
from services.channel.port import Channel
from tests.attacks.workshop import MemoryLog
from tests.chains import ROOT
from tests.exchange import Exchange

__all__ = ["audited", "examined_log", "keys_of", "mixed_up"]


def keys_of(exchange: Exchange, *readers: str, cases: bool = False) -> Keys:
    """Return the keys that some participants hold, with those of their cases if they are asked for."""
    rings = [exchange.members[reader].office.ring for reader in readers]
    return Keys.of(
        (key for ring in rings for key in ring.facts_keys()),
        (key for ring in rings for key in ring.case_keys()) if cases else (),
        (identity for ring in rings for identity in ring.erased()),
    )


def examined_log(log: Channel) -> Examined:
    """Verify a log of the tests' exchange."""
    return examine_log(log, ROOT, threads=1)


def audited(log: Channel, keys: Keys = NO_KEYS, *, with_personal: bool = False) -> list[Event]:
    """Return all events of a log."""
    return list(events_of(log, examined_log(log), keys, with_personal=with_personal))


def mixed_up(log: Channel, channels: Iterable[str], seed: int) -> MemoryLog:
    """Return a log with the same records in any order, some of them twice, and junk among them."""
    rng = random.Random(seed)  # noqa: S311  # the same log in every run
    other = MemoryLog()
    for channel in channels:
        records = [each.value for each in log.poll({channel: 0}, timeout_seconds=0, limit=100_000)]
        records += [*rng.choices(records, k=len(records) // 3), rng.randbytes(30)]
        rng.shuffle(records)
        other.append(channel, records)
    return other
