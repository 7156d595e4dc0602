"""Strays: channels that stand in a log although nobody who is admitted writes them.

Whoever cuts the registrar's last admissions off hides whole channels: nothing says any more that they are there, but the log
itself. It is no finding, since a participant may have opened its channels before it was admitted; it is told.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from services.audit.report import ChannelReport
from services.wire.channels import channel_kind
from services.wire.errors import ChannelUnavailableError, MalformedError

__all__ = ["channels_in", "strays"]

_MAILBOX: Final = ".mailbox"
# From name to name by the index, however many records each of them has.
_NAMES: Final = (
    "WITH RECURSIVE names (name) AS (SELECT min(channel) FROM records UNION ALL"
    " SELECT (SELECT min(channel) FROM records WHERE channel > name) FROM names WHERE name IS NOT NULL)"
    " SELECT name FROM names WHERE name IS NOT NULL"
)


def channels_in(path: Path) -> tuple[str, ...]:
    """Return the names under which an embedded log holds records; the port of a log has no way to ask.

    Raises: ChannelUnavailableError if it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as log:
            return tuple(str(row[0]) for row in log.execute(_NAMES))
    except sqlite3.Error as error:
        raise ChannelUnavailableError(f"the log {path.name} does not answer: {error}") from error


def strays(there: Iterable[str], verified: Collection[str]) -> Iterator[ChannelReport]:
    """Yield a report for each channel that is there and was not verified; mailboxes are none."""
    for name in sorted(set(there) - set(verified)):
        if name.endswith(_MAILBOX):
            continue
        try:
            channel_kind(name)
        except MalformedError:
            # Its name is of whoever wrote it, and is shown to nobody's terminal.
            name = "(a name that no channel has)"  # noqa: PLW2901  # the one name for all such
        report = ChannelReport(channel=name, state="unread")
        report.conclude("nobody whom the registrar admitted writes this channel: what stands in it was not verified")
        yield report
