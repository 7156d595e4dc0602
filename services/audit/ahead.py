"""Ahead: stretches of an archive that other processes prove before it is their turn, so that all processors work.

A rule of its own it is not. A worker reads a piece of a channel by itself, takes from the claim of its first entry where the
chain has come to by then, and says what plainly goes on from there (``stretches``) and whether the signatures are valid under the
certificate that is current. Whoever reads in order takes that only if the place that was claimed is the one that was reached;
whatever is anything else is read and judged there, as ever.
Source: docs/adr/0031-a-stretch-is-proved-the-rest-is-judged.md.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from services.audit.archive_checking import archive_findings
from services.audit.archive_reading import ArchiveChannel
from services.audit.report import Finding
from services.audit.signatures import Signatures, are_signed
from services.audit.stretches import Stretch, stretch_of
from services.audit.workers import Workers
from services.wire.certificates import Certificate, parse_leaf
from services.wire.entry import Statement, decode_statement, split_entry
from services.wire.errors import MalformedError, TransportError, VerificationError
from services.wire.hashing import Digest, digest_of
from services.wire.paths import Place

__all__ = ["Ahead", "Proved"]

_PIECE_BYTES: Final = 1024 * 1024
_AHEAD_OF_EACH: Final = 2
_DIGEST_BYTES: Final = 32
_ID_BYTES: Final = 16
# Below this a process costs more than it saves: it has to be started, and reads the program first.
_WORTH_IT: Final = {Signatures.NEWEST: 200_000, Signatures.EACH: 10_000}


class Proved(NamedTuple):
    """A piece of a channel that plainly goes on from a place which its first entry claims.

    ``signer`` is H of the certificate that its signatures were verified under; ``written_at`` is the time of its first entry,
    ``last`` H of its last record in hexadecimal. ``rest`` is its stretch but for digests and ids, which are packed: many small
    values cost more on their way from one process to another.
    """

    signer: Digest
    epoch: int
    sequence: int
    previous: Digest
    written_at: int
    last: str
    digests: bytes
    ids: bytes
    rest: Stretch

    @property
    def records(self) -> int:
        """How many entries it has."""
        return len(self.digests) // _DIGEST_BYTES

    def stretch(self) -> Stretch:
        """Return what was proved."""
        return replace(self.rest, digests=_split(self.digests, _DIGEST_BYTES), ids=_split(self.ids, _ID_BYTES))


@dataclass(slots=True)
class Ahead:
    """Proves pieces of the archive in a folder in ``count`` processes; use it in a ``with``. Nothing starts until it is worth it.

    ``least`` is how many records a channel must have for that, by default so many that it is; ``records`` how many a piece has at
    most, if a block does not have more. ``tell`` is told of records that were proved and taken, as a progress bar is. ``workers``
    gives what proves them, for a count.
    """

    folder: Path
    signatures: Signatures
    count: int = field(default_factory=lambda: os.cpu_count() or 1)
    least: int | None = None
    records: int = 1000
    tell: Callable[[int, int], None] = lambda _done, _more: None
    workers: Callable[[int], Executor] = Workers
    _pool: Executor | None = None
    _files: Future[list[Finding] | None] | None = None

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes, if there are any."""
        if self._pool is not None:
            # One whose thread could not be started has nothing to wait for.
            with suppress(RuntimeError):
                self._pool.shutdown(cancel_futures=True)

    def pieces(self, channel: str, position: int) -> list[tuple[int, int]]:
        """Return the pieces of a channel from a position on, as first position and the one behind; none if it is not worth it."""
        pieces = ArchiveChannel(self.folder).pieces(channel, position, records=self.records, size_bytes=_PIECE_BYTES)
        records = pieces[-1][1] - position if pieces else 0
        least = _WORTH_IT[self.signatures] if self.least is None else self.least
        return pieces if self.count > 1 and records >= least else []

    def proved(
        self, channel: str, pieces: list[tuple[int, int]], place: Callable[[], Place]
    ) -> Iterator[tuple[int, int, Proved | None]]:
        """Yield each piece with what was proved of it, None where nothing was; ``place`` gives what was reached so far."""
        left, waiting = deque(pieces), deque[tuple[int, int, Future[Proved | None] | None]]()
        while left or waiting:
            certificate = place().certificate
            # Before the channel is opened nobody can say under whose certificate it goes on.
            most = 1 if certificate is None else _AHEAD_OF_EACH * self.count
            while left and len(waiting) < most:
                start, stop = left.popleft()
                waiting.append((start, stop, self._asked(channel, start, stop, certificate)))
            start, stop, future = waiting.popleft()
            yield start, stop, self._told(future)

    def files(self) -> list[Finding]:
        """Return what the archive's files themselves show, as ``archive_findings``, which a worker may have looked for."""
        try:
            found = self._files.result() if self._files is not None else None
        except BrokenExecutor:
            found = None
        return found if found is not None else archive_findings(self.folder)

    def _asked(self, channel: str, start: int, stop: int, certificate: Certificate | None) -> Future[Proved | None] | None:
        if certificate is None or self.count < 2:  # noqa: PLR2004  # one processor is this one
            return None
        try:
            if self._pool is None:
                self._pool = self.workers(self.count)
                self._files = self._pool.submit(_look_at_files, self.folder)
            return self._pool.submit(_prove, self.folder, channel, (start, stop), certificate.der, self.signatures)
        except (OSError, RuntimeError):
            # No process or no thread can be started, or somebody ended one: all is read here.
            self.count = 1
            return None

    def _told(self, future: Future[Proved | None] | None) -> Proved | None:
        try:
            return future.result() if future is not None else None
        except BrokenExecutor:
            # Somebody ended a worker: all is read here.
            self.count = 1
            return None


def _prove(folder: Path, channel: str, piece: tuple[int, int], certificate: bytes, signatures: Signatures) -> Proved | None:
    """Return what plainly goes on in a piece, if all of it does; in a worker."""
    start, stop = piece
    try:
        found = _log(folder).poll({channel: start}, timeout_seconds=0, limit=stop - start)
        records = [each.value for each in found if each.position < stop]
        first: Statement = decode_statement(split_entry(records[0])[0])
    except (TransportError, MalformedError, IndexError):
        return None
    leaf = _leaf(certificate)
    place = Place(first.epoch, first.sequence - 1, first.previous, (leaf,))
    stretch = stretch_of(records, place, channel=channel, written_at=0)
    if len(stretch.digests) != len(records) or not are_signed(leaf.public_key, stretch, signatures):
        return None
    return Proved(
        signer=leaf.digest,
        epoch=place.epoch,
        sequence=place.sequence,
        previous=place.digest,
        written_at=first.written_at,
        last=digest_of(records[-1]).hex(),
        digests=b"".join(stretch.digests),
        ids=b"".join(stretch.ids),
        # Signatures were verified, and nobody needs them any more.
        rest=replace(stretch, digests=[], ids=[], signatures=[]),
    )


def _split(data: bytes, size: int) -> list[Any]:
    # Values of one size; to name each a digest or an id would cost a call each.
    return [data[at : at + size] for at in range(0, len(data), size)]


def _look_at_files(folder: Path) -> list[Finding] | None:
    try:
        return archive_findings(folder)
    except (TransportError, VerificationError):
        # It is looked for again where it can be told.
        return None


@lru_cache(maxsize=1)
def _log(folder: Path) -> ArchiveChannel:
    return ArchiveChannel(folder)


@lru_cache(maxsize=16)
def _leaf(der: bytes) -> Certificate:
    return parse_leaf(der)
