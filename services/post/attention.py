"""Attention: what of a participant's status wants a person, and how soon.

Decides by the status alone; what each line means and what to do stands in docs/operating.md. Of one kind of trouble at most
``SHOWN`` channels are named, so that a thousand schools that are away are one thing to see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from services.post.office import day_of, when_of
from services.post.status import ChannelStatus, Status
from services.post.watching import working_days_between

__all__ = ["Attention", "Trouble", "Urgency", "attention"]

SHOWN: Final = 20

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_WAITS_LONG: Final = 15 * _MINUTE
_STARTS_LONG: Final = _HOUR
_TRUST_SILENT: Final = 8 * _DAY
_NOT_VERIFIED: Final = 2 * _DAY
_EXPIRY_WARNING: Final = 30 * _DAY
_UNRECEIPTED_WORKING_DAYS: Final = 2


class Urgency(Enum):
    """How soon: ``NOW`` also at night, for somebody may be writing in a name that is not theirs; ``TODAY`` in working hours."""

    NOW = "now"
    TODAY = "today"


class Trouble(Enum):
    """What wants a person; the names stay as they are, for alerts are made of them."""

    STOPPED = "stopped"
    NO_WORKER = "no-worker"
    STARTING = "starting"
    UNSIGNED = "unsigned"
    UNSENT = "unsent"
    UNRECEIPTED = "unreceipted"
    STANDS_STILL = "stands-still"
    LOST = "lost"
    PARKED = "parked"
    AWAITS_KEYS = "awaits-keys"
    MISPLACED = "misplaced"
    CERTIFICATE_ENDS = "certificate-ends"
    TLS_CERTIFICATE_ENDS = "tls-certificate-ends"
    NOT_VERIFIED = "not-verified"
    REGISTRAR_SILENT = "registrar-silent"

    @property
    def urgency(self) -> Urgency:
        """How soon somebody has to look."""
        return Urgency.NOW if self is Trouble.STOPPED else Urgency.TODAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """One thing that wants a person: in so many channels, of which the first ones are named; ``text`` says it in a sentence."""

    trouble: Trouble
    number: int
    channels: tuple[str, ...]
    text: str


def attention(status: Status) -> list[Attention]:
    """Return what wants a person now, the most urgent first."""
    found = [*_of_all(status), *_of_channels(status)]
    return sorted(found, key=lambda each: list(Trouble).index(each.trouble))


def _of_all(status: Status) -> Iterator[Attention]:
    now = status.at
    if not status.lease.held:
        yield _one(Trouble.NO_WORKER, "no worker runs: nothing is signed, sent or received. Start it")
    elif status.starting_since is not None and now - status.starting_since > _STARTS_LONG:
        yield _one(
            Trouble.STARTING, f"the start is not over since {when_of(status.starting_since)}: nothing is decided until it is"
        )
    if status.tls_ends is not None and status.tls_ends - now < _EXPIRY_WARNING:
        yield _one(Trouble.TLS_CERTIFICATE_ENDS, f"the client certificate for brokers ends on {day_of(status.tls_ends)}")
    if status.trust_at is not None and now - status.trust_at >= _TRUST_SILENT:
        yield _one(Trouble.REGISTRAR_SILENT, f"the registrar has said nothing since {day_of(status.trust_at)}")


def _of_channels(status: Status) -> Iterator[Attention]:
    now, works = status.at, status.lease.held
    rules: tuple[tuple[Trouble, Callable[[ChannelStatus], str | None]], ...] = (
        (Trouble.STOPPED, lambda each: _stands(each) if each.state in ("stopped", "forked") else None),
        (Trouble.STANDS_STILL, lambda each: _stands(each) if each.state in ("waiting", "off chain", "behind") else None),
        # Where nobody works, or a channel stands still, that is what there is to see to.
        (Trouble.UNSIGNED, lambda each: _waits("to be signed", each.outgoing_since, now) if _goes_on(each, works) else None),
        (
            Trouble.UNSENT,
            lambda each: _waits("to be sent", each.unsent_since, now) if _goes_on(each, works) else None,
        ),
        (Trouble.UNRECEIPTED, lambda each: _unreceipted(each, now)),
        (Trouble.LOST, lambda each: f"{each.lost} events can never be signed, their keys are lost" if each.lost else None),
        (Trouble.PARKED, lambda each: _parked(each, now)),
        (Trouble.AWAITS_KEYS, lambda each: "own events wait for keys from its reader" if each.awaits_keys else None),
        (Trouble.MISPLACED, _misplaced),
        (Trouble.CERTIFICATE_ENDS, lambda each: _certificate(each, now)),
        (Trouble.NOT_VERIFIED, lambda each: _not_verified(each, now) if works else None),
    )
    for trouble, rule in rules:
        texts = [(each.channel, text) for each in status.channels if (text := rule(each)) is not None]
        if texts:
            channels = tuple(name for name, _ in texts[:SHOWN])
            more = f"; and {len(texts) - SHOWN} more channels" if len(texts) > SHOWN else ""
            lines = "; ".join(f"{name}: {text}" for name, text in texts[:SHOWN])
            yield Attention(trouble=trouble, number=len(texts), channels=channels, text=lines + more)


def _one(trouble: Trouble, text: str) -> Attention:
    return Attention(trouble=trouble, number=1, channels=(), text=text)


def _goes_on(channel: ChannelStatus, works: bool) -> bool:  # noqa: FBT001  # a rule of its own
    return works and channel.state in ("reading", "not opened")


def _stands(channel: ChannelStatus) -> str:
    why = f" ({channel.reason})" if channel.reason else ""
    return f"stands still after {channel.head}, {channel.state}{why}"


def _waits(what: str, since: int | None, now: int) -> str | None:
    return f"waits {what} since {when_of(since)}" if since is not None and now - since > _WAITS_LONG else None


def _unreceipted(channel: ChannelStatus, now: int) -> str | None:
    since = channel.unreceipted_since
    if since is None or working_days_between(day_of(since), day_of(now)) < _UNRECEIPTED_WORKING_DAYS:
        return None
    return f"nobody has receipted what follows {channel.receipted} since {day_of(since)}"


def _parked(channel: ChannelStatus, now: int) -> str | None:
    since = channel.parked_since
    return f"{channel.parked} events are parked since {day_of(since)}" if since is not None and now - since >= _DAY else None


def _misplaced(channel: ChannelStatus) -> str | None:
    number = channel.misplaced
    return f"what came before {number} own events has not come back, nobody acts in their cases" if number else None


def _certificate(channel: ChannelStatus, now: int) -> str | None:
    ends = channel.certificate_ends
    if ends is None or ends - now >= (_EXPIRY_WARNING if channel.own else 0):
        return None
    return f"its certificate {'ends' if ends > now else 'has ended'} on {day_of(ends)}"


def _not_verified(channel: ChannelStatus, now: int) -> str | None:
    at = channel.verified_at
    return f"was last compared with the log on {day_of(at)}" if at is not None and now - at > _NOT_VERIFIED else None
