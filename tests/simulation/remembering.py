"""Remembering what is pure and costs time: of thousands of seeds, all parse the same schemas and the same certificates.

The functions stay the product's own; only asking them twice is saved. A seed gives the same trace without it, to the byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from services.wire import paths, records, trust
from services.wire.certificates import Certificate, Root, verify_path
from services.wire.foreign_schema import check_schema

__all__ = ["remember"]


def remember() -> None:
    """Let this process remember, for good: it is for processes that do nothing but run seeds."""
    checked, verified = cache(check_schema), cache(verify_path)

    def verified_path(certificates: Sequence[bytes], root: Root, *, policy: str) -> Certificate:
        return verified(tuple(certificates), root, policy=policy)

    vars(trust)[check_schema.__name__] = vars(records)[check_schema.__name__] = checked
    vars(paths)[verify_path.__name__] = verified_path
