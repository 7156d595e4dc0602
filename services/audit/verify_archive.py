"""Verifying an archive or an exported folder: its entries as any log's, and its files against what was said of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from services.audit.archive_checking import archive_findings, changed_since, files_read
from services.audit.archive_reading import archived_channels
from services.audit.remembering import Memory
from services.audit.report import Report
from services.audit.verify import Examined, Signatures, examine_log
from services.channel.port import Channel
from services.wire.certificates import Root

__all__ = ["examine_archive", "verify_archive"]


def verify_archive(
    folder: Path,
    log: Channel,
    root: Root,
    *,
    signatures: Signatures = Signatures.EACH,
    facts_keys: Iterable[bytes] = (),
    memory: Memory | None = None,
) -> Report:
    """Verify the archive in a folder, and return what was found; as ``examine_archive``."""
    return examine_archive(folder, log, root, signatures=signatures, facts_keys=facts_keys, memory=memory).report


def examine_archive(
    folder: Path,
    log: Channel,
    root: Root,
    *,
    signatures: Signatures = Signatures.EACH,
    facts_keys: Iterable[bytes] = (),
    memory: Memory | None = None,
) -> Examined:
    """Verify the archive in a folder, of which ``log`` is the reading; see ``verify_log`` for the rest.

    Files that an earlier verification read are hashed, not verified again; one that was changed since is a finding, and its
    channel is read anew. Raises: TransportError if something cannot be read.
    """
    changed = changed_since(folder, memory.files) if memory is not None else []
    if memory is not None:
        for each in changed:
            memory.unread.add(each.channel)
    examined = examine_log(
        log,
        root,
        there=archived_channels(folder),
        facts_keys=facts_keys,
        signatures=signatures,
        leaves_out=True,
        memory=memory,
    )
    for each in (*changed, *archive_findings(folder)):
        examined.report.find(each)
    if memory is not None and not changed:
        # While one is not what it was, the digests of before stay: it is found again each time.
        memory.files = files_read(folder)
    return examined
