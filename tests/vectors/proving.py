"""Trees and proof files for the golden vectors, put together by hand from records: no auditor's program has a part in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.audit.heads import ChannelHead, checkpoint_of, head_leaf, ordered
from services.audit.proof_files import (
    Consistency,
    Heads,
    Path,
    Proof,
    Shown,
    Signed,
    Split,
    Vouched,
    encode_consistency,
    encode_heads,
    encode_proof,
    encode_split,
)
from services.audit.tree import consistency_proof, inclusion_proof, leaf_hash, root_of
from services.wire.channels import TRUST_CHANNEL
from services.wire.contents import Checkpoint, ParticipantAdmitted, decode_open
from services.wire.entry import Open, decode_entry
from services.wire.hashing import Digest, digest_of
from tests.chains import Pen, Seal

__all__ = ["View", "faults", "proof_files", "trees"]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What an auditor was shown, by channel, and who signs there now; ``record`` is its signed checkpoint."""

    records: Mapping[str, Sequence[bytes]]
    seals: Mapping[str, Seal]
    record: bytes = b""
    auditor: Seal

    @property
    def heads(self) -> list[ChannelHead]:
        return ordered(
            ChannelHead(channel=name, epoch=0, size=len(records), root=root_of(leaves(records)))
            for name, records in self.records.items()
        )

    @property
    def checkpoint(self) -> Checkpoint:
        return checkpoint_of(self.heads)

    @property
    def vouching(self) -> Signed:
        return signed(self.record, self.auditor)

    def shown(self, channel: str, sequence: int, *, personal: bool = False) -> Shown:
        entry = decode_entry(self.records[channel][sequence - 1])
        place = next(number for number, head in enumerate(self.heads) if head.channel == channel)
        return Shown(
            entry=signed(self.records[channel][sequence - 1], self.seals[channel]),
            facts=entry.raw_facts,
            personal=entry.raw_personal if personal else None,
            head=self.heads[place],
            path=inclusion_proof(leaves(self.records[channel]), sequence - 1),
            index=place,
            head_path=inclusion_proof([head_leaf(each) for each in self.heads], place),
        )

    def admission(self, participant: str) -> Shown:
        for number, record in enumerate(self.records[TRUST_CHANNEL], start=1):
            body = decode_entry(record).unverified_statement.body
            content = decode_open(body) if isinstance(body, Open) else None
            if isinstance(content, ParticipantAdmitted) and content.id == participant:
                return self.shown(TRUST_CHANNEL, number)
        raise KeyError(participant)

    def vouched(self, auditor: str, channel: str) -> Vouched:
        shown = self.shown(channel, 1)
        return Vouched(
            checkpoint=self.vouching,
            admission=self.admission(auditor),
            head=shown.head,
            index=shown.index,
            head_path=shown.head_path,
        )


def leaves(records: Sequence[bytes]) -> list[Digest]:
    return [leaf_hash(decode_entry(each).digest) for each in records]


def signed(record: bytes, seal: Seal) -> Signed:
    entry = decode_entry(record)
    return Signed(statement=entry.statement_bytes, signature=entry.signature, certificates=(seal.certificate.der,))


def trees() -> list[dict[str, Any]]:
    """Return trees of one leaf to nine: the data of the last leaf, the root, and every proof of the tree."""
    data = [bytes(range(size)) for size in range(9)]
    hashes = [leaf_hash(each) for each in data]
    return [
        {
            "size": size,
            "last": data[size - 1].hex(),
            "root": root_of(hashes[:size]).hex(),
            "inclusion": [[each.hex() for each in inclusion_proof(hashes[:size], index)] for index in range(size)],
            "consistency": [[each.hex() for each in consistency_proof(hashes[:size], older)] for older in range(1, size + 1)],
        }
        for size in range(1, 10)
    ]


def proof_files(view: View, pen: Pen, *, auditor: str, writer: str, channel: str) -> dict[str, bytes]:
    """Return files that check: of a sealed entry of ``channel``, of one of the registrar's, all heads, and two views.

    ``pen`` writes on behind the checkpoint in a copy of the auditor's record: the same auditor vouches for something else.
    """
    admissions = (view.admission(auditor), view.admission(writer))
    whole = Proof(checkpoint=view.vouching, subject=view.shown(channel, 3, personal=True), admissions=admissions)
    without = replace(whole, subject=view.shown(channel, 3))
    registrars = Proof(checkpoint=view.vouching, subject=view.shown(TRUST_CHANNEL, 1), admissions=admissions[:1])
    heads = Heads(checkpoint=view.vouching, admission=admissions[0], heads=tuple(view.heads))
    older = _older(view, pen)
    return {
        "an entry": encode_proof(without),
        "an entry with its personal part": encode_proof(whole),
        "an entry of the registrar": encode_proof(registrars),
        "heads": encode_heads(heads),
        "two views": encode_split(_two_views(view, pen, auditor, channel)),
        "two checkpoints": encode_consistency(_consistency(older, view, auditor)),
    }


def _two_views(view: View, pen: Pen, auditor: str, channel: str) -> Split:
    records = {**view.records, channel: [*view.records[channel][:2], pen.fork("another").confirmed()]}
    other = replace(view, records=records)
    other = replace(other, record=pen.fork("another view").open(other.checkpoint))
    mine, size = leaves(view.records[channel]), len(records[channel])
    return Split(
        longer=view.vouched(auditor, channel),
        shorter=other.vouched(auditor, channel),
        root=root_of(mine[:size]),
        path=consistency_proof(mine, size),
    )


def _older(view: View, pen: Pen) -> View:
    """Return the view of a day before, when most channels were shorter, with a checkpoint over it."""
    records = {name: found if name == TRUST_CHANNEL else found[:-1] for name, found in view.records.items()}
    older = replace(view, records=records)
    return replace(older, record=pen.fork("the day before").open(older.checkpoint))


def _consistency(older: View, newer: View, auditor: str) -> Consistency:
    both = [
        Heads(checkpoint=each.vouching, admission=each.admission(auditor), heads=tuple(each.heads)) for each in (older, newer)
    ]
    paths = [
        Path(channel=head.channel, path=consistency_proof(leaves(newer.records[head.channel]), head.size)) for head in older.heads
    ]
    return Consistency(older=both[0], newer=both[1], paths=tuple(paths))


def faults(view: View, pen: Pen, *, auditor: str, writer: str, channel: str) -> dict[str, bytes]:
    """Return files that do not check, by what is wrong with them."""
    admissions = (view.admission(auditor), view.admission(writer))
    subject = view.shown(channel, 3)
    right = Proof(checkpoint=view.vouching, subject=subject, admissions=admissions)
    stranger = digest_of(b"a stranger")
    consistency = _consistency(_older(view, pen), view, auditor)

    def with_subject(**values: Any) -> bytes:
        return encode_proof(replace(right, subject=replace(subject, **values)))

    return {
        "a byte behind the end": encode_proof(right) + b"\x00",
        "no admission": encode_proof(replace(right, admissions=())),
        "the admission of the writer is missing": encode_proof(replace(right, admissions=admissions[:1])),
        "admissions the other way round": encode_proof(replace(right, admissions=admissions[::-1])),
        "an admission too many": encode_proof(replace(right, admissions=(*admissions, admissions[1]))),
        "no checkpoint": encode_proof(replace(right, checkpoint=subject.entry)),
        "other facts": with_subject(facts=b"other facts"),
        "another path": with_subject(path=(stranger, *subject.path[1:])),
        "a path too long": with_subject(path=(*subject.path, stranger)),
        "a path too short": with_subject(path=subject.path[:-1]),
        "another place in the checkpoint": with_subject(index=subject.index ^ 1),
        "another head": with_subject(head=replace(subject.head, size=subject.head.size + 1)),
        "a head of another channel": with_subject(head=admissions[0].head),
        "another signature": with_subject(entry=replace(subject.entry, signature=view.vouching.signature)),
        "another certificate": with_subject(entry=replace(subject.entry, certificates=view.vouching.certificates)),
        "heads in another order": encode_heads(
            Heads(checkpoint=view.vouching, admission=admissions[0], heads=tuple(view.heads[::-1]))
        ),
        "a head too few": encode_heads(Heads(checkpoint=view.vouching, admission=admissions[0], heads=tuple(view.heads[1:]))),
        "the newer checkpoint before the older one": encode_consistency(
            replace(consistency, older=consistency.newer, newer=consistency.older)
        ),
        "a channel passed over": encode_consistency(replace(consistency, paths=consistency.paths[1:])),
        "a channel with another path": encode_consistency(
            replace(consistency, paths=(replace(consistency.paths[0], path=(stranger,)), *consistency.paths[1:]))
        ),
        "two views that agree": encode_split(
            Split(
                longer=view.vouched(auditor, channel),
                shorter=view.vouched(auditor, channel),
                root=view.vouched(auditor, channel).head.root,
                path=(),
            )
        ),
    }
