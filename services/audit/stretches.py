"""Stretches: records of a channel that plainly go on one after the other, looked at without being taken apart.

A rule of its own it is not. It may only prove that each record is the very next entry under one certificate, with the parts that
were signed, and says so of as many as it can; whatever is anything else (an opening, a rotation, a rival, a repeat, junk, a part
that does not match) ends the stretch and is left to ``following``, which judges it. Nothing is taken by what is found here until
signatures were verified: that of the last entry vouches for the statements before it, since each names the one before; only all
of them show that each entry stands alone.

Most entries of a channel differ in few bytes: what stands around them is made once and compared, and nothing is decoded. A test
holds what is proved here against ``reading`` for every harm that it knows.
Source: schemas/README.md, "Chain"; design.md section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from struct import Struct
from typing import Any, Final, NamedTuple

from services.wire.candidates import Candidate, candidate_of
from services.wire.contents import CertificateRotated, ChannelOpened
from services.wire.entry import (
    ENTRY_HEADER,
    FACTS_LIMIT_BYTES,
    PERSONAL_LIMIT_BYTES,
    SEALING_OVERHEAD_BYTES,
    STATEMENT_TYPE,
    Open,
    decode_statement,
    split_entry,
)
from services.wire.errors import MalformedError
from services.wire.hashing import Digest, Id
from services.wire.paths import Place

__all__ = ["Stretch", "stretch_of"]

_TURNING: Final = (ChannelOpened.__name__, CertificateRotated.__name__)
_DIGEST_BYTES: Final = 32
_ID_BYTES: Final = 16
_TAIL_BYTES: Final = _ID_BYTES + 1 + 3 * _DIGEST_BYTES
_STATEMENT_END: Final = f"{_ID_BYTES}s1s{_DIGEST_BYTES}x{_DIGEST_BYTES}s{_DIGEST_BYTES}s"
_PAE: Final = b"DSSEv1 %d %b " % (len(STATEMENT_TYPE), STATEMENT_TYPE)
_SEALED: Final = b"\x02"
_PRESENT: Final = b"\x02"
_ABSENT: Final = b"\x00"
_MORE: Final = 0x80
# A time of these decades takes six bytes, of which all but the last go on, and the first is of a number that is not negative.
_TIME_BYTES: Final = 6
_TIME_MASK: Final = 0x808080808081
_TIME_FORM: Final = 0x008080808080
_TIME_LAST: Final = 40
_TIME_LOW_BITS: Final = 32
_SHORT: Final = 1 << 14
# The first byte of a number's encoding holds its six lowest bits, and the sign; so of 64 numbers in a row the rest is the same.
_LOW_BITS: Final = 6
_LOW_MASK: Final = (1 << _LOW_BITS) - 1
_LAST_LOWS: Final = tuple(bytes((low << 1,)) for low in range(1 << _LOW_BITS))
_LOWS: Final = tuple(bytes((low << 1 | _MORE,)) for low in range(1 << _LOW_BITS))


@dataclass(slots=True)
class Stretch:
    """Entries that plainly follow each other from a place on: digest, event id and signature of each, in their order.

    ``opens`` are those that are open, with their index; ``lacking`` the indexes of those without a personal part, ``late`` those
    of entries whose time lies before that of an entry before; ``latest`` is the latest time so far.
    """

    digests: list[Digest] = field(default_factory=list)
    ids: list[Id] = field(default_factory=list)
    signatures: list[bytes] = field(default_factory=list)
    opens: list[tuple[int, Candidate]] = field(default_factory=list)
    lacking: list[int] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    latest: int = 0


class _Frame(NamedTuple):
    """What stands around the varying bytes of sealed entries of some sizes, and how such a record is taken apart.

    ``apart`` gives of a record: what stands before its time, that time in two numbers, its event id, and then in turn what says
    that the body is sealed, the digests of its parts, signature, facts and personal part, each after what leads in it; those
    leads have to be ``leads``.
    """

    lead: bytes
    pae: bytes
    statement: slice
    apart: Callable[[bytes], tuple[Any, ...]]
    leads: tuple[bytes, bytes, bytes]


def stretch_of(records: Iterable[bytes], place: Place, *, channel: str, written_at: int) -> Stretch:
    """Return the stretch of ``records``, from the first on, that goes on from ``place``.

    The place MUST have a certificate; ``written_at`` is the latest time before it (milliseconds since 1970).
    """
    if place.certificate is None:
        raise ValueError("before a channel is opened nothing goes on")
    turn = place.certificate.digest + _text(channel) + _long(place.epoch)
    walk, left = _Walk(place, channel, turn, place.digest, place.sequence, _as_time(written_at)), iter(records)
    while (other := walk.take_sealed(left)) is not None and walk.take_open(other):
        pass
    walk.found.latest = _as_milliseconds(walk.latest)
    return walk.found


@dataclass(slots=True)
class _Walk:
    """Where a stretch has come to."""

    place: Place
    channel: str
    turn: bytes
    previous: bytes
    sequence: int
    latest: int
    found: Stretch = field(default_factory=Stretch)
    frames: dict[int, _Frame] = field(default_factory=dict)

    def take_sealed(self, records: Iterator[bytes]) -> bytes | None:
        """Take sealed entries while each plainly goes on, and return the record that is anything else; None at the end.

        In one piece, with nothing called that can be done without: this is all that most entries of a log ever meet.
        """
        found, frames, turn, digest_of = self.found, self.frames, self.turn, sha256
        previous, sequence, latest, count = self.previous, self.sequence, self.latest, len(self.found.digests)
        add_digest, add_id, add_signature = found.digests.append, found.ids.append, found.signatures.append
        other, (lows, rest) = None, _numbers_at(sequence)
        for record in records:
            sequence += 1
            low = sequence & _LOW_MASK
            if not low:
                lows, rest = _numbers_at(sequence)
            frame = frames.get(len(record)) or self._framed(record)
            if frame is None:
                other = record
                break
            lead, pae, statement, apart, leads = frame
            (
                before, time_low, time_high, event_id, kind, facts_digest, personal_digest,
                one, signature, two, facts, three, personal,
            ) = apart(record)  # fmt: skip
            time = time_high << _TIME_LOW_BITS | time_low
            if (
                before != lead + previous + turn + lows[low] + rest
                or kind != _SEALED
                or (one, two, three) != leads
                or time & _TIME_MASK != _TIME_FORM
                or not time >> _TIME_LAST
                or digest_of(facts).digest() != facts_digest
                or (personal and digest_of(personal).digest() != personal_digest)
            ):
                other = record
                break
            if not personal:
                found.lacking.append(count)
            if time < latest:
                found.late.append(count)
            else:
                latest = time
            previous = digest_of(pae + record[statement]).digest()
            add_digest(previous)  # type: ignore[arg-type]  # the name of a digest costs a call
            add_id(event_id)
            add_signature(signature)
            count += 1
        self.previous, self.sequence, self.latest = previous, self.place.sequence + count, latest
        return other

    def take_open(self, record: bytes) -> bool:
        """Take an open entry that is next and turns nothing; return False if the record is anything else."""
        found, certificate = candidate_of(record, self.channel), self.place.certificate
        if not isinstance(found, Candidate) or certificate is None:
            return self._reframe(record)
        _, signer, _, epoch, sequence, written_at, event_id, body = found.unverified_statement
        if not isinstance(body, Open):
            return self._reframe(record)
        if body.type in _TURNING or found.unverified_statement.previous != self.previous:
            return False
        if (signer, epoch, sequence) != (certificate.digest, self.place.epoch, self.sequence + 1):
            return False
        index, time = len(self.found.digests), _as_time(written_at)
        if time < self.latest:
            self.found.late.append(index)
        self.latest = max(time, self.latest)
        self.found.opens.append((index, found))
        self.found.digests.append(found.digest)
        self.found.ids.append(event_id)
        self.found.signatures.append(found.signatures[0])
        self.previous, self.sequence = found.digest, sequence
        return True

    def _reframe(self, record: bytes) -> bool:
        """Try a sealed record once more with a frame of its own: others of its sizes may stand in another."""
        return self._framed(record) is not None and self.take_sealed(iter([record])) is None

    def _framed(self, record: bytes) -> _Frame | None:
        frame = _framed(record)
        if frame is not None:
            self.frames[len(record)] = frame
        return frame


def _framed(record: bytes) -> _Frame | None:
    """Return the frame of a record that is a sealed entry within its limits, None if it is anything else."""
    try:
        statement, signature, facts, personal = split_entry(record)
        body = decode_statement(statement).body
    except MalformedError:
        return None
    if isinstance(body, Open) or facts is None or len(facts) > FACTS_LIMIT_BYTES + SEALING_OVERHEAD_BYTES:
        return None
    # An empty part is one, and its digest is none of these.
    if personal is not None and not 0 < len(personal) <= PERSONAL_LIMIT_BYTES + SEALING_OVERHEAD_BYTES:
        return None
    start = len(ENTRY_HEADER) + len(_long(len(statement)))
    end = start + len(statement)
    tail = end - _TAIL_BYTES
    leads = (
        _long(len(signature)),
        _PRESENT + _long(len(facts)),
        _PRESENT + _long(len(personal)) if personal is not None else _ABSENT,
    )
    sizes = [
        size for lead, part in zip(leads, (signature, facts, personal or b""), strict=True) for size in (len(lead), len(part))
    ]
    parts = "".join(f"{size}s" for size in sizes)
    return _Frame(
        lead=record[:start],
        pae=_PAE + b"%d " % len(statement),
        statement=slice(start, end),
        apart=Struct(f"<{tail - _TIME_BYTES}sIH{_STATEMENT_END}{parts}").unpack,
        leads=leads,
    )


def _text(value: str) -> bytes:
    data = value.encode()
    return _long(len(data)) + data


def _long(value: int) -> bytes:
    """Return the one encoding of a number that is not negative."""
    left = value << 1
    if left < _MORE:
        return bytes((left,))
    if left < _SHORT:
        return bytes((left & 0x7F | _MORE, left >> 7))
    out = bytearray()
    while left >= _MORE:
        out.append(left & 0x7F | _MORE)
        left >>= 7
    out.append(left)
    return bytes(out)


def _numbers_at(value: int) -> tuple[tuple[bytes, ...], bytes]:
    """Return the first bytes of the encodings of the 64 numbers of which this is one, and the rest, which they have in common."""
    return (_LAST_LOWS if value <= _LOW_MASK else _LOWS), _long(value)[1:]


def _as_time(milliseconds: int) -> int:
    """Return the encoding of a time as a number: these are in the order of the times."""
    return int.from_bytes(_long(milliseconds), "little")


def _as_milliseconds(time: int) -> int:
    value, shift = 0, 0
    for byte in time.to_bytes(10, "little"):
        value |= (byte & 0x7F) << shift
        shift += 7
    return value >> 1
