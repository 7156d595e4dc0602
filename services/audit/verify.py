"""Verification: a whole log, with nothing but the root certificate.

Decides what a stranger can know of a log: who was admitted, what each channel is by the reading rule, every signature,
every part against its digest, every receipt against what stands there. A success does not mean that what was said is true,
nor that nothing was cut off beyond the last receipt: each report says where that tail begins. A log whose registrar cannot
be read is never clean: nobody could say what else is missing.
Source: design.md section 9, "What verify says".
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.audit.bases import check_bases
from services.audit.beginnings import missing_beginning
from services.audit.missing import first_missing, hanging
from services.audit.receipts import compare_receipts
from services.audit.report import ChannelReport, Finding, Report
from services.audit.strays import channels_in, look_for_strays
from services.audit.watching import Watch
from services.channel.embedded import EmbeddedChannel
from services.channel.port import Channel
from services.wire.candidates import Candidate, Junk, candidate_of
from services.wire.certificates import Certificate, Root
from services.wire.channels import REGISTRAR, TRUST_CHANNEL, Role, channels_of, writer_of
from services.wire.errors import ForkError, PartError
from services.wire.following import Follower
from services.wire.hashing import Digest
from services.wire.paths import Pathfinder
from services.wire.reading import ReadingState
from services.wire.trust import NO_TRUST, Trust, fold_trust

__all__ = ["ChannelReport", "Finding", "Report", "channels_in", "open_log", "verify_log"]

_READ_AT_ONCE: Final = 200


def open_log(path: Path) -> Channel:
    """Return an embedded log for reading only.

    Raises: ChannelUnavailableError if there is none, or the file is something else.
    """
    return EmbeddedChannel(path, clock=lambda: 0, read_only=True)


def verify_log(
    log: Channel,
    root: Root,
    *,
    threads: int | None = None,
    there: Iterable[str] = (),
    facts_keys: Iterable[bytes] = (),
    page: int = _READ_AT_ONCE,
) -> Report:
    """Verify every channel of a log, and return what was found.

    ``there`` are the names under which the log holds records, where somebody can tell (``channels_in``). With ``facts_keys``
    it is also looked at whether what answers and requests rest on is there.
    Signatures are checked in ``threads`` threads, by default one a processor, and ``page`` records are read at once; what is
    found does not depend on either.
    Raises: TransportError if the log cannot be read.
    """
    count = threads or os.cpu_count() or 1
    with ThreadPoolExecutor(count) as pool:
        empty = Report(exchange=root.digest.hex(), threads=count)
        return _Verification(log, root, pool, empty, page, tuple(there), tuple(facts_keys)).run()


@dataclass(slots=True)
class _Verification:
    """One run over one log; what is read is forgotten page by page, but for digests and what did not fit."""

    log: Channel
    root: Root
    pool: ThreadPoolExecutor
    report: Report
    page: int
    there: tuple[str, ...] = ()
    facts_keys: tuple[bytes, ...] = ()
    watches: dict[str, Watch] = field(default_factory=dict)
    followers: dict[str, Follower] = field(default_factory=dict)

    def run(self) -> Report:
        self._read(TRUST_CHANNEL, NO_TRUST)
        trust = fold_trust(self.watches[TRUST_CHANNEL].said, self.root.digest)
        for fault in trust.faults:
            self.watches[TRUST_CHANNEL].report.note(fault)
        self.report.participants = len(trust.participants)
        for channel in _channels(trust):
            self._read(channel, trust)
        for channel, watch in self.watches.items():
            self._conclude(channel, watch, self.followers[channel])
        compare_receipts(self.watches, self.followers, trust, self.report)
        if self.facts_keys:
            check_bases(self.report, self.watches, self._there, trust=trust, facts_keys=self.facts_keys)
        look_for_strays(self.report, self.there, self._records, self.root)
        for each in self.report.channels:
            each.tell_untold()
        return self.report

    def _read(self, channel: str, trust: Trust) -> None:
        # What a later page shows may overrule what was taken before it: then the channel is judged in one piece.
        if not self._follow(channel, trust, self._looked(channel)):
            self._follow(channel, trust, [[found for page in self._looked(channel) for found in page]])

    def _looked(self, channel: str) -> Iterator[list[Candidate | Junk]]:
        for page in self._pages(channel):
            yield [_without_parts(candidate_of(record, channel)) for record in page]

    def _follow(self, channel: str, trust: Trust, pages: Iterable[list[Candidate | Junk]]) -> bool:
        """Read a channel page by page, and tell whether all that was taken on the way is taken in the end."""
        watch = self.watches[channel] = Watch(ChannelReport(channel=channel), keeps_said=channel == TRUST_CHANNEL)
        follower, _ = Follower.at(
            Pathfinder(channel=channel, root=self.root, trust=trust),
            load=lambda: self._held(channel, watch),
            holds=watch.places.__contains__,
            keeps_parts=False,
        )
        self.followers[channel] = follower
        for found in pages:
            for each in found:
                watch.see(each)
            self._check_ahead(follower, found)
            update = follower.offer_found(found)
            # A live reader keeps what it applied before a fork showed itself; a verdict is of the whole log.
            if update.off_chain is not None or follower.is_beyond:
                return False
            for step in update.new:
                watch.take(step)
            for healed in update.healed:
                watch.lacking.pop(healed.digest, None)
        return True

    def _pages(self, channel: str) -> Iterator[list[bytes]]:
        position = 0
        while found := self.log.poll({channel: position}, timeout_seconds=0, limit=self.page):
            position = found[-1].position + 1
            yield [record.value for record in found]

    def _records(self, channel: str) -> Iterator[bytes]:
        return (record for page in self._pages(channel) for record in page)

    def _held(self, channel: str, watch: Watch) -> Iterator[bytes]:
        """Give again the records of what was taken so far, for the rare time when the rule has to look back."""
        return (record for record, _ in self._seen_again(channel, watch.places))

    def _there(self, channel: str) -> Iterator[Candidate]:
        """Give again what is taken or waits, each entry once; a record with its facts is as good as any other of them."""
        seen: set[Digest] = set()
        there = self.watches[channel].places.keys() | hanging(self.followers[channel]).keys()
        for _, found in self._seen_again(channel, there):
            if found.digest not in seen:
                seen.add(found.digest)
                yield found

    def _seen_again(self, channel: str, digests: Collection[Digest]) -> Iterator[tuple[bytes, Candidate]]:
        for record in self._records(channel) if digests else ():
            found = candidate_of(record, channel)
            if isinstance(found, Candidate) and found.digest in digests:
                yield record, found

    def _check_ahead(self, follower: Follower, found: list[Candidate | Junk]) -> None:
        current = follower.place.certificate
        if current is not None and self.report.threads > 1:
            candidates = [each for each in found if isinstance(each, Candidate)]
            follower.pathfinder.check_ahead(candidates, current, self.pool, self.report.threads)

    def _conclude(self, channel: str, watch: Watch, follower: Follower) -> None:
        mine = watch.report
        mine.entries, mine.state = len(watch.digests), follower.state.value
        mine.head = watch.digests[-1].hex() if watch.digests else ""
        self.report.channels.append(mine)
        self.report.entries += mine.entries
        waiting = hanging(follower)
        finding = self._at_fault(channel, watch, follower)
        if finding is not None:
            self.report.find(finding)
        elif follower.state is ReadingState.WAITING:
            under = f"what follows ({len(waiting)}) is under a revoked key"
            mine.conclude(f"waits after {mine.entries}: {under}, and nothing newer vouches for it")
        elif follower.only_epoch is not None:
            mine.conclude(f"the registrar opened epoch {follower.only_epoch}, and the channel has not begun it")
        beside = sum(each.digest not in waiting for each in follower.remembered)
        if beside:
            mine.conclude(f"beside the chain stand {beside} that are not taken: overruled, out of reach, or a stranger's")
        self._parts(channel, watch)

    def _at_fault(self, channel: str, watch: Watch, follower: Follower) -> Finding | None:
        if follower.state is ReadingState.FORKED:
            return _fork(channel, follower)
        return first_missing(follower, watch) or missing_beginning(follower, watch, lambda: self._known(channel))

    def _known(self, channel: str) -> list[Certificate]:
        """Return the certificates that are genuine in the other channels of a channel's writer."""
        return [
            certificate
            for other, follower in self.followers.items()
            if other != channel and writer_of(other) == writer_of(channel)
            for place in (follower.place, *hanging(follower).values())
            for certificate in place.certificates
        ]

    def _parts(self, channel: str, watch: Watch) -> None:
        for digest, (epoch, sequence) in watch.lacking.items():
            if digest not in watch.flaws:
                watch.report.note(f"the personal part of {epoch}/{sequence} is not here")
                continue
            expected, found = (each.hex() for each in watch.flaws[digest])
            what = "a personal part does not match its digest"
            error = PartError.__name__
            self.report.find(
                Finding(
                    channel=channel,
                    epoch=epoch,
                    sequence=sequence,
                    error=error,
                    what=what,
                    expected=expected,
                    found=found,
                )
            )
        for digest in watch.flaws.keys() - watch.lacking.keys():
            if digest in watch.places:
                watch.report.note(f"beside the whole entry {watch.places[digest]} stands a copy with another personal part")


def _channels(trust: Trust) -> list[str]:
    schools = tuple(each.id for each in trust.participants.values() if each.role is Role.SCHOOL)
    return [
        channel
        for each in trust.participants.values()
        if each.id != REGISTRAR
        for channel in channels_of(each.id, each.role, schools)
    ]


def _without_parts(found: Candidate | Junk) -> Candidate | Junk:
    return found.without_parts() if isinstance(found, Candidate) else found


def _fork(channel: str, follower: Follower) -> Finding:
    # In an order of their own, whatever that of the log is.
    one, other = sorted((step.entry for step in follower.undecided), key=lambda each: each.digest)[:2]
    return Finding(
        channel=channel,
        epoch=one.statement.epoch,
        sequence=one.statement.sequence,
        error=ForkError.__name__,
        what="the channel contradicts itself: two signed entries stand at one place",
        expected=one.digest.hex(),
        found=other.digest.hex(),
    )
