"""``python -m tests.tables``: write the tables of states and acts anew."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parent

for path in sorted(FOLDER.glob("[a-z]*.py")):
    path.with_suffix(".txt").write_text(import_module(f"tests.tables.{path.stem}").table(), "utf-8")
