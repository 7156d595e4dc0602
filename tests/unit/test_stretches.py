"""Stretches prove nothing that the reading rule does not say, whatever is done to the bytes."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.audit.stretches import Stretch, stretch_of
from services.wire.candidates import Candidate, candidate_of
from services.wire.contents import Held, Receipt
from services.wire.entry import Open, decode_entry, encode_entry
from services.wire.following import Follower
from services.wire.paths import Pathfinder, Place
from tests.chains import CHANNEL, ROOT, Pen, seal_of, trust

OLD, NEW = seal_of("old"), seal_of("new")
FINDER = Pathfinder(channel=CHANNEL, root=ROOT, trust=trust())


def written() -> list[bytes]:
    """Return an opening, and what plainly follows it: sealed entries with and without their personal part, and open ones."""
    pen = Pen(CHANNEL, OLD)
    records = [pen.opened()]
    for place in range(12):
        records.append(pen.sealed(with_personal=place % 3 != 1))
        if place % 4 == 2:
            own = Held(channel=CHANNEL, epoch=0, sequence=pen.sequence, digest=pen.previous)
            records.append(pen.open(Receipt(held=(own,), record=None)))
    return records


RECORDS = written()


def start() -> Place:
    found = candidate_of(RECORDS[0], CHANNEL)
    assert isinstance(found, Candidate)
    step = FINDER.step(FINDER.genesis, found)
    assert step is not None
    return step.place


START = start()


def stretch(records: Sequence[bytes]) -> Stretch:
    return stretch_of(records, START, channel=CHANNEL, written_at=0)


def by_the_rule(records: Sequence[bytes]) -> list[Candidate]:
    """Return what the rule itself says goes on from the start, up to the first record that is anything but the next entry."""
    place, found = START, list[Candidate]()
    for record in records:
        each = candidate_of(record, CHANNEL)
        step = FINDER.step(place, each) if isinstance(each, Candidate) and each.flaw is None else None
        if not isinstance(each, Candidate) or step is None or step.place.certificates != place.certificates:
            break
        found.append(each)
        place = step.place
    return found


def assert_is_what_the_rule_says(found: Stretch, expected: Sequence[Candidate]) -> None:
    assert found.digests == [each.digest for each in expected]
    assert found.ids == [each.unverified_statement.event_id for each in expected]
    assert found.signatures == [each.signatures[0] for each in expected]
    is_open = [isinstance(each.unverified_statement.body, Open) for each in expected]
    assert [index for index, _ in found.opens] == [index for index, each in enumerate(is_open) if each]
    assert found.lacking == [i for i, each in enumerate(expected) if each.personal is None and not is_open[i]]


def test_what_plainly_goes_on_is_one_stretch_with_all_that_stands_in_it() -> None:
    found = stretch(RECORDS[1:])
    assert len(found.digests) == len(RECORDS) - 1
    assert_is_what_the_rule_says(found, by_the_rule(RECORDS[1:]))
    assert found.late == []
    last = candidate_of(RECORDS[-1], CHANNEL)
    assert isinstance(last, Candidate)
    assert found.latest == last.unverified_statement.written_at


@given(st.integers(min_value=0, max_value=2**32))
@example(0)
def test_no_change_of_bytes_makes_a_stretch_of_what_the_rule_does_not_take(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  # an order of things, no secret
    records = list(RECORDS[1:])
    at = dice.randrange(len(records))
    old = records[at]
    byte = dice.randrange(len(old)) if dice.random() < 0.5 else dice.randrange(min(330, len(old)))
    ways = [
        lambda: old[:byte] + bytes([old[byte] ^ 1 << dice.randrange(8)]) + old[byte + 1 :],
        lambda: old[:byte] + old[byte + 1 :],
        lambda: old[:byte] + bytes([dice.randrange(256)]) + old[byte:],
        lambda: old[:byte],
        lambda: old + bytes(dice.randrange(3)),
        lambda: records[dice.randrange(len(records))],
    ]
    records[at] = dice.choice(ways)()
    found, expected = stretch(records), by_the_rule(records)
    # Up to signatures, which nobody has verified yet: the rule stops at one that is wrong, a stretch goes on.
    assert len(found.digests) >= len(expected)
    cut = Stretch(
        digests=found.digests[: len(expected)],
        ids=found.ids[: len(expected)],
        signatures=found.signatures[: len(expected)],
        opens=[each for each in found.opens if each[0] < len(expected)],
        lacking=[each for each in found.lacking if each < len(expected)],
    )
    assert_is_what_the_rule_says(cut, expected)
    if len(found.digests) > len(expected):
        damaged = candidate_of(records[len(expected)], CHANNEL)
        assert isinstance(damaged, Candidate)
        assert FINDER.signed_by(damaged, OLD.certificate) is None
        assert damaged.digest == found.digests[len(expected)]


def test_a_rotation_an_opening_and_what_is_under_another_certificate_end_a_stretch() -> None:
    pen = Pen(CHANNEL, OLD)
    records = [pen.opened(), pen.sealed(), pen.rotated(NEW), pen.sealed()]
    assert len(stretch_of(records[1:], START, channel=CHANNEL, written_at=0).digests) == 1
    assert stretch([records[0]]).digests == []
    stranger = Pen(CHANNEL, NEW, sequence=1, previous=START.digest)
    assert stretch([stranger.sealed()]).digests == []


def test_a_part_that_is_not_the_signed_one_ends_a_stretch_and_a_missing_one_is_told() -> None:
    entry = decode_entry(RECORDS[1])
    for personal, expected in ((None, [0]), (b"another", None), (b"", None)):
        found = stretch([encode_entry(entry.statement_bytes, entry.signature, entry.raw_facts, personal)])
        assert found.lacking == (expected or [])
        assert len(found.digests) == (expected is not None)


def test_times_that_go_back_are_told_with_their_place() -> None:
    found = stretch_of(RECORDS[1:4], START, channel=CHANNEL, written_at=1_790_000_000_002)
    assert (found.late, found.latest) == ([0], 1_790_000_000_003)


def test_before_a_channel_is_opened_nothing_goes_on() -> None:
    with pytest.raises(ValueError, match="before a channel is opened"):
        stretch_of(RECORDS, FINDER.genesis, channel=CHANNEL, written_at=0)


def test_a_follower_goes_on_from_a_place_further_on_only_where_nothing_is_to_be_weighed() -> None:
    follower, _ = Follower.at(FINDER, load=list, holds=lambda _: False)
    follower.offer(RECORDS[:1])
    last = by_the_rule(RECORDS[1:4])[-1]
    after = START._replace(sequence=last.sequence, digest=last.digest)
    follower.go_on_from(after)
    assert [step.entry.statement.sequence for step in follower.offer(RECORDS[4:6]).new] == [5, 6]
    with pytest.raises(RuntimeError, match="has to be weighed"):
        follower.go_on_from(after)
    follower.offer([Pen(CHANNEL, OLD, sequence=90).sealed()])
    with pytest.raises(RuntimeError, match="has to be weighed"):
        follower.go_on_from(follower.place)


def test_what_a_caller_vouches_for_costs_no_signature_until_it_is_forgotten() -> None:
    finder = Pathfinder(channel=CHANNEL, root=ROOT, trust=trust())
    entry = decode_entry(RECORDS[1])
    unsigned = candidate_of(encode_entry(entry.statement_bytes, b"no signature", entry.raw_facts, None), CHANNEL)
    assert isinstance(unsigned, Candidate)
    assert finder.step(START, unsigned) is None
    finder.forget()
    finder.vouch(unsigned)
    assert finder.step(START, unsigned) is not None
    finder.forget()
    assert finder.step(START, unsigned) is None
