"""Missing entries: where a chain that goes on breaks off, and what stands there instead.

Decides from genuine evidence alone: an entry ahead that the channel's writer signed, an epoch's last entry that the registrar
named, or a receipt. A place that somebody merely claims shows nothing.
Source: design.md section 9, "What verify says".
"""

from __future__ import annotations

from collections.abc import Iterable

from services.audit.report import Finding
from services.audit.watching import Watch
from services.wire.candidates import Candidate
from services.wire.following import Follower
from services.wire.hashing import Digest
from services.wire.paths import Place

__all__ = ["first_missing", "what_stands_at"]


def first_missing(follower: Follower, watch: Watch) -> Finding | None:
    """Return the finding for the first place that is missing although something later shows that it existed."""
    if follower.gap is None:
        return None
    by_previous: dict[Digest, list[Candidate]] = {}
    for candidate in follower.remembered:
        by_previous.setdefault(candidate.unverified_statement.previous, []).append(candidate)
    tip = _tip(follower, by_previous)
    expected = _expected(follower, tip)
    return what_stands_at(watch, follower.remembered, (tip.epoch, tip.sequence + 1), expected)


def what_stands_at(watch: Watch, aside: Iterable[Candidate], place: tuple[int, int], expected: Digest | None) -> Finding:
    """Return the finding for a missing place (epoch, sequence): what the log holds there, if anything."""
    epoch, sequence = place
    what, wanted, found = "an entry is missing", expected.hex() if expected else "an entry", "nothing"
    damage = next((each for each in watch.damages if each.may_be(sequence)), None)
    if damage is not None:
        what, wanted, found = damage.what, damage.expected or wanted, damage.found
    for candidate in aside:
        if candidate.sequence != sequence:
            continue
        if candidate.digest == expected:
            # The statement is the right one, so only its signature can be at fault.
            what, wanted = "a signature is not by the certificate of this channel", "a valid signature"
            found = candidate.signatures[0].hex()
            break
        if damage is None:
            what, found = "an entry is not what was signed", candidate.digest.hex()
    return Finding(channel=watch.report.channel, epoch=epoch, sequence=sequence, what=what, expected=wanted, found=found)


def _tip(follower: Follower, by_previous: dict[Digest, list[Candidate]]) -> Place:
    """Return the furthest place that is reached, also by what only waits."""
    places = [step.place for step in follower.undecided] or [follower.place]
    tip = places[0]
    while places:
        place = places.pop()
        tip = max(tip, place, key=lambda each: each.sequence)
        steps = (follower.pathfinder.step(place, each) for each in by_previous.get(place.digest, ()))
        places += [step.place for step in steps if step is not None]
    return tip


def _expected(follower: Follower, tip: Place) -> Digest | None:
    """Return the digest that what comes after the missing entry, or the registrar, says it has; None if nothing does."""
    finder, missing = follower.pathfinder, tip.sequence + 1
    ahead = {each.digest: each for each in follower.remembered if each.sequence > missing}
    # From the registrar's word, then from whatever a certificate of this channel signed, back along the chain.
    anchors = [(each.after_sequence, each.after_digest) for each in finder.epochs[-1:]]
    anchors += [
        (each.sequence - 1, each.unverified_statement.previous)
        for each in sorted(ahead.values(), key=lambda each: each.sequence)
        if any(finder.signed_by(each, one) is not None for one in tip.certificates) or finder.is_opening(each)
    ]
    found = (_back_to(missing, sequence, digest, ahead) for sequence, digest in anchors)
    return next((each for each in found if each is not None), None)


def _back_to(missing: int, sequence: int, digest: Digest, ahead: dict[Digest, Candidate]) -> Digest | None:
    while sequence > missing and digest in ahead:
        sequence, digest = sequence - 1, ahead[digest].unverified_statement.previous
    return digest if sequence == missing else None
