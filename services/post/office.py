"""The office: everything a participant's post is done with, put together once by ``bootstrap`` and handed around.

Holds ports and stores and nothing of a procedure. Clock, randomness and the channel are ports, so that a whole exchange can
run in a simulation.
Source: design.md sections 2 and 3.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric import ec

from services.channel.port import Channel
from services.post.beside import Beside, in_turn
from services.post.database import Database
from services.post.history import Domain, New
from services.post.keys import KeyRing
from services.post.letterbook import Letterbook
from services.post.ring_file import RingFile
from services.post.store import CaseStore
from services.wire.certificates import Certificate, Root
from services.wire.channels import TRUST_CHANNEL, Role, channel_kind, channels_of
from services.wire.errors import MalformedError
from services.wire.hashing import Digest, Id
from services.wire.reading import read_trust
from services.wire.records import SchemaBook
from services.wire.trust import NO_TRUST, Trust

if TYPE_CHECKING:
    from services.post.placing import Returning

__all__ = ["LEAST_PIECE_BYTES", "Office", "Signer", "Signers", "Signing", "channel_in", "day_of", "is_over", "when_of"]

_logger = logging.getLogger(__name__)

LEAST_PIECE_BYTES: Final = 32 * 1024
"""What also a slow way takes in the time of a call; one record may be larger."""

_DAY: Final = 86_400_000
_SAID_LIMIT: Final = 1000
_RIGA: Final = ZoneInfo("Europe/Riga")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """The key a worker signs with, and the path of its certificate (leaf first, the root left out)."""

    key: ec.EllipticCurvePrivateKey
    certificate: Certificate
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """The newest signer, and older ones whose certificate may still be current in some channel while a rotation runs."""

    newest: Signer
    older: tuple[Signer, ...] = ()

    def of(self, certificate: Digest) -> Signer | None:
        """Return the signer of a certificate, None if its key is not here."""
        return next((each for each in (self.newest, *self.older) if each.certificate.digest == certificate), None)


class Signing(Protocol):
    """The port to where signing keys are kept; a file or an HSM."""

    def __call__(self) -> Signers:
        """Return the signers as they are now: a rotation may have brought a new one since the last call."""
        ...

    def destroy(self, certificate: Digest) -> None:
        """Destroy the key of an older certificate for good."""
        ...


@dataclass(slots=True, kw_only=True)
class Office:
    """One participant's post. ``clock`` gives milliseconds since 1970; ``random(n)`` n bytes that nobody can guess.

    ``clerk`` is the reference of whoever works here, if settings name one; ``entered_by`` is who enters what is saved now, None
    where it happens by itself. ``after_saving`` is called in each transaction that extends a case, with the case and what was
    saved in it.
    ``besides`` is one bounded piece of what a participant does besides post, called by its worker in each step.
    ``approves_auditors`` lets auditors have facts keys as soon as they are admitted, where nobody refused them.
    ``letterbook`` is the table of all entries I wrote and accepted. ``alarms`` are texts for a person, never with anything
    personal. ``closed`` are channels that took nothing when it was tried last, and when that was;
    ``put_off`` are cases in which nothing can happen by itself yet, and when that was tried; ``start_asked_at`` is when a start
    was asked for because of what came in a case that lacks own events, and ``has_misplaced`` whether the last one left any such;
    ``piece_bytes`` is how much
    goes out in one call; ``is_log_taking`` tells whether the last append succeeded; ``beside`` does what waits for the log
    while something waits for the disk. ``returning`` is there during a start alone, when own entries come back. ``signing``
    and ``channel`` are None in a process that acts only: it has no key to sign with and no way to the log.
    """

    participant: str
    role: Role
    root: Root
    database: Database
    store: CaseStore
    ring: KeyRing
    ring_file: RingFile
    domain: Domain
    clock: Callable[[], int]
    random: Callable[[int], bytes]
    signing: Signing | None = None
    channel: Channel | None = None
    returning: Returning | None = None
    clerk: str | None = None
    entered_by: str | None = None
    after_saving: Callable[[Office, UUID, Sequence[New]], None] | None = None
    besides: Callable[[Office], int] | None = None
    alarms: list[str] = field(default_factory=list)
    closed: dict[str, int] = field(default_factory=dict)
    put_off: dict[UUID, int] = field(default_factory=dict)
    start_asked_at: int | None = None
    has_misplaced: bool = False
    piece_bytes: int = LEAST_PIECE_BYTES
    is_log_taking: bool = False
    approves_auditors: bool = False
    beside: Beside = in_turn
    letterbook: Letterbook = field(init=False)
    _said: dict[str, int] = field(default_factory=dict)
    _trust: Trust = NO_TRUST
    _named: tuple[Trust, tuple[str, ...], tuple[str, ...]] | None = None
    _book: SchemaBook = field(default_factory=lambda: SchemaBook({}))

    def __post_init__(self) -> None:
        self.letterbook = Letterbook(self.database)

    def tell(self, alarm: str) -> None:
        """Add a text for a person to ``alarms``, once a day while it lasts; whoever tells them empties the list."""
        now = self.clock()
        said = self._said.get(alarm)
        if said is not None and not is_over(now, said, _DAY):
            return
        if len(self._said) >= _SAID_LIMIT:
            self._said.clear()
        self._said[alarm] = now
        self.alarms.append(alarm)
        # Whoever tells it warns of it; here for who looks for where it comes from.
        _logger.debug("%s", alarm, extra={"event": "told"})

    @property
    def signers(self) -> Signers:
        """What this worker signs with.

        Raises: RuntimeError in a process that acts only.
        """
        if self.signing is None:
            raise RuntimeError("only a worker signs")
        return self.signing()

    @property
    def own_channels(self) -> tuple[str, ...]:
        """The channels that I write, by my role and the schools that are or were there: a removal ends no channel."""
        return self._by_trust()[1]

    @property
    def schools(self) -> tuple[str, ...]:
        """The schools that were ever admitted."""
        return self._by_trust()[0]

    def _by_trust(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the schools and my channels: asked many times in each step, and the same until the registrar says more."""
        trust = self.trust
        if self._named is None or self._named[0] is not trust:
            schools = tuple(each.id for each in trust.participants.values() if each.role is Role.SCHOOL)
            self._named = trust, schools, channels_of(self.participant, self.role, schools)
        return self._named[1:]

    @property
    def own_stream(self) -> UUID:
        """The stream of events that belong to no case of mine."""
        return _own_stream(self.participant)

    def case_of_event(self, channel: str, event_id: Id) -> UUID | None:
        """Return the case in which an event of a channel is stored; None if it is not stored, or belongs to no case of mine."""
        stream_id = self.store.stream_with(channel, event_id)
        return None if stream_id == self.own_stream else stream_id

    @property
    def today(self) -> date:
        """The day by the clock, in Latvia."""
        return day_of(self.clock())

    @property
    def trust(self) -> Trust:
        """What the registrar says, as far as it is stored here; folded again only when there is more of it."""
        row = self.database.one("SELECT max(sequence) FROM entries WHERE channel = ?", TRUST_CHANNEL)
        if row is not None and (row[0] or 0) != self._trust.sequence:
            _, self._trust = read_trust(self.letterbook.records(TRUST_CHANNEL), self.root)
            self._book = SchemaBook(self._trust.schemas)
        return self._trust

    @property
    def book(self) -> SchemaBook:
        """What reads contents, by the schemas that the registrar published."""
        return self._book if self.trust.sequence else SchemaBook({})


@lru_cache
def _own_stream(participant: str) -> UUID:
    return uuid5(UUID(int=0), participant)


def channel_in(alarm: str) -> str | None:
    """Return the channel that an alarm is about: its name is the first word; None if it is about none."""
    word = alarm.partition(" ")[0].rstrip(":")
    try:
        channel_kind(word)
    except MalformedError:
        return None
    return word


def is_over(now: int, since: int, pause: int) -> bool:
    """Tell whether a pause that began at ``since`` is over; all are in milliseconds.

    It is over too where it began in the future: the clock was set back since, and nothing must wait for that time to come.
    """
    return not 0 <= now - since < pause


def when_of(milliseconds: int) -> str:
    """Return a time in milliseconds since 1970 as people in Latvia write it: year, month, day, hours and minutes."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)).astimezone(_RIGA).strftime("%Y-%m-%d %H:%M")


@lru_cache(maxsize=64)
def day_of(milliseconds: int) -> date:
    """Return the day in Europe/Riga of a time in milliseconds since 1970."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)).astimezone(_RIGA).date()
