"""Merkle trees of RFC 9162, section 2.1: roots, a frontier to append to, and proofs of inclusion and of consistency.

Decides nothing about what is in a leaf. A proof that verifies shows that a leaf is in the tree of a root, or that a tree begins
with all of another; it does not show who stands behind either root.
Source: RFC 9162 sections 2.1.1 to 2.1.4; schemas/README.md, "Checkpoints".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.wire.errors import Evidence, ProofError
from services.wire.hashing import Digest, digest_of

__all__ = [
    "EMPTY_ROOT",
    "Frontier",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "root_of",
    "verify_consistency",
    "verify_inclusion",
]

EMPTY_ROOT: Final = digest_of(b"")


def leaf_hash(data: bytes) -> Digest:
    """Return the hash of a leaf: H(00 | data)."""
    return digest_of(b"\x00" + data)


def _node(left: bytes, right: bytes) -> Digest:
    return digest_of(b"\x01" + left + right)


@dataclass(slots=True)
class Frontier:
    """A tree that grows at its end, kept as the roots of its full subtrees: as many as its size has bits set."""

    size: int = 0
    roots: list[Digest] = field(default_factory=list)

    def append(self, leaf: Digest) -> None:
        """Add the hash of a leaf."""
        # Each bit at the end of the size that is set is a full subtree as large as what has just been made: they become one.
        size, made = self.size, leaf
        while size & 1:
            made, size = _node(self.roots.pop(), made), size >> 1
        self.roots.append(made)
        self.size += 1

    @property
    def root(self) -> Digest:
        """The root of all that was added."""
        if not self.roots:
            return EMPTY_ROOT
        *before, found = self.roots
        for each in reversed(before):
            found = _node(each, found)
        return found


def root_of(leaves: Iterable[Digest]) -> Digest:
    """Return the root of a tree over hashes of leaves."""
    tree = Frontier()
    for each in leaves:
        tree.append(each)
    return tree.root


def inclusion_proof(leaves: Sequence[Digest], index: int) -> tuple[Digest, ...]:
    """Return the hashes beside the way from a leaf to the root, from below. Raises: ValueError if there is no such leaf."""
    if not 0 <= index < len(leaves):
        raise ValueError("a proof is of a leaf that is there")
    path: list[Digest] = []
    low, high = 0, len(leaves)
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(root_of(leaves[middle:high]))
            high = middle
        else:
            path.append(root_of(leaves[low:middle]))
            low = middle
    return tuple(reversed(path))


def consistency_proof(leaves: Sequence[Digest], size: int) -> tuple[Digest, ...]:
    """Return the proof that the tree over the first ``size`` leaves is how this one begins; empty where they are one.

    Raises: ValueError if ``size`` is not from 1 to the number of leaves.
    """
    if not 0 < size <= len(leaves):
        raise ValueError("a tree is consistent with one that is not empty and not larger")
    path: list[Digest] = []
    low, high, is_whole = 0, len(leaves), True
    while low + size != high:
        middle = low + _split(high - low)
        if low + size <= middle:
            path.append(root_of(leaves[middle:high]))
            high = middle
        else:
            path.append(root_of(leaves[low:middle]))
            low, size, is_whole = middle, size - (middle - low), False
    if not is_whole:
        path.append(root_of(leaves[low:high]))
    return tuple(reversed(path))


def verify_inclusion(root: Digest, size: int, leaf: Digest, index: int, proof: Sequence[Digest]) -> None:
    """Return if a leaf stands at ``index`` in the tree of ``size`` leaves that has this root (RFC 9162, 2.1.3.2).

    Raises: ProofError.
    """
    if not 0 <= index < size:
        raise ProofError("the proof names a leaf beyond the end of its tree")
    found = leaf
    for each, is_left in _beside(index, size - 1, proof):
        found = _node(each, found) if is_left else _node(found, each)
    if found != root:
        raise _differs("the proof leads to another root", expected=root, found=found)


def verify_consistency(first: tuple[int, Digest], second: tuple[int, Digest], proof: Sequence[Digest]) -> None:
    """Return if the tree of ``second`` (size, root) begins with the whole of ``first`` (RFC 9162, 2.1.4.2).

    Raises: ProofError.
    """
    (size, root), (larger, newer) = first, second
    if not 0 < size <= larger:
        raise ProofError("the older tree is empty or larger than the newer one")
    if size == larger:
        if proof or root != newer:
            raise _differs("two trees of one size have other roots", expected=root, found=newer)
        return
    # A full tree is itself the first of the hashes; the proof leaves it out.
    start, *rest = (root, *proof) if size & (size - 1) == 0 else (proof or (EMPTY_ROOT,))
    at, last = size - 1, larger - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = start
    for each, is_left in _beside(at, last, rest):
        old, new = (_node(each, old), _node(each, new)) if is_left else (old, _node(new, each))
    if old != root:
        raise _differs("the proof leads to another older root", expected=root, found=old)
    if new != newer:
        raise _differs("the proof leads to another newer root", expected=newer, found=new)


def _beside(at: int, last: int, proof: Sequence[Digest]) -> Iterator[tuple[Digest, bool]]:
    """Yield the hashes beside the way from a place up to the root, and whether each stands left of it.

    Raises: ProofError if they end elsewhere than at the root.
    """
    for each in proof:
        if last == 0:
            raise ProofError("the proof goes on above the root")
        is_left = bool(at & 1) or at == last
        while is_left and not at & 1 and at:
            at, last = at >> 1, last >> 1
        yield each, is_left
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the proof ends below the root")


def _differs(message: str, *, expected: Digest, found: Digest) -> ProofError:
    return ProofError(message, Evidence(expected=expected.hex(), found=found.hex()))


def _split(count: int) -> int:
    """Return the largest power of two that is smaller than a number of leaves."""
    return 1 << (count - 1).bit_length() - 1
