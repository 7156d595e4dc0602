"""Looking at a Kafka cluster and changing it: its topics with their own settings, and its access rights.

Decides nothing: what a cluster should have is the registrar's matter. Whoever calls this needs the certificate of an
administrator. Everything can be asked for again: what is there already is no error.
Source: design.md sections 5 and 9; Kafka's protocol, https://kafka.apache.org/protocol.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    NoError,
    RequestTimedOutError,
    SecurityDisabled,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.admin import (
    AlterConfigsRequest,
    CreateAclsRequest,
    CreateTopicsRequest,
    DeleteAclsRequest,
    DescribeAclsRequest,
    DescribeConfigsRequest,
)
from aiokafka.protocol.metadata import MetadataRequest

from services.channel.kafka import KafkaAccess, goodbye
from services.channel.kafka_errors import away, of_provisioning

__all__ = ["ClusterState", "KafkaAdmin", "RightRow", "TopicRow"]

_Result = TypeVar("_Result")
_Item = TypeVar("_Item")

_AT_ONCE: Final = 200
_TOPIC: Final = 2
_ANY: Final = 1
_SET_ON_THE_TOPIC: Final = 1
"""Where a setting comes from: the topic itself, not a default of the broker's."""
_PASSING: Final = (KafkaConnectionError, NodeNotReadyError, RequestTimedOutError, TimeoutError)

_KINDS: Final = {2: "topic", 3: "group", 4: "cluster", 5: "transactional-id", 6: "delegation-token", 7: "user"}
_PATTERNS: Final = {3: "literal", 4: "prefixed"}
_OPERATIONS: Final = {
    2: "All",
    3: "Read",
    4: "Write",
    5: "Create",
    6: "Delete",
    7: "Alter",
    8: "Describe",
    9: "ClusterAction",
    10: "DescribeConfigs",
    11: "AlterConfigs",
    12: "IdempotentWrite",
    13: "CreateTokens",
    14: "DescribeTokens",
    15: "TwoPhaseCommit",
}
_ALLOWS: Final = {2: False, 3: True}


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRow:
    """A topic: how many partitions, copies of the one that has fewest, and the settings that stand on the topic itself."""

    name: str
    partitions: int
    copies: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RightRow:
    """An access right, or with ``allows`` false a denial, in Kafka's words; ``name`` is the resource's, ``*`` for every one."""

    kind: str
    name: str
    pattern: str
    principal: str
    host: str
    operation: str
    allows: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterState:
    """What a cluster has now: brokers that answer, topics without Kafka's own, and rights; None where it knows no rights."""

    brokers: int
    topics: tuple[TopicRow, ...]
    rights: tuple[RightRow, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaAdmin:
    """An administrator's handle; each call connects, does its work and leaves, within ``limit_seconds`` at the longest.

    Every call may raise ChannelForbiddenError (the certificate is no administrator's), ReplicasMissingError (too few brokers)
    or ChannelUnavailableError.
    """

    access: KafkaAccess
    timeout_seconds: float = 10.0
    limit_seconds: float = 120.0

    def read(self) -> ClusterState:
        """Return what the cluster has."""
        return self._do(_read)

    def make(self, topics: Sequence[TopicRow]) -> None:
        """Make topics; one that is there already stays as it is."""
        self._do(lambda admin: _make(admin, topics))

    def set_settings(self, topics: Mapping[str, Mapping[str, str]]) -> None:
        """Replace all settings that stand on topics by the given ones."""
        self._do(lambda admin: _set(admin, topics))

    def grant(self, rights: Sequence[RightRow]) -> None:
        """Give rights."""
        self._do(lambda admin: _grant(admin, rights))

    def withdraw(self, rights: Sequence[RightRow]) -> None:
        """Take exactly these rights away."""
        self._do(lambda admin: _withdraw(admin, rights))

    def _do(self, work: Callable[[AIOKafkaAdminClient], Awaitable[_Result]]) -> _Result:
        settings = self.access.settings("provision") | {"request_timeout_ms": int(self.timeout_seconds * 1000)}

        async def done() -> _Result:
            admin = AIOKafkaAdminClient(**settings)
            try:
                async with asyncio.timeout(self.limit_seconds):
                    await admin.start()
                    return await work(admin)
            except (KafkaError, OSError, TimeoutError) as error:
                raise away(error) from error
            finally:
                await admin.close()
                await goodbye()

        return asyncio.run(done())


class _CreateRights(CreateAclsRequest):  # type: ignore[misc]  # the library has no types
    """The library's request, for many rights at once."""

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._rows = list(rows)

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._rows)


class _DeleteRights(DeleteAclsRequest):  # type: ignore[misc]  # the library has no types
    """The library's request, for many rights at once."""

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._rows = list(rows)

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._rows)


async def _read(admin: AIOKafkaAdminClient) -> ClusterState:
    # First: whoever is no administrator is refused here, and would be shown a part of the topics as if that were all.
    rights = await _rights(admin)
    metadata = await _ask(admin, MetadataRequest(None))
    found = {topic: partitions for _, topic, internal, partitions in metadata.topics if not internal}
    settings = await _settings(admin, sorted(found))
    topics = tuple(
        TopicRow(
            name=topic,
            partitions=len(found[topic]),
            copies=min((len(replicas) for _, _, _, replicas, *_ in found[topic]), default=0),
            settings=each,
        )
        for topic, each in settings.items()
    )
    return ClusterState(brokers=len(metadata.brokers), topics=topics, rights=rights)


async def _rights(admin: AIOKafkaAdminClient) -> tuple[RightRow, ...] | None:
    answer = await _ask(admin, DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY))
    if for_code(answer.error_code) is SecurityDisabled:
        return None
    _require(answer.error_code, "rights")
    return tuple(
        RightRow(
            kind=_KINDS.get(kind, str(kind)),
            name=name,
            pattern=_PATTERNS.get(pattern, str(pattern)),
            principal=principal,
            host=host,
            operation=_OPERATIONS.get(operation, str(operation)),
            allows=_ALLOWS[permission],
        )
        for kind, name, pattern, rights in answer.resources
        for principal, host, operation, permission in rights
    )


async def _settings(admin: AIOKafkaAdminClient, topics: Sequence[str]) -> dict[str, dict[str, str]]:
    found = {}
    for some in _in_parts(topics):
        answer = await _ask(admin, DescribeConfigsRequest([(_TOPIC, topic, None) for topic in some], include_synonyms=False))
        for code, _, _, topic, entries in answer.resources:
            if for_code(code) is UnknownTopicOrPartitionError:
                # Deleted since it was listed.
                continue
            _require(code, topic)
            found[topic] = {name: value for name, value, _, source, *_ in entries if source == _SET_ON_THE_TOPIC}
    return found


async def _make(admin: AIOKafkaAdminClient, topics: Sequence[TopicRow]) -> None:
    for some in _in_parts(topics):
        nowhere: list[Any] = []  # on which brokers is for the cluster to say
        rows = [(each.name, each.partitions, each.copies, nowhere, list(each.settings.items())) for each in some]
        timeout = admin._request_timeout_ms  # noqa: SLF001  # its own
        answer = await _ask(admin, CreateTopicsRequest(create_topic_requests=rows, timeout=timeout, validate_only=False))
        for topic, code, *_ in answer.topic_errors:
            if for_code(code) is not TopicAlreadyExistsError:
                _require(code, topic)


async def _set(admin: AIOKafkaAdminClient, topics: Mapping[str, Mapping[str, str]]) -> None:
    for some in _in_parts(topics.items()):
        rows = [(_TOPIC, topic, list(settings.items())) for topic, settings in some]
        for code, _, _, topic in (await _ask(admin, AlterConfigsRequest(rows))).resources:
            _require(code, topic)


async def _grant(admin: AIOKafkaAdminClient, rights: Sequence[RightRow]) -> None:
    for some in _in_parts(rights):
        answer = await _ask(admin, _CreateRights(list(map(_row_of, some))))
        for right, (code, _) in zip(some, answer.creation_responses, strict=True):
            _require(code, f"rights on {right.name}")


async def _withdraw(admin: AIOKafkaAdminClient, rights: Sequence[RightRow]) -> None:
    for some in _in_parts(rights):
        answer = await _ask(admin, _DeleteRights(list(map(_row_of, some))))
        for right, (code, _, matching) in zip(some, answer.filter_responses, strict=True):
            for each in (code, *(found[0] for found in matching)):
                _require(each, f"rights on {right.name}")


def _row_of(right: RightRow) -> tuple[Any, ...]:
    return (
        _number(_KINDS, right.kind),
        right.name,
        _number(_PATTERNS, right.pattern),
        right.principal,
        right.host,
        _number(_OPERATIONS, right.operation),
        _number(_ALLOWS, right.allows),
    )


def _number(words: Mapping[int, Any], word: Any) -> int:
    # A word of a newer Kafka is its number.
    return next((number for number, each in words.items() if each == word), None) or int(word)


async def _ask(admin: AIOKafkaAdminClient, request: Any) -> Any:
    """Ask the broker that metadata names as controller, once more if that one has gone since.

    Any broker would do, but the library's own calls take one at random, and fail if it is the one that is away.
    """
    try:
        return await admin._send_to_controller(request)  # noqa: SLF001  # the library has no public way
    except _PASSING:
        await admin._client.force_metadata_update()  # noqa: SLF001  # as above
        return await admin._send_to_controller(request)  # noqa: SLF001  # as above


def _require(code: int, about: str) -> None:
    if (error := for_code(code)) is not NoError:
        raise of_provisioning(error(about), about)


def _in_parts(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    left = iter(items)
    while some := list(islice(left, _AT_ONCE)):
        yield some
