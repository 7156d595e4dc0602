"""What reading a channel costs: the chain-only pass, full verification, and the whole rule at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from services.wire.candidates import gather
from services.wire.chain import check_chain_unsigned
from services.wire.entry import decode_entry, to_be_signed
from services.wire.following import Follower
from services.wire.hashing import genesis_digest
from services.wire.paths import Pathfinder
from services.wire.reading import judge
from tests.bench.measuring import in_turn, of_pairs, paired, say, seconds
from tests.chains import CHANNEL, ROOT, Pen, seal_of, trust

__all__ = ["chain_only", "full", "oracle", "written"]

ENTRIES: Final = 3000
BATCH: Final = 500


def written() -> list[bytes]:
    """Return a chain of sealed entries."""
    pen = Pen(CHANNEL, seal_of("old"))
    return [pen.opened(), *(pen.sealed() for _ in range(ENTRIES))]


def chain_only(records: list[bytes]) -> None:
    """Compare the chain-only pass with hashing the same bytes."""
    signed = [to_be_signed(decode_entry(record).statement_bytes) for record in records]

    def bare() -> None:
        sha256 = hashlib.sha256
        for each in signed:
            sha256(each).digest()

    start = genesis_digest(ROOT.digest, CHANNEL)
    found = paired(bare, lambda: check_chain_unsigned(records, start), rounds=151)
    say("chain-only pass against bare SHA-256", found.ratio, ">= 0.60", f"{len(records) / found.seconds:,.0f} entries/s")


def full(records: list[bytes]) -> None:
    """Compare following a channel in batches, every signature checked, with the library's bare verification; one thread."""
    found = of_pairs(pair for number in range(10) for pair in _followed(records, is_second_first=bool(number % 2)))
    say("full verification against bare ECDSA", found.ratio, ">= 0.80", f"{BATCH / found.seconds:,.0f} entries/s")


def _followed(records: list[bytes], *, is_second_first: bool) -> Iterator[tuple[float, float]]:
    """Follow a channel from its first entry, and yield what each whole batch took by the library alone and by us."""
    key, algorithm = seal_of("old").certificate.public_key, ec.ECDSA(SHA256())
    follower, _ = Follower.at(Pathfinder(channel=CHANNEL, root=ROOT, trust=trust()), load=list, holds=lambda _: False)

    def bare(pairs: list[tuple[bytes, bytes]]) -> None:
        for signature, data in pairs:
            key.verify(signature, data, algorithm)

    def following(batch: list[bytes]) -> None:
        assert len(follower.offer(batch).new) == BATCH

    for begin in range(0, len(records) - BATCH + 1, BATCH):
        batch = records[begin : begin + BATCH]
        pairs = [(entry.signature, to_be_signed(entry.statement_bytes)) for entry in map(decode_entry, batch)]
        yield in_turn(partial(bare, pairs), partial(following, batch), is_second_first=is_second_first)


def oracle(records: list[bytes]) -> None:
    """Tell how fast the whole rule judges all records of a channel at once."""

    def whole() -> None:
        candidates, _ = gather(records, CHANNEL)
        judge(Pathfinder(channel=CHANNEL, root=ROOT, trust=trust()), candidates)

    took = min(seconds(whole) for _ in range(2))
    say("the whole rule over a chain, as a start judges it", 1.0, "-", f"{len(records) / took:,.0f} entries/s")
