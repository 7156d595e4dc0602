"""Proving: an entry, or all heads, under a checkpoint that an auditor has signed, as a file for whoever has the root alone.

It makes proofs of what it is given: the letterbook of the auditor itself, or a log in which its checkpoint stands. What a proof
shows is for ``proofs``, which believes nothing of what this made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from services.audit.heads import ChannelHead, head_leaf
from services.audit.naming import FORMS, EntryPlace, entry_named
from services.audit.proof_files import Consistency, Heads, Path, Proof, Shown, Signed, Split, Vouched
from services.audit.proofs import Proved
from services.audit.tree import consistency_proof, inclusion_proof, leaf_hash, root_of
from services.wire.channels import TRUST_CHANNEL, record_of, writer_of
from services.wire.contents import CertificateRotated, ChannelOpened, OpenContent, ParticipantAdmitted, decode_open
from services.wire.entry import Open, Statement, body_digest, decode_statement, statement_digest
from services.wire.errors import MalformedError, RefusedError
from services.wire.hashing import Digest, digest_of
from services.wire.trust import Trust

__all__ = [
    "Checkpointed",
    "Compared",
    "Ledger",
    "NotProvableError",
    "Taken",
    "compare",
    "compare_entry",
    "consistency_with",
    "heads_of",
    "named",
    "prove",
]


class NotProvableError(RefusedError):
    """There is no such entry here, or no checkpoint of this auditor vouches for it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An entry that is taken, as it was signed; ``personal`` is None where it is not here, both parts where it has none."""

    statement: bytes
    signature: bytes
    facts: bytes | None = None
    personal: bytes | None = None

    @property
    def said(self) -> Statement:
        """What it says."""
        return decode_statement(self.statement)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpointed:
    """A checkpoint that was signed, and its heads in the order of its leaves."""

    entry: Taken
    heads: Sequence[ChannelHead]

    def place_of(self, channel: str) -> int | None:
        """Return at which leaf a channel's head stands, None if it has none."""
        return next((place for place, each in enumerate(self.heads) if each.channel == channel), None)


class Ledger(Protocol):
    """What proofs are made of. ``auditor`` is who vouches, ``trust`` whom the registrar has admitted."""

    @property
    def auditor(self) -> str:
        """Whose checkpoints these are."""
        ...

    @property
    def trust(self) -> Trust:
        """Whom the log trusts."""
        ...

    def newest(self) -> Checkpointed:
        """Return the newest checkpoint under which something can be proved. Raises: NotProvableError if there is none."""
        ...

    def entry(self, name: str) -> Taken:
        """Return a taken entry: by CHANNEL/SEQUENCE, or by its digest in hexadecimal, eight digits of it at least.

        Raises: NotProvableError if there is none, or several.
        """
        ...

    def digests(self, channel: str, upto: int) -> list[Digest]:
        """Return the digests of the first entries that are taken of a channel, as far as they are here."""
        ...

    def open_entries(self, channel: str) -> Iterator[Taken]:
        """Return the open entries that are taken of a channel, in their order."""
        ...


def named(entry: str) -> tuple[str, int] | str:
    """Return what names an entry: its channel and sequence, or how its digest begins. Raises: NotProvableError if neither."""
    found = entry_named(entry)
    if found is None:
        raise NotProvableError(f"This names no entry: {FORMS}.")
    return found if isinstance(found, str) else (found.channel, found.sequence)


def prove(ledger: Ledger, entry: str, *, with_personal: bool = False) -> Proof:
    """Return the proof of an entry, named as ``Ledger.entry`` takes it.

    An auditor keeps no personal parts; ``with_personal`` gives it where the entry is its own or was read with it.
    Raises: NotProvableError.
    """
    taken, place = ledger.entry(entry), entry_named(entry)
    if isinstance(place, EntryPlace) and place.epoch not in (None, taken.said.epoch):
        raise NotProvableError(f"There is no such entry: what is taken at this place is of epoch {taken.said.epoch}.")
    checkpoint, channel = ledger.newest(), taken.said.channel
    subject = _shown(ledger, checkpoint, taken)
    if taken.facts is not None and with_personal:
        if taken.personal is None:
            raise NotProvableError("The personal part of this entry is not here; an auditor keeps none. Prove it without.")
        subject = replace(subject, personal=taken.personal)
    admissions = [_admission(ledger, checkpoint, ledger.auditor)]
    if channel != TRUST_CHANNEL:
        admissions.append(_admission(ledger, checkpoint, writer_of(channel)))
    return Proof(checkpoint=_signed(ledger, checkpoint.entry), subject=subject, admissions=tuple(admissions))


def heads_of(ledger: Ledger) -> Heads:
    """Return all heads of the newest checkpoint, for who compares them with what another auditor was shown.

    Raises: NotProvableError.
    """
    checkpoint = ledger.newest()
    admission = _admission(ledger, checkpoint, ledger.auditor)
    return Heads(checkpoint=_signed(ledger, checkpoint.entry), admission=admission, heads=tuple(checkpoint.heads))


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One channel that two views have: which place they were compared up to, and what came of it.

    ``result`` is ``agrees``, ``differs``, ``longer there`` (with entries that are not here yet), ``other epoch`` or ``not here``.
    Of a single entry it is ``agrees``, ``other epoch``, ``not here``, or ``two entries``: the writer signed two for one place.
    """

    channel: str
    upto: int
    result: str


def compare(ledger: Ledger, theirs: Heads) -> tuple[list[Compared], Split | None]:
    """Compare the heads that somebody vouches for, checked before, with what is here; return what came of each channel.

    Where both have a place and another entry there, the proof of that comes with it, the first one by name.
    Raises: NotProvableError if this auditor has signed no checkpoint to stand beside the other one.
    """
    checkpoint = ledger.newest()
    found, split = [], None
    for head in theirs.heads:
        place = checkpoint.place_of(head.channel)
        compared = _compared(ledger, checkpoint.heads[place] if place is not None else None, head)
        found.append(compared)
        if compared.result == "differs" and split is None:
            split = _split(ledger, checkpoint, head, theirs)
    return found, split


def compare_entry(ledger: Ledger, theirs: Proved) -> Compared:
    """Compare an entry that somebody proved, checked before, with what stands at its place here.

    ``two entries`` convicts the channel's writer, or whoever has its key: both are signed for one place of one epoch.
    """
    try:
        taken = ledger.entry(f"{theirs.channel}/{theirs.sequence}")
    except NotProvableError:
        return Compared(channel=theirs.channel, upto=theirs.sequence, result="not here")
    if taken.said.epoch != theirs.epoch:
        return Compared(channel=theirs.channel, upto=theirs.sequence, result="other epoch")
    is_same = statement_digest(taken.statement) == theirs.digest
    return Compared(channel=theirs.channel, upto=theirs.sequence, result="agrees" if is_same else "two entries")


def consistency_with(ledger: Ledger, older: Heads) -> Consistency:
    """Return the proof that the newest checkpoint begins with all that an older one of this auditor, checked before, vouches for.

    Raises: NotProvableError, also where it does not: then ``compare`` says in which channel.
    """
    newer, paths = heads_of(ledger), []
    now = {each.channel: each for each in newer.heads}
    for head in older.heads:
        mine = now.get(head.channel)
        if mine is None or mine.epoch != head.epoch:
            continue
        leaves = _leaves(ledger, mine, upto=mine.size)
        if head.size > mine.size or root_of(leaves[: head.size]) != head.root:
            raise NotProvableError(
                f"{head.channel} does not begin with what the older checkpoint vouches for: see audit compare."
            )
        paths.append(Path(channel=head.channel, path=consistency_proof(leaves, head.size)))
    return Consistency(older=older, newer=newer, paths=tuple(paths))


def _compared(ledger: Ledger, mine: ChannelHead | None, head: ChannelHead) -> Compared:
    if mine is None:
        return Compared(channel=head.channel, upto=0, result="not here")
    if mine.epoch != head.epoch:
        return Compared(channel=head.channel, upto=0, result="other epoch")
    if head.size > mine.size:
        return Compared(channel=head.channel, upto=mine.size, result="longer there")
    leaves = _leaves(ledger, mine, upto=head.size)
    return Compared(channel=head.channel, upto=head.size, result="agrees" if root_of(leaves) == head.root else "differs")


def _split(ledger: Ledger, checkpoint: Checkpointed, head: ChannelHead, theirs: Heads) -> Split:
    place = checkpoint.place_of(head.channel) or 0
    mine = checkpoint.heads[place]
    leaves = _leaves(ledger, mine, upto=mine.size)
    longer = _vouched(_signed(ledger, checkpoint.entry), _admission(ledger, checkpoint, ledger.auditor), checkpoint.heads, place)
    shorter = _vouched(theirs.checkpoint, theirs.admission, theirs.heads, theirs.heads.index(head))
    path = consistency_proof(leaves, head.size)
    return Split(longer=longer, shorter=shorter, root=root_of(leaves[: head.size]), path=path)


def _vouched(signed: Signed, admission: Shown, heads: Sequence[ChannelHead], place: int) -> Vouched:
    path = inclusion_proof([head_leaf(each) for each in heads], place)
    return Vouched(checkpoint=signed, admission=admission, head=heads[place], index=place, head_path=path)


def _shown(ledger: Ledger, checkpoint: Checkpointed, taken: Taken) -> Shown:
    channel, sequence = taken.said.channel, taken.said.sequence
    if channel == record_of(ledger.auditor):
        raise NotProvableError(
            f"A checkpoint of {ledger.auditor} is over what it reads, and never over its own record {channel}: of that another"
            " auditor proves entries."
        )
    place = checkpoint.place_of(channel)
    if place is None or checkpoint.heads[place].size < sequence:
        raise NotProvableError(f"No checkpoint vouches for {channel}/{sequence} yet; the next one will, within a day.")
    head = checkpoint.heads[place]
    path = inclusion_proof(_leaves(ledger, head, upto=head.size), sequence - 1)
    return Shown(
        entry=_signed(ledger, taken),
        facts=taken.facts,
        personal=None,
        head=head,
        path=path,
        index=place,
        head_path=inclusion_proof([head_leaf(each) for each in checkpoint.heads], place),
    )


def _leaves(ledger: Ledger, head: ChannelHead, *, upto: int) -> list[Digest]:
    """Return the leaves of a head's tree up to a place.

    Raises: NotProvableError if they are not those that were vouched for: the registrar has begun the channel anew since, or
    it was another log.
    """
    leaves = [leaf_hash(digest) for digest in ledger.digests(head.channel, head.size)]
    if root_of(leaves) != head.root:
        raise NotProvableError(
            f"{head.channel} is not here as that checkpoint has it: it was begun anew since, and the next one has it as it is"
            " now; or this is another log than the auditor was shown."
        )
    return leaves[:upto]


def _admission(ledger: Ledger, checkpoint: Checkpointed, participant: str) -> Shown:
    known = ledger.trust.participants.get(participant)
    admitted = known.admitted if known is not None else None
    for taken, content in _opens(ledger, TRUST_CHANNEL):
        if isinstance(content, ParticipantAdmitted) and body_digest(taken.said.body) == admitted:
            return _shown(ledger, checkpoint, taken)
    raise NotProvableError(f"The admission of {participant} is not here.")


def _opens(ledger: Ledger, channel: str) -> Iterator[tuple[Taken, OpenContent | None]]:
    for taken in ledger.open_entries(channel):
        body = taken.said.body
        try:
            yield taken, decode_open(body) if isinstance(body, Open) else None
        except MalformedError:
            # It keeps its place, and says nothing.
            continue


def _signed(ledger: Ledger, taken: Taken) -> Signed:
    """Return an entry with the path of the certificate that it names, as its channel has shown it."""
    said = taken.said
    for _, content in _opens(ledger, said.channel):
        if isinstance(content, ChannelOpened | CertificateRotated) and digest_of(content.certificates[0]) == said.certificate:
            return Signed(statement=taken.statement, signature=taken.signature, certificates=content.certificates)
    raise NotProvableError(f"The certificate that {said.channel}/{said.sequence} names is not here.")
