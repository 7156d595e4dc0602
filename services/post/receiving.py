"""Receiving: reads on in every channel that I read, enters what the reading rule takes, and applies what may be applied.

Nothing is ever logged and dropped: an entry is applied, refused (answered once), parked (and later things behind it), or its
record is kept as evidence. The only thing that receiving writes by itself is a ``Rejected``.
Source: design.md sections 3 and 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from services.channel.port import Record, Until
from services.post.agreeing import undo
from services.post.applying import redrive_channel
from services.post.comparing import compare_trust
from services.post.entering import enter_steps, heal
from services.post.evidence import EvidenceBook
from services.post.gaps import Gap
from services.post.granting import supersede_for_removed
from services.post.letterbook import NO_HINT, Hint
from services.post.mailbox import Mailbox
from services.post.office import Office, is_over
from services.wire.channels import TRUST_CHANNEL, Role, channels_of, from_commission, mailbox_of, record_of, to_commission
from services.wire.errors import ChannelClosedError, ChannelUnavailableError
from services.wire.following import Follower, Update
from services.wire.hashing import Digest, digest_of
from services.wire.paths import Pathfinder
from services.wire.reading import ReadingState
from services.wire.trust import NO_TRUST, Trust

__all__ = ["Receiver"]

_POLL_LIMIT: Final = 500
_COMPARE_EVERY: Final = 3_600_000
_WHOLE_EVERY: Final = 86_400_000


@dataclass(slots=True)
class Receiver:
    """Follows all channels that a participant reads, across calls of ``receive_once``.

    A channel that is forked, or off whose chain something was applied, stands still until a person agrees.
    """

    office: Office
    mailbox: Mailbox = field(init=False)
    _followers: dict[str, Follower] = field(default_factory=dict)
    _hints: dict[str, Hint] = field(default_factory=dict)
    _compared_at: int | None = None
    _gaps: dict[str, Gap] = field(default_factory=dict)
    _noted: dict[str, tuple[str, Digest | None]] = field(default_factory=dict)
    _names: tuple[Trust, list[str]] | None = None
    _may_stand_still: bool = True
    _evidence: EvidenceBook = field(init=False)
    _waits: set[str] = field(default_factory=set)
    _faults: int = 0

    def __post_init__(self) -> None:
        self._evidence = EvidenceBook(self.office)
        self.mailbox = Mailbox(self.office, self._evidence)

    def receive_once(self, *, timeout_seconds: float = 0.0, until: Until | None = None) -> int:
        """Read one batch of every channel and return how many records there were; waits as the port says.

        Raises: TransportError if the log does not answer; during a start StoreBehindError or ForkError if a receipt says
        that this database is not what its counterpart knows.
        """
        channel = self.office.channel
        if channel is None:
            raise RuntimeError("only a worker receives")
        self._agree()
        names = self._inbound()
        self._look_for_gaps()
        now = self.office.clock()
        if self._compared_at is None or is_over(now, self._compared_at, _COMPARE_EVERY):
            self._compare_with_before(names)
            self._look_whole(names, now)
            self._compared_at = now
        positions = {name: self._hint(name).position for name in names}
        mailbox = mailbox_of(self.office.participant)
        if self.office.role is not Role.REGISTRAR:
            # Nobody grants the registrar a key, so a log with access rights has no mailbox for it.
            positions[mailbox] = self.mailbox.position
        limit = max(_POLL_LIMIT, len(positions))
        records = channel.poll(positions, timeout_seconds=timeout_seconds, limit=limit, until=until)
        by_channel: dict[str, list[Record]] = {}
        for record in records:
            by_channel.setdefault(record.channel, []).append(record)
        # The registrar first: what it says may be what makes the rest of the batch readable. Then the keys.
        if TRUST_CHANNEL in by_channel:
            self._offer(TRUST_CHANNEL, by_channel.pop(TRUST_CHANNEL))
        if mailbox in by_channel:
            self.mailbox.take(by_channel[mailbox])
            self._redrive()
        for name in names:
            if name in by_channel:
                self._offer(name, by_channel[name])
        self.mailbox.try_again(has_news=bool(records))
        self._redrive()
        self._tell_waits()
        return len(records)

    def read_trust(self) -> None:
        """Read the registrar's channel to its end, and nothing else yet."""
        channel = self.office.channel
        self._compare_with_before([TRUST_CHANNEL])
        while channel and (
            records := channel.poll({TRUST_CHANNEL: self._hint(TRUST_CHANNEL).position}, timeout_seconds=0, limit=_POLL_LIMIT)
        ):
            self._offer(TRUST_CHANNEL, records)

    def _inbound(self) -> list[str]:
        trust = self.office.trust
        if self._names is None or self._names[0] is not trust:
            self._names = trust, self._named()
        return self._names[1]

    def _named(self) -> list[str]:
        office = self.office
        channels = [TRUST_CHANNEL] if office.role is not Role.REGISTRAR else []
        if office.role is Role.SCHOOL:
            channels.append(from_commission(office.participant))
        elif office.role is Role.COMMISSION:
            # Also of schools that have left: what they wrote before stands, and may be read late.
            channels += [to_commission(school) for school in office.schools]
        elif office.role is Role.AUDITOR:
            channels += self._audited()
        if office.role is not Role.REGISTRAR:
            # There an auditor says to which key letters for it are sealed, what it vouches for, and what it looked at: all may
            # read that. Also of one that was removed: what it had looked at before may come late.
            auditors = [each.id for each in office.trust.participants.values() if each.role is Role.AUDITOR]
            channels += [record_of(each) for each in auditors if each != office.participant]
        return channels

    def _audited(self) -> list[str]:
        """Return the channels of schools and the commission, also of those who have left: what they wrote stands."""
        office, roles = self.office, (Role.SCHOOL, Role.COMMISSION)
        there = [each for each in office.trust.participants.values() if each.role in roles]
        written = (channel for each in there for channel in channels_of(each.id, each.role, office.schools))
        # Where nobody may write there is nothing to read: a school's answers, as long as no commission is there.
        return [channel for channel in written if office.trust.writer_of(channel) is not None]

    def _hint(self, name: str) -> Hint:
        if name not in self._hints:
            standing = self.office.letterbook.standing(name)
            self._hints[name] = standing.hint if standing else NO_HINT
        return self._hints[name]

    def _compare_with_before(self, names: Sequence[str]) -> None:
        """Begin again from the start in channels that were cut or put back: they give positions again that lie behind me."""
        hints = {name: hint for name in names if (hint := self._hint(name)).position}
        there = self._shown_before(hints)
        for name, hint in hints.items():
            if there.get(name) == hint:
                continue
            self._hints[name] = NO_HINT
            # A poll may show less than there is: only another record, or an end before the hint, says that something is gone.
            if hint.record is not None and (name in there or self._ends_before(name, hint)):
                self.office.tell(f"{name}: the log does not show any more what it showed; it is read again from its start")

    def _shown_before(self, hints: Mapping[str, Hint]) -> dict[str, Hint]:
        """Return what the log shows now of the last record that was read of each channel."""
        channel, there = self.office.channel, dict[str, Hint]()
        left = {name: hint.position - 1 for name, hint in hints.items()}
        while channel is not None and left:
            try:
                found = channel.poll(left, timeout_seconds=0, limit=len(left))
            except ChannelUnavailableError as error:
                # Those that are left cannot be read now, and hold no other.
                if there or isinstance(error, ChannelClosedError):
                    break
                raise
            for each in found:
                # The first of each: a poll gives a channel more where others have less.
                there.setdefault(each.channel, Hint(each.position + 1, digest_of(each.value)))
            # An answer has room for so many bytes: whom it left out is asked for again.
            asked, left = left, {name: position for name, position in left.items() if name not in there}
            if len(left) == len(asked):
                break
        return there

    def _ends_before(self, name: str, hint: Hint) -> bool:
        try:
            return self.office.channel is not None and self.office.channel.end(name) < hint.position
        except ChannelUnavailableError:
            # Nobody can tell now; whoever polls it is told why.
            return False

    def _look_whole(self, names: Sequence[str], now: int) -> None:
        """Begin again from the start, once a day, in every channel: a hint may look right in a log that was put back."""
        for name in names:
            standing = self.office.letterbook.standing(name)
            if standing is not None and is_over(now, standing.whole_at, _WHOLE_EVERY):
                self._hints[name] = NO_HINT
                self.office.letterbook.note(name, whole_at=now)

    def _follower(self, name: str) -> Follower:
        if name not in self._followers:
            office = self.office
            book, standing = office.letterbook, office.letterbook.standing(name)
            trust = NO_TRUST if name == TRUST_CHANNEL else office.trust
            place = standing.place if standing and name != TRUST_CHANNEL else None
            follower, update = Follower.at(
                Pathfinder(channel=name, root=office.root, trust=trust),
                load=lambda: book.records(name),
                holds=book.holds,
                place=place,
                is_usual=standing is not None and standing.state == ReadingState.READING.value,
            )
            self._followers[name] = follower
            if name != TRUST_CHANNEL:
                with self._or_forget(name):
                    self._store(name, update)
        return self._followers[name]

    @contextmanager
    def _or_forget(self, name: str) -> Iterator[None]:
        """Begin again from what is stored if what a follower handed out could not be stored: it would not hand it out again."""
        try:
            yield
        except BaseException:
            self._forget(name)
            raise

    def _forget(self, name: str) -> None:
        del self._followers[name]
        self._hints.pop(name, None)
        self._gaps.pop(name, None)
        self._noted.pop(name, None)
        self._may_stand_still = True

    def _offer(self, name: str, records: Sequence[Record]) -> None:
        follower = self._follower(name)
        with self._or_forget(name):
            update = follower.offer(record.value for record in records)
            hint = Hint(records[-1].position + 1, digest_of(records[-1].value))
            # While something waits for what lies before it, a restart has to see it again.
            self._store(name, update, hint=None if follower.remembers else hint)
        self._hints[name] = hint
        if name == TRUST_CHANNEL and update.new:
            try:
                self._retrust()
            except BaseException:
                # Nobody may read on under what the registrar said before: all are begun again, under what it says now.
                for other in [each for each in self._followers if each != TRUST_CHANNEL]:
                    self._forget(other)
                raise

    def _retrust(self) -> None:
        trust = self.office.trust
        for fault in trust.faults[self._faults :]:
            self.office.tell(fault)
        self._faults = len(trust.faults)
        compare_trust(self.office)
        supersede_for_removed(self.office)
        for name in self._inbound():
            # Also where nothing came since this process began: what the registrar says may reach back there too.
            if name != TRUST_CHANNEL:
                follower = self._follower(name)
                self._store(name, follower.retrust(trust))

    def _store(self, name: str, update: Update, *, hint: Hint | None = None) -> None:
        office = self.office
        self._evidence.keep(name, self._followers[name], update)
        enter_steps(office, name, update.new, hint=hint)
        if update.new:
            self._evidence.drop_outlived(name)
        heal(office, name, update.healed)
        self._note_state(name, is_off_chain=update.off_chain is not None)
        self._note_gap(name)

    def _note_state(self, name: str, *, is_off_chain: bool) -> None:
        office, follower = self.office, self._followers[name]
        state = "off chain" if is_off_chain else follower.state.value
        agreeable = follower.agreeable.digest if is_off_chain else None
        # Nobody else notes this of a channel that I read: the database is asked when it changes, not with each entry.
        if self._noted.get(name) == (state, agreeable):
            return
        row = office.database.one("SELECT state, agreeable, sequence FROM channels WHERE channel = ?", name)
        if row is None:
            return
        self._noted[name] = state, agreeable
        self._may_stand_still |= is_off_chain
        if (row["state"], row["agreeable"]) == (state, agreeable):
            return
        # Whatever somebody agreed to before was something else.
        reason = f"would go on after {follower.agreeable.sequence}" if is_off_chain else None
        error = self._evidence.keep_fork(name, follower) if follower.state is ReadingState.FORKED else None
        office.letterbook.note(
            name, state=state, reason=reason or (str(error) if error else None), agreeable=agreeable, agreed=None
        )
        if state == ReadingState.WAITING.value:
            # Told when the batch is over: what ends the waiting may be in it, behind the registrar's channel.
            self._waits.add(name)
        elif state != ReadingState.READING.value:
            why = f", {error}" if error else ""
            office.tell(f"{name} stands still after {row['sequence']}: {state}{why}")

    def _tell_waits(self) -> None:
        for name in sorted(self._waits):
            standing = self.office.letterbook.standing(name)
            if standing is not None and standing.state == ReadingState.WAITING.value:
                self.office.tell(f"{name} stands still after {standing.place.sequence}: {standing.state}")
        self._waits.clear()

    def _note_gap(self, name: str) -> None:
        follower = self._followers[name]
        if follower.gap is None:
            self._gaps.pop(name, None)
        elif name not in self._gaps:
            now = self.office.clock()
            self._gaps[name] = Gap(since=now, looked_at=now)

    def _look_for_gaps(self) -> None:
        """Begin again from the start in channels where a place is missing, ever less often; say it if it stays missing."""
        now = self.office.clock()
        for name, gap in self._gaps.items():
            if gap.has_stayed(now):
                self._evidence.keep_gap(name, self._followers[name])
            if gap.is_due(now):
                self._hints[name] = NO_HINT

    def _agree(self) -> None:
        """Undo what a person has agreed to, and read on."""
        if not self._may_stand_still:
            return
        rows = self.office.database.all("SELECT channel, agreed = agreeable AS agreed FROM channels WHERE state = 'off chain'")
        self._may_stand_still = bool(rows)
        for name in [row["channel"] for row in rows if row["agreed"]]:
            # What a restart finds may be on the chain again.
            if self._follower(name).off_chain is not None:
                self._undo(name)

    def _undo(self, name: str) -> None:
        follower = self._followers[name]
        with self._or_forget(name):
            with self.office.database.transaction():
                undone = undo(self.office, name, follower.agreeable)
            self.office.tell(f"{name}: {undone} entries are undone, as a person agreed")
            self._store(name, follower.agree())

    def _redrive(self) -> None:
        for name in sorted(self.mailbox.opened):
            redrive_channel(self.office, name)
            # Not before: a letter that was taken in is not new another time.
            self.mailbox.opened.discard(name)
