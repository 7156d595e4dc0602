"""Expertise files in a CSV file that another system writes anew, read at each look-up.

In UTF-8, with the columns ``personal_code``, ``opinion_on`` and ``opinion_until``, one line a file; days as YYYY-MM-DD, empty
where there is no opinion, or where it has no term.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.commission.adapters.expertise_rows import file_of, same_code
from services.commission.expertise import ExpertiseFile
from services.wire.errors import SettingsError

__all__ = ["CsvRegister"]

_COLUMNS: Final = ["personal_code", "opinion_on", "opinion_until"]


@dataclass(frozen=True, slots=True)
class CsvRegister:
    """The register in one file."""

    path: Path

    def look_up(self, personal_code: str) -> ExpertiseFile | None:
        """As the port's."""
        try:
            found = [(line, row) for line, row in self._rows() if same_code(row["personal_code"], personal_code)]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            # Without the library's own sentence: it may quote the line.
            raise SettingsError(f"{self.path.name} cannot be read as a register of expertise files") from error
        if len(found) > 1:
            raise SettingsError(f"{self.path.name}: lines {found[0][0]} and {found[1][0]} are of one person; keep the newer one")
        if not found:
            return None
        line, row = found[0]
        return file_of(row["opinion_on"], row["opinion_until"], place=f"{self.path.name}: line {line}")

    def _rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if rows.fieldnames != _COLUMNS:
                raise SettingsError(f"{self.path.name}: line 1: the columns have to be {', '.join(_COLUMNS)}")
            for row in rows:
                if None in row or None in row.values():
                    raise SettingsError(f"{self.path.name}: line {rows.line_num}: has not three values")
                yield rows.line_num, row
