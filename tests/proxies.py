"""A way between clients and a server of this machine that does what networks do: it is cut, falls silent, is slow.

Bytes are passed on as they come, whatever they are. What has lost a byte stays silent for good: no stream goes on behind a hole.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

__all__ = ["CLEAR", "Proxy", "Weather", "proxies"]

_PIECE_BYTES: Final = 4096
_HOST: Final = "127.0.0.1"


class Direction(Enum):
    """Which way bytes go."""

    UP = "to the server"
    DOWN = "to the client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What a way is like now: which directions arrive, how long a piece takes, how much fits through it."""

    arrives: frozenset[Direction] = frozenset(Direction)
    delay_seconds: float = 0.0
    bytes_per_second: float = float("inf")


CLEAR: Final = Weather()
_SILENT: Final = Weather(arrives=frozenset())
_DEAF: Final = Weather(arrives=frozenset({Direction.UP}))


class Proxy:
    """Listens at ``port`` and leads to ``target``, a port of this machine; in a thread of its own until it is closed."""

    def __init__(self) -> None:
        self.target = 0
        self.weather = CLEAR
        self.passed = dict.fromkeys(Direction, 0)
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server: asyncio.Server | None = self._do(asyncio.start_server(self._lead, _HOST, 0))
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """End all connections and refuse new ones, as where a machine or a cable is gone."""
        self._do(self._cut())

    def fall_silent(self) -> None:
        """Take everything and pass nothing on, without a word to either side: connections are half-open from now on."""
        self.weather = _SILENT

    def swallow_answers(self) -> None:
        """Let everything arrive, and none of its answers."""
        self.weather = _DEAF

    def be_slow(self, *, delay_seconds: float, bytes_per_second: float) -> None:
        """Let each piece come late, and few bytes a second of each connection and direction."""
        self.weather = Weather(delay_seconds=delay_seconds, bytes_per_second=bytes_per_second)

    def heal(self) -> None:
        """Be a good way again, for new connections: those that lost something stay lost."""
        self.weather = CLEAR
        self._do(self._listen())

    def close(self) -> None:
        """End everything, and the thread."""
        self._do(self._cut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._lead, _HOST, self.port)

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for writer in self._open:
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection(_HOST, self.target)
        except OSError:
            # Nobody is there: as without us.
            writer.transport.abort()
            return
        ends = {writer, server_writer}
        self._open |= ends
        try:
            await asyncio.gather(
                self._pass(reader, server_writer, Direction.UP), self._pass(server_reader, writer, Direction.DOWN)
            )
        finally:
            self._open -= ends
            for each in ends:
                each.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction) -> None:
        lost = False
        with suppress(OSError):
            while data := await reader.read(_PIECE_BYTES):
                weather = self.weather
                lost = lost or direction not in weather.arrives
                if lost:
                    continue
                await asyncio.sleep(weather.delay_seconds + len(data) / weather.bytes_per_second)
                self.passed[direction] += len(data)
                writer.write(data)
                await writer.drain()
        # Nor does the end arrive of what has lost something; but who ends it himself leaves nothing behind here.
        if not lost or direction is Direction.UP:
            writer.close()


@contextmanager
def proxies(number: int) -> Iterator[list[Proxy]]:
    """Begin so many proxies, and end them."""
    begun = [Proxy() for _ in range(number)]
    try:
        yield begun
    finally:
        for each in begun:
            each.close()
