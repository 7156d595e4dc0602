"""The names of participants and channels, and what follows from them.

Channels follow from roles: a school has a pair of channels with the commission and a record of its own, everybody but the
registrar has a record, the registrar writes ``registrar.trust``. No list of channels is kept anywhere.
Source: schemas/README.md, "Channels".
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Final
from uuid import UUID, uuid5

from services.wire.errors import MalformedError

__all__ = [
    "COMMISSION",
    "REGISTRAR",
    "TRUST_CHANNEL",
    "ChannelKind",
    "Role",
    "channel_kind",
    "channels_of",
    "commission_case",
    "from_commission",
    "is_participant_id",
    "mailbox_of",
    "paired_channel",
    "readers_of",
    "record_of",
    "school_of",
    "to_commission",
    "writer_of",
]

COMMISSION: Final = "commission"
REGISTRAR: Final = "registrar"
TRUST_CHANNEL: Final = "registrar.trust"

_PARTICIPANT: Final = re.compile(r"[a-z][a-z0-9-]{1,47}")
_SCHOOL_PREFIX: Final = "school-"


class Role(Enum):
    """What a participant is admitted as; ``UNKNOWN`` is a role of a newer release and gets no channels."""

    UNKNOWN = "Unknown"
    SCHOOL = "School"
    COMMISSION = "Commission"
    AUDITOR = "Auditor"
    REGISTRAR = "Registrar"


class ChannelKind(Enum):
    """The kinds of channel; a kind's readers are in ``readers_of``."""

    TO_COMMISSION = "to-commission"
    FROM_COMMISSION = "from-commission"
    RECORD = "record"
    TRUST = "trust"


def is_participant_id(text: str) -> bool:
    """Tell whether ``text`` is in the grammar ``[a-z][a-z0-9-]{1,47}``."""
    return _PARTICIPANT.fullmatch(text) is not None


def to_commission(school: str) -> str:
    """Return the channel in which a school writes to the commission."""
    return f"{school}.{ChannelKind.TO_COMMISSION.value}"


def from_commission(school: str) -> str:
    """Return the channel in which the commission writes to a school."""
    return f"{school}.{ChannelKind.FROM_COMMISSION.value}"


def record_of(participant: str) -> str:
    """Return the channel that holds what the counterpart may not know."""
    return f"{participant}.{ChannelKind.RECORD.value}"


def mailbox_of(participant: str) -> str:
    """Return the mailbox of key grants; no channel: no order, no chain, 30 days."""
    return f"{participant}.mailbox"


# Of names in the grammar alone is anything kept: what is malformed raises.
@lru_cache(maxsize=4096)
def channel_kind(channel: str) -> ChannelKind:
    """Return what kind of channel a name is.

    Raises: MalformedError if it is no channel's name (a mailbox is none).
    """
    participant, _, kind = channel.partition(".")
    if not is_participant_id(participant) or kind not in {each.value for each in ChannelKind}:
        raise MalformedError("no channel has this name")
    if (kind == ChannelKind.TRUST.value) != (participant == REGISTRAR):
        raise MalformedError("only the registrar has a trust channel, and no other")
    return ChannelKind(kind)


def school_of(channel: str) -> str:
    """Return the participant before the dot: in a pair channel the school."""
    return channel.partition(".")[0]


# As above; it is asked several times for each event of a log.
@lru_cache(maxsize=4096)
def writer_of(channel: str) -> str:
    """Return the one participant that writes a channel (id ``commission`` for every from-commission)."""
    return COMMISSION if channel_kind(channel) is ChannelKind.FROM_COMMISSION else school_of(channel)


def paired_channel(channel: str) -> str | None:
    """Return the other channel of the pair; None for a record and the trust channel."""
    kind = channel_kind(channel)
    if kind is ChannelKind.TO_COMMISSION:
        return from_commission(school_of(channel))
    if kind is ChannelKind.FROM_COMMISSION:
        return to_commission(school_of(channel))
    return None


def commission_case(school_case: UUID, channel: str) -> UUID:
    """Return the commission's id of a case that a school opened in its ``to-commission`` channel: UUIDv5, one way.

    Two schools that use one id, by accident or on purpose, still have two cases at the commission.
    """
    return uuid5(school_case, channel)


def channels_of(participant: str, role: Role, schools: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the channels a participant writes; ``schools`` are the admitted schools (the commission's pairs)."""
    match role:
        case Role.SCHOOL:
            return (to_commission(participant), record_of(participant))
        case Role.COMMISSION:
            return (*(from_commission(school) for school in schools), record_of(participant))
        case Role.AUDITOR:
            return (record_of(participant),)
        case Role.REGISTRAR:
            return (TRUST_CHANNEL,)
        case Role.UNKNOWN:
            return ()


def readers_of(channel: str, auditors: tuple[str, ...], everybody: tuple[str, ...]) -> tuple[str, ...]:
    """Return who may hold the facts keys of a channel, besides its writer.

    An auditor's record is read by all; every other record by auditors only. The registrar holds no facts key.
    Source: design.md section 5, the table of channels.
    """
    kind = channel_kind(channel)
    writer = writer_of(channel)
    if kind is ChannelKind.TO_COMMISSION:
        readers: tuple[str, ...] = (COMMISSION, *auditors)
    elif kind is ChannelKind.FROM_COMMISSION:
        readers = (school_of(channel), *auditors)
    else:
        readers = everybody if writer in auditors else auditors
    return tuple(reader for reader in readers if reader not in (writer, REGISTRAR))
