"""Expertise files in memory: for tests and rehearsals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.commission.expertise import ExpertiseFile

__all__ = ["MemoryRegister"]


@dataclass(frozen=True, slots=True)
class MemoryRegister:
    """The files by personal code."""

    files: Mapping[str, ExpertiseFile]

    def look_up(self, personal_code: str) -> ExpertiseFile | None:
        """As the port's."""
        return self.files.get(personal_code)
