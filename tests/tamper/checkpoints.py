"""A checkpoint is edited: what an auditor signed in its record, the heads that it gives away under it, and what it remembers.

A checkpoint alone says a root and not of what. So what it commits to is held against the heads that the auditor gives, and its
record against what was seen of it before; a file that remembers, against the digest that was told when it was written.
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, cast

from services.audit.archive_checking import files_read
from services.audit.heads import head_leaf
from services.audit.proof_files import Heads, Shown, Signed, encode_heads
from services.audit.proofs import check_heads
from services.audit.remembering import Head, Memory
from services.audit.tree import inclusion_proof, leaf_hash
from services.audit.verify import Signatures
from services.wire.channels import TRUST_CHANNEL
from services.wire.contents import Checkpoint, ParticipantAdmitted, decode_open
from services.wire.entry import Open, decode_entry, encode_entry, to_be_signed
from services.wire.errors import (
    ArchiveError,
    ForkError,
    MissingError,
    PlaceError,
    ProofError,
    SettingsError,
    SignatureError,
    VerificationError,
)
from services.wire.hashing import Digest
from services.wire.signing import sign
from tests.chains import ROOT, Pen, Seal, registrar_seal, seal_of
from tests.tamper.harms import Expected, drop, faults_of
from tests.tamper.keeping import EXCHANGE, Keeping, archive_of, verified_archive
from tests.tamper.logs import AUDITOR, AUDITOR_RECORD, WRITTEN, Log

__all__ = ["CHECKPOINT_WAYS", "Auditing"]


@dataclass(frozen=True)
class Auditing:
    """What an auditor has: the log with its own record in it, its archive, and the file and digest of its last verification."""

    log: Log
    kept: Keeping
    state: bytes
    state_digest: str


def bit_flipped(auditing: Auditing, folder: Path, dice: random.Random) -> list[str]:
    """One bit of a checkpoint that others follow."""
    log, at = _at(auditing, dice)
    old = log.records[AUDITOR_RECORD][at]
    byte = dice.randrange(len(old))
    log.records[AUDITOR_RECORD][at] = old[:byte] + bytes([old[byte] ^ 1 << dice.randrange(8)]) + old[byte + 1 :]
    return _found(auditing, folder, log, Expected(places=frozenset({(AUDITOR_RECORD, at + 1)})))


def signed_by_another(auditing: Auditing, folder: Path, dice: random.Random) -> list[str]:
    """A checkpoint under the signature of a key that is not the auditor's."""
    log, at = _at(auditing, dice)
    entry = decode_entry(log.records[AUDITOR_RECORD][at])
    signature = sign(seal_of("nobody").key, to_be_signed(entry.statement_bytes))
    log.records[AUDITOR_RECORD][at] = encode_entry(entry.statement_bytes, signature, None, None)
    return _found(auditing, folder, log, Expected(places=frozenset({(AUDITOR_RECORD, at + 1)}), error=SignatureError))


def another_root(auditing: Auditing, folder: Path, dice: random.Random) -> list[str]:
    """A stranger's checkpoint over another root in the place of the auditor's."""
    log, at = _at(auditing, dice)
    log.records[AUDITOR_RECORD][at] = _again(log, at, seal_of("nobody"), dice)
    return _found(auditing, folder, log, Expected(places=frozenset({(AUDITOR_RECORD, at + 1)}), error=PlaceError))


def two_roots(auditing: Auditing, folder: Path, dice: random.Random) -> list[str]:
    """The auditor signs a second checkpoint over another root at the place of one."""
    log, at = _at(auditing, dice)
    log.records[AUDITOR_RECORD].append(_again(log, at, log.pens[AUDITOR_RECORD].seal, dice))
    return _found(auditing, folder, log, Expected(places=frozenset({(AUDITOR_RECORD, at + 1)}), error=ForkError))


def record_rewritten(auditing: Auditing, folder: Path, dice: random.Random) -> list[str]:
    """The auditor rewrites its record from a checkpoint on: nothing in the log contradicts it, but what was seen before does."""
    log, at = _at(auditing, dice)
    entry = decode_entry(log.records[AUDITOR_RECORD][at])
    pen = Pen(AUDITOR_RECORD, log.pens[AUDITOR_RECORD].seal, 0, at, entry.unverified_statement.previous, "rewritten")
    count = len(log.records[AUDITOR_RECORD]) - at
    log.records[AUDITOR_RECORD][at:] = [pen.open(_checkpoint(dice)) for _ in range(count)]
    expected = Expected(places=frozenset({(AUDITOR_RECORD, at + 1)}), error=MissingError)
    return _found(auditing, folder, log, expected, _memory(auditing, folder))


def heads_edited(auditing: Auditing, _: Path, dice: random.Random) -> list[str]:
    """The heads that an auditor gives are not those that it signed, or another signed them."""
    whole = _heads(auditing.log, auditing.log.records[AUDITOR_RECORD][-1], auditing.log.pens[AUDITOR_RECORD].seal)
    check_heads(encode_heads(whole), ROOT)
    what, at = dice.randrange(4), dice.randrange(len(whole.heads))
    if what == 0:
        head = whole.heads[at]
        other = dice.choice([replace(head, root=Digest(dice.randbytes(32))), replace(head, size=head.size + 1)])
        return _refused(encode_heads(replace(whole, heads=(*whole.heads[:at], other, *whole.heads[at + 1 :]))), ProofError)
    if what == 1:
        seal = auditing.log.pens[AUDITOR_RECORD].seal
        last = len(auditing.log.records[AUDITOR_RECORD]) - 1
        return _refused(encode_heads(_heads(auditing.log, _again(auditing.log, last, seal, dice), seal)), ProofError)
    if what == 2:
        signature = sign(seal_of("nobody").key, to_be_signed(whole.checkpoint.statement))
        return _refused(encode_heads(replace(whole, checkpoint=replace(whole.checkpoint, signature=signature))), SignatureError)
    data = bytearray(encode_heads(whole))
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return _refused(bytes(data), VerificationError)


def state_edited(auditing: Auditing, folder: Path, dice: random.Random) -> list[str]:
    """An entry is taken out of an old part of an archive, and out of what the auditor remembers of it."""
    log = auditing.log.copy()
    expected = drop(log, dice)
    archive, state = archive_of(log.records, folder / "archive"), folder / "state"
    state.write_bytes(auditing.kept.state)
    memory = Memory.load(state, EXCHANGE, auditing.kept.state_digest)
    ((channel, sequence),) = expected.places
    # Unedited, it tells of the files that are not the same, and of the entry.
    seen = Expected(places=frozenset({(channel, sequence), (channel, 0)}))
    faults = faults_of(verified_archive(archive, Signatures.NEWEST, memory), seen, auditing.kept.whole)
    memory = Memory.load(state, EXCHANGE)
    assert memory is not None
    return [*faults, *_loaded(_edited(memory, archive, channel, state, dice), state, auditing.kept.state_digest)]


def _edited(memory: Memory, archive: Path, channel: str, state: Path, dice: random.Random) -> bool:
    """Edit a file that remembers, and tell whether its own digest is right again."""
    if dice.random() < 1 / 2:
        data = bytearray(state.read_bytes())
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        state.write_bytes(data)
        return False
    memory.files = files_read(archive)
    if dice.random() < 1 / 2:
        memory.channels.pop(channel, None)
        memory.heads[channel] = Head(1, memory.heads[channel].digest)
    memory.save(state)
    return True


def _loaded(is_right: bool, state: Path, digest: str) -> list[str]:  # noqa: FBT001  # of this file
    """Return a fault if an edited file is believed: with its digest never, without it unless its own was made right again."""
    faults = []
    for given in (digest,) if is_right else (digest, None):
        with suppress(ArchiveError, SettingsError):
            Memory.load(state, EXCHANGE, given)
            faults.append("an edited file of an earlier verification was believed")
    return faults


def _at(auditing: Auditing, dice: random.Random) -> tuple[Log, int]:
    """Return a copy of the log, and the index of a checkpoint that is not the last; it stands at the sequence after that."""
    log = auditing.log.copy()
    return log, dice.randrange(1, len(log.records[AUDITOR_RECORD]) - 1)


def _again(log: Log, at: int, seal: Seal, dice: random.Random) -> bytes:
    entry = decode_entry(log.records[AUDITOR_RECORD][at])
    return Pen(AUDITOR_RECORD, seal, 0, at, entry.unverified_statement.previous, "another").open(_checkpoint(dice))


def _checkpoint(dice: random.Random) -> Checkpoint:
    return Checkpoint(channels=len(WRITTEN) + 1, root=Digest(dice.randbytes(32)))


def _memory(auditing: Auditing, folder: Path) -> Memory | None:
    (folder / "verified").write_bytes(auditing.state)
    return Memory.load(folder / "verified", EXCHANGE, auditing.state_digest)


def _found(auditing: Auditing, folder: Path, log: Log, expected: Expected, memory: Memory | None = None) -> list[str]:
    return faults_of(log.verified(folder, memory=memory), expected, auditing.kept.whole)


def _refused(data: bytes, error: type[Exception]) -> list[str]:
    try:
        check_heads(data, ROOT)
    except error:
        return []
    except VerificationError as other:
        return [f"refused as {type(other).__name__}: {other}"]
    return ["heads that nobody signed so were believed"]


def _heads(log: Log, checkpoint: bytes, seal: Seal) -> Heads:
    """Return what the auditor gives: the heads of its last checkpoint, and how the registrar admitted it."""
    channels = [each.channel for each in log.heads]
    index = channels.index(TRUST_CHANNEL)
    entries = [decode_entry(each) for each in log.records[TRUST_CHANNEL][: log.heads[index].size]]
    said = [decode_open(cast("Open", each.unverified_statement.body)) for each in entries]
    place = next(at for at, each in enumerate(said) if isinstance(each, ParticipantAdmitted) and each.id == AUDITOR)
    admission = Shown(
        entry=_signed(log.records[TRUST_CHANNEL][place], registrar_seal("registrar")),
        facts=None,
        personal=None,
        head=log.heads[index],
        path=inclusion_proof([leaf_hash(each.digest) for each in entries], place),
        index=index,
        head_path=inclusion_proof([head_leaf(each) for each in log.heads], index),
    )
    return Heads(checkpoint=_signed(checkpoint, seal), admission=admission, heads=log.heads)


def _signed(record: bytes, seal: Seal) -> Signed:
    entry = decode_entry(record)
    return Signed(statement=entry.statement_bytes, signature=entry.signature, certificates=(seal.certificate.der,))


CHECKPOINT_WAYS: Final = (
    bit_flipped,
    signed_by_another,
    another_root,
    two_roots,
    record_rewritten,
    heads_edited,
    state_edited,
)
"""Every way."""
