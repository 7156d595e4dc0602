"""Receiving: reads on in every channel that I read, enters what the reading rule takes, and applies what may be applied.

Nothing is ever logged and dropped: an entry is applied, refused (answered once), parked (and later things behind it), or its
record is kept as evidence. The only thing that receiving writes by itself is a ``Rejected``.
Source: design.md sections 3 and 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from eventsourcing.persistence import Tracking

from services.channel.port import Record
from services.post.applying import apply_sealed, hold, redrive_channel
from services.post.granting import grant_needed, note_peer, take_grants
from services.post.office import Office
from services.wire.channels import (
    TRUST_CHANNEL,
    Role,
    channels_of,
    from_commission,
    mailbox_of,
    to_commission,
    writer_of,
)
from services.wire.contents import EncryptionKeyPublished, Receipt
from services.wire.entry import Open
from services.wire.errors import ConflictError, Evidence, ForkError, StoreBehindError
from services.wire.following import Follower, Update
from services.wire.paths import Pathfinder, Step
from services.wire.reading import ReadingState
from services.wire.trust import NO_TRUST

__all__ = ["Receiver"]

_TRIES: Final = 5
_POLL_LIMIT: Final = 500
_EVIDENCE_LIMIT: Final = 100


@dataclass(slots=True)
class Receiver:
    """Follows all channels that a participant reads, across calls of ``receive_once``.

    ``alarms`` are texts for a person: what was skipped, what stands still and why. A channel that is forked, or off whose
    chain something was applied, stands still until a person agrees.
    """

    office: Office
    alarms: list[str] = field(default_factory=list)
    _followers: dict[str, Follower] = field(default_factory=dict)
    _hints: dict[str, int] = field(default_factory=dict)
    _mail: int = 0

    def receive_once(self, *, timeout_seconds: float = 0.0) -> int:
        """Read one batch of every channel and return how many records there were.

        Raises: TransportError if the log does not answer; ForkError if somebody else has my signature; StoreBehindError if
        a counterpart holds entries of mine that I lack.
        """
        channel = self.office.channel
        if channel is None:
            raise RuntimeError("only a worker receives")
        names = self._inbound()
        positions = {name: self._hint(name) for name in names}
        mailbox = mailbox_of(self.office.participant)
        positions[mailbox] = self._mail
        records = channel.poll(positions, timeout_seconds=timeout_seconds, limit=max(_POLL_LIMIT, len(positions)))
        by_channel: dict[str, list[Record]] = {}
        for record in records:
            by_channel.setdefault(record.channel, []).append(record)
        # The registrar first: what it says may be what makes the rest of the batch readable.
        for name in (TRUST_CHANNEL, *names):
            if name in by_channel:
                self._offer(name, by_channel.pop(name))
        self._take_mail(by_channel.get(mailbox, []))
        return len(records)

    def read_trust(self) -> None:
        """Read the registrar's channel to its end, and nothing else yet."""
        channel = self.office.channel
        while channel and (
            records := channel.poll({TRUST_CHANNEL: self._hint(TRUST_CHANNEL)}, timeout_seconds=0, limit=_POLL_LIMIT)
        ):
            self._offer(TRUST_CHANNEL, records)

    def read_mail_again(self) -> None:
        """Read the mailbox from its start with the next batch: a letter may have been passed over."""
        self._mail = 0

    def _inbound(self) -> list[str]:
        office = self.office
        channels = [TRUST_CHANNEL] if office.role is not Role.REGISTRAR else []
        if office.role is Role.SCHOOL:
            channels.append(from_commission(office.participant))
        elif office.role is Role.COMMISSION:
            channels += [to_commission(school) for school in office.trust.of_role(Role.SCHOOL)]
        return channels

    def _hint(self, name: str) -> int:
        if name not in self._hints:
            standing = self.office.letterbook.standing(name)
            self._hints[name] = standing.hint if standing else 0
        return self._hints[name]

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
            if place is not None or name != TRUST_CHANNEL:
                self._store(name, update)
        return self._followers[name]

    def _offer(self, name: str, records: Sequence[Record]) -> None:
        follower = self._follower(name)
        update = follower.offer(record.value for record in records)
        self._store(name, update)
        # While something waits for what lies before it, a restart has to see it again.
        if not follower.remembers:
            self.office.letterbook.note(name, hint=records[-1].position + 1)
        self._hints[name] = records[-1].position + 1
        if name == TRUST_CHANNEL and update.new:
            self._retrust()

    def _retrust(self) -> None:
        trust = self.office.trust
        self.alarms += trust.faults[len(self.alarms) :] if not self.alarms else ()
        for name, follower in self._followers.items():
            if name != TRUST_CHANNEL:
                self._store(name, follower.retrust(trust))

    def _store(self, name: str, update: Update) -> None:
        office, follower = self.office, self._followers[name]
        for junk in update.junk[:_EVIDENCE_LIMIT]:
            self.alarms.append(f"{name}: a record was skipped: {junk.reason}")
            hold(office, name, "skipped", junk.reason, record=junk.record)
        for step in update.new:
            self._store_step(name, step)
        for candidate in update.healed:
            body = candidate.unverified_statement.body
            if candidate.personal is not None and not isinstance(body, Open):
                office.letterbook.keep_part(body.personal, candidate.personal, None)
                office.database.run(
                    "UPDATE held SET resolved_at = ? WHERE channel = ? AND kind = 'missing' AND digest = ?",
                    office.clock(),
                    name,
                    candidate.digest,
                )
        state = "off chain" if update.off_chain is not None else follower.state.value
        standing = office.letterbook.standing(name)
        if standing is not None and standing.state != state:
            office.letterbook.note(name, state=state)
            if state != ReadingState.READING.value:
                self.alarms.append(f"{name} stands still: {state}")

    def _store_step(self, name: str, step: Step) -> None:
        """Store one entry in one transaction; five conflicts later it is parked, and the channel goes on."""
        for left in reversed(range(_TRIES)):
            try:
                with self.office.database.transaction():
                    self._enter(name, step, park=not left)
            except ConflictError:
                if not left:
                    raise
            else:
                return

    def _enter(self, name: str, step: Step, *, park: bool) -> None:
        office, entry = self.office, step.entry
        statement = entry.statement
        tracking = Tracking(f"{name}#{statement.epoch}", statement.sequence)
        if office.store.received(tracking.application_name) >= statement.sequence:
            return
        standing = office.letterbook.standing(name)
        news = standing.news_since if standing else None
        is_receipt = isinstance(step.content, Receipt)
        office.letterbook.enter(entry, own=False, case_id=None)
        office.letterbook.move(name, step.place)
        office.store.append([], tracking=[tracking])
        if news is None and not is_receipt:
            office.letterbook.note(name, news_since=office.clock())
        if isinstance(statement.body, Open):
            self._open(name, step)
            return
        if entry.personal is None and office.letterbook.part(statement.body.personal) is None:
            hold(office, name, "missing", "the personal part has not come", entry=entry)
        apply_sealed(office, entry, park=park)

    def _open(self, name: str, step: Step) -> None:
        if step.alarm:
            self.alarms.append(f"{name} at {step.place.sequence}: {step.alarm}")
        match step.content:
            case EncryptionKeyPublished() as content:
                note_peer(self.office, writer_of(name), content)
                grant_needed(self.office, writer_of(name), content.need)
            case Receipt() as content:
                self._compare(content)
            case _:
                pass

    def _compare(self, receipt: Receipt) -> None:
        """Compare what a counterpart says it holds of mine with what I wrote."""
        mine = set(channels_of(self.office.participant, self.office.role, self.office.trust.of_role(Role.SCHOOL)))
        for line in receipt.held:
            if line.channel not in mine:
                continue
            found = self.office.letterbook.digest_at(line.channel, line.sequence)
            evidence = Evidence(channel=line.channel, epoch=line.epoch, sequence=line.sequence, expected=line.digest.hex())
            if found is None:
                raise StoreBehindError("a counterpart holds entries of mine that this database lacks", evidence)
            if found[1] != line.digest:
                raise ForkError("a counterpart holds another entry of mine at this place", evidence)
            self.office.database.run(
                "UPDATE channels SET receipted_sequence = max(receipted_sequence, ?) WHERE channel = ?",
                line.sequence,
                line.channel,
            )

    def _take_mail(self, records: Sequence[Record]) -> None:
        if not records:
            return
        channels, faults = take_grants(self.office, (record.value for record in records))
        self.alarms += (f"a letter was not taken in: {fault}" for fault in faults)
        self._mail = records[-1].position + 1
        for name in sorted(channels):
            redrive_channel(self.office, name)
