"""The only place that builds and wires the commission's objects."""

from __future__ import annotations

from pathlib import Path

from services.commission.application import Commission
from services.commission.domain.receiving import CommissionDomain
from services.post.building import Clock, build_office, milliseconds
from services.post.joining import join_exchange
from services.post.settings import KafkaSettings, load_settings
from services.wire.channels import COMMISSION, Role

__all__ = ["build", "join"]


def build(config: Path | None, *, working: bool = False, clock: Clock = milliseconds) -> Commission:
    """Return the commission that a settings file describes; only a working one signs and reaches the log."""
    return Commission(
        build_office(load_settings(config), Role.COMMISSION, lambda _: CommissionDomain(), working=working, clock=clock)
    )


def join(folder: Path, *, log: Path | KafkaSettings, root: Path, organisation: str, name: str) -> tuple[str, bytes]:
    """Make the commission's folder for an exchange that is there; return its id and its certificate request.

    Raises: as ``join_exchange``.
    """
    return COMMISSION, join_exchange(folder, COMMISSION, log=log, root=root, organisation=organisation, name=name)
