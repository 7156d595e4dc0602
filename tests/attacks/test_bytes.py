"""Lies in the bytes of an entry: flips, other encodings of the same, and more than fits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from services.channel.embedded import EmbeddedChannel
from services.wire import avro
from services.wire.entry import (
    ENTRY_HEADER,
    FACTS_LIMIT_BYTES,
    PERSONAL_LIMIT_BYTES,
    RECORD_LIMIT_BYTES,
    SEALING_OVERHEAD_BYTES,
    STATEMENT_LIMIT_BYTES,
    Sealed,
    UnverifiedEntry,
    decode_entry,
)
from services.wire.errors import (
    CertificateError,
    MalformedError,
    PartError,
    PlaceError,
    RecordTooLargeError,
    SignatureError,
    VerificationError,
)
from services.wire.faults import fault_of
from services.wire.following import Follower, Update
from services.wire.hashing import digest_of
from services.wire.paths import Pathfinder
from tests.attacks.lies import as_avro, over_long, reassembled, said_otherwise, signed_anew
from tests.attacks.workshop import SEALS, TO, Workshop
from tests.chains import ROOT, SCHOOL, Pen

SEAL: Final = SEALS[SCHOOL][1]
FLIPS: Final = (0x01, 0x02, 0x10, 0x80, 0xFF)
STATEMENT: Final = frozenset({MalformedError, SignatureError, CertificateError, PlaceError})
MET: Final = {"sealed": STATEMENT | {PartError}, "open": STATEMENT}
ALLOWED: Final[dict[str, frozenset[type[VerificationError]]]] = {
    "framing": frozenset({MalformedError}),
    "statement": STATEMENT | {PartError},
    "signature": frozenset({SignatureError}),
    "facts": frozenset({PartError}),
    "personal": frozenset({PartError}),
}


def flips(record: bytes) -> Iterator[tuple[int, int, bytes]]:
    for place in range(len(record)):
        for pattern in FLIPS:
            yield place, pattern, record[:place] + bytes([record[place] ^ pattern]) + record[place + 1 :]


def fields(record: bytes) -> list[str]:
    """Return to what each byte of a record belongs."""
    entry = decode_entry(record)
    parts = {"statement": entry.statement_bytes, "signature": entry.signature}
    parts |= {"facts": entry.raw_facts or b"", "personal": entry.raw_personal or b""}
    found = ["framing"] * len(record)
    for name, part in parts.items():
        if part:
            start = record.index(part)
            found[start : start + len(part)] = [name] * len(part)
    return found


def reader(shop: Workshop) -> Callable[[], tuple[Follower, list[bytes]]]:
    """Return what makes readers, with what they take, that stand where the commission stands in the school's channel."""
    office = shop.commission.office
    standing = office.letterbook.standing(TO)
    assert standing is not None
    finder, place = Pathfinder(channel=TO, root=ROOT, trust=office.trust), standing.place
    held = list(office.letterbook.records(TO))

    def begin() -> tuple[Follower, list[bytes]]:
        taken: list[bytes] = []
        follower, _ = Follower.at(
            finder,
            load=lambda: [*held, *taken],
            holds=lambda digest: digest in {decode_entry(each).digest for each in taken},
            place=place,
            is_usual=True,
        )
        return follower, taken

    return begin


def error_of(follower: Follower, update: Update) -> VerificationError:
    """Return the one error of a batch of one record."""
    errors = [junk.error for junk in update.junk]
    errors += [found[0] for record in update.odd if (found := fault_of(follower, record)) is not None]
    (error,) = errors
    return error


@pytest.mark.parametrize("kind", ["sealed", "open"])
def test_every_single_byte_flip_of_an_entry(shop: Workshop, kind: str) -> None:
    pen = shop.pen()
    genuine = shop.requested()[1] if kind == "sealed" else pen.confirmed()
    begin, belongs, met = reader(shop), fields(genuine), Counter[tuple[str, str]]()
    for place, pattern, flipped in flips(genuine):
        follower, taken = begin()
        update = follower.offer([flipped])
        taken += [flipped] if update.new else []
        # One without its personal part is the entry that was signed; everything else is not, and nothing of it is taken.
        assert [step.entry.personal for step in update.new] == ([None] if belongs[place] == "personal" else [])
        error = error_of(follower, update)
        assert type(error) in ALLOWED[belongs[place]], (place, error)
        assert error.evidence.raw == flipped
        assert None not in (error.evidence.expected, error.evidence.found)
        assert error.evidence.expected != error.evidence.found
        met[belongs[place], type(error).__name__] += 1
        if pattern != FLIPS[0]:
            continue
        # And the rest goes on: the genuine one follows where it stands.
        assert len(follower.offer([genuine]).new) == (belongs[place] != "personal")
        assert follower.place.digest == decode_entry(genuine).digest
    assert sum(met.values()) == len(genuine) * len(FLIPS)
    assert {name for part, name in met if part == "statement"} == {each.__name__ for each in MET[kind]}


def of_statement(part: str) -> Callable[[UnverifiedEntry], bytes]:
    return lambda entry: getattr(entry.unverified_statement, part)


FLIPPED: Final[dict[str, tuple[Callable[[UnverifiedEntry], bytes], type[VerificationError], str]]] = {
    "previous": (of_statement("previous"), SignatureError, "not by the certificate"),
    "certificate": (of_statement("certificate"), CertificateError, "nothing in this channel has shown"),
    "channel": (lambda entry: entry.channel.encode()[-8:], PlaceError, "an entry of another channel"),
    "event id": (of_statement("event_id"), SignatureError, "not by the certificate"),
    "signature": (lambda entry: entry.signature[-20:], SignatureError, "not by the certificate"),
    "facts": (lambda entry: entry.raw_facts or b"", PartError, "sealed facts that do not match"),
}


@pytest.mark.parametrize("part", FLIPPED)
def test_a_flip_in_one_field_of_an_entry_is_named_for_what_it_is(shop: Workshop, part: str) -> None:
    case_id, genuine = shop.requested()
    find, error, text = FLIPPED[part]
    place = genuine.index(find(decode_entry(genuine))) + 3
    shop.instead(genuine[:place] + bytes([genuine[place] ^ 1]) + genuine[place + 1 :])
    fault = shop.caught(error, text)
    assert fault["raw"] == shop.there[TO][-1]
    assert shop.commission.state(case_id) == ""
    shop.goes_on()
    shop.shown(genuine)
    assert shop.commission.state(case_id) == "Received"


def test_a_flip_in_the_personal_part_keeps_the_entry_and_not_the_part(shop: Workshop) -> None:
    case_id, genuine = shop.requested()
    shop.instead(genuine[:-1] + bytes([genuine[-1] ^ 1]))
    fault = shop.caught(PartError, "a personal part that does not match its digest")
    assert (fault["epoch"], fault["sequence"]) == (0, decode_entry(genuine).sequence)
    assert shop.commission.held("missing") == ["the personal part has not come"]
    shop.goes_on()
    shop.shown(genuine)
    assert shop.commission.held("missing") == []
    assert shop.commission.state(case_id) == "Received"


def refused(shop: Workshop, lie: Callable[[bytes], bytes], error: type[VerificationError], text: str) -> None:
    """Let a lie stand where a request should stand: it is caught, not applied, and hides neither it nor anybody else's."""
    case_id, genuine = shop.requested()
    shop.instead(lie(genuine))
    assert shop.caught(error, text)["raw"] == shop.there[TO][-1]
    assert shop.commission.state(case_id) == ""
    shop.goes_on()
    shop.shown(genuine)
    assert shop.commission.state(case_id) == "Received"


def test_an_over_long_number_in_an_entry(shop: Workshop) -> None:
    refused(shop, lambda record: over_long(record, len(ENTRY_HEADER)), MalformedError, "not in canonical form")


def test_an_over_long_number_in_a_statement_that_its_writer_signed(shop: Workshop) -> None:
    place = 64
    refused(
        shop,
        lambda record: signed_anew(record, SEAL, lambda said: over_long(said, place)),
        MalformedError,
        "not in canonical form",
    )


def test_a_trailing_byte_of_an_entry(shop: Workshop) -> None:
    refused(shop, lambda record: record + b"\x00", MalformedError, "Entry is not in canonical form")


def test_a_trailing_byte_of_a_statement_that_its_writer_signed(shop: Workshop) -> None:
    refused(
        shop,
        lambda record: signed_anew(record, SEAL, lambda said: said + b"\x00"),
        MalformedError,
        "Statement is not in canonical form",
    )


def test_another_union_order_in_a_statement_that_its_writer_signed(shop: Workshop) -> None:
    source: dict[str, Any] = json.loads(avro.schema_file("wire/Statement.avsc"))
    *before, body = source["fields"]
    other = avro.Schema({**source, "fields": [*before, {**body, "type": body["type"][::-1]}]})

    def turned(record: bytes) -> bytes:
        said = as_avro(decode_entry(record).unverified_statement)
        return signed_anew(record, SEAL, lambda _: avro.encode(other, said))

    # Which of the two is told first is for the bytes of the digest that is read as a text.
    refused(shop, turned, MalformedError, "Statement ")


def test_a_negative_union_index_in_an_entry(shop: Workshop) -> None:
    def negative(record: bytes) -> bytes:
        part = decode_entry(record).raw_facts or b""
        branch = record.index(part) - 3
        assert record[branch] == 2
        return record[:branch] + b"\x01" + record[branch + 1 :]

    refused(shop, negative, MalformedError, "Entry is not in canonical form")


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("epoch", -1, "an epoch is from 0"),
        ("epoch", 2**31, "a value out of range"),
        ("sequence", 0, "a sequence begins at 1"),
        ("written_at", -1, "the years 1970 to 9999"),
        ("written_at", 253_402_300_800_000, "the years 1970 to 9999"),
    ],
)
def test_a_number_out_of_range_that_its_writer_signed(shop: Workshop, field: str, value: int, text: str) -> None:
    refused(shop, lambda record: said_otherwise(record, SEAL, **{field: value}), MalformedError, text)


def test_an_oversize_record_is_not_taken_by_a_log_and_not_read_from_one(shop: Workshop) -> None:
    log = EmbeddedChannel(shop.folder / "another.sqlite", clock=shop.clock)
    with pytest.raises(RecordTooLargeError):
        log.append(TO, [bytes(RECORD_LIMIT_BYTES + 1)])
    log.close()
    refused(shop, lambda record: record + bytes(RECORD_LIMIT_BYTES), MalformedError, "a record is over its limit")


def test_an_oversize_statement_that_its_writer_signed(shop: Workshop) -> None:
    name = TO + "x" * STATEMENT_LIMIT_BYTES
    refused(shop, lambda record: said_otherwise(record, SEAL, channel=name), MalformedError, "limited to 16384 bytes")


def part_of(size: int) -> bytes:
    return bytes(size + SEALING_OVERHEAD_BYTES + 1)


def test_oversize_facts_that_their_writer_signed(shop: Workshop) -> None:
    facts, pen = part_of(FACTS_LIMIT_BYTES), shop.pen()
    body = Sealed(facts_key=digest_of(b"key"), facts=digest_of(facts), personal=digest_of(b"part"))
    shop.shown(pen.write(body, facts, b"part"))
    fault = shop.caught(PartError, "sealed facts over their limit")
    assert fault["found"] == str(len(facts))
    shop.goes_on()


def test_an_oversize_personal_part_that_its_writer_signed_counts_as_absent(shop: Workshop) -> None:
    pen: Pen = shop.pen()
    facts, personal = bytes(592), part_of(PERSONAL_LIMIT_BYTES)
    body = Sealed(facts_key=digest_of(b"key"), facts=digest_of(facts), personal=digest_of(personal))
    shop.shown(pen.write(body, facts, personal))
    shop.caught(PartError, "a personal part over its limit")
    assert shop.commission.held("missing") == ["the personal part has not come"]
    shop.goes_on()


def test_sealed_facts_that_were_cut_out(shop: Workshop) -> None:
    refused(shop, lambda record: reassembled(decode_entry(record), facts=None), PartError, "without its facts")


def test_a_part_that_was_put_beside_an_open_entry(shop: Workshop) -> None:
    record = decode_entry(shop.pen().confirmed())
    shop.shown(reassembled(record, facts=b"whatever somebody likes to say"))
    shop.caught(PartError, "an open entry that carries a part")
    shop.goes_on(SCHOOL)
