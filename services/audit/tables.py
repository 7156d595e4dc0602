"""Tables: the events of a verified log in a DuckDB database in memory, one view a type and one over all of them.

The view of a type holds what counts: events that are taken and that open. ``events`` holds all, with what became of each. What
was sealed in the log is never written to a disk for this: the database lies in memory, below a limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import duckdb
import pyarrow as pa

from services.audit.bounds import MemoryLimitError, size_of
from services.audit.columns import as_json, facts_columns, personal_column, plain, unknown_columns
from services.audit.event import Event, Standing
from services.audit.opening import Opening
from services.wire.audience import AUDIENCE
from services.wire.avro import Schema
from services.wire.channels import writer_of
from services.wire.records import event_type

__all__ = ["ALL_EVENTS", "PLACE_COLUMNS", "Tables"]

ALL_EVENTS: Final = "events"
_AT_ONCE: Final = 2_000
_NAME: Final = re.compile("[A-Za-z][A-Za-z0-9]{0,63}")
# No type of event can be called so.
_NEW: Final = "new_rows"
_TIME: Final = pa.timestamp("ms")
PLACE_COLUMNS: Final = (
    ("channel", pa.string()),
    ("writer", pa.string()),
    ("epoch", pa.int32()),
    ("sequence", pa.int64()),
    ("digest", pa.string()),
    ("body", pa.string()),
    ("written_at", _TIME),
    ("recorded_on", pa.date32()),
    ("case_id", pa.string()),
    ("common_case", pa.string()),
    ("after", pa.string()),
    ("in_reply_to", pa.string()),
    ("sealed_facts", pa.string()),
)
"""Where an event stands and what it follows: the first columns of every view."""
_ALL_COLUMNS: Final = (
    *PLACE_COLUMNS,
    ("type", pa.string()),
    ("standing", pa.string()),
    ("refused_as", pa.string()),
    ("opening", pa.string()),
    ("personal_opening", pa.string()),
    ("facts", pa.string()),
)
# Before anything of the log is in it; that these cannot be changed again is the last word of ``locked``.
_SETTINGS: Final = (
    "SET temp_directory = ''",
    "SET TimeZone = 'UTC'",
    "SET python_enable_replacements = false",
    # It writes its bar to where the answer goes.
    "SET enable_progress_bar = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
)
_LOCKS: Final = (
    "SET disabled_filesystems = 'LocalFileSystem'",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


@dataclass(slots=True)
class Tables:
    """A database in memory; ``memory`` is the limit of it, as DuckDB says sizes. Use it in a ``with``.

    ``unknown`` are the schemas of facts of types that this release does not know (``SchemaBook.unknown_types``): each has a view
    too, of what stands in the log, unless its name or its facts cannot be one.
    """

    memory: str = "1GB"
    with_personal: bool = False
    unknown: Mapping[str, Schema] = field(default_factory=dict)
    _database: duckdb.DuckDBPyConnection = field(init=False)
    _rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _schemas: dict[str, pa.Schema] = field(default_factory=dict)
    _theirs: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        """Open the database, with an empty view of each type.

        Raises: RefusedError if the limit of memory is no size.
        """
        size_of(self.memory)
        self._database = duckdb.connect(":memory:")
        for setting in (f"SET memory_limit = '{self.memory}'", *_SETTINGS):
            self._database.execute(setting)
        self._schemas = {ALL_EVENTS: pa.schema(_ALL_COLUMNS)} | {name: self._schema(name) for name in AUDIENCE}
        unknown = self._unknown_schemas()
        self._schemas |= unknown
        self._theirs = frozenset(unknown)
        for name, schema in self._schemas.items():
            self._with(schema.empty_table(), f'CREATE TABLE "{name}" AS SELECT * FROM {_NEW}')  # noqa: S608  # names of our own events
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of all of it."""
        self._database.close()

    def load(self, events: Iterable[Event]) -> int:
        """Put events into the views, and return how many there were; a batch of them is held at a time.

        Raises: MemoryLimitError; what ``events`` raises.
        """
        count = 0
        for count, event in enumerate(events, start=1):
            self._add(event)
            if count % _AT_ONCE == 0:
                self._flush()
        self._flush()
        return count

    def locked(self) -> duckdb.DuckDBPyConnection:
        """Return the database for questions: from here on it reaches no file and no network, and stays so."""
        for lock in _LOCKS:
            self._database.execute(lock)
        return self._database

    def _schema(self, name: str) -> pa.Schema:
        personal = personal_column(name) if self.with_personal else None
        facts = facts_columns(event_type(name).facts)
        return pa.schema([*PLACE_COLUMNS, *facts, *([("personal", personal)] if personal else [])])

    def _unknown_schemas(self) -> dict[str, pa.Schema]:
        """Return the views of types of other releases: names that are ours, or differ from ours in case alone, are not theirs."""
        taken = {each.lower() for each in self._schemas}
        found: dict[str, pa.Schema] = {}
        for name, schema in self.unknown.items():
            columns = [*PLACE_COLUMNS, *(unknown_columns(schema) or ())]
            names = {column.lower() for column, _ in columns}
            if len(columns) == len(PLACE_COLUMNS) or len(names) < len(columns) or name.lower() in taken:
                continue
            if _NAME.fullmatch(name):
                taken.add(name.lower())
                found[name] = pa.schema(columns)
        return found

    def _add(self, event: Event) -> None:
        place = _place(event)
        self._rows.setdefault(ALL_EVENTS, []).append(place | _outcome(event))
        if event.type is None:
            return
        if event.counts:
            personal = {"personal": plain(event.personal)} if self.with_personal else {}
            self._rows.setdefault(event.type, []).append(place | plain(event.facts) | personal)
        elif event.opening is Opening.UNKNOWN and event.standing is Standing.TAKEN and event.type in self._theirs:
            # Only into a view of such a type: who writes an event calls it as it likes, also as the view over all.
            self._rows.setdefault(event.type, []).append(place | plain(event.facts))

    def _flush(self) -> None:
        for name, rows in self._rows.items():
            schema = self._schemas[name]
            columns = [pa.array([row.get(each.name) for row in rows], each.type) for each in schema]
            batch = pa.Table.from_arrays(columns, schema=schema)
            # Names of our own events, never of a stranger's.
            insert = f'INSERT INTO "{name}" SELECT * FROM {_NEW}'  # noqa: S608
            self._with(batch, insert)
        self._rows = {}

    def _with(self, batch: pa.Table, statement: str) -> None:
        self._database.register(_NEW, batch)
        try:
            self._database.execute(statement)
        except duckdb.OutOfMemoryException:
            raise MemoryLimitError from None
        finally:
            self._database.unregister(_NEW)


def _place(event: Event) -> dict[str, Any]:
    return {
        "channel": event.channel,
        "writer": writer_of(event.channel),
        "epoch": event.epoch,
        "sequence": event.sequence,
        "digest": event.digest.hex(),
        "body": event.body.hex(),
        "written_at": event.written_at,
        "recorded_on": event.recorded_on,
        "case_id": _text(event.case_id),
        "common_case": _text(event.common_case),
        "after": _hex(event.after),
        "in_reply_to": _hex(event.in_reply_to),
        "sealed_facts": _hex(event.sealed_facts),
    }


def _outcome(event: Event) -> dict[str, Any]:
    return {
        "type": event.type,
        "standing": event.standing.value,
        "refused_as": event.refused_as,
        "opening": event.opening.value,
        "personal_opening": event.personal_opening.value,
        "facts": as_json(event.facts),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
