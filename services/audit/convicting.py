"""Convicting: who can have made what two proofs show, and what each of them has signed.

What bytes prove is told apart from what they leave open. Two entries for one place of one epoch, each signed by the channel's
writer, prove that its key signed two chains. Two checkpoints that cannot both be right prove that of nobody: each auditor has
signed its own, and what lies under them says which.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from services.audit.proofs import Proved
from services.wire.channels import writer_of

__all__ = ["Fork", "forks_among", "told_of_fork", "told_of_split"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Two proved entries of one place: signed by one writer, one certificate (``has_one_key``) or two of it."""

    one: Proved
    other: Proved

    @property
    def has_one_key(self) -> bool:
        """Tell whether both are signed with one certificate."""
        return self.one.certificate == self.other.certificate


def forks_among(proved: Sequence[Proved]) -> list[Fork]:
    """Return each two of some proofs, checked before, that are of two entries for one place of one epoch."""
    pairs = combinations(proved, 2)
    return [Fork(one=one, other=other) for one, other in pairs if _place(one) == _place(other) and one.digest != other.digest]


def told_of_fork(fork: Fork) -> Iterator[str]:
    """Yield in words what two entries of one place prove, and what they leave open."""
    one, other = fork.one, fork.other
    place = f"{one.channel} at {one.epoch}/{one.sequence}"
    yield f"{place}: two entries for one place, {one.digest.hex()} and {other.digest.hex()}, both signed by {one.writer}"
    if fork.has_one_key:
        yield f"  one key signed both: {one.writer} has shown two chains, or somebody else has its key"
    else:
        yield f"  two keys of {one.writer} signed them; one may have been stolen by then: registrar.trust says what was revoked"
    yield "  neither the log nor an auditor can make such a signature; which of the two counts, an epoch of the registrar decides"


def told_of_split(auditors: tuple[str, str], channel: str, upto: int) -> Iterator[str]:
    """Yield in words who can have made two views of a channel that differ up to a place, and what shows which of them did."""
    (one, other), writer, entry = auditors, writer_of(channel), f"{channel}/{upto}"
    if one == other:
        yield f"both are signed by {one} in its own record: it has vouched for two chains"
        who = f"{one} vouches for what it was not shown"
    else:
        yield f"the first is signed by {one}, the second by {other}: neither can say that it is not its own"
        who = "one of the two vouches for what it was not shown"
    yield "whoever runs the log cannot have made it alone: it can hold entries back, and sign none"
    yield f"so {writer}, or who has its key, has signed two chains; or {who}"
    yield f"which of them, the entry {entry} shows: have it proved under both checkpoints, and check the two files together."
    yield f"  two entries, both signed by {writer}: it was the writer"
    yield "  one and the same: each entry names the one before it, so one auditor has signed what is no chain"
    yield "  no proof from one of them: that auditor has to explain itself"


def _place(proved: Proved) -> tuple[str, int, int]:
    return proved.channel, proved.epoch, proved.sequence
