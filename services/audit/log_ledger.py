"""A log as what proofs are made from: an archive, an exported folder or a live log, in which an auditor's checkpoints stand.

It holds nothing of the auditor's and needs none of its keys: whoever has the log can give away what the auditor vouched for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.audit.checkpoints import Written, written_in
from services.audit.grounds import NamedCheckpoint
from services.audit.places import candidates_of
from services.audit.proof_files import Heads
from services.audit.proving import Checkpointed, NotProvableError, Taken, named
from services.audit.verify import Examined
from services.channel.port import Channel
from services.wire.candidates import Candidate, merged
from services.wire.channels import Role, record_of, writer_of
from services.wire.contents import Checkpoint, decode_open
from services.wire.entry import Open, decode_statement
from services.wire.errors import MalformedError
from services.wire.hashing import Digest
from services.wire.trust import Trust

__all__ = ["LogLedger", "checkpoints_in"]

_TRIED: Final = 7
"""So many checkpoints are tried before it is given up: a week of them."""


@dataclass(slots=True)
class LogLedger:
    """An examined log, as a ledger of the proofs of one auditor; ``given`` are heads that it gave, checked before.

    ``written`` is when its entries were written, where somebody has read that already.
    """

    log: Channel
    examined: Examined
    auditor: str
    given: Heads | None = None
    written: Written | None = None
    _newest: Checkpointed | None = None
    _opens: dict[str, list[Taken]] = field(default_factory=dict)

    @property
    def trust(self) -> Trust:
        """Whom the log trusts."""
        return self.examined.trust

    def newest(self) -> Checkpointed:
        """Return the newest checkpoint whose heads are known here, by what was given or by the log itself.

        Raises: NotProvableError if there is none.
        """
        if self._newest is None:
            self._newest = self._checkpoint_given(self.given) if self.given is not None else self._found()
        return self._newest

    def entry(self, name: str) -> Taken:
        """Return a taken entry by its place or its digest; see ``Ledger``."""
        wanted, watches = named(name), self.examined.watches
        if not isinstance(wanted, str):
            channel, sequence = wanted
            taken = watches[channel].digests[sequence - 1 : sequence] if channel in watches and sequence else []
            there = [(channel, digest) for digest in taken]
        else:
            there = [(channel, each) for channel in watches for each in watches[channel].digests if each.hex().startswith(wanted)]
        if not there:
            raise NotProvableError("There is no such entry among those that are taken here.")
        if len(there) > 1:
            raise NotProvableError("Several entries begin with these digits; give more of them.")
        channel, digest = there[0]
        return self._taken(channel, {digest: 0})[0]

    def digests(self, channel: str, upto: int) -> list[Digest]:
        """Return the digests of the first entries of a channel."""
        watch = self.examined.watches.get(channel)
        return list(watch.digests[:upto]) if watch is not None else []

    def open_entries(self, channel: str) -> Iterator[Taken]:
        """Return the open entries of a channel."""
        if channel not in self._opens:
            found = self._taken(channel, self.examined.watches[channel].places, are_open=True)
            self._opens[channel] = sorted(found, key=lambda each: each.said.sequence)
        return iter(self._opens[channel])

    def _taken(self, channel: str, wanted: Mapping[Digest, int], *, are_open: bool = False) -> list[Taken]:
        """Return entries as they were signed: of several records of one the signature that is valid, and parts that are there."""
        found: dict[Digest, Candidate] = {}
        for _, each in candidates_of(self.log, channel):
            if each.digest in wanted and not (are_open and each.is_sealed):
                found[each.digest] = merged(found[each.digest], each) if each.digest in found else each
        finder = self.examined.followers[channel].pathfinder
        taken = []
        for each in found.values():
            certificate = finder.certificate_of(each)
            signature = finder.signed_by(each, certificate) if certificate is not None else None
            if signature is None:
                raise NotProvableError(f"{channel}/{each.sequence} has no valid signature here; it cannot be given away.")
            taken.append(Taken(statement=each.statement_bytes, signature=signature, facts=each.facts, personal=each.personal))
        return taken

    def _checkpoint_given(self, heads: Heads) -> Checkpointed:
        signed = heads.checkpoint
        auditor = writer_of(decode_statement(signed.statement).channel)
        if auditor != self.auditor:
            raise NotProvableError(f"These heads are those of {auditor}, not of {self.auditor}.")
        return Checkpointed(entry=Taken(statement=signed.statement, signature=signed.signature), heads=heads.heads)

    def _found(self) -> Checkpointed:
        record = record_of(self.auditor)
        admitted = self.trust.participants.get(self.auditor)
        if record not in self.examined.watches or admitted is None or admitted.role is not Role.AUDITOR:
            raise NotProvableError(f"{self.auditor} is no auditor of this exchange.")
        checkpoints = [(each, content) for each in self.open_entries(record) if (content := _checkpoint_in(each)) is not None]
        if not checkpoints:
            raise NotProvableError(f"No checkpoint of {self.auditor} stands in this log.")
        written = self.written or written_in(self.log, self.examined)
        for taken, content in reversed(checkpoints[-_TRIED:]):
            heads = written.heads_of(content, record=record, at=taken.said.written_at)
            if heads is not None:
                return Checkpointed(entry=taken, heads=heads)
        raise NotProvableError(
            f"How far {self.auditor} had read when it signed its last checkpoints cannot be found from this log. Ask it for its"
            " heads (`sarakste audit heads`), and give them with --heads."
        )


def checkpoints_in(log: Channel, examined: Examined, written: Written) -> tuple[NamedCheckpoint, ...]:
    """Return the newest checkpoint of each auditor all of which stands in a log: what its root is over was found there.

    Of the log only the records of auditors are read. Raises: TransportError if they cannot be read.
    """
    auditors = sorted(each.id for each in examined.trust.participants.values() if each.role is Role.AUDITOR)
    found = []
    for auditor in auditors:
        try:
            taken = LogLedger(log, examined, auditor, written=written).newest().entry
        except NotProvableError:
            # It has signed none, or one over what is not here.
            continue
        said, content = taken.said, _checkpoint_in(taken)
        if content is not None:
            found.append(
                NamedCheckpoint(
                    auditor=auditor, epoch=said.epoch, sequence=said.sequence, written_at=said.written_at, root=content.root.hex()
                )
            )
    return tuple(found)


def _checkpoint_in(taken: Taken) -> Checkpoint | None:
    body = taken.said.body
    try:
        content = decode_open(body) if isinstance(body, Open) else None
    except MalformedError:
        return None
    return content if isinstance(content, Checkpoint) else None
