"""Mandates in a log: whether one stands in its writer's record, and has not ended there, before anything is read under it.

Asked of the very log that is read: whoever is given a copy that was made before the mandate, or behind its end, sees so.
Source: schemas/README.md, "Disclosures".
"""

from __future__ import annotations

from services.audit.keys import Keys
from services.audit.opening import Opener
from services.audit.places import Places
from services.audit.verify import Examined
from services.channel.port import Channel
from services.wire.entry import Open
from services.wire.errors import DisclosureError, Evidence, RefusedError
from services.wire.events import AccessEnded, AccessScope
from services.wire.hashing import Digest
from services.wire.records import SchemaBook

__all__ = ["require_mandate"]


class MandateEndedError(RefusedError):
    """By this log a mandate has ended."""

    def __init__(self) -> None:
        super().__init__("By this log the mandate has ended: nothing is shown under it any more.")


def require_mandate(log: Channel, examined: Examined, keys: Keys, channel: str, mandate: Digest) -> None:
    """Return if a mandate stands in its writer's record, and no word of its end that opens with ``keys`` behind it.

    Raises: DisclosureError if it is not there; MandateEndedError; ChannelUnavailableError if the log was changed meanwhile.
    """
    opener, stands = Opener(keys, SchemaBook(examined.trust.schemas)), False
    watch = examined.watches.get(channel)
    for found in Places(log, watch, opener).entries() if watch is not None else ():
        stands = stands or found.facts == mandate
        if not stands or isinstance(found.said, Open):
            continue
        _, _, said = opener.facts(found.said)
        if isinstance(said, AccessEnded) and said.scope is AccessScope.PART and said.grant == mandate:
            raise MandateEndedError
    if not stands:
        evidence = Evidence(channel=channel, expected=mandate.hex(), found="nothing")
        raise DisclosureError("the mandate does not stand in this log: read one that goes so far", evidence)
