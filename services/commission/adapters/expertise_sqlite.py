"""Expertise files in a SQLite database that another system keeps; it is opened for reading alone.

In the table ``expertise_files`` with the columns ``personal_code`` (its primary key), ``opinion_on`` and ``opinion_until``; days
as YYYY-MM-DD, NULL where there is no opinion, or where it has no term.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from services.commission.adapters.expertise_rows import file_of
from services.commission.expertise import ExpertiseFile
from services.wire.errors import SettingsError

__all__ = ["SqliteRegister"]


@dataclass(frozen=True, slots=True)
class SqliteRegister:
    """The register in one database."""

    path: Path

    def look_up(self, personal_code: str) -> ExpertiseFile | None:
        """As the port's."""
        query = "SELECT opinion_on, opinion_until FROM expertise_files WHERE personal_code IN (?, ?)"
        written = (personal_code, f"{personal_code[:6]}-{personal_code[6:]}")
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as database:
                found = database.execute(query, written).fetchall()
        except sqlite3.Error as error:
            raise SettingsError(f"{self.path.name} cannot be read as a register of expertise files") from error
        if len(found) > 1:
            raise SettingsError(f"{self.path.name}: two rows are of one person; keep the newer one")
        return file_of(found[0][0], found[0][1], place=f"{self.path.name}: a row") if found else None
