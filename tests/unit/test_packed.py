"""What a verification keeps of every entry says the same packed as a list and a set would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.packed import Digests, Ids
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
