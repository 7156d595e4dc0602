"""Packed: what a verification keeps of every entry, in as few bytes as it has: its digest, and its event id.

A channel may have millions of entries. A list of digests and a set of ids would take five times the room.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from operator import lt
from typing import overload

from services.wire.hashing import Digest, Id

__all__ = ["Digests", "Ids"]

_DIGEST_BYTES = 32
_ID_BYTES = 16


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


class Ids:
    """The event ids of a channel, each once.

    Writers take ids that grow with time. So most are larger than all before, and stand packed in their order; only the others
    need a set. Whoever takes ids of another kind costs more room, and is told nothing else.
    """

    __slots__ = ("_others", "_rising")

    def __init__(self) -> None:
        self._rising = _Rising()
        self._others: set[Id] = set()

    def repeated(self, ids: Sequence[Id]) -> set[int]:
        """Add ids, and return the indexes of those that were there already, or stand in ``ids`` before."""
        if not ids:
            return set()
        is_larger = not len(self._rising) or ids[0] > self._rising[-1]
        if is_larger and all(map(lt, ids, ids[1:])) and self._others.isdisjoint(ids):
            self._rising.extend(ids)
            return set()
        return {index for index, each in enumerate(ids) if not self._add(each)}

    def _add(self, each: Id) -> bool:
        if each in self:
            return False
        if not len(self._rising) or each > self._rising[-1]:
            self._rising.extend([each])
        else:
            self._others.add(each)
        return True

    def __contains__(self, each: Id) -> bool:
        if each in self._others:
            return True
        place = bisect_left(self._rising, each)
        return place < len(self._rising) and self._rising[place] == each

    def __iter__(self) -> Iterator[Id]:
        yield from self._rising
        yield from self._others


class _Rising(Sequence[Id]):
    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    def extend(self, ids: Iterable[Id]) -> None:
        self._data += b"".join(ids)

    def __len__(self) -> int:
        return len(self._data) // _ID_BYTES

    @overload
    def __getitem__(self, index: int) -> Id: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Id]: ...

    def __getitem__(self, index: int | slice) -> Id | Sequence[Id]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(index)
        return Id(bytes(self._data[place * _ID_BYTES : (place + 1) * _ID_BYTES]))
