"""The incremental form against its oracle: any batching, order, restart, late revocation, rotation and epoch."""

from __future__ import annotations

import random

from hypothesis import event, given, settings
from hypothesis import strategies as st

from services.wire.channels import TRUST_CHANNEL
from services.wire.contents import KeyRevoked, Reason
from services.wire.entry import decode_entry, encode_entry
from services.wire.following import Follower, Update
from services.wire.hashing import Digest
from services.wire.paths import Pathfinder, Place
from services.wire.reading import ReadingState, read_channel
from services.wire.trust import NO_TRUST, Trust
from tests.chains import CHANNEL, ROOT, Pen, seal_of, trust
from tests.stories import REGISTRARS, SEALS, Story, damaged, told


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


@settings(max_examples=300, deadline=None)
@given(st.integers(min_value=0, max_value=2**32), st.sampled_from([CHANNEL, TRUST_CHANNEL]))
def test_a_channel_is_one_function_of_the_set_whatever_order_repetition_and_junk(seed: int, channel: str) -> None:
    rng = random.Random(seed)  # noqa: S311  # a story, no secret
    story = told(rng, channel)
    plain = read_channel(channel, story.records, ROOT, story.trusts[-1])
    noise = [rng.randbytes(rng.randint(0, 400)), *(damaged(rng, story.records) for _ in range(rng.randint(0, 5)))]
    thief = Pen(channel, seal_of("thief", organisation="NTRLV-90000000066"), sequence=rng.randint(0, 9))
    mixed = story.records + noise + [thief.sealed(), thief.opened()] + rng.choices(story.records, k=5)
    rng.shuffle(mixed)
    again = read_channel(channel, mixed, ROOT, story.trusts[-1])
    event(f"{plain.state.value}, {min(len(plain.taken), 9)} taken")
    assert again.taken == plain.taken
    assert (again.state, again.place, again.only_epoch, again.gap) == (plain.state, plain.place, plain.only_epoch, plain.gap)
    assert {each.entry.digest for each in again.undecided} == {each.entry.digest for each in plain.undecided}


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


def test_what_a_registrars_key_settled_is_judged_again_when_that_key_is_revoked_by_the_one_before_it() -> None:
    pen = Pen(TRUST_CHANNEL, REGISTRARS[0])
    first = [pen.opened()]
    thief = pen.fork("thief")
    first += [thief.sealed(), pen.sealed(), pen.rotated(REGISTRARS[1]), pen.sealed()]
    reader = Reader(TRUST_CHANNEL, NO_TRUST)
    reader.deliver(first)
    reader.check()
    assert len(reader.applied) == 4
    back = [pen.rotated(REGISTRARS[0]), pen.open(KeyRevoked(key=REGISTRARS[1].certificate.key_digest, reason=Reason.STOLEN))]
    reader.deliver(back)
    reader.check()
    assert reader.follower.state is ReadingState.FORKED


def test_who_begins_again_without_a_place_goes_on_after_all_it_holds_although_all_was_usual() -> None:
    writer = Pen(CHANNEL, SEALS[0])
    held = [writer.opened(), writer.sealed()]
    digests = {decode_entry(each).digest for each in held}
    finder = Pathfinder(channel=CHANNEL, root=ROOT, trust=trust())
    follower, update = Follower.at(finder, load=lambda: held, holds=digests.__contains__, is_usual=True)
    assert ([step.entry.digest in digests for step in update.new], follower.place.sequence) == ([True, True], 2)
    assert [step.place.sequence for step in follower.offer([writer.sealed()]).new] == [3]
