"""The command worker: the process of a participant that signs, sends and receives, until it is told to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from services.post.console import Config

if TYPE_CHECKING:
    from services.post.office import Office
    from services.post.settings import ParticipantSettings
    from services.post.worker import Worker

__all__ = ["add_worker"]


def add_worker(app: typer.Typer, office_of: Callable[[Path | None, bool], Office]) -> None:
    """Add the command worker."""

    @app.command()
    def worker(config: Config = None) -> None:
        """Sign, send and receive until told to stop (Ctrl-C or SIGTERM)."""
        from services.post.lease import LEASE, lease
        from services.post.settings import load_settings
        from services.post.worker import Worker

        stop = threading.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: stop.set())
        settings = load_settings(config)
        with lease(settings.folder / LEASE):
            # Built under the lease: until then another worker writes what stands in the folder, the ring file above all.
            office = office_of(config, True)
            running = Worker(office)
            try:
                with _health(settings, running):
                    typer.echo(f"{office.participant}: working", err=True)
                    running.work(stop)
            finally:
                if office.channel is not None:
                    office.channel.close()


def _health(settings: ParticipantSettings, worker: Worker) -> AbstractContextManager[object]:
    """Open the endpoint by which a worker is watched, where settings name an address for it."""
    if settings.health is None:
        return nullcontext()
    from services.post.health import Health, View

    office = worker.office
    view = View(folder=settings.folder, participant=office.participant, pulse=worker.pulse, clock=office.clock)
    return Health(settings.health.address, view)
