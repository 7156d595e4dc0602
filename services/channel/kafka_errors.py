"""What a broker or the way to it says, in the errors of the channel port: a sentence for who has to mend it."""

from __future__ import annotations

from typing import Final

from aiokafka import errors as kafka

from services.wire.errors import (
    ChannelDamagedError,
    ChannelForbiddenError,
    ChannelLimitError,
    ChannelMissingError,
    ChannelUnavailableError,
    ReplicasMissingError,
    TransportError,
)

__all__ = ["MOVED", "away", "of_channel", "of_provisioning"]

MOVED: Final = (
    kafka.NotLeaderForPartitionError,
    kafka.LeaderNotAvailableError,
    kafka.ReplicaNotAvailableError,
    kafka.StaleMetadata,
    kafka.KafkaStorageError,
)
"""Another broker leads the channel by now, or will in a moment: where it is has to be asked again."""

_REPLICAS: Final = (kafka.NotEnoughReplicasError, kafka.NotEnoughReplicasAfterAppendError, *MOVED)
_TOO_LARGE: Final = (kafka.MessageSizeTooLargeError, kafka.RecordListTooLargeError)


def of_channel(error: Exception, channel: str, doing: str) -> TransportError:
    """Return what an error means that came while ``doing`` ("written", "read") something in one channel."""
    if isinstance(error, kafka.TopicAuthorizationFailedError):
        return ChannelForbiddenError(f"{channel} may not be {doing} with this certificate: the registrar provisions rights")
    if isinstance(error, kafka.UnknownTopicOrPartitionError | kafka.InvalidTopicError):
        return ChannelMissingError(f"the broker has no channel {channel}: the registrar provisions it")
    if isinstance(error, _REPLICAS):
        return ReplicasMissingError(f"{channel} has too few copies at work: it waits for the brokers that have them")
    if isinstance(error, _TOO_LARGE):
        return ChannelLimitError(f"the broker takes no record of this size in {channel}: the registrar provisions its limit")
    if isinstance(error, kafka.CorruptRecordException):
        return ChannelDamagedError(f"what the broker answers of {channel} is damaged: look at its disk, and at its other copies")
    return away(error)


def of_provisioning(error: Exception, about: str) -> TransportError:
    """Return what an error means that came while a cluster was looked at or changed; ``about`` is the topic or the rights."""
    if isinstance(error, kafka.ClusterAuthorizationFailedError | kafka.TopicAuthorizationFailedError):
        return ChannelForbiddenError(f"{about}: this certificate may not provision: use the one of the cluster's administrator")
    if isinstance(error, kafka.InvalidReplicationFactorError):
        return ReplicasMissingError(f"{about} cannot be made: fewer brokers answer than it has to have copies; start them first")
    return ChannelUnavailableError(
        f"{about}: the cluster does not take this ({type(error).__name__}): look into the broker's log"
    )


def away(error: Exception) -> ChannelUnavailableError:
    """Return that no broker answers, with the kind of error alone: what it says of addresses is for the log of the broker."""
    return ChannelUnavailableError(
        f"no broker answers ({type(error).__name__}): look whether it runs, and at its address and the certificates of both sides"
    )
