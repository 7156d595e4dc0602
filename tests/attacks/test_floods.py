"""Floods: junk is capped, and one school's flood delays only its own channel. Counted in steps of a worker, never in time."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any, Final

import pytest

from services.audit.missing import what_is_behind
from services.audit.report import Finding
from services.audit.verify import examine_log
from services.wire.channels import COMMISSION, record_of, to_commission
from services.wire.contents import TrustConfirmed, encode_open
from services.wire.entry import PERSONAL_LIMIT_BYTES, RECORD_LIMIT_BYTES, Open, Sealed
from services.wire.hashing import digest_of
from tests.attacks.test_bases_again import a_yes
from tests.attacks.workshop import FROM, OTHER, SEALS, TO, Workshop
from tests.chains import ROOT, SCHOOL, Pen, Seal, seal_of
from tests.troubles import settled

COUNT: Final = 1000
MEGABYTE: Final = 1024 * 1024


def junk(_: Workshop) -> list[bytes]:
    return [b"junk %d" % number for number in range(COUNT)]


def forged(shop: Workshop) -> list[bytes]:
    pen = shop.pen(seal=Seal(seal_of("thief").key, SEALS[SCHOOL][1].certificate))
    return [pen.confirmed() for _ in range(COUNT)]


def of_nobody(shop: Workshop) -> list[bytes]:
    pen = shop.pen(seal=seal_of("thief"))
    return [pen.confirmed() for _ in range(COUNT)]


FLOODS: Final[dict[str, tuple[Callable[[Workshop], list[bytes]], str]]] = {
    "junk": (junk, "MalformedError"),
    "forgeries": (forged, "SignatureError"),
    "entries of nobody": (of_nobody, "CertificateError"),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_of(shop: Workshop, kind: str) -> None:
    flood, error = FLOODS[kind]
    case_id, genuine = shop.requested()
    shop.there[TO].pop()
    shop.there[TO] += [*flood(shop), genuine]
    other = shop.asked(OTHER)
    shop.commission.work()
    # The honest school is served with the first step, while the flood has hardly begun to be read.
    assert shop.commission.state(other) == "Received"
    assert shop.commission.state(case_id) == ""
    settled(shop)
    assert shop.commission.state(case_id) == "Received", "the flood delays its own channel, and hides nothing in it"
    faults = shop.faults(COMMISSION)
    assert len(faults) == 100, "what is kept of it is capped"
    assert {fault["fault"] for fault in faults} == {error}
    assert sum(TO in alarm for alarm in shop.commission.alarms) == 1, "and it is told once"
    shop.goes_on(SCHOOL, OTHER)


def test_a_flood_of_genuine_entries(shop: Workshop) -> None:
    pen = shop.pen()
    records = [pen.write(encode_open(TrustConfirmed()), None, None) for _ in range(COUNT)]
    del shop.members[SCHOOL]
    shop.there[TO] += records
    other = shop.asked(OTHER)
    shop.commission.work()
    assert shop.commission.state(other) == "Received"
    standing = shop.commission.office.letterbook.standing(TO)
    assert standing is not None
    assert standing.place.sequence < pen.sequence, "one step reads no more of one channel than its share"
    settled(shop)
    standing = shop.commission.office.letterbook.standing(TO)
    assert standing is not None
    assert standing.place.sequence == pen.sequence
    shop.goes_on()


def test_a_flood_of_lies_that_their_writer_signed_is_told_once(shop: Workshop) -> None:
    pen = shop.pen()
    lies = [pen.write(Open(type="Receipt", content=b"\xff"), None, None) for _ in range(200)]
    del shop.members[SCHOOL]
    shop.shown(*lies)
    # Each stands in the chain, and so each is kept; people hear of them once.
    faults = shop.faults(COMMISSION)
    assert [fault["fault"] for fault in faults] == ["MalformedError"] * len(lies)
    assert len({fault["sequence"] for fault in faults}) == len(lies)
    assert sum(TO in alarm for alarm in shop.commission.alarms) == 1
    shop.goes_on()


def test_a_flood_of_large_forgeries_does_not_fill_the_memory(shop: Workshop) -> None:
    pen, part = shop.pen(seal=Seal(seal_of("thief").key, SEALS[SCHOOL][1].certificate)), bytes(PERSONAL_LIMIT_BYTES)
    body = Sealed(facts_key=digest_of(b"key"), facts=digest_of(b"facts"), personal=digest_of(part))
    shop.there[TO] += [large(pen, body, part) for _ in range(300)]
    tracemalloc.start()
    try:
        for _ in range(6):
            shop.commission.work()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(map(len, shop.there[TO])) > 140 * MEGABYTE
    assert peak < 128 * MEGABYTE, f"{peak / MEGABYTE:.0f} MiB"
    settled(shop)
    shop.goes_on(OTHER)


def large(pen: Pen, body: Sealed, part: bytes) -> bytes:
    record = pen.write(body, b"facts", part)
    assert len(record) < RECORD_LIMIT_BYTES
    return record


def test_a_flood_of_junk_does_not_hide_the_proof_of_a_fork(shop: Workshop) -> None:
    shop.shown(*junk(shop))
    lies = [shop.pen(salt=salt).sealed() for salt in ("one face", "other face")]
    del shop.members[SCHOOL]
    shop.shown(*lies)
    assert {fault["raw"] for fault in shop.faults(COMMISSION) if fault["fault"] == "ForkError"} == set(lies)
    shop.goes_on()


def test_a_flood_of_forgeries_does_not_hide_a_thief_with_an_old_key(shop: Workshop) -> None:
    thief = shop.pen()
    shop.members[SCHOOL].signing.seals.append(seal_of("new"))
    settled(shop, 6)
    lie = thief.sealed()
    shop.shown(*forged(shop)[:110], lie)
    assert lie in {fault["raw"] for fault in shop.faults(COMMISSION) if fault["fault"] == "PlaceError"}
    shop.goes_on(SCHOOL, OTHER)


def test_a_flood_in_one_channel_leaves_every_channel_its_share_of_evidence(shop: Workshop) -> None:
    shop.shown(*junk(shop))
    shop.shown(b"one more lie", channel=to_commission(OTHER))
    (fault,) = shop.faults(COMMISSION, to_commission(OTHER))
    assert fault["raw"] == b"one more lie"
    shop.goes_on(SCHOOL, OTHER)


def test_a_hole_in_a_record_is_looked_at_once_however_many_receipts_name_heads_behind_it(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look walks all that stands behind the hole: a hundred thousand receipts would take minutes."""
    for number in range(1, 5):
        a_yes(shop, number)
    record, looks = record_of(COMMISSION), list[Finding]()

    def counted(*given: Any, **named: Any) -> Finding:
        looks.append(what_is_behind(*given, **named))
        return looks[-1]

    monkeypatch.setattr("services.audit.receipts.what_is_behind", counted)
    del shop.there[record][2]
    examined = examine_log(shop.log, ROOT, threads=1)
    heads = {each.record for channel in (FROM, f"{OTHER}.from-commission") for _, each in examined.watches[channel].receipts}
    assert len(heads) > 3
    assert [(each.channel, each.sequence, each.error) for each in examined.report.findings] == [(record, 3, "MissingError")]
    assert len(looks) == 1
