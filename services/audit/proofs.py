"""Proofs: what an auditor gives away is checked, so that somebody with the root certificate alone can check an entry.

Decides about bytes, without a log and without asking anybody. A proof that checks shows that this auditor, whom the registrar
admitted, vouched that day for this very entry as one that its writer signed and that stands at this place. It does not show that
what the entry says is true, nor that no key was revoked since: the auditor says what the reading rule took that day.
Source: schemas/README.md, "Checkpoints" and "Proof files".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from services.audit.heads import ChannelHead, checkpoint_of, head_leaf, ordered
from services.audit.proof_files import Heads, Shown, Signed, decode_consistency, decode_heads, decode_proof, decode_split
from services.audit.tree import leaf_hash, verify_consistency, verify_inclusion
from services.wire.certificates import REGISTRAR_POLICY_OID, SEAL_POLICY_OID, Certificate, Root, verify_path
from services.wire.channels import COMMISSION, TRUST_CHANNEL, Role, record_of, writer_of
from services.wire.contents import Checkpoint, ParticipantAdmitted, decode_open
from services.wire.entry import Open, Statement, decode_statement, statement_digest
from services.wire.errors import CertificateError, Evidence, MalformedError, PartError, PlaceError, ProofError
from services.wire.hashing import Digest, digest_of
from services.wire.signing import verify_digest

__all__ = ["Consistent", "Proved", "Vouching", "check_consistency", "check_heads", "check_proof", "check_split"]

_ROLES: Final = {COMMISSION: Role.COMMISSION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouching:
    """Who vouches, when (milliseconds since 1970, by its own clock), and for how many channels under which root."""

    auditor: str
    name: str
    at: int
    channels: int
    root: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What a proof shows: the entry, its place, who wrote it and when that says it was signed, and who vouches for it.

    ``certificate`` is what it is signed with. ``type`` is that of an open entry, None of a sealed one. ``has_facts`` and
    ``has_personal`` tell which sealed parts are given.
    """

    by: Vouching
    writer: str
    writer_name: str
    channel: str
    epoch: int
    sequence: int
    digest: Digest
    certificate: Digest
    written_at: int
    type: str | None
    has_facts: bool
    has_personal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistent:
    """Two checkpoints of one auditor: the channels in which the newer one begins with all of the older one, and the others."""

    older: Vouching
    newer: Vouching
    channels: tuple[str, ...]
    not_shown: tuple[str, ...]


def check_proof(data: bytes, root: Root) -> Proved:
    """Check a proof file against the root certificate, and return what it shows.

    1. The file is canonical and within its limits. 2. The registrar admitted the auditor, who signed the checkpoint. 3. The
    registrar admitted the writer, who signed the entry. 4. The parts that are given are those that were signed. 5. The entry and
    both admissions lie under the checkpoint's root.
    Raises: MalformedError, SignatureError, CertificateError, PartError, PlaceError or ProofError, each by what is wrong.
    """
    proof = decode_proof(data)
    if not proof.admissions:
        raise ProofError("the proof does not say who admitted its auditor")
    auditor, *others = proof.admissions
    by = _vouching(proof.checkpoint, auditor, root)
    subject = _statement_of(proof.subject.entry)
    writer = writer_of(subject.channel)
    if subject.channel == TRUST_CHANNEL:
        admitted = None
    elif writer == by.auditor:
        admitted = _admission(auditor, by, root)
    else:
        # Exactly those that are needed: whatever else stood in a proof would be vouched for by nobody who reads it.
        admitted = _admission(others.pop(0), by, root) if others else None
        if admitted is None or admitted.id != writer:
            raise ProofError("the proof does not say who admitted the entry's writer", Evidence(expected=writer))
    if others:
        raise ProofError("the proof has admissions that it does not need")
    _require_writer(subject, proof.subject.entry, admitted, root)
    _require_parts(subject, proof.subject)
    digest = _require_under(proof.subject, subject, by)
    return Proved(
        by=by,
        writer=writer,
        writer_name=admitted.name if admitted is not None else "",
        channel=subject.channel,
        epoch=subject.epoch,
        sequence=subject.sequence,
        digest=digest,
        certificate=subject.certificate,
        written_at=subject.written_at,
        type=subject.body.type if isinstance(subject.body, Open) else None,
        has_facts=proof.subject.facts is not None,
        has_personal=proof.subject.personal is not None,
    )


def check_heads(data: bytes, root: Root) -> tuple[Vouching, dict[str, ChannelHead]]:
    """Check a file of heads against the root certificate, and return who vouches, and its heads by channel.

    Raises: as ``check_proof``.
    """
    return _checked_heads(decode_heads(data), root)


def check_consistency(data: bytes, root: Root) -> Consistent:
    """Check that a checkpoint begins with all that an older one of the same auditor vouches for.

    Of a channel that the registrar has begun anew since, or that the newer one leaves out, nothing is shown, and it is named.
    Raises: as ``check_proof``.
    """
    found = decode_consistency(data)
    (older, before), (newer, now) = _checked_heads(found.older, root), _checked_heads(found.newer, root)
    if older.auditor != newer.auditor:
        raise ProofError("the two checkpoints are not of one auditor", Evidence(expected=older.auditor, found=newer.auditor))
    shown = [name for name, head in before.items() if name in now and now[name].epoch == head.epoch]
    # Exactly those: a channel that is passed over in silence could have lost anything.
    if [each.channel for each in found.paths] != shown:
        raise ProofError("the paths are not those of the channels that both checkpoints have in one epoch")
    for each in found.paths:
        one, other = before[each.channel], now[each.channel]
        verify_consistency((one.size, one.root), (other.size, other.root), each.path)
    others = tuple(name for name in before if name not in shown)
    return Consistent(older=older, newer=newer, channels=tuple(shown), not_shown=others)


def _checked_heads(found: Heads, root: Root) -> tuple[Vouching, dict[str, ChannelHead]]:
    by = _vouching(found.checkpoint, found.admission, root)
    if ordered(found.heads) != list(found.heads) or len({each.channel for each in found.heads}) != len(found.heads):
        raise MalformedError("heads stand in the order of their channels' names, each once")
    said = checkpoint_of(found.heads)
    if (said.channels, said.root) != (by.channels, by.root):
        evidence = Evidence(expected=f"{by.channels} {by.root.hex()}", found=f"{said.channels} {said.root.hex()}")
        raise ProofError("these are not the heads that the checkpoint vouches for", evidence)
    return by, {each.channel: each for each in found.heads}


def check_split(data: bytes, root: Root) -> tuple[Vouching, Vouching, ChannelHead, ChannelHead]:
    """Check that two checkpoints contradict each other, and return who vouches for what: first the longer view.

    Either the channel's writer has signed two chains and shown each of them to one auditor, or one of the two vouches for what
    it was not shown. The proof does not say which. Raises: as ``check_proof``.
    """
    split = decode_split(data)
    (one, other), by = (split.longer.head, split.shorter.head), []
    for each in (split.longer, split.shorter):
        vouching = _vouching(each.checkpoint, each.admission, root)
        verify_inclusion(vouching.root, vouching.channels, head_leaf(each.head), each.index, each.head_path)
        by.append(vouching)
    if (one.channel, one.epoch) != (other.channel, other.epoch):
        raise ProofError("the two heads are not of one channel and epoch")
    verify_consistency((other.size, split.root), (one.size, one.root), split.path)
    if split.root == other.root:
        raise ProofError("the two views agree: the longer one begins with all of the shorter one")
    return by[0], by[1], one, other


def _vouching(signed: Signed, shown: Shown, root: Root) -> Vouching:
    statement = _statement_of(signed)
    content = _content_of(statement)
    if not isinstance(content, Checkpoint):
        raise ProofError("what is to vouch is no checkpoint", Evidence(channel=statement.channel, sequence=statement.sequence))
    auditor = writer_of(statement.channel)
    by = Vouching(auditor=auditor, name="", at=statement.written_at, channels=content.channels, root=content.root)
    admitted = _admission(shown, by, root)
    # Anybody can write a checkpoint into its own record; only an auditor's is one.
    if admitted.id != auditor or admitted.role is not Role.AUDITOR or statement.channel != record_of(auditor):
        found = f"{admitted.id} as {admitted.role.value}"
        raise ProofError("the checkpoint is not in the record of an admitted auditor", Evidence(expected=auditor, found=found))
    _require_writer(statement, signed, admitted, root)
    return Vouching(auditor=auditor, name=admitted.name, at=statement.written_at, channels=content.channels, root=content.root)


def _admission(shown: Shown, by: Vouching, root: Root) -> ParticipantAdmitted:
    """Return the admission that an entry of the registrar's is, as it stands under the checkpoint's root."""
    statement = _statement_of(shown.entry)
    content = _content_of(statement)
    if statement.channel != TRUST_CHANNEL or not isinstance(content, ParticipantAdmitted):
        raise ProofError("what is to be an admission is none", Evidence(channel=statement.channel, sequence=statement.sequence))
    _require_writer(statement, shown.entry, None, root)
    _require_under(shown, statement, by)
    return content


def _require_writer(statement: Statement, signed: Signed, admitted: ParticipantAdmitted | None, root: Root) -> None:
    """Return if an entry is signed by whoever may write its channel; None as ``admitted`` is for the registrar's."""
    policy = REGISTRAR_POLICY_OID if admitted is None else SEAL_POLICY_OID
    leaf: Certificate = verify_path(signed.certificates, root, policy=policy)
    place = Evidence(channel=statement.channel, epoch=statement.epoch, sequence=statement.sequence)
    if leaf.digest != statement.certificate:
        raise CertificateError("an entry is not signed with the certificate that stands beside it", place)
    if admitted is not None:
        if leaf.organisation != admitted.organisation:
            evidence = Evidence(channel=statement.channel, expected=admitted.organisation, found=leaf.organisation)
            raise CertificateError("a seal of another organisation", evidence)
        if not _may_write(admitted, statement.channel):
            raise ProofError("whoever was admitted so does not write this channel", place)
    verify_digest(leaf.public_key, signed.signature, statement_digest(signed.statement))


def _may_write(admitted: ParticipantAdmitted, channel: str) -> bool:
    if writer_of(channel) != admitted.id:
        return False
    if channel == record_of(admitted.id):
        return admitted.role in (Role.SCHOOL, Role.COMMISSION, Role.AUDITOR)
    return admitted.role is _ROLES.get(admitted.id, Role.SCHOOL)


def _require_parts(statement: Statement, shown: Shown) -> None:
    body = statement.body
    if isinstance(body, Open):
        if shown.facts is not None or shown.personal is not None:
            raise MalformedError("an open entry has no parts")
        return
    for sealed, digest in ((shown.facts, body.facts), (shown.personal, body.personal)):
        if sealed is not None and digest_of(sealed) != digest:
            raise PartError(
                "a part is not the one that was signed", Evidence(expected=digest.hex(), found=digest_of(sealed).hex())
            )


def _require_under(shown: Shown, statement: Statement, by: Vouching) -> Digest:
    """Return the digest of an entry that stands at its place under a checkpoint's root."""
    head, digest = shown.head, statement_digest(shown.entry.statement)
    if head.channel != statement.channel or head.epoch < statement.epoch:
        found = f"{head.channel} in epoch {head.epoch}"
        raise PlaceError("the head is of another channel", Evidence(channel=statement.channel, found=found))
    verify_inclusion(head.root, head.size, leaf_hash(digest), statement.sequence - 1, shown.path)
    verify_inclusion(by.root, by.channels, head_leaf(head), shown.index, shown.head_path)
    return digest


def _statement_of(signed: Signed) -> Statement:
    return decode_statement(signed.statement)


def _content_of(statement: Statement) -> Any:
    return decode_open(statement.body) if isinstance(statement.body, Open) else None
