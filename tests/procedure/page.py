"""``docs/crossings.md``: its words are written by people, its tables are made from the plays."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.procedure.crossings import table
from tests.procedure.special_crossings import special_table

__all__ = ["PAGE", "page"]

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/crossings.md"
_TABLES: Final = {"pairs": table, "stories": special_table}


def page(text: str) -> str:
    """Return the page with its tables made anew."""
    for name, made in _TABLES.items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->")
        text = f"{before}{begin}{made()}\n{end}{after}"
    return text
