"""Giving back: what the log lost of another's channel is sent again by whoever holds it.

Signed bytes need no trust, so it does not matter who sends them. A worker sends again what is its own by itself; this is for
a person, where a writer has lost its own copy too.
Source: design.md section 6, "A start".
"""

from __future__ import annotations

from typing import Final

from services.post.office import Office
from services.wire.candidates import Candidate, candidate_of
from services.wire.errors import RefusedError
from services.wire.hashing import Digest

__all__ = ["give_back"]

_AT_ONCE: Final = 200


def give_back(office: Office, channel: str) -> int:
    """Send again the entries and parts of a channel that are held here and that the log does not show; return how many.

    Raises: RefusedError if nothing of the channel is held here, or it is an own one.
    """
    if office.channel is None:
        raise RuntimeError("only who reaches the log gives back")
    if channel in office.own_channels:
        raise RefusedError(f"{channel} is an own channel: the worker sends again what the log lost of it.")
    if office.letterbook.standing(channel) is None:
        raise RefusedError(f"There is no channel {channel} here. See the list of channels.")
    shown = _shown(office, channel)
    rows = [row for row in office.letterbook.held_of(channel) if not _is_shown(office, row["digest"], row["personal"], shown)]
    for start in range(0, len(rows), _AT_ONCE):
        office.channel.append(channel, [office.letterbook.record_of(row) for row in rows[start : start + _AT_ONCE]])
    return len(rows)


def _is_shown(office: Office, digest: Digest, personal: Digest | None, shown: dict[Digest, bool]) -> bool:
    if digest not in shown:
        return False
    return shown[digest] or personal is None or office.letterbook.part(personal) is None


def _shown(office: Office, channel: str) -> dict[Digest, bool]:
    """Return the digests that the log shows of a channel, each with whether its personal part is there."""
    shown: dict[Digest, bool] = {}
    position = 0
    while office.channel and (records := office.channel.poll({channel: position}, timeout_seconds=0, limit=_AT_ONCE)):
        position = records[-1].position + 1
        for record in records:
            found = candidate_of(record.value, channel)
            if isinstance(found, Candidate):
                shown[found.digest] = shown.get(found.digest, False) or found.personal is not None
    return shown
