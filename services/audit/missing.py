"""Missing entries: where a chain that goes on breaks off, and what stands there instead.

Decides from genuine evidence alone: an entry ahead that the channel's writer signed, an epoch's last entry that the registrar
named, or a receipt. A place that somebody merely claims shows nothing.
Source: design.md section 9, "What verify says".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from services.audit.report import Finding
from services.audit.watching import Watch
from services.wire.candidates import Candidate
from services.wire.contents import ChannelOpened
from services.wire.entry import Open
from services.wire.errors import MissingError, PlaceError, SignatureError
from services.wire.following import Follower
from services.wire.hashing import Digest
from services.wire.paths import Place
from services.wire.reading import ReadingState, find_gap

__all__ = ["ends_of", "first_missing", "hanging", "places_before", "what_is_behind", "what_stands_at"]

_OPENED: Final = ChannelOpened.__name__


def first_missing(follower: Follower, watch: Watch) -> Finding | None:
    """Return the finding for the first place that is missing although something later shows that it existed."""
    finder, gap = follower.pathfinder, follower.gap
    if gap is None:
        return None
    if follower.state is ReadingState.WAITING and not follower.undecided:
        # The registrar named an entry that is not reached: the way back from it ends at one place, whatever else waits.
        last = finder.epochs[-1]
        return what_stands_at(watch, follower.astray, (gap.epoch, gap.sequence), [(last.after_sequence, last.after_digest)])
    # What goes on in an epoch that is over is overruled and says nothing.
    turn = follower.only_epoch if follower.state is ReadingState.READING else None
    for end in ends_of(follower):
        ahead = [each for each in follower.astray if find_gap(finder, end, [each], turn) is not None]
        if ahead:
            epoch = end.epoch if turn is None else turn
            return what_is_behind(end, watch, follower.astray, places_before(ahead), epoch=epoch)
    return None


def what_is_behind(
    end: Place, watch: Watch, aside: Sequence[Candidate], anchors: Sequence[tuple[int, Digest]], *, epoch: int
) -> Finding:
    """Return the finding for the missing place behind ``end``, or for that of ``end`` where another entry belongs there.

    What stands behind it and belongs there says what it follows: then the fault is not its own, but of what was put before it.
    """
    place = (epoch, end.sequence + 1)
    found = what_stands_at(watch, aside, place, anchors)
    right = _right(aside, place, anchors)
    there = next((each.unverified_statement for each in aside if each.digest == right and each.sequence == place[1]), None)
    if there is None or there.previous == end.digest or there.epoch != end.epoch:
        return found
    before = what_stands_at(watch, aside, (end.epoch, end.sequence), [(end.sequence, there.previous)])
    if before.error != MissingError.__name__:
        return before
    what = "an entry is not what was signed"
    return replace(before, error=PlaceError.__name__, what=what, found=end.digest.hex())


def ends_of(follower: Follower) -> list[Place]:
    """Return where the channel goes on, or where what waits ends, the longest first."""
    hangs = hanging(follower)
    before = {each.unverified_statement.previous for each in follower.remembered if each.digest in hangs}
    ends = [place for digest, place in hangs.items() if digest not in before] or [follower.place]
    return sorted(ends, key=lambda each: (-each.sequence, each.digest))


def hanging(follower: Follower) -> dict[Digest, Place]:
    """Return the places that follow and are not taken, by digest: what waits, or the sides of a fork."""
    if follower.state is ReadingState.READING:
        return {}
    by_previous: dict[Digest, list[Candidate]] = {}
    for candidate in follower.remembered:
        by_previous.setdefault(candidate.unverified_statement.previous, []).append(candidate)
    found: dict[Digest, Place] = {}
    # Nothing is undecided where the last entry before an epoch is missing: then all that there is waits for it.
    places = [step.place for step in follower.undecided] or [follower.place]
    while places:
        place = places.pop()
        found[place.digest] = place
        steps = (follower.pathfinder.step(place, each) for each in by_previous.get(place.digest, ()))
        places += [step.place for step in steps if step is not None]
    found.pop(follower.place.digest, None)
    return found


def what_stands_at(
    watch: Watch, aside: Sequence[Candidate], place: tuple[int, int], anchors: Sequence[tuple[int, Digest]]
) -> Finding:
    """Return the finding for a missing place (epoch, sequence): what the log holds there, if anything.

    ``anchors`` are sequences at or behind it with the digests that are known to belong there, the best first: what is
    expected is known if the chain leads back from one of them.
    """
    epoch, sequence = place
    within = _within(aside, epoch)
    expected = _right(aside, place, anchors)
    error = MissingError.__name__
    what, wanted, found = "an entry is missing", expected.hex() if expected else "an entry", "nothing"
    # In an order of their own, so that the same set of records gives the same finding.
    there = sorted((each for each in within.values() if each.sequence == sequence), key=lambda each: each.digest)
    right = next((each for each in there if each.digest == expected), None)
    damage = next((each for each in watch.damages if each.sequence == sequence), None)
    if right is not None:
        # The statement is the right one, so only who signed it can be at fault.
        error = SignatureError.__name__
        what, wanted, found = _unsigned(right), "a valid signature", right.signatures[0].hex()
    elif damage is not None:
        error, what, wanted, found = damage.error, damage.what, damage.expected or wanted, damage.found
    elif there:
        error, what, found = PlaceError.__name__, "an entry is not what was signed", there[0].digest.hex()
    return Finding(
        channel=watch.report.channel, epoch=epoch, sequence=sequence, error=error, what=what, expected=wanted, found=found
    )


def _within(aside: Iterable[Candidate], epoch: int) -> dict[Digest, Candidate]:
    return {each.digest: each for each in aside if each.unverified_statement.epoch >= epoch}


def _right(aside: Iterable[Candidate], place: tuple[int, int], anchors: Iterable[tuple[int, Digest]]) -> Digest | None:
    """Return the digest that belongs at a place, if the chain leads back to it from one of the anchors."""
    epoch, sequence = place
    within = _within(aside, epoch)
    known = (_back_to(sequence, *anchor, within) for anchor in anchors)
    return next((each for each in known if each is not None), None)


def _unsigned(candidate: Candidate) -> str:
    body = candidate.unverified_statement.body
    opens = isinstance(body, Open) and body.type == _OPENED
    return f"a signature is not by {'a certificate that may open' if opens else 'the certificate of'} this channel"


def places_before(ahead: Iterable[Candidate]) -> list[tuple[int, Digest]]:
    """Return the places right before what stands ahead, with the digests that belong there, the nearest first."""
    nearest = sorted(ahead, key=lambda each: (each.sequence, each.digest))
    return [(each.sequence - 1, each.unverified_statement.previous) for each in nearest]


def _back_to(missing: int, sequence: int, digest: Digest, ahead: Mapping[Digest, Candidate]) -> Digest | None:
    """Return the digest at the place ``missing``, walking back from ``digest`` at ``sequence``; None if the chain breaks off."""
    while sequence > missing and digest in ahead and ahead[digest].sequence == sequence:
        sequence, digest = sequence - 1, ahead[digest].unverified_statement.previous
    return digest if sequence == missing else None
