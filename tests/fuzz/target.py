"""What a fuzz target is: where it begins, what it checks of one input, and how it changes inputs without breaking their shell.

A check returns whether the product took the input. It lets an exception through for anything that the product does not
document: that is a finding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, TypeAlias

from services.wire.errors import ExchangeError

__all__ = ["FindingError", "Mutate", "Raw", "Target", "raw_only", "refused", "require"]

Raw: TypeAlias = Callable[[bytes, int], bytes]
"""The fuzzer's own change of bytes that no format binds: the bytes, and how many there may be."""

Mutate: TypeAlias = Callable[[bytes, Random, Raw], bytes]
"""A change that knows the format: it alters what lies inside, and makes lengths, digests, seals and signatures right again."""

# Whatever a stranger sends is told in one line of a log; it must not fill it.
_TEXT_LIMIT: Final = 600


class FindingError(AssertionError):
    """The product did with an input what it must not do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One entrance of the product. ``limit_bytes`` is how long an input may be."""

    name: str
    about: str
    seeds: Callable[[], list[bytes]]
    check: Callable[[bytes], bool]
    mutate: Mutate
    limit_bytes: int


def raw_only(data: bytes, _: Random, raw: Raw) -> bytes:
    """Change bytes and nothing else."""
    return raw(data, len(data) + 64)


def require(holds: object, what: str) -> None:
    """Return if something holds that must hold of every input.

    Raises: FindingError.
    """
    if not holds:
        raise FindingError(what)


def refused(error: ExchangeError) -> bool:
    """Return False: not taken, for a documented reason that fits into one line of a log and a terminal."""
    text = str(error)
    require(text.isprintable(), f"{type(error).__name__} tells what a terminal would obey")
    require(len(text) <= _TEXT_LIMIT, f"{type(error).__name__} tells {len(text)} characters")
    return False
