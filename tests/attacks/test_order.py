"""Lies about order: entries that are swapped, dropped, replayed, cut off, copied elsewhere, or there twice with two contents."""

from __future__ import annotations

import pytest

from services.post.signing import Draft, sign_body
from services.wire.channels import COMMISSION, TRUST_CHANNEL, to_commission
from services.wire.contents import KeyRevoked, Reason
from services.wire.entry import Sealed, body_digest, decode_entry, encode_entry, to_be_signed
from services.wire.errors import FacesError, ForkError, MissingError, PlaceError, RepeatError
from services.wire.hashing import Id, digest_of
from services.wire.signing import sign
from tests.attacks.workshop import OTHER, SEALS, TO, Workshop
from tests.chains import SCHOOL, Pen, registrar_seal, seal_of
from tests.troubles import closed_restart, settled


def test_swapped_entries_are_read_in_the_order_that_was_signed(shop: Workshop) -> None:
    first, second = shop.asked(), shop.asked()
    shop.there[TO][-2:] = shop.there[TO][:-3:-1]
    settled(shop)
    assert [shop.commission.state(case_id) for case_id in (first, second)] == ["Received"] * 2
    assert shop.faults(COMMISSION) == []
    assert shop.findings() == []
    shop.goes_on(SCHOOL)


def test_a_dropped_entry(shop: Workshop) -> None:
    first, dropped = shop.requested()
    second = shop.asked()
    shop.there[TO].remove(dropped)
    (ahead,) = shop.there[TO][-1:]
    del shop.members[SCHOOL]
    shop.quarter_of_an_hour()
    shop.quarter_of_an_hour()
    fault = shop.caught(MissingError, "an entry is missing")
    genuine = decode_entry(dropped)
    assert (fault["epoch"], fault["sequence"]) == (0, genuine.sequence)
    assert (fault["expected"], fault["found"], fault["raw"]) == (genuine.digest.hex(), "nothing", ahead)
    assert shop.commission.state(second) == ""
    shop.goes_on()
    (finding,) = shop.findings()
    assert (finding.error, finding.channel, finding.sequence) == ("MissingError", TO, genuine.sequence)
    assert (finding.expected, finding.found) == (genuine.digest.hex(), "nothing")
    # Whoever holds it sends it again, and nothing was lost.
    shop.there[TO].append(dropped)
    for _ in range(3):
        shop.quarter_of_an_hour()
    assert [shop.commission.state(case_id) for case_id in (first, second)] == ["Received"] * 2
    assert shop.faults(COMMISSION) == []


def test_a_dropped_entry_is_sent_again_by_its_writer(shop: Workshop) -> None:
    case_id, dropped = shop.requested()
    shop.there[TO].remove(dropped)
    for _ in range(4):
        shop.clock.now += 3_600_000
        settled(shop)
    assert dropped in shop.there[TO]
    assert shop.commission.state(case_id) == "Received"


@pytest.mark.shows("D5.5")
def test_a_replayed_entry_says_nothing_more(shop: Workshop) -> None:
    case_id, genuine = shop.requested()
    settled(shop)
    before = shop.commission.office.store.version(case_id)
    shop.shown(*[genuine] * 3, *shop.there[TO])
    assert shop.commission.office.store.version(case_id) == before
    assert shop.faults(COMMISSION) == []
    assert shop.findings() == []
    shop.goes_on(SCHOOL)


def again(shop: Workshop, *, facts: bytes | None = None) -> Id:
    """Let the school's worker sign the event of its last request once more at a new place, with other facts if given."""
    office = shop.members[SCHOOL].office
    genuine = next(
        entry for entry in map(decode_entry, reversed(shop.there[TO])) if isinstance(entry.unverified_statement.body, Sealed)
    )
    body, event_id = genuine.unverified_statement.body, genuine.unverified_statement.event_id
    assert isinstance(body, Sealed)
    if facts is not None:
        body = body._replace(facts=digest_of(facts))
    with office.database.transaction():
        sign_body(office, Draft(channel=TO, event_id=event_id, body=body, facts=facts or genuine.raw_facts))
    settled(shop)
    return event_id


@pytest.mark.shows("D5.5")
def test_a_replayed_event_under_a_new_place_is_entered_and_nothing_more(shop: Workshop) -> None:
    case_id, _ = shop.requested()
    settled(shop)
    before = shop.commission.office.store.version(case_id)
    again(shop)
    assert shop.commission.office.store.version(case_id) == before
    assert shop.faults(COMMISSION) == []
    shop.goes_on(SCHOOL)


def test_a_replayed_event_id_with_another_body(shop: Workshop) -> None:
    case_id, genuine = shop.requested()
    settled(shop)
    before = shop.commission.office.store.version(case_id)
    again(shop, facts=bytes(592))
    fault = shop.caught(RepeatError, "an event id stands there again with another body")
    body = decode_entry(genuine).unverified_statement.body
    assert (fault["kind"], fault["expected"]) == ("refused", body_digest(body).hex())
    assert fault["reason"].startswith("an event id stands there again with another body, without effect (")
    assert shop.commission.office.store.version(case_id) == before
    shop.goes_on(SCHOOL)


def test_a_truncated_channel_is_found_by_its_receipts_and_made_whole_by_its_writer(shop: Workshop) -> None:
    case_id, genuine = shop.requested()
    settled(shop)
    start = shop.there[TO].index(genuine)
    lost = shop.there[TO][start:]
    del shop.there[TO][start:]
    (finding,) = shop.findings()
    assert (finding.error, finding.channel) == ("MissingError", TO)
    assert (finding.sequence, finding.found) == (decode_entry(genuine).sequence, "nothing")
    shop.goes_on()
    assert shop.commission.state(case_id) == "Received"
    for _ in range(4):
        shop.clock.now += 3_600_000
        settled(shop)
    assert set(lost) <= set(shop.there[TO])
    assert shop.findings() == []


def test_an_entry_copied_to_another_channel(shop: Workshop) -> None:
    case_id, genuine = shop.requested()
    settled(shop)
    before = shop.commission.office.store.version(case_id)
    there = to_commission(OTHER)
    shop.shown(genuine, channel=there)
    fault = shop.caught(PlaceError, "an entry of another channel", channel=there)
    assert (fault["sequence"], fault["expected"], fault["found"]) == (decode_entry(genuine).sequence, there, TO)
    assert fault["raw"] == genuine
    assert shop.commission.office.store.version(case_id) == before
    shop.goes_on(SCHOOL)


def test_a_channel_copied_whole_to_another_channel(shop: Workshop) -> None:
    there = to_commission(OTHER)
    shop.shown(*shop.there[TO], channel=there)
    faults = shop.faults(COMMISSION, there)
    assert [fault["fault"] for fault in faults] == ["PlaceError"] * len(shop.there[TO])
    case_id = shop.asked(OTHER)
    settled(shop)
    assert shop.commission.state(case_id) == "Received"


def test_an_entry_of_another_exchange_with_the_same_names(shop: Workshop) -> None:
    pen = Pen(TO, SEALS[SCHOOL][1], previous=digest_of(b"another genesis"))
    record = pen.opened()
    shop.shown(record)
    fault = shop.caught(PlaceError, "where another one is taken")
    assert (fault["sequence"], fault["raw"]) == (1, record)
    shop.goes_on(SCHOOL)


def test_a_forked_channel(shop: Workshop) -> None:
    one, other = shop.pen(salt="one face"), shop.pen(salt="other face")
    records = [one.sealed(), other.sealed()]
    del shop.members[SCHOOL]
    shop.shown(*records)
    faults = shop.faults(COMMISSION)
    assert {fault["fault"] for fault in faults} == {ForkError.__name__}
    assert {fault["raw"] for fault in faults} == set(records)
    assert {(fault["expected"], fault["found"]) for fault in faults} == {
        (one.previous.hex(), other.previous.hex()),
        (other.previous.hex(), one.previous.hex()),
    }
    assert {fault["sequence"] for fault in faults} == {one.sequence}
    (row,) = shop.commission.office.database.all("SELECT state, reason FROM channels WHERE channel = ?", TO)
    assert row["state"] == "forked"
    assert "contradicts itself" in row["reason"], "whoever looks later is told why"
    assert f"{TO} stands still after {one.sequence - 1}: forked, {row['reason']}" in shop.commission.alarms
    assert shop.commission.held("parked") == []
    shop.goes_on()
    (finding,) = shop.findings()
    assert (finding.error, finding.sequence) == ("ForkError", one.sequence)
    assert {finding.expected, finding.found} == {one.previous.hex(), other.previous.hex()}


def test_a_forked_entry_beside_one_that_was_applied(shop: Workshop) -> None:
    other = shop.pen(salt="other face")
    case_id, genuine = shop.requested()
    settled(shop, 1)
    assert shop.commission.state(case_id) == "Received"
    lie = other.sealed()
    shop.shown(lie)
    faults = shop.faults(COMMISSION)
    assert {fault["fault"] for fault in faults} == {ForkError.__name__}
    assert lie in {fault["raw"] for fault in faults}
    assert {fault["sequence"] for fault in faults} == {decode_entry(genuine).sequence}
    # What was applied stays applied, and nothing more is.
    assert shop.commission.state(case_id) == "Received"
    assert shop.commission.held("parked") == []
    del shop.members[SCHOOL]
    shop.goes_on()


def test_a_forked_registrar(shop: Workshop) -> None:
    one, other = (shop.registrar.fork(salt) for salt in ("one face", "other face"))
    shop.shown(one.confirmed(), other.confirmed(), channel=TRUST_CHANNEL)
    for reader in (SCHOOL, OTHER, COMMISSION):
        faults = shop.faults(reader, TRUST_CHANNEL)
        assert {fault["fault"] for fault in faults} == {ForkError.__name__}
        assert {fault["found"] for fault in faults} == {one.previous.hex(), other.previous.hex()}
    assert FacesError.__name__ not in {fault["fault"] for fault in shop.faults(COMMISSION)}
    shop.goes_on(SCHOOL, OTHER)


def test_a_registrar_whose_one_face_revokes_the_key_of_the_other(shop: Workshop) -> None:
    """What a branch of its channel revokes counts in that branch alone: else whoever met one face first would never see two."""
    one, other = (shop.registrar.fork(salt) for salt in ("one face", "other face"))
    its, before = registrar_seal("its"), one.sequence
    revoked = KeyRevoked(key=its.certificate.key_digest, reason=Reason.STOLEN)
    shop.shown(one.rotated(registrar_seal("mine")), one.open(revoked), channel=TRUST_CHANNEL)
    assert revoked.key in shop.commission.office.trust.revoked
    member = closed_restart(shop, COMMISSION)
    shop.shown(other.rotated(its), other.confirmed(), channel=TRUST_CHANNEL)
    (row,) = member.office.database.all("SELECT state FROM channels WHERE channel = ?", TRUST_CHANNEL)
    assert row["state"] == "forked"
    faults = shop.faults(COMMISSION, TRUST_CHANNEL)
    assert {(fault["fault"], fault["sequence"]) for fault in faults} == {(ForkError.__name__, before + 1)}
    shop.goes_on(SCHOOL, OTHER)


def test_a_fork_hidden_behind_badly_signed_copies_of_itself(shop: Workshop) -> None:
    lies = [shop.pen(salt=salt).sealed() for salt in ("one face", "other face")]
    del shop.members[SCHOOL]
    entries = [decode_entry(lie) for lie in lies]
    stranger = seal_of("nobody").key
    bad = [
        encode_entry(each.statement_bytes, sign(stranger, to_be_signed(each.statement_bytes)), each.raw_facts, each.raw_personal)
        for each in entries
    ]
    shop.shown(*bad)
    shop.shown(*lies)
    kept = shop.faults(COMMISSION)
    assert {each["raw"] for each in kept if each["fault"] == "ForkError"} == set(lies)
    assert {each["fault"] for each in kept} == {"SignatureError", "ForkError"}
