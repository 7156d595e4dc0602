"""The only place that builds and wires an auditor's objects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from services.auditor.application import Auditor
from services.auditor.mandates import EndingHeld
from services.auditor.vouching import checkpoint_once
from services.post.building import Clock, build_office, milliseconds
from services.post.joining import join_exchange
from services.post.office import Office
from services.post.settings import KafkaSettings, load_settings
from services.post.without_cases import WithoutCases
from services.wire.channels import Role, is_participant_id
from services.wire.errors import SettingsError

__all__ = ["build", "join", "require_auditor_id", "work_of_auditor"]

_PREFIX: Final = "auditor-"


def build(config: Path | None, *, working: bool = False, clock: Clock = milliseconds) -> Auditor:
    """Return the auditor that a settings file describes; only a working one signs and reaches the log."""
    settings = load_settings(config)
    office = build_office(settings, Role.AUDITOR, lambda _: WithoutCases(), working=working, clock=clock)
    office.besides = work_of_auditor()
    return Auditor(office)


def work_of_auditor() -> Callable[[Office], int]:
    """Return what an auditor's worker does besides post: a checkpoint a day, and the ends of mandates that are due."""
    ending = EndingHeld()
    return lambda office: checkpoint_once(office) + ending.end_once(office)


def join(folder: Path, participant: str, *, log: Path | KafkaSettings, root: Path, organisation: str, name: str) -> bytes:
    """Make an auditor's folder for an exchange that is there; return its certificate request.

    Raises: SettingsError if ``participant`` is no auditor's id; as ``join_exchange``.
    """
    require_auditor_id(participant, option="--id")
    return join_exchange(folder, participant, log=log, root=root, organisation=organisation, name=name)


def require_auditor_id(participant: str, *, option: str) -> None:
    """Return if this can be an auditor's id; ``option`` is where it was given. Raises: SettingsError."""
    if not participant.startswith(_PREFIX) or participant == _PREFIX or not is_participant_id(participant):
        raise SettingsError(f"{option}: an auditor's id is {_PREFIX} and small letters, digits and hyphens, 48 characters in all")
