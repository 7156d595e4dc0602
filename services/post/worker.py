"""The worker: the one process of a participant that signs, sends and receives, held by a lease.

Drives bounded steps that never sleep. A stop is taken between steps, so it is done within seconds; what was committed goes
on at the next start.
Source: design.md section 3.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import Final

from services.post.applying import redrive_parked
from services.post.auditors import Admitting
from services.post.awaiting import OWN_MISPLACED, start_again_once
from services.post.drafts import expire_drafts_once
from services.post.ending import Ending
from services.post.epochs import open_epoch_once, queue_undone
from services.post.firing import fire_day_once, fire_due_once
from services.post.granting import supersede_for_removed
from services.post.lease import take_over
from services.post.office import Office, channel_in
from services.post.outward import closed_channels
from services.post.people import renew_look_up
from services.post.publishing import AT_ONCE, receipt_once, send_once, sign_once
from services.post.pulse import Pulse
from services.post.reading_back import check_own_once
from services.post.receiving import Receiver
from services.post.renewing import ask_once, renew_once
from services.post.returning import (
    StoppedError,
    begin_start,
    end_start,
    forget_taken_back,
    has_begun,
    read_back,
    show_again,
    tell_taken_back,
)
from services.post.rotating import rotate_once
from services.post.saving import queue_open, require_current
from services.post.waking import Wakeups
from services.post.watching import Watch
from services.wire.channels import ChannelKind, Role, channel_kind, school_of
from services.wire.contents import ChannelOpened, EncryptionKeyPublished
from services.wire.errors import (
    ChannelUnavailableError,
    DatabaseBusyError,
    DiskError,
    ExchangeError,
    ForkError,
    OrderError,
    RingError,
    StoreBehindError,
    TransportError,
)
from services.wire.grants import SUITE

__all__ = ["Worker"]

_logger = logging.getLogger(__name__)

_IDLE_SECONDS: Final = 0.5
_BACK_OFF_SECONDS: Final = 1.0


@dataclass(slots=True)
class Worker:
    """A participant's worker. ``start`` before the first ``step``; others may look at its ``pulse`` meanwhile.

    ``wakeups`` end its waiting; they may be let listen to those who act.
    """

    office: Office
    pulse: Pulse = field(default_factory=Pulse)
    receiver: Receiver = field(init=False)
    watch: Watch = field(init=False)
    wakeups: Wakeups = field(init=False)
    admitting: Admitting = field(init=False)
    given_up: dict[str, ExchangeError] = field(default_factory=dict)
    ending: Ending = field(init=False)
    _waits_for: str | None = None
    _steps: int = 0
    _has_more: bool = True

    def __post_init__(self) -> None:
        self.receiver = Receiver(self.office)
        self.watch = Watch(self.office)
        self.wakeups = Wakeups(self.office.database)
        self.admitting = Admitting(self.office)
        self.ending = Ending(self.office)

    def start(self, stop: threading.Event | None = None, *, gives_up: bool = False) -> bool:
        """Take the keys in, and whatever of mine the log holds and this database lost; then nothing is missing.

        Until it ends nothing is decided here. Returns False if ``stop`` was set in the middle; the next start goes on.
        ``gives_up``: a channel of mine for which a person would be called stands in ``given_up``, with why, and what rests on it
        waits; for who only looks at what the log gives.
        Raises: LeaseError; RingError; ForkError if the log contradicts this database; OrderError; StoreBehindError if a
        counterpart holds entries of mine that are neither here nor in the log.
        """
        office, pulse = self.office, self.pulse
        pulse.is_started = False
        pulse.name = take_over(office)
        for lost in office.ring.start(office.ring_file):
            office.tell(lost)
        renew_look_up(office)
        office.returning = begin_start(office, gives_up=gives_up)
        self.given_up = office.returning.given_up
        if office.role is not Role.REGISTRAR:
            self.receiver.read_trust()
        self._steps = 0
        for channel in office.own_channels:
            pulse.beat()
            try:
                read_back(office, channel, office.returning, stop)
                if show_again(office, channel):
                    read_back(office, channel, office.returning, stop)
            except StoppedError:
                return False
            except (ForkError, OrderError, RingError) as error:
                if not gives_up:
                    raise
                office.returning.give_up(channel, error)
            # What the log lost meanwhile is looked for in the first steps, not within the hour.
            office.letterbook.note(channel, read_at=0)
        # What neither this database nor the log holds was sent once: these places must not be given away again.
        require_current(office)
        tell_taken_back(office)
        office.returning.note_gone(office)
        with office.database.transaction():
            for case_id in list(office.returning.waiting):
                office.returning.place(office, case_id)
        if not self._receive_all(stop):
            return False
        office.returning.note_read(office)
        # A newer release may know what an older one could not use; and own events may follow what was parked then.
        redrive_parked(office)
        office.returning.place_the_rest(office)
        # What waited for own events of its case: they have their places now, or will have none.
        redrive_parked(office, OWN_MISPLACED)
        queue_undone(office)
        supersede_for_removed(office)
        end_start(office)
        pulse.is_started = True
        return True

    def _receive_all(self, stop: threading.Event | None) -> bool:
        while self._receive():
            self.pulse.beat()
            if stop is not None and stop.is_set():
                return False
        self.office.database.run("UPDATE channels SET state = 'reading', reason = NULL WHERE state = 'behind'")
        return True

    def _receive(self) -> bool:
        office = self.office
        try:
            return self.receiver.receive_once() > 0
        except (StoreBehindError, ForkError) as error:
            channel = error.evidence.channel
            if channel is None or channel not in office.own_channels:
                raise
            if office.returning is not None and office.returning.gives_up:
                office.returning.give_up(channel, error)
                return True
            # A person may find that the receipt lies, and agree to start with this channel stopped.
            office.letterbook.note(channel, state="behind", reason=str(error))
            raise

    def work(self, stop: threading.Event) -> None:
        """Start and work until ``stop`` is set; what will pass by itself is waited for, also during the start.

        Raises: whatever a person has to look at; it is never tried again by itself.
        """
        while not stop.is_set():
            self.receiver = Receiver(self.office)
            try:
                if self.start(stop):
                    self.run(stop)
            except (ChannelUnavailableError, DatabaseBusyError) as error:
                self._wait(stop, error)
            except DiskError as error:
                # Anything may be undone that this process took for done, and a file may have been opened for reading alone:
                # the database is opened anew, and that is a start.
                self.office.database.close()
                self._wait(stop, error)
            finally:
                self.tell()

    def step(self, *, wait_seconds: float = 0.0) -> int:
        """Do one bounded piece of everything there is to do, and return how much was done.

        So long it is waited for records, if none is there, or for an act: what comes meanwhile is read, or sent, at once.
        Raises: LeaseError if another worker has taken over.
        """
        office = self.office
        self.pulse.beat()
        if self._steps == 1:
            # What a start had to say was told after the first step.
            forget_taken_back(office)
        self._steps += 1
        received = self.receiver.receive_once(timeout_seconds=wait_seconds, until=self.wakeups)
        # One that has nothing to write would not learn that another one works here, and go on reading, and looking healthy.
        office.database.require()
        start_again_once(office)
        if has_begun(office):
            # Keys of own events came back: what they open is taken back, as after any restore.
            self.receiver = Receiver(office)
            self.start()
        self._open_channels()
        done = open_epoch_once(office)
        done += rotate_once(office)
        done += renew_once(office)
        done += ask_once(office, self.receiver)
        done += self.admitting.admit_once()
        done += self.ending.end_once()
        done += fire_due_once(office)
        done += fire_day_once(office)
        done += expire_drafts_once(office)
        done += office.besides(office) if office.besides is not None else 0
        signed = sign_once(office)
        receipted = receipt_once(office)
        sent = send_once(office)
        done += check_own_once(office)
        self._has_more = done > 0 or max(signed, sent) >= AT_ONCE
        self.pulse.closed = len(closed_channels(office))
        for alarm in self.watch.look_once():
            office.tell(alarm)
        return received + done + signed + receipted + sent

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; what will pass by itself is waited for.

        Raises: DiskError, after which only a start goes on; whatever a person has to look at.
        """
        wait_seconds = 0.0
        while not stop.is_set():
            try:
                self.step(wait_seconds=wait_seconds)
                # Where the log has more, waiting for it ends at once.
                wait_seconds = 0.0 if self._has_more else _IDLE_SECONDS
                self._waits_for = self.pulse.waits_for = None
            except (ChannelUnavailableError, DatabaseBusyError) as error:
                self._wait(stop, error)
            self.tell()

    def _wait(self, stop: threading.Event, error: TransportError) -> None:
        self.pulse.wait(error)
        # Said once while it lasts: what a disk lacks room for must not fill it with lines.
        if str(error) != self._waits_for:
            self._waits_for = str(error)
            _logger.warning("waiting: %s", error, extra={"event": "waiting", "error": type(error).__name__.removesuffix("Error")})
        stop.wait(_BACK_OFF_SECONDS)

    def tell(self) -> None:
        """Log what a person has to be told."""
        for alarm in self.office.alarms:
            _logger.warning("%s", alarm, extra={"event": "alarm", "channel": channel_in(alarm)})
        self.office.alarms.clear()

    def _open_channels(self) -> None:
        """Open what the registrar has made mine: at birth, and the commission's for each new school."""
        office = self.office
        if office.role is Role.REGISTRAR or office.participant not in office.trust.participants:
            return
        opened = {row["channel"] for row in office.database.all("SELECT channel FROM channels")}
        for channel in office.own_channels:
            if channel not in opened and not self._has_left(channel):
                self._open(channel)

    def _has_left(self, channel: str) -> bool:
        other = self.office.trust.participants.get(school_of(channel))
        return other is not None and other.removed

    def _open(self, channel: str) -> None:
        office = self.office
        if office.database.one("SELECT 1 FROM outgoing WHERE channel = ? AND facts IS NULL", channel) is not None:
            return
        with office.database.transaction():
            key = office.ring.current_encryption_key() or office.ring.renew_encryption_key()
            path = office.signers.newest.path
            queue_open(office, channel, ChannelOpened(exchange=office.root.digest, writer=office.participant, certificates=path))
            # Where those read it who grant me keys: an auditor has no other channel than its record, and all read that.
            if channel_kind(channel) is not ChannelKind.RECORD or office.role is Role.AUDITOR:
                queue_open(office, channel, EncryptionKeyPublished(suite=SUITE, public_key=key.public_key))
