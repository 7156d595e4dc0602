"""Grounds: what a result stands on, so that whoever repeats it can tell whether it was over the same log.

A result over a log is worth what the log's verification is worth: how far each channel is proven, and what was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.audit.report import Finding
from services.audit.verify import Examined
from services.wire.hashing import digest_of

__all__ = ["Ground", "Grounds", "NamedCheckpoint", "grounds_of"]

_LABEL: Final = b"sarakste/audit/heads\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One channel: how many entries of it are proven, the digest of the last of them, and how it goes on."""

    channel: str
    entries: int
    head: str
    state: str
    receipted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCheckpoint:
    """An auditor's checkpoint, by its place in that auditor's record, when it was written (milliseconds), and its root."""

    auditor: str
    epoch: int
    sequence: int
    written_at: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """The exchange, each channel's proven part, and all of them as one digest; ``findings`` are what is wrong with the log.

    ``heads`` = H(``sarakste/audit/heads`` | NUL | root digest | a line ``channel entries head`` a channel, by name): two results
    of one ``heads`` stand on the same entries. ``checkpoints`` are those of auditors that are over nothing but these entries,
    the newest of each, where somebody looked for them.
    """

    exchange: str
    heads: str
    entries: int
    channels: tuple[Ground, ...]
    findings: tuple[Finding, ...]
    checkpoints: tuple[NamedCheckpoint, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings

    @property
    def told(self) -> str:
        """What it stands on, in a sentence for people."""
        said = f"stands on {self.entries} verified entries of {len(self.channels)} channels, heads {self.heads}"
        if self.is_clean:
            return said
        what = "1 finding" if len(self.findings) == 1 else f"{len(self.findings)} findings"
        return f"{said}; {what} in this log: only what is proven is shown, `sarakste audit verify` says what is not"


def grounds_of(examined: Examined) -> Grounds:
    """Return what a result over an examined log stands on; a channel that nobody may write is no ground."""
    channels = tuple(
        Ground(channel=each.channel, entries=each.entries, head=each.head, state=each.state, receipted=each.receipted)
        for each in sorted(examined.report.channels, key=lambda each: each.channel)
        if each.channel in examined.watches
    )
    lines = "".join(f"{each.channel} {each.entries} {each.head}\n" for each in channels)
    return Grounds(
        exchange=examined.report.exchange,
        heads=digest_of(_LABEL + bytes.fromhex(examined.report.exchange) + lines.encode("ascii")).hex(),
        entries=sum(each.entries for each in channels),
        channels=channels,
        findings=tuple(examined.report.findings),
    )
