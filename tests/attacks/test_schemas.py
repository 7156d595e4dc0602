"""Lies about what bytes mean: schemas that let a name stand in facts, bombs in Avro, and what only a newer peer knows."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import pytest

from services.post.letterbook import Standing
from services.post.signing import Draft, sign_body
from services.wire import avro
from services.wire.channels import COMMISSION, TRUST_CHANNEL, commission_case
from services.wire.contents import Facts, Personal, SchemaPublished, encode_facts, encode_personal
from services.wire.entry import Open, Sealed
from services.wire.errors import FactsRuleError, MalformedError, SchemaError, VerificationError
from services.wire.hashing import Digest, Id, digest_of
from services.wire.records import encode_event, event_type
from services.wire.sealing import Part, seal
from tests.attacks.workshop import OTHER, TO, Workshop
from tests.chains import SCHOOL
from tests.people import REQUESTED_A2, REQUESTED_PERSONAL
from tests.troubles import said_by_registrar, settled

EVENT: Final = Id(b"an event's own id")[:16]
CASE: Final = UUID(int=77)
THEIRS: Final = commission_case(CASE, TO)
MEGABYTE: Final = 1024 * 1024


def says(shop: Workshop, *, content: bytes, schema: Digest, kind: str = "InformationRequested", reads: bool = True) -> None:
    """Let the school sign facts with any content under any schema, as an event of a case."""
    office = shop.members[SCHOOL].office
    key, case_key = office.ring.facts_key(TO, office.today.year), office.ring.case_key(TO, CASE)
    said = Facts(
        type=kind,
        schema=schema,
        case_id=Id(CASE.bytes),
        after=None,
        in_reply_to=None,
        recorded_on=20_000,
        personal_key=case_key.key_id,
        content=content,
    )
    facts = seal(key.key, Part.FACTS, encode_facts(said), channel=TO, event_id=Id(EVENT), salt=office.random(32))
    told = encode_personal(Personal(recorded_at=1, content=b""))
    part = seal(case_key.key, Part.PERSONAL, told, channel=TO, event_id=Id(EVENT), salt=office.random(32))
    office.letterbook.keep_part(digest_of(part), part)
    with office.database.transaction():
        body = Sealed(facts_key=key.key_id, facts=digest_of(facts), personal=digest_of(part))
        sign_body(office, Draft(channel=TO, event_id=Id(EVENT), body=body, facts=facts))
    if reads:
        settled(shop)
    else:
        shop.members[SCHOOL].work()


def published(shop: Workshop, change: Callable[[dict[str, Any]], None]) -> tuple[avro.Schema, Digest]:
    """Let the registrar publish a changed schema of the request; return that of its facts, and its id."""
    source = json.loads(event_type("InformationRequested").file)
    change(source)
    file = json.dumps(source).encode()
    said_by_registrar(shop, SchemaPublished(name="InformationRequested", file=file))
    settled(shop)
    facts = next(each["type"] for each in source["fields"] if each["name"] == "facts")
    return avro.Schema({"namespace": source.get("namespace", ""), **facts}), digest_of(file)


def own_facts() -> dict[str, Any]:
    kind = event_type("InformationRequested")
    return avro.decode(kind.facts, encode_event(REQUESTED_A2, REQUESTED_PERSONAL).facts)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("string", "Roberts Izdomenieks", "facts hold no string"),
        ("bytes", b"Roberts Izdomenieks", "facts hold no bytes"),
        ({"type": "map", "values": "int"}, {"Roberts Izdomenieks": 1}, "facts hold no map"),
        ({"type": "fixed", "name": "Short", "size": 16}, b"a code, hashed..", "a digest of 32 bytes"),
    ],
)
def test_a_schema_swapped_so_that_a_name_would_stand_in_facts(shop: Workshop, kind: Any, value: Any, text: str) -> None:
    def with_name(source: dict[str, Any]) -> None:
        source["fields"][0]["type"]["fields"].append({"name": "remark", "type": kind})

    schema, identity = published(shop, with_name)
    says(shop, content=avro.encode(schema, own_facts() | {"remark": value}), schema=identity)
    fault = shop.caught(FactsRuleError, "Unreadable", told=text)
    assert (fault["expected"], fault["found"]) == (event_type("InformationRequested").schema.hex(), identity.hex())
    assert shop.commission.state(THEIRS) == ""
    assert not any("Roberts" in alarm for member in shop.members.values() for alarm in member.alarms)
    shop.goes_on(SCHOOL, OTHER)


def test_facts_written_with_another_events_schema(shop: Workshop) -> None:
    other = event_type("ConfirmationGiven")
    says(shop, content=b"", schema=other.schema)
    parked(shop, SchemaError, "another event's schema")


def test_facts_written_with_a_schema_that_nobody_published(shop: Workshop) -> None:
    says(shop, content=b"", schema=digest_of(b"a schema of my own"))
    parked(shop, SchemaError, "a schema that is not published")


def test_an_unknown_type_from_a_newer_peer_parks_its_case_and_the_channel_goes_on(shop: Workshop) -> None:
    says(shop, content=b"whatever", schema=digest_of(b"newer"), kind="SomethingNewer")
    fault = parked(shop, SchemaError, "a type that this release does not know")
    assert fault["found"] == digest_of(b"SomethingNewer").hex()


def parked(shop: Workshop, error: type[VerificationError], text: str) -> Any:
    (fault,) = shop.faults(COMMISSION)
    assert (fault["fault"], fault["kind"]) == (error.__name__, "parked")
    assert text in fault["reason"]
    assert fault["raw"]
    assert fault["expected"] != fault["found"]
    assert shop.commission.state(THEIRS) == ""
    shop.goes_on(SCHOOL, OTHER)
    return fault


def test_an_unknown_open_type_from_a_newer_peer_is_chained_and_the_channel_goes_on(shop: Workshop) -> None:
    pen = shop.pen()
    records = [pen.write(Open(type="SomethingNewer", content=b"\xff" * 500), None, None), pen.confirmed()]
    shop.there[TO] += records
    del shop.members[SCHOOL]
    settled(shop)
    standing = shop.commission.office.letterbook.standing(TO)
    assert standing is not None
    assert (standing.place.sequence, standing.state) == (pen.sequence, "reading")
    assert shop.faults(COMMISSION) == []
    assert shop.findings() == []
    shop.goes_on()


def test_a_symbol_of_a_newer_peer_is_guessed_by_nobody(shop: Workshop) -> None:
    def with_symbol(source: dict[str, Any]) -> None:
        enums = [each for each in source["fields"][0]["type"]["fields"] if each["name"] == "variant"]
        enums[0]["type"]["symbols"].append("C9")

    schema, identity = published(shop, with_symbol)
    says(shop, content=avro.encode(schema, own_facts() | {"variant": "C9"}), schema=identity)
    assert shop.commission.held("parked") == ["a symbol of a newer release"]
    assert shop.commission.state(THEIRS) == ""
    shop.goes_on(SCHOOL, OTHER)


def number(value: int) -> bytes:
    """Return a long as Avro writes it."""
    value = (value << 1) ^ (value >> 63)
    data = b""
    while value > 0x7F:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])


def read_in_little_memory(shop: Workshop) -> None:
    """Let the commission read what is there: a bomb of some kilobytes must not become many megabytes."""
    before = {channel: standing.place.sequence for channel in (TO, TRUST_CHANNEL) if (standing := at(shop, channel))}
    tracemalloc.start()
    try:
        shop.commission.work()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    after = {channel: standing.place.sequence for channel in (TO, TRUST_CHANNEL) if (standing := at(shop, channel))}
    assert before != after, "nothing was read"
    assert peak < 32 * MEGABYTE, f"{peak / MEGABYTE:.0f} MiB"
    settled(shop)


def at(shop: Workshop, channel: str) -> Standing | None:
    return shop.commission.office.letterbook.standing(channel)


DIGEST: Final = bytes(32)
BOMBS: Final[dict[str, tuple[str, bytes]]] = {
    "an array of 2^60 certificates": ("CertificateRotated", number(2**60)),
    "an array of -2^60 certificates of no size": ("CertificateRotated", number(-(2**60)) + number(0)),
    "a certificate of 2^60 bytes": ("CertificateRotated", number(1) + number(2**60)),
    "an array of 2^60 lines": ("Receipt", number(2**60) + b"\x00" * 100_000),
    "a text of 2^60 letters": ("ParticipantRemoved", number(2**60)),
    "a million blocks of one item": ("EncryptionKeyPublished", number(0) + number(0) + (number(1) + DIGEST) * 6000 + number(0)),
    "a schema of 2^62 bytes": ("SchemaPublished", number(0) + number(2**62)),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_of_huge_counts_in_an_open_entry(shop: Workshop, bomb: str) -> None:
    kind, content = BOMBS[bomb]
    record = shop.pen().write(Open(type=kind, content=content), None, None)
    del shop.members[SCHOOL]
    shop.there[TO].append(record)
    read_in_little_memory(shop)
    shop.caught(MalformedError, f"{kind} with wrong content")
    shop.goes_on()


@pytest.mark.parametrize("count", [2**60, -(2**60), 2**31])
def test_a_bomb_of_huge_counts_in_facts(shop: Workshop, count: int) -> None:
    kind = event_type("InformationRequested")
    content = avro.encode(kind.facts, own_facts())
    # The list of parts is empty in an honest request: one byte of zero.
    place = len(content) - 65
    assert content[place] == 0
    says(shop, content=content[:place] + number(count) + content[place + 1 :], schema=kind.schema, reads=False)
    read_in_little_memory(shop)
    shop.caught(MalformedError, "Unreadable", told="is refused")
    assert shop.commission.state(THEIRS) == ""
    shop.goes_on(SCHOOL, OTHER)


def record(name: str, *fields: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": f"f{at}", "type": each} for at, each in enumerate(fields)]}


def nested(depth: int) -> dict[str, Any]:
    return record(f"R{depth}", nested(depth - 1) if depth else "int")


def doubled(depth: int) -> list[Any]:
    """Return fields each of which holds the one before twice: two to the depth when it is expanded."""
    return [record("D0", "int", "int"), *(record(f"D{at}", f"D{at - 1}", f"D{at - 1}") for at in range(1, depth))]


HOSTILE: Final[dict[str, tuple[bytes, str]]] = {
    "recursion": (json.dumps(record("R", ["null", "R"])).encode(), "refers to itself"),
    "depth": (json.dumps(nested(40)).encode(), "nested"),
    "brackets": (b"[" * 60_000 + b"]" * 60_000, "64 KiB"),
    "brackets within the limit": (b"[" * 30_000 + b"]" * 30_000, "nested too deeply"),
    "types that double": (json.dumps(record("Top", *doubled(7))).encode(), "nested more than 8 deep"),
    "items of no size": (json.dumps(record("R", {"type": "array", "items": "null"})).encode(), "can take no byte"),
    "more than 64 KiB": (json.dumps(record("R", *["int"] * 5000)).encode(), "64 KiB"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_published_schema_that_is_a_bomb_is_without_effect(shop: Workshop, name: str) -> None:
    file, text = HOSTILE[name]
    said_by_registrar(shop, SchemaPublished(name="InformationRequested", file=file))
    read_in_little_memory(shop)
    for reader in (SCHOOL, OTHER, COMMISSION):
        assert digest_of(file) not in shop.members[reader].office.trust.schemas
        assert any(TRUST_CHANNEL in alarm and text in alarm for alarm in shop.members[reader].alarms)
    says(shop, content=b"", schema=digest_of(file))
    parked(shop, SchemaError, "a schema that is not published")
