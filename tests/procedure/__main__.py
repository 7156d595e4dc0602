"""``python -m tests.procedure``: write the tables of ``docs/crossings.md`` anew."""

from __future__ import annotations

from tests.procedure.page import PAGE, page

PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
