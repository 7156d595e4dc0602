"""Verification in tests: every log is given to the second reader too, and both have to say the same of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from examples import verify_log as second
from services.audit.verify import Finding, Report, Signatures, channels_in, open_log, verify_log
from services.channel.port import Channel
from services.wire.candidates import Candidate, candidate_of
from services.wire.certificates import Certificate, Root, verify_path
from services.wire.channels import TRUST_CHANNEL
from services.wire.errors import BasisError, CertificateError
from services.wire.paths import Pathfinder
from services.wire.reading import read_trust

__all__ = ["comparable", "verified", "verified_by", "verified_file", "verified_path"]

_READ_AT_ONCE = 500
_PAGE = 1000


def verified(
    log: Channel,
    root: Root,
    *,
    threads: int | None = None,
    there: Iterable[str] = (),
    facts_keys: Iterable[bytes] = (),
    page: int = 200,
) -> Report:
    """Verify a log with ours and with the second reader, hold their verdicts against each other, and return ours."""
    report = _in_every_way(log, root, threads=threads, there=there, facts_keys=facts_keys, page=page)
    channels = [each for each in report.channels if each.state != "unread"]
    names = {each.channel for each in channels} | {each for each in there if not each.endswith(".mailbox")}
    other = second.Report({name: _records(log, name) for name in names}, root.der)
    ours = {each.channel: (each.state, each.entries, each.head, each.receipted) for each in channels}
    theirs = {
        name: (each.state, len(each.taken), each.taken[-1].digest.hex() if each.taken else "", each.receipted)
        for name, each in other.readings.items()
    }
    assert theirs == ours, (theirs, ours)
    # What an event rests on shows itself with keys alone, and the second reader has none.
    found = {(each.channel, each.sequence): _told(each) for each in report.findings if each.error != BasisError.__name__}
    assert other.findings == found, (other.findings, found)
    return report


def _in_every_way(log: Channel, root: Root, *, page: int, **given: Any) -> Report:
    """Verify a log one by one, over stretches, and by the newest signatures alone, and hold the three against each other."""
    plain = verify_log(log, root, page=page, signatures=None, **given)
    each = verify_log(log, root, page=page, signatures=Signatures.EACH, **given)
    assert comparable(each) == comparable(plain), (each, plain)
    newest = verify_log(log, root, page=_PAGE, signatures=Signatures.NEWEST, **given)
    if comparable(newest) != comparable(plain):
        # Only a signature that somebody damaged may be passed over.
        assert _damaged_signatures(log, root, plain), (newest, plain)
    return plain


def verified_by(log: Channel, root: Root, **given: Any) -> Report:
    """Verify a log in one way alone, for who compares ways; everybody else asks for ``verified``."""
    return verify_log(log, root, **given)


def comparable(report: Report) -> Any:
    """Return what two ways of verifying have to say alike."""
    channels = {each.channel: each for each in report.channels}
    told = {name: (each.entries, each.head, each.state, each.receipted, each.tail) for name, each in channels.items()}
    notes = {name: sorted(each.notes) for name, each in channels.items() if not each.notes_untold}
    return report.findings, report.entries, told, notes


def verified_file(path: Path, root: Root) -> Report:
    """Verify the file of an embedded log as ``verified`` does."""
    log = open_log(path)
    try:
        return verified(log, root, there=channels_in(path))
    finally:
        log.close()


def verified_path(path: Sequence[bytes], root: Root, *, policy: str) -> Certificate:
    """Verify a path of certificates with both readers, and return our leaf.

    Raises: CertificateError if both refuse it.
    """
    other = second.leaf_of(tuple(path), root.der)
    is_taken = other is not None and other.policy == policy
    try:
        leaf = verify_path(path, root, policy=policy)
    except CertificateError:
        assert not is_taken, other
        raise
    assert is_taken
    assert other is not None
    assert (other.digest, other.key, other.organisation) == (leaf.digest, leaf.key_digest, leaf.organisation)
    return leaf


def _told(finding: Finding) -> tuple[int, str, str, str]:
    # Why a record is no entry is said in the words of each reader.
    return finding.epoch, finding.what.partition(" (")[0], finding.expected, finding.found


def _records(log: Channel, channel: str) -> list[bytes]:
    found: list[bytes] = []
    position = 0
    while page := log.poll({channel: position}, timeout_seconds=0, limit=_READ_AT_ONCE):
        position = page[-1].position + 1
        found += [record.value for record in page]
    return found


def _damaged_signatures(log: Channel, root: Root, report: Report) -> bool:
    """Tell whether a record of the log carries a signature that is not valid for the certificate that it names."""
    names = [each.channel for each in report.channels if each.state != "unread"]
    _, trust = read_trust(_records(log, TRUST_CHANNEL), root)
    for name in names:
        finder, known = Pathfinder(channel=name, root=root, trust=trust), dict[bytes, Certificate]()
        found = [each for each in (candidate_of(record, name) for record in _records(log, name)) if isinstance(each, Candidate)]
        for each in found:
            leaf = finder.learn(each)
            if leaf is not None:
                known[leaf.digest] = leaf
        for each in found:
            signer = known.get(each.unverified_statement.certificate)
            if signer is not None and finder.signed_by(each, signer) is None:
                return True
    return False
