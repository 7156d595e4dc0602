"""The only place that builds and wires the commission's objects."""

from __future__ import annotations

from pathlib import Path

from services.commission.adapters.expertise_csv import CsvRegister
from services.commission.adapters.expertise_sqlite import SqliteRegister
from services.commission.application import Commission
from services.commission.domain.receiving import CommissionDomain
from services.commission.expertise import ExpertiseRegister
from services.commission.kinship import follow
from services.post.building import Clock, build_office, milliseconds
from services.post.joining import join_exchange
from services.post.settings import KafkaSettings, ParticipantSettings, load_settings
from services.wire.channels import COMMISSION, Role

__all__ = ["build", "join"]


def build(
    config: Path | None, *, working: bool = False, clock: Clock = milliseconds, elsewhere: Path | None = None
) -> Commission:
    """Return the commission that a settings file describes; only a working one signs and reaches the log.

    ``elsewhere`` is as for ``build_office``.
    """
    settings = load_settings(config)
    office = build_office(
        settings, Role.COMMISSION, lambda _: CommissionDomain(), working=working, clock=clock, elsewhere=elsewhere
    )
    office.after_saving = follow
    return Commission(office, _register(settings))


def join(folder: Path, *, log: Path | KafkaSettings, root: Path, organisation: str, name: str) -> tuple[str, bytes]:
    """Make the commission's folder for an exchange that is there; return its id and its certificate request.

    Raises: as ``join_exchange``.
    """
    return COMMISSION, join_exchange(folder, COMMISSION, log=log, root=root, organisation=organisation, name=name)


def _register(settings: ParticipantSettings) -> ExpertiseRegister | None:
    if settings.expertise is None:
        return None
    path = settings.path(settings.expertise)
    return CsvRegister(path) if path.suffix == ".csv" else SqliteRegister(path)
