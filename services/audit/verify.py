"""Verification: a whole log, with nothing but the root certificate.

Decides what a stranger can know of a log: who was admitted, what each channel is by the reading rule, every signature,
every part against its digest, every receipt against what stands there. A success does not mean that what was said is true,
nor that nothing was cut off beyond the last receipt: each report says where that tail begins. A log whose registrar cannot
be read is never clean: nobody could say what else is missing.
Source: design.md section 9, "What verify says".
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias, TypedDict, Unpack

from services.audit.admitted import channels_under
from services.audit.ahead import Ahead
from services.audit.bases import Bases
from services.audit.beginnings import missing_beginning
from services.audit.claims import Look, rules
from services.audit.forgotten import look_for_forgotten
from services.audit.judged import JudgedBefore
from services.audit.missing import first_missing, hanging
from services.audit.overruled import Overruled, epochs_said
from services.audit.passing import Passing
from services.audit.receipts import compare_receipts
from services.audit.remembering import Memory
from services.audit.report import ChannelReport, Finding, Report
from services.audit.signatures import Signatures
from services.audit.strays import channels_in, look_for_strays
from services.audit.turns import missing_turn
from services.audit.watching import Watch
from services.channel.embedded import EmbeddedChannel
from services.channel.port import Channel, Record
from services.wire.candidates import Candidate, Junk, candidate_of
from services.wire.certificates import Certificate, Root
from services.wire.channels import TRUST_CHANNEL, writer_of
from services.wire.errors import ChannelClosedError, ForkError, PartError
from services.wire.following import Follower
from services.wire.hashing import Digest, digest_of
from services.wire.paths import Pathfinder, Place
from services.wire.reading import ReadingState
from services.wire.records import SchemaBook
from services.wire.sealing import key_id
from services.wire.trust import NO_TRUST, Trust, fold_trust

__all__ = [
    "ChannelReport",
    "Examined",
    "Finding",
    "Report",
    "Signatures",
    "channels_in",
    "examine_log",
    "open_log",
    "verify_log",
]

_READ_AT_ONCE: Final = 200
_IN_VAIN: Final = 16
_ASKED_AGAIN: Final = 10
_Pages: TypeAlias = "Callable[[Follower, Watch], Iterable[list[Candidate | Junk]]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a verification knows at its end, for who goes on reading: its report, whom the log trusts, and each channel.

    ``watches`` name by digest what is taken of a channel, ``followers`` what waits there or stands beside its chain.
    """

    report: Report
    trust: Trust
    watches: Mapping[str, Watch]
    followers: Mapping[str, Follower]


def open_log(path: Path) -> Channel:
    """Return an embedded log for reading only.

    Raises: ChannelUnavailableError if there is none, or the file is something else.
    """
    return EmbeddedChannel(path, clock=lambda: 0, read_only=True)


class How(TypedDict, total=False):
    """How a log is verified; all of it may be left out.

    ``there`` are the names under which the log holds records, where somebody can tell (``channels_in``). With ``facts_keys``
    it is also looked at whether what answers and requests rest on is there.
    Signatures are checked in ``threads`` threads, by default one a processor, and ``page`` records are read at once; what is
    found does not depend on either. ``signatures`` says which are verified of what plainly goes on (see ``passing``): by default
    ``EACH``; with ``NEWEST`` one inside a stretch that is damaged is no finding; with None nothing is passed over, and all is
    judged one by one, which finds what ``EACH`` does. ``leaves_out`` says that the log is a copy without personal parts: then a
    missing one is none. ``memory`` is what an earlier verification left: what it remembers is not read again, and it is brought
    up to date. ``ahead`` lets other processes prove what plainly goes on, where the log is an archive.
    """

    threads: int | None
    there: Iterable[str]
    facts_keys: Iterable[bytes]
    page: int
    signatures: Signatures | None
    leaves_out: bool
    memory: Memory | None
    ahead: Ahead | None


def verify_log(log: Channel, root: Root, **how: Unpack[How]) -> Report:
    """Verify every channel of a log, and return what was found.

    Raises: TransportError if the log cannot be read.
    """
    return examine_log(log, root, **how).report


def examine_log(log: Channel, root: Root, **how: Unpack[How]) -> Examined:
    """Verify a log as ``verify_log`` does, and return what was found with what is known of each channel; errors as there."""
    count = how.get("threads") or os.cpu_count() or 1
    signatures = how.get("signatures", Signatures.EACH)
    with ThreadPoolExecutor(count) as pool:
        return _Verification(
            log=log,
            root=root,
            pool=pool,
            report=Report(exchange=root.digest.hex(), threads=count, signatures=(signatures or Signatures.EACH).value),
            page=how.get("page", _READ_AT_ONCE),
            there=tuple(how.get("there", ())),
            facts_keys=tuple(how.get("facts_keys", ())),
            passing=Passing(signatures, pool, count) if signatures is not None else None,
            leaves_out=how.get("leaves_out", False),
            memory=how.get("memory"),
            ahead=how.get("ahead"),
        ).run()


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
    passing: Passing | None = None
    leaves_out: bool = False
    memory: Memory | None = None
    ahead: Ahead | None = None
    ends: dict[str, tuple[int, str]] = field(default_factory=dict)
    settled: dict[str, int] = field(default_factory=dict)
    stops: dict[str, int] = field(default_factory=dict)
    watches: dict[str, Watch] = field(default_factory=dict)
    followers: dict[str, Follower] = field(default_factory=dict)

    def run(self) -> Examined:
        trust = self._read_trust()
        for fault in trust.faults:
            self.watches[TRUST_CHANNEL].report.note(fault)
        self.report.participants = len(trust.participants)
        for channel in channels_under(trust):
            self._read(channel, trust)
        for channel, watch in self.watches.items():
            self._conclude(channel, watch, self.followers[channel])
        compare_receipts(self.watches, self.followers, trust, self.report)
        if self.memory is not None:
            look_for_forgotten(self.report, self.memory, self.watches, self.followers, trust)
            self.memory.judged.hold_against(self.watches, self.memory.channels, rules())
        if self.facts_keys:
            self._bases(trust).check()
        look_for_strays(self.report, self.there, self._records, self.root)
        if self.memory is not None:
            self._remember(self.memory)
        for watch in self.watches.values():
            watch.forget_ids()
        for each in self.report.channels:
            each.tell_untold()
        return Examined(report=self.report, trust=trust, watches=self.watches, followers=self.followers)

    def _read_trust(self) -> Trust:
        """Read the registrar, and note how far the channels go now: others may go on writing while all of them are read.

        A channel is read as far as it went when each had been asked, and believed to know no more than that: what was written
        in between may be answered by what came after the other channel was asked, and is judged another time.
        """
        for _ in range(_ASKED_AGAIN):
            self.stops = {TRUST_CHANNEL: self._end(TRUST_CHANNEL)}
            self._read(TRUST_CHANNEL, NO_TRUST)
            trust = fold_trust(self.watches[TRUST_CHANNEL].said, self.root.digest)
            channels = channels_under(trust)
            self.settled = {each: self._end(each) for each in channels}
            self.stops |= {each: self._end(each) for each in channels}
            if self._end(TRUST_CHANNEL) == self.stops[TRUST_CHANNEL]:
                break
        return trust

    def _end(self, channel: str) -> int:
        try:
            return self.log.end(channel)
        except ChannelClosedError:
            # One that gives nothing now holds no other: what it is said to hold is missed where it is read.
            return sys.maxsize

    def _remember(self, memory: Memory) -> None:
        at_fault = {each.channel for each in self.report.findings}
        memory.set_aside(at_fault)
        memory.judged.forget(at_fault)
        for channel in sorted(self.watches.keys() - at_fault):
            memory.keep(channel, self.watches[channel], self.followers[channel], self.ends.get(channel, (0, "")))
        there = {name for name, each in self.watches.items() if each.digests or hanging(self.followers[name])} - {TRUST_CHANNEL}
        if there & at_fault or there - memory.channels.keys():
            # What is not gone on from may be gone the next time, and nobody would know that it was.
            memory.judged.doubt_links()

    def _read(self, channel: str, trust: Trust) -> None:
        # What a later page shows may overrule what was taken before it: then the channel is judged in one piece.
        known = self._known_before(channel, trust)
        if not self._follow(channel, trust, self._paged, known):
            self._follow(channel, trust, self._whole, None)
        self.watches[channel].end_reading()

    def _known_before(self, channel: str, trust: Trust) -> tuple[Watch, Place] | None:
        """Return how far an earlier verification came; None to read from the start, where that is not to be believed still."""
        if self.memory is None or channel == TRUST_CHANNEL:
            return None
        known = self.memory.resumed(channel, leaves_out=self.leaves_out)
        if known is None:
            return None
        watch, place = known
        position, last = self.memory.channels[channel].position, self.memory.channels[channel].last
        found = self.log.poll({channel: position - 1}, timeout_seconds=0, limit=1)
        # A revocation or an epoch may reach back to what was taken; a log that was rolled back shows another record there.
        is_same = bool(found) and found[0].position == position - 1 and digest_of(found[0].value).hex() == last
        is_revoked = any(each.key_digest in trust.revoked for each in place.certificates)
        if not is_same or is_revoked or place.epoch != len(trust.epochs.get(channel, ())):
            return None
        self.ends[channel] = position, last
        return watch, place

    def _paged(self, follower: Follower, watch: Watch) -> Iterator[list[Candidate | Junk]]:
        """Yield what has to be judged, page by page; what plainly goes on is passed over."""
        channel = follower.pathfinder.channel
        for page in self._unproved(follower, watch, self.ends[channel][0] if watch.report.not_read_again else 0):
            for rest in self.passing.rest(follower, watch, page) if self.passing is not None else [page]:
                yield [_without_parts(candidate_of(record, channel)) for record in rest]

    def _unproved(self, follower: Follower, watch: Watch, position: int) -> Iterator[list[bytes]]:
        """Yield the pages from a position on that have to be looked at here: all but what other processes proved already."""
        channel, passing = follower.pathfinder.channel, self.passing
        if self.ahead is not None and passing is not None and passing.may_pass(follower):
            known, in_vain = self.settled.get(channel, sys.maxsize), 0
            pieces = [each for each in self.ahead.pieces(channel, position) if each[1] <= known]
            for start, stop, proved in self.ahead.proved(channel, pieces, lambda: follower.place):
                position = stop
                if proved is not None and passing.takes(follower, watch, proved):
                    self.ends[channel], in_vain = (stop, proved.last), 0
                    self.ahead.tell(proved.records, 0)
                    continue
                yield from self._pages(channel, start, stop=stop, is_judged=True)
                in_vain += 1
                # After a rotation some pieces were proved in vain. Where it goes on like that, somebody makes work on purpose.
                if in_vain > _IN_VAIN or not passing.may_pass(follower):
                    break
        yield from self._pages(channel, position, is_judged=True)

    def _whole(self, follower: Follower, _: Watch) -> Iterator[list[Candidate | Junk]]:
        channel = follower.pathfinder.channel
        pages = self._pages(channel, is_judged=True)
        yield [_without_parts(candidate_of(record, channel)) for page in pages for record in page]

    def _follow(self, channel: str, trust: Trust, pages: _Pages, known: tuple[Watch, Place] | None) -> bool:
        """Read a channel page by page, and tell whether all that was taken on the way is taken in the end."""
        fresh = Watch(ChannelReport(channel=channel), keeps_said=channel == TRUST_CHANNEL, leaves_out=self.leaves_out)
        watch, place = known or (fresh, None)
        self.watches[channel] = watch
        follower, _ = Follower.at(
            Pathfinder(channel=channel, root=self.root, trust=trust),
            load=lambda: self._held(channel, watch),
            holds=lambda digest: digest in watch.places,
            keeps_parts=False,
            place=place,
            is_usual=place is not None,
        )
        self.followers[channel] = follower
        for found in pages(follower, watch):
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

    def _pages(
        self, channel: str, position: int = 0, *, stop: int = sys.maxsize, is_judged: bool = False
    ) -> Iterator[list[bytes]]:
        for page in self._polled(channel, position, stop=stop):
            if is_judged:
                # Whoever reads on later goes on after this, and not after what came while something was looked at again.
                self.ends[channel] = page[-1].position + 1, digest_of(page[-1].value).hex()
                watch = self.watches[channel]
                if watch.settled is None and page[0].position >= self.settled.get(channel, sys.maxsize):
                    watch.settled = len(watch.digests)
            yield [record.value for record in page]

    def _polled(self, channel: str, position: int = 0, *, stop: int = sys.maxsize) -> Iterator[list[Record]]:
        stop = min(stop, self.stops.get(channel, sys.maxsize))
        for bound in sorted({min(stop, self.settled.get(channel, stop)), stop}):
            while position < bound and (
                found := self.log.poll({channel: position}, timeout_seconds=0, limit=min(self.page, bound - position))
            ):
                # A damaged block holds fewer than it counts; what stands behind it is of the next piece, and is read there.
                page = [each for each in found if each.position < bound]
                if not page:
                    break
                position = page[-1].position + 1
                yield page

    def _records(self, channel: str) -> Iterator[bytes]:
        return (record for page in self._pages(channel) for record in page)

    def _held(self, channel: str, watch: Watch) -> Iterator[bytes]:
        """Give again the records of what was taken so far, for the rare time when the rule has to look back."""
        return (record for _, record, found in self._seen_again(channel) if watch.place_of(found)) if watch.digests else iter(())

    def _bases(self, trust: Trust) -> Bases:
        look, keeps = Look({key_id(key): key for key in self.facts_keys}, SchemaBook(trust.schemas)), self.memory is not None
        before = self.memory.judged if self.memory is not None else JudgedBefore()
        overruled = Overruled(self.watches, epochs_said(self.watches, trust))
        return Bases(
            report=self.report,
            watches=self.watches,
            reads=self,
            trust=trust,
            overruled=overruled,
            look=look,
            before=before,
            keeps=keeps,
        )

    def again(self, channel: str, sequence: int = 0, position: int = 0) -> Iterator[tuple[int, Candidate]]:
        """Give again what is taken or waits; see ``Reads``. A record with its facts is as good as any other of them."""
        watch, waits = self.watches[channel], hanging(self.followers[channel])
        seen, given = set[Digest](), bytearray(len(watch.digests))
        for at, _, found in self._seen_again(channel, position) if watch.digests or waits else ():
            place = watch.place_of(found)
            if place > sequence and not given[place - 1]:
                given[place - 1] = True
                yield at, found
            elif not place and found.digest in waits and found.digest not in seen:
                seen.add(found.digest)
                yield at, found

    def at(self, channel: str, position: int) -> Candidate | None:
        """Give the entry at a position, None if nothing that is taken stands there."""
        for each in self.log.poll({channel: position}, timeout_seconds=0, limit=1):
            found = candidate_of(each.value, channel)
            if each.position == position and isinstance(found, Candidate) and self.watches[channel].place_of(found):
                return found
        return None

    def end(self, channel: str) -> int:
        """Return the position up to which a channel was read."""
        return self.ends.get(channel, (0, ""))[0]

    def _seen_again(self, channel: str, position: int = 0) -> Iterator[tuple[int, bytes, Candidate]]:
        for each in (each for page in self._polled(channel, position) for each in page):
            found = candidate_of(each.value, channel)
            if isinstance(found, Candidate):
                yield each.position, each.value, found

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
        mine.beside = beside
        if beside:
            mine.conclude(f"beside the chain stand {beside} that are not taken: overruled, out of reach, or a stranger's")
        self._parts(channel, watch)

    def _at_fault(self, channel: str, watch: Watch, follower: Follower) -> Finding | None:
        if follower.state is ReadingState.FORKED:
            return _fork(channel, follower)
        known = partial(self._known, channel)
        return first_missing(follower, watch) or missing_turn(follower, watch, known) or missing_beginning(follower, watch, known)

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
        if watch.left_out:
            watch.report.conclude(f"personal parts are not kept here: {watch.left_out} entries stand without theirs")
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
