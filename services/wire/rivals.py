"""Rivals: what follows beside a taken chain, and whether it could change what is taken.

Decides it for one entry at a time, from a few bytes an entry that are kept of the chain: a thief with a replaced key can sign
any number of entries at old places, and none of them must make the whole channel be judged again. What is not plainly
without effect is left to ``reading``.
Source: schemas/README.md, "The reading rule", steps 3 to 5.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.wire.aside import Aside
from services.wire.candidates import Candidate
from services.wire.channels import TRUST_CHANNEL
from services.wire.hashing import DIGEST_BYTES, Digest
from services.wire.paths import Pathfinder, Place, Step
from services.wire.reading import Reading

__all__ = ["Branch", "Rivals"]


class Branch(NamedTuple):
    """An entry that follows beside the taken chain: the place after it, and whose key signed where the branch begins."""

    place: Place
    key: Digest


@dataclass(slots=True)
class _Past:
    """Where a taken chain has been: what was current at each place of it, and who signed on; 32 bytes an entry.

    With it an entry at an old place is judged alone, and what is held is not read again for it.
    """

    genesis: Place
    _digests: bytearray = field(default_factory=bytearray)
    _turns: list[Place] = field(default_factory=list)
    _signers: list[tuple[int, Digest]] = field(default_factory=list)

    def extend(self, steps: Iterable[Step]) -> None:
        """Go on by the steps that were taken."""
        for step in steps:
            place = step.place
            self._digests += place.digest
            if not self._turns or (self._turns[-1].epoch, self._turns[-1].certificates) != (place.epoch, place.certificates):
                self._turns.append(place)
            if not self._signers or self._signers[-1][1] != step.signer.key_digest:
                self._signers.append((place.sequence, step.signer.key_digest))

    @property
    def length(self) -> int:
        """How many entries were taken."""
        return len(self._digests) // DIGEST_BYTES

    def at(self, sequence: int) -> Digest | None:
        """Return the digest of the entry that was taken at a place, None if none was."""
        if not 1 <= sequence <= self.length:
            return None
        return Digest(bytes(self._digests[(sequence - 1) * DIGEST_BYTES : sequence * DIGEST_BYTES]))

    def place(self, sequence: int) -> Place:
        """Return the place after the entry of that sequence, the genesis for 0. ``revoked`` is left empty."""
        digest = self.at(sequence)
        if digest is None:
            return self.genesis
        turn = self._turns[bisect_right(self._turns, sequence, key=lambda each: each.sequence) - 1]
        return Place(epoch=turn.epoch, sequence=sequence, digest=digest, certificates=turn.certificates)

    def is_vouched_for(self, sequence: int, revoked: Iterable[Digest]) -> bool:
        """Tell whether the chain after the entry of that sequence reaches one signed by another, unrevoked key."""
        index = bisect_right(self._signers, sequence, key=lambda each: each[0])
        own = self._signers[index - 1][1]
        return any(key != own and key not in revoked for _, key in self._signers[index:])


@dataclass(slots=True)
class Rivals:
    """The ``branches`` beside one taken chain by digest, and the ``past`` of that chain."""

    past: _Past
    branches: dict[Digest, Branch] = field(default_factory=dict)

    @classmethod
    def of(cls, pathfinder: Pathfinder, reading: Reading, candidates: Mapping[Digest, Candidate]) -> Rivals:
        """Return those of a reading of ``candidates``."""
        rivals = cls(_Past(pathfinder.genesis))
        rivals.past.extend(reading.steps)
        # From the lowest on, so that each finds the one it follows.
        for digest in sorted(reading.branches, key=lambda each: candidates[each].sequence):
            branch = rivals._branch(pathfinder, candidates[digest])
            if branch is not None:
                rivals.branches[digest] = branch
        return rivals

    def grow(self, pathfinder: Pathfinder, aside: Aside, digest: Digest) -> bool:
        """Note a genuine candidate that is set aside, and what follows it there, as branches where they follow.

        Return whether one of them could change what is taken; then the reading has to be made anew.
        """
        waiting = [digest]
        while waiting:
            candidate = aside.genuine[waiting.pop()]
            branch = self._branch(pathfinder, candidate)
            if branch is None:
                continue
            if not self._is_moot(pathfinder, candidate, branch):
                return True
            self.branches[candidate.digest] = branch
            waiting += aside.after.get(candidate.digest, ())
        return False

    def _branch(self, pathfinder: Pathfinder, candidate: Candidate) -> Branch | None:
        """Return the branch that a candidate begins or goes on with; None if it follows nowhere, whoever signed it."""
        statement = candidate.unverified_statement
        before = self.branches.get(statement.previous)
        if before is None and statement.sequence > self.past.length:
            return None
        step = pathfinder.step(before.place if before else self.past.place(statement.sequence - 1), candidate)
        return step and Branch(place=step.place, key=before.key if before else step.signer.key_digest)

    def _is_moot(self, pathfinder: Pathfinder, candidate: Candidate, branch: Branch) -> bool:
        """Tell whether a branch leaves what is taken as it is.

        So it is where the taken chain reaches another key from there and the branch does not, or where an epoch decided.
        """
        if pathfinder.channel == TRUST_CHANNEL:
            # There each branch is judged under the revocations that it carries.
            return False
        statement, revoked = candidate.unverified_statement, pathfinder.trust.revoked
        if statement.previous in self.branches:
            signer = next(each for each in branch.place.certificates if each.digest == statement.certificate)
            return signer.key_digest == branch.key or signer.key_digest in revoked
        last = pathfinder.epochs[-1] if pathfinder.epochs else None
        if last is not None and statement.sequence <= last.after_sequence:
            return True
        if last is not None and statement.sequence == last.after_sequence + 1 and statement.epoch != last.epoch:
            return True
        return self.past.is_vouched_for(statement.sequence, revoked)
