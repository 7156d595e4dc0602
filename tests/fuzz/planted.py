"""Faults of our own, one for each thing that a run watches; what a test expects to be found, and nothing of the product."""

from __future__ import annotations

from typing import Final

from tests.fuzz.target import Target, raw_only

__all__ = ["CRASH", "GROWTH", "HANG", "MEMORY"]

_KEPT: Final[list[bytes]] = []


def _crash(data: bytes) -> bool:
    if len(data) > 8:
        raise KeyError(data[8])
    return True


def _hang(data: bytes) -> bool:
    while len(data) > 8:
        pass
    return True


def _memory(data: bytes) -> bool:
    _KEPT.append(data[:0])
    return bool(len(_KEPT) < 5_000 or b"x" * (200 * 2**20))


def _growth(data: bytes) -> bool:
    _KEPT.extend(bytes([0, *data[:4]]) for _ in range(3))
    return True


CRASH: Final = Target(name="crash", about="", seeds=lambda: [b"seed"], check=_crash, mutate=raw_only, limit_bytes=64)
HANG: Final = Target(name="hang", about="", seeds=lambda: [b"seed"], check=_hang, mutate=raw_only, limit_bytes=64)
MEMORY: Final = Target(name="memory", about="", seeds=lambda: [b"seed"], check=_memory, mutate=raw_only, limit_bytes=64)
GROWTH: Final = Target(name="growth", about="", seeds=lambda: [b"seed"], check=_growth, mutate=raw_only, limit_bytes=64)
