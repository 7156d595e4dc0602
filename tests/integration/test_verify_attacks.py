"""What a verification finds, and what it lets nobody be convicted of; logs are written by hand, and then attacked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from services.audit.report import NOTES_LIMIT
from services.wire.contents import (
    Held,
    KeyRevoked,
    Reason,
    Receipt,
    TrustConfirmed,
    encode_open,
)
from services.wire.entry import Statement, decode_entry, encode_entry, encode_statement, statement_digest, to_be_signed
from services.wire.hashing import Id, digest_of
from services.wire.signing import sign
from tests.chains import Pen, seal_of
from tests.worlds import COMMISSIONS, FROM, NEW, OLD, RECORD, TO, World, line, notes, only


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_record_that_is_cut_behind_a_receipted_head_is_found(world: World) -> None:
    world.write(RECORD, 3)
    head = world.pens[RECORD].previous
    world.receipt(TO, record=head)
    world.receipt(FROM)
    assert world.verified().findings == []
    del world.records[RECORD][2:]
    finding = only(world.verified())
    assert (finding.channel, finding.epoch, finding.sequence) == (RECORD, 0, 3)
    assert (finding.expected, finding.found) == (head.hex(), "nothing")


def test_the_tail_of_a_record_begins_where_the_last_receipted_receipt_pins_it(world: World) -> None:
    world.write(RECORD, 3)
    world.receipt(TO, record=world.pens[RECORD].previous)
    assert world.verified().of(RECORD).receipted == 0
    world.receipt(FROM)
    world.write(RECORD, 2)
    world.receipt(TO, record=world.pens[RECORD].previous)
    mine = world.verified().of(RECORD)
    assert (mine.entries, mine.receipted, mine.tail) == (6, 4, 2)


def test_what_an_epoch_overruled_may_be_gone_although_it_was_receipted(world: World) -> None:
    before = {channel: world.pens[channel].fork("") for channel in (TO, RECORD)}
    world.write(TO, 2)
    world.write(RECORD, 2)
    world.receipt(TO, record=world.pens[RECORD].previous)
    world.receipt(FROM)
    for channel, pen in before.items():
        world.pens[channel] = pen
        world.said(world.epoch_after(channel))
        world.pens[channel] = Pen(channel, NEW, 1, pen.sequence, pen.previous)
        world.records[channel] = [*world.records[channel][:1], world.pens[channel].opened()]
    # The receipt that named the old head stood in what is gone; another one of the commission's names it still.
    report = world.verified()
    assert report.findings == []
    assert "overruled" in notes(report, TO)
    world.receipt(TO, record=world.pens[RECORD].previous)
    assert world.verified().findings == []
    world.receipt(TO, record=digest_of(b"what stands nowhere"))
    assert only(world.verified()).channel == RECORD


def test_a_head_of_a_record_from_before_its_epoch_convicts_nobody(world: World) -> None:
    world.write(RECORD)
    before = world.pens[RECORD].fork("")
    world.write(RECORD)
    world.receipt(TO, record=world.pens[RECORD].previous)
    world.pens[RECORD] = before
    world.said(world.epoch_after(RECORD))
    world.pens[RECORD] = Pen(RECORD, NEW, 1, before.sequence, before.previous)
    world.records[RECORD] = [*world.records[RECORD][:2], world.pens[RECORD].opened()]
    report = world.verified()
    assert report.findings == []
    assert "before its last epoch" in notes(report, RECORD)


def test_a_line_with_another_epoch_or_another_entry_is_found(world: World) -> None:
    world.write(TO)
    world.receipt(FROM, trust=Held(channel="registrar.trust", epoch=0, sequence=2, digest=digest_of(b"another registrar")))
    finding = only(world.verified())
    assert (finding.channel, finding.sequence) == ("registrar.trust", 2)
    assert finding.expected == digest_of(b"another registrar").hex()
    assert finding.found == decode_entry(world.records["registrar.trust"][1]).digest.hex()
    world.records[FROM].pop()
    world.pens[FROM] = Pen(FROM, COMMISSIONS, sequence=1, previous=decode_entry(world.records[FROM][0]).digest)
    second = decode_entry(world.records["registrar.trust"][1]).digest
    world.receipt(FROM, trust=Held(channel="registrar.trust", epoch=4, sequence=2, digest=second))
    finding = only(world.verified())
    assert (finding.what, finding.expected, finding.found) == ("a receipt names another epoch than stands here", "4", "0")


def test_one_entry_taken_out_of_a_revoked_run_is_found_although_the_channel_only_waits(world: World) -> None:
    world.write(RECORD, 4)
    lost = world.records[RECORD][3]
    world.records[RECORD].append(world.pens[RECORD].rotated(NEW))
    world.write(RECORD, 2)
    world.said(KeyRevoked(key=OLD.certificate.key_digest, reason=Reason.SUPERSEDED))
    # The school's other channels are under the revoked key to their ends, and wait.
    assert world.verified().findings == []
    world.records[RECORD].remove(lost)
    finding = only(world.verified())
    assert (finding.channel, finding.sequence) == (RECORD, 4)
    assert (finding.expected, finding.found) == (decode_entry(lost).digest.hex(), "nothing")


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_what_is_missing_before_an_epoch_is_found_with_its_digest(world: World, lost: int) -> None:
    world.write(RECORD, 3)
    world.said(world.epoch_after(RECORD))
    missing = world.records[RECORD].pop(lost)
    finding = only(world.verified())
    assert (finding.channel, finding.sequence, finding.expected) == (RECORD, lost + 1, decode_entry(missing).digest.hex())


def test_a_place_that_somebody_only_claims_convicts_nobody(world: World) -> None:
    liar = Pen(RECORD, seal_of("liar", organisation="NTRLV-90000000009"), sequence=2)
    claims = [liar.sealed(), liar.sealed()]
    world.records[RECORD] += claims
    assert world.verified().is_clean
    # Nor does it say what stood where something is missing indeed.
    world.write(RECORD, 3)
    missing = world.records[RECORD].pop(3)
    finding = only(world.verified())
    assert (finding.sequence, finding.expected) == (2, decode_entry(missing).digest.hex())


def test_an_entry_that_cannot_be_read_is_named_by_its_neighbours(world: World) -> None:
    world.write(RECORD, 5)
    missing = decode_entry(world.records[RECORD][3])
    world.records[RECORD][3] = world.records[RECORD][3][:-1]
    world.records[RECORD].insert(1, b"noise before")
    world.records[RECORD].append(b"noise behind")
    finding = only(world.verified())
    assert (finding.sequence, finding.expected) == (4, missing.digest.hex())
    assert finding.found == digest_of(world.records[RECORD][4]).hex()
    del world.records[RECORD][4]
    assert only(world.verified()).found == "nothing"


def test_an_unreadable_last_entry_is_found_once_it_was_receipted(world: World) -> None:
    world.write(TO, 2)
    last = decode_entry(world.records[TO][-1])
    world.records[TO][-1] = b"\x00" + world.records[TO][-1]
    assert world.verified().is_clean
    world.receipt(FROM)
    finding = only(world.verified())
    assert (finding.sequence, finding.expected) == (3, last.digest.hex())
    assert finding.what.startswith("an entry cannot be read")


def copy(record: bytes, change: Callable[[bytes], bytes | None]) -> bytes:
    entry = decode_entry(record)
    return encode_entry(entry.statement_bytes, entry.signature, entry.raw_facts, change(entry.raw_personal or b""))


def test_a_personal_part_that_was_cut_out_is_a_note_and_a_whole_copy_ends_it(world: World) -> None:
    world.write(RECORD)
    whole = world.records[RECORD][1]
    world.records[RECORD][1] = copy(whole, lambda _: None)
    report = world.verified()
    assert report.is_clean
    assert notes(report, RECORD) == "the personal part of 0/2 is not here"
    # The whole copy comes much later, in another batch.
    world.write(RECORD, 250)
    world.records[RECORD].append(whole)
    assert notes(world.verified(), RECORD) == ""


def test_a_damaged_part_is_found_unless_a_whole_copy_stands_beside_it(world: World) -> None:
    world.write(RECORD)
    whole = world.records[RECORD][1]
    world.records[RECORD][1] = copy(whole, lambda part: part[::-1])
    assert only(world.verified()).what == "a personal part does not match its digest"
    for order in (1, -1):
        world.records[RECORD][1:] = [copy(whole, lambda part: part[::-1]), whole][::order]
        report = world.verified()
        assert report.is_clean
        assert "beside the whole entry 2" in notes(report, RECORD)


def test_a_fork_is_found_with_both_digests(world: World) -> None:
    world.write(RECORD)
    thief = world.pens[RECORD].fork("thief")
    world.write(RECORD)
    world.records[RECORD].append(thief.sealed())
    finding = only(world.verified())
    assert (finding.sequence, {finding.expected, finding.found}) == (
        3,
        {decode_entry(each).digest.hex() for each in world.records[RECORD][2:]},
    )


def test_what_a_person_should_know_of_an_entry_is_a_note(world: World) -> None:
    pen = world.pens[RECORD]
    own = line(pen)
    world.records[RECORD].append(pen.rotated(COMMISSIONS))
    pen.seal = OLD
    world.records[RECORD].append(pen.open(Receipt(held=(own,), record=None)))
    told = notes(world.verified(), RECORD)
    assert "at 2: a rotation to a certificate that may not write here" in told
    assert "at 3: Receipt with wrong content: it does not name the entry before it" in told


def test_times_that_go_back_and_event_ids_that_stand_twice_are_notes(world: World) -> None:
    pen = world.pens[RECORD]
    body = encode_open(TrustConfirmed())
    places = [(1_790_000_000_000, b"one"), (1_780_000_000_000, b"two"), (1_790_000_000_000, b"one")]
    for written_at, name in places:
        statement = encode_statement(
            Statement(
                previous=pen.previous,
                certificate=OLD.certificate.digest,
                channel=RECORD,
                epoch=0,
                sequence=pen.sequence + 1,
                written_at=written_at,
                event_id=Id(name.ljust(16)),
                body=body,
            )
        )
        pen.sequence, pen.previous = pen.sequence + 1, statement_digest(statement)
        world.records[RECORD].append(encode_entry(statement, sign(OLD.key, to_be_signed(statement)), None, None))
    report = world.verified()
    assert report.is_clean
    assert report.of(RECORD).notes == [
        "at 3: its time lies before that of the entry before",
        "at 4: an event id that stands in this channel already",
    ]


def test_a_flood_of_junk_is_counted_and_hides_nothing(world: World) -> None:
    world.write(RECORD, 2)
    world.records[RECORD][1:2] = [b"junk %d" % number for number in range(NOTES_LIMIT + 50)]
    report = world.verified()
    assert only(report).sequence == 2
    assert len(report.of(RECORD).notes) == NOTES_LIMIT + 2
    assert report.of(RECORD).notes[0] == "beside the chain stand 1 that are not taken: overruled, out of reach, or a stranger's"
    assert report.of(RECORD).notes[-1] == "and 50 more notes"


@pytest.mark.parametrize("page", [1, 50, 200, 1000])
def test_a_fork_that_shows_itself_late_leaves_nothing_behind_it_verified(world: World, page: int) -> None:
    world.write(RECORD)
    thief = world.pens[RECORD].fork("thief")
    before = world.pens[RECORD].previous
    world.write(RECORD, 250)
    world.records[RECORD].append(thief.sealed())
    report = world.verified(page=page)
    assert only(report).what.startswith("the channel contradicts itself")
    assert (report.of(RECORD).entries, report.of(RECORD).head) == (2, before.hex())


def test_what_the_registrar_said_behind_a_late_fork_of_its_own_channel_is_not_believed(world: World) -> None:
    thief = world.pens["registrar.trust"].fork("thief")
    world.said(KeyRevoked(key=OLD.certificate.key_digest, reason=Reason.STOLEN))
    world.records["registrar.trust"].append(thief.confirmed())
    report = world.verified(page=4)
    assert only(report).channel == "registrar.trust"
    assert report.of(RECORD).state == "reading"


def test_a_receipt_under_an_event_id_that_stood_there_before_says_nothing(world: World) -> None:
    world.write(TO)
    pen = world.pens[FROM]
    opened = decode_entry(world.records[FROM][0]).unverified_statement
    lie = Held(channel=TO, epoch=0, sequence=2, digest=digest_of(b"nowhere"))
    body = encode_open(Receipt(held=(lie, line(pen)), record=None))
    statement = encode_statement(opened._replace(previous=pen.previous, sequence=2, body=body))
    world.records[FROM].append(encode_entry(statement, sign(COMMISSIONS.key, to_be_signed(statement)), None, None))
    report = world.verified()
    assert report.is_clean
    assert notes(report, FROM) == "at 2: an event id that stands in this channel already"


def test_a_copy_from_another_channel_is_not_said_to_have_damaged_facts(world: World) -> None:
    world.write(RECORD, 3)
    world.write(TO, 2)
    missing = decode_entry(world.records[RECORD][2])
    world.records[RECORD][2] = world.records[TO][2]
    finding = only(world.verified())
    assert finding.what == "a record is no entry (an entry of another channel)"
    assert (finding.expected, finding.found) == (missing.digest.hex(), digest_of(world.records[TO][2]).hex())


def test_a_receipt_of_a_later_entry_says_what_stood_where_the_chain_ends(world: World) -> None:
    world.write(TO, 4)
    missing = decode_entry(world.records[TO][2])
    world.receipt(FROM)
    # Nothing but the receipt vouches for the entries behind, since nobody can read who signed them.
    for place in (3, 4):
        behind = decode_entry(world.records[TO][place])
        world.records[TO][place] = encode_entry(behind.statement_bytes, b"", behind.raw_facts, behind.raw_personal)
    del world.records[TO][2]
    finding = only(world.verified())
    assert (finding.sequence, finding.expected, finding.found) == (3, missing.digest.hex(), "nothing")


def test_threads_change_nothing_of_what_is_found(world: World) -> None:
    world.write(RECORD, 30)
    world.records[RECORD].append(world.pens[RECORD].rotated(NEW))
    world.write(RECORD, 30)
    forged = decode_entry(world.records[RECORD][20])
    world.records[RECORD][20] = encode_entry(
        forged.statement_bytes, decode_entry(world.records[RECORD][21]).signature, forged.raw_facts, forged.raw_personal
    )
    alone, together = world.verified(threads=1), world.verified(threads=3)
    assert alone.findings == together.findings != []
    assert [each.head for each in alone.channels] == [each.head for each in together.channels]
