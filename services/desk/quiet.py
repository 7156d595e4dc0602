"""Whether a participant has something to do: what it wrote is not in the log yet, or it has not read what others wrote.

Decides by the databases and the ends of the channels alone; whoever looks neither signs nor sends.
"""

from __future__ import annotations

from services.channel.port import Channel
from services.desk.sight import exchange_channels
from services.post.office import Office
from services.wire.channels import COMMISSION, REGISTRAR, TRUST_CHANNEL, readers_of

__all__ = ["has_work"]


def has_work(office: Office, log: Channel, schools: tuple[str, ...]) -> bool:
    """Tell whether something of a participant's waits to be signed, sent or read."""
    if office.database.one("SELECT 1 FROM outgoing") is not None or office.letterbook.unsent(1):
        return True
    everybody = (COMMISSION, *schools)
    read = [channel for channel in exchange_channels(schools) if office.participant in readers_of(channel, (), everybody)]
    if office.participant != REGISTRAR:
        read.append(TRUST_CHANNEL)
    return any(_hint(office, channel) < log.end(channel) for channel in read)


def _hint(office: Office, channel: str) -> int:
    standing = office.letterbook.standing(channel)
    return standing.hint.position if standing else 0
