"""The chain-only pass agrees with the full one about the chain, and says where it breaks."""

from __future__ import annotations

import pytest

from services.wire.chain import check_chain_unsigned
from services.wire.contents import SchemaPublished
from services.wire.errors import MalformedError
from services.wire.hashing import genesis_digest
from tests.chains import CHANNEL, ROOT, Pen, seal_of

START = genesis_digest(ROOT.digest, CHANNEL)


def chain() -> tuple[Pen, list[bytes]]:
    pen = Pen(CHANNEL, seal_of("old"))
    long = SchemaPublished(name="long", file=b"x" * 20_000)
    return pen, [pen.opened(), pen.sealed(), pen.open(long), pen.confirmed()]


def test_entries_of_every_size_follow_each_other_to_the_writers_digest() -> None:
    pen, records = chain()
    assert check_chain_unsigned(records, START) == (4, pen.previous)


def test_an_entry_taken_out_shows_with_the_place_expected_and_found() -> None:
    _, records = chain()
    with pytest.raises(MalformedError, match="entry 3 of the run") as caught:
        check_chain_unsigned([*records[:2], records[3]], START)
    assert caught.value.evidence.expected != caught.value.evidence.found


def test_a_changed_byte_of_a_statement_breaks_the_next_link() -> None:
    _, records = chain()
    damaged = bytearray(records[1])
    damaged[100] ^= 1
    with pytest.raises(MalformedError, match="entry 3"):
        check_chain_unsigned([records[0], bytes(damaged), records[2]], START)


def test_a_length_that_never_ends_is_no_entry() -> None:
    with pytest.raises(MalformedError, match="does not begin"):
        check_chain_unsigned([b"\xff" * 40], START)
