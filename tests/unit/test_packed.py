"""What a verification keeps of every entry says the same packed as a list and a set would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.packed import Digests, DigestSet, Ids
from services.wire.hashing import Digest, Id, digest_of

BATCHES = st.lists(st.lists(st.integers(min_value=0, max_value=40).map(lambda each: Id(each.to_bytes(16, "big"))), max_size=8))


@given(BATCHES)
def test_ids_know_which_stood_there_before_in_whatever_order_they_come(batches: list[list[Id]]) -> None:
    ids, known = Ids(), set[Id]()
    for batch in batches:
        expected = set()
        for index, each in enumerate(batch):
            if each in known:
                expected.add(index)
            known.add(each)
        assert ids.repeated(batch) == expected
    assert sorted(ids) == sorted(known)
    assert all(each in ids for each in known)
    assert Id(bytes([255] * 16)) not in ids


@given(st.lists(st.binary(max_size=3).map(digest_of), max_size=9), st.integers(-12, 12), st.integers(-12, 12))
def test_digests_are_read_as_from_a_list(digests: list[Digest], one: int, other: int) -> None:
    packed = Digests(digests[:2])
    packed.extend(digests[2:5])
    for each in digests[5:]:
        packed.append(each)
    assert (list(packed), len(packed), bool(packed)) == (digests, len(digests), bool(digests))
    assert list(packed[one:other]) == digests[one:other]
    if -len(digests) <= one < len(digests):
        assert packed[one] == digests[one]
    else:
        with pytest.raises(IndexError):
            packed[one]


@given(st.sets(st.binary(max_size=2).map(digest_of), max_size=300))
def test_a_set_of_digests_knows_its_own_and_no_other(digests: set[Digest]) -> None:
    packed = DigestSet(digests)
    assert all(each in packed for each in digests)
    assert not any(digest_of(bytes([number] * 3)) in packed for number in range(20))


def test_a_set_of_digests_that_is_put_on_more_shelves_as_it_grows_still_knows_its_own_once_and_no_other() -> None:
    digests = [digest_of(number.to_bytes(4, "big")) for number in range(20_000)]
    packed = DigestSet(digests)
    for each in digests:
        packed.add(each)
    assert all(each in packed for each in digests)
    assert not any(digest_of(number.to_bytes(5, "big")) in packed for number in range(20_000))
    shelves = packed._shelves  # noqa: SLF001  # each digest stands there once, and on no shelf are many
    assert sum(map(len, shelves)) == 32 * len(digests)
    assert max(map(len, shelves)) < 32 * 200


def test_the_end_of_one_digest_and_the_beginning_of_the_next_are_no_digest() -> None:
    """A writer can name what he likes, and what stands beside each other in memory is no event."""
    start = b"ab"
    one, other = Digest(start + b"1" * 10 + start + b"2" * 18), Digest(start + b"3" * 30)
    across = Digest((one + other)[12:44])
    packed = DigestSet([one, other])
    assert across[:2] == start
    assert across not in packed
    packed.add(across)
    assert across in packed
