"""Proving: an entry, or all heads, under a checkpoint that this auditor has signed, as a file for whoever has the root alone.

All of it stands in the letterbook: exact statements and signatures, certificates, and the digests that the trees are made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from services.audit.heads import ChannelHead, head_leaf
from services.audit.proof_files import Consistency, Heads, Path, Proof, Shown, Signed, Split, Vouched
from services.audit.tree import consistency_proof, inclusion_proof, leaf_hash, root_of
from services.auditor.vouching import digests_of, heads_in
from services.post.database import Row
from services.post.letterbook import ON_CHAIN, statement_of
from services.post.office import Office
from services.wire.channels import TRUST_CHANNEL, record_of, writer_of
from services.wire.contents import CertificateRotated, ChannelOpened, OpenContent, ParticipantAdmitted, decode_open
from services.wire.entry import Open, body_digest
from services.wire.errors import MalformedError, RefusedError
from services.wire.hashing import Digest, digest_of

__all__ = ["Compared", "NotProvableError", "compare", "consistency_with", "heads_of", "prove"]

_LEAST_DIGITS: Final = 8
_PLACE: Final = re.compile(r"([a-z0-9.-]+)/([0-9]{1,18})")
_DIGEST: Final = re.compile(rf"[0-9a-f]{{{_LEAST_DIGITS},64}}")


class NotProvableError(RefusedError):
    """There is no such entry here, or no checkpoint of this auditor vouches for it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One channel that two views have: which place they were compared up to, and what came of it.

    ``result`` is ``agrees``, ``differs``, ``longer there`` (with entries that are not here yet), ``other epoch`` or ``not here``.
    """

    channel: str
    upto: int
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checkpoint:
    """A checkpoint that was signed, and its heads in the order of its leaves."""

    row: Row
    heads: list[ChannelHead]

    def place_of(self, channel: str) -> int | None:
        return next((place for place, each in enumerate(self.heads) if each.channel == channel), None)


def prove(office: Office, entry: str, *, with_personal: bool = False) -> Proof:
    """Return the proof of an entry: ``entry`` is CHANNEL/SEQUENCE, or its digest in hexadecimal, eight digits of it at least.

    An auditor keeps no personal parts; ``with_personal`` gives it where the entry is its own or was read with it.
    Raises: NotProvableError.
    """
    row, checkpoint = _row_of(office, entry), _newest(office)
    subject = _shown(office, checkpoint, row)
    if row["facts"] is not None and with_personal:
        sealed = office.letterbook.part(row["personal"])
        if sealed is None:
            raise NotProvableError("The personal part of this entry is not here; an auditor keeps none. Prove it without.")
        subject = replace(subject, personal=sealed)
    admissions = [_admission(office, checkpoint, office.participant)]
    writer = writer_of(row["channel"])
    if row["channel"] != TRUST_CHANNEL and writer != office.participant:
        admissions.append(_admission(office, checkpoint, writer))
    return Proof(checkpoint=_signed(office, checkpoint.row), subject=subject, admissions=tuple(admissions))


def heads_of(office: Office) -> Heads:
    """Return all heads of the newest checkpoint, for who compares them with what another auditor was shown.

    Raises: NotProvableError.
    """
    checkpoint = _newest(office)
    admission = _admission(office, checkpoint, office.participant)
    return Heads(checkpoint=_signed(office, checkpoint.row), admission=admission, heads=tuple(checkpoint.heads))


def compare(office: Office, theirs: Heads) -> tuple[list[Compared], Split | None]:
    """Compare the heads that somebody vouches for, checked before, with what is here; return what came of each channel.

    Where both have a place and another entry there, the proof of that comes with it, the first one by name.
    Raises: NotProvableError if this auditor has signed no checkpoint to stand beside the other one.
    """
    checkpoint = _newest(office)
    found, split = [], None
    for head in theirs.heads:
        place = checkpoint.place_of(head.channel)
        compared = _compared(office, checkpoint.heads[place] if place is not None else None, head)
        found.append(compared)
        if compared.result == "differs" and split is None:
            split = _split(office, checkpoint, head, theirs)
    return found, split


def consistency_with(office: Office, older: Heads) -> Consistency:
    """Return the proof that the newest checkpoint begins with all that an older one of this auditor, checked before, vouches for.

    Raises: NotProvableError, also where it does not: then ``compare`` says in which channel.
    """
    newer, paths = heads_of(office), []
    now = {each.channel: each for each in newer.heads}
    for head in older.heads:
        mine = now.get(head.channel)
        if mine is None or mine.epoch != head.epoch:
            continue
        leaves = _leaves(office, mine, upto=mine.size)
        if head.size > mine.size or root_of(leaves[: head.size]) != head.root:
            raise NotProvableError(
                f"{head.channel} does not begin with what the older checkpoint vouches for: see audit compare."
            )
        paths.append(Path(channel=head.channel, path=consistency_proof(leaves, head.size)))
    return Consistency(older=older, newer=newer, paths=tuple(paths))


def _compared(office: Office, mine: ChannelHead | None, head: ChannelHead) -> Compared:
    if mine is None:
        return Compared(channel=head.channel, upto=0, result="not here")
    if mine.epoch != head.epoch:
        return Compared(channel=head.channel, upto=0, result="other epoch")
    if head.size > mine.size:
        return Compared(channel=head.channel, upto=mine.size, result="longer there")
    leaves = _leaves(office, mine, upto=head.size)
    return Compared(channel=head.channel, upto=head.size, result="agrees" if root_of(leaves) == head.root else "differs")


def _split(office: Office, checkpoint: _Checkpoint, head: ChannelHead, theirs: Heads) -> Split:
    place = checkpoint.place_of(head.channel) or 0
    mine = checkpoint.heads[place]
    leaves = _leaves(office, mine, upto=mine.size)
    longer = _vouched(
        _signed(office, checkpoint.row), _admission(office, checkpoint, office.participant), checkpoint.heads, place
    )
    shorter = _vouched(theirs.checkpoint, theirs.admission, theirs.heads, theirs.heads.index(head))
    path = consistency_proof(leaves, head.size)
    return Split(longer=longer, shorter=shorter, root=root_of(leaves[: head.size]), path=path)


def _vouched(signed: Signed, admission: Shown, heads: list[ChannelHead] | tuple[ChannelHead, ...], place: int) -> Vouched:
    path = inclusion_proof([head_leaf(each) for each in heads], place)
    return Vouched(checkpoint=signed, admission=admission, head=heads[place], index=place, head_path=path)


def _row_of(office: Office, entry: str) -> Row:
    place, digits = _PLACE.fullmatch(entry), _DIGEST.fullmatch(entry)
    if place is not None:
        query = f"SELECT * FROM entries e WHERE e.channel = ? AND e.sequence = ? AND {ON_CHAIN}"  # noqa: S608  # own text
        found = office.database.all(query, place[1], int(place[2]))
    elif digits is not None:
        query = f"SELECT * FROM entries e WHERE hex(e.digest) LIKE ? AND {ON_CHAIN} LIMIT 2"  # noqa: S608  # own text
        found = office.database.all(query, f"{entry}%")
    else:
        raise NotProvableError("This names no entry. Write CHANNEL/SEQUENCE, or the entry's digest in hexadecimal.")
    if not found:
        raise NotProvableError("There is no such entry among those that are taken here.")
    if len(found) > 1:
        raise NotProvableError("Several entries begin with these digits; give more of them.")
    return found[0]


def _newest(office: Office) -> _Checkpoint:
    row = office.database.one(
        f"SELECT e.*, c.heads FROM checkpoints c JOIN entries e ON e.channel = ? AND e.event_id = c.event_id AND {ON_CHAIN}"  # noqa: S608  # own text
        " ORDER BY e.sequence DESC LIMIT 1",
        record_of(office.participant),
    )
    if row is None:
        raise NotProvableError("This auditor has signed no checkpoint yet; its worker makes one a day.")
    return _Checkpoint(row=row, heads=heads_in(row))


def _shown(office: Office, checkpoint: _Checkpoint, row: Row) -> Shown:
    channel, sequence = row["channel"], row["sequence"]
    place = checkpoint.place_of(channel)
    if place is None or checkpoint.heads[place].size < sequence:
        raise NotProvableError(f"No checkpoint vouches for {channel}/{sequence} yet; the next one will, within a day.")
    head = checkpoint.heads[place]
    path = inclusion_proof(_leaves(office, head, upto=head.size), sequence - 1)
    return Shown(
        entry=_signed(office, row),
        facts=row["facts"],
        personal=None,
        head=head,
        path=path,
        index=place,
        head_path=inclusion_proof([head_leaf(each) for each in checkpoint.heads], place),
    )


def _leaves(office: Office, head: ChannelHead, *, upto: int) -> list[Digest]:
    """Return the leaves of a head's tree up to a place.

    Raises: NotProvableError if the registrar has begun the channel anew since, and what was vouched for is not all taken now.
    """
    leaves = [leaf_hash(digest) for digest in digests_of(office, head.channel, upto=head.size)]
    if root_of(leaves) != head.root:
        raise NotProvableError(f"{head.channel} was begun anew since the newest checkpoint; the next one has it as it is now.")
    return leaves[:upto]


def _admission(office: Office, checkpoint: _Checkpoint, participant: str) -> Shown:
    admitted = office.trust.participants[participant].admitted
    for row, content in _opens(office, TRUST_CHANNEL):
        if isinstance(content, ParticipantAdmitted) and body_digest(statement_of(row).body) == admitted:
            return _shown(office, checkpoint, row)
    raise NotProvableError(f"The admission of {participant} is not here.")


def _opens(office: Office, channel: str) -> Iterator[tuple[Row, OpenContent | None]]:
    query = f"SELECT * FROM entries e WHERE e.channel = ? AND e.facts IS NULL AND {ON_CHAIN} ORDER BY e.sequence"  # noqa: S608  # own text
    for row in office.database.all(query, channel):
        body = statement_of(row).body
        try:
            yield row, decode_open(body) if isinstance(body, Open) else None
        except MalformedError:
            # It keeps its place, and says nothing.
            continue


def _signed(office: Office, row: Row) -> Signed:
    """Return an entry with the path of the certificate that it names, as its channel has shown it."""
    named = statement_of(row).certificate
    for _, content in _opens(office, row["channel"]):
        if isinstance(content, ChannelOpened | CertificateRotated) and digest_of(content.certificates[0]) == named:
            return Signed(statement=row["statement"], signature=row["signature"], certificates=content.certificates)
    raise NotProvableError(f"The certificate that {row['channel']}/{row['sequence']} names is not here.")
