"""Provisioning: what a Kafka cluster has to have for the participants that the registrar's channel names.

A pure function of those participants and the number of copies. Topics and rights follow from roles as channels do: no list of
them is kept. Rights repeat the table of readers; nothing depends on them, for what is read is sealed and verified.

Whoever was removed writes nothing any more, and still reads ``registrar.trust``, the channels it wrote and those written to it
alone. That was its own before, and is what it restores its cases from; of what is written there afterwards it holds no key. What
is others', as an auditor reads it, is closed to it.
Source: design.md sections 5, 7 and 9.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.wire.channels import (
    REGISTRAR,
    TRUST_CHANNEL,
    Role,
    channels_of,
    mailbox_of,
    paired_channel,
    readers_of,
    writer_of,
)
from services.wire.trust import Participant

__all__ = ["COPIES", "READ", "WRITE", "Found", "Right", "Topic", "Wanted", "copies_for", "settings_of", "wanted_for"]

COPIES: Final = 3
READ: Final = "Read"
WRITE: Final = "Write"

_CORRESPONDENTS: Final = (Role.SCHOOL, Role.COMMISSION, Role.AUDITOR)
"""Who has channels and a mailbox. The registrar has neither: it holds no key that anybody could give it."""
_MAILBOX: Final = mailbox_of("")
_SETTINGS: Final = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "unclean.leader.election.enable": "false",
    "max.message.bytes": "1048576",
    "compression.type": "uncompressed",
    # By the broker's clock: else a writer whose clock is ahead is refused, and letters of one that is behind expire at once.
    "message.timestamp.type": "LogAppendTime",
}
_OF_MAILBOXES: Final = {"retention.ms": "2592000000", "segment.ms": "86400000"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic: partitions, copies, and the settings that stand on the topic itself."""

    name: str
    partitions: int
    copies: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Right:
    """An access right in Kafka's words; one that does not allow denies. As it is given here: one topic, one participant."""

    name: str
    principal: str
    operation: str
    kind: str = "topic"
    pattern: str = "literal"
    host: str = "*"
    allows: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a cluster should have, topics by name."""

    topics: Mapping[str, Topic]
    rights: frozenset[Right]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a cluster has: brokers that answer, topics by name, and rights; None where everybody may do everything."""

    brokers: int
    topics: Mapping[str, Topic]
    rights: frozenset[Right] | None


def copies_for(brokers: int, topics: Iterable[Topic]) -> int:
    """Return how many copies a topic should have: three, or one on a cluster that never had three brokers.

    A cluster that has topics with three copies is one of three brokers, also while one of them is away.
    """
    return COPIES if brokers >= COPIES or any(each.copies >= COPIES for each in topics) else 1


def settings_of(topic: str, copies: int) -> dict[str, str]:
    """Return the settings of a topic that has so many copies: one that asks for more than it has would take nothing."""
    own = _OF_MAILBOXES if topic.endswith(_MAILBOX) else {}
    return _SETTINGS | own | {"min.insync.replicas": "2" if copies >= COPIES else "1"}


def wanted_for(participants: Iterable[Participant], copies: int) -> Wanted:
    """Return what a cluster should have for everybody who was ever admitted."""
    building = _Building({each.id: each for each in participants if each.role in _CORRESPONDENTS})
    names = (TRUST_CHANNEL, *building.channels, *map(mailbox_of, building.known))
    topics = {name: Topic(name=name, partitions=1, copies=copies, settings=settings_of(name, copies)) for name in names}
    return Wanted(topics=topics, rights=frozenset(building.rights()))


class _Building:
    """The rights of one set of participants, all that were ever admitted."""

    def __init__(self, known: Mapping[str, Participant]) -> None:
        self.known = known
        schools, self._auditors = self._of(Role.SCHOOL), self._of(Role.AUDITOR)
        channels = (channel for each in known.values() for channel in channels_of(each.id, each.role, schools))
        self.channels = {channel: self._readers(channel) for channel in channels}

    def rights(self) -> Iterator[Right]:
        yield from _rights(TRUST_CHANNEL, readers=[REGISTRAR, *self.known], writers=[REGISTRAR])
        granters: dict[str, set[str]] = {each: set() for each in self.known}
        for channel, readers in self.channels.items():
            writer = writer_of(channel)
            # Before an epoch or a revocation the registrar looks at what the log shows.
            yield from _rights(channel, readers=[REGISTRAR, writer, *readers], writers=self._there([writer]))
            for each in self._there(readers):
                granters[each].add(writer)
        for owner, writers in granters.items():
            yield from _rights(mailbox_of(owner), readers=[owner], writers=self._there(writers))

    def _readers(self, channel: str) -> list[str]:
        found = readers_of(channel, self._auditors, tuple(self.known))
        # To whom a channel is written reads it also when it has left; as auditor nobody does.
        addressed = paired_channel(channel) is not None
        left = [each for each in found if addressed and each not in self._auditors]
        return [each for each in found if each in self.known and (each in left or not self.known[each].removed)]

    def _there(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if not self.known[name].removed]

    def _of(self, role: Role) -> tuple[str, ...]:
        return tuple(each.id for each in self.known.values() if each.role is role)


def _rights(topic: str, *, readers: Iterable[str], writers: Iterable[str]) -> Iterator[Right]:
    for operation, names in ((READ, readers), (WRITE, writers)):
        for name in names:
            yield Right(name=topic, principal=f"User:{name}", operation=operation)
