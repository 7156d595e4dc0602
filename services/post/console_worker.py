"""The command worker: the process of a participant that signs, sends and receives, until it is told to stop."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from services.post.console import Config
from services.wire.errors import ExchangeError

if TYPE_CHECKING:
    from services.post.office import Office
    from services.post.settings import ParticipantSettings
    from services.post.worker import Worker

__all__ = ["add_worker"]

_logger = logging.getLogger(__name__)


def add_worker(app: typer.Typer, office_of: Callable[[Path | None, bool], Office]) -> None:
    """Add the command worker."""

    @app.command()
    def worker(config: Config = None) -> None:
        """Sign, send and receive until told to stop (Ctrl-C or SIGTERM)."""
        from services.post.logs import log_lines
        from services.post.settings import load_settings

        stop = threading.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: stop.set())
        settings = load_settings(config)
        with log_lines(settings.participant, form=settings.logging.format):
            code = _logged(lambda: _work(settings, lambda: office_of(config, True), stop))
        raise typer.Exit(code)


def _work(settings: ParticipantSettings, build: Callable[[], Office], stop: threading.Event) -> None:
    from services.post.lease import LEASE, lease
    from services.post.waking import WAKE
    from services.post.worker import Worker

    with lease(settings.folder / LEASE):
        # Built under the lease: until then another worker writes what stands in the folder, the ring file above all.
        office = build()
        running = Worker(office)
        try:
            with _health(settings, running), running.wakeups.listening(settings.folder / WAKE):
                _logger.info("%s: working", office.participant, extra={"event": "working"})
                running.work(stop)
        finally:
            if office.channel is not None:
                office.channel.close()


def _logged(work: Callable[[], None]) -> int:
    """Work, log how it ended, and return the exit code.

    Of a mistake in this program its kind and place are said, and not its text: that could be of anything, and anybody.
    """
    try:
        work()
    except ExchangeError as error:
        name = type(error).__name__.removesuffix("Error")
        _logger.error("%s", error, extra={"event": "ended", "error": name, "exit_code": error.exit_code})  # noqa: TRY400  # told
        return error.exit_code
    except Exception as error:
        name = type(error).__name__
        extra = {"event": "ended", "error": name, "exit_code": ExchangeError.exit_code}
        _logger.exception("a mistake in this program: %s", name, extra=extra)  # its kind, not its text
        return ExchangeError.exit_code
    _logger.info("stopped", extra={"event": "ended", "exit_code": 0})
    return 0


def _health(settings: ParticipantSettings, worker: Worker) -> AbstractContextManager[object]:
    """Open the endpoint by which a worker is watched, where settings name an address for it."""
    if settings.health is None:
        return nullcontext()
    from services.post.health import Health, View

    office = worker.office
    view = View(settings.folder, office.participant, worker.pulse, office.clock, settings.tls)
    return Health(settings.health.address, view)
