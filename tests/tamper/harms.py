"""The kinds of harm: what each does to a log at a random place, and what a verification has to say of it, and where.

Not each tampering harms: by the reading rule a channel is a function of the set of its records, so their order and repetitions
change nothing, and what nobody's certificate covers is junk that is told. Then the verdict has to be that of the whole log.
Source: design.md sections 6 and 9.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from services.audit.verify import Report
from services.wire.channels import TRUST_CHANNEL, record_of
from services.wire.contents import Held, Receipt
from services.wire.entry import decode_entry, encode_entry, to_be_signed
from services.wire.errors import (
    FacesError,
    ForkError,
    HiddenChannelError,
    MissingError,
    PartError,
    SignatureError,
)
from services.wire.hashing import digest_of
from services.wire.signing import sign
from tests.chains import Pen, registrar_seal, seal_of
from tests.tamper.logs import PAIR, WRITTEN, Log
from tests.worlds import FROM, OLD, TO, line

__all__ = ["HARMS", "Expected", "faults_of"]

_STRANGER: Final = record_of("school-0099900077")


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What has to be said: findings at places (channel, sequence), of one kind of error where that is certain; else a note.

    ``note`` is a part of a note of the channel ``of``; then nothing is found. ``near`` are further places of one channel, from
    one to another, at which something may be found: what else stood in the block of an archive that was changed.
    """

    places: frozenset[tuple[str, int]] = frozenset()
    error: type[Exception] | None = None
    note: str = ""
    of: str = ""
    near: tuple[str, int, int] | None = None

    def allows(self, place: tuple[str, int]) -> bool:
        """Tell whether something may be found at a place."""
        if place in self.places:
            return True
        return self.near is not None and place[0] == self.near[0] and self.near[1] <= place[1] <= self.near[2]


def faults_of(report: Report, expected: Expected, whole: Report) -> list[str]:
    """Return what a report says wrongly of a harmed log, nothing if all is found where it is; ``whole`` is of the log before."""
    found = {(each.channel, each.sequence): each for each in report.findings}
    faults = [f"found at {place}, where nothing is: {found[place].what}" for place in found if not expected.allows(place)]
    faults += [f"nothing found at {place}" for place in expected.places - found.keys()]
    if expected.error is not None:
        faults += [f"at {place}: {each.error}" for place, each in found.items() if each.error != expected.error.__name__]
    if expected.note and expected.note not in "; ".join(report.of(expected.of).notes):
        faults.append(f"no note in {expected.of} says '{expected.note}'")
    if not expected.places:
        heads = [{each.channel: each.head for each in one.channels if each.channel != expected.of} for one in (report, whole)]
        faults += ["other heads than before"] if heads[0] != heads[1] else []
    return faults


def _place(log: Log, dice: random.Random, channel: str | None = None) -> tuple[str, int]:
    """Return a random entry behind which others stand: its channel and its index."""
    channel = channel or dice.choice(WRITTEN)
    return channel, dice.randrange(1, len(log.records[channel]) - 4)


def _sequence(log: Log, channel: str, at: int) -> int:
    return decode_entry(log.records[channel][at]).sequence


def flip(log: Log, dice: random.Random) -> Expected:
    """One bit of a record."""
    channel, at = _place(log, dice, dice.choice([*WRITTEN, TRUST_CHANNEL]))
    old, sequence = log.records[channel][at], _sequence(log, channel, at)
    byte = dice.randrange(len(old))
    log.records[channel][at] = old[:byte] + bytes([old[byte] ^ 1 << dice.randrange(8)]) + old[byte + 1 :]
    return Expected(places=frozenset({(channel, sequence)}))


def drop(log: Log, dice: random.Random) -> Expected:
    """An entry taken out."""
    channel, at = _place(log, dice, dice.choice([*WRITTEN, TRUST_CHANNEL]))
    sequence = _sequence(log, channel, at)
    del log.records[channel][at]
    return Expected(places=frozenset({(channel, sequence)}), error=MissingError)


def insert(log: Log, dice: random.Random) -> Expected:
    """An entry of another channel, or of nobody's, put in."""
    channel, at = _place(log, dice)
    other = dice.choice([each for each in WRITTEN if each != channel])
    forged = Pen(
        channel, seal_of("nobody", organisation="NTRLV-90000000008"), sequence=dice.randrange(at), salt="forged"
    ).sealed()
    log.records[channel].insert(at, dice.choice([log.records[other][at % len(log.records[other])], forged]))
    return Expected()


def reorder(log: Log, dice: random.Random) -> Expected:
    """A stretch in another order: a channel is a function of the set."""
    channel, at = _place(log, dice)
    stretch = log.records[channel][at : at + 50]
    dice.shuffle(stretch)
    log.records[channel][at : at + 50] = stretch
    return Expected()


def truncate(log: Log, dice: random.Random) -> Expected:
    """The end cut off."""
    channel, at = _place(log, dice)
    sequence = _sequence(log, channel, at)
    del log.records[channel][at:]
    return Expected(places=frozenset({(channel, sequence)}))


def fork(log: Log, dice: random.Random) -> Expected:
    """Its writer says two things at one place."""
    channel, pen = _goes_on(log, dice)
    log.records[channel].append(pen.fork("one").sealed())
    log.records[channel].append(pen.fork("another").sealed())
    return Expected(places=frozenset({(channel, pen.sequence + 1)}), error=ForkError)


def repeat(log: Log, dice: random.Random) -> Expected:
    """Entries once more, somewhere."""
    channel, at = _place(log, dice)
    log.records[channel].insert(dice.randrange(len(log.records[channel])), log.records[channel][at])
    return Expected()


def backdate(log: Log, dice: random.Random) -> Expected:
    """An entry that claims to have been written before the one before it."""
    channel, pen = _goes_on(log, dice)
    pen.back = dice.randrange(2, 10**9)
    log.records[channel].append(pen.sealed())
    return Expected(note=f"at {pen.sequence}: its time lies before", of=channel)


def foreign_key(log: Log, dice: random.Random) -> Expected:
    """An entry signed by a key that is not its writer's."""
    channel, at = _place(log, dice)
    entry = decode_entry(log.records[channel][at])
    signature = sign(seal_of("nobody").key, to_be_signed(entry.statement_bytes))
    log.records[channel][at] = encode_entry(entry.statement_bytes, signature, entry.raw_facts, entry.raw_personal)
    return Expected(places=frozenset({(channel, entry.sequence)}), error=SignatureError)


def revoked_key(log: Log, dice: random.Random) -> Expected:
    """A key that was revoked writes on."""
    channel = dice.choice(sorted(log.rotated))
    pen = log.pens[channel].fork("revoked")
    pen.seal = OLD
    log.records[channel].append(pen.sealed())
    return Expected(note="beside the chain stand 1", of=channel)


def rotated_key(log: Log, dice: random.Random) -> Expected:
    """The key before writes another history in the place of an entry."""
    channel = dice.choice(sorted(log.rotated))
    at = dice.randrange(1, log.rotated[channel] - 1)
    entry = decode_entry(log.records[channel][at])
    pen = Pen(channel, OLD, 0, entry.sequence - 1, entry.unverified_statement.previous, "another history")
    log.records[channel][at] = pen.sealed()
    return Expected(places=frozenset({(channel, entry.sequence)}))


def schema(log: Log, dice: random.Random) -> Expected:
    """A published schema exchanged for one in which a name may stand in facts."""
    places = [at for at, record in enumerate(log.records[TRUST_CHANNEL]) if b'"facts"' in record]
    at = dice.choice(places)
    old, sequence = log.records[TRUST_CHANNEL][at], _sequence(log, TRUST_CHANNEL, at)
    log.records[TRUST_CHANNEL][at] = old.replace(b'"facts"', b'"Facts"', 1)
    return Expected(places=frozenset({(TRUST_CHANNEL, sequence)}))


def receipt(log: Log, dice: random.Random) -> Expected:
    """A receipt that names another entry than stands there."""
    channel = dice.choice(PAIR)
    paired, own = FROM if channel == TO else TO, log.pens[channel]
    _, at = _place(log, dice, paired)
    entry = decode_entry(log.records[paired][at])
    wrong = Held(channel=paired, epoch=entry.epoch, sequence=entry.sequence, digest=digest_of(dice.randbytes(8)))
    said = Receipt(held=(wrong, line(own), line(log.pens[TRUST_CHANNEL])), record=None)
    log.records[channel].append(own.open(said))
    return Expected(places=frozenset({(paired, entry.sequence)}), error=ForkError)


def facts_swapped(log: Log, dice: random.Random) -> Expected:
    """What is sealed of two entries exchanged: the first of them is where the chain breaks off."""
    channel = dice.choice(WRITTEN)
    sealed = [at for at, record in enumerate(log.records[channel][:-4]) if decode_entry(record).raw_facts is not None]
    places = sorted(dice.sample(sealed, 2))
    one, other = (decode_entry(log.records[channel][at]) for at in places)
    for at, entry, from_ in ((places[0], one, other), (places[1], other, one)):
        log.records[channel][at] = encode_entry(entry.statement_bytes, entry.signature, from_.raw_facts, entry.raw_personal)
    return Expected(places=frozenset({(channel, one.sequence)}))


def personal_swapped(log: Log, dice: random.Random) -> Expected:
    """What is personal of two entries exchanged: both are told."""
    channel = dice.choice(WRITTEN)
    sealed = [at for at, record in enumerate(log.records[channel]) if decode_entry(record).raw_facts is not None]
    places = dice.sample(sealed, 2)
    one, other = (decode_entry(log.records[channel][at]) for at in places)
    for at, entry, from_ in ((places[0], one, other), (places[1], other, one)):
        log.records[channel][at] = encode_entry(entry.statement_bytes, entry.signature, entry.raw_facts, from_.raw_personal)
    return Expected(places=frozenset({(channel, one.sequence), (channel, other.sequence)}), error=PartError)


def hidden_channel(log: Log, _: random.Random) -> Expected:
    """A channel whose writer the registrar never admitted, as one sees it."""
    seal = seal_of("hidden", organisation="NTRLV-90000000077")
    pen = Pen(_STRANGER, seal)
    log.records[_STRANGER] = [pen.opened(), pen.sealed()]
    return Expected(places=frozenset({(_STRANGER, 1)}), error=HiddenChannelError)


def two_faces(log: Log, dice: random.Random) -> Expected:
    """A participant was shown another registrar's entry than stands here."""
    channel = dice.choice(PAIR)
    paired, own = FROM if channel == TO else TO, log.pens[channel]
    at = dice.randrange(1, len(log.records[TRUST_CHANNEL]))
    entry = decode_entry(log.records[TRUST_CHANNEL][at])
    shown = Pen(TRUST_CHANNEL, registrar_seal("registrar"), 0, entry.sequence - 1, entry.unverified_statement.previous, "other")
    face = decode_entry(shown.sealed())
    line_ = Held(channel=TRUST_CHANNEL, epoch=0, sequence=entry.sequence, digest=face.digest)
    log.records[channel].append(own.open(Receipt(held=(line(log.pens[paired]), line(own), line_), record=None)))
    return Expected(places=frozenset({(TRUST_CHANNEL, entry.sequence)}), error=FacesError)


def _goes_on(log: Log, dice: random.Random) -> tuple[str, Pen]:
    channel = dice.choice(WRITTEN)
    return channel, log.pens[channel]


HARMS: Final[Mapping[str, Callable[[Log, random.Random], Expected]]] = {
    "a bit is flipped": flip,
    "an entry is dropped": drop,
    "an entry is inserted": insert,
    "entries are reordered": reorder,
    "the end is cut off": truncate,
    "a channel is forked": fork,
    "an entry is repeated": repeat,
    "an entry is backdated": backdate,
    "a foreign key signed": foreign_key,
    "a revoked key is used again": revoked_key,
    "a rotated key rewrites history": rotated_key,
    "a schema is swapped": schema,
    "a receipt is forged": receipt,
    "facts are swapped": facts_swapped,
    "personal parts are swapped": personal_swapped,
    "a channel is hidden": hidden_channel,
    "the registrar shows two faces": two_faces,
}
"""Every kind, by what people call it."""
