"""Who takes part in random histories: two fictional pupils with both their codes, and those around them.

The first is a child whose old code was followed by a new one, the second comes of age in autumn. No code can belong to a living
person (``tests.people``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

__all__ = ["ASSISTANTS", "HOMES", "MEDICAL", "PUPILS", "Pupil", "person"]

MEDICAL: Final = "diagnoze"
"""Stands in every text of the commission about a pupil's health, and so nowhere that a school sees."""

HOMES: Final = ("Izdomu iela 7-12, Paraugpilsēta", "Jaunā iela 1, Paraugpilsēta")
ASSISTANTS: Final = (("Maija", "Palīdze", "32000000211"), ("Toms", "Atbalstnieks", "32000000222"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pupil:
    """A pupil, the representative, and another one who may take that one's place."""

    name: tuple[str, str]
    born_on: date
    codes: tuple[str, str]
    mistyped: str
    represented_by: tuple[tuple[str, str, str], tuple[str, str, str]]

    @property
    def all_codes(self) -> frozenset[str]:
        """Return every code by which the pupil may be named."""
        return frozenset({*self.codes, self.mistyped})


PUPILS: Final = (
    Pupil(
        name=("Roberts", "Izdomenieks"),
        born_on=date(2018, 2, 3),
        codes=("03021829015", "32000000044"),
        mistyped="32000000055",
        represented_by=(("Andris", "Izdomenieks", "23086209018"), ("Velta", "Jaunaizbildne", "32000000165")),
    ),
    Pupil(
        name=("Rihards", "Pilngadnieks"),
        born_on=date(2008, 10, 2),
        codes=("32000000088", "33000000044"),
        mistyped="32000000089",
        represented_by=(("Aija", "Pilngadniece", "32000000176"), ("Ojārs", "Aizbildnis", "32000000187")),
    ),
)


def person(given_name: str, family_name: str, code: str) -> dict[str, Any]:  # fields of a form
    """Return a person as a form names them, at home."""
    home = {"text": HOMES[0], "postal_code": "LV-1099"}
    return {"given_name": given_name, "family_name": family_name, "personal_code": code, "declared_address": home}
