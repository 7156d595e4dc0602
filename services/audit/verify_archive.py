"""Verifying an archive or an exported folder: its entries as any log's, and its files against what was said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypedDict, Unpack

from services.audit.ahead import Ahead
from services.audit.archive_checking import changed_since, files_read
from services.audit.archive_reading import archived_channels
from services.audit.remembering import Memory
from services.audit.report import Report
from services.audit.signatures import Signatures
from services.audit.verify import Examined, examine_log
from services.channel.port import Channel
from services.wire.certificates import Root

__all__ = ["examine_archive", "verify_archive"]


class How(TypedDict, total=False):
    """How an archive is verified; all of it may be left out. See ``verify.How``.

    ``tell`` is told how many records were read in other processes, as a progress bar is.
    """

    signatures: Signatures
    facts_keys: Iterable[bytes]
    memory: Memory | None
    tell: Callable[[int, int], None]


def verify_archive(folder: Path, log: Channel, root: Root, **how: Unpack[How]) -> Report:
    """Verify the archive in a folder, and return what was found; as ``examine_archive``."""
    return examine_archive(folder, log, root, **how).report


def examine_archive(folder: Path, log: Channel, root: Root, **how: Unpack[How]) -> Examined:
    """Verify the archive in a folder, of which ``log`` is the reading; see ``verify_log`` for the rest.

    Files that an earlier verification read are hashed, not verified again; one that was changed since is a finding, and its
    channel is read anew. Raises: TransportError if something cannot be read.
    """
    memory, signatures = how.get("memory"), how.get("signatures", Signatures.EACH)
    changed = changed_since(folder, memory.files) if memory is not None else []
    if memory is not None:
        for each in changed:
            memory.unread.add(each.channel)
    with Ahead(folder, signatures, tell=how.get("tell", _untold)) as ahead:
        examined = examine_log(
            log,
            root,
            there=archived_channels(folder),
            facts_keys=how.get("facts_keys", ()),
            signatures=signatures,
            leaves_out=True,
            memory=memory,
            ahead=ahead,
        )
        for each in (*changed, *ahead.files()):
            examined.report.find(each)
    if memory is not None and not changed:
        # While one is not what it was, the digests of before stay: it is found again each time.
        memory.files = files_read(folder)
    return examined


def _untold(_done: int, _more: int) -> None:
    """Tell nobody."""
