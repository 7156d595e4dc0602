"""Receipts: what one may say, from the place where it stands.

Decides about the form alone: which lines, in which order, and that its writer names its own channel up to the entry before.
Whether what it names stands there is for whoever holds that channel.
Source: schemas/README.md, "Receipts".
"""

from __future__ import annotations

from services.wire.channels import TRUST_CHANNEL, paired_channel
from services.wire.contents import Held, Receipt
from services.wire.errors import Evidence, MalformedError

__all__ = ["receipt_fault"]


def receipt_fault(receipt: Receipt, own: Held) -> MalformedError | None:
    """Return why a receipt says what none can say, None if it may; ``own`` is the entry before it in its channel."""
    why = _why_not(receipt, own)
    if why is None:
        return None
    named = ", ".join(f"{line.sequence} {line.digest.hex()}" for line in receipt.held) or "nothing"
    evidence = Evidence(channel=own.channel, expected=f"{own.sequence} {own.digest.hex()}", found=named)
    return MalformedError(f"Receipt with wrong content: {why}", evidence)


def _why_not(receipt: Receipt, own: Held) -> str | None:
    paired = paired_channel(own.channel)
    # In this order, so that one state of affairs has one receipt; each once, so that none contradicts itself.
    order = [each for each in (paired, own.channel, TRUST_CHANNEL if own.channel != TRUST_CHANNEL else None) if each]
    named = [line.channel for line in receipt.held]
    if named != [each for each in order if each in named]:
        return "its lines are not the paired channel, this one and registrar.trust, in this order"
    if own not in receipt.held:
        return "it does not name the entry before it"
    if receipt.record is not None and paired is None:
        return "only a receipt in a pair channel names the head of a record"
    return None
