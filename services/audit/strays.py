"""Strays: channels that stand in a log although nobody who is admitted writes them.

Whoever cuts the registrar's last admissions off hides whole channels: nothing says any more that they are there, but the log
itself. Nobody opens a channel before it is admitted. So an opening under a certificate of this root is a finding: either its
admission is gone, or somebody writes where nobody reads. Anything else there may be anybody's junk, and is told.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

from services.audit.report import ChannelReport, Finding, Report
from services.wire.candidates import Candidate, candidate_of
from services.wire.certificates import SEAL_POLICY_OID, Root, verify_path
from services.wire.channels import TRUST_CHANNEL, ChannelKind, channel_kind, writer_of
from services.wire.contents import ChannelOpened, decode_open
from services.wire.entry import Open
from services.wire.errors import CertificateError, ChannelUnavailableError, HiddenChannelError, MalformedError
from services.wire.hashing import Digest
from services.wire.paths import Pathfinder
from services.wire.trust import NO_TRUST

__all__ = ["channels_in", "look_for_strays"]

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
            # Whatever bytes stand as a name: one that is no text is a stranger's, and hides nothing of the rest.
            log.text_factory = partial(str, encoding="utf-8", errors="replace")
            return tuple(str(row[0]) for row in log.execute(_NAMES))
    except sqlite3.Error as error:
        raise ChannelUnavailableError(f"the log {path.name} does not answer: {error}") from error


def look_for_strays(report: Report, there: Iterable[str], records: Callable[[str], Iterable[bytes]], root: Root) -> None:
    """Report each channel that is there and was not verified; mailboxes are none. Find those that were opened in earnest.

    ``records`` gives what stands in a channel. Where the registrar's channel is at fault itself, what it does not say of others
    is no finding more.
    """
    is_trusted = all(each.channel != TRUST_CHANNEL for each in report.findings)
    for name in sorted(set(there) - {each.channel for each in report.channels}):
        if name.endswith(_MAILBOX):
            continue
        known = _has_known_form(name)
        # A name that no channel has is of whoever wrote it, and is shown to nobody's terminal.
        stray = ChannelReport(channel=name if known else "(a name that no channel has)", state="unread")
        stray.conclude("nobody whom the registrar admitted writes this channel: what stands in it was not verified")
        report.channels.append(stray)
        opened = min(_openings(name, records(name), root), default=None) if known and is_trusted else None
        if opened is not None:
            report.find(_hidden(name, opened))


def _has_known_form(name: str) -> bool:
    try:
        return channel_kind(name) is not ChannelKind.TRUST
    except MalformedError:
        return False


def _openings(channel: str, records: Iterable[bytes], root: Root) -> Iterator[Digest]:
    """Yield the digests of what opens a channel under a certificate of the root: anybody else can only write junk there."""
    finder = Pathfinder(channel=channel, root=root, trust=NO_TRUST)
    for record in records:
        found = candidate_of(record, channel)
        if isinstance(found, Candidate) and _opens(finder, found):
            yield found.digest


def _opens(finder: Pathfinder, found: Candidate) -> bool:
    statement, genesis = found.unverified_statement, finder.genesis
    if (statement.epoch, statement.sequence, statement.previous) != (0, 1, genesis.digest):
        return False
    try:
        content = decode_open(statement.body) if isinstance(statement.body, Open) else None
        if not isinstance(content, ChannelOpened):
            return False
        leaf = verify_path(content.certificates, finder.root, policy=SEAL_POLICY_OID)
    except (MalformedError, CertificateError):
        return False
    is_mine = (content.exchange, content.writer) == (finder.root.digest, writer_of(finder.channel))
    return is_mine and finder.signed_by(found, leaf) is not None


def _hidden(channel: str, opened: Digest) -> Finding:
    return Finding(
        channel=channel,
        epoch=0,
        sequence=1,
        error=HiddenChannelError.__name__,
        what="a channel whose writer was never admitted",
        expected="an admission of its writer",
        found=opened.hex(),
    )
