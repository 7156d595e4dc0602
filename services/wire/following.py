"""Following: the reading rule for somebody who reads on, batch by batch (the incremental form of ``reading``).

It gives what ``reading`` gives for all records so far. The common case, one candidate that follows the head under a key
that nobody revoked, costs one signature; whatever is unusual (a rival, a revocation, an epoch, a place that waits) is
judged by ``reading`` itself over what the caller holds and what is remembered here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from services.wire.candidates import Candidate, Junk, candidate_of, gather_found, merged
from services.wire.hashing import Digest
from services.wire.paths import Pathfinder, Place, Step
from services.wire.reading import Gap, Reading, ReadingState, find_gap, judge
from services.wire.trust import Trust

__all__ = ["REMEMBERED_LIMIT", "Follower", "Update"]

REMEMBERED_LIMIT: Final = 10_000
"""Candidates that do not follow yet and are kept; beyond it only genuine ones are, and ``is_overflowing`` says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What became of one batch. The caller stores ``new`` and ``healed`` before it offers more, or makes a new Follower.

    ``healed`` are candidates that the caller holds and that came now with a personal part. ``off_chain`` is the sequence of
    the first applied entry that is no longer taken: nothing more is taken until ``agree``.
    """

    new: tuple[Step, ...] = ()
    healed: tuple[Candidate, ...] = ()
    junk: tuple[Junk, ...] = ()
    off_chain: int | None = None


@dataclass(slots=True)
class Follower:
    """Follows one channel from ``place``, or from its beginning.

    ``load`` gives records that make everything the caller holds of this channel, taken or not any more; ``holds`` tells
    whether an entry of that digest is among it. ``place`` may be given where nothing the caller holds is off the chain.
    """

    pathfinder: Pathfinder
    load: Callable[[], Iterable[bytes]]
    holds: Callable[[Digest], bool]
    place: Place
    state: ReadingState = ReadingState.READING
    undecided: tuple[Step, ...] = ()
    only_epoch: int | None = None
    off_chain: int | None = None
    is_overflowing: bool = False
    keeps_parts: bool = True
    _remembered: dict[Digest, Candidate] = field(default_factory=dict)
    _after: dict[Digest, set[Digest]] = field(default_factory=dict)
    _branches: frozenset[Digest] = frozenset()
    _gap_judged: Gap | None = None
    _agreeable: Place = field(init=False)

    def __post_init__(self) -> None:
        self._agreeable = self.pathfinder.genesis

    @classmethod
    def at(
        cls,
        pathfinder: Pathfinder,
        *,
        load: Callable[[], Iterable[bytes]],
        holds: Callable[[Digest], bool],
        place: Place | None = None,
        is_usual: bool = False,
        keeps_parts: bool = True,
    ) -> tuple[Follower, Update]:
        """Return a follower that goes on after ``place``, the end of what was applied, and what it finds at once.

        ``is_usual`` says that the channel was being read, and that nothing held is off the chain; then nothing is read
        again, unless the registrar has revoked a key or opened an epoch meanwhile.
        """
        follower = cls(pathfinder, load, holds, place or pathfinder.genesis, keeps_parts=keeps_parts)
        at = follower.place
        revoked = {each.key_digest for each in at.certificates} & pathfinder.trust.revoked.keys()
        # Who gives no place may hold entries all the same: from the beginning everything held is judged again.
        plain = is_usual and place is not None and not revoked and at.epoch == len(pathfinder.epochs)
        return follower, (Update() if plain else follower._judged(()))

    @property
    def gap(self) -> Gap | None:
        """Return the lowest place ahead that genuinely exists and is not reached."""
        if self.off_chain is not None:
            return None
        if self.state is not ReadingState.READING:
            return self._gap_judged
        if not self._remembered:
            return None
        unreached = [each for digest, each in self._remembered.items() if digest not in self._branches]
        return find_gap(self.pathfinder, self.place, unreached, self.only_epoch)

    @property
    def agreeable(self) -> Place:
        """Return the end of what was applied and is still taken, while ``off_chain`` says that more was applied."""
        return self._agreeable

    @property
    def remembered(self) -> tuple[Candidate, ...]:
        """Return the candidates that are kept and do not follow."""
        return tuple(self._remembered.values())

    @property
    def remembers(self) -> int:
        """Return how many candidates are kept that do not follow yet: a reader that stops has to see them again."""
        return len(self._remembered)

    def offer(self, records: Iterable[bytes]) -> Update:
        """Return what a batch of records brings."""
        return self.offer_found(map(self._look, records))

    def offer_found(self, found: Iterable[Candidate | Junk]) -> Update:
        """Return what a batch of records brings that the caller has looked at by ``candidate_of`` already."""
        fresh, healed, junk = self._sorted(found)
        if not fresh:
            return Update(healed=healed, junk=junk, off_chain=self.off_chain)
        if self.state is not ReadingState.READING or self.only_epoch is not None or self.off_chain is not None:
            update = self._judged(junk)
        else:
            update = self._extended(fresh, junk)
        self._limit(fresh)
        self.pathfinder.forget()
        return Update(new=update.new, healed=healed, junk=junk, off_chain=update.off_chain)

    def retrust(self, trust: Trust) -> Update:
        """Return what a newer trust brings; a revocation or an epoch may reach back."""
        before = self.pathfinder
        self.pathfinder = before.under(trust)
        newly = trust.revoked.keys() - before.trust.revoked.keys()
        mine = {each.key_digest for each in self.place.certificates}
        usual = self.state is ReadingState.READING and self.off_chain is None and self.only_epoch is None
        touched = before.epochs != self.pathfinder.epochs or bool(newly & mine) or bool(newly and self._branches)
        if usual and not touched and not self._remembered:
            return Update()
        return self._judged(())

    def agree(self) -> Update:
        """Go on from the last applied entry that is still taken; the caller has marked those after it as voided."""
        if self.off_chain is None:
            raise RuntimeError("there is nothing to agree to")
        self.place = self._agreeable
        self.off_chain = None
        return self._judged(())

    def _look(self, record: bytes) -> Candidate | Junk:
        found = candidate_of(record, self.pathfinder.channel)
        return found.without_parts() if isinstance(found, Candidate) and not self.keeps_parts else found

    def _sorted(self, offered: Iterable[Candidate | Junk]) -> tuple[set[Digest], tuple[Candidate, ...], tuple[Junk, ...]]:
        fresh: set[Digest] = set()
        healed: dict[Digest, Candidate] = {}
        junk: list[Junk] = []
        for found in offered:
            if isinstance(found, Junk):
                junk.append(found)
                continue
            known = self._remembered.get(found.digest)
            if known is None and self.holds(found.digest):
                if found.personal is not None:
                    healed[found.digest] = found
                continue
            both = merged(known, found) if known else found
            if both is not known:
                self._remember(both)
                fresh.add(both.digest)
        return fresh, tuple(healed.values()), tuple(junk)

    def _remember(self, candidate: Candidate) -> None:
        self._remembered[candidate.digest] = candidate
        self._after.setdefault(candidate.unverified_statement.previous, set()).add(candidate.digest)

    def _extended(self, fresh: set[Digest], junk: tuple[Junk, ...]) -> Update:
        start, taken = self.place, []
        after, known, find = self._after, self._remembered, self.pathfinder.step
        while True:
            steps = [step for each in after.get(self.place.digest, ()) if (step := find(self.place, known[each])) is not None]
            if len(steps) != 1 or self._is_unusual(steps[0]):
                break
            taken.append(steps[0])
            self.place = steps[0].place
        rest = fresh - {step.entry.digest for step in taken}
        if not steps and not any(map(self._reaches_back, rest)):
            self._drop(taken)
            return Update(new=tuple(taken), junk=junk)
        self.place = start
        return self._judged(junk)

    def _is_unusual(self, step: Step) -> bool:
        key, revoked = step.signer.key_digest, step.place.revoked
        if key in self.pathfinder.trust.revoked or key in revoked:
            return True
        # The registrar revokes one of its own former keys: that reaches back to what the key once decided.
        newly = revoked and revoked - self.place.revoked
        return bool(newly) and any(each.key_digest in newly for each in self.place.certificates)

    def _reaches_back(self, digest: Digest) -> bool:
        """Tell whether a candidate could follow anywhere but at the head: a rival of something taken, or of a rival."""
        candidate = self._remembered[digest]
        statement = candidate.unverified_statement
        if statement.previous in self._branches:
            return True
        if statement.sequence > self.place.sequence:
            return False
        # Only what a writer itself signed can be a rival: junk that merely claims an old place costs no second look.
        if any(self.pathfinder.signed_by(candidate, each) is not None for each in self.place.certificates):
            return True
        return self.pathfinder.is_opening(candidate)

    def _judged(self, junk: tuple[Junk, ...]) -> Update:
        """Let ``reading`` judge everything held and remembered, and compare what was applied with what it takes."""
        held, _ = gather_found(map(self._look, self.load()))
        everything = dict(held)
        for digest, candidate in self._remembered.items():
            everything[digest] = merged(everything[digest], candidate) if digest in everything else candidate
        reading = judge(self.pathfinder, everything)
        self.state, self.undecided, self.only_epoch = reading.state, reading.undecided, reading.only_epoch
        self._branches, self._gap_judged = reading.branches, reading.gap
        applied = _chain(self.place, everything)
        common = _common(applied, reading)
        waits = common < len(applied)
        # Whatever is not handed out now has to be there when it is.
        kept = everything if waits else reading.left
        self._forget_all_but({digest: each for digest, each in kept.items() if digest not in held})
        if waits:
            # A reading that is shorter says nothing against what was applied, unless it says what stands there instead.
            self.off_chain = common + 1 if _contradicts(reading, common) else None
            if self.off_chain is not None:
                self._agreeable = reading.steps[common - 1].place if common else self.pathfinder.genesis
            return Update(junk=junk, off_chain=self.off_chain)
        self.off_chain = None
        new = reading.steps[common:]
        self.place = reading.place
        return Update(new=new, junk=junk)

    def _drop(self, taken: list[Step]) -> None:
        for step in taken:
            self._remembered.pop(step.entry.digest, None)
            rivals = self._after.get(step.entry.statement.previous)
            if rivals is not None:
                rivals.discard(step.entry.digest)
                if not rivals:
                    del self._after[step.entry.statement.previous]

    def _forget_all_but(self, kept: dict[Digest, Candidate]) -> None:
        self._remembered, self._after = {}, {}
        for candidate in kept.values():
            self._remember(candidate)

    def _limit(self, fresh: set[Digest]) -> None:
        if len(self._remembered) <= REMEMBERED_LIMIT:
            return
        # A flood of forgeries must not fill the memory; what is genuine is kept, and so bounded by what the writer signed.
        self.is_overflowing = True
        for digest in fresh & self._remembered.keys():
            candidate = self._remembered[digest]
            if not any(self.pathfinder.signed_by(candidate, each) is not None for each in self.place.certificates):
                del self._remembered[digest]
                self._after[candidate.unverified_statement.previous].discard(digest)


def _chain(place: Place, everything: dict[Digest, Candidate]) -> list[Digest]:
    """Return the digests from the first entry to ``place``, walking back."""
    digests: list[Digest] = []
    digest = place.digest
    while digest in everything:
        digests.append(digest)
        digest = everything[digest].unverified_statement.previous
    if len(digests) != place.sequence:
        raise RuntimeError(f"what was taken of this channel up to {place.sequence} is not all held any more")
    return digests[::-1]


def _common(applied: list[Digest], reading: Reading) -> int:
    pairs = zip(applied, reading.steps, strict=False)
    return next(
        (index for index, (mine, step) in enumerate(pairs) if mine != step.entry.digest), min(len(applied), len(reading.steps))
    )


def _contradicts(reading: Reading, common: int) -> bool:
    if len(reading.steps) > common:
        return True
    return reading.only_epoch is not None and reading.is_epoch_reached
