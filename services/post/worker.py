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
from services.post.returning import Returning, read_back
from services.post.saving import queue_open
from services.wire.channels import ChannelKind, Role, channel_kind, channels_of
from services.wire.contents import ChannelOpened, EncryptionKeyPublished
from services.wire.errors import ChannelUnavailableError, DatabaseBusyError, LeaseError
from services.wire.grants import SUITE

__all__ = ["Worker", "lease"]

_logger = logging.getLogger(__name__)

_IDLE_SECONDS: Final = 0.2
_BACK_OFF_SECONDS: Final = 1.0


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
        """Take the keys in, and whatever of mine the log holds and this database lost; then nothing is missing.

        Raises: RingError; ForkError if the log contradicts this database; OrderError; StoreBehindError if a counterpart
        holds entries of mine that are neither here nor in the log.
        """
        office = self.office
        office.ring.start(office.ring_file)
        office.returning = Returning()
        if office.role is not Role.REGISTRAR:
            self.receiver.read_trust()
        taken = sum(read_back(office, channel, office.returning) for channel in self._own_channels())
        if taken:
            _logger.warning("%s own entries were taken back from the log", taken)
        with office.database.transaction():
            for case_id in list(office.returning.waiting):
                office.returning.place(office, case_id)
        while self.receiver.receive_once():
            pass
        office.returning.require_empty()
        office.returning = None

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
