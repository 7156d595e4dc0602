"""Missing entries: where a chain that goes on breaks off, and what stands there instead.

Decides from genuine evidence alone: an entry ahead that the channel's writer signed, an epoch's last entry that the registrar
named, or a receipt. A place that somebody merely claims shows nothing.
Source: design.md section 9, "What verify says".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from services.audit.report import Finding
from services.audit.watching import Watch
from services.wire.candidates import Candidate
from services.wire.contents import ChannelOpened
from services.wire.entry import Open
from services.wire.errors import MissingError, PlaceError, SignatureError
from services.wire.following import Follower
from services.wire.hashing import Digest
from services.wire.paths import Pathfinder, Place
from services.wire.reading import ReadingState

__all__ = ["back_to", "first_missing", "hanging", "what_stands_at"]

_OPENED: Final = ChannelOpened.__name__


def first_missing(follower: Follower, watch: Watch) -> Finding | None:
    """Return the finding for the first place that is missing although something later shows that it existed."""
    if follower.gap is None:
        return None
    aside = follower.remembered
    if follower.state is ReadingState.READING and follower.only_epoch is not None:
        # What goes on in the old epoch is overruled and says nothing; what is missing is the opening of the new one.
        tip = follower.place._replace(epoch=follower.only_epoch)
        aside = tuple(each for each in aside if each.unverified_statement.epoch >= tip.epoch)
    else:
        tip = max((follower.place, *hanging(follower).values()), key=lambda each: each.sequence)
    return what_stands_at(watch, aside, (tip.epoch, tip.sequence + 1), _expected(follower.pathfinder, tip, aside))


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


def what_stands_at(watch: Watch, aside: Iterable[Candidate], place: tuple[int, int], expected: Digest | None) -> Finding:
    """Return the finding for a missing place (epoch, sequence): what the log holds there, if anything."""
    epoch, sequence = place
    error = MissingError.__name__
    what, wanted, found = "an entry is missing", expected.hex() if expected else "an entry", "nothing"
    damage = next((each for each in watch.damages if each.may_be(sequence)), None)
    if damage is not None:
        error, what, wanted, found = damage.error, damage.what, damage.expected or wanted, damage.found
    for candidate in aside:
        if candidate.sequence != sequence:
            continue
        if candidate.digest == expected:
            # The statement is the right one, so only who signed it can be at fault.
            error = SignatureError.__name__
            what, wanted = _unsigned(candidate)
            found = candidate.signatures[0].hex()
            break
        if damage is None:
            error, what, found = PlaceError.__name__, "an entry is not what was signed", candidate.digest.hex()
    return Finding(
        channel=watch.report.channel, epoch=epoch, sequence=sequence, error=error, what=what, expected=wanted, found=found
    )


def _unsigned(candidate: Candidate) -> tuple[str, str]:
    body = candidate.unverified_statement.body
    if isinstance(body, Open) and body.type == _OPENED:
        return "a signature is not by a certificate that may open this channel", "a valid signature by one that may"
    return "a signature is not by the certificate of this channel", "a valid signature"


def _expected(finder: Pathfinder, tip: Place, aside: Iterable[Candidate]) -> Digest | None:
    """Return the digest that what comes after the missing entry, or the registrar, says it has; None if nothing does."""
    missing = tip.sequence + 1
    ahead = {each.digest: each for each in aside if each.sequence > missing}
    # From the registrar's word, then from whatever a certificate of this channel signed, back along the chain.
    anchors = [(each.after_sequence, each.after_digest) for each in finder.epochs[-1:]]
    anchors += [
        (each.sequence - 1, each.unverified_statement.previous)
        for each in sorted(ahead.values(), key=lambda each: each.sequence)
        if any(finder.signed_by(each, one) is not None for one in tip.certificates) or finder.is_opening(each)
    ]
    found = (back_to(missing, sequence, digest, ahead) for sequence, digest in anchors)
    return next((each for each in found if each is not None), None)


def back_to(missing: int, sequence: int, digest: Digest, ahead: Mapping[Digest, Candidate]) -> Digest | None:
    """Return the digest at the place ``missing``, walking back from ``digest`` at ``sequence``; None if the chain breaks off."""
    while sequence > missing and digest in ahead:
        sequence, digest = sequence - 1, ahead[digest].unverified_statement.previous
    return digest if sequence == missing else None
