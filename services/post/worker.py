"""The worker: the one process of a participant that signs, sends and receives, held by a lease.

Drives bounded steps that never sleep. A stop is taken between steps, so it is done within seconds; what was committed goes
on at the next start.
Source: design.md section 3.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.post.office import Office
from services.post.publishing import receipt_once, send_once, sign_once
from services.post.receiving import Receiver
from services.post.renewing import ask_once, renew_once
from services.post.saving import queue_open
from services.wire.channels import TRUST_CHANNEL, ChannelKind, Role, channel_kind, channels_of
from services.wire.contents import ChannelOpened, EncryptionKeyPublished
from services.wire.errors import ChannelUnavailableError, DatabaseBusyError, ForkError, LeaseError, StoreBehindError
from services.wire.following import Follower
from services.wire.grants import SUITE
from services.wire.paths import Pathfinder
from services.wire.trust import NO_TRUST

__all__ = ["Worker", "lease"]

_logger = logging.getLogger(__name__)

_IDLE_SECONDS: Final = 0.2
_BACK_OFF_SECONDS: Final = 1.0
_READ_AT_ONCE: Final = 500


@contextmanager
def lease(path: Path) -> Iterator[None]:
    """Hold the lease of a participant: a lock on a file beside its database, gone with the process.

    Raises: LeaseError if another worker holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise LeaseError("another worker of this participant is active") from error
    try:
        yield
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class Worker:
    """A participant's worker. ``start`` before the first ``step``."""

    office: Office
    receiver: Receiver = field(init=False)

    def __post_init__(self) -> None:
        self.receiver = Receiver(self.office)

    def start(self) -> None:
        """Take the keys in, and see that nobody wrote in my channels what I do not know.

        Raises: RingError; StoreBehindError if the log shows entries of mine that this database lacks; ForkError.
        """
        office = self.office
        office.ring.start(office.ring_file)
        while self.receiver.receive_once():
            pass
        for channel in self._own_channels():
            self._read_back(channel)

    def step(self) -> int:
        """Do one bounded piece of everything there is to do, and return how much was done."""
        done = self.receiver.receive_once()
        self._open_channels()
        done += renew_once(self.office)
        done += ask_once(self.office, self.receiver)
        done += sign_once(self.office)
        done += receipt_once(self.office)
        return done + send_once(self.office)

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; what will pass by itself is waited for."""
        while not stop.is_set():
            try:
                idle = not self.step()
                pause = _IDLE_SECONDS if idle else 0.0
            except (ChannelUnavailableError, DatabaseBusyError) as error:
                _logger.warning("waiting: %s", error)
                pause = _BACK_OFF_SECONDS
            for alarm in self.receiver.alarms:
                _logger.warning("%s", alarm)
            self.receiver.alarms.clear()
            stop.wait(pause)

    def _own_channels(self) -> list[str]:
        schools = self.office.trust.of_role(Role.SCHOOL)
        return list(channels_of(self.office.participant, self.office.role, schools))

    def _open_channels(self) -> None:
        """Open what the registrar has made mine: at birth, and the commission's for each new school."""
        office = self.office
        if office.role is Role.REGISTRAR or office.signer is None or office.participant not in office.trust.participants:
            return
        for channel in self._own_channels():
            if office.letterbook.standing(channel) is None:
                self._open(channel)

    def _open(self, channel: str) -> None:
        office = self.office
        if office.signer is None or office.database.one("SELECT 1 FROM outgoing WHERE channel = ?", channel) is not None:
            return
        with office.database.transaction():
            key = office.ring.current_encryption_key() or office.ring.renew_encryption_key()
            content = ChannelOpened(exchange=office.root.digest, writer=office.participant, certificates=office.signer.path)
            queue_open(office, channel, content)
            if channel_kind(channel) is not ChannelKind.RECORD:
                queue_open(office, channel, EncryptionKeyPublished(suite=SUITE, public_key=key.public_key))

    def _read_back(self, channel: str) -> None:
        office, standing = self.office, self.office.letterbook.standing(channel)
        if office.channel is None:
            return
        trust = NO_TRUST if channel == TRUST_CHANNEL else office.trust
        follower, update = Follower.at(
            Pathfinder(channel=channel, root=office.root, trust=trust),
            load=lambda: office.letterbook.records(channel),
            holds=office.letterbook.holds,
            place=standing.place if standing else None,
        )
        position = 0
        while records := office.channel.poll({channel: position}, timeout_seconds=0, limit=_READ_AT_ONCE):
            update = follower.offer(record.value for record in records)
            position = records[-1].position + 1
            if update.new and standing is None:
                # A database without a past on a channel that has one: an old copy, or another machine with my key.
                raise StoreBehindError(f"{channel} holds entries of mine that this database lacks")
            if update.new or update.off_chain is not None:
                raise ForkError(f"{channel} shows entries under my signature that this database does not have")
