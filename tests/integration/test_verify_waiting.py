"""What waits under a revoked key is genuine: receipts that name it convict nobody, and what is missing behind it is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from services.wire.channels import COMMISSION, record_of
from services.wire.contents import Held, KeyRevoked, Reason, Receipt
from services.wire.entry import decode_entry
from services.wire.hashing import digest_of
from tests.chains import Pen, seal_of
from tests.worlds import COMMISSIONS, FROM, NEW, OLD, RECORD, TO, World, line, notes, only

REVOKED = KeyRevoked(key=COMMISSIONS.certificate.key_digest, reason=Reason.SUPERSEDED)
NEXT = seal_of("commission's next", organisation=COMMISSIONS.certificate.organisation)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a log in which the school receipted what the commission wrote before its key was revoked too early."""
    made = World(tmp_path)
    made.write(FROM, 3)
    made.receipt(TO)
    made.said(REVOKED)
    return made


def test_a_key_that_was_revoked_before_its_worker_rotated_makes_channels_wait_and_is_no_finding(world: World) -> None:
    report = world.verified()
    assert report.findings == []
    told = notes(report, FROM)
    assert "waits after 0: what follows (4) is under a revoked key" in told
    assert "a receipt names an entry that waits here" in told
    assert "beside the chain" not in told
    assert report.of(FROM).state == "waiting"


def test_what_waited_is_whole_again_once_a_newer_key_vouches_for_it(world: World) -> None:
    world.records[FROM].append(world.pens[FROM].rotated(NEXT))
    world.write(FROM)
    report = world.verified()
    assert report.findings == []
    assert (report.of(FROM).entries, report.of(FROM).receipted) == (6, 4)


def test_a_head_of_a_record_that_waits_is_no_finding(world: World) -> None:
    record = record_of(COMMISSION)
    world.write(record, 2)
    # The commission's pair channel has a newer key already, its record has not.
    world.records[FROM].append(world.pens[FROM].rotated(NEXT))
    world.receipt(FROM, record=world.pens[record].previous)
    report = world.verified()
    assert report.findings == []
    assert "a receipt names an entry that waits here" in notes(report, record)


def test_the_end_of_what_waits_cannot_vanish_once_it_was_receipted(world: World) -> None:
    last = decode_entry(world.records[FROM].pop())
    finding = only(world.verified())
    assert (finding.channel, finding.epoch, finding.sequence) == (FROM, 0, 4)
    assert (finding.expected, finding.found) == (last.digest.hex(), "nothing")


def test_another_entry_than_the_receipted_one_among_what_waits_is_found(world: World) -> None:
    own, paired = line(world.pens[TO]), line(world.pens[FROM])
    other = Held(channel=FROM, epoch=0, sequence=3, digest=digest_of(b"what the school was shown"))
    world.records[TO].append(world.pens[TO].open(Receipt(held=(other, own), record=None)))
    assert paired.sequence == 4
    finding = only(world.verified())
    assert (finding.channel, finding.sequence) == (FROM, 3)
    assert (finding.expected, finding.found) == (other.digest.hex(), decode_entry(world.records[FROM][2]).digest.hex())


def test_two_branches_that_wait_are_both_genuine(world: World) -> None:
    thief = world.pens[FROM].fork("thief")
    world.write(FROM)
    world.receipt(TO)
    world.records[FROM].append(thief.sealed())
    report = world.verified()
    assert report.findings == []
    assert "what follows (6)" in notes(report, FROM)


def test_a_stranger_beside_what_waits_is_told_apart(world: World) -> None:
    liar = Pen(FROM, OLD, sequence=4, previous=world.pens[FROM].previous)
    world.records[FROM].append(liar.sealed())
    report = world.verified()
    assert report.findings == []
    assert "beside the chain stand 1 that are not taken: overruled, out of reach, or a stranger's" in notes(report, FROM)
    assert "what follows (4)" in notes(report, FROM)


def test_what_is_missing_before_an_epoch_is_found_whatever_else_waits(world: World) -> None:
    abandoned = world.pens[RECORD].fork("")
    world.said(world.epoch_after(RECORD))
    world.write(RECORD, 5)
    old = world.pens[RECORD]
    world.records[RECORD].append(Pen(RECORD, NEW, 1, abandoned.sequence, abandoned.previous).opened())
    world.said(replace(world.epoch_after(RECORD), epoch=2, after_sequence=old.sequence, after_digest=old.previous))
    missing = decode_entry(world.records[RECORD].pop(2))
    finding = only(world.verified())
    assert (finding.epoch, finding.sequence, finding.expected) == (0, 3, missing.digest.hex())


def test_what_waits_for_the_last_entry_before_an_epoch_is_not_said_to_be_something_else(world: World) -> None:
    world.write(RECORD, 3)
    world.receipt(TO, record=decode_entry(world.records[RECORD][2]).digest)
    world.said(world.epoch_after(RECORD))
    last = decode_entry(world.records[RECORD].pop())
    finding = only(world.verified())
    assert (finding.channel, finding.sequence, finding.expected) == (RECORD, 4, last.digest.hex())
