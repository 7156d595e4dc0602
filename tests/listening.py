"""What is logged in the whole suite, listened to: no line may have anything personal in it."""

from __future__ import annotations

import json
import logging

from services.post.logs import JsonLines
from tests.personal import PERSONAL

__all__ = ["Listener"]

_OURS = "services"


class Listener(logging.Handler):
    """Looks at each line that is logged, also those that only a curious operator would see; keeps the places of bad ones."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []
        self.lines = 0
        self.setFormatter(JsonLines("listener"))

    def start(self) -> None:
        logging.getLogger().addHandler(self)
        logging.getLogger(_OURS).setLevel(logging.DEBUG)

    def stop(self) -> None:
        logging.getLogger(_OURS).setLevel(logging.NOTSET)
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += 1
        # As people read it: JSON escapes what is no ASCII.
        line = json.dumps(json.loads(self.format(record)), ensure_ascii=False)
        if PERSONAL.search(line) is not None:
            self.places.append(f"{record.pathname}:{record.lineno}")

    def taken(self) -> list[str]:
        """Return the places of bad lines since the last time: never what they say."""
        places, self.places = self.places, []
        return places
