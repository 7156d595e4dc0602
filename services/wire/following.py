"""Following: the reading rule for somebody who reads on, batch by batch (the incremental form of ``reading``).

It gives what ``reading`` gives for all records so far. The common case, one candidate that follows the head under a key
that nobody revoked, costs one signature; whatever is unusual (a rival, a revocation, an epoch, a place that waits) is
judged by ``reading`` itself over what the caller holds and what is remembered here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Final

from services.wire.aside import REMEMBERED_LIMIT, REMEMBERED_LIMIT_BYTES, Aside
from services.wire.candidates import Candidate, Junk, Verdict, candidate_of, gather_found, merged
from services.wire.hashing import Digest
from services.wire.paths import Pathfinder, Place, Step
from services.wire.reading import Gap, Reading, ReadingState, find_gap, judge
from services.wire.rivals import Branch, Rivals
from services.wire.trust import Trust

__all__ = ["REMEMBERED_LIMIT", "REMEMBERED_LIMIT_BYTES", "Follower", "Update"]

_AT_ONCE: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What became of one batch. The caller stores ``new`` and ``healed`` before it offers more, or makes a new Follower.

    ``healed`` are candidates that the caller holds and that came now with a personal part. ``off_chain`` is the sequence of
    the first applied entry that is no longer taken: nothing more is taken until ``agree``. ``odd`` are records of
    candidates that were set aside, or whose personal part does not match: ``faults.fault_of`` says why.
    """

    new: tuple[Step, ...] = ()
    healed: tuple[Candidate, ...] = ()
    junk: tuple[Junk, ...] = ()
    odd: tuple[bytes, ...] = ()
    off_chain: int | None = None


@dataclass(slots=True)
class Follower:
    """Follows one channel from ``place``, or from its beginning.

    ``load`` gives records that make everything the caller holds of this channel, taken or not any more; ``holds`` tells
    whether an entry of that digest is among it. ``place`` may be given where nothing the caller holds is off the chain.
    ``is_beyond`` says that more was applied than is taken now: a fork or a wait showed itself further back.
    """

    pathfinder: Pathfinder
    load: Callable[[], Iterable[bytes]]
    holds: Callable[[Digest], bool]
    place: Place
    state: ReadingState = ReadingState.READING
    undecided: tuple[Step, ...] = ()
    only_epoch: int | None = None
    off_chain: int | None = None
    is_beyond: bool = False
    keeps_parts: bool = True
    _aside: Aside = field(default_factory=Aside)
    _rivals: Rivals | None = None
    _has_looked_back: bool = False
    _awaited: Digest | None = None
    _gap_judged: Gap | None = None
    _branches_judged: frozenset[Digest] = frozenset()
    _agreeable: Place = field(init=False)

    def __post_init__(self) -> None:
        self._agreeable = self.pathfinder.genesis
        self.pathfinder.know(self.place.certificates)

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
        return follower, (Update() if plain else follower._judged())

    @property
    def gap(self) -> Gap | None:
        """Return the lowest place ahead that genuinely exists and is not reached."""
        if self.off_chain is not None:
            return None
        if self.state is not ReadingState.READING:
            return self._gap_judged
        if not self._aside.genuine:
            return None
        reached, branches = self.place.sequence, self._branches
        ahead = [each for digest, each in self._aside.genuine.items() if each.sequence > reached and digest not in branches]
        ahead.sort(key=lambda each: (each.sequence, each.unverified_statement.epoch))
        gaps = (find_gap(self.pathfinder, self.place, [each], self.only_epoch) for each in ahead)
        return next((gap for gap in gaps if gap is not None), None)

    @property
    def agreeable(self) -> Place:
        """Return the end of what was applied and is still taken, while ``off_chain`` says that more was applied."""
        return self._agreeable

    @property
    def remembered(self) -> tuple[Candidate, ...]:
        """Return the candidates that are kept and do not follow."""
        return tuple(self._aside)

    @property
    def genuine(self) -> tuple[Candidate, ...]:
        """Return those that a certificate of this channel signed and that do not follow."""
        return tuple(self._aside.genuine.values())

    @property
    def astray(self) -> tuple[Candidate, ...]:
        """Return the candidates that are kept and follow nowhere, not even beside what is taken."""
        return tuple(each for each in self._aside if each.digest not in self._branches_judged | self._branches.keys())

    @property
    def remembers(self) -> int:
        """Return how many candidates are kept that a reader who stops has to see again.

        Those of this channel's writer; before the channel is opened any, since any may be. Forgeries never: whoever can write
        junk could otherwise hold every start at the beginning of the log. What names a certificate that is not known here
        counts no more than they: when its certificate comes, what comes after it shows the place as a gap.
        """
        return len(self._aside.genuine) if self.place.certificates else len(self._aside)

    @property
    def is_overflowing(self) -> bool:
        """Tell whether candidates were forgotten that nobody of this channel is known to have signed: there were too many."""
        return self._aside.is_overflowing

    def offer(self, records: Iterable[bytes]) -> Update:
        """Return what a batch of records brings."""
        seen: list[tuple[bytes, Digest, bool]] = []
        update = self.offer_found(self._noting(records, seen))
        if not self._aside and not any(is_flawed for _, _, is_flawed in seen):
            return update
        # What this channel's writer signed first: whoever looks at some of them must not be kept from it by forgeries.
        known = self._aside.genuine
        first = [record for record, digest, is_flawed in seen if is_flawed or digest in known]
        rest = [record for record, digest, is_flawed in seen if not is_flawed and digest not in known and digest in self._aside]
        return replace(update, odd=(*first, *rest)) if first or rest else update

    def verdict(self, digest: Digest) -> Verdict | None:
        """Return what is known of who signed a candidate that is kept, None if none of that digest is."""
        return self._aside.verdict(digest)

    def taken_at(self, sequence: int) -> Digest | None:
        """Return what is taken at a place, as far as it is remembered: since there was a reason to look back."""
        return self._rivals.past.at(sequence) if self._rivals else None

    def _noting(self, records: Iterable[bytes], seen: list[tuple[bytes, Digest, bool]]) -> Iterator[Candidate | Junk]:
        # Some at once, then their signatures in a row: neither drives the other out of the processor's caches. Not all, and
        # digests alone are noted: a batch of the largest records must not be in memory twice.
        left, head, current = iter(records), self.place.digest, self.place.certificate
        while some := list(islice(left, _AT_ONCE)):
            looked_at, run = [self._look(record) for record in some], []
            for record, found in zip(some, looked_at, strict=True):
                if not isinstance(found, Candidate):
                    continue
                seen.append((record, found.digest, found.flaw is not None))
                # What follows is taken, most often; anything else may be known already, and need no signature.
                if found.unverified_statement.previous == head:
                    run.append(found)
                    head = found.digest
            if current is not None:
                self.pathfinder.check_ahead(run, current)
            yield from looked_at

    def offer_found(self, found: Iterable[Candidate | Junk]) -> Update:
        """Return what a batch of records brings that the caller has looked at by ``candidate_of`` already."""
        if self.only_goes_on:
            steps, found = self._run(found)
            if steps:
                self.pathfinder.forget()
                return Update(new=steps)
        fresh, healed, junk = self._sorted(found)
        if not fresh:
            update = Update(off_chain=self.off_chain)
        elif self._is_usual:
            update = self._extended(fresh)
        else:
            update = self._judged()
        # Seen again in a later batch, these cost no signature; nor does what was taken, once there was a reason to look back.
        for digest in fresh & self._aside.genuine.keys():
            self.pathfinder.mark(self._aside.genuine[digest])
        self.pathfinder.forget()
        return Update(new=update.new, healed=healed, junk=junk, off_chain=update.off_chain)

    def retrust(self, trust: Trust) -> Update:
        """Return what a newer trust brings; a revocation or an epoch may reach back."""
        before = self.pathfinder
        self.pathfinder = before.under(trust)
        newly = trust.revoked.keys() - before.trust.revoked.keys()
        mine = {each.key_digest for each in self.place.certificates}
        touched = before.epochs != self.pathfinder.epochs or bool(newly & mine) or bool(newly and self._branches)
        admitted = before.organisation != self.pathfinder.organisation
        if admitted:
            self.pathfinder.know(self.place.certificates)
            self._aside = self._aside.weighed_again(self.pathfinder)
        return Update() if self._is_usual and not touched and not admitted else self._judged()

    def agree(self) -> Update:
        """Go on from the last applied entry that is still taken; the caller has marked those after it as voided."""
        if self.off_chain is None:
            raise RuntimeError("there is nothing to agree to")
        self.place = self._agreeable
        self.off_chain = None
        return self._judged()

    @property
    def _branches(self) -> Mapping[Digest, Branch]:
        return self._rivals.branches if self._rivals else {}

    @property
    def _is_usual(self) -> bool:
        return self.state is ReadingState.READING and self.only_epoch is None and self.off_chain is None

    @property
    def only_goes_on(self) -> bool:
        """Tell whether nothing is known here that the next entry would have to be weighed against."""
        return self._is_usual and not self._aside and not self._has_looked_back and self._awaited is None

    def go_on_from(self, place: Place) -> None:
        """Go on from a place further on; the caller holds all that stands between, and proved that each entry is taken.

        For who verifies many entries at once, and proves of a stretch that each is next, signed and unrevoked: no other.
        Raises: RuntimeError unless ``only_goes_on`` (the caller's bug).
        """
        if not self.only_goes_on or place.sequence < self.place.sequence:
            raise RuntimeError("there is something that has to be weighed against what comes next")
        self.place = place

    def _run(self, found: Iterable[Candidate | Junk]) -> tuple[tuple[Step, ...], Iterable[Candidate | Junk]]:
        """Take a batch in which each follows the one before, as nearly all do; or give it back to be sorted."""
        start, steps, left = self.place, list[Step](), iter(found)
        passed: list[Candidate | Junk] = []
        for each in left:
            passed.append(each)
            if isinstance(each, Junk) or (step := self.pathfinder.step(self.place, each)) is None or self._is_unusual(step):
                self.place = start
                return (), chain(passed, left)
            if step.content is not None:
                self.pathfinder.learn(each)
            steps.append(step)
            self.place = step.place
        return tuple(steps), passed

    def _look(self, record: bytes) -> Candidate | Junk:
        found = candidate_of(record, self.pathfinder.channel)
        return found.without_parts() if isinstance(found, Candidate) and not self.keeps_parts else found

    def _sorted(self, offered: Iterable[Candidate | Junk]) -> tuple[set[Digest], tuple[Candidate, ...], tuple[Junk, ...]]:
        """Return the digests that may change the reading, what heals, and the junk; all else is set aside."""
        fresh: set[Digest] = set()
        healed: dict[Digest, Candidate] = {}
        junk: list[Junk] = []
        head = self.place.digest
        for found in offered:
            if isinstance(found, Junk):
                junk.append(found)
                continue
            # What follows the head, or what followed it just now, is not asked for: nothing that is taken stands there, and
            # what was once is taken again.
            if found.unverified_statement.previous == head:
                head = found.digest
            elif found.digest not in self._aside and self.holds(found.digest):
                if found.personal is not None:
                    healed[found.digest] = found
                continue
            fresh.update(self._aside.take(self.pathfinder, found))
            if found.digest == self._awaited:
                fresh.add(found.digest)
        return fresh, tuple(healed.values()), tuple(junk)

    def _extended(self, fresh: set[Digest]) -> Update:
        start, taken = self.place, []
        after, known, find = self._aside.after, self._aside.genuine, self.pathfinder.step
        while True:
            steps = [step for each in after.get(self.place.digest, ()) if (step := find(self.place, known[each])) is not None]
            if len(steps) != 1 or self._is_unusual(steps[0]):
                break
            taken.append(steps[0])
            self.place = steps[0].place
        if not steps and not self._reaches_back(fresh - {step.entry.digest for step in taken}, taken):
            self._hand_out(taken)
            return Update(new=tuple(taken))
        self.place = start
        return self._judged()

    def _hand_out(self, taken: Iterable[Step]) -> None:
        for step in taken:
            if self._has_looked_back:
                self.pathfinder.mark(self._aside.genuine[step.entry.digest])
            self._aside.drop(step.entry.digest)

    def _is_unusual(self, step: Step) -> bool:
        key, revoked = step.signer.key_digest, step.place.revoked
        if key in self.pathfinder.trust.revoked or key in revoked:
            return True
        # The registrar revokes one of its own former keys: that reaches back to what the key once decided.
        newly = revoked and revoked - self.place.revoked
        return bool(newly) and any(each.key_digest in newly for each in self.place.certificates)

    def _reaches_back(self, rest: Iterable[Digest], taken: Iterable[Step]) -> bool:
        """Tell whether any of these genuine candidates could change what is taken; note those that only branch off."""
        rivals = [each for each in rest if self._may_be_rival(self._aside.genuine[each])]
        if self._rivals is None:
            return bool(rivals)
        self._rivals.past.extend(taken)
        return any(self._rivals.grow(self.pathfinder, self._aside, each) for each in rivals)

    def _may_be_rival(self, candidate: Candidate) -> bool:
        """Tell whether a genuine candidate could follow anywhere but at the head: beside something taken, or on a branch."""
        statement = candidate.unverified_statement
        if statement.previous in self._branches:
            return True
        if statement.sequence > self.place.sequence:
            return False
        # Only what was current here once can sign a rival, or whoever opens: junk that claims an old place costs no look.
        was_current = any(each.digest == statement.certificate for each in self.place.certificates)
        return was_current or self.pathfinder.is_opening(candidate)

    def _judged(self) -> Update:
        """Let ``reading`` judge everything held and remembered, and compare what was applied with what it takes."""
        held = self._held()
        everything = dict(held)
        for candidate in self._aside.genuine.values():
            both = everything.get(candidate.digest)
            everything[candidate.digest] = merged(both, candidate) if both else candidate
        self._awaited = self._add_what_an_epoch_names(everything)
        reading = judge(self.pathfinder, everything)
        for candidate in everything.values():
            self.pathfinder.mark(candidate)
        self.state, self.undecided, self.only_epoch = reading.state, reading.undecided, reading.only_epoch
        self._rivals, self._gap_judged, self._branches_judged = None, reading.gap, reading.branches
        update = self._compared(reading, everything, held)
        # Who begins with nothing keeps nothing of what is taken, until there is a reason to look back.
        self._has_looked_back = self._has_looked_back or bool(everything)
        if everything and self.state is ReadingState.READING and self.place.digest == reading.place.digest:
            self._rivals = Rivals.of(self.pathfinder, reading, everything)
        self.pathfinder.forget()
        return update

    def _compared(self, reading: Reading, everything: dict[Digest, Candidate], held: dict[Digest, Candidate]) -> Update:
        applied = _chain(self.place, everything)
        common = _common(applied, reading)
        self.is_beyond = common < len(applied)
        for digest in held:
            self._aside.drop(digest)
        if self.is_beyond:
            # A reading that is shorter says nothing against what was applied, unless it says what stands there instead.
            self.off_chain = common + 1 if _contradicts(reading, common) else None
            if self.off_chain is not None:
                self._agreeable = reading.steps[common - 1].place if common else self.pathfinder.genesis
            # Whatever is not handed out now has to be there when it is.
            return Update(off_chain=self.off_chain)
        self.off_chain = None
        self.place = reading.place
        for step in reading.steps:
            self._aside.drop(step.entry.digest)
        return Update(new=self._whole(reading.steps[common:], held))

    def _held(self) -> dict[Digest, Candidate]:
        """Return what the caller holds, without parts: a whole channel of them would not fit in memory."""
        found = (self._look(record) for record in self.load())
        held, _ = gather_found(each.without_parts() if isinstance(each, Candidate) else each for each in found)
        for candidate in held.values():
            self._aside.learn(self.pathfinder, candidate)
        return held

    def _whole(self, steps: tuple[Step, ...], held: dict[Digest, Candidate]) -> tuple[Step, ...]:
        """Return steps with the parts of those that are held, which are taken again or for the first time."""
        lacking = {step.entry.digest for step in steps if step.entry.facts is not None and step.entry.digest in held}
        if not lacking or not self.keeps_parts:
            return steps
        found = (candidate_of(record, self.pathfinder.channel) for record in self.load())
        whole, _ = gather_found(each for each in found if isinstance(each, Candidate) and each.digest in lacking)
        return tuple(
            step._replace(entry=whole[step.entry.digest].verified(step.entry.signature)) if step.entry.digest in lacking else step
            for step in steps
        )

    def _add_what_an_epoch_names(self, everything: dict[Digest, Candidate]) -> Digest | None:
        """Add what leads to the last entry that the registrar named, whoever signed it; return the first that is missing.

        Its digest vouches for it, so where the chain to it breaks off is known even from what nobody signed.
        """
        if not self.pathfinder.epochs:
            return None
        digest = self.pathfinder.epochs[-1].after_digest
        while (found := everything.get(digest) or self._aside.get(digest)) is not None:
            everything[digest] = found
            digest = found.unverified_statement.previous
        return digest


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
