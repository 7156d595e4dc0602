"""Honest logs of many entries, as exchanges leave them: receipts, rotations, epochs, repeats, junk, entries sent once more.

An auditor is among them, who says now and then in its record under which root it holds all other channels.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.audit.heads import ChannelHead, checkpoint_of, ordered
from services.audit.remembering import Memory
from services.audit.tree import leaf_hash, root_of
from services.audit.verify import Report, channels_in, verify_log
from services.channel.embedded import EmbeddedChannel
from services.wire.channels import COMMISSION, TRUST_CHANNEL, Role, record_of
from services.wire.contents import KeyRevoked, ParticipantAdmitted, Reason, SchemaPublished
from services.wire.entry import decode_entry
from services.wire.hashing import Digest
from services.wire.records import own_schemas
from tests.chains import ROOT, Pen, seal_of
from tests.worlds import COMMISSIONS, FROM, OLD, RECORD, TO, World

__all__ = ["AUDITOR", "AUDITOR_RECORD", "COMMISSION_RECORD", "PAIR", "WRITTEN", "Log", "honest_log", "tail_receipts"]

AUDITOR: Final = "auditor-vk"
AUDITOR_RECORD: Final = record_of(AUDITOR)
"""Nobody receipts it: what an auditor says there is held against what it said before, by whoever kept that."""

COMMISSION_RECORD: Final = record_of(COMMISSION)
PAIR: Final = (TO, FROM)
WRITTEN: Final = (TO, FROM, RECORD, COMMISSION_RECORD)
"""The channels that participants write, one exchange of one school."""

_AT_ONCE: Final = 20
_CHECKPOINTS: Final = 8


@dataclass
class Log:
    """Records by channel, and the pens that go on behind them; ``rotated`` is up to where a channel's first certificate wrote.

    ``heads`` are those of the last checkpoint, ``earlier`` is what stood there about the middle of its life.
    """

    records: dict[str, list[bytes]]
    pens: dict[str, Pen]
    rotated: dict[str, int] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    heads: tuple[ChannelHead, ...] = ()
    earlier: dict[str, list[bytes]] = field(default_factory=dict)

    def copy(self) -> Log:
        """Return one to be harmed; the records themselves never change."""
        pens = {name: pen.fork(pen.salt) for name, pen in self.pens.items()}
        records = {name: list(each) for name, each in self.records.items()}
        return Log(records, pens, dict(self.rotated), dict(self.epochs), self.heads, self.earlier)

    @property
    def entries(self) -> int:
        return sum(len(each) for each in self.records.values())

    def verified(self, folder: Path, *, threads: int = 1, memory: Memory | None = None) -> Report:
        """Verify it as a file, with nothing but the root, or with what an earlier verification left."""
        path = folder / "log.sqlite"
        for each in folder.glob("log.sqlite*"):
            each.unlink()
        log = EmbeddedChannel(path, clock=lambda: 0)
        try:
            for channel, records in self.records.items():
                log.append(channel, records)
            return verify_log(log, ROOT, threads=threads, there=channels_in(path), memory=memory)
        finally:
            log.close()


def honest_log(entries: int, dice: random.Random, *, with_life: bool) -> Log:
    """Return a log of about so many entries in which all is as it should be, to its last receipts.

    ``with_life``: also an epoch, repeats, junk of strangers and what restored senders sent once more.
    """
    world = World(Path("/nowhere"))
    log = Log(world.records, world.pens)
    trust = world.pens[TRUST_CHANNEL]
    auditor = _Auditor(log, _admitted_auditor(world))
    log.records[TRUST_CHANNEL] += [trust.open(SchemaPublished(name="", file=file)) for file in own_schemas().values()]
    # Each certificate writes a stretch; the first of the school's is revoked once the second is in use everywhere.
    turns = max(1, entries // (len(WRITTEN) * _AT_ONCE + len(PAIR)))
    rotation = dice.randrange(turns // 3, max(turns // 3 + 1, 2 * turns // 3))
    epoch = dice.randrange(rotation + 1, turns) if with_life and rotation + 1 < turns else None
    for turn in range(turns):
        for channel in WRITTEN:
            world.write(channel, _AT_ONCE)
        _receipts(world)
        if turn == turns // 2:
            log.earlier = {name: list(each) for name, each in log.records.items()}
        if turn % max(1, turns // _CHECKPOINTS) == 0:
            auditor.vouch()
        if turn == rotation:
            _rotate(world, log)
        if turn == epoch:
            _open_epoch(world, log, dice.choice(PAIR))
    tail_receipts(world)
    auditor.vouch()
    if with_life:
        _live(log, dice)
    return log


@dataclass
class _Auditor:
    """Whoever says under which root it holds the log; ``leaves`` are of the entries that it has read so far."""

    log: Log
    pen: Pen
    leaves: dict[str, list[Digest]] = field(default_factory=dict)

    def vouch(self) -> None:
        heads = []
        for channel in sorted(self.log.records.keys() - {AUDITOR_RECORD}):
            leaves, records = self.leaves.setdefault(channel, []), self.log.records[channel]
            leaves += [leaf_hash(decode_entry(each).digest) for each in records[len(leaves) :]]
            epoch = self.log.pens[channel].epoch
            heads.append(ChannelHead(channel=channel, epoch=epoch, size=len(leaves), root=root_of(leaves)))
        self.log.heads = tuple(ordered(heads))
        self.log.records[AUDITOR_RECORD].append(self.pen.open(checkpoint_of(heads)))


def _admitted_auditor(world: World) -> Pen:
    seal = seal_of("auditor", organisation="NTRLV-90000000004")
    said = ParticipantAdmitted(id=AUDITOR, role=Role.AUDITOR, organisation=seal.certificate.organisation, name=AUDITOR)
    world.records[TRUST_CHANNEL].append(world.pens[TRUST_CHANNEL].open(said))
    pen = world.pens[AUDITOR_RECORD] = Pen(AUDITOR_RECORD, seal)
    world.records[AUDITOR_RECORD] = [pen.opened()]
    return pen


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
