"""Differences between what a cluster has and what it should have, each in a sentence for people, with what mends it.

Pure. Provisioning mends what it can mend without harm; where it cannot, or where somebody may have meant it, a person is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from services.registrar.provisioning import Found, Right, Topic, Wanted, settings_of

__all__ = ["Change", "Difference", "GrantRight", "MakeTopic", "Mending", "SetSettings", "WithdrawRight", "differences"]

_STAYS: Final = {
    "cleanup.policy": "entries vanish from the log by a rule of the broker",
    "retention.ms": "the broker deletes entries by their age, or keeps letters longer than their thirty days",
    "retention.bytes": "the broker deletes the oldest entries when the channel grows",
    "min.insync.replicas": "an acknowledged entry may stand on too few brokers and be lost, or none is taken while one is away",
    "unclean.leader.election.enable": "a broker that lags behind may lead, and acknowledged entries are lost",
    "max.message.bytes": "entries that the wire allows are refused, or larger ones are taken",
    "compression.type": "readers pass over what is compressed, as junk",
    "message.timestamp.type": "a writer whose clock is ahead is refused, and letters of one that is behind expire at once",
    "segment.ms": "letters are kept longer than their thirty days",
}
_OTHER_SETTING: Final = "nobody has weighed what it does to this channel"
_NOT_OURS: Final = "this exchange does not mind: it is not of it, and stays as it is"
_EVERYTHING: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeTopic:
    """Make a topic."""

    topic: Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSettings:
    """Replace all settings that stand on a topic."""

    topic: str
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRight:
    """Give a right."""

    right: Right


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawRight:
    """Take a right away."""

    right: Right


Change: TypeAlias = MakeTopic | SetSettings | GrantRight | WithdrawRight


class Mending(Enum):
    """Who mends a difference: provisioning, a person, or nobody because it harms nothing of this exchange."""

    PROVISION = "provision"
    PERSON = "a person"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What is there, what should be, and what happens if it stays; ``change`` is what provisioning does about it."""

    about: str
    found: str
    wanted: str
    if_it_stays: str
    mending: Mending = Mending.PROVISION
    change: Change | None = None

    def __str__(self) -> str:
        return f"{self.about}: found {self.found}, should be {self.wanted}; if it stays, {self.if_it_stays}"


def differences(found: Found, wanted: Wanted) -> list[Difference]:
    """Return every difference: topics in the order of their names, then rights, then what belongs to others."""
    lines: list[Difference] = []
    for name, topic in sorted(wanted.topics.items()):
        there = found.topics.get(name)
        lines += [_missing(topic)] if there is None else [*_shape(there, topic), *_settings(there)]
    lines += _rights_off() if found.rights is None else _rights(found.rights, wanted)
    lines += [_foreign_topic(name) for name in sorted(found.topics.keys() - wanted.topics.keys())]
    return lines


def _missing(topic: Topic) -> Difference:
    return Difference(
        about=topic.name,
        found="no topic",
        wanted=f"a topic with one partition and {_copies(topic.copies)}",
        if_it_stays="nobody can write or read here",
        change=MakeTopic(topic=topic),
    )


def _shape(there: Topic, topic: Topic) -> Iterator[Difference]:
    if there.partitions != topic.partitions:
        yield Difference(
            about=topic.name,
            found=f"{there.partitions} partitions",
            wanted="1",
            if_it_stays="what another program puts into the other partitions is read by nobody: this one uses the first alone."
            " Kafka takes no partition away; if the topic is deleted and provisioned anew, each worker sends again what it wrote",
            mending=Mending.PERSON,
        )
    if there.copies < topic.copies:
        yield Difference(
            about=topic.name,
            found=_copies(there.copies),
            wanted=str(topic.copies),
            if_it_stays=f"{_losing(there.copies)}. Move it with kafka-reassign-partitions.sh, then provision again",
            mending=Mending.PERSON,
        )


def _settings(there: Topic) -> Iterator[Difference]:
    # By the copies that it has: a topic with one that asks for two takes nothing at all.
    wanted = settings_of(there.name, there.copies)
    for name in sorted(wanted.keys() | there.settings.keys()):
        before, after = there.settings.get(name), wanted.get(name)
        if before != after:
            yield Difference(
                about=f"{there.name}, {name}",
                found=before if before is not None else "the broker's default",
                wanted=after if after is not None else "the broker's default",
                if_it_stays=_STAYS.get(name, _OTHER_SETTING),
                change=SetSettings(topic=there.name, settings=wanted),
            )


def _rights_off() -> Iterator[Difference]:
    yield Difference(
        about="access rights",
        found="none are known to this cluster",
        wanted="an authorizer that allows nothing by itself",
        if_it_stays="everybody who reaches a broker may write, read and delete everything: what is written is sealed and signed,"
        " but it can be withheld, flooded and deleted. Set authorizer.class.name and super.users on the brokers",
        mending=Mending.PERSON,
    )


def _rights(found: frozenset[Right], wanted: Wanted) -> Iterator[Difference]:
    for right in sorted(wanted.rights - found):
        yield Difference(
            about=_whose(right),
            found="no right",
            wanted=_named(right),
            if_it_stays=f"{_who(right)} cannot {right.operation.lower()} here",
            change=GrantRight(right=right),
        )
    for right in sorted(found - wanted.rights):
        yield _too_many(right, wanted.topics)


def _too_many(right: Right, topics: Iterable[str]) -> Difference:
    about, named = _whose(right), _named(right)
    if not any(_covers(right, topic) for topic in topics):
        return _foreign_right(right)
    if not right.allows:
        # Somebody may have stopped a stolen key with it: taking that away would let it in again.
        stays = "whom it names is kept out. Take it away by hand when its reason is over"
        return Difference(about=about, found=named, wanted="no denial", if_it_stays=stays, mending=Mending.PERSON)
    stays = f"{_who(right)} can do there what the table of readers does not allow"
    return Difference(about=about, found=named, wanted="no right", if_it_stays=stays, change=WithdrawRight(right=right))


def _covers(right: Right, topic: str) -> bool:
    if right.kind != "topic":
        return False
    return topic.startswith(right.name) if right.pattern == "prefixed" else right.name in (topic, _EVERYTHING)


def _foreign_right(right: Right) -> Difference:
    # Who has a right on the cluster itself can take all others. Only a person knows whether that is an administrator.
    weighs = right.kind == "cluster" and right.allows
    stays = "who has it may change topics and rights of this exchange. Take it away by hand" if weighs else _NOT_OURS
    mending = Mending.PERSON if weighs else Mending.NOBODY
    return Difference(about=_whose(right), found=_named(right), wanted="no right", if_it_stays=stays, mending=mending)


def _foreign_topic(name: str) -> Difference:
    return Difference(about=name, found="a topic", wanted="no topic", if_it_stays=_NOT_OURS, mending=Mending.NOBODY)


def _whose(right: Right) -> str:
    if right.name == _EVERYTHING and right.pattern == "literal":
        return f"every {right.kind}, {_who(right)}"
    kind = "" if right.kind == "topic" else f"{right.kind} "
    begins = "what begins with " if right.pattern == "prefixed" else ""
    return f"{begins}{kind}{right.name}, {_who(right)}"


def _who(right: Right) -> str:
    name = right.principal.removeprefix("User:")
    who = "everybody" if name == _EVERYTHING else name
    return who if right.host == _EVERYTHING else f"{who} from {right.host}"


def _named(right: Right) -> str:
    return f"the {'right' if right.allows else 'denial'} {right.operation}"


def _copies(number: int) -> str:
    return "one copy" if number == 1 else f"{number} copies"


def _losing(copies: int) -> str:
    return "what the one broker loses is gone from the log" if copies == 1 else "two brokers lost are all that there is"
