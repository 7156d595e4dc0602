"""The table of fuzz targets; each is imported only where it is fuzzed or replayed."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from tests.fuzz.target import Target

__all__ = ["PLANTED", "TARGETS", "load_target"]

TARGETS: Final[dict[str, str]] = {
    "entry": "entries",
    "statement": "entries",
    "contents": "contents",
    "events": "events",
    "sealed": "sealed",
    "grants": "grants",
    "disclosures": "disclosures",
    "proofs": "proofs",
    "schemas": "schemas",
    "certificates": "certificates",
    "forms": "forms",
    "acts": "acts",
    "reading": "reading",
}
"""Each target's name, and the module beside this one that has it."""

PLANTED: Final[dict[str, str]] = dict.fromkeys(("crash", "hang", "memory", "growth"), "planted")
"""Faults of our own, by which a test sees that faults are found; fuzzed only when they are named."""


def load_target(name: str) -> Target:
    """Return a target by its name.

    Raises: KeyError if there is none of that name.
    """
    found = getattr(import_module(f"tests.fuzz.{(TARGETS | PLANTED)[name]}"), name.upper())
    if not isinstance(found, Target):
        raise TypeError(f"{name} is no target")
    return found
