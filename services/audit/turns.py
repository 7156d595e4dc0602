"""Turns: what stands behind a rotation that cannot be taken, because it is damaged or gone.

The reading rule stops there, and says no more: entries under a certificate that never became current convict nobody. But the root
issued that certificate to this channel's writer, and only who has its key can sign with it. So who signed them says that the
rotation before them existed, whoever receipted anything. A key that was revoked says nothing, nor an epoch that is over.
Source: design.md section 9, "What verify says".
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from services.audit.beginnings import certificates_in
from services.audit.missing import ends_of, places_before, what_is_behind
from services.audit.report import Finding
from services.audit.watching import Watch
from services.wire.candidates import Candidate
from services.wire.certificates import Certificate
from services.wire.following import Follower
from services.wire.paths import Place
from services.wire.reading import ReadingState

__all__ = ["missing_turn"]


def missing_turn(follower: Follower, watch: Watch, known: Callable[[], Collection[Certificate]]) -> Finding | None:
    """Return the finding for a rotation that is not there, or not signed, and behind which its writer went on; None if none is.

    ``known`` gives the certificates that the writer uses in its other channels.
    """
    aside = follower.astray
    if not aside or follower.state is ReadingState.FORKED or follower.only_epoch is not None:
        return None
    finder = follower.pathfinder
    shown = (finder.leaf(path) for path in map(certificates_in, aside) if path)
    there = [each for each in (*known(), *shown) if each is not None and each.key_digest not in finder.trust.revoked]
    # Where not even the first entry follows, what is missing is that one: see ``beginnings``.
    for end in (each for each in ends_of(follower) if each.certificates):
        new = {each.digest: each for each in there if each not in end.certificates}
        behind = [
            each
            for each in aside
            if _is_behind(each, end)
            and (named := new.get(each.unverified_statement.certificate))
            and finder.signed_by(each, named) is not None
        ]
        if behind:
            return what_is_behind(end, watch, aside, places_before(behind), epoch=end.epoch)
    return None


def _is_behind(candidate: Candidate, end: Place) -> bool:
    """Tell whether an entry claims a place that the end of a path does not lead to, as for a gap."""
    statement = candidate.unverified_statement
    return statement.sequence > end.sequence and statement.epoch >= end.epoch and statement.previous != end.digest
