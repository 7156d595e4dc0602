"""Admitted: which channels there are, by what the registrar said; no other list of them is kept."""

from __future__ import annotations

from services.wire.channels import REGISTRAR, Role, channels_of
from services.wire.trust import Trust

__all__ = ["channels_under"]


def channels_under(trust: Trust) -> list[str]:
    """Return the channels of everybody who was admitted, the registrar's apart."""
    schools = tuple(each.id for each in trust.participants.values() if each.role is Role.SCHOOL)
    return [
        channel
        for each in trust.participants.values()
        if each.id != REGISTRAR
        for channel in channels_of(each.id, each.role, schools)
    ]
