"""Honest logs of many entries, as exchanges leave them: receipts, rotations, epochs, repeats, junk, entries sent once more."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.audit.verify import Report, channels_in, verify_log
from services.channel.embedded import EmbeddedChannel
from services.wire.channels import COMMISSION, TRUST_CHANNEL, record_of
from services.wire.contents import KeyRevoked, Reason, SchemaPublished
from services.wire.records import own_schemas
from tests.chains import ROOT, Pen, seal_of
from tests.worlds import COMMISSIONS, FROM, OLD, RECORD, TO, World

__all__ = ["COMMISSION_RECORD", "PAIR", "WRITTEN", "Log", "honest_log", "tail_receipts"]

COMMISSION_RECORD: Final = record_of(COMMISSION)
PAIR: Final = (TO, FROM)
WRITTEN: Final = (TO, FROM, RECORD, COMMISSION_RECORD)
"""The channels that participants write, one exchange of one school."""

_AT_ONCE: Final = 20


@dataclass
class Log:
    """Records by channel, and the pens that go on behind them; ``rotated`` is up to where a channel's first certificate wrote."""

    records: dict[str, list[bytes]]
    pens: dict[str, Pen]
    rotated: dict[str, int] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)

    def copy(self) -> Log:
        """Return one to be harmed; the records themselves never change."""
        pens = {name: pen.fork(pen.salt) for name, pen in self.pens.items()}
        return Log({name: list(each) for name, each in self.records.items()}, pens, dict(self.rotated), dict(self.epochs))

    @property
    def entries(self) -> int:
        return sum(len(each) for each in self.records.values())

    def verified(self, folder: Path, *, threads: int = 1) -> Report:
        """Verify it as a file, with nothing but the root."""
        path = folder / "log.sqlite"
        for each in folder.glob("log.sqlite*"):
            each.unlink()
        log = EmbeddedChannel(path, clock=lambda: 0)
        try:
            for channel, records in self.records.items():
                log.append(channel, records)
            return verify_log(log, ROOT, threads=threads, there=channels_in(path))
        finally:
            log.close()


def honest_log(entries: int, dice: random.Random, *, with_life: bool) -> Log:
    """Return a log of about so many entries in which all is as it should be, to its last receipts.

    ``with_life``: also an epoch, repeats, junk of strangers and what restored senders sent once more.
    """
    world = World(Path("/nowhere"))
    log = Log(world.records, world.pens)
    trust = world.pens[TRUST_CHANNEL]
    log.records[TRUST_CHANNEL] += [trust.open(SchemaPublished(name="", file=file)) for file in own_schemas().values()]
    # Each certificate writes a stretch; the first of the school's is revoked once the second is in use everywhere.
    turns = max(1, entries // (len(WRITTEN) * _AT_ONCE + len(PAIR)))
    rotation = dice.randrange(turns // 3, max(turns // 3 + 1, 2 * turns // 3))
    epoch = dice.randrange(rotation + 1, turns) if with_life and rotation + 1 < turns else None
    for turn in range(turns):
        for channel in WRITTEN:
            world.write(channel, _AT_ONCE)
        _receipts(world)
        if turn == rotation:
            _rotate(world, log)
        if turn == epoch:
            _open_epoch(world, log, dice.choice(PAIR))
    tail_receipts(world)
    if with_life:
        _live(log, dice)
    return log


def tail_receipts(world: World) -> None:
    """Let each side say of all that there is that it holds it, so that nothing can vanish unseen but these words themselves."""
    for _ in range(2):
        _receipts(world)


def _receipts(world: World) -> None:
    world.receipt(TO, record=world.pens[RECORD].previous)
    world.receipt(FROM, record=world.pens[COMMISSION_RECORD].previous)


def _rotate(world: World, log: Log) -> None:
    new = seal_of("renewed", organisation=OLD.certificate.organisation)
    for channel in (TO, RECORD):
        pen = world.pens[channel]
        log.records[channel].append(pen.rotated(new))
        log.rotated[channel] = pen.sequence
    _receipts(world)
    _receipts(world)
    world.said(KeyRevoked(key=OLD.certificate.key_digest, reason=Reason.SUPERSEDED))


def _open_epoch(world: World, log: Log, channel: str) -> None:
    lost = seal_of(f"after a loss in {channel}", organisation=world.pens[channel].seal.certificate.organisation)
    epoch = world.epoch_after(channel, seal=lost)
    world.said(epoch)
    pen = Pen(channel, lost, epoch.epoch, epoch.after_sequence, epoch.after_digest)
    log.records[channel].append(pen.opened())
    world.pens[channel] = pen
    log.epochs[channel] = epoch.after_sequence
    assert lost is not COMMISSIONS


def _live(log: Log, dice: random.Random) -> None:
    for records in log.records.values():
        for _ in range(dice.randrange(1, 5)):
            # A sender that was restored sends what it has once more, from anywhere on.
            at = dice.randrange(len(records))
            again = records[at : at + dice.randrange(1, 30)]
            place = dice.randrange(at, len(records))
            records[place:place] = again
        for _ in range(dice.randrange(4)):
            records.insert(dice.randrange(len(records)), dice.choice([b"", b"junk", dice.randbytes(700), records[0][:-1]]))
