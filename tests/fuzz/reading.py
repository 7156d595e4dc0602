"""The reading rule: bytes that decide how a channel's story goes, and in which order and batches a reader sees it."""

from __future__ import annotations

import random
from typing import Final

from services.wire.channels import TRUST_CHANNEL
from tests.chains import CHANNEL
from tests.fuzz.target import Target, raw_only
from tests.stories import told
from tests.unit.test_following import lived

__all__ = ["READING"]


_NEVER: Final = 0.999


class _Steered(random.Random):
    """Draws what the input says, so that the fuzzer decides; when that is used up, the first of all choices and no chance."""

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self.data, self.at = data, 0

    def getrandbits(self, count: int, /) -> int:
        size = (count + 7) // 8
        drawn = self.data[self.at : self.at + size].ljust(size, b"\x00")
        self.at += size
        return int.from_bytes(drawn, "little") & ((1 << count) - 1)

    def random(self) -> float:
        return self.getrandbits(8) / 256 if self.at < len(self.data) else _NEVER


def _seeds() -> list[bytes]:
    rng = random.Random(2026)  # noqa: S311  # stories, no secrets
    return [bytes([at % 2]) + rng.randbytes(200) for at in range(40)]


def _check(data: bytes) -> bool:
    """Let a reader live through the story; at each step it says what the oracle says of all it has seen, or this raises."""
    channel = TRUST_CHANNEL if data[:1] == b"\x01" else CHANNEL
    rng = _Steered(data[1:])
    return bool(lived(told(rng, channel), channel, rng).applied)


READING: Final = Target(
    name="reading",
    about="a channel's records, in any order",
    seeds=_seeds,
    check=_check,
    mutate=raw_only,
    limit_bytes=512,
)
