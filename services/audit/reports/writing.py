"""Writing a report: CSV, JSON and XLSX; the same report gives the same bytes. The page and the charts are in ``page``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final

from services.audit.grounds import NamedCheckpoint
from services.audit.outputs import csv_rows, sheets
from services.audit.reports.figures import HIDDEN, Row, Table
from services.audit.reports.making import Report
from services.audit.reports.page import charts, page

__all__ = ["REPORT_FORMS", "about", "write_report"]


def write_report(report: Report, form: str, out: BinaryIO) -> None:
    """Write a report in one of ``REPORT_FORMS``."""
    REPORT_FORMS[form](report, out)


def about(report: Report) -> list[tuple[str, str]]:
    """Return what a report is about and stands on, in words, line by line."""
    scope, grounds = report.scope, report.grounds
    return [
        ("report", report.name),
        ("title", report.title),
        ("period", f"{scope.since} to {scope.until}"),
        ("as of", str(scope.as_of)),
        ("as known at", str(scope.known_at)),
        ("form", "published, small figures hidden" if report.is_published else "internal, nothing hidden: not for publishing"),
        ("exchange", grounds.exchange),
        ("heads", grounds.heads),
        ("checkpoints", "; ".join(map(_named, grounds.checkpoints)) or "none is found that is over these entries"),
        ("verified entries", str(grounds.entries)),
        ("findings", str(len(grounds.findings))),
        ("entries that did not open", str(report.sealed)),
        ("code", report.code),
        ("rule sets", ", ".join(report.rule_sets) or "none"),
    ]


def _named(checkpoint: NamedCheckpoint) -> str:
    day = datetime.fromtimestamp(checkpoint.written_at / 1000, tz=UTC).isoformat(timespec="seconds")
    return f"{checkpoint.auditor} {checkpoint.epoch}/{checkpoint.sequence} of {day}, root {checkpoint.root}"


def _csv(report: Report, out: BinaryIO) -> None:
    csv_rows(("table", "of", "measure", "value"), _long(report), out)


def _long(report: Report) -> Iterator[tuple[str, str, str, Any]]:
    """Yield one line a figure, so that tables of different columns are one file; what it stands on comes first."""
    for name, said in about(report):
        yield "about", name, "text", said
    for table in report.tables:
        for row in table.rows:
            for measure, value in zip(table.measures, row.values, strict=True):
                yield table.name, " / ".join(row.keys), measure, _shown(value)
        if table.is_whole:
            yield table.name, "total", table.measures[0], _shown(table.total)


def _json(report: Report, out: BinaryIO) -> None:
    value = asdict(report) | {"tables": [_plain(table) for table in report.tables]}
    if report.is_published:
        # How many entries each school's channels have is how many applications it had, whatever the tables hide.
        del value["grounds"]["channels"]
    out.write(json.dumps(value, ensure_ascii=False, default=str, indent=1).encode() + b"\n")


def _plain(table: Table) -> dict[str, Any]:
    names = (*table.keys, *table.measures)
    rows = [dict(zip(names, (*row.keys, *row.values), strict=True)) | {"hidden": row.is_hidden} for row in table.rows]
    return {"name": table.name, "title": table.title, "rows": rows} | ({"total": table.total} if table.is_whole else {})


def _xlsx(report: Report, out: BinaryIO) -> None:
    made = [(each.name, (*each.keys, *each.measures), [_line(row) for row in _rows(each)]) for each in report.tables]
    sheets([("about", ("what", "said"), about(report)), *made], out, about=f"heads {report.grounds.heads}")


def _rows(table: Table) -> list[Row]:
    total = [Row(("total", *[""] * (len(table.keys) - 1)), (table.total,))] if table.is_whole else []
    return [*table.rows, *total]


def _line(row: Row) -> list[Any]:
    return [*row.keys, *map(_shown, row.values)]


def _html(report: Report, out: BinaryIO) -> None:
    out.write(page(report, about(report)).encode())


def _svg(report: Report, out: BinaryIO) -> None:
    out.write(charts(report, about(report)).encode())


def _shown(value: int | None) -> Any:
    return HIDDEN if value is None else value


REPORT_FORMS: Final[Mapping[str, Callable[[Report, BinaryIO], None]]] = {
    "csv": _csv,
    "html": _html,
    "json": _json,
    "svg": _svg,
    "xlsx": _xlsx,
}
"""The forms of a report."""
