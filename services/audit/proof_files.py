"""Proof files: their shapes, and the one encoding of each; what they show is for ``proofs``.

What others give is read strictly before anything of it is looked at: canonical Avro, at most 1 MiB, no path that no tree has.
Source: schemas/README.md, "Proof files"; schemas/proofs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

from services.audit.heads import ChannelHead, read_head
from services.wire import avro
from services.wire.errors import Evidence, MalformedError
from services.wire.hashing import Digest

__all__ = [
    "FILE_LIMIT_BYTES",
    "Consistency",
    "Heads",
    "Path",
    "Proof",
    "Shown",
    "Signed",
    "Split",
    "Vouched",
    "decode_consistency",
    "decode_heads",
    "decode_proof",
    "decode_split",
    "encode_consistency",
    "encode_heads",
    "encode_proof",
    "encode_split",
    "kind_of",
]

FILE_LIMIT_BYTES: Final = 1024 * 1024
_PATH_LIMIT: Final = 64
_KINDS: Final = ("Proof", "Heads", "Split", "Consistency")
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A statement, its signature, and the path of its certificate: DER, leaf first, the root left out."""

    statement: bytes
    signature: bytes
    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An entry with its sealed parts, as far as they are given, and the way from it up to a checkpoint's root.

    ``path`` leads to the root of ``head``; ``index`` is the place of the head in the checkpoint, and ``head_path`` leads on.
    """

    entry: Signed
    facts: bytes | None
    personal: bytes | None
    head: ChannelHead
    path: tuple[Digest, ...]
    index: int
    head_path: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof of an entry; ``admissions`` are the auditor's and, unless the registrar wrote the entry, its writer's."""

    checkpoint: Signed
    subject: Shown
    admissions: tuple[Shown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """All that a checkpoint vouches for, in the order of its leaves; ``admission`` is the auditor's."""

    checkpoint: Signed
    admission: Shown
    heads: tuple[ChannelHead, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """The head of one channel, and the way from it to a checkpoint's root."""

    checkpoint: Signed
    admission: Shown
    head: ChannelHead
    index: int
    head_path: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Two checkpoints that cannot both be right about a channel.

    ``root`` is that of the longer one at the size of the shorter one, as ``path`` shows; the shorter one has another there.
    """

    longer: Vouched
    shorter: Vouched
    root: Digest
    path: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The way from the tree of a channel in the older checkpoint to that in the newer one."""

    channel: str
    path: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """Two checkpoints of one auditor, and a path for each channel that both have in one epoch, in the order of their names."""

    older: Heads
    newer: Heads
    paths: tuple[Path, ...]


def encode_proof(proof: Proof) -> bytes:
    """Return the bytes of a proof file."""
    return _encoded("Proof", proof)


def encode_heads(heads: Heads) -> bytes:
    """Return the bytes of a file of heads."""
    return _encoded("Heads", heads)


def encode_split(split: Split) -> bytes:
    """Return the bytes of a proof of two views."""
    return _encoded("Split", split)


def decode_proof(data: bytes) -> Proof:
    """Return the proof in a file; nothing of it is checked yet.

    Raises: MalformedError if it is none, is too large or not canonical, or a number is out of range.
    """
    record = _decoded("Proof", data)
    return Proof(
        checkpoint=_signed(record["checkpoint"]),
        subject=_shown(record["subject"]),
        admissions=tuple(map(_shown, record["admissions"])),
    )


def decode_heads(data: bytes) -> Heads:
    """Return the heads in a file; nothing of it is checked yet. Raises: MalformedError, as ``decode_proof``."""
    return _heads(_decoded("Heads", data))


def decode_split(data: bytes) -> Split:
    """Return the two views in a file; nothing of it is checked yet. Raises: MalformedError, as ``decode_proof``."""
    record = _decoded("Split", data)
    longer, shorter = _vouched(record["longer"]), _vouched(record["shorter"])
    return Split(longer=longer, shorter=shorter, root=record["root"], path=_hashes(record["path"]))


def encode_consistency(consistency: Consistency) -> bytes:
    """Return the bytes of a proof that one checkpoint begins with all of another."""
    return _encoded("Consistency", consistency)


def decode_consistency(data: bytes) -> Consistency:
    """Return the consistency in a file; nothing of it is checked yet. Raises: MalformedError, as ``decode_proof``."""
    record = _decoded("Consistency", data)
    paths = tuple(Path(channel=each["channel"], path=_hashes(each["path"])) for each in record["paths"])
    return Consistency(older=_heads(record["older"]), newer=_heads(record["newer"]), paths=paths)


def kind_of(data: bytes) -> str:
    """Return which kind of file some bytes begin as: Proof, Heads, Split or Consistency.

    Raises: MalformedError if as none of them.
    """
    for name in _KINDS:
        if data.startswith(avro.single_object_header(avro.load_schema(f"proofs/{name}.avsc"))):
            return name
    raise MalformedError(
        "this file is none that an auditor's prove, heads, compare or consistent writes", Evidence(found=data[:10].hex())
    )


def _encoded(name: str, value: Any) -> bytes:
    schema = avro.load_schema(f"proofs/{name}.avsc")
    return avro.single_object_header(schema) + avro.encode(schema, asdict(value))


def _decoded(name: str, data: bytes) -> dict[str, Any]:
    if len(data) > FILE_LIMIT_BYTES:
        raise MalformedError("a proof file is over its limit", Evidence(expected=f"<= {FILE_LIMIT_BYTES}", found=str(len(data))))
    schema = avro.load_schema(f"proofs/{name}.avsc")
    header = avro.single_object_header(schema)
    if not data.startswith(header):
        evidence = Evidence(expected=header.hex(), found=data[: len(header)].hex())
        raise MalformedError("this file does not begin as a proof of this kind", evidence)
    return avro.decode(schema, data[len(header) :])


def _heads(record: dict[str, Any]) -> Heads:
    return Heads(
        checkpoint=_signed(record["checkpoint"]),
        admission=_shown(record["admission"]),
        heads=tuple(map(read_head, record["heads"])),
    )


def _signed(record: dict[str, Any]) -> Signed:
    return _of(Signed, record, certificates=tuple(record["certificates"]))


def _shown(record: dict[str, Any]) -> Shown:
    return _of(
        Shown,
        record,
        entry=_signed(record["entry"]),
        head=read_head(record["head"]),
        path=_hashes(record["path"]),
        head_path=_hashes(record["head_path"]),
    )


def _vouched(record: dict[str, Any]) -> Vouched:
    return _of(
        Vouched,
        record,
        checkpoint=_signed(record["checkpoint"]),
        admission=_shown(record["admission"]),
        head=read_head(record["head"]),
        head_path=_hashes(record["head_path"]),
    )


def _of(kind: Callable[..., _Made], record: dict[str, Any], **values: Any) -> _Made:
    return kind(**record | values)


def _hashes(found: Sequence[Digest]) -> tuple[Digest, ...]:
    # No tree that a number of 64 bits can count has a longer way.
    if len(found) > 2 * _PATH_LIMIT:
        raise MalformedError("a path is longer than any tree is high")
    return tuple(found)
