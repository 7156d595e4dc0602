"""The log on Apache Kafka: a blocking façade over one event loop in a thread of its own, with a time limit on everything.

Each channel is a topic with one partition. Connections are made when they are needed first, so that a participant can be
started, and acts are accepted and kept, while no broker is there.
Source: design.md section 9.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from services.channel.kafka_reading import Reading
from services.channel.kafka_topics import Topics
from services.channel.kafka_writing import Writing
from services.channel.port import Record, Until
from services.channel.waiting import readable
from services.wire.errors import ChannelUnavailableError, SettingsError, TransportError

__all__ = ["KafkaAccess", "KafkaChannel", "goodbye"]

_GOODBYE_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.01

_Result = TypeVar("_Result")


async def goodbye() -> None:
    """Wait until closed connections are gone: over TLS they say goodbye first, and the library gives nothing to wait for."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _GOODBYE_SECONDS
    while _connections(loop) and loop.time() < until:  # noqa: ASYNC110  # nobody gives an event for it
        await asyncio.sleep(0.01)


def _connections(loop: asyncio.AbstractEventLoop) -> int:
    """Return how many connections of a loop have a socket still, as far as it tells."""
    return sum(getattr(each, "_sock", None) is not None for each in _transports(loop))


def _transports(loop: asyncio.AbstractEventLoop) -> list[Any]:
    return list(getattr(loop, "_transports", {}).values())


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaAccess:
    """How a participant reaches the brokers.

    ``servers`` are host:port, separated by commas. With TLS, ``authority`` is a PEM file of the certificates that brokers are
    trusted by, and ``certificate`` one with the client's key and certificate; both or none.
    """

    servers: str
    authority: Path | None = None
    certificate: Path | None = None

    def settings(self, client: str) -> dict[str, Any]:
        """Return this as the library's settings. Raises: SettingsError if a file is none of what it should be."""
        if (self.authority is None) != (self.certificate is None):
            raise SettingsError("give authority and certificate, or, for brokers without TLS, neither")
        found: dict[str, Any] = {"bootstrap_servers": self.servers.split(","), "client_id": client}
        if self.authority is None or self.certificate is None:
            return found
        try:
            context = ssl.create_default_context(cafile=self.authority)
            context.load_cert_chain(self.certificate)
        except (OSError, ssl.SSLError) as error:
            names = f"{self.authority.name} or {self.certificate.name}"
            raise SettingsError(f"{names} cannot be used for TLS: {error.strerror or type(error).__name__}") from error
        return found | {"security_protocol": "SSL", "ssl_context": context}


class KafkaChannel:
    """The ``Channel`` port over a Kafka cluster; a handle may be used by several threads.

    ``client`` is the name that a broker's log shows. ``timeout_seconds`` is how long a broker may take to answer; a call
    ends within twice that, and what it was told to wait.
    Raises: SettingsError if the files for TLS cannot be used.
    """

    def __init__(self, access: KafkaAccess, *, client: str, timeout_seconds: float = 10.0) -> None:
        settings = access.settings(client)
        self._timeout = timeout_seconds
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kafka", daemon=True)
        self._thread.start()
        self._topics = Topics(settings, timeout_seconds)
        self._reading = Reading(self._topics)
        self._writing = Writing(settings, self._topics, timeout_seconds)

    def append(self, channel: str, records: Sequence[bytes]) -> None:
        """Store all of ``records`` in order at the end of ``channel``; see the port.

        Raises: ChannelMissingError, ChannelForbiddenError or ReplicasMissingError where this channel alone takes nothing.
        """
        self._do(self._writing.append(channel, records))

    def poll(
        self, positions: Mapping[str, int], *, timeout_seconds: float, limit: int, until: Until | None = None
    ) -> list[Record]:
        """Return up to ``limit`` records at or after the given positions; see the port, and ``troubles``."""
        if limit < len(positions):
            raise ValueError("a poll asks for at least one record a channel")
        doing = self._begin(self._reading.poll(positions, timeout_seconds, limit))
        began, seconds = time.monotonic(), timeout_seconds + 2 * self._timeout
        # What brokers were asked goes on, and is taken up by the next poll.
        if until is not None and _is_called_away(doing, until, seconds) and doing.cancel():
            return []
        return self._outcome(doing, seconds, waited=time.monotonic() - began)

    def end(self, channel: str) -> int:
        """Return the position after the last record that was ever stored; see the port.

        Raises: ChannelMissingError, ChannelForbiddenError or ReplicasMissingError where this channel alone cannot be read.
        """
        return self._do(self._reading.end(channel))

    @property
    def troubles(self) -> Mapping[str, TransportError]:
        """The channels that could not be used at the last look, and why; a poll goes on without them."""
        return dict(self._topics.troubles)

    def close(self) -> None:
        """Close all connections; any further call is a RuntimeError."""
        if self._closed:
            return
        self._closed = True
        # Nothing is lost by a broker that does not hear of it.
        for work in (self._end(), self._cut()):
            ending = asyncio.run_coroutine_threadsafe(work, self._loop)
            with suppress(Exception):
                ending.result(_GOODBYE_SECONDS)
            ending.cancel()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(self._timeout)
        if not self._thread.is_alive():
            self._loop.close()

    def _do(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return self._outcome(self._begin(work), 2 * self._timeout)

    def _begin(self, work: Coroutine[Any, Any, _Result]) -> Future[_Result]:
        if self._closed:
            work.close()
            raise RuntimeError("this log was closed")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _outcome(self, doing: Future[_Result], seconds: float, *, waited: float = 0.0) -> _Result:
        try:
            return doing.result(max(0.0, seconds - waited))
        except TimeoutError as error:
            doing.cancel()
            raise ChannelUnavailableError(f"no broker answered within {seconds:.0f} seconds") from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # The library and we trust the form of an answer; one of another form must not end a worker.
            raise ChannelUnavailableError(f"a broker's answer is of a wrong form ({type(error).__name__})") from error

    async def _end(self) -> None:
        await self._reading.close()
        await self._writing.close()
        await self._topics.close()
        await goodbye()

    async def _cut(self) -> None:
        """End whatever did not end by itself: where nobody answers, nothing says goodbye."""
        for each in _transports(self._loop):
            each.abort()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def _is_called_away(doing: Future[Any], until: Until, seconds: float) -> bool:
    """Wait until something is done, for so long at the most; tell whether there was something better to do before."""
    end = time.monotonic() + seconds
    waiting, done = socket.socketpair()
    with waiting, done:
        doing.add_done_callback(lambda _: _told(done))
        while not doing.done() and (left := end - time.monotonic()) > 0:
            pause = min(left, _LOOK_SECONDS) if until.fileno() < 0 else left
            readable([waiting.fileno(), until.fileno()], pause)
            if not doing.done() and until():
                return True
    return False


def _told(done: socket.socket) -> None:
    # Whoever waited may be gone by now.
    with suppress(OSError):
        done.send(b"\0")
