"""Admitted auditors: who can be decided on, or shown anything, at all."""

from __future__ import annotations

from services.post.office import Office
from services.wire.channels import Role
from services.wire.errors import RefusedError
from services.wire.trust import Participant

__all__ = ["admitted_auditor"]


def admitted_auditor(office: Office, auditor: str) -> Participant:
    """Return an auditor that the registrar has admitted. Raises: RefusedError if there is none of this id, or it was removed."""
    found = office.trust.participants.get(auditor)
    if found is None or found.role is not Role.AUDITOR:
        raise RefusedError(f"{auditor}: no auditor of this id is admitted; `auditors` lists those who are.")
    if found.removed:
        raise RefusedError(f"{auditor} was removed by the registrar: it is given nothing, and nothing is to be decided.")
    return found
