"""The only place that builds and wires a school's objects."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from services.policy.fields import SchoolNumber
from services.post.building import Clock, build_office, milliseconds
from services.post.database import Database
from services.post.joining import join_exchange
from services.post.settings import KafkaSettings, load_settings
from services.school.application import School
from services.school.domain.receiving import SchoolDomain
from services.wire.channels import Role
from services.wire.errors import SettingsError

__all__ = ["build", "domain", "join"]


def build(config: Path | None, *, working: bool = False, clock: Clock = milliseconds, elsewhere: Path | None = None) -> School:
    """Return the school that a settings file describes; only a working one signs and reaches the log.

    ``elsewhere`` is as for ``build_office``.
    """
    settings = load_settings(config)

    def rules(database: Database) -> SchoolDomain:
        return domain(database, escalation_contact=settings.school.escalation_contact)

    return School(build_office(settings, Role.SCHOOL, rules, working=working, clock=clock, elsewhere=elsewhere), settings.school)


def join(folder: Path, number: str, *, log: Path | KafkaSettings, root: Path, organisation: str, name: str) -> tuple[str, bytes]:
    """Make a school's folder for an exchange that is there; return its id and its certificate request.

    Raises: SettingsError if ``number`` is no school's; as ``join_exchange``.
    """
    try:
        TypeAdapter(SchoolNumber).validate_python(number)
    except ValidationError as error:
        raise SettingsError(f"--number {error.errors(include_input=False)[0]['msg']}") from None
    participant = f"school-{number}"
    return participant, join_exchange(folder, participant, log=log, root=root, organisation=organisation, name=name)


def domain(database: Database, *, escalation_contact: str | None = None) -> SchoolDomain:
    """Return the school's rules, with the look-up of its cases by the commission's number."""

    def own_case(case_id: UUID) -> UUID | None:
        row = database.one("SELECT case_id FROM cases WHERE counterpart_case = ?", case_id.hex)
        return UUID(row["case_id"]) if row else None

    return SchoolDomain(own_case, escalation_contact=escalation_contact)
