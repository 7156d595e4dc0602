"""The case store: streams of events on the library ``eventsourcing``, in the participant's own transactions.

From the library come the application, the repository, optimistic versions and tracking; the mapper, the projector and the
connection are ours, so that an event is stored as the exact bytes that were sealed, and everything an act or a received
entry causes commits together.
Source: libraries.md section 1; design.md section 8.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import (
    DatetimeAsISO,
    InfrastructureFactory,
    JSONTranscoder,
    Mapper,
    StoredEvent,
)
from eventsourcing.sqlite import SQLiteCursor, SQLiteDatastore, SQLiteFactory, SQLiteProcessRecorder
from eventsourcing.utils import Environment

from services.post.database import Database
from services.wire.avro import Schema, decode_own, encode
from services.wire.entry import Sealed
from services.wire.hashing import DIGEST_BYTES, Digest, Id, digest_of

__all__ = ["CaseStore", "CaseStream", "SealedEvent", "sealed_body"]

_STATE: Final = Schema(
    {
        "type": "record",
        "name": "StoredEvent",
        "fields": [
            {"name": "channel", "type": "string"},
            {"name": "event_id", "type": {"type": "fixed", "name": "Id", "size": 16}},
            {"name": "body", "type": "bytes"},
            {"name": "facts", "type": ["null", "bytes"]},
        ],
    },
    is_own=True,
)


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """An event of a case as it is stored: its place in the stream, its channel, its body and its sealed facts.

    ``topic`` is the event's type. ``body`` is the Avro of the body record, whose hash links events.
    """

    originator_id: UUID
    originator_version: int
    topic: str
    channel: str
    event_id: Id
    body: bytes
    facts: bytes | None

    @property
    def sealed(self) -> Sealed:
        """The digests that the body of a sealed event holds."""
        return sealed_body(self.body)


def sealed_body(body: bytes) -> Sealed:
    """Return what the bytes of a sealed body of this participant's own database say: three digests, one after the other.

    Raises: ValueError if they are no sealed body (our own bug, not hostile data).
    """
    if len(body) != 3 * DIGEST_BYTES:
        raise ValueError("a sealed body is three digests")
    facts_key, facts, personal = (Digest(body[place : place + DIGEST_BYTES]) for place in range(0, len(body), DIGEST_BYTES))
    return Sealed(facts_key=facts_key, facts=facts, personal=personal)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStream:
    """All events of one case, in the order in which they were saved; ``version`` is the number of the last."""

    id: UUID
    version: int
    events: tuple[SealedEvent, ...]


class CaseStore(Application[UUID]):
    """The event store of one participant, over its ``Database``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        super().__init__()

    def stream(self, case_id: UUID) -> CaseStream:
        """Return the stream of a case; one without events where there is no such case."""
        try:
            return cast("CaseStream", self.repository.get(case_id, projector_func=cast("Any", _project)))
        except AggregateNotFoundError:
            return CaseStream(id=case_id, version=0, events=())

    def of_topics(self, stream_id: UUID | None, topics: Collection[str], *, channel: str) -> tuple[SealedEvent, ...]:
        """Return the events of some types that stand in a stream (None: in any) and in a channel; no others are read.

        Those of a stream come in its order.
        """
        marks, of_stream = ", ".join("?" * len(topics)), "" if stream_id is None else " AND originator_id = ?"
        rows = self._database.all(
            "SELECT originator_id, originator_version, topic, state FROM stored_events"  # noqa: S608  # marks
            f" WHERE topic IN ({marks}){of_stream} AND channel = ? ORDER BY originator_id, originator_version",
            *topics,
            *([] if stream_id is None else [stream_id.hex]),
            channel,
        )
        return tuple(_event(UUID(identity), *row) for identity, *row in rows)

    def append(self, events: Sequence[SealedEvent]) -> None:
        """Store events in the open transaction.

        Raises: ConflictError if somebody else extended the stream, or stored the event.
        """
        self.events.put(cast("Any", events))

    def track(self, name: str, sequence: int) -> bool:
        """Note in the open transaction how far a channel was received; return False if it was received as far before."""
        # The library's own statement; its layers around it cost more than it does, with each entry.
        query = (
            "INSERT INTO tracking VALUES (?, ?) ON CONFLICT (application_name) DO UPDATE"
            " SET notification_id = excluded.notification_id WHERE notification_id < excluded.notification_id"
        )
        return self._database.run(query, name, sequence) > 0

    def case_with(self, body: Digest, *, channel: str | None = None) -> UUID | None:
        """Return the case in whose stream an event with this body digest stands, of ``channel`` if given; None if in none."""
        row = self._database.one(
            "SELECT originator_id FROM stored_events WHERE body_digest = ? AND channel = coalesce(?, channel)", body, channel
        )
        return UUID(row["originator_id"]) if row else None

    def body_at(self, stream_id: UUID, version: int) -> Digest | None:
        """Return the body digest of one event of a stream."""
        row = self._database.one(
            "SELECT body_digest FROM stored_events WHERE originator_id = ? AND originator_version = ?", stream_id.hex, version
        )
        return Digest(row["body_digest"]) if row else None

    def stream_with(self, channel: str, event_id: Id) -> UUID | None:
        """Return the stream in which an event of a channel stands, None if it is not stored."""
        row = self._database.one("SELECT originator_id FROM stored_events WHERE channel = ? AND event_id = ?", channel, event_id)
        return UUID(row["originator_id"]) if row else None

    def version(self, stream_id: UUID) -> int:
        """Return the number of the last event of a stream, 0 where there is none; its events are not read."""
        row = self._database.one("SELECT max(originator_version) FROM stored_events WHERE originator_id = ?", stream_id.hex)
        return int(row[0] or 0) if row else 0

    def body_of(self, channel: str, event_id: Id) -> bytes | None:
        """Return the body digest under which an event of a channel is stored, None if it is not."""
        row = self._database.one("SELECT body_digest FROM stored_events WHERE channel = ? AND event_id = ?", channel, event_id)
        return row["body_digest"] if row else None

    def construct_env(self, name: str, env: Any = None) -> Environment:  # noqa: ARG002  # the library's signature
        """Return an empty environment: settings of ours come from one place, never from the library's variables."""
        return Environment(name, {})

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        """Return the factory over this participant's database."""
        return cast("InfrastructureFactory[Any]", _Factory(env, _Datastore(self._database)))

    def construct_mapper(self) -> Mapper[UUID]:
        """Return our own mapper: the stored bytes are the sealed ones."""
        return _Mapper(_NO_TRANSCODER)

    def construct_recorder(self) -> _Recorder:
        """Return the recorder that stores into this participant's database."""
        return _Recorder(_Datastore(self._database))


def _event(stream_id: UUID, version: int, topic: str, stored: bytes) -> SealedEvent:
    state = decode_own(_STATE, stored)
    return SealedEvent(stream_id, version, topic, state["channel"], state["event_id"], state["body"], state["facts"])


def _project(_: None, events: Iterable[SealedEvent]) -> CaseStream | None:
    found = tuple(events)
    return CaseStream(id=found[0].originator_id, version=found[-1].originator_version, events=found) if found else None


_NO_TRANSCODER: Final = JSONTranscoder()
_NO_TRANSCODER.register(DatetimeAsISO())


@dataclass(frozen=True)
class _Stored(StoredEvent):
    """What the library stores, with the event beside it for the columns that are ours."""

    event: SealedEvent


class _Mapper(Mapper[UUID]):
    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        event: SealedEvent = domain_event
        state = {"channel": event.channel, "event_id": event.event_id, "body": event.body, "facts": event.facts}
        return _Stored(event.originator_id, event.originator_version, event.topic, encode(_STATE, state), event)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        stream_id = cast("UUID", stored_event.originator_id)
        return _event(stream_id, stored_event.originator_version, stored_event.topic, stored_event.state)


class _Datastore(SQLiteDatastore):
    """The library's datastore over our connection: what it writes joins the open transaction."""

    def __init__(self, database: Database) -> None:  # the library's own would open a pool
        self._database = database
        self.single_row_tracking = True
        self.originator_id_type = "uuid"

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        if commit:
            with self._database.transaction() as connection:
                yield SQLiteCursor(connection.cursor())
        else:
            yield SQLiteCursor(self._reading().cursor())

    def close(self) -> None:
        """Do nothing: the database is its owner's to close."""

    def _reading(self) -> sqlite3.Connection:
        return self._database.connection


class _Recorder(SQLiteProcessRecorder):
    """The library's recorder with columns more, so that one event is stored once."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__(datastore)
        self.insert_events_statement = "INSERT INTO stored_events VALUES (?, ?, ?, ?, ?, ?, ?)"

    def _insert_events(self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        rows = []
        for each in stored_events:
            event = cast("_Stored", each).event
            place = (event.originator_id.hex, each.originator_version, each.topic, each.state)
            rows.append((*place, event.channel, event.event_id, digest_of(event.body)))
        c.executemany(self.insert_events_statement, rows)
        return None


class _Factory(SQLiteFactory):
    def __init__(self, env: Environment, datastore: SQLiteDatastore) -> None:
        InfrastructureFactory.__init__(self, env)
        self.datastore = datastore
