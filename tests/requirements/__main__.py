"""`python -m tests.requirements` makes docs/requirements.md anew."""

from tests.requirements.shown import PAGE, page

PAGE.write_text(page(), "utf-8")
