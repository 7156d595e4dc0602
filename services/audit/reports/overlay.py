"""Overlay: facts that stand in no log, added by whoever replays; a school must not be asked for them.

A CSV file with the columns ``case,fact,value``: the commission's number of the case (``common_case`` of the views), the name of
a fact of ``services.policy.models``, and yes or no, a whole number, or a word of that fact. The log is never overruled by it.
Source: domain.md B.4, "Extra facts".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final
from uuid import UUID

from services.policy.models import FACTS, Impairment, Work
from services.policy.rules import Group
from services.wire.errors import RefusedError
from services.wire.hashing import digest_of

__all__ = ["NO_OVERLAY", "Overlay", "read_overlay"]

_COLUMNS: Final = ["case", "fact", "value"]
_TRUTHS: Final = {"yes": True, "no": False}
_WORDS: Final[Mapping[str, type[Enum]]] = {"group": Group, "impairment": Impairment, "work": Work}
_NUMBERS: Final = ("age", "hours_per_week", "training_hours")
_DIGITS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """Facts by the commission's number of a case; ``digest`` of the file's bytes, which a replay names."""

    facts: Mapping[UUID, Mapping[str, Any]]
    digest: str = ""


NO_OVERLAY: Final = Overlay(facts={})


def read_overlay(content: bytes) -> Overlay:
    """Return what a file adds.

    Raises: RefusedError with the line that cannot be read, never with what stands in it.
    """
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        if next(rows, None) != _COLUMNS:
            raise RefusedError(f"The overlay's first line is not {','.join(_COLUMNS)}.")
        facts: dict[UUID, dict[str, Any]] = {}
        for row in rows:
            if not row:
                continue
            case, name, value = _read(row, rows.line_num)
            if name in facts.setdefault(case, {}):
                raise RefusedError(f"Line {rows.line_num} of the overlay says once more what a line before it says.")
            facts[case][name] = value
    except (UnicodeDecodeError, csv.Error) as error:
        raise RefusedError("The overlay is no CSV file in UTF-8.") from error
    return Overlay(facts=facts, digest=digest_of(content).hex())


def _read(row: list[str], line: int) -> tuple[UUID, str, Any]:
    if len(row) != len(_COLUMNS):
        raise RefusedError(f"Line {line} of the overlay has not {len(_COLUMNS)} columns.")
    case, name, value = (each.strip() for each in row)
    if name not in FACTS:
        raise RefusedError(f"Line {line} of the overlay names no fact that a model asks for; there are {', '.join(FACTS)}.")
    try:
        return UUID(case), name, _reader(name)(value)
    except (KeyError, ValueError):
        raise RefusedError(f"Line {line} of the overlay cannot be read: a case's number, a fact, and {_wanted(name)}.") from None


def _reader(name: str) -> Callable[[str], Any]:
    if name in _WORDS:
        return _WORDS[name]
    return _number if name in _NUMBERS else lambda value: _TRUTHS[value.lower()]


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= _DIGITS):
        raise ValueError
    return int(value)


def _wanted(name: str) -> str:
    if name in _WORDS:
        return "one of " + ", ".join(str(each.value) for each in _WORDS[name])
    return "a whole number" if name in _NUMBERS else "yes or no"
