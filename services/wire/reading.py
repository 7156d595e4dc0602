"""The reading rule: what a channel is, as a pure function of the set of its records and of what the registrar says.

Decides which entries are taken, and whether the channel is read on, waits, or is forked. The order of records, their
repetition and whatever junk stands among them change nothing. ``following`` is the incremental form of the same function;
this one is its oracle, and what it falls back to.
Source: schemas/README.md, "The reading rule".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from services.wire.candidates import Candidate, Junk, gather
from services.wire.certificates import Root
from services.wire.channels import TRUST_CHANNEL
from services.wire.entry import VerifiedEntry
from services.wire.hashing import Digest
from services.wire.paths import Pathfinder, Place, Step
from services.wire.trust import NO_TRUST, Said, Trust, fold_trust

__all__ = ["Gap", "Reading", "ReadingState", "find_gap", "judge", "read_channel", "read_trust", "said"]


class ReadingState(Enum):
    """What the reading rule says of a channel beyond what is taken.

    ``READING``: it goes on from the place reached. ``WAITING``: what would come next is under a revoked key, or leads to
    an epoch whose last entry is missing. ``FORKED``: it contradicts itself.
    """

    READING = "reading"
    WAITING = "waiting"
    FORKED = "forked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A place ahead that genuinely exists and is not reached: something at it or before it is missing."""

    epoch: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a set of records says a channel is.

    ``steps`` are the taken entries in order, ``place`` the end of them. ``undecided`` are the steps at the next place that
    are not taken: one or more in ``WAITING``, two or more in ``FORKED``, where two of them are portable proof.
    ``only_epoch`` is the epoch whose opening alone may come next, None where that is not so; ``is_epoch_reached`` is False
    while the last entry before that epoch is missing: then no branch is known to be the right one, and nothing is taken.
    ``branches`` are the digests of steps that follow somewhere and are not taken.
    """

    channel: str
    state: ReadingState
    steps: tuple[Step, ...]
    place: Place
    undecided: tuple[Step, ...] = ()
    only_epoch: int | None = None
    is_epoch_reached: bool = True
    branches: frozenset[Digest] = frozenset()
    junk: tuple[Junk, ...] = ()
    gap: Gap | None = None

    @property
    def taken(self) -> tuple[VerifiedEntry, ...]:
        """The taken entries, in order."""
        return tuple(step.entry for step in self.steps)


def read_channel(channel: str, records: Iterable[bytes], root: Root, trust: Trust) -> Reading:
    """Return what ``records`` say ``channel`` is, under ``trust`` (``registrar.trust`` read to its end)."""
    candidates, junk = gather(records, channel)
    return judge(Pathfinder(channel=channel, root=root, trust=trust), candidates, tuple(junk))


def read_trust(records: Iterable[bytes], root: Root) -> tuple[Reading, Trust]:
    """Return what ``records`` say ``registrar.trust`` is, and what it makes trusted."""
    reading = read_channel(TRUST_CHANNEL, records, root, NO_TRUST)
    return reading, fold_trust((said(step) for step in reading.steps), root.digest)


def said(step: Step) -> Said:
    """Return a taken entry of ``registrar.trust`` as ``fold_trust`` takes it."""
    return Said(
        sequence=step.place.sequence,
        event_id=step.entry.statement.event_id,
        body=step.entry.body_digest,
        signer_key=step.signer.key_digest,
        content=step.content if step.fault is None else None,
    )


def judge(pathfinder: Pathfinder, candidates: Mapping[Digest, Candidate], junk: tuple[Junk, ...] = ()) -> Reading:
    """Return the reading of a set of candidates; the whole rule after its first step."""
    tree = _Tree.grown(pathfinder, candidates)
    forced, only_epoch = _forced(tree)
    reached = forced is not None
    # The registrar named an entry that nobody has shown yet: until it comes, no branch is known to be the right one.
    steps, state, undecided, only_epoch = (
        ([], ReadingState.WAITING, (), only_epoch) if forced is None else _choose(tree, forced, only_epoch)
    )
    place = steps[-1].place if steps else pathfinder.genesis
    taken = {step.entry.digest for step in steps}
    unreached = [each for digest, each in candidates.items() if digest not in tree.steps]
    if not reached:
        gap = _missing_before_epoch(tree, unreached)
    elif state is ReadingState.READING:
        gap = find_gap(pathfinder, place, unreached, only_epoch)
    else:
        gap = _missing_in_what_waits(tree, unreached, undecided) if state is ReadingState.WAITING else None
    return Reading(
        channel=pathfinder.channel,
        state=state,
        steps=tuple(steps),
        place=place,
        undecided=tuple(undecided),
        only_epoch=only_epoch,
        is_epoch_reached=reached,
        branches=frozenset(tree.steps.keys() - taken),
        junk=junk,
        gap=gap,
    )


def find_gap(pathfinder: Pathfinder, place: Place, unreached: Iterable[Candidate], only_epoch: int | None) -> Gap | None:
    """Return the lowest place ahead of ``place`` that genuinely exists among candidates that follow nowhere.

    Genuine: validly signed by a certificate of this channel, or the opening of a coming epoch. A place that somebody
    merely claims convicts nobody and is no gap; nor is one of an epoch that is over.
    """
    found: list[tuple[int, int]] = []
    first_epoch = only_epoch if only_epoch is not None else place.epoch
    for candidate in unreached:
        statement = candidate.unverified_statement
        if statement.sequence <= place.sequence or statement.epoch < first_epoch or statement.previous == place.digest:
            continue
        known = any(pathfinder.signed_by(candidate, each) is not None for each in place.certificates)
        if known or pathfinder.opens_coming_epoch(place, candidate):
            found.append((statement.sequence, statement.epoch))
    if not found:
        return None
    sequence, epoch = min(found)
    return Gap(epoch=epoch, sequence=sequence)


def _missing_in_what_waits(tree: _Tree, unreached: Sequence[Candidate], undecided: Iterable[Step]) -> Gap | None:
    """Return the lowest gap from wherever a branch that waits ends: a hole in it would make it wait for good."""
    waiting, tips = list(undecided), []
    while waiting:
        step = waiting.pop()
        below = tree.children.get(step.place.digest, [])
        waiting += below
        tips += [] if below else [step.place]
    found = [gap for tip in tips if (gap := find_gap(tree.pathfinder, tip, unreached, None)) is not None]
    return min(found, key=lambda gap: (gap.sequence, gap.epoch), default=None)


def _missing_before_epoch(tree: _Tree, candidates: Iterable[Candidate]) -> Gap | None:
    """Return where the way back from the last entry that the registrar named breaks off; None if it stands at another place."""
    last = tree.pathfinder.epochs[-1]
    if last.after_digest in tree.steps:
        return None
    unreached = {each.digest: each for each in candidates}
    digest, epoch, sequence = last.after_digest, last.epoch - 1, last.after_sequence
    known = {tree.pathfinder.genesis.digest, *tree.steps}
    while digest in unreached and unreached[digest].sequence == sequence:
        statement = unreached[digest].unverified_statement
        digest, epoch, sequence = statement.previous, statement.epoch, sequence - 1
    # What stands right after something that is reached, and does not follow it, is itself the place that is not as it was.
    return Gap(epoch=epoch, sequence=sequence + 1 if digest in known or sequence == 0 else sequence)


@dataclass(slots=True)
class _Tree:
    """All steps that follow from the genesis, whoever is taken in the end."""

    pathfinder: Pathfinder
    steps: dict[Digest, Step]
    parents: dict[Digest, Digest]
    children: dict[Digest, list[Step]]
    below: dict[Digest, set[Digest]]
    unrevoked_somewhere: set[Digest]

    @classmethod
    def grown(cls, pathfinder: Pathfinder, candidates: Mapping[Digest, Candidate]) -> _Tree:
        by_previous: dict[Digest, list[Candidate]] = {}
        for candidate in candidates.values():
            by_previous.setdefault(candidate.unverified_statement.previous, []).append(candidate)
        tree = cls(pathfinder, {}, {}, {}, {}, set())
        places = [pathfinder.genesis]
        while places:
            place = places.pop()
            for candidate in by_previous.get(place.digest, ()):
                step = pathfinder.step(place, candidate)
                if step is not None:
                    tree.steps[candidate.digest] = step
                    tree.parents[candidate.digest] = place.digest
                    tree.children.setdefault(place.digest, []).append(step)
                    places.append(step.place)
        tree._note_what_lies_below()
        return tree

    def reaches(self, step: Step) -> bool:
        """Tell whether the chain after a step reaches an entry signed by another, unrevoked certificate.

        Another key, to be exact: a certificate has twins with the same key, and whoever stole the key can make one
        current; that proves nothing.
        """
        return bool(self.below[step.entry.digest] - {step.signer.key_digest})

    def is_settled(self, step: Step) -> bool:
        """Tell whether a step that alone follows is taken."""
        return step.entry.digest in self.unrevoked_somewhere or self.reaches(step)

    def _note_what_lies_below(self) -> None:
        self.below = {digest: set() for digest in self.steps}
        tips = [step for digest, step in self.steps.items() if digest not in self.children]
        for tip in tips:
            # In registrar.trust each branch is judged under the revocations which that branch carries.
            revoked = tip.place.revoked | self.pathfinder.trust.revoked.keys()
            self._climb(tip, revoked)

    def _climb(self, tip: Step, revoked: frozenset[Digest]) -> None:
        keys: set[Digest] = set()
        digest: Digest | None = tip.entry.digest
        while digest is not None and digest in self.steps:
            step = self.steps[digest]
            self.below[digest] |= keys
            if step.signer.key_digest not in revoked:
                self.unrevoked_somewhere.add(digest)
                keys.add(step.signer.key_digest)
            digest = self.parents.get(digest)


def _choose(tree: _Tree, steps: list[Step], turn: int | None) -> tuple[list[Step], ReadingState, Sequence[Step], int | None]:
    """Go on from the forced steps; ``turn`` is the epoch whose opening alone may come next."""
    while True:
        place = steps[-1].place if steps else tree.pathfinder.genesis
        options = [step for step in tree.children.get(place.digest, ()) if turn is None or step.place.epoch == turn]
        if not options:
            return steps, ReadingState.READING, (), turn
        chosen, state = _one_of(tree, options)
        if chosen is None:
            return steps, state, options, turn
        steps.append(chosen)
        turn = None


def _forced(tree: _Tree) -> tuple[list[Step] | None, int | None]:
    """Return the steps up to where the last epoch begins, and that epoch; None while its last entry is not reached."""
    epochs = tree.pathfinder.epochs
    if not epochs:
        return [], None
    last = epochs[-1]
    if last.after_sequence == 0:
        return [], last.epoch
    digest: Digest | None = last.after_digest
    if digest not in tree.steps or tree.steps[digest].place.sequence != last.after_sequence:
        return None, last.epoch
    steps = []
    while digest is not None and digest in tree.steps:
        steps.append(tree.steps[digest])
        digest = tree.parents.get(digest)
    return steps[::-1], last.epoch


def _one_of(tree: _Tree, options: Sequence[Step]) -> tuple[Step | None, ReadingState]:
    if len(options) == 1:
        return (options[0] if tree.is_settled(options[0]) else None), ReadingState.WAITING
    reaching = [step for step in options if tree.reaches(step)]
    if len(reaching) == 1:
        return reaching[0], ReadingState.READING
    if not reaching and not any(step.entry.digest in tree.unrevoked_somewhere for step in options):
        return None, ReadingState.WAITING
    return None, ReadingState.FORKED
