"""Founding a whole embedded exchange: registrar, commission and schools out of the same use cases as one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from services.auditor.bootstrap import require_auditor_id
from services.desk.ground import FileGround, Ground
from services.policy.fields import SchoolNumber
from services.post.building import Clock, make_folder, milliseconds, write_settings
from services.post.publishing import send_once, sign_once
from services.post.ring import write_durably
from services.registrar.application import Registrar
from services.registrar.bootstrap import found, issue
from services.wire.channels import COMMISSION, REGISTRAR, Role
from services.wire.errors import SettingsError
from services.wire.issuing import Request

__all__ = ["Made", "found_exchange"]

_REGISTRAR: Final = ("NTRLV-90000000009", "Paraugpilsētas sarakstes reģistrs")
_AUDITOR: Final = ("NTRLV-90000000007", "Paraugvalsts revīzija")
_COMMISSION: Final = ("NTRLV-90000000008", "Valsts medicīnas komisija")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Something that was made: its path from the folder above the exchange, and what it is."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


def found_exchange(
    folder: Path,
    schools: Sequence[str],
    *,
    auditors: Sequence[str] = (),
    ground: Ground | None = None,
    clock: Clock = milliseconds,
) -> Iterator[Made]:
    """Make the exchange and yield each thing that was made; its log stands on ``ground``, by default on a file in the folder.

    Raises: SettingsError if there is one already, or a school number or an auditor's id is none or is given twice; nothing is
    made then.
    """
    try:
        TypeAdapter(list[SchoolNumber]).validate_python(list(schools))
    except ValidationError as error:
        raise SettingsError(f"--school {error.errors(include_input=False)[0]['msg']}") from None
    if len(set(schools)) != len(schools):
        raise SettingsError("--school names a school twice; give each number once")
    _require_auditors(auditors)
    if (folder / "root.pem").exists():
        beginning = "or the beginning of one, if `init` was interrupted: such a beginning may be removed and made again"
        raise SettingsError(f"{folder.name} holds an exchange already, {beginning}")
    ground = ground or FileGround(folder)
    registrar = found(folder, organisation=_REGISTRAR[0], name=_REGISTRAR[1], log=ground.settings(REGISTRAR), clock=clock)
    yield Made(path=f"{folder.name}/root.pem", what="the root certificate, all that a verifier needs")
    _born(registrar, folder, ground, COMMISSION, Role.COMMISSION, *_COMMISSION)
    yield Made(path=f"{folder.name}/{COMMISSION}", what="the commission")
    for number in schools:
        name = f"school-{number}"
        _born(registrar, folder, ground, name, Role.SCHOOL, f"NTRLV-{number}", f"Skola {number}")
        yield Made(path=f"{folder.name}/{name}", what="a school")
    for name in auditors:
        _born(registrar, folder, ground, name, Role.AUDITOR, *_AUDITOR)
        yield Made(path=f"{folder.name}/{name}", what="an auditor")
    while sign_once(registrar.office):
        pass
    ground.prepare(tuple(registrar.office.trust.participants.values()))
    while send_once(registrar.office):
        pass
    if registrar.office.channel is not None:
        registrar.office.channel.close()
    yield Made(path=ground.name, what="the log, with all of them admitted")


def _require_auditors(auditors: Sequence[str]) -> None:
    for each in auditors:
        require_auditor_id(each, option="--auditor")
    if len(set(auditors)) != len(auditors):
        raise SettingsError("--auditor names an auditor twice; give each id once")


def _born(
    registrar: Registrar, folder: Path, ground: Ground, name: str, role: Role, organisation: str, title: str
) -> None:  # what somebody is
    key = make_folder(folder / name)
    request = Request(public_key=key.public_key(), organisation=organisation, name=title)
    write_durably(folder / name / "certificate.pem", issue(folder / REGISTRAR, request, clock=registrar.office.clock))
    write_settings(folder / name, name, log=ground.settings(name), root="../root.pem")
    registrar.admit(name, role, organisation, title)
