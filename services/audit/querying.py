"""Querying: a person's SQL over the events, which can read them and do nothing else.

One SELECT; what could change something, reach a file, another database, the network or a setting is refused, by its kind and by
the database itself, which was locked before: neither wall trusts the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import pyarrow as pa

from services.audit.bounds import MemoryLimitError, TimeLimit, TimeLimitError
from services.wire.errors import RefusedError

__all__ = ["Answer", "QueryError", "ask"]

_AT_ONCE: Final = 1_000
_TELLS_OF_SETTINGS: Final = ("Permission Error", "configuration")


class QueryError(RefusedError):
    """A query was not understood, or asks for what a query may not do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query found: its columns, and its rows, a batch at a time."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.schema.names)

    def rows(self) -> Iterator[list[Any]]:
        """Yield the rows, each with a value a column. Raises: QueryError if one is beyond all days or times; as ``ask``."""
        for batch in self.batches:
            try:
                columns = [column.to_pylist() for column in batch.columns]
            except (OverflowError, ValueError) as error:
                raise QueryError(f"The answer has a value that no day, time or text can show. {error}") from None
            yield from (list(row) for row in zip(*columns, strict=True))


def ask(database: duckdb.DuckDBPyConnection, sql: str, *, seconds: float | None = None) -> Answer:
    """Return what a query finds in a locked database, a batch of rows at a time; for so many ``seconds`` it may be at work.

    Raises: QueryError if it is not one SELECT, is not understood, or asks for what a query may not have; MemoryLimitError;
    TimeLimitError. All of them also while the rows are read.
    """
    limit = TimeLimit(seconds, database.interrupt)
    if not _is_text(sql):
        raise QueryError("The query has bytes that are no text.")
    try:
        _require_one_select(database, sql)
        _begin_reading(database)
        with limit.running():
            reader = database.sql(sql).to_arrow_reader(_AT_ONCE)
        return Answer(reader.schema, _watched(reader, limit))
    except duckdb.Error as error:
        raise _told(error, limit) from None


def _is_text(sql: str) -> bool:
    # Bytes of a command line that its encoding has not are halves of characters, which the database does not take.
    return sql.isascii() or sql == sql.encode(errors="ignore").decode()


def _require_one_select(database: duckdb.DuckDBPyConnection, sql: str) -> None:
    statements = database.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(f"This is {len(statements)} statements; a query is one SELECT.")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError(f"{statements[0].type.name} is not allowed here; a query is one SELECT, and only reads.")


def _begin_reading(database: duckdb.DuckDBPyConnection) -> None:
    """Begin a transaction in which nothing can be written: a SELECT may have an INSERT inside it."""
    # That of the query before ends here: its rows may be read until then.
    with suppress(duckdb.TransactionException):
        database.execute("ROLLBACK")
    database.execute("BEGIN TRANSACTION READ ONLY")


def _watched(reader: pa.RecordBatchReader, limit: TimeLimit) -> Iterator[pa.RecordBatch]:
    try:
        while True:
            with limit.running():
                batch = next(reader, None)
            if batch is None:
                return
            yield batch
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise _told(error, limit) from None


def _told(error: Exception, limit: TimeLimit) -> RefusedError:
    text = str(error)
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError) or "Out of Memory" in text:
        return MemoryLimitError()
    if limit.seconds is not None and (isinstance(error, duckdb.InterruptException) or "INTERRUPT" in text):
        return TimeLimitError(limit.seconds)
    if isinstance(error, duckdb.PermissionException) or all(each in text for each in _TELLS_OF_SETTINGS):
        return QueryError("A query reads the events of the log alone: no file, no other database, no network, no setting.")
    return QueryError(f"The query cannot be answered. {text}")
