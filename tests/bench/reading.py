"""What reading a channel costs: the chain-only pass, full verification, and the whole rule at once."""

from __future__ import annotations

import hashlib
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
from tests.bench.measuring import paired, say, seconds
from tests.chains import CHANNEL, ROOT, Pen, seal_of, trust

__all__ = ["chain_only", "full", "oracle", "written"]

ENTRIES: Final = 1500
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
    found = paired(bare, lambda: check_chain_unsigned(records, start), rounds=301)
    say("chain-only pass against bare SHA-256", found.ratio, ">= 0.60", f"{len(records) / found.seconds:,.0f} entries/s")


def full(records: list[bytes]) -> None:
    """Compare following a channel in batches, every signature checked, with the library's bare verification; one thread."""
    key, algorithm = seal_of("old").certificate.public_key, ec.ECDSA(SHA256())
    pairs = [(entry.signature, to_be_signed(entry.statement_bytes)) for entry in map(decode_entry, records)]

    def bare() -> None:
        for signature, data in pairs:
            key.verify(signature, data, algorithm)

    def following() -> None:
        finder = Pathfinder(channel=CHANNEL, root=ROOT, trust=trust())
        follower, _ = Follower.at(finder, load=list, holds=lambda _: False)
        batches = (records[begin : begin + BATCH] for begin in range(0, len(records), BATCH))
        assert sum(len(follower.offer(batch).new) for batch in batches) == len(records)

    found = paired(bare, following, rounds=15)
    say("full verification against bare ECDSA", found.ratio, ">= 0.80", f"{len(records) / found.seconds:,.0f} entries/s")


def oracle(records: list[bytes]) -> None:
    """Tell how fast the whole rule judges all records of a channel at once."""

    def whole() -> None:
        candidates, _ = gather(records, CHANNEL)
        judge(Pathfinder(channel=CHANNEL, root=ROOT, trust=trust()), candidates)

    took = min(seconds(whole) for _ in range(2))
    say("the whole rule over a chain, as a start judges it", 1.0, "-", f"{len(records) / took:,.0f} entries/s")
