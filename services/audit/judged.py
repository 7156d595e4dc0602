"""Judged: what a look at what events rest on leaves for the next one, so that it goes on from there.

Kept is how far each channel was looked at, which keys would have opened what did not open, and where the events of a record
stand by the digests of their bodies. Of no entry is kept what its facts are; of a channel as a whole, that a link between cases
excused something there, or why it is to be looked at again. A claim that was judged stays judged by the same rules, for a log
only grows; what an epoch overruled, or was found at fault, is read anew, and looked at anew.
Source: docs/adr/0042-what-was-judged-with-keys-stays-judged.md.
"""

from __future__ import annotations

from array import array
from base64 import b64decode, b64encode
from collections.abc import Collection, Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from services.audit.packed import Digests
from services.audit.watching import Watch
from services.wire.channels import TRUST_CHANNEL, record_of, writer_of
from services.wire.hashing import Digest

__all__ = [
    "CLOSED_LINK",
    "KEYS_CAME",
    "MAY_BE_LINKED",
    "NEVER",
    "NOTHING_BEFORE",
    "OTHER_RULES",
    "OVERRULED",
    "OVERRULED_LINK",
    "RECORD_ANEW",
    "Bodies",
    "Judged",
    "JudgedBefore",
]

NEVER: Final = "no earlier verification looked at that"
NOTHING_BEFORE: Final = "nothing that opened before rested on it"
KEYS_CAME: Final = "keys that came since open what was sealed before"
OTHER_RULES: Final = "an earlier verification judged it by other rules than this one has"
_LINKS_ANEW: Final = "something of it rested on a link between two cases, and not all that links may name was gone on from"
RECORD_ANEW: Final = "its writer's record was not gone on from"
CLOSED_LINK: Final = "an event rests on one of another case, and the case that a link names does not open"
MAY_BE_LINKED: Final = "an event rests on one of another case, and a link between the two may be among what does not open"
OVERRULED: Final = "an event rests on one that an epoch may have overruled"
OVERRULED_LINK: Final = "an event rests on one of another case, and an epoch may have overruled the link or what it names"
_UNREADABLE: Final = "facts in it cannot be read here, although their key is held"
_KEPT: Final = {OTHER_RULES, _LINKS_ANEW, RECORD_ANEW, CLOSED_LINK, MAY_BE_LINKED, OVERRULED, OVERRULED_LINK, _UNREADABLE, ""}
_DIGEST_BYTES: Final = 32


@dataclass(slots=True)
class Judged:
    """What the first ``sequence`` entries of a pair channel claim was judged; the next ones stand from ``position`` on.

    ``unopened`` of these entries do not open, ``closed`` of their claims are on an event that does not; ``lacking`` are the ids
    of the keys that would open them. ``undecided`` says why they have to be looked at once more, if they have. ``linked`` says
    that a link between two cases excused something.
    """

    sequence: int = 0
    position: int = 0
    unopened: int = 0
    closed: int = 0
    lacking: set[Digest] = field(default_factory=set)
    undecided: str = ""
    linked: bool = False

    def lacks(self, key: Digest | None) -> None:
        """Note that something does not open: for want of a key, or, with None, although that is held."""
        if key is None:
            self.undecided = self.undecided or _UNREADABLE
        else:
            self.lacking.add(key)

    def why_again(self, keys: Container[Digest]) -> str:
        """Return why all of it has to be looked at once more, nothing if it need not."""
        return KEYS_CAME if any(each in keys for each in self.lacking) else self.undecided

    def as_json(self) -> list[Any]:
        """Return it as it is kept."""
        lacking = sorted(each.hex() for each in self.lacking)
        return [self.sequence, self.position, self.unopened, self.closed, lacking, self.undecided, self.linked]

    @classmethod
    def of_json(cls, said: Any) -> Self:
        """Return what was kept. Raises: ValueError or TypeError if this is something else."""
        sequence, position, unopened, closed, lacking, undecided, linked = said
        ids = {Digest(bytes.fromhex(each)) for each in lacking}
        if undecided not in _KEPT or not isinstance(linked, bool):
            # It is told to people as it stands here.
            raise ValueError(undecided)
        counts = (_count(sequence), _count(position), _count(unopened), _count(closed))
        return cls(*counts, ids, undecided, linked)


@dataclass(slots=True)
class Bodies:
    """Where the events of a record stand in its log, by the digests of their bodies; the next ones from ``position`` on."""

    position: int = 0
    digests: Digests = field(default_factory=Digests)
    positions: array[int] = field(default_factory=lambda: array("q"))

    @property
    def sequence(self) -> int:
        """How many entries of the record these are."""
        return len(self.positions)

    def add(self, body: Digest, position: int) -> None:
        """Add the next one."""
        self.digests.append(body)
        self.positions.append(position)

    def clear(self) -> None:
        """Know nothing of it any more."""
        self.position, self.digests, self.positions = 0, Digests(), array("q")

    def of(self, wanted: Collection[Digest]) -> Iterator[tuple[Digest, int]]:
        """Yield those of some bodies that stand here, each where it stands first."""
        left = set(wanted)
        for body, position in zip(self.digests, self.positions, strict=True) if left else ():
            if body in left:
                left.discard(body)
                yield body, position

    def as_json(self) -> list[Any]:
        """Return it as it is kept."""
        return [self.position, b64encode(b"".join(self.digests)).decode(), self.positions.tolist()]

    @classmethod
    def of_json(cls, said: Any) -> Self:
        """Return what was kept. Raises: ValueError, TypeError or OverflowError if this is something else."""
        position, text, positions = said
        data = b64decode(text)
        digests = Digests(Digest(data[at : at + _DIGEST_BYTES]) for at in range(0, len(data), _DIGEST_BYTES))
        if len(data) != len(positions) * _DIGEST_BYTES:
            raise ValueError(len(data))
        return cls(_count(position), digests, array("q", map(_count, positions)))


@dataclass(slots=True)
class JudgedBefore:
    """What an earlier look left: of pair channels what was judged by its ``rules``, of records where their events stand."""

    channels: dict[str, Judged] = field(default_factory=dict)
    records: dict[str, Bodies] = field(default_factory=dict)
    rules: str = ""

    def hold_against(self, watches: Mapping[str, Watch], remembered: Collection[str], rules: str) -> None:
        """Believe nothing more of what is not gone on from in this run: it may be another story now.

        ``remembered`` are the channels that an earlier run left to go on from, ``rules`` those by which this one judges.
        """
        for each in [name for name, known in self.channels.items() if not _goes_on(watches, name, known.sequence)]:
            del self.channels[each]
        for each in [name for name, known in self.records.items() if not _goes_on(watches, name, known.sequence)]:
            del self.records[each]
        for name, known in self.channels.items():
            record = record_of(writer_of(name))
            if not _goes_on(watches, record, 1):
                # What a claim was on may be overruled, or changed, or gone with all of the record.
                known.undecided = RECORD_ANEW
        if any(each != TRUST_CHANNEL and not _goes_on(watches, each, 1) for each in remembered):
            self.doubt_links()
        if self.rules != rules:
            # What was in order by the rules of another release may be a lie by these.
            for known in self.channels.values():
                known.undecided = OTHER_RULES
            self.rules = rules

    def doubt_links(self) -> None:
        """Have all looked at again that rested on a link: what that names may have stood in any channel."""
        for known in self.channels.values():
            if known.linked:
                known.undecided = _LINKS_ANEW

    def forget(self, channels: Collection[str]) -> None:
        """Believe nothing of these the next time: a finding is found again, also after a run that held no keys."""
        for each in channels:
            self.channels.pop(each, None)
            self.records.pop(each, None)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        kept = {name: each.as_json() for name, each in self.channels.items()}
        records = {name: each.as_json() for name, each in self.records.items()}
        return {"channels": kept, "records": records, "rules": self.rules}

    @classmethod
    def of_json(cls, said: Any) -> Self:
        """Return what was kept. Raises: ValueError, TypeError, KeyError, AttributeError, OverflowError if it is no such thing."""
        if "rules" not in said:
            # A release that did not say by which rules it judged: nothing of that is believed.
            return cls()
        channels = {name: Judged.of_json(each) for name, each in said["channels"].items()}
        return cls(channels, {name: Bodies.of_json(each) for name, each in said["records"].items()}, str(said["rules"]))


def _goes_on(watches: Mapping[str, Watch], channel: str, sequence: int) -> bool:
    watch = watches.get(channel)
    return watch is not None and 0 < sequence <= watch.report.not_read_again


def _count(value: Any) -> int:
    count = int(value)
    # As for all counts that are kept: no log has more, and a database is asked for it as it stands here.
    if not 0 <= count < 1 << 63:
        raise ValueError(count)
    return count
