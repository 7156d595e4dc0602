"""Aside: the candidates of one channel that do not follow yet, by what is known of who signed them.

Decides what is kept of them: a record is cheap to forge, and neither the memory of a reader nor its work for the next genuine
entry may grow with what people without a key write. What is forgotten is seen again when the channel is read from its start.
Source: schemas/README.md, "The reading rule", step 1; design.md section 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from services.wire.candidates import Candidate, Verdict, merged
from services.wire.entry import Open
from services.wire.hashing import Digest
from services.wire.paths import Pathfinder

__all__ = ["REMEMBERED_LIMIT", "REMEMBERED_LIMIT_BYTES", "Aside"]

REMEMBERED_LIMIT: Final = 10_000
"""Records of candidates set aside that nobody of the channel is known to have signed; the oldest beyond it are forgotten."""

REMEMBERED_LIMIT_BYTES: Final = 64 * 1024 * 1024
"""What those may cost in memory together; a record of 640 KiB is cheap to forge, and there is room for 10,000 of them."""

_OBJECTS_BYTES: Final = 1024


@dataclass(slots=True)
class Aside:
    """The candidates that are kept and do not follow yet, each under its verdict.

    What is genuine is all kept: nobody without a key adds to it. The rest is capped, by records and by bytes: whoever can
    write to a channel could fill the memory of all who read it. What is forged is forgotten first, the oldest first.
    ``after`` are the genuine ones by what they follow, so that looking for the next entry never touches a forgery.
    """

    genuine: dict[Digest, Candidate] = field(default_factory=dict)
    unknown: dict[Digest, Candidate] = field(default_factory=dict)
    forged: dict[Digest, Candidate] = field(default_factory=dict)
    after: dict[Digest, set[Digest]] = field(default_factory=dict)
    records: int = 0
    size_bytes: int = 0
    is_overflowing: bool = False
    _naming: dict[Digest, set[Digest]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.genuine) + len(self.unknown) + len(self.forged)

    def __contains__(self, digest: object) -> bool:
        return digest in self.genuine or digest in self.unknown or digest in self.forged

    def __iter__(self) -> Iterator[Candidate]:
        for shelf in (self.genuine, self.unknown, self.forged):
            yield from shelf.values()

    def get(self, digest: Digest) -> Candidate | None:
        """Return the candidate of that digest, None if none is kept."""
        return self.genuine.get(digest) or self.unknown.get(digest) or self.forged.get(digest)

    def verdict(self, digest: Digest) -> Verdict | None:
        """Return under which verdict a candidate is kept, None if it is not."""
        if digest in self.genuine:
            return Verdict.GENUINE
        if digest in self.unknown:
            return Verdict.UNKNOWN
        return Verdict.FORGED if digest in self.forged else None

    def naming(self, certificate: Digest) -> list[Candidate]:
        """Return the unknown ones that name a certificate."""
        return [self.unknown[each] for each in self._naming.get(certificate, ())]

    def put(self, candidate: Candidate, verdict: Verdict) -> None:
        """Keep a candidate under a verdict, in place of what was kept of it; forget what is too much."""
        if candidate.digest in self:
            self.drop(candidate.digest)
        self._put(candidate, verdict)

    def _put(self, candidate: Candidate, verdict: Verdict) -> None:
        if verdict is Verdict.GENUINE:
            self.genuine[candidate.digest] = candidate
            self.after.setdefault(candidate.unverified_statement.previous, set()).add(candidate.digest)
            return
        if verdict is Verdict.UNKNOWN:
            self.unknown[candidate.digest] = candidate
            self._naming.setdefault(candidate.unverified_statement.certificate, set()).add(candidate.digest)
        else:
            self.forged[candidate.digest] = candidate
        self.records += len(candidate.signatures)
        self.size_bytes += _size(candidate)
        while self.records > REMEMBERED_LIMIT or self.size_bytes > REMEMBERED_LIMIT_BYTES:
            self.is_overflowing = True
            self.drop(next(iter(self.forged or self.unknown)))

    def drop(self, digest: Digest) -> None:
        """Keep a candidate no more, if it is kept."""
        candidate = self.genuine.pop(digest, None)
        if candidate is not None:
            _discard(self.after, candidate.unverified_statement.previous, digest)
            return
        candidate = self.unknown.pop(digest, None)
        if candidate is not None:
            _discard(self._naming, candidate.unverified_statement.certificate, digest)
        else:
            candidate = self.forged.pop(digest, None)
        if candidate is not None:
            self.records -= len(candidate.signatures)
            self.size_bytes -= _size(candidate)

    def take(self, finder: Pathfinder, found: Candidate) -> list[Digest]:
        """Keep what was found under its verdict, with what is kept of it already; return what is genuine for the first time.

        That may be others: those that name a certificate which it shows.
        """
        # Most bodies are sealed, and show nothing.
        fresh = self.learn(finder, found) if isinstance(found.unverified_statement.body, Open) else []
        known = self.get(found.digest)
        if known is not None and found.digest in self.genuine:
            # It has its one valid signature: more of them, valid or not, would only have to be kept and verified.
            both = merged(known, found._replace(signatures=known.signatures))
            if both is not known:
                self.put(both, Verdict.GENUINE)
            return fresh
        verdict, weighed = finder.weigh(found)
        if known is None:
            self._put(weighed, verdict)
        else:
            # What was forged stays as it was; only the signature that came now is verified, however many came before.
            signatures = weighed.signatures if verdict is Verdict.GENUINE else known.signatures
            if verdict is Verdict.UNKNOWN:
                signatures = merged(known, weighed).signatures
            weighed = merged(known._replace(signatures=signatures), weighed._replace(signatures=signatures))
            self.put(weighed, verdict)
        return [*fresh, found.digest] if verdict is Verdict.GENUINE else fresh

    def learn(self, finder: Pathfinder, found: Candidate) -> list[Digest]:
        """Weigh again what names a certificate that ``found`` shows for the first time; return what is genuine by it."""
        leaf = finder.learn(found)
        fresh = []
        for each in self.naming(leaf.digest) if leaf else ():
            verdict, weighed = finder.weigh(each)
            self.put(weighed, verdict)
            if verdict is Verdict.GENUINE:
                fresh.append(each.digest)
        return fresh

    def weighed_again(self, finder: Pathfinder) -> Aside:
        """Return the same candidates under the verdicts of a finder that may know other certificates."""
        other = Aside(is_overflowing=self.is_overflowing)
        for each in self:
            other.take(finder, each)
        return other


def _size(candidate: Candidate) -> int:
    parts = len(candidate.facts or b"") + len(candidate.personal or b"") + sum(map(len, candidate.signatures))
    # A statement is there twice: as its bytes, and as its fields.
    return _OBJECTS_BYTES + 2 * len(candidate.statement_bytes) + parts


def _discard(index: dict[Digest, set[Digest]], key: Digest, digest: Digest) -> None:
    index[key].discard(digest)
    if not index[key]:
        del index[key]
