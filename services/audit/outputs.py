"""Outputs: what a query found, as CSV, JSON, Parquet or XLSX; the same rows give the same bytes.

A spreadsheet obeys a cell that begins like a formula, and what stands in a cell may have been written by a stranger. So CSV puts
an apostrophe before such a text; XLSX says of every text that it is text.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, BinaryIO, Final, cast

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from services.audit.querying import Answer, QueryError

__all__ = ["FORMATS", "csv_rows", "safe_text", "sheet", "sheets", "write_answer"]

_BEGINS_A_FORMULA: Final = re.compile(
    "^(?= *[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20])|(?<=[;\t\r\n])(?= *[=+\\-@\uff1d\uff0b\uff0d\uff20])"
)
_SHEET_ROWS: Final = 1_048_575
_CELL_CHARACTERS: Final = 32_767
_CREATED: Final = datetime(2026, 1, 1, tzinfo=UTC)
_WHOLE: Final = 2**53


def safe_text(text: str) -> str:
    """Return a text as a cell of CSV that no spreadsheet takes for a formula.

    Nor what stands behind a semicolon, a tabulator or an end of line in it: where a comma parts decimals, as in Latvia, a
    spreadsheet begins a cell there, and heeds no quotes but those at the beginning of what it takes for a cell.
    """
    return _BEGINS_A_FORMULA.sub("'", text)


def write_answer(answer: Answer, kind: str, out: BinaryIO, *, grounds: Mapping[str, Any]) -> int:
    """Write an answer in one of ``FORMATS``, and return how many rows it has; ``grounds`` go where the form has a place for them.

    Raises: QueryError if it has more rows, or a longer text, than the form can hold; what reading the rows raises.
    """
    return FORMATS[kind](answer, out, grounds)


def csv_rows(columns: Iterable[str], rows: Iterable[Iterable[Any]], out: BinaryIO) -> int:
    """Write rows as CSV (RFC 4180, UTF-8, a comma between, lines end in CR LF), and return how many there were."""
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
    # With CR and LF as ends both are quoted inside a cell: a bare CR would begin a row, and with it a cell that nobody looked at.
    writer, count = csv.writer(text, lineterminator="\r\n"), 0
    writer.writerow(map(safe_text, columns))
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        count += 1
    text.detach()
    return count


def sheet(columns: Iterable[str], rows: Iterable[Iterable[Any]], out: BinaryIO, *, about: str = "") -> int:
    """Write rows as the one sheet of an XLSX file, and return how many there were; errors as for ``sheets``."""
    return sheets([("events", columns, rows)], out, about=about)


def sheets(tables: Iterable[tuple[str, Iterable[str], Iterable[Iterable[Any]]]], out: BinaryIO, *, about: str = "") -> int:
    """Write tables (name, columns, rows) as the sheets of an XLSX file, and return how many rows there were.

    Raises: QueryError if they are more than a sheet has, or a text is longer than a cell.
    """
    made = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(made, options)
    # Otherwise the time of the day, and each time other bytes.
    book.set_properties({"created": _CREATED.replace(tzinfo=None), "comments": about})
    day, head = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"bold": True})
    count = 0
    for name, columns, rows in tables:
        page = book.add_worksheet(name)
        for place, column in enumerate(columns):
            page.write_string(0, place, column, head)
        count += _fill(page, rows, day)
        page.freeze_panes(1, 0)
    book.close()
    out.write(made.getvalue())
    return count


def _fill(page: Any, rows: Iterable[Iterable[Any]], day: Any) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):
        if count > _SHEET_ROWS:
            raise QueryError(f"A sheet has {_SHEET_ROWS} rows, and this answer has more: take CSV or Parquet.")
        for place, value in enumerate(row):
            _write(page, count, place, value, day)
    return count


def _csv(answer: Answer, out: BinaryIO, _: Mapping[str, Any]) -> int:
    return csv_rows(answer.columns, answer.rows(), out)


def _xlsx(answer: Answer, out: BinaryIO, grounds: Mapping[str, Any]) -> int:
    return sheet(answer.columns, answer.rows(), out, about=f"heads {grounds['heads']}")


def _json(answer: Answer, out: BinaryIO, grounds: Mapping[str, Any]) -> int:
    def text(value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, default=_in_json, allow_nan=False).encode()

    out.write(b'{"grounds": ' + text(dict(grounds)) + b', "columns": ' + text(answer.columns) + b', "rows": [')
    count = 0
    for count, row in enumerate(answer.rows(), start=1):
        out.write((b",\n" if count > 1 else b"\n") + text([_finite(value) for value in row]))
    out.write(b"\n]}\n")
    return count


def _parquet(answer: Answer, out: BinaryIO, grounds: Mapping[str, Any]) -> int:
    said = {b"sarakste.grounds": json.dumps(dict(grounds), ensure_ascii=False).encode()}
    count = 0
    with pq.ParquetWriter(out, answer.schema.with_metadata(said)) as writer:
        for batch in answer.batches:
            count += batch.num_rows
            writer.write_table(pa.Table.from_batches([batch]).replace_schema_metadata(said))
    return count


FORMATS: Final[Mapping[str, Callable[[Answer, BinaryIO, Mapping[str, Any]], int]]] = {
    "csv": _csv,
    "json": _json,
    "parquet": _parquet,
    "xlsx": _xlsx,
}
"""The forms of an answer for other programs."""


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        # A number is no text, and a minus before it no formula.
        return value
    return safe_text(value if isinstance(value, str) else _text(value))


def _text(value: Any) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=_in_json)
    return cast("str", _in_json(value))


def _finite(value: Any) -> Any:
    """Return a value as JSON has a form for it: what is no number, or beyond all numbers, as its word."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return {name: _finite(each) for name, each in value.items()} if isinstance(value, dict) else value


def _in_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, date):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


def _write(page: Any, row: int, place: int, value: Any, day: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        page.write_boolean(row, place, value)
    elif isinstance(value, int | float | Decimal) and _is_exact(value):
        page.write_number(row, place, value)
    elif isinstance(value, date) and not isinstance(value, datetime):
        page.write_datetime(row, place, value, day)
    else:
        text = value if isinstance(value, str) else _text(value)
        if len(text) > _CELL_CHARACTERS:
            raise QueryError(
                f"A cell of a sheet holds {_CELL_CHARACTERS} characters, and one here has more: take CSV or Parquet."
            )
        page.write_string(row, place, text)


def _is_exact(value: Any) -> bool:
    # A sheet has floating point alone: a long number would change in it, and what is not finite is no number there.
    return abs(value) <= _WHOLE if isinstance(value, int) else bool(value == value and abs(value) != float("inf"))  # noqa: PLR0124  # NaN
