"""Packed: what a verification keeps of every entry: its digest, in as few bytes as it has, and its event id.

A channel may have millions of entries. A list of digests would take three times the room.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from services.wire.hashing import Digest, Id

__all__ = ["DigestSet", "Digests", "Ids"]

_DIGEST_BYTES = 32
_SHELVES = 64
_ON_A_SHELF = 64
_MORE_SHELVES = 4


class Digests(Sequence[Digest]):
    """The digests of a channel's taken entries in their order; grows at its end alone."""

    __slots__ = ("_data",)

    def __init__(self, digests: Iterable[Digest] = ()) -> None:
        self._data = bytearray(b"".join(digests))

    def append(self, digest: Digest) -> None:
        """Add one."""
        self._data += digest

    def extend(self, digests: Iterable[Digest]) -> None:
        """Add many."""
        self._data += b"".join(digests)

    def __len__(self) -> int:
        return len(self._data) // _DIGEST_BYTES

    @overload
    def __getitem__(self, index: int) -> Digest: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Digest]: ...

    def __getitem__(self, index: int | slice) -> Digest | Sequence[Digest]:
        if isinstance(index, slice):
            return [self._at(each) for each in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(index)
        return self._at(place)

    def _at(self, place: int) -> Digest:
        return Digest(bytes(self._data[place * _DIGEST_BYTES : (place + 1) * _DIGEST_BYTES]))


class DigestSet:
    """Digests of which it is asked whether they are among them: each takes some 40 bytes, where one in a set takes 110.

    Bytes are hashed under a key that each process draws: nobody can write entries whose digests all stand on one shelf.
    """

    __slots__ = ("_count", "_shelves")

    def __init__(self, digests: Iterable[Digest] = ()) -> None:
        self._count, self._shelves = 0, [bytearray() for _ in range(_SHELVES)]
        for each in digests:
            self.add(each)

    def add(self, digest: Digest) -> None:
        """Add one, if it is not among them: one that is written a thousand times stands here once."""
        shelf = self._shelf_of(digest)
        if not _stands_in(shelf, digest):
            shelf += digest
            self._count += 1
            if self._count > _ON_A_SHELF * len(self._shelves):
                self._spread()

    def _spread(self) -> None:
        """Put all on more shelves: each question looks through one of them, however many digests there are."""
        old, self._shelves = self._shelves, [bytearray() for _ in range(_MORE_SHELVES * len(self._shelves))]
        while old:
            shelf = bytes(old.pop())
            for at in range(0, len(shelf), _DIGEST_BYTES):
                each = Digest(shelf[at : at + _DIGEST_BYTES])
                self._shelf_of(each).extend(each)

    def __contains__(self, digest: Digest) -> bool:
        return _stands_in(self._shelf_of(digest), digest)

    def _shelf_of(self, digest: Digest) -> bytearray:
        return self._shelves[hash(digest) % len(self._shelves)]


def _stands_in(shelf: bytearray, digest: Digest) -> bool:
    at = shelf.find(digest)
    while at % _DIGEST_BYTES and at >= 0:
        # The end of one and the beginning of the next, which whoever is asking may have chosen.
        at = shelf.find(digest, at + 1)
    return at >= 0


class Ids:
    """The event ids of a channel, each once. Writers draw them at random, so nothing smaller than a set tells them apart."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: set[Id] = set()

    def repeated(self, ids: Sequence[Id]) -> set[int]:
        """Add ids, and return the indexes of those that were there already, or stand in ``ids`` before."""
        known, before = self._known, len(self._known)
        if known.isdisjoint(ids):
            known.update(ids)
            if len(known) == before + len(ids):
                return set()
            known.difference_update(ids)
        return {index for index, each in enumerate(ids) if not self._add(each)}

    def _add(self, each: Id) -> bool:
        before = len(self._known)
        self._known.add(each)
        return len(self._known) > before

    def __contains__(self, each: Id) -> bool:
        return each in self._known

    def __iter__(self) -> Iterator[Id]:
        return iter(self._known)
