"""The incremental form against its oracle: any batching, order, restart, late revocation, rotation and epoch."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from hypothesis import event, given, settings
from hypothesis import strategies as st

from services.wire.channels import TRUST_CHANNEL
from services.wire.contents import EpochOpened, KeyRevoked, Reason
from services.wire.entry import decode_entry, encode_entry
from services.wire.following import Follower, Update
from services.wire.hashing import Digest
from services.wire.paths import Pathfinder, Place
from services.wire.reading import ReadingState, read_channel
from services.wire.trust import NO_TRUST, Trust
from tests.chains import CHANNEL, ROOT, Pen, Seal, registrar_seal, seal_of, trust

SEALS = [seal_of(name) for name in ("old", "new", "third")]


@dataclass
class Story:
    """What happened to a channel: its records, and what the registrar said by and by."""

    records: list[bytes] = field(default_factory=list)
    trusts: list[Trust] = field(default_factory=list)


def told(rng: random.Random, channel: str) -> Story:
    """Tell a story of pens that write, rotate, fork, steal and begin epochs."""
    at_registrar = channel == TRUST_CHANNEL
    seals = [registrar_seal(name) for name in ("registrar", "registrar, second")] if at_registrar else SEALS
    story = Story(trusts=[NO_TRUST if at_registrar else trust()])
    pens = [Pen(channel, seals[0])]
    story.records.append(pens[0].opened())
    revoked: list[Seal] = []
    epochs: list[EpochOpened] = []
    for number in range(rng.randint(2, 10)):
        pen = rng.choice(pens)
        match rng.choice("wwwwrrfjee" if not at_registrar else "wwwwrrfjkk"):
            case "w":
                story.records += [pen.sealed(with_personal=rng.random() < 0.8) for _ in range(rng.randint(1, 3))]
            case "r":
                story.records.append(pen.rotated(rng.choice(seals)))
            case "f":
                pens.append(pen.fork(f"fork {number}"))
            case "j":
                story.records.append(damaged(rng, story.records))
            case "k":
                story.records.append(pen.open(KeyRevoked(key=rng.choice(seals).certificate.key_digest, reason=Reason.LOST)))
            case _ if rng.random() < 0.5:  # a revocation or an epoch
                revoked.append(rng.choice(seals))
                story.trusts.append(trust(revoked=tuple(revoked), epochs=tuple(epochs)))
            case _:
                seal = rng.choice(seals)
                epochs.append(
                    EpochOpened(
                        channel=channel,
                        epoch=len(epochs) + 1,
                        after_sequence=pen.sequence,
                        after_digest=pen.previous,
                        certificate=seal.certificate.digest,
                    )
                )
                story.trusts.append(trust(revoked=tuple(revoked), epochs=tuple(epochs)))
                begun = Pen(channel, seal, len(epochs), pen.sequence, pen.previous, f"epoch {number}")
                pens.append(begun)
                story.records.append(begun.opened())
    return story


def damaged(rng: random.Random, records: list[bytes]) -> bytes:
    record = bytearray(rng.choice(records))
    record[rng.randrange(len(record))] ^= 1 << rng.randrange(8)
    return bytes(record)


class Reader:
    """A participant in miniature: it stores what a follower hands out, restarts, and agrees."""

    def __init__(self, channel: str, under: Trust) -> None:
        self.channel, self.trust = channel, under
        self.held: dict[Digest, list[bytes]] = {}
        self.applied: list[Digest] = []
        self.seen: list[bytes] = []
        self.follower, update = self._new()
        self.take(update)

    def _new(self, place: Place | None = None, *, is_usual: bool = False) -> tuple[Follower, Update]:
        return Follower.at(
            Pathfinder(channel=self.channel, root=ROOT, trust=self.trust),
            load=lambda: [each for records in self.held.values() for each in records],
            holds=self.held.__contains__,
            place=place,
            is_usual=is_usual,
        )

    def take(self, update: Update) -> None:
        for step in update.new:
            entry = step.entry
            self.held[entry.digest] = [encode_entry(entry.statement_bytes, entry.signature, entry.facts, entry.personal)]
            self.applied.append(entry.digest)
        for candidate in update.healed:
            self.held[candidate.digest] += candidate.records

    def deliver(self, batch: list[bytes]) -> None:
        self.seen += batch
        self.take(self.follower.offer(batch))

    def retrust(self, under: Trust) -> None:
        self.trust = under
        self.take(self.follower.retrust(under))

    def agree(self) -> None:
        assert self.follower.off_chain is not None
        del self.applied[self.follower.off_chain - 1 :]
        self.take(self.follower.agree())

    def restart(self) -> None:
        """Begin again after what was applied, and see all records again."""
        before = self.follower
        usual = before.state is ReadingState.READING and before.off_chain is None and before.only_epoch is None
        self.follower, update = self._new(before.place, is_usual=usual and len(self.held) == len(self.applied))
        self.take(update)
        self.take(self.follower.offer(self.seen))

    def check(self) -> None:
        oracle = read_channel(self.channel, self.seen, ROOT, self.trust)
        taken = [entry.digest for entry in oracle.taken]
        assert self.follower.state is oracle.state
        if self.follower.off_chain is not None:
            common = self.follower.off_chain - 1
            assert self.applied[:common] == taken[:common]
            assert self.applied[common : common + 1] != taken[common : common + 1]
        elif oracle.state is ReadingState.READING:
            assert self.applied == taken
            assert self.follower.place == oracle.place
            assert self.follower.gap == oracle.gap
        else:
            assert self.applied[: len(taken)] == taken
            assert self.follower.gap == oracle.gap


def lived(story: Story, channel: str, rng: random.Random) -> Reader:
    """Let a reader live through a story in any order, in any batches, with repeats, restarts and consents."""
    records = story.records + rng.choices(story.records, k=rng.randint(0, 6))
    if rng.random() < 0.7:  # mostly mixed, sometimes as it was written
        rng.shuffle(records)
    trusts = list(story.trusts)
    reader = Reader(channel, trusts.pop(0))
    while records or trusts:
        if trusts and (not records or rng.random() < 0.2):
            reader.retrust(trusts.pop(0))
        else:
            size = rng.randint(1, 5)
            reader.deliver(records[:size])
            del records[:size]
        reader.check()
        if reader.follower.off_chain is not None and rng.random() < 0.5:
            reader.agree()
            reader.check()
        if rng.random() < 0.15:
            reader.restart()
            reader.check()
    return reader


@settings(max_examples=400, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_a_follower_says_at_each_step_what_the_oracle_says(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  # a story, no secret
    reader = lived(told(rng, CHANNEL), CHANNEL, rng)
    event(f"ends {reader.follower.state.value}, off chain {reader.follower.off_chain is not None}")


@settings(max_examples=200, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_a_follower_of_the_registrar_says_at_each_step_what_the_oracle_says(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  # a story, no secret
    reader = lived(told(rng, TRUST_CHANNEL), TRUST_CHANNEL, rng)
    event(f"ends {reader.follower.state.value}")


def test_reading_on_looks_at_each_record_once() -> None:
    writer = Pen(CHANNEL, SEALS[0])
    reader = Reader(CHANNEL, trust())
    loads = 0

    def load() -> list[bytes]:
        nonlocal loads
        loads += 1
        return []

    reader.follower.load = load
    reader.deliver([writer.opened()])
    for _ in range(5):
        reader.deliver([writer.sealed(), writer.sealed()])
    assert loads == 0
    assert len(reader.applied) == 11


def test_a_part_that_was_missing_is_handed_out_when_it_comes() -> None:
    writer = Pen(CHANNEL, SEALS[0])
    reader = Reader(CHANNEL, trust())
    opened, whole = writer.opened(), writer.sealed()
    entry = decode_entry(whole)
    reader.deliver([opened, encode_entry(entry.statement_bytes, entry.signature, entry.raw_facts, None)])
    update = reader.follower.offer([whole])
    assert [candidate.personal for candidate in update.healed] == [entry.raw_personal]


def test_who_only_verifies_keeps_no_part_in_memory_and_sees_which_are_there() -> None:
    writer = Pen(CHANNEL, SEALS[0])
    records = [writer.opened(), *(writer.sealed(with_personal=number != 1) for number in range(4))]
    held: list[bytes] = []
    follower, _ = Follower.at(
        Pathfinder(channel=CHANNEL, root=ROOT, trust=trust()), load=lambda: held, holds=lambda _: False, keeps_parts=False
    )
    behind_a_gap = follower.offer(records[2:])
    assert behind_a_gap.new == ()
    assert {(each.facts, each.personal) for each in follower.remembered} == {(b"", b""), (b"", None)}
    held.append(records[0])
    taken = follower.offer(records[:2]).new
    assert [step.entry.personal for step in taken] == [None, b"", None, b"", b""]
