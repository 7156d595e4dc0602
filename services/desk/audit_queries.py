"""`sarakste audit query`: SQL over a verified log; the commands that look at single things are in ``audit_explorer``.

Answers stand on stdout or in a file, what they stand on goes to stderr (in JSON, into the answer). A log with findings is read as
far as it is proven, and the exit code is that of a verification that found something.
"""

from __future__ import annotations

import io
import sys
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final, cast

import typer

from services.desk import audit_explorer, audit_reports
from services.desk.audit_source import Config, KeysOf, Mandate, Personal, Root_, SourceFile, file_for, opened, under
from services.post.console import Json, as_text, in_words, say
from services.wire.errors import SettingsError

if TYPE_CHECKING:
    from services.audit.grounds import Grounds
    from services.audit.querying import Answer

__all__ = ["register"]

_SHOWN_ROWS: Final = 1_000
_SECONDS: Final = 600
_MOST_SECONDS: Final = 1_000_000
_UNBOUNDED: Final = 100_000


class Form(Enum):
    """The forms of an answer."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    XLSX = "xlsx"


def register(app: typer.Typer) -> None:
    """Add the commands that read a log."""
    _add_query(app)
    audit_explorer.register(app)
    audit_reports.register(app)


def _add_query(app: typer.Typer) -> None:
    @app.command()
    def query(  # noqa: PLR0913, PLR0917  # each is an option of the command
        sql: Annotated[str, typer.Argument(help="One SELECT over the views: events, and one a type of event.")],
        source: SourceFile = None,
        root: Root_ = None,
        config: Config = None,
        keys_of: KeysOf = None,
        mandate: Mandate = None,
        personal: Personal = False,
        form: Annotated[Form, typer.Option("--format", help="How the answer is given.")] = Form.TABLE,
        out: Annotated[Path | None, typer.Option("--out", help="Into this file, which only you can read.")] = None,
        memory: Annotated[str, typer.Option("--memory", help="Memory for the events, and as much again for the answer.")] = "1GB",
        seconds: Annotated[
            int, typer.Option("--seconds", min=1, max=_MOST_SECONDS, help="How long the database may work on it.")
        ] = _SECONDS,
        as_json: Json = False,
    ) -> None:
        """Ask a verified log in SQL (DuckDB's); a query only reads, and reads only the log."""
        from services.audit.bounds import held_to
        from services.audit.querying import ask
        from services.audit.tables import Tables
        from services.wire.events import AccessUse

        form = Form.JSON if as_json else form
        if form in (Form.PARQUET, Form.XLSX) and out is None:
            raise SettingsError(f"{form.value} is for a file: name it with --out")
        reading = under(mandate, source, config, AccessUse.QUERY)
        with opened(source, root, config, keys_of, with_personal=personal, mandate=reading) as found:
            with held_to(memory), Tables(memory, personal, found.unknown_types()) as tables:
                tables.load(found.events())
                answer = ask(tables.locked(), sql, seconds=seconds)
                count = _give(answer, form, out, found.grounds)
            if out is not None:
                say(f"{_rows(count)} in {out.name}", as_json=False)
            found.tell(as_json=form is Form.JSON and out is None)


def _give(answer: Answer, form: Form, out: Path | None, grounds: Grounds) -> int:
    from services.audit.outputs import write_answer

    if form is Form.TABLE and out is None:
        return _table(answer)
    # A table in a file is one that other programs read.
    kind = Form.CSV.value if form is Form.TABLE else form.value
    if out is None:
        return write_answer(answer, kind, cast("BinaryIO", _Stdout()), grounds=asdict(grounds))
    with file_for(out) as file:
        return write_answer(answer, kind, file, grounds=asdict(grounds))


class _Stdout(io.RawIOBase):
    """What is printed for other programs; a terminal is shown no character that it would obey."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        text = bytes(data).decode()
        # Whole characters come at a time: what is written was text.
        sys.stdout.write("\n".join(map(as_text, text.split("\n"))) if sys.stdout.isatty() else text)
        return len(data)


def _table(answer: Answer) -> int:
    from itertools import islice

    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    rows = answer.rows()
    table = Table(*(escape(as_text(each)) for each in answer.columns))
    for row in islice(rows, _SHOWN_ROWS):
        table.add_row(*(escape(_word(value)) for value in row))
    shown = table.row_count
    console = Console(width=None if Console().is_terminal else 160)
    needed = console.measure(table, options=console.options.update(max_width=_UNBOUNDED))
    if needed.minimum > console.width:
        # Nothing is cut: a digest is there to be used again. A line a row, and the terminal breaks it.
        table.box, console.width = None, needed.maximum
    console.print(table)
    more = next(rows, None) is not None
    typer.echo(f"the first {shown} rows; all of them: --format csv" if more else _rows(shown))
    return shown


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_word, value))
    return as_text(in_words(value))
