"""Logs that went through anything, from a seed: written by honest hands, thieves and liars, and then harmed as a file."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from services.wire.channels import COMMISSION, TRUST_CHANNEL, Role, record_of
from services.wire.contents import ChannelOpened, EpochOpened, Held, KeyRevoked, ParticipantAdmitted, Reason, Receipt
from services.wire.entry import decode_entry, encode_entry
from services.wire.errors import MalformedError
from services.wire.hashing import Digest, digest_of
from tests.chains import ROOT, SCHOOL, Pen, Seal, registrar_seal, seal_of
from tests.worlds import COMMISSIONS, FROM, OLD, RECORD, TO, World, line

__all__ = ["harmed_world"]

_OTHER = "school-0099900022"
_PAIR = (TO, FROM)


def harmed_world(folder: Path, seed: int) -> World:
    """Return a log that lived through some twenty things of every kind, chosen by the seed."""
    dice = random.Random(seed)  # noqa: S311  # an order of things, no secret
    author = _Author(World(folder), dice)
    for _ in range(dice.randrange(4, 24)):
        dice.choice(author.deeds)()
    for _ in range(dice.randrange(4)):
        dice.choice(author.harms)()
    return author.world


class _Author:
    """Writes into a world, and harms it; every choice is by the dice."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world, self.dice, self.count = world, dice, 0
        self.thieves: list[Pen] = []
        self.retired: list[Seal] = []
        often = [self.writes] * 6 + [self.receipts] * 5
        self.deeds: list[Callable[[], None]] = [
            *often, self.rotates, self.steals, self.steals, self.robs, self.robs, self.revokes, self.revokes_retired,
            self.opens_epoch, self.begins_epoch, self.lies, self.impostor, self.admits, self.repeats_id,
        ]  # fmt: skip
        self.harms: list[Callable[[], None]] = [
            self.flips, self.deletes, self.repeats, self.swaps, self.junk, self.copies, self.strips, self.cuts,
        ]  # fmt: skip

    def channel(self) -> str:
        return self.dice.choice(sorted(self.world.pens))

    def put(self, channel: str, record: bytes) -> None:
        self.world.records[channel].append(record)

    def fresh_seal(self, channel: str) -> Seal:
        self.count += 1
        if channel == TRUST_CHANNEL:
            return registrar_seal(f"registrar {self.count % 3}")
        old = self.world.pens[channel].seal.certificate.organisation
        return seal_of(f"{old} {self.count % 4}", organisation=old)

    def writes(self) -> None:
        channel = self.channel()
        if channel == TRUST_CHANNEL:
            self.put(channel, self.world.pens[channel].confirmed())
        else:
            self.world.write(channel, self.dice.randrange(1, 4))

    def receipts(self) -> None:
        channel = self.dice.choice(_PAIR)
        record = RECORD if channel == TO else record_of(COMMISSION)
        self.world.receipt(channel, record=self.dice.choice([None, self.world.pens[record].previous]))

    def rotates(self) -> None:
        channel = self.channel()
        pen = self.world.pens[channel]
        self.retired.append(pen.seal)
        self.put(channel, pen.rotated(self.fresh_seal(channel)))

    def steals(self) -> None:
        """Somebody copies a key, and goes on from where the channel is now."""
        pen = self.world.pens[self.channel()]
        self.thieves.append(pen.fork(f"thief {self.dice.random()}"))

    def robs(self) -> None:
        if self.thieves:
            thief = self.dice.choice(self.thieves)
            doing = self.dice.randrange(5)
            if doing == 0:
                record = thief.rotated(self.fresh_seal(thief.channel))
            elif doing == 1:
                thief.sequence += self.dice.randrange(1, 3)
                record = thief.confirmed()
            else:
                record = thief.confirmed() if thief.channel == TRUST_CHANNEL else thief.sealed()
            self.put(thief.channel, record)

    def revokes(self) -> None:
        self.say(KeyRevoked(key=self.world.pens[self.channel()].seal.certificate.key_digest, reason=Reason.STOLEN))

    def revokes_retired(self) -> None:
        if self.retired:
            self.say(KeyRevoked(key=self.dice.choice(self.retired).certificate.key_digest, reason=Reason.SUPERSEDED))

    def say(self, content: KeyRevoked | EpochOpened | ParticipantAdmitted) -> None:
        self.put(TRUST_CHANNEL, self.world.pens[TRUST_CHANNEL].open(content))

    def opens_epoch(self) -> None:
        """The registrar opens an epoch, mostly a right one."""
        channel = self.channel()
        pen, back = self.world.pens[channel], self.dice.choice([0, 0, 1, 2])
        records = self.world.records[channel]
        try:
            after = decode_entry(records[-1 - back]) if back < len(records) else None
        except MalformedError:
            after = None
        seal = self.fresh_seal(channel)
        epoch = EpochOpened(
            channel=channel,
            epoch=pen.epoch + self.dice.choice([1, 1, 1, 1, 2]),
            after_sequence=after.sequence if after else 0,
            after_digest=after.digest if after else self.dice.choice([Pen(channel, seal).previous, Digest(bytes(32))]),
            certificate=seal.certificate.digest,
        )
        self.say(epoch)
        self.due = (epoch, seal)

    due: tuple[EpochOpened, Seal] | None = None

    def begins_epoch(self) -> None:
        if self.due:
            epoch, seal = self.due
            pen = Pen(epoch.channel, seal, epoch.epoch, epoch.after_sequence, epoch.after_digest)
            self.put(epoch.channel, pen.opened())
            self.world.pens[epoch.channel] = pen

    def lies(self) -> None:
        """A receipt names what is not there, or is of no right form."""
        channel = self.dice.choice([*_PAIR, RECORD])
        pen = self.world.pens[channel]
        about = self.world.pens[self.channel()]
        wrong = Held(
            channel=about.channel,
            epoch=max(0, about.epoch + self.dice.choice([-1, 0, 0, 1])),
            sequence=max(1, about.sequence + self.dice.choice([-1, 0, 0, 1])),
            digest=self.dice.choice([about.previous, digest_of(b"nowhere")]),
        )
        lines = {one.channel: one for one in (line(self.world.pens[FROM if channel == TO else TO]), wrong, line(pen))}
        order = [FROM if channel == TO else TO, channel, TRUST_CHANNEL]
        held = tuple(lines[each] for each in order if each in lines)
        record = self.dice.choice([None, digest_of(b"nowhere"), self.world.pens[RECORD].previous])
        self.put(channel, pen.open(Receipt(held=held, record=record)))

    def impostor(self) -> None:
        """A stranger, or the commission, writes where it may not; or the writer opens what nobody asked for."""
        channel = self.channel()
        pen = self.world.pens[channel]
        seal = self.dice.choice([COMMISSIONS, OLD, seal_of("liar", organisation="NTRLV-90000000009"), pen.seal])
        false = replace(pen, seal=seal, salt="impostor", epoch=pen.epoch + self.dice.choice([0, 0, 1]))
        false.sequence += self.dice.choice([0, 0, 1, 2])
        content = ChannelOpened(exchange=ROOT.digest, writer=SCHOOL, certificates=(seal.certificate.der,))
        ways: list[Callable[[], bytes]] = [false.sealed, false.opened, false.confirmed, partial(false.open, content)]
        writing = self.dice.choice(ways)
        self.put(channel, writing())

    def admits(self) -> None:
        name, role = self.dice.choice(
            [(_OTHER, Role.SCHOOL), (SCHOOL, Role.SCHOOL), ("commission-2", Role.COMMISSION), ("auditor-vk", Role.AUDITOR)]
        )
        self.say(ParticipantAdmitted(id=name, role=role, organisation="NTRLV-90000000001", name=name))
        if name in ("auditor-vk", _OTHER) and record_of(name) not in self.world.pens:
            self.world.pens[record_of(name)] = Pen(record_of(name), OLD)
            self.world.records[record_of(name)] = [self.world.pens[record_of(name)].opened()]

    def repeats_id(self) -> None:
        """A writer takes an event id a second time."""
        channel = self.channel()
        pen = self.world.pens[channel]
        record = self.some(channel)
        entry = decode_entry(record) if record else None
        if entry is not None:
            again = _Repeating(**{name: getattr(pen, name) for name in ("channel", "seal", "epoch", "sequence", "previous")})
            again.event_id = entry.unverified_statement.event_id
            key = self.dice.choice(self.retired or [OLD]).certificate.key_digest
            held = Held(channel=TRUST_CHANNEL, epoch=0, sequence=1, digest=digest_of(b"nowhere"))
            receipt = Receipt(held=(line(pen), held), record=None)
            content = KeyRevoked(key=key, reason=Reason.STOLEN) if channel == TRUST_CHANNEL else receipt
            self.put(channel, again.open(content))
            pen.sequence, pen.previous = again.sequence, again.previous

    def some(self, channel: str) -> bytes | None:
        good = []
        for record in self.world.records[channel]:
            try:
                decode_entry(record)
            except MalformedError:
                continue
            good.append(record)
        return self.dice.choice(good) if good else None

    def place(self) -> tuple[list[bytes], int]:
        records = self.world.records[self.dice.choice([each for each, found in self.world.records.items() if found])]
        return records, self.dice.randrange(len(records))

    def flips(self) -> None:
        """Flip a bit, mostly of what is signed."""
        records, at = self.place()
        old = records[at]
        if old:
            byte = self.dice.randrange(len(old) if self.dice.random() < 0.3 else min(400, len(old)))
            records[at] = old[:byte] + bytes([old[byte] ^ 1 << self.dice.randrange(8)]) + old[byte + 1 :]

    def deletes(self) -> None:
        records, at = self.place()
        if len(records) > 1:
            del records[at]

    def repeats(self) -> None:
        records, at = self.place()
        records.insert(self.dice.randrange(len(records)), records[at])

    def swaps(self) -> None:
        records, at = self.place()
        other = self.dice.randrange(len(records))
        records[at], records[other] = records[other], records[at]

    def junk(self) -> None:
        records, at = self.place()
        records.insert(at, self.dice.choice([b"junk", b"", records[at][:-1], records[at] + b"\x00"]))

    def copies(self) -> None:
        """Copy an entry into another channel."""
        records, at = self.place()
        self.place()[0].insert(0, records[at])

    def strips(self) -> None:
        """Take a part away, or put another in its place; the old copy may stay beside it."""
        records, at = self.place()
        try:
            entry = decode_entry(records[at])
        except MalformedError:
            return
        facts = self.dice.choice([entry.raw_facts, entry.raw_facts, None, b"other facts"])
        personal = self.dice.choice([None, b"", b"another part", entry.raw_personal])
        signature = self.dice.choice([entry.signature, entry.signature, entry.signature[::-1]])
        new = encode_entry(entry.statement_bytes, signature, facts, personal)
        if self.dice.random() < 0.3:
            records.append(new)
        else:
            records[at] = new

    def cuts(self) -> None:
        records, at = self.place()
        if at:
            del records[at:]


class _Repeating(Pen):
    event_id = b""

    @property
    def next_event_id(self) -> bytes:
        return self.event_id
