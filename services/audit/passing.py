"""Passing: what plainly goes on is proved linear and vouched for, and only the rest is judged.

``EACH``: every signature of a stretch is verified, in threads, so every entry stands alone. ``NEWEST``: only that of its last
entry, which vouches for the statements before it, since each names the one before; parts are hashed all the same. It does not
show a signature inside a stretch that somebody damaged: such an entry is what its writer said, and no longer proves it alone.
Where anything is unusual, and in ``registrar.trust`` always, nothing is passed over.
Source: design.md section 4, "Chain"; docs/adr/0031-a-stretch-is-proved-the-rest-is-judged.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from services.audit.ahead import Proved
from services.audit.signatures import Signatures, are_signed, is_signed
from services.audit.stretches import Stretch, stretch_of
from services.audit.watching import Watch
from services.wire.channels import TRUST_CHANNEL
from services.wire.following import Follower
from services.wire.paths import Place, Step

__all__ = ["Passing", "Signatures"]


class _Passed(NamedTuple):
    """How many records were passed over, and how many of those after them are to be judged together."""

    records: int
    judge: int


@dataclass(slots=True)
class Passing:
    """Passes over stretches of one log; signatures are verified in ``count`` threads."""

    signatures: Signatures
    threads: Executor
    count: int

    def rest(self, follower: Follower, watch: Watch, page: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
        """Pass over what plainly goes on, and yield what has to be judged, piece by piece, before the next is looked at."""
        at = 0
        while at < len(page):
            passed = self._passed(follower, watch, page, at)
            at += passed.records
            if passed.judge:
                yield page[at : at + passed.judge]
            at += passed.judge

    def may_pass(self, follower: Follower) -> bool:
        """Tell whether anything may be passed over where a channel is read now: nothing is to be weighed, no key is revoked."""
        certificate = follower.place.certificate
        if follower.pathfinder.channel == TRUST_CHANNEL or not follower.only_goes_on:
            return False
        return certificate is None or certificate.key_digest not in follower.pathfinder.trust.revoked

    def takes(self, follower: Follower, watch: Watch, proved: Proved) -> bool:
        """Take what another process proved, and tell whether it was taken: it has to go on from where the channel has come to."""
        place = follower.place
        if place.certificate is None or not self.may_pass(follower):
            return False
        reached = place.certificate.digest, place.epoch, place.sequence, place.digest
        # Which times lie before an earlier one was asked within the piece alone.
        if reached != (proved.signer, proved.epoch, proved.sequence, proved.previous) or proved.written_at < watch.written_at:
            return False
        stretch = proved.stretch()
        steps = _steps(follower, stretch)
        if steps is not None:
            watch.take_stretch(stretch, steps, place.epoch)
            follower.go_on_from(_after(place, stretch, len(stretch.digests)))
        return steps is not None

    def _passed(self, follower: Follower, watch: Watch, page: Sequence[bytes], at: int) -> _Passed:
        place, finder = follower.place, follower.pathfinder
        if not self.may_pass(follower):
            return _Passed(0, len(page) - at)
        if place.certificate is None:
            # What opens the channel, alone: the rest may plainly go on.
            return _Passed(0, 1)
        stretch = stretch_of(islice(page, at, None), place, channel=finder.channel, written_at=watch.written_at)
        if not stretch.digests:
            return _Passed(0, 1)
        steps = _steps(follower, stretch) if self._are_signed(place.certificate.public_key, stretch) else None
        if steps is None:
            return _Passed(0, len(stretch.digests))
        watch.take_stretch(stretch, steps, place.epoch)
        follower.go_on_from(_after(place, stretch, len(stretch.digests)))
        # What ended the stretch, if the page goes on.
        return _Passed(len(stretch.digests), int(at + len(stretch.digests) < len(page)))

    def _are_signed(self, key: ec.EllipticCurvePublicKey, stretch: Stretch) -> bool:
        if self.signatures is Signatures.NEWEST or self.count == 1:
            return are_signed(key, stretch, self.signatures)
        pairs = list(zip(stretch.digests, stretch.signatures, strict=True))
        shares = [pairs[start :: self.count] for start in range(self.count)]
        return all(self.threads.map(is_signed, [key] * self.count, shares))


def _steps(follower: Follower, stretch: Stretch) -> dict[int, Step] | None:
    """Return the steps of the open entries of a stretch, by index; None if one would not be taken after all."""
    found: dict[int, Step] = {}
    for index, candidate in stretch.opens:
        follower.pathfinder.vouch(candidate)
        step = follower.pathfinder.step(_after(follower.place, stretch, index), candidate)
        if step is None:
            return None
        found[index] = step
    follower.pathfinder.forget()
    return found


def _after(place: Place, stretch: Stretch, count: int) -> Place:
    """Return the place after so many entries of a stretch that goes on from another place."""
    return place._replace(sequence=place.sequence + count, digest=stretch.digests[count - 1]) if count else place
