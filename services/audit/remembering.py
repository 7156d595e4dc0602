"""Remembering: what a verification showed, in a file, so that the next one reads only what is new.

Kept is what was plainly in order: of each channel in which nothing was found, nothing was damaged and nothing waits, its digests,
event ids and receipts, the place reached and the certificates there. Anything else is read again as a whole each time, and
``registrar.trust`` always. Whatever was seen once and is not there any more is a finding, also where nobody has receipted it.

The file has a digest over itself, so that damage and careless edits are refused. Whoever can write it can make another with a
right digest: it MUST lie where only who verifies can write, or its digest be kept elsewhere and given when it is loaded.
Source: docs/adr/0031-a-stretch-is-proved-the-rest-is-judged.md; docs/adr/0039-a-memory-is-named-by-its-digest.md.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

from services.audit.judged import JudgedBefore
from services.audit.report import ChannelReport
from services.audit.signatures import Signatures
from services.audit.watching import Watch
from services.wire.certificates import parse_leaf
from services.wire.channels import TRUST_CHANNEL
from services.wire.contents import Receipt, decode_open, encode_open
from services.wire.entry import Open
from services.wire.errors import ArchiveError, CertificateError, Evidence, MalformedError, RefusedError, SettingsError
from services.wire.following import Follower
from services.wire.hashing import Digest, Id
from services.wire.paths import Place
from services.wire.reading import ReadingState

__all__ = ["Head", "Memory", "Remembered"]

_FIRST: Final = b"sarakste-verified-0 "
_DIGEST_BYTES: Final = 32
_ID_BYTES: Final = 16
_COUNT_END: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class Head:
    """How far a channel was taken: the sequence of its last entry, and that entry's digest in hexadecimal."""

    sequence: int
    digest: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """A channel that was plainly in order: where to read on, what stood last before that, and all else as JSON has it."""

    position: int
    last: str
    said: Mapping[str, Any]

    @classmethod
    def of(cls, watch: Watch, place: Place, position: int, last: str) -> Self:
        """Return what to remember of a channel that was read up to a position; ``last`` is H of the record before it."""
        said = {
            "epoch": place.epoch,
            "certificates": [_text(each.der) for each in place.certificates],
            "digests": _text(b"".join(watch.digests)),
            "ids": _text(b"".join(sorted(watch.ids))),
            "begun": watch.begun,
            "repeated": sorted(watch.repeated),
            "receipts": [(sequence, _text(encode_open(receipt).content)) for sequence, receipt in watch.receipts],
            "written_at": watch.written_at,
            "left_out": watch.left_out,
            "notes": watch.notes_read[0],
            "notes_untold": watch.notes_read[1],
        }
        return cls(position, last, said)

    def watch(self, channel: str, *, leaves_out: bool) -> Watch:
        """Return the watch of the channel as it was. Raises: ValueError, KeyError, TypeError if this is not what ``of`` made."""
        said = self.said
        digests = [Digest(each) for each in _pieces(said["digests"], _DIGEST_BYTES)]
        watch = Watch(ChannelReport(channel=channel), leaves_out=leaves_out, left_out=int(said["left_out"]))
        watch.report.notes, watch.report.notes_untold = list(map(str, said["notes"])), int(said["notes_untold"])
        watch.report.not_read_again = len(digests)
        watch.begun = [(int(first), int(epoch)) for first, epoch in said["begun"]]
        watch.repeated = set(map(int, said["repeated"]))
        for sequence, content in said["receipts"]:
            receipt = decode_open(Open(Receipt.__name__, b64decode(content)))
            if isinstance(receipt, Receipt):
                watch.receipts.append((int(sequence), receipt))
        watch.remember(digests, map(Id, _pieces(said["ids"], _ID_BYTES)), int(said["written_at"]))
        return watch

    def place(self, watch: Watch) -> Place:
        """Return the place that was reached; errors as for ``watch``, and CertificateError."""
        certificates = tuple(parse_leaf(b64decode(each)) for each in self.said["certificates"])
        epoch = int(self.said["epoch"])
        return Place(epoch=epoch, sequence=len(watch.digests), digest=watch.digests[-1], certificates=certificates)


@dataclass(slots=True)
class Memory:
    """What one verification leaves for the next; ``files`` are an archive's, with how many bytes were read and H of these.

    ``heads`` are those of all channels, also of such as are not remembered otherwise. ``signatures`` says which signatures of
    what is remembered were verified. ``unread`` are channels of which nothing is believed in this run, and which are read anew.
    """

    exchange: str
    signatures: str = Signatures.EACH.value
    heads: dict[str, Head] = field(default_factory=dict)
    channels: dict[str, Remembered] = field(default_factory=dict)
    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    judged: JudgedBefore = field(default_factory=JudgedBefore)
    unread: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, path: Path, exchange: str, digest: str | None = None) -> Self | None:
        """Return the memory in a file, None if there is no such file yet; ``digest`` is what ``save`` gave, kept elsewhere.

        Raises: ArchiveError if it was damaged or edited, or is not the one of that digest; RefusedError if it is of another
        exchange; SettingsError if it is something else or cannot be read, or one of a digest is asked for and none is there.
        """
        try:
            first, _, body = path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            if digest is not None:
                # Whoever takes it away takes away what was seen, which is then missed by nobody.
                raise SettingsError(f"{path.name} is not there, and its digest was given: what was seen before is gone") from None
            return None
        except OSError as error:
            raise SettingsError(f"{path.name} cannot be read: {error.strerror}") from error
        if not first.startswith(_FIRST):
            raise SettingsError(f"{path.name} is no file of an earlier verification; name another for --state")
        found = sha256(body).hexdigest()
        expected = first.removeprefix(_FIRST).decode("ascii", "replace")
        if found != expected:
            raise ArchiveError(f"{path.name} was changed since it was written: it is not believed", _evidence(expected, found))
        if digest is not None and found != digest:
            # Its own digest is right: somebody wrote it anew, or put another one in its place.
            raise ArchiveError(
                f"{path.name} is not the file of the digest that was given: it is not believed", _evidence(digest, found)
            )
        try:
            memory = cls._read(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            raise ArchiveError(f"{path.name} says nothing that a verification writes: it is not believed") from None
        if memory.exchange != exchange:
            raise RefusedError(f"{path.name} is of another exchange: its root certificate is not the one given")
        return memory

    def save(self, path: Path) -> str:
        """Write it into a file, whole or not at all, and return its digest. Raises: SettingsError if that cannot be written."""
        body = json.dumps(
            {
                "exchange": self.exchange,
                "signatures": self.signatures,
                "heads": {name: [each.sequence, each.digest] for name, each in self.heads.items()},
                "channels": {name: [each.position, each.last, each.said] for name, each in self.channels.items()},
                "files": self.files,
                "judged": self.judged.as_json(),
            },
            separators=(",", ":"),
            # The same memory has the same digest.
            sort_keys=True,
        ).encode()
        beside, digest = path.with_name(path.name + ".new"), sha256(body).hexdigest()
        try:
            with beside.open("wb") as file:
                file.write(_FIRST + digest.encode() + b"\n" + body)
                file.flush()
                # Before it takes the other's place: an empty one would be deleted, and what had been seen with it.
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            raise SettingsError(f"{path.name} cannot be written: {error.strerror}") from error
        return digest

    @classmethod
    def _read(cls, said: Any) -> Self:
        return cls(
            exchange=str(said["exchange"]),
            signatures=str(said["signatures"]),
            heads={name: Head(_count(sequence, least=1), str(digest)) for name, (sequence, digest) in said["heads"].items()},
            channels={name: Remembered(_count(at), str(last), rest) for name, (at, last, rest) in said["channels"].items()},
            files={name: (_count(size), str(digest)) for name, (size, digest) in said["files"].items()},
            judged=JudgedBefore.of_json(said["judged"]) if "judged" in said else JudgedBefore(),
        )

    def ready_for(self, signatures: Signatures) -> None:
        """Forget what was verified less thoroughly than is asked for now; what was seen stays known."""
        if signatures is Signatures.EACH and self.signatures != signatures.value:
            self.channels.clear()
        # What is added now is of the lesser kind, or all is of the one that is asked for.
        self.signatures = signatures.value

    @property
    def trusted(self) -> int:
        """How far the registrar's channel was read."""
        head = self.heads.get(TRUST_CHANNEL)
        return head.sequence if head is not None else 0

    def set_aside(self, at_fault: Collection[str]) -> None:
        """Forget all channels but what was seen of those at fault: it says where they differ, and is never gone on from."""
        self.channels = {name: replace(each, last="") for name, each in self.channels.items() if name in at_fault}

    def seen(self, channel: str) -> list[Digest]:
        """Return the digests of a channel as they were taken before, none where that is not remembered."""
        remembered = self.channels.get(channel)
        try:
            return [Digest(each) for each in _pieces(remembered.said["digests"], _DIGEST_BYTES)] if remembered else []
        except (ValueError, KeyError, TypeError):
            return []

    def keep(self, channel: str, watch: Watch, follower: Follower, read_to: tuple[int, str]) -> None:
        """Remember a channel, as a whole if it was plainly in order, else its head alone."""
        # What only waits was seen all the same, and has to be there the next time.
        if watch.digests and (follower.state is not ReadingState.WAITING or channel not in self.heads):
            self.heads[channel] = Head(len(watch.digests), watch.digests[-1].hex())
        if watch.digests and follower.only_goes_on and watch.is_plain:
            self.channels[channel] = Remembered.of(watch, follower.place, *read_to)

    def resumed(self, channel: str, *, leaves_out: bool) -> tuple[Watch, Place] | None:
        """Return the watch and the place of a channel, None if it is not remembered."""
        remembered = self.channels.get(channel) if channel not in self.unread else None
        try:
            watch = remembered.watch(channel, leaves_out=leaves_out) if remembered is not None else None
            return (watch, remembered.place(watch)) if remembered is not None and watch is not None else None
        except (ValueError, KeyError, TypeError, IndexError, OverflowError, CertificateError, MalformedError):
            # Its digest is right, so it was made like this on purpose: nothing of it is believed.
            return None


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _pieces(text: str, size: int) -> list[bytes]:
    data = b64decode(text)
    return [data[at : at + size] for at in range(0, len(data), size)]


def _count(value: Any, *, least: int = 0) -> int:
    count = int(value)
    # No log and no file has more; a database and a disk are asked for it as it stands here.
    if not least <= count < _COUNT_END:
        raise ValueError(count)
    return count


def _evidence(expected: str, found: str) -> Evidence:
    return Evidence(expected=expected, found=found)
