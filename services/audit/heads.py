"""Heads: what an auditor says of each channel, and the one root under which a checkpoint has them all.

Decides what a checkpoint commits to, and nothing about whether it is right. The tree of a channel has the digests of its taken
entries as its leaves, in their order; the tree of a checkpoint has the heads, in the order of the channels' names.
Source: schemas/README.md, "Checkpoints".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from services.audit.tree import leaf_hash, root_of
from services.wire import avro
from services.wire.channels import channel_kind
from services.wire.contents import Checkpoint
from services.wire.errors import MalformedError
from services.wire.hashing import Digest

__all__ = ["ChannelHead", "checkpoint_of", "head_leaf", "ordered", "read_head"]

_SCHEMA: Final = "proofs/ChannelHead.avsc"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHead:
    """A channel up to its entry ``size``, the last of which stands in ``epoch``; ``root`` is that of its tree."""

    channel: str
    epoch: int
    size: int
    root: Digest


def ordered(heads: Iterable[ChannelHead]) -> list[ChannelHead]:
    """Return heads in the order of a checkpoint's leaves: that of their channels' names, byte by byte."""
    return sorted(heads, key=lambda each: each.channel.encode())


def head_leaf(head: ChannelHead) -> Digest:
    """Return the hash of a head as a leaf: H(00 | its Avro)."""
    return leaf_hash(avro.encode(avro.load_schema(_SCHEMA), asdict(head)))


def checkpoint_of(heads: Iterable[ChannelHead]) -> Checkpoint:
    """Return the checkpoint over some heads, of different channels, in whatever order they come."""
    leaves = [head_leaf(each) for each in ordered(heads)]
    return Checkpoint(channels=len(leaves), root=root_of(leaves))


def read_head(record: dict[str, Any]) -> ChannelHead:
    """Return the head that a decoded record is.

    Raises: MalformedError if it is of no channel, or a number is out of range.
    """
    head = ChannelHead(**record)
    channel_kind(head.channel)
    if head.epoch < 0 or head.size < 1:
        raise MalformedError("a head is of an epoch from 0 on and of one entry at least")
    return head
