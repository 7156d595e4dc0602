"""A report as a page: one file, no script, nothing fetched; a table for each chart, so that nobody needs to see one.

A chart repeats its table's first measure as bars; for who reads with the ears it is one picture with a name, for its figures
stand in the table beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from services.audit.reports.figures import HIDDEN, Row, Table
from services.audit.reports.making import Report

__all__ = ["chart", "charts", "page"]

_BAR: Final = 22
_LEFT: Final = 230
_WIDTH: Final = 360
_NUMBER: Final = 70
_STYLE: Final = """
:root { color-scheme: light dark; --bar: #1d5c8f; }
@media (prefers-color-scheme: dark) { :root { --bar: #7fb4dd; } }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
section { margin: 2.5rem 0; }
table { border-collapse: collapse; margin: .5rem 0; }
caption { text-align: left; font-weight: 600; }
th, td { border: 1px solid #888; padding: .25rem .6rem; text-align: left; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
svg { max-width: 100%; height: auto; }
svg text { fill: currentColor; font-size: 13px; }
svg rect { fill: var(--bar); }
"""


def page(report: Report, about: Iterable[tuple[str, str]]) -> str:
    """Return the page of a report; ``about`` is what it stands on."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    lines = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{escape(report.title)}</h1>",
        f"<p>{report.scope.since} to {report.scope.until}, as of {report.scope.as_of}, as known at {report.scope.known_at}.</p>",
        *(_section(each, is_published=report.is_published) for each in report.tables),
        "<section><h2>What this stands on</h2><table><tbody>",
        *(f'<tr><th scope="row">{escape(name)}</th><td>{escape(said)}</td></tr>' for name, said in about),
        "</tbody></table></section></main></body></html>",
        "",
    ]
    return "\n".join(lines)


def _section(table: Table, *, is_published: bool) -> str:
    name = escape(table.name)
    hidden = f"<p>{HIDDEN}: too few, or hidden so that another figure cannot be computed.</p>" if _hides(table) else ""
    if not table.rows:
        said = "None." if table.total == 0 or not is_published else "None, or too few to be shown."
        return f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(table.title)}</h2><p>{said}</p></section>'
    body = "\n".join((*map(_row, table.rows), *_total(table)))
    heads = "".join(f'<th scope="col">{escape(each)}</th>' for each in (*table.keys, *table.measures))
    return (
        f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(table.title)}</h2>\n{chart(table)}\n'
        f"<table><caption>{escape(table.title)}</caption><thead><tr>{heads}</tr></thead><tbody>\n{body}\n</tbody></table>{hidden}"
        "</section>"
    )


def chart(table: Table) -> str:
    """Return the bars of a table's first measure as SVG; a hidden one has its mark and no bar."""
    height, title = _BAR * len(table.rows) + 4, escape(f"{table.title}: bars of {table.measures[0]}; the table has the figures")
    size = f'viewBox="0 0 {_LEFT + _WIDTH + _NUMBER} {height}" width="{_LEFT + _WIDTH + _NUMBER}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}" {size}>{_bars(table)}</svg>'


def charts(report: Report, about: Iterable[tuple[str, str]]) -> str:
    """Return the charts of a report as one SVG file, one below the other, each under its title; ``about`` is its description."""
    shown = [table for table in report.tables if table.rows]
    heights = [_BAR * (len(table.rows) + 2) for table in shown]
    tops = [_BAR * 2 + sum(heights[:place]) for place in range(len(shown))]
    width, height = _LEFT + _WIDTH + _NUMBER, _BAR * 2 + sum(heights)
    said = escape("; ".join(f"{name}: {each}" for name, each in about))
    title = f"{report.title}, {report.scope.since} to {report.scope.until}, as of {report.scope.as_of}"
    parts = [
        f'<text x="8" y="{top + 16}" font-weight="bold">{escape(table.title)}</text>'
        f'<g transform="translate(0 {top + _BAR})">{_bars(table)}</g>'
        for table, top in zip(shown, tops, strict=True)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}"',
            f' width="{width}" height="{height}">',
            f"<title>{escape(title)}</title><desc>{said}</desc>",
            "<style>text { font: 13px system-ui, sans-serif; fill: #222; } rect { fill: #1d5c8f; }</style>",
            f'<text x="8" y="16" font-weight="bold">{escape(title)}</text>',
            *parts,
            "</svg>",
            "",
        ]
    )


def _bars(table: Table) -> str:
    most = max((row.values[0] or 0 for row in table.rows), default=0) or 1
    return "".join(_bar(place, row, most) for place, row in enumerate(table.rows))


def _bar(place: int, row: Row, most: int) -> str:
    value, top = row.values[0], place * _BAR
    long = 0 if value is None else value * _WIDTH // most
    name = escape(" / ".join(row.keys))
    shown = HIDDEN if value is None else str(value)
    return (
        f'<text x="{_LEFT - 8}" y="{top + 16}" text-anchor="end">{name}</text>'
        f'<rect x="{_LEFT}" y="{top + 4}" width="{long}" height="{_BAR - 6}"/>'
        f'<text x="{_LEFT + long + 6}" y="{top + 16}">{shown}</text>'
    )


def _row(row: Row) -> str:
    first, *rest = row.keys
    keys = f'<th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(each)}</td>" for each in rest)
    return f"<tr>{keys}{''.join(map(_cell, row.values))}</tr>"


def _total(table: Table) -> Iterator[str]:
    if table.is_whole:
        empty = "<td></td>" * (len(table.keys) - 1)
        yield f'<tr><th scope="row">total</th>{empty}{_cell(table.total)}</tr>'


def _cell(value: int | None) -> str:
    return f'<td class="n">{HIDDEN if value is None else value}</td>'


def _hides(table: Table) -> bool:
    return any(row.is_hidden for row in table.rows) or (table.is_whole and table.total is None)
