"""Stories of a channel: pens that write, rotate, fork, steal, revoke and begin epochs, told at random from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from services.wire.channels import TRUST_CHANNEL
from services.wire.contents import EpochOpened, KeyRevoked, Reason
from services.wire.trust import NO_TRUST, Trust
from tests.chains import Pen, Seal, registrar_seal, seal_of, trust

__all__ = ["REGISTRARS", "SEALS", "Story", "damaged", "told"]

SEALS = [seal_of(name) for name in ("old", "new", "third")]
REGISTRARS = [registrar_seal(name) for name in ("registrar", "registrar, second")]


@dataclass
class Story:
    """What happened to a channel: its records, and what the registrar said by and by."""

    channel: str
    rng: random.Random
    records: list[bytes] = field(default_factory=list)
    trusts: list[Trust] = field(default_factory=list)
    pens: list[Pen] = field(default_factory=list)
    revoked: list[Seal] = field(default_factory=list)
    epochs: list[EpochOpened] = field(default_factory=list)

    @property
    def seal(self) -> Seal:
        return self.rng.choice(REGISTRARS if self.channel == TRUST_CHANNEL else SEALS)

    @property
    def salt(self) -> str:
        return f"pen {len(self.pens)} {len(self.records)}"

    def write(self, pen: Pen) -> None:
        self.records += [pen.sealed(with_personal=self.rng.random() < 0.8) for _ in range(self.rng.randint(1, 3))]

    def rotate(self, pen: Pen) -> None:
        self.records.append(pen.rotated(self.seal))

    def fork(self, pen: Pen) -> None:
        self.pens.append(pen.fork(self.salt))

    def damage(self, _: Pen) -> None:
        self.records.append(damaged(self.rng, self.records))

    def rival(self, _: Pen) -> None:
        """Somebody else with a seal of the same organisation begins the channel too."""
        self.pens.append(Pen(self.channel, self.seal, salt=self.salt))
        self.records.append(self.pens[-1].opened())

    def settle(self, pen: Pen) -> None:
        """A thief writes at a place that a rotation settles, and perhaps rotates too."""
        thief = pen.fork(self.salt)
        self.records += [thief.sealed(), pen.rotated(self.seal), pen.sealed()]
        if self.rng.random() < 0.6:
            self.records += [thief.rotated(self.seal), thief.sealed()]
        self.pens.append(thief)

    def revoke_here(self, pen: Pen) -> None:
        self.records.append(pen.open(KeyRevoked(key=self.seal.certificate.key_digest, reason=Reason.LOST)))

    def take_back(self, pen: Pen) -> None:
        """What a key decided is taken back by the one before it, which signs again."""
        first, second = pen.seal, self.seal
        self.records += [pen.rotated(second), pen.sealed(), pen.rotated(first)]
        self.records.append(pen.open(KeyRevoked(key=second.certificate.key_digest, reason=Reason.LOST)))

    def revoke(self, _: Pen) -> None:
        self.revoked.append(self.seal)
        self.trusts.append(trust(revoked=tuple(self.revoked), epochs=tuple(self.epochs)))

    def begin_epoch(self, pen: Pen) -> None:
        seal, number = self.seal, len(self.epochs) + 1
        self.epochs.append(
            EpochOpened(
                channel=self.channel,
                epoch=number,
                after_sequence=pen.sequence,
                after_digest=pen.previous,
                certificate=seal.certificate.digest,
            )
        )
        self.trusts.append(trust(revoked=tuple(self.revoked), epochs=tuple(self.epochs)))
        self.pens.append(Pen(self.channel, seal, number, pen.sequence, pen.previous, self.salt))
        self.records.append(self.pens[-1].opened())


_EVERYWHERE: list[tuple[int, Callable[[Story, Pen], None]]] = [
    (4, Story.write),
    (2, Story.rotate),
    (1, Story.fork),
    (1, Story.damage),
    (1, Story.rival),
    (2, Story.settle),
]
_AT_A_WRITER: list[tuple[int, Callable[[Story, Pen], None]]] = [*_EVERYWHERE, (1, Story.revoke), (1, Story.begin_epoch)]
_AT_THE_REGISTRAR: list[tuple[int, Callable[[Story, Pen], None]]] = [*_EVERYWHERE, (2, Story.revoke_here), (2, Story.take_back)]


def told(rng: random.Random, channel: str) -> Story:
    """Tell a story of a writer's channel or of the registrar's."""
    at_registrar = channel == TRUST_CHANNEL
    story = Story(channel, rng, trusts=[NO_TRUST if at_registrar else trust()])
    story.pens.append(Pen(channel, REGISTRARS[0] if at_registrar else SEALS[0]))
    story.records.append(story.pens[0].opened())
    turns = _AT_THE_REGISTRAR if at_registrar else _AT_A_WRITER
    for _ in range(rng.randint(2, 10)):
        (turn,) = rng.choices([each for _, each in turns], weights=[weight for weight, _ in turns])
        turn(story, rng.choice(story.pens))
    return story


def damaged(rng: random.Random, records: list[bytes]) -> bytes:
    """Return one of the records with one bit flipped."""
    record = bytearray(rng.choice(records))
    record[rng.randrange(len(record))] ^= 1 << rng.randrange(8)
    return bytes(record)
