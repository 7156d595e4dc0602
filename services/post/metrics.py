"""Metrics: a participant's status and its worker's pulse as Prometheus reads them.

Names and labels stay as they are, for alerts are made of them. No label has a value from outside but names of channels, and of
those only as many as ``attention`` names; nothing is personal, and no number of a case is here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from services.post.attention import Trouble, attention
from services.post.pulse import Pulse, WaitsFor
from services.post.status import Status

__all__ = ["CONTENT_TYPE", "metrics_page"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_STATES: Final = ("reading", "not opened", "waiting", "off chain", "behind", "forked", "stopped")
_DAY: Final = 86_400_000


def metrics_page(status: Status | None, pulse: Pulse) -> bytes:
    """Return the page; without a status, because the database does not answer, with what the worker says alone."""
    registry = CollectorRegistry()
    registry.register(_Page(status, pulse))
    return generate_latest(registry)


# Not by its content: the registry keeps it in a dictionary.
@dataclass(frozen=True, slots=True, eq=False)
class _Page(Collector):
    status: Status | None
    pulse: Pulse

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Say nothing before it is asked: what there is depends on the status."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from _of_worker(self.pulse)
        yield _one("database_answers", "Whether the database answers.", self.status is not None)
        if self.status is not None:
            yield _one("lease_held", "Whether this worker is the one that works here.", self.pulse.is_of(self.status.lease))
            yield from _of_status(self.status)
            yield from _of_attention(self.status)


def _of_worker(pulse: Pulse) -> Iterator[GaugeMetricFamily]:
    yield _one("started", "Whether the start is over.", pulse.is_started)
    yield _one("step_age_seconds", "How long ago the last step began.", pulse.silent_seconds)
    waits = {each.value: float(pulse.waits_for is each) for each in WaitsFor}
    yield _several("waits_for", "Whether the worker waits for something that will pass by itself.", "what", waits)
    yield _one("closed_channels", "Channels that took nothing within the last half minute.", pulse.closed)


def _of_status(status: Status) -> Iterator[GaugeMetricFamily]:
    def age(since: int | None) -> float:
        return 0.0 if since is None else (status.at - since) / 1000

    own = list(status.own)
    states = Counter(each.state for each in status.channels)
    yield _several("channels", "Channels by state.", "state", {each: states[each] for each in _STATES})
    yield _one("outgoing_events", "Events that wait for a signature.", sum(each.outgoing for each in own))
    yield _one("outgoing_age_seconds", "Age of the oldest event that waits for a signature.", age(status.outgoing_since))
    yield _one("unseen_entries", "Own entries that the log has not shown.", sum(each.head - each.seen for each in own))
    yield _one("unseen_age_seconds", "Age of the oldest own entry that the log has not shown.", age(status.unsent_since))
    unreceipted = sum(each.unreceipted_since is not None for each in own)
    yield _one("unreceipted_channels", "Own channels in which an event has no receipt.", unreceipted)
    yield _one("unreceipted_age_seconds", "Age of the oldest event without a receipt.", age(status.unreceipted_since))
    yield _several("held", "What is held and not settled, counted up to 1000.", "kind", status.held)
    yield _one("verified_age_seconds", "Since when every channel was compared with the log whole.", age(status.verified_at))
    yield _one("registrar_silence_seconds", "How long ago the registrar said its last word.", age(status.trust_at))
    if (ends := status.certificate_ends) is not None:
        yield _one("certificate_days_left", "Days until the first own certificate ends.", (ends - status.at) / _DAY)
    if (ends := status.tls_ends) is not None:
        yield _one("tls_certificate_days_left", "Days until the client certificate for brokers ends.", (ends - status.at) / _DAY)


def _of_attention(status: Status) -> Iterator[GaugeMetricFamily]:
    wanted = {each.trouble: each for each in attention(status)}
    whole = GaugeMetricFamily("sarakste_attention", "What wants a person, in so many places.", labels=("trouble", "urgency"))
    named = GaugeMetricFamily("sarakste_channel_trouble", "Channels that want a person.", labels=("channel", "trouble"))
    for trouble in Trouble:
        found = wanted.get(trouble)
        whole.add_metric((trouble.value, trouble.urgency.value), found.number if found is not None else 0)
        for channel in found.channels if found is not None else ():
            named.add_metric((channel, trouble.value), 1)
    yield from (whole, named)


def _one(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"sarakste_{name}", text, value=float(value))


def _several(name: str, text: str, label: str, values: dict[str, float] | dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"sarakste_{name}", text, labels=(label,))
    for each, value in values.items():
        family.add_metric((each,), value)
    return family
