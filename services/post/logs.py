"""The log of a worker: a line an event on stderr, JSON where a program reads it and a sentence where a person does.

Whoever logs gives the event a name by ``extra={"event": …}``; these names stay as they are. Nothing personal is in a line: no
event's content, no text of an error of this program, which could be of anything.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from services.post.console import as_text

__all__ = ["JsonLines", "Sentences", "log_lines"]

_OURS: Final = "services"
_FRAMES: Final = 12
_EXTRA: Final = ("channel", "error", "exit_code")


class JsonLines(logging.Formatter):
    """A line is one JSON object: time (UTC), level, event, participant, text, the logger, and what else there is to say."""

    def __init__(self, participant: str) -> None:
        super().__init__()
        self._participant = participant

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        is_ours = record.name.partition(".")[0] == _OURS
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", "note" if is_ours else "library"),
            "participant": self._participant,
            "text": record.getMessage(),
            "logger": record.name,
        }
        line |= {name: value for name in _EXTRA if (value := getattr(record, name, None)) is not None}
        if (places := _places(record)) is not None:
            line["places"] = places
        # All but ASCII is escaped: no reader of lines takes a character of a stranger for the end of one.
        return json.dumps(line)


class Sentences(logging.Formatter):
    """A line is its text, for a terminal that must not obey it; of a mistake in this program also where it is."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        places = _places(record)
        return as_text(record.getMessage()) + (f", at {', from '.join(places)}" if places is not None else "")


@contextmanager
def log_lines(participant: str, *, form: str) -> Iterator[None]:
    """Write what is logged while inside to stderr: ``form`` is json, text or auto, which is text on a terminal alone."""
    is_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Sentences() if is_text else JsonLines(participant))
    root, ours = logging.getLogger(), logging.getLogger(_OURS)
    before = ours.level
    root.addHandler(handler)
    ours.setLevel(logging.INFO)
    try:
        yield
    finally:
        ours.setLevel(before)
        root.removeHandler(handler)


def _places(record: logging.LogRecord) -> list[str] | None:
    """Return where an error came from, the innermost place first, and nothing of what it says."""
    if not record.exc_info or record.exc_info[2] is None:
        return None
    frames = traceback.extract_tb(record.exc_info[2])[-_FRAMES:]
    return [f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in reversed(frames)]
