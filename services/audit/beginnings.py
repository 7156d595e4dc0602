"""Beginnings: whatever stands in a channel follows from its first entry, so where that is damaged nothing can be placed.

Decides when a channel of which nothing is taken is a finding. Without ``registrar.trust`` nothing of a log can be verified:
there it always is one, also where the log belongs to another root or holds nothing at all.
Source: design.md section 9, "What verify says".
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import chain

from services.audit.missing import places_before, what_stands_at
from services.audit.report import Finding
from services.audit.watching import Watch
from services.wire.candidates import Candidate
from services.wire.certificates import Certificate
from services.wire.channels import TRUST_CHANNEL
from services.wire.contents import CertificateRotated, ChannelOpened, decode_open
from services.wire.entry import Open
from services.wire.errors import MalformedError, RootError
from services.wire.following import Follower
from services.wire.reading import ReadingState

__all__ = ["certificates_in", "missing_beginning"]


def missing_beginning(follower: Follower, watch: Watch, known: Callable[[], Collection[Certificate]]) -> Finding | None:
    """Return the finding for a channel that cannot be read from its first entry on, None if there is none.

    ``known`` gives the certificates that its writer uses in its other channels.
    """
    if watch.digests:
        return None
    place = (follower.only_epoch or 0, 1)
    if follower.pathfinder.channel == TRUST_CHANNEL:
        return _without_trust(follower, watch)
    if follower.state is not ReadingState.READING:
        return None
    behind = _behind(follower, known())
    if not behind:
        return None
    return what_stands_at(watch, follower.astray, place, places_before(behind))


def _without_trust(follower: Follower, watch: Watch) -> Finding:
    genesis = follower.pathfinder.genesis.digest
    aside = follower.astray
    found = what_stands_at(watch, aside, (0, 1), places_before(aside))
    others = sorted(each.unverified_statement.previous for each in aside if each.sequence == 1)
    if others and genesis not in others:
        # Another exchange's log, or another exchange's root.
        what = "the registrar's channel is not of this root"
        found = replace(found, error=RootError.__name__, what=what, found=f"an entry after {others[0].hex()}")
    what = f"nothing of this log can be verified: {found.what}"
    return replace(found, what=what, expected=f"an opening after the genesis digest of this root, {genesis.hex()}")


def _behind(follower: Follower, known: Collection[Certificate]) -> list[Candidate]:
    """Return what stands behind the first place and is genuine, as far as anybody can tell without that first entry."""
    first_epoch = follower.only_epoch or 0
    behind = [each for each in follower.astray if each.sequence > 1 and each.unverified_statement.epoch >= first_epoch]
    carried = (follower.pathfinder.leaf(path) for path in map(certificates_in, behind) if path)
    certificates = {each.digest: each for each in chain(known, carried) if each is not None}
    if not certificates:
        # The only certificate of this channel stood in what is gone: nobody can say that these are a stranger's.
        return behind
    signed = follower.pathfinder.signed_by
    return [each for each in behind if any(signed(each, one) is not None for one in certificates.values())]


def certificates_in(candidate: Candidate) -> tuple[bytes, ...]:
    """Return the path that an opening or a rotation shows, whoever signed it; empty for any other entry."""
    body = candidate.unverified_statement.body
    try:
        content = decode_open(body) if isinstance(body, Open) else None
    except MalformedError:
        return ()
    return content.certificates if isinstance(content, (ChannelOpened, CertificateRotated)) else ()
