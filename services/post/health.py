"""The health of a worker over HTTP: /healthz, /readyz and /metrics, for who watches it.

Threads of its own, so that nobody who asks, however slowly or often, holds a step of the worker: at most so many requests at
once, each with a time in which it is over; one look into the database for all who ask within a few seconds. Nothing of a request
is written anywhere or said back.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any, Final, NamedTuple, Self

from services.post.database import Database
from services.post.lease import LEASE
from services.post.metrics import CONTENT_TYPE, metrics_page
from services.post.pulse import Pulse
from services.post.status import Status, look
from services.wire.errors import DatabaseError, ExchangeError, SettingsError

__all__ = ["STEP_LIMIT_SECONDS", "Health", "View"]

_logger = logging.getLogger(__name__)

STEP_LIMIT_SECONDS: Final = 600.0
"""A worker in which no step began for so long stands still; every call to a log or a database has a limit far below."""

_AT_ONCE: Final = 8
_REQUEST_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 5.0
_SAME_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.2
_TEXT: Final = "text/plain; charset=utf-8"


class _Answer(NamedTuple):
    code: int
    body: bytes
    kind: str = _TEXT


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: a worker's pulse, its participant's database in ``folder``, and its client certificate if it has one."""

    folder: Path
    participant: str
    pulse: Pulse
    clock: Callable[[], int]
    tls: Path | None = None

    def status(self) -> Status:
        """Return the participant's status.

        Raises: ExchangeError if the database does not answer, or is not the one that this program needs.
        """
        path = self.folder / "database.sqlite"
        if not path.exists():
            # Opening would make one.
            raise DatabaseError(f"{path.name} is gone")
        with closing(Database(path, busy_timeout_seconds=1.0)) as database:
            database.require_current()
            return look(database, self.participant, now=self.clock(), lease=self.folder / LEASE, tls=self.tls)


class Health:
    """The endpoint of one worker, open while inside ``with``. ``address`` is where it listens.

    Raises: SettingsError if it cannot listen there.
    """

    def __init__(self, address: tuple[str, int], view: View, *, request_seconds: float = _REQUEST_SECONDS) -> None:
        self._view = view
        self._lock = threading.Lock()
        self._looked: tuple[float, Future[Status]] | None = None
        routes = {"/healthz": self._healthz, "/readyz": self._readyz, "/metrics": self._metrics}
        try:
            self._server = _Server(address, routes, request_seconds)
        except OSError as error:
            host = f"[{address[0]}]" if ":" in address[0] else address[0]
            name = "SARAKSTE_HEALTH__LISTEN (listen in the table health)"
            raise SettingsError(f"{name}: nothing can listen at {host}:{address[1]}: {error.strerror}") from error
        self._looker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="status")
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._looker.shutdown(cancel_futures=True)

    def _latest(self) -> Status | None:
        """Return the status of a moment ago, None if the database does not answer in time."""
        with self._lock:
            now = time.monotonic()
            if self._looked is None or (self._looked[1].done() and now - self._looked[0] > _SAME_SECONDS):
                self._looked = now, self._looker.submit(self._view.status)
            looking = self._looked[1]
        try:
            return looking.result(_LOOK_SECONDS)
        except (ExchangeError, TimeoutError):
            return None

    def _healthz(self) -> _Answer:
        seconds = self._view.pulse.silent_seconds
        if seconds < STEP_LIMIT_SECONDS:
            return _Answer(200, b"working\n")
        return _Answer(503, f"no step has begun for {seconds:.0f} seconds\n".encode("ascii"))

    def _readyz(self) -> _Answer:
        pulse, status = self._view.pulse, self._latest()
        missing = []
        if not pulse.is_started:
            missing.append("the start is not over")
        if pulse.waits_for is not None:
            missing.append(f"it waits for the {pulse.waits_for.value}")
        if status is None:
            missing.append("the database does not answer")
        elif not pulse.is_of(status.lease):
            missing.append("the lease is not held")
        return _Answer(503, f"not ready: {', '.join(missing)}\n".encode("ascii")) if missing else _Answer(200, b"ready\n")

    def _metrics(self) -> _Answer:
        return _Answer(200, metrics_page(self._latest(), self._view.pulse), CONTENT_TYPE)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 16

    def __init__(self, address: tuple[str, int], routes: dict[str, Callable[[], _Answer]], request_seconds: float) -> None:
        self.routes = routes
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._request_seconds = request_seconds
        self._open: dict[Any, float] = {}
        self._guard = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind, and ask no name server who this is, as the library would."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own; beyond so many at once a connection is closed."""
        with self._guard:
            has_room = len(self._open) < _AT_ONCE
            if has_room:
                self._open[request] = time.monotonic()
        if has_room:
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and make room for another one."""
        with self._guard:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """End what takes too long: who sends a letter a second would stay for ever."""
        now = time.monotonic()
        with self._guard:
            late = [each for each, since in self._open.items() if now - since > self._request_seconds]
        for each in late:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke: it is the business of who made it."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _REQUEST_SECONDS
    server: _Server

    def do_GET(self) -> None:  # the library's name
        route = self.server.routes.get(self.path, lambda: _Answer(404, b"there is /healthz, /readyz and /metrics\n"))
        try:
            answer = route()
        except Exception as error:  # noqa: BLE001  # the outermost of a thread: a bug of ours is said, and ends nothing
            # Without its text, which may be of anything.
            extra = {"event": "page-failed", "error": type(error).__name__}
            _logger.error("%s cannot be made: a mistake in this program", self.path, extra=extra)  # noqa: TRY400
            answer = _Answer(500, b"a mistake in this program\n")
        self._say(answer)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002  # the library's
        """Refuse a request without saying any of it back."""
        self._say(_Answer(code, b"refused\n"))

    def version_string(self) -> str:
        return "sarakste"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's name
        """Write nothing of a request."""

    def _say(self, answer: _Answer) -> None:
        self.send_response(answer.code)
        for name, value in (
            ("Content-Type", answer.kind),
            ("Content-Length", str(len(answer.body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)
