"""The trees of RFC 9162: against the vectors of Certificate Transparency's reference code, and against a naive definition."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.audit.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from services.wire.errors import ProofError
from services.wire.hashing import Digest, digest_of

# github.com/google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc: eight inputs, their roots, and proofs.
INPUTS: Final = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS: Final = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Leaf (counted from 1), size of the tree, path.
INCLUSIONS: Final = [
    (1, 1, ""),
    (
        1,
        8,
        (
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
            " 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
            " 6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
        ),
    ),
    (
        6,
        8,
        (
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
            " ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
            " d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
        ),
    ),
    (3, 3, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    (
        2,
        5,
        (
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
            " 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
            " bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
        ),
    ),
]
# Size of the older tree, size of the newer one, path.
CONSISTENCIES: Final = [
    (1, 1, ""),
    (
        1,
        8,
        (
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
            " 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
            " 6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
        ),
    ),
    (
        6,
        8,
        (
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
            " ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
            " d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
        ),
    ),
    (
        2,
        5,
        (
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
            " bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
        ),
    ),
]
LEAVES: Final = [leaf_hash(each) for each in INPUTS]
SIZES: Final = st.integers(min_value=1, max_value=70)


def path(text: str) -> tuple[Digest, ...]:
    return tuple(Digest(bytes.fromhex(each)) for each in text.split())


def leaves_of(size: int) -> list[Digest]:
    return [leaf_hash(digest_of(str(number).encode())) for number in range(size)]


def naive(leaves: list[Digest]) -> Digest:
    """Return the root as RFC 9162, 2.1.1 defines it: the largest power of two smaller than n, and two halves."""
    if not leaves:
        return digest_of(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = next(2**power for power in range(100) if 2**power * 2 >= len(leaves))
    return digest_of(b"\x01" + naive(leaves[:split]) + naive(leaves[split:]))


def naive_inclusion(leaves: list[Digest], index: int) -> list[Digest]:
    if len(leaves) == 1:
        return []
    split = next(2**power for power in range(100) if 2**power * 2 >= len(leaves))
    if index < split:
        return [*naive_inclusion(leaves[:split], index), naive(leaves[split:])]
    return [*naive_inclusion(leaves[split:], index - split), naive(leaves[:split])]


def naive_consistency(leaves: list[Digest], size: int, *, is_whole: bool = True) -> list[Digest]:
    if size == len(leaves):
        return [] if is_whole else [naive(leaves)]
    split = next(2**power for power in range(100) if 2**power * 2 >= len(leaves))
    if size <= split:
        return [*naive_consistency(leaves[:split], size, is_whole=is_whole), naive(leaves[split:])]
    return [*naive_consistency(leaves[split:], size - split, is_whole=False), naive(leaves[:split])]


def test_the_roots_are_those_of_certificate_transparency() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [root_of(LEAVES[: size + 1]).hex() for size in range(8)] == ROOTS


@pytest.mark.parametrize(("leaf", "size", "told"), INCLUSIONS)
def test_proofs_of_inclusion_are_those_of_certificate_transparency(leaf: int, size: int, told: str) -> None:
    assert inclusion_proof(LEAVES[:size], leaf - 1) == path(told)
    verify_inclusion(Digest(bytes.fromhex(ROOTS[size - 1])), size, LEAVES[leaf - 1], leaf - 1, path(told))


@pytest.mark.parametrize(("older", "newer", "told"), CONSISTENCIES)
def test_proofs_of_consistency_are_those_of_certificate_transparency(older: int, newer: int, told: str) -> None:
    assert consistency_proof(LEAVES[:newer], older) == path(told)
    first, second = ((size, Digest(bytes.fromhex(ROOTS[size - 1]))) for size in (older, newer))
    verify_consistency(first, second, path(told))


@given(SIZES)
def test_a_frontier_has_the_root_of_the_naive_definition_at_each_size(size: int) -> None:
    leaves, tree = leaves_of(size), Frontier()
    assert tree.root == EMPTY_ROOT
    for number, leaf in enumerate(leaves, start=1):
        tree.append(leaf)
        assert (tree.size, tree.root) == (number, naive(leaves[:number]))
    # It can be put away and taken up again with what it holds.
    assert Frontier(size, list(tree.roots)).root == tree.root
    assert len(tree.roots) == size.bit_count()


@given(SIZES, st.data())
def test_each_leaf_has_the_proof_of_the_naive_definition_and_no_other_place_has(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    proof = inclusion_proof(leaves, index)
    assert list(proof) == naive_inclusion(leaves, index)
    verify_inclusion(naive(leaves), size, leaves[index], index, proof)
    for other in {0, index ^ 1, size - 1, size, -1} - {index}:
        with pytest.raises(ProofError):
            verify_inclusion(naive(leaves), size, leaves[index], other, proof)


@given(SIZES, st.data())
def test_each_size_has_the_consistency_proof_of_the_naive_definition(size: int, data: st.DataObject) -> None:
    older = data.draw(st.integers(1, size))
    leaves = leaves_of(size)
    proof = consistency_proof(leaves, older)
    assert list(proof) == naive_consistency(leaves, older)
    verify_consistency((older, naive(leaves[:older])), (size, naive(leaves)), proof)


@given(SIZES, st.data())
@settings(max_examples=200)
def test_nothing_changed_about_a_proof_still_verifies(size: int, data: st.DataObject) -> None:
    leaves, older = leaves_of(size), data.draw(st.integers(1, size))
    index = data.draw(st.integers(0, size - 1))
    inclusion, consistency = list(inclusion_proof(leaves, index)), list(consistency_proof(leaves, older))
    old, new = (older, naive(leaves[:older])), (size, naive(leaves))
    for proof in changed(inclusion, data):
        with pytest.raises(ProofError):
            verify_inclusion(naive(leaves), size, leaves[index], index, proof)
    for proof in changed(consistency, data):
        with pytest.raises(ProofError):
            verify_consistency(old, new, proof)
    stranger = digest_of(b"another tree")
    with pytest.raises(ProofError):
        verify_inclusion(stranger, size, leaves[index], index, inclusion)
    with pytest.raises(ProofError):
        verify_consistency((older, stranger), new, consistency)
    with pytest.raises(ProofError):
        verify_consistency(old, (size, stranger), consistency)


def changed(proof: list[Digest], data: st.DataObject) -> list[list[Digest]]:
    """Return a proof longer, shorter, with one hash flipped, and with two exchanged."""
    more = [[*proof, digest_of(b"more")], [digest_of(b"more"), *proof]]
    if not proof:
        return more
    place = data.draw(st.integers(0, len(proof) - 1))
    flipped = [*proof]
    flipped[place] = Digest(bytes([flipped[place][0] ^ 1]) + flipped[place][1:])
    more += [proof[:-1], proof[1:], flipped]
    exchanged = [[*proof[:at], second, first, *proof[at + 2 :]] for at, (first, second) in enumerate(pairwise(proof))]
    return more + exchanged[:1]


def test_a_tree_with_nothing_in_it_is_part_of_no_proof() -> None:
    for size in (0, 3):
        with pytest.raises(ValueError, match="consistent"):
            consistency_proof(LEAVES[:2], size)
        with pytest.raises(ProofError, match="empty or larger"):
            verify_consistency((size, EMPTY_ROOT), (2, root_of(LEAVES[:2])), ())
    for index in (-1, 2):
        with pytest.raises(ValueError, match="that is there"):
            inclusion_proof(LEAVES[:2], index)
